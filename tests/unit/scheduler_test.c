#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "ca/commands/restore_commands.h"
#include "ca/jobs/cut.h"
#include "ca/jobs/scheduler.h"
#include "tests/support/world.h"

#define WINDOW_S 60
#define MINUTE_MS (60 * 1000)

/* A world and the scheduler on it; the publication is played by the test. */
struct plant {
	struct world *world;
	struct scheduler *scheduler;
	int cuts;                       /* that it told of */
	struct signer *signer;          /* the world's, when it is replaced */
	_Atomic int signatures;
};

static void
count_cut(void *argument)
{
	((struct plant *)argument)->cuts++;
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
	};
	WORLD_OK(scheduler_new(&plant->world->reconcile, &settings, count_cut, plant, &plant->scheduler, fault));
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
	struct cut_position position;
	WORLD_OK(cut_look(plant->world->db, &position, fault));
	return position.serial;
}

/* A step, some seconds after what was before. Returns when it wants to look again. */
static int64_t
step(struct plant *plant, int64_t after_s)
{
	int64_t again_ms = -1;
	clock_hand_set(&plant->world->clock, clock_now(&plant->world->clock) + after_s);
	WORLD_OK(scheduler_step(plant->scheduler, &again_ms, fault));
	return again_ms;
}

static void
publish(struct plant *plant)
{
	world_sql(plant->world, "UPDATE repositories SET notified_serial = serial");
}

/* The first cut, on disk. */
static void
begin(struct plant *plant)
{
	(void)step(plant, 1);
	publish(plant);
	assert_int_equal(serial_of(plant), 1);
}

static void
scheduler__sleeps_when_nothing_is_due(void **state)
{
	struct plant *plant = *state;
	begin(plant);
	for (int i = 0; i < 3; i++)
		assert_int_equal(step(plant, WINDOW_S), MINUTE_MS);
	assert_int_equal(serial_of(plant), 1);
	assert_int_equal(plant->cuts, 1);
}

static void
scheduler__cuts_at_once_after_a_quiet_time(void **state)
{
	struct plant *plant = *state;
	begin(plant);
	world_add_member(plant->world, "member", "192.0.2.0/24");
	assert_int_equal(step(plant, WINDOW_S), 0);
	assert_int_equal(serial_of(plant), 2);
	assert_int_equal(plant->cuts, 2);
}

static void
scheduler__cuts_at_the_windows_end_otherwise(void **state)
{
	struct plant *plant = *state;
	begin(plant);
	int64_t ca_id = world_add_member(plant->world, "member", "192.0.2.0/24");
	assert_int_equal(step(plant, 10), (WINDOW_S - 10) * 1000);
	world_change_roas(plant->world, ca_id, "192.0.2.0/24", NULL);
	assert_int_equal(step(plant, WINDOW_S - 11), 1000);
	assert_int_equal(serial_of(plant), 1);
	(void)step(plant, 1);
	assert_int_equal(serial_of(plant), 2);
}

/* While the last serial isn't on disk, there is no point in a next one: what comes meanwhile goes in together. */
static void
scheduler__waits_for_the_publication(void **state)
{
	struct plant *plant = *state;
	(void)step(plant, 1);
	world_add_member(plant->world, "member", "192.0.2.0/24");
	assert_int_equal(step(plant, 10 * WINDOW_S), MINUTE_MS);
	assert_int_equal(serial_of(plant), 1);
	publish(plant);
	(void)step(plant, 0);
	assert_int_equal(serial_of(plant), 2);
}

static void
scheduler__wakes_for_a_renewal(void **state)
{
	struct plant *plant = *state;
	int64_t changed, renewal_at;
	begin(plant);
	WORLD_OK(reconcile_due(&plant->world->reconcile, &changed, &renewal_at, fault));
	assert_int_equal(changed, 0);
	assert_true(renewal_at > clock_now(&plant->world->clock) + 3600);
	assert_int_equal(step(plant, renewal_at - clock_now(&plant->world->clock) - 30), 30 * 1000);
	assert_int_equal(serial_of(plant), 1);
	(void)step(plant, 30);
	assert_int_equal(serial_of(plant), 2);
}

/* Nothing is cut before the last cut's time, and nothing is lost by that. */
static void
scheduler__waits_for_a_clock_that_went_back(void **state)
{
	struct plant *plant = *state;
	begin(plant);
	world_add_member(plant->world, "member", "192.0.2.0/24");
	assert_int_equal(step(plant, -100), MINUTE_MS);
	assert_int_equal(step(plant, 100 - 1), MINUTE_MS);
	assert_int_equal(serial_of(plant), 1);
	(void)step(plant, 1 + WINDOW_S);
	assert_int_equal(serial_of(plant), 2);
	/* One that had been an hour ahead makes nobody wait: all that it signed is signed again. */
	publish(plant);
	assert_int_equal(step(plant, -3600), 0);
	assert_int_equal(serial_of(plant), 3);
}

static void
scheduler__brings_more_than_one_serial_may_hold_in_several(void **state)
{
	struct plant *plant = *state;
	struct scheduler *small;
	struct scheduler_settings settings = {
		.batch_window_s = 0, .cut_objects_max = 1,
	};
	char handle[16], prefix[32];
	int64_t again_ms, changed = 1, renewal_at;
	WORLD_OK(scheduler_new(&plant->world->reconcile, &settings, count_cut, plant, &small, fault));
	for (int i = 0; i < 70; i++) { /* more than a batch of the reconciler */
		(void)snprintf(handle, sizeof handle, "member-%d", i);
		(void)snprintf(prefix, sizeof prefix, "10.%d.0.0/16", i);
		world_add_member(plant->world, handle, prefix);
	}
	for (int round = 0; changed > 0 && round < 100; round++) {
		clock_hand_set(&plant->world->clock, clock_now(&plant->world->clock) + 1);
		WORLD_OK(scheduler_step(small, &again_ms, fault));
		publish(plant);
		WORLD_OK(reconcile_due(&plant->world->reconcile, &changed, &renewal_at, fault));
	}
	assert_int_equal(changed, 0);
	assert_true(serial_of(plant) > 1);
	assert_int_equal(plant->cuts, serial_of(plant));
	scheduler_free(small);
}

/* Members that an import brought, more than one batch of the reconciler, and more than a cut takes along. */
#define MANY 210

static void
import_many(struct plant *plant)
{
	char handle[16], prefix[32];
	for (int i = 0; i < MANY; i++) {
		(void)snprintf(handle, sizeof handle, "many-%d", i);
		(void)snprintf(prefix, sizeof prefix, "10.%d.0.0/16", i);
		world_add_member(plant->world, handle, prefix);
	}
	world_sql(plant->world, "UPDATE cas SET import_id = 'i' WHERE handle LIKE 'many-%'");
}

#define IMPORTED "SELECT count(*) AS it FROM cas WHERE import_id IS NOT NULL AND changed_at IS NOT NULL"

static void
scheduler__a_members_change_waits_for_no_backlog(void **state)
{
	struct plant *plant = *state;
	begin(plant);
	int64_t ca_id = world_add_member(plant->world, "own", "192.0.2.0/24");
	import_many(plant);
	(void)step(plant, WINDOW_S);
	assert_int_equal(serial_of(plant), 2);
	assert_int_equal(world_number(plant->world, IMPORTED), MANY);
	assert_int_equal(world_number(plant->world, "SELECT count(*) AS it FROM objects WHERE kind = 'cer' AND published_serial = 2"), 1);
	/* The backlog is worked on until the next. What is left when that begins goes along if it is little. */
	(void)step(plant, 1);
	assert_int_equal(world_number(plant->world, IMPORTED), 0);
	publish(plant);
	world_sql(plant->world, "UPDATE cas SET changed_at = 1 WHERE handle IN ('many-1', 'many-2')");
	world_change_roas(plant->world, ca_id, "192.0.2.0/24", NULL);
	(void)step(plant, WINDOW_S);
	assert_int_equal(serial_of(plant), 3);
	assert_int_equal(world_number(plant->world, "SELECT count(*) AS it FROM cas WHERE changed_at IS NOT NULL"), 0);
	assert_int_equal(world_number(plant->world, "SELECT count(*) AS it FROM objects WHERE kind = 'cer' AND published_serial = 3"), MANY);
}

/* What can't go now (who gains of it is set aside) keeps no import from going on. */
static void
scheduler__a_change_that_waits_for_others_holds_up_no_backlog(void **state)
{
	struct plant *plant = *state;
	world_add_member(plant->world, "gives", "192.0.2.0/24");
	world_add_member(plant->world, "gains", "198.51.100.0/24");
	begin(plant);
	world_sql(plant->world, "UPDATE cas SET changed_at = 1, change_group = 1, change_last = handle = 'gives' WHERE kind = 'member'; "
		"UPDATE cas SET set_aside_at = 1, set_aside_reason = 'a test' WHERE handle = 'gains'");
	import_many(plant);
	(void)step(plant, WINDOW_S);
	assert_int_equal(serial_of(plant), 2);
	assert_int_equal(world_number(plant->world, IMPORTED), 0);
	assert_int_equal(world_number(plant->world, "SELECT count(*) AS it FROM cas WHERE changed_at IS NOT NULL"), 2);
}

/* A member that an import changed, and nobody since. */
static int64_t
import_member(struct plant *plant, const char *handle, const char *prefix)
{
	int64_t ca_id = world_add_member(plant->world, handle, prefix);
	world_sql(plant->world, "UPDATE cas SET import_id = 'i' WHERE kind = 'member' AND changed_at IS NOT NULL");
	return ca_id;
}

/* Publishing takes 6 s: two minutes between cuts, where the window is one. */
static void
scheduler__imports_make_way_for_their_own_publication(void **state)
{
	struct plant *plant = *state;
	begin(plant);
	scheduler_published(plant->scheduler, 6000);
	(void)import_member(plant, "first", "192.0.2.0/24");
	assert_int_equal(step(plant, WINDOW_S), MINUTE_MS);
	assert_int_equal(serial_of(plant), 1);
	assert_int_equal(step(plant, WINDOW_S - 10), 10 * 1000);
	assert_int_equal(step(plant, 9), 1000);
	assert_int_equal(serial_of(plant), 1);
	(void)step(plant, 1);
	assert_int_equal(serial_of(plant), 2);
	publish(plant);
	/* What is done quickly is done each time: 2 s are less than the window. */
	scheduler_published(plant->scheduler, 2000);
	(void)import_member(plant, "second", "198.51.100.0/24");
	(void)step(plant, WINDOW_S);
	assert_int_equal(serial_of(plant), 3);
	publish(plant);
	/* A disk that took ten minutes makes nobody wait for hours. */
	scheduler_published(plant->scheduler, 600000);
	(void)import_member(plant, "third", "203.0.113.0/24");
	(void)step(plant, 599);
	assert_int_equal(serial_of(plant), 3);
	(void)step(plant, 1);
	assert_int_equal(serial_of(plant), 4);
}

static void
scheduler__imports_hold_up_no_change_of_a_member(void **state)
{
	struct plant *plant = *state;
	begin(plant);
	scheduler_published(plant->scheduler, 60000);
	int64_t ca_id = import_member(plant, "first", "192.0.2.0/24");
	(void)step(plant, 10 * WINDOW_S);
	assert_int_equal(serial_of(plant), 2);
	publish(plant);
	(void)import_member(plant, "second", "198.51.100.0/24");
	(void)step(plant, WINDOW_S + 1);
	assert_int_equal(serial_of(plant), 2);
	/* The window is over, so it goes at once, and what the import brought goes along. */
	world_change_roas(plant->world, ca_id, "192.0.2.0/24", NULL);
	(void)step(plant, 0);
	assert_int_equal(serial_of(plant), 3);
	assert_int_equal(world_number(plant->world, "SELECT count(*) AS it FROM cas WHERE changed_at IS NOT NULL"), 0);
	publish(plant);
	/* Nothing of an import waits any more: the end of one, staged already, isn't held back. */
	(void)import_member(plant, "third", "203.0.113.0/24");
	struct reconcile_result result = { 0 };
	clock_hand_set(&plant->world->clock, clock_now(&plant->world->clock) + 1);
	WORLD_OK(reconcile_members(&plant->world->reconcile, NULL, &result, fault));
	(void)step(plant, WINDOW_S);
	assert_int_equal(serial_of(plant), 4);
}

/* So many members with a ROA each, on disk; then a backup of all that is restored, as of a day ago. */
static void
restore_with(struct plant *plant, int members)
{
	char handle[16], prefix[32];
	for (int i = 0; i < members; i++) {
		(void)snprintf(handle, sizeof handle, "member-%d", i);
		(void)snprintf(prefix, sizeof prefix, "10.%d.0.0/16", i);
		world_change_roas(plant->world, world_add_member(plant->world, handle, prefix), prefix, NULL);
	}
	(void)world_cut(plant->world);
	publish(plant);
	struct restore_terms terms = { .epoch = 2, .backup_at = clock_now(&plant->world->clock), .source = "a backup" };
	clock_hand_set(&plant->world->clock, clock_now(&plant->world->clock) + 86400);
	WORLD_OK(restore_renumber(&plant->world->context, &world_actor, &terms, fault));
}

/* Manifests and CRLs in the first serial that are the backup's. */
#define OLD_LISTS "SELECT count(*) AS it FROM objects WHERE kind IN ('mft', 'crl') AND published_serial IS NOT NULL AND " \
	"withdrawn_serial IS NULL AND not_before_at <= (SELECT at FROM audit WHERE action = 'restore')"

/* More than a batch of the reconciler and far more than a serial may have: what isn't done yet would go out with numbers of the past. */
static void
scheduler__begins_anew_with_all_of_it(void **state)
{
	struct plant *plant = *state;
	struct scheduler *small;
	struct scheduler_settings settings = { .batch_window_s = 0, .cut_objects_max = 1, .renewals_per_cut = 1 };
	int64_t again_ms;
	WORLD_OK(scheduler_new(&plant->world->reconcile, &settings, count_cut, plant, &small, fault));
	restore_with(plant, 70);
	/* In the restore's own second nothing may be signed. */
	WORLD_OK(scheduler_step(small, &again_ms, fault));
	assert_int_equal(serial_of(plant), 0);
	assert_int_equal(again_ms, 1000);
	/* A round has its time, and this machine may be slow. */
	for (int round = 0; serial_of(plant) == 0 && round < 100; round++) {
		clock_hand_set(&plant->world->clock, clock_now(&plant->world->clock) + 1);
		WORLD_OK(scheduler_step(small, &again_ms, fault));
	}
	assert_int_equal(serial_of(plant), 1);
	assert_int_equal(world_number(plant->world, OLD_LISTS), 0);
	assert_int_equal(world_number(plant->world, "SELECT count(*) AS it FROM objects WHERE kind = 'mft' AND withdrawn_serial IS NULL"), 73);
	scheduler_free(small);
}

/* Who can be done is done meanwhile; nothing is published. */
static void
scheduler__begins_anew_when_the_last_is_done(void **state)
{
	struct plant *plant = *state;
	restore_with(plant, 3);
	world_sql(plant->world, "UPDATE keys SET this_update_at = this_update_at + 50 WHERE ca_id = 5");
	for (int i = 0; i < 5; i++) {
		assert_true(step(plant, 10) <= 30 * 1000);
		assert_int_equal(serial_of(plant), 0);
		assert_int_equal(world_number(plant->world, "SELECT count(*) AS it FROM objects WHERE kind = 'mft' AND published_serial IS NULL"), 5);
	}
	(void)step(plant, 1);
	assert_int_equal(serial_of(plant), 1);
	assert_int_equal(world_number(plant->world, OLD_LISTS), 0);
}

/* On hold, or last of a group whose first is on hold: its changes wait, its numbers don't. */
static void
scheduler__begins_anew_with_who_waits(void **state)
{
	struct plant *plant = *state;
	restore_with(plant, 0);
	(void)step(plant, WINDOW_S);
	publish(plant);
	assert_int_equal(world_add_member(plant->world, "held", "192.0.2.0/24"), 4);
	assert_int_equal(world_add_member(plant->world, "last", "198.51.100.0/24"), 5);
	(void)step(plant, WINDOW_S);
	publish(plant);
	world_sql(plant->world, "UPDATE cas SET held_at = 1 WHERE ca_id = 4; UPDATE cas SET change_group = 1, change_last = ca_id - 4, changed_at = 1"
		" WHERE ca_id IN (4, 5)");
	world_sql(plant->world, "DELETE FROM audit WHERE action = 'restore'");
	restore_with(plant, 1);
	(void)step(plant, WINDOW_S);
	assert_int_equal(serial_of(plant), 1);
	assert_int_equal(world_number(plant->world, OLD_LISTS), 0);
	assert_int_equal(world_number(plant->world, "SELECT count(*) AS it FROM cas WHERE changed_at IS NOT NULL"), 2);
}

/* The CA above can't sign, and of a member nothing is ever due: neither keeps all others from being published. */
static void
scheduler__begins_anew_without_what_can_not_be_done(void **state)
{
	struct plant *plant = *state;
	restore_with(plant, 3);
	world_sql(plant->world, "UPDATE keys SET handle = x'00' WHERE ca_id = 3; UPDATE cas SET held_at = 1, renew_at = NULL WHERE ca_id = 5");
	int steps = 0;
	while (serial_of(plant) == 0 && steps++ < 10)
		(void)step(plant, WINDOW_S);
	assert_int_equal(serial_of(plant), 1);
	assert_int_equal(steps, 4);
	assert_int_equal(world_number(plant->world, OLD_LISTS), 2 * 2);
	assert_int_equal(world_number(plant->world, OLD_LISTS " AND ca_id IN (3, 5)"), 2 * 2);
}

/* What a member changed is signed, and then its cut is refused: it waits for nothing but that, whatever an import brings meanwhile. */
static void
scheduler__a_refused_cut_leaves_a_members_change_what_it_is(void **state)
{
	struct plant *plant = *state;
	struct fault fault = FAULT_INIT;
	int64_t again_ms;
	int64_t ca_id = import_member(plant, "first", "192.0.2.0/24");
	begin(plant);
	scheduler_published(plant->scheduler, 60000);
	world_change_roas(plant->world, ca_id, "192.0.2.0/24", NULL);
	world_sql(plant->world, "CREATE TRIGGER full BEFORE UPDATE OF serial ON repositories BEGIN SELECT RAISE(ABORT, 'a test'); END");
	clock_hand_set(&plant->world->clock, clock_now(&plant->world->clock) + WINDOW_S);
	assert_int_equal(scheduler_step(plant->scheduler, &again_ms, &fault), FAULT_DATABASE);
	assert_int_equal(world_number(plant->world, "SELECT count(*) AS it FROM cas WHERE changed_at IS NOT NULL"), 0);
	world_sql(plant->world, "DROP TRIGGER full");
	(void)import_member(plant, "second", "198.51.100.0/24");
	(void)step(plant, 1);
	assert_int_equal(serial_of(plant), 2);
	/* With that it is out: what imports bring has its own pace again. */
	publish(plant);
	(void)import_member(plant, "third", "203.0.113.0/24");
	(void)step(plant, WINDOW_S);
	assert_int_equal(serial_of(plant), 2);
}

/* A signer whose first signature takes longer than a round beside a publication may. */

static enum fault_code
sign_slowly(void *self, struct span handle, struct span message, uint8_t ret_signature[RSA_SIGNATURE_SIZE], struct fault *fault)
{
	static const struct timespec long_time = { .tv_sec = 1, .tv_nsec = 100 * 1000 * 1000 };
	struct plant *plant = self;
	if (atomic_fetch_add(&plant->signatures, 1) == 0)
		(void)nanosleep(&long_time, NULL);
	return signer_sign(plant->signer, handle, message, ret_signature, fault);
}

static enum fault_code
generate(void *self, struct bytes *ret_handle, struct bytes *ret_spki, struct fault *fault)
{
	return signer_generate(((struct plant *)self)->signer, ret_handle, ret_spki, fault);
}

static void
keep(void *self)
{
	(void)self;
}

/* The window is over and the serial before is still being written: it looks again after a second's work, not after a minute's. */
static void
scheduler__looks_again_soon_while_a_publication_ends(void **state)
{
	static const struct signer_operations operations = { .generate = generate, .sign = sign_slowly, .free = keep };
	struct plant *plant = *state;
	(void)step(plant, 1);
	import_many(plant);
	world_sql(plant->world, "UPDATE cas SET import_id = NULL");
	plant->signer = plant->world->signer;
	WORLD_OK(signer_new(&operations, plant, &plant->world->reconcile.issue.signer, fault));
	assert_int_equal(step(plant, 10 * WINDOW_S), 0);
	signer_free(plant->world->reconcile.issue.signer);
	plant->world->reconcile.issue.signer = plant->signer;
	assert_true(world_number(plant->world, "SELECT count(*) AS it FROM cas WHERE changed_at IS NOT NULL") > MANY / 2);
	assert_int_equal(serial_of(plant), 1);
	publish(plant);
	(void)step(plant, 0);
	assert_int_equal(serial_of(plant), 2);
	assert_int_equal(world_number(plant->world, "SELECT count(*) AS it FROM cas WHERE changed_at IS NOT NULL"), 0);
}

static void
scheduler__tells_no_trouble_before_there_is_any(void **state)
{
	struct plant *plant = *state;
	struct fault fault = FAULT_INIT;
	assert_int_equal(scheduler_trouble(plant->scheduler, &fault), FAULT_NONE);
	scheduler_wake(plant->scheduler);
	scheduler_free(NULL);
}

int
main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, plant_open, plant_close)
	const struct CMUnitTest tests[] = {
		CASE(scheduler__sleeps_when_nothing_is_due),
		CASE(scheduler__cuts_at_once_after_a_quiet_time),
		CASE(scheduler__cuts_at_the_windows_end_otherwise),
		CASE(scheduler__waits_for_the_publication),
		CASE(scheduler__wakes_for_a_renewal),
		CASE(scheduler__waits_for_a_clock_that_went_back),
		CASE(scheduler__brings_more_than_one_serial_may_hold_in_several),
		CASE(scheduler__imports_make_way_for_their_own_publication),
		CASE(scheduler__imports_hold_up_no_change_of_a_member),
		CASE(scheduler__begins_anew_with_all_of_it),
		CASE(scheduler__begins_anew_when_the_last_is_done),
		CASE(scheduler__begins_anew_with_who_waits),
		CASE(scheduler__begins_anew_without_what_can_not_be_done),
		CASE(scheduler__a_members_change_waits_for_no_backlog),
		CASE(scheduler__a_change_that_waits_for_others_holds_up_no_backlog),
		CASE(scheduler__a_refused_cut_leaves_a_members_change_what_it_is),
		CASE(scheduler__looks_again_soon_while_a_publication_ends),
		CASE(scheduler__tells_no_trouble_before_there_is_any),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
