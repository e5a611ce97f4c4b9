#include "ca/views/views.h"
#include "db/stores/audit_store.h"

static enum fault_code
give_record(const struct audit_record *record,
	enum fault_code (*give)(void *argument, const struct audit_row *row, struct fault *fault), void *argument,
	struct fault *fault)
{
	struct audit_row row = {
		.audit_id = record->audit_id,
		.at = record->at,
		.actor = record->actor,
		.token_id = record->token_id,
		.action = record->action,
		.ca_handle = record->ca_handle,
		.outcome = record->outcome,
		.detail = record->detail,
		.request_id = record->request_id,
	};
	return give(argument, &row, fault);
}

enum fault_code
audit_view_list(struct db_connection *connection, int64_t only_ca_id, int64_t before, int64_t limit,
	enum fault_code (*give)(void *argument, const struct audit_row *row, struct fault *fault), void *argument,
	struct fault *fault)
{
	INVARIANT(limit > 0 && limit <= PAGE_MAX);
	AUTO(struct stmt, stmt_done) stmt = NULL;
	TRY(audit_store_list(connection, only_ca_id, before > 0 ? before : INT64_MAX, limit, &stmt, fault));
	for (;;) {
		struct audit_record record;
		bool found;
		TRY(audit_store_next(stmt, &record, &found, fault));
		if (!found)
			return FAULT_NONE;
		TRY(give_record(&record, give, argument, fault));
	}
}
