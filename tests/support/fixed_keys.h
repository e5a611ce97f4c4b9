/*
 * fixed_keys: a source of RSA keys for tests alone. Making a key takes 40 ms, which thousands of objects in virtual time can't
 * spend: so FIXED_KEYS real keys are made once in each process, on all cores, by the first call of fixed_keys_source(), and then
 * handed out in turn, again and again.
 *
 * A key that is used twice breaks RFC 6488 §2.1.4 and RFC 9286 §5.1: never outside tests. Threads: safe.
 */
#ifndef TESTS_SUPPORT_FIXED_KEYS_H
#define TESTS_SUPPORT_FIXED_KEYS_H

#include "ca/keys/rsa_key.h"

#define FIXED_KEYS 24

struct key_source fixed_keys_source(void);

#endif
