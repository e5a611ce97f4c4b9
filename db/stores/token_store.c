#include "db/stores/token_store.h"

static void
bind_ca(struct stmt *stmt, int64_t ca_id)
{
	if (ca_id != 0)
		stmt_bind_int(stmt, ":ca_id", ca_id);
	else
		stmt_bind_null(stmt, ":ca_id");
}

enum fault_code
token_store_insert(struct db_connection *connection, const struct token_record *record, struct fault *fault)
{
	AUTO(struct stmt, stmt_done) stmt = NULL;
	TRY(stmt_start(connection, QUERY_TOKENS_INSERT, &stmt, fault));
	stmt_bind_text(stmt, ":token_id", record->token_id);
	stmt_bind_text(stmt, ":name", record->name);
	stmt_bind_text(stmt, ":role", record->role);
	bind_ca(stmt, record->ca_id);
	stmt_bind_blob(stmt, ":hash", record->hash);
	stmt_bind_int(stmt, ":created_at", record->created_at);
	if (record->expires_at != 0)
		stmt_bind_int(stmt, ":expires_at", record->expires_at);
	return stmt_run(stmt, fault);
}

enum fault_code
token_store_get(struct db_connection *connection, const char *token_id, struct stmt **ret_stmt, struct token_record *ret_record,
	bool *ret_found, struct fault *fault)
{
	AUTO(struct stmt, stmt_done) stmt = NULL;
	TRY(stmt_start(connection, QUERY_TOKENS_GET, &stmt, fault));
	stmt_bind_text(stmt, ":token_id", token_id);
	TRY(stmt_step(stmt, ret_found, fault));
	if (*ret_found)
		*ret_record = (struct token_record){
			.token_id = stmt_text(stmt, "token_id"),
			.name = stmt_text(stmt, "name"),
			.role = stmt_text(stmt, "role"),
			.ca_id = stmt_int(stmt, "ca_id"),
			.hash = stmt_blob(stmt, "hash"),
			.created_at = stmt_int(stmt, "created_at"),
			.expires_at = stmt_int(stmt, "expires_at"),
			.revoked_at = stmt_int(stmt, "revoked_at"),
		};
	*ret_stmt = MOVE(stmt);
	return FAULT_NONE;
}

enum fault_code
token_store_list(struct db_connection *connection, int64_t ca_id, struct stmt **ret_stmt, struct fault *fault)
{
	TRY(stmt_start(connection, QUERY_TOKENS_LIST, ret_stmt, fault));
	bind_ca(*ret_stmt, ca_id);
	return FAULT_NONE;
}

enum fault_code
token_store_next(struct stmt *stmt, struct token_record *ret_record, bool *ret_found, struct fault *fault)
{
	TRY(stmt_step(stmt, ret_found, fault));
	if (*ret_found)
		*ret_record = (struct token_record){
			.token_id = stmt_text(stmt, "token_id"),
			.name = stmt_text(stmt, "name"),
			.role = stmt_text(stmt, "role"),
			.created_at = stmt_int(stmt, "created_at"),
			.expires_at = stmt_int(stmt, "expires_at"),
			.revoked_at = stmt_int(stmt, "revoked_at"),
			.ca_handle = stmt_text(stmt, "ca_handle"),
		};
	return FAULT_NONE;
}

enum fault_code
token_store_count(struct db_connection *connection, int64_t ca_id, int64_t now_at, int64_t *ret_count, struct fault *fault)
{
	AUTO(struct stmt, stmt_done) stmt = NULL;
	TRY(stmt_start(connection, QUERY_TOKENS_COUNT, &stmt, fault));
	bind_ca(stmt, ca_id);
	stmt_bind_int(stmt, ":now_at", now_at);
	bool row;
	TRY(stmt_step(stmt, &row, fault));
	*ret_count = stmt_int(stmt, "tokens");
	return FAULT_NONE;
}

enum fault_code
token_store_other_admins(struct db_connection *connection, const char *token_id, int64_t now_at, int64_t *ret_count, struct fault *fault)
{
	AUTO(struct stmt, stmt_done) stmt = NULL;
	bool row;
	TRY(stmt_start(connection, QUERY_TOKENS_OTHER_ADMINS, &stmt, fault));
	stmt_bind_text(stmt, ":token_id", token_id);
	stmt_bind_int(stmt, ":now_at", now_at);
	TRY(stmt_step(stmt, &row, fault));
	*ret_count = stmt_int(stmt, "tokens");
	return FAULT_NONE;
}

enum fault_code
token_store_revoke(struct db_connection *connection, const char *token_id, int64_t now_at, struct fault *fault)
{
	AUTO(struct stmt, stmt_done) stmt = NULL;
	TRY(stmt_start(connection, QUERY_TOKENS_REVOKE, &stmt, fault));
	stmt_bind_text(stmt, ":token_id", token_id);
	stmt_bind_int(stmt, ":now_at", now_at);
	return stmt_run(stmt, fault);
}

enum fault_code
token_store_revoke_all(struct db_connection *connection, int64_t ca_id, int64_t now_at, struct fault *fault)
{
	AUTO(struct stmt, stmt_done) stmt = NULL;
	TRY(stmt_start(connection, QUERY_TOKENS_REVOKE_ALL, &stmt, fault));
	stmt_bind_int(stmt, ":ca_id", ca_id);
	stmt_bind_int(stmt, ":now_at", now_at);
	return stmt_run(stmt, fault);
}
