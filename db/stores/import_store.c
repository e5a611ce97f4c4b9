#include "db/stores/import_store.h"

#include <stdio.h>

/* Starts a statement about one import, its id bound. */
static enum fault_code
start(struct db_connection *connection, enum query query, const char *import_id, struct stmt **ret_stmt, struct fault *fault)
{
	TRY(stmt_start(connection, query, ret_stmt, fault));
	stmt_bind_text(*ret_stmt, ":import_id", import_id);
	return FAULT_NONE;
}

enum fault_code
import_store_insert(struct db_connection *connection, const char *import_id, const char *kind, const char *actor, int64_t now_at,
	struct fault *fault)
{
	AUTO(struct stmt, stmt_done) stmt = NULL;
	TRY(start(connection, QUERY_IMPORTS_INSERT, import_id, &stmt, fault));
	stmt_bind_text(stmt, ":kind", kind);
	stmt_bind_text(stmt, ":actor", actor);
	stmt_bind_int(stmt, ":now_at", now_at);
	return stmt_run(stmt, fault);
}

static struct import_record
read_record(struct stmt *stmt)
{
	return (struct import_record){
		.import_id = stmt_text(stmt, "import_id"),
		.kind = stmt_text(stmt, "kind"),
		.state = stmt_text(stmt, "state"),
		.actor = stmt_text(stmt, "actor"),
		.started_at = stmt_int(stmt, "started_at"),
		.finished_at = stmt_int(stmt, "finished_at"),
		.entries_total = stmt_int(stmt, "entries_total"),
		.counts = {
			.entries_done = stmt_int(stmt, "entries_done"),
			.members_created = stmt_int(stmt, "members_created"),
			.members_unchanged = stmt_int(stmt, "members_unchanged"),
			.members_different = stmt_int(stmt, "members_different"),
			.roas_created = stmt_int(stmt, "roas_created"),
			.roas_unchanged = stmt_int(stmt, "roas_unchanged"),
			.roas_not_held = stmt_int(stmt, "roas_not_held"),
			.warnings = stmt_int(stmt, "warnings"),
		},
		.cas_to_issue = stmt_int(stmt, "cas_to_issue"),
		.cas_waiting = stmt_int(stmt, "cas_waiting"),
		.serial = stmt_int(stmt, "serial"),
		.error = stmt_text(stmt, "error"),
	};
}

enum fault_code
import_store_get(struct db_connection *connection, const char *import_id, struct stmt **ret_stmt,
	struct import_record *ret_record, struct fault *fault)
{
	AUTO(struct stmt, stmt_done) stmt = NULL;
	TRY(start(connection, QUERY_IMPORTS_GET, import_id, &stmt, fault));
	bool row;
	TRY(stmt_step(stmt, &row, fault));
	if (!row)
		return fault_set(fault, FAULT_NOT_FOUND, "there is no import \"%.36s\"", import_id);
	*ret_record = read_record(stmt);
	*ret_stmt = MOVE(stmt);
	return FAULT_NONE;
}

enum fault_code
import_store_next_id(struct stmt *stmt, char ret_import_id[IMPORT_STORE_ID_SIZE], bool *ret_found, struct fault *fault)
{
	TRY(stmt_step(stmt, ret_found, fault));
	if (*ret_found)
		(void)snprintf(ret_import_id, IMPORT_STORE_ID_SIZE, "%s", stmt_text(stmt, "import_id"));
	return FAULT_NONE;
}

enum fault_code
import_store_open(struct db_connection *connection, char ret_import_id[IMPORT_STORE_ID_SIZE], struct fault *fault)
{
	AUTO(struct stmt, stmt_done) stmt = NULL;
	TRY(stmt_start(connection, QUERY_IMPORTS_OPEN, &stmt, fault));
	bool found;
	TRY(import_store_next_id(stmt, ret_import_id, &found, fault));
	if (!found)
		ret_import_id[0] = '\0';
	return FAULT_NONE;
}

enum fault_code
import_store_issuing(struct db_connection *connection, struct stmt **ret_stmt, struct fault *fault)
{
	return stmt_start(connection, QUERY_IMPORTS_ISSUING, ret_stmt, fault);
}

enum fault_code
import_store_checked(struct db_connection *connection, const char *import_id, int64_t entries_total, struct fault *fault)
{
	AUTO(struct stmt, stmt_done) stmt = NULL;
	TRY(start(connection, QUERY_IMPORTS_CHECKED, import_id, &stmt, fault));
	stmt_bind_int(stmt, ":entries_total", entries_total);
	return stmt_run(stmt, fault);
}

enum fault_code
import_store_add(struct db_connection *connection, const char *import_id, const struct import_counts *counts, struct fault *fault)
{
	AUTO(struct stmt, stmt_done) stmt = NULL;
	TRY(start(connection, QUERY_IMPORTS_ADD, import_id, &stmt, fault));
	stmt_bind_int(stmt, ":entries_done", counts->entries_done);
	stmt_bind_int(stmt, ":members_created", counts->members_created);
	stmt_bind_int(stmt, ":members_unchanged", counts->members_unchanged);
	stmt_bind_int(stmt, ":members_different", counts->members_different);
	stmt_bind_int(stmt, ":roas_created", counts->roas_created);
	stmt_bind_int(stmt, ":roas_unchanged", counts->roas_unchanged);
	stmt_bind_int(stmt, ":roas_not_held", counts->roas_not_held);
	stmt_bind_int(stmt, ":warnings", counts->warnings);
	return stmt_run(stmt, fault);
}

enum fault_code
import_store_applied(struct db_connection *connection, const char *import_id, struct fault *fault)
{
	AUTO(struct stmt, stmt_done) stmt = NULL;
	TRY(start(connection, QUERY_IMPORTS_APPLIED, import_id, &stmt, fault));
	return stmt_run(stmt, fault);
}

enum fault_code
import_store_done(struct db_connection *connection, const char *import_id, int64_t now_at, struct fault *fault)
{
	AUTO(struct stmt, stmt_done) stmt = NULL;
	TRY(start(connection, QUERY_IMPORTS_DONE, import_id, &stmt, fault));
	stmt_bind_int(stmt, ":now_at", now_at);
	return stmt_run(stmt, fault);
}

enum fault_code
import_store_failed(struct db_connection *connection, const char *import_id, int64_t now_at, const char *error,
	struct fault *fault)
{
	AUTO(struct stmt, stmt_done) stmt = NULL;
	TRY(start(connection, QUERY_IMPORTS_FAILED, import_id, &stmt, fault));
	stmt_bind_int(stmt, ":now_at", now_at);
	stmt_bind_text(stmt, ":error", error);
	return stmt_run(stmt, fault);
}

static enum fault_code
read_number(struct db_connection *connection, enum query query, const char *import_id, const char *column, int64_t *ret_number,
	struct fault *fault)
{
	AUTO(struct stmt, stmt_done) stmt = NULL;
	TRY(start(connection, query, import_id, &stmt, fault));
	bool row;
	TRY(stmt_step(stmt, &row, fault));
	*ret_number = stmt_int(stmt, column);
	return FAULT_NONE;
}

enum fault_code
import_store_waiting(struct db_connection *connection, const char *import_id, int64_t *ret_waiting, int64_t *ret_set_aside,
	struct fault *fault)
{
	TRY(read_number(connection, QUERY_IMPORTS_WAITING, import_id, "cas", ret_waiting, fault));
	return read_number(connection, QUERY_IMPORTS_SET_ASIDE, import_id, "cas", ret_set_aside, fault);
}

enum fault_code
import_store_unpublished(struct db_connection *connection, const char *import_id, bool *ret_unpublished, struct fault *fault)
{
	int64_t unpublished;
	TRY(read_number(connection, QUERY_IMPORTS_UNPUBLISHED, import_id, "unpublished", &unpublished, fault));
	*ret_unpublished = unpublished != 0;
	return FAULT_NONE;
}

enum fault_code
import_store_remark(struct db_connection *connection, const char *import_id, int64_t remarks_max, const char *kind,
	const char *text, struct fault *fault)
{
	AUTO(struct stmt, stmt_done) stmt = NULL;
	TRY(start(connection, QUERY_IMPORTS_INSERT_REMARK, import_id, &stmt, fault));
	stmt_bind_int(stmt, ":remarks_max", remarks_max);
	stmt_bind_text(stmt, ":kind", kind);
	stmt_bind_text(stmt, ":text", text);
	return stmt_run(stmt, fault);
}

enum fault_code
import_store_remarks(struct db_connection *connection, const char *import_id, int64_t after, int64_t limit,
	struct stmt **ret_stmt, struct fault *fault)
{
	TRY(start(connection, QUERY_IMPORTS_REMARKS, import_id, ret_stmt, fault));
	stmt_bind_int(*ret_stmt, ":after", after);
	stmt_bind_int(*ret_stmt, ":limit", limit);
	return FAULT_NONE;
}

enum fault_code
import_store_next_remark(struct stmt *stmt, struct import_remark *ret_remark, bool *ret_found, struct fault *fault)
{
	TRY(stmt_step(stmt, ret_found, fault));
	if (*ret_found)
		*ret_remark = (struct import_remark){
			.remark_id = stmt_int(stmt, "remark_id"),
			.kind = stmt_text(stmt, "kind"),
			.text = stmt_text(stmt, "text"),
		};
	return FAULT_NONE;
}
