/* state_loader: reads all that a plan rests on (ca_state) in one view of the database. Threads: as the connection. */
#ifndef CA_JOBS_STATE_LOADER_H
#define CA_JOBS_STATE_LOADER_H

#include "ca/plan/ca_state.h"
#include "db/db.h"

/*
 * now_at: revocations of what has expired by then are left out. Faults: NOT_FOUND; MALFORMED (rows that don't add up: the CA's own
 * fault); DATABASE, MEMORY.
 */
CHECKED enum fault_code state_loader_load(struct db_connection *connection, int64_t ca_id, int64_t now_at, struct ca_state **ret_state,
	struct fault *fault);

#endif
