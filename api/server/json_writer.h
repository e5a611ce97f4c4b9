/*
 * json_writer: JSON as a stream into a spool: commas, nesting and escaping are its business.
 *
 * After a failure further calls do nothing; json_writer_check() tells. So a row is written without a TRY on every member, and
 * checked once. Text that is not UTF-8 is made so (U+FFFD for what is broken), so that an answer is always JSON.
 *
 * Threads: one at a time.
 */
#ifndef API_SERVER_JSON_WRITER_H
#define API_SERVER_JSON_WRITER_H

#include <stdbool.h>
#include <stdint.h>

#include "api/server/spool.h"
#include "ca/base/bytes.h"
#include "ca/base/fault.h"

#define JSON_WRITER_DEPTH 16

struct json_writer {
	struct spool *spool;            /* borrowed */
	struct fault failure;
	unsigned depth;
	char closing[JSON_WRITER_DEPTH]; /* '}' or ']' of what is open */
	bool filled[JSON_WRITER_DEPTH + 1]; /* something stands there already: a comma comes first */
};

void json_writer_begin(struct json_writer *writer, struct spool *spool);

/* name: of the member; NULL in an array and for the outermost value. */
void json_writer_object(struct json_writer *writer, const char *name);
void json_writer_array(struct json_writer *writer, const char *name);
void json_writer_end(struct json_writer *writer); /* of the innermost object or array */
void json_writer_text(struct json_writer *writer, const char *name, const char *text); /* NULL: null */
void json_writer_number(struct json_writer *writer, const char *name, int64_t number);
void json_writer_truth(struct json_writer *writer, const char *name, bool truth);
void json_writer_instant(struct json_writer *writer, const char *name, int64_t at); /* RFC 3339; 0: null */
void json_writer_hex(struct json_writer *writer, const char *name, struct span bytes); /* lower case; data NULL: null */
void json_writer_json(struct json_writer *writer, const char *name, const char *json); /* as it is: must be one JSON value */

/* Faults: whatever a call before failed with. */
CHECKED enum fault_code json_writer_check(const struct json_writer *writer, struct fault *fault);

#endif
