#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <curl/curl.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ca/base/atomic_file.h"
#include "ca/base/memory.h"
#include "tests/unit/service.h"

/* The contract of the API as clients meet it: everything here goes over HTTPS. */

static int
setup(void **state)
{
	int result = service_setup(state);
	if (result == 0)
		service_listen(*state);
	return result;
}

static struct service_answer *
fetch(void **state, enum service_token token, const char *what, const char *fields, const char *body)
{
	struct service_answer *answer = service_fetch(*state, token, what, fields, SPAN(body, body == NULL ? 0 : strlen(body)));
	assert_non_null(answer);
	return answer;
}

static void
expect(void **state, enum service_token token, const char *what, const char *body, int status)
{
	ANSWER answer = fetch(state, token, what, NULL, body);
	if (answer->status != status)
		fail_msg("%s: %d instead of %d: %s", what, answer->status, status, bytes_text(&answer->body));
	assert_non_null(service_header(answer, "X-Request-Id"));
	assert_string_equal(service_header(answer, "X-Content-Type-Options"), "nosniff");
	if (status >= 400) {
		assert_string_equal(service_header(answer, "Content-Type"), "application/problem+json");
		assert_true(json_integer_value(json_object_get(answer->json, "status")) == status);
	}
}

/* Each route once, as it is meant to be used. */
static void
api_contract__every_route_answers(void **state)
{
	struct service *service = *state;
	char what[128];
	expect(state, BY_OPERATOR, "POST /api/v1/cas", "{\"handle\":\"gamma\",\"resources\":{\"ipv4\":[\"203.0.113.0/24\"]}}",
		201);
	expect(state, BY_MEMBER, "GET /api/v1/cas?limit=10&after=a", NULL, 200);
	expect(state, BY_MEMBER, "GET /api/v1/cas/alpha", NULL, 200);
	expect(state, BY_OPERATOR, "PATCH /api/v1/cas/gamma", "{\"resources\":{\"ipv4\":[\"203.0.113.0/25\"]}}", 200);
	expect(state, BY_OPERATOR, "POST /api/v1/cas/gamma/repair", NULL, 200);
	expect(state, BY_OPERATOR, "PATCH /api/v1/cas/gamma", "{\"add\":{\"asns\":[64600]},\"remove\":{\"ipv4\":[\"203.0.113.9\"]}}", 200);
	expect(state, BY_OPERATOR, "POST /api/v1/cas/gamma/hold", NULL, 200);
	expect(state, BY_OPERATOR, "POST /api/v1/cas/gamma/release", NULL, 200);
	expect(state, BY_OPERATOR, "POST /api/v1/cas/gamma/suspend", NULL, 200);
	expect(state, BY_OPERATOR, "POST /api/v1/cas/gamma/resume", NULL, 200);
	expect(state, BY_OPERATOR, "POST /api/v1/cas/gamma/tokens", "{\"name\":\"x\",\"role\":\"member\"}", 201);
	expect(state, BY_OPERATOR, "GET /api/v1/cas/gamma/tokens", NULL, 200);
	(void)snprintf(what, sizeof what, "DELETE /api/v1/cas/beta/tokens/%.16s",
		service->tokens[BY_STRANGER] + strlen("cadastre_"));
	expect(state, BY_OPERATOR, what, NULL, 204);
	expect(state, BY_MEMBER, "POST /api/v1/cas/alpha/roas", "{\"added\":[{\"asn\":64496,\"prefix\":\"192.0.2.0/24\"}]}", 200);
	expect(state, BY_MEMBER, "POST /api/v1/cas/alpha/roas?dry_run=true",
		"{\"removed\":[{\"asn\":64496,\"prefix\":\"192.0.2.0/24\"}]}", 200);
	expect(state, BY_READER, "GET /api/v1/cas/alpha/roas", NULL, 200);
	expect(state, BY_READER, "GET /api/v1/cas/alpha/objects", NULL, 200);
	expect(state, BY_READER, "GET /api/v1/publication", NULL, 200);
	expect(state, BY_OPERATOR, "GET /api/v1/check", NULL, 404);
	service->checked = true;
	expect(state, BY_OPERATOR, "GET /api/v1/check", NULL, 200);
	expect(state, BY_MEMBER, "GET /api/v1/check", NULL, 403);
	expect(state, BY_OPERATOR, "POST /api/v1/publication/accept", "{\"code\":\"3f2a9c0d11e8\"}", 404);
	registry_sql(service->registry, "INSERT INTO guard_refusals (repository_id, code, refused_at, payloads, payloads_lost, cas, cas_lost) "
		"VALUES (1, '3f2a9c0d11e8', 1, 1000, 200, 30, 0)");
	expect(state, BY_READER, "GET /api/v1/publication", NULL, 200);
	expect(state, BY_OPERATOR, "POST /api/v1/publication/accept", "{\"code\":\"000000000000\"}", 409);
	expect(state, BY_OPERATOR, "POST /api/v1/publication/accept", "{\"code\":3}", 400);
	expect(state, BY_OPERATOR, "POST /api/v1/publication/accept", "{}", 400);
	expect(state, BY_MEMBER, "POST /api/v1/publication/accept", "{\"code\":\"3f2a9c0d11e8\"}", 403);
	expect(state, BY_OPERATOR, "POST /api/v1/publication/accept", "{\"code\":\"3f2a9c0d11e8\"}", 204);
	expect(state, BY_OPERATOR, "POST /api/v1/clock/confirm", NULL, 204);
	expect(state, BY_ADMIN, "POST /api/v1/backups", "{\"file\":\"/backup/monday\"}", 204);
	expect(state, BY_ADMIN, "POST /api/v1/backups", "{\"file\":\"\"}", 400);
	expect(state, BY_OPERATOR, "POST /api/v1/backups", "{\"file\":\"/backup/monday\"}", 403);
	expect(state, BY_MEMBER, "POST /api/v1/clock/confirm", NULL, 403);
	expect(state, BY_READER, "GET /api/v1/audit?ca=alpha&limit=5", NULL, 200);
	expect(state, BY_ADMIN, "POST /api/v1/tokens", "{\"name\":\"x\",\"role\":\"operator\"}", 201);
	expect(state, BY_ADMIN, "GET /api/v1/tokens", NULL, 200);
	(void)snprintf(what, sizeof what, "DELETE /api/v1/tokens/%.16s", service->tokens[BY_OPERATOR] + strlen("cadastre_"));
	expect(state, BY_ADMIN, what, NULL, 204);
	expect(state, BY_ADMIN, "POST /api/v1/transfers?dry_run=true",
		"{\"from\":\"alpha\",\"to\":\"gamma\",\"resources\":{\"asns\":[64496]}}", 200);
	expect(state, BY_ADMIN, "POST /api/v1/transfers", "{\"from\":\"alpha\",\"to\":null,\"resources\":{\"asns\":[64496]}}", 201);
	expect(state, BY_ADMIN, "GET /api/v1/transfers?ca=alpha&limit=5&after=9", NULL, 200);
	expect(state, BY_ADMIN, "GET /api/v1/transfers/1", NULL, 200);
	expect(state, BY_ADMIN, "POST /api/v1/transfers/1/complete?dry_run=true&straddling=keep", NULL, 200);
	expect(state, BY_ADMIN, "POST /api/v1/transfers/1/cancel", NULL, 200);
	expect(state, BY_ADMIN, "POST /api/v1/import/stats", "2|x\n", 201);
	(void)snprintf(what, sizeof what, "GET /api/v1/imports/%s", service->submitted);
	expect(state, BY_ADMIN, what, NULL, 200);
	expect(state, BY_ADMIN, "DELETE /api/v1/cas/gamma", NULL, 204);
	expect(state, BY_NOBODY, "GET /api/v1/openapi.json", NULL, 200);
	expect(state, BY_NOBODY, "GET /health/live", NULL, 200);
	expect(state, BY_NOBODY, "GET /health/ready", NULL, 200);
	expect(state, BY_NOBODY, "GET /metrics", NULL, 200);
	expect(state, BY_NOBODY, "GET /rrdp/notification.xml", NULL, 200);
	expect(state, BY_NOBODY, "GET /ta/ta.cer", NULL, 404);
	expect(state, BY_NOBODY, "GET /ta/ta.tal", NULL, 404);
	expect(state, BY_NOBODY, "GET /rrdp/2/notification.xml", NULL, 404);
	expect(state, BY_NOBODY, "GET /rrdp/2/3a8f1d6e-2b7c-4e55-9d10-6c0f4f0b8a21/12/00112233445566778899aabbccddeeff/delta.xml", NULL, 404);
	expect(state, BY_NOBODY, "GET /rrdp/3a8f1d6e-2b7c-4e55-9d10-6c0f4f0b8a21/12/00112233445566778899aabbccddeeff/delta.xml",
		NULL, 404);
}

static void
api_contract__refuses_wrong_bodies(void **state)
{
	static const char *const bodies[] = { "", "{", "nonsense", "{\"added\":[{\"asn\":64496,\"prefix\":\"\xff\xfe\"}]}",
		"{\"added\":[],\"added\":[]}", "{\"added\":17}", "{\"x\":1}", "null", "[]" };
	char deep[20001];
	for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++)
		expect(state, BY_MEMBER, "POST /api/v1/cas/alpha/roas", bodies[i], 400);
	memset(deep, '[', sizeof deep);
	deep[20000] = '\0';
	expect(state, BY_MEMBER, "POST /api/v1/cas/alpha/roas", deep, 400);
	for (size_t i = 0; i < 20000; i += 5)
		memcpy(deep + i, "{\"a\":", 5);
	expect(state, BY_MEMBER, "POST /api/v1/cas/alpha/roas", deep, 400);
	ANSWER type = fetch(state, BY_MEMBER, "POST /api/v1/cas/alpha/roas", "Content-Type: text/csv", "{}");
	assert_int_equal(type->status, 415);
}

/* The client sees the answer, whether or not it waits for one before it sends its body. */
static void
api_contract__refuses_large_bodies(void **state)
{
	struct service *service = *state;
	size_t size = 10U << 20;
	AUTO(char, free) body = calloc(1, size);
	static const char *const fields[] = { NULL, "Expect: 100-continue", "Transfer-Encoding: chunked" };
	memset(body, ' ', size);
	for (size_t i = 0; i < 3; i++) {
		ANSWER answer = service_fetch(service, BY_MEMBER, "POST /api/v1/cas/alpha/roas", fields[i], SPAN(body, size));
		assert_non_null(answer);
		assert_int_equal(answer->status, 413);
		assert_string_equal(service_text(answer, "type"), "urn:cadastre:fault:too-large");
		assert_non_null(strstr(service_text(answer, "detail"), "1048576"));
	}
	ANSWER fits = service_fetch(service, BY_MEMBER, "POST /api/v1/cas/alpha/roas", NULL, SPAN(body, 1U << 20));
	assert_int_equal(fits->status, 400);
}

static void
api_contract__refuses_unknown_routes_methods_and_tokens(void **state)
{
	static const struct {
		enum service_token token;
		const char *what;
		int status;
	} cases[] = {
		{ BY_ADMIN, "GET /", 404 },
		{ BY_ADMIN, "GET /api/v1/", 404 },
		{ BY_ADMIN, "GET /api/v1/cas/", 404 },
		{ BY_ADMIN, "GET /api/v2/cas", 404 },
		{ BY_ADMIN, "GET /rrdp/../secret", 404 },
		{ BY_ADMIN, "GET /rrdp/%2e%2e/secret", 404 },
		{ BY_ADMIN, "GET /%00", 400 },
		{ BY_ADMIN, "GET /api/v1/cas/%ff", 400 },
		{ BY_ADMIN, "GET /api/v1/cas?limit=1&limit=2", 400 },
		{ BY_ADMIN, "GET /api/v1/cas?x=1", 400 },
		{ BY_ADMIN, "PUT /api/v1/cas", 405 },
		{ BY_ADMIN, "OPTIONS /api/v1/cas", 405 },
		{ BY_ADMIN, "BREW /api/v1/cas", 405 },
		{ BY_ADMIN, "POST /rrdp/notification.xml", 405 },
		{ BY_ADMIN, "DELETE /health/live", 405 },
		{ BY_ADMIN, "get /api/v1/cas", 405 },
		{ BY_NOBODY, "GET /api/v1/cas", 401 },
		{ BY_FORGER, "GET /api/v1/cas", 401 },
		{ BY_EXPIRED, "GET /api/v1/cas", 401 },
		{ BY_REVOKED, "GET /api/v1/cas", 401 },
		{ BY_STRANGER, "GET /api/v1/cas/alpha", 404 },
		{ BY_READER, "DELETE /api/v1/cas/alpha", 403 },
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		expect(state, cases[i].token, cases[i].what, NULL, cases[i].status);
	ANSWER method = fetch(state, BY_ADMIN, "PUT /api/v1/cas/alpha", NULL, NULL);
	assert_string_equal(service_header(method, "Allow"), "GET, HEAD, PATCH, DELETE");
}

static void
api_contract__refuses_large_heads(void **state)
{
	AUTO_CLEAR(struct bytes, bytes_clear) what = BYTES_INIT, fields = BYTES_INIT;
	assert_int_equal(bytes_printf(&what, NULL, "GET /api/v1/cas?after=%05000d", 0), FAULT_NONE);
	expect(state, BY_ADMIN, bytes_text(&what), NULL, 431);
	for (int i = 0; i < 5; i++)
		assert_int_equal(bytes_printf(&fields, NULL, "X-Large-%d: %04000d\n", i, 0), FAULT_NONE);
	ANSWER large = fetch(state, BY_ADMIN, "GET /api/v1/cas", bytes_text(&fields), NULL);
	assert_int_equal(large->status, 431);
	bytes_reset(&fields);
	for (int i = 0; i < 120; i++)
		assert_int_equal(bytes_printf(&fields, NULL, "X-Field-%d: a\n", i), FAULT_NONE);
	ANSWER many = fetch(state, BY_ADMIN, "GET /api/v1/cas", bytes_text(&fields), NULL);
	assert_int_equal(many->status, 431);
}

static void
api_contract__answers_head_without_a_body(void **state)
{
	static const char *const paths[] = { "/api/v1/cas/alpha/roas", "/rrdp/notification.xml", "/health/live",
		"/api/v1/nothing" };
	for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
		char head[128], get[128], length[32];
		(void)snprintf(head, sizeof head, "HEAD %s", paths[i]);
		(void)snprintf(get, sizeof get, "GET %s", paths[i]);
		ANSWER full = fetch(state, BY_MEMBER, get, NULL, NULL);
		ANSWER empty = fetch(state, BY_MEMBER, head, NULL, NULL);
		assert_int_equal(empty->status, full->status);
		assert_int_equal(empty->body.length, 0);
		(void)snprintf(length, sizeof length, "%zu", full->body.length);
		assert_string_equal(service_header(empty, "Content-Length"), length);
	}
}

/* That of the whole is allowed (RFC 9110 §8.6), but rpki-client 9.7 would wait for so many bytes. */
static void
api_contract__answers_304_without_a_length(void **state)
{
	ANSWER same = fetch(state, BY_MEMBER, "GET /api/v1/cas/alpha/roas", "If-None-Match: \"0\"", NULL);
	assert_int_equal(same->status, 304);
	assert_int_equal(same->body.length, 0);
	assert_string_equal(service_header(same, "ETag"), "\"0\"");
	assert_string_equal(service_header(same, "Content-Length"), "0");
	ANSWER file = fetch(state, BY_NOBODY, "GET /rrdp/notification.xml",
		"If-Modified-Since: Thu, 01 Jan 2026 00:00:00 GMT", NULL);
	assert_int_equal(file->status, 304);
	assert_string_equal(service_header(file, "Content-Length"), "0");
	assert_string_equal(service_header(file, "Cache-Control"), "public, max-age=60");
}

/* Far more than stays in memory: it goes by way of a file, and comes whole. */
static void
api_contract__sends_long_lists_whole(void **state)
{
	AUTO_CLEAR(struct bytes, bytes_clear) body = BYTES_INIT;
	assert_int_equal(bytes_append_text(&body, "{\"added\":[", NULL), FAULT_NONE);
	for (int i = 0; i < 5000; i++)
		assert_int_equal(bytes_printf(&body, NULL, "%s{\"asn\":%d,\"prefix\":\"2001:db8:%x::/48\"}", i == 0 ? "" : ",", i,
					 i),
			FAULT_NONE);
	assert_int_equal(bytes_append_text(&body, "]}", NULL), FAULT_NONE);
	ANSWER change = fetch(state, BY_MEMBER, "POST /api/v1/cas/alpha/roas", NULL, bytes_text(&body));
	assert_int_equal(change->status, 200);
	assert_string_equal(service_text(change, "added"), "5000");
	assert_string_equal(service_text(change, "accepted"), "5000");
	ANSWER list = fetch(state, BY_MEMBER, "GET /api/v1/cas/alpha/roas", NULL, NULL);
	assert_int_equal(list->status, 200);
	assert_true(list->body.length > 500000);
	assert_string_equal(service_text(list, "roas"), "5000");
	assert_string_equal(service_text(list, "roas[4999].asn"), "4999");
}

static void
api_contract__takes_uploads_larger_than_bodies(void **state)
{
	struct service *service = *state;
	size_t size = 20U << 20;
	AUTO(char, free) body = calloc(1, size);
	char path[128];
	memset(body, 'x', size);
	ANSWER refused = service_fetch(service, BY_MEMBER, "POST /api/v1/import/roas", NULL, SPAN(body, size));
	assert_non_null(refused);
	assert_int_equal(refused->status, 403);
	ANSWER waiting = service_fetch(service, BY_NOBODY, "POST /api/v1/import/roas", "Expect: 100-continue", SPAN(body, size));
	assert_non_null(waiting);
	assert_int_equal(waiting->status, 401);
	ANSWER empty = fetch(state, BY_OPERATOR, "POST /api/v1/import/roas", NULL, "");
	assert_int_equal(empty->status, 400);
	ANSWER taken = service_fetch(service, BY_OPERATOR, "POST /api/v1/import/roas",
		"Content-Type: application/gzip\nTransfer-Encoding: chunked", SPAN(body, size));
	assert_non_null(taken);
	assert_int_equal(taken->status, 201);
	assert_string_equal(service_text(taken, "size"), "20971520");
	(void)snprintf(path, sizeof path, "imports/%s", service_text(taken, "id"));
	AUTO_CLEAR(struct bytes, bytes_clear) stored = BYTES_INIT;
	assert_int_equal(atomic_file_read(service->directory, path, size, &stored, NULL), FAULT_NONE);
	assert_int_equal(stored.length, size);
}

/* Many clients at once, changing and reading one CA: every change counts, every answer is right. */

#define CLIENTS 8
#define ROUNDS 10

struct client {
	struct service *service;
	int number;
	atomic_int *failures;
	pthread_t thread;
};

static void *
work(void *argument)
{
	struct client *client = argument;
	for (int i = 0; i < ROUNDS; i++) {
		char body[128];
		(void)snprintf(body, sizeof body, "{\"added\":[{\"asn\":%d,\"prefix\":\"192.0.2.0/24\"}]}",
			client->number * ROUNDS + i + 1);
		ANSWER change = service_fetch(client->service, BY_MEMBER, "POST /api/v1/cas/alpha/roas", NULL,
			SPAN(body, strlen(body)));
		ANSWER list = service_fetch(client->service, BY_READER, "GET /api/v1/cas/alpha/roas", NULL, SPAN(NULL, 0));
		ANSWER file = service_fetch(client->service, BY_NOBODY, "GET /rrdp/notification.xml", NULL, SPAN(NULL, 0));
		if (change == NULL || change->status != 200 || list == NULL || list->status != 200 || file == NULL ||
			file->body.length != 15)
			(*client->failures)++;
	}
	return NULL;
}

static void
api_contract__serves_many_at_once(void **state)
{
	struct service *service = *state;
	struct client clients[CLIENTS];
	atomic_int failures = 0;
	for (int i = 0; i < CLIENTS; i++) {
		clients[i] = (struct client){ service, i, &failures, 0 };
		assert_int_equal(pthread_create(&clients[i].thread, NULL, work, &clients[i]), 0);
	}
	for (int i = 0; i < CLIENTS; i++)
		pthread_join(clients[i].thread, NULL);
	assert_int_equal(failures, 0);
	ANSWER list = fetch(state, BY_READER, "GET /api/v1/cas/alpha/roas", NULL, NULL);
	assert_int_equal(json_array_size(json_object_get(list->json, "roas")), CLIENTS * ROUNDS);
	assert_int_equal(json_integer_value(json_object_get(list->json, "version")), CLIENTS * ROUNDS);
}

static int
start_curl(void **state)
{
	(void)state;
	return curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ? 0 : -1;
}

static int
stop_curl(void **state)
{
	(void)state;
	curl_global_cleanup();
	return 0;
}

int
main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, service_teardown)
	const struct CMUnitTest tests[] = {
		CASE(api_contract__every_route_answers),
		CASE(api_contract__refuses_wrong_bodies),
		CASE(api_contract__refuses_large_bodies),
		CASE(api_contract__refuses_unknown_routes_methods_and_tokens),
		CASE(api_contract__refuses_large_heads),
		CASE(api_contract__answers_head_without_a_body),
		CASE(api_contract__answers_304_without_a_length),
		CASE(api_contract__sends_long_lists_whole),
		CASE(api_contract__takes_uploads_larger_than_bodies),
		CASE(api_contract__serves_many_at_once),
	};
	return cmocka_run_group_tests(tests, start_curl, stop_curl);
}
