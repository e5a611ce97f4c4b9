/* registry_transfers: how a registry's file and transfers get along. Part of making a registry_plan. */
#ifndef CA_COMMANDS_REGISTRY_TRANSFERS_H
#define CA_COMMANDS_REGISTRY_TRANSFERS_H

#include "ca/commands/registry_plan.h"

/* What waits to leave for another registry, of all members; *ret_promised is empty before. Faults: DATABASE, MEMORY. */
CHECKED enum fault_code registry_transfers_promised(struct db_connection *connection, struct resource_set *ret_promised,
	struct fault *fault);

/*
 * A file that was made before a transfer can't know of it, and would take it back: that counts as beyond the limits. Later is what was
 * transferred on the file's day or after; of a file without a day, since the last feed. Faults: DATABASE, MEMORY.
 */
CHECKED enum fault_code registry_transfers_judge(struct db_connection *connection, struct registry_plan *plan, struct fault *fault);

#endif
