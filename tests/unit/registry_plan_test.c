#include "ca/commands/registry_plan.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ca/commands/transfer_commands.h"
#include "tests/unit/feed_file.h"
#include "tests/unit/feed_fixture.h"

static void
registry_plan__shows_what_becomes_of_each_member(void **state)
{
	struct registry *registry = *state;
	(void)registry_member_id(registry, "A", "AS1 10.0.0.0/24");
	(void)registry_member_id(registry, "B", "AS2 10.0.1.0/24");
	(void)registry_member_id(registry, "C", "AS3 2001:db8::/48");
	(void)registry_member_id(registry, "D", "AS4");
	(void)registry_member_id(registry, "E", "10.9.0.0/16");
	assert_string_equal(feed_fixture_plan(registry,
		"A: AS1 10.0.0.0/23; B: AS2; D: AS4; E: 10.9.0.0/17 AS9; F: AS5"),
		"A grown +10.0.1.0/24\nB shrunk -10.0.1.0/24\nC gone -AS3 -2001:db8::/48\n"
		"E exchanged +AS9 -10.9.128.0/17\nF new +AS5\n10.0.1.0/24 B>A\n");
}

static void
registry_plan__tells_members_by_resources(void **state)
{
	struct registry *registry = *state;
	(void)registry_member_id(registry, "A", "AS1 10.0.0.0/24");
	(void)registry_member_id(registry, "B", "AS2 10.0.1.0/24");
	assert_string_equal(feed_fixture_plan(registry, "x: AS1 10.0.0.0/24; y: AS2 10.0.1.0/24"), "");
	assert_string_equal(feed_fixture_plan(registry, "B: AS1 10.0.0.0/24; A: AS2 10.0.1.0/24"), "");
	/* An id that is another's handle gets a number behind it; what nobody can be is new. */
	assert_string_equal(feed_fixture_plan(registry, "x: AS1 10.0.0.0/24; A: AS7; A-2: AS8; online: AS9"),
		"B gone -AS2 -10.0.1.0/24\nA-3 new +AS7\nA-2 new +AS8\nonline-2 new +AS9\n");
}

static void
registry_plan__follows_stored_aliases(void **state)
{
	struct registry *registry = *state;
	int64_t a = registry_member_id(registry, "A", "");
	(void)registry_member_id(registry, "B", "AS2");
	/* Before any alias is stored the handle is one: imports name members by their ids. */
	assert_string_equal(feed_fixture_plan(registry, "A: AS1; B: AS2"), "A grown +AS1\n");
	registry_sql(registry, "UPDATE cas SET alias = 'x' WHERE ca_id = %" PRId64, a);
	assert_string_equal(feed_fixture_plan(registry, "x: AS1; B: AS2"), "A grown +AS1\n");
	assert_string_equal(feed_fixture_plan(registry, "A: AS1; B: AS2"), "A-2 new +AS1\n");
}

static void
registry_plan__shows_roas_that_are_lost_and_what_could_take_their_place(void **state)
{
	struct registry *registry = *state;
	int64_t a = registry_member_id(registry, "A", "10.0.0.0/16 2001:db8::/32");
	int64_t b = registry_member_id(registry, "B", "10.1.0.0/16");
	feed_fixture_roa(registry, a, 1, "10.0.0.0/16", 20);
	feed_fixture_roa(registry, a, 2, "10.0.0.0/22", 22);
	feed_fixture_roa(registry, a, 3, "10.0.1.0/24", 24);
	feed_fixture_roa(registry, a, 4, "10.0.128.0/17", 24);
	feed_fixture_roa(registry, a, 5, "2001:db8::/32", 48);
	feed_fixture_roa(registry, b, 6, "10.1.0.0/16", 16);
	assert_string_equal(feed_fixture_plan(registry, "A: 10.0.0.0/24 10.0.2.0/23 10.0.4.0/22 10.0.8.0/21 10.0.16.0/20"
		" 10.0.32.0/19 10.0.64.0/18 10.0.128.0/17 2001:db8::/33; B: 10.0.1.0/24 10.1.0.0/16"),
		"A shrunk -10.0.1.0/24 -2001:db8:8000::/33\nB grown +10.0.1.0/24\n10.0.1.0/24 A>B\n"
		"A: AS1 10.0.0.0/16-20 > AS1 10.0.0.0/24 > AS1 10.0.2.0/23 > AS1 10.0.4.0/22 > AS1 10.0.8.0/21 > AS1 10.0.16.0/20"
		" > AS1 10.0.32.0/19-20 > AS1 10.0.64.0/18-20 > AS1 10.0.128.0/17-20\n"
		"A: AS2 10.0.0.0/22 > AS2 10.0.0.0/24 > AS2 10.0.2.0/23\n"
		"A: AS3 10.0.1.0/24\n"
		"A: AS5 2001:db8::/32-48 > AS5 2001:db8::/33-48\n");
}

static void
registry_plan__bounds_what_it_proposes(void **state)
{
	struct registry *registry = *state;
	AUTO_CLEAR(struct bytes, bytes_clear) feed = BYTES_INIT;
	int64_t a = registry_member_id(registry, "A", "10.0.0.0/16");
	feed_fixture_roa(registry, a, 1, "10.0.0.0/16", 16);
	assert_int_equal(bytes_append_text(&feed, "A:", NULL), FAULT_NONE);
	for (int i = 0; i < 50; i++)
		assert_int_equal(bytes_printf(&feed, NULL, " 10.0.%d.0/24", 2 * i), FAULT_NONE);
	const char *text = feed_fixture_plan(registry, bytes_text(&feed));
	assert_non_null(strstr(text, " > AS1 10.0.62.0/24 and 18 more\n"));
	assert_null(strstr(text, "> AS1 10.0.64.0/24"));
}

/* Whoever is not in the file is named with all; its ROAs are listed no further than the limit, and all are counted. */
static void
registry_plan__bounds_its_lists(void **state)
{
	struct registry *registry = *state;
	AUTO(struct registry_plan, registry_plan_free) plan = NULL;
	int64_t a = registry_member_id(registry, "A", "10.0.0.0/16 AS1");
	registry_sql(registry, "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 1199)"
		" INSERT INTO roas (ca_id, asn, family, address, prefix_length, max_length, created_at)"
		" SELECT %" PRId64 ", i, 4, X'0A000000', 16, 16, 0 FROM n", a);
	registry_sql(registry, "UPDATE cas SET roas_count = 1200 WHERE ca_id = %" PRId64, a);
	const char *path = feed_fixture_write(registry, "A: AS1");
	assert_int_equal(registry_plan(&registry->context, &registry_operator, path, &feed_fixture_no_limits, &plan, NULL), FAULT_NONE);
	assert_int_equal(plan->roas_count, REGISTRY_LIST_MAX);
	assert_int_equal(plan->counts.roas_lost, 1200);
	assert_int_equal(plan->counts.roas_straddling, 0);
}

static void
registry_plan__counts_roas_that_come_back(void **state)
{
	struct registry *registry = *state;
	AUTO(struct registry_plan, registry_plan_free) plan = NULL;
	int64_t a = registry_member_id(registry, "A", "10.0.0.0/16");
	feed_fixture_roa(registry, a, 1, "10.0.0.0/24", 24);
	feed_fixture_roa(registry, a, 1, "10.0.1.0/24", 24);
	feed_fixture_follow(registry, "A: 10.0.1.0/24");
	assert_string_equal(feed_fixture_plan(registry, "A: 10.0.0.0/22"), "A grown +10.0.0.0/24 +10.0.2.0/23\n");
	const char *path = feed_fixture_write(registry, "A: 10.0.0.0/22");
	assert_int_equal(registry_plan(&registry->context, &registry_operator, path, &feed_fixture_no_limits, &plan, NULL), FAULT_NONE);
	assert_int_equal(plan->counts.roas_back, 1);
	assert_int_equal(plan->counts.roas_lost, 0);
}

#define HELD "# CA \"B\" is held, by an operator, as it is set aside, or as it exchanges resources in a change that is not published yet: " \
	"it keeps what it has; apply the file again when that is over\n"

static void
registry_plan__a_member_on_hold_keeps_what_it_has(void **state)
{
	struct registry *registry = *state;
	(void)registry_member_id(registry, "A", "AS1 10.0.0.0/24");
	int64_t b = registry_member_id(registry, "B", "AS2 10.0.1.0/24");
	(void)registry_member_id(registry, "C", "AS3 AS6");
	registry_sql(registry, "UPDATE cas SET held_at = 5 WHERE ca_id = %" PRId64, b);
	/* It loses some to A, gains some from nobody, and from C. C keeps that. */
	assert_string_equal(feed_fixture_plan(registry, "A: AS1 10.0.0.0/23 AS9; B: AS2 AS3 AS4; C: AS6 AS7"),
		"A grown +AS9\nC grown +AS7\n"
		"# AS3 stays with CA \"C\" instead of moving to \"B\": \"B\" is held\n"
		"# 10.0.1.0/24 stays with CA \"B\" instead of moving to \"A\": \"B\" is held\n"
		HELD);
	/* Who would be made of nothing but its space isn't made yet; who has nothing at all is. */
	assert_string_equal(feed_fixture_plan(registry, "A: AS1 10.0.0.0/24; B: AS2; C: AS3 AS6; D: 10.0.1.0/24; E:"),
		"E new\n# 10.0.1.0/24 stays with CA \"B\" instead of moving to \"D\": \"B\" is held\n"
		HELD);
	/* Not being in the file does nothing to it either. */
	assert_string_equal(feed_fixture_plan(registry, "A: AS1 10.0.0.0/24; C: AS3 AS6"),
		HELD);
	/* One that is set aside can't be issued for, and nobody is to wait for that. */
	registry_sql(registry, "UPDATE cas SET held_at = NULL; UPDATE cas SET set_aside_at = 5, set_aside_reason = 'x' WHERE ca_id = %" PRId64, b);
	assert_string_equal(feed_fixture_plan(registry, "A: AS1; B: AS2 10.0.0.0/23; C: AS3 AS6"),
		"# 10.0.0.0/24 stays with CA \"A\" instead of moving to \"B\": \"B\" is held\n");
	assert_string_equal(feed_fixture_plan(registry, "A: AS1 10.0.0.0/24; B: AS2; C: AS3 AS6"), HELD);
	feed_fixture_follow(registry, "A: AS1 10.0.0.0/24; B: AS2 10.0.1.0/24; C: AS3 AS6");
	registry_sql(registry, "UPDATE cas SET set_aside_at = NULL, set_aside_reason = NULL");
	assert_string_equal(feed_fixture_plan(registry, "A: AS1 10.0.0.0/23; B: AS2 AS3; C: AS6"),
		"A grown +10.0.1.0/24\nB exchanged +AS3 -10.0.1.0/24\nC shrunk -AS3\nAS3 C>B\n10.0.1.0/24 B>A\n");
}

#define PROMISED "it is part of a transfer that waits to be completed or cancelled\n"

static void
registry_plan__what_waits_to_leave_the_registry_stays(void **state)
{
	struct registry *registry = *state;
	AUTO_CLEAR(struct resource_set, resource_set_clear) resources = registry_resources("10.0.1.0/24 AS3");
	AUTO_CLEAR(struct transfer_effect, transfer_effect_clear) effect = TRANSFER_EFFECT_INIT;
	const struct transfer_request request = { .from = "A", .resources = &resources };
	int64_t transfer_id;
	(void)registry_member_id(registry, "A", "AS1-AS4 10.0.0.0/22");
	(void)registry_member_id(registry, "B", "AS9");
	if (transfer_create(&registry->context, &registry_operator, &request, &registry->complaints, &effect, &transfer_id, &registry->fault)
		!= FAULT_NONE)
		fail_msg("%s", registry->fault.message);
	/* Given to another member, in part; to a new one; to nobody. */
	assert_string_equal(feed_fixture_plan(registry, "A: AS1-AS4 10.0.2.0/23; B: AS9 10.0.0.0/23"),
		"A shrunk -10.0.0.0/24\nB grown +10.0.0.0/24\n10.0.0.0/24 A>B\n"
		"# 10.0.1.0/24 stays with CA \"A\" instead of moving to \"B\": " PROMISED);
	assert_string_equal(feed_fixture_plan(registry, "A: AS1-AS2 AS4 10.0.0.0/22; B: AS9; C: AS3"),
		"# AS3 stays with CA \"A\" instead of moving to \"C\": " PROMISED);
	assert_string_equal(feed_fixture_plan(registry, "B: AS9"),
		"A gone -AS1-AS2 -AS4 -10.0.0.0/24 -10.0.2.0/23\n"
		"# AS3 stays with CA \"A\", although the file gives it to nobody: " PROMISED
		"# 10.0.1.0/24 stays with CA \"A\", although the file gives it to nobody: " PROMISED);
	assert_int_equal(transfer_cancel(&registry->context, &registry_operator, transfer_id, &registry->fault), FAULT_NONE);
	assert_string_equal(feed_fixture_plan(registry, "A: AS1-AS2 AS4 10.0.0.0/22; B: AS9"), "A shrunk -AS3\n");
}

/* What the file of the day before doesn't know of isn't taken back unasked. */
static void
registry_plan__takes_no_later_transfer_back_unasked(void **state)
{
	struct registry *registry = *state;
	AUTO_CLEAR(struct resource_set, resource_set_clear) resources = registry_resources("10.0.1.0/24");
	AUTO_CLEAR(struct transfer_effect, transfer_effect_clear) effect = TRANSFER_EFFECT_INIT;
	const struct transfer_request request = { .from = "A", .to = "B", .resources = &resources };
	static const struct { const char *date, *over_limits; } cases[] = {
		{ "20251231", "transfer 1 is taken back, which is later than this file" },
		{ "20260101", "transfer 1 is taken back, which is later than this file" },
		{ "20260102", "" },
		{ "00000000", "transfer 1 is taken back, which is later than this file" },
	};
	int64_t transfer_id;
	(void)registry_member_id(registry, "A", "10.0.0.0/23");
	(void)registry_member_id(registry, "B", "AS9");
	assert_int_equal(transfer_create(&registry->context, &registry_operator, &request, &registry->complaints, &effect, &transfer_id,
		&registry->fault), FAULT_NONE);
	registry_sql(registry, "UPDATE cas SET changed_at = NULL, change_group = NULL, change_last = 0");
	for (size_t i = 0; i < 2 * (sizeof cases / sizeof *cases); i++) {
		AUTO(struct registry_plan, registry_plan_free) plan = NULL;
		bool knows = i % 2 != 0;
		char text[512];
		(void)snprintf(text, sizeof text, "2|x|1|3|00000000|%s|0\nx|*|ipv4|*|2|summary\nx|*|asn|*|1|summary\n"
			"x||ipv4|10.0.0.0|256||allocated|A\nx||ipv4|10.0.1.0|256||allocated|%s\nx||asn|9|1||allocated|B\n", cases[i / 2].date,
			knows ? "B" : "A");
		const char *path = registry_path(registry, "file");
		feed_file_write(path, text);
		AUTO(struct db_connection, db_reader_release) connection = NULL;
		assert_int_equal(db_reader_acquire(registry->db, &connection, NULL), FAULT_NONE);
		assert_int_equal(registry_plan_make(connection, path, &feed_fixture_no_limits, &plan, &registry->fault), FAULT_NONE);
		assert_string_equal(bytes_text(&plan->over_limits), knows ? "" : cases[i / 2].over_limits);
	}
}

static void
registry_plan__says_who_may_have_come_back_under_another_id(void **state)
{
	struct registry *registry = *state;
	int64_t a = registry_member_id(registry, "A", "AS1 10.0.0.0/23");
	(void)registry_member_id(registry, "B", "AS2");
	feed_fixture_roa(registry, a, 1, "10.0.0.0/24", 24);
	feed_fixture_follow(registry, "B: AS2");
	assert_string_equal(feed_fixture_plan(registry, "x: AS1; B: AS2"), "x new +AS1\n");
	assert_string_equal(feed_fixture_plan(registry, "x: AS1 10.0.0.0/23; B: AS2"), "x new +AS1 +10.0.0.0/23\n"
		"# CA \"A\", which holds nothing, has a ROA for AS1 10.0.0.0/24, of the new \"x\": if that is the same holder, give \"A\" its "
		"resources before (cadastre ca set)\n");
	AUTO_CLEAR(struct resource_set, resource_set_clear) resources = registry_resources("10.0.0.0/23");
	assert_int_equal(ca_set_resources(&registry->context, &registry_operator, a, &resources, &registry->complaints, &registry->fault),
		FAULT_NONE);
	assert_string_equal(feed_fixture_plan(registry, "x: AS1 10.0.0.0/23; B: AS2"), "A grown +AS1\n");
}

static void
registry_plan__refuses_resources_beyond_those_above(void **state)
{
	struct registry *registry = *state;
	assert_string_equal(feed_fixture_plan(registry, "A: AS1; B: 10.0.0.0/24 11.0.0.0/8 12.0.0.0/8"),
		"line 2: of the holder \"B\" that begins here, 11.0.0.0-12.255.255.255 is not held by the CA above, \"online\"");
	assert_int_equal(registry->fault.code, FAULT_INVALID);
}

static const char *
stats_of(struct registry *registry, const char *name)
{
	char text[512];
	const char *path = registry_path(registry, "stats");
	(void)snprintf(text, sizeof text, "2|%s|20260801|1|00000000|20260801|00000\n%s|*|asn|*|1|summary\n%s|ZA|asn|1|1||allocated|A\n",
		name, name, name);
	feed_file_write(path, text);
	return path;
}

static enum fault_code
plan_stats(struct registry *registry, const char *name, const char *wanted)
{
	AUTO(struct registry_plan, registry_plan_free) plan = NULL;
	struct registry_limits limits = feed_fixture_no_limits;
	limits.registry = wanted;
	registry_forget(registry);
	return registry_plan(&registry->context, &registry_operator, stats_of(registry, name), &limits, &plan, &registry->fault);
}

static void
registry_plan__refuses_another_registry_s_file(void **state)
{
	struct registry *registry = *state;
	assert_int_equal(plan_stats(registry, "afrinic", ""), FAULT_NONE);
	assert_int_equal(plan_stats(registry, "afrinic", "afrinic"), FAULT_NONE);
	assert_int_equal(plan_stats(registry, "apnic", "afrinic"), FAULT_CONFLICT);
	assert_string_equal(registry->fault.message, "line 1: this is a file of the registry \"apnic\"; members here are of \"afrinic\"");
	/* Without a setting the last file that was applied says it. */
	AUTO(struct registry_plan, registry_plan_free) plan = NULL;
	int64_t feed_id;
	assert_int_equal(registry_apply(&registry->context, &registry_operator, stats_of(registry, "afrinic"), &feed_fixture_no_limits,
		NULL, &plan, &feed_id, NULL), FAULT_NONE);
	assert_int_equal(plan_stats(registry, "apnic", ""), FAULT_CONFLICT);
	assert_non_null(strstr(registry->fault.message, "as the file that was applied last"));
	/* A file that doesn't say is taken, and makes nobody forget. */
	feed_fixture_follow(registry, "A: AS1");
	assert_int_equal(plan_stats(registry, "apnic", ""), FAULT_CONFLICT);
	assert_int_equal(plan_stats(registry, "apnic", "apnic"), FAULT_NONE);
}

int
main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(registry_plan__##name, registry_setup, registry_teardown)
	const struct CMUnitTest tests[] = {
		CASE(shows_what_becomes_of_each_member),
		CASE(tells_members_by_resources),
		CASE(follows_stored_aliases),
		CASE(shows_roas_that_are_lost_and_what_could_take_their_place),
		CASE(bounds_what_it_proposes),
		CASE(bounds_its_lists),
		CASE(counts_roas_that_come_back),
		CASE(a_member_on_hold_keeps_what_it_has),
		CASE(what_waits_to_leave_the_registry_stays),
		CASE(takes_no_later_transfer_back_unasked),
		CASE(says_who_may_have_come_back_under_another_id),
		CASE(refuses_resources_beyond_those_above),
		CASE(refuses_another_registry_s_file),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
