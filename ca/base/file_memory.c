#include "ca/base/file_memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "ca/base/scope.h"

#define STEP_LEAST ((size_t)1 << 20)

static int
open_unnamed(int directory)
{
	int fd = directory < 0 ? -1 : openat(directory, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd >= 0 || (directory >= 0 && errno != EACCES && errno != EROFS && errno != EPERM && errno != EOPNOTSUPP))
		return fd;
	const char *elsewhere = getenv("TMPDIR");
	return open(elsewhere != NULL ? elsewhere : "/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
}

enum fault_code
file_memory_open(int directory, size_t limit, struct file_memory *ret_memory, struct fault *fault)
{
	AUTO_CLEAR(int, descriptor_close) fd = open_unnamed(directory);
	if (fd < 0)
		return fault_set_errno(fault, errno, "making a file for what is too large for memory");
	/* Nothing beyond the file's end is touched before file_memory_reserve() has moved that. */
	void *data = mmap(NULL, limit, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd, 0);
	if (data == MAP_FAILED)
		return fault_set(fault, FAULT_MEMORY, "no addresses for %zu bytes", limit);
	*ret_memory = (struct file_memory){ .data = data, .limit = limit, .fd = fd };
	fd = -1;
	return FAULT_NONE;
}

/* A quarter more at least, so that growing costs little. */
static size_t
grown(const struct file_memory *memory, size_t needed)
{
	size_t step = memory->size / 4 > STEP_LEAST ? memory->size / 4 : STEP_LEAST;
	size_t wanted = memory->size + step > needed ? memory->size + step : needed;
	return wanted < memory->limit ? wanted : memory->limit;
}

enum fault_code
file_memory_reserve(struct file_memory *memory, size_t needed, struct fault *fault)
{
	if (needed <= memory->size)
		return FAULT_NONE;
	if (needed > memory->limit)
		return fault_set(fault, FAULT_TOO_LARGE, "more than %zu bytes", memory->limit);
	size_t size = grown(memory, needed);
	int error = EINTR;
	while (error == EINTR)
		error = posix_fallocate(memory->fd, (off_t)memory->size, (off_t)(size - memory->size));
	if (error != 0)
		return fault_set_errno(fault, error, "making room for %zu bytes on the disk", size);
	memory->size = size;
	return FAULT_NONE;
}

/* Pages of a shared mapping lose nothing by that. */
void
file_memory_rest(const struct file_memory *memory)
{
	if (memory->size > 0)
		(void)madvise(memory->data, memory->size, MADV_DONTNEED);
}

void
file_memory_close(struct file_memory *memory)
{
	if (memory->data != NULL)
		(void)munmap(memory->data, memory->limit);
	descriptor_close(&memory->fd);
	*memory = FILE_MEMORY_INIT;
}
