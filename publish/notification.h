/*
 * notification: the notification file (RFC 8182 §3.5.1): which deltas it lists, its text, and how it replaces the one before.
 *
 * The notification of a serial is a function of the rows: which deltas it lists is decided once, when the serial's files are
 * complete, and stands in its cut from then on. Threads: the publisher's.
 */
#ifndef PUBLISH_NOTIFICATION_H
#define PUBLISH_NOTIFICATION_H

#include "publish/site.h"

#define NOTIFICATION_SIZE_MAX 1048576 /* bytes; a listed delta takes some 300 */

/*
 * The oldest delta to list, 0 for none. cuts: downwards, cuts[0] is the serial in question, its files complete. As many of the
 * newest deltas, without a gap, as the settings allow and as are together no larger than the snapshot (RFC 8182 §3.3.2). Ages
 * count from the time of that cut, not from now. Pure.
 */
int64_t notification_first_delta(const struct publication_cut *cuts, size_t count, const struct publisher_settings *settings);

/* Appends the text of the notification of a serial whose files are complete. */
CHECKED enum fault_code notification_compose(const struct site *site, struct db_connection *connection,
	const struct publication_repository *repository, const struct publication_cut *cut, struct bytes *text,
	struct fault *fault);

/* Removes the .gz of the notification on disk, then puts this text in its place, durably in that order. */
CHECKED enum fault_code notification_put(struct site *site, const struct publication_cut *cut, struct span text,
	struct fault *fault);

#endif
