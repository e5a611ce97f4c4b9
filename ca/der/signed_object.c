#include "ca/der/signed_object.h"

#include <string.h>

#include "ca/base/digest.h"
#include "ca/der/der_time.h"
#include "ca/der/template.h"
#include "ca/keys/openssl_fault.h"

#define VERSION_3 3
#define SIGNED_ATTRIBUTES 3

/* The subset of CMS (RFC 5652 §5) that RFC 6488 §2 and RFC 9589 leave. CRLs and unsigned attributes have no place in it. */

struct attribute {
	ASN1_OBJECT *type;
	STACK_OF(ASN1_TYPE) *values;
};
typedef struct attribute attribute;
DEFINE_STACK_OF(attribute)

ASN1_SEQUENCE(attribute) = {
	ASN1_SIMPLE(attribute, type, ASN1_OBJECT),
	ASN1_SET_OF(attribute, values, ASN1_ANY),
} static_ASN1_SEQUENCE_END(attribute)

/* The signature is over this type: with the tag of a SET, not the [0] it has inside SignerInfo (RFC 5652 §5.4). */
typedef STACK_OF(attribute) signed_attributes;

ASN1_ITEM_TEMPLATE(signed_attributes) =
	ASN1_EX_TEMPLATE_TYPE(ASN1_TFLG_SET_OF, 0, signed_attributes, attribute)
static_ASN1_ITEM_TEMPLATE_END(signed_attributes)

struct signer_info {
	int32_t version;
	ASN1_OCTET_STRING *key_identifier;
	X509_ALGOR *digest_algorithm;
	signed_attributes *attributes;
	X509_ALGOR *signature_algorithm;
	ASN1_OCTET_STRING *signature;
};
typedef struct signer_info signer_info;
DEFINE_STACK_OF(signer_info)

ASN1_SEQUENCE(signer_info) = {
	ASN1_EMBED(signer_info, version, INT32),
	ASN1_IMP(signer_info, key_identifier, ASN1_OCTET_STRING, 0),
	ASN1_SIMPLE(signer_info, digest_algorithm, X509_ALGOR),
	ASN1_IMP_SET_OF(signer_info, attributes, attribute, 0),
	ASN1_SIMPLE(signer_info, signature_algorithm, X509_ALGOR),
	ASN1_SIMPLE(signer_info, signature, ASN1_OCTET_STRING),
} static_ASN1_SEQUENCE_END(signer_info)

struct encapsulated_content {
	ASN1_OBJECT *type;
	ASN1_OCTET_STRING *content;
};
typedef struct encapsulated_content encapsulated_content;

ASN1_SEQUENCE(encapsulated_content) = {
	ASN1_SIMPLE(encapsulated_content, type, ASN1_OBJECT),
	ASN1_EXP(encapsulated_content, content, ASN1_OCTET_STRING, 0),
} static_ASN1_SEQUENCE_END(encapsulated_content)

struct signed_data {
	int32_t version;
	STACK_OF(X509_ALGOR) *digest_algorithms;
	encapsulated_content *encapsulated;
	STACK_OF(ASN1_TYPE) *certificates;
	STACK_OF(signer_info) *signers;
};
typedef struct signed_data signed_data;

ASN1_SEQUENCE(signed_data) = {
	ASN1_EMBED(signed_data, version, INT32),
	ASN1_SET_OF(signed_data, digest_algorithms, X509_ALGOR),
	ASN1_SIMPLE(signed_data, encapsulated, encapsulated_content),
	ASN1_IMP_SET_OF(signed_data, certificates, ASN1_ANY, 0),
	ASN1_SET_OF(signed_data, signers, signer_info),
} static_ASN1_SEQUENCE_END(signed_data)

struct content_info {
	ASN1_OBJECT *type;
	signed_data *data;
};
typedef struct content_info content_info;

ASN1_SEQUENCE(content_info) = {
	ASN1_SIMPLE(content_info, type, ASN1_OBJECT),
	ASN1_EXP(content_info, data, signed_data, 0),
} static_ASN1_SEQUENCE_END(content_info)
TEMPLATE_TYPE(content_info)

static const int content_nids[] = {
	[CONTENT_ROA] = NID_id_ct_routeOriginAuthz,
	[CONTENT_MANIFEST] = NID_id_ct_rpkiManifest,
};
#define CONTENT_TYPES (sizeof content_nids / sizeof content_nids[0])

/* Making. */

/* An ANY of this type, at the end of a set; its contents as a string. An OBJECT IDENTIFIER goes another way. */
static enum fault_code
append_any(STACK_OF(ASN1_TYPE) *set, int type, const void *octets, size_t length, struct fault *fault)
{
	ASN1_TYPE *any = NULL;
	ASN1_STRING *string = NULL;
	TRY(template_append(set, ASN1_ITEM_rptr(ASN1_ANY), &any, fault));
	TRY(template_new(ASN1_ITEM_rptr(ASN1_OCTET_STRING), &string, fault));
	string->type = type;
	ASN1_TYPE_set(any, type, string);
	return template_set_octets(string, octets, length, fault);
}

static enum fault_code
append_attribute(signed_attributes *attributes, int nid, attribute **ret_attribute, struct fault *fault)
{
	attribute *added = NULL;
	TRY(template_append(attributes, ASN1_ITEM_rptr(attribute), &added, fault));
	template_set_object(&added->type, nid);
	*ret_attribute = added;
	return FAULT_NONE;
}

static enum fault_code
set_signing_time(attribute *signing_time, int64_t at, struct fault *fault)
{
	ASN1_TYPE *any = NULL;
	ASN1_TIME *time = NULL;
	TRY(template_append(signing_time->values, ASN1_ITEM_rptr(ASN1_ANY), &any, fault));
	TRY(template_new(ASN1_ITEM_rptr(ASN1_TIME), &time, fault));
	enum fault_code code = der_time_set(time, at, fault);
	if (code != FAULT_NONE) {
		ASN1_TIME_free(time);
		return code;
	}
	ASN1_TYPE_set(any, ASN1_STRING_type(time), time);
	return FAULT_NONE;
}

/* RFC 6488 §2.1.6.4 and RFC 9589 §4: exactly these. Encoding puts them in DER's order. */
static enum fault_code
set_attributes(signed_attributes *attributes, enum content_type type, struct span content, int64_t signing_time_at,
	struct fault *fault)
{
	uint8_t hash[SHA256_SIZE];
	attribute *content_type = NULL, *message_digest = NULL, *signing_time = NULL;
	ASN1_TYPE *any = NULL;
	TRY(append_attribute(attributes, NID_pkcs9_contentType, &content_type, fault));
	TRY(template_append(content_type->values, ASN1_ITEM_rptr(ASN1_ANY), &any, fault));
	ASN1_TYPE_set(any, V_ASN1_OBJECT, OBJ_nid2obj(content_nids[type]));
	TRY(append_attribute(attributes, NID_pkcs9_messageDigest, &message_digest, fault));
	TRY(digest_sha256(content, hash, fault));
	TRY(append_any(message_digest->values, V_ASN1_OCTET_STRING, hash, sizeof hash, fault));
	TRY(append_attribute(attributes, NID_pkcs9_signingTime, &signing_time, fault));
	return set_signing_time(signing_time, signing_time_at, fault);
}

static enum fault_code
sign(signer_info *signer, struct onetime_key *key, struct fault *fault)
{
	AUTO_CLEAR(struct bytes, bytes_clear) message = BYTES_INIT;
	uint8_t signature[RSA_SIGNATURE_SIZE];
	TRY(template_encode(signer->attributes, ASN1_ITEM_rptr(signed_attributes), &message, fault));
	TRY(onetime_key_sign(key, bytes_span(&message), signature, fault));
	return template_set_octets(signer->signature, signature, sizeof signature, fault);
}

static enum fault_code
append_signer(signed_data *data, const uint8_t key_identifier[KEY_IDENTIFIER_SIZE], signer_info **ret_signer, struct fault *fault)
{
	signer_info *signer = NULL;
	TRY(template_append(data->signers, ASN1_ITEM_rptr(signer_info), &signer, fault));
	signer->version = VERSION_3; /* RFC 5652 §5.3: for a signer named by its key identifier */
	TRY(template_set_octets(signer->key_identifier, key_identifier, KEY_IDENTIFIER_SIZE, fault));
	TRY(template_set_algorithm(signer->digest_algorithm, NID_sha256, fault));
	/* RFC 7935 §2: rsaEncryption, though sha256WithRSAEncryption is to be understood too. */
	TRY(template_set_algorithm(signer->signature_algorithm, NID_rsaEncryption, fault));
	*ret_signer = signer;
	return FAULT_NONE;
}

static enum fault_code
check_size(size_t length, struct fault *fault)
{
	if (length > SIGNED_OBJECT_SIZE_MAX)
		return fault_set(fault, FAULT_TOO_LARGE, "a signed object of %zu bytes, %d at most", length,
			SIGNED_OBJECT_SIZE_MAX);
	return FAULT_NONE;
}

enum fault_code
signed_object_make(enum content_type type, struct span content, struct span ee, int64_t signing_time_at, struct onetime_key *key,
	struct bytes *ret_der, struct fault *fault)
{
	uint8_t key_identifier[KEY_IDENTIFIER_SIZE];
	AUTO_CLEAR(struct certificate, certificate_clear) certificate = CERTIFICATE_INIT;
	TRY(certificate_decode(ee, &certificate, fault));
	if (!span_equal(bytes_span(&certificate.spki), onetime_key_spki(key)))
		return fault_set(fault, FAULT_CRYPTO, "the EE certificate is not that of the key that is to sign");
	TRY(certificate_key_identifier(onetime_key_spki(key), key_identifier, fault));

	AUTO(content_info, content_info_free) info = NULL;
	X509_ALGOR *digest_algorithm = NULL;
	signer_info *signer = NULL;
	TRY(template_new(ASN1_ITEM_rptr(content_info), &info, fault));
	template_set_object(&info->type, NID_pkcs7_signed);
	signed_data *data = info->data;
	data->version = VERSION_3;
	TRY(template_append(data->digest_algorithms, ASN1_ITEM_rptr(X509_ALGOR), &digest_algorithm, fault));
	TRY(template_set_algorithm(digest_algorithm, NID_sha256, fault));
	template_set_object(&data->encapsulated->type, content_nids[type]);
	TRY(template_set_octets(data->encapsulated->content, content.data, content.length, fault));
	TRY(append_any(data->certificates, V_ASN1_SEQUENCE, ee.data, ee.length, fault));
	TRY(append_signer(data, key_identifier, &signer, fault));
	TRY(set_attributes(signer->attributes, type, content, signing_time_at, fault));
	TRY(sign(signer, key, fault));
	AUTO_CLEAR(struct bytes, bytes_clear) der = BYTES_INIT;
	TRY(template_encode(info, ASN1_ITEM_rptr(content_info), &der, fault));
	TRY(check_size(der.length, fault));
	bytes_swap(ret_der, &der);
	return FAULT_NONE;
}

/* Taking apart. */

static enum fault_code
read_content_type(const ASN1_OBJECT *object, enum content_type *ret_type, struct fault *fault)
{
	int nid = OBJ_obj2nid(object);
	for (size_t i = 0; i < CONTENT_TYPES; i++)
		if (content_nids[i] == nid) {
			*ret_type = (enum content_type)i;
			return FAULT_NONE;
		}
	return fault_set(fault, FAULT_MALFORMED, "a signed object that is neither ROA nor manifest");
}

/* The one value of the one attribute of this type. */
static enum fault_code
find_attribute(const signed_attributes *attributes, int nid, const ASN1_TYPE **ret_value, struct fault *fault)
{
	const ASN1_TYPE *value = NULL;
	for (int i = 0; i < sk_attribute_num(attributes); i++) {
		const attribute *candidate = sk_attribute_value(attributes, i);
		if (OBJ_obj2nid(candidate->type) == nid && sk_ASN1_TYPE_num(candidate->values) == 1)
			value = sk_ASN1_TYPE_value(candidate->values, 0);
	}
	if (value == NULL)
		return fault_set(fault, FAULT_MALFORMED, "a signed object without one %s (RFC 6488 §2.1.6.4)", OBJ_nid2ln(nid));
	*ret_value = value;
	return FAULT_NONE;
}

static enum fault_code
read_attributes(const signed_attributes *attributes, const ASN1_OBJECT *content_type, int64_t *ret_signing_time_at,
	struct fault *fault)
{
	const ASN1_TYPE *value = NULL;
	/* RFC 6488 §2.1.6.4, RFC 9589 §4: with three in all and each of the three found, there is no other and none twice. */
	if (sk_attribute_num(attributes) != SIGNED_ATTRIBUTES)
		return fault_set(fault, FAULT_MALFORMED, "a signed object with %d signed attributes",
			sk_attribute_num(attributes));
	TRY(find_attribute(attributes, NID_pkcs9_contentType, &value, fault));
	if (value->type != V_ASN1_OBJECT || OBJ_cmp(value->value.object, content_type) != 0)
		return fault_set(fault, FAULT_MALFORMED, "a signed object whose contentType is not that of its contents");
	TRY(find_attribute(attributes, NID_pkcs9_messageDigest, &value, fault));
	if (value->type != V_ASN1_OCTET_STRING || ASN1_STRING_length(value->value.octet_string) != SHA256_SIZE)
		return fault_set(fault, FAULT_MALFORMED, "a signed object whose messageDigest is no SHA-256");
	TRY(find_attribute(attributes, NID_pkcs9_signingTime, &value, fault));
	if (value->type != V_ASN1_UTCTIME && value->type != V_ASN1_GENERALIZEDTIME)
		return fault_set(fault, FAULT_MALFORMED, "a signed object whose signingTime is no time");
	return der_time_get(value->value.asn1_string, "signingTime", ret_signing_time_at, fault);
}

static enum fault_code
read_signer(const signer_info *signer, const struct certificate *ee, const ASN1_OBJECT *content_type,
	int64_t *ret_signing_time_at, struct fault *fault)
{
	if (signer->version != VERSION_3)
		return fault_set(fault, FAULT_MALFORMED, "a SignerInfo of version %d (RFC 6488 §2.1.6.1)", (int)signer->version);
	if (!span_equal(template_octets(signer->key_identifier), SPAN(ee->subject_key, KEY_IDENTIFIER_SIZE)))
		return fault_set(fault, FAULT_MALFORMED,
			"a signed object whose signer is not its EE certificate (RFC 6488 §2.1.6.2)");
	TRY(template_check_algorithm(signer->digest_algorithm, NID_sha256, "the digest algorithm", fault));
	TRY(template_check_algorithm(signer->signature_algorithm, NID_rsaEncryption, "the signature algorithm", fault));
	if (ASN1_STRING_length(signer->signature) != RSA_SIGNATURE_SIZE)
		return fault_set(fault, FAULT_MALFORMED, "a signature of %d octets", ASN1_STRING_length(signer->signature));
	return read_attributes(signer->attributes, content_type, ret_signing_time_at, fault);
}

static enum fault_code
check_shape(const content_info *info, struct fault *fault)
{
	const signed_data *data = info->data;
	if (OBJ_obj2nid(info->type) != NID_pkcs7_signed || data->version != VERSION_3)
		return fault_set(fault, FAULT_MALFORMED, "not a SignedData of version 3 (RFC 6488 §2.1.1)");
	if (sk_X509_ALGOR_num(data->digest_algorithms) != 1)
		return fault_set(fault, FAULT_MALFORMED, "a signed object with %d digest algorithms",
			sk_X509_ALGOR_num(data->digest_algorithms));
	TRY(template_check_algorithm(sk_X509_ALGOR_value(data->digest_algorithms, 0), NID_sha256, "the digest algorithm", fault));
	if (sk_ASN1_TYPE_num(data->certificates) != 1 || sk_ASN1_TYPE_value(data->certificates, 0)->type != V_ASN1_SEQUENCE)
		return fault_set(fault, FAULT_MALFORMED, "a signed object without one certificate (RFC 6488 §2.1.4)");
	if (sk_signer_info_num(data->signers) != 1)
		return fault_set(fault, FAULT_MALFORMED, "a signed object with %d signers", sk_signer_info_num(data->signers));
	return FAULT_NONE;
}

enum fault_code
signed_object_decode(struct span der, enum content_type *ret_type, struct bytes *ret_content, struct bytes *ret_ee,
	int64_t *ret_signing_time_at, struct fault *fault)
{
	AUTO(content_info, content_info_free) info = NULL;
	AUTO_CLEAR(struct bytes, bytes_clear) content = BYTES_INIT;
	AUTO_CLEAR(struct bytes, bytes_clear) ee = BYTES_INIT;
	AUTO_CLEAR(struct certificate, certificate_clear) certificate = CERTIFICATE_INIT;
	enum content_type type = CONTENT_ROA;
	int64_t signing_time_at = 0;
	TRY(check_size(der.length, fault));
	TRY(template_decode(der, ASN1_ITEM_rptr(content_info), "signed object", &info, fault));
	TRY(check_shape(info, fault));
	const signed_data *data = info->data;
	struct span certificate_der = template_octets(sk_ASN1_TYPE_value(data->certificates, 0)->value.sequence);
	struct span content_der = template_octets(data->encapsulated->content);
	TRY(read_content_type(data->encapsulated->type, &type, fault));
	TRY(certificate_decode(certificate_der, &certificate, fault));
	if (certificate.kind != CERTIFICATE_EE)
		return fault_set(fault, FAULT_MALFORMED, "a signed object whose certificate is that of a CA");
	TRY(read_signer(sk_signer_info_value(data->signers, 0), &certificate, data->encapsulated->type, &signing_time_at, fault));
	TRY(bytes_append(&ee, certificate_der.data, certificate_der.length, fault));
	TRY(bytes_append(&content, content_der.data, content_der.length, fault));
	*ret_type = type;
	bytes_swap(ret_content, &content);
	bytes_swap(ret_ee, &ee);
	*ret_signing_time_at = signing_time_at;
	return FAULT_NONE;
}
