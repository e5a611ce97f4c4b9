#include "db/db.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ca/base/atomic_file.h"
#include "ca/base/memory.h"
#include "db/migrate.h"
#include "db/readers.h"
#include "db/writer.h"

struct db {
	struct db_connection *connection; /* the writer's */
	struct checkpoint *checkpoint;
	struct writer *writer;
	struct readers *readers;
};

/* The file is made before SQLite sees it, so that others can never read it; what SQLite puts beside it takes its mode over. */
static enum fault_code
create_file(const char *path, struct fault *fault)
{
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0 && errno == EEXIST)
		return fault_set(fault, FAULT_CONFLICT, "%s exists already", path);
	if (fd < 0)
		return fault_set_errno(fault, errno, "%s", path);
	descriptor_close(&fd);
	return atomic_file_sync_parent(AT_FDCWD, path, fault);
}

static void
remove_files(const char *path)
{
	static const char *const endings[] = { "-wal", "-shm", "-journal", "" };
	for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
		AUTO(char, free) file = NULL;
		if (memory_printf(&file, NULL, "%s%s", path, endings[i]) == FAULT_NONE)
			(void)unlink(file);
	}
}

/* The writer's connection: the first one, and the one that brings the schema forward. */
static enum fault_code
open_connection(const char *path, bool fresh, struct db_connection **ret_connection, struct fault *fault)
{
	AUTO(struct db_connection, connection_close) connection = NULL;
	TRY(connection_open(path, &connection, fault));
	if (!fresh)
		TRY(migrate_check(connection, path, schema_steps_count, fault));
	TRY(connection_configure(connection, CONNECTION_WRITER, fault));
	TRY(migrate_forward(connection, schema_steps, schema_steps_count, fault));
	TRY(stmt_prepare_all(connection, fault));
	*ret_connection = MOVE(connection);
	return FAULT_NONE;
}

static enum fault_code
open_file(const char *path, bool fresh, struct db **ret_db, struct fault *fault)
{
	AUTO(struct db, db_close) db = NULL;
	TRY(memory_new(1, sizeof *db, &db, fault));
	TRY(open_connection(path, fresh, &db->connection, fault));
	TRY(readers_new(path, &db->readers, fault));
	TRY(checkpoint_start(path, &db->checkpoint, fault));
	TRY(writer_start(db->connection, db->checkpoint, &db->writer, fault));
	*ret_db = MOVE(db);
	return FAULT_NONE;
}

enum fault_code
db_open(const char *path, bool create, struct db **ret_db, struct fault *fault)
{
	if (!create)
		return open_file(path, false, ret_db, fault);
	TRY(create_file(path, fault));
	enum fault_code code = open_file(path, true, ret_db, fault);
	if (code != FAULT_NONE)
		remove_files(path);
	return code;
}

/* The schema is neither older, which statements would not fit, nor newer. */
static enum fault_code
check_version(const char *path, struct fault *fault)
{
	AUTO(struct db_connection, connection_close) connection = NULL;
	int64_t version;
	TRY(connection_open(path, &connection, fault));
	TRY(migrate_check(connection, path, schema_steps_count, fault));
	TRY(connection_number(connection, "user_version", &version, fault));
	if ((size_t)version != schema_steps_count)
		return fault_set(fault, FAULT_SCHEMA, "%.200s has schema version %d, this release has %zu: start its server first", path,
			(int)version, schema_steps_count);
	return FAULT_NONE;
}

enum fault_code
db_open_to_read(const char *path, struct db **ret_db, struct fault *fault)
{
	AUTO(struct db, db_close) db = NULL;
	TRY(memory_new(1, sizeof *db, &db, fault));
	TRY(check_version(path, fault));
	TRY(readers_new(path, &db->readers, fault));
	*ret_db = MOVE(db);
	return FAULT_NONE;
}

void
db_close(struct db *db)
{
	if (db == NULL)
		return;
	writer_stop(db->writer);
	checkpoint_stop(db->checkpoint);
	readers_free(db->readers);
	connection_close(db->connection); /* the last one to go folds the log into the file */
	free(db);
}

static enum fault_code
write_as(struct db *db, enum writer_kind kind, db_change change, void *argument, struct fault *fault)
{
	if (db->writer == NULL)
		return fault_set(fault, FAULT_BUSY, "the database was opened for reading alone");
	return writer_write(db->writer, kind, change, argument, fault);
}

enum fault_code
db_write(struct db *db, db_change change, void *argument, struct fault *fault)
{
	return write_as(db, WRITER_CHANGE, change, argument, fault);
}

enum fault_code
db_write_bulk(struct db *db, db_change change, void *argument, struct fault *fault)
{
	return write_as(db, WRITER_BULK, change, argument, fault);
}

enum fault_code
db_reader_acquire(struct db *db, struct db_connection **ret_connection, struct fault *fault)
{
	return readers_acquire(db->readers, ret_connection, fault);
}

void
db_reader_release(struct db_connection *connection)
{
	if (connection != NULL)
		readers_release(connection);
}

int64_t
db_log_size(const struct db *db)
{
	return checkpoint_log_size(db->checkpoint);
}

int64_t
db_commit_us(const struct db *db)
{
	return writer_commit_us(db->writer);
}
