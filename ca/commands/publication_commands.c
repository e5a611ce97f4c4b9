#include "ca/commands/publication_commands.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "db/stmt.h"

#define DETAIL_SIZE 200

struct acceptance {
	const struct actor *actor;
	const char *code;
	int64_t now_at;
	char detail[DETAIL_SIZE];
};

/* *ret_done: it was accepted before. */
static enum fault_code
check_refusal(struct db_connection *connection, struct acceptance *acceptance, bool *ret_done, struct fault *fault)
{
	AUTO(struct stmt, stmt_done) stmt = NULL;
	bool row;
	TRY(stmt_start(connection, QUERY_GUARD_REFUSALS, &stmt, fault));
	TRY(stmt_step(stmt, &row, fault));
	if (!row)
		return fault_set(fault, FAULT_NOT_FOUND, "the publication's guard refuses nothing now");
	const char *code = stmt_text(stmt, "code");
	if (strcmp(code, acceptance->code) != 0)
		return fault_set(fault, FAULT_CONFLICT, "what is refused now has the code %s: it would lose %" PRId64 " of %" PRId64
			" payloads and %" PRId64 " of %" PRId64 " CAs", code, stmt_int(stmt, "payloads_lost"), stmt_int(stmt, "payloads"),
			stmt_int(stmt, "cas_lost"), stmt_int(stmt, "cas"));
	*ret_done = !stmt_null(stmt, "accepted_at");
	(void)snprintf(acceptance->detail, sizeof acceptance->detail, "code %s: loses %" PRId64 " of %" PRId64 " payloads and %" PRId64
		" of %" PRId64 " CAs", code, stmt_int(stmt, "payloads_lost"), stmt_int(stmt, "payloads"), stmt_int(stmt, "cas_lost"),
		stmt_int(stmt, "cas"));
	return FAULT_NONE;
}

static enum fault_code
accept(struct db_connection *connection, void *argument, struct fault *fault)
{
	struct acceptance *acceptance = argument;
	AUTO(struct stmt, stmt_done) stmt = NULL;
	bool done = false;
	TRY(check_refusal(connection, acceptance, &done, fault));
	if (done)
		return FAULT_NONE;
	TRY(stmt_start(connection, QUERY_GUARD_ACCEPT, &stmt, fault));
	stmt_bind_text(stmt, ":code", acceptance->code);
	stmt_bind_int(stmt, ":now_at", acceptance->now_at);
	TRY(stmt_run(stmt, fault));
	struct audit_event event = { .action = "publication.accept", .outcome = "done", .detail = acceptance->detail };
	return audit_write(connection, acceptance->now_at, acceptance->actor, &event, fault);
}

enum fault_code
publication_accept(const struct command_context *context, const struct actor *actor, const char *code, struct fault *fault)
{
	struct acceptance acceptance = { .actor = actor, .code = code, .now_at = clock_now(context->clock) };
	struct audit_event event = { .action = "publication.accept" };
	return command_run_due(context, actor, &event, accept, &acceptance, fault);
}
