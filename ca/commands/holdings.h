/*
 * holdings: what a member may be given, and the rows that say who holds what. Inside a transaction that somebody else runs.
 *
 * Two rules: a member holds nothing that another member holds, and nothing that the CAs above it don't (first explicit set on
 * the way up, as issuing CAs inherit). Private, special and documentation resources are ordinary.
 */
#ifndef CA_COMMANDS_HOLDINGS_H
#define CA_COMMANDS_HOLDINGS_H

#include "ca/commands/command.h"
#include "ca/commands/resource_complaints.h"

/* What the CAs above may give. */
struct holdings_above {
	struct resource_set resources;
	char handle[HANDLE_MAX + 1];            /* who holds them */
};

#define HOLDINGS_ABOVE_INIT ((struct holdings_above){ .resources = RESOURCE_SET_INIT })
void holdings_above_clear(struct holdings_above *above);
/* From parent_id on upwards. Faults: NOT_FOUND, MALFORMED, DATABASE. */
CHECKED enum fault_code holdings_above_find(struct db_connection *connection, int64_t parent_id, struct holdings_above *ret_above,
	struct fault *fault);

/*
 * Whether ca_id (0: a CA yet to be made) may hold these. A complaint for each range that it may not.
 * Faults: RESOURCE_CONFLICT (another member holds some of it), else INVALID (the CAs above don't hold it).
 */
CHECKED enum fault_code holdings_check(struct db_connection *connection, const struct holdings_above *above, int64_t ca_id,
	const struct resource_set *resources, struct complaints *complaints, struct fault *fault);
/* The same for what comes to a CA beside what it has: `lists` is what the request calls it. */
CHECKED enum fault_code holdings_check_part(struct db_connection *connection, const struct holdings_above *above, int64_t ca_id,
	const struct resource_lists *lists, const struct resource_set *resources, struct complaints *complaints, struct fault *fault);

/* Puts these rows in place of all that the CA had. They must have been checked in this transaction. */
CHECKED enum fault_code holdings_replace(struct db_connection *connection, int64_t ca_id, const struct resource_set *resources,
	struct fault *fault);

/* The member that holds all of a prefix. *ret_ca_id 0: nobody does. */
CHECKED enum fault_code holdings_holder(struct db_connection *connection, const struct prefix *prefix, int64_t *ret_ca_id,
	struct fault *fault);

#endif
