#include "api/handlers/handler.h"
#include "api/handlers/transfer_json.h"

/* What straddles may have come since it was prepared: so that can be decided here again. */
static enum fault_code
read_straddling(struct exchange *exchange, enum transfer_straddling *straddling, bool *ret_given, struct fault *fault)
{
	const char *text = request_parameter(exchange->request, "straddling");
	*ret_given = text != NULL;
	if (text == NULL || transfer_straddling_parse(text, straddling))
		return FAULT_NONE;
	return fault_set(fault, FAULT_INVALID, "straddling must be refuse, keep or replace");
}

enum fault_code
transfer_complete_post_handle(struct exchange *exchange, struct fault *fault)
{
	struct transfer_effect *effect;
	enum transfer_straddling straddling;
	int64_t transfer_id;
	bool dry_run = false, given;
	TRY(transfer_json_id(exchange, &transfer_id, fault));
	TRY(request_parameter_truth(exchange->request, "dry_run", &dry_run, fault));
	TRY(read_straddling(exchange, &straddling, &given, fault));
	exchange->reached_command = true;
	TRY(transfer_json_effect(exchange, &effect, fault));
	TRY(transfer_complete(exchange->context->commands, &exchange->actor, transfer_id, given ? &straddling : NULL, dry_run,
		&exchange->complaints, effect, fault));
	return dry_run ? transfer_json_reply_effect(exchange, effect, fault) : transfer_json_reply(exchange, transfer_id, fault);
}
