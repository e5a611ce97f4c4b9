/*
 * import_batch: a few entries of a file, gathered while it is read, and applied in one transaction together with how far the
 * import came. So a kill between two batches loses nothing, and members' own changes never wait for more than one of them.
 */
#ifndef CA_COMMANDS_IMPORT_BATCH_H
#define CA_COMMANDS_IMPORT_BATCH_H

#include "ca/commands/import_file.h"
#include "db/stores/import_store.h"

#define IMPORT_REMARKS_MAX 10000                /* kept of one import; further ones are only counted */

struct import_batch;

CHECKED enum fault_code import_batch_new(struct import_batch **ret_batch, struct fault *fault);
void import_batch_free(struct import_batch *batch);
SCOPED(struct import_batch, import_batch_free)

/* Copies an entry into it. Faults: MEMORY. */
CHECKED enum fault_code import_batch_add(struct import_batch *batch, const struct import_entry *entry, struct fault *fault);
bool import_batch_is_full(const struct import_batch *batch);
bool import_batch_is_empty(const struct import_batch *batch);

/*
 * Applies what it has in one transaction, all or nothing, and empties it. actor: in whose name members are made.
 * Faults: DATABASE, DISK, MEMORY, CRYPTO (then it still has its entries).
 */
CHECKED enum fault_code import_batch_apply(struct import_batch *batch, const struct command_context *context,
	const struct actor *actor, const char *import_id, struct fault *fault);

#endif
