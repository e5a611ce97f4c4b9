/* A CA that can't be worked on is set aside alone: those beside it, above it and below it go on, and what is published stays whole. */
#include "ca/jobs/reconcile.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
/* after what it needs */
#include <cmocka.h>

#include "ca/commands/ca_commands.h"
#include "ca/commands/hold_commands.h"
#include "ca/resources/resource_list.h"
#include "tests/support/world.h"

#define HOUR INT64_C(3600)
#define DAY (24 * HOUR)

enum { ISSUING_ID = 3, ONE_ID, TWO_ID };

static bool
set_aside(struct world *world, int64_t ca_id)
{
	char sql[128];
	(void)snprintf(sql, sizeof sql, "SELECT set_aside_at IS NOT NULL AS it FROM cas WHERE ca_id = %lld", (long long)ca_id);
	return world_number(world, sql) == 1;
}

static void
assert_reason(struct world *world, int64_t ca_id, const char *words)
{
	char sql[256];
	(void)snprintf(sql, sizeof sql, "SELECT instr(set_aside_reason, '%s') > 0 AS it FROM cas WHERE ca_id = %lld", words,
		(long long)ca_id);
	if (world_number(world, sql) != 1)
		fail_msg("CA %lld is not set aside because of \"%s\"", (long long)ca_id, words);
}

#define LIVE "FROM objects o WHERE o.published_serial IS NOT NULL AND o.withdrawn_serial IS NULL AND "

/* Nothing that a CA has published is newer than its manifest, and nothing has gone since, but with it. */
static void
assert_manifests_tell_the_truth(struct world *world)
{
	assert_int_equal(world_number(world, "SELECT count(*) AS it FROM objects o JOIN objects m ON m.ca_id = o.ca_id AND m.kind = 'mft' "
		"AND m.published_serial IS NOT NULL AND m.withdrawn_serial IS NULL WHERE o.kind <> 'ta' AND o.key_id = m.key_id AND "
		"(o.published_serial > m.published_serial OR o.withdrawn_serial > m.published_serial)"), 0);
	assert_int_equal(world_number(world, "SELECT count(*) AS it " LIVE "o.not_after_at <= (SELECT max(cut_at) FROM repositories)"), 0);
}

static void
later(struct world *world, int64_t s)
{
	clock_hand_set(&world->clock, clock_now(&world->clock) + s);
}

/* The manifest of a CA was made within this time. */
static void
assert_fresh(struct world *world, int64_t ca_id, int64_t within_s)
{
	char sql[256];
	(void)snprintf(sql, sizeof sql, "SELECT count(*) AS it " LIVE "o.kind = 'mft' AND o.ca_id = %lld AND o.not_before_at >= %lld",
		(long long)ca_id, (long long)(clock_now(&world->clock) - within_s));
	assert_int_equal(world_number(world, sql), 1);
}

static void
set_resources(struct world *world, int64_t ca_id, const char *text)
{
	struct resource_set set = RESOURCE_SET_INIT;
	struct complaints complaints = COMPLAINTS_INIT;
	WORLD_OK(resource_list_parse(text, &set, fault));
	WORLD_OK(ca_set_resources(&world->context, &world_actor, ca_id, &set, &complaints, fault));
	resource_set_clear(&set);
	complaints_clear(&complaints);
}

static void
begin(struct world *world)
{
	assert_int_equal(world_add_member(world, "one", "192.0.2.0/24"), ONE_ID);
	assert_int_equal(world_add_member(world, "two", "198.51.100.0/24"), TWO_ID);
	world_change_roas(world, ONE_ID, "192.0.2.0/24", NULL);
	world_change_roas(world, TWO_ID, "198.51.100.0/24", NULL);
	assert_int_equal(world_cut(world), 1);
}

static void
break_key(struct world *world, int64_t ca_id)
{
	char sql[256];
	(void)snprintf(sql, sizeof sql, "CREATE TABLE kept AS SELECT key_id, handle FROM keys WHERE ca_id = %lld; "
		"UPDATE keys SET handle = x'00' WHERE ca_id = %lld", (long long)ca_id, (long long)ca_id);
	world_sql(world, sql);
}

static void
mend_key(struct world *world, int64_t ca_id)
{
	world_sql(world, "UPDATE keys SET handle = kept.handle FROM kept WHERE kept.key_id = keys.key_id; DROP TABLE kept");
	WORLD_OK(ca_repair(&world->context, &world_actor, ca_id, fault));
}

/* What a row says can't be right: its CA alone, whatever it is. */
static void
reconcile_aside__rows_that_dont_add_up(void **state)
{
	static const struct { const char *damage, *repair, *reason; } cases[] = {
		{ "UPDATE cas SET resources = x'01000000' WHERE ca_id = 4", "UPDATE cas SET resources = kept.resources FROM kept WHERE kept.ca_id = "
			"cas.ca_id AND cas.ca_id = 4", "" },
		{ "UPDATE roas SET max_length = 3 WHERE ca_id = 4", "UPDATE roas SET max_length = 24 WHERE ca_id = 4", "" },
		{ "UPDATE roas SET address = x'00' WHERE ca_id = 4", "UPDATE roas SET address = x'c0000200' WHERE ca_id = 4", "address" },
		{ "UPDATE objects SET hash = x'00' WHERE ca_id = 4 AND kind = 'roa'", "DELETE FROM roa_payloads WHERE ca_id = 4; "
			"DELETE FROM objects WHERE ca_id = 4 AND kind = 'roa'", "hash" },
	};
	struct world *world = *state;
	begin(world);
	world_sql(world, "CREATE TABLE kept AS SELECT ca_id, resources FROM cas");
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		world_sql(world, cases[i].damage);
		world_sql(world, "UPDATE cas SET changed_at = 1, version = version + 1 WHERE ca_id = 4");
		world_change_roas(world, TWO_ID, i % 2 == 0 ? "198.51.100.0/25" : NULL, i % 2 == 0 ? NULL : "198.51.100.0/25");
		assert_true(world_cut(world) > 1);
		if (!set_aside(world, ONE_ID))
			fail_msg("%s", cases[i].damage);
		assert_reason(world, ONE_ID, cases[i].reason);
		assert_false(set_aside(world, TWO_ID));
		assert_false(set_aside(world, ISSUING_ID));
		assert_fresh(world, TWO_ID, 0);
		world_sql(world, cases[i].repair);
		WORLD_OK(ca_repair(&world->context, &world_actor, ONE_ID, fault));
		(void)world_cut(world);
		assert_false(set_aside(world, ONE_ID));
	}
	assert_int_equal(world_number(world, "SELECT count(*) AS it FROM audit WHERE action = 'ca.set_aside' AND ca_id = 4"), 4);
	assert_int_equal(world_number(world, "SELECT count(*) AS it FROM audit WHERE action = 'ca.repair' AND ca_id = 4"), 4);
}

/* A key above that can't be opened: it is that CA which is set aside, not the members whose certificates it should have signed. */
static void
reconcile_aside__a_key_above_is_no_fault_of_those_below(void **state)
{
	struct world *world = *state;
	begin(world);
	break_key(world, ISSUING_ID);
	set_resources(world, ONE_ID, "192.0.2.0/24, 203.0.113.0/24");
	world_change_roas(world, TWO_ID, "198.51.100.0/25", NULL);
	int64_t serial = world_cut(world);
	assert_true(serial > 1);
	assert_true(set_aside(world, ISSUING_ID));
	assert_false(set_aside(world, ONE_ID));
	assert_fresh(world, TWO_ID, 0);
	assert_int_equal(world_number(world, "SELECT count(*) AS it " LIVE "o.kind = 'roa' AND o.ca_id = 5"), 2);
	assert_manifests_tell_the_truth(world);
	/* The change waits, and nothing is cut for it. */
	assert_int_equal(world_cut(world), 0);
	assert_int_equal(world_number(world, "SELECT changed_at IS NOT NULL AS it FROM cas WHERE ca_id = 4"), 1);
	mend_key(world, ISSUING_ID);
	assert_true(world_cut(world) > serial);
	assert_false(set_aside(world, ISSUING_ID));
	assert_int_equal(world_number(world, "SELECT count(*) AS it FROM cas WHERE changed_at IS NOT NULL"), 0);
	assert_manifests_tell_the_truth(world);
}

/* Days under a CA that is set aside: members' manifests are made anew, whether or not something of theirs waits for it. */
static void
reconcile_aside__renewals_go_on_below(void **state)
{
	struct world *world = *state;
	begin(world);
	break_key(world, ISSUING_ID);
	set_resources(world, ONE_ID, "192.0.2.0/25, 203.0.113.0/24");
	(void)world_cut(world);
	assert_true(set_aside(world, ISSUING_ID));
	world_sql(world, "UPDATE objects SET not_after_at = not_after_at + 864000 WHERE ca_id = 3"); /* or else all would be lost anyway */
	/* The certificate of `two` comes due meanwhile. */
	char sql[200];
	(void)snprintf(sql, sizeof sql, "UPDATE objects SET not_after_at = %lld WHERE subject_ca_id = 5", (long long)clock_now(&world->clock) +
		27 * DAY);
	world_sql(world, sql);
	for (int64_t hour = 0; hour < 4 * 24; hour += 6) {
		later(world, 6 * HOUR);
		(void)world_cut(world);
		assert_manifests_tell_the_truth(world);
		assert_fresh(world, ONE_ID, 34 * HOUR);
		assert_fresh(world, TWO_ID, 34 * HOUR);
	}
	assert_int_equal(world_number(world, "SELECT changed_at IS NOT NULL AS it FROM cas WHERE ca_id = 4"), 1);
	/* Nothing stays due that can't be done: it would be tried without end. */
	(void)snprintf(sql, sizeof sql, "SELECT count(*) AS it FROM cas WHERE renew_at <= %lld AND set_aside_at IS NULL",
		(long long)clock_now(&world->clock));
	assert_int_equal(world_number(world, sql), 0);
	mend_key(world, ISSUING_ID);
	assert_true(world_cut(world) > 1);
	assert_int_equal(world_number(world, "SELECT count(*) AS it " LIVE "o.kind = 'roa' AND o.ca_id = 4"), 0);
	assert_manifests_tell_the_truth(world);
}

/* What its parent can't list on a manifest stays as the last one says: a member that goes, too. */
static void
reconcile_aside__what_stands_there_stays(void **state)
{
	struct world *world = *state;
	begin(world);
	break_key(world, ISSUING_ID);
	world_sql(world, "UPDATE cas SET set_aside_at = 1, set_aside_reason = 'a key' WHERE ca_id = 3");
	WORLD_OK(ca_delete(&world->context, &world_actor, ONE_ID, fault));
	assert_true(world_cut(world) > 1);
	assert_manifests_tell_the_truth(world);
	assert_int_equal(world_number(world, "SELECT count(*) AS it " LIVE "o.kind = 'cer' AND o.subject_ca_id = 4"), 1);
	assert_int_equal(world_number(world, "SELECT count(*) AS it " LIVE "o.kind = 'roa' AND o.ca_id = 4"), 0);
	assert_int_equal(world_cut(world), 0);
	mend_key(world, ISSUING_ID);
	assert_true(world_cut(world) > 2);
	assert_int_equal(world_number(world, "SELECT count(*) AS it " LIVE "o.kind = 'cer' AND o.subject_ca_id = 4"), 0);
	assert_manifests_tell_the_truth(world);
}

/* Rows of the CA above that don't add up set that one aside, and none of its members; they renew what they have, held ones too. */
static void
reconcile_aside__rows_above_are_no_fault_of_those_below(void **state)
{
	static const struct { const char *damage, *repair; } cases[] = {
		{ "UPDATE keys SET key_identifier = x'00' WHERE ca_id = 3", "UPDATE keys SET key_identifier = was.key_identifier FROM was "
			"WHERE was.key_id = keys.key_id" },
		{ "UPDATE cas SET resources = x'01000000' WHERE ca_id = 2", "UPDATE cas SET resources = top.resources FROM top WHERE ca_id = 2" },
		{ "UPDATE objects SET hash = x'00' WHERE subject_ca_id = 3", "UPDATE objects SET hash = stood.hash FROM stood "
			"WHERE stood.object_id = objects.object_id" },
	};
	struct world *world = *state;
	begin(world);
	world_sql(world, "CREATE TABLE was AS SELECT key_id, key_identifier FROM keys; CREATE TABLE top AS SELECT resources FROM cas "
		"WHERE ca_id = 2; CREATE TABLE stood AS SELECT object_id, hash FROM objects; UPDATE cas SET held_at = 1 WHERE ca_id = 5");
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		world_sql(world, cases[i].damage);
		for (int hours = 0; hours < 30; hours += 6) {
			world_change_roas(world, ONE_ID, hours % 12 == 0 ? "192.0.2.0/25" : NULL, hours % 12 == 0 ? NULL : "192.0.2.0/25");
			later(world, 6 * HOUR);
			(void)world_cut(world);
			if (set_aside(world, ONE_ID) || set_aside(world, TWO_ID))
				fail_msg("%s", cases[i].damage);
		}
		assert_true(set_aside(world, ISSUING_ID));
		assert_fresh(world, ONE_ID, 34 * HOUR);
		assert_fresh(world, TWO_ID, 34 * HOUR);
		assert_int_equal(world_number(world, "SELECT count(*) AS it " LIVE "o.kind = 'roa'"), 3);
		world_sql(world, cases[i].repair);
		for (int64_t ca_id = 1; ca_id <= ISSUING_ID; ca_id++)
			WORLD_OK(ca_repair(&world->context, &world_actor, ca_id, fault));
		world_change_roas(world, ONE_ID, NULL, "192.0.2.0/25");
		assert_true(world_cut(world) > 0);
		assert_int_equal(world_number(world, "SELECT count(*) AS it FROM cas WHERE changed_at IS NOT NULL OR set_aside_at IS NOT NULL"), 0);
		assert_manifests_tell_the_truth(world);
	}
}

/* A key that can't be opened isn't needed to take everything away. */
static void
reconcile_aside__who_is_set_aside_can_go(void **state)
{
	struct world *world = *state;
	begin(world);
	world_sql(world, "UPDATE keys SET handle = x'00' WHERE ca_id IN (4, 5)");
	world_change_roas(world, ONE_ID, "192.0.2.0/25", NULL);
	world_change_roas(world, TWO_ID, "198.51.100.0/25", NULL);
	assert_int_equal(world_cut(world), 0);
	assert_true(set_aside(world, ONE_ID) && set_aside(world, TWO_ID));
	WORLD_OK(ca_delete(&world->context, &world_actor, ONE_ID, fault));
	WORLD_OK(ca_suspend(&world->context, &world_actor, TWO_ID, fault));
	assert_int_equal(world_cut(world), 2);
	assert_int_equal(world_number(world, "SELECT count(*) AS it " LIVE "(o.ca_id > 3 OR o.subject_ca_id > 3)"), 0);
	assert_int_equal(world_number(world, "SELECT count(*) AS it FROM cas WHERE state = 'deleted' AND ca_id = 4"), 1);
	assert_false(set_aside(world, TWO_ID));
}

/* A key roll that the CA above can't certify, or a new CA below it: everybody else's changes go out. */
static void
reconcile_aside__what_waits_above_members_stops_nobody(void **state)
{
	struct world *world = *state;
	begin(world);
	break_key(world, 2);
	world_sql(world, "UPDATE cas SET set_aside_at = 1, set_aside_reason = 'a key' WHERE ca_id = 2; "
		"UPDATE cas SET roll_at = 1, changed_at = 1, version = version + 1 WHERE ca_id = 3; "
		"INSERT INTO cas (handle, kind, parent_id, repository_id, directory, changed_at, created_at) "
		"SELECT 'issuing-2', 'issuing', 2, repository_id, '9/', 1, 1 FROM cas WHERE ca_id = 2");
	world_change_roas(world, TWO_ID, "198.51.100.0/25", NULL);
	set_resources(world, ONE_ID, "192.0.2.0/24, 203.0.113.0/24");
	assert_int_equal(world_cut(world), 2);
	assert_int_equal(world_number(world, "SELECT count(*) AS it " LIVE "o.kind = 'roa' AND o.ca_id = 5"), 2);
	assert_int_equal(world_number(world, "SELECT count(*) AS it FROM keys WHERE ca_id = 3"), 1);
	assert_manifests_tell_the_truth(world);
	later(world, 30 * HOUR);
	assert_int_equal(world_cut(world), 3);
	assert_fresh(world, ISSUING_ID, 0);
	world_sql(world, "UPDATE objects SET not_after_at = not_after_at + 864000 WHERE ca_id = 2");
	mend_key(world, 2);
	assert_int_equal(world_cut(world), 4);
	later(world, 30 * HOUR);
	(void)world_cut(world);
	assert_int_equal(world_number(world, "SELECT count(*) AS it FROM keys WHERE ca_id = 3"), 2);
	assert_manifests_tell_the_truth(world);
}

/* It ends, though the CA stays on the list of those to be done. */
static void
reconcile_aside__a_wrong_clock_and_a_hold_below(void **state)
{
	struct world *world = *state;
	begin(world);
	int64_t right_at = clock_now(&world->clock);
	later(world, 340 * DAY);
	(void)world_cut(world);
	break_key(world, ISSUING_ID);
	world_sql(world, "UPDATE cas SET set_aside_at = 1, set_aside_reason = 'a key' WHERE ca_id = 3; UPDATE cas SET held_at = 1 WHERE ca_id > 3");
	clock_hand_set(&world->clock, right_at + 10);
	for (int i = 0; i < 3; i++) {
		struct reconcile_result result = { 0 };
		struct reconcile_limits limits = { .objects = 1000, .until_ms = clock_monotonic_ms() + 5000 };
		later(world, 1);
		WORLD_OK(reconcile_members(&world->reconcile, &limits, &result, fault));
		assert_false(result.more);
		assert_int_equal(result.cas, i == 0 ? 2 : 0);
	}
}

/* What was staged for a member before it was set aside is whole, with its certificate: all of it goes out. */
static void
reconcile_aside__what_was_staged_before_goes_out(void **state)
{
	struct world *world = *state;
	struct reconcile_result result = { 0 };
	begin(world);
	set_resources(world, ONE_ID, "203.0.113.0/24");
	world_change_roas(world, ONE_ID, "203.0.113.0/24", NULL);
	later(world, 1);
	WORLD_OK(reconcile_members(&world->reconcile, NULL, &result, fault));
	break_key(world, ONE_ID);
	world_change_roas(world, ONE_ID, "203.0.113.0/25", NULL);
	assert_int_equal(world_cut(world), 2);
	assert_true(set_aside(world, ONE_ID));
	assert_manifests_tell_the_truth(world);
	/* No ROA is left for what the certificate doesn't say any more. */
	assert_int_equal(world_number(world, "SELECT count(*) AS it " LIVE "o.kind = 'roa' AND o.ca_id = 4"), 1);
	assert_int_equal(world_number(world, "SELECT count(*) AS it " LIVE "o.kind = 'roa' AND o.ca_id = 4 AND o.published_serial = 2"), 1);
	mend_key(world, ONE_ID);
	assert_int_equal(world_cut(world), 3);
	assert_int_equal(world_number(world, "SELECT count(*) AS it " LIVE "o.kind = 'roa' AND o.ca_id = 4"), 2);
}

/* A CA is set aside when its members' certificates are signed already: no ROA goes out before its certificate does. */
static void
reconcile_aside__half_a_change_stays_behind(void **state)
{
	struct world *world = *state;
	begin(world);
	world_sql(world, "CREATE TABLE was AS SELECT object_id, hash FROM objects WHERE ca_id = 3; "
		"UPDATE objects SET hash = x'00' WHERE ca_id = 3 AND kind = 'crl'");
	set_resources(world, ONE_ID, "203.0.113.0/24");
	world_change_roas(world, ONE_ID, "203.0.113.0/24", NULL);
	(void)world_add_member(world, "three", "10.0.0.0/8");
	world_change_roas(world, TWO_ID, "198.51.100.0/25", NULL);
	int64_t serial = world_cut(world);
	assert_true(set_aside(world, ISSUING_ID));
	assert_int_equal(serial, 2);
	assert_manifests_tell_the_truth(world);
	assert_int_equal(world_number(world, "SELECT count(*) AS it " LIVE "o.ca_id IN (4, 6) AND o.published_serial = 2"), 0);
	assert_int_equal(world_number(world, "SELECT count(*) AS it " LIVE "o.kind = 'roa' AND o.ca_id = 4"), 1);
	assert_int_equal(world_number(world, "SELECT count(*) AS it " LIVE "o.kind = 'roa' AND o.ca_id = 5"), 2);
	/* Nothing of it is left, and its renewals go on. */
	assert_int_equal(world_number(world, "SELECT count(*) AS it FROM objects WHERE published_serial IS NULL"), 0);
	assert_int_equal(world_number(world, "SELECT count(*) AS it FROM objects WHERE withdrawing = 1 AND withdrawn_serial IS NULL"), 0);
	for (int i = 0; i < 8; i++) {
		later(world, 6 * HOUR);
		(void)world_cut(world);
		assert_fresh(world, ONE_ID, 34 * HOUR);
	}
	world_sql(world, "UPDATE objects SET hash = was.hash FROM was WHERE was.object_id = objects.object_id");
	WORLD_OK(ca_repair(&world->context, &world_actor, ISSUING_ID, fault));
	assert_true(world_cut(world) > 2);
	assert_int_equal(world_number(world, "SELECT count(*) AS it FROM cas WHERE changed_at IS NOT NULL"), 0);
	assert_int_equal(world_number(world, "SELECT count(*) AS it " LIVE "o.kind = 'cer' AND o.ca_id = 3"), 3);
	assert_manifests_tell_the_truth(world);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, world_open, world_close)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(reconcile_aside__rows_that_dont_add_up),
		CASE(reconcile_aside__a_key_above_is_no_fault_of_those_below),
		CASE(reconcile_aside__renewals_go_on_below),
		CASE(reconcile_aside__what_stands_there_stays),
		CASE(reconcile_aside__rows_above_are_no_fault_of_those_below),
		CASE(reconcile_aside__who_is_set_aside_can_go),
		CASE(reconcile_aside__what_waits_above_members_stops_nobody),
		CASE(reconcile_aside__a_wrong_clock_and_a_hold_below),
		CASE(reconcile_aside__what_was_staged_before_goes_out),
		CASE(reconcile_aside__half_a_change_stays_behind),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
