/*
 * imports: the thread that applies recorded imports, one after the other, oldest first, and goes on with one that a kill interrupted.
 *
 * Threads: its own. imports_wake() from any.
 */
#ifndef API_SERVER_IMPORTS_H
#define API_SERVER_IMPORTS_H

#include "ca/base/scope.h"
#include "ca/commands/command.h"

struct imports;

/* path: the data directory's; borrowed, as the context. Faults: MEMORY. */
CHECKED enum fault_code imports_new(const struct command_context *context, const char *path, struct imports **ret_imports,
	struct fault *fault);
CHECKED enum fault_code imports_start(struct imports *imports, struct fault *fault);
void imports_wake(struct imports *imports);   /* one was recorded, or something was published; NULL is harmless */
/* Stops after the transaction under way. NULL is harmless. */
void imports_free(struct imports *imports);

#endif
