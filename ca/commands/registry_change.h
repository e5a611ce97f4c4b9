/*
 * registry_change: the rows of a registry feed's change, inside the transaction that registry_apply() runs.
 */
#ifndef CA_COMMANDS_REGISTRY_CHANGE_H
#define CA_COMMANDS_REGISTRY_CHANGE_H

#include "ca/commands/registry_plan.h"

/*
 * All that changes, or nothing: what a member holds now must be what the plan was made from. Holdings of all who change are taken
 * out before any are put in, so that they are disjoint at each insertion although they move. Faults: CONFLICT (the state moved),
 * RESOURCE_CONFLICT, INVALID (likewise), DATABASE, DISK, MEMORY, CRYPTO.
 */
CHECKED enum fault_code registry_change_write(struct db_connection *connection, const struct actor *actor,
	const struct registry_plan *plan, const struct command_placing *placing, int64_t now_at, struct fault *fault);

#endif
