#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <jansson.h>
#include <string.h>
#include <unistd.h>

#include "api/server/reply.h"
#include "ca/base/log.h"
#include "tests/unit/scratch.h"

static json_t *
problem(struct reply *reply, const struct fault *fault, const struct reply_context *context)
{
	reply_problem(reply, fault, context);
	assert_string_equal(reply_header_value(reply, "Content-Type"), "application/problem+json");
	json_t *json = json_loadb((const char *)reply->body.memory.data, reply->body.memory.length, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(json);
	return json;
}

static const char *
text_of(const json_t *json, const char *name)
{
	return json_string_value(json_object_get(json, name));
}

static void
reply__keeps_header_fields(void **state)
{
	AUTO_CLEAR(struct reply, reply_clear) reply = REPLY_INIT(-1);
	(void)state;
	assert_null(reply_header_value(&reply, "ETag"));
	reply_header(&reply, "ETag", "\"%d\"", 7);
	reply_header(&reply, "ETag", "\"%d\"", 8);
	assert_string_equal(reply_header_value(&reply, "ETag"), "\"8\"");
	assert_int_equal(reply.headers_count, 1);
	reply_reset(&reply);
	assert_null(reply_header_value(&reply, "ETag"));
}

static void
put_control_character(void *argument)
{
	reply_header(argument, "Location", "a\r\nSet-Cookie: b");
}

static void
reply__never_splits_header_fields(void **state)
{
	AUTO_CLEAR(struct reply, reply_clear) reply = REPLY_INIT(-1);
	(void)state;
	assert_true(scratch_dies(put_control_character, &reply));
}

static void
reply__tells_each_fault(void **state)
{
	(void)state;
	log_set_level(LOG_ERROR);
	for (enum fault_code code = FAULT_NONE + 1; code < FAULT_CODES; code++) {
		AUTO_CLEAR(struct reply, reply_clear) reply = REPLY_INIT(-1);
		struct fault fault = FAULT_INIT;
		(void)fault_set(&fault, code, "the words for %d", (int)code);
		reply_header(&reply, "Location", "/x");
		json_t *json = problem(&reply, &fault, &(struct reply_context){ .request_id = "the-id", .health = "{}" });
		assert_int_equal(reply.status, fault_http_status(code));
		assert_int_equal(json_integer_value(json_object_get(json, "status")), reply.status);
		assert_true(strncmp(text_of(json, "type"), REPLY_TYPE_PREFIX, strlen(REPLY_TYPE_PREFIX)) == 0);
		assert_string_equal(text_of(json, "type") + strlen(REPLY_TYPE_PREFIX), fault_type(code));
		assert_string_equal(text_of(json, "instance"), "urn:uuid:the-id");
		assert_string_equal(text_of(json, "hint"), fault_hint(code));
		assert_null(strpbrk(text_of(json, "title"), "-"));
		/* What went wrong inside is not told outside. */
		bool told = strcmp(text_of(json, "detail"), fault.message) == 0;
		assert_int_equal(told, reply.status < 500 || code == FAULT_BUSY);
		assert_null(reply_header_value(&reply, "Location"));
		json_decref(json);
	}
}

static void
reply__sorts_complaints(void **state)
{
	AUTO_CLEAR(struct reply, reply_clear) reply = REPLY_INIT(-1);
	AUTO_CLEAR(struct complaints, complaints_clear) complaints = COMPLAINTS_INIT;
	static const struct {
		const char *list;
		size_t index;
		const char *field;
	} expected[] = { { NULL, 0, "handle" }, { "added", 0, "prefix" }, { "added", 2, "asn" }, { "added", 2, NULL },
		{ "added", 10, "asn" }, { "removed", 1, "asn" } };
	static const size_t order[] = { 5, 2, 4, 3, 0, 1 };
	struct fault fault = FAULT_INIT;
	(void)state;
	for (size_t i = 0; i < 6; i++)
		assert_int_equal(complaints_add(&complaints, NULL, expected[order[i]].list == NULL ? "" : expected[order[i]].list,
					 expected[order[i]].index, expected[order[i]].field, "reason"),
			FAULT_NONE);
	(void)fault_set(&fault, FAULT_INVALID, "six");
	json_t *json = problem(&reply, &fault, &(struct reply_context){ .complaints = &complaints });
	const json_t *errors = json_object_get(json, "errors");
	assert_int_equal(json_array_size(errors), 6);
	assert_int_equal(json_integer_value(json_object_get(json, "errors_total")), 6);
	for (size_t i = 0; i < 6; i++) {
		const json_t *error = json_array_get(errors, i);
		if (expected[i].list == NULL)
			assert_true(
				json_is_null(json_object_get(error, "list")) && json_is_null(json_object_get(error, "index")));
		else {
			assert_string_equal(text_of(error, "list"), expected[i].list);
			assert_int_equal(json_integer_value(json_object_get(error, "index")), expected[i].index);
		}
		if (expected[i].field == NULL)
			assert_true(json_is_null(json_object_get(error, "field")));
		else
			assert_string_equal(text_of(error, "field"), expected[i].field);
	}
	json_decref(json);
}

static void
reply__counts_complaints_beyond_the_limit(void **state)
{
	AUTO_CLEAR(struct reply, reply_clear) reply = REPLY_INIT(-1);
	AUTO_CLEAR(struct complaints, complaints_clear) complaints = COMPLAINTS_INIT;
	struct fault fault = FAULT_INIT;
	(void)state;
	for (size_t i = 0; i < COMPLAINTS_MAX + 500; i++)
		assert_int_equal(complaints_add(&complaints, NULL, "a", i, NULL, "x"), FAULT_NONE);
	(void)fault_set(&fault, FAULT_INVALID, "many");
	json_t *json = problem(&reply, &fault, &(struct reply_context){ .complaints = &complaints });
	assert_int_equal(json_array_size(json_object_get(json, "errors")), COMPLAINTS_MAX);
	assert_int_equal(json_integer_value(json_object_get(json, "errors_total")), COMPLAINTS_MAX + 500);
	json_decref(json);
}

static void
reply__replaces_what_was_begun(void **state)
{
	AUTO_CLEAR(struct reply, reply_clear) reply = REPLY_INIT(-1);
	struct fault fault = FAULT_INIT;
	(void)state;
	assert_int_equal(spool_text(&reply.body, "{\"roas\":[", NULL), FAULT_NONE);
	(void)fault_set(&fault, FAULT_NOT_FOUND, "gone");
	json_t *json = problem(&reply, &fault, &(struct reply_context){ .request_id = NULL });
	assert_string_equal(text_of(json, "detail"), "gone");
	assert_null(json_object_get(json, "instance"));
	json_decref(json);
}

/* A thousand long complaints don't stay in memory; without a directory for the file a constant has to do. */
static void
reply__has_an_answer_when_there_is_no_room(void **state)
{
	AUTO_CLEAR(struct reply, reply_clear) reply = REPLY_INIT(-1);
	AUTO_CLEAR(struct complaints, complaints_clear) complaints = COMPLAINTS_INIT;
	struct fault fault = FAULT_INIT;
	(void)state;
	for (size_t i = 0; i < COMPLAINTS_MAX; i++)
		assert_int_equal(complaints_add(&complaints, NULL, "added", i, "prefix", "%0150d", 0), FAULT_NONE);
	(void)fault_set(&fault, FAULT_INVALID, "many");
	reply_problem(&reply, &fault, &(struct reply_context){ .complaints = &complaints });
	assert_int_equal(reply.status, 400);
	assert_string_equal(reply.constant, "{\"type\":\"about:blank\"}");
	assert_int_equal(reply_length(&reply), 22);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reply__keeps_header_fields),
		cmocka_unit_test(reply__never_splits_header_fields),
		cmocka_unit_test(reply__tells_each_fault),
		cmocka_unit_test(reply__sorts_complaints),
		cmocka_unit_test(reply__counts_complaints_beyond_the_limit),
		cmocka_unit_test(reply__replaces_what_was_begun),
		cmocka_unit_test(reply__has_an_answer_when_there_is_no_room),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
