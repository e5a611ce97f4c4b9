/* backup_commands: that a backup was made, for the audit: it holds every key. */
#ifndef CA_COMMANDS_BACKUP_COMMANDS_H
#define CA_COMMANDS_BACKUP_COMMANDS_H

#include "ca/commands/command.h"

#define BACKUP_FILE_NAME_MAX 400                        /* bytes */

/* file: where it was written, as its maker named it. Faults: INVALID (empty or too long), DATABASE, DISK. */
CHECKED enum fault_code backup_note(const struct command_context *context, const struct actor *actor, const char *file, struct fault *fault);

#endif
