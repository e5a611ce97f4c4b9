#include "ca/base/gzip_reader.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "ca/base/bytes.h"
#include "ca/base/memory.h"

#define BUFFER_SIZE 65536
#define GZIP_WINDOW_BITS (15 + 16) /* the largest window; 16: a gzip header and nothing else */

struct gzip_reader {
	int fd;
	bool packed;             /* a gzip stream, not plain text */
	bool stream_open;        /* inflateInit2() was called */
	bool member_open;        /* inside a gzip member, whose end is still to come */
	bool ended;              /* there is nothing more to unpack */
	z_stream stream;         /* next_in, avail_in: what was read and is still packed */
	size_t unpacked_at, unpacked_length; /* what stands in unpacked and was not handed out */
	size_t line_limit;
	uint64_t total, total_limit;
	uint64_t line_number;
	struct bytes line;
	uint8_t packed_bytes[BUFFER_SIZE];
	uint8_t unpacked[BUFFER_SIZE];
};

static voidpf
zlib_obtain(voidpf opaque, uInt items, uInt size)
{
	void *fresh = NULL;
	(void)opaque;
	return memory_new(items, size, &fresh, NULL) == FAULT_NONE ? fresh : Z_NULL;
}

static void
zlib_give_back(voidpf opaque, voidpf address)
{
	(void)opaque;
	free(address);
}

static enum fault_code
read_file(struct gzip_reader *reader, uint8_t *room, size_t size, size_t *ret_length, struct fault *fault)
{
	ssize_t got;
	do
		got = read(reader->fd, room, size);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return fault_set_errno(fault, errno, "line %" PRIu64 ": can't read", reader->line_number + 1);
	*ret_length = (size_t)got;
	return FAULT_NONE;
}

static enum fault_code
read_packed(struct gzip_reader *reader, struct fault *fault)
{
	size_t length = 0;
	TRY(read_file(reader, reader->packed_bytes, BUFFER_SIZE, &length, fault));
	reader->stream.next_in = reader->packed_bytes;
	reader->stream.avail_in = (uInt)length;
	return FAULT_NONE;
}

/* RFC 1952 §2.2: a file is a run of members, one after the other. */
static enum fault_code
start_member(struct gzip_reader *reader, struct fault *fault)
{
	int result = reader->stream_open ? inflateReset(&reader->stream) : inflateInit2(&reader->stream, GZIP_WINDOW_BITS);
	if (result != Z_OK)
		return fault_set(fault, FAULT_MEMORY, "out of memory for unpacking");
	reader->stream_open = true;
	reader->member_open = true;
	return FAULT_NONE;
}

/* Unpacks into `room` until there is something or the file ends, which it may only between members. */
static enum fault_code
unpack(struct gzip_reader *reader, uint8_t *room, size_t size, size_t *ret_length, struct fault *fault)
{
	z_stream *stream = &reader->stream;
	stream->next_out = room;
	stream->avail_out = (uInt)size;
	while (stream->avail_out == size) {
		if (stream->avail_in == 0)
			TRY(read_packed(reader, fault));
		if (stream->avail_in == 0 && reader->member_open)
			return fault_set(fault, FAULT_MALFORMED, "line %" PRIu64 ": the gzip file is cut short",
				reader->line_number + 1);
		if (stream->avail_in == 0)
			break;
		if (!reader->member_open)
			TRY(start_member(reader, fault));
		int result = inflate(stream, Z_NO_FLUSH);
		if (result == Z_MEM_ERROR)
			return fault_set(fault, FAULT_MEMORY, "out of memory for unpacking");
		if (result != Z_OK && result != Z_STREAM_END)
			return fault_set(fault, FAULT_MALFORMED, "line %" PRIu64 ": the gzip file is broken: %s",
				reader->line_number + 1, stream->msg != NULL ? stream->msg : zError(result));
		reader->member_open = result != Z_STREAM_END;
	}
	*ret_length = size - stream->avail_out;
	return FAULT_NONE;
}

/* The buffer of unpacked bytes was filled anew. */
static enum fault_code
unpacked_came(struct gzip_reader *reader, size_t length, struct fault *fault)
{
	if (length > reader->total_limit - reader->total)
		return fault_set(fault, FAULT_TOO_LARGE, "line %" PRIu64 ": the file has more than %" PRIu64 " bytes",
			reader->line_number + 1, reader->total_limit);
	reader->total += length;
	reader->unpacked_at = 0;
	reader->unpacked_length = length;
	return FAULT_NONE;
}

/* Fills the empty buffer of unpacked bytes; at the end of the file it stays empty. */
static enum fault_code
refill(struct gzip_reader *reader, struct fault *fault)
{
	size_t length = 0;
	if (reader->ended)
		return FAULT_NONE;
	if (reader->packed)
		TRY(unpack(reader, reader->unpacked, BUFFER_SIZE, &length, fault));
	else
		TRY(read_file(reader, reader->unpacked, BUFFER_SIZE, &length, fault));
	reader->ended = length == 0;
	return unpacked_came(reader, length, fault);
}

/* The first two bytes tell gzip (RFC 1952 §2.3.1) from plain text, whatever the file is called. */
static enum fault_code
look_at_start(struct gzip_reader *reader, struct fault *fault)
{
	size_t length = 0;
	while (length < 2) {
		size_t got = 0;
		TRY(read_file(reader, reader->packed_bytes + length, BUFFER_SIZE - length, &got, fault));
		if (got == 0)
			break;
		length += got;
	}
	reader->packed = length >= 2 && reader->packed_bytes[0] == 0x1f && reader->packed_bytes[1] == 0x8b;
	if (reader->packed) {
		reader->stream.next_in = reader->packed_bytes;
		reader->stream.avail_in = (uInt)length;
		return FAULT_NONE;
	}
	memcpy(reader->unpacked, reader->packed_bytes, length);
	return unpacked_came(reader, length, fault);
}

enum fault_code
gzip_reader_open(const char *path, size_t line_limit, uint64_t total_limit, struct gzip_reader **ret_reader, struct fault *fault)
{
	INVARIANT(line_limit < SIZE_MAX);
	AUTO_CLEAR(int, descriptor_close) fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return fault_set(fault, FAULT_NOT_FOUND, "there is no file %s", path);
	if (fd < 0)
		return fault_set_errno(fault, errno, "can't open %s", path);
	AUTO(struct gzip_reader, gzip_reader_free) reader = NULL;
	TRY(memory_new(1, sizeof *reader, &reader, fault));
	reader->fd = fd;
	fd = -1; /* the reader's now */
	reader->line_limit = line_limit;
	reader->total_limit = total_limit;
	reader->stream.zalloc = zlib_obtain;
	reader->stream.zfree = zlib_give_back;
	TRY(look_at_start(reader, fault));
	*ret_reader = MOVE(reader);
	return FAULT_NONE;
}

static enum fault_code
line_too_long(const struct gzip_reader *reader, struct fault *fault)
{
	return fault_set(fault, FAULT_TOO_LARGE, "line %" PRIu64 ": longer than %zu bytes", reader->line_number + 1,
		reader->line_limit);
}

/* Adds to the line what stands in the buffer, up to its end. */
static enum fault_code
take_piece(struct gzip_reader *reader, bool *ret_line_ended, struct fault *fault)
{
	const uint8_t *piece = reader->unpacked + reader->unpacked_at;
	const uint8_t *end = memchr(piece, '\n', reader->unpacked_length);
	size_t length = end != NULL ? (size_t)(end - piece) : reader->unpacked_length;
	/* One more than the limit, as the last byte may be the CR of a CRLF. */
	if (reader->line.length + length > reader->line_limit + 1)
		return line_too_long(reader, fault);
	TRY(bytes_append(&reader->line, piece, length, fault));
	size_t taken = length + (end != NULL);
	reader->unpacked_at += taken;
	reader->unpacked_length -= taken;
	*ret_line_ended = end != NULL;
	return FAULT_NONE;
}

static enum fault_code
finish_line(struct gzip_reader *reader, struct fault *fault)
{
	struct bytes *line = &reader->line;
	if (line->length > 0 && line->data[line->length - 1] == '\r')
		line->data[--line->length] = '\0';
	if (line->length > reader->line_limit)
		return line_too_long(reader, fault);
	if (line->length > 0 && memchr(line->data, '\0', line->length) != NULL)
		return fault_set(fault, FAULT_MALFORMED, "line %" PRIu64 ": has a NUL byte", reader->line_number + 1);
	reader->line_number++;
	return FAULT_NONE;
}

enum fault_code
gzip_reader_line(struct gzip_reader *reader, const char **ret_line, size_t *ret_length, struct fault *fault)
{
	bool line_ended = false;
	if (reader->unpacked_length == 0)
		TRY(refill(reader, fault));
	if (reader->unpacked_length == 0) {
		*ret_line = NULL;
		*ret_length = 0;
		return FAULT_NONE;
	}
	bytes_reset(&reader->line);
	while (!line_ended && reader->unpacked_length > 0) {
		TRY(take_piece(reader, &line_ended, fault));
		if (!line_ended)
			TRY(refill(reader, fault));
	}
	TRY(finish_line(reader, fault));
	*ret_line = bytes_text(&reader->line);
	*ret_length = reader->line.length;
	return FAULT_NONE;
}

enum fault_code
gzip_reader_read(struct gzip_reader *reader, void *data, size_t room, size_t *ret_length, struct fault *fault)
{
	if (reader->unpacked_length == 0)
		TRY(refill(reader, fault));
	size_t length = reader->unpacked_length < room ? reader->unpacked_length : room;
	memcpy(data, reader->unpacked + reader->unpacked_at, length);
	reader->unpacked_at += length;
	reader->unpacked_length -= length;
	*ret_length = length;
	return FAULT_NONE;
}

uint64_t
gzip_reader_line_number(const struct gzip_reader *reader)
{
	return reader->line_number;
}

void
gzip_reader_free(struct gzip_reader *reader)
{
	if (reader == NULL)
		return;
	if (reader->stream_open)
		(void)inflateEnd(&reader->stream);
	descriptor_close(&reader->fd);
	bytes_clear(&reader->line);
	free(reader);
}
