#include "ca/keys/signature.h"

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "ca/keys/openssl_fault.h"
#include "ca/keys/private_key.h"

SCOPED(EVP_MD_CTX, EVP_MD_CTX_free)

enum fault_code
signature_check(struct span spki, struct span message, const uint8_t signature[RSA_SIGNATURE_SIZE], struct fault *fault)
{
	const uint8_t *at = spki.data;
	AUTO(EVP_PKEY, EVP_PKEY_free) key = at != NULL ? d2i_PUBKEY(NULL, &at, (long)spki.length) : NULL;
	if (key == NULL || at != spki.data + spki.length || EVP_PKEY_get_base_id(key) != EVP_PKEY_RSA ||
		EVP_PKEY_get_bits(key) != PRIVATE_KEY_BITS)
		return openssl_fault_set(fault, FAULT_MALFORMED, "not the public key of an RSA key of 2048 bits");
	AUTO(EVP_MD_CTX, EVP_MD_CTX_free) context = EVP_MD_CTX_new();
	if (context == NULL || EVP_DigestVerifyInit(context, NULL, EVP_sha256(), NULL, key) != 1)
		return openssl_fault_set(fault, FAULT_CRYPTO, "verifying a signature");
	if (EVP_DigestVerify(context, signature, RSA_SIGNATURE_SIZE, message.data, message.length) != 1)
		return openssl_fault_set(fault, FAULT_INVALID, "the signature is not this key's");
	return FAULT_NONE;
}
