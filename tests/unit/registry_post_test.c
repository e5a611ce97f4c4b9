/* The two routes of registry feeds, through the whole API. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/feed_file.h"
#include "tests/unit/service.h"

#define LINE(id, asns, ipv4, ipv6) "{\"id\":\"" id "\",\"asn\":[" asns "],\"ipv4\":[" ipv4 "],\"ipv6\":[" ipv6 "],\"roas\":[]}\n"
#define ALPHA LINE("alpha", "\"AS64496-AS64511\"", "\"192.0.2.0/24\"", "\"2001:db8::/32\"")
#define BETA LINE("beta", "64512", "\"198.51.100.0/24\"", "")

/* alpha gives the second half of its IPv4 to beta, beta's AS number goes to nobody, gamma is new. */
#define CHANGED \
	LINE("alpha", "\"AS64496-AS64511\"", "\"192.0.2.0/25\"", "\"2001:db8::/32\"") \
	LINE("beta", "", "\"198.51.100.0/24\",\"192.0.2.128/25\"", "") LINE("gamma", "65000", "", "")

static struct service_answer *
post(void **state, enum service_token token, const char *what, const char *body)
{
	struct service_answer *answer = service_fetch(*state, token, what, "Content-Type: application/octet-stream", SPAN(body, strlen(body)));
	assert_non_null(answer);
	return answer;
}

static int
setup(void **state)
{
	if (service_setup(state) != 0)
		return -1;
	service_listen(*state);
	return 0;
}

static const char *
now_held(struct service *service)
{
	return registry_text(service->registry, "SELECT count(*) || '/' || sum(version) AS it FROM cas WHERE kind = 'member'");
}

static void
registry_post__plans_and_applies(void **state)
{
	struct service *service = *state;
	registry_sql(service->registry, "UPDATE cas SET version = 1");
	ANSWER roa = service_ask(service, BY_MEMBER, "POST /api/v1/cas/alpha/roas", NULL,
		"{\"added\":[{\"asn\":64496,\"prefix\":\"192.0.2.0/24\",\"max_length\":28}]}");
	assert_int_equal(roa->status, 200);
	AUTO(char, free) before = strdup(now_held(service));
	ANSWER plan = post(state, BY_OPERATOR, "POST /api/v1/registry/plan", CHANGED);
	assert_int_equal(plan->status, 200);
	assert_string_equal(service_text(plan, "feed"), "null");
	assert_string_equal(service_text(plan, "counts.new"), "1");
	assert_string_equal(service_text(plan, "counts.roas_straddling"), "1");
	assert_string_equal(service_text(plan, "members[0].handle"), "alpha");
	assert_string_equal(service_text(plan, "members[0].change"), "shrunk");
	assert_string_equal(service_text(plan, "members[0].lost[0]"), "192.0.2.128/25");
	assert_string_equal(service_text(plan, "moves[0].to"), "beta");
	assert_string_equal(service_text(plan, "roas[0].replacements[0].prefix"), "192.0.2.0/25");
	assert_string_equal(service_text(plan, "roas[0].replacements[0].max_length"), "28");
	assert_string_equal(service_text(plan, "left_off.members"), "0");
	assert_string_equal(now_held(service), before);
	/* One AS number of 17 is more than two per cent. */
	ANSWER refused = post(state, BY_OPERATOR, "POST /api/v1/registry/apply", CHANGED);
	assert_int_equal(refused->status, 409);
	assert_non_null(strstr(service_text(refused, "detail"), service_text(plan, "code")));
	char what[128];
	(void)snprintf(what, sizeof what, "POST /api/v1/registry/apply?accept=%s&limit=1", service_text(plan, "code"));
	ANSWER wrong = post(state, BY_OPERATOR, what, CHANGED LINE("delta", "65001", "", ""));
	assert_int_equal(wrong->status, 409);
	assert_string_equal(now_held(service), before);
	ANSWER applied = post(state, BY_OPERATOR, what, CHANGED);
	assert_int_equal(applied->status, 200);
	assert_string_equal(service_text(applied, "feed"), "1");
	assert_string_equal(service_text(applied, "members[1]"), "(none)");
	assert_string_equal(service_text(applied, "left_off.members"), "2");
	ANSWER list = service_ask(service, BY_MEMBER, "GET /api/v1/cas/alpha/roas", NULL, NULL);
	assert_string_equal(service_text(list, "roas[0].status"), "not_held");
	ANSWER again = post(state, BY_ADMIN, "POST /api/v1/registry/apply", CHANGED);
	assert_int_equal(again->status, 200);
	assert_string_equal(service_text(again, "counts.same"), "3");
	assert_string_equal(service_text(again, "over_limits"), "null");
}

static void
registry_post__is_for_staff(void **state)
{
	struct service *service = *state;
	static const enum service_token others[] = { BY_NOBODY, BY_READER, BY_MEMBER, BY_STRANGER, BY_EXPIRED, BY_REVOKED, BY_FORGER };
	AUTO(char, free) before = strdup(now_held(service));
	for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
		ANSWER plan = post(state, others[i], "POST /api/v1/registry/plan", ALPHA BETA);
		ANSWER applied = post(state, others[i], "POST /api/v1/registry/apply", ALPHA BETA);
		assert_true(plan->status == 401 || plan->status == 403);
		assert_true(applied->status == 401 || applied->status == 403);
	}
	assert_string_equal(now_held(service), before);
	assert_int_equal(registry_number(service->registry, "SELECT count(*) AS it FROM registry_feeds"), 0);
}

static void
registry_post__refuses_bad_files_and_parameters(void **state)
{
	struct service *service = *state;
	static const struct {
		const char *what, *body, *detail;
	} cases[] = {
		{ "POST /api/v1/registry/plan", "", "the body is empty" },
		{ "POST /api/v1/registry/apply", "", "the body is empty" },
		{ "POST /api/v1/registry/plan", "hello", "line 1: " },
		{ "POST /api/v1/registry/apply", ALPHA "{", "line 2: " },
		{ "POST /api/v1/registry/apply", ALPHA ALPHA, "line 2: " },
		{ "POST /api/v1/registry/plan", ALPHA LINE("x", "", "\"8.8.8.0/24\"", ""), "line 2: of the holder \"x\"" },
		{ "POST /api/v1/registry/plan?limit=0", ALPHA, "" },
		{ "POST /api/v1/registry/plan?limit=1001", ALPHA, "" },
		{ "POST /api/v1/registry/plan?accept=00", ALPHA, "" },
		{ "POST /api/v1/registry/apply?force=1", ALPHA, "" },
	};
	AUTO(char, free) before = strdup(now_held(service));
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		ANSWER answer = post(state, BY_OPERATOR, cases[i].what, cases[i].body);
		if (answer->status != 400 || strstr(service_text(answer, "detail"), cases[i].detail) == NULL)
			fail_msg("%s %s: %d %s", cases[i].what, cases[i].body, answer->status, bytes_text(&answer->body));
	}
	assert_string_equal(now_held(service), before);
	/* Bad files are in the audit, each with who sent it. */
	assert_int_equal(registry_number(service->registry, "SELECT count(*) AS it FROM audit WHERE action LIKE 'registry.%%' AND outcome IN "
		"('invalid', 'malformed')"), 10);
}

int
main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(registry_post__##name, setup, service_teardown)
	const struct CMUnitTest tests[] = {
		CASE(plans_and_applies),
		CASE(is_for_staff),
		CASE(refuses_bad_files_and_parameters),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
