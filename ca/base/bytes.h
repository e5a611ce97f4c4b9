/*
 * bytes: an owned, growing run of bytes or text. Always followed by a NUL that length does not count (once anything was added).
 *
 * Threads: one at a time.
 */
#ifndef CA_BASE_BYTES_H
#define CA_BASE_BYTES_H

#include <stddef.h>
#include <stdint.h>

#include "ca/base/fault.h"
#include "ca/base/scope.h"

struct bytes {
	uint8_t *data; /* NULL while nothing was added */
	size_t length;
	size_t capacity;
};

/* A borrowed run of bytes; data may be NULL when length is 0. */
struct span {
	const uint8_t *data;
	size_t length;
};

#define BYTES_INIT ((struct bytes){ .data = NULL })
#define SPAN(pointer, count) ((struct span){ (const uint8_t *)(pointer), (count) })

void bytes_clear(struct bytes *bytes);                       /* frees; usable again afterwards */
void bytes_reset(struct bytes *bytes);                       /* length 0, memory kept */
struct span bytes_span(const struct bytes *bytes);
const char *bytes_text(const struct bytes *bytes);           /* "" when empty */
/* Trades contents: how a function gives what it built in a local of its own, whose clean-up then frees what the caller had. */
static inline void
bytes_swap(struct bytes *a, struct bytes *b)
{
	struct bytes kept = *a;
	*a = *b;
	*b = kept;
}

CHECKED enum fault_code bytes_reserve(struct bytes *bytes, size_t more, struct fault *fault);
CHECKED enum fault_code bytes_append(struct bytes *bytes, const void *data, size_t length, struct fault *fault);
CHECKED enum fault_code bytes_append_text(struct bytes *bytes, const char *text, struct fault *fault);
CHECKED enum fault_code bytes_printf(struct bytes *bytes, struct fault *fault, const char *format, ...) PRINTF_LIKE(3, 4);

bool span_equal(struct span a, struct span b);               /* not constant time: never for secrets */

#endif
