/*
 * rsa_key: a fresh RSA 2048 key in memory, and the sources that keys come from. Made by nettle (README.md says what was measured
 * and why it is safe); used through OpenSSL. Private to ca/keys but for key sources, which tests replace by a fixed set.
 *
 * Threads: a source is called from many threads at once; a key belongs to one.
 */
#ifndef CA_KEYS_RSA_KEY_H
#define CA_KEYS_RSA_KEY_H

#include "ca/base/bytes.h"
#include "ca/base/fault.h"
#include "ca/base/scope.h"
#include "ca/base/secret.h"

/* Where keys come from: returns a DER RSAPrivateKey (RFC 8017 A.1.2) in locked memory. */
struct key_source {
	enum fault_code (*make)(void *self, struct secret **ret_private_key, struct fault *fault);
	void *self;
};

/* The real one: nettle's rsa_generate_keypair with OpenSSL's private random bytes; counts itself in the metrics. */
struct key_source rsa_key_source(void);

#endif
