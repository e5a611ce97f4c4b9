#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "ca/base/atomic_file.h"
#include "ca/base/metrics.h"
#include "tests/unit/scratch.h"
#include "tests/support/damage.h"
#include "tests/support/publish_fixture.h"

static int64_t
publish(struct publish_fixture *fixture)
{
	int64_t serial = -1;
	REQUIRE_DONE(publisher_publish(fixture->sample.publisher, &serial, fault));
	return serial;
}

static int64_t
number(struct publish_fixture *fixture, const char *sql)
{
	return sample_repository_number(&fixture->sample, sql);
}

static void
publisher__does_nothing_where_nothing_is_new(void **state)
{
	struct publish_fixture *fixture = *state;
	char before[65], after[65];
	assert_int_equal(publish(fixture), 0);
	assert_false(published_exists(&fixture->sample, "rrdp"));
	sample_repository_put(&fixture->sample, "a.roa", "roa", 10);
	(void)publish_fixture_publish(fixture);
	published_fingerprint(&fixture->sample, "rrdp", before);
	assert_int_equal(publish(fixture), 1);
	published_fingerprint(&fixture->sample, "rrdp", after);
	assert_string_equal(before, after);
}

static void
publisher__refuses_a_database_without_repository(void **state)
{
	struct publish_fixture *fixture = *state;
	struct publisher *publisher = NULL;
	AUTO(struct db, db_close) db = NULL;
	REQUIRE_DONE(db_open(scratch_path(&fixture->scratch, "empty.db"), true, &db, fault));
	assert_int_equal(publisher_new(db, fixture->sample.directory, &fixture->sample.clock, &fixture->sample.settings, &publisher, NULL),
		FAULT_DATABASE);
	assert_null(publisher);
	publisher_free(NULL);
}

static void
publisher__records_what_is_on_disk(void **state)
{
	struct publish_fixture *fixture = *state;
	sample_repository_put(&fixture->sample, "a.roa", "roa", 10);
	(void)sample_repository_cut(&fixture->sample, 1);
	clock_hand_set(&fixture->sample.clock, SAMPLE_REPOSITORY_AT + 30);
	assert_int_equal(publish(fixture), 1);
	assert_int_equal(number(fixture, "SELECT notified_serial AS n FROM repositories"), 1);
	assert_int_equal(number(fixture, "SELECT notified_at AS n FROM repositories"), SAMPLE_REPOSITORY_AT + 30);
	assert_int_equal(number(fixture, "SELECT notified_at AS n FROM cuts"), SAMPLE_REPOSITORY_AT + 30);
	assert_int_equal(metrics_get(METRIC_SERIAL), 1);
	assert_int_equal(metrics_get(METRIC_PUBLISHED_AT), SAMPLE_REPOSITORY_AT + 30);
	metrics_set(METRIC_SERIAL, 0);
	metrics_set(METRIC_PUBLISHED_AT, 0);
	sample_repository_restart(&fixture->sample);
	assert_int_equal(metrics_get(METRIC_SERIAL), 1);
	assert_int_equal(metrics_get(METRIC_PUBLISHED_AT), SAMPLE_REPOSITORY_AT + 30);
}

static void
publisher__puts_the_trust_anchor_where_tals_point(void **state)
{
	struct publish_fixture *fixture = *state;
	sample_repository_put(&fixture->sample, "ta/ta.cer", "ta", 1000);
	sample_repository_put(&fixture->sample, "big.roa", "roa", 5000);
	(void)publish_fixture_publish(fixture);
	REQUIRE_RIGHT(published_check(&fixture->sample));
	sample_repository_put(&fixture->sample, "ta/ta.cer", "ta", 1000);
	sample_repository_stage(&fixture->sample);
	assert_int_equal(publish(fixture), 1); /* staged only: not yet */
	REQUIRE_RIGHT(published_check(&fixture->sample));
	(void)publish_fixture_publish(fixture);
	REQUIRE_RIGHT(published_check(&fixture->sample));
	/* That cut has no delta, and a chain can't reach over it. */
	assert_int_equal(number(fixture, "SELECT delta_hash IS NULL AS n FROM cuts WHERE serial = 2"), 1);
	sample_repository_put(&fixture->sample, "a.roa", "roa", 10);
	(void)publish_fixture_publish(fixture);
	assert_int_equal(number(fixture, "SELECT first_delta AS n FROM cuts WHERE serial = 3"), 3);
	REQUIRE_RIGHT(published_check(&fixture->sample));
}

static void
publisher__forgets_payloads_once_validators_are_told(void **state)
{
	struct publish_fixture *fixture = *state;
	sample_repository_put(&fixture->sample, "a.roa", "roa", 10);
	sample_repository_put(&fixture->sample, "b.roa", "roa", 10);
	sample_repository_stage(&fixture->sample);
	sample_repository_run(&fixture->sample,
		"INSERT INTO roa_payloads SELECT 1, 64496, 4, x'c0000200', 24, 24, object_id FROM objects");
	(void)publish_fixture_publish(fixture);
	sample_repository_remove(&fixture->sample, "a.roa");
	sample_repository_put(&fixture->sample, "b.roa", "roa", 10);
	sample_repository_stage(&fixture->sample);
	sample_repository_run(&fixture->sample,
		"INSERT INTO roa_payloads SELECT 1, 64496, 4, x'c0000200', 24, 24, object_id FROM objects "
		"WHERE published_serial IS NULL");
	(void)sample_repository_cut(&fixture->sample, 1);
	assert_int_equal(number(fixture, "SELECT count(*) AS n FROM roa_payloads"), 3);
	assert_int_equal(publish(fixture), 2);
	assert_int_equal(number(fixture, "SELECT count(*) AS n FROM roa_payloads"), 1);
	assert_int_equal(number(fixture, "SELECT object_id AS n FROM roa_payloads"), 3);
}

/* After a pause only the newest serial needs a snapshot: the others' were never named. */
static void
publisher__catches_up(void **state)
{
	struct publish_fixture *fixture = *state;
	sample_repository_put(&fixture->sample, "big.roa", "roa", 5000);
	(void)publish_fixture_publish(fixture);
	for (int i = 0; i < 4; i++) {
		sample_repository_put(&fixture->sample, "a.roa", "roa", 10);
		(void)sample_repository_cut(&fixture->sample, 1);
	}
	assert_int_equal(publish(fixture), 5);
	REQUIRE_RIGHT(published_check(&fixture->sample));
	assert_int_equal(number(fixture, "SELECT first_delta AS n FROM cuts WHERE serial = 5"), 2);
	assert_int_equal(number(fixture, "SELECT count(*) AS n FROM cuts WHERE snapshot_hash IS NOT NULL"), 2);
	assert_int_equal(number(fixture, "SELECT count(*) AS n FROM cuts WHERE delta_hash IS NOT NULL"), 4);
	assert_false(published_exists(&fixture->sample, published_path(&fixture->sample, 3, "snapshot.xml")));
}

/* Each point between two steps at which a crash can come. */
static void
publisher__goes_on_after_a_crash(void **state)
{
	static const char *const undoings[] = {
		/* The files are there, the row doesn't know. */
		"UPDATE cuts SET snapshot_hash = NULL, snapshot_size = NULL, delta_hash = NULL, delta_size = NULL, "
		"first_delta = NULL, notified_at = NULL WHERE serial = (SELECT serial FROM repositories)",
		/* Recorded, but no notification; or the notification is there, and the row doesn't know. */
		"UPDATE cuts SET notified_at = NULL WHERE serial = (SELECT serial FROM repositories)",
	};
	struct publish_fixture *fixture = *state;
	sample_repository_put(&fixture->sample, "big.roa", "roa", 5000);
	(void)publish_fixture_publish(fixture);
	for (int i = 0; i < 24; i++) {
		char before[65], after[65];
		AUTO(char, free) notification = strdup(publish_fixture_text(fixture, "rrdp/notification.xml"));
		int64_t notified_before = clock_now(&fixture->sample.clock);
		sample_repository_put(&fixture->sample, "a.roa", "roa", 10);
		int64_t serial = publish_fixture_publish(fixture);
		published_fingerprint(&fixture->sample, "rrdp", before);
		sample_repository_run(&fixture->sample, undoings[i % 2]);
		sample_repository_run(&fixture->sample, "UPDATE repositories SET notified_serial = serial - 1");
		if (i % 3 == 0)
			REQUIRE_DONE(atomic_file_put(fixture->sample.directory, "rrdp/notification.xml",
				SPAN(notification, strlen(notification)), 0644, notified_before, fault));
		if (i % 4 == 1)
			damage_file(&fixture->sample, published_path(&fixture->sample, serial, "snapshot.xml"), DAMAGE_REMOVE);
		if (i % 4 == 2)
			damage_file(&fixture->sample, published_path(&fixture->sample, serial, "delta.xml"), DAMAGE_TRUNCATE);
		sample_repository_restart(&fixture->sample);
		assert_int_equal(publish(fixture), serial);
		published_fingerprint(&fixture->sample, "rrdp", after);
		assert_string_equal(before, after);
		REQUIRE_RIGHT(published_check(&fixture->sample));
	}
}

static void
set_file_limit(rlim_t bytes)
{
	struct rlimit limit;
	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = bytes;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* Files can't grow: what validators see stays as it is, and goes on once they can. */
static void
publisher__fails_whole(void **state)
{
	struct publish_fixture *fixture = *state;
	char before[65], after[65];
	sample_repository_put(&fixture->sample, "big.roa", "roa", 60000);
	(void)publish_fixture_publish(fixture);
	sample_repository_put(&fixture->sample, "a.roa", "roa", 200);
	(void)sample_repository_cut(&fixture->sample, 1);
	published_fingerprint(&fixture->sample, "rrdp", before);
	int64_t failures = metrics_get(METRIC_PUBLICATION_FAILURES);
	int64_t serial = -1;
	set_file_limit(0);
	enum fault_code code = publisher_publish(fixture->sample.publisher, &serial, NULL);
	set_file_limit(RLIM_INFINITY);
	assert_int_equal(code, FAULT_DISK);
	assert_int_equal(serial, -1);
	assert_int_equal(metrics_get(METRIC_PUBLICATION_FAILURES), failures + 1);
	published_fingerprint(&fixture->sample, "rrdp", after);
	assert_string_equal(before, after);
	assert_int_equal(publish(fixture), 2);
	REQUIRE_RIGHT(published_check(&fixture->sample));
}

/* Rows that can't be published leave what is there alone. */
static void
publisher__keeps_what_is_served_when_the_rows_are_wrong(void **state)
{
	struct publish_fixture *fixture = *state;
	char before[65], after[65];
	int64_t serial = -1;
	sample_repository_put(&fixture->sample, "a.roa", "roa", 100);
	(void)publish_fixture_publish(fixture);
	published_fingerprint(&fixture->sample, "rrdp", before);
	sample_repository_put(&fixture->sample, "b.roa", "roa", 100);
	(void)sample_repository_cut(&fixture->sample, 1);
	sample_repository_run(&fixture->sample, "DELETE FROM object_bytes WHERE object_id = 2");
	assert_int_equal(publisher_publish(fixture->sample.publisher, &serial, NULL), FAULT_DATABASE);
	published_fingerprint(&fixture->sample, "rrdp", after);
	assert_string_equal(before, after);
	assert_int_equal(number(fixture, "SELECT notified_serial AS n FROM repositories"), 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		PUBLISH_CASE(publisher__does_nothing_where_nothing_is_new),
		PUBLISH_CASE(publisher__refuses_a_database_without_repository),
		PUBLISH_CASE(publisher__records_what_is_on_disk),
		PUBLISH_CASE(publisher__puts_the_trust_anchor_where_tals_point),
		PUBLISH_CASE(publisher__forgets_payloads_once_validators_are_told),
		PUBLISH_CASE(publisher__catches_up),
		PUBLISH_CASE(publisher__goes_on_after_a_crash),
		PUBLISH_CASE(publisher__fails_whole),
		PUBLISH_CASE(publisher__keeps_what_is_served_when_the_rows_are_wrong),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
