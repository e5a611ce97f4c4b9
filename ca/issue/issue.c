#include "ca/issue/issue.h"

#include <string.h>

#include "ca/issue/identity.h"
#include "ca/issue/issue_certificate.h"
#include "ca/issue/issue_manifest.h"
#include "ca/issue/issue_roa.h"

/* The state's key, or the one that is made for it now (its bytes then belong to the set). */
static enum fault_code
key_of(const struct issue_context *context, const struct ca_state *state, const struct ca_plan *plan, struct object_set *set,
	struct key_state *ret_key, struct fault *fault)
{
	*ret_key = state->key;
	if (!plan->make_key)
		return FAULT_NONE;
	TRY(signer_generate(context->signer, &set->key_handle, &set->key_spki, fault));
	TRY(certificate_key_identifier(bytes_span(&set->key_spki), set->key_identifier, fault));
	set->made_key = true;
	*ret_key = (struct key_state){ .handle = set->key_handle, .spki = set->key_spki };
	memcpy(ret_key->identifier, set->key_identifier, sizeof ret_key->identifier);
	return FAULT_NONE;
}

enum fault_code
issue_plan(const struct issue_context *context, const struct ca_state *state, const struct ca_plan *plan, struct object_set **ret_objects,
	struct fault *fault)
{
	AUTO(struct object_set, object_set_free) set = NULL;
	struct key_state key;
	struct identity ca, issuer;

	TRY(object_set_new(&set, fault));
	TRY(key_of(context, state, plan, set, &key, fault));
	identity_of_ca(state, &key, &ca);
	identity_of_issuer(state, &key, &issuer);
	if (plan->issue_certificate) {
		TRY(issue_certificate(context, state, plan, &ca, &issuer, set, fault));
		ca.not_after_at = plan->certificate_not_after_at;
	}
	for (size_t i = 0; i < plan->layout.roas_count; i++)
		TRY(issue_roa(context, state, plan, &ca, &plan->layout.roas[i], set, fault));
	if (plan->issue_manifest)
		TRY(issue_manifest(context, state, plan, &ca, set, fault));
	*ret_objects = MOVE(set);
	return FAULT_NONE;
}
