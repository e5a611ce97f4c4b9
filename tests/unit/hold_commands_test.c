#include "ca/commands/hold_commands.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/registry.h"

#define LAST_AUDIT "SELECT action || '|' || COALESCE(ca_handle, 'none') || '|' || outcome || '|' || detail AS it FROM audit" \
	" ORDER BY audit_id DESC LIMIT 1"

typedef enum fault_code (*command_fn)(const struct command_context *context, const struct actor *actor, int64_t ca_id,
	struct fault *fault);

static enum fault_code
run(struct registry *registry, command_fn command, int64_t ca_id)
{
	registry_forget(registry);
	return command(&registry->context, &registry_operator, ca_id, &registry->fault);
}

static const char *
row(struct registry *registry, int64_t ca_id)
{
	return registry_text(registry, "SELECT 'v' || version || ' changed ' || COALESCE(changed_at, 'no') || ' held ' || "
		"COALESCE(held_at, 'no') || ' suspended ' || COALESCE(suspended_at, 'no') AS it FROM cas WHERE ca_id = %" PRId64, ca_id);
}

/* A member for which nothing waits. */
static int64_t
alpha(struct registry *registry)
{
	int64_t id = registry_member_id(registry, "alpha", "192.0.2.0/24");
	registry_sql(registry, "UPDATE cas SET changed_at = NULL WHERE ca_id = %" PRId64, id);
	return id;
}

static void
hold_commands__a_hold_makes_nothing_due_and_a_release_does(void **state)
{
	struct registry *registry = *state;
	int64_t id = alpha(registry);
	assert_int_equal(run(registry, ca_hold, id), FAULT_NONE);
	assert_string_equal(row(registry, id), "v2 changed no held 1767225600 suspended no");
	assert_string_equal(registry_text(registry, LAST_AUDIT), "ca.hold|alpha|done|with 0 ROAs");
	clock_hand_set(&registry->clock, REGISTRY_NOW + 60);
	/* Held already: it stays so since the same instant, and there is nothing to audit. */
	assert_int_equal(run(registry, ca_hold, id), FAULT_NONE);
	assert_string_equal(row(registry, id), "v2 changed no held 1767225600 suspended no");
	assert_int_equal(registry_number(registry, "SELECT count(*) AS it FROM audit WHERE action = 'ca.hold'"), 1);
	assert_int_equal(run(registry, ca_release, id), FAULT_NONE);
	assert_string_equal(row(registry, id), "v3 changed 1767225660 held no suspended no");
	assert_string_equal(registry_text(registry, LAST_AUDIT), "ca.release|alpha|done|with 0 ROAs");
	assert_int_equal(run(registry, ca_release, id), FAULT_NONE);
	assert_string_equal(row(registry, id), "v3 changed 1767225660 held no suspended no");
}

static void
hold_commands__changes_are_taken_while_held(void **state)
{
	struct registry *registry = *state;
	int64_t id = alpha(registry);
	AUTO_CLEAR(struct resource_set, resource_set_clear) more = registry_resources("192.0.2.0/24 AS64496");
	assert_int_equal(run(registry, ca_hold, id), FAULT_NONE);
	assert_int_equal(ca_set_resources(&registry->context, &registry_admin, id, &more, &registry->complaints, &registry->fault),
		FAULT_NONE);
	assert_string_equal(row(registry, id), "v3 changed 1767225600 held 1767225600 suspended no");
	clock_hand_set(&registry->clock, REGISTRY_NOW + 60);
	/* What waits longest counts. */
	assert_int_equal(run(registry, ca_release, id), FAULT_NONE);
	assert_string_equal(row(registry, id), "v4 changed 1767225600 held no suspended no");
}

static void
hold_commands__suspends_and_resumes(void **state)
{
	struct registry *registry = *state;
	int64_t id = alpha(registry);
	int wakes = registry->wakes;
	assert_int_equal(run(registry, ca_suspend, id), FAULT_NONE);
	assert_int_equal(registry->wakes, wakes + 1);
	assert_string_equal(row(registry, id), "v2 changed 1767225600 held no suspended 1767225600");
	assert_string_equal(registry_text(registry, LAST_AUDIT), "ca.suspend|alpha|done|with 0 ROAs");
	assert_int_equal(run(registry, ca_suspend, id), FAULT_NONE);
	assert_string_equal(row(registry, id), "v2 changed 1767225600 held no suspended 1767225600");
	/* It holds what it held: nobody else may. */
	assert_int_equal(registry_number(registry, "SELECT count(*) AS it FROM holdings WHERE ca_id = %" PRId64, id), 1);
	registry_sql(registry, "UPDATE cas SET changed_at = NULL WHERE ca_id = %" PRId64, id);
	clock_hand_set(&registry->clock, REGISTRY_NOW + 60);
	assert_int_equal(run(registry, ca_resume, id), FAULT_NONE);
	assert_string_equal(row(registry, id), "v3 changed 1767225660 held no suspended no");
	assert_int_equal(run(registry, ca_resume, id), FAULT_NONE);
	assert_string_equal(row(registry, id), "v3 changed 1767225660 held no suspended no");
}

static void
hold_commands__one_or_the_other(void **state)
{
	struct registry *registry = *state;
	int64_t id = alpha(registry);
	assert_int_equal(run(registry, ca_hold, id), FAULT_NONE);
	assert_int_equal(run(registry, ca_suspend, id), FAULT_CONFLICT);
	assert_string_equal(registry_text(registry, LAST_AUDIT), "ca.suspend|alpha|conflict|CA \"alpha\" is on hold, so nothing of it "
		"would be withdrawn: release it first (cadastre ca release)");
	/* Nor deleted: its objects would stay, and nobody could release it any more. */
	assert_int_equal(run(registry, ca_delete, id), FAULT_CONFLICT);
	assert_int_equal(run(registry, ca_release, id), FAULT_NONE);
	assert_int_equal(run(registry, ca_suspend, id), FAULT_NONE);
	assert_int_equal(run(registry, ca_hold, id), FAULT_CONFLICT);
	assert_int_equal(run(registry, ca_delete, id), FAULT_NONE);
	assert_int_equal(run(registry, ca_resume, id), FAULT_CONFLICT);
}

static void
hold_commands__a_change_shared_with_another_ca_is_not_held(void **state)
{
	struct registry *registry = *state;
	int64_t id = alpha(registry);
	registry_sql(registry, "UPDATE cas SET change_group = 7, changed_at = 1 WHERE ca_id = %" PRId64, id);
	assert_int_equal(run(registry, ca_hold, id), FAULT_CONFLICT);
	assert_string_equal(row(registry, id), "v1 changed 1 held no suspended no");
	registry_sql(registry, "UPDATE cas SET change_group = NULL WHERE ca_id = %" PRId64, id);
	assert_int_equal(run(registry, ca_hold, id), FAULT_NONE);
}

static void
hold_commands__are_for_members(void **state)
{
	static const command_fn commands[] = { ca_hold, ca_release, ca_suspend, ca_resume };
	struct registry *registry = *state;
	int64_t id = alpha(registry), beta = registry_member_id(registry, "beta", "198.51.100.0/24");
	const struct actor stranger = registry_member(beta);
	for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
		for (int64_t engine = 1; engine <= 3; engine++)
			assert_int_equal(run(registry, commands[i], engine), FAULT_CONFLICT);
		assert_int_equal(run(registry, commands[i], 99), FAULT_NOT_FOUND);
		assert_int_equal(commands[i](&registry->context, &stranger, id, &registry->fault), FAULT_NOT_FOUND);
	}
	assert_int_equal(run(registry, ca_suspend, 3), FAULT_CONFLICT);
	assert_string_equal(registry_text(registry, LAST_AUDIT), "ca.suspend|issuing|conflict|CA \"issuing\" is one of the engine's own "
		"and can't be suspended, as all below it would go: suspend the members that are meant");
	assert_int_equal(registry_number(registry, "SELECT count(*) AS it FROM cas WHERE held_at IS NOT NULL OR suspended_at IS NOT NULL"),
		0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(hold_commands__##name, registry_setup, registry_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_hold_makes_nothing_due_and_a_release_does),
		CASE(changes_are_taken_while_held),
		CASE(suspends_and_resumes),
		CASE(one_or_the_other),
		CASE(a_change_shared_with_another_ca_is_not_held),
		CASE(are_for_members),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
