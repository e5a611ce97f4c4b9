/*
 * key_pool: one-time keys for the EE certificates of signed objects, made ahead by threads at idle priority. In locked memory
 * only, each used for one object and wiped (RFC 9286 §5.1, RFC 6488 §2.1.4).
 *
 * Threads: the pool is safe from any thread; a key belongs to the one that took it.
 */
#ifndef CA_KEYS_KEY_POOL_H
#define CA_KEYS_KEY_POOL_H

#include <stdint.h>

#include "ca/base/bytes.h"
#include "ca/base/fault.h"
#include "ca/base/scope.h"
#include "ca/keys/rsa_key.h"
#include "ca/keys/signer.h"

struct key_pool;
struct onetime_key;

/*
 * Keeps up to `level` keys ready, filled by `threads` threads of the lowest priority (0: none, keys are made when asked for).
 * Faults: MEMORY.
 */
CHECKED enum fault_code key_pool_new(struct key_source source, size_t level, size_t threads, struct key_pool **ret_pool,
	struct fault *fault);
/* A fresh key: from the pool, or made on the spot by the calling thread when the pool is empty. Faults: CRYPTO, MEMORY. */
CHECKED enum fault_code key_pool_take(struct key_pool *pool, struct onetime_key **ret_key, struct fault *fault);
size_t key_pool_ready(const struct key_pool *pool);
void key_pool_free(struct key_pool *pool);
SCOPED(struct key_pool, key_pool_free)

struct span onetime_key_spki(const struct onetime_key *key);             /* DER SubjectPublicKeyInfo, borrowed */
/* Signs SHA-256 of message; may be called once only. Faults: CRYPTO. */
CHECKED enum fault_code onetime_key_sign(struct onetime_key *key, struct span message, uint8_t ret_signature[RSA_SIGNATURE_SIZE],
	struct fault *fault);
void onetime_key_free(struct onetime_key *key);                          /* wipes */
SCOPED(struct onetime_key, onetime_key_free)

#endif
