#include "ca/commands/restore_commands.h"

#include <inttypes.h>
#include <stdio.h>

#include "ca/base/instant.h"
#include "ca/base/randomness.h"
#include "db/stmt.h"

/* A clock that is behind by no more than this is taken as it is. */
#define AHEAD_MAX_S 120
#define DETAIL_SIZE 256

struct restoration {
	const struct actor *actor;
	const struct restore_terms *terms;
	int64_t now_at, raise;
};

/* Which parameters a statement has. */
enum { WITH_NOW = 1, WITH_RAISE = 2, WITH_EPOCH = 4 };

static const struct {
	enum query query;
	unsigned parameters;
} steps[] = {
	{ QUERY_RESTORE_EPOCH, WITH_EPOCH },
	{ QUERY_RESTORE_DROP_STAGED, 0 },
	{ QUERY_RESTORE_DROP_BYTES, 0 },
	{ QUERY_RESTORE_DROP_PAYLOADS, 0 },
	{ QUERY_RESTORE_OBJECTS, 0 },
	{ QUERY_RESTORE_DROP_CUTS, 0 },
	{ QUERY_RESTORE_NUMBERS, WITH_NOW | WITH_RAISE },
	{ QUERY_RESTORE_TRUST_ANCHOR, WITH_NOW },
	{ QUERY_RESTORE_CEREMONY, WITH_NOW },
	{ QUERY_RESTORE_CAS, WITH_NOW },
	{ QUERY_RESTORE_COUNT, 0 },
	{ QUERY_RESTORE_IMPORTS, WITH_NOW },
	{ QUERY_RESTORE_REFUSALS, 0 },
	{ QUERY_RESTORE_TRANSFERS, 0 },
};

static enum fault_code
run_steps(struct db_connection *connection, const struct restoration *restoration, struct fault *fault)
{
	for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
		AUTO(struct stmt, stmt_done) stmt = NULL;
		TRY(stmt_start(connection, steps[i].query, &stmt, fault));
		if (steps[i].parameters & WITH_NOW)
			stmt_bind_int(stmt, ":now_at", restoration->now_at);
		if (steps[i].parameters & WITH_RAISE)
			stmt_bind_int(stmt, ":raise", restoration->raise);
		if (steps[i].parameters & WITH_EPOCH)
			stmt_bind_int(stmt, ":epoch", restoration->terms->epoch);
		TRY(stmt_run(stmt, fault));
	}
	return FAULT_NONE;
}

static enum fault_code
begin_session(struct db_connection *connection, int64_t repository_id, const char *session, int64_t now_at, struct fault *fault)
{
	AUTO(struct stmt, stmt_done) stmt = NULL;
	TRY(stmt_start(connection, QUERY_RESTORE_SESSION, &stmt, fault));
	stmt_bind_int(stmt, ":repository_id", repository_id);
	stmt_bind_int(stmt, ":now_at", now_at);
	stmt_bind_text(stmt, ":session", session);
	return stmt_run(stmt, fault);
}

static enum fault_code
drop_trees(struct db_connection *connection, int64_t now_at, struct fault *fault)
{
	AUTO(struct stmt, stmt_done) reserve = NULL;
	AUTO(struct stmt, stmt_done) drop = NULL;
	TRY(stmt_start(connection, QUERY_RESTORE_RESERVE_TREE, &reserve, fault));
	stmt_bind_int(reserve, ":now_at", now_at);
	TRY(stmt_run(reserve, fault));
	TRY(stmt_start(connection, QUERY_RESTORE_DROP_TREES, &drop, fault));
	return stmt_run(drop, fault);
}

/* RFC 8182 §3.3.1, RFC 9697: what was published since is not known any more, so the session is another one and begins at serial 1. */
static enum fault_code
begin_sessions(struct db_connection *connection, const struct restoration *restoration, struct fault *fault)
{
	AUTO(struct stmt, stmt_done) stmt = NULL;
	TRY(stmt_start(connection, QUERY_RESTORE_REPOSITORIES, &stmt, fault));
	for (;;) {
		char session[37];
		bool row;
		TRY(stmt_step(stmt, &row, fault));
		if (!row)
			return drop_trees(connection, restoration->now_at, fault);
		int64_t repository_id = stmt_int(stmt, "repository_id");
		TRY(randomness_uuid(session, fault));
		TRY(begin_session(connection, repository_id, session, restoration->now_at, fault));
	}
}

static enum fault_code
renumber(struct db_connection *connection, void *argument, struct fault *fault)
{
	const struct restoration *restoration = argument;
	const struct restore_terms *terms = restoration->terms;
	char detail[DETAIL_SIZE], backup_at[INSTANT_TEXT];
	TRY(run_steps(connection, restoration, fault));
	TRY(begin_sessions(connection, restoration, fault));
	instant_rfc3339(terms->backup_at, backup_at);
	(void)snprintf(detail, sizeof detail, "%s of %s: epoch %" PRId64 ", a new RRDP session, numbers raised by %" PRId64, terms->source,
		backup_at, terms->epoch, restoration->raise);
	struct audit_event event = { .action = "restore", .outcome = "done", .detail = detail };
	return audit_write(connection, restoration->now_at, restoration->actor, &event, fault);
}

enum fault_code
restore_renumber(const struct command_context *context, const struct actor *actor, const struct restore_terms *terms, struct fault *fault)
{
	struct restoration restoration = { .actor = actor, .terms = terms, .now_at = clock_now(context->clock) };
	char backup_at[INSTANT_TEXT];
	int64_t age_s = restoration.now_at - terms->backup_at;
	instant_rfc3339(terms->backup_at, backup_at);
	if (age_s < -AHEAD_MAX_S)
		return fault_set(fault, FAULT_CLOCK, "the backup is of %s, which is %" PRId64 " seconds ahead of this machine's clock: set that "
			"right", backup_at, -age_s);
	restoration.raise = (age_s > 0 ? age_s : 0) + RESTORE_MARGIN;
	return db_write(context->db, renumber, &restoration, fault);
}
