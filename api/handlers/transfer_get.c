#include "api/handlers/handler.h"
#include "api/handlers/transfer_json.h"

enum fault_code
transfer_get_handle(struct exchange *exchange, struct fault *fault)
{
	int64_t transfer_id;
	TRY(transfer_json_id(exchange, &transfer_id, fault));
	return transfer_json_reply(exchange, transfer_id, fault);
}
