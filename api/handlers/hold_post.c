#include "api/handlers/ca_json.h"
#include "api/handlers/handler.h"
#include "ca/commands/hold_commands.h"

enum fault_code
hold_post_handle(struct exchange *exchange, struct fault *fault)
{
	exchange->reached_command = true;
	TRY(ca_hold(exchange->context->commands, &exchange->actor, exchange->ca_id, fault));
	return ca_json_reply(exchange, exchange->ca_id, fault);
}
