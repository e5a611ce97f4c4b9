#include "ca/der/tal.h"

#include "ca/base/base64.h"

#define LINE_LENGTH 64

enum fault_code
tal_print(const char *https_uri, const char *rsync_uri, struct span spki, struct bytes *ret_text, struct fault *fault)
{
	AUTO_CLEAR(struct bytes, bytes_clear) text = BYTES_INIT;
	AUTO_CLEAR(struct bytes, bytes_clear) key = BYTES_INIT;
	TRY(base64_append(&key, spki, fault));
	/* RFC 8630 §2.2: comments, URIs, an empty line, the key. HTTPS first, as the order is that of preference. */
	TRY(bytes_printf(&text, fault, "# Trust anchor locator (RFC 8630)\n%s\n%s\n\n", https_uri, rsync_uri));
	for (size_t at = 0; at < key.length; at += LINE_LENGTH) {
		size_t left = key.length - at;
		TRY(bytes_append(&text, key.data + at, left < LINE_LENGTH ? left : LINE_LENGTH, fault));
		TRY(bytes_append_text(&text, "\n", fault));
	}
	bytes_swap(ret_text, &text);
	return FAULT_NONE;
}
