#include "api/handlers/ca_json.h"
#include "api/handlers/handler.h"
#include "api/handlers/resources_json.h"
#include "api/server/json_body.h"
#include "ca/commands/ca_commands.h"

static enum fault_code
read_body(struct exchange *exchange, json_t **ret_handle, struct resource_set *ret_resources, struct fault *fault)
{
	json_t *handle, *resources;
	const struct json_body_field fields[] = {
		{ "handle", JSON_BODY_TEXT, true, &handle },
		{ "resources", JSON_BODY_OBJECT, true, &resources },
	};
	struct fault reason = FAULT_INIT;
	TRY(json_body_parse(bytes_span(&exchange->request->body), &exchange->document, fault));
	TRY(json_body_read(exchange->document, JSON_BODY_TOP, fields, 2, &exchange->complaints, fault));
	if (handle != NULL && command_check_handle(json_string_value(handle), &reason) != FAULT_NONE)
		TRY(complaints_add(&exchange->complaints, fault, "", 0, "handle", "%.190s", reason.message));
	if (resources != NULL)
		TRY(resources_json_read(resources, ret_resources, &exchange->complaints, fault));
	*ret_handle = handle;
	return json_body_check(&exchange->complaints, fault);
}

enum fault_code
cas_post_handle(struct exchange *exchange, struct fault *fault)
{
	AUTO_CLEAR(struct resource_set, resource_set_clear) resources = RESOURCE_SET_INIT;
	json_t *handle;
	int64_t ca_id;
	TRY(read_body(exchange, &handle, &resources, fault));
	exchange->reached_command = true;
	TRY(ca_create(exchange->context->commands, &exchange->actor, json_string_value(handle), &resources, &exchange->complaints,
		&ca_id, fault));
	TRY(ca_json_reply(exchange, ca_id, fault));
	reply_header(exchange->reply, "Location", "/api/v1/cas/%s", json_string_value(handle));
	exchange->reply->status = 201;
	return FAULT_NONE;
}
