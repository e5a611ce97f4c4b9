/* anchor_growth: a trust anchor, and the online CA under it, that come to hold more. Inside a transaction that somebody else runs. */
#ifndef CA_COMMANDS_ANCHOR_GROWTH_H
#define CA_COMMANDS_ANCHOR_GROWTH_H

#include "ca/commands/command.h"
#include "db/stores/ca_store.h"

/*
 * Both come to hold `add` as well, the certificates of both change in one serial with whatever is given to members from then on, and
 * it stands in the audit of both. They never shrink: members may hold any of it. `add` is nothing that the online CA holds.
 * Faults: CONFLICT (the trust anchor's key is on a machine of its own), TOO_LARGE, NOT_FOUND.
 */
CHECKED enum fault_code anchor_grow(struct db_connection *connection, const struct actor *actor, const struct ca_record *online,
	const struct resource_set *add, int64_t now_at, struct fault *fault);

#endif
