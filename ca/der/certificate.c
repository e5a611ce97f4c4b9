#include "ca/der/certificate.h"

#include <openssl/evp.h>
#include <string.h>

#include "ca/base/memory.h"
#include "ca/der/certificate_extensions.h"
#include "ca/der/common_name.h"
#include "ca/der/der_time.h"
#include "ca/der/envelope.h"
#include "ca/der/public_key.h"
#include "ca/der/serial.h"
#include "ca/keys/openssl_fault.h"

#define VERSION_3 2

struct validity {
	ASN1_TIME *not_before, *not_after;
};
typedef struct validity validity;

ASN1_SEQUENCE(validity) = {
	ASN1_SIMPLE(validity, not_before, ASN1_TIME),
	ASN1_SIMPLE(validity, not_after, ASN1_TIME),
} static_ASN1_SEQUENCE_END(validity)

/* TBSCertificate (RFC 5280 §4.1). The unique identifiers have no place: RFC 6487 §4 doesn't allow them. */
struct tbs_certificate {
	int32_t version;
	ASN1_INTEGER *serial;
	X509_ALGOR *algorithm;
	common_name *issuer;
	validity *validity;
	common_name *subject;
	public_key *key;
	STACK_OF(extension) *extensions;
};
typedef struct tbs_certificate tbs_certificate;

ASN1_SEQUENCE(tbs_certificate) = {
	ASN1_EXP_EMBED(tbs_certificate, version, INT32, 0),
	ASN1_SIMPLE(tbs_certificate, serial, ASN1_INTEGER),
	ASN1_SIMPLE(tbs_certificate, algorithm, X509_ALGOR),
	ASN1_SIMPLE(tbs_certificate, issuer, common_name),
	ASN1_SIMPLE(tbs_certificate, validity, validity),
	ASN1_SIMPLE(tbs_certificate, subject, common_name),
	ASN1_SIMPLE(tbs_certificate, key, public_key),
	ASN1_EXP_SEQUENCE_OF(tbs_certificate, extensions, extension, 3),
} static_ASN1_SEQUENCE_END(tbs_certificate)
TEMPLATE_TYPE(tbs_certificate)

SCOPED(EVP_PKEY, EVP_PKEY_free)
SCOPED(EVP_MD_CTX, EVP_MD_CTX_free)

enum fault_code
certificate_key_identifier(struct span spki, uint8_t ret_identifier[KEY_IDENTIFIER_SIZE], struct fault *fault)
{
	AUTO(public_key, public_key_free) key = NULL;
	TRY(public_key_decode(spki, &key, fault));
	return public_key_identifier(key, ret_identifier, fault);
}

static enum fault_code
check_fields(const struct certificate_fields *fields, struct fault *fault)
{
	bool inherits = fields->inherit_asns || fields->inherit_ipv4 || fields->inherit_ipv6;
	if (fields->not_before_at > fields->not_after_at)
		return fault_set(fault, FAULT_INVALID, "a certificate that ends before it begins");
	if (fields->resources != NULL && inherits)
		return fault_set(fault, FAULT_INVALID, "a certificate either inherits or has resources of its own");
	/* RFC 6487 §4.8.10, §4.8.11: one of the two extensions at least. */
	if (fields->resources == NULL ? !inherits : resource_set_empty(fields->resources))
		return fault_set(fault, FAULT_INVALID, "a certificate without resources (RFC 6487 §4.8.10)");
	if (fields->kind != CERTIFICATE_TA)
		return FAULT_NONE;
	/* RFC 8630 §2.3 */
	if (inherits)
		return fault_set(fault, FAULT_INVALID, "a TA certificate that inherits (RFC 8630 §2.3)");
	if (fields->issuer == NULL || fields->subject == NULL || strcmp(fields->issuer, fields->subject) != 0)
		return fault_set(fault, FAULT_INVALID, "a TA certificate whose issuer is not its subject");
	return FAULT_NONE;
}

static enum fault_code
set_key(tbs_certificate *tbs, struct span spki, struct fault *fault)
{
	public_key *key = NULL;
	enum fault_code code = public_key_decode(spki, &key, fault);
	if (code == FAULT_MALFORMED)
		return fault_set(fault, FAULT_INVALID, "only RSA keys of 2048 bits can be certified (RFC 7935 §3)");
	TRY(code);
	public_key_free(tbs->key);
	tbs->key = key;
	return FAULT_NONE;
}

enum fault_code
certificate_encode_tbs(const struct certificate_fields *fields, struct bytes *ret_tbs, struct fault *fault)
{
	TRY(check_fields(fields, fault));
	AUTO(tbs_certificate, tbs_certificate_free) tbs = NULL;
	TRY(template_new(ASN1_ITEM_rptr(tbs_certificate), &tbs, fault));
	tbs->version = VERSION_3;
	TRY(serial_set(tbs->serial, &fields->serial, fault));
	TRY(template_set_algorithm(tbs->algorithm, NID_sha256WithRSAEncryption, fault));
	TRY(common_name_set(tbs->issuer, fields->issuer, fault));
	TRY(der_time_set(tbs->validity->not_before, fields->not_before_at, fault));
	TRY(der_time_set(tbs->validity->not_after, fields->not_after_at, fault));
	TRY(common_name_set(tbs->subject, fields->subject, fault));
	TRY(set_key(tbs, fields->spki, fault));
	TRY(certificate_extensions_write(fields, tbs->extensions, fault));
	return template_encode(tbs, ASN1_ITEM_rptr(tbs_certificate), ret_tbs, fault);
}

enum fault_code
certificate_assemble(struct span tbs, const uint8_t signature[RSA_SIGNATURE_SIZE], struct bytes *ret_der, struct fault *fault)
{
	AUTO(envelope, envelope_free) whole = NULL;
	ASN1_STRING *content = NULL;
	TRY(template_new(ASN1_ITEM_rptr(envelope), &whole, fault));
	TRY(template_new(ASN1_ITEM_rptr(ASN1_OCTET_STRING), &content, fault));
	/* OpenSSL copies a SEQUENCE inside an ANY as it is: what was signed stays byte for byte. */
	ASN1_TYPE_set(whole->content, V_ASN1_SEQUENCE, content);
	TRY(template_set_octets(content, tbs.data, tbs.length, fault));
	TRY(template_set_algorithm(whole->algorithm, NID_sha256WithRSAEncryption, fault));
	TRY(template_set_bits(whole->signature, signature, 8 * RSA_SIGNATURE_SIZE, fault));
	return template_encode(whole, ASN1_ITEM_rptr(envelope), ret_der, fault);
}

static enum fault_code
read_names(tbs_certificate *tbs, struct certificate *certificate, struct fault *fault)
{
	TRY(common_name_get(tbs->issuer, "the issuer", &certificate->issuer, fault));
	TRY(common_name_get(tbs->subject, "the subject", &certificate->subject, fault));
	if (!certificate_extensions_of_ca(tbs->extensions))
		certificate->kind = CERTIFICATE_EE;
	else if (strcmp(certificate->issuer, certificate->subject) == 0)
		certificate->kind = CERTIFICATE_TA;
	else
		certificate->kind = CERTIFICATE_CA;
	return FAULT_NONE;
}

static enum fault_code
read_key(const tbs_certificate *tbs, struct certificate *certificate, struct fault *fault)
{
	TRY(public_key_check(tbs->key, fault));
	TRY(public_key_identifier(tbs->key, certificate->subject_key, fault));
	return template_encode(tbs->key, ASN1_ITEM_rptr(public_key), &certificate->spki, fault);
}

static enum fault_code
check_resources(const struct certificate *certificate, struct fault *fault)
{
	bool inherits = certificate->inherit_asns || certificate->inherit_ipv4 || certificate->inherit_ipv6;
	if (!inherits && resource_set_empty(&certificate->resources))
		return fault_set(fault, FAULT_MALFORMED, "a certificate without resources (RFC 6487 §4.8.10)");
	if (inherits && certificate->kind == CERTIFICATE_TA)
		return fault_set(fault, FAULT_MALFORMED, "a TA certificate that inherits (RFC 8630 §2.3)");
	return FAULT_NONE;
}

static enum fault_code
read_tbs(tbs_certificate *tbs, struct certificate *certificate, struct fault *fault)
{
	if (tbs->version != VERSION_3)
		return fault_set(fault, FAULT_MALFORMED, "a certificate that is not version 3 (RFC 6487 §4.1)");
	TRY(serial_get(tbs->serial, &certificate->serial, fault));
	TRY(template_check_algorithm(tbs->algorithm, NID_sha256WithRSAEncryption, "the signature algorithm", fault));
	TRY(read_names(tbs, certificate, fault));
	TRY(der_time_get(tbs->validity->not_before, "notBefore", &certificate->not_before_at, fault));
	TRY(der_time_get(tbs->validity->not_after, "notAfter", &certificate->not_after_at, fault));
	if (certificate->not_before_at > certificate->not_after_at)
		return fault_set(fault, FAULT_MALFORMED, "a certificate that ends before it begins");
	TRY(read_key(tbs, certificate, fault));
	TRY(certificate_extensions_read(tbs->extensions, certificate, fault));
	return check_resources(certificate, fault);
}

enum fault_code
certificate_decode(struct span der, struct certificate *ret_certificate, struct fault *fault)
{
	AUTO(envelope, envelope_free) whole = NULL;
	AUTO(tbs_certificate, tbs_certificate_free) tbs = NULL;
	AUTO_CLEAR(struct certificate, certificate_clear) certificate = CERTIFICATE_INIT;
	TRY(envelope_decode(der, "certificate", &whole, fault));
	TRY(template_decode(envelope_content(whole), ASN1_ITEM_rptr(tbs_certificate), "TBSCertificate", &tbs, fault));
	TRY(read_tbs(tbs, &certificate, fault));
	struct certificate before = *ret_certificate;
	*ret_certificate = certificate;
	certificate = before;
	return FAULT_NONE;
}

void
certificate_clear(struct certificate *certificate)
{
	char *texts[] = { certificate->issuer, certificate->subject, certificate->crl_uri, certificate->issuer_uri,
		certificate->repository_uri, certificate->manifest_uri, certificate->notification_uri, certificate->object_uri };
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		free(texts[i]);
	bytes_clear(&certificate->spki);
	resource_set_clear(&certificate->resources);
	*certificate = CERTIFICATE_INIT;
}

enum fault_code
certificate_verify_self_signed(struct span der, struct fault *fault)
{
	AUTO_CLEAR(struct certificate, certificate_clear) certificate = CERTIFICATE_INIT;
	AUTO(envelope, envelope_free) whole = NULL;
	TRY(certificate_decode(der, &certificate, fault));
	if (certificate.kind != CERTIFICATE_TA)
		return fault_set(fault, FAULT_INVALID, "not a self-signed CA certificate");
	TRY(envelope_decode(der, "certificate", &whole, fault));
	const unsigned char *at = certificate.spki.data;
	AUTO(EVP_PKEY, EVP_PKEY_free) key = d2i_PUBKEY(NULL, &at, (long)certificate.spki.length);
	AUTO(EVP_MD_CTX, EVP_MD_CTX_free) context = EVP_MD_CTX_new();
	if (key == NULL || context == NULL || EVP_DigestVerifyInit(context, NULL, EVP_sha256(), NULL, key) != 1)
		return openssl_fault_set(fault, FAULT_CRYPTO, "verifying a signature");
	struct span content = envelope_content(whole), signature = envelope_signature(whole);
	if (EVP_DigestVerify(context, signature.data, signature.length, content.data, content.length) != 1)
		return openssl_fault_set(fault, FAULT_INVALID, "the certificate's signature is wrong");
	return FAULT_NONE;
}
