/*
 * publication_store: what is published, for people to look at: repositories with their notification, and the objects of a CA.
 * Reads only. As in ca_store.h: records borrow, statements are the caller's.
 */
#ifndef DB_STORES_PUBLICATION_STORE_H
#define DB_STORES_PUBLICATION_STORE_H

#include "db/stmt.h"

struct publication_record {
	int64_t repository_id;
	const char *session, *rrdp_uri, *rsync_uri;
	int64_t notified_serial, notified_at;            /* of the notification on disk; 0: none yet, here and below */
	int64_t serial, cut_at;                          /* of the last cut */
	int64_t rsync_serial, rsync_at;
	int64_t snapshot_size, deltas, deltas_size;      /* in that notification */
	int64_t objects, objects_size;                   /* likewise: how many, and their bytes */
};

CHECKED enum fault_code publication_store_list(struct db_connection *connection, struct stmt **ret_stmt, struct fault *fault);
CHECKED enum fault_code publication_store_next(struct stmt *stmt, struct publication_record *ret_record, bool *ret_found,
	struct fault *fault);
struct ca_counts {
	int64_t cas, waiting, set_aside, roas;
};

CHECKED enum fault_code publication_store_count_cas(struct db_connection *connection, struct ca_counts *ret_counts,
	struct fault *fault);

struct published_object {
	const char *path, *kind;
	struct span hash, serial;                        /* serial: data NULL for a CRL */
	int64_t size, not_before_at, not_after_at, published_serial;
};

/*
 * What the notifications on disk have of a CA: what stands at its publication point, and its own certificate, which may be in another
 * repository. By path.
 */
CHECKED enum fault_code publication_store_objects(struct db_connection *connection, int64_t ca_id, struct stmt **ret_stmt,
	struct fault *fault);
CHECKED enum fault_code publication_store_next_object(struct stmt *stmt, struct published_object *ret_object, bool *ret_found,
	struct fault *fault);

#endif
