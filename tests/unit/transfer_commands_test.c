#include "ca/commands/transfer_commands.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "ca/commands/hold_commands.h"
#include "ca/views/views.h"
#include "tests/unit/registry.h"

#define LAST_AUDIT "SELECT action || '|' || COALESCE(ca_handle, 'none') || '|' || outcome || '|' || detail AS it FROM audit" \
	" ORDER BY audit_id DESC LIMIT 1"

/* What all cases work with: two members, and the effect of the last command. */
struct parties {
	struct registry *registry;
	int64_t alpha, beta, transfer_id;
	struct transfer_effect effect;
};

static int
setup(void **state)
{
	struct parties *parties = calloc(1, sizeof *parties);
	void *registry;
	if (parties == NULL || registry_setup(&registry) != 0)
		return -1;
	parties->registry = registry;
	parties->alpha = registry_member_id(registry, "alpha", "AS64496-AS64511 10.0.0.0/16 2001:db8::/32");
	parties->beta = registry_member_id(registry, "beta", "AS64600 192.0.2.0/24");
	registry_sql(registry, "UPDATE cas SET changed_at = NULL");
	*state = parties;
	return 0;
}

static int
teardown(void **state)
{
	struct parties *parties = *state;
	void *registry = parties->registry;
	transfer_effect_clear(&parties->effect);
	free(parties);
	return registry_teardown(&registry);
}

/* "AS64496 10.0.0.0/24-25": an intent, written as the member would. */
static void
want(struct parties *parties, int64_t ca_id, const char *prefix, unsigned asn, unsigned max_length)
{
	struct roa_entry entry = { .payload = { .asn = asn, .max_length = (uint8_t)max_length }, .comment = "mine" };
	struct roa_change change = { .added = &entry, .added_count = 1 };
	int64_t version;
	registry_forget(parties->registry);
	assert_int_equal(prefix_parse(prefix, &entry.payload.prefix, NULL), FAULT_NONE);
	if (roas_change(&parties->registry->context, &registry_admin, ca_id, &change, NULL, NULL, &parties->registry->complaints,
		&version, &parties->registry->fault) != FAULT_NONE)
		fail_msg("%s", parties->registry->fault.message);
}

static enum fault_code
note(void *argument, const struct roa_row *row, struct fault *fault)
{
	char *text = argument, payload[PAYLOAD_TEXT];
	size_t length = strlen(text);
	(void)fault;
	payload_text(&row->payload, payload);
	(void)snprintf(text + length, 2048 - length, "%s%s%s", length > 0 ? ", " : "", payload,
		row->status == ROA_NOT_HELD ? " not held" : "");
	return FAULT_NONE;
}

static const char *
roas(struct parties *parties, int64_t ca_id)
{
	static char text[2048];
	AUTO(struct db_connection, db_reader_release) connection = NULL;
	int64_t version;
	text[0] = '\0';
	assert_int_equal(db_reader_acquire(parties->registry->db, &connection, NULL), FAULT_NONE);
	assert_int_equal(roa_view_list(connection, ca_id, note, text, &version, NULL), FAULT_NONE);
	return text;
}

static enum fault_code
note_resources(void *argument, const struct ca_row *row, struct fault *fault)
{
	(void)fault;
	return resource_set_copy(row->resources, argument, NULL);
}

/* Holds exactly these, in its row and in the rows of holdings. */
static void
expect_holds(struct parties *parties, int64_t ca_id, const char *resources)
{
	AUTO(struct db_connection, db_reader_release) connection = NULL;
	AUTO_CLEAR(struct resource_set, resource_set_clear) expected = registry_resources(resources);
	AUTO_CLEAR(struct resource_set, resource_set_clear) held = RESOURCE_SET_INIT;
	assert_int_equal(db_reader_acquire(parties->registry->db, &connection, NULL), FAULT_NONE);
	assert_int_equal(ca_view_get(connection, ca_id, note_resources, &held, NULL), FAULT_NONE);
	assert_true(resource_set_equal(&held, &expected));
	assert_int_equal(registry_number(parties->registry, "SELECT count(*) AS it FROM holdings WHERE ca_id = %" PRId64, ca_id),
		resource_set_ranges(&expected));
}

static enum fault_code
create(struct parties *parties, struct transfer_request request, const char *resources)
{
	struct registry *registry = parties->registry;
	AUTO_CLEAR(struct resource_set, resource_set_clear) set = registry_resources(resources);
	request.resources = &set;
	registry_forget(registry);
	return transfer_create(&registry->context, &registry_operator, &request, &registry->complaints, &parties->effect,
		&parties->transfer_id, &registry->fault);
}

static enum fault_code
complete(struct parties *parties, const enum transfer_straddling *straddling, bool dry_run)
{
	struct registry *registry = parties->registry;
	registry_forget(registry);
	return transfer_complete(&registry->context, &registry_operator, parties->transfer_id, straddling, dry_run,
		&registry->complaints, &parties->effect, &registry->fault);
}

/* As a cut ends it. */
static void
publish(struct parties *parties)
{
	registry_sql(parties->registry, "UPDATE cas SET changed_at = NULL, change_group = NULL, change_last = 0");
}

static const char *
transfer_state(struct parties *parties)
{
	return registry_text(parties->registry, "SELECT state AS it FROM transfers WHERE transfer_id = %" PRId64, parties->transfer_id);
}

#define ALPHA_TO_BETA ((struct transfer_request){ .from = "alpha", .to = "beta" })
#define ALPHA_TO_NOBODY ((struct transfer_request){ .from = "alpha" })
#define NOBODY_TO_BETA ((struct transfer_request){ .to = "beta" })

static void
transfer_commands__moves_resources_and_roas_in_one_change(void **state)
{
	struct parties *parties = *state;
	struct registry *registry = parties->registry;
	want(parties, parties->alpha, "10.0.0.0/24", 64496, 24);
	want(parties, parties->alpha, "10.0.128.0/24", 64497, 25);
	registry_sql(registry, "UPDATE cas SET changed_at = NULL");
	int wakes = registry->wakes;
	clock_hand_set(&registry->clock, REGISTRY_NOW + 60);
	assert_int_equal(create(parties, ALPHA_TO_BETA, "AS64500 10.0.0.0/17 2001:db8:8000::/33"), FAULT_NONE);
	assert_int_equal(registry->wakes, wakes + 1);
	expect_holds(parties, parties->alpha, "AS64496-AS64499 AS64501-AS64511 10.0.128.0/17 2001:db8::/33");
	expect_holds(parties, parties->beta, "AS64500 AS64600 10.0.0.0/17 192.0.2.0/24 2001:db8:8000::/33");
	assert_string_equal(roas(parties, parties->alpha), "AS64497 10.0.128.0/24-25");
	assert_string_equal(roas(parties, parties->beta), "AS64496 10.0.0.0/24");
	/* The ROA moves as it is: its comment, and since when it is there. */
	assert_string_equal(registry_text(registry, "SELECT comment || ' ' || created_at AS it FROM roas WHERE ca_id = %" PRId64,
		parties->beta), "mine 1767225600");
	/* Both are due since the same instant, in a group of their own, the giver last. */
	assert_string_equal(registry_text(registry, "SELECT group_concat(handle || ' ' || changed_at || ' ' || change_group || ' ' || "
		"change_last || ' ' || roas_count, ', ') AS it FROM (SELECT * FROM cas WHERE changed_at IS NOT NULL ORDER BY handle)"),
		"alpha 1767225660 1 1 1, beta 1767225660 1 0 1");
	assert_int_equal(parties->effect.within, 1);
	assert_int_equal(parties->effect.straddling, 0);
	assert_string_equal(transfer_state(parties), "issuing");
	/* In the audit of both, where neither finds the other's name. */
	assert_string_equal(registry_text(registry, "SELECT group_concat(ca_handle || ': ' || detail, ' / ') AS it FROM (SELECT * FROM audit"
		" WHERE action = 'transfer.create' AND outcome = 'done' ORDER BY ca_handle)"),
		"alpha: transfer 1 of AS64500, 10.0.0.0/17, 2001:db8:8000::/33 to another member: 1 ROAs move, 0 straddling (refuse), 0 added"
		" / beta: transfer 1 of AS64500, 10.0.0.0/17, 2001:db8:8000::/33 from another member: 1 ROAs move, 0 straddling (refuse), "
		"0 added");
}

static void
transfer_commands__leaves_roas_where_they_are(void **state)
{
	struct parties *parties = *state;
	want(parties, parties->alpha, "10.0.0.0/24", 64496, 24);
	want(parties, parties->alpha, "10.0.1.0/24", 64496, 24);
	/* Beta has asked for one of them, in vain until now. */
	registry_sql(parties->registry, "INSERT INTO roas SELECT %" PRId64 ", asn, family, address, prefix_length, max_length, NULL, 5 "
		"FROM roas WHERE address = X'0A000000'; UPDATE cas SET roas_count = 1 WHERE ca_id = %" PRId64, parties->beta,
		parties->beta);
	struct transfer_request request = ALPHA_TO_BETA;
	request.roas = TRANSFER_LEAVE;
	assert_int_equal(create(parties, request, "10.0.0.0/23"), FAULT_NONE);
	assert_string_equal(roas(parties, parties->alpha), "AS64496 10.0.0.0/24 not held, AS64496 10.0.1.0/24 not held");
	assert_string_equal(roas(parties, parties->beta), "AS64496 10.0.0.0/24");
	assert_int_equal(parties->effect.within, 2);
	assert_int_equal(parties->effect.wanted, 1);
	assert_int_equal(parties->effect.gained, 1);
	/* And back: what stayed comes alive again; beta's is not held, as it was. */
	publish(parties);
	request.from = "beta";
	request.to = "alpha";
	assert_int_equal(create(parties, request, "10.0.0.0/23"), FAULT_NONE);
	assert_string_equal(roas(parties, parties->alpha), "AS64496 10.0.0.0/24, AS64496 10.0.1.0/24");
	assert_string_equal(roas(parties, parties->beta), "AS64496 10.0.0.0/24 not held");
	expect_holds(parties, parties->alpha, "AS64496-AS64511 10.0.0.0/16 2001:db8::/32");
}

static void
transfer_commands__moved_roas_merge_with_those_that_are_wanted(void **state)
{
	struct parties *parties = *state;
	want(parties, parties->alpha, "10.0.0.0/24", 64496, 24);
	registry_sql(parties->registry, "INSERT INTO roas VALUES (%" PRId64 ", 64496, 4, X'0A000000', 24, 24, 'theirs', 5);"
		"UPDATE cas SET roas_count = 1 WHERE ca_id = %" PRId64, parties->beta, parties->beta);
	assert_int_equal(create(parties, ALPHA_TO_BETA, "10.0.0.0/24"), FAULT_NONE);
	assert_string_equal(roas(parties, parties->alpha), "");
	assert_string_equal(registry_text(parties->registry, "SELECT comment AS it FROM roas"), "theirs");
	assert_string_equal(registry_text(parties->registry, "SELECT group_concat(roas_count, ' ') AS it FROM (SELECT roas_count FROM cas "
		"WHERE kind = 'member' ORDER BY handle)"), "0 1");
}

static void
transfer_commands__refuses_what_straddles_and_proposes(void **state)
{
	struct parties *parties = *state;
	want(parties, parties->alpha, "10.0.0.0/22", 64496, 24);
	assert_int_equal(create(parties, ALPHA_TO_BETA, "10.0.1.0/24"), FAULT_CONFLICT);
	assert_string_equal(parties->registry->fault.message, "1 of the ROAs of CA \"alpha\" lies in these resources with a part only: "
		"say with \"straddling\" whether to replace them as proposed or to keep them, not held");
	const struct transfer_effect *effect = &parties->effect;
	assert_true(effect->known);
	assert_true(effect->undecided);
	assert_int_equal(effect->straddling, 1);
	assert_int_equal(effect->roas[0].remaining, 2);
	assert_int_equal(effect->roas[0].transferred, 1);
	char text[3][PAYLOAD_TEXT];
	for (size_t i = 0; i < 3; i++)
		payload_text(&effect->replacements[i], text[i]);
	assert_string_equal(text[0], "AS64496 10.0.0.0/24");
	assert_string_equal(text[1], "AS64496 10.0.2.0/23-24");
	assert_string_equal(text[2], "AS64496 10.0.1.0/24");
	/* Nothing was done; the refusal is audited for staff alone, as it may tell of both. */
	expect_holds(parties, parties->beta, "AS64600 192.0.2.0/24");
	assert_int_equal(registry_number(parties->registry, "SELECT count(*) AS it FROM transfers"), 0);
	assert_int_equal(registry_number(parties->registry, "SELECT count(*) AS it FROM audit WHERE action = 'transfer.create' AND outcome "
		"= 'conflict' AND ca_id IS NULL"), 1);
}

static void
transfer_commands__replaces_or_keeps_what_straddles(void **state)
{
	struct parties *parties = *state;
	struct transfer_request request = ALPHA_TO_BETA;
	want(parties, parties->alpha, "10.0.0.0/22", 64496, 24);
	request.straddling = TRANSFER_KEEP;
	assert_int_equal(create(parties, request, "10.0.0.0/24"), FAULT_NONE);
	assert_string_equal(roas(parties, parties->alpha), "AS64496 10.0.0.0/22-24 not held");
	assert_string_equal(roas(parties, parties->beta), "");
	struct transfer_request back = { .from = "beta", .to = "alpha" };
	publish(parties);
	assert_int_equal(create(parties, back, "10.0.0.0/24"), FAULT_NONE);
	publish(parties);
	assert_string_equal(roas(parties, parties->alpha), "AS64496 10.0.0.0/22-24");
	request.straddling = TRANSFER_REPLACE;
	assert_int_equal(create(parties, request, "10.0.0.0/24"), FAULT_NONE);
	assert_string_equal(roas(parties, parties->alpha), "AS64496 10.0.1.0/24, AS64496 10.0.2.0/23-24");
	assert_string_equal(roas(parties, parties->beta), "AS64496 10.0.0.0/24");
	assert_string_equal(registry_text(parties->registry, "SELECT group_concat(roas_count, ' ') AS it FROM (SELECT roas_count FROM cas "
		"WHERE kind = 'member' ORDER BY handle)"), "2 1");
	assert_int_equal(registry_number(parties->registry, "SELECT roas_added AS it FROM transfers WHERE transfer_id = %" PRId64,
		parties->transfer_id), 3);
	/* Left with the giver, only its own part is replaced. */
	request.roas = TRANSFER_LEAVE;
	assert_int_equal(create(parties, request, "10.0.2.0/24"), FAULT_NONE);
	assert_string_equal(roas(parties, parties->alpha), "AS64496 10.0.1.0/24, AS64496 10.0.3.0/24");
	assert_string_equal(roas(parties, parties->beta), "AS64496 10.0.0.0/24");
}

/* What was not held before is not touched, wherever it lies. */
static void
transfer_commands__passes_over_roas_that_are_not_held(void **state)
{
	struct parties *parties = *state;
	registry_sql(parties->registry, "INSERT INTO roas VALUES (%" PRId64 ", 64496, 4, X'0A000000', 15, 24, NULL, 5),"
		" (%" PRId64 ", 64496, 4, X'C0000200', 24, 24, NULL, 5)", parties->alpha, parties->alpha);
	assert_int_equal(create(parties, ALPHA_TO_BETA, "10.0.0.0/24"), FAULT_NONE);
	assert_int_equal(parties->effect.roas_count, 0);
	assert_string_equal(roas(parties, parties->alpha), "AS64496 10.0.0.0/15-24 not held, AS64496 192.0.2.0/24 not held");
}

static void
transfer_commands__a_dry_run_keeps_nothing(void **state)
{
	struct parties *parties = *state;
	struct transfer_request request = ALPHA_TO_BETA;
	request.dry_run = true;
	want(parties, parties->alpha, "10.0.0.0/24", 64496, 24);
	want(parties, parties->alpha, "10.0.0.0/22", 64496, 24);
	int64_t audited = registry_number(parties->registry, "SELECT count(*) AS it FROM audit");
	assert_int_equal(create(parties, request, "10.0.0.0/24"), FAULT_NONE);
	assert_int_equal(parties->effect.within, 1);
	assert_int_equal(parties->effect.straddling, 1);
	assert_true(parties->effect.undecided);
	request.straddling = TRANSFER_REPLACE;
	assert_int_equal(create(parties, request, "10.0.0.0/24"), FAULT_NONE);
	assert_false(parties->effect.undecided);
	expect_holds(parties, parties->alpha, "AS64496-AS64511 10.0.0.0/16 2001:db8::/32");
	assert_string_equal(roas(parties, parties->alpha), "AS64496 10.0.0.0/22-24, AS64496 10.0.0.0/24");
	assert_int_equal(registry_number(parties->registry, "SELECT count(*) AS it FROM transfers"), 0);
	assert_int_equal(registry_number(parties->registry, "SELECT count(*) AS it FROM cas WHERE change_group IS NOT NULL"), 0);
	assert_int_equal(create(parties, request, "11.0.0.0/24"), FAULT_INVALID);
	assert_int_equal(registry_number(parties->registry, "SELECT count(*) AS it FROM audit"), audited);
}

static void
transfer_commands__gives_the_receiver_roas(void **state)
{
	struct parties *parties = *state;
	struct roa_entry entries[] = { { .payload = { .asn = 64600, .max_length = 24 }, .comment = "new", .index = 0 },
		{ .payload = { .asn = 64600, .max_length = 23 }, .index = 1 } };
	struct transfer_request request = ALPHA_TO_BETA;
	request.added = entries;
	request.added_count = 1;
	assert_int_equal(prefix_parse("10.0.0.0/24", &entries[0].payload.prefix, NULL), FAULT_NONE);
	assert_int_equal(prefix_parse("10.0.2.0/23", &entries[1].payload.prefix, NULL), FAULT_NONE);
	want(parties, parties->alpha, "10.0.0.0/24", 64496, 24);
	request.added_count = 2;
	assert_int_equal(create(parties, request, "10.0.0.0/24"), FAULT_INVALID);
	assert_string_equal(registry_complaints(parties->registry),
		"added[1].prefix: AS64600 10.0.2.0/23 is not within what CA \"beta\" would hold\n");
	entries[0].comment = "line\nbreak";
	request.added_count = 1;
	assert_int_equal(create(parties, request, "10.0.0.0/24"), FAULT_INVALID);
	entries[0].comment = "new";
	assert_int_equal(create(parties, request, "10.0.0.0/24"), FAULT_NONE);
	assert_string_equal(roas(parties, parties->beta), "AS64496 10.0.0.0/24, AS64600 10.0.0.0/24");
	request = ALPHA_TO_NOBODY;
	request.added = entries;
	request.added_count = 1;
	assert_int_equal(create(parties, request, "10.0.1.0/24"), FAULT_INVALID);
}

static void
transfer_commands__complains_of_everything_at_once(void **state)
{
	struct parties *parties = *state;
	struct registry *registry = parties->registry;
	assert_int_equal(create(parties, ALPHA_TO_BETA, "AS64511-AS64512 10.0.0.0/15 192.0.2.128/25 203.0.113.0/24 2001:db7::/32"),
		FAULT_INVALID);
	assert_string_equal(registry_complaints(registry),
		"resources.asns[0]: AS64512 is not held by CA \"alpha\"\n"
		"resources.ipv4[0]: 10.1.0.0/16 is not held by CA \"alpha\"\n"
		"resources.ipv4[1]: 192.0.2.128/25 is not held by CA \"alpha\"\n"
		"resources.ipv4[2]: 203.0.113.0/24 is not held by CA \"alpha\"\n"
		"resources.ipv6[0]: 2001:db7::/32 is not held by CA \"alpha\"\n"
		"resources.ipv4[1]: 192.0.2.128/25 is held by CA \"beta\" already\n"
		"resources.ipv6[0]: 2001:db7::/32 is not held by the CA above, \"online\": add it there first (cadastre ca set online --add)\n");
	struct transfer_request request = { .from = "gamma", .to = "gamma" };
	assert_int_equal(create(parties, request, ""), FAULT_INVALID);
	assert_string_equal(registry_complaints(registry),
		"[0].to: is the member that the resources come from\n"
		"[0].resources: names nothing that could be transferred\n"
		"[0].from: there is no CA \"gamma\"\n"
		"[0].to: there is no CA \"gamma\"\n");
	assert_string_equal(registry->fault.message, "to: is the member that the resources come from (and 3 more)");
	assert_int_equal(create(parties, (struct transfer_request){ .roas = TRANSFER_MOVE }, "10.0.0.0/24"), FAULT_INVALID);
	assert_string_equal(registry_complaints(registry),
		"[0].to: is missing: from, to or both name a member of this registry\n");
	request = (struct transfer_request){ .from = "online", .to = "beta" };
	assert_int_equal(create(parties, request, "10.200.0.0/16"), FAULT_CONFLICT);
	request.from = "alpha";
	request.to = "issuing";
	assert_int_equal(create(parties, request, "10.0.0.0/24"), FAULT_CONFLICT);
	assert_string_equal(registry->fault.message,
		"to: is one of the engine's own CAs: resources are transferred between members");
	assert_int_equal(registry_number(registry, "SELECT count(*) AS it FROM transfers"), 0);
}

static void
transfer_commands__refuses_sides_that_are_not_at_work(void **state)
{
	struct parties *parties = *state;
	struct registry *registry = parties->registry;
	assert_int_equal(ca_hold(&registry->context, &registry_operator, parties->alpha, NULL), FAULT_NONE);
	registry_sql(registry, "UPDATE cas SET set_aside_at = 5, set_aside_reason = 'lint' WHERE ca_id = %" PRId64, parties->beta);
	assert_int_equal(create(parties, ALPHA_TO_BETA, "10.0.0.0/24"), FAULT_CONFLICT);
	assert_string_equal(registry_complaints(registry),
		"[0].from: CA \"alpha\" is on hold, so its half would wait: release it first (cadastre ca release)\n"
		"[0].to: CA \"beta\" is set aside, so nothing would be issued for it: see cadastre ca show, then cadastre ca repair\n");
	assert_int_equal(create(parties, ALPHA_TO_NOBODY, "10.0.0.0/24"), FAULT_CONFLICT);
	assert_int_equal(ca_release(&registry->context, &registry_operator, parties->alpha, NULL), FAULT_NONE);
	assert_int_equal(ca_repair(&registry->context, &registry_operator, parties->beta, NULL), FAULT_NONE);
	/* Away from a suspended member is well: nothing of it is published. To one is not. */
	assert_int_equal(ca_suspend(&registry->context, &registry_operator, parties->beta, NULL), FAULT_NONE);
	assert_int_equal(create(parties, ALPHA_TO_BETA, "10.0.0.0/24"), FAULT_CONFLICT);
	struct transfer_request away = { .from = "beta", .to = "alpha" };
	assert_int_equal(create(parties, away, "192.0.2.0/25"), FAULT_NONE);
	publish(parties);
	assert_int_equal(ca_delete(&registry->context, &registry_operator, parties->beta, NULL), FAULT_NONE);
	assert_int_equal(create(parties, away, "192.0.2.128/25"), FAULT_CONFLICT);
	assert_int_equal(create(parties, ALPHA_TO_BETA, "10.0.0.0/24"), FAULT_CONFLICT);
	assert_string_equal(registry->fault.message, "to: CA \"beta\" is being deleted");
}

static void
transfer_commands__is_for_staff(void **state)
{
	struct parties *parties = *state;
	struct registry *registry = parties->registry;
	const struct actor member = registry_member(parties->alpha);
	const struct actor unbound = { .name = "x", .role = ROLE_MEMBER };
	AUTO_CLEAR(struct resource_set, resource_set_clear) set = registry_resources("10.0.0.0/24");
	struct transfer_request request = ALPHA_TO_BETA;
	request.resources = &set;
	assert_int_equal(transfer_create(&registry->context, &member, &request, &registry->complaints, &parties->effect,
		&parties->transfer_id, NULL), FAULT_NOT_FOUND);
	assert_int_equal(transfer_create(&registry->context, &unbound, &request, &registry->complaints, &parties->effect,
		&parties->transfer_id, NULL), FAULT_NOT_FOUND);
	assert_int_equal(create(parties, ALPHA_TO_NOBODY, "10.0.0.0/24"), FAULT_NONE);
	assert_int_equal(transfer_complete(&registry->context, &member, parties->transfer_id, NULL, false, &registry->complaints,
		&parties->effect, NULL), FAULT_NOT_FOUND);
	assert_int_equal(transfer_cancel(&registry->context, &member, parties->transfer_id, NULL), FAULT_NOT_FOUND);
	assert_string_equal(transfer_state(parties), "prepared");
}

static void
transfer_commands__outwards_nothing_leaves_before_it_is_completed(void **state)
{
	struct parties *parties = *state;
	struct registry *registry = parties->registry;
	want(parties, parties->alpha, "10.0.0.0/24", 64496, 24);
	want(parties, parties->alpha, "10.0.1.0/24", 64496, 24);
	registry_sql(registry, "UPDATE cas SET changed_at = NULL");
	assert_int_equal(create(parties, ALPHA_TO_NOBODY, "AS64500 10.0.0.0/24"), FAULT_NONE);
	assert_string_equal(transfer_state(parties), "prepared");
	assert_int_equal(parties->effect.within, 1);
	expect_holds(parties, parties->alpha, "AS64496-AS64511 10.0.0.0/16 2001:db8::/32");
	assert_int_equal(registry_number(registry, "SELECT count(*) AS it FROM cas WHERE changed_at IS NOT NULL OR change_group IS NOT "
		"NULL"), 0);
	assert_string_equal(registry_text(registry, LAST_AUDIT), "transfer.create|alpha|done|transfer 1 of AS64500, 10.0.0.0/24 to "
		"another registry: 1 ROAs move, 0 straddling (refuse), 0 added");
	assert_int_equal(complete(parties, NULL, true), FAULT_NONE);
	assert_string_equal(transfer_state(parties), "prepared");
	assert_int_equal(complete(parties, NULL, false), FAULT_NONE);
	assert_string_equal(transfer_state(parties), "issuing");
	expect_holds(parties, parties->alpha, "AS64496-AS64499 AS64501-AS64511 10.0.1.0-10.0.255.255 2001:db8::/32");
	assert_string_equal(roas(parties, parties->alpha), "AS64496 10.0.1.0/24");
	assert_string_equal(registry_text(registry, "SELECT change_group || ' ' || change_last || ' ' || changed_at AS it FROM cas WHERE "
		"ca_id = %" PRId64, parties->alpha), "1 1 1767225600");
	assert_string_equal(registry_text(registry, LAST_AUDIT), "transfer.complete|alpha|done|transfer 1 of AS64500, 10.0.0.0/24 to "
		"another registry: 1 ROAs move, 0 straddling (refuse), 0 added");
	assert_int_equal(complete(parties, NULL, false), FAULT_CONFLICT);
	assert_string_equal(registry->fault.message, "transfer 1 is not waiting to be completed: it is made");
	assert_int_equal(transfer_cancel(&registry->context, &registry_operator, parties->transfer_id, NULL), FAULT_CONFLICT);
}

static void
transfer_commands__outwards_looks_again_when_it_is_completed(void **state)
{
	struct parties *parties = *state;
	struct registry *registry = parties->registry;
	enum transfer_straddling keep = TRANSFER_KEEP;
	struct transfer_request request = ALPHA_TO_NOBODY;
	request.roas = TRANSFER_LEAVE;
	assert_int_equal(create(parties, request, "10.0.0.0/24"), FAULT_NONE);
	want(parties, parties->alpha, "10.0.0.0/23", 64496, 24);
	assert_int_equal(complete(parties, NULL, false), FAULT_CONFLICT);
	assert_int_equal(parties->effect.straddling, 1);
	AUTO_CLEAR(struct resource_set, resource_set_clear) none = registry_resources("AS64496");
	AUTO_CLEAR(struct resource_set, resource_set_clear) all = registry_resources("10.0.0.0/16");
	assert_int_equal(ca_set_resources(&registry->context, &registry_operator, parties->alpha, &none, &registry->complaints, NULL),
		FAULT_NONE);
	assert_int_equal(complete(parties, &keep, false), FAULT_INVALID);
	assert_string_equal(registry_complaints(registry), "resources.ipv4[0]: 10.0.0.0/24 is not held by CA \"alpha\"\n");
	registry_forget(registry);
	assert_int_equal(ca_set_resources(&registry->context, &registry_operator, parties->alpha, &all, &registry->complaints, NULL),
		FAULT_NONE);
	assert_int_equal(complete(parties, &keep, false), FAULT_NONE);
	assert_string_equal(roas(parties, parties->alpha), "AS64496 10.0.0.0/23-24 not held");
	assert_string_equal(registry_text(registry, "SELECT straddling AS it FROM transfers"), "keep");
}

static void
transfer_commands__outwards_is_cancelled_or_outlives_its_member(void **state)
{
	struct parties *parties = *state;
	struct registry *registry = parties->registry;
	assert_int_equal(create(parties, ALPHA_TO_NOBODY, "10.0.0.0/24"), FAULT_NONE);
	assert_int_equal(transfer_cancel(&registry->context, &registry_operator, parties->transfer_id, NULL), FAULT_NONE);
	assert_string_equal(transfer_state(parties), "cancelled");
	assert_string_equal(registry_text(registry, LAST_AUDIT),
		"transfer.cancel|alpha|done|transfer 1 of 10.0.0.0/24 to another registry");
	assert_int_equal(transfer_cancel(&registry->context, &registry_operator, parties->transfer_id, NULL), FAULT_CONFLICT);
	assert_int_equal(complete(parties, NULL, false), FAULT_CONFLICT);
	assert_int_equal(transfer_cancel(&registry->context, &registry_operator, 99, NULL), FAULT_NOT_FOUND);
	assert_int_equal(create(parties, ALPHA_TO_NOBODY, "10.0.0.0/24"), FAULT_NONE);
	assert_int_equal(ca_delete(&registry->context, &registry_operator, parties->alpha, NULL), FAULT_NONE);
	assert_int_equal(complete(parties, NULL, false), FAULT_CONFLICT);
	registry_sql(registry, "UPDATE cas SET state = 'deleted' WHERE ca_id = %" PRId64, parties->alpha);
	assert_int_equal(complete(parties, NULL, false), FAULT_INVALID);
	assert_non_null(strstr(registry_complaints(registry), "[0].from: was deleted since: cancel the transfer\n"));
	assert_int_equal(transfer_cancel(&registry->context, &registry_operator, parties->transfer_id, NULL), FAULT_NONE);
}

static void
transfer_commands__what_is_promised_elsewhere_goes_nowhere_else(void **state)
{
	struct parties *parties = *state;
	struct registry *registry = parties->registry;
	assert_int_equal(create(parties, ALPHA_TO_NOBODY, "AS64500 10.0.0.0/24"), FAULT_NONE);
	assert_int_equal(create(parties, ALPHA_TO_BETA, "AS64499-AS64501 10.0.0.0/17"), FAULT_RESOURCE_CONFLICT);
	assert_string_equal(registry_complaints(registry),
		"resources.asns[0]: AS64500 is part of transfer 1, which waits to be completed or cancelled\n"
		"resources.ipv4[0]: 10.0.0.0/24 is part of transfer 1, which waits to be completed or cancelled\n");
	assert_int_equal(create(parties, ALPHA_TO_NOBODY, "10.0.0.128/25"), FAULT_RESOURCE_CONFLICT);
	assert_int_equal(create(parties, ALPHA_TO_BETA, "10.0.1.0/24"), FAULT_NONE);
}

static void
transfer_commands__inwards_the_member_grows_at_once(void **state)
{
	struct parties *parties = *state;
	struct registry *registry = parties->registry;
	struct roa_entry entry = { .payload = { .asn = 64600, .max_length = 24 } };
	struct transfer_request request = NOBODY_TO_BETA;
	assert_int_equal(prefix_parse("203.0.113.0/24", &entry.payload.prefix, NULL), FAULT_NONE);
	request.added = &entry;
	request.added_count = 1;
	assert_int_equal(create(parties, request, "AS65000 203.0.113.0/24"), FAULT_NONE);
	assert_string_equal(transfer_state(parties), "issuing");
	expect_holds(parties, parties->beta, "AS64600 AS65000 192.0.2.0/24 203.0.113.0/24");
	assert_string_equal(roas(parties, parties->beta), "AS64600 203.0.113.0/24");
	assert_string_equal(registry_text(registry, LAST_AUDIT), "transfer.create|beta|done|transfer 1 of AS65000, 203.0.113.0/24 from "
		"another registry: 0 ROAs move, 0 straddling (refuse), 1 added");
	assert_int_equal(create(parties, NOBODY_TO_BETA, "10.0.0.0/15 192.0.2.7 198.51.100.0/24 11.0.0.0/8"), FAULT_INVALID);
	assert_string_equal(registry_complaints(registry),
		"resources.ipv4[2]: 192.0.2.7/32 is held by CA \"beta\" already\n"
		"resources.ipv4[1]: 11.0.0.0/8 is not held by the CA above, \"online\": add it there first (cadastre ca set online --add)\n"
		"resources.ipv4[0]: 10.0.0.0/15: CA \"alpha\" holds 10.0.0.0/16\n");
	assert_int_equal(create(parties, NOBODY_TO_BETA, "10.0.3.0/24"), FAULT_RESOURCE_CONFLICT);
	/* There is nothing to complete. */
	assert_int_equal(complete(parties, NULL, false), FAULT_CONFLICT);
}

/* Many may give to one, and one to many: whoever gives goes last. Nobody does both before the first is out. */
static void
transfer_commands__groups_of_transfers_merge(void **state)
{
	struct parties *parties = *state;
	struct registry *registry = parties->registry;
	(void)registry_member_id(registry, "gamma", "");
	struct transfer_request third = { .from = "alpha", .to = "gamma" }, on = { .from = "beta", .to = "gamma" };
	struct transfer_request back = { .from = "beta", .to = "alpha" };
	assert_int_equal(create(parties, ALPHA_TO_BETA, "10.0.0.0/24"), FAULT_NONE);
	assert_int_equal(create(parties, third, "10.0.1.0/24"), FAULT_NONE);
	assert_string_equal(registry_text(registry, "SELECT group_concat(handle || ' ' || change_group || ' ' || change_last, ', ') AS it "
		"FROM (SELECT * FROM cas WHERE change_group IS NOT NULL ORDER BY handle)"), "alpha 2 1, beta 2 0, gamma 2 0");
	assert_int_equal(create(parties, on, "10.0.0.0/24"), FAULT_CONFLICT);
	assert_string_equal(registry->fault.message,
		"from: CA \"beta\" receives resources in a change that isn't published yet: ask again once it is");
	assert_int_equal(create(parties, back, "10.0.0.0/24"), FAULT_CONFLICT);
	assert_string_equal(registry_complaints(registry),
		"[0].from: CA \"beta\" receives resources in a change that isn't published yet: ask again once it is\n"
		"[0].to: CA \"alpha\" gives up resources in a change that isn't published yet: ask again once it is\n");
	publish(parties);
	assert_int_equal(create(parties, on, "10.0.0.0/24"), FAULT_NONE);
}

static void
transfer_commands__holds_to_the_limits_of_a_ca(void **state)
{
	struct parties *parties = *state;
	struct registry *registry = parties->registry;
	want(parties, parties->alpha, "10.0.0.0/24", 64496, 24);
	registry_sql(registry, "UPDATE cas SET roas_count = %d WHERE ca_id = %" PRId64, ROAS_PER_CA_MAX, parties->beta);
	assert_int_equal(create(parties, ALPHA_TO_BETA, "10.0.0.0/24"), FAULT_TOO_LARGE);
	assert_string_equal(registry->fault.message, "a CA has 200000 ROAs at most; CA \"beta\" would have 200001");
	expect_holds(parties, parties->alpha, "AS64496-AS64511 10.0.0.0/16 2001:db8::/32");
	/* Parts of a /64 out of a /32, from ever so many ROAs, would be too much. */
	for (int i = 0; i < 1000; i++)
		registry_sql(registry, "INSERT INTO roas VALUES (%" PRId64 ", %d, 6, X'20010DB8000000000000000000000000', 32, 32, NULL, 5)",
			parties->alpha, 64496 + i);
	assert_int_equal(create(parties, ALPHA_TO_BETA, "2001:db8:1234:5678::/64"), FAULT_TOO_LARGE);
	assert_non_null(strstr(registry->fault.message, "make the transfer in parts"));
}

#define CASE(name) cmocka_unit_test_setup_teardown(transfer_commands__##name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(moves_resources_and_roas_in_one_change),
		CASE(leaves_roas_where_they_are),
		CASE(moved_roas_merge_with_those_that_are_wanted),
		CASE(refuses_what_straddles_and_proposes),
		CASE(replaces_or_keeps_what_straddles),
		CASE(passes_over_roas_that_are_not_held),
		CASE(a_dry_run_keeps_nothing),
		CASE(gives_the_receiver_roas),
		CASE(complains_of_everything_at_once),
		CASE(refuses_sides_that_are_not_at_work),
		CASE(is_for_staff),
		CASE(outwards_nothing_leaves_before_it_is_completed),
		CASE(outwards_looks_again_when_it_is_completed),
		CASE(outwards_is_cancelled_or_outlives_its_member),
		CASE(what_is_promised_elsewhere_goes_nowhere_else),
		CASE(inwards_the_member_grows_at_once),
		CASE(groups_of_transfers_merge),
		CASE(holds_to_the_limits_of_a_ca),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
