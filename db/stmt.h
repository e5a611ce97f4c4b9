/*
 * stmt: a named statement on a connection: bind by name, step, read by column name.
 *
 *     AUTO(struct stmt, stmt_done) stmt = NULL;
 *     TRY(stmt_start(connection, QUERY_CAS_BY_HANDLE, &stmt, fault));
 *     stmt_bind_text(stmt, ":handle", handle);
 *     bool row;
 *     TRY(stmt_step(stmt, &row, fault));
 *     if (!row) return fault_set(fault, FAULT_NOT_FOUND, "there is no CA \"%s\"", handle);
 *     *ret_id = stmt_int(stmt, "ca_id");
 *
 * Names that a statement doesn't have are a programmer's error (INVARIANT). A failed bind is told by the next stmt_step().
 * The same name may be started again while it is in use (a second copy is prepared).
 */
#ifndef DB_STMT_H
#define DB_STMT_H

#include "db/db.h"

struct stmt;

CHECKED enum fault_code stmt_start(struct db_connection *connection, enum query query, struct stmt **ret_stmt,
	struct fault *fault);
void stmt_done(struct stmt *stmt);               /* resets it and gives it back; NULL is harmless */
SCOPED(struct stmt, stmt_done)

/* Text and blobs are borrowed until stmt_done() or until something else is bound. Allowed before the first step, after the last row. */
void stmt_bind_int(struct stmt *stmt, const char *name, int64_t value);
void stmt_bind_text(struct stmt *stmt, const char *name, const char *text);    /* NULL binds NULL */
void stmt_bind_blob(struct stmt *stmt, const char *name, struct span blob);    /* data NULL binds NULL */
void stmt_bind_null(struct stmt *stmt, const char *name);

/* Faults: CONFLICT (a UNIQUE or PRIMARY KEY constraint), DATABASE (another constraint; with SQLite's words), DISK, IO, MEMORY. */
CHECKED enum fault_code stmt_step(struct stmt *stmt, bool *ret_row, struct fault *fault);
/* For statements that give no row: steps once, then resets so that it can be bound and run again. */
CHECKED enum fault_code stmt_run(struct stmt *stmt, struct fault *fault);
/* Back to before the first row, bindings kept. */
void stmt_again(struct stmt *stmt);

int64_t stmt_int(struct stmt *stmt, const char *column);                       /* 0 for NULL */
bool stmt_null(struct stmt *stmt, const char *column);
const char *stmt_text(struct stmt *stmt, const char *column);                  /* NULL for NULL; valid until the next step */
struct span stmt_blob(struct stmt *stmt, const char *column);                  /* data NULL for NULL; valid until the next step */

int64_t stmt_inserted_id(struct db_connection *connection);
int64_t stmt_changed_rows(struct db_connection *connection);                   /* by the last INSERT, UPDATE or DELETE */

#endif
