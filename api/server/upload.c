#include "api/server/upload.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ca/base/atomic_file.h"
#include "ca/base/memory.h"
#include "ca/base/randomness.h"

#define PARTIAL ".part"

enum fault_code
upload_open(struct request_upload *upload, int data_directory, struct fault *fault)
{
	uint64_t number;
	TRY(randomness_fill(&number, sizeof number, fault));
	TRY(atomic_file_make_directories(data_directory, UPLOAD_DIRECTORY, 0700, fault));
	(void)snprintf(upload->name, sizeof upload->name, UPLOAD_DIRECTORY "/%016" PRIx64 PARTIAL, number);
	upload->fd = openat(data_directory, upload->name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (upload->fd < 0)
		return fault_set_errno(fault, errno, "can't create %s", upload->name);
	upload->size = 0;
	return FAULT_NONE;
}

enum fault_code
upload_write(struct request_upload *upload, const void *data, size_t length, int64_t limit, struct fault *fault)
{
	const uint8_t *rest = data;
	if (length > (uint64_t)(limit - upload->size))
		return fault_set(fault, FAULT_TOO_LARGE, "the file is larger than %" PRId64 " bytes", limit);
	while (length > 0) {
		ssize_t written = write(upload->fd, rest, length);
		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return fault_set_errno(fault, errno, "can't write %s", upload->name);
		rest += written;
		length -= (size_t)written;
		upload->size += written;
	}
	return FAULT_NONE;
}

enum fault_code
upload_flush(struct request_upload *upload, struct fault *fault)
{
	if (fsync(upload->fd) != 0)
		return fault_set_errno(fault, errno, "can't flush %s", upload->name);
	return FAULT_NONE;
}

enum fault_code
upload_name(struct request_upload *upload, int data_directory, const char *id, struct fault *fault)
{
	AUTO(char, free) path = NULL;
	TRY(memory_printf(&path, fault, UPLOAD_DIRECTORY "/%s", id));
	if (renameat(data_directory, upload->name, data_directory, path) != 0)
		return fault_set_errno(fault, errno, "can't put %s in place", path);
	descriptor_close(&upload->fd);
	return atomic_file_sync_parent(data_directory, path, fault);
}

void
upload_discard(struct request_upload *upload, int data_directory)
{
	if (upload->fd < 0)
		return;
	descriptor_close(&upload->fd);
	(void)unlinkat(data_directory, upload->name, 0);
}

enum fault_code
upload_clean(int data_directory, struct fault *fault)
{
	int fd = openat(data_directory, UPLOAD_DIRECTORY, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return FAULT_NONE;
	if (fd < 0)
		return fault_set_errno(fault, errno, "can't open " UPLOAD_DIRECTORY);
	DIR *listing = fdopendir(fd);
	if (listing == NULL) {
		int error = errno;
		descriptor_close(&fd);
		return fault_set_errno(fault, error, "can't list " UPLOAD_DIRECTORY);
	}
	for (const struct dirent *entry; (entry = readdir(listing)) != NULL;) {
		size_t length = strlen(entry->d_name);
		if (length > strlen(PARTIAL) && strcmp(entry->d_name + length - strlen(PARTIAL), PARTIAL) == 0)
			(void)unlinkat(fd, entry->d_name, 0);
	}
	(void)closedir(listing);
	return FAULT_NONE;
}
