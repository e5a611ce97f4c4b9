#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <string.h>

#include "ca/jobs/state_loader.h"
#include "db/connection.h"
#include "tests/support/world.h"

#define CASE(name) cmocka_unit_test_setup_teardown(name, world_open, world_close)

enum { TA_ID = 1, ONLINE_ID, ISSUING_ID };

static enum fault_code
load(struct world *world, int64_t ca_id, struct ca_state **ret_state, struct fault *fault)
{
	AUTO(struct db_connection, db_reader_release) connection = NULL;
	TRY(db_reader_acquire(world->db, &connection, fault));
	return state_loader_load(connection, ca_id, clock_now(&world->clock), ret_state, fault);
}

static void
state_loader__knows_no_such_ca(void **state)
{
	static const int64_t wrong[] = { 0, -1, 99, INT64_MAX };
	struct ca_state *loaded = NULL;
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		assert_int_equal(load(*state, wrong[i], &loaded, NULL), FAULT_NOT_FOUND);
	assert_null(loaded);
}

struct attempt {
	const char *sql;
	int64_t ca_id;
	enum fault_code code;
	struct fault fault;
};

/* A db_change: breaks rows, loads what they make of the CA, and fails so that nothing of it stays. */
static enum fault_code
load_broken(struct db_connection *connection, void *argument, struct fault *fault)
{
	AUTO(struct ca_state, ca_state_free) loaded = NULL;
	struct attempt *attempt = argument;
	TRY(connection_run(connection, "a test", attempt->sql, fault));
	attempt->code = state_loader_load(connection, attempt->ca_id, WORLD_START, &loaded, &attempt->fault);
	return fault_set(fault, FAULT_STALE, "rolled back");
}

/* Those of the CA above are that one's fault, and nobody's once it is set aside. */
static void
state_loader__blames_the_ca_above_for_its_rows(void **state)
{
	static const char *const broken[] = {
		/* Nobody above says what is inherited. */
		"UPDATE cas SET resources = NULL WHERE ca_id IN (1, 2)",
		"UPDATE cas SET resources = x'ff' WHERE ca_id = 2",
		"UPDATE keys SET key_identifier = x'00' WHERE ca_id = 3",
		"UPDATE objects SET hash = x'00' WHERE subject_ca_id = 3",
	};
	struct world *world = *state;
	int64_t ca_id = world_add_member(world, "member", "192.0.2.0/24");
	assert_int_equal(world_cut(world), 1);
	for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
		struct attempt attempt = { .sql = broken[i], .ca_id = ca_id };
		char sql[256];
		assert_int_equal(db_write(world->db, load_broken, &attempt, NULL), FAULT_STALE);
		if (attempt.code != FAULT_ISSUER || attempt.fault.code != FAULT_ISSUER)
			fail_msg("fault %d: %s", (int)attempt.code, broken[i]);
		(void)snprintf(sql, sizeof sql, "%s; UPDATE cas SET set_aside_at = 1 WHERE ca_id = 3", broken[i]);
		attempt.sql = sql;
		assert_int_equal(db_write(world->db, load_broken, &attempt, NULL), FAULT_STALE);
		if (attempt.code != FAULT_NONE)
			fail_msg("fault %d with the CA above set aside: %s", (int)attempt.code, broken[i]);
	}
}

/* Rows that don't add up are that CA's own fault, told before anything is planned on them. */
static void
state_loader__refuses_rows_that_do_not_add_up(void **state)
{
	static const char *const broken[] = {
		"UPDATE cas SET resources = x'ff' WHERE ca_id = 4",
		"UPDATE keys SET key_identifier = x'00' WHERE ca_id = 4",
		"UPDATE objects SET hash = x'00' WHERE ca_id = 4 AND kind = 'mft'",
		"UPDATE objects SET serial = zeroblob(21) WHERE ca_id = 4 AND kind = 'roa'",
		"UPDATE objects SET path = 'x/' || hex(zeroblob(64)) WHERE ca_id = 4 AND kind = 'crl'",
		"UPDATE objects SET hash = x'00' WHERE subject_ca_id = 4",
		"UPDATE roas SET address = x'c000' WHERE ca_id = 4",
		"UPDATE roa_payloads SET address = x'c000020000' WHERE ca_id = 4",
		"UPDATE objects SET serial = zeroblob(21), revoked_at = 1, withdrawn_serial = 1 WHERE ca_id = 4 AND kind = 'roa'",
		"UPDATE cas SET directory = hex(zeroblob(300)) WHERE ca_id = 3",
		"UPDATE cas SET directory = hex(zeroblob(300)) WHERE ca_id = 4",
		"UPDATE repositories SET rrdp_uri = hex(zeroblob(300))",
	};
	struct world *world = *state;
	int64_t ca_id = world_add_member(world, "member", "192.0.2.0/24");
	world_change_roas(world, ca_id, "192.0.2.0/24", NULL);
	assert_int_equal(world_cut(world), 1);
	assert_int_equal(ca_id, 4);
	for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
		struct attempt attempt = { .sql = broken[i], .ca_id = ca_id };
		assert_int_equal(db_write(world->db, load_broken, &attempt, NULL), FAULT_STALE);
		if (attempt.code != FAULT_MALFORMED)
			fail_msg("fault %d: %s", (int)attempt.code, broken[i]);
		assert_true(attempt.fault.message[0] != '\0');
	}
	/* And with nothing broken it loads. */
	struct attempt whole = { .sql = "SELECT 1", .ca_id = ca_id, .code = FAULT_IO };
	assert_int_equal(db_write(world->db, load_broken, &whole, NULL), FAULT_STALE);
	assert_int_equal(whole.code, FAULT_NONE);
}

static void
state_loader__of_a_new_tree(void **state)
{
	AUTO(struct ca_state, ca_state_free) anchor = NULL;
	AUTO(struct ca_state, ca_state_free) issuing = NULL;
	WORLD_OK(load(*state, TA_ID, &anchor, fault));
	assert_int_equal(anchor->kind, CA_TA);
	assert_int_equal(anchor->parent.ca_id, 0);
	assert_false(anchor->current.certified);
	assert_false(anchor->inherits);
	assert_true(anchor->changed);
	assert_int_equal(anchor->objects_count, 0);
	assert_string_equal(anchor->notification_uri, "https://rrdp.example.net/rrdp/notification.xml");
	WORLD_OK(load(*state, ISSUING_ID, &issuing, fault));
	assert_int_equal(issuing->kind, CA_ISSUING);
	assert_int_equal(issuing->parent.ca_id, ONLINE_ID);
	assert_int_equal(issuing->parent.not_after_at, 0);
	assert_true(issuing->inherits);
	assert_true(resource_set_equal(&issuing->resources, &anchor->resources));
}

static void
state_loader__reads_all_of_a_member(void **state)
{
	AUTO(struct ca_state, ca_state_free) loaded = NULL;
	struct world *world = *state;
	int64_t ca_id = world_add_member(world, "member", "192.0.2.0/24, 2001:db8::/32, AS64496");
	world_change_roas(world, ca_id, "192.0.2.0/24", NULL);
	world_change_roas(world, ca_id, "2001:db8::/32", NULL);
	assert_int_equal(world_cut(world), 1);
	world_change_roas(world, ca_id, "192.0.2.0/25", NULL);
	WORLD_OK(load(world, ca_id, &loaded, fault));
	assert_int_equal(loaded->kind, CA_MEMBER);
	assert_int_equal(loaded->parent.ca_id, ISSUING_ID);
	assert_true(loaded->changed);
	assert_true(loaded->current.certified);
	assert_true(loaded->current.certificate.published);
	assert_false(loaded->current.certified_inherits);
	assert_true(resource_set_equal(&loaded->current.certified_resources, &loaded->resources));
	assert_int_equal(loaded->intents_count, 3);
	assert_int_equal(loaded->objects_count, 4);
	assert_int_equal(loaded->issued_payloads_count, 2);
	assert_int_equal(loaded->current.key.crl_number, 1);
	assert_int_equal(loaded->current.key.manifest_number, 1);
	assert_int_equal(loaded->current.key.this_update_at, WORLD_START + 1);
	assert_int_equal(loaded->current.revoked_count, 0);
	assert_non_null(ca_state_object(loaded, loaded->current.key.key_id, OBJECT_CRL));
	assert_non_null(strstr(loaded->parent.certificate_uri, ".cer"));
	for (size_t i = 1; i < loaded->intents_count; i++)
		assert_true(payload_compare(&loaded->intents[i - 1], &loaded->intents[i]) < 0);
	/* Each ROA has its own run of the payloads. */
	for (size_t i = 0; i < loaded->objects_count; i++)
		assert_int_equal(loaded->objects[i].payloads_count, loaded->objects[i].kind == OBJECT_ROA);
}

static void
state_loader__forgets_revocations_of_what_has_expired(void **state)
{
	AUTO(struct ca_state, ca_state_free) fresh = NULL;
	AUTO(struct ca_state, ca_state_free) later = NULL;
	struct world *world = *state;
	int64_t ca_id = world_add_member(world, "member", "192.0.2.0/24");
	world_change_roas(world, ca_id, "192.0.2.0/24", NULL);
	assert_int_equal(world_cut(world), 1);
	world_change_roas(world, ca_id, NULL, "192.0.2.0/24");
	assert_int_equal(world_cut(world), 2);
	WORLD_OK(load(world, ca_id, &fresh, fault));
	/* The ROA's, and that of the manifest which the second replaced. */
	assert_int_equal(fresh->current.revoked_count, 2);
	assert_int_equal(fresh->issued_payloads_count, 0);
	clock_hand_set(&world->clock, WORLD_START + INT64_C(400) * 86400);
	WORLD_OK(load(world, ca_id, &later, fault));
	assert_int_equal(later->current.revoked_count, 0);
}

/* Children are signed for first, and their certificates name their parent's, which isn't there yet. */
static void
state_loader__foretells_where_the_parents_certificate_will_be(void **state)
{
	struct world *world = *state;
	AUTO(struct ca_state, ca_state_free) before = NULL;
	AUTO(struct ca_state, ca_state_free) after = NULL;
	int64_t ca_id = world_add_member(world, "member", "192.0.2.0/24");
	WORLD_OK(load(world, ca_id, &before, fault));
	assert_int_equal(world_cut(world), 1);
	WORLD_OK(load(world, ca_id, &after, fault));
	assert_int_equal(before->parent.not_after_at, 0);
	assert_true(after->parent.not_after_at > WORLD_START);
	assert_string_equal(before->parent.certificate_uri, after->parent.certificate_uri);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(state_loader__knows_no_such_ca),
		CASE(state_loader__refuses_rows_that_do_not_add_up),
		CASE(state_loader__blames_the_ca_above_for_its_rows),
		CASE(state_loader__of_a_new_tree),
		CASE(state_loader__reads_all_of_a_member),
		CASE(state_loader__forgets_revocations_of_what_has_expired),
		CASE(state_loader__foretells_where_the_parents_certificate_will_be),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
