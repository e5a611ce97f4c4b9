/* registry_json: a registry feed's plan as an answer, and the operator's limits out of the settings. Threads: as the writer. */
#ifndef API_HANDLERS_REGISTRY_JSON_H
#define API_HANDLERS_REGISTRY_JSON_H

#include "api/server/config.h"
#include "api/server/json_writer.h"
#include "ca/commands/registry_plan.h"

#define REGISTRY_JSON_RANGES_MAX 20     /* shown of one member, gained and lost each; further ones are counted */

/* Borrows from the settings. */
struct registry_limits registry_json_limits(const struct config *config);

/*
 * One object with counts, code and verdict, and of each list (members that change, moves, ROAs, remarks) at most `limit` entries;
 * left_off counts the rest. feed_id: what was recorded; 0: nothing was. Faults: those of the writer.
 */
CHECKED enum fault_code registry_json_write(struct json_writer *writer, const struct registry_plan *plan, int64_t feed_id,
	int64_t limit, struct fault *fault);

#endif
