#include "ca/commands/hold_commands.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "ca/commands/member.h"
#include "db/stores/ca_store.h"

/* A kind of change: what may stand in its way, what it writes. */
struct turn {
	const char *action;
	enum fault_code (*check)(const struct ca_record *record, struct fault *fault);
	enum fault_code (*store)(struct db_connection *connection, int64_t ca_id, int64_t now_at, bool *ret_changed,
		struct fault *fault);
	const char *engine_refusal;                     /* why it can't be done to a CA of the engine, and what to do */
};

/* One of them, on its way through the writer. */
struct run {
	const struct turn *turn;
	const struct actor *actor;
	int64_t ca_id, now_at;
	char handle[HANDLE_MAX + 1];                    /* once known */
};

static enum fault_code
check_hold(const struct ca_record *record, struct fault *fault)
{
	if (record->suspended_at != 0)
		return fault_set(fault, FAULT_CONFLICT, "CA \"%s\" is suspended: nothing of it is published that could be held",
			record->handle);
	/* The other side's half would wait as long as this one is held. */
	if (record->change_group != 0)
		return fault_set(fault, FAULT_CONFLICT, "a transfer of CA \"%s\" is being issued: hold it once that is published",
			record->handle);
	return FAULT_NONE;
}

static enum fault_code
check_suspend(const struct ca_record *record, struct fault *fault)
{
	if (record->held_at != 0)
		return fault_set(fault, FAULT_CONFLICT, "CA \"%s\" is on hold, so nothing of it would be withdrawn: release it first "
			"(cadastre ca release)", record->handle);
	return FAULT_NONE;
}

static enum fault_code
check_nothing(const struct ca_record *record, struct fault *fault)
{
	(void)record;
	(void)fault;
	return FAULT_NONE;
}

static const struct turn hold = { "ca.hold", check_hold, ca_store_hold,
	"can't be held: hold the members that are meant" };
static const struct turn release = { "ca.release", check_nothing, ca_store_release, "is never held" };
static const struct turn suspend = { "ca.suspend", check_suspend, ca_store_suspend,
	"can't be suspended, as all below it would go: suspend the members that are meant" };
static const struct turn resume = { "ca.resume", check_nothing, ca_store_resume, "is never suspended" };

static enum fault_code
check_kind(struct db_connection *connection, struct run *run, struct fault *fault)
{
	AUTO(struct stmt, stmt_done) stmt = NULL;
	struct ca_record record;
	TRY(command_check_actor(run->actor, run->ca_id, fault));
	TRY(ca_store_get(connection, run->ca_id, &stmt, &record, fault));
	if (strcmp(record.kind, "member") == 0)
		return FAULT_NONE;
	(void)snprintf(run->handle, sizeof run->handle, "%s", record.handle);
	return fault_set(fault, FAULT_CONFLICT, "CA \"%s\" is one of the engine's own and %s", run->handle, run->turn->engine_refusal);
}

static enum fault_code
change(struct db_connection *connection, void *argument, struct fault *fault)
{
	struct run *run = argument;
	AUTO(struct stmt, stmt_done) stmt = NULL;
	struct ca_record record;
	bool changed;
	char detail[64];
	TRY(check_kind(connection, run, fault));
	TRY(member_load(connection, run->actor, run->ca_id, run->handle, &stmt, &record, fault));
	TRY(run->turn->check(&record, fault));
	(void)snprintf(detail, sizeof detail, "with %" PRId64 " ROAs", record.roas_count);
	TRY(run->turn->store(connection, run->ca_id, run->now_at, &changed, fault));
	if (!changed)
		return FAULT_NONE;
	struct audit_event event = {
		.action = run->turn->action, .ca_id = run->ca_id, .ca_handle = run->handle, .outcome = "done", .detail = detail,
	};
	return audit_write(connection, run->now_at, run->actor, &event, fault);
}

static enum fault_code
run_turn(const struct command_context *context, const struct actor *actor, int64_t ca_id, const struct turn *turn,
	struct fault *fault)
{
	struct run run = { .turn = turn, .actor = actor, .ca_id = ca_id, .now_at = clock_now(context->clock) };
	struct audit_event event = { .action = turn->action, .ca_id = ca_id, .ca_handle = run.handle };
	return command_run_due(context, actor, &event, change, &run, fault);
}

enum fault_code
ca_hold(const struct command_context *context, const struct actor *actor, int64_t ca_id, struct fault *fault)
{
	return run_turn(context, actor, ca_id, &hold, fault);
}

enum fault_code
ca_release(const struct command_context *context, const struct actor *actor, int64_t ca_id, struct fault *fault)
{
	return run_turn(context, actor, ca_id, &release, fault);
}

enum fault_code
ca_suspend(const struct command_context *context, const struct actor *actor, int64_t ca_id, struct fault *fault)
{
	return run_turn(context, actor, ca_id, &suspend, fault);
}

enum fault_code
ca_resume(const struct command_context *context, const struct actor *actor, int64_t ca_id, struct fault *fault)
{
	return run_turn(context, actor, ca_id, &resume, fault);
}
