/*
 * dispatcher: from a request to its reply: route, token, role, CA, query, body type, handler, audit of what is refused on the
 * way.
 *
 * Knows nothing of sockets. Every failure ends as a problem in the reply; nothing is thrown away or answered twice.
 *
 * Threads: safe; each request and reply belongs to one thread at a time.
 */
#ifndef API_SERVER_DISPATCHER_H
#define API_SERVER_DISPATCHER_H

#include <stdbool.h>

#include "api/handlers/handler.h"
#include "api/server/router.h"
#include "ca/base/fault.h"
#include "ca/base/scope.h"

struct dispatcher;

/* context is borrowed for as long as the dispatcher lives. Faults: MEMORY, CRYPTO. */
CHECKED enum fault_code dispatcher_new(const struct handler_context *context, struct dispatcher **ret_dispatcher,
	struct fault *fault);
void dispatcher_free(struct dispatcher *dispatcher);
SCOPED(struct dispatcher, dispatcher_free)

/*
 * What the request's route needs (ROUTER_…), once its method and target are set; ROUTER_AT_ONCE where there is none: it is
 * refused.
 */
unsigned dispatcher_needs(const struct request *request);

/*
 * Before an upload's body is taken: everything that can be refused by then is, and its file is opened. true: go on;
 * false: the reply is complete.
 */
bool dispatcher_admit(struct dispatcher *dispatcher, struct request *request, struct reply *reply);

/* Runs the request. The reply is complete afterwards. May wait for the database, unless the route is one of ROUTER_AT_ONCE. */
void dispatcher_run(struct dispatcher *dispatcher, struct request *request, struct reply *reply);

/* The reply to a request that did not come far enough to be run. */
void dispatcher_refuse(const struct request *request, struct reply *reply, const struct fault *fault);

#endif
