#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <string.h>

#include "api/server/precondition.h"

#define DATE "Thu, 01 Jan 2026 00:00:00 GMT"
#define DATE_AT INT64_C(1767225600)

static void
precondition__writes_tags(void **state)
{
	char tag[PRECONDITION_TAG];
	(void)state;
	precondition_tag(7, tag);
	assert_string_equal(tag, "\"7\"");
	precondition_tag_states(INT64_MAX, UINT64_MAX, tag);
	assert_string_equal(tag, "\"9223372036854775807-ffffffffffffffff\"");
}

static void
precondition__if_match(void **state)
{
	static const struct {
		const char *field;
		enum fault_code code;
		bool matches;
	} cases[] = {
		{ NULL, FAULT_NONE, true },
		{ "*", FAULT_NONE, true },
		{ " * ", FAULT_NONE, true },
		{ "\"7\"", FAULT_NONE, true },
		{ "\"7-00ff\"", FAULT_NONE, true },
		{ "\"6\", \"7\"", FAULT_NONE, true },
		{ ",\"7\",,", FAULT_NONE, true },
		{ "\"6\"", FAULT_NONE, false },
		{ "\"77\"", FAULT_NONE, false },
		{ "\"07\"", FAULT_NONE, false },
		{ "\"7x\"", FAULT_NONE, false },
		{ "W/\"7\"", FAULT_NONE, false },
		{ "W/\"7\", \"7\"", FAULT_NONE, true },
		{ "\"\"", FAULT_NONE, false },
		{ "", FAULT_MALFORMED, false },
		{ "7", FAULT_MALFORMED, false },
		{ "\"7", FAULT_MALFORMED, false },
		{ ",", FAULT_MALFORMED, false },
		{ "\"7\" \"8\"", FAULT_MALFORMED, false },
		{ "w/\"7\"", FAULT_MALFORMED, false },
		{ "\"7\"*", FAULT_MALFORMED, false },
		{ "**", FAULT_MALFORMED, false },
		{ "*, \"7\"", FAULT_MALFORMED, false },
		{ "\"7 8\"", FAULT_MALFORMED, false },
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		bool matches = false;
		if (precondition_match(cases[i].field, 7, &matches, NULL) != cases[i].code || matches != cases[i].matches)
			fail_msg("%s", cases[i].field);
	}
}

static void
precondition__if_none_match(void **state)
{
	(void)state;
	assert_false(precondition_unchanged(NULL, "\"7\""));
	assert_true(precondition_unchanged("*", "\"7\""));
	assert_true(precondition_unchanged("\"7\"", "\"7\""));
	assert_true(precondition_unchanged("W/\"7\"", "\"7\""));
	assert_true(precondition_unchanged("\"1\", W/\"7\"", "\"7\""));
	assert_false(precondition_unchanged("\"7-ab\"", "\"7\""));
	assert_false(precondition_unchanged("\"7\"", "\"7-ab\""));
	assert_false(precondition_unchanged("nonsense", "\"7\""));
	assert_false(precondition_unchanged("\"7\", nonsense", "\"7\""));
}

static void
precondition__if_modified_since(void **state)
{
	(void)state;
	assert_false(precondition_not_modified(NULL, DATE_AT));
	assert_true(precondition_not_modified(DATE, DATE_AT));
	/* The clock went back since the client asked last: what it has is not what is there. */
	assert_false(precondition_not_modified(DATE, DATE_AT - 1));
	assert_false(precondition_not_modified(DATE, DATE_AT - 86400));
	assert_false(precondition_not_modified(DATE, DATE_AT + 1));
	assert_false(precondition_not_modified("yesterday", DATE_AT));
	assert_false(precondition_not_modified("", DATE_AT));
}

static void
precondition__accept_encoding(void **state)
{
	static const char *const yes[] = { "gzip", "GZIP", "x-gzip", "deflate, gzip", "gzip;q=0.001", "gzip; q=1", "br;q=0, gzip",
		"*", "deflate, *;q=0.5", "gzip;q=0.1,*;q=0" };
	static const char *const no[] = { "", "identity", "gzip;q=0", "gzip; q=0.000", "gzip ; q = 0", "deflate", "*;q=0",
		"gzip;q=0, *", "xgzip", "gzipx", ",,," };
	(void)state;
	assert_false(precondition_takes_gzip(NULL));
	for (size_t i = 0; i < sizeof yes / sizeof yes[0]; i++) {
		if (!precondition_takes_gzip(yes[i]))
			fail_msg("%s", yes[i]);
	}
	for (size_t i = 0; i < sizeof no / sizeof no[0]; i++) {
		if (precondition_takes_gzip(no[i]))
			fail_msg("%s", no[i]);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(precondition__writes_tags),
		cmocka_unit_test(precondition__if_match),
		cmocka_unit_test(precondition__if_none_match),
		cmocka_unit_test(precondition__if_modified_since),
		cmocka_unit_test(precondition__accept_encoding),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
