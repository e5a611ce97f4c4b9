/*
 * virtual_years: registries that live for months and years in virtual time, through all that members do, and are looked at every
 * hour. Real: database, reconciler, scheduler, publisher, files. By hand: the clock. From a fixed set: the one-time keys.
 *
 *     virtual_years [PATTERN]                     the cases that CI runs, or those of them
 *     virtual_years DAYS MEMBERS [START [SEED]]   one life, START in seconds since 1970
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* after what it needs */
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "ca/base/clock.h"
#include "ca/commands/roll_commands.h"
#include "db/connection.h"
#include "tests/support/members.h"
#include "tests/support/prime_keys.h"

#define MINUTE INT64_C(60)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)
#define DECEMBER_10_2027 INT64_C(1828396800)
#define DECEMBER_2_2049 INT64_C(2522016000)
#define MARCH_1_2026 INT64_C(1772323200)
/* Due work waits this long at most: a quarter of an hour for its window, and what a step takes. */
#define LATE_MOST_S (30 * MINUTE)
/* More pairs than certificates: a name comes but once. */
#define PRIMES 160
#define PRIMES_FOR_YEARS 500
#define COMPARE_EVERY_S (12 * HOUR)
#define PAST_ALL_MANIFESTS_S (3 * DAY)

struct course {
	int64_t start_at, days;
	size_t members;
	uint64_t seed;
	int64_t validate_every_days;     /* rpki-client's turn */
	int64_t restart_every_hours;
	int64_t roll_all_every_days;     /* every CA gets a new key */
};

struct journey {
	struct life life;
	struct members *members;
	int64_t validated_at, compared_at, restarts, validations, compared, rolls;
};

/*
 * Every object is current, nothing has passed its margin, payloads are the intents that are held: each hour, by what the watcher holds of
 * each object and by the self-check, which reads everything anew (30 ms for 20 CAs).
 */
static void
look(struct journey *journey)
{
	struct life *life = &journey->life;
	const struct timing *timing = &life->world.reconcile.settings.timing;
	LIFE_RIGHT(watcher_look(life->watcher, clock_now(&life->world.clock), timing->manifest_margin_s - LATE_MOST_S,
		timing->object_margin_s - LATE_MOST_S));
	LIFE_RIGHT(members_check(journey->members));
	LIFE_RIGHT(life_check(life, timing->manifest_margin_s - LATE_MOST_S, timing->object_margin_s - LATE_MOST_S));
}

/* What a validator on rsync sees, at the first hour after its time has come in which the tree has caught up. */
static void
validate(struct journey *journey, const struct course *course)
{
	struct life *life = &journey->life;
	int64_t now_at = clock_now(&life->world.clock);
	if (now_at - journey->compared_at < COMPARE_EVERY_S || !life_rsync_is_current(life))
		return;
	LIFE_RIGHT(watcher_compare(life->watcher, life->directory));
	journey->compared_at = now_at;
	journey->compared++;
	if (now_at - journey->validated_at < course->validate_every_days * DAY)
		return;
	LIFE_RIGHT(life_validate(life));
	journey->validated_at = now_at;
	journey->validations++;
}

/* An hour of a server: changes in its first half, so that all are out at its end. */
static void
live_an_hour(struct journey *journey, const struct course *course, int64_t end_at)
{
	struct life *life = &journey->life;
	int64_t at = end_at - HOUR;
	while (members_random(journey->members, 3) == 0 && at < end_at - 40 * MINUTE) {
		at += (int64_t)members_random(journey->members, (uint64_t)(10 * MINUTE));
		life_until(life, at);
		members_change(journey->members);
	}
	life_until(life, end_at);
	look(journey);
	validate(journey, course);
	if ((end_at / HOUR) % course->restart_every_hours == 0) {
		life_stop(life);
		life_start(life);
		journey->restarts++;
	}
}

/* Members, issuing CA, online CA: five an hour begin. */
static void
roll_all(struct journey *journey)
{
	const struct roll_campaign campaign = { .older_than_s = 4 * DAY, .per_hour = 5, .staging_s = ROLL_STAGING_DEFAULT };
	int64_t count, last_at;
	WORLD_OK(roll_start_all(&journey->life.world.context, &world_actor, &campaign, &count, &last_at, fault));
	assert_true(count > 2);
	journey->rolls += count;
}

/* RFC 6489: keys that were rolled are destroyed in the end. Members on hold or suspended just then roll later, or never. */
static void
require_rolls(struct journey *journey)
{
	struct db_connection *connection;
	struct stmt *stmt;
	bool row;
	WORLD_OK(db_reader_acquire(journey->life.world.db, &connection, fault));
	WORLD_OK(stmt_prepare(connection, "a test", "SELECT count(*) FILTER (WHERE state = 'destroyed') AS done, "
		"count(*) FILTER (WHERE state IN ('staged', 'retired')) AS under_way FROM keys", &stmt, fault));
	WORLD_OK(stmt_step(stmt, &row, fault));
	assert_true(stmt_int(stmt, "done") + stmt_int(stmt, "under_way") >= journey->rolls / 2);
	assert_true(journey->rolls == 0 || stmt_int(stmt, "done") > 0);
	stmt_done(stmt);
	db_reader_release(connection);
}

/* The validator really does judge as of the time that it is told: past all ends it takes nothing. */
static void
prove_time_matters(struct life *life)
{
	size_t payloads = 1;
	LIFE_RIGHT(life_validate_later(life, PAST_ALL_MANIFESTS_S, &payloads));
	assert_int_equal(payloads, 0);
}

static void
travel(const struct course *course)
{
	struct journey *journey = calloc(1, sizeof *journey);
	int64_t began_ms = clock_monotonic_ms();
	assert_non_null(journey);
	struct life *life = &journey->life;
	life_begin(life, course->start_at);
	journey->members = members_new(life, course->members, course->seed);
	for (int64_t hour = 1; hour <= course->days * 24; hour++) {
		live_an_hour(journey, course, course->start_at + hour * HOUR);
		if (hour % (course->roll_all_every_days * 24) == 0)
			roll_all(journey);
	}
	require_rolls(journey);
	if (journey->validations > 0)
		prove_time_matters(life);
	size_t payloads;
	(void)watcher_payloads(life->watcher, &payloads);
	print_message("%lld days, %zu members, seed %llu: %lld changes, %lld refused, %lld transfers, %lld serials, %lld keys rolled, %lld restarts; "
		"%zu objects and %zu payloads at the end, %zu certificates in all; rsync compared %lld times, rpki-client run %lld times; "
		"%lld ms\n",
		(long long)course->days, course->members, (unsigned long long)course->seed, (long long)journey->members->changes,
		(long long)journey->members->refusals, (long long)journey->members->transfers,
		(long long)watcher_serial(life->watcher), (long long)journey->rolls, (long long)journey->restarts,
		watcher_objects(life->watcher), payloads, watcher_seen(life->watcher), (long long)journey->compared,
		(long long)journey->validations, (long long)(clock_monotonic_ms() - began_ms));
	/* That nothing was looked at would be no proof. */
	assert_true(journey->validations >= course->days / course->validate_every_days / 2);
	assert_true(journey->compared >= course->days);
	members_free(journey->members);
	life_end(life);
	free(journey);
}

/* Krill's re-issuance failed on 29 February 2020. */
static void
virtual_years__90_days_with_a_leap_day(void **state)
{
	(void)state;
	travel(&(struct course){
		.start_at = DECEMBER_10_2027, .days = 90, .members = 20, .seed = 2028, .validate_every_days = 9,
		.restart_every_hours = 61, .roll_all_every_days = 40,
	});
}

/* UTCTime ends with 2049 (RFC 5280 §4.1.2.5). */
static void
virtual_years__60_days_over_the_end_of_2049(void **state)
{
	(void)state;
	travel(&(struct course){
		.start_at = DECEMBER_2_2049, .days = 60, .members = 5, .seed = 2050, .validate_every_days = 6,
		.restart_every_hours = 61, .roll_all_every_days = 27,
	});
}

static int
travel_as_asked(int count, char **arguments)
{
	struct course course = {
		.start_at = MARCH_1_2026, .seed = 1, .validate_every_days = 30, .restart_every_hours = 149,
		.roll_all_every_days = 180,
	};
	course.days = atol(arguments[1]);
	course.members = (size_t)atol(arguments[2]);
	if (count > 3)
		course.start_at = atol(arguments[3]);
	if (count > 4)
		course.seed = (uint64_t)atol(arguments[4]);
	if (course.days < 1 || course.members < 2 || course.members > MEMBERS_MAX) {
		(void)fprintf(stderr, "usage: virtual_years [DAYS MEMBERS [START [SEED]]], 2 to %d members\n", MEMBERS_MAX);
		return 2;
	}
	prime_keys_prepare(PRIMES_FOR_YEARS);
	travel(&course);
	return 0;
}

int
main(int count, char **arguments)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(virtual_years__90_days_with_a_leap_day),
		cmocka_unit_test(virtual_years__60_days_over_the_end_of_2049),
	};
	if (count > 2)
		return travel_as_asked(count, arguments);
	if (count > 1)
		cmocka_set_test_filter(arguments[1]);
	prime_keys_prepare(PRIMES);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
