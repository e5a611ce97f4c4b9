#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "api/server/health_log.h"

#define HOUR INT64_C(3600)

static struct health_finding
found(const char *kind, enum health_level level)
{
	struct health_finding finding = { .level = level, .section = "expiry" };
	(void)snprintf(finding.kind, sizeof finding.kind, "%s", kind);
	return finding;
}

static void
health_log__repeats_the_worse_the_oftener(void **state)
{
	static const struct { enum health_level before, level; int64_t after_s; bool due; } cases[] = {
		{ HEALTH_NOTE, HEALTH_NOTE, 6 * HOUR - 1, false }, { HEALTH_NOTE, HEALTH_NOTE, 6 * HOUR, true },
		{ HEALTH_WARNING, HEALTH_WARNING, HOUR - 1, false }, { HEALTH_WARNING, HEALTH_WARNING, HOUR, true },
		{ HEALTH_FAILURE, HEALTH_FAILURE, HOUR / 6 - 1, false }, { HEALTH_FAILURE, HEALTH_FAILURE, HOUR / 6, true },
		{ HEALTH_NOTE, HEALTH_WARNING, 0, true }, { HEALTH_WARNING, HEALTH_FAILURE, 1, true }, /* worse: at once */
		{ HEALTH_FAILURE, HEALTH_WARNING, 1, false }, { HEALTH_FAILURE, HEALTH_NOTE, HOUR, false }, /* better: no hurry */
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		if (health_log_due(cases[i].before, 5000, cases[i].level, 5000 + cases[i].after_s) != cases[i].due)
			fail_msg("case %zu", i);
}

static void
health_log__remembers_what_it_wrote(void **state)
{
	struct health_log log = { .count = 0 };
	struct health_finding findings[] = { found("mft", HEALTH_WARNING), found("roa", HEALTH_NOTE) };
	(void)state;
	health_log_write(&log, findings, 2, 1000);
	assert_int_equal(log.count, 2);
	assert_int_equal(log.entries[0].written_s, 1000);
	health_log_write(&log, findings, 2, 1060);
	assert_int_equal(log.entries[0].written_s, 1000);
	findings[0].level = HEALTH_FAILURE;
	health_log_write(&log, findings, 2, 1120);
	assert_int_equal(log.entries[0].written_s, 1120);
	assert_int_equal(log.entries[1].written_s, 1000);
	/* What is over is forgotten, so that it is told at once when it comes again. */
	health_log_write(&log, findings + 1, 1, 1180);
	assert_int_equal(log.count, 1);
	health_log_write(&log, findings, 2, 1240);
	assert_int_equal(log.entries[1].written_s, 1240);
	health_log_write(&log, NULL, 0, 1300);
	assert_int_equal(log.count, 0);
}

static void
health_log__has_room_for_what_a_report_may_find(void **state)
{
	struct health_log log = { .count = 0 };
	struct health_finding findings[HEALTH_FINDINGS_MAX];
	char kind[16];
	(void)state;
	for (int round = 0; round < 3; round++) {
		for (size_t i = 0; i < HEALTH_FINDINGS_MAX; i++) {
			(void)snprintf(kind, sizeof kind, "kind-%d", round * 20 + (int)i);
			findings[i] = found(kind, HEALTH_NOTE);
		}
		health_log_write(&log, findings, HEALTH_FINDINGS_MAX, round);
		assert_int_equal(log.count, HEALTH_FINDINGS_MAX);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(health_log__repeats_the_worse_the_oftener),
		cmocka_unit_test(health_log__remembers_what_it_wrote),
		cmocka_unit_test(health_log__has_room_for_what_a_report_may_find),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
