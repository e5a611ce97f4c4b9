/* certificate_decode(), certificate_verify_self_signed(): what is taken must be encodable again. */
#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "ca/der/certificate.h"

/*
 * One of those that we would issue ourselves; others (a CPS, a family that inherits beside one that doesn't) are taken but not
 * written.
 */
static bool
is_ours(const struct certificate *certificate)
{
	bool inherits = certificate->inherit_asns || certificate->inherit_ipv4 || certificate->inherit_ipv6;
	return !inherits || resource_set_empty(&certificate->resources);
}

static void
encode_again(const struct certificate *certificate)
{
	AUTO_CLEAR(struct bytes, bytes_clear) tbs = BYTES_INIT;
	struct certificate_fields fields = {
		.kind = certificate->kind,
		.serial = certificate->serial,
		.issuer = certificate->issuer,
		.subject = certificate->subject,
		.not_before_at = certificate->not_before_at,
		.not_after_at = certificate->not_after_at,
		.spki = bytes_span(&certificate->spki),
		.crl_uri = certificate->crl_uri,
		.issuer_uri = certificate->issuer_uri,
		.repository_uri = certificate->repository_uri,
		.manifest_uri = certificate->manifest_uri,
		.notification_uri = certificate->notification_uri,
		.object_uri = certificate->object_uri,
		.resources = resource_set_empty(&certificate->resources) ? NULL : &certificate->resources,
		.inherit_asns = certificate->inherit_asns,
		.inherit_ipv4 = certificate->inherit_ipv4,
		.inherit_ipv6 = certificate->inherit_ipv6,
	};
	memcpy(fields.authority_key, certificate->authority_key, KEY_IDENTIFIER_SIZE);
	INVARIANT(certificate_encode_tbs(&fields, &tbs, NULL) == FAULT_NONE);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_CLEAR(struct certificate, certificate_clear) certificate = CERTIFICATE_INIT;
	if (certificate_decode(SPAN(data, size), &certificate, NULL) != FAULT_NONE)
		return 0;
	if (is_ours(&certificate))
		encode_again(&certificate);
	INVARIANT(certificate_verify_self_signed(SPAN(data, size), NULL) != FAULT_MALFORMED);
	return 0;
}
