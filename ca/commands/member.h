/*
 * member: the rows of a member CA, inside a transaction that somebody else runs: a new one's (ca_create() and imports), and the
 * one that a change is about.
 */
#ifndef CA_COMMANDS_MEMBER_H
#define CA_COMMANDS_MEMBER_H

#include "ca/commands/command.h"
#include "ca/commands/holdings.h"
#include "db/stores/ca_store.h"

/* Where new members go. What it says of room is exact within the transaction that found it. */
struct member_place {
	int64_t parent_id, repository_id;
	int64_t room;                           /* so many more may come here */
	struct holdings_above above;
};

#define MEMBER_PLACE_INIT ((struct member_place){ .above = HOLDINGS_ABOVE_INIT })
void member_place_clear(struct member_place *place);
/*
 * The newest issuing CA with room; when all are full, a further one is made beside them, in a repository of its own if need be
 * (repository_choice.h), which the reconciler gives a key and a certificate as it does for members. All members of an issuing CA publish
 * in its repository, and stay there. Faults: NOT_FOUND (there is no tree), DATABASE, DISK, MEMORY, CRYPTO.
 */
CHECKED enum fault_code member_place_find(struct db_connection *connection, const struct actor *actor, int64_t now_at,
	const struct command_placing *placing, struct member_place *ret_place, struct fault *fault);

/* Faults: CONFLICT (in use, or of a CA that is being deleted: a handle stays taken until all of that is withdrawn). */
CHECKED enum fault_code member_check_handle(struct db_connection *connection, const char *handle, struct fault *fault);

struct member_creation {
	const char *handle;                     /* checked by command_check_handle() */
	const struct resource_set *resources;
	const char *import_id;                  /* NULL: none */
	const char *alias;                      /* what the registry's feed calls it; NULL: nothing */
	int64_t now_at;
};

/*
 * Checks, then makes the CA, its holdings and the audit row; a fault leaves no row of it. The place must have room, and has one
 * less.
 * Faults: CONFLICT (handle in use, or of a CA that is being deleted), and those of holdings_check().
 */
CHECKED enum fault_code member_create(struct db_connection *connection, const struct actor *actor, struct member_place *place,
	const struct member_creation *creation, struct complaints *complaints, int64_t *ret_ca_id, struct fault *fault);

/*
 * The member that a change is about, the statement standing on its row. ret_handle is set as soon as it is known, also for a
 * refusal. Faults: NOT_FOUND (also for an actor bound to another CA), CONFLICT (a CA of the engine's own, or one being deleted).
 */
CHECKED enum fault_code member_load(struct db_connection *connection, const struct actor *actor, int64_t ca_id,
	char ret_handle[HANDLE_MAX + 1], struct stmt **ret_stmt, struct ca_record *ret_record, struct fault *fault);

/* "2 AS, 3 IPv4 and 1 IPv6 ranges": for audit rows. */
#define MEMBER_RESOURCES_TEXT 100
void member_resources_text(const struct resource_set *resources, char text[MEMBER_RESOURCES_TEXT]);

#endif
