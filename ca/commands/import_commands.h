/*
 * import_commands: loading a registry: holders from extended statistics, payloads from validators' dumps, or both at once.
 *
 * The whole file is read and checked first; nothing is applied from a file with a fault. Then it is applied in transactions of
 * bounded size, each recording how far it came, so that a kill loses nothing and a second run changes nothing.
 */
#ifndef CA_COMMANDS_IMPORT_COMMANDS_H
#define CA_COMMANDS_IMPORT_COMMANDS_H

#include <stdatomic.h>

#include "ca/commands/command.h"

enum import_kind { IMPORT_STATS, IMPORT_ROAS, IMPORT_MEMBERS };

#define IMPORT_ID_SIZE 37
#define IMPORT_FILE_MAX (INT64_C(1) << 30)              /* bytes as uploaded */

const char *import_kind_text(enum import_kind kind);
bool import_kind_parse(const char *text, enum import_kind *ret_kind);

/* Records an import whose file is complete at DIR/imports/<id>. Faults: CONFLICT when another import is still being applied. */
CHECKED enum fault_code import_start(const struct command_context *context, const struct actor *actor, enum import_kind kind,
	char ret_id[IMPORT_ID_SIZE], struct fault *fault);

/*
 * Checks and applies it, or goes on where a kill stopped it. path: the file. Returns when all intents are recorded (state
 * issuing).
 * stop is looked at between transactions (then returns FAULT_BUSY and the import stays open).
 * Faults of the file (MALFORMED, INVALID with "line N: …", FORBIDDEN: it is another user's) end the import as failed, with that text, and
 * are returned.
 */
CHECKED enum fault_code import_apply(const struct command_context *context, const char *id, const char *path,
	const atomic_bool *stop, struct fault *fault);

/* Looks whether everything of the open imports was published, and closes those. Called after each publication. */
CHECKED enum fault_code import_finish(const struct command_context *context, struct fault *fault);

#endif
