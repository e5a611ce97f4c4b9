/* software_signer: CA keys wrapped at rest under the master key; the hot ones stay decoded in a bounded cache. Threads: safe. */
#ifndef CA_KEYS_SOFTWARE_SIGNER_H
#define CA_KEYS_SOFTWARE_SIGNER_H

#include "ca/base/secret.h"
#include "ca/keys/rsa_key.h"
#include "ca/keys/signer.h"

#define SOFTWARE_SIGNER_CACHE 1024 /* decoded keys kept, at about 4 KiB each */

/* Takes master_key over, also on failure. Faults: MEMORY. */
CHECKED enum fault_code software_signer_new(struct secret *master_key, struct key_source source, struct signer **ret_signer,
	struct fault *fault);

/*
 * The private key behind a handle, as DER RSAPrivateKey, for the one case in which a key moves to another machine. Faults: KEY (the handle
 * doesn't open), MEMORY, CRYPTO.
 */
CHECKED enum fault_code software_signer_reveal(const struct secret *master_key, struct span handle, struct secret **ret_private_key,
	struct fault *fault);

#endif
