#include "api/handlers/ca_json.h"
#include "api/handlers/handler.h"

enum fault_code
ca_get_handle(struct exchange *exchange, struct fault *fault)
{
	return ca_json_reply(exchange, exchange->ca_id, fault);
}
