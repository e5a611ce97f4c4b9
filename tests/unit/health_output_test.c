#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "api/cli/health_output.h"
#include "tests/unit/printed.h"
#include "tests/unit/scratch.h"

static void
health_output__durations_are_for_people(void **state)
{
	static const struct { int64_t s; const char *text; } cases[] = {
		{ 0, "0 s" }, { 119, "119 s" }, { 120, "2 min" }, { 7199, "119 min" }, { 7200, "2 h 0 min" }, { 172799, "47 h 59 min" },
		{ 172800, "2 d 0 h" }, { 90 * 86400 + 3 * 3600, "90 d 3 h" }, { -300, "-5 min" },
		{ INT64_MAX, "106751991167300 d 15 h" },
	};
	char text[DURATION_TEXT];
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		health_output_duration(cases[i].s, text);
		assert_string_equal(text, cases[i].text);
	}
}

static void
health_output__shows_what_it_knows(void **state)
{
	assert_string_equal(printed(state, health_output, "{\"trouble\":null,\"findings\":[],\"sections\":{\"work\":{\"trouble\":null},"
		"\"queue\":{\"cas\":3,\"oldest_s\":130,\"held\":1},\"renewals\":{\"due\":0,\"overdue\":0,\"late_s\":0},"
		"\"expiry\":{\"ta\":{\"left_s\":864000},\"mft\":{\"left_s\":-60}},\"key_pool\":{\"keys\":1,\"size\":2},"
		"\"ta\":{\"urgency\":\"soon\",\"reason\":\"in a week\",\"due_at\":\"A\",\"ends_at\":\"B\"},"
		"\"check\":{\"checked_at\":\"C\",\"all_checked_at\":\"D\",\"findings\":2,\"severe\":1}}}"),
		"Health           ready\n"
		"Waiting          3 CAs, the oldest for 2 min; 1 on hold\n"
		"Renewals         0 CAs due, 0 overdue\n"
		"Expires first    ta in 10 d 0 h, mft in -60 s\n"
		"One-time keys    1 keys of 2\n"
		"Trust anchor     next ceremony by A (soon): in a week; what is signed ends B\n"
		"Checked          C, all of it D: 2 findings, 1 severe\n");
	assert_string_equal(printed(state, health_output,
		"{\"trouble\":null,\"sections\":{\"ta\":{\"urgency\":\"online\"},\"check\":{\"all_checked_at\":null}}}"),
		"Health           ready\n"
		"Trust anchor     its key is on the server\n"
		"Checked          not yet\n");
	assert_string_equal(printed(state, health_output,
		"{\"trouble\":null,\"sections\":{\"ta\":{\"urgency\":\"due\",\"reason\":\"the first\",\"due_at\":null}}}"),
		"Health           ready\n"
		"Trust anchor     due: the first\n");
}

static void
health_output__says_first_what_is_wrong(void **state)
{
	assert_string_equal(printed(state, health_output, "{\"trouble\":\"overdue\",\"findings\":[{\"level\":\"failure\",\"section\":\"renewals\","
		"\"kind\":\"overdue\",\"detail\":\"late\\u001b[2J\"}],\"sections\":{\"renewals\":null}}"),
		"Health           not ready: overdue\n"
		"  failure  renewals: late?[2J (overdue)\n"
		"Renewals         not known\n");
}

/* Of a newer server, or of none of ours. */
static void
health_output__shows_what_it_does_not_know(void **state)
{
	assert_string_equal(printed(state, health_output,
		"{\"trouble\":null,\"sections\":{\"ceremony\":{\"next_at\":\"2027-01-01T00:00:00Z\",\"left_s\":864000,"
		"\"n\":5,\"offline\":true,\"none\":null},\"empty\":{}}}"),
		"Health           ready\n"
		"ceremony         next_at 2027-01-01T00:00:00Z, left 10 d 0 h, n 5, offline yes, none -\n");
	static const char *const nonsense[] = { "{}", "[]", "7", "{\"trouble\":7,\"findings\":7,\"sections\":[1]}",
		"{\"sections\":{\"queue\":[],\"expiry\":{\"ta\":7}},\"findings\":[7,{}]}" };
	for (size_t i = 0; i < sizeof nonsense / sizeof *nonsense; i++)
		assert_memory_equal(printed(state, health_output, nonsense[i]), "Health           not ready", 26);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(health_output__durations_are_for_people),
		cmocka_unit_test_setup_teardown(health_output__shows_what_it_knows, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(health_output__says_first_what_is_wrong, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(health_output__shows_what_it_does_not_know, scratch_setup, scratch_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
