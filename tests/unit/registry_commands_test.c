#include "ca/commands/registry_commands.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ca/commands/import_commands.h"
#include "tests/unit/feed_file.h"
#include "tests/unit/feed_fixture.h"

#define LAST_AUDIT "SELECT action || ' ' || outcome || ': ' || COALESCE(detail, '-') AS it FROM audit ORDER BY audit_id DESC LIMIT 1"
#define STATE "SELECT COALESCE(group_concat(line, ' '), '') AS it FROM (SELECT handle || ':v' || version ||" \
	" CASE WHEN changed_at IS NULL THEN '' ELSE '*' END || COALESCE('/' || change_group || CASE change_last WHEN 1 THEN 'last'" \
	" ELSE '' END, '') AS line FROM cas WHERE kind = 'member' ORDER BY handle)"

static const struct registry_limits small_limits = {
	.registry = "", .changes_free = 2, .changes_share_max = 10, .members_max = 4, .shrink_ipv4_max = 50, .shrink_ipv6_max = 50,
	.shrink_asns_max = 50,
};

/* As if all that waits had been published. */
static void
settle(struct registry *registry)
{
	registry_sql(registry, "UPDATE cas SET changed_at = NULL, change_group = NULL, change_last = 0");
	registry->wakes = 0;
}

static void
registry_commands__apply_is_one_transaction_with_its_audit(void **state)
{
	struct registry *registry = *state;
	(void)registry_member_id(registry, "A", "AS1 10.0.0.0/24");
	(void)registry_member_id(registry, "B", "AS2 10.0.1.0/24");
	(void)registry_member_id(registry, "C", "AS3");
	settle(registry);
	feed_fixture_follow(registry, "A: AS1 10.0.0.0/25; b: AS2 10.0.1.0/24 10.0.0.128/25; D: AS4");
	assert_string_equal(registry_text(registry, STATE), "A:v2*/1last B:v2*/1 C:v2* D:v1*");
	assert_int_equal(registry->wakes, 1);
	assert_string_equal(registry_text(registry, LAST_AUDIT), "registry.apply done: feed 1, 3 holders: members 1 new, 1 gone, 1 grown, "
		"1 shrunk, 0 exchanged, 2 called otherwise; 1 ranges moved; ROAs 0 lost, 0 back");
	assert_string_equal(registry_text(registry, "SELECT group_concat(line, ' ') AS it FROM (SELECT handle || '=' || COALESCE(alias, '-')"
		" AS line FROM cas WHERE kind = 'member' ORDER BY handle)"), "A=A B=b C=- D=D");
	assert_string_equal(registry_text(registry, "SELECT action || ' ' || ca_handle || ' ' || outcome || ': ' || detail AS it FROM audit "
		"WHERE ca_handle = 'B' ORDER BY audit_id DESC LIMIT 1"),
		"ca.resources B done: from 1 AS, 1 IPv4 and 0 IPv6 ranges to 1 AS, 1 IPv4 and 0 IPv6 ranges, by the registry's feed");
	assert_int_equal(registry_number(registry, "SELECT count(*) AS it FROM audit WHERE actor = 'an operator'"), 5);
	assert_string_equal(registry_text(registry, "SELECT holders || ' ' || members_new || ' ' || members_changed || ' ' || members_gone "
		"|| ' ' || accepted || ' ' || actor || COALESCE(registry, ' -') AS it FROM registry_feeds"), "3 1 3 1 0 an operator -");
}

static void
registry_commands__a_second_time_changes_nothing(void **state)
{
	struct registry *registry = *state;
	feed_fixture_follow(registry, "A: AS1 10.0.0.0/24; B: AS2");
	settle(registry);
	clock_hand_set(&registry->clock, REGISTRY_NOW + 60);
	feed_fixture_follow(registry, "B: AS2; A: AS1 10.0.0.0/24");
	assert_string_equal(registry_text(registry, STATE), "A:v1 B:v1");
	assert_int_equal(registry_number(registry, "SELECT count(*) AS it FROM registry_feeds"), 2);
}

/* What RIPE's files do every day. */
static void
registry_commands__other_ids_alone_issue_nothing(void **state)
{
	struct registry *registry = *state;
	feed_fixture_follow(registry, "A: AS1 10.0.0.0/24; B: AS2");
	settle(registry);
	feed_fixture_follow(registry, "x1: AS1 10.0.0.0/24; x2: AS2");
	assert_string_equal(registry_text(registry, STATE), "A:v1 B:v1");
	assert_string_equal(registry_text(registry, "SELECT group_concat(alias) AS it FROM cas WHERE kind = 'member'"), "x1,x2");
	/* From here on they are known by those. */
	feed_fixture_follow(registry, "x2: AS2");
	feed_fixture_follow(registry, "x2: AS2; x1: AS7");
	assert_string_equal(registry_text(registry, STATE), "A:v3* B:v1");
}

static void
registry_commands__who_is_gone_keeps_handle_and_intents(void **state)
{
	struct registry *registry = *state;
	int64_t a = registry_member_id(registry, "A", "AS1 10.0.0.0/24");
	(void)registry_member_id(registry, "B", "AS2");
	feed_fixture_roa(registry, a, 1, "10.0.0.0/24", 24);
	feed_fixture_follow(registry, "B: AS2");
	assert_string_equal(registry_text(registry, "SELECT state || ' ' || roas_count || ' ' || (SELECT count(*) FROM roas) AS it FROM cas "
		"WHERE handle = 'A'"), "active 1 1");
	assert_int_equal(registry_number(registry, "SELECT roas_lost AS it FROM registry_feeds"), 1);
	/* It is not gone once more. */
	assert_string_equal(feed_fixture_plan(registry, "B: AS2"), "");
	feed_fixture_follow(registry, "A: AS1 10.0.0.0/24; B: AS2");
	assert_int_equal(registry_number(registry, "SELECT ca_id AS it FROM cas WHERE handle = 'A'"), a);
	assert_int_equal(registry_number(registry, "SELECT count(*) AS it FROM cas WHERE kind = 'member'"), 2);
}

/* A ring: each gives to the next. Nobody only gives, so nobody comes last; the one outside has nothing to do with it. */
static void
registry_commands__whoever_exchanges_is_one_group(void **state)
{
	struct registry *registry = *state;
	(void)registry_member_id(registry, "A", "AS1 10.0.0.0/24 10.1.0.0/28");
	(void)registry_member_id(registry, "B", "AS2 10.0.1.0/24 10.1.1.0/28");
	(void)registry_member_id(registry, "C", "AS3 10.0.2.0/24 10.1.2.0/28");
	(void)registry_member_id(registry, "D", "AS4 10.0.3.0/24");
	(void)registry_member_id(registry, "E", "AS5");
	settle(registry);
	feed_fixture_follow(registry, "A: AS1 10.0.0.0/24 10.1.2.0/28; B: AS2 10.0.1.0/24 10.1.0.0/28; C: AS3 10.0.2.0/24 10.1.1.0/28;"
		" D: AS4 10.0.3.0/25; E: AS5 10.0.3.128/25; F: AS6");
	assert_string_equal(registry_text(registry, STATE), "A:v2*/1 B:v2*/1 C:v2*/1 D:v2*/2last E:v2*/2 F:v1*");
}

/* Prefixes change hands whole: the row of the one who gives starts where the other's does. */
static void
registry_commands__members_can_change_places(void **state)
{
	struct registry *registry = *state;
	(void)registry_member_id(registry, "A", "AS1-AS9 10.0.0.0/24");
	(void)registry_member_id(registry, "B", "AS11-AS19 10.0.1.0/24");
	settle(registry);
	feed_fixture_follow(registry, "A: AS1-AS9 10.0.1.0/24; B: AS11-AS19 10.0.0.0/24");
	assert_string_equal(registry_text(registry, STATE), "A:v2*/1 B:v2*/1");
	settle(registry);
	feed_fixture_follow(registry, "A: AS1-AS9 10.0.0.0/24; B: AS11-AS19 10.0.1.0/24");
}

/* Whoever gives or takes in a change that is not out yet keeps what it has until then: nobody is to wait for himself. */
static void
registry_commands__exchanges_under_way_come_first(void **state)
{
	struct registry *registry = *state;
	(void)registry_member_id(registry, "A", "AS1-AS9 10.0.0.0/24");
	(void)registry_member_id(registry, "B", "AS11-AS19 10.0.1.0/24");
	(void)registry_member_id(registry, "C", "AS21-AS29");
	settle(registry);
	feed_fixture_follow(registry, "A: AS1-AS9; B: AS11-AS19 10.0.0.0/23; C: AS21-AS29");
	assert_string_equal(registry_text(registry, STATE), "A:v2*/1last B:v2*/1 C:v1");
	static const char next[] = "A: AS1-AS9 10.0.0.0/24; B: AS11-AS19; C: AS21-AS29 AS31 10.0.1.0/24";
	assert_int_equal(feed_fixture_apply(registry, next, &feed_fixture_no_limits, NULL), FAULT_NONE);
	feed_fixture_check_holdings(registry);
	assert_string_equal(registry_text(registry, STATE), "A:v2*/1last B:v2*/1 C:v2*");
	settle(registry);
	feed_fixture_follow(registry, next);
	assert_string_equal(registry_text(registry, STATE), "A:v3*/1 B:v3*/1last C:v3*/1");
}

static void
registry_commands__a_change_beyond_the_limits_needs_its_code(void **state)
{
	struct registry *registry = *state;
	(void)registry_member_id(registry, "A", "AS1 10.0.0.0/24");
	(void)registry_member_id(registry, "B", "AS2 10.0.1.0/24");
	AUTO(struct registry_plan, registry_plan_free) plan = NULL;
	static const char feed[] = "A: AS1 10.0.0.0/24; B: AS2; C: AS3";
	char wrong[REGISTRY_CODE_SIZE];
	settle(registry);
	const char *path = feed_fixture_write(registry, feed);
	assert_int_equal(registry_plan(&registry->context, &registry_operator, path, &small_limits, &plan, NULL), FAULT_NONE);
	assert_int_equal(plan->over_limits.length, 0);
	registry_plan_free(plan);
	plan = NULL;
	struct registry_limits limits = small_limits;
	limits.shrink_ipv4_max = 49;
	assert_int_equal(registry_plan(&registry->context, &registry_operator, path, &limits, &plan, NULL), FAULT_NONE);
	assert_string_equal(bytes_text(&plan->over_limits),
		"256 of 512 IPv4 addresses are held by nobody any more (feed_shrink_ipv4_max is 49 %)");
	assert_int_equal(strlen(plan->code), REGISTRY_CODE_SIZE - 1);
	assert_int_equal(feed_fixture_apply(registry, feed, &limits, NULL), FAULT_CONFLICT);
	assert_non_null(strstr(registry->fault.message, plan->code));
	assert_non_null(strstr(registry_text(registry, LAST_AUDIT), "registry.apply conflict: this is beyond the limits: 256 of 512 IPv4"));
	/* No other code: not of another form, not shortened, not of another file. */
	(void)snprintf(wrong, sizeof wrong, "%s", plan->code);
	wrong[0] = wrong[0] == '0' ? '1' : '0';
	assert_int_equal(feed_fixture_apply(registry, feed, &limits, wrong), FAULT_CONFLICT);
	(void)snprintf(wrong, sizeof wrong, "%.10s", plan->code);
	assert_int_equal(feed_fixture_apply(registry, feed, &limits, wrong), FAULT_CONFLICT);
	assert_int_equal(feed_fixture_apply(registry, feed, &limits, ""), FAULT_CONFLICT);
	assert_int_equal(feed_fixture_apply(registry, "A: AS1 10.0.0.0/24; B: AS2; C: AS4", &limits, plan->code), FAULT_CONFLICT);
	/* Not even within the limits. */
	assert_int_equal(feed_fixture_apply(registry, "A: AS1 10.0.0.0/24; B: AS2 10.0.1.0/24", &limits, plan->code), FAULT_CONFLICT);
	assert_string_equal(registry_text(registry, STATE), "A:v1 B:v1");
	assert_int_equal(registry->wakes, 0);
	assert_int_equal(feed_fixture_apply(registry, feed, &limits, plan->code), FAULT_NONE);
	assert_string_equal(registry_text(registry, STATE), "A:v1 B:v2* C:v1*");
	assert_non_null(strstr(registry_text(registry, LAST_AUDIT), "; beyond the limits, accepted as "));
	assert_int_equal(registry_number(registry, "SELECT accepted AS it FROM registry_feeds"), 1);
	/* It is done, so it can't be done again. */
	assert_int_equal(feed_fixture_apply(registry, feed, &limits, plan->code), FAULT_CONFLICT);
}

static const char *
code_of(struct registry *registry, const char *feed)
{
	static char codes[2][REGISTRY_CODE_SIZE];
	static int which;
	AUTO(struct registry_plan, registry_plan_free) plan = NULL;
	which = !which;
	assert_int_equal(registry_plan(&registry->context, &registry_operator, feed_fixture_write(registry, feed), &small_limits, &plan, NULL),
		FAULT_NONE);
	return strcpy(codes[which], plan->code);
}

static void
registry_commands__a_code_is_of_one_change_of_one_state(void **state)
{
	struct registry *registry = *state;
	int64_t a = registry_member_id(registry, "A", "AS1 10.0.0.0/24");
	int64_t b = registry_member_id(registry, "B", "AS2 10.0.1.0/24");
	static const char feed[] = "A: AS1; B: AS2 10.0.1.0/24";
	char code[REGISTRY_CODE_SIZE];
	(void)snprintf(code, sizeof code, "%s", code_of(registry, feed));
	assert_string_equal(code_of(registry, "x: AS2 10.0.1.0/24; y: AS1"), code);
	assert_string_not_equal(code_of(registry, "A: AS1; B: AS2"), code);
	assert_string_not_equal(code_of(registry, "A: AS1 10.0.0.0/25; B: AS2 10.0.1.0/24"), code);
	/* A ROA that would be lost is a part of the change; any other is none. */
	feed_fixture_roa(registry, b, 2, "10.0.1.0/24", 24);
	assert_string_equal(code_of(registry, feed), code);
	feed_fixture_roa(registry, a, 1, "10.0.0.0/24", 24);
	assert_string_not_equal(code_of(registry, feed), code);
	/* So is what the member held before. */
	(void)snprintf(code, sizeof code, "%s", code_of(registry, feed));
	registry_sql(registry, "UPDATE cas SET resources = (SELECT resources FROM cas WHERE ca_id = %" PRId64 ") WHERE ca_id = %" PRId64, b, b);
	assert_string_equal(code_of(registry, feed), code);
	AUTO_CLEAR(struct resource_set, resource_set_clear) more = registry_resources("AS1 10.0.0.0/24 AS9");
	assert_int_equal(ca_set_resources(&registry->context, &registry_admin, a, &more, &registry->complaints, NULL), FAULT_NONE);
	assert_string_not_equal(code_of(registry, feed), code);
}

static void
registry_commands__each_limit_refuses(void **state)
{
	struct registry *registry = *state;
	(void)registry_member_id(registry, "A", "AS1-AS10 10.0.0.0/24 2001:db8::/48");
	(void)registry_member_id(registry, "B", "AS11-AS20 10.0.1.0/24 2001:db8:2::/48");
	static const struct {
		const char *feed, *reason;
	} feeds[] = {
		{ "A: AS1-AS10 10.0.0.0/24 2001:db8::/48; B: AS11-AS20 10.0.1.0/24 2001:db8:2::/48; C: AS30 AS32", "" },
		{ "A: AS1-AS10 10.0.0.0/24 2001:db8::/48; B: AS11-AS20 10.0.1.0/24 2001:db8:2::/48; C: AS30 AS32 AS34",
			"3 of 6 entries are gained or lost (feed_changes_share_max is 10 %)" },
		{ "A: AS1-AS9 10.0.0.0/24 2001:db8::/48; B: AS11-AS20 10.0.1.0/24 2001:db8:2::/48", "" },
		{ "A: 10.0.0.0/24 2001:db8::/48; B: AS11-AS20 10.0.1.0/24 2001:db8:2::/48", "" },
		{ "A: AS1 10.0.0.0/24 2001:db8::/48; B: AS11 10.0.1.0/24 2001:db8:2::/48",
			"18 of 20 AS numbers are held by nobody any more (feed_shrink_asns_max is 50 %)" },
		{ "A: AS1-AS10 10.0.0.0/24; B: AS11-AS20 10.0.1.0/24",
			"131072 of 131072 IPv6 /64s are held by nobody any more (feed_shrink_ipv6_max is 50 %)" },
		{ "A: AS1-AS10 2001:db8::/48; B: AS11-AS20 2001:db8:2::/48",
			"512 of 512 IPv4 addresses are held by nobody any more (feed_shrink_ipv4_max is 50 %)" },
		/* What moves vanishes for nobody. */
		{ "A: AS1-AS10 2001:db8::/48; B: AS11-AS20 10.0.0.0/23 2001:db8:2::/48", "" },
		{ "A: AS1-AS10 10.0.0.0/24 2001:db8::/48; B: AS11-AS20 10.0.1.0/24 2001:db8:2::/48; C: ; D: ; E: ; F: ", "" },
		{ "A: AS1-AS10 10.0.0.0/24 2001:db8::/48; B: AS11-AS20 10.0.1.0/24 2001:db8:2::/48; C: ; D: ; E: ; F: ; G: ",
			"5 of 2 members are new, changed or gone (feed_members_max is 4)" },
		{ "Z: AS99", "7 of 6 entries are gained or lost (feed_changes_share_max is 10 %); 20 of 20 AS numbers are held by nobody any more "
			"(feed_shrink_asns_max is 50 %); 512 of 512 IPv4 addresses are held by nobody any more (feed_shrink_ipv4_max is 50 %); "
			"131072 of 131072 IPv6 /64s are held by nobody any more (feed_shrink_ipv6_max is 50 %)" },
	};
	for (size_t i = 0; i < sizeof feeds / sizeof *feeds; i++) {
		AUTO(struct registry_plan, registry_plan_free) plan = NULL;
		const char *path = feed_fixture_write(registry, feeds[i].feed);
		assert_int_equal(registry_plan(&registry->context, &registry_operator, path, &small_limits, &plan, NULL), FAULT_NONE);
		if (strcmp(bytes_text(&plan->over_limits), feeds[i].reason) != 0)
			fail_msg("%s: \"%s\" instead of \"%s\"", feeds[i].feed, bytes_text(&plan->over_limits), feeds[i].reason);
	}
}

/* A whole registry that comes into an empty one is no share of anything: it needs the code, unless it is small. */
static void
registry_commands__the_first_feed_is_beyond_the_limits(void **state)
{
	struct registry *registry = *state;
	assert_int_equal(feed_fixture_apply(registry, "A: AS1; B: AS3; C: AS5", &small_limits, NULL), FAULT_CONFLICT);
	assert_int_equal(feed_fixture_apply(registry, "A: AS1; B: AS3", &small_limits, NULL), FAULT_NONE);
}

static void
registry_commands__bad_files_change_nothing(void **state)
{
	struct registry *registry = *state;
	AUTO(struct registry_plan, registry_plan_free) plan = NULL;
	const char *path = registry_path(registry, "feed");
	int64_t feed_id = -1;
	(void)registry_member_id(registry, "A", "AS1");
	settle(registry);
	static const char overlapping[] = "{\"id\":\"A\",\"asn\":[1],\"ipv4\":[],\"ipv6\":[],\"roas\":[]}\n"
		"{\"id\":\"B\",\"asn\":[1],\"ipv4\":[],\"ipv6\":[],\"roas\":[]}\n";
	static const char beyond[] = "{\"id\":\"A\",\"asn\":[1],\"ipv4\":[\"10.0.0.0/8\"],\"ipv6\":[],\"roas\":[]}\n"
		"{\"id\":\"B\",\"asn\":[2],\"ipv4\":[\"11.0.0.0/8\"],\"ipv6\":[],\"roas\":[]}\n";
	static const char *const files[] = { "", "{", "2|afrinic|20260801|7|00000000|20260801|00000\n",
		overlapping, beyond };
	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		int64_t rows = registry_number(registry, "SELECT count(*) AS it FROM audit WHERE action = 'registry.apply'");
		feed_file_write(path, files[i]);
		enum fault_code code = registry_apply(&registry->context, &registry_operator, path, &feed_fixture_no_limits, NULL, &plan, &feed_id,
			NULL);
		assert_true(code == FAULT_MALFORMED || code == FAULT_INVALID);
		assert_null(plan);
		assert_int_equal(feed_id, -1);
		assert_int_equal(registry_number(registry, "SELECT count(*) AS it FROM audit WHERE action = 'registry.apply'"), rows + 1);
	}
	assert_non_null(strstr(registry_text(registry, LAST_AUDIT), "registry.apply invalid: line 2: of the holder \"B\""));
	assert_int_equal(registry_plan(&registry->context, &registry_operator, path, &feed_fixture_no_limits, &plan, NULL), FAULT_INVALID);
	assert_non_null(strstr(registry_text(registry, LAST_AUDIT), "registry.plan invalid: line 2"));
	assert_string_equal(registry_text(registry, STATE), "A:v1");
	assert_int_equal(registry_number(registry, "SELECT count(*) AS it FROM registry_feeds"), 0);
	assert_int_equal(registry->wakes, 0);
}

static void
registry_commands__waits_for_no_import(void **state)
{
	struct registry *registry = *state;
	char id[IMPORT_ID_SIZE];
	assert_int_equal(import_start(&registry->context, &registry_operator, IMPORT_STATS, id, NULL), FAULT_NONE);
	assert_int_equal(feed_fixture_apply(registry, "A: AS1", &feed_fixture_no_limits, NULL), FAULT_CONFLICT);
	assert_non_null(strstr(registry->fault.message, "is still being applied"));
	assert_int_equal(registry_number(registry, "SELECT count(*) AS it FROM cas WHERE kind = 'member'"), 0);
}

/* Members made by an import are known by the id that it had for them, also after they were renamed and emptied. */
static void
registry_commands__imports_store_aliases(void **state)
{
	struct registry *registry = *state;
	char id[IMPORT_ID_SIZE];
	const char *path = feed_fixture_write(registry, "A: AS1; B: AS2");
	assert_int_equal(import_start(&registry->context, &registry_operator, IMPORT_MEMBERS, id, NULL), FAULT_NONE);
	assert_int_equal(import_apply(&registry->context, id, path, NULL, NULL), FAULT_NONE);
	assert_string_equal(registry_text(registry, "SELECT group_concat(alias) AS it FROM cas WHERE kind = 'member'"), "A,B");
	feed_fixture_follow(registry, "A: AS1; B: AS2 AS3");
	assert_string_equal(registry_text(registry, "SELECT COALESCE(import_id, 'none') AS it FROM cas WHERE handle = 'B'"), "none");
}

int
main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(registry_commands__##name, registry_setup, registry_teardown)
	const struct CMUnitTest tests[] = {
		CASE(apply_is_one_transaction_with_its_audit),
		CASE(a_second_time_changes_nothing),
		CASE(other_ids_alone_issue_nothing),
		CASE(who_is_gone_keeps_handle_and_intents),
		CASE(whoever_exchanges_is_one_group),
		CASE(members_can_change_places),
		CASE(exchanges_under_way_come_first),
		CASE(a_change_beyond_the_limits_needs_its_code),
		CASE(a_code_is_of_one_change_of_one_state),
		CASE(each_limit_refuses),
		CASE(the_first_feed_is_beyond_the_limits),
		CASE(bad_files_change_nothing),
		CASE(waits_for_no_import),
		CASE(imports_store_aliases),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
