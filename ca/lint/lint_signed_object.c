/* Signed objects, RFC 6488 §2.1 as RFC 9589 §4 has it. */
#include <string.h>

#include "ca/base/scope.h"
#include "ca/lint/lint_internal.h"

#define OBJECT "RFC 6488 §2.1: signed object"
#define VERSION "RFC 6488 §2.1.1: version"
#define CONTENT "RFC 6488 §2.1.3: encapContentInfo"
#define CERTIFICATES "RFC 6488 §2.1.4: certificates"
#define SIGNER "RFC 6488 §2.1.6: signerInfos"
#define SIGNED_ATTRIBUTES "RFC 6488 §2.1.6.4: signedAttrs"

struct object_check {
	const struct lint_signed_wanted *wanted;
	struct lint_certificate ee;             /* read out of wanted->ee_tbs */
	uint8_t ee_identifier[SHA1_SIZE];
	/* Read out of the object; spans of the caller's bytes. */
	struct span certificate_signature;      /* over ee_tbs, by the CA */
	struct span attributes;                 /* [0] IMPLICIT SET OF Attribute, whole */
	struct span signature;                  /* over the attributes, by the EE */
};

static enum lint_oid
content_type(const struct object_check *check)
{
	return check->wanted->manifest ? LINT_OID_MANIFEST : LINT_OID_ROA;
}

static enum fault_code
version_read(struct der_reader *reader, const char *what, struct fault *fault)
{
	uint64_t version;
	TRY(der_reader_unsigned(reader, what, UINT64_MAX, &version, fault));
	return LINT_RULE(version == 3, fault, "%s isn't 3", what);
}

/* RFC 6488 §2.1.2: exactly SHA-256. */
static enum fault_code
digest_algorithms_check(struct der_reader *data, struct fault *fault)
{
	static const char what[] = "RFC 6488 §2.1.2: digestAlgorithms";
	struct der_reader algorithms;
	TRY(der_reader_enter(data, DER_SET, what, &algorithms, fault));
	TRY(lint_algorithm_read(&algorithms, LINT_OID_SHA256, false, what, fault));
	return LINT_RULE(!der_reader_more(&algorithms), fault, "%s has more than one", what);
}

/* RFC 6488 §2.1.3: SEQUENCE { eContentType, [0] EXPLICIT OCTET STRING eContent }. */
static enum fault_code
content_check(struct der_reader *data, const struct object_check *check, struct fault *fault)
{
	struct der_reader info, explicit;
	struct der_element content;
	TRY(der_reader_enter(data, DER_SEQUENCE, CONTENT, &info, fault));
	TRY(lint_oid_read(&info, content_type(check), "RFC 6488 §2.1.3.1: eContentType", fault));
	TRY(der_reader_enter(&info, DER_CONTEXT_CONSTRUCTED(0), "RFC 6488 §2.1.3.2: eContent", &explicit, fault));
	TRY(der_reader_take(&explicit, DER_OCTET_STRING, "RFC 6488 §2.1.3.2: eContent", &content, fault));
	TRY(der_reader_end(&explicit, CONTENT, fault));
	TRY(der_reader_end(&info, CONTENT, fault));
	return LINT_RULE(span_equal(content.contents, check->wanted->content), fault,
		"RFC 6488 §2.1.3.2: eContent isn't the content that was linted");
}

/* RFC 6488 §2.1.4, §2.1.5: exactly the EE's certificate, and no CRL. */
static enum fault_code
certificates_check(struct der_reader *data, struct object_check *check, struct fault *fault)
{
	struct der_reader certificates;
	struct der_element certificate;
	TRY(der_reader_enter(data, DER_CONTEXT_CONSTRUCTED(0), CERTIFICATES, &certificates, fault));
	TRY(der_reader_take(&certificates, DER_SEQUENCE, CERTIFICATES, &certificate, fault));
	TRY(LINT_RULE(!der_reader_more(&certificates), fault, CERTIFICATES " has more than the EE's"));
	TRY(lint_signed_read(certificate.whole, check->wanted->ee_tbs, CERTIFICATES, &check->certificate_signature, fault));
	return LINT_RULE(!der_reader_next_is(data, DER_CONTEXT_CONSTRUCTED(1)), fault, "RFC 6488 §2.1.5: crls is there");
}

static enum fault_code
content_type_check(struct der_reader *value, const struct object_check *check, const char *what, struct fault *fault)
{
	return lint_oid_read(value, content_type(check), what, fault);
}

static enum fault_code
message_digest_check(struct der_reader *value, const struct object_check *check, const char *what, struct fault *fault)
{
	struct der_element digest;
	uint8_t hash[SHA256_SIZE];
	TRY(der_reader_take(value, DER_OCTET_STRING, what, &digest, fault));
	TRY(digest_sha256(check->wanted->content, hash, fault));
	return LINT_RULE(span_equal(digest.contents, SPAN(hash, SHA256_SIZE)), fault, "%s isn't the content's SHA-256", what);
}

static enum fault_code
signing_time_check(struct der_reader *value, const struct object_check *check, const char *what, struct fault *fault)
{
	int64_t at;
	TRY(der_reader_time(value, what, &at, fault));
	TRY(LINT_RULE(at == check->wanted->signing_time_at, fault, "%s isn't the one meant", what));
	return LINT_RULE(at <= check->ee.not_after_at, fault, "%s lies behind the EE certificate's notAfter", what);
}

/* RFC 9589 §4: these three and no others, each once. */
static const struct attribute_rule {
	enum lint_oid oid;
	const char *what;
	enum fault_code (*check)(struct der_reader *value,
		const struct object_check *check, const char *what, struct fault *fault);
} attribute_rules[] = {
	{ LINT_OID_CONTENT_TYPE, "RFC 6488 §2.1.6.4.1: content-type", content_type_check },
	{ LINT_OID_MESSAGE_DIGEST, "RFC 6488 §2.1.6.4.2: message-digest", message_digest_check },
	{ LINT_OID_SIGNING_TIME, "RFC 9589 §4: signing-time", signing_time_check },
};

#define ATTRIBUTES (sizeof attribute_rules / sizeof attribute_rules[0])

static const struct attribute_rule *
attribute_find(struct span oid)
{
	for (size_t i = 0; i < ATTRIBUTES; i++) {
		if (lint_oid_is(oid, attribute_rules[i].oid))
			return &attribute_rules[i];
	}
	return NULL;
}

/* Attribute ::= SEQUENCE { attrType, attrValues SET OF } */
static enum fault_code
attribute_check(struct der_reader *attributes, const struct object_check *check, unsigned *seen, struct fault *fault)
{
	struct der_reader attribute, values;
	struct der_element oid;
	TRY(der_reader_enter(attributes, DER_SEQUENCE, SIGNED_ATTRIBUTES, &attribute, fault));
	TRY(der_reader_take(&attribute, DER_OBJECT_IDENTIFIER, SIGNED_ATTRIBUTES, &oid, fault));
	const struct attribute_rule *rule = attribute_find(oid.contents);
	if (rule == NULL)
		return fault_set(fault, FAULT_LINT, SIGNED_ATTRIBUTES " has one that must not be there (RFC 9589 §4)");
	unsigned bit = 1U << (rule - attribute_rules);
	TRY(LINT_RULE((*seen & bit) == 0, fault, "%s is there twice", rule->what));
	*seen |= bit;
	TRY(der_reader_enter(&attribute, DER_SET, rule->what, &values, fault));
	TRY(rule->check(&values, check, rule->what, fault));
	TRY(LINT_RULE(!der_reader_more(&values), fault, "%s has more than one value", rule->what));
	return der_reader_end(&attribute, rule->what, fault);
}

static enum fault_code
attributes_check(struct der_reader *signer, struct object_check *check, struct fault *fault)
{
	struct der_reader here = *signer, attributes;
	struct der_element whole;
	unsigned seen = 0;
	TRY(der_reader_take(&here, DER_CONTEXT_CONSTRUCTED(0), SIGNED_ATTRIBUTES, &whole, fault));
	TRY(der_reader_enter(signer, DER_CONTEXT_CONSTRUCTED(0), SIGNED_ATTRIBUTES, &attributes, fault));
	TRY(der_reader_sorted(whole.contents, SIGNED_ATTRIBUTES, fault));
	while (der_reader_more(&attributes))
		TRY(attribute_check(&attributes, check, &seen, fault));
	for (size_t i = 0; i < ATTRIBUTES; i++)
		TRY(LINT_RULE((seen & 1U << i) != 0, fault, "%s is missing", attribute_rules[i].what));
	check->attributes = whole.whole;
	return FAULT_NONE;
}

/* RFC 6488 §2.1.6: version 3, the EE's key identifier, SHA-256, attributes, RSA, signature, no unsigned attributes. */
static enum fault_code
signer_check(struct der_reader *data, struct object_check *check, struct fault *fault)
{
	struct der_reader infos, signer;
	struct der_element identifier, signature;
	TRY(der_reader_enter(data, DER_SET, SIGNER, &infos, fault));
	TRY(der_reader_enter(&infos, DER_SEQUENCE, SIGNER, &signer, fault));
	TRY(LINT_RULE(!der_reader_more(&infos), fault, SIGNER " has more than one SignerInfo"));
	TRY(version_read(&signer, "RFC 6488 §2.1.6.1: version", fault));
	TRY(der_reader_take(&signer, DER_CONTEXT(0), "RFC 6488 §2.1.6.2: sid", &identifier, fault));
	TRY(LINT_RULE(span_equal(identifier.contents, SPAN(check->ee_identifier, SHA1_SIZE)), fault,
		"RFC 6488 §2.1.6.2: sid isn't the EE's key identifier"));
	TRY(lint_algorithm_read(&signer, LINT_OID_SHA256, false, "RFC 6488 §2.1.6.3: digestAlgorithm", fault));
	TRY(attributes_check(&signer, check, fault));
	/* RFC 7935 §2: generate rsaEncryption, though sha256WithRSAEncryption is taken. */
	TRY(lint_algorithm_read(&signer, LINT_OID_RSA_ENCRYPTION, true, "RFC 6488 §2.1.6.5: signatureAlgorithm", fault));
	TRY(der_reader_take(&signer, DER_OCTET_STRING, "RFC 6488 §2.1.6.6: signature", &signature, fault));
	TRY(LINT_RULE(signature.contents.length == LINT_RSA_OCTETS, fault,
		"RFC 6488 §2.1.6.6: signature hasn't 2048 bits (RFC 7935 §3)"));
	TRY(LINT_RULE(!der_reader_more(&signer), fault, "RFC 6488 §2.1.6.7: unsignedAttrs is there"));
	check->signature = signature.contents;
	return FAULT_NONE;
}

/* ContentInfo { signedData, [0] { SignedData } } */
static enum fault_code
object_read(struct span der, struct der_reader *ret_data, struct fault *fault)
{
	struct der_reader reader, info, explicit, data;
	TRY(der_reader_open(der, OBJECT, &reader, fault));
	TRY(der_reader_enter(&reader, DER_SEQUENCE, OBJECT, &info, fault));
	TRY(der_reader_end(&reader, OBJECT, fault));
	TRY(lint_oid_read(&info, LINT_OID_SIGNED_DATA, "RFC 6488 §2.1: contentType", fault));
	TRY(der_reader_enter(&info, DER_CONTEXT_CONSTRUCTED(0), OBJECT, &explicit, fault));
	TRY(der_reader_end(&info, OBJECT, fault));
	TRY(der_reader_enter(&explicit, DER_SEQUENCE, OBJECT, &data, fault));
	TRY(der_reader_end(&explicit, OBJECT, fault));
	*ret_data = data;
	return FAULT_NONE;
}

/* RFC 9286 §5.1: the one-time EE certificate of a manifest is valid as long as the manifest is current. */
static enum fault_code
manifest_times_check(const struct object_check *check, struct fault *fault)
{
	struct lint_manifest manifest;
	const struct lint_certificate *ee = &check->ee;
	TRY(lint_manifest_read(check->wanted->content, &manifest, fault));
	return LINT_RULE(ee->not_before_at == manifest.this_update_at && ee->not_after_at == manifest.next_update_at, fault,
		"RFC 9286 §5.1: validity of the manifest's certificate isn't thisUpdate to nextUpdate");
}

/* RFC 5652 §5.4: what is signed is the attributes as the SET OF that they are, not as [0]. */
static enum fault_code
signatures_check(const struct object_check *check, const struct lint_issuer *issuer, struct fault *fault)
{
	AUTO_CLEAR(struct bytes, bytes_clear) message = BYTES_INIT;
	static const uint8_t set = DER_SET;
	TRY(lint_key_verify(issuer->spki, check->wanted->ee_tbs, check->certificate_signature,
		"RFC 6487 §7.2: the EE certificate's signature", fault));
	TRY(bytes_append(&message, &set, 1, fault));
	TRY(bytes_append(&message, check->attributes.data + 1, check->attributes.length - 1, fault));
	return lint_key_verify(check->ee.spki, bytes_span(&message), check->signature, "RFC 6488 §2.1.6.6: signature", fault);
}

enum fault_code
lint_signed_object(struct span der, const struct lint_issuer *issuer, const struct lint_signed_wanted *wanted,
	struct fault *fault)
{
	struct object_check check = { .wanted = wanted };
	struct der_reader data;
	TRY(lint_signed_size(der, OBJECT, fault));
	TRY(der_reader_walk(der, OBJECT, fault));
	TRY(lint_certificate_read(wanted->ee_tbs, &check.ee, fault));
	TRY(lint_key_identifier(check.ee.spki, "RFC 6487 §4.7: subjectPublicKeyInfo", check.ee_identifier, fault));
	if (wanted->manifest)
		TRY(manifest_times_check(&check, fault));
	TRY(object_read(der, &data, fault));
	TRY(version_read(&data, VERSION, fault));
	TRY(digest_algorithms_check(&data, fault));
	TRY(content_check(&data, &check, fault));
	TRY(certificates_check(&data, &check, fault));
	TRY(signer_check(&data, &check, fault));
	TRY(der_reader_end(&data, OBJECT, fault));
	return signatures_check(&check, issuer, fault);
}
