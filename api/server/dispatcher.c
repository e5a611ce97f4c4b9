#include "api/server/dispatcher.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "api/auth/access.h"
#include "api/auth/bearer.h"
#include "api/server/json_body.h"
#include "api/server/precondition.h"
#include "api/server/rate_limit.h"
#include "api/server/upload.h"
#include "ca/base/memory.h"
#include "ca/base/secret.h"

#define CHALLENGE "Bearer realm=\"cadastre\""

struct dispatcher {
	const struct handler_context *context;
	struct rate_limit *requests;    /* by token */
	struct rate_limit *failures;    /* without a valid token, by address */
};

enum fault_code
dispatcher_new(const struct handler_context *context, struct dispatcher **ret_dispatcher, struct fault *fault)
{
	AUTO(struct dispatcher, dispatcher_free) dispatcher = NULL;
	const struct config *config = context->config;
	TRY(memory_new(1, sizeof *dispatcher, &dispatcher, fault));
	dispatcher->context = context;
	TRY(rate_limit_new(config->rate_limit, config->rate_burst, &dispatcher->requests, fault));
	TRY(rate_limit_new(config->failure_limit, config->failure_burst, &dispatcher->failures, fault));
	*ret_dispatcher = MOVE(dispatcher);
	return FAULT_NONE;
}

void
dispatcher_free(struct dispatcher *dispatcher)
{
	if (dispatcher == NULL)
		return;
	rate_limit_free(dispatcher->requests);
	rate_limit_free(dispatcher->failures);
	free(dispatcher);
}

unsigned
dispatcher_needs(const struct request *request)
{
	const struct route *route;
	struct router_match match;
	unsigned allowed;
	return router_find(request, &route, &match, &allowed, NULL) == FAULT_NONE ? route->flags : ROUTER_AT_ONCE;
}

/* One request's way. */
struct passage {
	struct dispatcher *dispatcher;
	const struct route *route;      /* NULL: none found */
	struct router_match match;
	struct exchange exchange;
	struct token_identity identity; /* what exchange.actor borrows from */
};

static enum fault_code
limited(struct reply *reply, int64_t wait_ms, struct fault *fault)
{
	reply_header(reply, "Retry-After", "%" PRId64, (wait_ms + 999) / 1000);
	return fault_set(fault, FAULT_RATE, "too many requests");
}

/*
 * An address that keeps sending what is no token is slowed down. A valid token is never refused for that: others may share its
 * address.
 */
static enum fault_code
refuse_token(struct passage *passage, struct fault *fault)
{
	const struct request_peer *peer = &passage->exchange.request->peer;
	struct reply *reply = passage->exchange.reply;
	/* One host has a /64 to itself. */
	uint8_t key[9] = { (uint8_t)peer->family };
	int64_t wait_ms;
	memcpy(key + 1, peer->address.bytes, peer->family == FAMILY_IPV4 ? 4 : 8);
	if (!rate_limit_take(passage->dispatcher->failures, SPAN(key, sizeof key), clock_monotonic_ms(), &wait_ms))
		return limited(reply, wait_ms, fault);
	/* RFC 6750 §3.1: no error code where no token was sent. */
	bool sent = passage->exchange.request->authorization != NULL;
	reply_header(reply, "WWW-Authenticate", CHALLENGE "%s", sent ? ", error=\"invalid_token\"" : "");
	return FAULT_UNAUTHORIZED;
}

/* What is no token by its form needs no look into the database. */
static enum fault_code
take_token(struct passage *passage, const char **ret_token, struct fault *fault)
{
	if (bearer_token(passage->exchange.request->authorization, ret_token, fault) != FAULT_NONE)
		return refuse_token(passage, fault);
	return FAULT_NONE;
}

static enum fault_code
authenticate(struct passage *passage, struct db_connection *connection, const char *token, struct fault *fault)
{
	struct exchange *exchange = &passage->exchange;
	enum fault_code code =
		token_view_identify(connection, token, clock_now(exchange->context->clock), &passage->identity, fault);
	if (code == FAULT_UNAUTHORIZED)
		return refuse_token(passage, fault);
	if (code != FAULT_NONE)
		return code;
	exchange->actor = (struct actor){
		.name = passage->identity.name,
		.token_id = passage->identity.token_id,
		.role = passage->identity.role,
		.ca_id = passage->identity.ca_id,
		.request_id = exchange->request->id,
	};
	return FAULT_NONE;
}

static bool
is_open(const struct passage *passage)
{
	const struct request *request = passage->exchange.request;
	if (passage->route->roles == ROUTER_ANYONE)
		return true;
	return (passage->route->flags & ROUTER_LOOPBACK_TOO) != 0 && request->peer.loopback && !request->forwarded;
}

/* Token, its rate, its role, the CA of the path. */
static enum fault_code
check_access(struct passage *passage, struct fault *fault)
{
	AUTO(struct db_connection, db_reader_release) connection = NULL;
	struct exchange *exchange = &passage->exchange;
	const char *token;
	int64_t wait_ms;
	if (is_open(passage))
		return FAULT_NONE;
	TRY(take_token(passage, &token, fault));
	TRY(db_reader_acquire(exchange->context->db, &connection, fault));
	TRY(authenticate(passage, connection, token, fault));
	const char *id = exchange->actor.token_id;
	if (!rate_limit_take(passage->dispatcher->requests, SPAN(id, strlen(id)), clock_monotonic_ms(), &wait_ms))
		return limited(exchange->reply, wait_ms, fault);
	TRY(access_check_role(passage->route, &exchange->actor, fault));
	if (passage->match.ca == NULL)
		return FAULT_NONE;
	TRY(access_find_ca(connection, &exchange->actor, passage->match.ca, &exchange->ca_id, fault));
	exchange->ca_handle = passage->match.ca;
	return FAULT_NONE;
}

/*
 * RFC 9110 §13.1.1: a change with If-Match must not be made unless that holds. Where we give no entity tags none can match; "*"
 * asks for something that exists, which the CA of the path does.
 */
static enum fault_code
check_precondition(const struct passage *passage, struct fault *fault)
{
	const char *field = passage->exchange.request->if_match;
	bool tags = (passage->route->flags & ROUTER_TAKES_MATCH) == ROUTER_TAKES_MATCH;
	if (field != NULL && passage->route->action != NULL && !tags && !precondition_any(field))
		return fault_set(fault, FAULT_PRECONDITION, "this address has no entity tags, so If-Match can't hold");
	return FAULT_NONE;
}

static enum fault_code
check_form(struct passage *passage, struct fault *fault)
{
	const struct request *request = passage->exchange.request;
	TRY(router_check_parameters(passage->route, request, &passage->exchange.complaints, fault));
	TRY(check_precondition(passage, fault));
	if ((passage->route->flags & ROUTER_TAKES_JSON) != 0)
		return json_body_check_type(request->content_type, fault);
	if ((passage->route->flags & ROUTER_TAKES_UPLOAD) == 0 && request->body.length > 0)
		return fault_set(fault, FAULT_MALFORMED, "this address takes no body");
	return FAULT_NONE;
}

static enum fault_code
find_route(struct passage *passage, struct fault *fault)
{
	unsigned allowed = 0;
	enum fault_code code = router_find(passage->exchange.request, &passage->route, &passage->match, &allowed, fault);
	if (code == FAULT_METHOD) {
		char text[ROUTER_ALLOW_TEXT];
		router_allow_text(allowed, text);
		reply_header(passage->exchange.reply, "Allow", "%s", text);
	}
	memcpy(passage->exchange.arguments, passage->match.arguments, sizeof passage->exchange.arguments);
	return code;
}

static enum fault_code
check(struct passage *passage, struct fault *fault)
{
	TRY(find_route(passage, fault));
	TRY(check_access(passage, fault));
	return check_form(passage, fault);
}

/* A change that somebody known asked for and that no command has seen: refused all the same, so it is audited here. */
static void
audit_refusal(const struct passage *passage, const struct fault *fault)
{
	const struct exchange *exchange = &passage->exchange;
	if (passage->route == NULL || passage->route->action == NULL || exchange->actor.name == NULL ||
		exchange->reached_command || fault->code == FAULT_RATE)
		return;
	command_audit_refusal(exchange->context->commands, &exchange->actor,
		(struct audit_event){
			.action = passage->route->action,
			.ca_id = exchange->ca_id,
			.ca_handle = passage->match.ca,
			.outcome = fault_type(fault->code),
			.detail = fault->message,
		},
		fault);
}

static void
set_common_headers(const struct request *request, struct reply *reply)
{
	reply_header(reply, "X-Request-Id", "%s", request->id);
	reply_header(reply, "X-Content-Type-Options", "nosniff");
	if (reply_header_value(reply, "Cache-Control") == NULL || reply->status >= 400)
		reply_header(reply, "Cache-Control", "no-store");
	if (reply_header_value(reply, "Content-Type") == NULL && reply_length(reply) > 0)
		reply_header(reply, "Content-Type", "application/json");
}

/* Is it about what the request says, so that complaints tell where? */
static bool
names_entries(enum fault_code code)
{
	return code == FAULT_INVALID || code == FAULT_CONFLICT || code == FAULT_RESOURCE_CONFLICT;
}

/* Ends the passage: what failed becomes a problem. */
static void
conclude(struct passage *passage, enum fault_code code, struct fault *fault)
{
	struct exchange *exchange = &passage->exchange;
	if (code == FAULT_NONE)
		code = spool_finish(&exchange->reply->body, fault);
	if (code != FAULT_NONE) {
		audit_refusal(passage, fault);
		reply_problem(exchange->reply, fault,
			&(struct reply_context){
				.request_id = exchange->request->id,
				.actor = exchange->actor.name,
				.ca_handle = exchange->ca_handle,
				.complaints = names_entries(code) ? &exchange->complaints : NULL,
				.extension = &exchange->extension,
				.health = exchange->health.length > 0 ? bytes_text(&exchange->health) : NULL,
			});
	}
	set_common_headers(exchange->request, exchange->reply);
	complaints_clear(&exchange->complaints);
	json_decref(exchange->document);
	bytes_clear(&exchange->health);
	if (exchange->extension.free != NULL)
		exchange->extension.free(exchange->extension.argument);
	secret_wipe(&passage->identity, sizeof passage->identity);
}

static struct passage
begin(struct dispatcher *dispatcher, struct request *request, struct reply *reply)
{
	return (struct passage){
		.dispatcher = dispatcher,
		.exchange = { .context = dispatcher->context, .request = request, .reply = reply },
	};
}

bool
dispatcher_admit(struct dispatcher *dispatcher, struct request *request, struct reply *reply)
{
	struct fault fault = FAULT_INIT;
	struct passage passage = begin(dispatcher, request, reply);
	enum fault_code code = check(&passage, &fault);
	if (code == FAULT_NONE)
		code = upload_open(&request->upload, dispatcher->context->data_directory, &fault);
	conclude(&passage, code, &fault);
	if (code == FAULT_NONE)
		reply_reset(reply);
	return code == FAULT_NONE;
}

void
dispatcher_run(struct dispatcher *dispatcher, struct request *request, struct reply *reply)
{
	struct fault fault = FAULT_INIT;
	struct passage passage = begin(dispatcher, request, reply);
	enum fault_code code = check(&passage, &fault);
	if (code == FAULT_NONE)
		code = passage.route->handler(&passage.exchange, &fault);
	conclude(&passage, code, &fault);
}

void
dispatcher_refuse(const struct request *request, struct reply *reply, const struct fault *fault)
{
	reply_problem(reply, fault, &(struct reply_context){ .request_id = request->id });
	set_common_headers(request, reply);
}
