#include "db/stores/key_store.h"

enum fault_code
key_store_list(struct db_connection *connection, int64_t ca_id, bool destroyed, int64_t limit, struct stmt **ret_stmt,
	struct fault *fault)
{
	AUTO(struct stmt, stmt_done) stmt = NULL;
	TRY(stmt_start(connection, QUERY_KEYS_LIST, &stmt, fault));
	stmt_bind_int(stmt, ":ca_id", ca_id);
	stmt_bind_int(stmt, ":destroyed", destroyed);
	stmt_bind_int(stmt, ":limit", limit);
	*ret_stmt = MOVE(stmt);
	return FAULT_NONE;
}

enum fault_code
key_store_next(struct stmt *stmt, struct key_record *ret_record, bool *ret_found, struct fault *fault)
{
	TRY(stmt_step(stmt, ret_found, fault));
	if (!*ret_found)
		return FAULT_NONE;
	*ret_record = (struct key_record){
		.state = stmt_text(stmt, "state"),
		.identifier = stmt_blob(stmt, "key_identifier"),
		.offline = stmt_int(stmt, "offline") != 0,
		.created_at = stmt_int(stmt, "created_at"),
		.published_at = stmt_int(stmt, "published_at"),
		.retired_at = stmt_int(stmt, "retired_at"),
		.manifest_number = stmt_int(stmt, "manifest_number"),
		.crl_number = stmt_int(stmt, "crl_number"),
	};
	return FAULT_NONE;
}

enum fault_code
key_store_rolling(struct db_connection *connection, int64_t ca_id, int64_t *ret_roll_at, bool *ret_rolling, struct fault *fault)
{
	AUTO(struct stmt, stmt_done) stmt = NULL;
	bool row;
	TRY(stmt_start(connection, QUERY_KEYS_ROLLING, &stmt, fault));
	stmt_bind_int(stmt, ":ca_id", ca_id);
	TRY(stmt_step(stmt, &row, fault));
	if (!row)
		return fault_set(fault, FAULT_NOT_FOUND, "there is no such CA");
	*ret_roll_at = stmt_int(stmt, "roll_at");
	*ret_rolling = stmt_int(stmt, "others") > 0;
	return FAULT_NONE;
}

static void
bind_staging(struct stmt *stmt, int64_t staging_s)
{
	if (staging_s < 0)
		stmt_bind_null(stmt, ":staging_s");
	else
		stmt_bind_int(stmt, ":staging_s", staging_s);
}

enum fault_code
key_store_roll(struct db_connection *connection, int64_t ca_id, int64_t staging_s, int64_t now_at, struct fault *fault)
{
	AUTO(struct stmt, stmt_done) stmt = NULL;
	TRY(stmt_start(connection, QUERY_KEYS_ROLL, &stmt, fault));
	stmt_bind_int(stmt, ":ca_id", ca_id);
	stmt_bind_int(stmt, ":now_at", now_at);
	bind_staging(stmt, staging_s);
	return stmt_run(stmt, fault);
}

enum fault_code
key_store_roll_all(struct db_connection *connection, int64_t made_by_at, int64_t per_hour, int64_t staging_s, int64_t now_at,
	int64_t *ret_count, struct fault *fault)
{
	AUTO(struct stmt, stmt_done) stmt = NULL;
	TRY(stmt_start(connection, QUERY_KEYS_ROLL_ALL, &stmt, fault));
	stmt_bind_int(stmt, ":made_by_at", made_by_at);
	stmt_bind_int(stmt, ":per_hour", per_hour);
	stmt_bind_int(stmt, ":now_at", now_at);
	bind_staging(stmt, staging_s);
	TRY(stmt_run(stmt, fault));
	*ret_count = stmt_changed_rows(connection);
	return FAULT_NONE;
}
