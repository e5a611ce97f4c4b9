#include "api/handlers/handler.h"
#include "api/server/json_body.h"
#include "api/server/json_writer.h"

/* What came back from a ceremony: checked, staged, and published with the next cut. */
enum fault_code
ta_response_post_handle(struct exchange *exchange, struct fault *fault)
{
	const struct handler_context *context = exchange->context;
	struct ceremonies_installed installed;
	struct json_writer writer;
	json_t *response = NULL;
	const struct json_body_field fields[] = { { "response", JSON_BODY_TEXT, true, &response } };
	TRY(json_body_parse(bytes_span(&exchange->request->body), &exchange->document, fault));
	TRY(json_body_read(exchange->document, JSON_BODY_TOP, fields, 1, &exchange->complaints, fault));
	TRY(json_body_check(&exchange->complaints, fault));
	if (context->ta_install == NULL)
		return fault_set(fault, FAULT_BUSY, "nothing is there that could take a response");
	TRY(context->ta_install(context->engine, &exchange->actor,
		SPAN(json_string_value(response), json_string_length(response)), &installed, fault));
	json_writer_begin(&writer, &exchange->reply->body);
	json_writer_object(&writer, NULL);
	json_writer_number(&writer, "number", installed.number);
	json_writer_instant(&writer, "next_due_at", installed.due_at);
	json_writer_instant(&writer, "ends_at", installed.ends_at);
	json_writer_end(&writer);
	return json_writer_check(&writer, fault);
}
