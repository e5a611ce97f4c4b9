#include "ca/issue/issue_roa.h"

#include "ca/der/roa.h"
#include "ca/issue/issue_signed.h"

/* RFC 9582 §5: the EE's IP resources hold every prefix of the ROA; its AS resources are absent. */
static enum fault_code
ee_resources(const struct payload *payloads, size_t count, struct resource_set *ret_resources, struct fault *fault)
{
	for (size_t i = 0; i < count; i++)
		TRY(resource_set_add_prefix(ret_resources, &payloads[i].prefix, fault));
	return resource_set_normalise(ret_resources, fault);
}

enum fault_code
issue_roa(const struct issue_context *context, const struct ca_state *state, const struct ca_plan *plan, const struct identity *ca,
	const struct planned_roa *roa, struct object_set *set, struct fault *fault)
{
	AUTO_CLEAR(struct bytes, bytes_clear) content = BYTES_INIT;
	AUTO_CLEAR(struct resource_set, resource_set_clear) resources = RESOURCE_SET_INIT;
	const struct payload *payloads = plan->layout.payloads + roa->first_payload;
	struct new_object *object;

	TRY(roa_encode(payloads, roa->payloads_count, &content, fault));
	TRY(lint_roa_content(bytes_span(&content), payloads, roa->payloads_count, &state->resources, fault));
	TRY(ee_resources(payloads, roa->payloads_count, &resources, fault));
	TRY(object_set_add(set, OBJECT_ROA, &object, fault));
	object->asn = roa->asn;
	object->slot = roa->slot;
	object->first_payload = roa->first_payload;
	object->payloads_count = roa->payloads_count;
	object->replaces_id = roa->replaces != NULL ? roa->replaces->object_id : 0;
	struct signed_request request = {
		.type = CONTENT_ROA,
		.content = bytes_span(&content),
		.resources = &resources,
		.now_at = plan->now_at,
		.not_before_at = plan->now_at - TIMING_BACKDATE_S,
		.not_after_at = plan_roa_end(plan, context->settings, roa),
	};
	return issue_signed(context, ca, &request, object, fault);
}
