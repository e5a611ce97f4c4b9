/*
 * request: one HTTP request as the handlers see it: method, path segments, query parameters, the header fields that matter, the
 * body.
 *
 * All of it comes from outside. Parsing is strict and says what is wrong; nothing here knows the HTTP library, a database or a
 * token.
 *
 * Threads: a request belongs to whoever works on it.
 */
#ifndef API_SERVER_REQUEST_H
#define API_SERVER_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "ca/base/bytes.h"
#include "ca/base/fault.h"
#include "ca/base/scope.h"
#include "ca/resources/prefix.h"

#define REQUEST_ID_SIZE 37              /* a UUID and a NUL */
#define REQUEST_TARGET_MAX 4096         /* bytes of path and query, as sent */
#define REQUEST_HEADERS_MAX 16384       /* bytes of all header fields together */
#define REQUEST_HEADER_FIELDS_MAX 100
#define REQUEST_SEGMENTS_MAX 8
#define REQUEST_PARAMETERS_MAX 8

enum request_method { METHOD_GET, METHOD_POST, METHOD_PATCH, METHOD_DELETE, METHOD_OTHER };
#define METHODS 4 /* that routes can have; HEAD is a GET whose answer is sent without its body */

/* Who sent it. An IPv4 address that arrived as ::ffff:a.b.c.d is IPv4. */
struct request_peer {
	enum address_family family;
	struct address address;
	bool loopback;
};

struct request_parameter {
	const char *name, *value;       /* decoded */
};

/* A file that a body was streamed into. */
struct request_upload {
	int fd;                         /* -1: none */
	char name[64];                  /* its path relative to the data directory */
	int64_t size;                   /* bytes so far */
};

struct request {
	char id[REQUEST_ID_SIZE];
	enum request_method method;
	bool head;                      /* sent as HEAD */
	struct request_peer peer;
	bool forwarded;                 /* came by way of a proxy: the peer is not who asked */

	char *text;                     /* owns the decoded text below */
	const char *segments[REQUEST_SEGMENTS_MAX]; /* of the path; a path that ends with '/' has an empty last one */
	size_t segments_count;
	struct request_parameter parameters[REQUEST_PARAMETERS_MAX];
	size_t parameters_count;

	/* Header fields, owned, NULL when absent. Those that may stand several times are joined with commas. */
	char *authorization, *content_type, *if_match, *if_none_match, *if_modified_since, *accept_encoding;
	char *host, *expect, *content_length, *transfer_encoding;
	size_t header_fields, header_bytes;

	struct bytes body;
	struct request_upload upload;
};

#define REQUEST_INIT ((struct request){ .upload = { .fd = -1 } })

/* Frees all; wipes the token. Closes and unlinks an upload's file, which is in data_directory (-1 where there was none). */
void request_clear(struct request *request, int data_directory);

/* Draws the id. Faults: CRYPTO. */
CHECKED enum fault_code request_begin(struct request *request, struct fault *fault);
/* Any word; what we know of no route for is METHOD_OTHER. */
void request_set_method(struct request *request, const char *method);
void request_set_peer(struct request *request, const struct sockaddr *address);

/*
 * Path and query as sent ("/api/v1/cas?limit=10", also with scheme and authority in front, RFC 9112 §3.2.2), percent-decoded
 * once. Faults: MALFORMED (a bad escape, a NUL, invalid UTF-8, a parameter twice or without a name, too many), HEADERS (too
 * long), NOT_FOUND (more segments than any route has), MEMORY.
 */
CHECKED enum fault_code request_set_target(struct request *request, const char *target, struct fault *fault);

/* A header field as it came. Faults: MALFORMED (one that stands twice and must not), HEADERS (too large, too many), MEMORY. */
CHECKED enum fault_code request_add_header(struct request *request, const char *name, const char *value, struct fault *fault);

/*
 * What the header fields say of the request as a whole, once all are there. version: "HTTP/1.1". *ret_length: bytes of the body
 * to come, -1 where only its end tells. Faults: MALFORMED (no Host, RFC 9112 §3.2; a length told in two ways or an unknown
 * coding, §6).
 */
CHECKED enum fault_code request_check_head(const struct request *request, const char *version, int64_t *ret_length,
	struct fault *fault);

/* A query parameter's value; NULL when it is absent. */
const char *request_parameter(const struct request *request, const char *name);
/* A parameter that is a number from min to max in decimal; `initial` when it is absent. Faults: INVALID. */
CHECKED enum fault_code request_parameter_number(const struct request *request, const char *name, int64_t min, int64_t max,
	int64_t initial, int64_t *ret_number, struct fault *fault);
/* "true" or "false"; false when it is absent. Faults: INVALID. */
CHECKED enum fault_code request_parameter_truth(const struct request *request, const char *name, bool *ret_truth,
	struct fault *fault);

#endif
