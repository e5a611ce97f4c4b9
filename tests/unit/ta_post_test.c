#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* after what it needs */
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "tests/unit/service.h"

/* An engine that is played: what it was asked, and what it answers. */
static struct {
	int64_t after;
	char response[64], actor[64];
	enum fault_code code;
} played;

static enum fault_code
play_request(void *engine, const struct actor *actor, int64_t after, struct ceremonies_request *ret_request, struct fault *fault)
{
	(void)engine;
	played.after = after;
	(void)snprintf(played.actor, sizeof played.actor, "%s", actor->name);
	if (played.code != FAULT_NONE)
		return fault_set(fault, played.code, "no ceremony is needed");
	ret_request->number = 8;
	(void)snprintf(ret_request->fingerprint, sizeof ret_request->fingerprint, "b8d4 5908");
	return bytes_append_text(&ret_request->file, "cadastre-ta-request 1\nnumber: 8\n", fault);
}

static enum fault_code
play_install(void *engine, const struct actor *actor, struct span response, struct ceremonies_installed *ret_installed, struct fault *fault)
{
	(void)engine;
	(void)actor;
	(void)snprintf(played.response, sizeof played.response, "%.*s", (int)response.length, (const char *)response.data);
	if (played.code != FAULT_NONE)
		return fault_set(fault, played.code, "the response is stale");
	*ret_installed = (struct ceremonies_installed){ .number = 8, .due_at = REGISTRY_NOW, .ends_at = REGISTRY_NOW + 86400 };
	return FAULT_NONE;
}

static int
setup(void **state)
{
	memset(&played, 0, sizeof played);
	if (service_setup(state) != 0)
		return -1;
	struct service *service = *state;
	service->context.ta_request = play_request;
	service->context.ta_install = play_install;
	return 0;
}

static void
ta_request_post__gives_the_file_to_staff(void **state)
{
	struct service *service = *state;
	ANSWER made = service_ask(service, BY_OPERATOR, "POST /api/v1/ta/request?after=7", NULL, NULL);
	assert_int_equal(made->status, 201);
	assert_string_equal(service_text(made, "number"), "8");
	assert_string_equal(service_text(made, "request_key"), "b8d4 5908");
	assert_string_equal(service_text(made, "request"), "cadastre-ta-request 1\nnumber: 8\n");
	assert_int_equal(played.after, 7);
	ANSWER plain = service_ask(service, BY_ADMIN, "POST /api/v1/ta/request", NULL, NULL);
	assert_int_equal(plain->status, 201);
	assert_int_equal(played.after, 0);
}

static void
ta_request_post__is_refused(void **state)
{
	struct service *service = *state;
	ANSWER member = service_ask(service, BY_MEMBER, "POST /api/v1/ta/request", NULL, NULL);
	ANSWER nobody = service_ask(service, BY_NOBODY, "POST /api/v1/ta/request", NULL, NULL);
	ANSWER number = service_ask(service, BY_ADMIN, "POST /api/v1/ta/request?after=-1", NULL, NULL);
	ANSWER large = service_ask(service, BY_ADMIN, "POST /api/v1/ta/request?after=100000000001", NULL, NULL);
	assert_int_equal(member->status, 403);
	assert_int_equal(nobody->status, 401);
	assert_int_equal(number->status, 400);
	assert_int_equal(large->status, 400);
	assert_string_equal(played.actor, "");
	played.code = FAULT_CONFLICT;
	ANSWER conflict = service_ask(service, BY_ADMIN, "POST /api/v1/ta/request", NULL, NULL);
	assert_int_equal(conflict->status, 409);
	/* The refusal is written down, the engine having left no row. */
	assert_int_equal(registry_number(service->registry, "SELECT count(*) AS it FROM audit WHERE action = 'ta.request' AND "
		"outcome = 'conflict'"), 1);
	service->context.ta_request = NULL;
	ANSWER none = service_ask(service, BY_ADMIN, "POST /api/v1/ta/request", NULL, NULL);
	assert_int_equal(none->status, 503);
}

static void
ta_response_post__installs_for_staff(void **state)
{
	struct service *service = *state;
	ANSWER done = service_ask(service, BY_OPERATOR, "POST /api/v1/ta/response", NULL, "{\"response\":\"cadastre-ta-response 1\\n\"}");
	assert_int_equal(done->status, 200);
	assert_string_equal(service_text(done, "number"), "8");
	assert_string_equal(service_text(done, "next_due_at"), "2026-01-01T00:00:00Z");
	assert_string_equal(service_text(done, "ends_at"), "2026-01-02T00:00:00Z");
	assert_string_equal(played.response, "cadastre-ta-response 1\n");
}

static void
ta_response_post__is_refused(void **state)
{
	static const char *const wrong[] = { "{}", "[]", "{\"response\":1}", "{\"response\":null}", "{\"response\":\"x\",\"more\":1}", "" };
	struct service *service = *state;
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		ANSWER answer = service_ask(service, BY_ADMIN, "POST /api/v1/ta/response", NULL, wrong[i]);
		assert_int_equal(answer->status, 400);
	}
	ANSWER member = service_ask(service, BY_MEMBER, "POST /api/v1/ta/response", NULL, "{\"response\":\"x\"}");
	assert_int_equal(member->status, 403);
	assert_string_equal(played.response, "");
	played.code = FAULT_CONFLICT;
	ANSWER stale = service_ask(service, BY_ADMIN, "POST /api/v1/ta/response", NULL, "{\"response\":\"x\"}");
	assert_int_equal(stale->status, 409);
	assert_string_equal(service_text(stale, "detail"), "the response is stale");
	assert_int_equal(registry_number(service->registry, "SELECT count(*) AS it FROM audit WHERE action = 'ta.install' AND "
		"outcome = 'conflict'"), 1);
}

int
main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, service_teardown)
	const struct CMUnitTest tests[] = {
		CASE(ta_request_post__gives_the_file_to_staff),
		CASE(ta_request_post__is_refused),
		CASE(ta_response_post__installs_for_staff),
		CASE(ta_response_post__is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
