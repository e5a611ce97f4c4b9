/*
 * retention: how long snapshot and delta files stay after the notification has stopped naming them, and what goes with them.
 *
 * A validator that read a notification fetches what it names a moment later, or hours later through caches: files stay for
 * their grace time after the notification that named them last was replaced, the oldest less long if those of all repositories together
 * exceed the budget, but never less than caches need to let go of that notification. What a notification on disk or a coming one names
 * always stays.
 *
 * Threads: the publisher's.
 */
#ifndef PUBLISH_RETENTION_H
#define PUBLISH_RETENTION_H

#include "publish/site.h"

#define RETENTION_NAMED INT64_MAX
#define RETENTION_LEAST_S 900 /* what was named more recently stays, whatever the budget says; config.def tells operators */

/* When the files of one cut stopped being named; RETENTION_NAMED: they are named. Bytes on disk. */
struct retention_item {
	int64_t snapshot_unnamed_at, delta_unnamed_at;
	int64_t snapshot_size, delta_size;
};

/* One repository's cuts, upwards, and which of their files stay: snapshots and deltas from these indices on. */
struct retention_part {
	const struct publication_cut *cuts;
	const struct retention_item *items;
	size_t count;
	size_t snapshots_from, deltas_from; /* 0 before retention_decide() */
};

/*
 * Sets *_unnamed_at of items[i] for cuts[i]. cuts: upwards without a gap, to the last cut there is. notified_serial: of the
 * notification on disk. Pure.
 */
void retention_date(const struct publication_cut *cuts, size_t count, int64_t notified_serial, struct retention_item *items);
/* What goes now, each part being one repository. Pure. */
void retention_decide(struct retention_part *parts, size_t count, const struct publisher_settings *settings, int64_t now_at);

/* Removes what has to go: files, empty directories, bytes of objects. Faults: IO, DISK, DATABASE, MEMORY. */
CHECKED enum fault_code retention_apply(struct site *site, struct fault *fault);

#endif
