/*
 * prime_keys: a source of many different RSA keys for tests alone. A file's name follows from its one-time key, so months of a
 * registry need thousands of different ones, and at 40 ms each there is no time for that. So some hundred primes are found once, on
 * all cores, and each pair of them is a key: 0.1 ms. Half a second buys a thousand keys.
 *
 * Keys that share a prime are broken by anyone who can compute a greatest common divisor: never outside tests. Threads: safe.
 */
#ifndef TESTS_SUPPORT_PRIME_KEYS_H
#define TESTS_SUPPORT_PRIME_KEYS_H

#include "ca/keys/rsa_key.h"

#define PRIME_KEYS_CA_MAX 1500           /* keys of CAs; the others are one-time keys, and come round again */

/* Finds the primes: so many in this process, by the first call; an even number. About primes² / 2 keys. */
void prime_keys_prepare(size_t primes);
struct key_source prime_keys_ca_source(void);
struct key_source prime_keys_onetime_source(void);
/* One for both; its keys come round again when all were given. Not together with the two above. */
struct key_source prime_keys_source(void);

#endif
