/*
 * db: the one database. A writer thread that groups waiting changes into one transaction and one fsync; readers that never wait
 * for it; a thread that keeps the write-ahead log short. Knows scalars and blobs only.
 *
 * Every statement has a name (db/queries/<noun>.sql) and is prepared once a connection. Every pragma is read back.
 *
 * Threads: struct db is safe from any thread; a struct db_connection belongs to whoever was given it.
 */
#ifndef DB_DB_H
#define DB_DB_H

#include <stdbool.h>
#include <stdint.h>

#include "ca/base/bytes.h"
#include "ca/base/fault.h"
#include "ca/base/scope.h"
#include "generated/queries.h"

struct db;
struct db_connection;

/*
 * Opens the database file. create: makes it (mode 0600) with the current schema and fails with CONFLICT when it exists; else it
 * must exist, and older schemas are brought forward (each step in one transaction).
 * Faults: NOT_FOUND, SCHEMA (not ours, or a newer version: says which), DISK (full, or only to be read), IO, DATABASE, MEMORY.
 */
CHECKED enum fault_code db_open(const char *path, bool create, struct db **ret_db, struct fault *fault);
/*
 * For readers alone, beside a process that changes it: no writer, no checkpoints, the schema as it is. db_write() is refused
 * (BUSY). Faults: NOT_FOUND, SCHEMA (not ours, or of another version than this release's), DISK, IO, DATABASE, MEMORY.
 */
CHECKED enum fault_code db_open_to_read(const char *path, struct db **ret_db, struct fault *fault);
/* Answers what waits, then closes; the log is folded into the file. NULL is harmless. */
void db_close(struct db *db);
SCOPED(struct db, db_close)

/* A change: runs on the writer's connection inside a savepoint of its own; it must not block on anything else. */
typedef enum fault_code (*db_change)(struct db_connection *connection, void *argument, struct fault *fault);

/*
 * Runs a change and returns once it is durable. If it fails, nothing of it stays. Several waiting changes share one commit.
 * Faults: the change's own; DATABASE, DISK when the commit fails (then no change of that group is kept); BUSY when closing.
 */
CHECKED enum fault_code db_write(struct db *db, db_change change, void *argument, struct fault *fault);
/*
 * The same for a part of something long, for which nobody waits: its turn comes when nothing else waits, or after a few groups of other
 * changes, and its transaction is its own. Parts are to be small: whoever comes next waits for the one that runs.
 */
CHECKED enum fault_code db_write_bulk(struct db *db, db_change change, void *argument, struct fault *fault);

/*
 * A reader with a fixed view of the database from here until db_reader_release(). Waits when all READERS_MAX are in use.
 * Faults: DATABASE, MEMORY.
 */
CHECKED enum fault_code db_reader_acquire(struct db *db, struct db_connection **ret_connection, struct fault *fault);
void db_reader_release(struct db_connection *connection); /* NULL is harmless */
SCOPED(struct db_connection, db_reader_release)

/* Bytes in the write-ahead log now. */
int64_t db_log_size(const struct db *db);
/* The last time a commit's fsync took, in microseconds (for benchmarks). */
int64_t db_commit_us(const struct db *db);

#endif
