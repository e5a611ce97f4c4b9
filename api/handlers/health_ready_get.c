#include "api/handlers/handler.h"
#include "api/server/json_writer.h"

/* Ready: with what the engine tells of itself. Not ready: 503, with the same in the problem. */
enum fault_code
health_ready_get_handle(struct exchange *exchange, struct fault *fault)
{
	const struct handler_context *context = exchange->context;
	struct json_writer writer;
	bool ready = context->ready == NULL || context->ready(context->engine, &exchange->health);
	if (!ready && exchange->health.length == 0)
		TRY(bytes_append_text(&exchange->health, "{}", fault));
	if (!ready)
		return fault_set(fault, FAULT_BUSY, "the server is not ready; health says why");
	json_writer_begin(&writer, &exchange->reply->body);
	json_writer_object(&writer, NULL);
	json_writer_truth(&writer, "ready", true);
	if (exchange->health.length > 0)
		json_writer_json(&writer, "health", bytes_text(&exchange->health));
	json_writer_end(&writer);
	return json_writer_check(&writer, fault);
}
