#include "api/handlers/ca_json.h"
#include "api/handlers/handler.h"
#include "api/server/json_body.h"
#include "ca/commands/roll_commands.h"

enum fault_code
roll_post_handle(struct exchange *exchange, struct fault *fault)
{
	json_t *staging = NULL;
	const struct json_body_field fields[] = { { "staging_s", JSON_BODY_NUMBER | JSON_BODY_NULL, false, &staging } };
	TRY(json_body_parse(bytes_span(&exchange->request->body), &exchange->document, fault));
	TRY(json_body_read(exchange->document, JSON_BODY_TOP, fields, 1, &exchange->complaints, fault));
	TRY(json_body_check(&exchange->complaints, fault));
	int64_t staging_s = staging != NULL ? json_integer_value(staging) : ROLL_STAGING_DEFAULT;
	if (staging != NULL && staging_s < 0)
		return fault_set(fault, FAULT_INVALID, "staging_s can't be below 0");
	exchange->reached_command = true;
	TRY(roll_start(exchange->context->commands, &exchange->actor, exchange->ca_id, staging_s, fault));
	return ca_json_reply(exchange, exchange->ca_id, fault);
}
