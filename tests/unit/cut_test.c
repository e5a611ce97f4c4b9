#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ca/commands/ca_commands.h"
#include "ca/jobs/cut.h"
#include "tests/support/world.h"

#define CASE(name) cmocka_unit_test_setup_teardown(name, world_open, world_close)

static struct cut_position
look(struct world *world)
{
	struct cut_position position;
	WORLD_OK(cut_look(world->db, &position, fault));
	return position;
}

/* Objects of all that is due, staged; no cut yet. A second later than what was before. */
static void
stage(struct world *world, bool parents)
{
	struct reconcile_result result = { 0 };
	clock_hand_set(&world->clock, clock_now(&world->clock) + 1);
	WORLD_OK(reconcile_members(&world->reconcile, NULL, &result, fault));
	if (parents)
		WORLD_OK(reconcile_parents(&world->reconcile, &result, fault));
}

static void
cut__refuses_a_database_without_repository(void **state)
{
	struct world *world = *state;
	AUTO(struct db, db_close) db = world_empty_database(world);
	struct cut_position position;
	int64_t serial = 77;
	assert_int_equal(cut_look(db, &position, NULL), FAULT_NOT_FOUND);
	assert_int_equal(cut_make(db, &world->clock, &serial, NULL), FAULT_NOT_FOUND);
	assert_int_equal(serial, 77);
}

static void
cut__of_nothing_makes_no_serial(void **state)
{
	struct world *world = *state;
	int64_t serial = 77;
	assert_false(look(world).waiting);
	WORLD_OK(cut_make(world->db, &world->clock, &serial, fault));
	assert_int_equal(serial, 0);
	assert_int_equal(look(world).serial, 0);
}

/* A child's certificate is staged, and its parent's manifest doesn't name it yet: nothing leaves. */
static void
cut__waits_for_the_parents(void **state)
{
	struct world *world = *state;
	int64_t serial = 77;
	world_add_member(world, "member", "192.0.2.0/24");
	stage(world, false);
	struct cut_position position = look(world);
	assert_true(position.waiting);
	assert_true(position.blocked);
	assert_int_equal(cut_make(world->db, &world->clock, &serial, NULL), FAULT_BUSY);
	assert_int_equal(serial, 77);
	assert_int_equal(look(world).serial, 0);
	assert_int_equal(world_cut(world), 1);
	assert_false(look(world).blocked);
}

/* Notifications are told apart by their second, so a cut in the same one, or before it, has to wait. */
static void
cut__needs_a_later_second(void **state)
{
	struct world *world = *state;
	int64_t serial = 77, ca_id = world_add_member(world, "member", "192.0.2.0/24");
	assert_int_equal(world_cut(world), 1);
	int64_t cut_at = look(world).cut_at;
	assert_int_equal(cut_at, clock_now(&world->clock));
	world_change_roas(world, ca_id, "192.0.2.0/24", NULL);
	stage(world, true);
	for (int64_t back_s = 0; back_s < 3; back_s++) {
		clock_hand_set(&world->clock, cut_at - back_s * 60);
		assert_int_equal(cut_make(world->db, &world->clock, &serial, NULL), FAULT_CLOCK);
	}
	assert_int_equal(serial, 77);
	assert_int_equal(look(world).serial, 1);
	assert_int_equal(look(world).cut_at, cut_at);
	clock_hand_set(&world->clock, cut_at + 1);
	WORLD_OK(cut_make(world->db, &world->clock, &serial, fault));
	assert_int_equal(serial, 2);
}

/* A cut under a clock that was a day ahead holds up none under the right one. */
static void
cut__is_not_held_up_by_a_clock_that_was_wrong(void **state)
{
	struct world *world = *state;
	int64_t serial, ca_id = world_add_member(world, "member", "192.0.2.0/24"), right_at = clock_now(&world->clock);
	clock_hand_set(&world->clock, right_at + 86400);
	assert_int_equal(world_cut(world), 1);
	world_change_roas(world, ca_id, "192.0.2.0/24", NULL);
	clock_hand_set(&world->clock, right_at);
	stage(world, true);
	WORLD_OK(cut_make(world->db, &world->clock, &serial, fault));
	assert_int_equal(serial, 2);
	assert_in_range(look(world).cut_at, right_at, right_at + 2);
}

static void
cut__takes_all_that_is_staged_at_once(void **state)
{
	struct world *world = *state;
	int64_t serial, ca_id = world_add_member(world, "member", "192.0.2.0/24");
	world_change_roas(world, ca_id, "192.0.2.0/24", NULL);
	stage(world, true);
	assert_true(look(world).waiting);
	WORLD_OK(cut_make(world->db, &world->clock, &serial, fault));
	struct cut_position position = look(world);
	assert_int_equal(serial, 1);
	assert_int_equal(position.serial, 1);
	assert_false(position.waiting);
	/* What is on disk is another matter. */
	assert_int_equal(position.notified_serial, 0);
	assert_int_equal(position.rsync_serial, 0);
	/* A second time there is nothing left. */
	clock_hand_set(&world->clock, clock_now(&world->clock) + 1);
	WORLD_OK(cut_make(world->db, &world->clock, &serial, fault));
	assert_int_equal(serial, 0);
}

/* Two members, each in a repository of its own; all cut. */
static void
lay_two(struct world *world, int64_t ret_ca_ids[2])
{
	world->context.placing = (struct command_placing){ .issuing_members_max = 1, .repository_size_max = 1 };
	ret_ca_ids[0] = world_add_member(world, "one", "192.0.2.0/24");
	ret_ca_ids[1] = world_add_member(world, "two", "198.51.100.0/24");
	world_change_roas(world, ret_ca_ids[0], "192.0.2.0/24", NULL);
	world_change_roas(world, ret_ca_ids[1], "198.51.100.0/24", NULL);
	/* The issuing CA that is new gets its key first, so one cut has its members too. */
	assert_true(world_cut(world) != 0);
	assert_int_equal(world_number(world, "SELECT count(*) AS it FROM cas WHERE changed_at IS NOT NULL"), 0);
}

static int64_t
serial_of(struct world *world, int64_t repository_id)
{
	return world_number(world, repository_id == 1 ? "SELECT serial AS it FROM repositories WHERE repository_id = 1"
		: "SELECT serial AS it FROM repositories WHERE repository_id = 2");
}

static void
cut__is_one_over_all_repositories(void **state)
{
	struct world *world = *state;
	int64_t ids[2];
	lay_two(world, ids);
	/* The first cut had both: the certificate of the second issuing CA, its manifest, and the member. */
	assert_int_equal(world_number(world, "SELECT count(*) AS it FROM cuts a JOIN cuts b ON b.cut_at = a.cut_at AND b.repository_id = 2"
		" WHERE a.repository_id = 1 AND a.serial = 1 AND b.serial = 1"), 1);
	assert_int_equal(look(world).serial, serial_of(world, 1) + serial_of(world, 2));
	/* The certificate of an issuing CA stands above it, all of its own in its repository. */
	assert_int_equal(world_number(world, "SELECT o.repository_id AS it FROM objects o JOIN cas c ON c.ca_id = o.subject_ca_id"
		" WHERE c.handle = 'issuing-2'"), 1);
	assert_int_equal(world_number(world, "SELECT count(*) AS it FROM objects o JOIN cas c ON c.ca_id = o.ca_id"
		" WHERE o.repository_id <> c.repository_id"), 0);
	assert_int_equal(world_number(world, "SELECT count(*) AS it FROM objects WHERE repository_id = 2 AND published_serial IS NOT NULL"
		" AND withdrawn_serial IS NULL"), 6);
	assert_int_equal(world_number(world, "SELECT min(payloads) AS it FROM repositories"), 1);
	assert_int_equal(world_number(world, "SELECT cas AS it FROM repositories WHERE repository_id = 2"), 1);
}

static void
cut__leaves_a_repository_alone_in_which_nothing_waits(void **state)
{
	struct world *world = *state;
	int64_t ids[2];
	lay_two(world, ids);
	int64_t first = serial_of(world, 1), second = serial_of(world, 2);
	world_change_roas(world, ids[1], NULL, "198.51.100.0/24");
	assert_int_equal(world_cut(world), first + second + 1);
	assert_int_equal(serial_of(world, 1), first);
	assert_int_equal(serial_of(world, 2), second + 1);
	assert_int_equal(world_number(world, "SELECT payloads AS it FROM repositories WHERE repository_id = 2"), 0);
	world_change_roas(world, ids[0], NULL, "192.0.2.0/24");
	assert_int_equal(world_cut(world), first + second + 2);
	assert_int_equal(serial_of(world, 1), first + 1);
	assert_int_equal(serial_of(world, 2), second + 1);
}

#define STATE "FROM objects o WHERE published_serial <= c.serial AND (withdrawn_serial IS NULL OR withdrawn_serial > c.serial)"

/* Of each serial, whatever came and went since, the count of its cut is what a walk over its objects finds. */
static void
cut__counts_what_its_serial_has(void **state)
{
	struct world *world = *state;
	int64_t ca_id = world_add_member(world, "member", "192.0.2.0/24");
	assert_int_equal(world_cut(world), 1);
	world_change_roas(world, ca_id, "192.0.2.0/24", NULL);
	assert_int_equal(world_cut(world), 2);
	world_change_roas(world, ca_id, "192.0.2.0/25", "192.0.2.0/24");
	assert_int_equal(world_cut(world), 3);
	WORLD_OK(ca_delete(&world->context, &world_actor, ca_id, fault));
	assert_int_equal(world_cut(world), 4);
	assert_int_equal(world_number(world, "SELECT count(*) AS it FROM cuts"), 4);
	assert_int_equal(world_number(world, "SELECT count(*) AS it FROM cuts c WHERE objects = (SELECT count(*) " STATE ")"
		" AND objects_size = (SELECT sum(size) " STATE ")"), 4);
	/* CA certificate, CRL, manifest, ROA. */
	assert_int_equal(world_number(world, "SELECT max(objects) - min(objects) AS it FROM cuts"), 4);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(cut__refuses_a_database_without_repository),
		CASE(cut__of_nothing_makes_no_serial),
		CASE(cut__waits_for_the_parents),
		CASE(cut__needs_a_later_second),
		CASE(cut__is_not_held_up_by_a_clock_that_was_wrong),
		CASE(cut__takes_all_that_is_staged_at_once),
		CASE(cut__is_one_over_all_repositories),
		CASE(cut__leaves_a_repository_alone_in_which_nothing_waits),
		CASE(cut__counts_what_its_serial_has),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
