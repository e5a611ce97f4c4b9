#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "ca/commands/ca_commands.h"
#include "ca/commands/hold_commands.h"
#include "db/connection.h"
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

/* What was issued while files were being fetched isn't of the future: everything is judged at the time at which it was there. */
static void
check__judges_at_the_time_at_which_all_was_read(void **state)
{
	struct served *served = *state;
	AUTO_CLEAR(struct check_report, check_report_clear) report = CHECK_REPORT_INIT;
	struct check_request request = served_request(served);
	int64_t now_at = request.now_at;
	request.now_at = WORLD_START - 86400; /* so long did it take */
	request.clock = &served->world->clock;
	served_check(&request, &report);
	served_expect(&report, "");
	assert_int_equal(report.checked_at, now_at);
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

/* A member in a second repository; served. */
static void
open_second(struct served *served)
{
	struct world *world = served->world;
	world->context.placing = (struct command_placing){ .issuing_members_max = 1, .repository_size_max = 1 };
	int64_t ca_id = world_add_member(world, "delta", "172.16.0.0/16");
	world_change_roas(world, ca_id, "172.16.0.0/24", NULL);
	(void)served_publish(served);
	assert_int_equal(world_number(world, "SELECT count(*) AS it FROM repositories"), 2);
}

static void
expect_both(struct served *served, const char *kinds, int64_t payloads)
{
	for (int with_database = 1; with_database >= 0; with_database--) {
		AUTO_CLEAR(struct check_report, check_report_clear) report = CHECK_REPORT_INIT;
		struct check_request request = served_request(served);
		if (!with_database)
			request.db = NULL;
		served_check(&request, &report);
		served_expect(&report, kinds);
		assert_int_equal(report.repositories, 2);
		assert_int_equal(report.payloads, payloads);
	}
}

static void
check__follows_each_notification(void **state)
{
	struct served *served = *state;
	open_second(served);
	expect_both(served, "", 4);
	/* A delta of the second alone, while the rsync tree lags behind. */
	int64_t ca_id = world_number(served->world, "SELECT ca_id AS it FROM cas WHERE handle = 'delta'");
	world_change_roas(served->world, ca_id, "172.16.1.0/24", NULL);
	(void)served_publish_rrdp(served);
	expect_both(served, "", 5);
}

/* What is wrong in the second is found like what is wrong in the first. */
static void
check__finds_damage_in_another_repository(void **state)
{
	struct served *served = *state;
	char path[512];
	open_second(served);
	AUTO(struct db_connection, db_reader_release) connection = NULL;
	AUTO(struct stmt, stmt_done) stmt = NULL;
	bool row;
	WORLD_OK(db_reader_acquire(served->world->db, &connection, fault));
	WORLD_OK(stmt_prepare(connection, "a test", "SELECT 'rrdp/2/' || session || '/' || k.serial || '/' || random || '/snapshot.xml' AS it"
		" FROM repositories JOIN cuts k USING (repository_id) WHERE repository_id = 2 AND k.serial = notified_serial", &stmt, fault));
	WORLD_OK(stmt_step(stmt, &row, fault));
	(void)snprintf(path, sizeof path, "%s", stmt_text(stmt, "it"));
	assert_int_equal(unlinkat(served->directory, path, 0), 0);
	{
		AUTO_CLEAR(struct check_report, check_report_clear) report = CHECK_REPORT_INIT;
		struct check_request request = served_request(served);
		served_check(&request, &report);
		served_expect(&report, "snapshot_missing manifest_missing");
	}
	int64_t repaired;
	WORLD_OK(publisher_verify(served->publisher, &repaired, fault));
	assert_int_equal(repaired, 1);
	expect_both(served, "", 4);
}

/* Serials until nothing is due; each must be right, with so many payloads at the end. */
static void
publish_all(struct served *served, int64_t payloads)
{
	AUTO_CLEAR(struct check_report, check_report_clear) report = CHECK_REPORT_INIT;
	int64_t serial = 1, published;
	struct check_request request;
	for (int i = 0; i < 10 && serial != 0; i++) {
		serial = world_cut(served->world);
		if (serial != 0)
			WORLD_OK(publisher_publish(served->publisher, &published, fault));
		expect(served, "");
	}
	assert_int_equal(serial, 0);
	WORLD_OK(publisher_rsync(served->publisher, &published, fault));
	request = served_request(served);
	served_check(&request, &report);
	served_expect(&report, "");
	assert_int_equal(report.payloads, payloads);
}

/* In everything that a registry does to its CAs each serial is right, and at any time what waits is no finding. */
static void
check__agrees_with_each_serial_of_a_busy_registry(void **state)
{
	struct served *served = *state;
	struct world *world = served->world;
	struct resource_set less = RESOURCE_SET_INIT;
	struct complaints complaints = COMPLAINTS_INIT;
	world_change_roas(world, served->alpha, "203.0.113.0/24", NULL);
	expect(served, "");
	publish_all(served, 4);
	/* 2001:db8::/32 and 203.0.113.0/24 are lost: their ROAs go, the intent stays. */
	WORLD_OK(resource_set_parse_addresses(&less, FAMILY_IPV4, "192.0.2.0/24", fault));
	WORLD_OK(resource_set_normalise(&less, fault));
	WORLD_OK(ca_set_resources(&world->context, &world_actor, served->alpha, &less, &complaints, fault));
	complaints_clear(&complaints);
	resource_set_clear(&less);
	expect(served, "");
	publish_all(served, 2);
	WORLD_OK(ca_hold(&world->context, &world_actor, served->beta, fault));
	world_change_roas(world, served->beta, NULL, "198.51.100.0/24");
	publish_all(served, 2);
	WORLD_OK(ca_release(&world->context, &world_actor, served->beta, fault));
	publish_all(served, 1);
	WORLD_OK(ca_suspend(&world->context, &world_actor, served->alpha, fault));
	expect(served, "");
	publish_all(served, 0);
	WORLD_OK(ca_resume(&world->context, &world_actor, served->alpha, fault));
	publish_all(served, 1);
	WORLD_OK(ca_delete(&world->context, &world_actor, served->beta, fault));
	expect(served, "");
	publish_all(served, 1);
}

/* Two keys of one CA stand beside each other, each with a manifest. */
static void
check__follows_key_rolls(void **state)
{
	struct served *served = *state;
	struct world *world = served->world;
	for (int64_t ca_id = 3; ca_id <= served->alpha; ca_id++) {
		char sql[128];
		(void)snprintf(sql, sizeof sql, "UPDATE cas SET roll_at = %lld, changed_at = 1, version = version + 1 WHERE ca_id = %lld",
			(long long)clock_now(&world->clock), (long long)ca_id);
		world_sql(world, sql);
		publish_all(served, 3);
		clock_hand_set(&world->clock, clock_now(&world->clock) + INT64_C(86400) + 7200);
		publish_all(served, 3);
		clock_hand_set(&world->clock, clock_now(&world->clock) + 3600);
		publish_all(served, 3);
	}
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

/* One row less, one byte more; where nothing was counted there is nothing to hold against. */
static void
check__counts_again_what_the_cut_counted(void **state)
{
	struct served *served = *state;
	world_sql(served->world, "UPDATE cuts SET objects = objects + 1");
	expect(served, "count_differs");
	world_sql(served->world, "UPDATE cuts SET objects = objects - 1, objects_size = objects_size - 1");
	expect(served, "count_differs");
	world_sql(served->world, "UPDATE cuts SET objects = NULL, objects_size = NULL");
	expect(served, "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(check__finds_nothing_in_what_is_right),
		CASE(check__judges_at_the_time_at_which_all_was_read),
		CASE(check__needs_no_database),
		CASE(check__follows_each_notification),
		CASE(check__finds_damage_in_another_repository),
		CASE(check__looks_at_rsync_at_its_own_serial),
		CASE(check__tells_what_expires_within_the_horizon),
		CASE(check__agrees_with_each_serial_of_a_busy_registry),
		CASE(check__follows_key_rolls),
		CASE(check__counts_again_what_the_cut_counted),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
