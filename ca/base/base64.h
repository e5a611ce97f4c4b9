/* base64: RFC 4648 text of bytes: base64 with padding (§4), base64url without (§5), lower-case hex. Pure. */
#ifndef CA_BASE_BASE64_H
#define CA_BASE_BASE64_H

#include <stddef.h>
#include <stdint.h>

#include "ca/base/bytes.h"

#define BASE64_LENGTH(n) (((n) + 2) / 3 * 4)   /* characters for n bytes, padded */

/* Writes BASE64_LENGTH(data.length) characters, no NUL; returns how many. */
size_t base64_encode(struct span data, char *ret_text);
size_t base64_encode_url(struct span data, char *ret_text);               /* the same without padding, followed by a NUL */
CHECKED enum fault_code base64_append(struct bytes *text, struct span data, struct fault *fault);
/* Strict: no white space, full padding, no stray bits; replaces *ret_data. Faults: MALFORMED, MEMORY. */
CHECKED enum fault_code base64_decode(const char *text, size_t length, struct bytes *ret_data, struct fault *fault);
CHECKED enum fault_code base64_decode_url(const char *text, size_t length, struct bytes *ret_data, struct fault *fault);

void hex_encode(struct span data, char *ret_text);                        /* 2 characters a byte and a NUL */
bool hex_decode(const char *text, uint8_t *ret_data, size_t length);      /* exactly 2 × length digits, either case */

#endif
