#include "publish/compress.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "ca/base/atomic_file.h"
#include "ca/base/memory.h"

#define GZIP_WINDOW (15 + 16) /* zlib: the largest window, with gzip's header and trailer */
#define GZIP_MEMORY 8

/* Buffers of one run of zlib, either way. */
struct codec {
	z_stream stream;
	int (*end)(z_stream *); /* NULL: nothing to end */
	uint8_t in[SITE_READ];
	uint8_t out[SITE_READ];
};

static void
codec_free(struct codec *codec)
{
	if (codec != NULL && codec->end != NULL)
		(void)codec->end(&codec->stream);
	free(codec);
}
SCOPED(struct codec, codec_free)

static voidpf
obtain(voidpf opaque, uInt items, uInt size)
{
	void *fresh = NULL;
	(void)opaque;
	return memory_new(items, size, &fresh, NULL) == FAULT_NONE ? fresh : Z_NULL;
}

static void
give_back(voidpf opaque, voidpf address)
{
	(void)opaque;
	free(address);
}

static enum fault_code
codec_new(int level, struct codec **ret_codec, struct fault *fault)
{
	AUTO(struct codec, codec_free) codec = NULL;
	TRY(memory_new(1, sizeof *codec, &codec, fault));
	codec->stream.zalloc = obtain;
	codec->stream.zfree = give_back;
	/* The header says neither time nor name: the same file gives the same .gz. */
	int result = level > 0 ? deflateInit2(&codec->stream, level, Z_DEFLATED, GZIP_WINDOW, GZIP_MEMORY, Z_DEFAULT_STRATEGY)
		: inflateInit2(&codec->stream, GZIP_WINDOW);
	if (result != Z_OK)
		return fault_set(fault, FAULT_MEMORY, "out of memory for zlib");
	codec->end = level > 0 ? deflateEnd : inflateEnd;
	*ret_codec = MOVE(codec);
	return FAULT_NONE;
}

static ssize_t
read_block(int fd, uint8_t *block)
{
	ssize_t got;
	do
		got = read(fd, block, SITE_READ);
	while (got < 0 && errno == EINTR);
	return got;
}

/* What is wanted, and until when. */
struct errand {
	struct site *site;
	const atomic_bool *stop;
	int64_t named_by;
};

/* Whether to give up at this point of the file, now and then asking the database. */
static enum fault_code
give_up(const struct errand *errand, int64_t at, bool *ret_give_up, struct fault *fault)
{
	AUTO_CLEAR(struct publication_repository, publisher_store_clear_repository) repository = PUBLICATION_REPOSITORY_INIT;
	AUTO(struct db_connection, db_reader_release) connection = NULL;
	*ret_give_up = *errand->stop;
	if (*ret_give_up || errand->named_by == 0 || at % COMPRESS_LOOK_EVERY != 0)
		return FAULT_NONE;
	TRY(db_reader_acquire(errand->site->db, &connection, fault));
	TRY(publisher_store_repository(connection, errand->site->repository_id, &repository, fault));
	*ret_give_up = repository.notified_serial != errand->named_by;
	return FAULT_NONE;
}

/* Packs all of fd into file; *ret_whole is false when it gave up. */
static enum fault_code
pack(struct codec *codec, int fd, struct atomic_file *file, const struct errand *errand, bool *ret_whole, struct fault *fault)
{
	z_stream *stream = &codec->stream;
	int64_t size = 0, started = 0, at = 0;
	for (int flush = Z_NO_FLUSH; flush != Z_FINISH; at += SITE_READ) {
		bool enough;
		*ret_whole = false;
		TRY(give_up(errand, at, &enough, fault));
		if (enough)
			return FAULT_NONE;
		ssize_t got = read_block(fd, codec->in);
		if (got < 0)
			return fault_set_errno(fault, errno, "can't read what becomes %s", file->path);
		flush = got == 0 ? Z_FINISH : Z_NO_FLUSH;
		stream->next_in = codec->in;
		stream->avail_in = (uInt)got;
		do {
			stream->next_out = codec->out;
			stream->avail_out = sizeof codec->out;
			INVARIANT(deflate(stream, flush) != Z_STREAM_ERROR);
			TRY(atomic_file_write(file, codec->out, sizeof codec->out - stream->avail_out, fault));
			size += (int64_t)(sizeof codec->out - stream->avail_out);
			TRY(site_write_out(file->fd, size, &started, fault));
		} while (stream->avail_out == 0);
	}
	*ret_whole = true;
	return FAULT_NONE;
}

static bool
same_file(const struct stat *a, const struct stat *b)
{
	return a->st_ino == b->st_ino && a->st_dev == b->st_dev && a->st_size == b->st_size &&
		a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* Puts the .gz in place if the file that it was made from still is. */
static enum fault_code
put_beside(struct site *site, struct atomic_file *file, const char *path, const struct stat *made_from, struct fault *fault)
{
	struct stat status;
	/* The long part of being durable comes before the lock. */
	if (fsync(file->fd) != 0)
		return fault_set_errno(fault, errno, "can't flush %s", file->path);
	SITE_EXCHANGE(site);
	if (fstatat(site->directory, path, &status, AT_SYMLINK_NOFOLLOW) != 0 || !same_file(&status, made_from))
		return FAULT_NONE;
	TRY(site_make_way(site, file->path, fault));
	return atomic_file_commit(file, made_from->st_mtim.tv_sec, fault);
}

static void
announce(struct site *site, const char *path)
{
	SITE_EXCHANGE(site);
	(void)snprintf(site->exchange->compressing, sizeof site->exchange->compressing, "%s", path);
}

static enum fault_code
write_gzip(const struct errand *errand, const char *path, const char *gzip_path, int fd, const struct stat *status, struct fault *fault)
{
	struct site *site = errand->site;
	AUTO(struct codec, codec_free) codec = NULL;
	AUTO_CLEAR(struct atomic_file, atomic_file_clear) file = ATOMIC_FILE_INIT;
	bool whole = false;
	TRY(codec_new(status->st_size > COMPRESS_FAST_AT ? COMPRESS_LEVEL_FAST : COMPRESS_LEVEL, &codec, fault));
	TRY(atomic_file_open(&file, site->directory, gzip_path, SITE_FILE_MODE, fault));
	TRY(pack(codec, fd, &file, errand, &whole, fault));
	return whole ? put_beside(site, &file, path, status, fault) : FAULT_NONE;
}

enum fault_code
compress_file(struct site *site, const char *path, int64_t named_by, const atomic_bool *stop, struct fault *fault)
{
	const struct errand errand = { .site = site, .stop = stop, .named_by = named_by };
	char gzip_path[LAYOUT_PATH];
	struct stat status, gzip_status;
	AUTO_CLEAR(int, descriptor_close) fd = openat(site->directory, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return FAULT_NONE;
	if (fd < 0 || fstat(fd, &status) != 0)
		return fault_set_errno(fault, errno, "can't open %s", path);
	site_gzip_path(gzip_path, path);
	if (fstatat(site->directory, gzip_path, &gzip_status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(gzip_status.st_mode) &&
		gzip_status.st_mtim.tv_sec == status.st_mtim.tv_sec)
		return FAULT_NONE;
	announce(site, path);
	enum fault_code code = write_gzip(&errand, path, gzip_path, fd, &status, fault);
	announce(site, "");
	/* A file that was retired meanwhile needs none. */
	if (code == FAULT_IO && fstatat(site->directory, path, &status, AT_SYMLINK_NOFOLLOW) != 0 && errno == ENOENT) {
		fault_clear(fault);
		return FAULT_NONE;
	}
	return code;
}

/* The serial on disk and what its notification names: cuts[0] with its snapshot, and all with their deltas. */
static enum fault_code
read_named(const struct site *site, struct publication_repository *repository, struct publication_cut **ret_cuts,
	size_t *ret_count, struct fault *fault)
{
	AUTO(struct db_connection, db_reader_release) connection = NULL;
	struct publication_cut cut;
	bool found = false;
	TRY(db_reader_acquire(site->db, &connection, fault));
	TRY(publisher_store_repository(connection, site->repository_id, repository, fault));
	TRY(publisher_store_cut(connection, site->repository_id, repository->notified_serial, &cut, &found, fault));
	if (!found)
		return FAULT_NONE;
	int64_t count = cut.first_delta != 0 ? cut.serial - cut.first_delta + 1 : 1;
	return publisher_store_cuts_down(connection, site->repository_id, cut.serial, count, ret_cuts, ret_count, fault);
}

/* What is fetched most often: the notification and its deltas. */
static enum fault_code
compress_small(struct site *site, const atomic_bool *stop, struct fault *fault)
{
	AUTO_CLEAR(struct publication_repository, publisher_store_clear_repository) repository = PUBLICATION_REPOSITORY_INIT;
	AUTO(struct publication_cut, free) cuts = NULL;
	size_t count = 0;
	char path[LAYOUT_PATH];
	TRY(read_named(site, &repository, &cuts, &count, fault));
	if (count == 0)
		return FAULT_NONE;
	layout_notification(path, site->repository_id);
	TRY(compress_file(site, path, 0, stop, fault));
	for (size_t i = 0; i < count && cuts[0].first_delta != 0 && !*stop; i++) {
		layout_rrdp(path, repository.session, &cuts[i], layout_file_name(LAYOUT_DELTA));
		TRY(compress_file(site, path, 0, stop, fault));
	}
	return FAULT_NONE;
}

static enum fault_code
compress_snapshot(struct site *site, const atomic_bool *stop, struct fault *fault)
{
	AUTO_CLEAR(struct publication_repository, publisher_store_clear_repository) repository = PUBLICATION_REPOSITORY_INIT;
	AUTO(struct publication_cut, free) cuts = NULL;
	size_t count = 0;
	char path[LAYOUT_PATH];
	TRY(read_named(site, &repository, &cuts, &count, fault));
	if (count == 0)
		return FAULT_NONE;
	layout_rrdp(path, repository.session, &cuts[0], layout_file_name(LAYOUT_SNAPSHOT));
	return compress_file(site, path, cuts[0].serial, stop, fault);
}

/* A snapshot takes longest, and nobody is told of it any more once there is another: so the small files of all repositories come first. */
enum fault_code
compress_run(struct site *site, const atomic_bool *stop, struct fault *fault)
{
	AUTO(struct publication_head, free) heads = NULL;
	size_t count = 0;
	TRY(site_repositories(site, &heads, &count, fault));
	for (size_t i = 0; i < count && !*stop; i++) {
		struct site one = site_of(site, heads[i].repository_id);
		TRY(compress_small(&one, stop, fault));
	}
	for (size_t i = 0; i < count && !*stop; i++) {
		struct site one = site_of(site, heads[i].repository_id);
		TRY(compress_snapshot(&one, stop, fault));
	}
	return FAULT_NONE;
}

/* Whether all of fd is one gzip stream of this content. */
static enum fault_code
unpacks_to(struct codec *codec, int fd, const struct publication_content *content, bool *ret_right, struct fault *fault)
{
	AUTO(struct digest, digest_free) digest = NULL;
	uint8_t hash[SHA256_SIZE];
	z_stream *stream = &codec->stream;
	int64_t size = 0;
	int result = Z_OK;
	*ret_right = false;
	TRY(digest_new(&digest, fault));
	for (bool more = true; more;) {
		ssize_t got = read_block(fd, codec->in);
		if (got < 0 || (got > 0 && result == Z_STREAM_END))
			return FAULT_NONE;
		more = got > 0;
		stream->next_in = codec->in;
		stream->avail_in = (uInt)got;
		while (stream->avail_in > 0 && result == Z_OK) {
			stream->next_out = codec->out;
			stream->avail_out = sizeof codec->out;
			result = inflate(stream, Z_NO_FLUSH);
			size_t length = sizeof codec->out - stream->avail_out;
			TRY(digest_update(digest, codec->out, length, fault));
			size += (int64_t)length;
			if (size > content->size)
				return FAULT_NONE;
		}
		if (result != Z_OK && (result != Z_STREAM_END || stream->avail_in > 0))
			return FAULT_NONE;
	}
	TRY(digest_finish(digest, hash, fault));
	*ret_right = result == Z_STREAM_END && size == content->size && memcmp(hash, content->hash, SHA256_SIZE) == 0;
	return FAULT_NONE;
}

enum fault_code
compress_check(struct site *site, const char *path, const struct publication_content *content, struct fault *fault)
{
	AUTO(struct codec, codec_free) codec = NULL;
	char gzip_path[LAYOUT_PATH];
	struct stat plain, status, now;
	bool right = false;
	site_gzip_path(gzip_path, path);
	AUTO_CLEAR(int, descriptor_close) fd = openat(site->directory, gzip_path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return FAULT_NONE;
	bool file = fd >= 0 && fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
	if (file && fstatat(site->directory, path, &plain, AT_SYMLINK_NOFOLLOW) == 0 &&
		plain.st_mtim.tv_sec == status.st_mtim.tv_sec && (status.st_mode & 07777) == SITE_FILE_MODE) {
		TRY(codec_new(0, &codec, fault));
		TRY(unpacks_to(codec, fd, content, &right, fault));
	}
	if (right)
		return FAULT_NONE;
	SITE_EXCHANGE(site);
	/* Another one may have come meanwhile. */
	if (file && fstatat(site->directory, gzip_path, &now, AT_SYMLINK_NOFOLLOW) == 0 && !same_file(&now, &status))
		return FAULT_NONE;
	return site_remove(site, gzip_path, fault);
}
