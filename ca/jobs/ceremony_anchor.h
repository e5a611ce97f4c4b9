/* ceremony_anchor: the trust anchor as the database has it, for both halves of a ceremony. Private to ca/jobs. */
#ifndef CA_JOBS_CEREMONY_ANCHOR_H
#define CA_JOBS_CEREMONY_ANCHOR_H

#include "ca/ceremony/ceremony_request.h"
#include "db/db.h"

struct ceremony_anchor_row {
	int64_t ca_id, key_id, repository_id;
	char directory[STATE_URI_MAX];
	struct bytes spki;
};

/* *ret_row must be zeroed. Faults: CONFLICT when its key is on this server, NOT_FOUND, MEMORY, DATABASE. */
CHECKED enum fault_code ceremony_anchor_load(struct db_connection *connection, struct ceremony_anchor_row *ret_row, struct fault *fault);
void ceremony_anchor_clear(struct ceremony_anchor_row *row);

#endif
