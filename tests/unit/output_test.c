#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "api/cli/output.h"
#include "tests/unit/printed.h"
#include "tests/unit/scratch.h"

static const struct output_column columns[] = {
	{ "asn", "ASN", true }, { "place.name", "NAME", false }, { "list", "LIST", false }, { NULL, NULL, false },
};

static void
print_table(const json_t *value)
{
	assert_int_equal(output_table(columns, value, NULL), FAULT_NONE);
}

static void
print_record(const json_t *value)
{
	output_record(columns, value);
}

/* An answer that isn't what was expected is shown as empty, and ends nothing. */
static void
output__bears_what_it_did_not_expect(void **state)
{
	static const char *const odd[] = { "null", "[]", "{}", "1", "\"text\"", "[null]", "[1, \"x\", []]", "[{\"place\":1}]",
		"[{\"place\":{\"name\":{}}}]", "{\"asn\":{\"a\":1}}", "[{\"place.name\":\"not this\"}]" };
	for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
		assert_null(strstr(printed(state, print_table, odd[i]), "not this"));
		assert_non_null(strstr(printed(state, print_record, odd[i]), "ASN"));
	}
}

/* What members write must not steer the terminal of who reads it. */
static void
output__keeps_control_characters_from_the_terminal(void **state)
{
	const char *row = "[{\"asn\":1,\"place\":{\"name\":\"\\u001b[2J\\u0007\\n\\u007fend\"}}]";
	const char *text = printed(state, print_table, row);
	assert_null(strchr(text, 0x1b));
	assert_null(strchr(text, 0x07));
	assert_null(strchr(text, 0x7f));
	assert_non_null(strstr(text, "?[2J???end"));
	row = "{\"place\":{\"name\":\"\\u001b[31mred\"}}";
	assert_non_null(strstr(printed(state, print_record, row), "?[31mred"));
}

static void
output__prints_tables(void **state)
{
	const char *text = printed(state, print_table,
		"[{\"asn\":64496,\"place\":{\"name\":\"alpha\"},\"list\":[1,\"two\",true]},{\"asn\":1,\"place\":null,\"list\":[]}]");
	assert_non_null(strstr(text, "ASN NAME  LIST"));
	assert_non_null(strstr(text, "64496 alpha 1 two yes"));
	assert_non_null(strstr(text, "\n    1"));
}

static void
output__prints_records(void **state)
{
	const char *text = printed(state, print_record, "{\"asn\":4294967295,\"place\":{\"name\":false},\"list\":[0.5]}");
	assert_string_equal(text, "ASN              4294967295\nNAME             no\nLIST             0.500\n");
}

static void
output__prints_json_as_it_came(void **state)
{
	assert_string_equal(printed(state, output_json, "{\"b\":1,\"a\":[]}"), "{\n  \"b\": 1,\n  \"a\": []\n}\n");
	assert_string_equal(printed(state, output_json, "null"), "null\n");
	/* Controls are escaped there by JSON itself. */
	assert_non_null(strstr(printed(state, output_json, "\"\\u001b[2J\""), "\\u001B"));
	output_json(NULL);
}

int
main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)
	const struct CMUnitTest tests[] = {
		CASE(output__bears_what_it_did_not_expect),
		CASE(output__keeps_control_characters_from_the_terminal),
		CASE(output__prints_tables),
		CASE(output__prints_records),
		CASE(output__prints_json_as_it_came),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
