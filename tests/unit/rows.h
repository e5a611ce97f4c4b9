/* rows: something to write into a database and to read back: rows of the table imports, each known by its id. */
#ifndef TESTS_UNIT_ROWS_H
#define TESTS_UNIT_ROWS_H

#include "db/db.h"

/* A db_change: inserts the row whose id the argument is (a string). Faults: CONFLICT when there is one. */
enum fault_code rows_insert(struct db_connection *connection, void *id, struct fault *fault);
/* The same as a whole: db_write() of it. */
enum fault_code rows_write(struct db *db, const char *id, struct fault *fault);

int64_t rows_count(struct db_connection *connection);  /* -1 when it can't be read */
int64_t rows_count_in(struct db *db);                  /* by a reader of its own */
bool rows_have(struct db *db, const char *id);

/* What a statement gives in its column "line", one a line; to be freed. NULL when it fails. */
char *rows_print(struct db_connection *connection, const char *sql);

#endif
