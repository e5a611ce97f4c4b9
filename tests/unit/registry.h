/*
 * registry: a database with a tree of CAs in it, made as init makes it, for tests of commands and views; the clock by hand.
 * Nothing is ever signed: keys and objects are rows that the test writes itself.
 */
#ifndef TESTS_UNIT_REGISTRY_H
#define TESTS_UNIT_REGISTRY_H

#include "ca/commands/ca_commands.h"
#include "ca/commands/command.h"
#include "db/db.h"

#define REGISTRY_NOW INT64_C(1767225600) /* 2026-01-01T00:00:00Z */

struct registry {
	struct db *db;
	struct clock clock;
	struct command_context context;
	struct asn_range refused[2];    /* AS23456, AS65535 */
	int wakes;                      /* how often the scheduler was woken */
	struct complaints complaints;   /* of the last command */
	struct fault fault;             /* of the last command */
};

extern const struct actor registry_admin, registry_operator;
struct actor registry_member(int64_t ca_id);

/* Setup and teardown of cases whose *state is the registry. It lies in a directory of its own. */
int registry_setup(void **state);
int registry_teardown(void **state);
/* A path in that directory; valid until the fourth next call. */
const char *registry_path(struct registry *registry, const char *name);
/* Closes the database and opens it again, as a restart does. */
void registry_reopen(struct registry *registry);

/* A set out of "AS64496-AS64511 192.0.2.0/24 2001:db8::/32"; the caller clears it. */
struct resource_set registry_resources(const char *text);
/* A member with these; *fault of the registry is cleared first, its complaints too. */
enum fault_code registry_create(struct registry *registry, const char *handle, const char *resources, int64_t *ret_ca_id);
int64_t registry_member_id(struct registry *registry, const char *handle, const char *resources); /* the same; must work */

/* Runs SQL on the writer. */
void registry_sql(struct registry *registry, const char *format, ...) PRINTF_LIKE(2, 3);
/* The only number, or text, that a query gives; its column is named "it". Text is valid until the next call. */
int64_t registry_number(struct registry *registry, const char *format, ...) PRINTF_LIKE(2, 3);
const char *registry_text(struct registry *registry, const char *format, ...) PRINTF_LIKE(2, 3);

/* The complaints as lines "added[2].prefix: reason"; valid until the next call. */
const char *registry_complaints(struct registry *registry);
/* Forgets the complaints and the fault of the last command. */
void registry_forget(struct registry *registry);

#endif
