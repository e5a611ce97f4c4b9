/* import_store: rows of the tables imports and import_remarks. As in ca_store.h: records borrow, statements are the caller's. */
#ifndef DB_STORES_IMPORT_STORE_H
#define DB_STORES_IMPORT_STORE_H

#include "db/stmt.h"

#define IMPORT_STORE_ID_SIZE 37                          /* a UUID and a NUL */

/* What a step of an import did. */
struct import_counts {
	int64_t entries_done;
	int64_t members_created, members_unchanged, members_different;
	int64_t roas_created, roas_unchanged, roas_not_held;
	int64_t warnings;
};

struct import_record {
	const char *import_id, *kind, *state, *actor;
	const char *error;                               /* NULL: none */
	int64_t started_at, finished_at;                 /* finished_at 0: not yet */
	int64_t entries_total;
	struct import_counts counts;                     /* so far */
	int64_t cas_to_issue, cas_waiting;
	int64_t serial;                                  /* 0: not known yet */
};

CHECKED enum fault_code import_store_insert(struct db_connection *connection, const char *import_id, const char *kind,
	const char *actor, int64_t now_at, struct fault *fault);
/* The statement stands on the row. Faults: NOT_FOUND. */
CHECKED enum fault_code import_store_get(struct db_connection *connection, const char *import_id, struct stmt **ret_stmt,
	struct import_record *ret_record, struct fault *fault);
/* The oldest that is being checked or applied. ret_import_id "": there is none. */
CHECKED enum fault_code import_store_open(struct db_connection *connection, char ret_import_id[IMPORT_STORE_ID_SIZE],
	struct fault *fault);
/* Those whose CAs are being issued: their ids, row by row. */
CHECKED enum fault_code import_store_issuing(struct db_connection *connection, struct stmt **ret_stmt, struct fault *fault);
CHECKED enum fault_code import_store_next_id(struct stmt *stmt, char ret_import_id[IMPORT_STORE_ID_SIZE], bool *ret_found,
	struct fault *fault);

/* Its states in turn: checking, applying, issuing, done; failed from any of them. */
CHECKED enum fault_code import_store_checked(struct db_connection *connection, const char *import_id, int64_t entries_total,
	struct fault *fault);
CHECKED enum fault_code import_store_add(struct db_connection *connection, const char *import_id,
	const struct import_counts *counts, struct fault *fault);
CHECKED enum fault_code import_store_applied(struct db_connection *connection, const char *import_id, struct fault *fault);
CHECKED enum fault_code import_store_done(struct db_connection *connection, const char *import_id, int64_t now_at,
	struct fault *fault);
CHECKED enum fault_code import_store_failed(struct db_connection *connection, const char *import_id, int64_t now_at,
	const char *error, struct fault *fault);

/* How many of its CAs wait to be reconciled, and how many can't be as they were set aside. */
CHECKED enum fault_code import_store_waiting(struct db_connection *connection, const char *import_id, int64_t *ret_waiting,
	int64_t *ret_set_aside, struct fault *fault);
/* Whether something that was issued for it is not in the notification on disk. */
CHECKED enum fault_code import_store_unpublished(struct db_connection *connection, const char *import_id, bool *ret_unpublished,
	struct fault *fault);

/* Adds a remark unless there are remarks_max already. */
CHECKED enum fault_code import_store_remark(struct db_connection *connection, const char *import_id, int64_t remarks_max,
	const char *kind, const char *text, struct fault *fault);

struct import_remark {
	int64_t remark_id;
	const char *kind, *text;
};

CHECKED enum fault_code import_store_remarks(struct db_connection *connection, const char *import_id, int64_t after,
	int64_t limit, struct stmt **ret_stmt, struct fault *fault);
CHECKED enum fault_code import_store_next_remark(struct stmt *stmt, struct import_remark *ret_remark, bool *ret_found,
	struct fault *fault);

#endif
