/*
 * file_memory: a large table that must not stay in memory: it lies in a file without a name, and only what was used just now takes
 * room. What is let go of is found again as it was, in the system's cache or on the disk.
 *
 * For what can be made again alone: the file goes with its descriptor, whatever ends the process. Room on the disk is taken before it
 * is used, so that a full disk is a fault and no signal; a disk that can't be read any more ends the process (SIGBUS), as it does
 * with pages of the program itself. Threads: one at a time.
 */
#ifndef CA_BASE_FILE_MEMORY_H
#define CA_BASE_FILE_MEMORY_H

#include <stddef.h>

#include "ca/base/fault.h"

struct file_memory {
	void *data;                             /* its address stays; NULL: not open */
	size_t size;                            /* bytes that may be used */
	size_t limit;                           /* bytes that `size` may become */
	int fd;
};

#define FILE_MEMORY_INIT ((struct file_memory){ .data = NULL, .fd = -1 })

/*
 * In this directory (a descriptor); -1, or where that can't be written: in $TMPDIR, or /tmp. limit: bytes; takes addresses only.
 * *ret_memory must be FILE_MEMORY_INIT. Faults: MEMORY, IO, DISK.
 */
CHECKED enum fault_code file_memory_open(int directory, size_t limit, struct file_memory *ret_memory, struct fault *fault);
/* Room for at least `needed` bytes; new ones are zero. Faults: TOO_LARGE (beyond the limit), DISK, IO. */
CHECKED enum fault_code file_memory_reserve(struct file_memory *memory, size_t needed, struct fault *fault);
/* Nothing of it takes room in memory until it is used again. Pointers into it stay valid. */
void file_memory_rest(const struct file_memory *memory);
void file_memory_close(struct file_memory *memory); /* usable again afterwards */

#endif
