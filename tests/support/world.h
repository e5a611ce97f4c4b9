/*
 * world: a whole CA engine without threads, files or HTTP, on a clock by hand: database, keys, tree, reconciler. For tests with
 * cmocka, in whose cases it fails; <cmocka.h> and what that needs are included before.
 *
 * Threads: one at a time.
 */
#ifndef TESTS_SUPPORT_WORLD_H
#define TESTS_SUPPORT_WORLD_H

#include "ca/commands/command.h"
#include "ca/jobs/reconcile.h"
#include "ca/keys/rsa_key.h"
#include "db/db.h"

#define WORLD_START INT64_C(1795478400) /* when its clock starts */

struct world {
	char directory[256];
	struct key_source ca_keys, onetime_keys; /* where keys come from */
	struct db *db;
	struct clock clock;
	struct signer *signer;
	struct key_pool *pool;
	struct workers *workers;
	struct reconcile reconcile;
	struct command_context context;
	int64_t repository_id;
};

extern const struct actor world_actor; /* an administrator */

/* Makes a call, whose last argument is `fault`, and fails the case with its message if it fails. */
#define WORLD_OK(call)                                                                             \
	do {                                                                                       \
		struct fault world_fault_ = FAULT_INIT, *fault = &world_fault_;                    \
		if ((call) != FAULT_NONE)                                                          \
			fail_msg("%s: %s (%s:%d)", #call, fault->message, fault->file, fault->line); \
	} while (0)

/* Set-up and tear-down of a case: TA, online CA, issuing CA (ca_id 1 to 3), in no cut yet. *state is the world. */
int world_open(void **state);
int world_close(void **state);
/*
 * The same in a caller's storage, which must not move, and from any instant on. All zero but for ca_keys and onetime_keys; these
 * too: rsa_key_source() and fixed_keys_source().
 */
void world_lay(struct world *world, int64_t start_at);
/* Stops everything as a server ends, its clock apart; starts it again on the same database, whatever state that is in. */
void world_stop(struct world *world);
void world_start(struct world *world);

/* One round and a cut, a second later than what was before. Returns the serial, 0 if there was nothing to cut. */
int64_t world_cut(struct world *world);
/* A member with these, as resource_list_parse() takes them, or "" for none; its ca_id. */
int64_t world_add_member(struct world *world, const char *handle, const char *resources);
/* ROAs of AS64496 for a prefix, with its own length; each may be NULL. */
void world_change_roas(struct world *world, int64_t ca_id, const char *add, const char *remove);
/* Another database, in its directory, that has no rows at all; to be closed before the world is. */
struct db *world_empty_database(struct world *world);
/* Runs SQL on the writer, behind the back of everything. */
void world_sql(struct world *world, const char *sql);
/* What a query gives in column "it" of its first row; -1: it has no row. */
int64_t world_number(struct world *world, const char *sql);

#endif
