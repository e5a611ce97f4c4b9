#include "db/connection.h"

#include <errno.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "ca/base/log.h"
#include "ca/base/memory.h"

#define PRAGMA_TEXT 128
#define PRAGMA_VALUE 64
#define EVERY_ROLE (CONNECTION_WRITER | CONNECTION_READER | CONNECTION_CHECKPOINTER)

struct setting {
	const char *name;
	const char *value;    /* NULL: only read */
	const char *expected; /* what it reads as then */
	unsigned roles;
};

static const struct setting settings[] = {
	{ "journal_mode", "WAL", "wal", CONNECTION_WRITER },
	{ "journal_mode", NULL, "wal", CONNECTION_READER | CONNECTION_CHECKPOINTER },
	{ "synchronous", "FULL", "2", EVERY_ROLE }, /* each commit waits for the disk */
	{ "foreign_keys", "ON", "1", EVERY_ROLE },
	{ "wal_autocheckpoint", "0", "0", EVERY_ROLE }, /* checkpoint.c does it, off the writer's path */
	{ "journal_size_limit", "67108864", "67108864", EVERY_ROLE }, /* the log's file after a time when it had to be longer */
	{ "busy_timeout", "10000", "10000", CONNECTION_WRITER | CONNECTION_READER }, /* ms: for a person's sqlite3, say */
	{ "cache_size", "-32768", "-32768", CONNECTION_WRITER }, /* KiB */
	{ "cache_size", "-1024", "-1024", CONNECTION_READER },   /* times READERS_MAX; the system has the file in its own cache too */
	{ "mmap_size", "0", "0", EVERY_ROLE },                   /* a bad disk shall be a fault, not a signal */
	{ "temp_store", "MEMORY", "2", EVERY_ROLE },
	{ "secure_delete", "FAST", "2", EVERY_ROLE }, /* zeroes over what is deleted wherever that needs no further write */
	{ "cell_size_check", "ON", "1", EVERY_ROLE },
	{ "trusted_schema", "OFF", "0", EVERY_ROLE },
	{ "query_only", "ON", "1", CONNECTION_READER },
};

struct switch_setting {
	const char *name;
	int operation;
	int value;
};

static const struct switch_setting switches[] = {
	{ "defensive", SQLITE_DBCONFIG_DEFENSIVE, 1 },
	{ "dqs_dml", SQLITE_DBCONFIG_DQS_DML, 0 }, /* a mistyped "column" is an error, not a string */
	{ "dqs_ddl", SQLITE_DBCONFIG_DQS_DDL, 0 },
};

static const char *const order_texts[CONNECTION_ORDERS] = {
	[ORDER_BEGIN_READ] = "BEGIN",
	[ORDER_FIX_VIEW] = "SELECT 1 FROM sqlite_schema LIMIT 1",
	[ORDER_BEGIN_WRITE] = "BEGIN IMMEDIATE",
	[ORDER_SAVE] = "SAVEPOINT change",
	[ORDER_UNDO] = "ROLLBACK TO change",
	[ORDER_KEEP] = "RELEASE change",
	[ORDER_COMMIT] = "COMMIT",
	[ORDER_ROLLBACK] = "ROLLBACK",
};

static void
finalize(struct sqlite3_stmt *handle)
{
	(void)sqlite3_finalize(handle);
}
SCOPED(struct sqlite3_stmt, finalize)

static void
log_sqlite(void *unused, int result, const char *words)
{
	(void)unused;
	log_write(LOG_DEBUG, "sqlite: %s (%d)", words, result);
}

static void
set_library_up(void)
{
	INVARIANT(sqlite3_threadsafe() != 0);
	/* Counting memory would be one lock for all threads. A path is a path, also one that starts with "file:". */
	INVARIANT(sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0) == SQLITE_OK);
	INVARIANT(sqlite3_config(SQLITE_CONFIG_URI, 0) == SQLITE_OK);
	INVARIANT(sqlite3_config(SQLITE_CONFIG_LOG, log_sqlite, NULL) == SQLITE_OK);
}

static enum fault_code
constraint_code(int result)
{
	bool unique = result == SQLITE_CONSTRAINT_UNIQUE || result == SQLITE_CONSTRAINT_ROWID;
	return unique || result == SQLITE_CONSTRAINT_PRIMARYKEY ? FAULT_CONFLICT : FAULT_DATABASE;
}

/* A file that SQLite could not open, read or write: the system's reason tells whether an operator has to see to the disk. */
static enum fault_code
file_code(const struct db_connection *connection, bool opening)
{
	int reason = connection->sqlite != NULL ? sqlite3_system_errno(connection->sqlite) : 0;
	bool disk = reason == ENOSPC || reason == EDQUOT || reason == EROFS || reason == EFBIG;
	return disk || (opening && (reason == EACCES || reason == EPERM)) ? FAULT_DISK : FAULT_IO;
}

static enum fault_code
code_of(const struct db_connection *connection, int result)
{
	if (result == SQLITE_IOERR_NOMEM)
		return FAULT_MEMORY;
	switch (result & 0xff) {
	case SQLITE_CONSTRAINT:
		return constraint_code(result);
	case SQLITE_FULL:
	case SQLITE_READONLY:
		return FAULT_DISK;
	case SQLITE_IOERR:
		return file_code(connection, false);
	case SQLITE_CANTOPEN:
		return file_code(connection, true);
	case SQLITE_NOMEM:
		return FAULT_MEMORY;
	case SQLITE_NOTADB:
		return FAULT_SCHEMA;
	default:
		return FAULT_DATABASE;
	}
}

enum fault_code
connection_fault(const struct db_connection *connection, int result, struct fault *fault, const char *format, ...)
{
	char what[256];
	va_list arguments;
	va_start(arguments, format);
	(void)vsnprintf(what, sizeof what, format, arguments);
	va_end(arguments);
	/* The connection's own words are about its last call, which may not be the one that failed. */
	bool own = connection->sqlite != NULL && sqlite3_extended_errcode(connection->sqlite) == result;
	const char *words = own ? sqlite3_errmsg(connection->sqlite) : sqlite3_errstr(result);
	int kind = result & 0xff;
	int reason = kind == SQLITE_IOERR || kind == SQLITE_CANTOPEN ? sqlite3_system_errno(connection->sqlite) : 0;
	return fault_set(fault, code_of(connection, result), "%s: %s%s%s", what, words, reason != 0 ? ": " : "",
		reason != 0 ? strerror(reason) : "");
}

enum fault_code
connection_open(const char *path, struct db_connection **ret_connection, struct fault *fault)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	INVARIANT(pthread_once(&once, set_library_up) == 0);
	AUTO(struct db_connection, connection_close) connection = NULL;
	TRY(memory_new(1, sizeof *connection, &connection, fault));
	TRY(memory_new(QUERIES, sizeof *connection->prepared, &connection->prepared, fault));
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
	int result = sqlite3_open_v2(path, &connection->sqlite, flags, NULL);
	if (connection->sqlite == NULL)
		return fault_set(fault, FAULT_MEMORY, "%s: out of memory", path);
	if ((result & 0xff) == SQLITE_CANTOPEN && sqlite3_system_errno(connection->sqlite) == ENOENT)
		return fault_set(fault, FAULT_NOT_FOUND, "there is no database %s", path);
	if (result != SQLITE_OK)
		return connection_fault(connection, result, fault, "%s", path);
	/* Where a file can't be opened for writing SQLite opens it for reading and says nothing. */
	if (sqlite3_db_readonly(connection->sqlite, "main") == 1)
		return fault_set(fault, FAULT_DISK, "%s can only be read, not written", path);
	*ret_connection = MOVE(connection);
	return FAULT_NONE;
}

enum fault_code
connection_configure(struct db_connection *connection, enum connection_role role, struct fault *fault)
{
	connection->role = role;
	for (size_t i = 0; i < sizeof switches / sizeof *switches; i++) {
		int now = -1;
		(void)sqlite3_db_config(connection->sqlite, switches[i].operation, switches[i].value, &now);
		if (now != switches[i].value)
			return fault_set(fault, FAULT_DATABASE, "SQLite did not take the setting %s", switches[i].name);
	}
	for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
		if (settings[i].roles & (unsigned)role)
			TRY(connection_set(connection, settings[i].name, settings[i].value, settings[i].expected, fault));
	for (size_t i = 0; i < CONNECTION_ORDERS; i++) {
		int result = sqlite3_prepare_v3(connection->sqlite, order_texts[i], -1, SQLITE_PREPARE_PERSISTENT,
			&connection->orders[i], NULL);
		if (result != SQLITE_OK)
			return connection_fault(connection, result, fault, "%s", order_texts[i]);
	}
	return FAULT_NONE;
}

void
connection_close(struct db_connection *connection)
{
	if (connection == NULL)
		return;
	INVARIANT(connection->stmts_in_use == 0);
	for (size_t i = 0; connection->prepared != NULL && i < QUERIES; i++)
		stmt_free(connection->prepared[i]);
	for (size_t i = 0; i < CONNECTION_ORDERS; i++)
		sqlite3_finalize(connection->orders[i]);
	/* Refused only while a statement is left. */
	INVARIANT(sqlite3_close(connection->sqlite) == SQLITE_OK);
	free(connection->prepared);
	free(connection);
}

enum fault_code
connection_order(struct db_connection *connection, enum connection_order order, struct fault *fault)
{
	int result = sqlite3_step(connection->orders[order]);
	enum fault_code code = FAULT_NONE;
	if (result != SQLITE_DONE && result != SQLITE_ROW)
		code = connection_fault(connection, result, fault, "%s", order_texts[order]);
	(void)sqlite3_reset(connection->orders[order]); /* tells the same failure again */
	return code;
}

void
connection_abandon(struct db_connection *connection)
{
	if (!connection_in_transaction(connection))
		return;
	enum fault_code code = connection_order(connection, ORDER_ROLLBACK, NULL);
	INVARIANT(code == FAULT_NONE || !connection_in_transaction(connection));
}

bool
connection_in_transaction(const struct db_connection *connection)
{
	return sqlite3_get_autocommit(connection->sqlite) == 0;
}

enum fault_code
connection_run(struct db_connection *connection, const char *what, const char *sql, struct fault *fault)
{
	int result = sqlite3_exec(connection->sqlite, sql, NULL, NULL, NULL);
	return result == SQLITE_OK ? FAULT_NONE : connection_fault(connection, result, fault, "%s", what);
}

/* The first column of a pragma's first row, "" when there is none. */
static enum fault_code
read_pragma(struct db_connection *connection, const char *name, char ret_value[PRAGMA_VALUE], struct fault *fault)
{
	char sql[PRAGMA_TEXT];
	(void)snprintf(sql, sizeof sql, "PRAGMA %s", name);
	AUTO(struct sqlite3_stmt, finalize) handle = NULL;
	int result = sqlite3_prepare_v2(connection->sqlite, sql, -1, &handle, NULL);
	if (result == SQLITE_OK)
		result = sqlite3_step(handle);
	if (result != SQLITE_ROW && result != SQLITE_DONE)
		return connection_fault(connection, result, fault, "%s", sql);
	const unsigned char *value = result == SQLITE_ROW ? sqlite3_column_text(handle, 0) : NULL;
	(void)snprintf(ret_value, PRAGMA_VALUE, "%s", value != NULL ? (const char *)value : "");
	return FAULT_NONE;
}

enum fault_code
connection_set(struct db_connection *connection, const char *name, const char *value, const char *expected, struct fault *fault)
{
	char now[PRAGMA_VALUE];
	if (value != NULL) {
		char sql[PRAGMA_TEXT];
		(void)snprintf(sql, sizeof sql, "PRAGMA %s = %s", name, value);
		TRY(connection_run(connection, sql, sql, fault));
	}
	TRY(read_pragma(connection, name, now, fault));
	if (strcmp(now, expected) != 0)
		return fault_set(fault, FAULT_DATABASE, "SQLite did not take the setting %s: it is \"%s\", not \"%s\"", name, now,
			expected);
	return FAULT_NONE;
}

enum fault_code
connection_number(struct db_connection *connection, const char *name, int64_t *ret_number, struct fault *fault)
{
	char now[PRAGMA_VALUE];
	TRY(read_pragma(connection, name, now, fault));
	*ret_number = strtoll(now, NULL, 10);
	return FAULT_NONE;
}
