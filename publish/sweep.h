/*
 * sweep: removes what doesn't belong below DIR/rrdp, DIR/rsync and beside DIR/ta/ta.cer: leftovers of a crash, and whatever else.
 *
 * A file system's own lost+found stays. Threads: the publisher's; what the other thread is just writing stays.
 */
#ifndef PUBLISH_SWEEP_H
#define PUBLISH_SWEEP_H

#include "publish/site.h"

/*
 * Of the site's repository; other repositories' directories are left alone. cuts: those with kept files, upwards without a gap. Files
 * that are neither kept nor recorded go, and directories that are empty then.
 */
CHECKED enum fault_code sweep_rrdp(struct site *site, const char *session, const struct publication_cut *cuts, size_t count,
	struct fault *fault);
CHECKED enum fault_code sweep_rsync(struct site *site, const struct publication_tree *trees, size_t count, struct fault *fault);
CHECKED enum fault_code sweep_trust_anchor(struct site *site, struct fault *fault);

#endif
