/* signed_object_decode(), and the decoders of what it finds inside. */
#include "tests/fuzz/fuzz.h"

#include "ca/der/manifest.h"
#include "ca/der/roa.h"
#include "ca/der/signed_object.h"

static void
decode_content(enum content_type type, struct span content)
{
	AUTO(struct payload, free) payloads = NULL;
	AUTO_CLEAR(struct manifest, manifest_clear) manifest = MANIFEST_INIT;
	size_t count = 0;
	enum fault_code code = type == CONTENT_ROA ? roa_decode(content, &payloads, &count, NULL) :
		manifest_decode(content, &manifest, NULL);
	INVARIANT(code == FAULT_NONE || code == FAULT_MALFORMED || code == FAULT_TOO_LARGE);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_CLEAR(struct bytes, bytes_clear) content = BYTES_INIT;
	AUTO_CLEAR(struct bytes, bytes_clear) ee = BYTES_INIT;
	AUTO_CLEAR(struct certificate, certificate_clear) certificate = CERTIFICATE_INIT;
	enum content_type type;
	int64_t signing_time_at;
	if (signed_object_decode(SPAN(data, size), &type, &content, &ee, &signing_time_at, NULL) != FAULT_NONE)
		return 0;
	INVARIANT(certificate_decode(bytes_span(&ee), &certificate, NULL) == FAULT_NONE);
	decode_content(type, bytes_span(&content));
	return 0;
}
