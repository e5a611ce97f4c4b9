#include "ca/commands/roa_commands.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "ca/base/memory.h"
#include "ca/commands/intent.h"
#include "db/stores/ca_store.h"

#define DETAIL_PAYLOADS 4       /* so many of each list are named in the audit row */
#define DETAIL_SIZE 512

enum fate {
	APPLIES,
	CANCELLED,              /* the same payload is in the other list */
	FAULTY,                 /* complained of already */
};

/* One of the two lists of a change. */
struct side {
	const char *list;
	const struct roa_entry *entries;
	size_t count;
	uint8_t *fates;                                 /* enum fate of each entry */
	const struct roa_entry **sorted;                /* by payload, then as given */
	size_t changed;                                 /* rows inserted or deleted */
};

/* A change on its way through the writer. */
struct run {
	const struct command_context *context;
	const struct actor *actor;
	const struct roa_change *change;
	enum fault_code (*preview)(void *argument, struct db_connection *connection, struct fault *fault);
	void *preview_argument;
	struct complaints *complaints;
	int64_t now_at;
	int64_t ca_id;
	char handle[HANDLE_MAX + 1];                    /* once known */
	struct side added, removed;
	size_t comments;                                /* rows that took a new comment */
	int64_t version;                                /* of the list, afterwards */
	bool dry_run_done;                              /* all went well, nothing is to be kept */
};

static void
side_clear(struct side *side)
{
	free(side->fates);
	free(side->sorted);
}

static void
run_clear(struct run *run)
{
	side_clear(&run->added);
	side_clear(&run->removed);
}

static int
compare_entries(const void *a, const void *b)
{
	const struct roa_entry *const *x = a, *const *y = b;
	int order = payload_compare(&(*x)->payload, &(*y)->payload);
	return order != 0 ? order : (*x > *y) - (*x < *y);
}

static enum fault_code
prepare_side(struct side *side, struct complaints *complaints, struct fault *fault)
{
	TRY(memory_new(side->count, sizeof *side->fates, &side->fates, fault));
	TRY(memory_new(side->count, sizeof *side->sorted, &side->sorted, fault));
	for (size_t i = 0; i < side->count; i++)
		side->sorted[i] = &side->entries[i];
	qsort(side->sorted, side->count, sizeof *side->sorted, compare_entries);
	for (size_t i = 1; i < side->count; i++) {
		const struct roa_entry *entry = side->sorted[i];
		if (payload_compare(&side->sorted[i - 1]->payload, &entry->payload) != 0)
			continue;
		char text[PAYLOAD_TEXT];
		payload_text(&entry->payload, text);
		side->fates[entry - side->entries] = FAULTY;
		TRY(complaints_add(complaints, fault, side->list, entry->index, NULL, "%s is in the list twice", text));
	}
	return FAULT_NONE;
}

/* One added and removed of the same payload cancel out. */
static void
cancel_out(struct side *added, struct side *removed)
{
	for (size_t i = 0, j = 0; i < added->count && j < removed->count;) {
		const struct roa_entry *one = added->sorted[i], *other = removed->sorted[j];
		int order = payload_compare(&one->payload, &other->payload);
		if (order == 0) {
			added->fates[one - added->entries] = CANCELLED;
			removed->fates[other - removed->entries] = CANCELLED;
		}
		i += order <= 0;
		j += order >= 0;
	}
}

static enum fault_code
check_comments(const struct side *added, struct complaints *complaints, struct fault *fault)
{
	for (size_t i = 0; i < added->count; i++) {
		const struct roa_entry *entry = &added->entries[i];
		const char *reason = entry->comment != NULL ? intent_comment_fault(entry->comment) : NULL;
		if (reason != NULL)
			TRY(complaints_add(complaints, fault, added->list, entry->index, "comment", "%s", reason));
	}
	return FAULT_NONE;
}

/* All that needs no database, and so doesn't hold up the writer. */
static enum fault_code
prepare(struct run *run, struct fault *fault)
{
	const struct roa_change *change = run->change;
	run->added = (struct side){ .list = "added", .entries = change->added, .count = change->added_count };
	run->removed = (struct side){ .list = "removed", .entries = change->removed, .count = change->removed_count };
	TRY(prepare_side(&run->added, run->complaints, fault));
	TRY(prepare_side(&run->removed, run->complaints, fault));
	TRY(check_comments(&run->added, run->complaints, fault));
	cancel_out(&run->added, &run->removed);
	return FAULT_NONE;
}

static enum fault_code
check_size(const struct roa_change *change, struct fault *fault)
{
	if (change->added_count > ROA_CHANGES_MAX || change->removed_count > ROA_CHANGES_MAX - change->added_count)
		return fault_set(fault, FAULT_TOO_LARGE, "%zu entries in one change, of at most %d",
			change->added_count + change->removed_count, ROA_CHANGES_MAX);
	return FAULT_NONE;
}

static enum fault_code
check_ca(struct run *run, const struct ca_record *record, struct fault *fault)
{
	(void)snprintf(run->handle, sizeof run->handle, "%s", record->handle);
	run->version = record->roas_version;
	if (strcmp(record->kind, "member") != 0)
		return fault_set(fault, FAULT_CONFLICT, "CA \"%s\" is one of the engine's own and has no ROAs", run->handle);
	if (strcmp(record->state, "active") != 0)
		return fault_set(fault, FAULT_CONFLICT, "CA \"%s\" is being deleted", run->handle);
	if (run->change->if_match && run->change->version != record->roas_version)
		return fault_set(fault, FAULT_PRECONDITION, "the ROAs have version %" PRId64 " now, not %" PRId64,
			record->roas_version, run->change->version);
	return FAULT_NONE;
}

static enum fault_code
complain(struct run *run, const struct side *side, const struct roa_entry *entry, const char *field, const char *words,
	struct fault *fault)
{
	char text[PAYLOAD_TEXT];
	payload_text(&entry->payload, text);
	return complaints_add(run->complaints, fault, side->list, entry->index, field, "%s %s", text, words);
}

static enum fault_code
remove_each(struct run *run, struct db_connection *connection, struct fault *fault)
{
	struct side *side = &run->removed;
	for (size_t i = 0; i < side->count; i++) {
		bool deleted;
		if (side->fates[i] != APPLIES)
			continue;
		TRY(intent_remove(connection, run->ca_id, &side->entries[i].payload, &deleted, fault));
		if (!deleted)
			TRY(complain(run, side, &side->entries[i], NULL, "is not there", fault));
		side->changed += deleted;
	}
	return FAULT_NONE;
}

static enum fault_code
add_one(struct run *run, struct db_connection *connection, const struct resource_set *held, const struct roa_entry *entry,
	struct fault *fault)
{
	struct side *side = &run->added;
	bool member = run->actor->role <= ROLE_MEMBER, inserted;
	if (member && intent_is_refused_asn(&run->context->refused_asns, entry->payload.asn))
		return complain(run, side, entry, "asn", "has a reserved AS number that members may not add", fault);
	if (!resource_set_holds_prefix(held, &entry->payload.prefix))
		return complain(run, side, entry, "prefix", "is not within the resources of this CA", fault);
	TRY(intent_add(connection, run->ca_id, &entry->payload, entry->comment, run->now_at, &inserted, fault));
	side->changed += inserted;
	return inserted ? FAULT_NONE : complain(run, side, entry, NULL, "is there already", fault);
}

/* What was removed and added again stays, and takes the new comment if one is given. */
static enum fault_code
add_each(struct run *run, struct db_connection *connection, const struct resource_set *held, struct fault *fault)
{
	const struct side *side = &run->added;
	for (size_t i = 0; i < side->count; i++) {
		const struct roa_entry *entry = &side->entries[i];
		bool changed = false;
		if (side->fates[i] == APPLIES)
			TRY(add_one(run, connection, held, entry, fault));
		else if (side->fates[i] == CANCELLED && entry->comment != NULL)
			TRY(intent_set_comment(connection, run->ca_id, &entry->payload, entry->comment, &changed, fault));
		run->comments += changed;
	}
	return FAULT_NONE;
}

/* " +AS64496 192.0.2.0/24 +… …" */
static size_t
print_side(char *text, size_t room, const struct side *side, char sign)
{
	size_t length = 0, named = 0;
	for (size_t i = 0; i < side->count && named <= DETAIL_PAYLOADS; i++) {
		char payload[PAYLOAD_TEXT];
		if (side->fates[i] != APPLIES)
			continue;
		payload_text(&side->entries[i].payload, payload);
		int printed = named++ < DETAIL_PAYLOADS ? snprintf(text + length, room - length, " %c%s", sign, payload) :
			snprintf(text + length, room - length, " …");
		if (printed < 0 || (size_t)printed >= room - length)
			return length;
		length += (size_t)printed;
	}
	text[length] = '\0';
	return length;
}

static enum fault_code
audit_change(struct run *run, struct db_connection *connection, struct fault *fault)
{
	char detail[DETAIL_SIZE];
	int begun = snprintf(detail, sizeof detail, "%zu added, %zu removed, %zu with a new comment; version %" PRId64 ":",
		run->added.changed, run->removed.changed, run->comments, run->version);
	size_t length = (size_t)begun;
	length += print_side(detail + length, sizeof detail - length, &run->added, '+');
	(void)print_side(detail + length, sizeof detail - length, &run->removed, '-');
	struct audit_event event = {
		.action = "roas.change", .ca_id = run->ca_id, .ca_handle = run->handle, .outcome = "done", .detail = detail,
	};
	return audit_write(connection, run->now_at, run->actor, &event, fault);
}

static enum fault_code
record_change(struct run *run, struct db_connection *connection, int64_t roas_count, struct fault *fault)
{
	int64_t more = (int64_t)run->added.changed - (int64_t)run->removed.changed;
	bool objects_change = run->added.changed + run->removed.changed > 0;
	if (!objects_change && run->comments == 0)
		return FAULT_NONE;
	if (more > 0 && roas_count + more > ROAS_PER_CA_MAX)
		return fault_set(fault, FAULT_TOO_LARGE, "a CA has %d ROAs at most; with these it would have %" PRId64,
			ROAS_PER_CA_MAX, roas_count + more);
	if (objects_change)
		TRY(ca_store_change_roas(connection, run->ca_id, more, NULL, run->now_at, fault));
	else
		TRY(ca_store_change_comments(connection, run->ca_id, fault));
	run->version++;
	return audit_change(run, connection, fault);
}

static enum fault_code
apply(struct db_connection *connection, void *argument, struct fault *fault)
{
	struct run *run = argument;
	AUTO(struct stmt, stmt_done) stmt = NULL;
	AUTO_CLEAR(struct resource_set, resource_set_clear) held = RESOURCE_SET_INIT;
	struct ca_record record;
	TRY(command_check_actor(run->actor, run->ca_id, fault));
	TRY(ca_store_get(connection, run->ca_id, &stmt, &record, fault));
	TRY(check_ca(run, &record, fault));
	TRY(check_size(run->change, fault));
	TRY(resource_set_decode(record.resources, &held, fault));
	TRY(remove_each(run, connection, fault));
	TRY(add_each(run, connection, &held, fault));
	complaints_sort(run->complaints);
	TRY(complaints_check(run->complaints, fault));
	TRY(record_change(run, connection, record.roas_count, fault));
	if (!run->change->dry_run)
		return FAULT_NONE;
	if (run->preview != NULL)
		TRY(run->preview(run->preview_argument, connection, fault));
	run->dry_run_done = true;
	return fault_set(fault, FAULT_STALE, "a dry run is not kept"); /* makes the writer undo it; told to nobody */
}

static enum fault_code
run_prepared(struct run *run, struct fault *fault)
{
	struct audit_event event = { .action = "roas.change", .ca_id = run->ca_id, .ca_handle = run->handle };
	if (!run->change->dry_run)
		return command_run_due(run->context, run->actor, &event, apply, run, fault);
	enum fault_code code = db_write(run->context->db, apply, run, fault);
	if (!run->dry_run_done)
		return code;
	fault_clear(fault);
	return FAULT_NONE;
}

enum fault_code
roas_change(const struct command_context *context, const struct actor *actor, int64_t ca_id, const struct roa_change *change,
	enum fault_code (*preview)(void *argument, struct db_connection *connection, struct fault *fault), void *preview_argument,
	struct complaints *complaints, int64_t *ret_version, struct fault *fault)
{
	AUTO_CLEAR(struct run, run_clear) run = {
		.context = context,
		.actor = actor,
		.change = change,
		.preview = preview,
		.preview_argument = preview_argument,
		.complaints = complaints,
		.now_at = clock_now(context->clock),
		.ca_id = ca_id,
	};
	TRY(prepare(&run, fault));
	TRY(run_prepared(&run, fault));
	*ret_version = run.version;
	return FAULT_NONE;
}
