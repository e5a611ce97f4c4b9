#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "api/server/check_json.h"
#include "ca/base/scope.h"

static void
check_report__keeps_the_first_and_counts_all(void **state)
{
	AUTO_CLEAR(struct check_report, check_report_clear) report = CHECK_REPORT_INIT;
	(void)state;
	for (int i = 0; i < CHECK_FINDINGS_EACH + 30; i++)
		assert_int_equal(check_report_add(&report, CHECK_MANIFEST_HASH, "a", NULL, "number %d", i), FAULT_NONE);
	assert_int_equal(check_report_add(&report, CHECK_RSYNC_TIME, "b", NULL, "late"), FAULT_NONE);
	assert_int_equal(report.counts[CHECK_MANIFEST_HASH], CHECK_FINDINGS_EACH + 30);
	assert_int_equal(report.findings_count, CHECK_FINDINGS_EACH + 1);
	assert_int_equal(report.findings_total, CHECK_FINDINGS_EACH + 31);
	assert_int_equal(report.severe_total, CHECK_FINDINGS_EACH + 30);
	assert_string_equal(report.findings[CHECK_FINDINGS_EACH - 1].words, "number 19");
	assert_string_equal(report.findings[CHECK_FINDINGS_EACH].place, "b");
}

static void
check_report__joins_parts(void **state)
{
	AUTO_CLEAR(struct check_report, check_report_clear) whole = CHECK_REPORT_INIT, part = CHECK_REPORT_INIT;
	(void)state;
	assert_int_equal(check_report_add(&whole, CHECK_RSYNC_TIME, "a", NULL, "x"), FAULT_NONE);
	assert_int_equal(check_report_add(&part, CHECK_RSYNC_TIME, "b", NULL, "y"), FAULT_NONE);
	assert_int_equal(check_report_add(&part, CHECK_RSYNC_EXTRA, "c", NULL, "z"), FAULT_NONE);
	assert_int_equal(check_report_join(&whole, &part, NULL), FAULT_NONE);
	assert_int_equal(whole.counts[CHECK_RSYNC_TIME], 2);
	assert_int_equal(whole.findings_total, 3);
	assert_int_equal(whole.severe_total, 1);
	assert_string_equal(whole.findings[2].place, "c");
	assert_int_equal(part.findings_count, 0);
}

/* Names are for programs: each is one, and a slug. */
static void
check_report__has_a_name_for_each_kind(void **state)
{
	(void)state;
	for (enum check_kind a = 0; a < CHECK_KINDS; a++) {
		const char *name = check_kind_name(a);
		assert_int_equal(strspn(name, "abcdefghijklmnopqrstuvwxyz_"), strlen(name));
		assert_true(strlen(check_kind_help(a)) > 10);
		for (enum check_kind b = 0; b < a; b++)
			assert_string_not_equal(name, check_kind_name(b));
	}
}

static void
check_report__prints_as_json(void **state)
{
	AUTO_CLEAR(struct check_report, check_report_clear) report = CHECK_REPORT_INIT;
	json_t *json = NULL;
	(void)state;
	report.serial = 7;
	report.objects[CHECK_ROA] = 3;
	report.expires_at[CHECK_ROA] = 86400;
	assert_int_equal(check_report_add(&report, CHECK_MANIFEST_HASH, "a \"quoted\" place", NULL, "words"), FAULT_NONE);
	/* Served files may hold anything. */
	assert_int_equal(check_report_add(&report, CHECK_MANIFEST_NAME, "b", NULL, "\xff\xfe"), FAULT_NONE);
	assert_int_equal(check_json(&report, &json, NULL), FAULT_NONE);
	assert_true(json_is_false(json_object_get(json, "right")));
	assert_true(json_is_null(json_object_get(json, "session")));
	assert_int_equal(json_integer_value(json_object_get(json, "serial")), 7);
	json_t *roa = json_object_get(json_object_get(json, "objects"), "roa");
	assert_string_equal(json_string_value(json_object_get(roa, "expires_at")), "1970-01-02T00:00:00Z");
	assert_int_equal(json_array_size(json_object_get(json, "kinds")), 2);
	json_t *findings = json_object_get(json, "findings");
	assert_int_equal(json_array_size(findings), 2);
	assert_string_equal(json_string_value(json_object_get(json_array_get(findings, 0), "place")), "a \"quoted\" place");
	assert_string_equal(json_string_value(json_object_get(json_array_get(findings, 1), "kind")), "manifest_name");
	json_decref(json);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(check_report__keeps_the_first_and_counts_all),
		cmocka_unit_test(check_report__joins_parts),
		cmocka_unit_test(check_report__has_a_name_for_each_kind),
		cmocka_unit_test(check_report__prints_as_json),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
