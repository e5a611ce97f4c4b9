#include "ca/commands/registry_transfers.h"

#include <inttypes.h>

#include "db/stores/transfer_store.h"

#define NAMED 3 /* transfers that are named where a file would take them back */

static enum fault_code
add_range(void *argument, const struct resource_range *range, size_t index, struct fault *fault)
{
	(void)index;
	return resource_range_add(range, argument, fault);
}

/* The next row's resources. */
static enum fault_code
next(struct stmt *stmt, int64_t *ret_transfer_id, struct resource_set *ret_resources, bool *ret_found, struct fault *fault)
{
	struct span blob;
	TRY(transfer_store_next_resources(stmt, ret_transfer_id, &blob, ret_found, fault));
	return *ret_found ? resource_set_decode(blob, ret_resources, fault) : FAULT_NONE;
}

enum fault_code
registry_transfers_promised(struct db_connection *connection, struct resource_set *ret_promised, struct fault *fault)
{
	AUTO(struct stmt, stmt_done) stmt = NULL;
	TRY(transfer_store_prepared(connection, &stmt, fault));
	for (;;) {
		AUTO_CLEAR(struct resource_set, resource_set_clear) one = RESOURCE_SET_INIT;
		int64_t transfer_id;
		bool found;
		TRY(next(stmt, &transfer_id, &one, &found, fault));
		if (!found)
			return resource_set_normalise(ret_promised, fault);
		TRY(resource_range_each(&one, add_range, ret_promised, fault));
	}
}

/* All that somebody gains or loses by the file. */
static enum fault_code
find_changed(const struct registry_plan *plan, struct resource_set *ret_changed, struct fault *fault)
{
	for (size_t i = 0; i < plan->parties_count; i++) {
		TRY(resource_range_each(&plan->parties[i].gained, add_range, ret_changed, fault));
		TRY(resource_range_each(&plan->parties[i].lost, add_range, ret_changed, fault));
	}
	return resource_set_normalise(ret_changed, fault);
}

enum fault_code
registry_transfers_judge(struct db_connection *connection, struct registry_plan *plan, struct fault *fault)
{
	AUTO(struct stmt, stmt_done) stmt = NULL;
	AUTO_CLEAR(struct resource_set, resource_set_clear) changed = RESOURCE_SET_INIT;
	TRY(find_changed(plan, &changed, fault));
	TRY(transfer_store_since(connection, plan->feed.dated_at, &stmt, fault));
	for (int count = 0; count < NAMED;) {
		AUTO_CLEAR(struct resource_set, resource_set_clear) one = RESOURCE_SET_INIT;
		AUTO_CLEAR(struct resource_set, resource_set_clear) common = RESOURCE_SET_INIT;
		int64_t transfer_id;
		bool found;
		TRY(next(stmt, &transfer_id, &one, &found, fault));
		if (!found)
			return FAULT_NONE;
		TRY(resource_set_intersection(&one, &changed, &common, fault));
		if (resource_set_empty(&common))
			continue;
		TRY(bytes_printf(&plan->over_limits, fault, "%stransfer %" PRId64 " is taken back, which is later than this file",
			plan->over_limits.length > 0 ? "; " : "", transfer_id));
		count++;
	}
	return FAULT_NONE;
}
