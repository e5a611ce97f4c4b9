/*
 * readers: connections that only read, opened when first needed and kept for the next reader.
 *
 * For db/ alone. Threads: safe.
 */
#ifndef DB_READERS_H
#define DB_READERS_H

#include "db/connection.h"

#define READERS_MAX 64

/* Faults: MEMORY. */
CHECKED enum fault_code readers_new(const char *path, struct readers **ret_readers, struct fault *fault);
/* All must have been released. NULL is harmless. */
void readers_free(struct readers *readers);
SCOPED(struct readers, readers_free)

/* As db_reader_acquire() and db_reader_release(). */
CHECKED enum fault_code readers_acquire(struct readers *readers, struct db_connection **ret_connection, struct fault *fault);
void readers_release(struct db_connection *connection);

#endif
