#include "ca/base/atomic_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ca/base/memory.h"
#include "ca/base/randomness.h"

#define READ_AT_ONCE 65536
#define TREE_DEPTH_MAX 64 /* also bounds the descriptors that removing a tree holds open */

enum fault_code
atomic_file_open(struct atomic_file *file, int directory, const char *path, mode_t mode, struct fault *fault)
{
	AUTO_CLEAR(struct atomic_file, atomic_file_clear) fresh = ATOMIC_FILE_INIT;
	AUTO(char, free) temporary = NULL;
	uint64_t number;
	TRY(randomness_fill(&number, sizeof number, fault));
	TRY(memory_copy_string(path, &fresh.path, fault));
	TRY(memory_printf(&temporary, fault, "%s.tmp-%016" PRIx64, path, number));
	fresh.directory = directory;
	fresh.fd = openat(directory, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fresh.fd < 0)
		return fault_set_errno(fault, errno, "can't create %s", temporary);
	fresh.temporary = MOVE(temporary); /* from here on there is a file to unlink */
	if (fchmod(fresh.fd, mode) != 0)
		return fault_set_errno(fault, errno, "can't set the mode of %s", fresh.temporary);
	*file = fresh;
	fresh = ATOMIC_FILE_INIT;
	return FAULT_NONE;
}

enum fault_code
atomic_file_write(struct atomic_file *file, const void *data, size_t length, struct fault *fault)
{
	const uint8_t *rest = data;
	while (length > 0) {
		ssize_t written = write(file->fd, rest, length);
		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return fault_set_errno(fault, errno, "can't write %s", file->temporary);
		rest += written;
		length -= (size_t)written;
	}
	return FAULT_NONE;
}

enum fault_code
atomic_file_commit(struct atomic_file *file, int64_t modified_at, struct fault *fault)
{
	const struct timespec times[2] = { { .tv_sec = modified_at }, { .tv_sec = modified_at } };
	if (modified_at != ATOMIC_FILE_KEEP_TIME && futimens(file->fd, times) != 0)
		return fault_set_errno(fault, errno, "can't set the time of %s", file->temporary);
	/* A flush that failed must not be tried again: the kernel may have dropped the pages. The caller starts anew. */
	if (fsync(file->fd) != 0)
		return fault_set_errno(fault, errno, "can't flush %s", file->temporary);
	int fd = file->fd;
	file->fd = -1;
	if (close(fd) != 0)
		return fault_set_errno(fault, errno, "can't close %s", file->temporary);
	if (renameat(file->directory, file->temporary, file->directory, file->path) != 0)
		return fault_set_errno(fault, errno, "can't put %s in place", file->path);
	free(file->temporary);
	file->temporary = NULL;
	return atomic_file_sync_parent(file->directory, file->path, fault);
}

void
atomic_file_clear(struct atomic_file *file)
{
	int error = errno;
	descriptor_close(&file->fd);
	if (file->temporary != NULL)
		(void)unlinkat(file->directory, file->temporary, 0);
	free(file->temporary);
	free(file->path);
	*file = ATOMIC_FILE_INIT;
	errno = error;
}

enum fault_code
atomic_file_put(int directory, const char *path, struct span content, mode_t mode, int64_t modified_at, struct fault *fault)
{
	AUTO_CLEAR(struct atomic_file, atomic_file_clear) file = ATOMIC_FILE_INIT;
	TRY(atomic_file_open(&file, directory, path, mode, fault));
	TRY(atomic_file_write(&file, content.data, content.length, fault));
	return atomic_file_commit(&file, modified_at, fault);
}

enum fault_code
atomic_file_read(int directory, const char *path, size_t limit, struct bytes *ret_content, struct fault *fault)
{
	AUTO_CLEAR(struct bytes, bytes_clear) content = BYTES_INIT;
	AUTO_CLEAR(int, descriptor_close) fd = openat(directory, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return fault_set(fault, FAULT_NOT_FOUND, "there is no file %s", path);
	if (fd < 0)
		return fault_set_errno(fault, errno, "can't open %s", path);
	struct stat status;
	if (fstat(fd, &status) != 0)
		return fault_set_errno(fault, errno, "can't look at %s", path);
	if (status.st_size > 0 && (uint64_t)status.st_size <= limit)
		TRY(bytes_reserve(&content, (size_t)status.st_size + 1, fault)); /* one more shows the end without growing */
	for (;;) {
		if (content.length > limit)
			return fault_set(fault, FAULT_TOO_LARGE, "%s is larger than %zu bytes", path, limit);
		if (content.capacity < content.length + 2)
			TRY(bytes_reserve(&content, READ_AT_ONCE, fault));
		ssize_t got = read(fd, content.data + content.length, content.capacity - content.length - 1);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return fault_set_errno(fault, errno, "can't read %s", path);
		if (got == 0)
			break;
		content.length += (size_t)got;
	}
	content.data[content.length] = '\0';
	bytes_swap(ret_content, &content);
	return FAULT_NONE;
}

static enum fault_code
make_directory(int directory, const char *path, mode_t mode, struct fault *fault)
{
	struct stat status;
	if (mkdirat(directory, path, mode) == 0) {
		/* The umask may have taken bits away. */
		if (fchmodat(directory, path, mode, 0) != 0)
			return fault_set_errno(fault, errno, "can't set the mode of %s", path);
		return FAULT_NONE;
	}
	if (errno != EEXIST)
		return fault_set_errno(fault, errno, "can't make the directory %s", path);
	if (fstatat(directory, path, &status, 0) != 0)
		return fault_set_errno(fault, errno, "can't look at %s", path);
	if (!S_ISDIR(status.st_mode))
		return fault_set_errno(fault, ENOTDIR, "can't make the directory %s", path);
	return FAULT_NONE;
}

enum fault_code
atomic_file_make_directories(int directory, const char *path, mode_t mode, struct fault *fault)
{
	AUTO(char, free) front = NULL;
	TRY(memory_copy_string(path, &front, fault));
	for (char *end = front; *end != '\0'; end++) {
		if (*end != '/' || end == front)
			continue;
		*end = '\0';
		TRY(make_directory(directory, front, mode, fault));
		*end = '/';
	}
	return make_directory(directory, front, mode, fault);
}

enum fault_code
atomic_file_sync_parent(int directory, const char *path, struct fault *fault)
{
	AUTO(char, free) parent = NULL;
	TRY(memory_copy_string(path, &parent, fault));
	char *slash = strrchr(parent, '/');
	if (slash != NULL)
		slash[slash == parent] = '\0'; /* "/" itself stays */
	const char *name = slash != NULL ? parent : ".";
	AUTO_CLEAR(int, descriptor_close) fd = openat(directory, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return fault_set_errno(fault, errno, "can't open the directory of %s", path);
	if (fsync(fd) != 0)
		return fault_set_errno(fault, errno, "can't flush the directory of %s", path);
	return FAULT_NONE;
}

static void
directory_stream_close(DIR **stream)
{
	if (*stream != NULL)
		(void)closedir(*stream);
}

static enum fault_code
open_tree(int directory, const char *path, DIR **ret_stream, struct fault *fault)
{
	AUTO_CLEAR(int, descriptor_close) fd = openat(directory, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return fault_set_errno(fault, errno, "can't open the directory %s", path);
	DIR *stream = fdopendir(fd);
	if (stream == NULL)
		return fault_set_errno(fault, errno, "can't read the directory %s", path);
	fd = -1; /* the stream's now */
	*ret_stream = stream;
	return FAULT_NONE;
}

static enum fault_code
remove_tree(int directory, const char *path, int depth, struct fault *fault)
{
	if (unlinkat(directory, path, 0) == 0 || errno == ENOENT)
		return FAULT_NONE;
	if (errno != EISDIR && errno != EPERM) /* Linux and POSIX name for a directory */
		return fault_set_errno(fault, errno, "can't remove %s", path);
	if (depth == 0)
		return fault_set(fault, FAULT_IO, "can't remove %s: more than %d directories deep", path, TREE_DEPTH_MAX);
	AUTO_CLEAR(DIR *, directory_stream_close) stream = NULL;
	TRY(open_tree(directory, path, &stream, fault));
	for (;;) {
		errno = 0;
		const struct dirent *entry = readdir(stream);
		if (entry == NULL && errno != 0)
			return fault_set_errno(fault, errno, "can't read the directory %s", path);
		if (entry == NULL)
			break;
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			TRY(remove_tree(dirfd(stream), entry->d_name, depth - 1, fault));
	}
	if (unlinkat(directory, path, AT_REMOVEDIR) != 0 && errno != ENOENT)
		return fault_set_errno(fault, errno, "can't remove the directory %s", path);
	return FAULT_NONE;
}

enum fault_code
atomic_file_remove_tree(int directory, const char *path, struct fault *fault)
{
	return remove_tree(directory, path, TREE_DEPTH_MAX, fault);
}
