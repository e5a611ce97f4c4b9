/*
 * import_file: the three kinds of files as one stream of entries: members to be, and payloads. Reads only; knows no database.
 *
 * Entries come in the same order at each reading of a file, so that a position in them is where an import goes on.
 */
#ifndef CA_COMMANDS_IMPORT_FILE_H
#define CA_COMMANDS_IMPORT_FILE_H

#include "ca/commands/import_commands.h"

/* Borrowed for the call that takes it. */
struct import_entry {
	uint32_t line;
	const char *handle;                             /* the member, or whose payload it is; NULL: of its holder */
	const struct resource_set *resources;           /* of the member; NULL: this is a payload */
	struct payload payload;
};

typedef enum fault_code (*import_entry_fn)(void *argument, const struct import_entry *entry, struct fault *fault);

/*
 * Gives every entry. A fault of the file may come after entries were given. Faults: MALFORMED, INVALID, TOO_LARGE, each with
 * "line N: …"; NOT_FOUND, IO, MEMORY; those of give(), as they are.
 */
CHECKED enum fault_code import_file_read(enum import_kind kind, const char *path, import_entry_fn give, void *argument,
	struct fault *fault);

#endif
