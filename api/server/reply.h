/*
 * reply: one HTTP answer before it is sent: status, header fields, body. Errors are application/problem+json (RFC 9457).
 *
 * The only place where failed requests (5xx) are logged, once each, with request id, actor and CA.
 *
 * Threads: a reply belongs to whoever works on it.
 */
#ifndef API_SERVER_REPLY_H
#define API_SERVER_REPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/server/json_writer.h"
#include "api/server/spool.h"
#include "ca/base/fault.h"
#include "ca/commands/command.h"

#define REPLY_HEADERS_MAX 12
#define REPLY_HEADER_VALUE 512
#define REPLY_TYPE_PREFIX "urn:cadastre:fault:" /* followed by fault_type(): the "type" of a problem */

struct reply_header {
	const char *name;               /* static text */
	char value[REPLY_HEADER_VALUE];
};

struct reply {
	int status;
	struct reply_header headers[REPLY_HEADERS_MAX];
	size_t headers_count;
	struct spool body;              /* what is sent, unless fd is set */
	int fd;                         /* a file that is sent as it is; -1: none */
	int64_t fd_length;
	const char *constant;           /* static text that is sent; NULL: none */
};

#define REPLY_INIT(data_directory) ((struct reply){ .status = 200, .body = SPOOL_INIT(data_directory), .fd = -1 })

void reply_clear(struct reply *reply);
/* Back to an empty 200 without header fields. */
void reply_reset(struct reply *reply);

/* Sets a header field, in place of one of that name. The value must fit and have no control characters: INVARIANT. */
void reply_header(struct reply *reply, const char *name, const char *format, ...) PRINTF_LIKE(3, 4);
const char *reply_header_value(const struct reply *reply, const char *name); /* NULL when it isn't set */
int64_t reply_length(const struct reply *reply);

/* Further members of a problem's object: what somebody needs who has to decide again. write NULL: none. */
struct reply_extension {
	void (*write)(const void *argument, struct json_writer *writer);
	void (*free)(void *argument);
	void *argument;
};

/* Of whom and of what a problem tells, each may be NULL. */
struct reply_context {
	const char *request_id;
	const char *actor, *ca_handle;
	const struct complaints *complaints; /* errors[] of a refusal for its content, by list and index */
	const char *health;             /* JSON text for a member "health" */
	const struct reply_extension *extension;
};

/*
 * Makes the reply a problem that tells the fault, whatever was in it; header fields that were set stay, but for Location and
 * ETag. What went wrong inside (5xx) is for the log: the client is told the request's id to ask with. Never fails: short of
 * memory, the problem has no details.
 */
void reply_problem(struct reply *reply, const struct fault *fault, const struct reply_context *context);

#endif
