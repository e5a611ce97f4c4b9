/* transfer_store: rows of the table transfers. As in ca_store.h: records borrow, statements are the caller's. */
#ifndef DB_STORES_TRANSFER_STORE_H
#define DB_STORES_TRANSFER_STORE_H

#include "db/stmt.h"

struct transfer_record {
	int64_t transfer_id;
	const char *state;                               /* "prepared", "issuing", "cancelled" */
	int64_t from_ca_id, to_ca_id;                    /* 0: another registry */
	const char *from_handle, *to_handle;             /* NULL likewise; also of CAs that were deleted since */
	struct span resources;                           /* encoded */
	const char *roas, *straddling;
	int64_t roas_within, roas_straddling, roas_added;
	const char *actor;
	int64_t created_at, confirmed_at;                /* confirmed_at 0: nobody did */
	int64_t serial;                                  /* of the cut that carries it; 0: none yet */
	bool published;                                  /* that is notified, or a later one is */
	int64_t notified_at;                             /* when it was; 0: not yet, or by a later serial */
};

/* Takes of the record: state, ca_ids, resources, roas, straddling, counts, actor, created_at. */
CHECKED enum fault_code transfer_store_insert(struct db_connection *connection, const struct transfer_record *record,
	int64_t *ret_transfer_id, struct fault *fault);
/* The statement stands on the row. Faults: NOT_FOUND. */
CHECKED enum fault_code transfer_store_get(struct db_connection *connection, int64_t transfer_id, struct stmt **ret_stmt,
	struct transfer_record *ret_record, struct fault *fault);
/* Newest first, ids below `before` (0: from the newest); those of one CA, or all (ca_id 0). */
CHECKED enum fault_code transfer_store_list(struct db_connection *connection, int64_t ca_id, int64_t before, int64_t limit,
	struct stmt **ret_stmt, struct fault *fault);
CHECKED enum fault_code transfer_store_next(struct stmt *stmt, struct transfer_record *ret_record, bool *ret_found,
	struct fault *fault);

/* Those that wait to be completed: transfer_id and resources alone. */
CHECKED enum fault_code transfer_store_prepared(struct db_connection *connection, struct stmt **ret_stmt, struct fault *fault);
/* Those that were made since then; dated_at 0: since the last registry feed. Likewise. */
CHECKED enum fault_code transfer_store_since(struct db_connection *connection, int64_t dated_at, struct stmt **ret_stmt,
	struct fault *fault);
/* Of either. */
CHECKED enum fault_code transfer_store_next_resources(struct stmt *stmt, int64_t *ret_transfer_id, struct span *ret_resources,
	bool *ret_found, struct fault *fault);

/* Takes of the record: transfer_id, straddling, counts. The row must be a prepared one: the caller has looked. */
CHECKED enum fault_code transfer_store_complete(struct db_connection *connection, const struct transfer_record *record,
	int64_t now_at, struct fault *fault);
CHECKED enum fault_code transfer_store_cancel(struct db_connection *connection, int64_t transfer_id, int64_t now_at,
	struct fault *fault);

#endif
