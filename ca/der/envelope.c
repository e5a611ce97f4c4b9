#include "ca/der/envelope.h"

ASN1_SEQUENCE(envelope) = {
	ASN1_SIMPLE(envelope, content, ASN1_ANY),
	ASN1_SIMPLE(envelope, algorithm, X509_ALGOR),
	ASN1_SIMPLE(envelope, signature, ASN1_BIT_STRING),
} ASN1_SEQUENCE_END(envelope)

enum fault_code
envelope_decode(struct span der, const char *what, envelope **ret_envelope, struct fault *fault)
{
	if (der.length > CERTIFICATE_SIZE_MAX)
		return fault_set(fault, FAULT_TOO_LARGE, "%s has %zu bytes, %d at most", what, der.length, CERTIFICATE_SIZE_MAX);
	AUTO(envelope, envelope_free) decoded = NULL;
	TRY(template_decode(der, ASN1_ITEM_rptr(envelope), what, &decoded, fault));
	TRY(template_check_algorithm(decoded->algorithm, NID_sha256WithRSAEncryption, "the signature algorithm", fault));
	if (decoded->content->type != V_ASN1_SEQUENCE)
		return fault_set(fault, FAULT_MALFORMED, "%s: the signed part is no SEQUENCE", what);
	if (template_bits(decoded->signature) != 8 * RSA_SIGNATURE_SIZE)
		return fault_set(fault, FAULT_MALFORMED, "%s: the signature has %zu bits", what,
			template_bits(decoded->signature));
	*ret_envelope = MOVE(decoded);
	return FAULT_NONE;
}

struct span
envelope_content(const envelope *whole)
{
	return template_octets(whole->content->value.sequence);
}

struct span
envelope_signature(const envelope *whole)
{
	return template_octets(whole->signature);
}
