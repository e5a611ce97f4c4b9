/*
 * ca_store: rows of the table cas. Deleted CAs are not there for anybody.
 *
 * As in every store: what a record points to is borrowed from its statement until the next step. Statements come ready to be
 * given to the _next() function beside; the caller ends them with stmt_done(). All set DATABASE, DISK, IO or MEMORY when the
 * database fails.
 */
#ifndef DB_STORES_CA_STORE_H
#define DB_STORES_CA_STORE_H

#include "db/stmt.h"

struct ca_record {
	int64_t ca_id, parent_id, repository_id;         /* parent_id 0: none (the TA) */
	const char *handle, *kind, *state;
	const char *parent_handle;                       /* NULL: no parent */
	struct span resources;                           /* encoded; data NULL: it inherits */
	int64_t version, roas_version, roas_count;
	int64_t changed_at, created_at;                  /* changed_at 0: nothing waits */
	const char *set_aside_reason;                    /* NULL: it works */
	int64_t held_at, suspended_at;                   /* 0: it isn't */
	int64_t change_group;                            /* 0: what waits of it concerns it alone */
	bool change_last;                                /* it gives up what others of its group gain; else it gains */
	const char *rsync_uri;                           /* of its repository */
	int64_t notified_serial;                         /* of its repository */
};

struct ca_creation {
	const char *handle, *kind, *directory;
	int64_t parent_id, repository_id;                /* parent_id 0: none */
	struct span resources;                           /* data NULL: it inherits */
	const char *import_id;                           /* NULL: none */
	const char *alias;                               /* what the registry's feed calls it; NULL: nothing */
	int64_t created_at;
};

/* Faults: NOT_FOUND. */
CHECKED enum fault_code ca_store_find(struct db_connection *connection, const char *handle, int64_t *ret_ca_id,
	struct fault *fault);
/* The statement stands on the row already. Faults: NOT_FOUND. */
CHECKED enum fault_code ca_store_get(struct db_connection *connection, int64_t ca_id, struct stmt **ret_stmt,
	struct ca_record *ret_record, struct fault *fault);
/* By handle, from the one after `after` (NULL: from the first). */
CHECKED enum fault_code ca_store_list(struct db_connection *connection, const char *after, int64_t limit, struct stmt **ret_stmt,
	struct fault *fault);
/* Of any kind, those that are set aside. */
CHECKED enum fault_code ca_store_list_set_aside(struct db_connection *connection, const char *after, int64_t limit,
	struct stmt **ret_stmt, struct fault *fault);
CHECKED enum fault_code ca_store_next(struct stmt *stmt, struct ca_record *ret_record, bool *ret_found, struct fault *fault);

/* Made as changed, version 1. Faults: CONFLICT (handle or directory in use). */
CHECKED enum fault_code ca_store_insert(struct db_connection *connection, const struct ca_creation *creation, int64_t *ret_ca_id,
	struct fault *fault);

/* What bounds the children of an issuing CA. */
struct issuing_bounds {
	int64_t children_max;                            /* of each */
	int64_t places_max;                              /* of all issuing CAs of a repository, if they are several */
	int64_t snapshot_max;                            /* bytes: none in a repository whose last notified snapshot is larger */
	int64_t repositories_max;                        /* the last that there may be takes all, whatever its size */
};

/* The newest working issuing CA with room within these, and how many children more it takes; *ret_ca_id 0: none has room. */
CHECKED enum fault_code ca_store_issuing_with_room(struct db_connection *connection, const struct issuing_bounds *bounds, int64_t *ret_ca_id,
	int64_t *ret_repository_id, int64_t *ret_room, struct fault *fault);
/* What a further issuing CA takes over from the newest one, and how many there are. Faults: NOT_FOUND (there is none). */
CHECKED enum fault_code ca_store_last_issuing(struct db_connection *connection, int64_t *ret_parent_id,
	int64_t *ret_count, struct fault *fault);

/* Each of these raises the version and marks the CA as changed, but for the one for comments alone. */
CHECKED enum fault_code ca_store_set_resources(struct db_connection *connection, int64_t ca_id, struct span resources,
	int64_t now_at, struct fault *fault);
CHECKED enum fault_code ca_store_change_roas(struct db_connection *connection, int64_t ca_id, int64_t more, const char *import_id,
	int64_t now_at, struct fault *fault);
CHECKED enum fault_code ca_store_change_comments(struct db_connection *connection, int64_t ca_id, struct fault *fault);
CHECKED enum fault_code ca_store_delete(struct db_connection *connection, int64_t ca_id, int64_t now_at, struct fault *fault);
/* *ret_repaired false: it was not set aside, nothing changed. */
CHECKED enum fault_code ca_store_repair(struct db_connection *connection, int64_t ca_id, int64_t now_at, bool *ret_repaired,
	struct fault *fault);
/*
 * Puts two CAs (one may be 0: none) and all that wait together with either into a group of their own: their changes belong in one
 * serial. What `loser` gives up stands until the others are ready.
 */
CHECKED enum fault_code ca_store_group(struct db_connection *connection, int64_t loser_id, int64_t gainer_id, struct fault *fault);
/*
 * The same for any number of CAs: a number that no waiting group has, and each CA (0: none) with all that wait together with it
 * into that group. last: what it gives up stands until the others are ready.
 */
CHECKED enum fault_code ca_store_next_group(struct db_connection *connection, int64_t *ret_group, struct fault *fault);
CHECKED enum fault_code ca_store_join_group(struct db_connection *connection, int64_t group, int64_t ca_id, bool last,
	struct fault *fault);
/* *ret_changed false: it was so already. A hold makes nothing due. */
CHECKED enum fault_code ca_store_hold(struct db_connection *connection, int64_t ca_id, int64_t now_at, bool *ret_changed,
	struct fault *fault);
CHECKED enum fault_code ca_store_release(struct db_connection *connection, int64_t ca_id, int64_t now_at, bool *ret_changed,
	struct fault *fault);
CHECKED enum fault_code ca_store_suspend(struct db_connection *connection, int64_t ca_id, int64_t now_at, bool *ret_changed,
	struct fault *fault);
CHECKED enum fault_code ca_store_resume(struct db_connection *connection, int64_t ca_id, int64_t now_at, bool *ret_changed,
	struct fault *fault);

#endif
