#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "api/server/router.h"
#include "tests/unit/service.h"

static void
expect(struct service *service, enum service_token token, const char *what, const char *fields, const char *body, int status,
	const char *type)
{
	ANSWER answer = service_ask(service, token, what, fields, body);
	const char *path = status >= 400 ? service_text(answer, "type") : ":";
	if (answer->status != status || (type != NULL && strcmp(strrchr(path, ':') + 1, type) != 0))
		fail_msg("%s by %d: %d instead of %d: %s", what, (int)token, answer->status, status, bytes_text(&answer->body));
	assert_non_null(service_header(answer, "X-Request-Id"));
	assert_string_equal(service_header(answer, "X-Content-Type-Options"), "nosniff");
	if (status >= 400) {
		assert_string_equal(service_header(answer, "Content-Type"), "application/problem+json");
		assert_string_equal(service_header(answer, "Cache-Control"), "no-store");
	}
}

/* A request that each route understands; bodies are wrong on purpose, so that nothing is changed on the way. */
static void
make_request(const struct route *route, const char *ca, char what[256])
{
	static const char *const words[METHODS] = { "GET", "POST", "PATCH", "DELETE" };
	size_t length = (size_t)snprintf(what, 256, "%s ", words[route->method]);
	for (const char *at = route->path; *at != '\0';) {
		if (*at != '{') {
			what[length++] = *at++;
			continue;
		}
		bool is_ca = strncmp(at, ROUTER_CA, strlen(ROUTER_CA)) == 0;
		length += (size_t)snprintf(what + length, 256 - length, "%s", is_ca ? ca : "0123456789abcdef");
		at = strchr(at, '}') + 1;
	}
	what[length] = '\0';
}

/* What the gate says: 0 when it lets the request through to the handler, whatever that makes of it. */
static int
gate(const struct service_answer *answer)
{
	bool hidden = strcmp(service_text(answer, "detail"), "there is no CA named alpha") == 0;
	return answer->status == 401 || answer->status == 403 || hidden ? answer->status : 0;
}

/* Who a token is, as far as the table is concerned. */
static const struct holder {
	bool known;
	enum role role;
	bool bound, of_alpha;
} holders[SERVICE_TOKENS] = {
	[BY_READER] = { true, ROLE_MEMBER_READ, true, true },
	[BY_MEMBER] = { true, ROLE_MEMBER, true, true },
	[BY_STRANGER] = { true, ROLE_MEMBER, true, false },
	[BY_OPERATOR] = { true, ROLE_OPERATOR, false, true },
	[BY_ADMIN] = { true, ROLE_ADMIN, false, true },
};

static int
expected_gate(const struct route *route, const struct holder *holder)
{
	if (route->roles == ROUTER_ANYONE)
		return 0;
	if (!holder->known)
		return 401;
	if (!router_allows(route, holder->role))
		return 403;
	if (holder->bound && !router_needs_ca(route) && (route->flags & ROUTER_BOUND_TOO) == 0)
		return 403;
	return router_needs_ca(route) && !holder->of_alpha ? 404 : 0;
}

/* Every route with every token: incidents.md, krill#415. */
static void
dispatcher__lets_each_role_do_what_the_table_says(void **state)
{
	struct service *service = *state;
	/* Read-only first: what the admin deletes is gone. */
	for (enum service_token token = BY_NOBODY; token < SERVICE_TOKENS; token++) {
		for (size_t i = 0; i < router_count(); i++) {
			const struct route *route = router_route(i);
			char what[256];
			make_request(route, "alpha", what);
			if (strcmp(what, "DELETE /api/v1/cas/alpha") == 0 && expected_gate(route, &holders[token]) == 0)
				continue;
			ANSWER answer = service_ask(service, token, what, NULL,
				route->method == METHOD_POST || route->method == METHOD_PATCH ? "[" : NULL);
			if (gate(answer) != expected_gate(route, &holders[token]))
				fail_msg("%s by %d: %d %s", what, (int)token, answer->status, bytes_text(&answer->body));
		}
	}
}

static void
dispatcher__hides_what_belongs_to_others(void **state)
{
	struct service *service = *state;
	ANSWER other = service_ask(service, BY_MEMBER, "GET /api/v1/cas/beta/roas", NULL, NULL);
	ANSWER missing = service_ask(service, BY_MEMBER, "GET /api/v1/cas/gone/roas", NULL, NULL);
	assert_int_equal(other->status, 404);
	assert_int_equal(missing->status, 404);
	assert_string_equal(service_text(other, "detail"), "there is no CA named beta");
	assert_string_equal(service_text(missing, "detail"), "there is no CA named gone");
	assert_string_equal(service_text(other, "hint"), service_text(missing, "hint"));
	assert_int_equal(json_object_size(other->json), json_object_size(missing->json));
}

static void
dispatcher__challenges_whoever_brings_no_token(void **state)
{
	struct service *service = *state;
	static const char *const fields[] = { "Authorization: Basic dTpw", "Authorization: Bearer", "Authorization: Bearer a b" };
	ANSWER none = service_ask(service, BY_NOBODY, "GET /api/v1/cas", NULL, NULL);
	ANSWER forged = service_ask(service, BY_FORGER, "GET /api/v1/cas", NULL, NULL);
	assert_int_equal(none->status, 401);
	assert_string_equal(service_header(none, "WWW-Authenticate"), "Bearer realm=\"cadastre\"");
	assert_int_equal(forged->status, 401);
	assert_string_equal(service_header(forged, "WWW-Authenticate"), "Bearer realm=\"cadastre\", error=\"invalid_token\"");
	for (size_t i = 0; i < 3; i++)
		expect(service, BY_NOBODY, "GET /api/v1/cas", fields[i], NULL, 401, "unauthorized");
}

/* Unknown, expired and revoked tokens are told with the same words. */
static void
dispatcher__does_not_say_why_a_token_is_refused(void **state)
{
	struct service *service = *state;
	ANSWER forged = service_ask(service, BY_FORGER, "GET /api/v1/cas", NULL, NULL);
	ANSWER expired = service_ask(service, BY_EXPIRED, "GET /api/v1/cas", NULL, NULL);
	ANSWER revoked = service_ask(service, BY_REVOKED, "GET /api/v1/cas", NULL, NULL);
	assert_string_equal(service_text(forged, "detail"), service_text(expired, "detail"));
	assert_string_equal(service_text(forged, "detail"), service_text(revoked, "detail"));
}

static void
dispatcher__refuses_a_token_from_its_revocation_on(void **state)
{
	struct service *service = *state;
	char what[128];
	expect(service, BY_MEMBER, "GET /api/v1/cas/alpha", NULL, NULL, 200, NULL);
	(void)snprintf(what, sizeof what, "DELETE /api/v1/cas/alpha/tokens/%.16s",
		service->tokens[BY_MEMBER] + strlen("cadastre_"));
	expect(service, BY_OPERATOR, what, NULL, NULL, 204, NULL);
	expect(service, BY_MEMBER, "GET /api/v1/cas/alpha", NULL, NULL, 401, "unauthorized");
	expect(service, BY_OPERATOR, what, NULL, NULL, 204, NULL);
	expect(service, BY_OPERATOR, "DELETE /api/v1/cas/alpha/tokens/0123456789abcdef", NULL, NULL, 404, "not-found");
}

#define LAST_AUDIT                                                                              \
	"SELECT action || ' ' || outcome || ' ' || ifnull(ca_handle, '(null)') || ' ' || actor AS it FROM audit " \
	"ORDER BY audit_id DESC LIMIT 1"
#define LAST_REQUEST "SELECT request_id AS it FROM audit ORDER BY audit_id DESC LIMIT 1"

static void
dispatcher__audits_what_it_refuses(void **state)
{
	struct service *service = *state;
	static const struct {
		enum service_token token;
		const char *what, *body, *outcome;
	} cases[] = {
		{ BY_READER, "POST /api/v1/cas/alpha/roas", "{}", "roas.change forbidden alpha reader" },
		{ BY_MEMBER, "PATCH /api/v1/cas/alpha", "{}", "ca.resources forbidden alpha member" },
		{ BY_STRANGER, "POST /api/v1/cas/alpha/roas", "{}", "roas.change not-found alpha stranger" },
		{ BY_MEMBER, "POST /api/v1/cas/alpha/roas", "{", "roas.change malformed alpha member" },
		{ BY_MEMBER, "POST /api/v1/cas/alpha/roas?x=1", "{}", "roas.change invalid alpha member" },
		{ BY_OPERATOR, "POST /api/v1/cas", "{\"handle\":\"a b\"}", "ca.create invalid (null) operator" },
		{ BY_OPERATOR, "POST /api/v1/tokens", "{}", "token.create forbidden (null) operator" },
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		int64_t before = registry_number(service->registry, "SELECT count(*) AS it FROM audit");
		ANSWER answer = service_ask(service, cases[i].token, cases[i].what, NULL, cases[i].body);
		assert_true(answer->status >= 400);
		assert_int_equal(registry_number(service->registry, "SELECT count(*) AS it FROM audit"), before + 1);
		assert_string_equal(registry_text(service->registry, LAST_AUDIT), cases[i].outcome);
		assert_string_equal(registry_text(service->registry, LAST_REQUEST), service_header(answer, "X-Request-Id"));
	}
}

static void
dispatcher__does_not_audit_questions(void **state)
{
	struct service *service = *state;
	int64_t before = registry_number(service->registry, "SELECT count(*) AS it FROM audit");
	expect(service, BY_MEMBER, "GET /api/v1/cas/beta", NULL, NULL, 404, "not-found");
	expect(service, BY_NOBODY, "POST /api/v1/cas", NULL, "{}", 401, "unauthorized");
	expect(service, BY_MEMBER, "GET /api/v1/tokens", NULL, NULL, 403, "forbidden");
	expect(service, BY_MEMBER, "POST /api/v1/cas/alpha/roas?dry_run=true", NULL, "{\"added\":[{}]}", 400, "invalid");
	assert_int_equal(registry_number(service->registry, "SELECT count(*) AS it FROM audit"), before);
}

static void
dispatcher__checks_the_form(void **state)
{
	struct service *service = *state;
	expect(service, BY_OPERATOR, "POST /api/v1/cas", "Content-Type: text/plain", "{}", 415, "unsupported-media-type");
	expect(service, BY_OPERATOR, "POST /api/v1/cas", NULL, NULL, 415, "unsupported-media-type");
	expect(service, BY_OPERATOR, "POST /api/v1/cas", NULL, "", 400, "malformed");
	expect(service, BY_OPERATOR, "GET /api/v1/cas", NULL, "{}", 400, "malformed");
	expect(service, BY_OPERATOR, "DELETE /api/v1/cas/gamma", NULL, "{}", 404, "not-found");
	expect(service, BY_OPERATOR, "GET /api/v1/cas?limt=5", NULL, NULL, 400, "invalid");
	expect(service, BY_OPERATOR, "PUT /api/v1/cas", NULL, NULL, 405, "method-not-allowed");
	expect(service, BY_OPERATOR, "GET /api/v1/nothing", NULL, NULL, 404, "not-found");
}

static void
dispatcher__holds_changes_to_if_match(void **state)
{
	struct service *service = *state;
	expect(service, BY_OPERATOR, "DELETE /api/v1/cas/alpha", "If-Match: \"1\"", NULL, 412, "precondition-failed");
	expect(service, BY_OPERATOR, "PATCH /api/v1/cas/alpha", "If-Match: \"1\"", "{}", 412, "precondition-failed");
	expect(service, BY_OPERATOR, "GET /api/v1/cas/alpha", "If-Match: \"1\"", NULL, 200, NULL);
	expect(service, BY_OPERATOR, "DELETE /api/v1/cas/beta", "If-Match: *", NULL, 204, NULL);
}

static void
dispatcher__limits_each_token(void **state)
{
	struct service *service = *state;
	dispatcher_free(service->dispatcher);
	service->config.rate_limit = 1;
	service->config.rate_burst = 3;
	assert_int_equal(dispatcher_new(&service->context, &service->dispatcher, NULL), FAULT_NONE);
	for (int i = 0; i < 3; i++)
		expect(service, BY_MEMBER, "GET /api/v1/cas", NULL, NULL, 200, NULL);
	ANSWER answer = service_ask(service, BY_MEMBER, "GET /api/v1/cas", NULL, NULL);
	assert_int_equal(answer->status, 429);
	assert_string_equal(service_header(answer, "Retry-After"), "1");
	expect(service, BY_READER, "GET /api/v1/cas", NULL, NULL, 200, NULL);
	expect(service, BY_NOBODY, "GET /health/live", NULL, NULL, 200, NULL);
}

static void
dispatcher__limits_failures_but_not_the_neighbours(void **state)
{
	struct service *service = *state;
	dispatcher_free(service->dispatcher);
	service->config.failure_limit = 1;
	service->config.failure_burst = 3;
	assert_int_equal(dispatcher_new(&service->context, &service->dispatcher, NULL), FAULT_NONE);
	for (int i = 0; i < 3; i++)
		expect(service, BY_FORGER, "GET /api/v1/cas", NULL, NULL, 401, "unauthorized");
	expect(service, BY_FORGER, "GET /api/v1/cas", NULL, NULL, 429, "rate-limited");
	expect(service, BY_NOBODY, "GET /api/v1/cas", NULL, NULL, 429, "rate-limited");
	expect(service, BY_MEMBER, "GET /api/v1/cas", NULL, NULL, 200, NULL);
}

static void
dispatcher__shows_metrics_to_staff_and_to_loopback(void **state)
{
	struct service *service = *state;
	struct request request = REQUEST_INIT;
	AUTO_CLEAR(struct reply, reply_clear) reply = REPLY_INIT(service->directory);
	expect(service, BY_NOBODY, "GET /metrics", NULL, NULL, 401, "unauthorized");
	expect(service, BY_MEMBER, "GET /metrics", NULL, NULL, 403, "forbidden");
	expect(service, BY_OPERATOR, "GET /metrics", NULL, NULL, 200, NULL);
	/* A proxy's field takes the right away that a loopback address gives, whatever it says, and never gives it. */
	static const struct { bool loopback; const char *field, *value; int status; } cases[] = {
		{ true, NULL, NULL, 200 }, { false, NULL, NULL, 401 },
		{ true, "X-Forwarded-For", "192.0.2.1", 401 }, { true, "X-Forwarded-For", "127.0.0.1", 401 },
		{ true, "x-forwarded-for", "", 401 }, { true, "Forwarded", "for=127.0.0.1", 401 }, { true, "Via", "1.1 proxy", 401 },
		{ true, "X-Real-IP", "127.0.0.1", 401 }, { true, "X-Forwarded-Host", "localhost", 401 },
		{ false, "X-Forwarded-For", "127.0.0.1", 401 }, { false, "Forwarded", "for=\"[::1]\"", 401 }, { false, "X-Real-IP", "::1", 401 },
		{ true, "X-Forwarded", "127.0.0.1", 200 }, /* no field of any proxy */
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		assert_int_equal(request_set_target(&request, "/metrics", NULL), FAULT_NONE);
		request_set_method(&request, "GET");
		request.peer.loopback = cases[i].loopback;
		if (cases[i].field != NULL)
			assert_int_equal(request_add_header(&request, cases[i].field, cases[i].value, NULL), FAULT_NONE);
		dispatcher_run(service->dispatcher, &request, &reply);
		if (reply.status != cases[i].status)
			fail_msg("case %zu: %d", i, reply.status);
		request_clear(&request, service->directory);
		reply_reset(&reply);
	}
}

static void
dispatcher__tells_readiness(void **state)
{
	struct service *service = *state;
	ANSWER ready = service_ask(service, BY_NOBODY, "GET /health/ready", NULL, NULL);
	assert_int_equal(ready->status, 200);
	assert_string_equal(service_text(ready, "ready"), "true");
	assert_string_equal(service_text(ready, "health.trouble"), "null");
	service->ready = false;
	ANSWER trouble = service_ask(service, BY_NOBODY, "GET /health/ready", NULL, NULL);
	assert_int_equal(trouble->status, 503);
	assert_string_equal(service_text(trouble, "health.trouble"), "clock");
	assert_non_null(service_header(trouble, "Retry-After"));
}

static void
dispatcher__ends_as_a_problem_when_the_database_fails(void **state)
{
	struct service *service = *state;
	registry_sql(service->registry, "ALTER TABLE roas RENAME TO lost");
	ANSWER answer = service_ask(service, BY_MEMBER, "GET /api/v1/cas/alpha/roas", NULL, NULL);
	assert_int_equal(answer->status, 500);
	assert_string_equal(service_text(answer, "type"), "urn:cadastre:fault:database");
	assert_null(strstr(bytes_text(&answer->body), "roas"));
	assert_null(service_header(answer, "ETag"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(dispatcher__lets_each_role_do_what_the_table_says, service_setup,
			service_teardown),
		cmocka_unit_test_setup_teardown(dispatcher__hides_what_belongs_to_others, service_setup, service_teardown),
		cmocka_unit_test_setup_teardown(dispatcher__challenges_whoever_brings_no_token, service_setup, service_teardown),
		cmocka_unit_test_setup_teardown(dispatcher__does_not_say_why_a_token_is_refused, service_setup, service_teardown),
		cmocka_unit_test_setup_teardown(dispatcher__refuses_a_token_from_its_revocation_on, service_setup,
			service_teardown),
		cmocka_unit_test_setup_teardown(dispatcher__audits_what_it_refuses, service_setup, service_teardown),
		cmocka_unit_test_setup_teardown(dispatcher__does_not_audit_questions, service_setup, service_teardown),
		cmocka_unit_test_setup_teardown(dispatcher__checks_the_form, service_setup, service_teardown),
		cmocka_unit_test_setup_teardown(dispatcher__holds_changes_to_if_match, service_setup, service_teardown),
		cmocka_unit_test_setup_teardown(dispatcher__limits_each_token, service_setup, service_teardown),
		cmocka_unit_test_setup_teardown(dispatcher__limits_failures_but_not_the_neighbours, service_setup,
			service_teardown),
		cmocka_unit_test_setup_teardown(dispatcher__shows_metrics_to_staff_and_to_loopback, service_setup,
			service_teardown),
		cmocka_unit_test_setup_teardown(dispatcher__tells_readiness, service_setup, service_teardown),
		cmocka_unit_test_setup_teardown(dispatcher__ends_as_a_problem_when_the_database_fails, service_setup,
			service_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
