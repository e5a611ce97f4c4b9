#include "api/handlers/handler.h"
#include "ca/commands/token_commands.h"

enum fault_code
token_delete_handle(struct exchange *exchange, struct fault *fault)
{
	exchange->reached_command = true;
	TRY(token_revoke(exchange->context->commands, &exchange->actor, exchange->ca_id, exchange->arguments[0], fault));
	exchange->reply->status = 204;
	return FAULT_NONE;
}
