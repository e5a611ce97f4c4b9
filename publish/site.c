#include "publish/site.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ca/base/atomic_file.h"

pthread_mutex_t *
site_lock(struct site *site)
{
	INVARIANT(pthread_mutex_lock(&site->exchange->mutex) == 0);
	return &site->exchange->mutex;
}

void
site_unlock(pthread_mutex_t **mutex)
{
	INVARIANT(pthread_mutex_unlock(*mutex) == 0);
}

struct site
site_of(const struct site *site, int64_t repository_id)
{
	struct site other = *site;
	other.repository_id = repository_id;
	return other;
}

enum fault_code
site_repositories(const struct site *site, struct publication_head **ret_heads, size_t *ret_count, struct fault *fault)
{
	AUTO(struct db_connection, db_reader_release) connection = NULL;
	TRY(db_reader_acquire(site->db, &connection, fault));
	return publisher_store_repositories(connection, ret_heads, ret_count, fault);
}

enum fault_code
site_let_pass(const struct site *site, struct fault *fault)
{
	return site->pass != NULL ? site->pass(site->pass_argument, fault) : FAULT_NONE;
}

/* One directory of a path. DIR/rrdp and DIR/rsync may be links to another disk, so that links are followed. */
static enum fault_code
make_one(const struct site *site, const char *path, struct fault *fault)
{
	struct stat status;
	if (fstatat(site->directory, path, &status, 0) == 0 && S_ISDIR(status.st_mode))
		return FAULT_NONE;
	if (fstatat(site->directory, path, &status, AT_SYMLINK_NOFOLLOW) == 0 && !S_ISLNK(status.st_mode))
		TRY(site_remove(site, path, fault));
	TRY(atomic_file_make_directories(site->directory, path, SITE_DIRECTORY_MODE, fault));
	return atomic_file_sync_parent(site->directory, path, fault);
}

enum fault_code
site_make_way(const struct site *site, const char *path, struct fault *fault)
{
	struct stat status;
	char front[LAYOUT_PATH];
	INVARIANT(strlen(path) < sizeof front);
	memcpy(front, path, strlen(path) + 1);
	for (char *slash = strchr(front, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		TRY(make_one(site, front, fault));
		*slash = '/';
	}
	/* A rename replaces anything but a directory. */
	if (fstatat(site->directory, path, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(status.st_mode))
		return site_remove(site, path, fault);
	return FAULT_NONE;
}

enum fault_code
site_remove(const struct site *site, const char *path, struct fault *fault)
{
	if (unlinkat(site->directory, path, 0) == 0 || errno == ENOENT || errno == ENOTDIR)
		return FAULT_NONE;
	return atomic_file_remove_tree(site->directory, path, fault);
}

int64_t
site_size(const struct site *site, const char *path)
{
	struct stat status;
	return fstatat(site->directory, path, &status, AT_SYMLINK_NOFOLLOW) == 0 ? status.st_size : 0;
}

void
site_gzip_path(char gzip_path[LAYOUT_PATH], const char *path)
{
	int length = snprintf(gzip_path, LAYOUT_PATH, "%s" LAYOUT_GZIP, path);
	INVARIANT(length > 0 && length < LAYOUT_PATH);
}

enum fault_code
site_write_out(int fd, int64_t size, int64_t *started, struct fault *fault)
{
	if (size - *started < SITE_WRITE_OUT)
		return FAULT_NONE;
	bool failed = sync_file_range(fd, *started, size - *started, SYNC_FILE_RANGE_WRITE) != 0 ||
		(*started > 0 && sync_file_range(fd, 0, *started, SYNC_FILE_RANGE_WAIT_BEFORE) != 0);
	/* What can't do it is flushed at the end, all at once. */
	if (failed && errno != ESPIPE && errno != ENOSYS && errno != EOPNOTSUPP && errno != EINVAL)
		return fault_set_errno(fault, errno, "can't write out a file");
	*started = size;
	return FAULT_NONE;
}

enum fault_code
site_hash(int fd, bool *ret_read, struct publication_content *ret_content, struct fault *fault)
{
	AUTO(struct digest, digest_free) digest = NULL;
	struct publication_content content = { .size = 0 };
	uint8_t block[SITE_READ];
	TRY(digest_new(&digest, fault));
	for (;;) {
		ssize_t got = read(fd, block, sizeof block);
		if (got < 0 && errno == EINTR)
			continue;
		*ret_read = got >= 0;
		if (got <= 0)
			break;
		TRY(digest_update(digest, block, (size_t)got, fault));
		content.size += got;
	}
	TRY(digest_finish(digest, content.hash, fault));
	*ret_content = content;
	return FAULT_NONE;
}

enum fault_code
site_check_object(const struct publication_object *object, struct span der, struct fault *fault)
{
	uint8_t hash[SHA256_SIZE];
	TRY(digest_sha256(der, hash, fault));
	if (!span_equal(object->hash, SPAN(hash, SHA256_SIZE)))
		return fault_set(fault, FAULT_DATABASE, "the bytes of object %" PRId64 " (%.200s) are not those that were signed",
			object->object_id, object->path);
	return FAULT_NONE;
}

static enum fault_code
set_attributes(int fd, const char *path, const struct stat *status, int64_t modified_at, struct fault *fault)
{
	const struct timespec times[2] = { { .tv_sec = modified_at }, { .tv_sec = modified_at } };
	bool time_right = status->st_mtim.tv_sec == modified_at && status->st_mtim.tv_nsec == 0;
	if (!time_right && futimens(fd, times) != 0)
		return fault_set_errno(fault, errno, "can't set the time of %s", path);
	if ((status->st_mode & 07777) != SITE_FILE_MODE && fchmod(fd, SITE_FILE_MODE) != 0)
		return fault_set_errno(fault, errno, "can't set the mode of %s", path);
	return FAULT_NONE;
}

enum fault_code
site_check(const struct site *site, const char *path, const struct publication_content *content, int64_t modified_at,
	bool *ret_good, struct fault *fault)
{
	struct stat status;
	struct publication_content found;
	bool was_read = false;
	AUTO_CLEAR(int, descriptor_close) fd = openat(site->directory, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	*ret_good = false;
	if (fd < 0 || fstat(fd, &status) != 0 || !S_ISREG(status.st_mode) || status.st_size != content->size)
		return FAULT_NONE;
	TRY(site_hash(fd, &was_read, &found, fault));
	if (!was_read || found.size != content->size || memcmp(found.hash, content->hash, SHA256_SIZE) != 0)
		return FAULT_NONE;
	TRY(set_attributes(fd, path, &status, modified_at, fault));
	*ret_good = true;
	return FAULT_NONE;
}
