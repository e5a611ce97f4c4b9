#include "ca/base/memory.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_CAPACITY 8

/* Every allocation of the program goes through here. Fresh memory is zeroed, grown memory is not; NULL when there is none. */
static void *
obtain(void *old, size_t count, size_t size)
{
	if (count == 0 || size == 0)
		count = size = 1;
	return old == NULL ? calloc(count, size) : reallocarray(old, count, size);
}

static enum fault_code
out_of_memory(size_t count, size_t size, struct fault *fault)
{
	return fault_set(fault, FAULT_MEMORY, "out of memory for %zu times %zu bytes", count, size);
}

/* Callers pass the address of a pointer of any type: it is written as bytes, so that no type is pretended. */
static void
store_pointer(void *ret_pointer, void *pointer)
{
	memcpy(ret_pointer, &pointer, sizeof pointer);
}

enum fault_code
memory_new(size_t count, size_t size, void *ret_pointer, struct fault *fault)
{
	void *fresh = obtain(NULL, count, size);
	if (fresh == NULL)
		return out_of_memory(count, size, fault);
	store_pointer(ret_pointer, fresh);
	return FAULT_NONE;
}

enum fault_code
memory_reserve(void *array, size_t *capacity, size_t needed, size_t size, struct fault *fault)
{
	if (needed <= *capacity)
		return FAULT_NONE;
	size_t grown = *capacity <= SIZE_MAX / 2 ? *capacity + *capacity / 2 : SIZE_MAX;
	if (grown < needed)
		grown = needed;
	if (grown < FIRST_CAPACITY)
		grown = FIRST_CAPACITY;
	void *old;
	memcpy(&old, array, sizeof old);
	void *moved = obtain(old, grown, size);
	if (moved == NULL)
		return out_of_memory(grown, size, fault);
	store_pointer(array, moved);
	*capacity = grown;
	return FAULT_NONE;
}

enum fault_code
memory_copy(const void *bytes, size_t length, void *ret_copy, struct fault *fault)
{
	if (length == SIZE_MAX)
		return out_of_memory(1, length, fault);
	char *copy = NULL;
	TRY(memory_new(length + 1, 1, &copy, fault));
	if (length > 0)
		memcpy(copy, bytes, length);
	store_pointer(ret_copy, copy);
	return FAULT_NONE;
}

enum fault_code
memory_copy_string(const char *text, char **ret_copy, struct fault *fault)
{
	return memory_copy(text, strlen(text), ret_copy, fault);
}

static enum fault_code
print_into_fresh(char **ret_text, struct fault *fault, const char *format, va_list arguments)
{
	va_list again;
	va_copy(again, arguments);
	int length = vsnprintf(NULL, 0, format, again);
	va_end(again);
	INVARIANT(length >= 0);
	char *text = NULL;
	TRY(memory_new((size_t)length + 1, 1, &text, fault));
	(void)vsnprintf(text, (size_t)length + 1, format, arguments);
	*ret_text = text;
	return FAULT_NONE;
}

enum fault_code
memory_printf(char **ret_text, struct fault *fault, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	enum fault_code code = print_into_fresh(ret_text, fault, format, arguments);
	va_end(arguments);
	return code;
}
