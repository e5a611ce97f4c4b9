#include "db/stores/object_store.h"

static void
bind_record(struct stmt *stmt, const struct object_record *record)
{
	stmt_bind_int(stmt, ":repository_id", record->repository_id);
	stmt_bind_int(stmt, ":ca_id", record->ca_id);
	stmt_bind_int(stmt, ":key_id", record->key_id);
	if (record->subject_ca_id != 0)
		stmt_bind_int(stmt, ":subject_ca_id", record->subject_ca_id);
	else
		stmt_bind_null(stmt, ":subject_ca_id");
	stmt_bind_text(stmt, ":kind", record->kind);
	stmt_bind_text(stmt, ":path", record->path);
	stmt_bind_blob(stmt, ":resources", record->resources);
	stmt_bind_blob(stmt, ":serial", record->serial);
	stmt_bind_blob(stmt, ":hash", record->hash);
	stmt_bind_int(stmt, ":size", (int64_t)record->der.length);
	stmt_bind_int(stmt, ":not_before_at", record->not_before_at);
	stmt_bind_int(stmt, ":not_after_at", record->not_after_at);
	stmt_bind_int(stmt, ":modified_at", record->modified_at);
	if (record->roa) {
		stmt_bind_int(stmt, ":asn", record->asn);
		stmt_bind_int(stmt, ":slot", record->slot);
	} else {
		stmt_bind_null(stmt, ":asn");
		stmt_bind_null(stmt, ":slot");
	}
}

enum fault_code
object_store_insert(struct db_connection *connection, const struct object_record *record, int64_t *ret_object_id, struct fault *fault)
{
	AUTO(struct stmt, stmt_done) stmt = NULL;
	AUTO(struct stmt, stmt_done) bytes = NULL;
	TRY(stmt_start(connection, QUERY_OBJECTS_INSERT, &stmt, fault));
	bind_record(stmt, record);
	TRY(stmt_run(stmt, fault));
	int64_t object_id = stmt_inserted_id(connection);
	TRY(stmt_start(connection, QUERY_OBJECTS_INSERT_BYTES, &bytes, fault));
	stmt_bind_int(bytes, ":object_id", object_id);
	stmt_bind_blob(bytes, ":der", record->der);
	TRY(stmt_run(bytes, fault));
	*ret_object_id = object_id;
	return FAULT_NONE;
}

enum fault_code
object_store_leave(struct db_connection *connection, int64_t object_id, int64_t now_at, struct fault *fault)
{
	AUTO(struct stmt, stmt_done) drop = NULL;
	AUTO(struct stmt, stmt_done) withdraw = NULL;
	TRY(stmt_start(connection, QUERY_OBJECTS_DROP_STAGED, &drop, fault));
	stmt_bind_int(drop, ":object_id", object_id);
	TRY(stmt_run(drop, fault));
	if (stmt_changed_rows(connection) == 1)
		return FAULT_NONE;
	TRY(stmt_start(connection, QUERY_OBJECTS_WITHDRAW, &withdraw, fault));
	stmt_bind_int(withdraw, ":object_id", object_id);
	stmt_bind_int(withdraw, ":now_at", now_at);
	TRY(stmt_run(withdraw, fault));
	return stmt_changed_rows(connection) == 1 ? FAULT_NONE : fault_set(fault, FAULT_STALE, "an object had left already");
}
