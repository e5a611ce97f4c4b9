/*
 * master_key: the 256-bit key under which private keys are stored (AES-256-GCM). Kept in a file of mode 0600 or handed over as a
 * systemd credential, never in the database.
 */
#ifndef CA_KEYS_MASTER_KEY_H
#define CA_KEYS_MASTER_KEY_H

#include "ca/base/bytes.h"
#include "ca/base/fault.h"
#include "ca/base/secret.h"

#define MASTER_KEY_SIZE 32
#define MASTER_KEY_CREDENTIAL "cadastre-master-key" /* name under $CREDENTIALS_DIRECTORY */

/*
 * Writes a fresh key (64 hex digits and a newline) to path, which must not exist, mode 0600, durable. Faults: CONFLICT, IO, DISK,
 * CRYPTO.
 */
CHECKED enum fault_code master_key_create(int directory, const char *path, struct fault *fault);
/*
 * Reads it: from $CREDENTIALS_DIRECTORY/cadastre-master-key when that file is there, else from path.
 * Faults: KEY (missing; readable by others; not a key: each with what to do), IO.
 */
CHECKED enum fault_code master_key_load(int directory, const char *path, struct secret **ret_key, struct fault *fault);

/* nonce ‖ ciphertext ‖ tag. `purpose` is authenticated with it. Faults: CRYPTO, MEMORY; unwrap: KEY when it doesn't open. */
CHECKED enum fault_code master_key_wrap(const struct secret *master_key, const char *purpose, struct span plain,
	struct bytes *ret_wrapped, struct fault *fault);
CHECKED enum fault_code master_key_unwrap(const struct secret *master_key, const char *purpose, struct span wrapped,
	struct secret **ret_plain, struct fault *fault);
/* A value to store beside the wrapped keys and to compare at start: tells a wrong master key before anything is done with it. */
CHECKED enum fault_code master_key_fingerprint(const struct secret *master_key, uint8_t ret_fingerprint[32], struct fault *fault);

#endif
