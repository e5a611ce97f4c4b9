/*
 * json_stream: a JSON document (RFC 8259) of any size whose top is an object, read without holding it: the members of that
 * object are handed out one by one, and of a member that is an array the elements, one by one. What is handed out is a jansson
 * value.
 *
 * Memory: that of one element. Threads: one at a time.
 */
#ifndef CA_FEEDS_JSON_STREAM_H
#define CA_FEEDS_JSON_STREAM_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "ca/base/bytes.h"
#include "ca/base/fault.h"

#define JSON_STREAM_VALUE_MAX 65536     /* bytes of an element, or of a member that is no array */
#define JSON_STREAM_NAME_MAX 100

struct json_stream {
	/* Next bytes, as many as there are; *ret_length 0 at the end. NULL: the document is what `data` has. */
	enum fault_code (*read)(void *source, const uint8_t **ret_data, size_t *ret_length, struct fault *fault);
	void *source;
	const uint8_t *data;            /* not looked at yet */
	size_t length;
	uint32_t line;                  /* of the next byte, from 1 */
};

/*
 * Takes a value, borrowed. in_array: it is an element of the array `name`. value NULL: such an array begins (it may have no
 * elements).
 * line: where the value begins.
 */
typedef enum fault_code (*json_stream_fn)(void *argument, const char *name, bool in_array, const json_t *value, uint32_t line,
	struct fault *fault);

/*
 * Reads a document to its end, and the input too. Faults: MALFORMED, TOO_LARGE with "line N: …"; MEMORY; those of read() and
 * give(), as they are.
 */
CHECKED enum fault_code json_stream_read(struct json_stream *stream, json_stream_fn give, void *argument, struct fault *fault);

#endif
