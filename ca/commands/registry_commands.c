#include "ca/commands/registry_commands.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "ca/base/memory.h"
#include "ca/commands/registry_change.h"
#include "db/stores/import_store.h"
#include "db/stores/registry_store.h"

/* Of a whole registry in memory one at a time is enough. */
static atomic_flag planning = ATOMIC_FLAG_INIT;

static enum fault_code
make(const struct command_context *context, const char *path, const struct registry_limits *limits, struct registry_plan **ret_plan,
	struct fault *fault)
{
	AUTO(struct db_connection, db_reader_release) connection = NULL;
	if (atomic_flag_test_and_set(&planning))
		return fault_set(fault, FAULT_BUSY, "another registry file is being read");
	enum fault_code code = db_reader_acquire(context->db, &connection, fault);
	if (code == FAULT_NONE)
		code = registry_plan_make(connection, path, limits, ret_plan, fault);
	atomic_flag_clear(&planning);
	return code;
}

static enum fault_code
make_or_audit(const struct command_context *context, const struct actor *actor, const char *action, const char *path,
	const struct registry_limits *limits, struct registry_plan **ret_plan, struct fault *fault)
{
	enum fault_code code = make(context, path, limits, ret_plan, fault);
	if (code != FAULT_NONE)
		command_audit_refusal(context, actor, (struct audit_event){ .action = action }, fault);
	return code;
}

enum fault_code
registry_plan(const struct command_context *context, const struct actor *actor, const char *path, const struct registry_limits *limits,
	struct registry_plan **ret_plan, struct fault *fault)
{
	struct fault own = FAULT_INIT;
	return make_or_audit(context, actor, "registry.plan", path, limits, ret_plan, fault == NULL ? &own : fault);
}

struct applying {
	const struct actor *actor;
	const struct command_placing *placing;
	int64_t now_at;
	const struct registry_plan *plan;
	const char *accept;
	int64_t feed_id;
};

static enum fault_code
check_accepted(const struct applying *applying, struct fault *fault)
{
	const struct registry_plan *plan = applying->plan;
	if (applying->accept != NULL && strcmp(applying->accept, plan->code) != 0)
		return fault_set(fault, FAULT_CONFLICT, "the code that was accepted, %.40s, is not that of this change, %s: the file or the "
			"state of the registry is another one; look at the plan again", applying->accept, plan->code);
	if (applying->accept == NULL && plan->over_limits.length > 0)
		return fault_set(fault, FAULT_CONFLICT, "this is beyond the limits: %.300s. Nothing was done. --accept %s does exactly this "
			"change", bytes_text(&plan->over_limits), plan->code);
	return FAULT_NONE;
}

static enum fault_code
check_no_import(struct db_connection *connection, struct fault *fault)
{
	char open_id[IMPORT_STORE_ID_SIZE];
	TRY(import_store_open(connection, open_id, fault));
	if (open_id[0] != '\0')
		return fault_set(fault, FAULT_CONFLICT, "import %s is still being applied", open_id);
	return FAULT_NONE;
}

static enum fault_code
record(struct db_connection *connection, struct applying *applying, struct fault *fault)
{
	const struct registry_plan *plan = applying->plan;
	const struct registry_counts *counts = &plan->counts;
	struct registry_feed_record row = {
		.applied_at = applying->now_at,
		.actor = applying->actor->name,
		.registry = plan->feed.registry[0] != '\0' ? plan->feed.registry : NULL,
		.holders = counts->holders,
		.members_new = counts->changes[REGISTRY_NEW],
		.members_changed = (int64_t)plan->parties_count - counts->changes[REGISTRY_SAME] - counts->changes[REGISTRY_NEW],
		.members_gone = counts->changes[REGISTRY_GONE],
		.roas_lost = counts->roas_lost,
		.code = plan->code,
		.accepted = plan->over_limits.length > 0,
	};
	return registry_store_insert(connection, &row, &applying->feed_id, fault);
}

static enum fault_code
audit(struct db_connection *connection, const struct applying *applying, struct fault *fault)
{
	const struct registry_counts *counts = &applying->plan->counts;
	const int64_t *changes = counts->changes;
	char detail[400];
	(void)snprintf(detail, sizeof detail, "feed %" PRId64 "%s%s, %" PRId64 " holders: members %" PRId64 " new, %" PRId64 " gone, %"
		PRId64 " grown, %" PRId64 " shrunk, %" PRId64 " exchanged, %" PRId64 " called otherwise; %" PRId64 " ranges moved; ROAs %"
		PRId64 " lost, %" PRId64 " back%s%s", applying->feed_id, applying->plan->feed.registry[0] != '\0' ? " of " : "",
		applying->plan->feed.registry, counts->holders, changes[REGISTRY_NEW], changes[REGISTRY_GONE], changes[REGISTRY_GROWN],
		changes[REGISTRY_SHRUNK], changes[REGISTRY_EXCHANGED], counts->aliases, counts->moves, counts->roas_lost, counts->roas_back,
		applying->plan->over_limits.length > 0 ? "; beyond the limits, accepted as " : "",
		applying->plan->over_limits.length > 0 ? applying->plan->code : "");
	struct audit_event event = { .action = "registry.apply", .outcome = "done", .detail = detail };
	return audit_write(connection, applying->now_at, applying->actor, &event, fault);
}

static enum fault_code
apply(struct db_connection *connection, void *argument, struct fault *fault)
{
	struct applying *applying = argument;
	TRY(check_no_import(connection, fault));
	TRY(registry_change_write(connection, applying->actor, applying->plan, applying->placing, applying->now_at, fault));
	TRY(record(connection, applying, fault));
	return audit(connection, applying, fault);
}

enum fault_code
registry_apply(const struct command_context *context, const struct actor *actor, const char *path, const struct registry_limits *limits,
	const char *accept, struct registry_plan **ret_plan, int64_t *ret_feed_id, struct fault *fault)
{
	AUTO(struct registry_plan, registry_plan_free) plan = NULL;
	struct audit_event event = { .action = "registry.apply" };
	struct fault own = FAULT_INIT;
	if (fault == NULL)
		fault = &own;
	TRY(make_or_audit(context, actor, event.action, path, limits, &plan, fault));
	struct applying applying = {
		.actor = actor, .placing = &context->placing, .now_at = clock_now(context->clock), .plan = plan, .accept = accept,
	};
	enum fault_code code = check_accepted(&applying, fault);
	if (code != FAULT_NONE) {
		command_audit_refusal(context, actor, event, fault);
		return code;
	}
	TRY(command_run_due(context, actor, &event, apply, &applying, fault));
	*ret_plan = MOVE(plan);
	*ret_feed_id = applying.feed_id;
	return FAULT_NONE;
}
