/*
 * audit: the only writer of audit rows. What happened is audited in the transaction that did it; what was refused, in one of its
 * own.
 */
#ifndef CA_AUDIT_AUDIT_H
#define CA_AUDIT_AUDIT_H

#include <stdint.h>

#include "ca/base/fault.h"
#include "db/db.h"

enum role { ROLE_MEMBER_READ, ROLE_MEMBER, ROLE_OPERATOR, ROLE_ADMIN };
#define ROLES 4

const char *role_text(enum role role);                  /* "member-read" … */
bool role_parse(const char *text, enum role *ret_role);

/* Who acts. Borrowed strings. */
struct actor {
	/* the token's name, "cadastre" for the engine, "local" for a command without server */
	const char *name;
	const char *token_id;                           /* NULL for the latter two */
	enum role role;
	int64_t ca_id;                                  /* the only CA it may touch; 0: not bound to one */
	const char *request_id;                         /* NULL when there is none */
};

struct audit_event {
	const char *action;                             /* "ca.create", "ca.resources", "roas.change", "token.create", … */
	int64_t ca_id;                                  /* 0: none */
	const char *ca_handle;                          /* NULL: none */
	const char *outcome;                            /* "done", or fault_type() */
	const char *detail;                             /* one line for a person; never a token or key; NULL: none */
};

/* Within the transaction of what happened. Faults: DATABASE, DISK. */
CHECKED enum fault_code audit_write(struct db_connection *connection, int64_t at, const struct actor *actor,
	const struct audit_event *event, struct fault *fault);

#endif
