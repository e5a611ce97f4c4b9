/*
 * connection: one SQLite connection, set up the same way everywhere; how what SQLite says becomes a fault.
 *
 * For db/ alone (and its tests): everybody else sees struct db_connection only through db.h and stmt.h.
 *
 * Threads: a connection belongs to one thread at a time.
 */
#ifndef DB_CONNECTION_H
#define DB_CONNECTION_H

#include "db/stmt.h"

struct sqlite3;
struct sqlite3_stmt;
struct readers;

/* What a connection is for; settings differ. One bit each. */
enum connection_role { CONNECTION_WRITER = 1, CONNECTION_READER = 2, CONNECTION_CHECKPOINTER = 4 };

/* What db/ itself tells a connection to do, prepared from the start so that a full disk or memory can't stop a rollback. */
enum connection_order {
	ORDER_BEGIN_READ,
	ORDER_FIX_VIEW,    /* the first read of a transaction: from here on it sees one state of the database */
	ORDER_BEGIN_WRITE,
	ORDER_SAVE,        /* a savepoint; one at a time */
	ORDER_UNDO,        /* back to the savepoint */
	ORDER_KEEP,        /* drops the savepoint, not what was done since */
	ORDER_COMMIT,
	ORDER_ROLLBACK,
	CONNECTION_ORDERS
};

struct db_connection {
	struct sqlite3 *sqlite;
	enum connection_role role;
	struct sqlite3_stmt *orders[CONNECTION_ORDERS];
	struct stmt **prepared;     /* by enum query; NULL where it was not used yet */
	size_t stmts_in_use;
	struct readers *readers;    /* whose it is, if it is a reader's */
	struct db_connection *next; /* the next idle reader */
};

/* Opens a database file that exists. Faults: NOT_FOUND, DISK (it can only be read), IO, MEMORY, DATABASE. */
CHECKED enum fault_code connection_open(const char *path, struct db_connection **ret_connection, struct fault *fault);
/* Every setting that this role needs, each read back. Faults: DATABASE (one was not taken), DISK, IO, MEMORY. */
CHECKED enum fault_code connection_configure(struct db_connection *connection, enum connection_role role, struct fault *fault);
/* Gives all statements back first; none may be in use. NULL is harmless. */
void connection_close(struct db_connection *connection);
SCOPED(struct db_connection, connection_close)

CHECKED enum fault_code connection_order(struct db_connection *connection, enum connection_order order, struct fault *fault);
/* Ends whatever transaction is open without keeping it. A connection that can't do even that is lost: INVARIANT. */
void connection_abandon(struct db_connection *connection);
/* False outside of a transaction, and after SQLite gave one up by itself (a full disk, no memory). */
bool connection_in_transaction(const struct db_connection *connection);

/* Runs a text of several statements that give no rows to read. `what` names it in faults. */
CHECKED enum fault_code connection_run(struct db_connection *connection, const char *what, const char *sql, struct fault *fault);
/* Sets a pragma and reads it back; value NULL only reads. Faults: DATABASE when it isn't `expected` then. */
CHECKED enum fault_code connection_set(struct db_connection *connection, const char *name, const char *value,
	const char *expected, struct fault *fault);
/* A pragma that is a number. */
CHECKED enum fault_code connection_number(struct db_connection *connection, const char *name, int64_t *ret_number,
	struct fault *fault);

/*
 * Records a result code of SQLite's, with its own words behind these: DISK, IO, MEMORY, CONFLICT, SCHEMA (not a database), else
 * DATABASE. Returns the code.
 */
enum fault_code connection_fault(const struct db_connection *connection, int result, struct fault *fault, const char *format, ...)
	PRINTF_LIKE(4, 5);

/* From stmt.c: a statement that has no name in db/queries, ready to be bound; stmt_done() frees it. `name` is borrowed. */
CHECKED enum fault_code stmt_prepare(struct db_connection *connection, const char *name, const char *sql, struct stmt **ret_stmt,
	struct fault *fault);
/* From stmt.c: prepares every named statement now, so that a wrong one is noticed at the start. */
CHECKED enum fault_code stmt_prepare_all(struct db_connection *connection, struct fault *fault);
/* From stmt.c: frees what stmt_start() keeps for its next use. NULL is harmless. */
void stmt_free(struct stmt *stmt);

#endif
