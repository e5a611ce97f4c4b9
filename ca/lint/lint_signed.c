/* Certificates and CRLs after signing, RFC 5280 §4.1.1 and §5.1.1. */
#include "ca/lint/lint_internal.h"

enum fault_code
lint_signed_size(struct span der, const char *what, struct fault *fault)
{
	return LINT_RULE(der.length >= LINT_OBJECT_SIZE_MIN && der.length <= LINT_OBJECT_SIZE_MAX, fault,
		"%s: size isn't within rpki-client's limits, %d to %d octets", what, LINT_OBJECT_SIZE_MIN, LINT_OBJECT_SIZE_MAX);
}

enum fault_code
lint_signed_read(struct span der, struct span tbs, const char *what, struct span *ret_signature, struct fault *fault)
{
	struct der_reader reader, fields;
	struct der_element found;
	struct der_bits signature;
	TRY(der_reader_open(der, what, &reader, fault));
	TRY(der_reader_enter(&reader, DER_SEQUENCE, what, &fields, fault));
	TRY(der_reader_end(&reader, what, fault));
	TRY(der_reader_take(&fields, DER_SEQUENCE, what, &found, fault));
	TRY(LINT_RULE(span_equal(found.whole, tbs), fault, "%s: what was signed isn't what was linted", what));
	TRY(lint_algorithm_read(&fields, LINT_OID_SHA256_WITH_RSA, true, what, fault));
	TRY(der_reader_bits(&fields, what, &signature, fault));
	TRY(LINT_RULE(signature.count == LINT_RSA_BITS, fault, "%s: signatureValue hasn't 2048 bits (RFC 7935 §3)", what));
	TRY(der_reader_end(&fields, what, fault));
	*ret_signature = signature.octets;
	return FAULT_NONE;
}

static enum fault_code
signed_check(struct span der, struct span tbs, const struct lint_issuer *issuer, const char *what, const char *what_signature,
	struct fault *fault)
{
	struct span signature;
	TRY(lint_signed_size(der, what, fault));
	TRY(der_reader_walk(der, what, fault));
	TRY(lint_signed_read(der, tbs, what, &signature, fault));
	return lint_key_verify(issuer->spki, tbs, signature, what_signature, fault);
}

enum fault_code
lint_signed_certificate(struct span der, struct span tbs, const struct lint_issuer *issuer, struct fault *fault)
{
	return signed_check(der, tbs, issuer, "RFC 6487 §4: Certificate", "RFC 6487 §7.2: the certificate's signature", fault);
}

enum fault_code
lint_signed_crl(struct span der, struct span tbs, const struct lint_issuer *issuer, struct fault *fault)
{
	return signed_check(der, tbs, issuer, "RFC 6487 §5: CertificateList", "RFC 6487 §5: the CRL's signature", fault);
}
