#include "api/server/router.h"

#include <string.h>

#include "api/server/json_body.h"

static const struct route routes[] = {
#define ROUTE(verb, pattern, who, needs, function, change, query)                                                    \
	{ .method = METHOD_##verb, .path = (pattern), .roles = ROUTER_##who, .flags = ROUTER_##needs,                \
	  .handler = function##_handle, .action = (change), .parameters = (query) },
#include "api/handlers/routes.def"
#undef ROUTE
};

#define ROUTES (sizeof routes / sizeof routes[0])

static const char *const method_names[METHODS] = {
	[METHOD_GET] = "GET, HEAD", [METHOD_POST] = "POST", [METHOD_PATCH] = "PATCH", [METHOD_DELETE] = "DELETE",
};

size_t
router_count(void)
{
	return ROUTES;
}

const struct route *
router_route(size_t index)
{
	INVARIANT(index < ROUTES);
	return &routes[index];
}

/* Does the pattern fit the path? The pattern begins with '/'. */
static bool
matches(const char *pattern, const struct request *request, struct router_match *match)
{
	size_t arguments = 0;
	*match = (struct router_match){ .ca = NULL };
	for (size_t i = 0; i < request->segments_count; i++) {
		if (*pattern != '/')
			return false;
		pattern++;
		size_t length = strcspn(pattern, "/");
		const char *segment = request->segments[i];
		if (*pattern != '{') {
			if (strlen(segment) != length || memcmp(segment, pattern, length) != 0)
				return false;
		} else if (*segment == '\0')
			return false;
		else if (length == strlen(ROUTER_CA) && memcmp(pattern, ROUTER_CA, length) == 0)
			match->ca = segment;
		else {
			INVARIANT(arguments < HANDLER_ARGUMENTS_MAX);
			match->arguments[arguments++] = segment;
		}
		pattern += length;
	}
	return *pattern == '\0';
}

enum fault_code
router_find(const struct request *request, const struct route **ret_route, struct router_match *ret_match, unsigned *ret_allowed,
	struct fault *fault)
{
	unsigned allowed = 0;
	for (size_t i = 0; i < ROUTES; i++) {
		struct router_match match;
		if (!matches(routes[i].path, request, &match))
			continue;
		if (routes[i].method == request->method) {
			*ret_allowed = 0;
			*ret_route = &routes[i];
			*ret_match = match;
			return FAULT_NONE;
		}
		allowed |= 1U << routes[i].method;
	}
	*ret_allowed = allowed;
	if (allowed != 0)
		return fault_set(fault, FAULT_METHOD, "this address does not take that method");
	return fault_set(fault, FAULT_NOT_FOUND, "there is nothing at this address");
}

void
router_allow_text(unsigned allowed, char text[ROUTER_ALLOW_TEXT])
{
	char *end = text;
	*end = '\0';
	for (unsigned i = 0; i < METHODS; i++) {
		if ((allowed & 1U << i) == 0)
			continue;
		if (end != text)
			end = stpcpy(end, ", ");
		end = stpcpy(end, method_names[i]);
	}
}

/* Is the word in a list of words separated by spaces? */
static bool
lists(const char *words, const char *word)
{
	size_t length = strlen(word);
	for (const char *at = words; *at != '\0'; at += strspn(at, " ")) {
		size_t next = strcspn(at, " ");
		if (next == length && memcmp(at, word, length) == 0)
			return true;
		at += next;
	}
	return false;
}

enum fault_code
router_check_parameters(const struct route *route, const struct request *request, struct complaints *complaints,
	struct fault *fault)
{
	for (size_t i = 0; i < request->parameters_count; i++) {
		const char *name = request->parameters[i].name;
		if (!lists(route->parameters, name))
			TRY(complaints_add(complaints, fault, "query", i, name, "unknown query parameter; this address takes %s",
				*route->parameters == '\0' ? "none" : route->parameters));
	}
	return json_body_check(complaints, fault);
}

bool
router_allows(const struct route *route, enum role role)
{
	return (route->roles & ROUTER_ROLE(role)) != 0;
}

bool
router_needs_ca(const struct route *route)
{
	return strstr(route->path, "/" ROUTER_CA) != NULL;
}
