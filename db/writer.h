/*
 * writer: the one thread that changes the database. It takes what waits, up to WRITER_GROUP_MAX changes, runs each in a savepoint
 * of its own inside one transaction, commits once, and wakes each caller with its own outcome. Bulk goes after what else waits, one a
 * transaction; but not more than WRITER_PATIENCE groups go before it.
 *
 * For db/ alone. Threads: writer_write() from any thread but its own.
 */
#ifndef DB_WRITER_H
#define DB_WRITER_H

#include "db/checkpoint.h"

#define WRITER_GROUP_MAX 64
#define WRITER_GROUP_US 10000 /* a group that took so long is committed; the rest of it makes up the next */
#define WRITER_PATIENCE 4

enum writer_kind { WRITER_CHANGE, WRITER_BULK, WRITER_KINDS };

struct writer;

/* Starts the thread. Connection and checkpoint are borrowed until writer_stop(). Faults: MEMORY. */
CHECKED enum fault_code writer_start(struct db_connection *connection, struct checkpoint *checkpoint, struct writer **ret_writer,
	struct fault *fault);
/* Carries out what waits, then ends the thread. NULL is harmless. */
void writer_stop(struct writer *writer);
SCOPED(struct writer, writer_stop)

/* db_write() and db_write_bulk() say what this does. */
CHECKED enum fault_code writer_write(struct writer *writer, enum writer_kind kind, db_change change, void *argument, struct fault *fault);

int64_t writer_commit_us(const struct writer *writer); /* how long the last COMMIT took */

#endif
