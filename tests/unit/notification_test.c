#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "ca/base/atomic_file.h"
#include "publish/notification.h"
#include "tests/support/publish_fixture.h"
#include "tests/support/rrdp_reader.h"

#define LISTED 6

/* Cuts 10, 9, 8, … of ten bytes each, a minute apart, under a snapshot of 1,000 bytes. */
static void
plain_cuts(struct publication_cut cuts[LISTED])
{
	for (size_t i = 0; i < LISTED; i++)
		cuts[i] = (struct publication_cut){
			.serial = 10 - (int64_t)i,
			.cut_at = 10000 - 60 * (int64_t)i,
			.has_delta = true,
			.delta_kept = true,
			.delta = { .size = 10 },
		};
	cuts[0].has_snapshot = true;
	cuts[0].snapshot.size = 1000;
}

static void
notification__lists_what_the_settings_allow(void **state)
{
	struct publication_cut cuts[LISTED];
	const struct publisher_settings wide = { .deltas_max = 250, .delta_age_max_s = 86400 };
	struct publisher_settings settings = wide;
	(void)state;
	plain_cuts(cuts);
	assert_int_equal(notification_first_delta(cuts, LISTED, &wide), 5);
	assert_int_equal(notification_first_delta(cuts, 0, &wide), 0);
	assert_int_equal(notification_first_delta(cuts, 1, &wide), 10);
	settings.deltas_max = 3;
	assert_int_equal(notification_first_delta(cuts, LISTED, &settings), 8);
	settings.deltas_max = 0;
	assert_int_equal(notification_first_delta(cuts, LISTED, &settings), 0);
	settings = wide;
	settings.delta_age_max_s = 120;
	assert_int_equal(notification_first_delta(cuts, LISTED, &settings), 8);
	settings.delta_age_max_s = 119;
	assert_int_equal(notification_first_delta(cuts, LISTED, &settings), 9);
	settings.delta_age_max_s = 0;
	assert_int_equal(notification_first_delta(cuts, LISTED, &settings), 10);
}

/* RFC 8182 §3.3.2. */
static void
notification__lists_no_more_than_the_snapshot_is_long(void **state)
{
	struct publication_cut cuts[LISTED];
	const struct publisher_settings settings = { .deltas_max = 250, .delta_age_max_s = 86400 };
	(void)state;
	plain_cuts(cuts);
	cuts[0].snapshot.size = 30;
	assert_int_equal(notification_first_delta(cuts, LISTED, &settings), 8);
	cuts[0].snapshot.size = 29;
	assert_int_equal(notification_first_delta(cuts, LISTED, &settings), 9);
	cuts[0].snapshot.size = 9;
	assert_int_equal(notification_first_delta(cuts, LISTED, &settings), 0);
}

static void
notification__lists_without_a_gap(void **state)
{
	struct publication_cut cuts[LISTED];
	const struct publisher_settings settings = { .deltas_max = 250, .delta_age_max_s = 86400 };
	(void)state;
	plain_cuts(cuts);
	cuts[2].delta_kept = false;
	assert_int_equal(notification_first_delta(cuts, LISTED, &settings), 9);
	plain_cuts(cuts);
	cuts[3].has_delta = false;
	assert_int_equal(notification_first_delta(cuts, LISTED, &settings), 8);
	plain_cuts(cuts);
	cuts[0].has_delta = false;
	assert_int_equal(notification_first_delta(cuts, LISTED, &settings), 0);
	plain_cuts(cuts);
	cuts[1].serial = 8;
	assert_int_equal(notification_first_delta(cuts, LISTED, &settings), 10);
}

static void
notification__names_snapshot_and_deltas(void **state)
{
	struct publish_fixture *fixture = *state;
	AUTO_CLEAR(struct rrdp_document, rrdp_reader_clear) document = { .count = 0 };
	sample_repository_put(&fixture->sample, "big.roa", "roa", 3000);
	(void)publish_fixture_publish(fixture);
	for (int i = 0; i < 3; i++) {
		sample_repository_put(&fixture->sample, "a.roa", "roa", 10);
		(void)publish_fixture_publish(fixture);
	}
	const char *text = publish_fixture_text(fixture, LAYOUT_NOTIFICATION);
	assert_null(rrdp_reader_parse(SPAN(text, strlen(text)), &document));
	assert_int_equal(document.serial, 4);
	assert_int_equal(document.count, 4);
	assert_string_equal(document.elements[0].name, "snapshot");
	for (size_t i = 1; i < 4; i++)
		assert_int_equal(document.elements[i].serial, 5 - (int64_t)i);
	REQUIRE_RIGHT(published_check(&fixture->sample));
}

static void
notification__takes_the_old_gzip_away(void **state)
{
	struct publish_fixture *fixture = *state;
	struct stat status;
	sample_repository_put(&fixture->sample, "a.roa", "roa", 10);
	(void)publish_fixture_publish(fixture);
	REQUIRE_DONE(atomic_file_put(fixture->sample.directory, "rrdp/notification.xml.gz", SPAN("old", 3), 0644, 1, fault));
	REQUIRE_DONE(notification_put(&fixture->site, &fixture->cut, SPAN("new", 3), fault));
	assert_false(published_exists(&fixture->sample, "rrdp/notification.xml.gz"));
	assert_string_equal(publish_fixture_text(fixture, LAYOUT_NOTIFICATION), "new");
	assert_int_equal(fstatat(fixture->sample.directory, LAYOUT_NOTIFICATION, &status, 0), 0);
	assert_int_equal(status.st_mtim.tv_sec, fixture->cut.cut_at);
	assert_int_equal(status.st_mode & 07777, 0644);
}

static void
notification__refuses_a_list_that_the_rows_do_not_have(void **state)
{
	struct publish_fixture *fixture = *state;
	AUTO_CLEAR(struct bytes, bytes_clear) text = BYTES_INIT;
	AUTO(struct db_connection, db_reader_release) connection = NULL;
	sample_repository_put(&fixture->sample, "a.roa", "roa", 10);
	(void)publish_fixture_publish(fixture);
	fixture->cut.first_delta = -3;
	REQUIRE_DONE(db_reader_acquire(fixture->sample.db, &connection, fault));
	assert_int_equal(notification_compose(&fixture->site, connection, &fixture->repository, &fixture->cut, &text, NULL),
		FAULT_DATABASE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(notification__lists_what_the_settings_allow),
		cmocka_unit_test(notification__lists_no_more_than_the_snapshot_is_long),
		cmocka_unit_test(notification__lists_without_a_gap),
		PUBLISH_CASE(notification__names_snapshot_and_deltas),
		PUBLISH_CASE(notification__takes_the_old_gzip_away),
		PUBLISH_CASE(notification__refuses_a_list_that_the_rows_do_not_have),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
