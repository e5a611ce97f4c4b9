/* ca_commands: members come, change and go. */
#ifndef CA_COMMANDS_CA_COMMANDS_H
#define CA_COMMANDS_CA_COMMANDS_H

#include "ca/commands/command.h"

/*
 * A new member CA under the issuing CA with room. Its key is made by the reconciler. Faults: INVALID (handle), CONFLICT (handle
 * in use), RESOURCE_CONFLICT (another member holds some of it: says who and what; complaints name each item), TOO_LARGE.
 * resources may be empty: then it has no certificate yet.
 */
CHECKED enum fault_code ca_create(const struct command_context *context, const struct actor *actor, const char *handle,
	const struct resource_set *resources, struct complaints *complaints, int64_t *ret_ca_id, struct fault *fault);

/*
 * Replaces what a member holds. The same set again changes nothing. Faults: NOT_FOUND, RESOURCE_CONFLICT, TOO_LARGE; CONFLICT
 * for a CA of the engine.
 */
CHECKED enum fault_code ca_set_resources(const struct command_context *context, const struct actor *actor, int64_t ca_id,
	const struct resource_set *resources, struct complaints *complaints, struct fault *fault);

/*
 * Changes what a member holds by what comes and what goes, either of them perhaps empty. The online CA grows alone, and the trust anchor
 * with it (see anchor_growth.h). Complains of what is to go and isn't held,
 * and of what is to come and is. Faults: INVALID (see complaints), and as above.
 */
CHECKED enum fault_code ca_change_resources(const struct command_context *context, const struct actor *actor, int64_t ca_id,
	const struct resource_set *add, const struct resource_set *remove, struct complaints *complaints, struct fault *fault);

/*
 * Withdraws everything of a member, revokes its certificate and its tokens; the row and the audit stay. Faults: NOT_FOUND,
 * CONFLICT (also: on hold).
 */
CHECKED enum fault_code ca_delete(const struct command_context *context, const struct actor *actor, int64_t ca_id,
	struct fault *fault);

/* Puts a CA that was set aside back to work. Faults: NOT_FOUND. */
CHECKED enum fault_code ca_repair(const struct command_context *context, const struct actor *actor, int64_t ca_id,
	struct fault *fault);

#endif
