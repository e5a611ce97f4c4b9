/* signature: verifies what a key signed outside of certificates: RSA 2048, SHA-256, PKCS #1 v1.5. Threads: safe. */
#ifndef CA_KEYS_SIGNATURE_H
#define CA_KEYS_SIGNATURE_H

#include "ca/base/bytes.h"
#include "ca/base/fault.h"
#include "ca/keys/signer.h"

/* Faults: INVALID when it isn't this key's signature over message; MALFORMED (spki is no RSA key of 2048 bits); CRYPTO, MEMORY. */
CHECKED enum fault_code signature_check(struct span spki, struct span message, const uint8_t signature[RSA_SIGNATURE_SIZE],
	struct fault *fault);

#endif
