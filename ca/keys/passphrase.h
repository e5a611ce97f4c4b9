/*
 * passphrase: a key out of words that a person remembers, for keys that rest on a machine without a master key of its own: scrypt (RFC
 * 7914), so that each guess costs memory and time. What comes out is used as a master key (ca/keys/master_key.h).
 *
 * Threads: safe.
 */
#ifndef CA_KEYS_PASSPHRASE_H
#define CA_KEYS_PASSPHRASE_H

#include "ca/base/bytes.h"
#include "ca/base/fault.h"
#include "ca/base/secret.h"

#define PASSPHRASE_MIN 12                /* bytes */
#define PASSPHRASE_MAX 1000
#define PASSPHRASE_SALT_SIZE 16

/* The cost: N = 2^cost, r = 8, p = 1, so 2^(cost + 10) bytes of memory: 128 MiB and about half a second by default. */
#define PASSPHRASE_COST 17
#define PASSPHRASE_COST_MIN 10
#define PASSPHRASE_COST_MAX 20

/* A MASTER_KEY_SIZE secret. Faults: INVALID (too short or too long; a cost out of bounds), CRYPTO, MEMORY. */
CHECKED enum fault_code passphrase_derive(const struct secret *passphrase, const uint8_t salt[PASSPHRASE_SALT_SIZE], int cost,
	struct secret **ret_key, struct fault *fault);

#endif
