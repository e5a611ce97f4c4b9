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
#include "ca/jobs/cut.h"
#include "tests/support/world.h"

#define DAY INT64_C(86400)

enum { ONLINE_ID = 2, ISSUING_ID = 3 };

#define LIVE "FROM objects o WHERE o.published_serial IS NOT NULL AND o.withdrawn_serial IS NULL AND "

/* Each payload that anybody wants stands in a ROA; each certificate and ROA is on the manifest of a key that is not destroyed. */
static void
assert_whole(struct world *world, int64_t payloads)
{
	assert_int_equal(world_number(world, "SELECT count(DISTINCT o.asn || ' ' || hex(p.address) || p.prefix_length) AS it FROM roa_payloads p "
		"JOIN objects o ON o.object_id = p.object_id WHERE o.published_serial IS NOT NULL AND o.withdrawn_serial IS NULL"), payloads);
	assert_int_equal(world_number(world, "SELECT count(*) AS it " LIVE "o.kind <> 'ta' AND "
		"NOT EXISTS (SELECT 1 FROM objects m WHERE m.kind = 'mft' AND m.key_id = o.key_id AND m.published_serial IS NOT NULL "
		"AND m.withdrawn_serial IS NULL)"), 0);
	assert_int_equal(world_number(world, "SELECT count(*) AS it " LIVE
		"EXISTS (SELECT 1 FROM keys k WHERE k.key_id = o.key_id AND k.state = 'destroyed')"), 0);
	/* Two manifests of one key never stand beside each other. */
	assert_int_equal(world_number(world, "SELECT count(*) - count(DISTINCT o.key_id) AS it " LIVE "o.kind = 'mft'"), 0);
}

static void
later(struct world *world, int64_t s)
{
	clock_hand_set(&world->clock, clock_now(&world->clock) + s);
}

static int64_t
keys_in(struct world *world, int64_t ca_id, const char *state)
{
	char sql[128];
	(void)snprintf(sql, sizeof sql, "SELECT count(*) AS it FROM keys WHERE ca_id = %lld AND state = '%s'", (long long)ca_id, state);
	return world_number(world, sql);
}

static void
want_roll(struct world *world, int64_t ca_id)
{
	char sql[160];
	(void)snprintf(sql, sizeof sql, "UPDATE cas SET roll_at = %lld, changed_at = 1, version = version + 1 WHERE ca_id = %lld",
		(long long)clock_now(&world->clock), (long long)ca_id);
	world_sql(world, sql);
}

/* Cuts until nothing more is due now. */
static void
cut_all(struct world *world, int64_t payloads)
{
	for (int i = 0; i < 10; i++) {
		if (world_cut(world) == 0)
			return;
		assert_whole(world, payloads);
	}
	fail_msg("it never settles");
}

static int64_t
member(struct world *world, const char *handle, const char *prefix)
{
	int64_t ca_id = world_add_member(world, handle, prefix);
	world_change_roas(world, ca_id, prefix, NULL);
	return ca_id;
}

static void
reconcile_roll__of_a_member_loses_nothing_at_any_cut(void **state)
{
	struct world *world = *state;
	int64_t ca_id = member(world, "member", "192.0.2.0/24");
	cut_all(world, 1);
	int64_t key_id = world_number(world, "SELECT key_id AS it FROM keys WHERE ca_id = 4 AND state = 'current'");
	want_roll(world, ca_id);
	cut_all(world, 1);
	assert_int_equal(keys_in(world, ca_id, "staged"), 1);
	assert_int_equal(world_number(world, "SELECT count(*) AS it " LIVE "o.subject_ca_id = 4"), 2);
	assert_int_equal(world_number(world, "SELECT roll_at IS NULL AS it FROM cas WHERE ca_id = 4"), 1);
	/* A change of the member in between goes on as ever. */
	world_change_roas(world, ca_id, "192.0.2.128/25", NULL);
	cut_all(world, 2);
	later(world, DAY + 10);
	cut_all(world, 2);
	assert_int_equal(keys_in(world, ca_id, "retired"), 1);
	assert_int_not_equal(world_number(world, "SELECT key_id AS it FROM keys WHERE ca_id = 4 AND state = 'current'"), key_id);
	/* Its ROAs are the new key's; the old one has CRL and manifest left, and a certificate. */
	assert_int_equal(world_number(world, "SELECT count(*) AS it " LIVE "o.kind = 'roa' AND o.key_id IN "
		"(SELECT key_id FROM keys WHERE state = 'retired')"), 0);
	later(world, DAY + 10);
	cut_all(world, 2);
	assert_int_equal(keys_in(world, ca_id, "destroyed"), 1);
	assert_int_equal(keys_in(world, ca_id, "retired"), 0);
	assert_int_equal(world_number(world, "SELECT count(*) AS it " LIVE "o.subject_ca_id = 4"), 1);
	assert_int_equal(world_number(world, "SELECT count(*) AS it FROM keys WHERE state = 'destroyed' AND handle IS NOT NULL"), 0);
	assert_int_equal(world_number(world, "SELECT count(*) AS it FROM audit WHERE action IN ('key.stage', 'key.activate', 'key.destroy')"), 3);
}

static void
reconcile_roll__of_the_issuing_and_the_online_ca(void **state)
{
	static const int64_t rolled[] = { ISSUING_ID, ONLINE_ID };
	struct world *world = *state;
	(void)member(world, "alpha", "192.0.2.0/24");
	(void)member(world, "beta", "198.51.100.0/24");
	cut_all(world, 2);
	for (size_t i = 0; i < sizeof rolled / sizeof *rolled; i++) {
		want_roll(world, rolled[i]);
		cut_all(world, 2);
		assert_int_equal(keys_in(world, rolled[i], "staged"), 1);
		for (int day = 0; day < 3; day++) {
			later(world, DAY + 10);
			cut_all(world, 2);
		}
		assert_int_equal(keys_in(world, rolled[i], "destroyed"), 1);
		assert_int_equal(keys_in(world, rolled[i], "current"), 1);
	}
}

/* Everything rolls at once, step by step with the time, over a month. */
static void
reconcile_roll__of_all_at_once(void **state)
{
	struct world *world = *state;
	(void)member(world, "alpha", "192.0.2.0/24");
	(void)member(world, "beta", "198.51.100.0/24");
	cut_all(world, 2);
	for (int64_t ca_id = ONLINE_ID; ca_id <= 5; ca_id++)
		want_roll(world, ca_id);
	for (int step = 0; step < 30 * 4; step++) {
		cut_all(world, 2);
		later(world, DAY / 4);
	}
	assert_int_equal(world_number(world, "SELECT count(*) AS it FROM keys WHERE state IN ('staged', 'retired')"), 0);
	assert_int_equal(world_number(world, "SELECT count(*) AS it FROM keys WHERE state = 'destroyed'"), 4);
	assert_int_equal(world_number(world, "SELECT count(*) AS it FROM cas WHERE set_aside_at IS NOT NULL"), 0);
}

static void
reconcile_roll__shrinking_goes_through_both_keys(void **state)
{
	struct world *world = *state;
	int64_t ca_id = member(world, "member", "192.0.2.0/24");
	cut_all(world, 1);
	want_roll(world, ca_id);
	cut_all(world, 1);
	world_sql(world, "UPDATE cas SET resources = (SELECT resources FROM cas WHERE ca_id = 4), version = version + 1, changed_at = 1, "
		"suspended_at = 1 WHERE ca_id = 4");
	assert_true(world_cut(world) > 0);
	assert_whole(world, 0);
	assert_int_equal(world_number(world, "SELECT count(*) AS it " LIVE "(o.ca_id = 4 OR o.subject_ca_id = 4)"), 0);
	assert_int_equal(keys_in(world, ca_id, "current") + keys_in(world, ca_id, "staged"), 2);
	/* And back. */
	world_sql(world, "UPDATE cas SET suspended_at = NULL, version = version + 1, changed_at = 1 WHERE ca_id = 4");
	cut_all(world, 1);
	later(world, 3 * DAY);
	cut_all(world, 1);
	later(world, 3 * DAY);
	cut_all(world, 1);
	assert_int_equal(keys_in(world, ca_id, "destroyed"), 1);
}

static void
reconcile_roll__of_a_member_that_goes_in_the_middle(void **state)
{
	struct world *world = *state;
	int64_t ca_id = member(world, "member", "192.0.2.0/24");
	cut_all(world, 1);
	want_roll(world, ca_id);
	cut_all(world, 1);
	later(world, DAY + 10);
	cut_all(world, 1);
	WORLD_OK(ca_delete(&world->context, &world_actor, ca_id, fault));
	assert_true(world_cut(world) > 0);
	assert_whole(world, 0);
	assert_int_equal(keys_in(world, ca_id, "destroyed"), 2);
	assert_int_equal(world_number(world, "SELECT count(*) AS it " LIVE "(o.ca_id = 4 OR o.subject_ca_id = 4)"), 0);
}

static void
reconcile_roll__hold_keeps_changes_waiting_and_renews(void **state)
{
	struct world *world = *state;
	int64_t ca_id = member(world, "member", "192.0.2.0/24");
	cut_all(world, 1);
	world_sql(world, "UPDATE cas SET held_at = 1, version = version + 1 WHERE ca_id = 4");
	world_change_roas(world, ca_id, "192.0.2.128/25", NULL);
	assert_int_equal(world_cut(world), 0);
	for (int day = 0; day < 60; day++) {
		later(world, DAY);
		(void)world_cut(world);
		assert_whole(world, 1);
	}
	assert_int_equal(world_number(world, "SELECT count(*) AS it " LIVE "o.ca_id = 4 AND o.kind = 'mft' AND "
		"o.not_after_at > (SELECT max(cut_at) + 43200 FROM cuts)"), 1);
	assert_int_equal(world_number(world, "SELECT changed_at IS NOT NULL AS it FROM cas WHERE ca_id = 4"), 1);
	world_sql(world, "UPDATE cas SET held_at = NULL, version = version + 1 WHERE ca_id = 4");
	cut_all(world, 2);
}

/* Who gives up what others of its group gain waits for them; what was begun is ended in the same cut, whatever the limits say. */
static void
reconcile_roll__a_group_changes_in_one_cut_and_in_order(void **state)
{
	struct world *world = *state;
	struct reconcile_result result = { 0 };
	struct reconcile_limits one = { .objects = 1 };
	int64_t serial;
	(void)member(world, "loser", "192.0.2.0/24");
	(void)member(world, "gainer", "198.51.100.0/24");
	cut_all(world, 2);
	world_sql(world, "UPDATE cas SET change_group = 9, change_last = (ca_id = 4), changed_at = 10 - ca_id, version = version + 1 "
		"WHERE ca_id IN (4, 5); DELETE FROM roas WHERE ca_id = 4");
	world_sql(world, "UPDATE cas SET set_aside_at = 1 WHERE ca_id = 5");
	assert_int_equal(world_cut(world), 0);
	assert_whole(world, 2);
	world_sql(world, "UPDATE cas SET set_aside_at = NULL WHERE ca_id = 5; INSERT INTO roas (ca_id, asn, family, address, prefix_length, "
		"max_length, created_at) VALUES (5, 64496, 4, x'c6336400', 25, 25, 1)");
	later(world, 1);
	WORLD_OK(reconcile_members(&world->reconcile, &one, &result, fault));
	assert_int_equal(result.cas, 2);
	WORLD_OK(reconcile_parents(&world->reconcile, &result, fault));
	WORLD_OK(cut_make(world->db, &world->clock, &serial, fault));
	assert_whole(world, 2);
	assert_int_equal(world_number(world, "SELECT count(*) AS it FROM cas WHERE change_group IS NOT NULL"), 0);
}

/* A clock that was a day ahead at start: what it signed was valid nowhere. Numbers rise on; nothing waits for that day. */
static void
reconcile_roll__what_a_wrong_clock_signed_is_signed_again(void **state)
{
	struct world *world = *state;
	(void)member(world, "member", "192.0.2.0/24");
	cut_all(world, 1);
	int64_t right_at = clock_now(&world->clock), changed, renewal_at;
	later(world, 40 * DAY);
	cut_all(world, 1);
	int64_t manifest_number = world_number(world, "SELECT manifest_number AS it FROM keys WHERE ca_id = 4");
	clock_hand_set(&world->clock, right_at + 10);
	WORLD_OK(reconcile_due(&world->reconcile, &changed, &renewal_at, fault));
	assert_true(renewal_at <= right_at + 10);
	cut_all(world, 1);
	assert_int_equal(world_number(world, "SELECT max(o.not_before_at) AS it " LIVE "1"),
		world_number(world, "SELECT this_update_at AS it FROM keys ORDER BY this_update_at DESC LIMIT 1"));
	assert_in_range(world_number(world, "SELECT max(o.not_before_at) AS it " LIVE "1"), right_at, right_at + 20);
	assert_int_equal(world_number(world, "SELECT manifest_number AS it FROM keys WHERE ca_id = 4"), manifest_number + 1);
	WORLD_OK(reconcile_due(&world->reconcile, &changed, &renewal_at, fault));
	assert_true(renewal_at > clock_now(&world->clock));
}

/* Keys that were staged and retired on days that then never came: their next steps are due as ever, and nothing else waits for them. */
static void
reconcile_roll__goes_on_after_a_wrong_clock(void **state)
{
	struct world *world = *state;
	int64_t early = member(world, "early", "192.0.2.0/24"), late = member(world, "late", "198.51.100.0/24");
	cut_all(world, 2);
	int64_t right_at = clock_now(&world->clock);
	later(world, 40 * DAY);
	want_roll(world, early);
	cut_all(world, 2);
	later(world, DAY + 10);
	want_roll(world, late);
	cut_all(world, 2);
	assert_int_equal(keys_in(world, early, "retired"), 1);
	assert_int_equal(keys_in(world, late, "staged"), 1);
	clock_hand_set(&world->clock, right_at + 10);
	for (int day = 0; day < 4; day++) {
		cut_all(world, 2);
		assert_int_equal(world_number(world, "SELECT count(*) AS it FROM cas WHERE changed_at IS NOT NULL"), 0);
		assert_true(world_number(world, "SELECT min(o.not_after_at) AS it " LIVE "1") > clock_now(&world->clock) + DAY / 2);
		assert_in_range(world_number(world, "SELECT max(o.not_before_at) AS it " LIVE "1"), right_at, clock_now(&world->clock));
		later(world, DAY + 10);
	}
	assert_int_equal(keys_in(world, early, "destroyed"), 1);
	assert_int_equal(keys_in(world, late, "destroyed"), 1);
}

/* Who gives up what a CA that is set aside should gain waits, however long: its renewals don't. */
static void
reconcile_roll__who_waits_for_its_group_renews(void **state)
{
	struct world *world = *state;
	(void)member(world, "loser", "192.0.2.0/24");
	(void)member(world, "gainer", "198.51.100.0/24");
	cut_all(world, 2);
	world_sql(world, "UPDATE cas SET change_group = 9, change_last = (ca_id = 4), changed_at = 1, version = version + 1 "
		"WHERE ca_id IN (4, 5); DELETE FROM roas WHERE ca_id = 4; UPDATE cas SET set_aside_at = 1 WHERE ca_id = 5");
	for (int day = 0; day < 5; day++) {
		later(world, DAY);
		cut_all(world, 2);
		assert_true(world_number(world, "SELECT min(o.not_after_at) AS it " LIVE "o.ca_id = 4") > clock_now(&world->clock) + DAY / 2);
	}
	assert_int_equal(world_number(world, "SELECT count(*) AS it FROM cas WHERE ca_id = 4 AND changed_at IS NOT NULL AND change_group = 9"), 1);
	world_sql(world, "UPDATE cas SET set_aside_at = NULL WHERE ca_id = 5");
	assert_true(world_cut(world) > 0);
	assert_whole(world, 1);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, world_open, world_close)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(reconcile_roll__of_a_member_loses_nothing_at_any_cut),
		CASE(reconcile_roll__of_the_issuing_and_the_online_ca),
		CASE(reconcile_roll__of_all_at_once),
		CASE(reconcile_roll__shrinking_goes_through_both_keys),
		CASE(reconcile_roll__of_a_member_that_goes_in_the_middle),
		CASE(reconcile_roll__hold_keeps_changes_waiting_and_renews),
		CASE(reconcile_roll__a_group_changes_in_one_cut_and_in_order),
		CASE(reconcile_roll__what_a_wrong_clock_signed_is_signed_again),
		CASE(reconcile_roll__goes_on_after_a_wrong_clock),
		CASE(reconcile_roll__who_waits_for_its_group_renews),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
