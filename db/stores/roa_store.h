/*
 * roa_store: rows of the table roas, what members want authorised. As in ca_store.h: records borrow, statements are the
 * caller's.
 */
#ifndef DB_STORES_ROA_STORE_H
#define DB_STORES_ROA_STORE_H

#include "db/stmt.h"

struct roa_record {
	int64_t asn, family, prefix_length, max_length;
	struct span address;                             /* 4 or 16 octets */
	const char *comment;                             /* NULL: none */
	int64_t created_at;
	bool published;                                  /* when listed: a ROA in the notification on disk says it */
};

/* *ret_inserted false: it was there already, and stays as it is. created_at of the record counts. */
CHECKED enum fault_code roa_store_insert(struct db_connection *connection, int64_t ca_id, const struct roa_record *record,
	bool *ret_inserted, struct fault *fault);
CHECKED enum fault_code roa_store_delete(struct db_connection *connection, int64_t ca_id, const struct roa_record *record,
	bool *ret_deleted, struct fault *fault);
/* *ret_changed false: it is not there, or has this comment. */
CHECKED enum fault_code roa_store_set_comment(struct db_connection *connection, int64_t ca_id, const struct roa_record *record,
	bool *ret_changed, struct fault *fault);
CHECKED enum fault_code roa_store_delete_all(struct db_connection *connection, int64_t ca_id, struct fault *fault);

/* By AS, family, address, prefix length, maxLength. */
CHECKED enum fault_code roa_store_list(struct db_connection *connection, int64_t ca_id, int64_t notified_serial,
	struct stmt **ret_stmt, struct fault *fault);
/* The same without telling what is published: cheaper. */
CHECKED enum fault_code roa_store_intents(struct db_connection *connection, int64_t ca_id, struct stmt **ret_stmt,
	struct fault *fault);
CHECKED enum fault_code roa_store_next(struct stmt *stmt, struct roa_record *ret_record, bool *ret_found, struct fault *fault);

#endif
