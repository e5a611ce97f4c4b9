/*
 * hold_commands: members that are held or suspended, and the way back from both.
 *
 * Held: whatever changes for it is accepted and waits, what is published is renewed as it stands. Suspended: all that is published
 * of it goes, intent and keys stay. A CA is one or the other at most. Each command audits what it did; one that finds things as it
 * would make them changes nothing.
 */
#ifndef CA_COMMANDS_HOLD_COMMANDS_H
#define CA_COMMANDS_HOLD_COMMANDS_H

#include "ca/commands/command.h"

/*
 * Faults: NOT_FOUND; CONFLICT: a CA of the engine, one being deleted; for a hold: suspended, or in a change that belongs in one
 * serial with another CA's; for a suspension: held.
 */
CHECKED enum fault_code ca_hold(const struct command_context *context, const struct actor *actor, int64_t ca_id,
	struct fault *fault);
CHECKED enum fault_code ca_release(const struct command_context *context, const struct actor *actor, int64_t ca_id,
	struct fault *fault);
CHECKED enum fault_code ca_suspend(const struct command_context *context, const struct actor *actor, int64_t ca_id,
	struct fault *fault);
CHECKED enum fault_code ca_resume(const struct command_context *context, const struct actor *actor, int64_t ca_id,
	struct fault *fault);

#endif
