/* Keys and signatures of RFC 7935: RSA with 2048 bits and the exponent 65537, PKCS #1 v1.5, SHA-256. */
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include "ca/base/scope.h"
#include "ca/lint/lint_internal.h"

SCOPED(BIGNUM, BN_free)
SCOPED(EVP_PKEY, EVP_PKEY_free)
SCOPED(EVP_PKEY_CTX, EVP_PKEY_CTX_free)
SCOPED(EVP_MD_CTX, EVP_MD_CTX_free)

#define EXPONENT 65537U

/* RSAPublicKey ::= SEQUENCE { modulus, publicExponent } */
static enum fault_code
rsa_read(struct span bits, const char *what, struct span *ret_modulus, struct fault *fault)
{
	struct der_reader reader, key;
	struct span modulus;
	uint64_t exponent;
	TRY(der_reader_open(bits, what, &reader, fault));
	TRY(der_reader_enter(&reader, DER_SEQUENCE, what, &key, fault));
	TRY(der_reader_end(&reader, what, fault));
	TRY(der_reader_integer(&key, what, &modulus, fault));
	/* RFC 7935 §3: 2048 bits, so that the leading octet is the sign's alone; an even modulus is no RSA modulus. */
	bool right = modulus.length == LINT_RSA_OCTETS + 1 && modulus.data[0] == 0 && (modulus.data[LINT_RSA_OCTETS] & 1) == 1;
	TRY(LINT_RULE(right, fault, "%s: RSA modulus isn't an odd number of 2048 bits (RFC 7935 §3)", what));
	TRY(der_reader_unsigned(&key, what, UINT64_MAX, &exponent, fault));
	TRY(LINT_RULE(exponent == EXPONENT, fault, "%s: RSA exponent isn't 65537 (RFC 7935 §3)", what));
	TRY(der_reader_end(&key, what, fault));
	*ret_modulus = SPAN(modulus.data + 1, LINT_RSA_OCTETS);
	return FAULT_NONE;
}

enum fault_code
lint_key_read(struct span spki, const char *what, struct lint_key *ret_key, struct fault *fault)
{
	struct der_reader reader, inner;
	struct der_bits bits;
	struct span modulus;
	TRY(der_reader_open(spki, what, &reader, fault));
	TRY(der_reader_enter(&reader, DER_SEQUENCE, what, &inner, fault));
	TRY(der_reader_end(&reader, what, fault));
	TRY(lint_algorithm_read(&inner, LINT_OID_RSA_ENCRYPTION, true, what, fault));
	TRY(der_reader_bits(&inner, what, &bits, fault));
	TRY(der_reader_end(&inner, what, fault));
	TRY(LINT_RULE(bits.count == 8 * bits.octets.length, fault, "%s: subjectPublicKey has unused bits (RFC 7935 §3.1)", what));
	TRY(rsa_read(bits.octets, what, &modulus, fault));
	*ret_key = (struct lint_key){ .bits = bits.octets, .modulus = modulus };
	return FAULT_NONE;
}

enum fault_code
lint_key_identifier(struct span spki, const char *what, uint8_t ret_identifier[SHA1_SIZE], struct fault *fault)
{
	struct lint_key key;
	TRY(lint_key_read(spki, what, &key, fault));
	return digest_sha1(key.bits, ret_identifier, fault);
}

static enum fault_code
crypto_fault(const char *what, struct fault *fault)
{
	ERR_clear_error();
	return fault_set(fault, FAULT_CRYPTO, "%s: OpenSSL can't verify RSA signatures", what);
}

/* Built of the two numbers that were read here, so that no other parser has a say. */
static enum fault_code
public_key_new(const struct lint_key *key, const char *what, EVP_PKEY **ret_key, struct fault *fault)
{
	AUTO(BIGNUM, BN_free) number = BN_bin2bn(key->modulus.data, LINT_RSA_OCTETS, NULL);
	AUTO(EVP_PKEY_CTX, EVP_PKEY_CTX_free) context = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	uint8_t modulus[LINT_RSA_OCTETS];
	unsigned exponent = EXPONENT;
	if (number == NULL || context == NULL || BN_bn2nativepad(number, modulus, LINT_RSA_OCTETS) != LINT_RSA_OCTETS)
		return crypto_fault(what, fault);
	OSSL_PARAM parameters[] = {
		OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_RSA_N, modulus, sizeof modulus),
		OSSL_PARAM_construct_uint(OSSL_PKEY_PARAM_RSA_E, &exponent),
		OSSL_PARAM_construct_end(),
	};
	AUTO(EVP_PKEY, EVP_PKEY_free) made = NULL;
	if (EVP_PKEY_fromdata_init(context) != 1 || EVP_PKEY_fromdata(context, &made, EVP_PKEY_PUBLIC_KEY, parameters) != 1)
		return crypto_fault(what, fault);
	*ret_key = MOVE(made);
	return FAULT_NONE;
}

enum fault_code
lint_key_verify(struct span spki, struct span message, struct span signature, const char *what, struct fault *fault)
{
	struct lint_key key;
	AUTO(EVP_PKEY, EVP_PKEY_free) public = NULL;
	AUTO(EVP_MD_CTX, EVP_MD_CTX_free) context = EVP_MD_CTX_new();
	TRY(lint_key_read(spki, what, &key, fault));
	TRY(public_key_new(&key, what, &public, fault));
	if (context == NULL || EVP_DigestVerifyInit(context, NULL, EVP_sha256(), NULL, public) != 1)
		return crypto_fault(what, fault);
	int verified = EVP_DigestVerify(context, signature.data, signature.length, message.data, message.length);
	ERR_clear_error();
	return LINT_RULE(verified == 1, fault, "%s doesn't verify", what);
}
