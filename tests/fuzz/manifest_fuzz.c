/* manifest_decode(): what is taken comes out of manifest_encode() as the same manifest, if in another order. */
#include "tests/fuzz/fuzz.h"

#include "ca/der/manifest.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_CLEAR(struct manifest, manifest_clear) manifest = MANIFEST_INIT;
	AUTO_CLEAR(struct bytes, bytes_clear) content = BYTES_INIT;
	if (manifest_decode(SPAN(data, size), &manifest, NULL) != FAULT_NONE)
		return 0;
	struct manifest_fields fields = {
		.number = manifest.number,
		.this_update_at = manifest.this_update_at,
		.next_update_at = manifest.next_update_at,
		.entries = manifest.entries,
		.entries_count = manifest.entries_count,
	};
	INVARIANT(manifest_encode(&fields, &content, NULL) == FAULT_NONE);
	INVARIANT(content.length == size);
	return 0;
}
