#include <inttypes.h>

#include "api/handlers/handler.h"
#include "api/handlers/resources_json.h"
#include "api/handlers/roa_change_json.h"
#include "api/handlers/transfer_json.h"
#include "api/server/json_body.h"

/* A request as it is read: what its parts point to lives as long as this and the document. */
struct reading {
	struct transfer_request request;
	struct resource_set resources;
	struct roa_change_entries added;
};

static void
reading_clear(struct reading *reading)
{
	resource_set_clear(&reading->resources);
	roa_change_json_clear_entries(&reading->added);
}

static enum fault_code
complain(struct exchange *exchange, const char *field, const char *words, struct fault *fault)
{
	return complaints_add(&exchange->complaints, fault, "", 0, field, "%s", words);
}

/* What somebody has to decide about ROAs that are there; none are, where the resources come from elsewhere. */
static enum fault_code
read_choices(struct exchange *exchange, json_t *roas, json_t *straddling, struct transfer_request *request, struct fault *fault)
{
	bool inwards = request->from == NULL;
	if (roas != NULL && inwards)
		TRY(complain(exchange, "roas", "has no meaning for resources from another registry: name ROAs in added", fault));
	else if (roas != NULL && !transfer_roas_parse(json_string_value(roas), &request->roas))
		TRY(complain(exchange, "roas", "must be \"move\" or \"leave\"", fault));
	if (straddling != NULL && inwards)
		TRY(complain(exchange, "straddling", "has no meaning for resources from another registry", fault));
	else if (straddling != NULL && !transfer_straddling_parse(json_string_value(straddling), &request->straddling))
		TRY(complain(exchange, "straddling", "must be \"refuse\", \"keep\" or \"replace\"", fault));
	return FAULT_NONE;
}

static enum fault_code
read_body(struct exchange *exchange, struct reading *reading, struct fault *fault)
{
	json_t *from, *to, *resources, *roas, *straddling, *added;
	const struct json_body_field fields[] = {
		{ "from", JSON_BODY_TEXT | JSON_BODY_NULL, true, &from },
		{ "to", JSON_BODY_TEXT | JSON_BODY_NULL, true, &to },
		{ "resources", JSON_BODY_OBJECT, true, &resources },
		{ "roas", JSON_BODY_TEXT, false, &roas },
		{ "straddling", JSON_BODY_TEXT, false, &straddling },
		{ "added", JSON_BODY_ARRAY, false, &added },
	};
	TRY(json_body_parse(bytes_span(&exchange->request->body), &exchange->document, fault));
	TRY(json_body_read(exchange->document, JSON_BODY_TOP, fields, sizeof fields / sizeof *fields, &exchange->complaints, fault));
	reading->request.from = json_string_value(from);
	reading->request.to = json_string_value(to);
	TRY(read_choices(exchange, roas, straddling, &reading->request, fault));
	if (resources != NULL)
		TRY(resources_json_read(resources, &reading->resources, &exchange->complaints, fault));
	if (added != NULL)
		TRY(roa_change_json_read_added(added, "added", &reading->added, &exchange->complaints, fault));
	reading->request.resources = &reading->resources;
	reading->request.added = reading->added.items;
	reading->request.added_count = reading->added.count;
	return json_body_check(&exchange->complaints, fault);
}

enum fault_code
transfers_post_handle(struct exchange *exchange, struct fault *fault)
{
	AUTO_CLEAR(struct reading, reading_clear) reading = { .resources = RESOURCE_SET_INIT };
	struct transfer_effect *effect;
	int64_t transfer_id;
	TRY(request_parameter_truth(exchange->request, "dry_run", &reading.request.dry_run, fault));
	exchange->reached_command = reading.request.dry_run;
	TRY(read_body(exchange, &reading, fault));
	exchange->reached_command = true;
	TRY(transfer_json_effect(exchange, &effect, fault));
	TRY(transfer_create(exchange->context->commands, &exchange->actor, &reading.request, &exchange->complaints, effect,
		&transfer_id, fault));
	if (reading.request.dry_run)
		return transfer_json_reply_effect(exchange, effect, fault);
	TRY(transfer_json_reply(exchange, transfer_id, fault));
	reply_header(exchange->reply, "Location", "/api/v1/transfers/%" PRId64, transfer_id);
	exchange->reply->status = 201;
	return FAULT_NONE;
}
