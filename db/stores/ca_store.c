#include "db/stores/ca_store.h"

#include <inttypes.h>

enum fault_code
ca_store_find(struct db_connection *connection, const char *handle, int64_t *ret_ca_id, struct fault *fault)
{
	AUTO(struct stmt, stmt_done) stmt = NULL;
	TRY(stmt_start(connection, QUERY_CAS_BY_HANDLE, &stmt, fault));
	stmt_bind_text(stmt, ":handle", handle);
	bool row;
	TRY(stmt_step(stmt, &row, fault));
	if (!row)
		return fault_set(fault, FAULT_NOT_FOUND, "there is no CA \"%.100s\"", handle);
	*ret_ca_id = stmt_int(stmt, "ca_id");
	return FAULT_NONE;
}

static struct ca_record
read_record(struct stmt *stmt)
{
	return (struct ca_record){
		.ca_id = stmt_int(stmt, "ca_id"),
		.handle = stmt_text(stmt, "handle"),
		.kind = stmt_text(stmt, "kind"),
		.parent_id = stmt_int(stmt, "parent_id"),
		.repository_id = stmt_int(stmt, "repository_id"),
		.resources = stmt_blob(stmt, "resources"),
		.state = stmt_text(stmt, "state"),
		.version = stmt_int(stmt, "version"),
		.roas_version = stmt_int(stmt, "roas_version"),
		.roas_count = stmt_int(stmt, "roas_count"),
		.changed_at = stmt_int(stmt, "changed_at"),
		.set_aside_reason = stmt_text(stmt, "set_aside_reason"),
		.created_at = stmt_int(stmt, "created_at"),
		.held_at = stmt_int(stmt, "held_at"),
		.suspended_at = stmt_int(stmt, "suspended_at"),
		.change_group = stmt_int(stmt, "change_group"),
		.change_last = stmt_int(stmt, "change_last") != 0,
		.parent_handle = stmt_text(stmt, "parent_handle"),
		.rsync_uri = stmt_text(stmt, "rsync_uri"),
		.notified_serial = stmt_int(stmt, "notified_serial"),
	};
}

enum fault_code
ca_store_next(struct stmt *stmt, struct ca_record *ret_record, bool *ret_found, struct fault *fault)
{
	TRY(stmt_step(stmt, ret_found, fault));
	if (*ret_found)
		*ret_record = read_record(stmt);
	return FAULT_NONE;
}

enum fault_code
ca_store_get(struct db_connection *connection, int64_t ca_id, struct stmt **ret_stmt, struct ca_record *ret_record,
	struct fault *fault)
{
	AUTO(struct stmt, stmt_done) stmt = NULL;
	TRY(stmt_start(connection, QUERY_CAS_GET, &stmt, fault));
	stmt_bind_int(stmt, ":ca_id", ca_id);
	bool found;
	TRY(ca_store_next(stmt, ret_record, &found, fault));
	if (!found)
		return fault_set(fault, FAULT_NOT_FOUND, "there is no CA number %" PRId64, ca_id);
	*ret_stmt = MOVE(stmt);
	return FAULT_NONE;
}

enum fault_code
ca_store_list(struct db_connection *connection, const char *after, int64_t limit, struct stmt **ret_stmt, struct fault *fault)
{
	TRY(stmt_start(connection, QUERY_CAS_LIST, ret_stmt, fault));
	stmt_bind_text(*ret_stmt, ":after", after != NULL ? after : "");
	stmt_bind_int(*ret_stmt, ":limit", limit);
	return FAULT_NONE;
}

enum fault_code
ca_store_list_set_aside(struct db_connection *connection, const char *after, int64_t limit, struct stmt **ret_stmt,
	struct fault *fault)
{
	TRY(stmt_start(connection, QUERY_CAS_LIST_SET_ASIDE, ret_stmt, fault));
	stmt_bind_text(*ret_stmt, ":after", after != NULL ? after : "");
	stmt_bind_int(*ret_stmt, ":limit", limit);
	return FAULT_NONE;
}

enum fault_code
ca_store_insert(struct db_connection *connection, const struct ca_creation *creation, int64_t *ret_ca_id, struct fault *fault)
{
	AUTO(struct stmt, stmt_done) stmt = NULL;
	TRY(stmt_start(connection, QUERY_CAS_INSERT, &stmt, fault));
	stmt_bind_text(stmt, ":handle", creation->handle);
	stmt_bind_text(stmt, ":kind", creation->kind);
	if (creation->parent_id != 0)
		stmt_bind_int(stmt, ":parent_id", creation->parent_id);
	stmt_bind_int(stmt, ":repository_id", creation->repository_id);
	stmt_bind_text(stmt, ":directory", creation->directory);
	stmt_bind_blob(stmt, ":resources", creation->resources);
	stmt_bind_text(stmt, ":import_id", creation->import_id);
	stmt_bind_text(stmt, ":alias", creation->alias);
	stmt_bind_int(stmt, ":created_at", creation->created_at);
	bool row;
	TRY(stmt_step(stmt, &row, fault));
	*ret_ca_id = stmt_int(stmt, "ca_id");
	return FAULT_NONE;
}

enum fault_code
ca_store_issuing_with_room(struct db_connection *connection, const struct issuing_bounds *bounds, int64_t *ret_ca_id,
	int64_t *ret_repository_id, int64_t *ret_room, struct fault *fault)
{
	AUTO(struct stmt, stmt_done) stmt = NULL;
	TRY(stmt_start(connection, QUERY_CAS_ISSUING_WITH_ROOM, &stmt, fault));
	stmt_bind_int(stmt, ":children_max", bounds->children_max);
	stmt_bind_int(stmt, ":places_max", bounds->places_max);
	stmt_bind_int(stmt, ":snapshot_max", bounds->snapshot_max);
	stmt_bind_int(stmt, ":repositories_max", bounds->repositories_max);
	bool row;
	TRY(stmt_step(stmt, &row, fault));
	*ret_ca_id = row ? stmt_int(stmt, "ca_id") : 0;
	*ret_repository_id = row ? stmt_int(stmt, "repository_id") : 0;
	*ret_room = row ? stmt_int(stmt, "room") : 0;
	return FAULT_NONE;
}

enum fault_code
ca_store_last_issuing(struct db_connection *connection, int64_t *ret_parent_id, int64_t *ret_count, struct fault *fault)
{
	AUTO(struct stmt, stmt_done) last = NULL;
	TRY(stmt_start(connection, QUERY_CAS_LAST_ISSUING, &last, fault));
	bool row;
	TRY(stmt_step(last, &row, fault));
	if (!row)
		return fault_set(fault, FAULT_NOT_FOUND, "there is no issuing CA that could take members");
	AUTO(struct stmt, stmt_done) count = NULL;
	TRY(stmt_start(connection, QUERY_CAS_COUNT_ISSUING, &count, fault));
	TRY(stmt_step(count, &row, fault));
	*ret_parent_id = stmt_int(last, "parent_id");
	*ret_count = stmt_int(count, "cas");
	return FAULT_NONE;
}

enum fault_code
ca_store_set_resources(struct db_connection *connection, int64_t ca_id, struct span resources, int64_t now_at,
	struct fault *fault)
{
	AUTO(struct stmt, stmt_done) stmt = NULL;
	TRY(stmt_start(connection, QUERY_CAS_SET_RESOURCES, &stmt, fault));
	stmt_bind_int(stmt, ":ca_id", ca_id);
	stmt_bind_blob(stmt, ":resources", resources);
	stmt_bind_int(stmt, ":now_at", now_at);
	return stmt_run(stmt, fault);
}

enum fault_code
ca_store_change_roas(struct db_connection *connection, int64_t ca_id, int64_t more, const char *import_id, int64_t now_at,
	struct fault *fault)
{
	AUTO(struct stmt, stmt_done) stmt = NULL;
	TRY(stmt_start(connection, QUERY_CAS_CHANGE_ROAS, &stmt, fault));
	stmt_bind_int(stmt, ":ca_id", ca_id);
	stmt_bind_int(stmt, ":roas_more", more);
	stmt_bind_text(stmt, ":import_id", import_id);
	stmt_bind_int(stmt, ":now_at", now_at);
	return stmt_run(stmt, fault);
}

enum fault_code
ca_store_change_comments(struct db_connection *connection, int64_t ca_id, struct fault *fault)
{
	AUTO(struct stmt, stmt_done) stmt = NULL;
	TRY(stmt_start(connection, QUERY_CAS_CHANGE_COMMENTS, &stmt, fault));
	stmt_bind_int(stmt, ":ca_id", ca_id);
	return stmt_run(stmt, fault);
}

enum fault_code
ca_store_delete(struct db_connection *connection, int64_t ca_id, int64_t now_at, struct fault *fault)
{
	AUTO(struct stmt, stmt_done) stmt = NULL;
	TRY(stmt_start(connection, QUERY_CAS_DELETE, &stmt, fault));
	stmt_bind_int(stmt, ":ca_id", ca_id);
	stmt_bind_int(stmt, ":now_at", now_at);
	return stmt_run(stmt, fault);
}

/* Turns a state of a CA on or off: the statement does nothing where it is so already. */
static enum fault_code
turn(struct db_connection *connection, enum query query, int64_t ca_id, int64_t now_at, bool *ret_changed, struct fault *fault)
{
	AUTO(struct stmt, stmt_done) stmt = NULL;
	TRY(stmt_start(connection, query, &stmt, fault));
	stmt_bind_int(stmt, ":ca_id", ca_id);
	stmt_bind_int(stmt, ":now_at", now_at);
	TRY(stmt_run(stmt, fault));
	*ret_changed = stmt_changed_rows(connection) > 0;
	return FAULT_NONE;
}

enum fault_code
ca_store_repair(struct db_connection *connection, int64_t ca_id, int64_t now_at, bool *ret_repaired, struct fault *fault)
{
	return turn(connection, QUERY_CAS_REPAIR, ca_id, now_at, ret_repaired, fault);
}

enum fault_code
ca_store_hold(struct db_connection *connection, int64_t ca_id, int64_t now_at, bool *ret_changed, struct fault *fault)
{
	return turn(connection, QUERY_CAS_HOLD, ca_id, now_at, ret_changed, fault);
}

enum fault_code
ca_store_release(struct db_connection *connection, int64_t ca_id, int64_t now_at, bool *ret_changed, struct fault *fault)
{
	return turn(connection, QUERY_CAS_RELEASE, ca_id, now_at, ret_changed, fault);
}

enum fault_code
ca_store_suspend(struct db_connection *connection, int64_t ca_id, int64_t now_at, bool *ret_changed, struct fault *fault)
{
	return turn(connection, QUERY_CAS_SUSPEND, ca_id, now_at, ret_changed, fault);
}

enum fault_code
ca_store_resume(struct db_connection *connection, int64_t ca_id, int64_t now_at, bool *ret_changed, struct fault *fault)
{
	return turn(connection, QUERY_CAS_RESUME, ca_id, now_at, ret_changed, fault);
}

enum fault_code
ca_store_join_group(struct db_connection *connection, int64_t group, int64_t ca_id, bool last, struct fault *fault)
{
	AUTO(struct stmt, stmt_done) merge = NULL;
	AUTO(struct stmt, stmt_done) set = NULL;
	if (ca_id == 0)
		return FAULT_NONE;
	TRY(stmt_start(connection, QUERY_CAS_MERGE_GROUPS, &merge, fault));
	stmt_bind_int(merge, ":change_group", group);
	stmt_bind_int(merge, ":ca_id", ca_id);
	TRY(stmt_run(merge, fault));
	TRY(stmt_start(connection, QUERY_CAS_SET_GROUP, &set, fault));
	stmt_bind_int(set, ":change_group", group);
	stmt_bind_int(set, ":change_last", last);
	stmt_bind_int(set, ":ca_id", ca_id);
	return stmt_run(set, fault);
}

enum fault_code
ca_store_next_group(struct db_connection *connection, int64_t *ret_group, struct fault *fault)
{
	AUTO(struct stmt, stmt_done) next = NULL;
	bool row;
	TRY(stmt_start(connection, QUERY_CAS_NEXT_GROUP, &next, fault));
	TRY(stmt_step(next, &row, fault));
	*ret_group = stmt_int(next, "next");
	return FAULT_NONE;
}

enum fault_code
ca_store_group(struct db_connection *connection, int64_t loser_id, int64_t gainer_id, struct fault *fault)
{
	int64_t group;
	TRY(ca_store_next_group(connection, &group, fault));
	TRY(ca_store_join_group(connection, group, loser_id, true, fault));
	return ca_store_join_group(connection, group, gainer_id, false, fault);
}
