#include "api/handlers/handler.h"
#include "api/server/json_body.h"
#include "api/server/json_writer.h"
#include "ca/commands/roll_commands.h"

static enum fault_code
read_campaign(struct exchange *exchange, struct roll_campaign *ret_campaign, struct fault *fault)
{
	json_t *older_than = NULL, *per_hour = NULL, *staging = NULL;
	const struct json_body_field fields[] = {
		{ "older_than_s", JSON_BODY_NUMBER, true, &older_than },
		{ "per_hour", JSON_BODY_NUMBER, true, &per_hour },
		{ "staging_s", JSON_BODY_NUMBER | JSON_BODY_NULL, false, &staging },
	};
	TRY(json_body_parse(bytes_span(&exchange->request->body), &exchange->document, fault));
	TRY(json_body_read(exchange->document, JSON_BODY_TOP, fields, 3, &exchange->complaints, fault));
	TRY(json_body_check(&exchange->complaints, fault));
	*ret_campaign = (struct roll_campaign){
		.older_than_s = json_integer_value(older_than),
		.per_hour = json_integer_value(per_hour),
		.staging_s = staging != NULL ? json_integer_value(staging) : ROLL_STAGING_DEFAULT,
	};
	return staging == NULL || ret_campaign->staging_s >= 0 ? FAULT_NONE :
		fault_set(fault, FAULT_INVALID, "staging_s can't be below 0");
}

enum fault_code
rolls_post_handle(struct exchange *exchange, struct fault *fault)
{
	struct roll_campaign campaign;
	struct json_writer writer;
	int64_t count, last_at;
	TRY(read_campaign(exchange, &campaign, fault));
	exchange->reached_command = true;
	TRY(roll_start_all(exchange->context->commands, &exchange->actor, &campaign, &count, &last_at, fault));
	json_writer_begin(&writer, &exchange->reply->body);
	json_writer_object(&writer, NULL);
	json_writer_number(&writer, "cas", count);
	json_writer_instant(&writer, "last_at", last_at);
	json_writer_end(&writer);
	return json_writer_check(&writer, fault);
}
