/*
 * transfer_commands: resources that go from one member to another, leave the registry or come into it, with the ROAs under them.
 *
 * Between two members all of it is one transaction, and both CAs change in one serial: what the receiver takes over, or wants
 * already, is published throughout. Towards another registry it takes two steps: a prepared transfer changes nothing; completing it,
 * once the other registry certifies and publishes, takes the resources away. From another registry the receiver grows at once, and
 * the other one shrinks afterwards.
 */
#ifndef CA_COMMANDS_TRANSFER_COMMANDS_H
#define CA_COMMANDS_TRANSFER_COMMANDS_H

#include "ca/commands/command.h"
#include "ca/commands/roa_commands.h"
#include "ca/commands/transfer_effect.h"

#define TRANSFERS_PREPARED_MAX 1000                     /* that wait to be completed at a time */

/* What becomes of the giver's ROAs in the resources: they go along (to another registry: from here), or stay and are not held. */
enum transfer_roas { TRANSFER_MOVE, TRANSFER_LEAVE };
/* And of those that are there with a part only: none may be; they stay, not held; the proposed ones take their place. */
enum transfer_straddling { TRANSFER_REFUSE, TRANSFER_KEEP, TRANSFER_REPLACE };

const char *transfer_roas_text(enum transfer_roas roas);                   /* "move", "leave" */
bool transfer_roas_parse(const char *text, enum transfer_roas *ret_roas);
const char *transfer_straddling_text(enum transfer_straddling straddling); /* "refuse", "keep", "replace" */
bool transfer_straddling_parse(const char *text, enum transfer_straddling *ret_straddling);

struct transfer_request {
	const char *from, *to;                          /* handles of members; NULL: another registry */
	const struct resource_set *resources;
	enum transfer_roas roas;
	enum transfer_straddling straddling;
	const struct roa_entry *added;                  /* ROAs that the receiver gets with it; well-formed */
	size_t added_count;
	bool dry_run;                                   /* all checks, nothing kept */
};

/*
 * *ret_effect tells what it does to ROAs, also where it is refused, as far as it was found (known). All complaints at once. Of a dry
 * run that would be refused for ROAs that straddle alone, nothing is a fault: *ret_effect says so (undecided).
 * Faults: INVALID (see complaints), RESOURCE_CONFLICT (another member holds some of it, a prepared transfer is of it), CONFLICT (a
 * side that is held, suspended, set aside, being deleted or the engine's own; ROAs that straddle), TOO_LARGE, NOT_FOUND (an actor
 * bound to a CA).
 */
CHECKED enum fault_code transfer_create(const struct command_context *context, const struct actor *actor,
	const struct transfer_request *request, struct complaints *complaints, struct transfer_effect *ret_effect,
	int64_t *ret_transfer_id, struct fault *fault);

/*
 * The other registry publishes: the resources leave. straddling NULL: as it was asked for when it was prepared. Faults: as above, and
 * NOT_FOUND, CONFLICT (it is not a prepared one).
 */
CHECKED enum fault_code transfer_complete(const struct command_context *context, const struct actor *actor, int64_t transfer_id,
	const enum transfer_straddling *straddling, bool dry_run, struct complaints *complaints, struct transfer_effect *ret_effect,
	struct fault *fault);
/* A prepared transfer is given up. Faults: NOT_FOUND, CONFLICT (it is not a prepared one). */
CHECKED enum fault_code transfer_cancel(const struct command_context *context, const struct actor *actor, int64_t transfer_id,
	struct fault *fault);

#endif
