/*
 * What took other registries' and CA engines' RPKI down, tried on this one: each case has the name of what happened there.
 * tests/README.md says where the other rows of that list are tried, or why they can't happen here.
 *
 * The watcher, which polls after each serial, refuses by itself: inconsistent manifests, revoked certificates that stand, over-claims,
 * numbers that don't rise, empty deltas, a session that changes. Cases add what brings such things about.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ca/commands/ca_commands.h"
#include "ca/commands/hold_commands.h"
#include "ca/commands/roll_commands.h"
#include "ca/resources/resource_list.h"
#include "tests/support/life.h"
#include "tests/support/prime_keys.h"

#define HOUR INT64_C(3600)
#define DAY (24 * HOUR)
#define PRIMES 64
#define MARCH_1_2026 INT64_C(1772323200)
#define FEBRUARY_28_2028 INT64_C(1835308800)
#define ISSUING 3

static int
begin(void **state)
{
	struct life *life = calloc(1, sizeof *life);
	assert_non_null(life);
	prime_keys_prepare(PRIMES);
	life_begin(life, MARCH_1_2026);
	*state = life;
	return 0;
}

static int
end(void **state)
{
	life_end(*state);
	free(*state);
	return 0;
}

static void
pass(struct life *life, int64_t s)
{
	life_until(life, clock_now(&life->world.clock) + s);
}

/* Every object stands for so long still; anything less would have had to be renewed. */
static void
all_current(struct life *life)
{
	const struct timing *timing = &life->world.reconcile.settings.timing;
	LIFE_RIGHT(watcher_look(life->watcher, clock_now(&life->world.clock), timing->manifest_margin_s - HOUR,
		timing->object_margin_s - HOUR));
}

static void
set_resources(struct life *life, int64_t ca_id, const char *text)
{
	AUTO_CLEAR(struct resource_set, resource_set_clear) set = RESOURCE_SET_INIT;
	AUTO_CLEAR(struct complaints, complaints_clear) complaints = COMPLAINTS_INIT;
	if (text[0] != '\0')
		WORLD_OK(resource_list_parse(text, &set, fault));
	WORLD_OK(ca_set_resources(&life->world.context, &world_actor, ca_id, &set, &complaints, fault));
}

static size_t
payloads(struct life *life)
{
	size_t count;
	(void)watcher_payloads(life->watcher, &count);
	return count;
}

#define LIVE "FROM objects WHERE published_serial IS NOT NULL AND withdrawn_serial IS NULL AND "

/* 10.0.0.0/24, 10.0.1.0/24, …, each with a ROA for the whole. Returns the first one's id; they follow one another. */
static int64_t
come(struct life *life, int count)
{
	int64_t first = 0;
	for (int i = 0; i < count; i++) {
		char handle[20], prefix[30];
		(void)snprintf(handle, sizeof handle, "member-%d", i);
		(void)snprintf(prefix, sizeof prefix, "10.0.%d.0/24", i);
		int64_t ca_id = world_add_member(&life->world, handle, prefix);
		first = first == 0 ? ca_id : first;
		world_change_roas(&life->world, ca_id, prefix, NULL);
	}
	pass(life, HOUR);
	assert_int_equal(payloads(life), count);
	return first;
}

/* Nobody touches anything for six weeks: the trust anchor's manifest and CRL too are renewed with half a day left. */
static void
incident__afrinic_2019_manifest_and_crl_expired(void **state)
{
	struct life *life = *state;
	(void)come(life, 2);
	for (int day = 0; day < 42; day++) {
		pass(life, DAY);
		all_current(life);
	}
	assert_int_equal(payloads(life), 2);
}

/* Two CAs can't have one publication point, so they can't have one manifest; nor one key, after which it is named. */
static void
incident__afrinic_2020_one_manifest_uri_in_several_certificates(void **state)
{
	struct life *life = *state;
	(void)come(life, 3);
	pass(life, HOUR);
	assert_int_equal(world_number(&life->world, "SELECT count(*) - count(DISTINCT directory) AS it FROM cas"), 0);
	assert_int_equal(world_number(&life->world, "SELECT count(*) AS it FROM sqlite_schema WHERE type = 'table' AND "
		"((name = 'cas' AND sql LIKE '%directory TEXT NOT NULL UNIQUE%') OR (name = 'keys' AND sql LIKE "
		"'%key_identifier BLOB NOT NULL UNIQUE%'))"), 2);
}

/* A registry's mistake takes a member's addresses away, and a day later gives them back. */
static void
incident__ripe_2020_registry_bug_deleted_roas(void **state)
{
	struct life *life = *state;
	int64_t member = come(life, 2);
	set_resources(life, member, "");
	pass(life, HOUR);
	assert_int_equal(payloads(life), 1);
	pass(life, DAY);
	set_resources(life, member, "10.0.0.0/24");
	pass(life, HOUR);
	assert_int_equal(payloads(life), 2);
}

/* Many changes of several members in every window: manifests agree with objects in each delta. */
static void
incident__ripe_2020_deltas_with_inconsistent_manifests(void **state)
{
	struct life *life = *state;
	int64_t member = come(life, 4);
	for (int round = 0; round < 12; round++) {
		for (int i = 0; i < 4; i++) {
			char prefix[30];
			(void)snprintf(prefix, sizeof prefix, "10.0.%d.%d/26", i, 64 * (round / 3));
			bool removes = round % 3 == 1;
			if (round % 3 != 2)
				world_change_roas(&life->world, member + i, removes ? NULL : prefix, removes ? prefix : NULL);
		}
		pass(life, round % 2 == 0 ? 7 : HOUR);
	}
	LIFE_RIGHT(watcher_compare(life->watcher, life->directory));
}

/* A ROA that was replaced or removed is on the CRL and on no manifest; the manifest is always there. */
static void
incident__cnnic_2020_revoked_roas_were_listed(void **state)
{
	struct life *life = *state;
	int64_t member = come(life, 1);
	world_change_roas(&life->world, member, "10.0.0.0/25", "10.0.0.0/24");
	pass(life, HOUR);
	assert_int_equal(world_number(&life->world, "SELECT count(*) AS it FROM objects WHERE kind = 'roa' AND revoked_at IS NOT NULL"), 1);
	assert_int_equal(world_number(&life->world, "SELECT count(*) AS it " LIVE "revoked_at IS NOT NULL"), 0);
	assert_int_equal(world_number(&life->world, "SELECT count(*) AS it " LIVE "kind = 'mft'"), 4);
	assert_int_equal(payloads(life), 1);
}

/* Each child's certificate is on its parent's manifest, also after all of them were made anew at different times. */
static void
incident__arin_2020_manifest_left_out_children(void **state)
{
	struct life *life = *state;
	(void)come(life, 20);
	WORLD_OK(roll_start(&life->world.context, &world_actor, ISSUING, 0, fault));
	pass(life, 4 * DAY);
	assert_int_equal(world_number(&life->world, "SELECT count(*) AS it FROM keys WHERE ca_id = 3 AND state = 'destroyed'"), 1);
	assert_int_equal(world_number(&life->world, "SELECT count(*) AS it " LIVE "kind = 'cer'"), 22);
	assert_int_equal(payloads(life), 20);
}

/* A block goes from one member to another, back and forth: no certificate ever says more than the one above, at any serial. */
static void
incident__ripe_2021_overclaim_after_transfer(void **state)
{
	struct life *life = *state;
	int64_t member = come(life, 2);
	for (int i = 0; i < 4; i++) {
		bool forth = i % 2 == 0;
		/* The one that gives first: another member's space is refused. */
		set_resources(life, forth ? member + 1 : member, forth ? "10.0.1.0/25" : "10.0.0.0/24");
		set_resources(life, forth ? member : member + 1, forth ? "10.0.0.0/24, 10.0.1.128/25" : "10.0.1.0/24");
		pass(life, HOUR);
	}
	assert_int_equal(payloads(life), 2);
}

/* Manifests live for more than a day, and a certificate never names another host than the configured one. */
static void
incident__lacnic_2021_short_lives_and_wrong_hosts(void **state)
{
	struct life *life = *state;
	size_t count;
	(void)come(life, 2);
	assert_true(timing_default.manifest_valid_s >= DAY);
	assert_int_equal(world_number(&life->world, "SELECT count(*) AS it " LIVE
		"kind IN ('crl', 'mft') AND not_after_at - not_before_at < 86400"), 0);
	const struct watched_payload *found = watcher_payloads(life->watcher, &count);
	for (size_t i = 0; i < count; i++)
		assert_memory_equal(found[i].uri, LIFE_RSYNC_URI, strlen(LIFE_RSYNC_URI));
}

/* Servers are restarted; the session stays, and with it the deltas. */
static void
incident__arin_2023_session_reset(void **state)
{
	struct life *life = *state;
	int64_t member = come(life, 1), serial = watcher_serial(life->watcher);
	for (int i = 0; i < 5; i++) {
		life_stop(life);
		life_start(life);
		world_change_roas(&life->world, member, i % 2 == 0 ? "10.0.0.0/25" : NULL, i % 2 == 0 ? NULL : "10.0.0.0/25");
		pass(life, HOUR);
	}
	/* The watcher has no other way to a serial than the delta, and knows one session alone. */
	assert_true(watcher_serial(life->watcher) >= serial + 5);
}

static void
incident__krill_leap_day_2020(void **state)
{
	struct life *life = *state;
	life_end(life);
	life_begin(life, FEBRUARY_28_2028);
	int64_t member = come(life, 2);
	for (int i = 0; i < 4; i++) {
		pass(life, DAY / 2);
		world_change_roas(&life->world, member, i % 2 == 0 ? "10.0.0.0/25" : NULL, i % 2 == 0 ? NULL : "10.0.0.0/25");
		pass(life, HOUR);
		all_current(life);
	}
	/* Certificates that began on 29 February last a year all the same. */
	(void)world_add_member(&life->world, "late", "10.1.0.0/24");
	pass(life, HOUR);
	all_current(life);
}

/* What is due next is derived from the objects in the transaction that writes them: there is no job that could be missing. */
static void
incident__krill_0_9_5_renewal_was_never_scheduled(void **state)
{
	struct life *life = *state;
	(void)come(life, 3);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(world_number(&life->world, "SELECT count(*) AS it FROM cas WHERE state = 'active' AND renew_at IS NULL"), 0);
		assert_int_equal(world_number(&life->world, "SELECT count(*) AS it FROM cas c JOIN objects o ON o.ca_id = c.ca_id "
			"WHERE o.kind = 'roa' AND o.withdrawing = 0 AND o.withdrawn_serial IS NULL AND c.renew_at > o.not_after_at - 28 * 86400"), 0);
		assert_int_equal(world_number(&life->world, "SELECT count(*) AS it FROM cas c JOIN objects o ON o.ca_id = c.ca_id "
			"WHERE o.kind = 'mft' AND o.withdrawing = 0 AND o.withdrawn_serial IS NULL AND c.renew_at > o.not_after_at - 43200"), 0);
		pass(life, 2 * DAY);
	}
}

/* The longest a key may be staged, a year, is no reason for its manifest, its CRL or anything else to lapse; here it is three weeks. */
static void
incident__krill_749_nothing_renewed_during_a_roll(void **state)
{
	struct life *life = *state;
	int64_t member = come(life, 2);
	WORLD_OK(roll_start(&life->world.context, &world_actor, member, 21 * DAY, fault));
	WORLD_OK(roll_start(&life->world.context, &world_actor, ISSUING, 21 * DAY, fault));
	for (int day = 0; day < 25; day++) {
		pass(life, DAY);
		all_current(life);
		assert_int_equal(payloads(life), 2);
	}
	assert_int_equal(world_number(&life->world, "SELECT count(*) AS it FROM keys WHERE state = 'destroyed'"), 2);
}

/* A ROA goes and comes back within one window, and again: each URI stands once, in snapshot and deltas. */
static void
incident__krill_981_a_uri_twice_in_the_snapshot(void **state)
{
	struct life *life = *state;
	int64_t member = come(life, 1);
	for (int i = 0; i < 4; i++) {
		world_change_roas(&life->world, member, NULL, "10.0.0.0/24");
		if (i % 2 == 1)
			pass(life, 5);
		world_change_roas(&life->world, member, "10.0.0.0/24", NULL);
		pass(life, HOUR);
		LIFE_RIGHT(watcher_compare(life->watcher, life->directory));
	}
	assert_int_equal(payloads(life), 1);
}

/* Where nothing changes, or a change and its opposite meet, no serial comes of it; one that comes has a delta with something in it. */
static void
incident__krill_1180_empty_deltas(void **state)
{
	struct life *life = *state;
	int64_t member = come(life, 1), serial = watcher_serial(life->watcher);
	world_change_roas(&life->world, member, "10.0.0.0/25", NULL);
	world_change_roas(&life->world, member, NULL, "10.0.0.0/25");
	set_resources(life, member, "10.0.0.0/24");
	pass(life, HOUR);
	assert_int_equal(watcher_serial(life->watcher), serial);
	/* Over two months the trust anchor's certificate, which is in no delta, is made anew as well. */
	int64_t began_at = world_number(&life->world, "SELECT not_before_at AS it " LIVE "kind = 'ta'");
	pass(life, 65 * DAY);
	assert_true(world_number(&life->world, "SELECT not_before_at AS it " LIVE "kind = 'ta'") > began_at);
}

/* The same once more changes nothing, whoever asks and how often: nobody is certified in a loop. */
static void
incident__krill_95_certificates_were_requested_in_a_loop(void **state)
{
	struct life *life = *state;
	int64_t member = come(life, 2);
	size_t seen = watcher_seen(life->watcher);
	for (int i = 0; i < 10; i++) {
		set_resources(life, member, "10.0.0.0/25, 10.0.0.128/25");
		pass(life, 600);
	}
	assert_int_equal(watcher_seen(life->watcher), seen);
}

static void
incident__krill_1397_certificate_without_resources(void **state)
{
	struct life *life = *state;
	int64_t member = come(life, 2);
	(void)world_add_member(&life->world, "empty", "");
	set_resources(life, member, "");
	pass(life, HOUR);
	/* Online, issuing and one member's. */
	assert_int_equal(world_number(&life->world, "SELECT count(*) AS it " LIVE "kind = 'cer'"), 3);
	assert_int_equal(world_number(&life->world, "SELECT count(*) AS it FROM cas WHERE set_aside_at IS NOT NULL"), 0);
}

/* One that never had a certificate goes; one that lost it; one that comes and goes before anybody saw it; none of them twice. */
static void
incident__krill_1207_crash_when_a_child_without_class_goes(void **state)
{
	struct life *life = *state;
	const struct command_context *context = &life->world.context;
	int64_t ids[3], member = come(life, 2);
	ids[0] = world_add_member(&life->world, "empty", "");
	set_resources(life, member, "");
	pass(life, HOUR);
	ids[1] = member;
	ids[2] = world_add_member(&life->world, "hasty", "10.9.0.0/16");
	for (size_t i = 0; i < 3; i++)
		WORLD_OK(ca_delete(context, &world_actor, ids[i], fault));
	pass(life, HOUR);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(ca_delete(context, &world_actor, ids[i], NULL), FAULT_NOT_FOUND);
	assert_int_equal(payloads(life), 1);
	assert_int_equal(world_number(&life->world, "SELECT count(*) AS it FROM cas WHERE state = 'deleting'"), 0);
}

/* What was withdrawn was revoked: what comes back is new, whatever its name. */
static void
incident__krill_1341_revoked_certificate_came_back(void **state)
{
	struct life *life = *state;
	int64_t member = come(life, 2);
	for (int i = 0; i < 3; i++) {
		size_t seen = watcher_seen(life->watcher);
		WORLD_OK(ca_suspend(&life->world.context, &world_actor, member, fault));
		pass(life, HOUR);
		assert_int_equal(payloads(life), 1);
		WORLD_OK(ca_resume(&life->world.context, &world_actor, member, fault));
		pass(life, HOUR);
		assert_int_equal(payloads(life), 2);
		/* The member's certificate, its manifest's and its ROA's, and manifests above. */
		assert_true(watcher_seen(life->watcher) >= seen + 3);
	}
}

/* The clock goes back by some minutes at a restart: no CRL has a revocation that is later than itself. */
static void
incident__krill_788_revocations_in_the_future(void **state)
{
	struct life *life = *state;
	int64_t member = come(life, 1);
	world_change_roas(&life->world, member, "10.0.0.0/25", NULL);
	pass(life, 120);
	life_stop(life);
	clock_hand_set(&life->world.clock, clock_now(&life->world.clock) - 90);
	life_start(life);
	world_change_roas(&life->world, member, NULL, "10.0.0.0/25");
	pass(life, HOUR);
	assert_int_equal(payloads(life), 1);
	all_current(life);
}

/* Members that came on one day are renewed over half a year, not in one week. */
static void
incident__krill_772_all_roas_renewed_at_once(void **state)
{
	struct life *life = *state;
	char sql[300];
	(void)come(life, 40);
	int64_t first_at = world_number(&life->world, "SELECT min(not_after_at) AS it " LIVE "kind = 'roa'");
	int64_t last_at = world_number(&life->world, "SELECT max(not_after_at) AS it " LIVE "kind = 'roa'");
	assert_true(last_at - first_at > 90 * DAY);
	for (int64_t at = first_at; at < last_at; at += 7 * DAY) {
		(void)snprintf(sql, sizeof sql, "SELECT count(*) AS it " LIVE "kind = 'roa' AND not_after_at BETWEEN %lld AND %lld",
			(long long)at, (long long)(at + 7 * DAY));
		assert_true(world_number(&life->world, sql) <= 12);
	}
}

int
main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		CASE(incident__afrinic_2019_manifest_and_crl_expired),
		CASE(incident__afrinic_2020_one_manifest_uri_in_several_certificates),
		CASE(incident__ripe_2020_registry_bug_deleted_roas),
		CASE(incident__ripe_2020_deltas_with_inconsistent_manifests),
		CASE(incident__cnnic_2020_revoked_roas_were_listed),
		CASE(incident__arin_2020_manifest_left_out_children),
		CASE(incident__ripe_2021_overclaim_after_transfer),
		CASE(incident__lacnic_2021_short_lives_and_wrong_hosts),
		CASE(incident__arin_2023_session_reset),
		CASE(incident__krill_leap_day_2020),
		CASE(incident__krill_0_9_5_renewal_was_never_scheduled),
		CASE(incident__krill_749_nothing_renewed_during_a_roll),
		CASE(incident__krill_981_a_uri_twice_in_the_snapshot),
		CASE(incident__krill_1180_empty_deltas),
		CASE(incident__krill_95_certificates_were_requested_in_a_loop),
		CASE(incident__krill_1397_certificate_without_resources),
		CASE(incident__krill_1207_crash_when_a_child_without_class_goes),
		CASE(incident__krill_1341_revoked_certificate_came_back),
		CASE(incident__krill_788_revocations_in_the_future),
		CASE(incident__krill_772_all_roas_renewed_at_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
