#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ca/base/metrics.h"
#include "ca/commands/ca_commands.h"
#include "ca/commands/hold_commands.h"
#include "ca/commands/publication_commands.h"
#include "ca/jobs/cut.h"
#include "ca/jobs/guard.h"
#include "db/stmt.h"
#include "tests/support/world.h"

#define CASE(name) cmocka_unit_test_setup_teardown(name, world_open, world_close)

/* In force from ten payloads up: more than a fifth of them is too much. */
static const struct guard_settings settings = { .share_percent = 20, .payloads_min = 10 };

/* A ROA for 10.<second>.<third>.0/24. */
static const char *
prefix_of(int second, int third)
{
	static char text[4][40];
	static int next;
	next = (next + 1) % 4;
	(void)snprintf(text[next], sizeof text[next], "10.%d.%d.0/24", second, third);
	return text[next];
}

/* A member that holds 10.<second>.0.0/16 with so many ROAs in it. */
static int64_t
member_with(struct world *world, int second, int roas)
{
	char handle[32], resources[32];
	(void)snprintf(handle, sizeof handle, "member-%d", second);
	(void)snprintf(resources, sizeof resources, "10.%d.0.0/16", second);
	int64_t ca_id = world_add_member(world, handle, resources);
	for (int i = 0; i < roas; i++)
		world_change_roas(world, ca_id, prefix_of(second, i), NULL);
	return ca_id;
}

static void
remove_roas(struct world *world, int64_t ca_id, int second, int from, int to)
{
	for (int i = from; i < to; i++)
		world_change_roas(world, ca_id, NULL, prefix_of(second, i));
}

/* Signs all that is due; cuts nothing. */
static void
stage(struct world *world)
{
	struct reconcile_result result = { 0 };
	clock_hand_set(&world->clock, clock_now(&world->clock) + 1);
	WORLD_OK(reconcile_members(&world->reconcile, NULL, &result, fault));
	WORLD_OK(reconcile_parents(&world->reconcile, &result, fault));
}

static enum fault_code
check(struct world *world, struct fault *fault)
{
	return guard_check(world->db, &settings, &world->clock, fault);
}

static void
must_pass(struct world *world)
{
	struct fault fault = FAULT_INIT;
	if (check(world, &fault) != FAULT_NONE)
		fail_msg("%s", fault.message);
	assert_int_equal(metrics_get(METRIC_PUBLICATION_REFUSED), 0);
}

static void
must_refuse(struct world *world, const char *expected, char ret_code[GUARD_CODE_SIZE])
{
	struct fault fault = FAULT_INIT;
	assert_int_equal(check(world, &fault), FAULT_GUARD);
	if (strstr(fault.message, expected) == NULL)
		fail_msg("\"%s\" doesn't say \"%s\"", fault.message, expected);
	assert_int_equal(metrics_get(METRIC_PUBLICATION_REFUSED), 1);
	const char *code = strstr(fault.message, "publication accept ");
	assert_non_null(code);
	(void)snprintf(ret_code, GUARD_CODE_SIZE, "%s", code + strlen("publication accept "));
	assert_int_equal(strlen(ret_code), GUARD_CODE_SIZE - 1);
}

/* What is staged goes out; the clock is past the second of staging. */
static void
cut(struct world *world)
{
	int64_t serial;
	clock_hand_set(&world->clock, clock_now(&world->clock) + 1);
	WORLD_OK(cut_make(world->db, &world->clock, &serial, fault));
	assert_int_not_equal(serial, 0);
}

static int64_t
number(struct world *world, const char *column)
{
	AUTO(struct db_connection, db_reader_release) connection = NULL;
	AUTO(struct stmt, stmt_done) stmt = NULL;
	bool row;
	WORLD_OK(db_reader_acquire(world->db, &connection, fault));
	WORLD_OK(stmt_start(connection, QUERY_GUARD_TOTALS, &stmt, fault));
	WORLD_OK(stmt_step(stmt, &row, fault));
	return stmt_int(stmt, column);
}

/* The columns are what a walk over all rows gives. */
static void
totals_are(struct world *world, int64_t payloads, int64_t cas)
{
	assert_int_equal(number(world, "payloads"), payloads);
	assert_int_equal(number(world, "cas"), cas);
	assert_int_equal(world_number(world, "SELECT count(*) AS it FROM objects o JOIN roa_payloads p ON p.object_id = o.object_id"
		" WHERE o.published_serial IS NOT NULL AND o.withdrawn_serial IS NULL"), payloads);
	assert_int_equal(world_number(world, "SELECT count(DISTINCT subject_ca_id) AS it FROM objects"
		" WHERE kind = 'cer' AND published_serial IS NOT NULL AND withdrawn_serial IS NULL"), cas);
	WORLD_OK(guard_check_rows(world->db, fault));
}

static void
guard__counts_what_is_out(void **state)
{
	struct world *world = *state;
	int64_t first = member_with(world, 1, 5), second = member_with(world, 2, 3);
	totals_are(world, 0, 0);
	stage(world);
	totals_are(world, 0, 0);
	cut(world);
	totals_are(world, 8, 4); /* online and issuing CA, two members */
	remove_roas(world, first, 1, 0, 2);
	world_change_roas(world, second, prefix_of(2, 100), NULL);
	world_cut(world);
	totals_are(world, 7, 4);
	/* Everything is made anew: nothing comes, nothing goes. */
	clock_hand_set(&world->clock, clock_now(&world->clock) + INT64_C(500) * 86400);
	world_cut(world);
	totals_are(world, 7, 4);
	WORLD_OK(ca_delete(&world->context, &world_actor, first, fault));
	world_cut(world);
	totals_are(world, 4, 3);
}

static void
guard__lets_small_losses_pass(void **state)
{
	struct world *world = *state;
	int64_t ca_id = member_with(world, 1, 10);
	world_cut(world);
	remove_roas(world, ca_id, 1, 0, 2);
	stage(world);
	must_pass(world);
	cut(world);
	totals_are(world, 8, 3);
	/* Below ten it is not in force. */
	remove_roas(world, ca_id, 1, 2, 10);
	stage(world);
	must_pass(world);
}

static void
guard__refuses_a_large_loss_until_it_is_accepted(void **state)
{
	struct world *world = *state;
	int64_t ca_id = member_with(world, 1, 12);
	char code[GUARD_CODE_SIZE], again[GUARD_CODE_SIZE];
	struct fault told = FAULT_INIT;
	world_cut(world);
	assert_int_equal(publication_accept(&world->context, &world_actor, "0123456789ab", NULL), FAULT_NOT_FOUND);
	remove_roas(world, ca_id, 1, 0, 3);
	stage(world);
	must_refuse(world, "3 of 12 payloads and 0 of 3 CAs", code);
	must_refuse(world, "3 of 12 payloads", again);
	assert_string_equal(again, code);
	assert_int_equal(publication_accept(&world->context, &world_actor, "0123456789ab", &told), FAULT_CONFLICT);
	assert_non_null(strstr(told.message, code));
	assert_int_equal(publication_accept(&world->context, &world_actor, "", NULL), FAULT_CONFLICT);
	must_refuse(world, "3 of 12 payloads", again);
	WORLD_OK(publication_accept(&world->context, &world_actor, code, fault));
	WORLD_OK(publication_accept(&world->context, &world_actor, code, fault)); /* harmless */
	must_pass(world);
	cut(world);
	totals_are(world, 9, 3);
	/* It was for this once. */
	assert_int_equal(publication_accept(&world->context, &world_actor, code, NULL), FAULT_NOT_FOUND);
}

/* All is held against the whole registry: half of a small repository is no loss, nor is what comes back in another one. */
static void
guard__judges_all_repositories_together(void **state)
{
	struct world *world = *state;
	char code[GUARD_CODE_SIZE];
	world->context.placing = (struct command_placing){ .issuing_members_max = 1, .repository_size_max = 1 };
	int64_t large = member_with(world, 1, 16), small = member_with(world, 2, 4);
	while (world_cut(world) != 0)
		continue;
	totals_are(world, 20, 5);
	assert_int_equal(world_number(world, "SELECT payloads AS it FROM repositories WHERE repository_id = 2"), 4);
	remove_roas(world, small, 2, 0, 2);
	stage(world);
	must_pass(world);
	cut(world);
	totals_are(world, 18, 5);
	assert_int_equal(world_number(world, "SELECT payloads AS it FROM repositories WHERE repository_id = 2"), 2);
	/* A loss in both is one, under one code. */
	remove_roas(world, large, 1, 0, 3);
	remove_roas(world, small, 2, 2, 4);
	stage(world);
	must_refuse(world, "5 of 18 payloads and 0 of 5 CAs", code);
	WORLD_OK(publication_accept(&world->context, &world_actor, code, fault));
	must_pass(world);
	cut(world);
	totals_are(world, 13, 5);
}

/* What was accepted is exactly that: another loss on top of it, or in its place, is refused anew. */
static void
guard__an_acceptance_covers_nothing_else(void **state)
{
	struct world *world = *state;
	int64_t first = member_with(world, 1, 12), second = member_with(world, 2, 3);
	char code[GUARD_CODE_SIZE], other[GUARD_CODE_SIZE];
	world_cut(world);
	remove_roas(world, first, 1, 0, 4);
	stage(world);
	must_refuse(world, "4 of 15", code);
	WORLD_OK(publication_accept(&world->context, &world_actor, code, fault));
	remove_roas(world, second, 2, 0, 1);
	stage(world);
	must_refuse(world, "5 of 15", other);
	assert_string_not_equal(other, code);
	assert_int_equal(publication_accept(&world->context, &world_actor, code, NULL), FAULT_CONFLICT);
	/* What comes beside it changes no loss. */
	world_change_roas(world, second, prefix_of(2, 200), NULL);
	stage(world);
	must_refuse(world, "5 of 15", code);
	assert_string_equal(code, other);
	/* Taken back. */
	for (int i = 0; i < 4; i++)
		world_change_roas(world, first, prefix_of(1, i), NULL);
	stage(world);
	must_pass(world);
	cut(world);
	totals_are(world, 15, 4);
}

/* All are made anew at once, or change hands: nobody loses a payload. */
static void
guard__what_comes_back_is_no_loss(void **state)
{
	struct world *world = *state;
	int64_t ca_id = member_with(world, 1, 12);
	world_cut(world);
	clock_hand_set(&world->clock, clock_now(&world->clock) + INT64_C(500) * 86400);
	stage(world);
	must_pass(world);
	cut(world);
	totals_are(world, 12, 3);
	/* The prefix goes to another member, who has asked for the same. */
	struct resource_set none = RESOURCE_SET_INIT;
	struct complaints complaints = COMPLAINTS_INIT;
	WORLD_OK(ca_set_resources(&world->context, &world_actor, ca_id, &none, &complaints, fault));
	int64_t other = world_add_member(world, "heir", "10.1.0.0/16");
	for (int i = 0; i < 12; i++)
		world_change_roas(world, other, prefix_of(1, i), NULL);
	stage(world);
	must_pass(world);
	cut(world);
	totals_are(world, 12, 3);
	resource_set_clear(&none);
	complaints_clear(&complaints);
}

/* A loss in many small cuts is one: 20 % of what was there an hour ago. Slower ones are the registry's daily life. */
static void
guard__adds_small_losses_up(void **state)
{
	struct world *world = *state;
	int64_t ca_id = member_with(world, 1, 20);
	char code[GUARD_CODE_SIZE];
	world_cut(world);
	clock_hand_set(&world->clock, clock_now(&world->clock) + 3600);
	for (int i = 0; i < 4; i++) {
		remove_roas(world, ca_id, 1, i, i + 1);
		stage(world);
		must_pass(world);
		cut(world);
	}
	remove_roas(world, ca_id, 1, 4, 5);
	stage(world);
	must_refuse(world, "1 of 16 payloads", code);
	clock_hand_set(&world->clock, clock_now(&world->clock) + 3600);
	must_pass(world);
	cut(world);
	totals_are(world, 15, 3);
}

/* A first loss that brings the registry below where the guard begins doesn't open the way for the rest. */
static void
guard__is_in_force_for_an_hour_longer(void **state)
{
	struct world *world = *state;
	struct guard_settings from_20 = settings;
	struct fault refusal = FAULT_INIT;
	from_20.payloads_min = 20;
	int64_t ca_id = member_with(world, 1, 20);
	world_cut(world);
	clock_hand_set(&world->clock, clock_now(&world->clock) + 3600);
	remove_roas(world, ca_id, 1, 0, 1);
	stage(world);
	WORLD_OK(guard_check(world->db, &from_20, &world->clock, fault));
	cut(world);
	remove_roas(world, ca_id, 1, 1, 20);
	stage(world);
	assert_int_equal(guard_check(world->db, &from_20, &world->clock, &refusal), FAULT_GUARD);
	clock_hand_set(&world->clock, clock_now(&world->clock) + 3600);
	WORLD_OK(guard_check(world->db, &from_20, &world->clock, fault));
}

static void
guard__counts_cas_where_there_are_many(void **state)
{
	struct world *world = *state;
	char code[GUARD_CODE_SIZE];
	int64_t ids[22];
	(void)member_with(world, 200, 12);
	for (int i = 0; i < 22; i++)
		ids[i] = member_with(world, i + 1, 0);
	world_cut(world);
	totals_are(world, 12, 25);
	for (int i = 0; i < 5; i++)
		WORLD_OK(ca_delete(&world->context, &world_actor, ids[i], fault));
	stage(world);
	must_pass(world);
	WORLD_OK(ca_delete(&world->context, &world_actor, ids[5], fault));
	stage(world);
	must_refuse(world, "0 of 12 payloads and 6 of 25 CAs", code);
	WORLD_OK(publication_accept(&world->context, &world_actor, code, fault));
	must_pass(world);
	cut(world);
	totals_are(world, 12, 19);
}

/* Members go while the CA above is set aside: their certificates stay until it is repaired, and are counted once, when they leave. */
static void
guard__what_a_ca_set_aside_keeps_is_no_loss(void **state)
{
	struct world *world = *state;
	int64_t ids[22], large = member_with(world, 200, 12);
	char code[GUARD_CODE_SIZE];
	for (int i = 0; i < 22; i++)
		ids[i] = member_with(world, i + 1, 0);
	world_cut(world);
	totals_are(world, 12, 25);
	world_sql(world, "UPDATE cas SET set_aside_at = 1, set_aside_reason = 'a key' WHERE ca_id = 3");
	for (int i = 0; i < 3; i++)
		WORLD_OK(ca_delete(&world->context, &world_actor, ids[i], fault));
	WORLD_OK(ca_suspend(&world->context, &world_actor, ids[3], fault));
	for (int i = 0; i < 5; i++) {
		world_change_roas(world, large, i % 2 == 0 ? prefix_of(200, 100) : NULL, i % 2 == 0 ? NULL : prefix_of(200, 100));
		stage(world);
		must_pass(world);
		cut(world);
		totals_are(world, i % 2 == 0 ? 13 : 12, 25);
	}
	/* More of them than may be lost at once, as long as none is. */
	for (int i = 4; i < 6; i++)
		WORLD_OK(ca_delete(&world->context, &world_actor, ids[i], fault));
	stage(world);
	must_pass(world);
	cut(world);
	totals_are(world, 13, 25);
	WORLD_OK(ca_repair(&world->context, &world_actor, 3, fault));
	stage(world);
	must_refuse(world, "0 of 13 payloads and 6 of 25 CAs", code);
	WORLD_OK(publication_accept(&world->context, &world_actor, code, fault));
	must_pass(world);
	cut(world);
	totals_are(world, 13, 19);
}

static void
guard__may_be_switched_off(void **state)
{
	struct world *world = *state;
	const struct guard_settings off = { .share_percent = 0, .payloads_min = 0 };
	int64_t ca_id = member_with(world, 1, 12);
	world_cut(world);
	remove_roas(world, ca_id, 1, 0, 12);
	stage(world);
	WORLD_OK(guard_check(world->db, &off, &world->clock, fault));
}

/* January 2026: an empty table read as an empty registry. The start is refused before anything is done with it. */
static void
guard__ripe_2026_rows_are_missing(void **state)
{
	struct world *world = *state;
	struct fault told = FAULT_INIT;
	(void)member_with(world, 1, 12);
	world_cut(world);
	WORLD_OK(guard_check_rows(world->db, fault));
	world_sql(world, "CREATE TABLE kept AS SELECT * FROM roa_payloads; DELETE FROM roa_payloads");
	assert_int_equal(guard_check_rows(world->db, &told), FAULT_EPOCH);
	assert_non_null(strstr(told.message, "12 payloads, 3 CAs and 24 objects, the database has 0, 3 and 24:"));
	assert_non_null(strstr(told.message, "cadastre restore"));
	world_sql(world, "INSERT INTO roa_payloads SELECT * FROM kept");
	WORLD_OK(guard_check_rows(world->db, fault));
}

/* Payloads and certificates are there, and a tenth of all objects isn't. */
static void
guard__objects_that_are_missing_are_noticed(void **state)
{
	struct world *world = *state;
	struct fault told = FAULT_INIT;
	(void)member_with(world, 1, 12);
	world_cut(world);
	world_sql(world, "UPDATE objects SET withdrawn_serial = 1 WHERE object_id IN (SELECT object_id FROM objects WHERE kind = 'crl' LIMIT 2)");
	WORLD_OK(guard_check_rows(world->db, fault));
	world_sql(world, "UPDATE objects SET withdrawn_serial = 1 WHERE kind = 'crl'");
	assert_int_equal(guard_check_rows(world->db, &told), FAULT_EPOCH);
	assert_non_null(strstr(told.message, "24 objects, the database has 12, 3 and 20:"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(guard__counts_what_is_out),
		CASE(guard__lets_small_losses_pass),
		CASE(guard__refuses_a_large_loss_until_it_is_accepted),
		CASE(guard__judges_all_repositories_together),
		CASE(guard__an_acceptance_covers_nothing_else),
		CASE(guard__what_comes_back_is_no_loss),
		CASE(guard__adds_small_losses_up),
		CASE(guard__is_in_force_for_an_hour_longer),
		CASE(guard__counts_cas_where_there_are_many),
		CASE(guard__what_a_ca_set_aside_keeps_is_no_loss),
		CASE(guard__may_be_switched_off),
		CASE(guard__ripe_2026_rows_are_missing),
		CASE(guard__objects_that_are_missing_are_noticed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
