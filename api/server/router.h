/*
 * router: the one table of routes (api/handlers/routes.def), and which of them a request means. Pure.
 *
 * Deny by default: what has no line in the table does not exist, and a route names the roles that may use it.
 */
#ifndef API_SERVER_ROUTER_H
#define API_SERVER_ROUTER_H

#include <stdbool.h>
#include <stddef.h>

#include "api/handlers/handler.h"
#include "api/server/request.h"
#include "ca/audit/audit.h"

/* Sets of roles. */
#define ROUTER_ROLE(role) (1U << (role))
#define ROUTER_ADMINS ROUTER_ROLE(ROLE_ADMIN)
#define ROUTER_STAFF (ROUTER_ADMINS | ROUTER_ROLE(ROLE_OPERATOR))
#define ROUTER_OWNERS (ROUTER_STAFF | ROUTER_ROLE(ROLE_MEMBER))         /* whoever may change a member's ROAs */
#define ROUTER_ALL (ROUTER_OWNERS | ROUTER_ROLE(ROLE_MEMBER_READ))
#define ROUTER_ANYONE (ROUTER_ALL | 1U << ROLES)                         /* without a token */

/* What a route needs. */
#define ROUTER_PLAIN 0U
#define ROUTER_TAKES_JSON 1U            /* a JSON body, and only that */
#define ROUTER_TAKES_UPLOAD 2U          /* a body of any kind, streamed into a file */
#define ROUTER_AT_ONCE 4U               /* answered without waiting for anything: no worker needed */
#define ROUTER_BOUND_TOO 8U /* without {ca} in the path, yet for tokens that are bound to a CA: it shows them theirs alone */
#define ROUTER_LOOPBACK_TOO 16U         /* no token needed from a loopback address */

#define ROUTER_TAKES_MATCH (ROUTER_TAKES_JSON | 32U) /* JSON, and If-Match with an entity tag of ours */

#define ROUTER_CA "{ca}"                /* the placeholder of a CA's handle */

struct route {
	enum request_method method;
	const char *path;               /* as in OpenAPI: {…} stands for any one segment that isn't empty */
	unsigned roles, flags;
	handler_fn handler;
	const char *action;             /* audit; NULL: changes nothing */
	const char *parameters;         /* of the query, separated by spaces */
};

size_t router_count(void);
const struct route *router_route(size_t index);

/* The placeholders' values of a match. */
struct router_match {
	const char *ca;                 /* NULL: the path has no {ca} */
	const char *arguments[HANDLER_ARGUMENTS_MAX];
};

/*
 * Faults: NOT_FOUND; METHOD (*ret_allowed: the methods that the path has, as bits 1 << METHOD_…, 0 in all other cases).
 * Values in ret_match are borrowed from the request.
 */
CHECKED enum fault_code router_find(const struct request *request, const struct route **ret_route, struct router_match *ret_match,
	unsigned *ret_allowed, struct fault *fault);

#define ROUTER_ALLOW_TEXT 64
/* "GET, HEAD, POST" */
void router_allow_text(unsigned allowed, char text[ROUTER_ALLOW_TEXT]);

/* Every query parameter is one that the route takes. Complains of each other one (field: its name). Faults: INVALID, MEMORY. */
CHECKED enum fault_code router_check_parameters(const struct route *route, const struct request *request,
	struct complaints *complaints, struct fault *fault);

bool router_allows(const struct route *route, enum role role);
bool router_needs_ca(const struct route *route);

#endif
