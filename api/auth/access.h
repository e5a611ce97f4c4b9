/*
 * access: who may use a route, and on which CA. Deny by default.
 *
 * A token that is bound to a CA sees that one alone: any other is answered as if it did not exist.
 *
 * Threads: as the connection.
 */
#ifndef API_AUTH_ACCESS_H
#define API_AUTH_ACCESS_H

#include <stdint.h>

#include "api/server/router.h"
#include "ca/audit/audit.h"
#include "ca/base/fault.h"
#include "db/db.h"

/* Faults: FORBIDDEN. */
CHECKED enum fault_code access_check_role(const struct route *route, const struct actor *actor, struct fault *fault);

/*
 * The CA with this handle, if the actor may see it. Faults: NOT_FOUND, with the same words whether it isn't there or is
 * another's.
 */
CHECKED enum fault_code access_find_ca(struct db_connection *connection, const struct actor *actor, const char *handle,
	int64_t *ret_ca_id, struct fault *fault);

#endif
