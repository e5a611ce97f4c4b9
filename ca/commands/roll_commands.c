#include "ca/commands/roll_commands.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "ca/base/instant.h"
#include "db/stores/ca_store.h"
#include "db/stores/key_store.h"

struct roll {
	const struct actor *actor;
	int64_t now_at, ca_id, staging_s;
	char handle[HANDLE_MAX + 1];
};

static enum fault_code
check_staging(int64_t staging_s, struct fault *fault)
{
	if (staging_s != ROLL_STAGING_DEFAULT && (staging_s < 0 || staging_s > ROLL_STAGING_MAX))
		return fault_set(fault, FAULT_INVALID, "a key is staged for 0 to %" PRId64 " seconds", ROLL_STAGING_MAX);
	return FAULT_NONE;
}

static enum fault_code
check_may_roll(struct db_connection *connection, const struct roll *roll, const struct ca_record *record, struct fault *fault)
{
	char roll_at_text[INSTANT_TEXT];
	int64_t roll_at;
	bool rolling;
	if (strcmp(record->kind, "ta") == 0)
		return fault_set(fault, FAULT_CONFLICT, "the trust anchor's key stands in everybody's TAL: it can't be rolled like another's");
	if (strcmp(record->state, "active") != 0)
		return fault_set(fault, FAULT_CONFLICT, "CA \"%s\" is being deleted", record->handle);
	TRY(key_store_rolling(connection, roll->ca_id, &roll_at, &rolling, fault));
	if (rolling)
		return fault_set(fault, FAULT_CONFLICT, "CA \"%s\" is rolling its key: wait until the old one is destroyed", record->handle);
	instant_rfc3339(roll_at, roll_at_text);
	/* One that is to roll later may well roll now. */
	return roll_at == 0 || roll_at > roll->now_at ? FAULT_NONE :
		fault_set(fault, FAULT_CONFLICT, "CA \"%s\" is about to roll its key, as asked for at %s", record->handle, roll_at_text);
}

static enum fault_code
start(struct db_connection *connection, void *argument, struct fault *fault)
{
	struct roll *roll = argument;
	AUTO(struct stmt, stmt_done) stmt = NULL;
	struct ca_record record;
	char detail[64] = "staged as the settings say";
	TRY(command_check_actor(roll->actor, roll->ca_id, fault));
	TRY(ca_store_get(connection, roll->ca_id, &stmt, &record, fault));
	(void)snprintf(roll->handle, sizeof roll->handle, "%s", record.handle);
	TRY(check_may_roll(connection, roll, &record, fault));
	TRY(key_store_roll(connection, roll->ca_id, roll->staging_s, roll->now_at, fault));
	if (roll->staging_s != ROLL_STAGING_DEFAULT)
		(void)snprintf(detail, sizeof detail, "staged for %" PRId64 " s", roll->staging_s);
	struct audit_event event = {
		.action = "ca.roll", .ca_id = roll->ca_id, .ca_handle = roll->handle, .outcome = "done", .detail = detail,
	};
	return audit_write(connection, roll->now_at, roll->actor, &event, fault);
}

static enum fault_code
refuse_staging(struct db_connection *connection, void *argument, struct fault *fault)
{
	(void)connection;
	return check_staging(((const struct roll *)argument)->staging_s, fault);
}

enum fault_code
roll_start(const struct command_context *context, const struct actor *actor, int64_t ca_id, int64_t staging_s, struct fault *fault)
{
	struct roll roll = { .actor = actor, .now_at = clock_now(context->clock), .ca_id = ca_id, .staging_s = staging_s };
	struct audit_event event = { .action = "ca.roll", .ca_id = ca_id, .ca_handle = roll.handle };
	bool staging = check_staging(staging_s, NULL) == FAULT_NONE;
	return command_run_due(context, actor, &event, staging ? start : refuse_staging, &roll, fault);
}

struct all {
	const struct actor *actor;
	const struct roll_campaign *campaign;
	int64_t now_at, count;
};

static enum fault_code
start_all(struct db_connection *connection, void *argument, struct fault *fault)
{
	struct all *all = argument;
	const struct roll_campaign *campaign = all->campaign;
	char detail[160];
	TRY(check_staging(campaign->staging_s, fault));
	if (campaign->older_than_s < 0)
		return fault_set(fault, FAULT_INVALID, "the age of keys to be rolled can't be below 0 seconds");
	if (campaign->per_hour < 1 || campaign->per_hour > ROLL_PER_HOUR_MAX)
		return fault_set(fault, FAULT_INVALID, "1 to %d CAs an hour can roll their keys", ROLL_PER_HOUR_MAX);
	TRY(key_store_roll_all(connection, all->now_at - campaign->older_than_s, campaign->per_hour, campaign->staging_s, all->now_at,
		&all->count, fault));
	(void)snprintf(detail, sizeof detail, "%" PRId64 " CAs whose key is %" PRId64 " s old or older, %" PRId64 " an hour", all->count,
		campaign->older_than_s, campaign->per_hour);
	struct audit_event event = { .action = "ca.roll_all", .outcome = "done", .detail = detail };
	return audit_write(connection, all->now_at, all->actor, &event, fault);
}

enum fault_code
roll_start_all(const struct command_context *context, const struct actor *actor, const struct roll_campaign *campaign,
	int64_t *ret_count, int64_t *ret_last_at, struct fault *fault)
{
	struct all all = { .actor = actor, .campaign = campaign, .now_at = clock_now(context->clock) };
	struct audit_event event = { .action = "ca.roll_all" };
	TRY(command_run_due(context, actor, &event, start_all, &all, fault));
	*ret_count = all.count;
	*ret_last_at = all.now_at + (all.count > 0 ? (all.count - 1) * 3600 / campaign->per_hour : 0);
	return FAULT_NONE;
}
