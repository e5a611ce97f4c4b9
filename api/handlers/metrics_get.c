#include "api/handlers/handler.h"
#include "ca/base/metrics.h"

enum fault_code
metrics_get_handle(struct exchange *exchange, struct fault *fault)
{
	AUTO_CLEAR(struct bytes, bytes_clear) text = BYTES_INIT;
	AUTO_CLEAR(struct bytes, bytes_clear) unused = BYTES_INIT;
	const struct handler_context *context = exchange->context;
	/* Brings the gauges up to date; what it tells in words is for /health/ready. */
	if (context->ready != NULL)
		(void)context->ready(context->engine, &unused);
	TRY(metrics_print(&text, fault));
	reply_header(exchange->reply, "Content-Type", "text/plain; version=0.0.4; charset=utf-8");
	return spool_write(&exchange->reply->body, text.data, text.length, fault);
}
