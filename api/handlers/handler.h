/*
 * handler: what one API call works with. Each api/handlers/<noun>_<method>.c defines one function of this
 * kind, named <noun>_<method>_handle().
 *
 * A handler reads the request, calls a command or a view, fills the reply. It is called with the token known, its role allowed
 * on this route, and the CA of the path found and allowed. It never sends anything, and does nothing on disk but what an upload
 * needs.
 *
 * Threads: handlers run on the workers, many at a time; the context is shared and only read.
 */
#ifndef API_HANDLERS_HANDLER_H
#define API_HANDLERS_HANDLER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/server/ceremonies.h"
#include "api/server/config.h"
#include "api/server/reply.h"
#include "api/server/request.h"
#include "ca/base/clock.h"
#include "ca/base/fault.h"
#include "ca/commands/command.h"
#include "ca/views/views.h"
#include "db/db.h"

struct json_t;

/* All borrowed, for as long as the server runs. */
struct handler_context {
	struct db *db;
	const struct command_context *commands;
	const struct config *config;
	const struct clock *clock;
	struct clock *confirmable_clock; /* the same, for an operator to say that it is right */
	int data_directory;             /* descriptor of DIR */

	/* What the engine supplies; called from any worker. Each may be NULL: always ready; nobody to tell. */
	void *engine;
	/* true: ready. Appends one JSON object with what is well and what is not. Must not wait. */
	bool (*ready)(void *engine, struct bytes *json_detail);
	/* An import was recorded and its file is at DIR/imports/<id>. Must not wait. */
	void (*import_submitted)(void *engine, const char *id);
	/* The last report of the self-check. Faults: NOT_FOUND (none yet), MEMORY. */
	enum fault_code (*check)(void *engine, struct json_t **ret_json, struct fault *fault);
	/* Ceremonies of an offline trust anchor (engine.h). */
	enum fault_code (*ta_request)(void *engine, const struct actor *actor, int64_t after, struct ceremonies_request *ret_request,
		struct fault *fault);
	enum fault_code (*ta_install)(void *engine, const struct actor *actor, struct span response,
		struct ceremonies_installed *ret_installed, struct fault *fault);
};

#define HANDLER_ARGUMENTS_MAX 5

struct exchange {
	const struct handler_context *context;
	struct request *request;
	struct reply *reply;
	struct actor actor;             /* who asks; name NULL on routes that need no token */
	int64_t ca_id;                  /* of the path's {ca}, or 0 */
	const char *ca_handle;          /* likewise, or NULL */
	const char *arguments[HANDLER_ARGUMENTS_MAX]; /* the path's other {…}, in order */
	struct json_t *document;        /* the parsed body, owned; lives as long as complaints may borrow names from it */
	struct complaints complaints;   /* what is wrong with the entries of the request, for FAULT_INVALID */
	struct bytes health;            /* JSON for the member "health" of a problem; empty: none */
	struct reply_extension extension; /* what a problem tells beside; owned */
	bool reached_command;           /* its refusal is the command's to audit; also set where nothing was to change */
};

typedef enum fault_code (*handler_fn)(struct exchange *exchange, struct fault *fault);

/* One per route: see routes.def. */
#define ROUTE(method, path, roles, needs, handler, action, parameters) \
	CHECKED enum fault_code handler##_handle(struct exchange *exchange, struct fault *fault);
#include "api/handlers/routes.def"
#undef ROUTE

#endif
