/*
 * migrate: which schema a database file has, and the steps that bring an older one forward. Never backward.
 *
 * For db/ alone (and its tests). The file says whose it is (application_id) and its schema's version (user_version).
 *
 * Threads: before any other connection is open.
 */
#ifndef DB_MIGRATE_H
#define DB_MIGRATE_H

#include <stddef.h>

#include "db/connection.h"
#include "generated/schema.h"

#define MIGRATE_APPLICATION_ID INT64_C(0x43414453) /* "CADS" */

/*
 * Reads, before anything is written, whether this is a database of ours that `latest` covers.
 * Faults: SCHEMA (not a database, somebody else's, or a newer version: says which), IO, MEMORY, DATABASE.
 */
CHECKED enum fault_code migrate_check(struct db_connection *connection, const char *path, size_t latest, struct fault *fault);

/*
 * Runs the steps that the database has not had, each in one transaction that also sets its version. Foreign keys are off while a
 * step runs, so that it may build a table anew, and are checked over all tables before it is kept.
 * Faults: DATABASE (names the step; that step left nothing), DISK, IO, MEMORY.
 */
CHECKED enum fault_code migrate_forward(struct db_connection *connection, const struct schema_step *steps, size_t count,
	struct fault *fault);

#endif
