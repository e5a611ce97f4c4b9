/*
 * cut: all that is staged becomes the next serial, in one transaction over all repositories: parents' certificates and children's objects
 * change together, so nothing ever over-claims and nothing is missing in between. Each repository in which something waits gets its next
 * serial, the others keep theirs; all that one cut makes are of one second.
 */
#ifndef CA_JOBS_CUT_H
#define CA_JOBS_CUT_H

#include <stdbool.h>
#include <stdint.h>

#include "ca/base/clock.h"
#include "ca/base/fault.h"
#include "db/db.h"

/*
 * Where the repositories stand. Serials are sums over all of them, which each cut raises; of one repository, its serial. As no serial is
 * ahead of the one that it follows, sums are equal only if all are.
 */
struct cut_position {
	int64_t serial, cut_at;          /* of the last cut */
	int64_t notified_serial, notified_at; /* of the notifications on disk */
	int64_t rsync_serial, rsync_at;  /* of the rsync tree that is served */
	bool waiting;                    /* something is staged or to be withdrawn */
	bool anew;                       /* after a restore: no serial of the new session was made, and what is published is as old as the backup */
	bool blocked;                    /* a parent's manifest doesn't say yet what its children changed: reconcile_parents() first */
};

CHECKED enum fault_code cut_look(struct db *db, struct cut_position *ret_position, struct fault *fault);

/*
 * Makes the cut. *ret_serial, as in cut_position; 0: there was nothing to cut. Faults: CLOCK (less than a second since the last:
 * notifications are told apart by their second), BUSY (blocked), DATABASE, DISK, CRYPTO.
 */
CHECKED enum fault_code cut_make(struct db *db, const struct clock *clock, int64_t *ret_serial, struct fault *fault);

#endif
