#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/served.h"

#define CASE(name) cmocka_unit_test_setup_teardown(name, served_open, served_close)

static void
expect(struct served *served, const char *kinds)
{
	AUTO_CLEAR(struct check_report, check_report_clear) report = CHECK_REPORT_INIT;
	struct check_request request = served_request(served);
	served_check(&request, &report);
	served_expect(&report, kinds);
}

static void
check__finds_nothing_in_what_is_right(void **state)
{
	struct served *served = *state;
	AUTO_CLEAR(struct check_report, check_report_clear) report = CHECK_REPORT_INIT;
	struct check_request request = served_request(served);
	served_check(&request, &report);
	served_expect(&report, "");
	assert_int_equal(report.serial, 3);
	assert_int_equal(report.rsync_serial, 3);
	assert_int_equal(report.deltas, 2);
	assert_int_equal(report.cas, 6);
	assert_int_equal(report.payloads, 3);
	assert_int_equal(report.cas_unsettled, 0);
	assert_int_equal(report.objects[CHECK_TA], 1);
	assert_int_equal(report.objects[CHECK_CER], 5);
	assert_int_equal(report.objects[CHECK_MFT], 6);
	assert_int_equal(report.objects[CHECK_CRL], 6);
	assert_int_equal(report.objects[CHECK_ROA], 3);
}

static void
check__needs_no_database(void **state)
{
	struct served *served = *state;
	AUTO_CLEAR(struct check_report, check_report_clear) report = CHECK_REPORT_INIT;
	struct check_request request = served_request(served);
	request.db = NULL;
	served_check(&request, &report);
	served_expect(&report, "");
	assert_int_equal(report.rsync_serial, 3);
	assert_int_equal(report.payloads, 3);
}

static void
check__looks_at_rsync_at_its_own_serial(void **state)
{
	struct served *served = *state;
	AUTO_CLEAR(struct check_report, check_report_clear) report = CHECK_REPORT_INIT;
	world_change_roas(served->world, served->beta, NULL, "198.51.100.0/24");
	served_publish_rrdp(served);
	expect(served, "");
	struct check_request request = served_request(served);
	request.db = NULL;
	served_check(&request, &report);
	served_expect(&report, "");
	assert_int_equal(report.serial, 4);
	assert_int_equal(report.rsync_serial, 3);
}

static void
check__tells_what_expires_within_the_horizon(void **state)
{
	struct served *served = *state;
	AUTO_CLEAR(struct check_report, check_report_clear) report = CHECK_REPORT_INIT;
	struct check_request request = served_request(served);
	request.horizon_s[CHECK_MFT] = INT64_C(3) * 86400;
	served_check(&request, &report);
	served_expect(&report, "expires_soon");
	assert_int_equal(report.counts[CHECK_EXPIRES_SOON], 6);
	assert_int_equal(report.severe_total, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(check__finds_nothing_in_what_is_right),
		CASE(check__needs_no_database),
		CASE(check__looks_at_rsync_at_its_own_serial),
		CASE(check__tells_what_expires_within_the_horizon),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
