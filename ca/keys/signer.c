#include "ca/keys/signer.h"

#include "ca/base/memory.h"

struct signer {
	const struct signer_operations *operations;
	void *self;
};

enum fault_code
signer_new(const struct signer_operations *operations, void *self, struct signer **ret_signer, struct fault *fault)
{
	struct signer *signer = NULL;
	enum fault_code code = memory_new(1, sizeof *signer, &signer, fault);
	if (code != FAULT_NONE) {
		operations->free(self);
		return code;
	}
	*signer = (struct signer){ .operations = operations, .self = self };
	*ret_signer = signer;
	return FAULT_NONE;
}

enum fault_code
signer_generate(struct signer *signer, struct bytes *ret_handle, struct bytes *ret_spki, struct fault *fault)
{
	return signer->operations->generate(signer->self, ret_handle, ret_spki, fault);
}

enum fault_code
signer_import(struct signer *signer, struct span private_key, struct bytes *ret_handle, struct bytes *ret_spki,
	struct fault *fault)
{
	return signer->operations->import(signer->self, private_key, ret_handle, ret_spki, fault);
}

enum fault_code
signer_sign(struct signer *signer, struct span handle, struct span message, uint8_t ret_signature[RSA_SIGNATURE_SIZE],
	struct fault *fault)
{
	return signer->operations->sign(signer->self, handle, message, ret_signature, fault);
}

enum fault_code
signer_destroy(struct signer *signer, struct span handle, struct fault *fault)
{
	return signer->operations->destroy(signer->self, handle, fault);
}

void
signer_free(struct signer *signer)
{
	if (signer == NULL)
		return;
	signer->operations->free(signer->self);
	free(signer);
}
