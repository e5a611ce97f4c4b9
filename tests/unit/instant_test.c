#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "ca/base/instant.h"

static const struct {
	int64_t at;
	const char *rfc3339, *http;
} known[] = {
	{ 0, "1970-01-01T00:00:00Z", "Thu, 01 Jan 1970 00:00:00 GMT" },
	{ 784111777, "1994-11-06T08:49:37Z", "Sun, 06 Nov 1994 08:49:37 GMT" },
	{ 951782400, "2000-02-29T00:00:00Z", "Tue, 29 Feb 2000 00:00:00 GMT" },
	{ 1795475760, "2026-11-23T23:16:00Z", "Mon, 23 Nov 2026 23:16:00 GMT" },
	{ 1835438400, "2028-02-29T12:00:00Z", "Tue, 29 Feb 2028 12:00:00 GMT" },
	{ 2147483648, "2038-01-19T03:14:08Z", "Tue, 19 Jan 2038 03:14:08 GMT" },
	{ 2524607999, "2049-12-31T23:59:59Z", "Fri, 31 Dec 2049 23:59:59 GMT" },
	{ 2524608000, "2050-01-01T00:00:00Z", "Sat, 01 Jan 2050 00:00:00 GMT" },
	{ 4107542400, "2100-03-01T00:00:00Z", "Mon, 01 Mar 2100 00:00:00 GMT" },
	{ 253402300799, "9999-12-31T23:59:59Z", "Fri, 31 Dec 9999 23:59:59 GMT" },
};

static void
instant__known_instants_both_ways(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
		char text[INSTANT_TEXT];
		int64_t at = -1;
		instant_rfc3339(known[i].at, text);
		assert_string_equal(text, known[i].rfc3339);
		assert_true(instant_parse_rfc3339(text, &at));
		assert_int_equal(at, known[i].at);
		at = -1;
		instant_http(known[i].at, text);
		assert_string_equal(text, known[i].http);
		assert_true(instant_parse_http(text, &at));
		assert_int_equal(at, known[i].at);
		assert_int_equal(instant_from_civil(instant_civil(known[i].at)), known[i].at);
	}
}

static int
naive_days_in_month(int year, int month)
{
	if (month == 4 || month == 6 || month == 9 || month == 11)
		return 30;
	if (month != 2)
		return 31;
	if (year % 400 == 0)
		return 29;
	if (year % 100 == 0)
		return 28;
	return year % 4 == 0 ? 29 : 28;
}

/* Every day there is, counted one by one. */
static void
instant__every_day_until_9999(void **state)
{
	(void)state;
	int64_t at = INSTANT_MIN;
	for (int year = 1970; year <= 9999; year++)
		for (int month = 1; month <= 12; month++)
			for (int day = 1; day <= naive_days_in_month(year, month); day++, at += 86400) {
				struct civil_time civil = instant_civil(at + 86399);
				if (civil.year != year || civil.month != month || civil.day != day || civil.hour != 23 ||
					civil.minute != 59 || civil.second != 59 || instant_from_civil(civil) != at + 86399)
					fail_msg("%d-%d-%d is told as %d-%d-%d", year, month, day, civil.year, civil.month,
						civil.day);
			}
	assert_int_equal(at, INSTANT_MAX + 1);
}

static void
instant__outside_is_told_as_the_bound(void **state)
{
	(void)state;
	char text[INSTANT_TEXT];
	instant_rfc3339(-1, text);
	assert_string_equal(text, "1970-01-01T00:00:00Z");
	instant_rfc3339(INT64_MIN, text);
	assert_string_equal(text, "1970-01-01T00:00:00Z");
	instant_rfc3339(INSTANT_MAX + 1, text);
	assert_string_equal(text, "9999-12-31T23:59:59Z");
	instant_http(INT64_MAX, text);
	assert_string_equal(text, "Fri, 31 Dec 9999 23:59:59 GMT");
}

static void
instant__before_1970_counts_down(void **state)
{
	(void)state;
	assert_int_equal(instant_from_civil((struct civil_time){ 1969, 12, 31, 23, 59, 59 }), -1);
	assert_int_equal(instant_from_civil((struct civil_time){ 1900, 3, 1, 0, 0, 0 }), -2203891200);
	assert_int_equal(instant_from_civil((struct civil_time){ 1, 1, 1, 0, 0, 0 }), -62135596800);
}

static void
instant__rfc3339_takes_offsets_and_fractions(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int64_t at;
	} cases[] = {
		{ "2026-11-23T23:16:00+00:00", 1795475760 }, { "2026-11-23T23:16:00-00:00", 1795475760 },
		{ "2026-11-24T00:16:00+01:00", 1795475760 }, { "2026-11-23T17:46:00-05:30", 1795475760 },
		{ "2026-11-23T23:16:00.999999999Z", 1795475760 }, { "2026-11-23T23:16:00.5+00:00", 1795475760 },
		{ "2026-11-23t23:16:00z", 1795475760 }, { "1970-01-01T01:00:00+01:00", 0 },
		{ "1969-12-31T23:00:00-01:00", 0 }, { "2028-02-29T23:59:59-23:59", 1835567939 },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		int64_t at = -1;
		assert_true(instant_parse_rfc3339(cases[i].text, &at));
		assert_int_equal(at, cases[i].at);
	}
}

static void
instant__bad_rfc3339_is_refused(void **state)
{
	(void)state;
	static const char *const texts[] = {
		"", "2", "2026", "2026-11-23", "2026-11-23T23:16:00", "2026-11-23T23:16Z", "2026-11-23 23:16:00Z",
		"2026-11-23T23:16:00 Z", " 2026-11-23T23:16:00Z", "2026-11-23T23:16:00Z ", "2026-11-23T23:16:00ZZ",
		"2026-13-23T23:16:00Z", "2026-00-23T23:16:00Z", "2026-11-31T23:16:00Z", "2026-11-00T23:16:00Z",
		"2026-02-29T00:00:00Z", "2100-02-29T00:00:00Z", "2026-11-23T24:00:00Z", "2026-11-23T23:60:00Z",
		"2026-11-23T23:16:60Z", "2026-11-23T23:16:00.Z", "2026-11-23T23:16:00.", "2026-11-23T23:16:00+1:00",
		"2026-11-23T23:16:00+0100", "2026-11-23T23:16:00+24:00", "2026-11-23T23:16:00+01:60", "2026-11-23T23:16:00+01",
		"26-11-23T23:16:00Z", "+2026-11-23T23:16:00Z", "20261123T231600Z", "1969-12-31T23:59:59Z",
		"1970-01-01T00:00:00+00:01", "9999-12-31T23:59:59-00:01", "0000-01-01T00:00:00Z", "12026-11-23T23:16:00Z",
		"2026-1-23T23:16:00Z", "2026-11-23T23:16:0:Z", "2026-11-2/T23:16:00Z", "9999-99-99T99:99:99Z",
		"0000-00-00T00:00:00Z",
	};
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		int64_t at = -7;
		if (instant_parse_rfc3339(texts[i], &at))
			fail_msg("\"%s\" was taken", texts[i]);
		assert_int_equal(at, -7);
	}
}

static void
instant__bad_http_dates_are_refused(void **state)
{
	(void)state;
	static const char *const texts[] = {
		"", "Mon", "Tue, 23 Nov 2026 23:16:00 GMT", "mon, 23 Nov 2026 23:16:00 GMT", "Mon, 23 nov 2026 23:16:00 GMT",
		"Mon, 23 Nov 2026 23:16:00 UTC", "Mon, 23 Nov 2026 23:16:00 GMT ", "Mon, 23 Nov 2026 24:16:00 GMT",
		"Mon, 23 Nov 2026 23:60:00 GMT", "Mon, 23 Nov 2026 23:16:60 GMT", "Mon, 31 Nov 2026 23:16:00 GMT",
		"Mon, 00 Nov 2026 23:16:00 GMT", "Mon, 23 Nox 2026 23:16:00 GMT", "Mon, 3 Nov 2026 23:16:00 GMT",
		"Monday, 23-Nov-26 23:16:00 GMT", "Mon Nov 23 23:16:00 2026", "Mon, 23 Nov 0000 23:16:00 GMT",
		"Mon; 23 Nov 2026 23:16:00 GMT", "Mon, 23-Nov-2026 23:16:00 GMT", "Wed, 31 Dec 1969 23:59:59 GMT",
		"Mon, \xff\xff \xff\xff\xff 2026 23:16:00 GMT", "/////////////////////////////", ":::::::::::::::::::::::::::::",
	};
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		int64_t at = -7;
		if (instant_parse_http(texts[i], &at))
			fail_msg("\"%s\" was taken", texts[i]);
		assert_int_equal(at, -7);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(instant__known_instants_both_ways),
		cmocka_unit_test(instant__every_day_until_9999),
		cmocka_unit_test(instant__outside_is_told_as_the_bound),
		cmocka_unit_test(instant__before_1970_counts_down),
		cmocka_unit_test(instant__rfc3339_takes_offsets_and_fractions),
		cmocka_unit_test(instant__bad_rfc3339_is_refused),
		cmocka_unit_test(instant__bad_http_dates_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
