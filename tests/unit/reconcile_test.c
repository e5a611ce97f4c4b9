#include "ca/jobs/reconcile.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
/* after what it needs */
#include <cmocka.h>

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
		CASE(reconcile__renews_by_itself_for_400_days),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
