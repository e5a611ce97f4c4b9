/* publication_commands: what operators decide about the publication: to accept a change that its guard refuses. */
#ifndef CA_COMMANDS_PUBLICATION_COMMANDS_H
#define CA_COMMANDS_PUBLICATION_COMMANDS_H

#include "ca/commands/command.h"

/*
 * Lets the next cut lose what the guard refused under this code, and nothing else. A second time it does nothing. Faults: NOT_FOUND
 * (nothing is refused), CONFLICT (something else is, whose code is told), DATABASE, DISK.
 */
CHECKED enum fault_code publication_accept(const struct command_context *context, const struct actor *actor, const char *code,
	struct fault *fault);

#endif
