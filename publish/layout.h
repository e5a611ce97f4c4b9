/*
 * layout: the names of everything that is published, below the data directory and in URIs.
 *
 *     rrdp/notification.xml
 *     rrdp/<session>/<serial>/<random>/{snapshot,delta}.xml   and .gz beside each
 *     rrdp/<N>/…                                              the same of repository N, from 2 on
 *     rsync/<tree>/<path of the object>   rsync/current -> <tree>
 *     ta/ta.cer
 *
 * Pure. Names that come from the database are checked before they become a part of a path.
 */
#ifndef PUBLISH_LAYOUT_H
#define PUBLISH_LAYOUT_H

#include <stdbool.h>

#include "ca/base/fault.h"
#include "db/stores/publisher_store.h"

#define LAYOUT_PATH 192 /* room for every path below, NUL included */

#define LAYOUT_RRDP "rrdp"
#define LAYOUT_NOTIFICATION "rrdp/notification.xml" /* of repository 1 */
#define LAYOUT_NOTIFICATION_NAME "notification.xml"
#define LAYOUT_RSYNC "rsync"
#define LAYOUT_CURRENT "current"                /* in rsync/: the link to the tree that is served */
#define LAYOUT_TRUST_ANCHOR "ta/ta.cer"         /* below the data directory, and as objects.path */
#define LAYOUT_GZIP ".gz"
#define LAYOUT_TEMPORARY ".tmp-"                /* what atomic_file puts behind a name, before random digits */

/* The two kinds of files that a serial has. */
enum layout_file { LAYOUT_SNAPSHOT, LAYOUT_DELTA };

const char *layout_file_name(enum layout_file file); /* "snapshot.xml", "delta.xml" */
/* rrdp, or rrdp/<N>: where all of a repository is. */
void layout_repository(char path[LAYOUT_PATH], int64_t repository_id);
/* Its notification. */
void layout_notification(char path[LAYOUT_PATH], int64_t repository_id);
/* The same as in a URI: what stands behind the repository's base. */
const char *layout_below_repository(const char *path, int64_t repository_id);
/* rrdp/[<N>/]<session>/<serial>/<random>/<name>; name NULL: the directory. */
void layout_rrdp(char path[LAYOUT_PATH], const char *session, const struct publication_cut *cut, const char *name);
void layout_tree(char path[LAYOUT_PATH], const char *tree_name); /* rsync/<tree> */

/* DATABASE unless session and random part have the form that they must have. */
CHECKED enum fault_code layout_check_names(const char *session, const struct publication_cut *cut, struct fault *fault);
/*
 * DATABASE unless an object's path stays inside its tree and is plain in URIs and XML: segments of letters, digits, '-', '_'
 * and '.', none empty or starting with a dot, LAYOUT_OBJECT_PATH bytes with its NUL at most.
 */
#define LAYOUT_OBJECT_PATH 1024
CHECKED enum fault_code layout_check_object_path(const char *path, struct fault *fault);

#endif
