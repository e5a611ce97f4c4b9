/*
 * publisher_store: all that the publisher reads from the database and records in it.
 *
 * The state of a serial is the objects published with it or before it and not withdrawn by it. It never changes once the cut
 * is made, so it may be read in pages, each on a connection (a view) of its own: nobody has to hold a long view that keeps the
 * log from being folded in. Rows are borrowed until the next one is asked for.
 *
 * Never decides anything. The bytes of an object are dropped in the same transaction that records that the last file which
 * needs them is not kept any more; the row of the object itself stays.
 *
 * Threads: reads belong to the thread that has the connection; recording functions are safe from any thread.
 */
#ifndef DB_STORES_PUBLISHER_STORE_H
#define DB_STORES_PUBLISHER_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "ca/base/bytes.h"
#include "ca/base/digest.h"
#include "ca/base/fault.h"
#include "ca/base/scope.h"
#include "db/db.h"

#define PUBLICATION_SESSION 37 /* a UUID and a NUL */
#define PUBLICATION_RANDOM 33  /* 32 hexadecimal digits and a NUL */
#define PUBLICATION_TREE_NAME 24

struct publication_repository {
	char *rrdp_uri, *rsync_uri; /* owned */
	char session[PUBLICATION_SESSION];
	int64_t serial, notified_serial, rsync_serial;
	int64_t cut_at, notified_at, rsync_at;
};
#define PUBLICATION_REPOSITORY_INIT ((struct publication_repository){ .rrdp_uri = NULL })

/* Where a repository stands; its number is its id. */
struct publication_head {
	int64_t repository_id;
	int64_t serial, notified_serial, notified_at, rsync_serial, rsync_at;
};

/* What a file on disk holds. */
struct publication_content {
	uint8_t hash[SHA256_SIZE];
	int64_t size;
};

struct publication_cut {
	int64_t repository_id, serial, cut_at;
	char random[PUBLICATION_RANDOM];
	bool has_snapshot, has_delta;          /* recorded: the file was written */
	struct publication_content snapshot, delta;
	int64_t first_delta;                   /* 0: its notification lists none */
	int64_t notified_at;                   /* 0: its notification was never on disk */
	bool snapshot_kept, delta_kept;
};

struct publication_object {
	int64_t object_id;                     /* 0: only withdrawn (in a delta) */
	const char *path;
	bool trust_anchor;
	struct span hash;
	int64_t size, modified_at, published_serial;
	struct span replaced_hash;             /* in a delta: of what stood there before; data NULL: nothing did */
};

struct publication_tree {
	int64_t tree_id;
	char name[PUBLICATION_TREE_NAME];
	int64_t serial;                        /* 0: never complete; a sum over the repositories, here and below */
	int64_t target_serial;                 /* 0: not being brought anywhere */
	int64_t retired_at;                    /* 0: served, or new */
};

/* What a tree has, and shall have, of one repository; 0 as above. */
struct publication_part {
	int64_t serial, target_serial;
};

/* Faults of all reads: DATABASE, DISK, IO, MEMORY. */

void publisher_store_clear_repository(struct publication_repository *repository);
CHECKED enum fault_code publisher_store_repository(struct db_connection *connection, int64_t repository_id,
	struct publication_repository *ret_repository, struct fault *fault);

/* All repositories, upwards. *ret_heads is to be freed. */
CHECKED enum fault_code publisher_store_repositories(struct db_connection *connection, struct publication_head **ret_heads,
	size_t *ret_count, struct fault *fault);

/* ret_cut is set only where *ret_found. */
CHECKED enum fault_code publisher_store_cut(struct db_connection *connection, int64_t repository_id, int64_t serial,
	struct publication_cut *ret_cut, bool *ret_found, struct fault *fault);
/* All cuts from this serial on, upwards. *ret_cuts is to be freed. */
CHECKED enum fault_code publisher_store_cuts_up(struct db_connection *connection, int64_t repository_id, int64_t serial,
	struct publication_cut **ret_cuts, size_t *ret_count, struct fault *fault);
/* At most `limit` cuts from this serial on, downwards. *ret_cuts is to be freed. */
CHECKED enum fault_code publisher_store_cuts_down(struct db_connection *connection, int64_t repository_id, int64_t serial,
	int64_t limit, struct publication_cut **ret_cuts, size_t *ret_count, struct fault *fault);
/* All cuts from the oldest with a kept file on, upwards. *ret_cuts is to be freed. */
CHECKED enum fault_code publisher_store_cuts_kept(struct db_connection *connection, int64_t repository_id,
	struct publication_cut **ret_cuts, size_t *ret_count, struct fault *fault);

/* Rows of objects, one after the other. */
struct publication_objects;
void publisher_store_end(struct publication_objects *objects); /* NULL is harmless */
SCOPED(struct publication_objects, publisher_store_end)
/* *ret_object is set only where *ret_more. */
CHECKED enum fault_code publisher_store_next(struct publication_objects *objects, struct publication_object *ret_object,
	bool *ret_more, struct fault *fault);
/* The bytes of the object last given, borrowed until the next is asked for. DATABASE when they are gone or of another size. */
CHECKED enum fault_code publisher_store_bytes(struct publication_objects *objects, struct span *ret_der, struct fault *fault);

/* At most `limit` objects of the state of a serial whose id is above `after`, in order of their ids. */
CHECKED enum fault_code publisher_store_state(struct db_connection *connection, int64_t repository_id, int64_t serial,
	int64_t after, int64_t limit, struct publication_objects **ret_objects, struct fault *fault);
/* The one object of that state at a path, or no row. */
CHECKED enum fault_code publisher_store_state_path(struct db_connection *connection, int64_t repository_id, int64_t serial,
	const char *path, struct publication_objects **ret_objects, struct fault *fault);
/* How many objects that state has: what the cut counted, or, of one that didn't count, a walk over them. */
CHECKED enum fault_code publisher_store_state_count(struct db_connection *connection, int64_t repository_id, int64_t serial,
	int64_t *ret_count, struct fault *fault);
/*
 * What a cut changed, without the trust anchor's certificate: publications in order of their ids, then withdrawals
 * (object_id 0).
 */
CHECKED enum fault_code publisher_store_delta(struct db_connection *connection, int64_t repository_id, int64_t serial,
	struct publication_objects **ret_objects, struct fault *fault);
/* What a tree of serial `from` lacks at `serial`: a page, as publisher_store_state(). */
CHECKED enum fault_code publisher_store_tree_put(struct db_connection *connection, int64_t repository_id, int64_t from,
	int64_t serial, int64_t after, int64_t limit, struct publication_objects **ret_objects, struct fault *fault);
/* What a tree of serial `from` may have and `serial` has not. */
CHECKED enum fault_code publisher_store_tree_remove(struct db_connection *connection, int64_t repository_id, int64_t from,
	int64_t serial, struct publication_objects **ret_objects, struct fault *fault);

/* All trees, the oldest first. *ret_trees is to be freed. */
CHECKED enum fault_code publisher_store_trees(struct db_connection *connection, struct publication_tree **ret_trees, size_t *ret_count,
	struct fault *fault);
CHECKED enum fault_code publisher_store_tree_part(struct db_connection *connection, int64_t tree_id, int64_t repository_id,
	struct publication_part *ret_part, struct fault *fault);

/* Each of the following is one durable change. Faults: DATABASE, DISK, IO, MEMORY, BUSY (closing). */

/* The delta of a serial that was overtaken before its notification: it never needs a snapshot. */
CHECKED enum fault_code publisher_store_record_delta(struct db *db, int64_t repository_id, const struct publication_cut *cut,
	struct fault *fault);
/* Snapshot, delta and first_delta of a cut. */
CHECKED enum fault_code publisher_store_record_files(struct db *db, int64_t repository_id, const struct publication_cut *cut,
	struct fault *fault);
/* The notification of this serial is on disk; drops the payloads of ROAs that are gone with it. */
CHECKED enum fault_code publisher_store_record_notified(struct db *db, int64_t repository_id, int64_t serial, int64_t now_at,
	struct fault *fault);
/* Which files of the cut are kept from now on; drops the bytes of objects that nothing kept needs. */
CHECKED enum fault_code publisher_store_retire_cut(struct db *db, int64_t repository_id, const struct publication_cut *cut,
	struct fault *fault);

/* A new tree, or one that there is, is to be brought to the notified serial of each repository. */
CHECKED enum fault_code publisher_store_new_tree(struct db *db, struct publication_tree *ret_tree, struct fault *fault);
CHECKED enum fault_code publisher_store_aim_tree(struct db *db, int64_t tree_id, struct fault *fault);
/* The tree is complete at its target and served; whichever was before is retired now. Drops bytes as retire_cut does. */
CHECKED enum fault_code publisher_store_serve_tree(struct db *db, int64_t tree_id, int64_t now_at, struct fault *fault);
CHECKED enum fault_code publisher_store_drop_tree(struct db *db, int64_t tree_id, struct fault *fault);

#endif
