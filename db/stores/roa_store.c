#include "db/stores/roa_store.h"

/* Starts a statement about one ROA, its primary key bound. */
static enum fault_code
start(struct db_connection *connection, enum query query, int64_t ca_id, const struct roa_record *record, struct stmt **ret_stmt,
	struct fault *fault)
{
	TRY(stmt_start(connection, query, ret_stmt, fault));
	stmt_bind_int(*ret_stmt, ":ca_id", ca_id);
	stmt_bind_int(*ret_stmt, ":asn", record->asn);
	stmt_bind_int(*ret_stmt, ":family", record->family);
	stmt_bind_blob(*ret_stmt, ":address", record->address);
	stmt_bind_int(*ret_stmt, ":prefix_length", record->prefix_length);
	stmt_bind_int(*ret_stmt, ":max_length", record->max_length);
	return FAULT_NONE;
}

static enum fault_code
run(struct db_connection *connection, struct stmt *stmt, bool *ret_changed, struct fault *fault)
{
	TRY(stmt_run(stmt, fault));
	*ret_changed = stmt_changed_rows(connection) > 0;
	return FAULT_NONE;
}

enum fault_code
roa_store_insert(struct db_connection *connection, int64_t ca_id, const struct roa_record *record, bool *ret_inserted,
	struct fault *fault)
{
	AUTO(struct stmt, stmt_done) stmt = NULL;
	TRY(start(connection, QUERY_ROAS_INSERT, ca_id, record, &stmt, fault));
	stmt_bind_text(stmt, ":comment", record->comment);
	stmt_bind_int(stmt, ":now_at", record->created_at);
	return run(connection, stmt, ret_inserted, fault);
}

enum fault_code
roa_store_delete(struct db_connection *connection, int64_t ca_id, const struct roa_record *record, bool *ret_deleted,
	struct fault *fault)
{
	AUTO(struct stmt, stmt_done) stmt = NULL;
	TRY(start(connection, QUERY_ROAS_DELETE, ca_id, record, &stmt, fault));
	return run(connection, stmt, ret_deleted, fault);
}

enum fault_code
roa_store_set_comment(struct db_connection *connection, int64_t ca_id, const struct roa_record *record, bool *ret_changed,
	struct fault *fault)
{
	AUTO(struct stmt, stmt_done) stmt = NULL;
	TRY(start(connection, QUERY_ROAS_SET_COMMENT, ca_id, record, &stmt, fault));
	stmt_bind_text(stmt, ":comment", record->comment);
	return run(connection, stmt, ret_changed, fault);
}

enum fault_code
roa_store_delete_all(struct db_connection *connection, int64_t ca_id, struct fault *fault)
{
	AUTO(struct stmt, stmt_done) stmt = NULL;
	TRY(stmt_start(connection, QUERY_ROAS_DELETE_ALL, &stmt, fault));
	stmt_bind_int(stmt, ":ca_id", ca_id);
	return stmt_run(stmt, fault);
}

enum fault_code
roa_store_list(struct db_connection *connection, int64_t ca_id, int64_t notified_serial, struct stmt **ret_stmt,
	struct fault *fault)
{
	TRY(stmt_start(connection, QUERY_ROAS_LIST, ret_stmt, fault));
	stmt_bind_int(*ret_stmt, ":ca_id", ca_id);
	stmt_bind_int(*ret_stmt, ":notified_serial", notified_serial);
	return FAULT_NONE;
}

enum fault_code
roa_store_intents(struct db_connection *connection, int64_t ca_id, struct stmt **ret_stmt, struct fault *fault)
{
	TRY(stmt_start(connection, QUERY_ROAS_INTENTS, ret_stmt, fault));
	stmt_bind_int(*ret_stmt, ":ca_id", ca_id);
	return FAULT_NONE;
}

enum fault_code
roa_store_next(struct stmt *stmt, struct roa_record *ret_record, bool *ret_found, struct fault *fault)
{
	TRY(stmt_step(stmt, ret_found, fault));
	if (!*ret_found)
		return FAULT_NONE;
	*ret_record = (struct roa_record){
		.asn = stmt_int(stmt, "asn"),
		.family = stmt_int(stmt, "family"),
		.address = stmt_blob(stmt, "address"),
		.prefix_length = stmt_int(stmt, "prefix_length"),
		.max_length = stmt_int(stmt, "max_length"),
		.comment = stmt_text(stmt, "comment"),
		.created_at = stmt_int(stmt, "created_at"),
		.published = stmt_int(stmt, "published") != 0,
	};
	return FAULT_NONE;
}
