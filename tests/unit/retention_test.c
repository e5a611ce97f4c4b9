#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "ca/base/atomic_file.h"
#include "publish/retention.h"
#include "tests/support/publish_fixture.h"

#define NAMED RETENTION_NAMED

/* serial, when notified (0: never), first delta listed; then what is expected: when snapshot and delta stopped being named. */
struct dated {
	int64_t serial, notified_at, first_delta;
	int64_t snapshot_at, delta_at;
};

static void
expect_dates(const struct dated *rows, size_t count, int64_t notified_serial)
{
	struct publication_cut cuts[16];
	struct retention_item items[16];
	assert_true(count <= 16);
	for (size_t i = 0; i < count; i++)
		cuts[i] = (struct publication_cut){
			.serial = rows[i].serial,
			.notified_at = rows[i].notified_at,
			.first_delta = rows[i].first_delta,
			.snapshot_kept = true,
			.delta_kept = true,
		};
	memset(items, 0, sizeof items);
	retention_date(cuts, count, notified_serial, items);
	for (size_t i = 0; i < count; i++)
		if (items[i].snapshot_unnamed_at != rows[i].snapshot_at || items[i].delta_unnamed_at != rows[i].delta_at)
			fail_msg("serial %lld: %lld and %lld", (long long)rows[i].serial, (long long)items[i].snapshot_unnamed_at,
				(long long)items[i].delta_unnamed_at);
}

#define EXPECT_DATES(notified_serial, ...)                                                              \
	do {                                                                                            \
		static const struct dated rows_[] = { __VA_ARGS__ };                                    \
		expect_dates(rows_, sizeof rows_ / sizeof *rows_, (notified_serial));                   \
	} while (0)

static void
retention__dates_what_was_replaced(void **state)
{
	(void)state;
	expect_dates(NULL, 0, 0);
	EXPECT_DATES(1, { 1, 100, 0, NAMED, 100 });
	/* A window of three that moves on. */
	EXPECT_DATES(6,
		{ 1, 100, 0, 200, 100 },
		{ 2, 200, 2, 300, 500 },
		{ 3, 300, 2, 400, 600 },
		{ 4, 400, 2, 500, NAMED },
		{ 5, 500, 3, 600, NAMED },
		{ 6, 600, 4, NAMED, NAMED });
	/* The window shrinks and grows again: the last notification that lists a delta counts. */
	EXPECT_DATES(6,
		{ 3, 300, 2, 400, 500 },
		{ 4, 400, 3, 500, NAMED },
		{ 5, 500, 5, 600, NAMED },
		{ 6, 600, 4, NAMED, NAMED });
	/* It lists nothing. */
	EXPECT_DATES(4,
		{ 2, 200, 2, 300, 400 },
		{ 3, 300, 2, 400, 400 },
		{ 4, 400, 0, NAMED, 400 });
}

static void
retention__counts_from_the_notification_not_from_the_cut(void **state)
{
	(void)state;
	/* 3 and 4 were overtaken: 2 was named until 5 was on disk, and nobody ever fetched a snapshot of 3. */
	EXPECT_DATES(5,
		{ 2, 200, 2, 900, NAMED },
		{ 3, 0, 0, 900, NAMED },
		{ 4, 0, 0, 900, NAMED },
		{ 5, 900, 2, NAMED, NAMED });
	EXPECT_DATES(5,
		{ 2, 200, 2, 900, 900 },
		{ 3, 0, 0, 900, 900 },
		{ 4, 0, 0, 900, NAMED },
		{ 5, 900, 4, NAMED, NAMED });
}

static void
retention__keeps_what_a_coming_notification_names(void **state)
{
	(void)state;
	/* 4 is written, its notification is not on disk; it lists 2 again, which 3 does not. 5 has no files yet. */
	EXPECT_DATES(3,
		{ 1, 100, 0, 200, 100 },
		{ 2, 200, 2, 300, NAMED },
		{ 3, 300, 3, NAMED, NAMED },
		{ 4, 0, 2, NAMED, NAMED },
		{ 5, 0, 0, NAMED, NAMED });
	EXPECT_DATES(0, { 1, 0, 0, NAMED, NAMED });
}

static void
make_aged(struct publication_cut cuts[6], struct retention_item items[6])
{
	for (int64_t i = 0; i < 6; i++) {
		cuts[i] = (struct publication_cut){ .serial = 11 + i, .snapshot_kept = true, .delta_kept = true };
		items[i] = (struct retention_item){
			.snapshot_unnamed_at = i == 5 ? NAMED : 1000 + i * 10,
			.delta_unnamed_at = i >= 3 ? NAMED : 1005 + i * 10,
			.snapshot_size = 100,
			.delta_size = 10,
		};
	}
}

static void
expect_plan(const struct publication_cut *cuts, const struct retention_item *items, int64_t grace_s, int64_t budget,
	int64_t now_at, int64_t snapshots_from, int64_t deltas_from)
{
	const struct publisher_settings settings = { .file_grace_s = grace_s, .file_budget = budget };
	struct retention_part part = { .cuts = cuts, .items = items, .count = 6 };
	retention_decide(&part, 1, &settings, now_at);
	int64_t snapshots = 11 + (int64_t)part.snapshots_from, deltas = 11 + (int64_t)part.deltas_from;
	if (snapshots != snapshots_from || deltas != deltas_from)
		fail_msg("grace %lld, budget %lld, at %lld: from %lld and %lld", (long long)grace_s, (long long)budget,
			(long long)now_at, (long long)snapshots, (long long)deltas);
}

static void
retention__decides_by_grace_and_budget(void **state)
{
	struct publication_cut cuts[6];
	struct retention_item items[6];
	(void)state;
	make_aged(cuts, items);
	expect_plan(cuts, items, 50, 10000, 1000, 11, 11);
	expect_plan(cuts, items, 50, 10000, 1049, 11, 11);
	expect_plan(cuts, items, 50, 10000, 1050, 12, 11);
	expect_plan(cuts, items, 50, 10000, 1055, 12, 12);
	expect_plan(cuts, items, 50, 10000, 1074, 14, 13);
	expect_plan(cuts, items, 50, 10000, INT64_C(1) << 40, 16, 14); /* what is named stays, however old */
	expect_plan(cuts, items, 0, 10000, 1005, 12, 12);
	/* Five snapshots and three deltas: 530 bytes. */
	expect_plan(cuts, items, 5000, 530, 2000, 11, 11);
	expect_plan(cuts, items, 5000, 529, 2000, 12, 11);
	expect_plan(cuts, items, 5000, 430, 2000, 12, 11);
	expect_plan(cuts, items, 5000, 429, 2000, 12, 12);
	expect_plan(cuts, items, 5000, 419, 2000, 13, 12);
	expect_plan(cuts, items, 5000, 0, 2000, 16, 14);
	/* What is gone already costs nothing and doesn't stand in the way. */
	cuts[0].snapshot_kept = cuts[1].snapshot_kept = false;
	items[0].snapshot_size = items[1].snapshot_size = 0;
	expect_plan(cuts, items, 5000, 330, 2000, 11, 11);
	expect_plan(cuts, items, 5000, 320, 2000, 12, 12);
	const struct publisher_settings settings = { .file_grace_s = 0 };
	struct retention_part part = { .cuts = cuts, .items = items };
	retention_decide(&part, 1, &settings, 5000);
	assert_int_equal(part.snapshots_from, 0);
}

/* Caches still hand out the notification that names it. */
static void
retention__keeps_what_was_just_replaced_whatever_the_budget_says(void **state)
{
	struct publication_cut cuts[6];
	struct retention_item items[6];
	(void)state;
	make_aged(cuts, items);
	expect_plan(cuts, items, 5000, 0, 1000, 11, 11);
	expect_plan(cuts, items, 5000, 0, 1000 + RETENTION_LEAST_S - 1, 11, 11);
	expect_plan(cuts, items, 5000, 0, 1000 + RETENTION_LEAST_S, 12, 11);
	expect_plan(cuts, items, 5000, 0, 1015 + RETENTION_LEAST_S, 13, 13);
	expect_plan(cuts, items, 5000, 420, 1015 + RETENTION_LEAST_S, 12, 12);
	expect_plan(cuts, items, 10, 0, 1015, 12, 12); /* a grace time that is shorter is what the operator wants */
	/* Replaced by a clock that was far ahead. */
	expect_plan(cuts, items, 5000, 0, 1000 - CLOCK_STEP_LIMIT_S, 11, 11);
	expect_plan(cuts, items, 5000, 0, 1000 - CLOCK_STEP_LIMIT_S - 1, 16, 14);
}

/* What is oldest goes first, in whichever repository it is. */
static void
retention__divides_no_budget_between_repositories(void **state)
{
	struct publication_cut cuts[2][6];
	struct retention_item items[2][6];
	struct publisher_settings settings = { .file_grace_s = 5000, .file_budget = 1060 };
	(void)state;
	make_aged(cuts[0], items[0]);
	make_aged(cuts[1], items[1]);
	for (int i = 0; i < 6; i++) {
		items[1][i].snapshot_unnamed_at -= i == 5 ? 0 : 20; /* 980, 990, 1000, … */
		items[1][i].delta_size = 0;
	}
	struct retention_part parts[2] = { { .cuts = cuts[0], .items = items[0], .count = 6 }, { .cuts = cuts[1], .items = items[1], .count = 6 } };
	retention_decide(parts, 2, &settings, 2000);
	assert_int_equal(parts[0].snapshots_from + parts[1].snapshots_from, 0); /* 530 and 500 bytes */
	settings.file_budget = 929;
	retention_decide(parts, 2, &settings, 2000);
	assert_int_equal(parts[0].snapshots_from, 0);
	assert_int_equal(parts[1].snapshots_from, 2);
	settings.file_budget = 0;
	parts[0].snapshots_from = parts[1].snapshots_from = 0;
	retention_decide(parts, 2, &settings, 2000);
	assert_int_equal(parts[0].snapshots_from, 5);
	assert_int_equal(parts[1].snapshots_from, 5);
	assert_int_equal(parts[0].deltas_from, 3);
	retention_decide(parts, 0, &settings, 2000);
}

static void
later(struct publish_fixture *fixture, int64_t seconds)
{
	clock_hand_set(&fixture->sample.clock, clock_now(&fixture->sample.clock) + seconds);
}

static void
retire(struct publish_fixture *fixture)
{
	REQUIRE_DONE(publisher_retire(fixture->sample.publisher, fault));
	REQUIRE_RIGHT(published_check(&fixture->sample));
}

static bool
has(struct publish_fixture *fixture, int64_t serial, const char *name)
{
	return published_exists(&fixture->sample, published_path(&fixture->sample, serial, name));
}

static void
retention__removes_files_after_their_grace_time(void **state)
{
	struct publish_fixture *fixture = *state;
	char directory[64];
	const atomic_bool stop = false;
	fixture->sample.settings.file_grace_s = 100;
	fixture->sample.settings.deltas_max = 1;
	sample_repository_restart(&fixture->sample);
	sample_repository_put(&fixture->sample, "big.roa", "roa", 3000);
	(void)publish_fixture_publish(fixture);
	REQUIRE_DONE(publisher_compress(fixture->sample.publisher, &stop, fault));
	assert_true(has(fixture, 1, "snapshot.xml.gz"));
	for (int i = 0; i < 3; i++) {
		later(fixture, 49);
		sample_repository_put(&fixture->sample, "a.roa", "roa", 10);
		(void)publish_fixture_publish(fixture);
		retire(fixture);
	}
	/* Now 150 s after the first: its snapshot was replaced 100 s ago, the next one 50 s ago. */
	assert_false(has(fixture, 1, "snapshot.xml"));
	assert_true(has(fixture, 2, "snapshot.xml"));
	assert_true(has(fixture, 2, "delta.xml"));
	(void)snprintf(directory, sizeof directory, "rrdp/" SAMPLE_REPOSITORY_SESSION "/1");
	assert_false(published_exists(&fixture->sample, directory));
	later(fixture, 1000);
	retire(fixture);
	assert_false(has(fixture, 2, "delta.xml"));
	assert_false(has(fixture, 3, "snapshot.xml"));
	assert_false(has(fixture, 3, "delta.xml"));
	assert_true(has(fixture, 4, "snapshot.xml"));
	assert_true(has(fixture, 4, "delta.xml"));
	retire(fixture);
}

/* Krill 0.6.1 removed a snapshot that was still being fetched. Here the server was down for hours between cut and publication. */
static void
retention__keeps_what_was_named_until_just_now(void **state)
{
	struct publish_fixture *fixture = *state;
	int64_t serial;
	fixture->sample.settings.file_grace_s = 100;
	sample_repository_restart(&fixture->sample);
	sample_repository_put(&fixture->sample, "a.roa", "roa", 500);
	(void)publish_fixture_publish(fixture);
	sample_repository_put(&fixture->sample, "b.roa", "roa", 10);
	(void)sample_repository_cut(&fixture->sample, 1);
	later(fixture, 20000);
	sample_repository_restart(&fixture->sample);
	retire(fixture);
	REQUIRE_DONE(publisher_publish(fixture->sample.publisher, &serial, fault));
	retire(fixture);
	assert_true(has(fixture, 1, "snapshot.xml"));
	later(fixture, 100);
	retire(fixture);
	assert_false(has(fixture, 1, "snapshot.xml"));
}

static void
retention__keeps_within_the_budget(void **state)
{
	struct publish_fixture *fixture = *state;
	fixture->sample.settings.deltas_max = 2;
	fixture->sample.settings.file_budget = 20000;
	sample_repository_restart(&fixture->sample);
	for (int i = 0; i < 12; i++) {
		later(fixture, RETENTION_LEAST_S / 2);
		sample_repository_put(&fixture->sample, "a.roa", "roa", 3000);
		sample_repository_put(&fixture->sample, "b.roa", "roa", 10);
		(void)publish_fixture_publish(fixture);
		retire(fixture);
	}
	assert_false(has(fixture, 6, "snapshot.xml"));
	assert_true(has(fixture, 10, "snapshot.xml"));
	assert_true(has(fixture, 11, "snapshot.xml"));
	fixture->sample.settings.file_budget = 0;
	sample_repository_restart(&fixture->sample);
	retire(fixture);
	assert_true(has(fixture, 11, "snapshot.xml")); /* replaced a moment ago */
	later(fixture, RETENTION_LEAST_S);
	retire(fixture);
	assert_false(has(fixture, 11, "snapshot.xml"));
	assert_true(has(fixture, 12, "snapshot.xml"));
}

/* Objects whose bytes some kept file or tree needs, by the plainest reading; the others' bytes are to be gone. */
static const char *const needed =
	"SELECT count(*) AS n FROM objects o WHERE "
	"EXISTS (SELECT 1 FROM cuts c WHERE c.snapshot_kept = 1 AND o.published_serial <= c.serial "
	"	AND (o.withdrawn_serial IS NULL OR o.withdrawn_serial > c.serial)) "
	"OR EXISTS (SELECT 1 FROM rsync_tree_parts t WHERE t.serial > 0 AND o.published_serial <= t.serial "
	"	AND (o.withdrawn_serial IS NULL OR o.withdrawn_serial > t.serial)) "
	"OR EXISTS (SELECT 1 FROM cuts c WHERE c.delta_kept = 1 AND o.published_serial = c.serial) "
	"OR o.published_serial IS NULL";
static const char *const needed_and_gone =
	"SELECT count(*) AS n FROM objects o WHERE o.object_id NOT IN (SELECT object_id FROM object_bytes) AND ("
	"EXISTS (SELECT 1 FROM cuts c WHERE c.snapshot_kept = 1 AND o.published_serial <= c.serial "
	"	AND (o.withdrawn_serial IS NULL OR o.withdrawn_serial > c.serial)) "
	"OR EXISTS (SELECT 1 FROM rsync_tree_parts t WHERE t.serial > 0 AND o.published_serial <= t.serial "
	"	AND (o.withdrawn_serial IS NULL OR o.withdrawn_serial > t.serial)) "
	"OR EXISTS (SELECT 1 FROM cuts c WHERE c.delta_kept = 1 AND o.published_serial = c.serial) "
	"OR o.published_serial IS NULL)";

static void
random_step(struct publish_fixture *fixture)
{
	struct sample_repository *sample = &fixture->sample;
	char path[32];
	int64_t serial;
	for (uint64_t changes = 1 + sample_repository_random(sample, 4); changes > 0; changes--) {
		(void)snprintf(path, sizeof path, "o%d.roa", (int)sample_repository_random(sample, 12));
		if (sample_repository_random(sample, 4) == 0)
			sample_repository_remove(sample, path);
		else
			sample_repository_put(sample, path, "roa", 100 + sample_repository_random(sample, 200));
	}
	sample_repository_put(sample, "x.mft", "mft", 50);
	(void)sample_repository_cut(sample, 1 + (int64_t)sample_repository_random(sample, 5));
	if (sample_repository_random(sample, 5) != 0)
		REQUIRE_DONE(publisher_publish(sample->publisher, &serial, fault));
	if (sample_repository_random(sample, 4) == 0) {
		enum fault_code code = publisher_rsync(sample->publisher, &serial, NULL);
		assert_true(code == FAULT_NONE || code == FAULT_BUSY);
	}
	if (sample_repository_random(sample, 3) == 0)
		REQUIRE_DONE(publisher_retire(sample->publisher, fault));
}

static void
retention__drops_the_bytes_that_nothing_needs(void **state)
{
	struct publish_fixture *fixture = *state;
	struct sample_repository *sample = &fixture->sample;
	int64_t bytes = 0, most = 0;
	sample->settings.file_grace_s = 40;
	sample->settings.tree_grace_s = 60;
	sample->settings.delta_age_max_s = 80;
	sample_repository_restart(sample);
	for (int i = 0; i < 150; i++) {
		random_step(fixture);
		assert_int_equal(sample_repository_number(sample, needed_and_gone), 0);
		bytes = sample_repository_number(sample, "SELECT count(*) AS n FROM object_bytes");
		most = bytes > most ? bytes : most;
	}
	int64_t serial;
	assert_int_equal(publisher_publish(sample->publisher, &serial, NULL), FAULT_NONE);
	for (int i = 0; i < 10; i++) {
		later(fixture, 1000);
		sample_repository_put(sample, "x.mft", "mft", 50);
		(void)publish_fixture_publish(fixture);
		REQUIRE_DONE(publisher_rsync(sample->publisher, &serial, fault));
		REQUIRE_DONE(publisher_retire(sample->publisher, fault));
	}
	/* At rest: the newest snapshot, its one delta, the spare trees. */
	assert_int_equal(sample_repository_number(sample, needed_and_gone), 0);
	assert_int_equal(sample_repository_number(sample, "SELECT count(*) AS n FROM object_bytes"),
		sample_repository_number(sample, needed));
	assert_true(most > 20);
	assert_true(sample_repository_number(sample, "SELECT count(*) AS n FROM objects") > 400); /* their rows stay */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(retention__dates_what_was_replaced),
		cmocka_unit_test(retention__counts_from_the_notification_not_from_the_cut),
		cmocka_unit_test(retention__keeps_what_a_coming_notification_names),
		cmocka_unit_test(retention__decides_by_grace_and_budget),
		cmocka_unit_test(retention__keeps_what_was_just_replaced_whatever_the_budget_says),
		cmocka_unit_test(retention__divides_no_budget_between_repositories),
		PUBLISH_CASE(retention__removes_files_after_their_grace_time),
		PUBLISH_CASE(retention__keeps_what_was_named_until_just_now),
		PUBLISH_CASE(retention__keeps_within_the_budget),
		PUBLISH_CASE(retention__drops_the_bytes_that_nothing_needs),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
