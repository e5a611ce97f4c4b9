#include "ca/commands/import_check.h"

#include <string.h>

#include "ca/commands/holdings.h"
#include "ca/commands/import_file.h"
#include "ca/feeds/feed.h"
#include "db/stores/ca_store.h"

struct check {
	struct db_connection *connection;
	const atomic_bool *stop;
	struct holdings_above above;
	int64_t entries;
};

static void
check_clear(struct check *check)
{
	holdings_above_clear(&check->above);
}

/* A member that is there already: only one that stays can be told to be unchanged or different. */
static enum fault_code
check_existing(struct check *check, int64_t ca_id, struct fault *fault)
{
	AUTO(struct stmt, stmt_done) stmt = NULL;
	struct ca_record record;
	TRY(ca_store_get(check->connection, ca_id, &stmt, &record, fault));
	if (strcmp(record.kind, "member") != 0)
		return fault_set(fault, FAULT_CONFLICT, "CA \"%s\" is one of the engine's own", record.handle);
	if (strcmp(record.state, "active") != 0)
		return fault_set(fault, FAULT_CONFLICT, "CA \"%s\" is being deleted", record.handle);
	return FAULT_NONE;
}

static enum fault_code
check_member(struct check *check, const struct import_entry *entry, struct fault *fault)
{
	AUTO_CLEAR(struct complaints, complaints_clear) complaints = COMPLAINTS_INIT;
	struct fault none = FAULT_INIT;
	int64_t ca_id;
	TRY(command_check_handle(entry->handle, fault));
	enum fault_code code = ca_store_find(check->connection, entry->handle, &ca_id, &none);
	if (code == FAULT_NONE)
		return check_existing(check, ca_id, fault);
	if (code != FAULT_NOT_FOUND)
		return fault_set(fault, code, "%s", none.message);
	return holdings_check(check->connection, &check->above, 0, entry->resources, &complaints, fault);
}

static enum fault_code
check_entry(void *argument, const struct import_entry *entry, struct fault *fault)
{
	struct check *check = argument;
	if (check->stop != NULL && *check->stop)
		return fault_set(fault, FAULT_BUSY, "stopped; the import goes on at the next start");
	check->entries++;
	return entry->resources == NULL ? FAULT_NONE : feed_line(check_member(check, entry, fault), entry->line, fault);
}

enum fault_code
import_check(const struct command_context *context, enum import_kind kind, const char *path, const atomic_bool *stop,
	int64_t *ret_entries, struct fault *fault)
{
	AUTO(struct db_connection, db_reader_release) connection = NULL;
	AUTO_CLEAR(struct check, check_clear) check = { .stop = stop, .above = HOLDINGS_ABOVE_INIT };
	int64_t parent_id, count;
	TRY(db_reader_acquire(context->db, &connection, fault));
	check.connection = connection;
	TRY(ca_store_last_issuing(connection, &parent_id, &count, fault));
	TRY(holdings_above_find(connection, parent_id, &check.above, fault));
	TRY(import_file_read(kind, path, check_entry, &check, fault));
	*ret_entries = check.entries;
	return FAULT_NONE;
}
