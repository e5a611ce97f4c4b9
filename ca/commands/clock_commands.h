/* clock_commands: an operator's word on the clock. */
#ifndef CA_COMMANDS_CLOCK_COMMANDS_H
#define CA_COMMANDS_CLOCK_COMMANDS_H

#include "ca/commands/command.h"

/*
 * The wall clock, which left the monotonic one while the server ran, is right as it is now: signing goes on. Audited first, with how far
 * it had gone. clock: the one of the context. Faults: DATABASE, DISK.
 */
CHECKED enum fault_code clock_command_confirm(const struct command_context *context, const struct actor *actor, struct clock *clock,
	struct fault *fault);

#endif
