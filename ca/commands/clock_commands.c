#include "ca/commands/clock_commands.h"

#include <stdio.h>

#include "ca/base/instant.h"

struct confirmation {
	const struct actor *actor;
	int64_t now_at;
	char detail[200];
};

static enum fault_code
confirm(struct db_connection *connection, void *argument, struct fault *fault)
{
	struct confirmation *confirmation = argument;
	struct audit_event event = { .action = "clock.confirm", .outcome = "done", .detail = confirmation->detail };
	return audit_write(connection, confirmation->now_at, confirmation->actor, &event, fault);
}

enum fault_code
clock_command_confirm(const struct command_context *context, const struct actor *actor, struct clock *clock, struct fault *fault)
{
	struct confirmation confirmation = { .actor = actor, .now_at = clock_now(context->clock) };
	struct audit_event event = { .action = "clock.confirm" };
	struct fault away = FAULT_INIT;
	char now[INSTANT_TEXT];
	instant_rfc3339(confirmation.now_at, now);
	(void)snprintf(confirmation.detail, sizeof confirmation.detail, "%s is right: %.120s", now,
		clock_check(clock, &away) != FAULT_NONE ? away.message : "it had not moved");
	TRY(command_run(context, actor, &event, confirm, &confirmation, fault));
	clock_confirm(clock);
	if (context->wake != NULL)
		context->wake(context->scheduler);
	return FAULT_NONE;
}
