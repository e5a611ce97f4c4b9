#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "api/server/json_body.h"

static enum fault_code
parse(const char *text, json_t **ret_json, struct fault *fault)
{
	return json_body_parse(SPAN(text, strlen(text)), ret_json, fault);
}

static void
json_body__checks_the_media_type(void **state)
{
	static const char *const right[] = { "application/json", "Application/JSON", " application/json ",
		"application/json; charset=utf-8", "application/json;charset=UTF-8", "application/json; charset=\"utf-8\"",
		"application/json ; charset=utf-8 ", "application/json;" };
	static const char *const wrong[] = { "", "text/plain", "application/jsonp", "application/json; charset=latin1",
		"application/json; charset=utf-8x", "application/problem+json", "application/x-www-form-urlencoded",
		"application/json, text/plain" };
	(void)state;
	for (size_t i = 0; i < sizeof right / sizeof right[0]; i++) {
		if (json_body_check_type(right[i], NULL) != FAULT_NONE)
			fail_msg("%s", right[i]);
	}
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		if (json_body_check_type(wrong[i], NULL) != FAULT_MEDIA_TYPE)
			fail_msg("%s", wrong[i]);
	}
	assert_int_equal(json_body_check_type(NULL, NULL), FAULT_MEDIA_TYPE);
}

static void
json_body__refuses_what_is_no_json_with_its_place(void **state)
{
	static const struct {
		const char *text, *words;
	} cases[] = {
		{ "", "empty" },
		{ " ", "line 1" },
		{ "{", "line 1, column 1" },
		{ "{\"a\":1,}", "line 1, column 8" },
		{ "{\n\"a\": x}", "line 2, column 6" },
		{ "{\"a\":1,\"a\":2}", "duplicate object key" },
		{ "{\"a\":\"\xff\"}", "line 1" },
		{ "{\"a\":\"\\u0000\"}", "\\u0000 is not allowed" },
		{ "{\"a\":\"\\ud800\"}", "line 1" },
		{ "{} {}", "line 1, column 4" },
		{ "{\"a\":01}", "line 1" },
		{ "{\"a\":99999999999999999999}", "too big" },
		{ "{\"a\":\"\n\"}", "line 1" },
		{ "NaN", "line 1" },
		{ "{'a':1}", "line 1" },
		{ "\xef\xbb\xbf{}", "line 1" },
		{ "{\"a\":1e999}", "real number overflow" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		AUTO(json_t, json_body_free) json = NULL;
		struct fault fault = FAULT_INIT;
		if (parse(cases[i].text, &json, &fault) != FAULT_MALFORMED || strstr(fault.message, cases[i].words) == NULL)
			fail_msg("%s: %s", cases[i].text, fault.message);
		assert_null(json);
	}
}

static void
json_body__refuses_a_nul_byte(void **state)
{
	AUTO(json_t, json_body_free) json = NULL;
	(void)state;
	assert_int_equal(json_body_parse(SPAN("{\"a\":\"b\0c\"}", 11), &json, NULL), FAULT_MALFORMED);
	assert_int_equal(json_body_parse(SPAN("{}\0", 3), &json, NULL), FAULT_MALFORMED);
	assert_int_equal(json_body_parse(SPAN("\0", 1), &json, NULL), FAULT_MALFORMED);
}

static void
json_body__bounds_depth(void **state)
{
	AUTO(json_t, json_body_free) json = NULL;
	struct fault fault = FAULT_INIT;
	char text[100001];
	(void)state;
	memset(text, '[', sizeof text);
	text[100000] = '\0';
	assert_int_equal(parse(text, &json, &fault), FAULT_MALFORMED);
	assert_string_equal(fault.message, "line 1, column 33: nested deeper than 32 levels");
	text[32] = '\0';
	assert_int_equal(parse(text, &json, &fault), FAULT_MALFORMED);
	assert_null(strstr(fault.message, "nested"));
	/* Brackets in texts are no nesting, and an escaped quote does not end a text. */
	memset(text, '[', 5000);
	memcpy(text, "[\"\\\"", 4);
	memcpy(text + 5000, "\"]", 3);
	assert_int_equal(parse(text, &json, &fault), FAULT_NONE);
}

static void
json_body__bounds_objects(void **state)
{
	AUTO(json_t, json_body_free) json = NULL;
	size_t size = 3 * (JSON_BODY_CONTAINERS_MAX + 1) + 2;
	AUTO(char, free) text = calloc(1, size + 1);
	(void)state;
	text[0] = '[';
	for (size_t i = 0; i < JSON_BODY_CONTAINERS_MAX; i++)
		memcpy(text + 1 + 3 * i, "{},", 3);
	assert_int_equal(parse(text, &json, NULL), FAULT_TOO_LARGE);
}

struct read_case {
	const char *text, *complaints;
};

/* "a" text, wanted; "b" number or text; "c" array or null. */
static void
check_read(const struct read_case *test)
{
	AUTO(json_t, json_body_free) json = NULL;
	AUTO_CLEAR(struct complaints, complaints_clear) complaints = COMPLAINTS_INIT;
	json_t *a, *b, *c;
	const struct json_body_field fields[] = {
		{ "a", JSON_BODY_TEXT, true, &a },
		{ "b", JSON_BODY_NUMBER | JSON_BODY_TEXT, false, &b },
		{ "c", JSON_BODY_ARRAY | JSON_BODY_NULL, false, &c },
	};
	char text[1024] = "";
	assert_int_equal(parse(test->text, &json, NULL), FAULT_NONE);
	assert_int_equal(json_body_read(json, (struct json_body_place){ "list", 3 }, fields, 3, &complaints, NULL), FAULT_NONE);
	for (size_t i = 0; i < complaints.count; i++) {
		const struct complaint *item = &complaints.items[i];
		(void)snprintf(text + strlen(text), sizeof text - strlen(text), "%s[%zu].%s: %s\n", item->list, item->index,
			item->field != NULL ? item->field : "", item->reason);
	}
	assert_string_equal(text, test->complaints);
}

static void
json_body__complains_of_every_field(void **state)
{
	static const struct read_case cases[] = {
		{ "{\"a\":\"x\"}", "" },
		{ "{\"a\":\"x\",\"b\":1,\"c\":null}", "" },
		{ "{\"a\":\"x\",\"b\":\"1\",\"c\":[]}", "" },
		{ "{}", "list[3].a: is missing\n" },
		{ "{\"a\":null,\"b\":1.0,\"c\":{}}",
			"list[3].a: must be a text, but is null\nlist[3].b: must be a whole number or a text, but is a number "
			"with a fraction\n"
			"list[3].c: must be an array, but is an object\n" },
		{ "{\"a\":true,\"b\":false,\"d\":1,\"A\":2}",
			"list[3].a: must be a text, but is true\nlist[3].b: must be a whole number or a text, but is false\n"
			"list[3].d: unknown field\nlist[3].A: unknown field\n" },
		{ "[]", "list[3].: must be an object, but is an array\n" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		check_read(&cases[i]);
}

static void
json_body__sums_up(void **state)
{
	AUTO_CLEAR(struct complaints, complaints_clear) complaints = COMPLAINTS_INIT;
	struct fault fault = FAULT_INIT;
	(void)state;
	assert_int_equal(json_body_check(&complaints, &fault), FAULT_NONE);
	assert_int_equal(complaints_add(&complaints, NULL, "", 0, "handle", "is missing"), FAULT_NONE);
	assert_int_equal(json_body_check(&complaints, &fault), FAULT_INVALID);
	assert_string_equal(fault.message, "handle: is missing");
	assert_int_equal(complaints_add(&complaints, NULL, "added", 7, NULL, "is faulty"), FAULT_NONE);
	assert_int_equal(json_body_check(&complaints, &fault), FAULT_INVALID);
	assert_string_equal(fault.message, "handle: is missing (and 1 more: see errors)");
	complaints_clear(&complaints);
	assert_int_equal(complaints_add(&complaints, NULL, "added", 7, "asn", "is faulty"), FAULT_NONE);
	assert_int_equal(json_body_check(&complaints, &fault), FAULT_INVALID);
	assert_string_equal(fault.message, "added[7].asn: is faulty");
	complaints_clear(&complaints);
	assert_int_equal(complaints_add(&complaints, NULL, "", 0, NULL, "must be an object, but is an array"), FAULT_NONE);
	assert_int_equal(json_body_check(&complaints, &fault), FAULT_INVALID);
	assert_string_equal(fault.message, "the body: must be an object, but is an array");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(json_body__checks_the_media_type),
		cmocka_unit_test(json_body__refuses_what_is_no_json_with_its_place),
		cmocka_unit_test(json_body__refuses_a_nul_byte),
		cmocka_unit_test(json_body__bounds_depth),
		cmocka_unit_test(json_body__bounds_objects),
		cmocka_unit_test(json_body__complains_of_every_field),
		cmocka_unit_test(json_body__sums_up),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
