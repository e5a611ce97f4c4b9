#include "ca/issue/issue_certificate.h"

#include <stdio.h>
#include <string.h>

#include "ca/base/randomness.h"

enum fault_code
issue_certificate_serial(struct serial_number *ret_serial, struct fault *fault)
{
	*ret_serial = (struct serial_number){ .length = SERIAL_SIZE };
	do {
		TRY(randomness_fill(ret_serial->octets, SERIAL_SIZE, fault));
		ret_serial->octets[0] &= 0x7f;
	} while (ret_serial->octets[0] == 0);
	return FAULT_NONE;
}

enum fault_code
issue_certificate_sign(const struct issue_context *context, const struct identity *issuer, struct span tbs, struct bytes *ret_der,
	struct fault *fault)
{
	uint8_t signature[RSA_SIGNATURE_SIZE];
	TRY(signer_sign(context->signer, issuer->key_handle, tbs, signature, fault));
	return certificate_assemble(tbs, signature, ret_der, fault);
}

/* That the key above can't be used is no fault of the CA below. */
static enum fault_code
blame_issuer(enum fault_code code, bool ta, struct fault *fault)
{
	if (ta || (code != FAULT_KEY && code != FAULT_CRYPTO))
		return code;
	(void)fault_prefix(fault, "the CA above can't sign its certificate: ");
	if (fault != NULL)
		fault->code = FAULT_ISSUER;
	return FAULT_ISSUER;
}

static struct certificate_fields
fields_of(const struct ca_state *state, const struct instance_plan *own, const struct identity *subject, const struct identity *issuer)
{
	bool ta = state->kind == CA_TA;
	struct certificate_fields fields = {
		.kind = ta ? CERTIFICATE_TA : CERTIFICATE_CA,
		.issuer = issuer->name,
		.subject = subject->name,
		.not_before_at = own->certificate_not_before_at,
		.not_after_at = own->certificate_not_after_at,
		.spki = subject->spki,
		.crl_uri = ta ? NULL : issuer->crl_uri,
		.issuer_uri = ta ? NULL : issuer->certificate_uri,
		.repository_uri = subject->repository_uri,
		.manifest_uri = subject->manifest_uri,
		.notification_uri = state->notification_uri,
		.resources = state->inherits ? NULL : &state->resources,
		.inherit_asns = state->inherits && issuer->resources->asns_count > 0,
		.inherit_ipv4 = state->inherits && issuer->resources->ipv4.count > 0,
		.inherit_ipv6 = state->inherits && issuer->resources->ipv6.count > 0,
	};
	memcpy(fields.authority_key, issuer->key_identifier, sizeof fields.authority_key);
	return fields;
}

static struct lint_certificate_wanted
wanted_of(const struct ca_state *state, const struct ca_plan *plan, const struct instance_plan *own,
	const struct certificate_fields *fields)
{
	const struct ca_instance *instance = own->instance;
	return (struct lint_certificate_wanted){
		.ta = state->kind == CA_TA, .ca = true,
		.spki = fields->spki,
		.now_at = plan->now_at,
		.resources = fields->resources,
		.repository_uri = fields->repository_uri,
		.manifest_uri = fields->manifest_uri,
		.notification_uri = fields->notification_uri,
		.renewal = instance->certified && !timing_never_was(instance->certificate.not_before_at, plan->now_at),
		.previous_not_before_at = instance->certificate.not_before_at,
	};
}

enum fault_code
issue_certificate(const struct issue_context *context, const struct ca_state *state, const struct ca_plan *plan,
	const struct instance_plan *own, const struct identity *subject, const struct identity *issuer, struct object_set *set,
	struct fault *fault)
{
	bool ta = state->kind == CA_TA;
	struct new_object *object;
	TRY(object_set_add(set, ta ? OBJECT_TA : OBJECT_CER, &object, fault));
	struct certificate_fields fields = fields_of(state, own, subject, issuer);
	TRY(issue_certificate_serial(&fields.serial, fault));
	struct lint_certificate_wanted wanted = wanted_of(state, plan, own, &fields);
	struct lint_issuer lint_issuer = identity_for_lint(issuer, ta);

	AUTO_CLEAR(struct bytes, bytes_clear) tbs = BYTES_INIT;
	TRY(certificate_encode_tbs(&fields, &tbs, fault));
	TRY(lint_certificate_tbs(bytes_span(&tbs), &lint_issuer, &wanted, fault));
	TRY(blame_issuer(issue_certificate_sign(context, issuer, bytes_span(&tbs), &object->der, fault), ta, fault));
	TRY(lint_signed_certificate(bytes_span(&object->der), bytes_span(&tbs), &lint_issuer, fault));
	TRY(digest_sha256(bytes_span(&object->der), object->hash, fault));

	(void)snprintf(object->name, sizeof object->name, ta ? "ta.cer" : "%s.cer", subject->key_name);
	object->serial = fields.serial;
	object->not_before_at = object->modified_at = fields.not_before_at;
	object->not_after_at = fields.not_after_at;
	object->replaces_id = own->instance->certified ? own->instance->certificate.object_id : 0;
	object->passive = own == &plan->passive;
	return FAULT_NONE;
}
