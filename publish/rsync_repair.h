/*
 * rsync_repair: holds the rsync trees against the database. Threads: the publisher's.
 */
#ifndef PUBLISH_RSYNC_REPAIR_H
#define PUBLISH_RSYNC_REPAIR_H

#include "publish/site.h"

/*
 * The tree that is served: each file is read, and what is missing or differs is replaced by a new file, what is foreign is
 * removed, the link is turned to it; one that is wholly gone is made anew. Older trees are only looked at from outside; one
 * that isn't whole is dropped. *repaired rises with each file written, and by one for a tree or a link. Faults: DISK, IO,
 * MEMORY, DATABASE.
 */
CHECKED enum fault_code rsync_repair_run(struct site *site, int64_t *repaired, struct fault *fault);

#endif
