/*
 * service: the whole API on a real database in a directory of its own, for tests: two members, a token of each kind, an engine
 * that is played by the test. Requests go to the dispatcher, or over HTTPS on a free loopback port once service_listen() was
 * called.
 */
#ifndef TESTS_UNIT_SERVICE_H
#define TESTS_UNIT_SERVICE_H

#include <jansson.h>

#include "api/server/config.h"
#include "api/server/dispatcher.h"
#include "api/server/http.h"
#include "ca/base/bytes.h"
#include "ca/commands/token_commands.h"
#include "tests/unit/registry.h"

/* Whose token a request brings. */
enum service_token {
	BY_NOBODY,                      /* none */
	BY_READER, BY_MEMBER,           /* of the CA "alpha": AS64496-AS64511, 192.0.2.0/24, 2001:db8::/32 */
	BY_STRANGER,                    /* a member, of the CA "beta": AS64499, 198.51.100.0/24 */
	BY_OPERATOR, BY_ADMIN,
	BY_EXPIRED, BY_REVOKED,         /* of alpha */
	BY_FORGER,                      /* a token that nobody made */
	SERVICE_TOKENS,
};

struct service {
	struct registry *registry;
	void *registry_state, *scratch;
	int directory;
	struct config config;
	struct handler_context context;
	struct dispatcher *dispatcher;
	struct http_server *server;     /* NULL: not listening */
	int64_t alpha_id, beta_id;
	char tokens[SERVICE_TOKENS][TOKEN_TEXT];
	bool ready;                     /* what the engine says of itself */
	bool checked;                   /* whether it has a report of a check */
	char submitted[64];             /* the import that it was told of */
};

/* *state is the service. */
int service_setup(void **state);
int service_teardown(void **state);
void service_listen(struct service *service);

struct service_answer {
	int status;
	struct bytes headers;           /* "Name: value\n" */
	struct bytes body;
	json_t *json;                   /* the body, if it is JSON */
};

void service_answer_free(struct service_answer *answer);
SCOPED(struct service_answer, service_answer_free)
#define ANSWER AUTO(struct service_answer, service_answer_free)

/*
 * what: method and target, "GET /api/v1/cas"; fields: further header fields, one a line, or NULL; body: NULL for none. A body
 * is sent as application/json unless the fields say otherwise. The answer is the caller's to free.
 */
struct service_answer *service_ask(struct service *service, enum service_token token, const char *what, const char *fields,
	const char *body);
/* The same over HTTPS, which must be listening. NULL when there is no answer at all. */
struct service_answer *service_fetch(struct service *service, enum service_token token, const char *what, const char *fields,
	struct span body);

/* A header field of an answer, NULL when it isn't there; valid until the next call. */
const char *service_header(const struct service_answer *answer, const char *name);
/*
 * What stands at a path such as "errors[0].field": as text, numbers in decimal, "null"; "(none)" when it isn't there. Valid
 * until the fourth next call.
 */
const char *service_text(const struct service_answer *answer, const char *path);

#endif
