/*
 * audit_store: rows of the table audit; added and read, never changed. As in ca_store.h: records borrow, statements are the
 * caller's.
 */
#ifndef DB_STORES_AUDIT_STORE_H
#define DB_STORES_AUDIT_STORE_H

#include "db/stmt.h"

struct audit_record {
	int64_t audit_id, at;
	const char *actor, *action, *outcome;
	const char *token_id, *ca_handle, *detail, *request_id; /* NULL where absent */
	int64_t ca_id;                                   /* 0: none; not when listed */
};

CHECKED enum fault_code audit_store_insert(struct db_connection *connection, const struct audit_record *record,
	struct fault *fault);
/* Newest first, with ids below `before`. ca_id 0: of all CAs. */
CHECKED enum fault_code audit_store_list(struct db_connection *connection, int64_t ca_id, int64_t before, int64_t limit,
	struct stmt **ret_stmt, struct fault *fault);
CHECKED enum fault_code audit_store_next(struct stmt *stmt, struct audit_record *ret_record, bool *ret_found,
	struct fault *fault);

#endif
