/* When renewals go: their window, their cap, what comes before them, what waits for nothing. Times are by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "ca/base/metrics.h"
#include "ca/jobs/cut.h"
#include "ca/jobs/scheduler.h"
#include "tests/support/world.h"

#define WINDOW_S 60
#define RENEWAL_WINDOW_S 900
#define HOUR_S 3600
#define CAP 6                            /* renewed objects in a wave: three CAs with a CRL and a manifest each */

struct plant {
	struct world *world;
	struct scheduler *scheduler;
	struct signer *signer;           /* the world's, when it is replaced */
	int signatures;
	int64_t busy_id;                 /* the member that changes something when the first signature of a wave is made */
};

static void
publish(void *argument)
{
	struct plant *plant = argument;
	char sql[160];
	(void)snprintf(sql, sizeof sql, "UPDATE repositories SET notified_serial = serial, notified_at = %lld",
		(long long)clock_now(&plant->world->clock) + 3);
	world_sql(plant->world, sql);
}

static int
plant_open(void **state)
{
	struct plant *plant = calloc(1, sizeof *plant);
	void *world;
	assert_non_null(plant);
	assert_int_equal(world_open(&world), 0);
	plant->world = world;
	struct scheduler_settings settings = {
		.batch_window_s = WINDOW_S, .cut_objects_max = 1000,
		.renewal_window_s = RENEWAL_WINDOW_S, .renewals_per_cut = CAP,
	};
	WORLD_OK(scheduler_new(&plant->world->reconcile, &settings, publish, plant, &plant->scheduler, fault));
	*state = plant;
	return 0;
}

static int
plant_close(void **state)
{
	struct plant *plant = *state;
	void *world = plant->world;
	scheduler_free(plant->scheduler);
	free(plant);
	return world_close(&world);
}

static int64_t
serial_of(struct plant *plant)
{
	return world_number(plant->world, "SELECT serial AS it FROM repositories");
}

/* Members whose manifest was made anew by that serial. */
static int64_t
renewed_in(struct plant *plant, int64_t serial)
{
	char sql[200];
	(void)snprintf(sql, sizeof sql, "SELECT count(*) AS it FROM objects JOIN cas USING (ca_id) WHERE cas.kind = 'member' AND "
		"objects.kind = 'mft' AND published_serial = %lld", (long long)serial);
	return world_number(plant->world, sql);
}

static int64_t
step(struct plant *plant, int64_t after_s)
{
	int64_t again_ms = -1;
	clock_hand_set(&plant->world->clock, clock_now(&plant->world->clock) + after_s);
	WORLD_OK(scheduler_step(plant->scheduler, &again_ms, fault));
	return again_ms;
}

/* Members, all out; then an hour in which nothing happens. */
static void
begin(struct plant *plant, int members)
{
	char handle[16], prefix[32];
	for (int i = 0; i < members; i++) {
		(void)snprintf(handle, sizeof handle, "member-%d", i);
		(void)snprintf(prefix, sizeof prefix, "10.%d.0.0/16", i);
		world_add_member(plant->world, handle, prefix);
	}
	(void)step(plant, 1);
	assert_int_equal(serial_of(plant), 1);
	(void)step(plant, HOUR_S);
	assert_int_equal(serial_of(plant), 1);
}

/*
 * The manifests of these members are due since late_s, each a second later than the one before. The plan goes by what they say, so their
 * ends are set; a CRL beside lives as long.
 */
static void
make_due(struct plant *plant, int first, int count, int64_t late_s)
{
	const struct timing *timing = &plant->world->reconcile.settings.timing;
	char sql[400];
	for (int i = first; i < first + count; i++) {
		long long due_at = clock_now(&plant->world->clock) - late_s + (i - first);
		(void)snprintf(sql, sizeof sql, "UPDATE cas SET renew_at = %lld WHERE handle = 'member-%d'; UPDATE objects SET not_after_at = %lld "
			"WHERE kind IN ('crl', 'mft') AND withdrawing = 0 AND withdrawn_serial IS NULL AND ca_id = (SELECT ca_id FROM cas WHERE "
			"handle = 'member-%d')", due_at, i, due_at + (long long)timing->manifest_margin_s, i);
		world_sql(plant->world, sql);
	}
}

static void
scheduler_renewals__gather_for_their_window(void **state)
{
	struct plant *plant = *state;
	begin(plant, 3);
	make_due(plant, 0, 1, 0);
	(void)step(plant, 1); /* after a quiet time: at once */
	assert_int_equal(serial_of(plant), 2);
	make_due(plant, 1, 1, 0);
	assert_int_equal(step(plant, WINDOW_S), 60 * 1000);
	make_due(plant, 2, 1, 0);
	(void)step(plant, RENEWAL_WINDOW_S - WINDOW_S - 1);
	assert_int_equal(serial_of(plant), 2);
	(void)step(plant, 1);
	assert_int_equal(serial_of(plant), 3);
	assert_int_equal(renewed_in(plant, 3), 2);
}

/* Changes neither wait for renewals nor take them along before their window ends. */
static void
scheduler_renewals__come_after_changes(void **state)
{
	struct plant *plant = *state;
	begin(plant, 3);
	make_due(plant, 0, 1, 0);
	(void)step(plant, 1);
	assert_int_equal(renewed_in(plant, 2), 1);
	/* A change right after a cut for renewals: the next second, not the window's end. */
	make_due(plant, 1, 1, 0);
	world_change_roas(plant->world, 6, "10.2.0.0/24", NULL);
	(void)step(plant, 1);
	assert_int_equal(serial_of(plant), 3);
	assert_int_equal(renewed_in(plant, 3), 1);
	/* After a cut for changes the batch window counts. */
	world_change_roas(plant->world, 6, "10.2.1.0/24", NULL);
	assert_int_equal(step(plant, 1), (WINDOW_S - 1) * 1000);
	(void)step(plant, WINDOW_S - 1);
	assert_int_equal(serial_of(plant), 4);
	assert_int_equal(renewed_in(plant, 4), 1);
	(void)step(plant, RENEWAL_WINDOW_S);
	assert_int_equal(renewed_in(plant, 5), 1);
}

static void
scheduler_renewals__are_capped(void **state)
{
	struct plant *plant = *state;
	begin(plant, 8);
	make_due(plant, 0, 8, 100);
	for (int64_t serial = 2; serial <= 4; serial++) {
		(void)step(plant, 1);
		assert_int_equal(serial_of(plant), serial);
		assert_int_equal(renewed_in(plant, serial), serial < 4 ? 3 : 2);
		(void)step(plant, RENEWAL_WINDOW_S - 1);
		assert_int_equal(serial_of(plant), serial);
	}
}

/* Half of the margin is gone: no window, no cap. */
static void
scheduler_renewals__urgent_ones_wait_for_nothing(void **state)
{
	struct plant *plant = *state;
	int64_t late_s = timing_late_s(&plant->world->reconcile.settings.timing);
	begin(plant, 12);
	assert_int_equal(late_s, 6 * HOUR_S);
	make_due(plant, 0, 1, 0);
	(void)step(plant, 1);
	assert_int_equal(renewed_in(plant, 2), 1);
	make_due(plant, 0, 10, late_s + 10);  /* the window is closed, and these are beyond the cap */
	make_due(plant, 10, 2, late_s - 100); /* nearly */
	(void)step(plant, WINDOW_S);
	assert_int_equal(serial_of(plant), 3);
	assert_int_equal(renewed_in(plant, 3), 10);
	/* What becomes urgent while it waits for the window goes then. */
	(void)step(plant, 30);
	assert_int_equal(serial_of(plant), 3);
	(void)step(plant, 20);
	(void)step(plant, 10);
	assert_int_equal(serial_of(plant), 4);
	assert_int_equal(renewed_in(plant, 4), 2);
}

/* However much members change. */
static void
scheduler_renewals__urgent_ones_are_not_crowded_out(void **state)
{
	struct plant *plant = *state;
	struct scheduler *small;
	struct scheduler_settings settings = {
		.batch_window_s = 0, .cut_objects_max = 1, .renewal_window_s = RENEWAL_WINDOW_S,
		.renewals_per_cut = 4,
	};
	int64_t again_ms;
	char handle[16], prefix[32];
	begin(plant, 4);
	scheduler_free(plant->scheduler);
	plant->scheduler = NULL;
	WORLD_OK(scheduler_new(&plant->world->reconcile, &settings, publish, plant, &small, fault));
	for (int i = 0; i < 3; i++) {
		(void)snprintf(handle, sizeof handle, "more-%d", i);
		(void)snprintf(prefix, sizeof prefix, "11.%d.0.0/16", i);
		world_add_member(plant->world, handle, prefix);
	}
	make_due(plant, 0, 2, 12 * HOUR_S);
	clock_hand_set(&plant->world->clock, clock_now(&plant->world->clock) + 1);
	WORLD_OK(scheduler_step(small, &again_ms, fault));
	assert_int_equal(serial_of(plant), 2);
	assert_int_equal(world_number(plant->world, "SELECT count(*) AS it FROM objects WHERE kind = 'cer' AND published_serial = 2"), 3);
	assert_int_equal(world_number(plant->world, "SELECT count(*) AS it FROM objects JOIN cas USING (ca_id) WHERE cas.handle LIKE 'member-%' AND "
		"objects.kind = 'mft' AND published_serial = 2"), 2);
	scheduler_free(small);
	WORLD_OK(scheduler_new(&plant->world->reconcile, &settings, publish, plant, &plant->scheduler, fault));
}

/* An import whose file can't be read goes on for as long as that lasts: what it has touched is renewed as it was. */
static void
scheduler_renewals__wait_for_no_import(void **state)
{
	static const char changed[] = "SELECT count(*) AS it FROM cas WHERE changed_at IS NOT NULL";
	static const char roas[] = "SELECT count(*) AS it FROM objects WHERE kind = 'roa'";
	struct plant *plant = *state;
	int64_t late_s = timing_late_s(&plant->world->reconcile.settings.timing);
	begin(plant, 2);
	world_change_roas(plant->world, 4, "10.0.0.0/24", NULL);
	world_change_roas(plant->world, 5, "10.1.0.0/24", NULL);
	world_sql(plant->world, "INSERT INTO imports (import_id, kind, state, actor, started_at) VALUES ('i', 'roas', 'applying', 'a', 1); "
		"UPDATE cas SET import_id = 'i' WHERE kind = 'member'");
	make_due(plant, 0, 1, 0);
	(void)step(plant, 1);
	assert_int_equal(serial_of(plant), 2);
	assert_int_equal(renewed_in(plant, 2), 1);
	/* The window of renewals is closed, but this one is urgent. */
	make_due(plant, 1, 1, late_s + 10);
	(void)step(plant, WINDOW_S);
	assert_int_equal(serial_of(plant), 3);
	assert_int_equal(renewed_in(plant, 3), 1);
	assert_int_equal(world_number(plant->world, "SELECT count(*) AS it FROM cas WHERE renew_at <= (SELECT max(cut_at) FROM repositories)"), 0);
	/* Half of it would make routes invalid: nothing of it is out before its end. */
	assert_int_equal(world_number(plant->world, roas), 0);
	assert_int_equal(world_number(plant->world, changed), 2);
	world_sql(plant->world, "UPDATE imports SET state = 'issuing'");
	(void)step(plant, WINDOW_S);
	assert_int_equal(serial_of(plant), 4);
	assert_int_equal(world_number(plant->world, roas), 2);
	assert_int_equal(world_number(plant->world, changed), 0);
}

/* Who is late, and has changed something, and has a hundred before him. */
static void
scheduler_renewals__urgent_ones_wait_for_no_turn_of_theirs(void **state)
{
	struct plant *plant = *state;
	struct scheduler *small;
	struct scheduler_settings settings = {
		.batch_window_s = WINDOW_S, .cut_objects_max = 4, .renewal_window_s = RENEWAL_WINDOW_S, .renewals_per_cut = 4,
	};
	int64_t again_ms;
	begin(plant, 100);
	for (int i = 0; i < 100; i++) {
		char prefix[32];
		(void)snprintf(prefix, sizeof prefix, "10.%d.0.0/24", i);
		world_change_roas(plant->world, 4 + i, prefix, NULL);
	}
	world_sql(plant->world, "UPDATE cas SET changed_at = changed_at + 1 WHERE ca_id = 103");
	make_due(plant, 99, 1, 12 * HOUR_S);
	WORLD_OK(scheduler_new(&plant->world->reconcile, &settings, publish, plant, &small, fault));
	clock_hand_set(&plant->world->clock, clock_now(&plant->world->clock) + 1);
	WORLD_OK(scheduler_step(small, &again_ms, fault));
	assert_int_equal(serial_of(plant), 2);
	assert_int_equal(renewed_in(plant, 2), 64 + 1);
	assert_int_equal(world_number(plant->world, "SELECT count(*) AS it FROM objects WHERE ca_id = 103 AND kind IN ('mft', 'roa') AND "
		"published_serial = 2"), 2);
	assert_int_equal(world_number(plant->world, "SELECT count(*) AS it FROM cas WHERE changed_at IS NOT NULL"), 100 - 64 - 1);
	scheduler_free(small);
}

static void
scheduler_renewals__never_split_a_cas_turn(void **state)
{
	struct plant *plant = *state;
	begin(plant, 1);
	for (int i = 0; i < 12; i++) {
		char prefix[32];
		(void)snprintf(prefix, sizeof prefix, "10.0.%d.0/24", i);
		world_change_roas(plant->world, 4, prefix, NULL);
	}
	(void)step(plant, 1);
	assert_int_equal(serial_of(plant), 2);
	/* All twelve ROAs are due: twice the cap, with the manifest. */
	char sql[300];
	long long due_at = clock_now(&plant->world->clock);
	(void)snprintf(sql, sizeof sql, "UPDATE cas SET renew_at = %lld WHERE ca_id = 4; UPDATE objects SET not_after_at = %lld "
		"WHERE kind = 'roa'", due_at, due_at + (long long)plant->world->reconcile.settings.timing.object_margin_s);
	world_sql(plant->world, sql);
	(void)step(plant, WINDOW_S);
	assert_int_equal(serial_of(plant), 3);
	assert_int_equal(world_number(plant->world, "SELECT count(*) AS it FROM objects WHERE published_serial = 3"), 14);
}

/* With many due and nothing to stop them, a restart begins at once: nothing is forgotten, nothing waits for what came before. */
static void
scheduler_renewals__go_on_after_a_restart(void **state)
{
	struct plant *plant = *state;
	struct scheduler_settings settings = {
		.batch_window_s = WINDOW_S, .cut_objects_max = 1000,
		.renewal_window_s = RENEWAL_WINDOW_S, .renewals_per_cut = CAP,
	};
	begin(plant, 2);
	make_due(plant, 0, 2, 400 * 24 * HOUR_S);
	scheduler_free(plant->scheduler);
	WORLD_OK(scheduler_new(&plant->world->reconcile, &settings, publish, plant, &plant->scheduler, fault));
	(void)step(plant, 1);
	assert_int_equal(serial_of(plant), 2);
	assert_int_equal(renewed_in(plant, 2), 2);
	assert_true(world_number(plant->world, "SELECT min(renew_at) AS it FROM cas") > clock_now(&plant->world->clock));
}

/* A signer that lets a member change something in the middle of a wave. */

static enum fault_code
sign_and_change(void *self, struct span handle, struct span message, uint8_t ret_signature[RSA_SIGNATURE_SIZE], struct fault *fault)
{
	struct plant *plant = self;
	if (__atomic_add_fetch(&plant->signatures, 1, __ATOMIC_SEQ_CST) == 1)
		world_change_roas(plant->world, plant->busy_id, "10.0.77.0/24", NULL);
	return signer_sign(plant->signer, handle, message, ret_signature, fault);
}

static void
keep(void *self)
{
	(void)self;
}

static void
scheduler_renewals__make_way_for_changes(void **state)
{
	static const struct signer_operations operations = { .sign = sign_and_change, .free = keep };
	struct plant *plant = *state;
	struct scheduler_settings settings = {
		.batch_window_s = WINDOW_S, .cut_objects_max = 1000,
		.renewal_window_s = RENEWAL_WINDOW_S, .renewals_per_cut = 400,
	};
	scheduler_free(plant->scheduler);
	WORLD_OK(scheduler_new(&plant->world->reconcile, &settings, publish, plant, &plant->scheduler, fault));
	begin(plant, 70); /* more than a batch of the reconciler */
	plant->signer = plant->world->signer;
	plant->busy_id = 4;
	WORLD_OK(signer_new(&operations, plant, &plant->world->reconcile.issue.signer, fault));
	make_due(plant, 1, 69, 200);
	(void)step(plant, WINDOW_S);
	assert_int_equal(serial_of(plant), 2);
	/* The change is out with the first batch of the wave, which goes on with the next cut, in the same window. */
	assert_int_equal(world_number(plant->world,
		"SELECT count(*) AS it FROM objects WHERE ca_id = 4 AND kind = 'roa' AND published_serial = 2"), 1);
	assert_int_equal(renewed_in(plant, 2), 64 + 1);
	(void)step(plant, WINDOW_S);
	assert_int_equal(serial_of(plant), 3);
	assert_int_equal(renewed_in(plant, 3), 5);
	signer_free(plant->world->reconcile.issue.signer);
	plant->world->reconcile.issue.signer = plant->signer;
}

/* From the change's commit to the notification on disk; the play's publisher takes three seconds. */
static void
scheduler_renewals__latency_is_that_of_changes(void **state)
{
	struct plant *plant = *state;
	begin(plant, 2);
	int64_t before = metrics_observed(METRIC_HISTOGRAM_PUBLICATION_LATENCY);
	make_due(plant, 0, 1, 0);
	(void)step(plant, 1);
	(void)step(plant, 10);
	assert_int_equal(metrics_observed(METRIC_HISTOGRAM_PUBLICATION_LATENCY), before);
	world_change_roas(plant->world, 5, "10.1.0.0/24", NULL);
	(void)step(plant, 20);
	assert_int_equal(metrics_observed(METRIC_HISTOGRAM_PUBLICATION_LATENCY), before);
	(void)step(plant, 5);
	assert_int_equal(metrics_observed(METRIC_HISTOGRAM_PUBLICATION_LATENCY), before + 1);
	assert_int_equal(metrics_get(METRIC_LATENCY), 23);
	(void)step(plant, 5);
	assert_int_equal(metrics_observed(METRIC_HISTOGRAM_PUBLICATION_LATENCY), before + 1);
}

int
main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, plant_open, plant_close)
	const struct CMUnitTest tests[] = {
		CASE(scheduler_renewals__gather_for_their_window),
		CASE(scheduler_renewals__come_after_changes),
		CASE(scheduler_renewals__are_capped),
		CASE(scheduler_renewals__urgent_ones_wait_for_nothing),
		CASE(scheduler_renewals__urgent_ones_are_not_crowded_out),
		CASE(scheduler_renewals__wait_for_no_import),
		CASE(scheduler_renewals__urgent_ones_wait_for_no_turn_of_theirs),
		CASE(scheduler_renewals__never_split_a_cas_turn),
		CASE(scheduler_renewals__go_on_after_a_restart),
		CASE(scheduler_renewals__make_way_for_changes),
		CASE(scheduler_renewals__latency_is_that_of_changes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
