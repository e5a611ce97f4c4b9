/* roa_decode(): there is one way to write a ROA, so what is taken comes out of roa_encode() byte for byte. */
#include "tests/fuzz/fuzz.h"

#include "ca/der/roa.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(struct payload, free) payloads = NULL;
	AUTO_CLEAR(struct bytes, bytes_clear) content = BYTES_INIT;
	size_t count = 0;
	if (roa_decode(SPAN(data, size), &payloads, &count, NULL) != FAULT_NONE)
		return 0;
	INVARIANT(roa_encode(payloads, count, &content, NULL) == FAULT_NONE);
	INVARIANT(span_equal(bytes_span(&content), SPAN(data, size)));
	return 0;
}
