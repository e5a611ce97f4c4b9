#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/service.h"

static struct service_answer *
ask(void **state, enum service_token token, const char *what, const char *body)
{
	return service_ask(*state, token, what, NULL, body);
}

static void
handler__makes_a_ca(void **state)
{
	ANSWER answer = ask(state, BY_OPERATOR, "POST /api/v1/cas",
		"{\"handle\":\"gamma-1_X\",\"resources\":{\"asns\":[64600,\"AS64601\",\"64610-64620\"],"
		"\"ipv4\":[\"203.0.113.0/25\",\"203.0.113.128-203.0.113.130\",\"203.0.113.131\"],\"ipv6\":[]}}");
	assert_int_equal(answer->status, 201);
	assert_string_equal(service_header(answer, "Location"), "/api/v1/cas/gamma-1_X");
	assert_string_equal(service_text(answer, "handle"), "gamma-1_X");
	assert_string_equal(service_text(answer, "kind"), "member");
	assert_string_equal(service_text(answer, "resources.asns[0]"), "AS64600-AS64601");
	assert_string_equal(service_text(answer, "resources.ipv4[0]"), "203.0.113.0-203.0.113.131");
	assert_string_equal(service_text(answer, "resources.ipv6"), "0");
	assert_string_not_equal(service_text(answer, "waiting_since"), "null");
	ANSWER again = ask(state, BY_OPERATOR, "GET /api/v1/cas/gamma-1_X", NULL);
	assert_string_equal(bytes_text(&again->body), bytes_text(&answer->body));
}

static void
check_refusal(void **state, const char *what, const char *body, int status, const char *list, const char *field)
{
	ANSWER answer = ask(state, BY_OPERATOR, what, body);
	if (answer->status != status || strcmp(service_text(answer, "errors[0].list"), list) != 0 ||
		strcmp(service_text(answer, "errors[0].field"), field) != 0)
		fail_msg("%s: %s", body, bytes_text(&answer->body));
}

static void
handler__refuses_faulty_cas(void **state)
{
	check_refusal(state, "POST /api/v1/cas", "{\"resources\":{}}", 400, "null", "handle");
	check_refusal(state, "POST /api/v1/cas", "{\"handle\":\"a b\",\"resources\":{}}", 400, "null", "handle");
	check_refusal(state, "POST /api/v1/cas", "{\"handle\":\"\",\"resources\":{}}", 400, "null", "handle");
	check_refusal(state, "POST /api/v1/cas", "{\"handle\":\"x\"}", 400, "null", "resources");
	check_refusal(state, "POST /api/v1/cas", "{\"handle\":\"x\",\"resources\":[]}", 400, "null", "resources");
	check_refusal(state, "POST /api/v1/cas", "{\"handle\":\"x\",\"resources\":{\"ipv5\":[]}}", 400, "null", "ipv5");
	check_refusal(state, "POST /api/v1/cas", "{\"handle\":\"x\",\"resources\":{\"ipv4\":\"10.0.0.0/8\"}}", 400, "null",
		"ipv4");
	check_refusal(state, "POST /api/v1/cas", "{\"handle\":\"x\",\"resources\":{\"ipv4\":[\"10.0.0.1/8\"]}}", 400,
		"resources.ipv4", "null");
	check_refusal(state, "POST /api/v1/cas", "{\"handle\":\"x\",\"resources\":{\"ipv4\":[\"2001:db8::/32\"]}}", 400,
		"resources.ipv4", "null");
	check_refusal(state, "POST /api/v1/cas", "{\"handle\":\"x\",\"resources\":{\"ipv6\":[4]}}", 400, "resources.ipv6",
		"null");
	check_refusal(state, "POST /api/v1/cas", "{\"handle\":\"x\",\"resources\":{\"asns\":[-1]}}", 400, "resources.asns",
		"null");
	check_refusal(state, "POST /api/v1/cas", "{\"handle\":\"x\",\"resources\":{\"asns\":[\"AS2-AS1\"]}}", 400,
		"resources.asns", "null");
	check_refusal(state, "POST /api/v1/cas", "{\"handle\":\"alpha\",\"resources\":{}}", 409, "(none)", "(none)");
	check_refusal(state, "PATCH /api/v1/cas/alpha", "{}", 400, "null", "resources");
	check_refusal(state, "PATCH /api/v1/cas/alpha", "{\"resources\":{},\"handle\":\"b\"}", 400, "null", "handle");
}

static void
handler__names_whoever_holds_the_resources(void **state)
{
	ANSWER answer = ask(state, BY_OPERATOR, "PATCH /api/v1/cas/beta",
		"{\"resources\":{\"asns\":[],\"ipv4\":[\"192.0.2.0/25\"],\"ipv6\":[]}}");
	assert_int_equal(answer->status, 409);
	assert_string_equal(service_text(answer, "type"), "urn:cadastre:fault:resource-conflict");
	assert_non_null(strstr(service_text(answer, "detail"), "alpha"));
}

static void
handler__replaces_resources(void **state)
{
	ANSWER answer = ask(state, BY_ADMIN, "PATCH /api/v1/cas/alpha", "{\"resources\":{\"ipv4\":[\"192.0.2.0/25\"]}}");
	assert_int_equal(answer->status, 200);
	assert_string_equal(service_text(answer, "resources.asns"), "0");
	assert_string_equal(service_text(answer, "resources.ipv4[0]"), "192.0.2.0/25");
}

static void
handler__changes_resources_by_their_difference(void **state)
{
	ANSWER answer = ask(state, BY_ADMIN, "PATCH /api/v1/cas/alpha",
		"{\"add\":{\"asns\":[64600]},\"remove\":{\"ipv4\":[\"192.0.2.0/25\"]}}");
	assert_int_equal(answer->status, 200);
	assert_string_equal(service_text(answer, "resources.asns[1]"), "AS64600");
	assert_string_equal(service_text(answer, "resources.ipv4[0]"), "192.0.2.128/25");
	check_refusal(state, "PATCH /api/v1/cas/alpha", "{\"add\":{},\"resources\":{}}", 400, "null", "resources");
	check_refusal(state, "PATCH /api/v1/cas/alpha", "{\"add\":[]}", 400, "null", "add");
	check_refusal(state, "PATCH /api/v1/cas/alpha", "{\"remove\":{\"ipv4\":[\"192.0.2.1/25\"]}}", 400, "remove.ipv4", "null");
	check_refusal(state, "PATCH /api/v1/cas/alpha", "{\"remove\":{\"ipv4\":[\"192.0.2.0/25\"]}}", 400, "remove.ipv4", "null");
}

static void
handler__holds_and_suspends(void **state)
{
	ANSWER held = ask(state, BY_OPERATOR, "POST /api/v1/cas/alpha/hold", NULL);
	assert_int_equal(held->status, 200);
	assert_string_equal(service_text(held, "held_at"), "2026-01-01T00:00:10Z");
	assert_string_equal(service_text(held, "suspended_at"), "null");
	ANSWER both = ask(state, BY_OPERATOR, "POST /api/v1/cas/alpha/suspend", NULL);
	assert_int_equal(both->status, 409);
	ANSWER released = ask(state, BY_OPERATOR, "POST /api/v1/cas/alpha/release", NULL);
	assert_string_equal(service_text(released, "held_at"), "null");
	ANSWER suspended = ask(state, BY_OPERATOR, "POST /api/v1/cas/alpha/suspend", NULL);
	assert_string_equal(service_text(suspended, "suspended_at"), "2026-01-01T00:00:10Z");
	ANSWER shown = ask(state, BY_MEMBER, "GET /api/v1/cas/alpha", NULL);
	assert_string_equal(service_text(shown, "suspended_at"), "2026-01-01T00:00:10Z");
	ANSWER resumed = ask(state, BY_OPERATOR, "POST /api/v1/cas/alpha/resume", NULL);
	assert_string_equal(service_text(resumed, "suspended_at"), "null");
	ANSWER engine = ask(state, BY_ADMIN, "POST /api/v1/cas/issuing/suspend", NULL);
	assert_int_equal(engine->status, 409);
	assert_non_null(strstr(service_text(engine, "detail"), "suspend the members"));
	ANSWER member = ask(state, BY_MEMBER, "POST /api/v1/cas/alpha/hold", NULL);
	assert_int_equal(member->status, 403);
}

static void
handler__deletes_a_ca(void **state)
{
	ANSWER answer = ask(state, BY_OPERATOR, "DELETE /api/v1/cas/beta", NULL);
	assert_int_equal(answer->status, 204);
	assert_int_equal(answer->body.length, 0);
	assert_null(service_header(answer, "Content-Type"));
	ANSWER stranger = ask(state, BY_STRANGER, "GET /api/v1/cas", NULL);
	assert_int_equal(stranger->status, 401);
	ANSWER online = ask(state, BY_OPERATOR, "DELETE /api/v1/cas/online", NULL);
	assert_true(online->status == 409 || online->status == 404);
}

static void
handler__pages_through_cas(void **state)
{
	struct service *service = *state;
	char what[256] = "GET /api/v1/cas?limit=2", seen[1024] = "";
	for (int i = 0; i < 3; i++) {
		char handle[32];
		(void)snprintf(handle, sizeof handle, "m%d", i);
		(void)registry_member_id(service->registry, handle, "");
	}
	int pages = 0;
	for (bool more = true; more; pages++) {
		ANSWER answer = ask(state, BY_OPERATOR, what, NULL);
		assert_int_equal(answer->status, 200);
		size_t count = json_array_size(json_object_get(answer->json, "cas"));
		assert_true(count <= 2);
		for (size_t i = 0; i < count; i++) {
			char path[40];
			(void)snprintf(path, sizeof path, "cas[%zu].handle", i);
			(void)snprintf(seen + strlen(seen), sizeof seen - strlen(seen), "%s ", service_text(answer, path));
		}
		const char *next = service_text(answer, "next");
		more = strcmp(next, "null") != 0;
		(void)snprintf(what, sizeof what, "GET /api/v1/cas?limit=2&after=%s", next);
	}
	assert_non_null(strstr(seen, "alpha beta "));
	assert_non_null(strstr(seen, "m0 m1 m2 "));
	assert_true(pages >= 3);
	ANSWER own = ask(state, BY_MEMBER, "GET /api/v1/cas", NULL);
	assert_string_equal(service_text(own, "cas"), "1");
	assert_string_equal(service_text(own, "cas[0].handle"), "alpha");
}

static void
handler__bounds_pages(void **state)
{
	static const char *const wrong[] = { "GET /api/v1/cas?limit=0", "GET /api/v1/cas?limit=1001", "GET /api/v1/cas?limit=x",
		"GET /api/v1/cas?limit=", "GET /api/v1/audit?after=0", "GET /api/v1/audit?limit=-1",
		"GET /api/v1/imports/x?after=-1" };
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		ANSWER answer = ask(state, BY_OPERATOR, wrong[i], NULL);
		if (answer->status != 400)
			fail_msg("%s: %s", wrong[i], bytes_text(&answer->body));
	}
}

static void
handler__repairs(void **state)
{
	struct service *service = *state;
	registry_sql(service->registry, "UPDATE cas SET set_aside_reason = 'a key', set_aside_at = 5 WHERE handle = 'alpha'");
	ANSWER before = ask(state, BY_MEMBER, "GET /api/v1/cas/alpha", NULL);
	assert_string_equal(service_text(before, "set_aside"), "a key");
	ANSWER after = ask(state, BY_OPERATOR, "POST /api/v1/cas/alpha/repair", NULL);
	assert_int_equal(after->status, 200);
	assert_string_equal(service_text(after, "set_aside"), "null");
}

/* Also those above members; a member learns of its own alone. */
static void
handler__lists_what_is_set_aside(void **state)
{
	struct service *service = *state;
	ANSWER none = ask(state, BY_OPERATOR, "GET /api/v1/cas?set_aside=true", NULL);
	assert_string_equal(service_text(none, "cas"), "0");
	registry_sql(service->registry, "UPDATE cas SET set_aside_reason = 'a \"key\"', set_aside_at = 5 WHERE handle IN ('beta', 'issuing')");
	ANSWER both = ask(state, BY_OPERATOR, "GET /api/v1/cas?set_aside=true", NULL);
	assert_string_equal(service_text(both, "cas"), "2");
	assert_string_equal(service_text(both, "cas[0].handle"), "beta");
	assert_string_equal(service_text(both, "cas[1].handle"), "issuing");
	assert_string_equal(service_text(both, "cas[1].set_aside"), "a \"key\"");
	ANSWER page = ask(state, BY_OPERATOR, "GET /api/v1/cas?set_aside=true&after=beta&limit=1", NULL);
	assert_string_equal(service_text(page, "cas[0].handle"), "issuing");
	assert_string_equal(service_text(page, "next"), "issuing");
	ANSWER own = ask(state, BY_STRANGER, "GET /api/v1/cas?set_aside=true", NULL);
	assert_string_equal(service_text(own, "cas"), "1");
	ANSWER others = ask(state, BY_MEMBER, "GET /api/v1/cas?set_aside=true", NULL);
	assert_string_equal(service_text(others, "cas"), "0");
	ANSWER all = ask(state, BY_OPERATOR, "GET /api/v1/cas?set_aside=false", NULL);
	assert_string_equal(service_text(all, "cas"), "2");
	ANSWER nonsense = ask(state, BY_OPERATOR, "GET /api/v1/cas?set_aside=perhaps", NULL);
	assert_int_equal(nonsense->status, 400);
}

static void
handler__gives_out_tokens(void **state)
{
	struct service *service = *state;
	char path[128];
	ANSWER made = ask(state, BY_OPERATOR, "POST /api/v1/cas/alpha/tokens",
		"{\"name\":\"portal\",\"role\":\"member-read\",\"expires_at\":\"2030-01-31T12:00:00+01:00\"}");
	assert_int_equal(made->status, 201);
	assert_string_equal(service_text(made, "expires_at"), "2030-01-31T11:00:00Z");
	assert_string_equal(service_text(made, "ca"), "alpha");
	(void)snprintf(path, sizeof path, "/api/v1/cas/alpha/tokens/%s", service_text(made, "id"));
	assert_string_equal(service_header(made, "Location"), path);
	(void)snprintf(service->tokens[BY_FORGER], TOKEN_TEXT, "%s", service_text(made, "token"));
	ANSWER used = ask(state, BY_FORGER, "GET /api/v1/cas/alpha", NULL);
	assert_int_equal(used->status, 200);
	/* Nothing that is listed lets anybody in. */
	ANSWER list = ask(state, BY_MEMBER, "GET /api/v1/cas/alpha/tokens", NULL);
	assert_null(strstr(bytes_text(&list->body), service_text(made, "token") + strlen("cadastre_0123456789abcdef_")));
	assert_non_null(strstr(bytes_text(&list->body), "\"name\":\"portal\""));
	assert_null(strstr(bytes_text(&list->body), "stranger"));
	ANSWER staff = ask(state, BY_ADMIN, "POST /api/v1/tokens", "{\"name\":\"feed\",\"role\":\"operator\"}");
	assert_int_equal(staff->status, 201);
	assert_string_equal(service_text(staff, "ca"), "null");
	ANSWER all = ask(state, BY_ADMIN, "GET /api/v1/tokens", NULL);
	assert_non_null(strstr(bytes_text(&all->body), "\"name\":\"feed\""));
	assert_null(strstr(bytes_text(&all->body), "portal"));
}

static void
handler__refuses_faulty_tokens(void **state)
{
	check_refusal(state, "POST /api/v1/cas/alpha/tokens", "{\"role\":\"member\"}", 400, "null", "name");
	check_refusal(state, "POST /api/v1/cas/alpha/tokens", "{\"name\":\"x\"}", 400, "null", "role");
	check_refusal(state, "POST /api/v1/cas/alpha/tokens", "{\"name\":\"x\",\"role\":\"root\"}", 400, "null", "role");
	check_refusal(state, "POST /api/v1/cas/alpha/tokens", "{\"name\":\"x\",\"role\":\"operator\"}", 400, "null", "role");
	check_refusal(state, "POST /api/v1/cas/alpha/tokens", "{\"name\":\"x\",\"role\":\"member\",\"expires_at\":\"soon\"}", 400,
		"null", "expires_at");
	check_refusal(state, "POST /api/v1/cas/alpha/tokens",
		"{\"name\":\"x\",\"role\":\"member\",\"expires_at\":\"2020-01-01T00:00:00Z\"}", 400, "null", "expires_at");
	check_refusal(state, "POST /api/v1/cas/alpha/tokens", "{\"name\":\"x\",\"role\":\"member\",\"expires_at\":5}", 400,
		"null", "expires_at");
	ANSWER name = ask(state, BY_OPERATOR, "POST /api/v1/cas/alpha/tokens", "{\"name\":\"\",\"role\":\"member\"}");
	assert_int_equal(name->status, 400);
	ANSWER bound = ask(state, BY_ADMIN, "POST /api/v1/tokens", "{\"name\":\"x\",\"role\":\"member\"}");
	assert_int_equal(bound->status, 400);
	ANSWER other = ask(state, BY_OPERATOR, "DELETE /api/v1/cas/beta/tokens/0123456789abcdef", NULL);
	assert_int_equal(other->status, 404);
}

static void
handler__shows_the_audit(void **state)
{
	ANSWER change = ask(state, BY_MEMBER, "POST /api/v1/cas/alpha/roas",
		"{\"added\":[{\"asn\":64496,\"prefix\":\"192.0.2.0/24\"}]}");
	ANSWER all = ask(state, BY_OPERATOR, "GET /api/v1/audit?limit=1", NULL);
	assert_int_equal(all->status, 200);
	assert_string_equal(service_text(all, "audit[0].action"), "roas.change");
	assert_string_equal(service_text(all, "audit[0].actor"), "member");
	assert_string_equal(service_text(all, "audit[0].ca"), "alpha");
	assert_string_equal(service_text(all, "audit[0].outcome"), "done");
	assert_string_equal(service_text(all, "audit[0].request_id"), service_header(change, "X-Request-Id"));
	char what[128];
	(void)snprintf(what, sizeof what, "GET /api/v1/audit?after=%s", service_text(all, "next"));
	ANSWER older = ask(state, BY_OPERATOR, what, NULL);
	assert_string_not_equal(service_text(older, "audit[0].action"), "roas.change");
	ANSWER own = ask(state, BY_STRANGER, "GET /api/v1/audit", NULL);
	assert_null(strstr(bytes_text(&own->body), "\"ca\":\"alpha\""));
	assert_non_null(strstr(bytes_text(&own->body), "\"ca\":\"beta\""));
	ANSWER named = ask(state, BY_OPERATOR, "GET /api/v1/audit?ca=beta", NULL);
	assert_null(strstr(bytes_text(&named->body), "\"ca\":\"alpha\""));
	ANSWER foreign = ask(state, BY_STRANGER, "GET /api/v1/audit?ca=alpha", NULL);
	assert_int_equal(foreign->status, 404);
	ANSWER missing = ask(state, BY_STRANGER, "GET /api/v1/audit?ca=nobody", NULL);
	assert_int_equal(missing->status, 404);
}

static void
handler__shows_publication_and_objects(void **state)
{
	ANSWER publication = ask(state, BY_READER, "GET /api/v1/publication", NULL);
	assert_int_equal(publication->status, 200);
	assert_string_equal(service_text(publication, "serial"), "0");
	assert_string_equal(service_text(publication, "written_at"), "null");
	assert_string_equal(service_text(publication, "rrdp.uri"), "https://rrdp.example.net/rrdp/");
	assert_string_equal(service_text(publication, "rsync.uri"), "rsync://rsync.example.net/repo/");
	ANSWER objects = ask(state, BY_READER, "GET /api/v1/cas/alpha/objects", NULL);
	assert_int_equal(objects->status, 200);
	assert_string_equal(service_text(objects, "objects"), "0");
}

static void
handler__takes_an_import(void **state)
{
	struct service *service = *state;
	char path[128], content[16] = "";
	ANSWER made = ask(state, BY_OPERATOR, "POST /api/v1/import/members", "{\"x\":1}\n");
	assert_int_equal(made->status, 201);
	const char *id = service_text(made, "id");
	assert_string_equal(service->submitted, id);
	assert_string_equal(service_text(made, "kind"), "members");
	(void)snprintf(path, sizeof path, "/api/v1/imports/%s", id);
	assert_string_equal(service_header(made, "Location"), path);
	(void)snprintf(path, sizeof path, "imports/%s", id);
	int fd = openat(service->directory, path, O_RDONLY);
	assert_true(fd >= 0);
	assert_int_equal(read(fd, content, sizeof content - 1), 8);
	close(fd);
	assert_string_equal(content, "{\"x\":1}\n");
	(void)snprintf(path, sizeof path, "GET /api/v1/imports/%s", id);
	ANSWER progress = ask(state, BY_OPERATOR, path, NULL);
	assert_int_equal(progress->status, 200);
	assert_string_equal(service_text(progress, "state"), "checking");
	assert_string_equal(service_text(progress, "actor"), "operator");
	assert_string_equal(service_text(progress, "serial"), "null");
	assert_string_equal(service_text(progress, "remarks"), "0");
	ANSWER second = ask(state, BY_OPERATOR, "POST /api/v1/import/roas", "x");
	assert_int_equal(second->status, 409);
}

static void
handler__refuses_faulty_imports(void **state)
{
	struct service *service = *state;
	ANSWER empty = ask(state, BY_OPERATOR, "POST /api/v1/import/stats", NULL);
	assert_int_equal(empty->status, 400);
	ANSWER member = ask(state, BY_MEMBER, "POST /api/v1/import/stats", "x");
	assert_int_equal(member->status, 403);
	ANSWER unknown = ask(state, BY_OPERATOR, "GET /api/v1/imports/8f14e45f-ceea-467f-9575-1f2f6b1d7c11", NULL);
	assert_int_equal(unknown->status, 404);
	assert_string_equal(service->submitted, "");
	assert_int_equal(unlinkat(service->directory, "imports", AT_REMOVEDIR), 0); /* nothing was left in it */
}

static void
handler__pages_through_remarks(void **state)
{
	struct service *service = *state;
	registry_sql(service->registry, "INSERT INTO imports (import_id, kind, state, actor, started_at, error) "
		"VALUES ('i', 'roas', 'failed', 'x', 5, 'line 3: bad')");
	for (int i = 1; i <= 3; i++)
		registry_sql(service->registry,
			"INSERT INTO import_remarks (import_id, remark_id, kind, text) VALUES ('i', %d, 'not_held', 'r%d')", i,
			i);
	ANSWER first = ask(state, BY_ADMIN, "GET /api/v1/imports/i?limit=2", NULL);
	assert_string_equal(service_text(first, "error"), "line 3: bad");
	assert_string_equal(service_text(first, "remarks"), "2");
	assert_string_equal(service_text(first, "next"), "2");
	ANSWER second = ask(state, BY_ADMIN, "GET /api/v1/imports/i?limit=2&after=2", NULL);
	assert_string_equal(service_text(second, "remarks[0].text"), "r3");
	assert_string_equal(service_text(second, "next"), "null");
}

static void
handler__tells_what_needs_no_token(void **state)
{
	ANSWER live = ask(state, BY_NOBODY, "GET /health/live", NULL);
	assert_string_equal(service_text(live, "live"), "true");
	ANSWER document = ask(state, BY_NOBODY, "GET /api/v1/openapi.json", NULL);
	assert_string_equal(service_text(document, "openapi"), "3.1.0");
	ANSWER metrics = ask(state, BY_ADMIN, "GET /metrics", NULL);
	assert_string_equal(service_header(metrics, "Content-Type"), "text/plain; version=0.0.4; charset=utf-8");
	assert_non_null(strstr(bytes_text(&metrics->body), "cadastre_http_requests_total"));
	ANSWER notification = ask(state, BY_NOBODY, "GET /rrdp/notification.xml", NULL);
	assert_string_equal(bytes_text(&notification->body), "<notification/>");
	ANSWER certificate = ask(state, BY_NOBODY, "GET /ta/ta.cer", NULL);
	assert_int_equal(certificate->status, 404);
}

int
main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, service_setup, service_teardown)
	const struct CMUnitTest tests[] = {
		CASE(handler__makes_a_ca),
		CASE(handler__refuses_faulty_cas),
		CASE(handler__names_whoever_holds_the_resources),
		CASE(handler__replaces_resources),
		CASE(handler__deletes_a_ca),
		CASE(handler__pages_through_cas),
		CASE(handler__bounds_pages),
		CASE(handler__repairs),
		CASE(handler__lists_what_is_set_aside),
		CASE(handler__changes_resources_by_their_difference),
		CASE(handler__holds_and_suspends),
		CASE(handler__gives_out_tokens),
		CASE(handler__refuses_faulty_tokens),
		CASE(handler__shows_the_audit),
		CASE(handler__shows_publication_and_objects),
		CASE(handler__takes_an_import),
		CASE(handler__refuses_faulty_imports),
		CASE(handler__pages_through_remarks),
		CASE(handler__tells_what_needs_no_token),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
