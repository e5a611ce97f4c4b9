#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "api/server/router.h"
#include "generated/assets.h"

static int
setup(void **state)
{
	json_error_t error;
	*state = json_loadb(openapi_json, openapi_json_length, JSON_REJECT_DUPLICATES, &error);
	if (*state == NULL)
		print_message("line %d: %s\n", error.line, error.text);
	return *state == NULL ? -1 : 0;
}

static int
teardown(void **state)
{
	json_decref(*state);
	return 0;
}

static const char *const words[METHODS] = { "get", "post", "patch", "delete" };

static const json_t *
operation_of(const json_t *document, const struct route *route)
{
	return json_object_get(json_object_get(json_object_get(document, "paths"), route->path), words[route->method]);
}

static void
openapi__has_every_route(void **state)
{
	for (size_t i = 0; i < router_count(); i++) {
		const struct route *route = router_route(i);
		if (operation_of(*state, route) == NULL)
			fail_msg("%s %s is missing", words[route->method], route->path);
	}
}

static void
openapi__has_no_other(void **state)
{
	const char *path, *word;
	json_t *item, *operation;
	size_t count = 0;
	json_object_foreach(json_object_get(*state, "paths"), path, item) {
		json_object_foreach(item, word, operation) {
			bool found = false;
			for (size_t i = 0; i < router_count(); i++)
				found = found ||
					(strcmp(router_route(i)->path, path) == 0 &&
						strcmp(words[router_route(i)->method], word) == 0);
			if (!found)
				fail_msg("%s %s is no route", word, path);
			count++;
		}
	}
	assert_int_equal(count, router_count());
}

/* A reference into the document, or the value itself. */
static const json_t *
resolve(const json_t *document, const json_t *value)
{
	const char *reference = json_string_value(json_object_get(value, "$ref"));
	if (reference == NULL)
		return value;
	char path[256];
	assert_true(strncmp(reference, "#/", 2) == 0);
	(void)snprintf(path, sizeof path, "%s", reference + 2);
	char *rest = path;
	const json_t *at = document;
	for (char *part; (part = strsep(&rest, "/")) != NULL;)
		at = json_object_get(at, part);
	if (at == NULL)
		fail_msg("%s leads nowhere", reference);
	return at;
}

static void
check_references(const json_t *document, const json_t *value)
{
	const char *name;
	size_t index;
	json_t *below;
	(void)resolve(document, value);
	json_object_foreach((json_t *)(uintptr_t)value, name, below)
		check_references(document, below);
	json_array_foreach(value, index, below)
		check_references(document, below);
}

static void
openapi__has_no_dangling_references(void **state)
{
	check_references(*state, *state);
}

static bool
documents(const json_t *document, const json_t *operation, const char *in, const char *name, size_t length)
{
	size_t index;
	json_t *parameter;
	json_array_foreach(json_object_get(operation, "parameters"), index, parameter) {
		const json_t *resolved = resolve(document, parameter);
		const char *candidate = json_string_value(json_object_get(resolved, "name"));
		if (strcmp(json_string_value(json_object_get(resolved, "in")), in) == 0 && strlen(candidate) == length &&
			memcmp(candidate, name, length) == 0)
			return true;
	}
	return false;
}

static void
openapi__names_the_parameters(void **state)
{
	for (size_t i = 0; i < router_count(); i++) {
		const struct route *route = router_route(i);
		const json_t *operation = operation_of(*state, route);
		for (const char *name = route->parameters; *name != '\0'; name += strspn(name, " ")) {
			size_t length = strcspn(name, " ");
			if (!documents(*state, operation, "query", name, length))
				fail_msg("%s: %.*s", route->path, (int)length, name);
			name += length;
		}
		for (const char *at = route->path; (at = strchr(at, '{')) != NULL; at++) {
			if (!documents(*state, operation, "path", at + 1, strcspn(at + 1, "}")))
				fail_msg("%s: %s", route->path, at);
		}
	}
}

static void
openapi__tells_what_needs_no_token(void **state)
{
	for (size_t i = 0; i < router_count(); i++) {
		const struct route *route = router_route(i);
		const json_t *security = json_object_get(operation_of(*state, route), "security");
		bool open = json_is_array(security) && json_array_size(security) == 0;
		if (open != (route->roles == ROUTER_ANYONE))
			fail_msg("%s", route->path);
	}
}

static void
openapi__tells_what_takes_a_body(void **state)
{
	for (size_t i = 0; i < router_count(); i++) {
		const struct route *route = router_route(i);
		const json_t *content = json_object_get(json_object_get(operation_of(*state, route), "requestBody"), "content");
		bool json = (route->flags & ROUTER_TAKES_JSON) != 0, upload = (route->flags & ROUTER_TAKES_UPLOAD) != 0;
		assert_int_equal(json_object_get(content, "application/json") != NULL, json);
		assert_int_equal(json_object_get(content, "application/gzip") != NULL, upload);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(openapi__has_every_route),
		cmocka_unit_test(openapi__has_no_other),
		cmocka_unit_test(openapi__has_no_dangling_references),
		cmocka_unit_test(openapi__names_the_parameters),
		cmocka_unit_test(openapi__tells_what_needs_no_token),
		cmocka_unit_test(openapi__tells_what_takes_a_body),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
