#include "ca/commands/backup_commands.h"

#include <stdio.h>
#include <string.h>

struct note {
	const struct actor *actor;
	int64_t now_at;
	char detail[BACKUP_FILE_NAME_MAX + 8];
};

static enum fault_code
write_note(struct db_connection *connection, void *argument, struct fault *fault)
{
	const struct note *note = argument;
	struct audit_event event = { .action = "backup.made", .outcome = "done", .detail = note->detail };
	return audit_write(connection, note->now_at, note->actor, &event, fault);
}

enum fault_code
backup_note(const struct command_context *context, const struct actor *actor, const char *file, struct fault *fault)
{
	struct note note = { .actor = actor, .now_at = clock_now(context->clock) };
	struct audit_event event = { .action = "backup.made" };
	size_t length = strlen(file);
	if (length == 0 || length > BACKUP_FILE_NAME_MAX)
		return fault_set(fault, FAULT_INVALID, "file must have 1 to %d bytes", BACKUP_FILE_NAME_MAX);
	(void)snprintf(note.detail, sizeof note.detail, "to %s", file);
	return command_run(context, actor, &event, write_note, &note, fault);
}
