/*
 * signer: the door behind which the private keys of CAs live. Software keys today; a PKCS#11 token or a key process can stand
 * behind the same door. The rest of the code sees handles and public keys, never a private key and never an EVP_PKEY of a CA.
 *
 * A handle is what the database keeps for a key and gives back for each use: the private key wrapped under the master key for the
 * software signer, a label for a token. Algorithms: RSA 2048, e = 65537, SHA-256, PKCS #1 v1.5 (RFC 7935).
 *
 * Threads: every call is safe from any thread.
 */
#ifndef CA_KEYS_SIGNER_H
#define CA_KEYS_SIGNER_H

#include <stdint.h>

#include "ca/base/bytes.h"
#include "ca/base/fault.h"
#include "ca/base/scope.h"

#define RSA_SIGNATURE_SIZE 256

struct signer;

/* What stands behind the door. Each call as the function of the same name below; `self` is the implementation's own. */
struct signer_operations {
	enum fault_code (*generate)(void *self, struct bytes *ret_handle, struct bytes *ret_spki, struct fault *fault);
	enum fault_code (*import)(void *self, struct span private_key, struct bytes *ret_handle, struct bytes *ret_spki,
		struct fault *fault);
	enum fault_code (*sign)(void *self, struct span handle, struct span message, uint8_t ret_signature[RSA_SIGNATURE_SIZE],
		struct fault *fault);
	enum fault_code (*destroy)(void *self, struct span handle, struct fault *fault);
	void (*free)(void *self);
};

/* Takes `self` over, also on failure. Faults: MEMORY. */
CHECKED enum fault_code signer_new(const struct signer_operations *operations, void *self, struct signer **ret_signer,
	struct fault *fault);

/* Makes a key. ret_spki: DER of its SubjectPublicKeyInfo (rsaEncryption with NULL parameters). Faults: CRYPTO, KEY, MEMORY. */
CHECKED enum fault_code signer_generate(struct signer *signer, struct bytes *ret_handle, struct bytes *ret_spki,
	struct fault *fault);
/* Takes in an existing private key (PEM or DER, PKCS#8 or PKCS#1; RSA 2048 with e = 65537 only). Faults: KEY, CRYPTO, MEMORY. */
CHECKED enum fault_code signer_import(struct signer *signer, struct span private_key, struct bytes *ret_handle,
	struct bytes *ret_spki, struct fault *fault);
/* Signs SHA-256 of message. Faults: KEY when the handle can't be opened (wrong master key, altered row), CRYPTO, MEMORY. */
CHECKED enum fault_code signer_sign(struct signer *signer, struct span handle, struct span message,
	uint8_t ret_signature[RSA_SIGNATURE_SIZE], struct fault *fault);
/* Forgets a key for good, as far as this signer holds anything of it (cached copies; the key itself on a token). Faults: KEY. */
CHECKED enum fault_code signer_destroy(struct signer *signer, struct span handle, struct fault *fault);
void signer_free(struct signer *signer);
SCOPED(struct signer, signer_free)

#endif
