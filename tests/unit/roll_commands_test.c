#include "ca/commands/roll_commands.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "ca/views/views.h"
#include "tests/unit/registry.h"

#define LAST_AUDIT "SELECT action || '|' || COALESCE(ca_handle, 'none') || '|' || outcome || '|' || detail AS it FROM audit" \
	" ORDER BY audit_id DESC LIMIT 1"

static enum fault_code
start(struct registry *registry, int64_t ca_id, int64_t staging_s)
{
	registry_forget(registry);
	return roll_start(&registry->context, &registry_operator, ca_id, staging_s, &registry->fault);
}

/* As if the reconciler had made its key. */
static int64_t
member_with_key(struct registry *registry, const char *handle, int64_t made_at)
{
	int64_t ca_id = registry_member_id(registry, handle, "");
	registry_sql(registry, "INSERT INTO keys (ca_id, state, handle, spki, key_identifier, created_at) "
		"VALUES (%" PRId64 ", 'current', x'01', x'01', CAST('%s' AS BLOB), %" PRId64 "); "
		"UPDATE cas SET changed_at = NULL, renew_at = %" PRId64 " WHERE ca_id = %" PRId64, ca_id, handle, made_at,
		(int64_t)REGISTRY_NOW + 40000, ca_id);
	return ca_id;
}

static void
roll_commands__marks_the_ca_as_due(void **state)
{
	struct registry *registry = *state;
	int64_t ca_id = member_with_key(registry, "alpha", 1);
	registry->wakes = 0;
	assert_int_equal(start(registry, ca_id, ROLL_STAGING_DEFAULT), FAULT_NONE);
	assert_string_equal(registry_text(registry, "SELECT roll_at || '|' || changed_at || '|' || version || '|' || "
		"COALESCE(roll_staging_s, 'default') AS it FROM cas WHERE ca_id = %" PRId64, ca_id), "1767225600|1767225600|2|default");
	assert_string_equal(registry_text(registry, LAST_AUDIT), "ca.roll|alpha|done|staged as the settings say");
	assert_int_equal(registry->wakes, 1);
}

static void
roll_commands__takes_a_time_of_its_own_for_staging(void **state)
{
	struct registry *registry = *state;
	int64_t ca_id = member_with_key(registry, "alpha", 1);
	assert_int_equal(start(registry, ca_id, 0), FAULT_NONE);
	assert_int_equal(registry_number(registry, "SELECT roll_staging_s AS it FROM cas WHERE ca_id = %" PRId64, ca_id), 0);
	assert_string_equal(registry_text(registry, LAST_AUDIT), "ca.roll|alpha|done|staged for 0 s");
}

static void
roll_commands__refuses_what_can_not_roll(void **state)
{
	struct registry *registry = *state;
	int64_t ca_id = member_with_key(registry, "alpha", 1);
	assert_int_equal(start(registry, 1, 0), FAULT_CONFLICT);
	assert_non_null(strstr(registry->fault.message, "TAL"));
	assert_int_equal(start(registry, 9999, 0), FAULT_NOT_FOUND);
	assert_int_equal(start(registry, ca_id, -2), FAULT_INVALID);
	assert_int_equal(start(registry, ca_id, ROLL_STAGING_MAX + 1), FAULT_INVALID);
	assert_string_equal(registry_text(registry, "SELECT outcome AS it FROM audit ORDER BY audit_id DESC LIMIT 1"), "invalid");
	assert_int_equal(registry_number(registry, "SELECT count(*) AS it FROM cas WHERE roll_at IS NOT NULL"), 0);

	assert_int_equal(start(registry, ca_id, 0), FAULT_NONE);
	assert_int_equal(start(registry, ca_id, 0), FAULT_CONFLICT);
	assert_non_null(strstr(registry->fault.message, "about to"));
	registry_sql(registry, "UPDATE cas SET roll_at = NULL; INSERT INTO keys (ca_id, state, spki, key_identifier, created_at) "
		"VALUES (%" PRId64 ", 'retired', x'01', x'09', 1)", ca_id);
	assert_int_equal(start(registry, ca_id, 0), FAULT_CONFLICT);
	assert_non_null(strstr(registry->fault.message, "is rolling"));
	registry_sql(registry, "UPDATE cas SET state = 'deleting' WHERE ca_id = %" PRId64, ca_id);
	assert_int_equal(start(registry, ca_id, 0), FAULT_CONFLICT);
}

/* The second lock behind the API's roles. */
static void
roll_commands__a_member_finds_no_other(void **state)
{
	struct registry *registry = *state;
	int64_t alpha = member_with_key(registry, "alpha", 1), beta = member_with_key(registry, "beta", 1);
	struct actor member = registry_member(alpha);
	assert_int_equal(roll_start(&registry->context, &member, beta, 0, &registry->fault), FAULT_NOT_FOUND);
}

static void
roll_commands__all_of_an_age_at_a_bounded_rate(void **state)
{
	struct registry *registry = *state;
	char handle[16];
	int64_t count, last_at;
	for (int i = 0; i < 10; i++) {
		(void)snprintf(handle, sizeof handle, "m%d", i);
		(void)member_with_key(registry, handle, REGISTRY_NOW - 86400 * (i + 1));
	}
	registry_sql(registry, "UPDATE keys SET created_at = %" PRId64 " WHERE ca_id <= 3", (int64_t)REGISTRY_NOW);
	struct roll_campaign campaign = { .older_than_s = 5 * 86400, .per_hour = 2, .staging_s = ROLL_STAGING_DEFAULT };
	assert_int_equal(roll_start_all(&registry->context, &registry_operator, &campaign, &count, &last_at, &registry->fault), FAULT_NONE);
	assert_int_equal(count, 6);
	assert_int_equal(last_at, REGISTRY_NOW + 5 * 1800);
	/* The oldest first, half an hour apart; a renewal that is due before stays where it is. */
	assert_string_equal(registry_text(registry, "SELECT group_concat(handle || '+' || (roll_at - %" PRId64 "), ' ') AS it "
		"FROM (SELECT handle, roll_at FROM cas WHERE roll_at IS NOT NULL ORDER BY roll_at)", (int64_t)REGISTRY_NOW),
		"m9+0 m8+1800 m7+3600 m6+5400 m5+7200 m4+9000");
	assert_int_equal(registry_number(registry, "SELECT count(*) AS it FROM cas WHERE renew_at = roll_at AND version = 2"), 6);
	/* Asked again, those have been asked already. */
	assert_int_equal(roll_start_all(&registry->context, &registry_operator, &campaign, &count, &last_at, &registry->fault), FAULT_NONE);
	assert_int_equal(count, 0);
	assert_int_equal(last_at, REGISTRY_NOW);
	assert_string_equal(registry_text(registry, "SELECT detail AS it FROM audit WHERE action = 'ca.roll_all' ORDER BY audit_id LIMIT 1"),
		"6 CAs whose key is 432000 s old or older, 2 an hour");
	/* One that is to roll in hours may roll now. */
	assert_int_equal(start(registry, registry_number(registry, "SELECT ca_id AS it FROM cas WHERE handle = 'm4'"), 0), FAULT_NONE);
}

static void
roll_commands__refuses_campaigns_without_bounds(void **state)
{
	static const struct roll_campaign wrong[] = {
		{ .older_than_s = -1, .per_hour = 1, .staging_s = -1 }, { .older_than_s = 0, .per_hour = 0, .staging_s = -1 },
		{ .older_than_s = 0, .per_hour = ROLL_PER_HOUR_MAX + 1, .staging_s = -1 },
		{ .older_than_s = 0, .per_hour = 1, .staging_s = ROLL_STAGING_MAX + 1 },
	};
	struct registry *registry = *state;
	int64_t count = 77, last_at = 77;
	(void)member_with_key(registry, "alpha", 1);
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		assert_int_equal(roll_start_all(&registry->context, &registry_operator, &wrong[i], &count, &last_at, &registry->fault),
			FAULT_INVALID);
	assert_int_equal(count, 77);
	assert_int_equal(registry_number(registry, "SELECT count(*) AS it FROM cas WHERE roll_at IS NOT NULL"), 0);
}

struct seen {
	size_t count;
	char states[4][16];
};

static enum fault_code
see(void *argument, const struct key_row *row, struct fault *fault)
{
	struct seen *seen = argument;
	(void)fault;
	assert_true(seen->count < 4);
	(void)snprintf(seen->states[seen->count++], sizeof seen->states[0], "%s%s", row->state, row->offline ? " offline" : "");
	return FAULT_NONE;
}

static void
roll_commands__keys_are_listed_the_newest_first(void **state)
{
	struct registry *registry = *state;
	struct seen some = { 0 }, all = { 0 };
	int64_t ca_id = member_with_key(registry, "alpha", 1);
	registry_sql(registry, "INSERT INTO keys (ca_id, state, spki, key_identifier, created_at) "
		"VALUES (%" PRId64 ", 'destroyed', x'01', x'08', 1), "
		"(%" PRId64 ", 'staged', x'01', x'09', 1)", ca_id, ca_id);
	struct db_connection *connection;
	assert_int_equal(db_reader_acquire(registry->db, &connection, NULL), FAULT_NONE);
	assert_int_equal(key_view_list(connection, ca_id, false, see, &some, NULL), FAULT_NONE);
	assert_int_equal(key_view_list(connection, ca_id, true, see, &all, NULL), FAULT_NONE);
	db_reader_release(connection);
	assert_int_equal(some.count, 2);
	assert_string_equal(some.states[0], "staged offline");
	assert_string_equal(some.states[1], "current");
	assert_int_equal(all.count, 3);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, registry_setup, registry_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(roll_commands__marks_the_ca_as_due),
		CASE(roll_commands__takes_a_time_of_its_own_for_staging),
		CASE(roll_commands__refuses_what_can_not_roll),
		CASE(roll_commands__a_member_finds_no_other),
		CASE(roll_commands__all_of_an_age_at_a_bounded_rate),
		CASE(roll_commands__refuses_campaigns_without_bounds),
		CASE(roll_commands__keys_are_listed_the_newest_first),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
