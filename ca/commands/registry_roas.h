/* registry_roas: what a registry feed does to members' ROAs. Part of making a registry_plan. */
#ifndef CA_COMMANDS_REGISTRY_ROAS_H
#define CA_COMMANDS_REGISTRY_ROAS_H

#include "ca/base/digest.h"
#include "ca/commands/registry_plan.h"

/*
 * Goes through the intents of all members that change. Those that would no longer be held come into the plan, each with what could
 * take its place where a part of its prefix remains, and into the digest. Faults: DATABASE, MEMORY, CRYPTO.
 */
CHECKED enum fault_code registry_roas_find(struct db_connection *connection, struct registry_plan *plan, struct digest *digest,
	struct fault *fault);

#endif
