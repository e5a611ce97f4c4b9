/*
 * key_cache: the CA keys used last, decoded: opening and decoding one takes as long as a signature does. Internal to ca/keys.
 *
 * Threads: safe; its lock is held for looking up alone, never while a key is worked with.
 */
#ifndef CA_KEYS_KEY_CACHE_H
#define CA_KEYS_KEY_CACHE_H

#include <openssl/evp.h>
#include <stddef.h>
#include <stdint.h>

#include "ca/base/digest.h"
#include "ca/base/fault.h"
#include "ca/base/scope.h"

struct key_cache;

/* Which handle: its SHA-256. */
struct key_name {
	uint8_t digest[SHA256_SIZE];
};

/* A decoded key: in the cache, held by those who sign with it, or both. Wiped when the last of them lets go. */
struct cached_key;
EVP_PKEY *cached_key_use(const struct cached_key *key);   /* borrowed; many threads may sign with it at once */
void cached_key_release(struct cached_key *key);
SCOPED(struct cached_key, cached_key_release)

/* Keeps up to `capacity` keys, then lets go of the one that was longest unused. Faults: MEMORY. */
CHECKED enum fault_code key_cache_new(size_t capacity, struct key_cache **ret_cache, struct fault *fault);
void key_cache_free(struct key_cache *cache);
SCOPED(struct key_cache, key_cache_free)

/* To be released; NULL when it isn't here: then *ret_epoch is for key_cache_add(), once the caller has decoded it. */
struct cached_key *key_cache_find(struct key_cache *cache, const struct key_name *name, uint64_t *ret_epoch);
/*
 * Takes `key` over, also on failure, and keeps it, unless a key was removed since `epoch`: that may have been this one, and it is
 * to stay forgotten. *ret_key is to be released; it is another thread's copy when that was faster. Faults: MEMORY.
 */
CHECKED enum fault_code key_cache_add(struct key_cache *cache, const struct key_name *name, uint64_t epoch, EVP_PKEY *key,
	struct cached_key **ret_key, struct fault *fault);
void key_cache_remove(struct key_cache *cache, const struct key_name *name);
size_t key_cache_count(struct key_cache *cache);

#endif
