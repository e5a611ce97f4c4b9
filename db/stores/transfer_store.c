#include "db/stores/transfer_store.h"

#include <inttypes.h>

static void
bind_ca(struct stmt *stmt, const char *name, int64_t ca_id)
{
	if (ca_id != 0)
		stmt_bind_int(stmt, name, ca_id);
	else
		stmt_bind_null(stmt, name);
}

enum fault_code
transfer_store_insert(struct db_connection *connection, const struct transfer_record *record, int64_t *ret_transfer_id,
	struct fault *fault)
{
	AUTO(struct stmt, stmt_done) stmt = NULL;
	bool row;
	TRY(stmt_start(connection, QUERY_TRANSFERS_INSERT, &stmt, fault));
	stmt_bind_text(stmt, ":state", record->state);
	bind_ca(stmt, ":from_ca_id", record->from_ca_id);
	bind_ca(stmt, ":to_ca_id", record->to_ca_id);
	stmt_bind_blob(stmt, ":resources", record->resources);
	stmt_bind_text(stmt, ":roas", record->roas);
	stmt_bind_text(stmt, ":straddling", record->straddling);
	stmt_bind_int(stmt, ":roas_within", record->roas_within);
	stmt_bind_int(stmt, ":roas_straddling", record->roas_straddling);
	stmt_bind_int(stmt, ":roas_added", record->roas_added);
	stmt_bind_text(stmt, ":actor", record->actor);
	stmt_bind_int(stmt, ":now_at", record->created_at);
	TRY(stmt_step(stmt, &row, fault));
	*ret_transfer_id = stmt_int(stmt, "transfer_id");
	return FAULT_NONE;
}

enum fault_code
transfer_store_next(struct stmt *stmt, struct transfer_record *ret_record, bool *ret_found, struct fault *fault)
{
	TRY(stmt_step(stmt, ret_found, fault));
	if (!*ret_found)
		return FAULT_NONE;
	*ret_record = (struct transfer_record){
		.transfer_id = stmt_int(stmt, "transfer_id"),
		.state = stmt_text(stmt, "state"),
		.from_ca_id = stmt_int(stmt, "from_ca_id"),
		.to_ca_id = stmt_int(stmt, "to_ca_id"),
		.from_handle = stmt_text(stmt, "from_handle"),
		.to_handle = stmt_text(stmt, "to_handle"),
		.resources = stmt_blob(stmt, "resources"),
		.roas = stmt_text(stmt, "roas"),
		.straddling = stmt_text(stmt, "straddling"),
		.roas_within = stmt_int(stmt, "roas_within"),
		.roas_straddling = stmt_int(stmt, "roas_straddling"),
		.roas_added = stmt_int(stmt, "roas_added"),
		.actor = stmt_text(stmt, "actor"),
		.created_at = stmt_int(stmt, "created_at"),
		.confirmed_at = stmt_int(stmt, "confirmed_at"),
		.serial = stmt_int(stmt, "serial"),
		.published = stmt_int(stmt, "published") != 0,
		.notified_at = stmt_int(stmt, "notified_at"),
	};
	return FAULT_NONE;
}

enum fault_code
transfer_store_get(struct db_connection *connection, int64_t transfer_id, struct stmt **ret_stmt, struct transfer_record *ret_record,
	struct fault *fault)
{
	AUTO(struct stmt, stmt_done) stmt = NULL;
	bool found;
	TRY(stmt_start(connection, QUERY_TRANSFERS_GET, &stmt, fault));
	stmt_bind_int(stmt, ":transfer_id", transfer_id);
	TRY(transfer_store_next(stmt, ret_record, &found, fault));
	if (!found)
		return fault_set(fault, FAULT_NOT_FOUND, "there is no transfer %" PRId64, transfer_id);
	*ret_stmt = MOVE(stmt);
	return FAULT_NONE;
}

enum fault_code
transfer_store_list(struct db_connection *connection, int64_t ca_id, int64_t before, int64_t limit, struct stmt **ret_stmt,
	struct fault *fault)
{
	TRY(stmt_start(connection, ca_id != 0 ? QUERY_TRANSFERS_LIST_OF : QUERY_TRANSFERS_LIST, ret_stmt, fault));
	if (ca_id != 0)
		stmt_bind_int(*ret_stmt, ":ca_id", ca_id);
	stmt_bind_int(*ret_stmt, ":before", before != 0 ? before : INT64_MAX);
	stmt_bind_int(*ret_stmt, ":limit", limit);
	return FAULT_NONE;
}

enum fault_code
transfer_store_prepared(struct db_connection *connection, struct stmt **ret_stmt, struct fault *fault)
{
	return stmt_start(connection, QUERY_TRANSFERS_PREPARED, ret_stmt, fault);
}

enum fault_code
transfer_store_since(struct db_connection *connection, int64_t dated_at, struct stmt **ret_stmt, struct fault *fault)
{
	TRY(stmt_start(connection, QUERY_TRANSFERS_SINCE, ret_stmt, fault));
	if (dated_at != 0)
		stmt_bind_int(*ret_stmt, ":dated_at", dated_at);
	else
		stmt_bind_null(*ret_stmt, ":dated_at");
	return FAULT_NONE;
}

enum fault_code
transfer_store_next_resources(struct stmt *stmt, int64_t *ret_transfer_id, struct span *ret_resources, bool *ret_found,
	struct fault *fault)
{
	TRY(stmt_step(stmt, ret_found, fault));
	if (!*ret_found)
		return FAULT_NONE;
	*ret_transfer_id = stmt_int(stmt, "transfer_id");
	*ret_resources = stmt_blob(stmt, "resources");
	return FAULT_NONE;
}

enum fault_code
transfer_store_complete(struct db_connection *connection, const struct transfer_record *record, int64_t now_at, struct fault *fault)
{
	AUTO(struct stmt, stmt_done) stmt = NULL;
	TRY(stmt_start(connection, QUERY_TRANSFERS_COMPLETE, &stmt, fault));
	stmt_bind_int(stmt, ":transfer_id", record->transfer_id);
	stmt_bind_text(stmt, ":straddling", record->straddling);
	stmt_bind_int(stmt, ":roas_within", record->roas_within);
	stmt_bind_int(stmt, ":roas_straddling", record->roas_straddling);
	stmt_bind_int(stmt, ":now_at", now_at);
	return stmt_run(stmt, fault);
}

enum fault_code
transfer_store_cancel(struct db_connection *connection, int64_t transfer_id, int64_t now_at, struct fault *fault)
{
	AUTO(struct stmt, stmt_done) stmt = NULL;
	TRY(stmt_start(connection, QUERY_TRANSFERS_CANCEL, &stmt, fault));
	stmt_bind_int(stmt, ":transfer_id", transfer_id);
	stmt_bind_int(stmt, ":now_at", now_at);
	return stmt_run(stmt, fault);
}
