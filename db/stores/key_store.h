/* key_store: rows of the table keys, as people see them, and the wish for a new key. See ca_store.h for what stores share. */
#ifndef DB_STORES_KEY_STORE_H
#define DB_STORES_KEY_STORE_H

#include <stdbool.h>

#include "db/stmt.h"

struct key_record {
	const char *state;                       /* "staged", "current", "retired", "destroyed" */
	struct span identifier;
	bool offline;                            /* its private half is not here */
	int64_t created_at, published_at, retired_at; /* 0: not yet */
	int64_t manifest_number, crl_number;
};

/* The newest first; destroyed ones only if asked for. */
CHECKED enum fault_code key_store_list(struct db_connection *connection, int64_t ca_id, bool destroyed, int64_t limit,
	struct stmt **ret_stmt, struct fault *fault);
CHECKED enum fault_code key_store_next(struct stmt *stmt, struct key_record *ret_record, bool *ret_found, struct fault *fault);

/* *ret_roll_at: when a new key is wanted, 0: none is. *ret_rolling: there is a staged or retired key. Faults: NOT_FOUND. */
CHECKED enum fault_code key_store_rolling(struct db_connection *connection, int64_t ca_id, int64_t *ret_roll_at, bool *ret_rolling,
	struct fault *fault);
/* A new key is wanted now. staging_s below 0: as the settings say. */
CHECKED enum fault_code key_store_roll(struct db_connection *connection, int64_t ca_id, int64_t staging_s, int64_t now_at,
	struct fault *fault);
/* The same for all CAs whose key was made by then, so many an hour from now on. */
CHECKED enum fault_code key_store_roll_all(struct db_connection *connection, int64_t made_by_at, int64_t per_hour, int64_t staging_s,
	int64_t now_at, int64_t *ret_count, struct fault *fault);

#endif
