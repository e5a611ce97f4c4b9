#include "api/handlers/handler.h"
#include "api/server/json_body.h"
#include "ca/commands/publication_commands.h"

enum fault_code
publication_accept_post_handle(struct exchange *exchange, struct fault *fault)
{
	json_t *code = NULL;
	const struct json_body_field fields[] = { { "code", JSON_BODY_TEXT, true, &code } };
	TRY(json_body_parse(bytes_span(&exchange->request->body), &exchange->document, fault));
	TRY(json_body_read(exchange->document, JSON_BODY_TOP, fields, 1, &exchange->complaints, fault));
	TRY(json_body_check(&exchange->complaints, fault));
	exchange->reached_command = true;
	TRY(publication_accept(exchange->context->commands, &exchange->actor, json_string_value(code), fault));
	exchange->reply->status = 204;
	return FAULT_NONE;
}
