#include "api/handlers/ca_json.h"
#include "api/handlers/handler.h"
#include "api/handlers/resources_json.h"
#include "api/server/json_body.h"
#include "ca/commands/ca_commands.h"

static enum fault_code
read_body(struct exchange *exchange, struct resource_set *ret_resources, struct fault *fault)
{
	json_t *resources;
	const struct json_body_field fields[] = { { "resources", JSON_BODY_OBJECT, true, &resources } };
	TRY(json_body_parse(bytes_span(&exchange->request->body), &exchange->document, fault));
	TRY(json_body_read(exchange->document, JSON_BODY_TOP, fields, 1, &exchange->complaints, fault));
	if (resources != NULL)
		TRY(resources_json_read(resources, ret_resources, &exchange->complaints, fault));
	return json_body_check(&exchange->complaints, fault);
}

enum fault_code
ca_patch_handle(struct exchange *exchange, struct fault *fault)
{
	AUTO_CLEAR(struct resource_set, resource_set_clear) resources = RESOURCE_SET_INIT;
	TRY(read_body(exchange, &resources, fault));
	exchange->reached_command = true;
	TRY(ca_set_resources(exchange->context->commands, &exchange->actor, exchange->ca_id, &resources, &exchange->complaints,
		fault));
	return ca_json_reply(exchange, exchange->ca_id, fault);
}
