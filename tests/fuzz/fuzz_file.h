/* fuzz_file: an input as a file, for readers that take a path. In memory, gone when it is closed. */
#ifndef TESTS_FUZZ_FUZZ_FILE_H
#define TESTS_FUZZ_FUZZ_FILE_H

#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "ca/base/fault.h"
#include "ca/base/scope.h"

struct fuzz_file {
	int fd;
	char path[32];  /* opens the same file anew */
};

static inline struct fuzz_file
fuzz_file_new(const uint8_t *data, size_t size)
{
	struct fuzz_file file = { .fd = memfd_create("fuzz", MFD_CLOEXEC) };
	INVARIANT(file.fd >= 0);
	INVARIANT(write(file.fd, data, size) == (ssize_t)size);
	(void)snprintf(file.path, sizeof file.path, "/proc/self/fd/%d", file.fd);
	return file;
}

static inline void
fuzz_file_clear(struct fuzz_file *file)
{
	descriptor_close(&file->fd);
}

#endif
