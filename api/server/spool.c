#include "api/server/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "ca/base/atomic_file.h"
#include "ca/base/memory.h"
#include "ca/base/randomness.h"

/* A named file that is unlinked at once, where the file system has none without names. */
static enum fault_code
open_named(struct spool *spool, struct fault *fault)
{
	uint64_t number;
	AUTO(char, free) name = NULL;
	TRY(randomness_fill(&number, sizeof number, fault));
	TRY(memory_printf(&name, fault, SPOOL_DIRECTORY "/spool-%016" PRIx64, number));
	spool->fd = openat(spool->data_directory, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (spool->fd < 0)
		return fault_set_errno(fault, errno, "can't create %s", name);
	(void)unlinkat(spool->data_directory, name, 0);
	return FAULT_NONE;
}

static enum fault_code
open_file(struct spool *spool, struct fault *fault)
{
	TRY(atomic_file_make_directories(spool->data_directory, SPOOL_DIRECTORY, 0700, fault));
	spool->fd = openat(spool->data_directory, SPOOL_DIRECTORY, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (spool->fd >= 0)
		return FAULT_NONE;
	if (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL)
		return open_named(spool, fault);
	return fault_set_errno(fault, errno, "can't create a file in " SPOOL_DIRECTORY);
}

static enum fault_code
flush(struct spool *spool, struct fault *fault)
{
	const uint8_t *rest = spool->memory.data;
	size_t length = spool->memory.length;
	while (length > 0) {
		ssize_t written = write(spool->fd, rest, length);
		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return fault_set_errno(fault, errno, "can't write an answer to " SPOOL_DIRECTORY);
		rest += written;
		length -= (size_t)written;
	}
	bytes_reset(&spool->memory);
	return FAULT_NONE;
}

enum fault_code
spool_write(struct spool *spool, const void *data, size_t length, struct fault *fault)
{
	if (length > (size_t)(SPOOL_FILE_MAX - spool->length))
		return fault_set(fault, FAULT_TOO_LARGE, "the answer would be larger than %" PRId64 " bytes", SPOOL_FILE_MAX);
	if (spool->memory.length + length > SPOOL_MEMORY_MAX) {
		if (spool->fd < 0)
			TRY(open_file(spool, fault));
		TRY(flush(spool, fault));
	}
	TRY(bytes_append(&spool->memory, data, length, fault));
	spool->length += (int64_t)length;
	return FAULT_NONE;
}

enum fault_code
spool_text(struct spool *spool, const char *text, struct fault *fault)
{
	return spool_write(spool, text, strlen(text), fault);
}

enum fault_code
spool_finish(struct spool *spool, struct fault *fault)
{
	return spool->fd < 0 ? FAULT_NONE : flush(spool, fault);
}

void
spool_reset(struct spool *spool)
{
	descriptor_close(&spool->fd);
	bytes_reset(&spool->memory);
	spool->length = 0;
}

void
spool_clear(struct spool *spool)
{
	spool_reset(spool);
	bytes_clear(&spool->memory);
}
