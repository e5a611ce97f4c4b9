#include "ca/jobs/reconcile.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
/* after what it needs */
#include <cmocka.h>

#include "ca/base/metrics.h"
#include "ca/commands/ca_commands.h"
#include "ca/resources/resource_list.h"
#include "ca/views/views.h"
#include "db/stmt.h"
#include "tests/support/world.h"

/* Counts rows: of objects in the state at the last serial, by kind; and of those that are staged. */
struct counts {
	int64_t cer, crl, mft, roa, ta;
};

static struct counts
published(struct world *world)
{
	static const struct { const char *kind; size_t at; } kinds[] = {
		{ "cer", offsetof(struct counts, cer) }, { "crl", offsetof(struct counts, crl) }, { "mft", offsetof(struct counts, mft) },
		{ "roa", offsetof(struct counts, roa) }, { "ta", offsetof(struct counts, ta) },
	};
	struct counts counts = { 0 };
	struct db_connection *connection;
	WORLD_OK(db_reader_acquire(world->db, &connection, fault));
	for (int64_t ca_id = 1; ca_id < 80; ca_id++) {
		struct stmt *stmt;
		bool row;
		WORLD_OK(stmt_start(connection, QUERY_RECONCILE_OBJECTS, &stmt, fault));
		stmt_bind_int(stmt, ":ca_id", ca_id);
		for (;;) {
			WORLD_OK(stmt_step(stmt, &row, fault));
			if (!row)
				break;
			for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
				if (strcmp(stmt_text(stmt, "kind"), kinds[i].kind) == 0 && !stmt_null(stmt, "published_serial"))
					++*(int64_t *)((char *)&counts + kinds[i].at);
		}
		stmt_done(stmt);
	}
	db_reader_release(connection);
	return counts;
}

static void
assert_counts(struct world *world, int64_t cer, int64_t lists, int64_t roa)
{
	struct counts counts = published(world);
	assert_int_equal(counts.cer, cer);
	assert_int_equal(counts.crl, lists);
	assert_int_equal(counts.mft, lists);
	assert_int_equal(counts.roa, roa);
}

static void
reconcile__the_first_cut_brings_the_tree(void **state)
{
	struct world *world = *state;
	assert_int_equal(world_cut(world), 1);
	assert_counts(world, 2, 3, 0);
	assert_int_equal(world_cut(world), 0);
}

static void
reconcile__a_member_and_its_roas_come_in_one_cut(void **state)
{
	struct world *world = *state;
	int64_t ca_id = world_add_member(world, "member", "192.0.2.0/24, AS64496");
	world_change_roas(world, ca_id, "192.0.2.0/25", NULL);
	assert_int_equal(world_cut(world), 1);
	assert_counts(world, 3, 4, 1);
	world_change_roas(world, ca_id, "192.0.2.128/25", "192.0.2.0/25");
	assert_int_equal(world_cut(world), 2);
	assert_counts(world, 3, 4, 1);
	assert_int_equal(world_cut(world), 0);
}

static void
reconcile__what_never_was_published_leaves_no_trace(void **state)
{
	struct world *world = *state;
	struct reconcile_result result = { 0 };
	int64_t ca_id = world_add_member(world, "member", "192.0.2.0/24");
	assert_int_equal(world_cut(world), 1);
	world_change_roas(world, ca_id, "192.0.2.0/25", NULL);
	clock_hand_set(&world->clock, clock_now(&world->clock) + 1);
	WORLD_OK(reconcile_members(&world->reconcile, NULL, &result, fault));
	world_change_roas(world, ca_id, NULL, "192.0.2.0/25");
	assert_int_equal(world_cut(world), 2);
	assert_counts(world, 3, 4, 0);
}

static void
reconcile__lost_resources_take_roas_along_and_give_them_back(void **state)
{
	struct world *world = *state;
	struct resource_set less = RESOURCE_SET_INIT, more = RESOURCE_SET_INIT;
	struct complaints complaints = COMPLAINTS_INIT;
	int64_t ca_id = world_add_member(world, "member", "192.0.2.0/24, 198.51.100.0/24");
	world_change_roas(world, ca_id, "192.0.2.0/24", NULL);
	world_change_roas(world, ca_id, "198.51.100.0/24", NULL);
	assert_int_equal(world_cut(world), 1);
	assert_counts(world, 3, 4, 2);
	WORLD_OK(resource_list_parse("198.51.100.0/24", &less, fault));
	WORLD_OK(ca_set_resources(&world->context, &world_actor, ca_id, &less, &complaints, fault));
	assert_int_equal(world_cut(world), 2);
	assert_counts(world, 3, 4, 1);
	WORLD_OK(resource_list_parse("192.0.2.0/24, 198.51.100.0/24", &more, fault));
	WORLD_OK(ca_set_resources(&world->context, &world_actor, ca_id, &more, &complaints, fault));
	assert_int_equal(world_cut(world), 3);
	assert_counts(world, 3, 4, 2);
	resource_set_clear(&less);
	resource_set_clear(&more);
	complaints_clear(&complaints);
}

static void
reconcile__a_member_that_goes_takes_everything_along(void **state)
{
	struct world *world = *state;
	int64_t ca_id = world_add_member(world, "member", "192.0.2.0/24"), found;
	world_change_roas(world, ca_id, "192.0.2.0/24", NULL);
	assert_int_equal(world_cut(world), 1);
	WORLD_OK(ca_delete(&world->context, &world_actor, ca_id, fault));
	assert_int_equal(world_cut(world), 2);
	assert_counts(world, 2, 3, 0);
	struct db_connection *connection;
	WORLD_OK(db_reader_acquire(world->db, &connection, fault));
	assert_int_equal(ca_view_find(connection, "member", &found, NULL), FAULT_NOT_FOUND);
	db_reader_release(connection);
	world_add_member(world, "member", "192.0.2.0/24");
	assert_int_equal(world_cut(world), 3);
	assert_counts(world, 3, 4, 0);
}

/* Four hundred days in steps of six hours, with nothing but renewals: every object on hand is always current. */
static void
reconcile__renews_by_itself_for_400_days(void **state)
{
	struct world *world = *state;
	int64_t ca_id = world_add_member(world, "member", "192.0.2.0/24");
	world_change_roas(world, ca_id, "192.0.2.0/24", NULL);
	assert_int_equal(world_cut(world), 1);
	for (int64_t hour = 0; hour < 400 * 24; hour += 6) {
		clock_hand_set(&world->clock, WORLD_START + hour * 3600 + 10);
		(void)world_cut(world);
		for (int64_t id = 1; id <= ca_id; id++) {
			struct db_connection *connection;
			struct stmt *stmt;
			bool row;
			WORLD_OK(db_reader_acquire(world->db, &connection, fault));
			WORLD_OK(stmt_start(connection, QUERY_RECONCILE_OBJECTS, &stmt, fault));
			stmt_bind_int(stmt, ":ca_id", id);
			for (;;) {
				WORLD_OK(stmt_step(stmt, &row, fault));
				if (!row)
					break;
				assert_true(stmt_int(stmt, "not_after_at") > clock_now(&world->clock) + 6 * 3600);
			}
			stmt_done(stmt);
			db_reader_release(connection);
		}
	}
	assert_counts(world, 3, 4, 1);
}

/* A key that can't be opened sets its CA aside; the others go on. */
static void
reconcile__one_ca_set_aside_leaves_the_others_alone(void **state)
{
	struct world *world = *state;
	int64_t good = world_add_member(world, "good", "192.0.2.0/24"), bad = world_add_member(world, "bad", "198.51.100.0/24");
	assert_int_equal(world_cut(world), 1);
	/* Its row was altered: the handle no longer opens. */
	char sql[100];
	(void)snprintf(sql, sizeof sql, "UPDATE keys SET handle = x'00' WHERE ca_id = %lld", (long long)bad);
	world_sql(world, sql);
	world_change_roas(world, bad, "198.51.100.0/24", NULL);
	world_change_roas(world, good, "192.0.2.0/24", NULL);
	assert_int_equal(world_cut(world), 2);
	assert_counts(world, 4, 5, 1);
	WORLD_OK(ca_repair(&world->context, &world_actor, bad, fault));
}

/* Keys are short: each takes its time. */
static enum fault_code
make_slowly(void *self, struct secret **ret_private_key, struct fault *fault)
{
	const struct key_source *source = self;
	const struct timespec pause = { .tv_nsec = 30 * 1000000 };
	(void)nanosleep(&pause, NULL);
	return source->make(source->self, ret_private_key, fault);
}

/* No cut waits for all that were taken together; who had no turn is next. */
static void
reconcile__the_time_ends_a_batch_too(void **state)
{
	struct world *world = *state;
	AUTO(struct key_pool, key_pool_free) slow = NULL;
	struct key_source source = { .make = make_slowly, .self = &world->onetime_keys };
	struct reconcile_result result = { 0 };
	char handle[16], resources[32];
	for (int i = 0; i < 60; i++) {
		(void)snprintf(handle, sizeof handle, "m%d", i);
		(void)snprintf(resources, sizeof resources, "10.%d.0.0/16", i);
		(void)world_add_member(world, handle, resources);
	}
	WORLD_OK(key_pool_new(source, 1, 0, &slow, fault));
	struct key_pool *pool = world->reconcile.issue.pool;
	world->reconcile.issue.pool = slow;
	clock_hand_set(&world->clock, clock_now(&world->clock) + 1);
	struct reconcile_limits limits = { .pass = RECONCILE_CHANGES, .objects = 1000, .until_ms = clock_monotonic_ms() + 200 };
	WORLD_OK(reconcile_members(&world->reconcile, &limits, &result, fault));
	world->reconcile.issue.pool = pool;
	assert_true(result.more);
	assert_in_range(result.cas, 1, 59);
	assert_int_equal(world_cut(world), 1);
	assert_int_equal(world_number(world, "SELECT count(*) AS it FROM cas WHERE changed_at IS NOT NULL"), 0);
	assert_int_equal(published(world).mft, 63);
}

/* A member who changes something whenever a key is made to sign for it. */
struct overtaker {
	struct world *world;
	int64_t ca_id;
	const char *sql;                 /* what changes; NULL: a ROA comes, 10.0.0.0/24 and on */
	int changes_max;
	atomic_int keys;                 /* made until now, each with a change until there were so many */
};

static enum fault_code
make_and_change(void *self, struct secret **ret_private_key, struct fault *fault)
{
	struct overtaker *overtaker = self;
	const struct key_source *source = &overtaker->world->onetime_keys;
	char prefix[32];
	int key = atomic_fetch_add(&overtaker->keys, 1);
	if (key < overtaker->changes_max && overtaker->sql != NULL) {
		world_sql(overtaker->world, overtaker->sql);
	} else if (key < overtaker->changes_max) {
		(void)snprintf(prefix, sizeof prefix, "10.0.%d.0/24", key);
		world_change_roas(overtaker->world, overtaker->ca_id, prefix, NULL);
	}
	return source->make(source->self, ret_private_key, fault);
}

/* A round for changes alone, while that member changes. */
static struct reconcile_result
round_overtaken(struct overtaker *overtaker)
{
	struct reconcile *reconcile = &overtaker->world->reconcile;
	AUTO(struct key_pool, key_pool_free) none = NULL;
	struct reconcile_limits limits = { .pass = RECONCILE_CHANGES, .objects = 1000 };
	struct reconcile_result result = { 0 };
	struct key_pool *pool = reconcile->issue.pool;
	WORLD_OK(key_pool_new((struct key_source){ .make = make_and_change, .self = overtaker }, 1, 0, &none, fault));
	reconcile->issue.pool = none;
	clock_hand_set(&overtaker->world->clock, clock_now(&overtaker->world->clock) + 1);
	WORLD_OK(reconcile_members(reconcile, &limits, &result, fault));
	reconcile->issue.pool = pool;
	return result;
}

static int64_t
changed_count(struct world *world)
{
	return world_number(world, "SELECT count(*) AS it FROM cas WHERE kind = 'member' AND changed_at IS NOT NULL");
}

/* Who changes ROAs all the time is published as of a moment ago, and holds up nobody. */
static void
reconcile__who_never_rests_is_published_all_the_same(void **state)
{
	struct world *world = *state;
	int64_t restless = world_add_member(world, "restless", "10.0.0.0/8");
	int64_t other = world_add_member(world, "other", "192.0.2.0/24");
	assert_int_equal(world_cut(world), 1);
	world_change_roas(world, restless, "10.255.0.0/16", NULL);
	world_change_roas(world, other, "192.0.2.0/24", NULL);
	struct overtaker overtaker = { .world = world, .ca_id = restless, .changes_max = 1000 };
	struct reconcile_result result = round_overtaken(&overtaker);
	assert_false(result.more);
	assert_in_range(result.cas, 2, 4);
	assert_int_equal(changed_count(world), 1);
	int64_t signed_at = clock_now(&world->clock);
	assert_int_equal(world_number(world, "SELECT changed_at AS it FROM cas WHERE handle = 'restless'"), signed_at);
	assert_true(world_number(world, "SELECT count(*) AS it FROM roa_payloads") >= 2);
	assert_true(world_number(world, "SELECT count(*) AS it FROM roa_payloads") < world_number(world, "SELECT count(*) AS it FROM roas"));
	/* At rest it is published whole. */
	assert_int_equal(world_cut(world), 2);
	assert_int_equal(changed_count(world), 0);
	assert_int_equal(world_number(world, "SELECT count(*) AS it FROM roa_payloads JOIN objects USING (object_id)"
		" WHERE published_serial IS NOT NULL AND withdrawing = 0 AND withdrawn_serial IS NULL"),
		world_number(world, "SELECT count(*) AS it FROM roas"));
}

/* But where anything else changes, what was signed is not kept: it may be more than the member has by now. */
static void
reconcile__what_else_changes_meanwhile_is_signed_for_again(void **state)
{
#define CHANGED "UPDATE cas SET version = version + 1, "
	static const char *const cases[] = {
		CHANGED "by_origin = by_origin WHERE handle = 'm%d'",
		CHANGED "version = version + 2, roas_version = roas_version + 1 WHERE handle = 'm%d'",
		CHANGED "roas_version = roas_version + 1, change_group = 7 WHERE handle = 'm%d'",
		CHANGED "roas_version = roas_version + 1, state = 'deleting' WHERE handle = 'm%d'",
		CHANGED "roas_version = roas_version + 1, held_at = 1 WHERE handle = 'm%d'",
	};
#undef CHANGED
	struct world *world = *state;
	for (int i = 0; i < (int)(sizeof cases / sizeof *cases); i++) {
		char handle[8], resources[32], prefix[32], sql[256];
		(void)snprintf(handle, sizeof handle, "m%d", i);
		(void)snprintf(resources, sizeof resources, "10.%d.0.0/16", i);
		(void)snprintf(prefix, sizeof prefix, "10.%d.9.0/24", i);
		(void)snprintf(sql, sizeof sql, cases[i], i);
		int64_t ca_id = world_add_member(world, handle, resources);
		assert_int_equal(world_cut(world), i + 1);
		world_change_roas(world, ca_id, prefix, NULL);
		int64_t stale = metrics_get(METRIC_RECONCILE_STALE);
		struct overtaker overtaker = { .world = world, .ca_id = ca_id, .sql = sql, .changes_max = 1 };
		(void)round_overtaken(&overtaker);
		assert_int_equal(metrics_get(METRIC_RECONCILE_STALE) - stale, 1);
		/* It has had its next turn already, but for the one that is on hold now. */
		assert_int_equal(changed_count(world), i == 4);
	}
}

int
main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, world_open, world_close)
	const struct CMUnitTest tests[] = {
		CASE(reconcile__the_first_cut_brings_the_tree),
		CASE(reconcile__a_member_and_its_roas_come_in_one_cut),
		CASE(reconcile__what_never_was_published_leaves_no_trace),
		CASE(reconcile__lost_resources_take_roas_along_and_give_them_back),
		CASE(reconcile__a_member_that_goes_takes_everything_along),
		CASE(reconcile__one_ca_set_aside_leaves_the_others_alone),
		CASE(reconcile__the_time_ends_a_batch_too),
		CASE(reconcile__who_never_rests_is_published_all_the_same),
		CASE(reconcile__what_else_changes_meanwhile_is_signed_for_again),
		CASE(reconcile__renews_by_itself_for_400_days),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
