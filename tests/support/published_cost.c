#include "tests/support/published_cost.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "ca/base/clock.h"
#include "ca/base/digest.h"
#include "ca/base/memory.h"
#include "publish/compress.h"
#include "publish/layout.h"

#define SCRATCH "published-cost"
#define BLOCK (1 << 18)
#define GZIP_WINDOW (15 + 16)
#define GZIP_MEMORY 8
#define ELEMENT "<publish "
#define REPOSITORIES_MAX 100

struct published_cost {
	struct db *db;
	int directory, scratch;
	int64_t done[REPOSITORIES_MAX];  /* serials of the repositories, the first of them first, whose files were done */
	int64_t ns, spent_ns;
	int64_t snapshots;               /* that were large */
	double large_ns_per_byte;        /* of the last large one that was done */
	int64_t objects, objects_bytes;  /* of deltas, since the last tree */
	uint8_t in[BLOCK], out[BLOCK];
};

void
published_cost_free(struct published_cost *cost)
{
	if (cost == NULL)
		return;
	descriptor_close(&cost->scratch);
	(void)unlinkat(cost->directory, SCRATCH, AT_REMOVEDIR);
	free(cost);
}

/* What is there already is no part of what it will take. */
static enum fault_code
note_serials(struct published_cost *cost, struct fault *fault)
{
	AUTO(struct db_connection, db_reader_release) connection = NULL;
	AUTO(struct publication_head, free) heads = NULL;
	size_t count = 0;
	TRY(db_reader_acquire(cost->db, &connection, fault));
	TRY(publisher_store_repositories(connection, &heads, &count, fault));
	INVARIANT(count <= REPOSITORIES_MAX);
	for (size_t i = 0; i < count; i++)
		cost->done[i] = heads[i].notified_serial;
	return FAULT_NONE;
}

enum fault_code
published_cost_new(struct db *db, int directory, struct published_cost **ret_cost, struct fault *fault)
{
	AUTO(struct published_cost, published_cost_free) cost = NULL;
	TRY(memory_new(1, sizeof *cost, &cost, fault));
	cost->db = db;
	cost->directory = directory;
	cost->scratch = -1;
	if (mkdirat(directory, SCRATCH, 0700) != 0 && errno != EEXIST)
		return fault_set_errno(fault, errno, "making %s", SCRATCH);
	cost->scratch = openat(directory, SCRATCH, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (cost->scratch < 0)
		return fault_set_errno(fault, errno, "opening %s", SCRATCH);
	TRY(note_serials(cost, fault));
	*ret_cost = MOVE(cost);
	return FAULT_NONE;
}

static enum fault_code
write_all(int fd, const uint8_t *data, size_t length, struct fault *fault)
{
	return write(fd, data, length) == (ssize_t)length ? FAULT_NONE : fault_set_errno(fault, errno, "writing a scratch file");
}

static void
count_objects(struct published_cost *cost, size_t length)
{
	const uint8_t *at = cost->in, *end = cost->in + length;
	while ((at = memmem(at, (size_t)(end - at), ELEMENT, sizeof ELEMENT - 1)) != NULL) {
		cost->objects++;
		at++;
	}
}

/* Read, hash, write, flush. objects: count those in it, in time of their own. */
static enum fault_code
copy_file(struct published_cost *cost, int from, int to, bool objects, struct fault *fault)
{
	AUTO(struct digest, digest_free) digest = NULL;
	uint8_t hash[SHA256_SIZE];
	ssize_t length;
	TRY(digest_new(&digest, fault));
	while ((length = read(from, cost->in, BLOCK)) > 0) {
		TRY(digest_update(digest, cost->in, (size_t)length, fault));
		TRY(write_all(to, cost->in, (size_t)length, fault));
		if (!objects)
			continue;
		int64_t began_ns = clock_thread_cpu_ns();
		count_objects(cost, (size_t)length);
		cost->ns -= clock_thread_cpu_ns() - began_ns;
	}
	TRY(digest_finish(digest, hash, fault));
	return length == 0 && fsync(to) == 0 ? FAULT_NONE : fault_set_errno(fault, errno, "copying a published file");
}

static enum fault_code
pack_with(struct published_cost *cost, z_stream *stream, int from, int to, struct fault *fault)
{
	for (int flush = Z_NO_FLUSH; flush != Z_FINISH;) {
		ssize_t length = read(from, cost->in, BLOCK);
		if (length < 0)
			return fault_set_errno(fault, errno, "reading a published file");
		flush = length == 0 ? Z_FINISH : Z_NO_FLUSH;
		stream->next_in = cost->in;
		stream->avail_in = (uInt)length;
		do {
			stream->next_out = cost->out;
			stream->avail_out = BLOCK;
			INVARIANT(deflate(stream, flush) != Z_STREAM_ERROR);
			TRY(write_all(to, cost->out, BLOCK - stream->avail_out, fault));
		} while (stream->avail_out == 0);
	}
	return fsync(to) == 0 ? FAULT_NONE : fault_set_errno(fault, errno, "flushing a scratch file");
}

static enum fault_code
pack_file(struct published_cost *cost, int from, int to, int64_t size, struct fault *fault)
{
	z_stream stream = { .zalloc = Z_NULL };
	int level = size > COMPRESS_FAST_AT ? COMPRESS_LEVEL_FAST : COMPRESS_LEVEL;
	if (deflateInit2(&stream, level, Z_DEFLATED, GZIP_WINDOW, GZIP_MEMORY, Z_DEFAULT_STRATEGY) != Z_OK)
		return fault_set(fault, FAULT_MEMORY, "out of memory for zlib");
	enum fault_code code = pack_with(cost, &stream, from, to, fault);
	(void)deflateEnd(&stream);
	return code;
}

static int
open_scratch(const struct published_cost *cost)
{
	return openat(cost->scratch, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
}

static enum fault_code
repeat_file(struct published_cost *cost, int from, int64_t size, bool delta, struct fault *fault)
{
	int plain = open_scratch(cost), packed = open_scratch(cost);
	enum fault_code code = plain < 0 || packed < 0 ? fault_set_errno(fault, errno, "making a scratch file") :
		copy_file(cost, from, plain, delta, fault);
	if (code == FAULT_NONE && lseek(from, 0, SEEK_SET) != 0)
		code = fault_set_errno(fault, errno, "seeking");
	if (code == FAULT_NONE)
		code = pack_file(cost, from, packed, size, fault);
	if (plain >= 0)
		(void)close(plain);
	if (packed >= 0)
		(void)close(packed);
	return code;
}

/* Of the large ones not each is done. */
static bool
known_by_size(struct published_cost *cost, int64_t size)
{
	if (size < PUBLISHED_COST_LARGE || cost->snapshots++ % PUBLISHED_COST_SAMPLE == 0)
		return false;
	cost->ns += (int64_t)((double)size * cost->large_ns_per_byte);
	return true;
}

static enum fault_code
add_file(struct published_cost *cost, const char *path, bool delta, struct fault *fault)
{
	struct stat status;
	int from = openat(cost->directory, path, O_RDONLY | O_CLOEXEC);
	if (from < 0 || fstat(from, &status) != 0)
		return fault_set_errno(fault, errno, "opening %s", path);
	enum fault_code code = FAULT_NONE;
	if (!known_by_size(cost, status.st_size)) {
		int64_t before_ns = cost->ns, began_ns = clock_thread_cpu_ns();
		code = repeat_file(cost, from, status.st_size, delta, fault);
		cost->ns += clock_thread_cpu_ns() - began_ns;
		if (status.st_size >= PUBLISHED_COST_LARGE)
			cost->large_ns_per_byte = (double)(cost->ns - before_ns) / (double)status.st_size;
	}
	(void)close(from);
	return code;
}

static enum fault_code
add_repository(struct published_cost *cost, struct db_connection *connection, int64_t repository_id, struct fault *fault)
{
	AUTO_CLEAR(struct publication_repository, publisher_store_clear_repository) repository = PUBLICATION_REPOSITORY_INIT;
	struct publication_cut cut = { .serial = 0 };
	char path[LAYOUT_PATH];
	bool found;
	TRY(publisher_store_repository(connection, repository_id, &repository, fault));
	TRY(publisher_store_cut(connection, repository_id, repository.notified_serial, &cut, &found, fault));
	if (!found)
		return fault_set(fault, FAULT_DATABASE, "nothing is published");
	layout_notification(path, repository_id);
	TRY(add_file(cost, path, false, fault));
	layout_rrdp(path, repository.session, &cut, layout_file_name(LAYOUT_SNAPSHOT));
	TRY(add_file(cost, path, false, fault));
	if (!cut.has_delta)
		return FAULT_NONE;
	cost->objects_bytes += cut.delta.size / 4 * 3;
	layout_rrdp(path, repository.session, &cut, layout_file_name(LAYOUT_DELTA));
	return add_file(cost, path, true, fault);
}

/* Those that have another serial than when this was called last. */
static enum fault_code
add_serials(struct published_cost *cost, struct fault *fault)
{
	AUTO(struct db_connection, db_reader_release) connection = NULL;
	AUTO(struct publication_head, free) heads = NULL;
	size_t count = 0;
	TRY(db_reader_acquire(cost->db, &connection, fault));
	TRY(publisher_store_repositories(connection, &heads, &count, fault));
	INVARIANT(count <= REPOSITORIES_MAX);
	for (size_t i = 0; i < count; i++) {
		if (heads[i].notified_serial != cost->done[i])
			TRY(add_repository(cost, connection, heads[i].repository_id, fault));
		cost->done[i] = heads[i].notified_serial;
	}
	return FAULT_NONE;
}

enum fault_code
published_cost_serial(struct published_cost *cost, struct fault *fault)
{
	int64_t began_ns = clock_thread_cpu_ns();
	enum fault_code code = add_serials(cost, fault);
	cost->spent_ns += clock_thread_cpu_ns() - began_ns;
	return code;
}

/* As many files, each of the mean size; each takes the place of one that goes. */
static enum fault_code
write_objects(struct published_cost *cost, size_t size, struct fault *fault)
{
	uint8_t hash[SHA256_SIZE];
	for (int64_t i = 0; i < cost->objects; i++) {
		int fd = openat(cost->scratch, "object", O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
		enum fault_code code = fd < 0 ? fault_set_errno(fault, errno, "making a scratch file") :
			write_all(fd, cost->out, size, fault);
		if (fd >= 0)
			(void)close(fd);
		(void)unlinkat(cost->scratch, "object", 0);
		TRY(code);
		TRY(digest_sha256(SPAN(cost->out, size), hash, fault));
	}
	return FAULT_NONE;
}

enum fault_code
published_cost_tree(struct published_cost *cost, struct fault *fault)
{
	int64_t began_ns = clock_thread_cpu_ns(), size = cost->objects > 0 ? cost->objects_bytes / cost->objects : 0;
	enum fault_code code = write_objects(cost, size < BLOCK ? (size_t)size : BLOCK, fault);
	cost->objects = cost->objects_bytes = 0;
	cost->ns += clock_thread_cpu_ns() - began_ns;
	cost->spent_ns += clock_thread_cpu_ns() - began_ns;
	return code;
}

void
published_cost_reset(struct published_cost *cost)
{
	cost->ns = cost->spent_ns = cost->snapshots = cost->objects = cost->objects_bytes = 0;
}

int64_t
published_cost_ns(const struct published_cost *cost)
{
	return cost->ns;
}

int64_t
published_cost_spent_ns(const struct published_cost *cost)
{
	return cost->spent_ns;
}
