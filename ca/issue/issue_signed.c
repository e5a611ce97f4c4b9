#include "ca/issue/issue_signed.h"

#include <stdio.h>
#include <string.h>

#include "ca/base/base64.h"
#include "ca/issue/issue_certificate.h"

static struct certificate_fields
ee_fields(const struct identity *issuer, const struct signed_request *request, const struct onetime_key *key, const char *subject,
	const char *uri)
{
	/*
	 * All families, also those of which the CA holds nothing: rpki-client refuses a manifest where one is absent
	 * (ca/lint/README.md).
	 */
	bool inherits = request->resources == NULL;
	struct certificate_fields fields = {
		.kind = CERTIFICATE_EE,
		.issuer = issuer->name,
		.subject = subject,
		.not_before_at = request->not_before_at,
		.not_after_at = request->not_after_at,
		.spki = onetime_key_spki(key),
		.crl_uri = issuer->crl_uri,
		.issuer_uri = issuer->certificate_uri,
		.object_uri = uri,
		.resources = request->resources,
		.inherit_asns = inherits,
		.inherit_ipv4 = inherits,
		.inherit_ipv6 = inherits,
	};
	memcpy(fields.authority_key, issuer->key_identifier, sizeof fields.authority_key);
	return fields;
}

/*
 * The EE certificate, and the part of it that was linted and signed. Its signature is verified where it stands in the object, with that
 * of the object: lint_signed_object().
 */
static enum fault_code
make_ee(const struct issue_context *context, const struct identity *issuer, const struct signed_request *request,
	struct certificate_fields *fields, struct bytes *ret_tbs, struct bytes *ret_ee, struct fault *fault)
{
	TRY(issue_certificate_serial(&fields->serial, fault));
	struct lint_issuer lint_issuer = identity_for_lint(issuer, false);
	struct lint_certificate_wanted wanted = {
		.spki = fields->spki, .now_at = request->now_at, .resources = fields->resources, .object_uri = fields->object_uri,
	};
	TRY(certificate_encode_tbs(fields, ret_tbs, fault));
	TRY(lint_certificate_tbs(bytes_span(ret_tbs), &lint_issuer, &wanted, fault));
	return issue_certificate_sign(context, issuer, bytes_span(ret_tbs), ret_ee, fault);
}

enum fault_code
issue_signed(const struct issue_context *context, const struct identity *issuer, const struct signed_request *request,
	struct new_object *object, struct fault *fault)
{
	AUTO(struct onetime_key, onetime_key_free) key = NULL;
	AUTO_CLEAR(struct bytes, bytes_clear) tbs = BYTES_INIT;
	AUTO_CLEAR(struct bytes, bytes_clear) ee = BYTES_INIT;
	uint8_t identifier[KEY_IDENTIFIER_SIZE];
	char subject[IDENTITY_NAME_SIZE], stem[KEY_NAME_SIZE], uri[sizeof issuer->manifest_uri];

	TRY(key_pool_take(context->pool, &key, fault));
	TRY(certificate_key_identifier(onetime_key_spki(key), identifier, fault));
	hex_encode(SPAN(identifier, sizeof identifier), subject);
	ca_state_key_name(identifier, stem);
	if (object->name[0] == '\0')
		(void)snprintf(object->name, sizeof object->name, "%s.%s", stem, object_kind_text(object->kind));
	(void)snprintf(uri, sizeof uri, "%s%s", issuer->repository_uri, object->name);

	struct certificate_fields fields = ee_fields(issuer, request, key, subject, uri);
	TRY(make_ee(context, issuer, request, &fields, &tbs, &ee, fault));
	TRY(signed_object_make(request->type, request->content, bytes_span(&ee), request->now_at, key, &object->der, fault));
	struct lint_issuer lint_issuer = identity_for_lint(issuer, false);
	struct lint_signed_wanted wanted = {
		.manifest = request->type == CONTENT_MANIFEST, .content = request->content, .ee_tbs = bytes_span(&tbs),
		.signing_time_at = request->now_at,
	};
	TRY(lint_signed_object(bytes_span(&object->der), &lint_issuer, &wanted, fault));
	TRY(digest_sha256(bytes_span(&object->der), object->hash, fault));
	object->serial = fields.serial;
	object->not_before_at = request->not_before_at;
	object->not_after_at = request->not_after_at;
	object->modified_at = request->now_at;
	return FAULT_NONE;
}
