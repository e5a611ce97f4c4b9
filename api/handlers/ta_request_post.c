#include "api/handlers/handler.h"
#include "api/server/json_writer.h"

/* A request for the machine that holds the trust anchor's key. The file is text: it goes into the answer as it is. */
enum fault_code
ta_request_post_handle(struct exchange *exchange, struct fault *fault)
{
	const struct handler_context *context = exchange->context;
	struct ceremonies_request request = { .file = BYTES_INIT };
	struct json_writer writer;
	int64_t after;
	TRY(request_parameter_number(exchange->request, "after", 0, INT64_C(100000000000), 0, &after, fault));
	if (context->ta_request == NULL)
		return fault_set(fault, FAULT_BUSY, "nothing is there that could make a request");
	TRY(context->ta_request(context->engine, &exchange->actor, after, &request, fault));
	json_writer_begin(&writer, &exchange->reply->body);
	json_writer_object(&writer, NULL);
	json_writer_number(&writer, "number", request.number);
	json_writer_text(&writer, "request_key", request.fingerprint);
	json_writer_text(&writer, "request", bytes_text(&request.file));
	json_writer_end(&writer);
	bytes_clear(&request.file);
	exchange->reply->status = 201;
	return json_writer_check(&writer, fault);
}
