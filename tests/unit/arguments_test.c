#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "api/cli/arguments.h"

enum { DRY_RUN, COMMENT };
static const struct option_spec options[] = {
	[DRY_RUN] = { "dry-run", NULL, "change nothing" },
	[COMMENT] = { "comment", "TEXT", "a word" },
	{ NULL, NULL, NULL },
};

#define WORDS_MAX 12

/* Words parted by blanks; "_" stands for an empty one. */
static enum fault_code
parse(const char *line, struct arguments *ret_arguments, struct fault *fault)
{
	static char text[300];
	char *words[WORDS_MAX], *rest;
	size_t count = 0;
	assert_true(strlen(line) < sizeof text);
	strcpy(text, line);
	for (char *word = strtok_r(text, " ", &rest); word != NULL; word = strtok_r(NULL, " ", &rest)) {
		assert_true(count < WORDS_MAX);
		words[count++] = strcmp(word, "_") == 0 ? word + 1 : word;
	}
	*ret_arguments = (struct arguments){ .values_count = 0 };
	return arguments_parse(options, words, count, ret_arguments, fault);
}

static void
arguments__refuses_what_it_does_not_know(void **state)
{
	static const struct { const char *line, *told; } wrong[] = {
		{ "--unknown", "--unknown" }, { "--unknown=1", "--unknown" }, { "--comm x", "--comm" }, { "--comments x", "--comments" },
		{ "--Comment x", "--Comment" }, { "--=x", "--" }, { "--comment", "--comment needs a value: TEXT" },
		{ "a b --data", "--data needs a value: DIR" }, { "--dry-run=yes", "--dry-run takes no value" },
		{ "--dry-run=", "--dry-run takes no value" }, { "--json=1", "--json takes no value" },
		{ "1 2 3 4 5 6 7 8 nine", "\"nine\"" }, { "-- 1 2 3 4 5 6 7 8 --nine", "\"--nine\"" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		struct arguments arguments;
		struct fault fault = FAULT_INIT;
		if (parse(wrong[i].line, &arguments, &fault) != FAULT_USAGE)
			fail_msg("\"%s\" was taken", wrong[i].line);
		if (strstr(fault.message, wrong[i].told) == NULL)
			fail_msg("\"%s\": %s", wrong[i].line, fault.message);
	}
}

static void
arguments__takes_options_anywhere_and_values_in_order(void **state)
{
	struct arguments arguments;
	(void)state;
	assert_int_equal(parse("one --dry-run two --comment text --data=/dir three", &arguments, NULL), FAULT_NONE);
	assert_int_equal(arguments.values_count, 3);
	assert_string_equal(arguments.values[0], "one");
	assert_string_equal(arguments.values[2], "three");
	assert_string_equal(arguments.options[DRY_RUN], "");
	assert_string_equal(arguments.options[COMMENT], "text");
	assert_string_equal(arguments.common[COMMON_DATA], "/dir");
	assert_null(arguments.common[COMMON_JSON]);
}

static void
arguments__takes_a_value_as_it_is(void **state)
{
	static const struct { const char *line, *value; } cases[] = {
		{ "--comment=a=b", "a=b" }, { "--comment=", "" }, { "--comment _", "" }, { "--comment --dry-run", "--dry-run" },
		{ "--comment -", "-" }, { "--comment first --comment second", "second" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct arguments arguments;
		assert_int_equal(parse(cases[i].line, &arguments, NULL), FAULT_NONE);
		assert_string_equal(arguments.options[COMMENT], cases[i].value);
		assert_null(arguments.options[DRY_RUN]);
		assert_int_equal(arguments.values_count, 0);
	}
}

static void
arguments__ends_options_at_two_dashes(void **state)
{
	struct arguments arguments;
	(void)state;
	assert_int_equal(parse("- --dry-run -- --comment -- -h", &arguments, NULL), FAULT_NONE);
	assert_int_equal(arguments.values_count, 4);
	assert_string_equal(arguments.values[0], "-");
	assert_string_equal(arguments.values[1], "--comment");
	assert_string_equal(arguments.values[2], "--");
	assert_string_equal(arguments.values[3], "-h");
	assert_null(arguments.common[COMMON_HELP]);
}

static void
arguments__helps_in_two_ways(void **state)
{
	struct arguments arguments;
	char *word = "--help";
	(void)state;
	assert_int_equal(parse("-h", &arguments, NULL), FAULT_NONE);
	assert_non_null(arguments.common[COMMON_HELP]);
	/* A command without options of its own. */
	arguments = (struct arguments){ .values_count = 0 };
	assert_int_equal(arguments_parse(NULL, &word, 1, &arguments, NULL), FAULT_NONE);
	assert_non_null(arguments.common[COMMON_HELP]);
	assert_int_equal(arguments_parse(NULL, NULL, 0, &arguments, NULL), FAULT_NONE);
}

static void
arguments__reads_numbers(void **state)
{
	static const char *wrong[] = {
		"", "x", "-1", "+1", " 1", "1 ", "1x", "0x1", "1.5", "1e3", "9", "101", "99999999999999999999", "18446744073709551626",
	};
	struct fault fault = FAULT_INIT;
	int64_t number = -7;
	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		if (arguments_number("limit", wrong[i], 10, 100, &number, &fault) != FAULT_USAGE)
			fail_msg("\"%s\" was taken", wrong[i]);
		assert_non_null(strstr(fault.message, "--limit must be a whole number from 10 to 100"));
	}
	assert_int_equal(arguments_number("limit", NULL, 10, 100, &number, NULL), FAULT_NONE);
	assert_int_equal(number, -7);
	assert_int_equal(arguments_number("limit", "10", 10, 100, &number, NULL), FAULT_NONE);
	assert_int_equal(number, 10);
	assert_int_equal(arguments_number("limit", "0100", 10, 100, &number, NULL), FAULT_NONE);
	assert_int_equal(number, 100);
}

static void
arguments__reads_times(void **state)
{
	static const char *wrong[] = {
		"", "s", "h", "soon", "-1h", "+1h", " 1h", "1 h", "1h ", "1H", "1w", "1hh", "1h30m", "1.5h", "100000001d",
		"9223372036854775807d",
	};
	static const struct { const char *text; int64_t s; } right[] = {
		{ "0", 0 }, { "3600", 3600 }, { "90s", 90 }, { "30m", 1800 }, { "24h", 86400 }, { "365d", INT64_C(31536000) },
		{ "100000000d", INT64_C(8640000000000) },
	};
	struct fault fault = FAULT_INIT;
	int64_t s = -7;
	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		if (arguments_time("horizon", wrong[i], &s, &fault) != FAULT_USAGE)
			fail_msg("\"%s\" was taken", wrong[i]);
		assert_non_null(strstr(fault.message, "--horizon must be a time"));
	}
	assert_int_equal(arguments_time("horizon", NULL, &s, NULL), FAULT_NONE);
	assert_int_equal(s, -7);
	for (size_t i = 0; i < sizeof right / sizeof *right; i++) {
		assert_int_equal(arguments_time("horizon", right[i].text, &s, NULL), FAULT_NONE);
		assert_int_equal(s, right[i].s);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(arguments__refuses_what_it_does_not_know),
		cmocka_unit_test(arguments__takes_options_anywhere_and_values_in_order),
		cmocka_unit_test(arguments__takes_a_value_as_it_is),
		cmocka_unit_test(arguments__ends_options_at_two_dashes),
		cmocka_unit_test(arguments__helps_in_two_ways),
		cmocka_unit_test(arguments__reads_numbers),
		cmocka_unit_test(arguments__reads_times),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
