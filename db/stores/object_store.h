/* object_store: rows of the table objects, as they come and go with the next cut. See ca_store.h for what stores share. */
#ifndef DB_STORES_OBJECT_STORE_H
#define DB_STORES_OBJECT_STORE_H

#include <stdbool.h>

#include "db/stmt.h"

struct object_record {
	int64_t repository_id, ca_id, key_id;    /* whose publication point it is at, the key that signed it */
	int64_t subject_ca_id;                   /* whose certificate it is; 0: it is none */
	const char *kind, *path;
	struct span resources;                   /* of a certificate that doesn't inherit */
	struct span serial, hash, der;
	int64_t not_before_at, not_after_at, modified_at;
	bool roa;                                /* then these */
	int64_t asn, slot;
};

/* Staged: it is in no cut yet. Faults: CONFLICT, DATABASE. */
CHECKED enum fault_code object_store_insert(struct db_connection *connection, const struct object_record *record, int64_t *ret_object_id,
	struct fault *fault);
/*
 * What was never in a cut has been seen by nobody: it goes without a trace. What was, leaves with the next cut and is revoked.
 * Faults: STALE (it had left already).
 */
CHECKED enum fault_code object_store_leave(struct db_connection *connection, int64_t object_id, int64_t now_at, struct fault *fault);

#endif
