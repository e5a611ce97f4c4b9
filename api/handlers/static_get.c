#include "api/handlers/handler.h"
#include "api/server/static_files.h"

enum fault_code
static_get_handle(struct exchange *exchange, struct fault *fault)
{
	const struct handler_context *context = exchange->context;
	return static_files_serve(context->data_directory, exchange->request, context->config->notification_max_age_s,
		exchange->reply, fault);
}
