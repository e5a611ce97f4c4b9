#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <string.h>

#include "api/server/router.h"

static enum fault_code
find(const char *method, const char *target, const struct route **ret_route, struct router_match *ret_match,
	unsigned *ret_allowed, struct request *request)
{
	request_clear(request, -1);
	request_set_method(request, method);
	assert_int_equal(request_set_target(request, target, NULL), FAULT_NONE);
	return router_find(request, ret_route, ret_match, ret_allowed, NULL);
}

static void
router__finds_routes(void **state)
{
	struct request request = REQUEST_INIT;
	const struct route *route = NULL;
	struct router_match match;
	unsigned allowed = 99;
	(void)state;
	assert_int_equal(find("GET", "/api/v1/cas", &route, &match, &allowed, &request), FAULT_NONE);
	assert_string_equal(route->path, "/api/v1/cas");
	assert_null(match.ca);
	assert_int_equal(allowed, 0);
	assert_int_equal(find("DELETE", "/api/v1/cas/a%2Fb/tokens/00ff", &route, &match, &allowed, &request), FAULT_NONE);
	assert_string_equal(route->path, "/api/v1/cas/{ca}/tokens/{id}");
	assert_string_equal(match.ca, "a/b");
	assert_string_equal(match.arguments[0], "00ff");
	assert_int_equal(find("HEAD", "/rrdp/s/1/r/snapshot.xml", &route, &match, &allowed, &request), FAULT_NONE);
	assert_string_equal(match.arguments[3], "snapshot.xml");
	assert_true(route->handler == static_get_handle);
	request_clear(&request, -1);
}

static void
router__knows_no_other_address(void **state)
{
	static const char *const wrong[] = { "/", "/api", "/api/v1", "/api/v1/", "/api/v1/cas/", "/api/v1/cas//roas",
		"/api/v1/cas/a/", "/api/v1/cas/a/b", "/api/v1/CAS", "/api/v2/cas", "//api/v1/cas", "/api/v1/cas/a/roas/x",
		"/api/v1/import", "/api/v1/import/other", "/health", "/metrics/", "/ta/ta.key", "/rrdp", "/rrdp/", "/rrdp/a/b/c",
		"/api/v1/cas/{ca}/x", "/%61pi/v1/cas/", "/api/v1/imports/" };
	struct request request = REQUEST_INIT;
	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		const struct route *route = NULL;
		struct router_match match;
		unsigned allowed = 99;
		if (find("GET", wrong[i], &route, &match, &allowed, &request) != FAULT_NOT_FOUND)
			fail_msg("%s", wrong[i]);
		assert_null(route);
		assert_int_equal(allowed, 0);
	}
	request_clear(&request, -1);
}

static void
router__tells_the_methods_that_there_are(void **state)
{
	struct request request = REQUEST_INIT;
	const struct route *route;
	struct router_match match;
	unsigned allowed;
	char text[ROUTER_ALLOW_TEXT];
	(void)state;
	assert_int_equal(find("PUT", "/api/v1/cas/a", &route, &match, &allowed, &request), FAULT_METHOD);
	router_allow_text(allowed, text);
	assert_string_equal(text, "GET, HEAD, PATCH, DELETE");
	assert_int_equal(find("GET", "/api/v1/import/roas", &route, &match, &allowed, &request), FAULT_METHOD);
	router_allow_text(allowed, text);
	assert_string_equal(text, "POST");
	assert_int_equal(find("POST", "/rrdp/notification.xml", &route, &match, &allowed, &request), FAULT_METHOD);
	router_allow_text(allowed, text);
	assert_string_equal(text, "GET, HEAD");
	request_clear(&request, -1);
}

static void
router__checks_parameters(void **state)
{
	struct request request = REQUEST_INIT;
	AUTO_CLEAR(struct complaints, complaints_clear) complaints = COMPLAINTS_INIT;
	const struct route *route;
	struct router_match match;
	unsigned allowed;
	struct fault fault = FAULT_INIT;
	(void)state;
	assert_int_equal(find("GET", "/api/v1/audit?ca=a&after=1&limit=2", &route, &match, &allowed, &request), FAULT_NONE);
	assert_int_equal(router_check_parameters(route, &request, &complaints, &fault), FAULT_NONE);
	assert_int_equal(find("GET", "/api/v1/audit?c=a&afte=1&limit=2&after%20limit=", &route, &match, &allowed, &request),
		FAULT_NONE);
	assert_int_equal(router_check_parameters(route, &request, &complaints, &fault), FAULT_INVALID);
	assert_int_equal(complaints.total, 3);
	assert_string_equal(complaints.items[0].field, "c");
	assert_string_equal(complaints.items[0].reason, "unknown query parameter; this address takes ca after limit");
	complaints_clear(&complaints);
	assert_int_equal(find("GET", "/health/live?x", &route, &match, &allowed, &request), FAULT_NONE);
	assert_int_equal(router_check_parameters(route, &request, &complaints, &fault), FAULT_INVALID);
	assert_string_equal(complaints.items[0].reason, "unknown query parameter; this address takes none");
	request_clear(&request, -1);
}

/* What the table itself must keep to. */
static void
router__denies_by_default(void **state)
{
	(void)state;
	for (size_t i = 0; i < router_count(); i++) {
		const struct route *route = router_route(i);
		bool open = route->roles == ROUTER_ANYONE;
		assert_true(route->roles != 0);
		assert_true(route->path[0] == '/');
		assert_non_null(route->handler);
		/* A change needs a name in the audit and a token; what needs none is under no API path but the document. */
		assert_int_equal(route->method != METHOD_GET, route->action != NULL);
		if (route->action != NULL)
			assert_false(open || router_allows(route, ROLE_MEMBER_READ));
		if (open)
			assert_true(strncmp(route->path, "/api/", 5) != 0 || strcmp(route->path, "/api/v1/openapi.json") == 0);
		/* What is answered at once must not need the database. */
		assert_true(open || (route->flags & ROUTER_AT_ONCE) == 0);
		if ((route->flags & ROUTER_TAKES_JSON) != 0)
			assert_true(route->method == METHOD_POST || route->method == METHOD_PATCH);
		/* Whoever is bound to a CA gets where a CA is named, or where lists are cut down to it. */
		if (!router_needs_ca(route) && (route->flags & ROUTER_BOUND_TOO) == 0 && !open)
			assert_false(router_allows(route, ROLE_MEMBER));
		for (size_t k = 0; k < i; k++)
			assert_false(router_route(k)->method == route->method && strcmp(router_route(k)->path, route->path) == 0);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(router__finds_routes),
		cmocka_unit_test(router__knows_no_other_address),
		cmocka_unit_test(router__tells_the_methods_that_there_are),
		cmocka_unit_test(router__checks_parameters),
		cmocka_unit_test(router__denies_by_default),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
