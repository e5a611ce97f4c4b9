#include "ca/feeds/json_stream.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* What a document gave: "name[line]=value" and, for arrays, "name[line] begins". */
struct taken {
	char text[4096];
	size_t values, stop_at;
};

static enum fault_code
take(void *argument, const char *name, bool in_array, const json_t *value, uint32_t line, struct fault *fault)
{
	struct taken *taken = argument;
	size_t length = strlen(taken->text);
	if (++taken->values == taken->stop_at)
		return fault_set(fault, FAULT_BUSY, "enough");
	char *dump = value != NULL ? json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT) : NULL;
	if (length < sizeof taken->text - 300)
		(void)snprintf(taken->text + length, sizeof taken->text - length, "%s%s@%u=%.200s\n", name, in_array ? "[]" : "",
			(unsigned)line, dump != NULL ? dump : "begins");
	free(dump);
	return FAULT_NONE;
}

/* A source that gives a few bytes at a time. */
struct drops {
	const char *text;
	size_t length, size;
};

static enum fault_code
drip(void *source, const uint8_t **ret_data, size_t *ret_length, struct fault *fault)
{
	struct drops *drops = source;
	size_t length = drops->length < drops->size ? drops->length : drops->size;
	(void)fault;
	*ret_data = (const uint8_t *)drops->text;
	*ret_length = length;
	drops->text += length;
	drops->length -= length;
	return FAULT_NONE;
}

static enum fault_code
read_drops(const char *text, size_t length, size_t size, struct taken *taken, struct fault *fault)
{
	struct drops drops = { text, length, size };
	struct json_stream stream = { .read = drip, .source = &drops, .line = 1 };
	return json_stream_read(&stream, take, taken, fault);
}

static enum fault_code
read_text(const char *text, struct taken *taken, struct fault *fault)
{
	struct json_stream stream = { .data = (const uint8_t *)text, .length = strlen(text), .line = 1 };
	return json_stream_read(&stream, take, taken, fault);
}

static const char document[] =
	"{ \"a\" : 1,\n\"b\":[\n1 , \"x,]}\\\"\",\n{\"c\":[1,{\"d\":\"]\"}]},[] ],\"e\":{},\"f\":[],\n\"g\":null , "
		"\"\\u00e9\":true,\"\":-1.5e3}\n \t\r\n";
static const char expected[] = "a@1=1\nb[]@2=begins\nb[]@3=1\nb[]@3=\"x,]}\\\"\"\nb[]@4={\"c\":[1,{\"d\":\"]\"}]}\nb[]@4=[]\ne@4={}\nf[]@4=begins\n"
	"g@5=null\né@5=true\n@5=-1500.0\n";

static void
json_stream__gives_members_and_elements(void **state)
{
	struct taken taken = { .stop_at = 0 };
	struct fault fault = FAULT_INIT;
	(void)state;
	if (read_text(document, &taken, &fault) != FAULT_NONE)
		fail_msg("%s", fault.message);
	assert_string_equal(taken.text, expected);
}

static void
json_stream__does_not_care_how_bytes_come(void **state)
{
	(void)state;
	for (size_t size = 1; size < sizeof document; size++) {
		struct taken taken = { .stop_at = 0 };
		assert_int_equal(read_drops(document, sizeof document - 1, size, &taken, NULL), FAULT_NONE);
		assert_string_equal(taken.text, expected);
	}
}

static void
json_stream__takes_an_empty_object(void **state)
{
	struct taken taken = { .stop_at = 0 };
	(void)state;
	assert_int_equal(read_text(" {\n} ", &taken, NULL), FAULT_NONE);
	assert_int_equal(taken.values, 0);
}

static void
json_stream__notices_every_cut(void **state)
{
	(void)state;
	for (size_t length = 0; length < sizeof document - 6; length++) { /* blanks follow the last bracket */
		struct taken taken = { .stop_at = 0 };
		struct fault fault = FAULT_INIT;
		assert_int_equal(read_drops(document, length, 7, &taken, &fault), FAULT_MALFORMED);
		assert_int_equal(strncmp(fault.message, "line ", 5), 0);
	}
}

static void
json_stream__refuses_what_is_not_json(void **state)
{
	static const struct {
		const char *text, *message;
	} bad[] = {
		{ "[1]", "line 1: the document is no JSON object" },
		{ "roas", "line 1: the document is no JSON object" },
		{ "\xef\xbb\xbf{}", "line 1: the document is no JSON object" },
		{ "{}{}", "line 1: something follows the document" },
		{ "{}\n x", "line 2: something follows the document" },
		{ "{a:1}", "line 1: " },
		{ "{1:1}", "line 1: the name of a member is missing" },
		{ "{\"a\"}", "line 1: \":\" is missing" },
		{ "{\"a\":}", "line 1: a value is missing" },
		{ "{\"a\":1,}", "line 1: the name of a member is missing" },
		{ "{\"a\":1 \"b\":2}", "line 1: \",\" or \"}\" is missing" },
		{ "{\"a\":1]", "line 1: \",\" or \"}\" is missing" },
		{ "{\"a\":[1}", "line 1: \",\" or \"]\" is missing" },
		{ "{\"a\":[1,]}", "line 1: a value is missing" },
		{ "{\"a\":[,1]}", "line 1: a value is missing" },
		{ "{\"a\":\n[1 2]}", "line 2: \",\" or \"]\" is missing" },
		{ "{\"a\":nul}", "line 1: " },
		{ "{\"a\":01}", "line 1: " },
		{ "{\"a\":NaN}", "line 1: " },
		{ "{\"a\":1e999}", "line 1: " },
		{ "{\"a\":99999999999999999999}", "line 1: " },
		{ "{\"a\":\"\xff\"}", "line 1: " },
		{ "{\"a\":\"\\ud800\"}", "line 1: " },
		{ "{\"a\":\"\\u0000\"}", "line 1: " },
		{ "{\"a\":\"tab\there\"}", "line 1: " },
		{ "{\"a\":{\n\n\"b\":1,\n\"b\":2}}", "line 4: " },
		{ "{\"a\":{]}", "line 1: " },
		{ "{\"a\":'x'}", "line 1: " },
		{ "{/* no */}", "line 1: " },
	};
	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct taken taken = { .stop_at = 0 };
		struct fault fault = FAULT_INIT;
		enum fault_code code = read_text(bad[i].text, &taken, &fault);
		if (code != FAULT_MALFORMED || strncmp(fault.message, bad[i].message, strlen(bad[i].message)) != 0)
			fail_msg("%s gave %s: %s", bad[i].text, fault_type(code), fault.message);
	}
	struct taken taken = { .stop_at = 0 };
	assert_int_equal(read_drops("{\"a\":\0}", 8, 8, &taken, NULL), FAULT_MALFORMED);
	assert_int_equal(read_drops("\0{}", 3, 8, &taken, NULL), FAULT_MALFORMED);
}

static void
json_stream__bounds_values_and_names(void **state)
{
	AUTO(char, free) text = calloc(1, JSON_STREAM_VALUE_MAX + 64);
	struct taken taken = { .stop_at = 0 };
	struct fault fault = FAULT_INIT;
	(void)state;
	strcpy(text, "{\"a\":[\"");
	memset(text + 7, 'x', JSON_STREAM_VALUE_MAX - 2);
	strcat(text, "\"]}");
	assert_int_equal(read_text(text, &taken, &fault), FAULT_NONE);
	memset(text + 7, 'x', JSON_STREAM_VALUE_MAX - 1);
	strcpy(text + 7 + JSON_STREAM_VALUE_MAX - 1, "\"]}");
	assert_int_equal(read_text(text, &taken, &fault), FAULT_TOO_LARGE);
	/* Deep nesting ends at a limit too, jansson's. */
	strcpy(text, "{\"a\":");
	memset(text + 5, '[', 5000);
	text[5005] = '\0';
	assert_int_equal(read_text(text, &taken, &fault), FAULT_MALFORMED);
	memset(text + 5005, ']', 5000);
	strcpy(text + 10005, "}");
	assert_int_equal(read_text(text, &taken, &fault), FAULT_MALFORMED);
	strcpy(text, "{\"");
	memset(text + 2, 'n', JSON_STREAM_NAME_MAX + 1);
	strcpy(text + 2 + JSON_STREAM_NAME_MAX + 1, "\":1}");
	assert_int_equal(read_text(text, &taken, &fault), FAULT_TOO_LARGE);
}

static void
json_stream__passes_on_the_fault_of_its_taker(void **state)
{
	(void)state;
	for (size_t i = 1; i <= 11; i++) {
		struct taken taken = { .stop_at = i };
		struct fault fault = FAULT_INIT;
		assert_int_equal(read_text(document, &taken, &fault), FAULT_BUSY);
		assert_string_equal(fault.message, "enough");
		assert_int_equal(taken.values, i);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(json_stream__gives_members_and_elements),
		cmocka_unit_test(json_stream__does_not_care_how_bytes_come),
		cmocka_unit_test(json_stream__takes_an_empty_object),
		cmocka_unit_test(json_stream__notices_every_cut),
		cmocka_unit_test(json_stream__refuses_what_is_not_json),
		cmocka_unit_test(json_stream__bounds_values_and_names),
		cmocka_unit_test(json_stream__passes_on_the_fault_of_its_taker),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
