/* roa_commands: what members authorise. */
#ifndef CA_COMMANDS_ROA_COMMANDS_H
#define CA_COMMANDS_ROA_COMMANDS_H

#include "ca/commands/command.h"

#define ROAS_PER_CA_MAX 200000
#define ROA_CHANGES_MAX 20000                           /* entries in one change */

struct roa_entry {
	struct payload payload;
	const char *comment;                            /* NULL: none; borrowed */
	size_t index;                                   /* where it stood in the request, for complaints */
};

struct roa_change {
	/* well-formed: prefix, AS and maxLength in range (the parser complains of others) */
	const struct roa_entry *added, *removed;
	size_t added_count, removed_count;
	bool if_match;                                  /* only if the CA's roas_version is still `version` */
	int64_t version;
	bool dry_run;                                   /* all checks, nothing kept */
};

/*
 * All or nothing. An entry in both lists cancels out. Complains of every entry: not held, already there, twice in the list, not
 * there to be removed, an AS number that members may not add (operators and admins may). An empty change changes nothing.
 * For a dry run, `preview` (may be NULL) is called inside the transaction that is then rolled back, to read what the list would
 * be. A changed comment: remove and add again in one change keeps the ROA and takes the new comment.
 * Faults: NOT_FOUND, INVALID (see complaints), PRECONDITION, TOO_LARGE, CONFLICT (CA being deleted).
 */
CHECKED enum fault_code roas_change(const struct command_context *context, const struct actor *actor, int64_t ca_id,
	const struct roa_change *change,
	enum fault_code (*preview)(void *argument, struct db_connection *connection, struct fault *fault), void *preview_argument,
	struct complaints *complaints, int64_t *ret_version, struct fault *fault);

#endif
