#include "api/server/static_files.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "api/server/precondition.h"
#include "ca/base/instant.h"

#define NAME_MAX_GZ 32                  /* "notification.xml.gz" and a NUL */
#define SERIAL_DIGITS_MAX 19
#define REPOSITORY_DIGITS_MAX 3

/* What a path's last segment may be, and how it is served. */
static const struct file_kind {
	const char *tree;               /* first segment */
	size_t depth;                   /* segments in all, without the number of a repository behind the first */
	const char *name;
	const char *type;
	bool compressible;              /* may have a .gz beside it */
	bool immutable;
} file_kinds[] = {
	{ "ta", 2, "ta.cer", "application/x-x509-ca-cert", false, false },
	{ "ta", 2, "ta.tal", "text/plain; charset=utf-8", false, false },
	{ "rrdp", 2, "notification.xml", "application/xml", true, false },
	{ "rrdp", 5, "snapshot.xml", "application/xml", true, true },
	{ "rrdp", 5, "delta.xml", "application/xml", true, true },
};

/* A lower-case UUID, as sessions are written. */
static bool
is_session(const char *text)
{
	static const char shape[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
	for (size_t i = 0; shape[i] != '\0'; i++) {
		bool fits = shape[i] == '-' ? text[i] == '-' : text[i] != '\0' && strchr("0123456789abcdef", text[i]) != NULL;
		if (!fits)
			return false;
	}
	return text[sizeof shape - 1] == '\0';
}

static bool
consists_of(const char *text, const char *digits, size_t min, size_t max)
{
	size_t length = strspn(text, digits);
	return text[length] == '\0' && length >= min && length <= max;
}

/* Repositories after the first one have a directory with their number in /rrdp. */
static bool
is_repository(const char *text)
{
	return consists_of(text, "0123456789", 1, REPOSITORY_DIGITS_MAX) && text[0] != '0';
}

static const struct file_kind *
find_kind(const struct request *request)
{
	size_t depth = request->segments_count, number = 0;
	if (depth > 2 && strcmp(request->segments[0], "rrdp") == 0 && is_repository(request->segments[1]))
		number = 1;
	depth -= number;
	const char *const *segments = request->segments + number;
	if (depth == 5 &&
		(!is_session(segments[1]) || !consists_of(segments[2], "0123456789", 1, SERIAL_DIGITS_MAX) ||
			!consists_of(segments[3], "0123456789abcdef", 32, 32)))
		return NULL;
	for (size_t i = 0; i < sizeof file_kinds / sizeof file_kinds[0]; i++) {
		const struct file_kind *kind = &file_kinds[i];
		if (kind->depth == depth && strcmp(kind->tree, request->segments[0]) == 0 &&
			strcmp(kind->name, segments[depth - 1]) == 0)
			return kind;
	}
	return NULL;
}

static enum fault_code
not_found(struct fault *fault)
{
	return fault_set(fault, FAULT_NOT_FOUND, "there is no such file");
}

/* The tree itself may be a link to another disk: that is the operator's to decide. Nothing below it may be one. */
static enum fault_code
open_directory(int data_directory, const struct request *request, int *ret_directory, struct fault *fault)
{
	AUTO_CLEAR(int, descriptor_close)
	directory = openat(data_directory, request->segments[0], O_PATH | O_DIRECTORY | O_CLOEXEC);
	for (size_t i = 1; directory >= 0 && i + 1 < request->segments_count; i++) {
		int below = openat(directory, request->segments[i], O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		descriptor_close(&directory);
		directory = below;
	}
	if (directory < 0 && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP))
		return not_found(fault);
	if (directory < 0)
		return fault_set_errno(fault, errno, "can't open a directory of /%s", request->segments[0]);
	*ret_directory = directory;
	directory = -1;
	return FAULT_NONE;
}

static enum fault_code
open_file(int directory, const char *name, int *ret_fd, struct stat *ret_status, struct fault *fault)
{
	AUTO_CLEAR(int, descriptor_close) fd = openat(directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 && (errno == ENOENT || errno == ELOOP))
		return not_found(fault);
	if (fd < 0)
		return fault_set_errno(fault, errno, "can't open %s", name);
	if (fstat(fd, ret_status) != 0)
		return fault_set_errno(fault, errno, "can't look at %s", name);
	if (!S_ISREG(ret_status->st_mode))
		return not_found(fault);
	*ret_fd = fd;
	fd = -1;
	return FAULT_NONE;
}

/* Swaps the open file for the compressed one where that is there, complete, and of this very version. */
static void
take_compressed(int directory, const char *name, struct reply *reply, struct stat *status)
{
	char compressed[NAME_MAX_GZ];
	struct stat other;
	int fd;
	(void)snprintf(compressed, sizeof compressed, "%s.gz", name);
	if (open_file(directory, compressed, &fd, &other, NULL) != FAULT_NONE)
		return;
	if (other.st_mtim.tv_sec != status->st_mtim.tv_sec || other.st_size == 0) {
		descriptor_close(&fd);
		return;
	}
	descriptor_close(&reply->fd);
	reply->fd = fd;
	*status = other;
	reply_header(reply, "Content-Encoding", "gzip");
}

enum fault_code
static_files_serve(int data_directory, const struct request *request, int64_t notification_max_age_s, struct reply *reply,
	struct fault *fault)
{
	AUTO_CLEAR(int, descriptor_close) directory = -1;
	const struct file_kind *kind = find_kind(request);
	struct stat status;
	char modified[INSTANT_TEXT];
	if (kind == NULL)
		return not_found(fault);
	TRY(open_directory(data_directory, request, &directory, fault));
	TRY(open_file(directory, kind->name, &reply->fd, &status, fault));
	if (kind->compressible) {
		reply_header(reply, "Vary", "Accept-Encoding");
		if (precondition_takes_gzip(request->accept_encoding))
			take_compressed(directory, kind->name, reply, &status);
	}
	reply->fd_length = status.st_size;
	instant_http(status.st_mtim.tv_sec, modified);
	reply_header(reply, "Last-Modified", "%s", modified);
	reply_header(reply, "Content-Type", "%s", kind->type);
	if (kind->immutable)
		reply_header(reply, "Cache-Control", "public, max-age=%d, immutable", STATIC_FILES_IMMUTABLE_S);
	else
		reply_header(reply, "Cache-Control", "public, max-age=%" PRId64, notification_max_age_s);
	if (precondition_not_modified(request->if_modified_since, status.st_mtim.tv_sec))
		reply->status = 304;
	return FAULT_NONE;
}
