#include "db/stores/registry_store.h"

enum fault_code
registry_store_members(struct db_connection *connection, struct stmt **ret_stmt, struct fault *fault)
{
	return stmt_start(connection, QUERY_REGISTRY_MEMBERS, ret_stmt, fault);
}

enum fault_code
registry_store_next_member(struct stmt *stmt, struct registry_member_record *ret_record, bool *ret_found, struct fault *fault)
{
	TRY(stmt_step(stmt, ret_found, fault));
	if (!*ret_found)
		return FAULT_NONE;
	*ret_record = (struct registry_member_record){
		.ca_id = stmt_int(stmt, "ca_id"),
		.handle = stmt_text(stmt, "handle"),
		.alias = stmt_text(stmt, "alias"),
		.resources = stmt_blob(stmt, "resources"),
		.held = stmt_int(stmt, "held") != 0,
		.waiting = stmt_int(stmt, "waiting") != 0,
		.roas_count = stmt_int(stmt, "roas_count"),
	};
	return FAULT_NONE;
}

enum fault_code
registry_store_member(struct db_connection *connection, int64_t ca_id, struct stmt **ret_stmt,
	struct registry_member_state *ret_state, bool *ret_found, struct fault *fault)
{
	AUTO(struct stmt, stmt_done) stmt = NULL;
	TRY(stmt_start(connection, QUERY_REGISTRY_MEMBER, &stmt, fault));
	stmt_bind_int(stmt, ":ca_id", ca_id);
	TRY(stmt_step(stmt, ret_found, fault));
	if (*ret_found)
		*ret_state = (struct registry_member_state){
			.parent_id = stmt_int(stmt, "parent_id"),
			.resources = stmt_blob(stmt, "resources"),
			.held = stmt_int(stmt, "held") != 0,
			.waiting = stmt_int(stmt, "waiting") != 0,
		};
	*ret_stmt = MOVE(stmt);
	return FAULT_NONE;
}

enum fault_code
registry_store_set_alias(struct db_connection *connection, int64_t ca_id, const char *alias, struct fault *fault)
{
	AUTO(struct stmt, stmt_done) stmt = NULL;
	TRY(stmt_start(connection, QUERY_REGISTRY_SET_ALIAS, &stmt, fault));
	stmt_bind_int(stmt, ":ca_id", ca_id);
	stmt_bind_text(stmt, ":alias", alias);
	return stmt_run(stmt, fault);
}

enum fault_code
registry_store_last(struct db_connection *connection, struct stmt **ret_stmt, const char **ret_registry, struct fault *fault)
{
	AUTO(struct stmt, stmt_done) stmt = NULL;
	bool row;
	TRY(stmt_start(connection, QUERY_REGISTRY_LAST, &stmt, fault));
	TRY(stmt_step(stmt, &row, fault));
	*ret_registry = row ? stmt_text(stmt, "registry") : NULL;
	*ret_stmt = MOVE(stmt);
	return FAULT_NONE;
}

enum fault_code
registry_store_insert(struct db_connection *connection, const struct registry_feed_record *record, int64_t *ret_feed_id,
	struct fault *fault)
{
	AUTO(struct stmt, stmt_done) stmt = NULL;
	TRY(stmt_start(connection, QUERY_REGISTRY_INSERT, &stmt, fault));
	stmt_bind_int(stmt, ":now_at", record->applied_at);
	stmt_bind_text(stmt, ":actor", record->actor);
	stmt_bind_text(stmt, ":registry", record->registry);
	stmt_bind_int(stmt, ":holders", record->holders);
	stmt_bind_int(stmt, ":members_new", record->members_new);
	stmt_bind_int(stmt, ":members_changed", record->members_changed);
	stmt_bind_int(stmt, ":members_gone", record->members_gone);
	stmt_bind_int(stmt, ":roas_lost", record->roas_lost);
	stmt_bind_text(stmt, ":code", record->code);
	stmt_bind_int(stmt, ":accepted", record->accepted);
	TRY(stmt_run(stmt, fault));
	*ret_feed_id = stmt_inserted_id(connection);
	return FAULT_NONE;
}
