/*
 * repository_store: which repositories there are for CAs to go to. Where each stands is publisher_store's.
 */
#ifndef DB_STORES_REPOSITORY_STORE_H
#define DB_STORES_REPOSITORY_STORE_H

#include "db/stmt.h"

/* The newest repository, and what stands in it by intent. */
struct repository_load {
	int64_t repository_id;
	int64_t issuing, members;                        /* CAs */
	int64_t payloads, roas;                          /* that these members ask for, and in how many objects at most */
	int64_t snapshot_size;                           /* bytes of the last one that was notified; 0: none yet */
};

/* A member has no more than roas_max objects. Costs a look at each of its members. Faults: NOT_FOUND (there is no repository), DATABASE. */
CHECKED enum fault_code repository_store_newest(struct db_connection *connection, int64_t roas_max, struct repository_load *ret_load,
	struct fault *fault);
/* A further one, with this number and session (a UUID). Faults: DATABASE. */
CHECKED enum fault_code repository_store_open(struct db_connection *connection, int64_t repository_id, const char *session,
	struct fault *fault);

#endif
