#include "tests/unit/rows.h"

#include <string.h>

#include "db/connection.h"

enum fault_code
rows_insert(struct db_connection *connection, void *id, struct fault *fault)
{
	AUTO(struct stmt, stmt_done) stmt = NULL;
	static const char sql[] = "INSERT INTO imports (import_id, kind, state, actor, started_at) VALUES (:id, 'roas', 'done', 'x', 1)";
	TRY(stmt_prepare(connection, "row_insert", sql, &stmt, fault));
	stmt_bind_text(stmt, ":id", id);
	return stmt_run(stmt, fault);
}

enum fault_code
rows_write(struct db *db, const char *id, struct fault *fault)
{
	return db_write(db, rows_insert, (void *)(uintptr_t)id, fault);
}

static int64_t
number(struct db_connection *connection, const char *sql, const char *id)
{
	AUTO(struct stmt, stmt_done) stmt = NULL;
	bool row;
	if (stmt_prepare(connection, "row_count", sql, &stmt, NULL) != FAULT_NONE)
		return -1;
	if (id != NULL)
		stmt_bind_text(stmt, ":id", id);
	if (stmt_step(stmt, &row, NULL) != FAULT_NONE || !row)
		return -1;
	return stmt_int(stmt, "n");
}

int64_t
rows_count(struct db_connection *connection)
{
	return number(connection, "SELECT count(*) AS n FROM imports", NULL);
}

int64_t
rows_count_in(struct db *db)
{
	AUTO(struct db_connection, db_reader_release) reader = NULL;
	return db_reader_acquire(db, &reader, NULL) == FAULT_NONE ? rows_count(reader) : -1;
}

bool
rows_have(struct db *db, const char *id)
{
	AUTO(struct db_connection, db_reader_release) reader = NULL;
	return db_reader_acquire(db, &reader, NULL) == FAULT_NONE &&
		number(reader, "SELECT count(*) AS n FROM imports WHERE import_id = :id", id) == 1;
}

char *
rows_print(struct db_connection *connection, const char *sql)
{
	AUTO(struct stmt, stmt_done) stmt = NULL;
	AUTO_CLEAR(struct bytes, bytes_clear) lines = BYTES_INIT;
	if (stmt_prepare(connection, "row_print", sql, &stmt, NULL) != FAULT_NONE)
		return NULL;
	for (;;) {
		bool row;
		if (stmt_step(stmt, &row, NULL) != FAULT_NONE)
			return NULL;
		if (!row)
			return strdup(bytes_text(&lines));
		if (bytes_printf(&lines, NULL, "%s\n", stmt_text(stmt, "line")) != FAULT_NONE)
			return NULL;
	}
}
