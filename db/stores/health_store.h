/*
 * health_store: counts over what waits, what is late and what expires, for the server's account of itself. Reads only; each costs what
 * is not as it should be, never how many CAs there are.
 */
#ifndef DB_STORES_HEALTH_STORE_H
#define DB_STORES_HEALTH_STORE_H

#include "db/stmt.h"

struct queue_counts {
	int64_t cas, oldest_at;                  /* CAs with changes waiting, and since when the oldest; 0: none, here and below */
	int64_t held;                            /* CAs whose changes wait because an operator wants it */
};
CHECKED enum fault_code health_store_queue(struct db_connection *connection, struct queue_counts *ret_counts, struct fault *fault);

struct renewal_counts {
	int64_t due, overdue;                    /* CAs with something to renew; since before overdue_at */
	int64_t first_at;                        /* since when the first of them */
};
CHECKED enum fault_code health_store_renewals(struct db_connection *connection, int64_t now_at, int64_t overdue_at,
	struct renewal_counts *ret_counts, struct fault *fault);

struct set_aside_counts {
	int64_t cas, parents;                    /* parents: of these, those that others hang on */
	int64_t first_at;                        /* since when the first of them */
	int64_t expires_at;                      /* when the first object of theirs expires */
};
CHECKED enum fault_code health_store_set_aside(struct db_connection *connection, struct set_aside_counts *ret_counts,
	struct fault *fault);

/* When the first published object of a kind expires, of CAs that work; 0: there is none. */
CHECKED enum fault_code health_store_expiry(struct db_connection *connection, const char *kind, int64_t *ret_not_after_at,
	struct fault *fault);

struct set_aside_record {
	const char *handle;
	int64_t set_aside_at;
};

CHECKED enum fault_code health_store_list_set_aside(struct db_connection *connection, int64_t limit, struct stmt **ret_stmt,
	struct fault *fault);
CHECKED enum fault_code health_store_next_set_aside(struct stmt *stmt, struct set_aside_record *ret_record, bool *ret_found,
	struct fault *fault);

#endif
