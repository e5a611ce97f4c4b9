#include "api/handlers/ca_json.h"
#include "api/handlers/handler.h"
#include "api/handlers/resources_json.h"
#include "api/server/json_body.h"
#include "ca/commands/ca_commands.h"

/* Either the whole set, or what comes and goes. */
struct patch {
	bool whole;
	struct resource_set resources, add, remove;
};

static void
patch_clear(struct patch *patch)
{
	resource_set_clear(&patch->resources);
	resource_set_clear(&patch->add);
	resource_set_clear(&patch->remove);
}

static enum fault_code
complain(struct exchange *exchange, const char *field, const char *words, struct fault *fault)
{
	return complaints_add(&exchange->complaints, fault, "", 0, field, "%s", words);
}

static enum fault_code
read_body(struct exchange *exchange, struct patch *patch, struct fault *fault)
{
	json_t *resources, *add, *remove;
	const struct json_body_field fields[] = {
		{ "resources", JSON_BODY_OBJECT, false, &resources },
		{ "add", JSON_BODY_OBJECT, false, &add },
		{ "remove", JSON_BODY_OBJECT, false, &remove },
	};
	TRY(json_body_parse(bytes_span(&exchange->request->body), &exchange->document, fault));
	TRY(json_body_read(exchange->document, JSON_BODY_TOP, fields, 3, &exchange->complaints, fault));
	TRY(json_body_check(&exchange->complaints, fault));
	if (resources == NULL && add == NULL && remove == NULL)
		TRY(complain(exchange, "resources", "is missing: the whole set, or in its place add and remove", fault));
	if (resources != NULL && (add != NULL || remove != NULL))
		TRY(complain(exchange, "resources", "is the whole set: add and remove don't go with it", fault));
	if (resources != NULL)
		TRY(resources_json_read(resources, &patch->resources, &exchange->complaints, fault));
	if (add != NULL)
		TRY(resources_json_read_lists(add, &resource_lists_add, &patch->add, &exchange->complaints, fault));
	if (remove != NULL)
		TRY(resources_json_read_lists(remove, &resource_lists_remove, &patch->remove, &exchange->complaints, fault));
	patch->whole = resources != NULL;
	return json_body_check(&exchange->complaints, fault);
}

enum fault_code
ca_patch_handle(struct exchange *exchange, struct fault *fault)
{
	AUTO_CLEAR(struct patch, patch_clear) patch = { .whole = false };
	const struct command_context *commands = exchange->context->commands;
	TRY(read_body(exchange, &patch, fault));
	exchange->reached_command = true;
	if (patch.whole)
		TRY(ca_set_resources(commands, &exchange->actor, exchange->ca_id, &patch.resources, &exchange->complaints, fault));
	else
		TRY(ca_change_resources(commands, &exchange->actor, exchange->ca_id, &patch.add, &patch.remove, &exchange->complaints,
			fault));
	return ca_json_reply(exchange, exchange->ca_id, fault);
}
