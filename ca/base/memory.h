/*
 * memory: the one door to the heap, so that running out of it is a fault like any other (and a test can make it happen).
 *
 * What comes from here is given back with free(). Sizes are checked for overflow. Threads: safe.
 */
#ifndef CA_BASE_MEMORY_H
#define CA_BASE_MEMORY_H

#include <stddef.h>

#include "ca/base/fault.h"
#include "ca/base/scope.h"

/* count × size bytes, all zero; *ret is never NULL on success (count or size may be 0). Faults: MEMORY. */
CHECKED enum fault_code memory_new(size_t count, size_t size, void *ret_pointer, struct fault *fault);

/*
 * Makes room for at least `needed` elements in the array *array of *capacity elements of `size` bytes; grows by half at least.
 * The new room is not set. *array may be NULL with *capacity 0. Faults: MEMORY (array and capacity as before).
 */
CHECKED enum fault_code memory_reserve(void *array, size_t *capacity, size_t needed, size_t size, struct fault *fault);

/* A copy of a string or of `length` bytes followed by a NUL. Faults: MEMORY. */
CHECKED enum fault_code memory_copy_string(const char *text, char **ret_copy, struct fault *fault);
CHECKED enum fault_code memory_copy(const void *bytes, size_t length, void *ret_copy, struct fault *fault);

/* printf into fresh memory. Faults: MEMORY. */
CHECKED enum fault_code memory_printf(char **ret_text, struct fault *fault, const char *format, ...) PRINTF_LIKE(3, 4);

#endif
