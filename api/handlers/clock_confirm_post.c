#include "api/handlers/handler.h"
#include "ca/commands/clock_commands.h"

enum fault_code
clock_confirm_post_handle(struct exchange *exchange, struct fault *fault)
{
	exchange->reached_command = true;
	TRY(clock_command_confirm(exchange->context->commands, &exchange->actor, exchange->context->confirmable_clock, fault));
	exchange->reply->status = 204;
	return FAULT_NONE;
}
