#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "ca/commands/restore_commands.h"
#include "ca/jobs/cut.h"
#include "db/connection.h"
#include "tests/support/world.h"

#define CASE(name) cmocka_unit_test_setup_teardown(name, world_open, world_close)
#define DAY INT64_C(86400)

static void
text(struct world *world, const char *sql, char ret_text[64])
{
	AUTO(struct db_connection, db_reader_release) connection = NULL;
	AUTO(struct stmt, stmt_done) stmt = NULL;
	bool row;
	WORLD_OK(db_reader_acquire(world->db, &connection, fault));
	WORLD_OK(stmt_prepare(connection, "a test", sql, &stmt, fault));
	WORLD_OK(stmt_step(stmt, &row, fault));
	(void)snprintf(ret_text, 64, "%s", stmt_text(stmt, "it"));
}

static void
restore(struct world *world, int64_t backup_at, int64_t epoch)
{
	struct restore_terms terms = { .epoch = epoch, .backup_at = backup_at, .source = "a backup" };
	WORLD_OK(restore_renumber(&world->context, &world_actor, &terms, fault));
}

/* Two members with a ROA each, in a few cuts. */
static void
publish(struct world *world)
{
	int64_t first = world_add_member(world, "first", "10.1.0.0/16");
	int64_t second = world_add_member(world, "second", "10.2.0.0/16");
	world_change_roas(world, first, "10.1.0.0/24", NULL);
	world_cut(world);
	world_change_roas(world, second, "10.2.0.0/24", NULL);
	world_change_roas(world, first, "10.1.1.0/24", NULL);
	world_cut(world);
	world_change_roas(world, first, NULL, "10.1.1.0/24");
	world_cut(world);
	world_sql(world, "UPDATE repositories SET notified_serial = serial, notified_at = cut_at, rsync_serial = serial, rsync_at = cut_at");
	world_sql(world, "INSERT INTO rsync_trees (name) VALUES ('1')");
}

/* Each repository begins anew, and with one cut each is published again, also where nothing of it was changed since. */
static void
restore_commands__every_repository_begins_anew(void **state)
{
	struct world *world = *state;
	world->context.placing = (struct command_placing){ .issuing_members_max = 1, .repository_size_max = 1 };
	(void)world_add_member(world, "a", "10.3.0.0/16");
	publish(world);
	world_sql(world, "CREATE TABLE sessions AS SELECT repository_id, session FROM repositories");
	assert_int_equal(world_number(world, "SELECT count(*) AS it FROM sessions"), 3);
	restore(world, clock_now(&world->clock), 2);
	assert_int_equal(world_number(world, "SELECT count(*) AS it FROM sessions JOIN repositories USING (repository_id, session)"), 0);
	assert_int_equal(world_number(world, "SELECT sum(serial) AS it FROM repositories"), 0);
	/* Even if only one of them had something to say. */
	world_sql(world, "UPDATE cas SET changed_at = NULL WHERE repository_id = 3; DROP TABLE sessions");
	clock_hand_set(&world->clock, clock_now(&world->clock) + 300);
	(void)world_cut(world);
	assert_int_equal(world_number(world, "SELECT min(serial) AS it FROM repositories"), 1);
	assert_int_equal(world_number(world, "SELECT max(serial) AS it FROM repositories"), 1);
}

static void
restore_commands__nothing_can_come_twice(void **state)
{
	struct world *world = *state;
	char before[64], after[64];
	publish(world);
	int64_t backup_at = clock_now(&world->clock), keys = world_number(world, "SELECT count(*) AS it FROM keys");
	int64_t manifests = world_number(world, "SELECT sum(manifest_number) AS it FROM keys");
	int64_t crls = world_number(world, "SELECT sum(crl_number) AS it FROM keys");
	int64_t ta_begin_at = world_number(world, "SELECT not_before_at AS it FROM objects WHERE kind = 'ta' AND withdrawn_serial IS NULL");
	text(world, "SELECT session AS it FROM repositories", before);
	clock_hand_set(&world->clock, backup_at + 10 * DAY);
	restore(world, backup_at, 5);
	assert_int_equal(world_number(world, "SELECT sum(manifest_number) AS it FROM keys") - manifests, keys * (10 * DAY + 3600));
	assert_int_equal(world_number(world, "SELECT sum(crl_number) AS it FROM keys") - crls, keys * (10 * DAY + 3600));
	assert_int_equal(world_number(world, "SELECT epoch AS it FROM instance"), 5);
	text(world, "SELECT session AS it FROM repositories", after);
	assert_string_not_equal(before, after);
	assert_int_equal(world_number(world, "SELECT serial + notified_serial + rsync_serial AS it FROM repositories"), 0);
	assert_int_equal(world_number(world, "SELECT count(*) AS it FROM cuts"), 0);
	assert_int_equal(world_number(world, "SELECT count(*) AS it FROM rsync_trees"), 0);
	/* All is made anew at once, whether it is due or not: thisUpdate is now, the TA's certificate is a later one. */
	assert_int_equal(world_cut(world), 1);
	assert_int_equal(world_number(world, "SELECT count(*) AS it FROM objects WHERE kind IN ('mft', 'crl') AND withdrawn_serial IS NULL "
		"AND not_before_at > (SELECT at FROM audit WHERE action = 'restore')"), 2 * keys);
	assert_true(world_number(world, "SELECT not_before_at AS it FROM objects WHERE kind = 'ta' AND withdrawn_serial IS NULL") > ta_begin_at);
	/* One manifest each, and no step in between. */
	assert_int_equal(world_number(world, "SELECT sum(manifest_number) AS it FROM keys") - manifests, keys * (10 * DAY + 3600 + 1));
}

/* What stands goes on standing, under the first serial of the new session; what had left is part of nothing. */
static void
restore_commands__keeps_what_stands(void **state)
{
	struct world *world = *state;
	static const char payloads[] = "SELECT count(*) AS it FROM objects o JOIN roa_payloads p ON p.object_id = o.object_id "
		"WHERE o.withdrawn_serial IS NULL";
	publish(world);
	int64_t live = world_number(world, "SELECT count(*) AS it FROM objects WHERE withdrawn_serial IS NULL");
	assert_int_equal(world_number(world, payloads), 2);
	clock_hand_set(&world->clock, clock_now(&world->clock) + DAY);
	restore(world, clock_now(&world->clock) - DAY, 2);
	assert_int_equal(world_number(world, "SELECT count(*) AS it FROM objects WHERE withdrawn_serial IS NULL AND published_serial = 1"), live);
	assert_int_equal(world_number(world, "SELECT count(*) AS it FROM objects WHERE withdrawn_serial > 1 OR published_serial > 1"), 0);
	assert_int_equal(world_number(world, "SELECT count(*) AS it FROM object_bytes b JOIN objects o ON o.object_id = b.object_id "
		"WHERE o.withdrawn_serial IS NOT NULL"), 0);
	assert_int_equal(world_number(world, "SELECT payloads AS it FROM repositories"), 2);
	assert_int_equal(world_number(world, "SELECT cas AS it FROM repositories"), 4);
	world_cut(world);
	assert_int_equal(world_number(world, payloads), 2);
	assert_int_equal(world_number(world, "SELECT count(*) AS it FROM objects WHERE withdrawn_serial IS NULL"), live);
	/* It was on the CRL before and is still, until it expires. */
	assert_true(world_number(world, "SELECT count(*) AS it FROM objects WHERE kind = 'roa' AND revoked_at IS NOT NULL") > 0);
}

/* Signed, but for numbers that are not the next ones any more. */
static void
restore_commands__makes_what_was_staged_anew(void **state)
{
	struct world *world = *state;
	struct reconcile_result result = { 0 };
	publish(world);
	int64_t third = world_add_member(world, "third", "10.3.0.0/16");
	world_change_roas(world, third, "10.3.0.0/24", NULL);
	clock_hand_set(&world->clock, clock_now(&world->clock) + 1);
	WORLD_OK(reconcile_members(&world->reconcile, NULL, &result, fault));
	assert_true(world_number(world, "SELECT count(*) AS it FROM objects WHERE published_serial IS NULL") > 0);
	clock_hand_set(&world->clock, clock_now(&world->clock) + 100);
	restore(world, clock_now(&world->clock) - 50, 2);
	assert_int_equal(world_number(world, "SELECT count(*) AS it FROM objects WHERE published_serial IS NULL"), 0);
	assert_int_equal(world_cut(world), 1);
	assert_int_equal(world_number(world, "SELECT count(*) AS it FROM objects o JOIN roa_payloads p ON p.object_id = o.object_id "
		"WHERE o.withdrawn_serial IS NULL AND o.published_serial = 1"), 3);
}

static void
restore_commands__a_ca_that_was_set_aside_is_tried_again(void **state)
{
	struct world *world = *state;
	publish(world);
	world_sql(world, "UPDATE cas SET set_aside_at = 1, set_aside_reason = 'a test' WHERE handle = 'first'");
	clock_hand_set(&world->clock, clock_now(&world->clock) + 100);
	restore(world, clock_now(&world->clock) - 50, 2);
	assert_int_equal(world_number(world, "SELECT count(*) AS it FROM cas WHERE set_aside_at IS NOT NULL"), 0);
	assert_int_equal(world_number(world, "SELECT count(*) AS it FROM cas WHERE changed_at IS NULL"), 0);
}

/* Keys on another machine have their numbers there. */
static void
restore_commands__leaves_offline_keys_alone(void **state)
{
	struct world *world = *state;
	publish(world);
	world_sql(world, "UPDATE keys SET handle = NULL WHERE ca_id = (SELECT ca_id FROM cas WHERE kind = 'ta')");
	world_sql(world, "INSERT INTO ta_ceremonies (number, state, request, requested_at, installed_at, due_at) VALUES (1, 'installed', x'00', 1, 2,"
		" 99999999999)");
	int64_t before = world_number(world, "SELECT manifest_number AS it FROM keys WHERE handle IS NULL");
	int64_t end_at = world_number(world, "SELECT not_after_at AS it FROM objects WHERE kind = 'ta' AND withdrawn_serial IS NULL");
	clock_hand_set(&world->clock, clock_now(&world->clock) + DAY);
	restore(world, clock_now(&world->clock) - DAY, 2);
	assert_int_equal(world_number(world, "SELECT manifest_number AS it FROM keys WHERE handle IS NULL"), before);
	assert_int_equal(world_number(world, "SELECT not_after_at AS it FROM objects WHERE kind = 'ta' AND withdrawn_serial IS NULL"), end_at);
	/* What ceremonies there were since is unknown: one is due. */
	assert_int_equal(world_number(world, "SELECT due_at AS it FROM ta_ceremonies"), clock_now(&world->clock));
}

static void
restore_commands__refuses_a_backup_from_the_future(void **state)
{
	struct world *world = *state;
	publish(world);
	struct restore_terms terms = { .epoch = 2, .backup_at = clock_now(&world->clock) + 121, .source = "a backup" };
	int64_t manifests = world_number(world, "SELECT sum(manifest_number) AS it FROM keys");
	assert_int_equal(restore_renumber(&world->context, &world_actor, &terms, NULL), FAULT_CLOCK);
	assert_int_equal(world_number(world, "SELECT sum(manifest_number) AS it FROM keys"), manifests);
	/* A clock that is a little late is none. */
	terms.backup_at -= 1;
	WORLD_OK(restore_renumber(&world->context, &world_actor, &terms, fault));
	assert_true(world_number(world, "SELECT min(manifest_number) AS it FROM keys") >= 3600);
}

static void
restore_commands__twice_is_fine(void **state)
{
	struct world *world = *state;
	publish(world);
	for (int64_t i = 0; i < 3; i++) {
		clock_hand_set(&world->clock, clock_now(&world->clock) + DAY);
		restore(world, clock_now(&world->clock) - DAY, 2 + i);
	}
	assert_int_equal(world_cut(world), 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(restore_commands__nothing_can_come_twice),
		CASE(restore_commands__every_repository_begins_anew),
		CASE(restore_commands__keeps_what_stands),
		CASE(restore_commands__makes_what_was_staged_anew),
		CASE(restore_commands__a_ca_that_was_set_aside_is_tried_again),
		CASE(restore_commands__leaves_offline_keys_alone),
		CASE(restore_commands__refuses_a_backup_from_the_future),
		CASE(restore_commands__twice_is_fine),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
