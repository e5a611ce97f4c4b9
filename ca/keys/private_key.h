/*
 * private_key: an RSA private key decoded for OpenSSL's use. Internal to ca/keys: nothing outside sees an EVP_PKEY.
 *
 * Only RSA 2048 with e = 65537 passes (RFC 7935 §3). Threads: many may sign with one key; all else belongs to one thread.
 */
#ifndef CA_KEYS_PRIVATE_KEY_H
#define CA_KEYS_PRIVATE_KEY_H

#include <openssl/evp.h>
#include <stdint.h>

#include "ca/base/bytes.h"
#include "ca/base/fault.h"
#include "ca/base/scope.h"
#include "ca/base/secret.h"
#include "ca/keys/signer.h"

#define PRIVATE_KEY_BITS 2048
#define PRIVATE_KEY_EXPONENT 65537
#define PRIVATE_KEY_FILE_MAX 65536 /* the longest PEM or DER that is read, in bytes */

SCOPED(EVP_PKEY, EVP_PKEY_free)

/* From a DER RSAPrivateKey (RFC 8017 A.1.2) and nothing behind it. Free with EVP_PKEY_free(). Faults: KEY, CRYPTO, MEMORY. */
CHECKED enum fault_code private_key_decode(struct span der, EVP_PKEY **ret_key, struct fault *fault);

/*
 * Reads somebody else's key (PEM or DER, PKCS#8 or PKCS#1, not encrypted), checks its primes and arithmetic, and gives it back as
 * DER RSAPrivateKey. Faults: KEY with the reason, CRYPTO, MEMORY.
 */
CHECKED enum fault_code private_key_import(struct span file, struct secret **ret_der, struct fault *fault);

/* DER SubjectPublicKeyInfo, rsaEncryption with NULL parameters. Faults: CRYPTO, MEMORY. */
CHECKED enum fault_code private_key_spki(const EVP_PKEY *key, struct bytes *ret_spki, struct fault *fault);

/* PKCS #1 v1.5 over SHA-256 of message. Counted in the metrics, with its CPU time. Faults: CRYPTO. */
CHECKED enum fault_code private_key_sign(EVP_PKEY *key, struct span message, uint8_t ret_signature[RSA_SIGNATURE_SIZE],
	struct fault *fault);

/* Signs and verifies once, so that a key that was made or stored wrongly is never used. Not counted. Faults: CRYPTO. */
CHECKED enum fault_code private_key_prove(EVP_PKEY *key, struct fault *fault);

#endif
