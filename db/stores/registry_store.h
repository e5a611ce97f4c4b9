/*
 * registry_store: members as a registry feed sees them, what it changes of them beside their resources, and the rows of the table
 * registry_feeds. As in ca_store.h: records borrow, statements are the caller's.
 */
#ifndef DB_STORES_REGISTRY_STORE_H
#define DB_STORES_REGISTRY_STORE_H

#include "db/stmt.h"

struct registry_member_record {
	int64_t ca_id;
	const char *handle, *alias;                      /* alias NULL: none is stored */
	struct span resources;
	bool held;                                       /* an operator holds its changes back */
	bool waiting;                                    /* it gives or takes resources in a change that is not published yet */
	int64_t roas_count;
};

/* Active members in order of ca_id. */
CHECKED enum fault_code registry_store_members(struct db_connection *connection, struct stmt **ret_stmt, struct fault *fault);
CHECKED enum fault_code registry_store_next_member(struct stmt *stmt, struct registry_member_record *ret_record, bool *ret_found,
	struct fault *fault);

/* An active member as it stands now. */
struct registry_member_state {
	int64_t parent_id;
	struct span resources;
	bool held, waiting;
};

/* The statement stands on the row; *ret_found false: there is no such active member. */
CHECKED enum fault_code registry_store_member(struct db_connection *connection, int64_t ca_id, struct stmt **ret_stmt,
	struct registry_member_state *ret_state, bool *ret_found, struct fault *fault);

/* Nothing is issued for it: the version stays. */
CHECKED enum fault_code registry_store_set_alias(struct db_connection *connection, int64_t ca_id, const char *alias,
	struct fault *fault);

/* Whose file was applied last, of those that say it. *ret_registry borrows from the statement; NULL: none was. */
CHECKED enum fault_code registry_store_last(struct db_connection *connection, struct stmt **ret_stmt, const char **ret_registry,
	struct fault *fault);

struct registry_feed_record {
	int64_t applied_at;
	const char *actor, *registry;                    /* registry NULL: it doesn't say */
	int64_t holders, members_new, members_changed, members_gone, roas_lost;
	const char *code;
	bool accepted;
};

CHECKED enum fault_code registry_store_insert(struct db_connection *connection, const struct registry_feed_record *record,
	int64_t *ret_feed_id, struct fault *fault);

#endif
