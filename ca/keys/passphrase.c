#include "ca/keys/passphrase.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include "ca/keys/master_key.h"
#include "ca/keys/openssl_fault.h"

#define BLOCKS 8

SCOPED(EVP_KDF, EVP_KDF_free)
SCOPED(EVP_KDF_CTX, EVP_KDF_CTX_free)

enum fault_code
passphrase_derive(const struct secret *passphrase, const uint8_t salt[PASSPHRASE_SALT_SIZE], int cost, struct secret **ret_key,
	struct fault *fault)
{
	if (passphrase->length < PASSPHRASE_MIN || passphrase->length > PASSPHRASE_MAX)
		return fault_set(fault, FAULT_INVALID, "a passphrase has from %d to %d bytes, this one %zu", PASSPHRASE_MIN, PASSPHRASE_MAX,
			passphrase->length);
	if (cost < PASSPHRASE_COST_MIN || cost > PASSPHRASE_COST_MAX)
		return fault_set(fault, FAULT_INVALID, "a cost of scrypt from %d to %d, not %d", PASSPHRASE_COST_MIN, PASSPHRASE_COST_MAX,
			cost);
	AUTO(EVP_KDF, EVP_KDF_free) kdf = EVP_KDF_fetch(NULL, "SCRYPT", NULL);
	AUTO(EVP_KDF_CTX, EVP_KDF_CTX_free) context = kdf != NULL ? EVP_KDF_CTX_new(kdf) : NULL;
	AUTO(struct secret, secret_free) key = NULL;
	uint64_t n = UINT64_C(1) << cost, memory = (n * 128 * BLOCKS) + (UINT64_C(1) << 21);
	uint32_t r = BLOCKS, p = 1;
	OSSL_PARAM parameters[] = {
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_PASSWORD, passphrase->data, passphrase->length),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, (void *)(uintptr_t)salt, PASSPHRASE_SALT_SIZE),
		OSSL_PARAM_construct_uint64(OSSL_KDF_PARAM_SCRYPT_N, &n),
		OSSL_PARAM_construct_uint32(OSSL_KDF_PARAM_SCRYPT_R, &r),
		OSSL_PARAM_construct_uint32(OSSL_KDF_PARAM_SCRYPT_P, &p),
		OSSL_PARAM_construct_uint64(OSSL_KDF_PARAM_SCRYPT_MAXMEM, &memory),
		OSSL_PARAM_construct_end(),
	};
	TRY(secret_new(MASTER_KEY_SIZE, &key, fault));
	if (context == NULL || EVP_KDF_derive(context, key->data, key->length, parameters) != 1)
		return openssl_fault_set(fault, FAULT_CRYPTO, "scrypt");
	*ret_key = MOVE(key);
	return FAULT_NONE;
}
