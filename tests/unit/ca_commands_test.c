#include "ca/commands/ca_commands.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "ca/commands/member.h"
#include "ca/commands/token_commands.h"
#include "tests/unit/registry.h"

#define LAST_AUDIT "SELECT action || '|' || COALESCE(ca_handle, 'none') || '|' || outcome || '|' || detail AS it FROM audit" \
	" ORDER BY audit_id DESC LIMIT 1"

static enum fault_code
set_resources(struct registry *registry, int64_t ca_id, const char *resources)
{
	AUTO_CLEAR(struct resource_set, resource_set_clear) set = registry_resources(resources);
	registry_forget(registry);
	return ca_set_resources(&registry->context, &registry_admin, ca_id, &set, &registry->complaints, &registry->fault);
}

static void
ca_commands__create_makes_a_member_that_is_due(void **state)
{
	struct registry *registry = *state;
	int64_t id = registry_member_id(registry, "alpha", "AS64496-AS64511 192.0.2.0/25 192.0.2.128/25 2001:db8:1::/48");
	assert_string_equal(registry_text(registry,
		"SELECT m.handle || '|' || m.kind || '|' || p.kind || '|' || m.state || '|' || m.version || '|' || m.roas_version "
		"|| '|' ||"
		" m.changed_at || '|' || m.created_at || '|' || m.repository_id AS it FROM cas m JOIN cas p ON p.ca_id = "
		"m.parent_id"
		" WHERE m.ca_id = %" PRId64, id), "alpha|member|issuing|active|1|0|1767225600|1767225600|1");
	assert_int_equal(registry_number(registry, "SELECT directory GLOB '[0-9a-f][0-9a-f]/[0-9a-f]*/' AND length(directory) = "
		"18 AS it"
		" FROM cas WHERE ca_id = %" PRId64, id), 1);
	/* One AS range, one IPv4 range out of two that touch, one IPv6 range. */
	assert_string_equal(registry_text(registry, "SELECT group_concat(family || ':' || hex(min) || '-' || hex(max), ' ') AS it"
		" FROM (SELECT * FROM holdings WHERE ca_id = %" PRId64 " ORDER BY family)", id),
		"0:0000FBF0-0000FBFF 4:C0000200-C00002FF"
		" 6:20010DB8000100000000000000000000-20010DB80001FFFFFFFFFFFFFFFFFFFF");
	assert_string_equal(registry_text(registry, LAST_AUDIT), "ca.create|alpha|done|1 AS, 1 IPv4 and 1 IPv6 ranges");
	assert_int_equal(registry->wakes, 1);
}

static void
ca_commands__create_takes_a_member_without_resources(void **state)
{
	struct registry *registry = *state;
	int64_t id = registry_member_id(registry, "empty", "");
	/* An empty set, not NULL: that would inherit everything. */
	assert_int_equal(registry_number(registry, "SELECT resources IS NOT NULL AS it FROM cas WHERE ca_id = %" PRId64, id), 1);
	assert_int_equal(registry_number(registry, "SELECT count(*) AS it FROM holdings"), 0);
}

static void
ca_commands__create_refuses_bad_handles(void **state)
{
	struct registry *registry = *state;
	int64_t id = -1;
	assert_int_equal(registry_create(registry, "", "", &id), FAULT_INVALID);
	assert_int_equal(registry_create(registry, "a/b", "", &id), FAULT_INVALID);
	assert_int_equal(id, -1);
	assert_string_equal(registry_text(registry, LAST_AUDIT),
		"ca.create|none|invalid|a handle is 1 to 100 characters out of A-Z, a-z, 0-9, \"_\" and \"-\"");
	assert_int_equal(registry->wakes, 0);
}

static void
ca_commands__create_refuses_a_handle_in_use(void **state)
{
	struct registry *registry = *state;
	int64_t id = -1;
	(void)registry_member_id(registry, "alpha", "AS64496");
	assert_int_equal(registry_create(registry, "alpha", "AS64497", &id), FAULT_CONFLICT);
	assert_string_equal(registry_text(registry, LAST_AUDIT), "ca.create|alpha|conflict|there is a CA \"alpha\" already");
	assert_int_equal(registry_create(registry, "online", "AS64497", &id), FAULT_CONFLICT);
	assert_int_equal(registry_number(registry, "SELECT count(*) AS it FROM cas"), 4);
}

static void
ca_commands__create_refuses_what_another_member_holds(void **state)
{
	struct registry *registry = *state;
	int64_t id = -1;
	(void)registry_member_id(registry, "alpha", "AS64496-AS64511 192.0.2.0/24 2001:db8:1::/48");
	(void)registry_member_id(registry, "beta", "198.51.100.64-198.51.100.130");
	assert_int_equal(registry_create(registry, "gamma",
		"AS64500 AS64520 192.0.2.4-192.0.2.9 198.51.100.0/25 203.0.113.0/24 2001:db8::/47 2001:db8:2::/48", &id),
		FAULT_RESOURCE_CONFLICT);
	assert_string_equal(registry_complaints(registry),
		"resources.asns[0]: AS64500: CA \"alpha\" holds AS64496-AS64511\n"
		"resources.ipv4[0]: 192.0.2.4-192.0.2.9: CA \"alpha\" holds 192.0.2.0/24\n"
		"resources.ipv4[1]: 198.51.100.0/25: CA \"beta\" holds 198.51.100.64-198.51.100.130\n"
		"resources.ipv6[0]: 2001:db8::-2001:db8:2:ffff:ffff:ffff:ffff:ffff: CA \"alpha\" holds 2001:db8:1::/48\n");
	assert_string_equal(registry->fault.message, "AS64500: CA \"alpha\" holds AS64496-AS64511 (and 3 more overlaps)");
	assert_int_equal(registry_number(registry, "SELECT count(*) AS it FROM cas WHERE handle = 'gamma'"), 0);
	assert_int_equal(registry_number(registry, "SELECT count(*) AS it FROM audit WHERE outcome = 'resource-conflict'"), 1);
}

static void
ca_commands__create_notices_overlaps_on_every_side(void **state)
{
	/* Held: .64 to .127. Before, over its start, inside, equal, over its end, around, behind. */
	static const struct {
		const char *range;
		enum fault_code code;
	} cases[] = {
		{ "192.0.2.0-192.0.2.63", FAULT_NONE },
		{ "192.0.2.0-192.0.2.64", FAULT_RESOURCE_CONFLICT },
		{ "192.0.2.70", FAULT_RESOURCE_CONFLICT },
		{ "192.0.2.64/26", FAULT_RESOURCE_CONFLICT },
		{ "192.0.2.127-192.0.2.200", FAULT_RESOURCE_CONFLICT },
		{ "192.0.2.0/24", FAULT_RESOURCE_CONFLICT },
		{ "192.0.2.128/25", FAULT_NONE },
	};
	struct registry *registry = *state;
	(void)registry_member_id(registry, "held", "192.0.2.64/26");
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char handle[16];
		int64_t id;
		(void)snprintf(handle, sizeof handle, "m%zu", i);
		assert_int_equal(registry_create(registry, handle, cases[i].range, &id), cases[i].code);
	}
}

static void
ca_commands__create_refuses_what_the_cas_above_dont_hold(void **state)
{
	struct registry *registry = *state;
	int64_t id;
	assert_int_equal(registry_create(registry, "alpha", "192.0.2.0/24 198.51.101.0/24 2001:db9::/32", &id), FAULT_INVALID);
	assert_string_equal(registry_complaints(registry),
		"resources.ipv4[1]: 198.51.101.0/24 is not held by the CA above, \"online\"\n"
		"resources.ipv6[0]: 2001:db9::/32 is not held by the CA above, \"online\"\n");
}

static void
ca_commands__set_resources_replaces_the_set(void **state)
{
	struct registry *registry = *state;
	int64_t alpha = registry_member_id(registry, "alpha", "192.0.2.0/24");
	registry_sql(registry, "UPDATE cas SET changed_at = NULL, import_id = 'x' WHERE ca_id = %" PRId64, alpha);
	clock_hand_set(&registry->clock, REGISTRY_NOW + 60);
	assert_int_equal(set_resources(registry, alpha, "192.0.2.0/25 AS64496"), FAULT_NONE);
	assert_string_equal(registry_text(registry, "SELECT version || '|' || changed_at || '|' || COALESCE(import_id, 'none') AS "
		"it"
		" FROM cas WHERE ca_id = %" PRId64, alpha), "2|1767225660|none");
	assert_string_equal(registry_text(registry, "SELECT group_concat(hex(min) || '-' || hex(max), ' ') AS it FROM holdings"),
		"0000FBF0-0000FBF0 C0000200-C000027F");
	assert_string_equal(registry_text(registry, LAST_AUDIT),
		"ca.resources|alpha|done|from 0 AS, 1 IPv4 and 0 IPv6 ranges to 1 AS, 1 IPv4 and 0 IPv6 ranges");
	/* What was given up is free for others, and changed_at is when the oldest waiting change came. */
	(void)registry_member_id(registry, "beta", "192.0.2.128/25");
	clock_hand_set(&registry->clock, REGISTRY_NOW + 120);
	assert_int_equal(set_resources(registry, alpha, ""), FAULT_NONE);
	assert_string_equal(registry_text(registry, "SELECT version || '|' || changed_at AS it FROM cas WHERE ca_id = %" PRId64,
		alpha),
		"3|1767225660");
}

static void
ca_commands__set_resources_with_the_same_set_changes_nothing(void **state)
{
	struct registry *registry = *state;
	int64_t alpha = registry_member_id(registry, "alpha", "192.0.2.0/24 AS64496");
	registry_sql(registry, "UPDATE cas SET changed_at = NULL WHERE ca_id = %" PRId64, alpha);
	int64_t rows = registry_number(registry, "SELECT count(*) AS it FROM audit");
	assert_int_equal(set_resources(registry, alpha, "AS64496 192.0.2.0/25 192.0.2.128/25"), FAULT_NONE);
	assert_int_equal(registry_number(registry, "SELECT version AS it FROM cas WHERE ca_id = %" PRId64, alpha), 1);
	assert_int_equal(registry_number(registry, "SELECT changed_at IS NULL AS it FROM cas WHERE ca_id = %" PRId64, alpha), 1);
	assert_int_equal(registry_number(registry, "SELECT count(*) AS it FROM audit"), rows);
}

static void
ca_commands__set_resources_refuses_overlaps_and_keeps_the_old_set(void **state)
{
	struct registry *registry = *state;
	int64_t alpha = registry_member_id(registry, "alpha", "192.0.2.0/25");
	(void)registry_member_id(registry, "beta", "192.0.2.128/25");
	assert_int_equal(set_resources(registry, alpha, "192.0.2.0/24"), FAULT_RESOURCE_CONFLICT);
	assert_string_equal(registry_complaints(registry), "resources.ipv4[0]: 192.0.2.0/24: CA \"beta\" holds 192.0.2.128/25\n");
	assert_int_equal(registry_number(registry, "SELECT count(*) AS it FROM holdings WHERE ca_id = %" PRId64, alpha), 1);
	assert_int_equal(registry_number(registry, "SELECT version AS it FROM cas WHERE ca_id = %" PRId64, alpha), 1);
	/* It may keep what it has itself. */
	assert_int_equal(set_resources(registry, alpha, "192.0.2.0/25 198.51.100.0/24"), FAULT_NONE);
}

static void
ca_commands__set_resources_is_for_members_that_stay(void **state)
{
	struct registry *registry = *state;
	int64_t online = registry_number(registry, "SELECT ca_id AS it FROM cas WHERE kind = 'online'");
	int64_t alpha = registry_member_id(registry, "alpha", "192.0.2.0/25");
	assert_int_equal(set_resources(registry, online, "192.0.2.0/24"), FAULT_CONFLICT);
	assert_int_equal(set_resources(registry, 4711, "192.0.2.0/24"), FAULT_NOT_FOUND);
	assert_int_equal(ca_delete(&registry->context, &registry_admin, alpha, &registry->fault), FAULT_NONE);
	assert_int_equal(set_resources(registry, alpha, "192.0.2.0/24"), FAULT_CONFLICT);
	assert_string_equal(registry->fault.message, "CA \"alpha\" is being deleted");
}

static void
ca_commands__delete_frees_resources_at_once_and_the_handle_later(void **state)
{
	struct registry *registry = *state;
	struct fault *fault = &registry->fault;
	char token_id[TOKEN_ID_SIZE], token[TOKEN_TEXT];
	int64_t id, alpha = registry_member_id(registry, "alpha", "192.0.2.0/24");
	assert_int_equal(token_create(&registry->context, &registry_admin, "t", ROLE_MEMBER, alpha, 0, token_id, token, fault),
		FAULT_NONE);
	registry_sql(registry, "INSERT INTO roas VALUES (%" PRId64 ", 64496, 4, X'C0000200', 24, 24, NULL, 1);"
		"UPDATE cas SET roas_count = 1, changed_at = NULL WHERE ca_id = %" PRId64, alpha, alpha);
	assert_int_equal(ca_delete(&registry->context, &registry_admin, alpha, fault), FAULT_NONE);
	assert_string_equal(registry_text(registry, "SELECT state || '|' || version || '|' || changed_at || '|' || roas_count AS "
		"it"
		" FROM cas WHERE ca_id = %" PRId64, alpha), "deleting|2|1767225600|0");
	assert_string_equal(registry_text(registry, LAST_AUDIT), "ca.delete|alpha|done|with 1 ROAs");
	assert_int_equal(registry_number(registry, "SELECT revoked_at AS it FROM tokens"), REGISTRY_NOW);
	assert_int_equal(registry_number(registry, "SELECT count(*) AS it FROM roas"), 0);
	(void)registry_member_id(registry, "beta", "192.0.2.0/24");
	assert_int_equal(registry_create(registry, "alpha", "", &id), FAULT_CONFLICT);
	assert_string_equal(registry->fault.message, "CA \"alpha\" is being deleted; its handle is free once all is withdrawn");
	assert_int_equal(ca_delete(&registry->context, &registry_admin, alpha, fault), FAULT_CONFLICT);
	registry_sql(registry, "UPDATE cas SET state = 'deleted' WHERE ca_id = %" PRId64, alpha);
	assert_int_equal(ca_delete(&registry->context, &registry_admin, alpha, fault), FAULT_NOT_FOUND);
	assert_true(registry_member_id(registry, "alpha", "") != alpha);
}

static void
ca_commands__delete_leaves_the_engines_cas_alone(void **state)
{
	struct registry *registry = *state;
	for (int64_t id = 1; id <= 3; id++)
		assert_int_equal(ca_delete(&registry->context, &registry_admin, id, &registry->fault), FAULT_CONFLICT);
	assert_int_equal(ca_delete(&registry->context, &registry_admin, 4, &registry->fault), FAULT_NOT_FOUND);
	assert_int_equal(registry->wakes, 0);
}

static void
ca_commands__bound_actors_reach_no_other_ca(void **state)
{
	struct registry *registry = *state;
	int64_t alpha = registry_member_id(registry, "alpha", "192.0.2.0/25"), beta = registry_member_id(registry, "beta", "");
	struct actor member = registry_member(beta);
	assert_int_equal(ca_delete(&registry->context, &member, alpha, &registry->fault), FAULT_NOT_FOUND);
	assert_int_equal(registry_number(registry, "SELECT count(*) AS it FROM cas WHERE state = 'active'"), 5);
}

static void
ca_commands__repair_puts_a_ca_back_to_work(void **state)
{
	struct registry *registry = *state;
	int64_t alpha = registry_member_id(registry, "alpha", "");
	registry_sql(registry, "UPDATE cas SET set_aside_at = 5, set_aside_reason = 'the lint refused', changed_at = NULL"
		" WHERE ca_id = %" PRId64, alpha);
	assert_int_equal(ca_repair(&registry->context, &registry_admin, alpha, &registry->fault), FAULT_NONE);
	assert_string_equal(registry_text(registry, LAST_AUDIT), "ca.repair|alpha|done|the lint refused");
	assert_string_equal(registry_text(registry, "SELECT COALESCE(set_aside_reason, 'none') || '|' || changed_at || '|' || "
		"version AS it"
		" FROM cas WHERE ca_id = %" PRId64, alpha), "none|1767225600|2");
	/* Nothing to repair: nothing changes. */
	assert_int_equal(ca_repair(&registry->context, &registry_admin, alpha, &registry->fault), FAULT_NONE);
	assert_int_equal(registry_number(registry, "SELECT version AS it FROM cas WHERE ca_id = %" PRId64, alpha), 2);
	assert_int_equal(ca_repair(&registry->context, &registry_admin, 99, &registry->fault), FAULT_NOT_FOUND);
}

static void
ca_commands__a_full_issuing_ca_gets_another_beside_it(void **state)
{
	struct registry *registry = *state;
	registry_sql(registry, "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d)"
		" INSERT INTO cas (handle, kind, parent_id, repository_id, directory, created_at)"
		" SELECT 'x' || i, 'member', 3, 1, 'x' || i || '/', 1 FROM n", (int)registry->context.placing.issuing_members_max - 1);
	int64_t last = registry_member_id(registry, "issuing-2", "");
	assert_int_equal(registry_number(registry, "SELECT parent_id AS it FROM cas WHERE ca_id = %" PRId64, last), 3);
	(void)registry_member_id(registry, "first", "");
	assert_string_equal(registry_text(registry, "SELECT p.handle || '|' || p.kind || '|' || g.kind || '|' || p.changed_at || "
		"'|' ||"
		" COALESCE(p.resources, 'inherits') AS it FROM cas m JOIN cas p ON p.ca_id = m.parent_id JOIN cas g ON g.ca_id = "
		"p.parent_id"
		" WHERE m.handle = 'first'"), "issuing-3|issuing|online|1767225600|inherits");
	(void)registry_member_id(registry, "next", "AS64496");
	assert_int_equal(registry_number(registry, "SELECT count(*) AS it FROM cas WHERE kind = 'issuing'"), 2);
	/* A place that became free is taken when the newest is full, before there is a third. */
	registry_sql(registry, "UPDATE cas SET state = 'deleted' WHERE handle = 'x7'");
	int64_t newest = registry_number(registry, "SELECT max(ca_id) AS it FROM cas WHERE kind = 'issuing'");
	int64_t again = registry_member_id(registry, "again", "");
	assert_int_equal(registry_number(registry, "SELECT parent_id AS it FROM cas WHERE ca_id = %" PRId64, again), newest);
	registry_sql(registry, "UPDATE cas SET parent_id = %d WHERE parent_id = 3", (int)newest);
	registry_sql(registry, "UPDATE cas SET state = 'deleted' WHERE ca_id = %d", (int)again);
	int64_t back = registry_member_id(registry, "back", "");
	assert_int_equal(registry_number(registry, "SELECT parent_id AS it FROM cas WHERE ca_id = %" PRId64, back), 3);
	assert_int_equal(registry_number(registry, "SELECT count(*) AS it FROM cas WHERE kind = 'issuing'"), 2);
}

static enum fault_code
change_resources(struct registry *registry, int64_t ca_id, const char *add, const char *remove)
{
	AUTO_CLEAR(struct resource_set, resource_set_clear) comes = registry_resources(add);
	AUTO_CLEAR(struct resource_set, resource_set_clear) goes = registry_resources(remove);
	registry_forget(registry);
	return ca_change_resources(&registry->context, &registry_admin, ca_id, &comes, &goes, &registry->complaints, &registry->fault);
}

static void
ca_commands__change_resources_adds_and_removes(void **state)
{
	struct registry *registry = *state;
	int64_t alpha = registry_member_id(registry, "alpha", "AS64496 192.0.2.0/24");
	assert_int_equal(change_resources(registry, alpha, "AS64500-AS64501 2001:db8::/48", "192.0.2.64/26"), FAULT_NONE);
	assert_string_equal(registry_text(registry, LAST_AUDIT), "ca.resources|alpha|done|from 1 AS, 1 IPv4 and 0 IPv6 ranges to "
		"2 AS, 2 IPv4 and 1 IPv6 ranges");
	assert_string_equal(registry_text(registry, "SELECT group_concat(hex(min) || '-' || hex(max), ' ') AS it FROM (SELECT * FROM"
		" holdings WHERE ca_id = %" PRId64 " AND family = 4 ORDER BY min)", alpha),
		"C0000200-C000023F C0000280-C00002FF");
	assert_int_equal(registry_number(registry, "SELECT version AS it FROM cas WHERE ca_id = %" PRId64, alpha), 2);
	/* What borders on what is held becomes one range with it. */
	assert_int_equal(change_resources(registry, alpha, "192.0.2.64/26", ""), FAULT_NONE);
	assert_int_equal(registry_number(registry, "SELECT count(*) AS it FROM holdings WHERE family = 4"), 1);
	/* Nothing asked for: nothing changes. */
	assert_int_equal(change_resources(registry, alpha, "", ""), FAULT_NONE);
	assert_int_equal(registry_number(registry, "SELECT version AS it FROM cas WHERE ca_id = %" PRId64, alpha), 3);
}

/* The way for what comes from another registry: both CAs above grow, and the member may. */
static void
ca_commands__change_resources_grows_the_online_ca_with_its_anchor(void **state)
{
	struct registry *registry = *state;
	int64_t alpha = registry_member_id(registry, "alpha", "AS64496");
	registry_sql(registry, "UPDATE cas SET changed_at = NULL");
	assert_int_equal(change_resources(registry, alpha, "11.0.0.0/8", ""), FAULT_INVALID);
	assert_int_equal(change_resources(registry, 2, "11.0.0.0/8", ""), FAULT_NONE);
	assert_int_equal(registry_number(registry, "SELECT count(*) AS it FROM cas WHERE ca_id IN (1, 2) AND version = 2 AND changed_at = %"
		PRId64 " AND resources = (SELECT resources FROM cas WHERE ca_id = 1)", REGISTRY_NOW), 2);
	assert_string_equal(registry_text(registry, "SELECT group_concat(ca_handle || ' ' || detail, ', ') AS it FROM audit WHERE action = "
		"'ca.resources' AND outcome = 'done'"), "ta 0 AS, 1 IPv4 and 0 IPv6 ranges more, online 0 AS, 1 IPv4 and 0 IPv6 ranges more");
	assert_int_equal(change_resources(registry, alpha, "11.0.0.0/8", ""), FAULT_NONE);
	assert_int_equal(change_resources(registry, 2, "11.0.0.0/8", ""), FAULT_INVALID);
	assert_int_equal(change_resources(registry, 2, "", "11.0.0.0/8"), FAULT_CONFLICT);
	registry_sql(registry, "UPDATE keys SET handle = NULL WHERE ca_id = 1");
	assert_int_equal(change_resources(registry, 2, "12.0.0.0/8", ""), FAULT_CONFLICT);
	assert_string_equal(registry_text(registry, LAST_AUDIT), "ca.resources|online|conflict|the trust anchor's key is on a machine of its "
		"own: what it holds can't be changed from here");
}

static void
ca_commands__change_resources_complains_of_everything(void **state)
{
	struct registry *registry = *state;
	int64_t alpha = registry_member_id(registry, "alpha", "AS64496-AS64511 192.0.2.0/25");
	(void)registry_member_id(registry, "beta", "198.51.100.0/24");
	assert_int_equal(change_resources(registry, alpha, "AS64496 192.0.2.0/24 203.0.113.0/24", "AS64500-AS64520 2001:db8::/48"),
		FAULT_INVALID);
	assert_string_equal(registry_complaints(registry),
		"remove.asns[0]: AS64512-AS64520 is not held by this CA\n"
		"remove.ipv6[0]: 2001:db8::/48 is not held by this CA\n"
		"add.asns[0]: AS64496 is held by this CA already\n"
		"add.ipv4[0]: 192.0.2.0/25 is held by this CA already\n");
	assert_int_equal(change_resources(registry, alpha, "10.0.0.0/24 198.51.100.7", ""), FAULT_RESOURCE_CONFLICT);
	assert_string_equal(registry_complaints(registry),
		"add.ipv4[1]: 198.51.100.7/32: CA \"beta\" holds 198.51.100.0/24\n");
	assert_int_equal(change_resources(registry, alpha, "11.0.0.0/8", ""), FAULT_INVALID);
	assert_string_equal(registry_complaints(registry), "add.ipv4[0]: 11.0.0.0/8 is not held by the CA above, \"online\"\n");
	/* Of the same in both, one is wrong whatever is held. */
	assert_int_equal(change_resources(registry, alpha, "10.0.0.0/24", "10.0.0.0/24"), FAULT_INVALID);
	assert_int_equal(change_resources(registry, alpha, "AS64496", "AS64496"), FAULT_INVALID);
	assert_int_equal(change_resources(registry, 3, "10.0.0.0/24", ""), FAULT_CONFLICT);
	assert_int_equal(change_resources(registry, 1, "11.0.0.0/24", ""), FAULT_CONFLICT);
	assert_int_equal(change_resources(registry, 99, "10.0.0.0/24", ""), FAULT_NOT_FOUND);
	assert_int_equal(registry_number(registry, "SELECT version AS it FROM cas WHERE ca_id = %" PRId64, alpha), 1);
}

#define CASE(name) cmocka_unit_test_setup_teardown(ca_commands__##name, registry_setup, registry_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(create_makes_a_member_that_is_due),
		CASE(create_takes_a_member_without_resources),
		CASE(create_refuses_bad_handles),
		CASE(create_refuses_a_handle_in_use),
		CASE(create_refuses_what_another_member_holds),
		CASE(create_notices_overlaps_on_every_side),
		CASE(create_refuses_what_the_cas_above_dont_hold),
		CASE(set_resources_replaces_the_set),
		CASE(set_resources_with_the_same_set_changes_nothing),
		CASE(set_resources_refuses_overlaps_and_keeps_the_old_set),
		CASE(set_resources_is_for_members_that_stay),
		CASE(delete_frees_resources_at_once_and_the_handle_later),
		CASE(delete_leaves_the_engines_cas_alone),
		CASE(bound_actors_reach_no_other_ca),
		CASE(repair_puts_a_ca_back_to_work),
		CASE(change_resources_adds_and_removes),
		CASE(change_resources_grows_the_online_ca_with_its_anchor),
		CASE(change_resources_complains_of_everything),
		CASE(a_full_issuing_ca_gets_another_beside_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
