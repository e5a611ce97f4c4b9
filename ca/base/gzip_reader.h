/*
 * gzip_reader: lines of a file that is plain or gzip, read as a stream, with limits on line and total size (a small file can
 * unpack into a large one).
 *
 * Threads: one at a time.
 */
#ifndef CA_BASE_GZIP_READER_H
#define CA_BASE_GZIP_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ca/base/fault.h"
#include "ca/base/scope.h"

struct gzip_reader;

/* line_limit, total_limit: bytes after unpacking. Reads from a descriptor of its own. Faults: NOT_FOUND, IO, MEMORY. */
CHECKED enum fault_code gzip_reader_open(const char *path, size_t line_limit, uint64_t total_limit,
	struct gzip_reader **ret_reader, struct fault *fault);
/*
 * Next line without its end (LF or CRLF), NUL-terminated, valid until the next call. *ret_line is NULL at the end of the file.
 * Faults: MALFORMED ("line N: …": a NUL byte, a broken or truncated gzip stream), TOO_LARGE, IO.
 */
CHECKED enum fault_code gzip_reader_line(struct gzip_reader *reader, const char **ret_line, size_t *ret_length,
	struct fault *fault);
/* Up to `room` bytes as they come (for readers that are not line by line); *ret_length is 0 at the end. */
CHECKED enum fault_code gzip_reader_read(struct gzip_reader *reader, void *data, size_t room, size_t *ret_length,
	struct fault *fault);
uint64_t gzip_reader_line_number(const struct gzip_reader *reader); /* of the line last returned, from 1 */
void gzip_reader_free(struct gzip_reader *reader);
SCOPED(struct gzip_reader, gzip_reader_free)

#endif
