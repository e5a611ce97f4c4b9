#include "ca/der/public_key.h"

#define MODULUS_BITS 2048
#define EXPONENT 65537

/* RFC 8017 A.1.1 */
struct rsa_public_key_fields {
	BIGNUM *modulus, *exponent;
};
typedef struct rsa_public_key_fields rsa_public_key_fields;

ASN1_SEQUENCE(rsa_public_key_fields) = {
	ASN1_SIMPLE(rsa_public_key_fields, modulus, BIGNUM),
	ASN1_SIMPLE(rsa_public_key_fields, exponent, BIGNUM),
} static_ASN1_SEQUENCE_END(rsa_public_key_fields)
TEMPLATE_TYPE(rsa_public_key_fields)

ASN1_SEQUENCE(public_key) = {
	ASN1_SIMPLE(public_key, algorithm, X509_ALGOR),
	ASN1_SIMPLE(public_key, bits, ASN1_BIT_STRING),
} ASN1_SEQUENCE_END(public_key)

enum fault_code
public_key_check(const public_key *key, struct fault *fault)
{
	TRY(template_check_algorithm(key->algorithm, NID_rsaEncryption, "the public key's algorithm", fault));
	if (template_bits(key->bits) % 8 != 0)
		return fault_set(fault, FAULT_MALFORMED, "the public key is no whole number of octets");
	AUTO(rsa_public_key_fields, rsa_public_key_fields_free) fields = NULL;
	TRY(template_decode(template_octets(key->bits), ASN1_ITEM_rptr(rsa_public_key_fields), "RSAPublicKey", &fields, fault));
	if (BN_num_bits(fields->modulus) != MODULUS_BITS || !BN_is_word(fields->exponent, EXPONENT))
		return fault_set(fault, FAULT_MALFORMED,
			"the public key is not RSA with %d bits and the exponent %d (RFC 7935 §3)", MODULUS_BITS, EXPONENT);
	return FAULT_NONE;
}

enum fault_code
public_key_decode(struct span spki, public_key **ret_key, struct fault *fault)
{
	AUTO(public_key, public_key_free) key = NULL;
	TRY(template_decode(spki, ASN1_ITEM_rptr(public_key), "SubjectPublicKeyInfo", &key, fault));
	TRY(public_key_check(key, fault));
	*ret_key = MOVE(key);
	return FAULT_NONE;
}

enum fault_code
public_key_identifier(const public_key *key, uint8_t ret_identifier[KEY_IDENTIFIER_SIZE], struct fault *fault)
{
	/* RFC 6487 §4.8.2: of the bits alone, without tag, length and the count of unused bits. */
	return digest_sha1(template_octets(key->bits), ret_identifier, fault);
}
