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

#endif
