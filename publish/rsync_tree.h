/*
 * rsync_tree: one directory below DIR/rsync with the objects of one serial as files.
 *
 * Trees share files by hard links, so no file is ever written through its name: a file is made beside the trees, complete with
 * content, mode and time, and then renamed to its place. Every directory has the same time, because validators run rsync -rt
 * and would be told of directories that changed in nothing but that.
 *
 * What is put here is durable after rsync_tree_flush(), not before. Threads: the publisher's.
 */
#ifndef PUBLISH_RSYNC_TREE_H
#define PUBLISH_RSYNC_TREE_H

#include "publish/site.h"

#define RSYNC_TREE_DIRECTORY_TIME INT64_C(978307200) /* 2001-01-01T00:00:00Z */
#define RSYNC_TREE_DEPTH 32                          /* directories below one another */

struct rsync_tree {
	int parent; /* DIR/rsync */
	int root;   /* the tree itself */
};

#define RSYNC_TREE_INIT ((struct rsync_tree){ .parent = -1, .root = -1 })

/* Opens a tree; *ret_found is false if there is none. create: makes it first if need be. Faults: DISK, IO. */
CHECKED enum fault_code rsync_tree_open(struct rsync_tree *tree, const struct site *site, const char *name, bool create,
	bool *ret_found, struct fault *fault);
void rsync_tree_close(struct rsync_tree *tree); /* for AUTO_CLEAR */

/*
 * Puts a new file in place, over whatever is there. Faults: DISK, IO, DATABASE (a path that can't be, other bytes than the
 * object's).
 */
CHECKED enum fault_code rsync_tree_put(const struct rsync_tree *tree, const struct publication_object *object, struct span der,
	struct fault *fault);
/*
 * The same by a hard link to the file that `from` has at that path, if it is a file of the right size and time and the system
 * gives the link; else *ret_linked is false and nothing has changed.
 */
CHECKED enum fault_code rsync_tree_link(const struct rsync_tree *tree, const struct rsync_tree *from,
	const struct publication_object *object, bool *ret_linked, struct fault *fault);
/* Removes a file if it is there, and directories that are empty then. */
CHECKED enum fault_code rsync_tree_remove(const struct rsync_tree *tree, const char *path, struct fault *fault);
/* Waits until all that was done is on the disk. */
CHECKED enum fault_code rsync_tree_flush(const struct rsync_tree *tree, struct fault *fault);

enum rsync_tree_state {
	RSYNC_TREE_GOOD,
	RSYNC_TREE_BAD,    /* missing, or other than it should be in size, time, mode or kind */
	RSYNC_TREE_ROTTEN, /* looks right from outside, but its content is another */
};

/* Holds the file of an object against it; with_content: reads it as well. */
CHECKED enum fault_code rsync_tree_check(const struct rsync_tree *tree, const struct publication_object *object,
	bool with_content, enum rsync_tree_state *ret_state, struct fault *fault);

/* Whether there should be a file at this path. */
typedef enum fault_code (*rsync_tree_expects)(void *argument, const char *path, bool *ret_expected, struct fault *fault);

/*
 * Walks over the whole tree: sets times and modes of directories right, removes empty ones and whatever is neither file nor
 * directory, and counts the files. expects: is asked about each file, and those that it doesn't expect are removed; NULL: all
 * stay. Other things may pass now and then, see site_let_pass(). Faults: IO, BUSY, those of expects.
 */
CHECKED enum fault_code rsync_tree_tidy(const struct rsync_tree *tree, const struct site *site, rsync_tree_expects expects,
	void *argument, int64_t *ret_files, struct fault *fault);
/*
 * Removes a tree and all that is in it; that it is not there is fine. Other things may pass between the directories in it, see
 * site_let_pass(): as many files as a repository has take seconds. BUSY: a part is left. Faults else: IO.
 */
CHECKED enum fault_code rsync_tree_drop(const struct site *site, const char *name, struct fault *fault);

#endif
