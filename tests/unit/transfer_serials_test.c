/*
 * Transfers as validators see them: real objects, cut by cut. Whatever is asked for in whatever order, and however little a round
 * does, no payload is missing at any serial, no ROA is beyond its CA's certificate, and both sides of a transfer change in one.
 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <fcntl.h>

#include "ca/base/atomic_file.h"
#include "ca/commands/ca_commands.h"
#include "ca/commands/hold_commands.h"
#include "ca/commands/transfer_commands.h"
#include "ca/jobs/cut.h"
#include "ca/resources/resource_list.h"
#include "ca/views/views.h"
#include "db/connection.h"
#include "tests/support/prime_keys.h"
#include "tests/support/world.h"

#define MEMBERS 4
#define BLOCKS 3                        /* of each member at first: 10.m.b×64.0/18, with a ROA each */
#define LIVES 2
#define ROUNDS 40
#define PRIMES 72                       /* enough for all one-time keys of a life: a file's name follows from its key */

struct registry_of_blocks {
	struct world *world;
	int64_t members[MEMBERS];
	int holders[MEMBERS * BLOCKS];
	int64_t last_id;                /* of a transfer */
	unsigned state;                 /* of the random numbers */
	bool faults;                    /* now and then a CA can't be issued for */
};

static int64_t
number(struct world *world, const char *format, ...) PRINTF_LIKE(2, 3);

static int64_t
number(struct world *world, const char *format, ...)
{
	char sql[1024];
	va_list arguments;
	va_start(arguments, format);
	(void)vsnprintf(sql, sizeof sql, format, arguments);
	va_end(arguments);
	return world_number(world, sql);
}

static void
name_block(int block, char text[32])
{
	(void)snprintf(text, 32, "10.%d.%d.0/18", block / BLOCKS, block % BLOCKS * 64);
}

static void
begin(struct registry_of_blocks *registry, struct world *world, unsigned seed)
{
	*registry = (struct registry_of_blocks){ .world = world, .state = seed };
	for (int member = 0; member < MEMBERS; member++) {
		char handle[8], resources[24], block[32];
		(void)snprintf(handle, sizeof handle, "m%d", member);
		(void)snprintf(resources, sizeof resources, "10.%d.0.0/16", member);
		registry->members[member] = world_add_member(world, handle, resources);
		for (int i = member * BLOCKS; i < (member + 1) * BLOCKS; i++) {
			registry->holders[i] = member;
			name_block(i, block);
			world_change_roas(world, registry->members[member], block, NULL);
		}
	}
	assert_int_equal(world_cut(world), 1);
}

static unsigned
draw(struct registry_of_blocks *registry, unsigned below)
{
	registry->state = registry->state * 1103515245U + 12345U;
	return (registry->state >> 16) % below;
}

/* leave: the ROA stays where it is, not held, and the receiver asks for the same. */
static void
transfer(struct registry_of_blocks *registry, int block, int to, bool leave)
{
	AUTO_CLEAR(struct resource_set, resource_set_clear) resources = RESOURCE_SET_INIT;
	AUTO_CLEAR(struct transfer_effect, transfer_effect_clear) effect = TRANSFER_EFFECT_INIT;
	struct complaints complaints = COMPLAINTS_INIT;
	struct roa_entry entry = { .payload = { .asn = 64496, .max_length = 18 } };
	char from_handle[16], to_handle[16], text[32];
	name_block(block, text);
	(void)snprintf(from_handle, sizeof from_handle, "m%d", registry->holders[block]);
	(void)snprintf(to_handle, sizeof to_handle, "m%d", to);
	WORLD_OK(resource_list_parse(text, &resources, fault));
	WORLD_OK(prefix_parse(text, &entry.payload.prefix, fault));
	const struct transfer_request request = {
		.from = from_handle, .to = to_handle, .resources = &resources, .roas = leave ? TRANSFER_LEAVE : TRANSFER_MOVE,
		.added = &entry, .added_count = leave,
	};
	enum fault_code code = transfer_create(&registry->world->context, &world_actor, &request, &complaints, &effect,
		&registry->last_id, NULL);
	complaints_clear(&complaints);
	/* Set aside, or giving and receiving at a time. */
	assert_true(code == FAULT_NONE || code == FAULT_CONFLICT);
	if (code == FAULT_NONE)
		registry->holders[block] = to;
}

/* Each ROA that is published lies within the certificate of its CA that is. */
static void
expect_no_overclaim(struct world *world)
{
	AUTO(struct db_connection, db_reader_release) connection = NULL;
	AUTO(struct stmt, stmt_done) stmt = NULL;
	WORLD_OK(db_reader_acquire(world->db, &connection, fault));
	WORLD_OK(stmt_prepare(connection, "a test", "SELECT p.address AS address, p.prefix_length AS prefix_length, c.resources AS resources "
		"FROM roa_payloads p JOIN objects o ON o.object_id = p.object_id AND o.published_serial IS NOT NULL AND o.withdrawn_serial "
		"IS NULL LEFT JOIN objects c ON c.subject_ca_id = p.ca_id AND c.kind = 'cer' AND c.published_serial IS NOT NULL AND "
		"c.withdrawn_serial IS NULL", &stmt, fault));
	for (;;) {
		AUTO_CLEAR(struct resource_set, resource_set_clear) certified = RESOURCE_SET_INIT;
		struct prefix prefix = { .family = FAMILY_IPV4 };
		bool row;
		WORLD_OK(stmt_step(stmt, &row, fault));
		if (!row)
			return;
		WORLD_OK(resource_set_decode(stmt_blob(stmt, "resources"), &certified, fault));
		memcpy(prefix.address.bytes, stmt_blob(stmt, "address").data, 4);
		prefix.length = (uint8_t)stmt_int(stmt, "prefix_length");
		assert_true(resource_set_holds_prefix(&certified, &prefix));
	}
}

static void
expect_whole(struct world *world)
{
	assert_int_equal(number(world, "SELECT count(*) AS it FROM (SELECT DISTINCT p.asn, p.address, p.prefix_length FROM roa_payloads p "
		"JOIN objects o ON o.object_id = p.object_id WHERE o.published_serial IS NOT NULL AND o.withdrawn_serial IS NULL)"),
		MEMBERS * BLOCKS);
	expect_no_overclaim(world);
}

/* Both sides of what a serial carries have a manifest of that serial. */
static void
expect_together(struct world *world, int64_t serial)
{
	assert_int_equal(number(world, "SELECT count(*) AS it FROM transfers t WHERE t.serial = %" PRId64 " AND 2 <> (SELECT count(*) FROM "
		"objects o WHERE o.kind = 'mft' AND o.published_serial = t.serial AND o.ca_id IN (t.from_ca_id, t.to_ca_id))", serial), 0);
}

/* A round and a cut; what is published then. */
static int64_t
cut(struct registry_of_blocks *registry)
{
	struct world *world = registry->world;
	struct reconcile_result result = { 0 };
	int64_t serial;
	clock_hand_set(&world->clock, clock_now(&world->clock) + 1);
	WORLD_OK(reconcile_members(&world->reconcile, NULL, &result, fault));
	WORLD_OK(reconcile_parents(&world->reconcile, &result, fault));
	WORLD_OK(cut_make(world->db, &world->clock, &serial, fault));
	expect_whole(world);
	/* With one of several receivers set aside, the giver goes after the others: later than them, nothing missing. */
	if (serial != 0 && !registry->faults)
		expect_together(world, serial);
	return serial;
}

/* One that can't be issued for in this round, whatever waits for it; 0: all can. */
static void
set_aside(struct registry_of_blocks *registry, int64_t ca_id)
{
	char sql[256];
	(void)snprintf(sql, sizeof sql, "UPDATE cas SET set_aside_at = NULL, set_aside_reason = NULL; UPDATE cas SET set_aside_at = 5, "
		"set_aside_reason = 'x', version = version + 1 WHERE ca_id = %" PRId64, ca_id);
	world_sql(registry->world, sql);
}

static void
live(struct world *world, unsigned seed)
{
	struct registry_of_blocks registry;
	begin(&registry, world, seed);
	registry.faults = seed % 2 == 0;
	for (int round = 0; round < ROUNDS; round++) {
		for (unsigned left = 1 + draw(&registry, 3); left > 0; left--) {
			int block = (int)draw(&registry, MEMBERS * BLOCKS);
			int to = (registry.holders[block] + 1 + (int)draw(&registry, MEMBERS - 1)) % MEMBERS;
			transfer(&registry, block, to, draw(&registry, 3) == 0);
		}
		unsigned which = draw(&registry, 2 * MEMBERS);
		set_aside(&registry, registry.faults && which < MEMBERS ? registry.members[which] : 0);
		(void)cut(&registry);
	}
	set_aside(&registry, 0);
	(void)cut(&registry);
	assert_in_range(number(world, "SELECT count(*) AS it FROM transfers"), ROUNDS / 2, 3 * ROUNDS);
	assert_int_equal(number(world, "SELECT count(*) AS it FROM transfers WHERE serial IS NULL"), 0);
	assert_int_equal(number(world, "SELECT count(*) AS it FROM cas WHERE change_group IS NOT NULL"), 0);
	assert_int_equal(number(world, "SELECT count(*) AS it FROM cas WHERE set_aside_at IS NOT NULL"), 0);
}

static void
transfer_serials__no_payload_is_ever_missing(void **state)
{
	(void)state;
	prime_keys_prepare(PRIMES);
	for (unsigned seed = 1; seed <= LIVES; seed++) {
		struct world world = { .ca_keys = prime_keys_ca_source(), .onetime_keys = prime_keys_onetime_source() };
		world_lay(&world, WORLD_START);
		live(&world, seed);
		world_stop(&world);
		WORLD_OK(atomic_file_remove_tree(AT_FDCWD, world.directory, fault));
	}
}

static enum fault_code
note_state(void *argument, const struct transfer_row *row, struct fault *fault)
{
	(void)fault;
	(void)snprintf(argument, 64, "%s %" PRId64 " %s", row->state, row->serial, row->published_at != 0 ? "published" : "not yet");
	return FAULT_NONE;
}

static const char *
state_of(struct registry_of_blocks *registry)
{
	static char text[64];
	AUTO(struct db_connection, db_reader_release) connection = NULL;
	WORLD_OK(db_reader_acquire(registry->world->db, &connection, fault));
	WORLD_OK(transfer_view_get(connection, registry->last_id, note_state, text, fault));
	return text;
}

static void
transfer_serials__is_done_with_the_notification(void **state)
{
	struct registry_of_blocks registry;
	begin(&registry, *state, 1);
	transfer(&registry, 0, 1, false);
	assert_string_equal(state_of(&registry), "issuing 0 not yet");
	assert_int_equal(cut(&registry), 2);
	assert_string_equal(state_of(&registry), "issuing 2 not yet");
	world_sql(registry.world, "UPDATE repositories SET notified_serial = 1");
	assert_string_equal(state_of(&registry), "issuing 2 not yet");
	world_sql(registry.world, "UPDATE repositories SET notified_serial = 2; UPDATE cuts SET notified_at = cut_at WHERE serial = 2");
	assert_string_equal(state_of(&registry), "done 2 published");
	/* Another change of either has nothing to do with it. */
	world_change_roas(registry.world, registry.members[1], "10.1.0.0/24", NULL);
	assert_string_equal(state_of(&registry), "done 2 published");
}

/* The receiver can't be issued for: the giver keeps what it has until that is repaired. */
static void
transfer_serials__the_giver_waits_for_the_receiver(void **state)
{
	struct registry_of_blocks registry;
	char sql[128];
	begin(&registry, *state, 2);
	transfer(&registry, 0, 1, false);
	(void)snprintf(sql, sizeof sql, "UPDATE cas SET set_aside_at = 5, set_aside_reason = 'x' WHERE ca_id = %" PRId64,
		registry.members[1]);
	world_sql(registry.world, sql);
	world_change_roas(registry.world, registry.members[2], NULL, "10.2.0.0/18");
	world_change_roas(registry.world, registry.members[2], "10.2.0.0/18", NULL);
	(void)cut(&registry);
	assert_string_equal(state_of(&registry), "issuing 0 not yet");
	expect_whole(registry.world);
	WORLD_OK(ca_repair(&registry.world->context, &world_actor, registry.members[1], fault));
	int64_t serial = cut(&registry);
	assert_true(serial > 0);
	assert_int_equal(number(registry.world, "SELECT serial AS it FROM transfers"), serial);
}

/* And as long as that takes: what the giver has is renewed, as that of a member on hold. */
static void
transfer_serials__a_giver_that_waits_is_renewed(void **state)
{
	struct registry_of_blocks registry;
	char sql[128];
	begin(&registry, *state, 2);
	struct world *world = registry.world;
	transfer(&registry, 0, 1, false);
	(void)snprintf(sql, sizeof sql, "UPDATE cas SET set_aside_at = 5, set_aside_reason = 'x' WHERE ca_id = %" PRId64,
		registry.members[1]);
	world_sql(world, sql);
	for (int hours = 0; hours < 60; hours += 6) {
		clock_hand_set(&world->clock, clock_now(&world->clock) + 6 * 3600);
		(void)world_cut(world);
		assert_int_equal(number(world, "SELECT count(*) AS it FROM objects WHERE kind = 'mft' AND published_serial IS NOT NULL AND "
			"withdrawn_serial IS NULL AND ca_id = %" PRId64 " AND not_after_at > %" PRId64, registry.members[0],
			clock_now(&world->clock) + 6 * 3600), 1);
	}
	assert_string_equal(state_of(&registry), "issuing 0 not yet");
	expect_no_overclaim(world);
	WORLD_OK(ca_repair(&world->context, &world_actor, registry.members[1], fault));
	int64_t serial = cut(&registry);
	assert_true(serial > 0);
	assert_int_equal(number(world, "SELECT serial AS it FROM transfers"), serial);
}

/* Suspended and resumed right after a transfer: what comes back is what it holds then. */
static void
transfer_serials__goes_with_a_suspension(void **state)
{
	struct registry_of_blocks registry;
	begin(&registry, *state, 3);
	struct world *world = registry.world;
	transfer(&registry, 0, 1, false);
	WORLD_OK(ca_suspend(&world->context, &world_actor, registry.members[0], fault));
	assert_int_equal(world_cut(world), 2);
	expect_no_overclaim(world);
	assert_int_equal(number(world, "SELECT count(*) AS it FROM roa_payloads p JOIN objects o ON o.object_id = p.object_id WHERE "
		"o.published_serial IS NOT NULL AND o.withdrawn_serial IS NULL AND p.ca_id = %" PRId64, registry.members[0]), 0);
	assert_int_equal(number(world, "SELECT serial AS it FROM transfers"), 2);
	WORLD_OK(ca_resume(&world->context, &world_actor, registry.members[0], fault));
	assert_int_equal(cut(&registry), 3);
}

#define CASE(name) cmocka_unit_test_setup_teardown(transfer_serials__##name, world_open, world_close)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(transfer_serials__no_payload_is_ever_missing),
		CASE(is_done_with_the_notification),
		CASE(the_giver_waits_for_the_receiver),
		CASE(a_giver_that_waits_is_renewed),
		CASE(goes_with_a_suspension),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
