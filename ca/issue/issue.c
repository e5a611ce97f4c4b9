#include "ca/issue/issue.h"

#include <string.h>

#include "ca/issue/identity.h"
#include "ca/issue/issue_certificate.h"
#include "ca/issue/issue_manifest.h"
#include "ca/issue/issue_roa.h"

/* The instance's key, or the one that is made for it now (its bytes then belong to the set). A plan makes one key at most. */
static enum fault_code
key_of(const struct issue_context *context, const struct instance_plan *own, struct object_set *set, struct key_state *ret_key,
	struct fault *fault)
{
	*ret_key = own->instance->key;
	if (!own->make_key)
		return FAULT_NONE;
	INVARIANT(!set->made_key);
	TRY(signer_generate(context->signer, &set->key_handle, &set->key_spki, fault));
	TRY(certificate_key_identifier(bytes_span(&set->key_spki), set->key_identifier, fault));
	set->made_key = true;
	*ret_key = (struct key_state){ .handle = set->key_handle, .spki = set->key_spki };
	memcpy(ret_key->identifier, set->key_identifier, sizeof ret_key->identifier);
	return FAULT_NONE;
}

static enum fault_code
issue_instance(const struct issue_context *context, const struct ca_state *state, const struct ca_plan *plan,
	const struct instance_plan *own, struct object_set *set, struct fault *fault)
{
	struct key_state key;
	struct identity ca, issuer;
	if (own->instance == NULL || !(own->issue_certificate || own->issue_manifest))
		return FAULT_NONE;
	TRY(key_of(context, own, set, &key, fault));
	identity_of_ca(state, own->instance, &key, &ca);
	identity_of_issuer(state, own->instance, &key, &issuer);
	if (own->issue_certificate) {
		TRY(issue_certificate(context, state, plan, own, &ca, &issuer, set, fault));
		ca.not_after_at = own->certificate_not_after_at;
	}
	for (size_t i = 0; own == &plan->active && i < plan->layout.roas_count; i++)
		TRY(issue_roa(context, state, plan, &ca, &plan->layout.roas[i], set, fault));
	return own->issue_manifest ? issue_manifest(context, state, plan, own, &ca, set, fault) : FAULT_NONE;
}

enum fault_code
issue_plan(const struct issue_context *context, const struct ca_state *state, const struct ca_plan *plan, struct object_set **ret_objects,
	struct fault *fault)
{
	AUTO(struct object_set, object_set_free) set = NULL;
	TRY(object_set_new(&set, fault));
	TRY(issue_instance(context, state, plan, &plan->active, set, fault));
	TRY(issue_instance(context, state, plan, &plan->passive, set, fault));
	*ret_objects = MOVE(set);
	return FAULT_NONE;
}
