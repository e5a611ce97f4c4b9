#include "api/handlers/handler.h"
#include "ca/commands/ca_commands.h"

enum fault_code
ca_delete_handle(struct exchange *exchange, struct fault *fault)
{
	exchange->reached_command = true;
	TRY(ca_delete(exchange->context->commands, &exchange->actor, exchange->ca_id, fault));
	exchange->reply->status = 204;
	return FAULT_NONE;
}
