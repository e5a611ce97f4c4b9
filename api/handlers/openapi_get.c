#include "api/handlers/handler.h"
#include "generated/assets.h"

enum fault_code
openapi_get_handle(struct exchange *exchange, struct fault *fault)
{
	(void)fault;
	exchange->reply->constant = openapi_json;
	return FAULT_NONE;
}
