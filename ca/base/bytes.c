#include "ca/base/bytes.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ca/base/memory.h"

void
bytes_clear(struct bytes *bytes)
{
	free(bytes->data);
	*bytes = BYTES_INIT;
}

void
bytes_reset(struct bytes *bytes)
{
	bytes->length = 0;
	if (bytes->data != NULL)
		bytes->data[0] = '\0';
}

struct span
bytes_span(const struct bytes *bytes)
{
	return SPAN(bytes->data, bytes->length);
}

const char *
bytes_text(const struct bytes *bytes)
{
	return bytes->data == NULL ? "" : (const char *)bytes->data;
}

enum fault_code
bytes_reserve(struct bytes *bytes, size_t more, struct fault *fault)
{
	if (more > SIZE_MAX - 1 - bytes->length)
		return fault_set(fault, FAULT_MEMORY, "out of memory for %zu more bytes", more);
	TRY(memory_reserve(&bytes->data, &bytes->capacity, bytes->length + more + 1, 1, fault));
	bytes->data[bytes->length] = '\0';
	return FAULT_NONE;
}

enum fault_code
bytes_append(struct bytes *bytes, const void *data, size_t length, struct fault *fault)
{
	TRY(bytes_reserve(bytes, length, fault));
	if (length > 0)
		memcpy(bytes->data + bytes->length, data, length);
	bytes->length += length;
	bytes->data[bytes->length] = '\0';
	return FAULT_NONE;
}

enum fault_code
bytes_append_text(struct bytes *bytes, const char *text, struct fault *fault)
{
	return bytes_append(bytes, text, strlen(text), fault);
}

static size_t
printed_length(const char *format, va_list arguments)
{
	int length = vsnprintf(NULL, 0, format, arguments);
	INVARIANT(length >= 0);
	return (size_t)length;
}

enum fault_code
bytes_printf(struct bytes *bytes, struct fault *fault, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	size_t length = printed_length(format, arguments);
	va_end(arguments);
	TRY(bytes_reserve(bytes, length, fault));
	va_start(arguments, format);
	(void)vsnprintf((char *)bytes->data + bytes->length, length + 1, format, arguments);
	va_end(arguments);
	bytes->length += length;
	return FAULT_NONE;
}

bool
span_equal(struct span a, struct span b)
{
	return a.length == b.length && (a.length == 0 || memcmp(a.data, b.data, a.length) == 0);
}
