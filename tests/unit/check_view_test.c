#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "ca/views/check_view.h"
#include "tests/support/served.h"

#define CASE(name) cmocka_unit_test_setup_teardown(name, served_open, served_close)

static enum fault_code
take_key(void *argument, const char *handle, struct span key_identifier, struct fault *fault)
{
	uint8_t *alpha = argument;
	(void)fault;
	assert_int_equal(key_identifier.length, 20);
	if (strcmp(handle, "alpha") == 0)
		memcpy(alpha, key_identifier.data, 20);
	++alpha[20];
	return FAULT_NONE;
}

/* The key identifier of alpha, in whose list so many CAs are. */
static void
alpha_key(struct served *served, int64_t serial, size_t cas, uint8_t ret_key[21])
{
	memset(ret_key, 0, 21);
	WORLD_OK(check_view_cas(served->world->db, served->world->repository_id, serial, take_key, ret_key, fault));
	assert_int_equal(ret_key[20], cas);
}

static struct check_ca
find(struct served *served, const uint8_t *key, int64_t serial)
{
	struct check_ca ca;
	bool found;
	WORLD_OK(check_view_ca(served->world->db, served->world->repository_id, key, serial, &ca, &found, fault));
	assert_true(found);
	return ca;
}

static void
check_view__knows_no_such_things(void **state)
{
	struct served *served = *state;
	static const uint8_t key[20];
	struct check_repository repository;
	struct check_ca ca;
	bool found = true;
	assert_int_equal(check_view_repository(served->world->db, 99, &repository, NULL), FAULT_NOT_FOUND);
	WORLD_OK(check_view_ca(served->world->db, served->world->repository_id, key, 3, &ca, &found, fault));
	assert_false(found);
}

static void
check_view__tells_which_cas_are_settled(void **state)
{
	struct served *served = *state;
	uint8_t key[21];
	alpha_key(served, 3, 6, key);
	struct check_ca ca = find(served, key, 3);
	assert_int_equal(ca.ca_id, served->alpha);
	assert_string_equal(ca.handle, "alpha");
	assert_true(ca.current && ca.settled && !ca.suspended);
	assert_int_equal(ca.manifest_number, 3);
	/* The serial before, of which it has moved on since: its numbers say nothing of that. */
	ca = find(served, key, 2);
	assert_false(ca.settled);
	assert_int_equal(ca.manifest_number, 0);
	world_change_roas(served->world, served->alpha, "203.0.113.0/24", NULL);
	assert_false(find(served, key, 3).settled);
	alpha_key(served, 3, 5, key);
}

static enum fault_code
count_payload(void *argument, const struct payload *payload, struct fault *fault)
{
	(void)fault;
	assert_int_equal(payload->asn, 64496);
	++*(size_t *)argument;
	return FAULT_NONE;
}

/* What is asked for and not held is nothing that should be there. */
static void
check_view__gives_what_is_held(void **state)
{
	struct served *served = *state;
	size_t count = 0;
	world_change_roas(served->world, served->alpha, "203.0.113.0/24", NULL);
	WORLD_OK(check_view_payloads(served->world->db, served->alpha, count_payload, &count, fault));
	assert_int_equal(count, 3);
	world_sql(served->world, "UPDATE roas SET address = x'0a000000' WHERE ca_id = 4 AND address = x'cb007100'");
	count = 0;
	WORLD_OK(check_view_payloads(served->world->db, served->alpha, count_payload, &count, fault));
	assert_int_equal(count, 2);
}

static enum fault_code
count_object(void *argument, const struct check_object_row *row, struct fault *fault)
{
	size_t *counts = argument;
	(void)fault;
	counts[row->trust_anchor]++;
	assert_int_equal(row->hash.length, 32);
	return FAULT_NONE;
}

static enum fault_code
refuse(void *argument, const struct check_object_row *row, struct fault *fault)
{
	(void)argument;
	(void)row;
	return fault_set(fault, FAULT_BUSY, "enough");
}

static void
check_view__gives_the_state_of_any_serial(void **state)
{
	struct served *served = *state;
	struct world *world = served->world;
	size_t first[2] = { 0 }, last[2] = { 0 };
	WORLD_OK(check_view_state(world->db, world->repository_id, 1, count_object, first, fault));
	WORLD_OK(check_view_state(world->db, world->repository_id, 3, count_object, last, fault));
	assert_int_equal(first[1], 1);
	assert_int_equal(last[0], first[0] + 3);
	assert_int_equal(check_view_state(world->db, world->repository_id, 3, refuse, NULL, NULL), FAULT_BUSY);
}

static bool
awaits(struct served *served, const char *path)
{
	bool waits;
	WORLD_OK(check_view_awaits(served->world->db, served->world->repository_id, path, &waits, fault));
	return waits;
}

/* The online CA's next key signs its manifest before the trust anchor's machine has certified it. */
static void
check_view__tells_what_awaits_a_ceremony(void **state)
{
	struct served *served = *state;
	struct world *world = served->world;
	world_sql(world, "UPDATE objects SET path = 'online.mft' WHERE kind = 'mft' AND ca_id = 2 AND withdrawing = 0"
		" AND withdrawn_serial IS NULL");
	world_sql(world, "UPDATE keys SET state = 'staged' WHERE ca_id = 2");
	assert_false(awaits(served, "online.mft"));
	assert_false(awaits(served, "ta/ta.cer"));
	world_sql(world, "UPDATE keys SET handle = NULL WHERE ca_id = 1");
	assert_true(awaits(served, "online.mft"));
	assert_false(awaits(served, "ta/ta.cer"));
	assert_false(awaits(served, "another.mft"));
	world_sql(world, "UPDATE keys SET state = 'current' WHERE ca_id = 2");
	assert_false(awaits(served, "online.mft"));
	world_sql(world, "UPDATE objects SET withdrawing = 1 WHERE kind = 'ta'");
	assert_true(awaits(served, "ta/ta.cer"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(check_view__knows_no_such_things),
		CASE(check_view__tells_which_cas_are_settled),
		CASE(check_view__gives_what_is_held),
		CASE(check_view__gives_the_state_of_any_serial),
		CASE(check_view__tells_what_awaits_a_ceremony),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
