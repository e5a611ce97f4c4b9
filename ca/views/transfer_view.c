#include <string.h>

#include "ca/views/views.h"
#include "db/stores/transfer_store.h"

static enum fault_code
give_record(const struct transfer_record *record, transfer_row_fn give, void *argument, struct fault *fault)
{
	AUTO_CLEAR(struct resource_set, resource_set_clear) resources = RESOURCE_SET_INIT;
	TRY(resource_set_decode(record->resources, &resources, fault));
	/* "Done" means the notification on disk, as "published" does. */
	bool done = strcmp(record->state, "issuing") == 0 && record->serial != 0 && record->published;
	const struct transfer_row row = {
		.transfer_id = record->transfer_id,
		.state = done ? "done" : record->state,
		.from_handle = record->from_handle,
		.to_handle = record->to_handle,
		.resources = &resources,
		.roas = record->roas,
		.straddling = record->straddling,
		.roas_within = record->roas_within,
		.roas_straddling = record->roas_straddling,
		.roas_added = record->roas_added,
		.actor = record->actor,
		.created_at = record->created_at,
		.confirmed_at = record->confirmed_at,
		.serial = record->serial,
		.published_at = done ? record->notified_at : 0,
	};
	return give(argument, &row, fault);
}

enum fault_code
transfer_view_get(struct db_connection *connection, int64_t transfer_id, transfer_row_fn give, void *argument, struct fault *fault)
{
	AUTO(struct stmt, stmt_done) stmt = NULL;
	struct transfer_record record;
	TRY(transfer_store_get(connection, transfer_id, &stmt, &record, fault));
	return give_record(&record, give, argument, fault);
}

enum fault_code
transfer_view_list(struct db_connection *connection, int64_t ca_id, int64_t before, int64_t limit, transfer_row_fn give,
	void *argument, struct fault *fault)
{
	AUTO(struct stmt, stmt_done) stmt = NULL;
	INVARIANT(limit > 0 && limit <= PAGE_MAX);
	TRY(transfer_store_list(connection, ca_id, before, limit, &stmt, fault));
	for (;;) {
		struct transfer_record record;
		bool found;
		TRY(transfer_store_next(stmt, &record, &found, fault));
		if (!found)
			return FAULT_NONE;
		TRY(give_record(&record, give, argument, fault));
	}
}
