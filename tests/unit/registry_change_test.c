#include "ca/commands/registry_change.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ca/commands/transfer_commands.h"
#include "tests/unit/feed_fixture.h"

struct writing {
	struct registry *registry;
	struct registry_plan *plan;
};

static enum fault_code
write_change(struct db_connection *connection, void *argument, struct fault *fault)
{
	const struct writing *writing = argument;
	return registry_change_write(connection, &registry_operator, writing->plan, &COMMAND_PLACING, REGISTRY_NOW, fault);
}

/* Plans a file, lets somebody run SQL or a command, and then writes what was planned before. */
static enum fault_code
write_after(struct registry *registry, const char *holders, void (*meanwhile)(struct registry *registry))
{
	AUTO(struct registry_plan, registry_plan_free) plan = NULL;
	const char *path = feed_fixture_write(registry, holders);
	registry_forget(registry);
	assert_int_equal(registry_plan(&registry->context, &registry_operator, path, &feed_fixture_no_limits, &plan, NULL), FAULT_NONE);
	if (meanwhile != NULL)
		meanwhile(registry);
	struct writing writing = { .registry = registry, .plan = plan };
	return db_write(registry->db, write_change, &writing, &registry->fault);
}

static int64_t
id_of(struct registry *registry, const char *handle)
{
	return registry_number(registry, "SELECT ca_id AS it FROM cas WHERE handle = '%s'", handle);
}

static void
give_a_more(struct registry *registry)
{
	AUTO_CLEAR(struct resource_set, resource_set_clear) set = registry_resources("AS1 AS9");
	assert_int_equal(ca_set_resources(&registry->context, &registry_admin, id_of(registry, "A"), &set, &registry->complaints, NULL),
		FAULT_NONE);
}

static void
hold_a(struct registry *registry)
{
	registry_sql(registry, "UPDATE cas SET held_at = 1 WHERE handle = 'A'");
}

static void
delete_a(struct registry *registry)
{
	assert_int_equal(ca_delete(&registry->context, &registry_admin, id_of(registry, "A"), NULL), FAULT_NONE);
}

static void
give_as_5_to_another(struct registry *registry)
{
	(void)registry_member_id(registry, "somebody", "AS5");
}

static void
make_c(struct registry *registry)
{
	(void)registry_member_id(registry, "C", "AS7");
}

static void
prepare_a_transfer(struct registry *registry)
{
	AUTO_CLEAR(struct resource_set, resource_set_clear) resources = registry_resources("AS2");
	AUTO_CLEAR(struct transfer_effect, transfer_effect_clear) effect = TRANSFER_EFFECT_INIT;
	const struct transfer_request request = { .from = "B", .resources = &resources };
	int64_t transfer_id;
	assert_int_equal(transfer_create(&registry->context, &registry_operator, &request, &registry->complaints, &effect, &transfer_id,
		NULL), FAULT_NONE);
}

static void
shrink_those_above(struct registry *registry)
{
	AUTO_CLEAR(struct resource_set, resource_set_clear) set = registry_resources("AS1-AS4");
	AUTO_CLEAR(struct bytes, bytes_clear) blob = BYTES_INIT;
	char hex[256] = "";
	assert_int_equal(resource_set_encode(&set, &blob, NULL), FAULT_NONE);
	for (size_t i = 0; i < blob.length; i++)
		(void)snprintf(hex + 2 * i, 3, "%02X", blob.data[i]);
	registry_sql(registry, "UPDATE cas SET resources = X'%s' WHERE kind = 'online'", hex);
}

/* One AS more for A, and a new member: whatever changed since the plan was made, nothing is done. */
static void
registry_change__refuses_a_state_that_moved(void **state)
{
	struct registry *registry = *state;
	static const char feed[] = "A: AS1 AS5; B: AS2; C: AS3";
	static const struct {
		void (*meanwhile)(struct registry *registry);
		enum fault_code code;
	} cases[] = {
		{ give_a_more, FAULT_CONFLICT }, { hold_a, FAULT_CONFLICT }, { delete_a, FAULT_CONFLICT },
		{ give_as_5_to_another, FAULT_RESOURCE_CONFLICT }, { make_c, FAULT_CONFLICT }, { shrink_those_above, FAULT_INVALID },
		{ prepare_a_transfer, FAULT_CONFLICT },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		void *own = NULL;
		assert_int_equal(registry_setup(&own), 0);
		struct registry *fresh = own;
		(void)registry_member_id(fresh, "A", "AS1");
		(void)registry_member_id(fresh, "B", "AS2");
		assert_int_equal(write_after(fresh, feed, cases[i].meanwhile), cases[i].code);
		assert_int_equal(registry_number(fresh, "SELECT count(*) AS it FROM cas WHERE handle = 'C' AND alias IS NOT NULL"), 0);
		assert_int_equal(registry_number(fresh, "SELECT count(*) AS it FROM audit WHERE detail LIKE '%%by the registry%%'"), 0);
		feed_fixture_check_holdings(fresh);
		assert_int_equal(registry_teardown(&own), 0);
	}
	(void)registry_member_id(registry, "A", "AS1");
	(void)registry_member_id(registry, "B", "AS2");
	assert_int_equal(write_after(registry, feed, NULL), FAULT_NONE);
}

/* Other members' changes since then are none of its business. */
static void
registry_change__takes_no_offence_at_others(void **state)
{
	struct registry *registry = *state;
	(void)registry_member_id(registry, "A", "AS1");
	(void)registry_member_id(registry, "B", "AS2");
	assert_int_equal(write_after(registry, "A: AS1; B: AS2 AS4; C: AS3", give_a_more), FAULT_NONE);
	feed_fixture_check_holdings(registry);
}

static void
registry_change__places_new_members(void **state)
{
	struct registry *registry = *state;
	assert_int_equal(write_after(registry, "A: AS1; B: AS2; C: AS3", NULL), FAULT_NONE);
	assert_int_equal(registry_number(registry, "SELECT count(*) AS it FROM cas m JOIN cas i ON i.ca_id = m.parent_id WHERE m.kind = "
		"'member' AND i.kind = 'issuing'"), 3);
	assert_string_equal(registry_text(registry, "SELECT group_concat(alias) AS it FROM cas WHERE kind = 'member'"), "A,B,C");
}

int
main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(registry_change__##name, registry_setup, registry_teardown)
	const struct CMUnitTest tests[] = {
		CASE(refuses_a_state_that_moved),
		CASE(takes_no_offence_at_others),
		CASE(places_new_members),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
