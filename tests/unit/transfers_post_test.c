#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "tests/unit/service.h"

static struct service_answer *
ask(void **state, enum service_token token, const char *what, const char *body)
{
	return service_ask(*state, token, what, NULL, body);
}

/* The three members of every body, with what follows. */
#define BODY(from, to, rest) "{\"from\":" from ",\"to\":" to ",\"resources\":" rest "}"
#define ALPHA_TO_BETA(rest) BODY("\"alpha\"", "\"beta\"", rest)

static void
add_roa(void **state, const char *prefix, int max_length)
{
	char body[200];
	(void)snprintf(body, sizeof body, "{\"added\":[{\"asn\":64496,\"prefix\":\"%s\",\"max_length\":%d}]}", prefix, max_length);
	ANSWER answer = ask(state, BY_MEMBER, "POST /api/v1/cas/alpha/roas", body);
	assert_int_equal(answer->status, 200);
}

static void
transfers_post__makes_a_transfer(void **state)
{
	add_roa(state, "192.0.2.0/25", 25);
	ANSWER answer = ask(state, BY_OPERATOR, "POST /api/v1/transfers",
		ALPHA_TO_BETA("{\"asns\":[64500],\"ipv4\":[\"192.0.2.0/25\"]},\"roas\":\"move\",\"straddling\":\"keep\","
			"\"added\":[{\"asn\":64499,\"prefix\":\"192.0.2.0/26\",\"max_length\":27,\"comment\":\"new\"}]"));
	assert_int_equal(answer->status, 201);
	assert_string_equal(service_header(answer, "Location"), "/api/v1/transfers/1");
	assert_string_equal(service_text(answer, "state"), "issuing");
	assert_string_equal(service_text(answer, "from"), "alpha");
	assert_string_equal(service_text(answer, "resources.ipv4[0]"), "192.0.2.0/25");
	assert_string_equal(service_text(answer, "roas_within"), "1");
	assert_string_equal(service_text(answer, "roas_added"), "1");
	assert_string_equal(service_text(answer, "straddling"), "keep");
	assert_string_equal(service_text(answer, "serial"), "null");
	assert_string_equal(service_text(answer, "steps[0].state"), "done");
	assert_string_equal(service_text(answer, "steps[1].state"), "open");
	ANSWER again = ask(state, BY_ADMIN, "GET /api/v1/transfers/1", NULL);
	assert_string_equal(bytes_text(&again->body), bytes_text(&answer->body));
	ANSWER list = ask(state, BY_STRANGER, "GET /api/v1/cas/beta/roas", NULL);
	assert_string_equal(service_text(list, "roas"), "2");
	assert_string_equal(service_text(list, "roas[1].max_length"), "27");
}

static void
transfers_post__tells_what_straddles(void **state)
{
	add_roa(state, "192.0.2.0/24", 25);
	add_roa(state, "192.0.2.0/25", 25);
	const char *body = ALPHA_TO_BETA("{\"ipv4\":[\"192.0.2.0/25\"]}");
	ANSWER dry = ask(state, BY_OPERATOR, "POST /api/v1/transfers?dry_run=true", body);
	assert_int_equal(dry->status, 200);
	assert_string_equal(service_text(dry, "effect.within[0].prefix"), "192.0.2.0/25");
	assert_string_equal(service_text(dry, "effect.within_total"), "1");
	assert_string_equal(service_text(dry, "effect.straddling[0].prefix"), "192.0.2.0/24");
	assert_string_equal(service_text(dry, "effect.straddling[0].remaining[0].prefix"), "192.0.2.128/25");
	assert_string_equal(service_text(dry, "effect.straddling[0].transferred[0].max_length"), "25");
	assert_true(json_is_true(json_object_get(json_object_get(dry->json, "effect"), "undecided")));
	ANSWER refused = ask(state, BY_OPERATOR, "POST /api/v1/transfers", body);
	assert_int_equal(refused->status, 409);
	assert_string_equal(service_text(refused, "type"), "urn:cadastre:fault:conflict");
	assert_string_equal(service_text(refused, "effect.straddling_total"), "1");
	assert_string_equal(service_text(refused, "effect.straddling[0].remaining[0].prefix"), "192.0.2.128/25");
	ANSWER none = ask(state, BY_OPERATOR, "GET /api/v1/transfers", NULL);
	assert_string_equal(service_text(none, "transfers"), "0");
}

static void
refuse(void **state, const char *body, int status, const char *list, const char *field)
{
	ANSWER answer = ask(state, BY_OPERATOR, "POST /api/v1/transfers", body);
	if (answer->status != status || strcmp(service_text(answer, "errors[0].list"), list) != 0 ||
		strcmp(service_text(answer, "errors[0].field"), field) != 0)
		fail_msg("%s: %d %s", body, answer->status, bytes_text(&answer->body));
}

static void
transfers_post__refuses_faulty_requests(void **state)
{
	refuse(state, "{}", 400, "null", "from");
	refuse(state, "{\"from\":\"alpha\",\"to\":\"beta\"}", 400, "null", "resources");
	refuse(state, BODY("1", "null", "{}"), 400, "null", "from");
	refuse(state, BODY("null", "null", "{\"asns\":[1]}"), 400, "null", "to");
	refuse(state, BODY("\"alpha\"", "\"alpha\"", "{\"asns\":[64496]}"), 400, "null", "to");
	refuse(state, BODY("\"alpha\"", "\"nobody\"", "{\"asns\":[64496]}"), 400, "null", "to");
	refuse(state, BODY("\"alpha/..\"", "\"beta\"", "{\"asns\":[64496]}"), 400, "null", "from");
	refuse(state, ALPHA_TO_BETA("{}"), 400, "null", "resources");
	refuse(state, ALPHA_TO_BETA("[]"), 400, "null", "resources");
	refuse(state, ALPHA_TO_BETA("{\"ipv4\":[\"192.0.2.1/25\"]}"), 400, "resources.ipv4", "null");
	refuse(state, ALPHA_TO_BETA("{\"ipv4\":[\"203.0.113.0/24\"]}"), 400, "resources.ipv4", "null");
	refuse(state, ALPHA_TO_BETA("{\"asns\":[64496]},\"roas\":\"copy\""), 400, "null", "roas");
	refuse(state, ALPHA_TO_BETA("{\"asns\":[64496]},\"straddling\":\"\""), 400, "null", "straddling");
	refuse(state, ALPHA_TO_BETA("{\"asns\":[64496]},\"added\":[{\"asn\":1,\"prefix\":\"192.0.2.0/33\"}]"), 400, "added", "prefix");
	refuse(state, ALPHA_TO_BETA("{\"asns\":[64496]},\"added\":[{\"asn\":1,\"prefix\":\"203.0.113.0/24\"}]"), 400, "added", "prefix");
	refuse(state, ALPHA_TO_BETA("{\"asns\":[64496]},\"force\":1"), 400, "null", "force");
	refuse(state, BODY("null", "\"beta\"", "{\"asns\":[65000]},\"roas\":\"move\""), 400, "null", "roas");
	refuse(state, BODY("null", "\"beta\"", "{\"asns\":[65000]},\"straddling\":\"keep\""), 400, "null", "straddling");
	refuse(state, BODY("null", "\"beta\"", "{\"asns\":[64496]}"), 409, "resources.asns", "null");
	refuse(state, BODY("\"issuing\"", "\"beta\"", "{\"asns\":[65000]}"), 409, "null", "from");
	ANSWER list = ask(state, BY_OPERATOR, "GET /api/v1/transfers", NULL);
	assert_string_equal(service_text(list, "transfers"), "0");
	ANSWER audit = ask(state, BY_MEMBER, "GET /api/v1/audit", NULL);
	assert_null(strstr(bytes_text(&audit->body), "beta"));
}

static void
transfers_post__goes_out_in_steps(void **state)
{
	ANSWER made = ask(state, BY_OPERATOR, "POST /api/v1/transfers", BODY("\"alpha\"", "null", "{\"asns\":[64500]}"));
	assert_int_equal(made->status, 201);
	assert_string_equal(service_text(made, "state"), "prepared");
	assert_string_equal(service_text(made, "to"), "null");
	assert_string_equal(service_text(made, "steps[1].by"), "the other registry");
	assert_string_equal(service_text(made, "steps[1].state"), "open");
	assert_string_equal(service_text(made, "steps[3].state"), "waiting");
	ANSWER dry = ask(state, BY_OPERATOR, "POST /api/v1/transfers/1/complete?dry_run=true", NULL);
	assert_int_equal(dry->status, 200);
	assert_string_equal(service_text(dry, "effect.within_total"), "0");
	ANSWER wrong = ask(state, BY_OPERATOR, "POST /api/v1/transfers/1/complete?straddling=maybe", NULL);
	assert_int_equal(wrong->status, 400);
	ANSWER done = ask(state, BY_OPERATOR, "POST /api/v1/transfers/1/complete", NULL);
	assert_int_equal(done->status, 200);
	assert_string_equal(service_text(done, "state"), "issuing");
	assert_string_not_equal(service_text(done, "confirmed_at"), "null");
	ANSWER late = ask(state, BY_OPERATOR, "POST /api/v1/transfers/1/cancel", NULL);
	assert_int_equal(late->status, 409);
	ANSWER soon = ask(state, BY_OPERATOR, "POST /api/v1/transfers", BODY("null", "\"alpha\"", "{\"asns\":[64500]}"));
	assert_int_equal(soon->status, 409);
	ANSWER in = ask(state, BY_OPERATOR, "POST /api/v1/transfers", BODY("null", "\"beta\"", "{\"asns\":[64500]}"));
	assert_int_equal(in->status, 201);
	assert_string_equal(service_text(in, "from"), "null");
	assert_string_equal(service_text(in, "steps[3].by"), "the other registry");
	assert_string_equal(service_text(in, "steps[3].state"), "waiting");
	ANSWER out = ask(state, BY_OPERATOR, "POST /api/v1/transfers", BODY("\"alpha\"", "null", "{\"asns\":[64501]}"));
	assert_int_equal(out->status, 201);
	ANSWER cancelled = ask(state, BY_OPERATOR, "POST /api/v1/transfers/3/cancel", NULL);
	assert_int_equal(cancelled->status, 200);
	assert_string_equal(service_text(cancelled, "state"), "cancelled");
	assert_string_equal(service_text(cancelled, "steps[1].state"), "cancelled");
}

static void
transfers_post__is_staff_s_business(void **state)
{
	static const char *const questions[] = { "GET /api/v1/transfers", "GET /api/v1/transfers/1", "POST /api/v1/transfers/1/complete",
		"POST /api/v1/transfers/1/cancel" };
	ANSWER made = ask(state, BY_OPERATOR, "POST /api/v1/transfers", BODY("\"alpha\"", "null", "{\"asns\":[64500]}"));
	assert_int_equal(made->status, 201);
	for (size_t i = 0; i < sizeof questions / sizeof *questions; i++) {
		ANSWER member = ask(state, BY_MEMBER, questions[i], NULL);
		assert_int_equal(member->status, 403);
	}
	ANSWER member = ask(state, BY_MEMBER, "POST /api/v1/transfers", ALPHA_TO_BETA("{\"asns\":[64500]}"));
	assert_int_equal(member->status, 403);
	static const char *const strange[] = { "99", "0", "-1", "x", "1x", "99999999999999999999", "%20" };
	for (size_t i = 0; i < sizeof strange / sizeof *strange; i++) {
		char what[80];
		(void)snprintf(what, sizeof what, "GET /api/v1/transfers/%s", strange[i]);
		ANSWER answer = ask(state, BY_OPERATOR, what, NULL);
		assert_int_equal(answer->status, 404);
	}
}

static void
transfers_post__pages_newest_first(void **state)
{
	for (int i = 0; i < 3; i++) {
		char body[160];
		(void)snprintf(body, sizeof body, BODY("\"alpha\"", "null", "{\"asns\":[%d]}"), 64500 + i);
		ANSWER made = ask(state, BY_OPERATOR, "POST /api/v1/transfers", body);
		assert_int_equal(made->status, 201);
	}
	ANSWER first = ask(state, BY_OPERATOR, "GET /api/v1/transfers?limit=2", NULL);
	assert_string_equal(service_text(first, "transfers[0].id"), "3");
	assert_string_equal(service_text(first, "transfers[1].id"), "2");
	assert_string_equal(service_text(first, "next"), "2");
	ANSWER second = ask(state, BY_OPERATOR, "GET /api/v1/transfers?limit=2&after=2", NULL);
	assert_string_equal(service_text(second, "transfers"), "1");
	assert_string_equal(service_text(second, "next"), "null");
	ANSWER alpha = ask(state, BY_OPERATOR, "GET /api/v1/transfers?ca=alpha", NULL);
	assert_string_equal(service_text(alpha, "transfers"), "3");
	ANSWER beta = ask(state, BY_OPERATOR, "GET /api/v1/transfers?ca=beta", NULL);
	assert_string_equal(service_text(beta, "transfers"), "0");
	ANSWER nobody = ask(state, BY_OPERATOR, "GET /api/v1/transfers?ca=nobody", NULL);
	assert_int_equal(nobody->status, 404);
}

#define CASE(name) cmocka_unit_test_setup_teardown(transfers_post__##name, service_setup, service_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(makes_a_transfer),
		CASE(tells_what_straddles),
		CASE(refuses_faulty_requests),
		CASE(goes_out_in_steps),
		CASE(is_staff_s_business),
		CASE(pages_newest_first),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
