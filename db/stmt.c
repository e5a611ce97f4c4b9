#include "db/stmt.h"

#include <sqlite3.h>
#include <string.h>

#include "ca/base/log.h"
#include "ca/base/memory.h"
#include "db/connection.h"

struct stmt {
	struct sqlite3_stmt *handle;
	struct db_connection *connection;
	const char *name;
	char **columns;      /* their names */
	size_t columns_count;
	size_t last_column;  /* where the next look-up starts: columns are mostly read in their order */
	int bind_result;     /* of the first bind that failed, told by the next step */
	bool kept;           /* in connection->prepared; else freed when done */
	bool in_use;
	bool on_row;
	bool ended;
};

/* Past the statement nothing but blanks and comments may come: SQLite would leave a second statement out without a word. */
static enum fault_code
check_tail(struct db_connection *connection, const char *name, const char *tail, struct fault *fault)
{
	struct sqlite3_stmt *second = NULL;
	int result = sqlite3_prepare_v2(connection->sqlite, tail, -1, &second, NULL);
	bool none = result == SQLITE_OK && second == NULL;
	(void)sqlite3_finalize(second);
	return none ? FAULT_NONE : fault_set(fault, FAULT_DATABASE, "statement %s is more than one statement", name);
}

static enum fault_code
check_parameters(struct stmt *stmt, struct fault *fault)
{
	for (int i = 1; i <= sqlite3_bind_parameter_count(stmt->handle); i++) {
		const char *parameter = sqlite3_bind_parameter_name(stmt->handle, i);
		if (parameter == NULL || parameter[0] != ':')
			return fault_set(fault, FAULT_DATABASE, "statement %s: parameter %d is not written as \":name\"", stmt->name,
				i);
	}
	return FAULT_NONE;
}

static bool
has_column(const struct stmt *stmt, const char *column)
{
	for (size_t i = 0; i < stmt->columns_count; i++)
		if (strcmp(stmt->columns[i], column) == 0)
			return true;
	return false;
}

static enum fault_code
take_columns(struct stmt *stmt, struct fault *fault)
{
	size_t count = (size_t)sqlite3_column_count(stmt->handle);
	TRY(memory_new(count, sizeof *stmt->columns, &stmt->columns, fault));
	for (; stmt->columns_count < count; stmt->columns_count++) {
		const char *column = sqlite3_column_name(stmt->handle, (int)stmt->columns_count);
		if (column == NULL)
			return fault_set(fault, FAULT_MEMORY, "statement %s: out of memory", stmt->name);
		if (has_column(stmt, column))
			return fault_set(fault, FAULT_DATABASE, "statement %s: two columns are named \"%s\"", stmt->name, column);
		TRY(memory_copy_string(column, &stmt->columns[stmt->columns_count], fault));
	}
	return FAULT_NONE;
}

void
stmt_free(struct stmt *stmt)
{
	if (stmt == NULL)
		return;
	for (size_t i = 0; i < stmt->columns_count; i++)
		free(stmt->columns[i]);
	free(stmt->columns);
	(void)sqlite3_finalize(stmt->handle);
	free(stmt);
}
SCOPED(struct stmt, stmt_free)

static enum fault_code
prepare(struct db_connection *connection, const char *name, const char *sql, bool kept, struct stmt **ret_stmt,
	struct fault *fault)
{
	AUTO(struct stmt, stmt_free) stmt = NULL;
	TRY(memory_new(1, sizeof *stmt, &stmt, fault));
	stmt->connection = connection;
	stmt->name = name;
	stmt->kept = kept;
	const char *tail = "";
	int result = sqlite3_prepare_v3(connection->sqlite, sql, -1, kept ? SQLITE_PREPARE_PERSISTENT : 0, &stmt->handle, &tail);
	if (result != SQLITE_OK)
		return connection_fault(connection, result, fault, "statement %s", name);
	if (stmt->handle == NULL)
		return fault_set(fault, FAULT_DATABASE, "statement %s is empty", name);
	TRY(check_tail(connection, name, tail, fault));
	TRY(check_parameters(stmt, fault));
	TRY(take_columns(stmt, fault));
	*ret_stmt = MOVE(stmt);
	return FAULT_NONE;
}

static struct stmt *
begin_use(struct stmt *stmt)
{
	stmt->in_use = true;
	stmt->connection->stmts_in_use++;
	return stmt;
}

enum fault_code
stmt_prepare(struct db_connection *connection, const char *name, const char *sql, struct stmt **ret_stmt, struct fault *fault)
{
	struct stmt *stmt = NULL;
	TRY(prepare(connection, name, sql, false, &stmt, fault));
	*ret_stmt = begin_use(stmt);
	return FAULT_NONE;
}

enum fault_code
stmt_prepare_all(struct db_connection *connection, struct fault *fault)
{
	for (int query = 0; query < QUERIES; query++) {
		const struct query_text *text = &query_texts[query];
		if (connection->prepared[query] == NULL)
			TRY(prepare(connection, text->name, text->sql, true, &connection->prepared[query], fault));
	}
	return FAULT_NONE;
}

enum fault_code
stmt_start(struct db_connection *connection, enum query query, struct stmt **ret_stmt, struct fault *fault)
{
	INVARIANT((int)query >= 0 && query < QUERIES);
	const struct query_text *text = &query_texts[query];
	struct stmt **kept = &connection->prepared[query];
	if (*kept != NULL && (*kept)->in_use)
		return stmt_prepare(connection, text->name, text->sql, ret_stmt, fault);
	if (*kept == NULL)
		TRY(prepare(connection, text->name, text->sql, true, kept, fault));
	*ret_stmt = begin_use(*kept);
	return FAULT_NONE;
}

void
stmt_done(struct stmt *stmt)
{
	if (stmt == NULL)
		return;
	INVARIANT(stmt->in_use);
	stmt->in_use = false;
	stmt->connection->stmts_in_use--;
	if (!stmt->kept) {
		stmt_free(stmt);
		return;
	}
	stmt_again(stmt);
	(void)sqlite3_clear_bindings(stmt->handle); /* what they borrowed may be gone soon */
	stmt->bind_result = SQLITE_OK;
}

/* Where a parameter is. After the last row the statement may be bound anew; while it has rows to give it may not. */
static int
parameter_index(struct stmt *stmt, const char *name)
{
	INVARIANT(stmt->in_use && !stmt->on_row);
	if (stmt->ended)
		stmt_again(stmt);
	int index = sqlite3_bind_parameter_index(stmt->handle, name);
	if (index == 0)
		log_write(LOG_ERROR, "statement %s has no parameter \"%s\"", stmt->name, name);
	INVARIANT(index > 0);
	return index;
}

static void
note_bind(struct stmt *stmt, int result)
{
	INVARIANT(result != SQLITE_MISUSE && result != SQLITE_RANGE);
	if (stmt->bind_result == SQLITE_OK)
		stmt->bind_result = result;
}

void
stmt_bind_int(struct stmt *stmt, const char *name, int64_t value)
{
	note_bind(stmt, sqlite3_bind_int64(stmt->handle, parameter_index(stmt, name), value));
}

void
stmt_bind_text(struct stmt *stmt, const char *name, const char *text)
{
	int index = parameter_index(stmt, name);
	size_t length = text != NULL ? strlen(text) : 0;
	note_bind(stmt, sqlite3_bind_text64(stmt->handle, index, text, length, SQLITE_STATIC, SQLITE_UTF8));
}

void
stmt_bind_blob(struct stmt *stmt, const char *name, struct span blob)
{
	note_bind(stmt, sqlite3_bind_blob64(stmt->handle, parameter_index(stmt, name), blob.data, blob.length, SQLITE_STATIC));
}

void
stmt_bind_null(struct stmt *stmt, const char *name)
{
	note_bind(stmt, sqlite3_bind_null(stmt->handle, parameter_index(stmt, name)));
}

enum fault_code
stmt_step(struct stmt *stmt, bool *ret_row, struct fault *fault)
{
	INVARIANT(stmt->in_use);
	if (stmt->bind_result != SQLITE_OK)
		return connection_fault(stmt->connection, stmt->bind_result, fault, "statement %s: binding", stmt->name);
	/* SQLite would start it anew. */
	if (stmt->ended) {
		*ret_row = false;
		return FAULT_NONE;
	}
	int result = sqlite3_step(stmt->handle);
	stmt->on_row = result == SQLITE_ROW;
	stmt->ended = !stmt->on_row;
	stmt->last_column = 0;
	if (result != SQLITE_ROW && result != SQLITE_DONE)
		return connection_fault(stmt->connection, result, fault, "statement %s", stmt->name);
	*ret_row = stmt->on_row;
	return FAULT_NONE;
}

enum fault_code
stmt_run(struct stmt *stmt, struct fault *fault)
{
	bool row = false;
	enum fault_code code = stmt_step(stmt, &row, fault);
	INVARIANT(!row);
	stmt_again(stmt);
	return code;
}

void
stmt_again(struct stmt *stmt)
{
	(void)sqlite3_reset(stmt->handle); /* tells again what the last step told */
	stmt->on_row = stmt->ended = false;
}

/* Where a column is: almost always the one found last or the one after it. */
static int
column_index(struct stmt *stmt, const char *column)
{
	INVARIANT(stmt->in_use && stmt->on_row);
	for (size_t tried = 0; tried < stmt->columns_count; tried++) {
		size_t i = (stmt->last_column + tried) % stmt->columns_count;
		if (strcmp(stmt->columns[i], column) == 0) {
			stmt->last_column = i;
			return (int)i;
		}
	}
	log_write(LOG_ERROR, "statement %s has no column \"%s\"", stmt->name, column);
	INVARIANT(has_column(stmt, column));
	return -1;
}

int64_t
stmt_int(struct stmt *stmt, const char *column)
{
	return sqlite3_column_int64(stmt->handle, column_index(stmt, column));
}

bool
stmt_null(struct stmt *stmt, const char *column)
{
	return sqlite3_column_type(stmt->handle, column_index(stmt, column)) == SQLITE_NULL;
}

const char *
stmt_text(struct stmt *stmt, const char *column)
{
	return (const char *)sqlite3_column_text(stmt->handle, column_index(stmt, column));
}

struct span
stmt_blob(struct stmt *stmt, const char *column)
{
	int index = column_index(stmt, column);
	const void *data = sqlite3_column_blob(stmt->handle, index);
	size_t length = (size_t)sqlite3_column_bytes(stmt->handle, index);
	/* SQLite gives no pointer for an empty blob either. */
	if (data == NULL && sqlite3_column_type(stmt->handle, index) != SQLITE_NULL)
		data = "";
	return SPAN(data, length);
}

int64_t
stmt_inserted_id(struct db_connection *connection)
{
	return sqlite3_last_insert_rowid(connection->sqlite);
}

int64_t
stmt_changed_rows(struct db_connection *connection)
{
	return sqlite3_changes64(connection->sqlite);
}
