#include "ca/views/views.h"
#include "db/stores/import_store.h"

enum fault_code
import_view_get(struct db_connection *connection, const char *import_id,
	enum fault_code (*give)(void *argument, const struct import_row *row, struct fault *fault), void *argument,
	struct fault *fault)
{
	AUTO(struct stmt, stmt_done) stmt = NULL;
	struct import_record record;
	TRY(import_store_get(connection, import_id, &stmt, &record, fault));
	struct import_row row = {
		.import_id = record.import_id,
		.kind = record.kind,
		.state = record.state,
		.actor = record.actor,
		.error = record.error,
		.started_at = record.started_at,
		.finished_at = record.finished_at,
		.entries_total = record.entries_total,
		.entries_done = record.counts.entries_done,
		.members_created = record.counts.members_created,
		.members_unchanged = record.counts.members_unchanged,
		.members_different = record.counts.members_different,
		.roas_created = record.counts.roas_created,
		.roas_unchanged = record.counts.roas_unchanged,
		.roas_not_held = record.counts.roas_not_held,
		.warnings = record.counts.warnings,
		.cas_to_issue = record.cas_to_issue,
		.cas_waiting = record.cas_waiting,
		.serial = record.serial,
	};
	return give(argument, &row, fault);
}

enum fault_code
import_view_remarks(struct db_connection *connection, const char *import_id, int64_t after, int64_t limit,
	enum fault_code (*give)(void *argument, int64_t remark_id, const char *kind, const char *text, struct fault *fault),
	void *argument, struct fault *fault)
{
	INVARIANT(limit > 0 && limit <= PAGE_MAX);
	AUTO(struct stmt, stmt_done) stmt = NULL;
	TRY(import_store_remarks(connection, import_id, after, limit, &stmt, fault));
	for (;;) {
		struct import_remark remark;
		bool found;
		TRY(import_store_next_remark(stmt, &remark, &found, fault));
		if (!found)
			return FAULT_NONE;
		TRY(give(argument, remark.remark_id, remark.kind, remark.text, fault));
	}
}
