/*
 * writer: the one thread that changes the database. It takes what waits, up to WRITER_GROUP_MAX changes, runs each in a savepoint
 * of its own inside one transaction, commits once, and wakes each caller with its own outcome.
 *
 * For db/ alone. Threads: writer_write() from any thread but its own.
 */
#ifndef DB_WRITER_H
#define DB_WRITER_H

#include "db/checkpoint.h"

#define WRITER_GROUP_MAX 64

struct writer;

/* Starts the thread. Connection and checkpoint are borrowed until writer_stop(). Faults: MEMORY. */
CHECKED enum fault_code writer_start(struct db_connection *connection, struct checkpoint *checkpoint, struct writer **ret_writer,
	struct fault *fault);
/* Carries out what waits, then ends the thread. NULL is harmless. */
void writer_stop(struct writer *writer);
SCOPED(struct writer, writer_stop)

/* db_write() says what this does. */
CHECKED enum fault_code writer_write(struct writer *writer, db_change change, void *argument, struct fault *fault);

int64_t writer_commit_us(const struct writer *writer); /* how long the last COMMIT took */

#endif
