/*
 * verify: holds everything that can be fetched against the database and makes it right.
 *
 * Order: what most validators fetch next comes first. The snapshot of the notification on disk, then the notification (never
 * before the snapshot that it names), the trust anchor's certificate, the deltas from the newest to the oldest, older
 * snapshots, the rsync trees; then what belongs nowhere is swept away. Threads: the publisher's.
 */
#ifndef PUBLISH_VERIFY_H
#define PUBLISH_VERIFY_H

#include "publish/site.h"

/*
 * *ret_repaired: files written again. A file that the database no longer gives is left out, all others are gone through, and
 * it ends with that DATABASE fault. Does nothing before the first notification. Faults: DISK, IO, MEMORY, DATABASE.
 */
CHECKED enum fault_code verify_run(struct site *site, int64_t *ret_repaired, struct fault *fault);

#endif
