/* Where files are, and small things about them. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ca/base/base64.h"
#include "ca/base/gzip_reader.h"
#include "ca/base/memory.h"
#include "publish/check/check_internal.h"

#define BLOCK 65536
#define LOCAL_PATH (CHECK_URI + 16)

bool
check_span_is(struct span span, const char *text)
{
	return span.data != NULL && span_equal(span, SPAN(text, strlen(text)));
}

/* In a data directory what is below the notification's directory is in rrdp/. false: it isn't below. */
static bool
local_path(const struct check *check, const char *uri, const char *ending, char path[LOCAL_PATH])
{
	size_t base = strlen(check->rrdp_base);
	if (strncmp(uri, check->rrdp_base, base) != 0 || !lint_uri(uri, "https"))
		return false;
	(void)snprintf(path, LOCAL_PATH, "rrdp/%s%s", uri + base, ending);
	return true;
}

static enum fault_code
open_local(const struct check *check, const char *uri, const char *ending, int *ret_fd, struct fault *fault)
{
	char path[LOCAL_PATH];
	if (!local_path(check, uri, ending, path))
		return fault_set(fault, FAULT_NOT_FOUND, "%.200s is not below %.200s", uri, check->rrdp_base);
	int fd = openat(check->request->directory, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR || errno == ELOOP ? fault_set(fault, FAULT_NOT_FOUND, "there is no file %.200s", path) :
			fault_set_errno(fault, errno, "opening %.200s", path);
	*ret_fd = fd;
	return FAULT_NONE;
}

enum fault_code
check_place_open(const struct check *check, const char *uri, int64_t limit, int *ret_fd, struct fault *fault)
{
	const struct check_source *source = check->request->source;
	if (check->request->directory >= 0)
		return open_local(check, uri, "", ret_fd, fault);
	return source->open(source->self, uri, limit, ret_fd, fault);
}

enum fault_code
check_place_read(int fd, size_t limit, struct bytes *ret_content, struct fault *fault)
{
	bytes_reset(ret_content);
	for (;;) {
		TRY(bytes_reserve(ret_content, BLOCK, fault));
		ssize_t length = read(fd, ret_content->data + ret_content->length, BLOCK);
		if (length < 0 && errno == EINTR)
			continue;
		if (length < 0)
			return fault_set_errno(fault, errno, "reading a file");
		if (length == 0)
			return FAULT_NONE;
		ret_content->length += (size_t)length;
		if (ret_content->length > limit)
			return fault_set(fault, FAULT_TOO_LARGE, "a file has more than %zu bytes", limit);
	}
}

static void
drop_blanks(struct bytes *text)
{
	size_t kept = 0;
	for (size_t i = 0; i < text->length; i++)
		if (!check_rrdp_blank((char)text->data[i]))
			text->data[kept++] = text->data[i];
	text->length = kept;
}

enum fault_code
check_place_object(const struct check *check, const struct check_entry *entry, struct bytes *ret_der, struct fault *fault)
{
	AUTO_CLEAR(struct bytes, bytes_clear) text = BYTES_INIT;
	INVARIANT(entry->point > 0 && entry->point <= check->points_count);
	int snapshot = check->points[entry->point - 1]->snapshot;
	TRY(bytes_reserve(&text, (size_t)entry->length + 1, fault));
	while (text.length < entry->length) {
		ssize_t length = pread(snapshot, text.data + text.length, entry->length - text.length,
			entry->offset + (off_t)text.length);
		if (length < 0 && errno == EINTR)
			continue;
		if (length < 0)
			return fault_set_errno(fault, errno, "reading the snapshot");
		if (length == 0)
			return fault_set(fault, FAULT_IO, "the snapshot was cut off while it was read");
		text.length += (size_t)length;
	}
	drop_blanks(&text);
	return base64_decode((const char *)text.data, text.length, ret_der, fault);
}

/* Unpacks what a descriptor shows; MALFORMED where that can't be done. */
static enum fault_code
hash_unpacked(int fd, uint8_t ret_hash[SHA256_SIZE], struct fault *fault)
{
	AUTO(struct gzip_reader, gzip_reader_free) reader = NULL;
	AUTO(struct digest, digest_free) digest = NULL;
	AUTO(char, free) block = NULL;
	char path[40];
	size_t length;
	(void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	TRY(gzip_reader_open(path, BLOCK, (uint64_t)CHECK_DOCUMENT_MAX, &reader, fault));
	TRY(digest_new(&digest, fault));
	TRY(memory_new(BLOCK, 1, &block, fault));
	for (;;) {
		TRY(gzip_reader_read(reader, block, BLOCK, &length, fault));
		if (length == 0)
			return digest_finish(digest, ret_hash, fault);
		TRY(digest_update(digest, block, length, fault));
	}
}

static enum fault_code
is_unchanged(const struct check *check, const char *uri, const uint8_t hash[SHA256_SIZE], bool *ret_unchanged, struct fault *fault)
{
	AUTO_CLEAR(int, descriptor_close) fd = -1;
	uint8_t now[SHA256_SIZE];
	*ret_unchanged = false;
	if (open_local(check, uri, "", &fd, NULL) != FAULT_NONE)
		return FAULT_NONE;
	TRY(hash_unpacked(fd, now, fault));
	*ret_unchanged = memcmp(now, hash, SHA256_SIZE) == 0;
	return FAULT_NONE;
}

enum fault_code
check_place_gzip(struct check *check, const char *uri, const uint8_t hash[SHA256_SIZE], struct fault *fault)
{
	AUTO_CLEAR(int, descriptor_close) fd = -1;
	struct fault refusal = FAULT_INIT;
	uint8_t unpacked[SHA256_SIZE];
	bool unchanged = true;
	if (check->request->directory < 0 || open_local(check, uri, ".gz", &fd, NULL) != FAULT_NONE)
		return FAULT_NONE;
	enum fault_code code = hash_unpacked(fd, unpacked, &refusal);
	if (code == FAULT_NONE && memcmp(unpacked, hash, SHA256_SIZE) == 0)
		return FAULT_NONE;
	if (code != FAULT_NONE && code != FAULT_MALFORMED && code != FAULT_TOO_LARGE)
		return fault_set(fault, code, "%s", refusal.message);
	/* A notification and its .gz may both have been replaced since. */
	TRY(is_unchanged(check, uri, hash, &unchanged, fault));
	return unchanged ? FOUND(check, GZIP_DIFFERS, uri, fault, "its .gz %s", code == FAULT_NONE ? "unpacks to something else" :
		refusal.message) : FAULT_NONE;
}
