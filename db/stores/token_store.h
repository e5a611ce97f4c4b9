/*
 * token_store: rows of the table tokens. Holds hashes, never a token. As in ca_store.h: records borrow, statements are the
 * caller's.
 */
#ifndef DB_STORES_TOKEN_STORE_H
#define DB_STORES_TOKEN_STORE_H

#include "db/stmt.h"

struct token_record {
	const char *token_id, *name, *role;
	const char *ca_handle;                           /* when listed; NULL: bound to no CA */
	int64_t ca_id;                                   /* 0: bound to no CA */
	struct span hash;                                /* not when listed */
	int64_t created_at, expires_at, revoked_at;      /* 0: never */
};

CHECKED enum fault_code token_store_insert(struct db_connection *connection, const struct token_record *record,
	struct fault *fault);
/* *ret_found false: there is none; else the statement stands on its row. The statement is the caller's in either case. */
CHECKED enum fault_code token_store_get(struct db_connection *connection, const char *token_id, struct stmt **ret_stmt,
	struct token_record *ret_record, bool *ret_found, struct fault *fault);
/* ca_id 0: those bound to no CA, here and below. */
CHECKED enum fault_code token_store_list(struct db_connection *connection, int64_t ca_id, struct stmt **ret_stmt,
	struct fault *fault);
CHECKED enum fault_code token_store_next(struct stmt *stmt, struct token_record *ret_record, bool *ret_found,
	struct fault *fault);
/* How many can be used at now_at. */
CHECKED enum fault_code token_store_count(struct db_connection *connection, int64_t ca_id, int64_t now_at, int64_t *ret_count,
	struct fault *fault);

/* How many others of the role admin can still be used. */
CHECKED enum fault_code token_store_other_admins(struct db_connection *connection, const char *token_id, int64_t now_at,
	int64_t *ret_count, struct fault *fault);
/* What was revoked before stays as it was. */
CHECKED enum fault_code token_store_revoke(struct db_connection *connection, const char *token_id, int64_t now_at,
	struct fault *fault);
CHECKED enum fault_code token_store_revoke_all(struct db_connection *connection, int64_t ca_id, int64_t now_at,
	struct fault *fault);

#endif
