#include "ca/commands/import_commands.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "ca/base/randomness.h"
#include "ca/base/scope.h"
#include "ca/commands/import_batch.h"
#include "ca/commands/import_check.h"
#include "ca/commands/import_file.h"
#include "db/stores/import_store.h"

#define ACTOR_MAX 200

_Static_assert(IMPORT_ID_SIZE == IMPORT_STORE_ID_SIZE, "both hold a UUID");

static const char *const kind_texts[] = { [IMPORT_STATS] = "stats", [IMPORT_ROAS] = "roas", [IMPORT_MEMBERS] = "members" };

const char *
import_kind_text(enum import_kind kind)
{
	return kind_texts[kind];
}

bool
import_kind_parse(const char *text, enum import_kind *ret_kind)
{
	for (size_t i = 0; i < sizeof kind_texts / sizeof *kind_texts; i++) {
		if (strcmp(kind_texts[i], text) == 0) {
			*ret_kind = (enum import_kind)i;
			return true;
		}
	}
	return false;
}

struct start {
	const struct actor *actor;
	int64_t now_at;
	const char *id;
	const char *kind;
};

static enum fault_code
record_start(struct db_connection *connection, void *argument, struct fault *fault)
{
	const struct start *start = argument;
	char open_id[IMPORT_ID_SIZE], detail[64];
	TRY(import_store_open(connection, open_id, fault));
	if (open_id[0] != '\0')
		return fault_set(fault, FAULT_CONFLICT, "import %s is still being applied", open_id);
	TRY(import_store_insert(connection, start->id, start->kind, start->actor->name, start->now_at, fault));
	(void)snprintf(detail, sizeof detail, "%s, import %s", start->kind, start->id);
	struct audit_event event = { .action = "import.start", .outcome = "done", .detail = detail };
	return audit_write(connection, start->now_at, start->actor, &event, fault);
}

enum fault_code
import_start(const struct command_context *context, const struct actor *actor, enum import_kind kind, char ret_id[IMPORT_ID_SIZE],
	struct fault *fault)
{
	char id[IMPORT_ID_SIZE];
	TRY(randomness_uuid(id, fault));
	struct start start = { .actor = actor, .now_at = clock_now(context->clock), .id = id, .kind = import_kind_text(kind) };
	struct audit_event event = { .action = "import.start" };
	TRY(command_run(context, actor, &event, record_start, &start, fault));
	memcpy(ret_id, id, sizeof id);
	return FAULT_NONE;
}

/* An import that is being applied. */
struct import {
	const struct command_context *context;
	const char *id;
	const char *path;
	const atomic_bool *stop;
	enum import_kind kind;
	bool checked, applied;                          /* how far it came before */
	int64_t entries_done;
	char actor_name[ACTOR_MAX];
	struct actor actor;                             /* who started it */
	int64_t position;                               /* entries of the file that were read in this pass */
	struct import_batch *batch;
	int64_t entries_total;                          /* once checked */
	const char *error;                              /* once failed */
	enum fault_code failure;
};

static void
import_clear(struct import *import)
{
	import_batch_free(import->batch);
}

static enum fault_code
load(struct import *import, struct fault *fault)
{
	AUTO(struct db_connection, db_reader_release) connection = NULL;
	AUTO(struct stmt, stmt_done) stmt = NULL;
	struct import_record record;
	TRY(db_reader_acquire(import->context->db, &connection, fault));
	TRY(import_store_get(connection, import->id, &stmt, &record, fault));
	if (!import_kind_parse(record.kind, &import->kind))
		return fault_set(fault, FAULT_DATABASE, "import %s has the unknown kind \"%s\"", import->id, record.kind);
	import->checked = strcmp(record.state, "checking") != 0;
	import->applied = import->checked && strcmp(record.state, "applying") != 0;
	import->entries_done = record.counts.entries_done;
	(void)snprintf(import->actor_name, sizeof import->actor_name, "%s", record.actor);
	import->actor = (struct actor){ .name = import->actor_name, .role = ROLE_ADMIN };
	return FAULT_NONE;
}

static enum fault_code
record_checked(struct db_connection *connection, void *argument, struct fault *fault)
{
	const struct import *import = argument;
	return import_store_checked(connection, import->id, import->entries_total, fault);
}

static enum fault_code
apply_batch(struct import *import, struct fault *fault)
{
	if (import_batch_is_empty(import->batch))
		return FAULT_NONE;
	return import_batch_apply(import->batch, import->context, &import->actor, import->id, fault);
}

/* Entries that were applied before a kill are passed over. */
static enum fault_code
take_entry(void *argument, const struct import_entry *entry, struct fault *fault)
{
	struct import *import = argument;
	if (import->position++ < import->entries_done)
		return FAULT_NONE;
	TRY(import_batch_add(import->batch, entry, fault));
	if (!import_batch_is_full(import->batch))
		return FAULT_NONE;
	TRY(apply_batch(import, fault));
	if (import->stop != NULL && *import->stop)
		return fault_set(fault, FAULT_BUSY, "stopped; the import goes on at the next start");
	return FAULT_NONE;
}

static enum fault_code
audit_end(struct db_connection *connection, const struct import *import, int64_t now_at, const char *outcome, const char *detail,
	struct fault *fault)
{
	struct audit_event event = { .action = "import.end", .outcome = outcome, .detail = detail };
	return audit_write(connection, now_at, &import->actor, &event, fault);
}

static enum fault_code
describe(struct db_connection *connection, const char *id, char detail[500], struct fault *fault)
{
	AUTO(struct stmt, stmt_done) stmt = NULL;
	struct import_record record;
	TRY(import_store_get(connection, id, &stmt, &record, fault));
	const struct import_counts *counts = &record.counts;
	(void)snprintf(detail, 500, "%s, import %s: members %" PRId64 " created, %" PRId64 " unchanged, %" PRId64 " different;"
		" ROAs %" PRId64 " created, %" PRId64 " unchanged, %" PRId64 " not held; %" PRId64 " warnings", record.kind, id,
		counts->members_created, counts->members_unchanged, counts->members_different, counts->roas_created,
		counts->roas_unchanged, counts->roas_not_held, counts->warnings);
	return FAULT_NONE;
}

/* All intents are there. An import that changed nothing has nothing to wait for. */
static enum fault_code
record_applied(struct db_connection *connection, void *argument, struct fault *fault)
{
	const struct import *import = argument;
	int64_t now_at = clock_now(import->context->clock), waiting, set_aside;
	char detail[500];
	TRY(import_store_applied(connection, import->id, fault));
	TRY(import_store_waiting(connection, import->id, &waiting, &set_aside, fault));
	bool unpublished = false;
	if (waiting == 0)
		TRY(import_store_unpublished(connection, import->id, &unpublished, fault));
	if (waiting == 0 && !unpublished)
		TRY(import_store_done(connection, import->id, now_at, fault));
	TRY(describe(connection, import->id, detail, fault));
	return audit_end(connection, import, now_at, "done", detail, fault);
}

static enum fault_code
record_failed(struct db_connection *connection, void *argument, struct fault *fault)
{
	const struct import *import = argument;
	int64_t now_at = clock_now(import->context->clock);
	TRY(import_store_failed(connection, import->id, now_at, import->error, fault));
	return audit_end(connection, import, now_at, fault_type(import->failure), import->error, fault);
}

/* Whose file isn't ours to read (a command of another user left it) won't be later either. */
static enum fault_code
check_readable(const char *path, struct fault *fault)
{
	AUTO_CLEAR(int, descriptor_close) fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 && errno == EACCES)
		return fault_set(fault, FAULT_FORBIDDEN, "its file belongs to another user than this server's: import it again");
	return FAULT_NONE;
}

static enum fault_code
run(struct import *import, struct fault *fault)
{
	struct db *db = import->context->db;
	TRY(check_readable(import->path, fault));
	if (!import->checked) {
		TRY(import_check(import->context, import->kind, import->path, import->stop, &import->entries_total, fault));
		TRY(db_write(db, record_checked, import, fault));
	}
	TRY(import_batch_new(&import->batch, fault));
	TRY(import_file_read(import->kind, import->path, take_entry, import, fault));
	TRY(apply_batch(import, fault));
	return db_write(db, record_applied, import, fault);
}

/* What no second try can help ends the import; with all else it stays open and goes on later. */
static enum fault_code
fail(struct import *import, enum fault_code code, const struct fault *fault)
{
	struct fault second = FAULT_INIT;
	if (fault_may_retry(code))
		return code;
	import->error = fault->message;
	import->failure = code;
	return db_write(import->context->db, record_failed, import, &second) == FAULT_NONE ? code : second.code;
}

enum fault_code
import_apply(const struct command_context *context, const char *id, const char *path, const atomic_bool *stop,
	struct fault *fault)
{
	AUTO_CLEAR(struct import, import_clear) import = { .context = context, .id = id, .path = path, .stop = stop };
	struct fault own = FAULT_INIT;
	if (fault == NULL)
		fault = &own;
	TRY(load(&import, fault));
	if (import.applied)
		return FAULT_NONE;
	enum fault_code code = run(&import, fault);
	/* Not before: a CA that is issued between two of its batches would be issued twice. */
	if (context->wake != NULL)
		context->wake(context->scheduler);
	return code == FAULT_NONE ? FAULT_NONE : fail(&import, code, fault);
}

struct finish {
	const char *id;
	int64_t now_at;
};

static enum fault_code
finish_one(struct db_connection *connection, void *argument, struct fault *fault)
{
	const struct finish *finish = argument;
	int64_t waiting, set_aside;
	char text[100];
	TRY(import_store_waiting(connection, finish->id, &waiting, &set_aside, fault));
	if (set_aside > 0) {
		(void)snprintf(text, sizeof text, "%" PRId64 " of its CAs were set aside and wait for an operator", set_aside);
		TRY(import_store_remark(connection, finish->id, IMPORT_REMARKS_MAX, "set-aside", text, fault));
	}
	return import_store_done(connection, finish->id, finish->now_at, fault);
}

static enum fault_code
is_out(struct db_connection *connection, const char *id, bool *ret_out, struct fault *fault)
{
	int64_t waiting, set_aside;
	bool unpublished = true;
	TRY(import_store_waiting(connection, id, &waiting, &set_aside, fault));
	if (waiting == 0)
		TRY(import_store_unpublished(connection, id, &unpublished, fault));
	*ret_out = waiting == 0 && !unpublished;
	return FAULT_NONE;
}

/* The first of the open imports that is out now; ret_id "": none. */
static enum fault_code
next_to_finish(struct db *db, char ret_id[IMPORT_ID_SIZE], struct fault *fault)
{
	AUTO(struct db_connection, db_reader_release) connection = NULL;
	AUTO(struct stmt, stmt_done) stmt = NULL;
	TRY(db_reader_acquire(db, &connection, fault));
	TRY(import_store_issuing(connection, &stmt, fault));
	for (;;) {
		bool found, out;
		TRY(import_store_next_id(stmt, ret_id, &found, fault));
		if (!found)
			break;
		TRY(is_out(connection, ret_id, &out, fault));
		if (out)
			return FAULT_NONE;
	}
	ret_id[0] = '\0';
	return FAULT_NONE;
}

enum fault_code
import_finish(const struct command_context *context, struct fault *fault)
{
	for (;;) {
		char id[IMPORT_ID_SIZE];
		TRY(next_to_finish(context->db, id, fault));
		if (id[0] == '\0')
			return FAULT_NONE;
		struct finish finish = { .id = id, .now_at = clock_now(context->clock) };
		TRY(db_write(context->db, finish_one, &finish, fault));
	}
}
