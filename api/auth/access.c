#include "api/auth/access.h"

#include "ca/views/views.h"

enum fault_code
access_check_role(const struct route *route, const struct actor *actor, struct fault *fault)
{
	if (!router_allows(route, actor->role))
		return fault_set(fault, FAULT_FORBIDDEN, "a token of the role %s may not do this", role_text(actor->role));
	/* Where no CA is named, a bound token would reach beyond its own; but for lists, which show it that one alone. */
	if (actor->ca_id != 0 && !router_needs_ca(route) && (route->flags & ROUTER_BOUND_TOO) == 0)
		return fault_set(fault, FAULT_FORBIDDEN, "a token that is bound to a CA may not do this");
	return FAULT_NONE;
}

enum fault_code
access_find_ca(struct db_connection *connection, const struct actor *actor, const char *handle, int64_t *ret_ca_id,
	struct fault *fault)
{
	int64_t ca_id = 0;
	enum fault_code code = ca_view_find(connection, handle, &ca_id, fault);
	if (code != FAULT_NONE && code != FAULT_NOT_FOUND)
		return code;
	if (code == FAULT_NOT_FOUND || (actor->ca_id != 0 && actor->ca_id != ca_id))
		return fault_set(fault, FAULT_NOT_FOUND, "there is no CA named %.100s", handle);
	*ret_ca_id = ca_id;
	return FAULT_NONE;
}
