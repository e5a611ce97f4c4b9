#include "db/stores/audit_store.h"

enum fault_code
audit_store_insert(struct db_connection *connection, const struct audit_record *record, struct fault *fault)
{
	AUTO(struct stmt, stmt_done) stmt = NULL;
	TRY(stmt_start(connection, QUERY_AUDIT_INSERT, &stmt, fault));
	stmt_bind_int(stmt, ":at", record->at);
	stmt_bind_text(stmt, ":actor", record->actor);
	stmt_bind_text(stmt, ":token_id", record->token_id);
	stmt_bind_text(stmt, ":action", record->action);
	if (record->ca_id != 0)
		stmt_bind_int(stmt, ":ca_id", record->ca_id);
	stmt_bind_text(stmt, ":ca_handle", record->ca_handle);
	stmt_bind_text(stmt, ":outcome", record->outcome);
	stmt_bind_text(stmt, ":detail", record->detail);
	stmt_bind_text(stmt, ":request_id", record->request_id);
	return stmt_run(stmt, fault);
}

enum fault_code
audit_store_list(struct db_connection *connection, int64_t ca_id, int64_t before, int64_t limit, struct stmt **ret_stmt,
	struct fault *fault)
{
	TRY(stmt_start(connection, ca_id != 0 ? QUERY_AUDIT_LIST_CA : QUERY_AUDIT_LIST, ret_stmt, fault));
	if (ca_id != 0)
		stmt_bind_int(*ret_stmt, ":ca_id", ca_id);
	stmt_bind_int(*ret_stmt, ":before", before);
	stmt_bind_int(*ret_stmt, ":limit", limit);
	return FAULT_NONE;
}

enum fault_code
audit_store_next(struct stmt *stmt, struct audit_record *ret_record, bool *ret_found, struct fault *fault)
{
	TRY(stmt_step(stmt, ret_found, fault));
	if (*ret_found)
		*ret_record = (struct audit_record){
			.audit_id = stmt_int(stmt, "audit_id"),
			.at = stmt_int(stmt, "at"),
			.actor = stmt_text(stmt, "actor"),
			.token_id = stmt_text(stmt, "token_id"),
			.action = stmt_text(stmt, "action"),
			.ca_handle = stmt_text(stmt, "ca_handle"),
			.outcome = stmt_text(stmt, "outcome"),
			.detail = stmt_text(stmt, "detail"),
			.request_id = stmt_text(stmt, "request_id"),
		};
	return FAULT_NONE;
}
