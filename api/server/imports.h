/*
 * imports: the thread that applies recorded imports, one after the other, oldest first, and goes on with one that a kill interrupted.
 *
 * Threads: its own. imports_wake() from any.
 */
#ifndef API_SERVER_IMPORTS_H
#define API_SERVER_IMPORTS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "ca/base/scope.h"
#include "ca/commands/import_commands.h"

struct imports;

/*
 * Applies one that was recorded; its file, <path>/imports/<id>, goes then. A fault of the file ends the import and stands in its row: it is
 * logged, no more. Faults: BUSY (stopped, it goes on later), the database's, MEMORY.
 */
CHECKED enum fault_code imports_apply(const struct command_context *context, const char *path, const char *id, const atomic_bool *stop,
	struct fault *fault);
/* The next that waits to be applied, perhaps since a kill; "": none. Faults: DATABASE, MEMORY. */
CHECKED enum fault_code imports_next(const struct command_context *context, char ret_id[IMPORT_ID_SIZE], struct fault *fault);

/*
 * Removes files in <path>/imports of imports that are not open any more, or never were: a kill came between an import's end and its file's.
 * Before others start any. Faults: IO, MEMORY, DATABASE.
 */
CHECKED enum fault_code imports_clean(const struct command_context *context, const char *path, struct fault *fault);

/* How tries go: what the last one met, and how long it is until the next. */
struct imports_tries {
	enum fault_code code;
	int64_t wait_ms;
};

/* What comes of one more: after failures the pause doubles, up to half a minute, as each reads a whole file. True: that is news, to be told. */
bool imports_tried(struct imports_tries *tries, enum fault_code code);

/* path: the data directory's; borrowed, as the context. Faults: MEMORY. */
CHECKED enum fault_code imports_new(const struct command_context *context, const char *path, struct imports **ret_imports,
	struct fault *fault);
CHECKED enum fault_code imports_start(struct imports *imports, struct fault *fault);
void imports_wake(struct imports *imports);   /* one was recorded, or something was published; NULL is harmless */
/* Stops after the transaction under way. NULL is harmless. */
void imports_free(struct imports *imports);

#endif
