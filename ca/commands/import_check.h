/* import_check: the first pass over a file: whether it can be applied as a whole. Changes nothing. */
#ifndef CA_COMMANDS_IMPORT_CHECK_H
#define CA_COMMANDS_IMPORT_CHECK_H

#include "ca/commands/import_commands.h"

/*
 * Reads the whole file and holds its members against the database: those that are new must not overlap with other members, and
 * lie within what the CAs above hold. Members that exist are left to the second pass. *ret_entries: how many entries the file
 * has.
 * Faults: those of import_file_read(); RESOURCE_CONFLICT, CONFLICT, INVALID with "line N: …"; BUSY when *stop became true.
 */
CHECKED enum fault_code import_check(const struct command_context *context, enum import_kind kind, const char *path,
	const atomic_bool *stop, int64_t *ret_entries, struct fault *fault);

#endif
