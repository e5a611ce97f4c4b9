/*
 * rsync_rotation: which rsync tree is served, which is brought up to date next, and the flip of the link from one to the other.
 *
 * A tree holds the objects of all repositories, each as of a serial of its own (rsync_tree_parts); the serials here are the sums of
 * these, as no part of a tree ever goes back.
 *
 * A tree that was served stays untouched for its grace time, so that a validator in the middle of a transfer gets one state
 * and no mixture. Then it is brought to a newer serial by the changes that it missed, sharing files with the tree that is
 * served. Its target is recorded first and is redone from the start after a crash: all of it may be done twice.
 *
 * Threads: the publisher's.
 */
#ifndef PUBLISH_RSYNC_ROTATION_H
#define PUBLISH_RSYNC_ROTATION_H

#include "publish/rsync_tree.h"

#define ROTATION_SPARE_MAX 3    /* trees that are kept past their grace time */
#define ROTATION_TREES_MAX 8192
#define ROTATION_TREES_MIN 2    /* so many may be made whatever the limit of links is: with fewer nothing could ever change */

struct rsync_rotation {
	struct publication_head *repositories;
	size_t repositories_count;
	int64_t notified_serial, rsync_serial; /* sums */
	struct publication_tree *trees;
	size_t count;
	struct publication_tree *served; /* among trees, by the database; NULL: none */
	char linked[PUBLICATION_TREE_NAME]; /* what the link names, "": nothing, or nothing that can be a tree */
};

#define RSYNC_ROTATION_INIT ((struct rsync_rotation){ .trees = NULL })

/*
 * Reads rows and link. A tree that a crash left complete and linked, but not recorded, is recorded first.
 * Faults: DATABASE, DISK, IO, MEMORY.
 */
CHECKED enum fault_code rsync_rotation_load(struct rsync_rotation *rotation, const struct site *site, struct fault *fault);
void rsync_rotation_clear(struct rsync_rotation *rotation); /* for AUTO_CLEAR */

/* Points the link at a tree. */
CHECKED enum fault_code rsync_rotation_link(const struct site *site, const char *tree_name, struct fault *fault);
/* Whether a tree is gone from the disk. Faults: IO. */
CHECKED enum fault_code rsync_rotation_is_lost(const struct site *site, const struct publication_tree *tree, bool *ret_lost,
	struct fault *fault);
/* Drops a tree that isn't served: its row, then its files. */
CHECKED enum fault_code rsync_rotation_drop(const struct site *site, const struct publication_tree *tree, struct fault *fault);

/*
 * Serves a tree of the notified serials. *ret_serial: the sum of what is served then. Faults: BUSY (no tree is free), DISK, IO,
 * DATABASE, MEMORY.
 */
CHECKED enum fault_code rsync_rotation_advance(const struct site *site, int64_t *ret_serial, struct fault *fault);
/* Drops trees past their grace time but the newest few. */
CHECKED enum fault_code rsync_rotation_trim(const struct site *site, struct fault *fault);

#endif
