#include "api/handlers/handler.h"

/* The process answers: that is all that this says. */
enum fault_code
health_live_get_handle(struct exchange *exchange, struct fault *fault)
{
	(void)fault;
	exchange->reply->constant = "{\"live\":true}";
	return FAULT_NONE;
}
