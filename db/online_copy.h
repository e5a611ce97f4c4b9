/*
 * online_copy: a copy of the database as one file, made beside whatever works on it (SQLite's online backup, from one fixed view), and a look
 * at whether a file is whole.
 *
 * Neither holds the writer up: a copy is a long reader, so the log grows by what is changed meanwhile. Threads: safe.
 */
#ifndef DB_ONLINE_COPY_H
#define DB_ONLINE_COPY_H

#include "db/db.h"

/*
 * Copies the database at `from` into a new file at `to` (mode 0600), which must not exist, holds every page of the copy against its
 * neighbours, and has `inspect` read it. When something fails there is no file. Faults: CONFLICT (there is one), NOT_FOUND, SCHEMA (not a
 * database of ours), DATABASE (it is damaged: says where), DISK, IO, MEMORY; those of inspect.
 */
CHECKED enum fault_code online_copy_make(const char *from, const char *to, db_change inspect, void *argument, struct fault *fault);

/* Of a file on which nobody works; nothing of it is changed. inspect as above, or NULL. Faults: NOT_FOUND, SCHEMA, DATABASE (damaged), IO, MEMORY. */
CHECKED enum fault_code online_copy_check(const char *path, db_change inspect, void *argument, struct fault *fault);

#endif
