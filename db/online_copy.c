#include "db/online_copy.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ca/base/memory.h"
#include "db/connection.h"
#include "db/migrate.h"

#define STEP_PAGES 1024

static void
finish(struct sqlite3_backup *backup)
{
	(void)sqlite3_backup_finish(backup);
}
SCOPED(struct sqlite3_backup, finish)

static enum fault_code
copy_pages(struct db_connection *from, struct db_connection *to, struct fault *fault)
{
	AUTO(struct sqlite3_backup, finish) backup = sqlite3_backup_init(to->sqlite, "main", from->sqlite, "main");
	int result = SQLITE_OK;
	if (backup == NULL)
		return connection_fault(to, sqlite3_extended_errcode(to->sqlite), fault, "copying the database");
	while (result == SQLITE_OK)
		result = sqlite3_backup_step(backup, STEP_PAGES);
	if (result != SQLITE_DONE)
		return connection_fault(to, result, fault, "copying the database");
	result = sqlite3_backup_finish(MOVE(backup));
	return result == SQLITE_OK ? FAULT_NONE : connection_fault(to, result, fault, "copying the database");
}

/* One view for the whole copy: without it each change by the server would have the copy begin anew. */
static enum fault_code
copy_view(const char *from, struct db_connection *to, struct fault *fault)
{
	AUTO(struct db_connection, connection_close) source = NULL;
	TRY(connection_open(from, &source, fault));
	TRY(migrate_check(source, from, schema_steps_count, fault));
	TRY(connection_configure(source, CONNECTION_READER, fault));
	TRY(connection_order(source, ORDER_BEGIN_READ, fault));
	enum fault_code code = connection_order(source, ORDER_FIX_VIEW, fault);
	if (code == FAULT_NONE)
		code = copy_pages(source, to, fault);
	connection_abandon(source);
	return code;
}

static enum fault_code
check_pages(struct db_connection *connection, const char *path, struct fault *fault)
{
	AUTO(struct stmt, stmt_done) stmt = NULL;
	bool row;
	TRY(stmt_prepare(connection, "integrity_check", "PRAGMA integrity_check(1)", &stmt, fault));
	TRY(stmt_step(stmt, &row, fault));
	const char *words = row ? stmt_text(stmt, "integrity_check") : NULL;
	if (words == NULL || strcmp(words, "ok") != 0)
		return fault_set(fault, FAULT_DATABASE, "%.200s is damaged: %.200s", path, words != NULL ? words : "it can't be checked");
	return FAULT_NONE;
}

static enum fault_code
fill(const char *from, const char *to, db_change inspect, void *argument, struct fault *fault)
{
	AUTO(struct db_connection, connection_close) connection = NULL;
	TRY(connection_open(to, &connection, fault));
	/* A copy that a crash leaves half is thrown away anyway. */
	TRY(connection_set(connection, "synchronous", "OFF", "0", fault));
	TRY(copy_view(from, connection, fault));
	/* As a file by itself, without a log beside it. */
	TRY(connection_set(connection, "journal_mode", "DELETE", "delete", fault));
	TRY(check_pages(connection, from, fault));
	return inspect != NULL ? inspect(connection, argument, fault) : FAULT_NONE;
}

enum fault_code
online_copy_make(const char *from, const char *to, db_change inspect, void *argument, struct fault *fault)
{
	AUTO(char, free) journal = NULL;
	TRY(memory_printf(&journal, fault, "%s-journal", to));
	int fd = open(to, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return errno == EEXIST ? fault_set(fault, FAULT_CONFLICT, "%s exists already", to) : fault_set_errno(fault, errno, "%s", to);
	descriptor_close(&fd);
	enum fault_code code = fill(from, to, inspect, argument, fault);
	if (code != FAULT_NONE) {
		(void)unlink(to);
		(void)unlink(journal);
	}
	return code;
}

enum fault_code
online_copy_check(const char *path, db_change inspect, void *argument, struct fault *fault)
{
	AUTO(struct db_connection, connection_close) connection = NULL;
	TRY(connection_open(path, &connection, fault));
	TRY(migrate_check(connection, path, schema_steps_count, fault));
	TRY(check_pages(connection, path, fault));
	return inspect != NULL ? inspect(connection, argument, fault) : FAULT_NONE;
}
