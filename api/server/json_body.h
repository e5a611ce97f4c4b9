/*
 * json_body: JSON that came from outside, made into values that are what they should be, or into complaints that name all that
 * is not.
 *
 * What is no JSON (also: a key twice, invalid UTF-8, a NUL, too deep, numbers out of range) is MALFORMED with its line and
 * column. What is JSON but not what was asked for (wrong types, unknown or missing fields) becomes complaints, all at once.
 *
 * Threads: safe for different documents.
 */
#ifndef API_SERVER_JSON_BODY_H
#define API_SERVER_JSON_BODY_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "ca/base/bytes.h"
#include "ca/base/fault.h"
#include "ca/base/scope.h"
#include "ca/commands/command.h"

#define JSON_BODY_DEPTH_MAX 32
#define JSON_BODY_CONTAINERS_MAX 60000  /* objects and arrays in one document: bounds the memory that it takes when parsed */

static inline void
json_body_free(json_t *json)
{
	json_decref(json);
}
SCOPED(json_t, json_body_free)

/* "application/json", with charset=utf-8 or without. Faults: MEDIA_TYPE. */
CHECKED enum fault_code json_body_check_type(const char *content_type, struct fault *fault);

/* Faults: MALFORMED with the position, TOO_LARGE (more objects than any request needs), MEMORY. */
CHECKED enum fault_code json_body_parse(struct span body, json_t **ret_json, struct fault *fault);

/* What a field may be. */
#define JSON_BODY_TEXT 1U
#define JSON_BODY_NUMBER 2U             /* a whole one */
#define JSON_BODY_ARRAY 4U
#define JSON_BODY_OBJECT 8U
#define JSON_BODY_NULL 16U              /* null is as if absent */

struct json_body_field {
	const char *name;
	unsigned types;
	bool required;
	json_t **ret_value;             /* borrowed from the document; NULL when absent or wrong */
};

/* Where in a request something stands, for complaints. */
struct json_body_place {
	const char *list;
	size_t index;
};

/* Of the request itself: its complaints belong to no list. */
#define JSON_BODY_TOP ((struct json_body_place){ "", 0 })

/*
 * Reads an object's fields. Complains of what is no object, of unknown fields, missing ones and wrong types.
 * The names of unknown fields are borrowed from the document by the complaints. Faults: MEMORY.
 */
CHECKED enum fault_code json_body_read(json_t *object, struct json_body_place place, const struct json_body_field *fields,
	size_t count, struct complaints *complaints, struct fault *fault);

/* FAULT_INVALID when there are complaints: names the first and counts the others. */
CHECKED enum fault_code json_body_check(const struct complaints *complaints, struct fault *fault);

#endif
