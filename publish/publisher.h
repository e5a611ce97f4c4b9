/*
 * publisher: makes the disk equal to the database: RRDP files (RFC 8182), the rsync tree, the trust anchor's certificate.
 *
 * The files are a function of the rows (repositories, cuts, objects): what is lost or damaged is written again byte for byte.
 * Never signs, never decides what is published: that is the cut (ca/jobs). Nothing is held whole: files are streamed.
 *
 *     DIR/rrdp/notification.xml                               replaced last, by rename
 *     DIR/rrdp/<session>/<serial>/<random>/{snapshot,delta}.xml
 *     DIR/rrdp/<N>/…                                          the same of repository N, from 2 on
 *     DIR/rsync/<tree>/…   DIR/rsync/current -> <tree>        of all repositories; flipped by rename of the link
 *     DIR/ta/ta.cer
 *
 * Threads: one thread calls publisher_publish(), _rsync(), _verify() and _retire(); publisher_compress() may run beside them on
 * another.
 */
#ifndef PUBLISH_PUBLISHER_H
#define PUBLISH_PUBLISHER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "ca/base/clock.h"
#include "ca/base/fault.h"
#include "ca/base/scope.h"
#include "db/db.h"

struct publisher_settings {
	int64_t deltas_max;             /* most deltas in a notification: 250 */
	int64_t delta_age_max_s;        /* older deltas are not listed: 24 h; size bounds it too (RFC 8182 §3.3.2) */
	int64_t file_grace_s;           /* how long files that are no longer named stay: 2 h */
	int64_t file_budget;            /* bytes that such files may take together; the oldest go first, those of the last 15 minutes never */
	int64_t tree_grace_s;           /* how long an rsync tree stays untouched after it was served: 2 h */
	int64_t tree_links_max;         /* directory entries that all trees together may take */
};

struct publisher;

/* data_directory: descriptor of DIR, borrowed. Faults: MEMORY, DATABASE. */
CHECKED enum fault_code publisher_new(struct db *db, int data_directory, const struct clock *clock,
	const struct publisher_settings *settings, struct publisher **ret_publisher, struct fault *fault);
void publisher_free(struct publisher *publisher);
SCOPED(struct publisher, publisher_free)

/*
 * What takes long makes way: while an rsync tree is brought up to date or dropped and while files are verified, pass is called again and again, on
 * the same thread. It may call publisher_publish() and no other function of this header. BUSY from it ends what takes long, with BUSY.
 */
typedef enum fault_code (*publisher_pass)(void *argument, struct fault *fault);
void publisher_let_pass(struct publisher *publisher, publisher_pass pass, void *argument);

/*
 * Of each repository, those that have opened meanwhile included: writes the files of every cut that has none yet (a snapshot for the
 * last alone: nobody ever hears of the others'). Then, from the last repository to the first, the notification of its last cut, and
 * records it as notified. Does nothing when there is nothing new. Safe to call again after any failure or crash. *ret_serial: the
 * serial now on disk, here and below as in cut.h: the sum over the repositories. Faults: DISK, IO, DATABASE.
 */
CHECKED enum fault_code publisher_publish(struct publisher *publisher, int64_t *ret_serial, struct fault *fault);

/* Brings an unused rsync tree to the notified serial of each repository and flips the link onto it. BUSY when no tree is free yet (grace time). */
CHECKED enum fault_code publisher_rsync(struct publisher *publisher, int64_t *ret_serial, struct fault *fault);

/*
 * Holds everything that is or may still be fetched against the database and writes again what is missing or differs; removes what
 * doesn't belong there. *ret_repaired: files written again. Faults: DISK, IO, DATABASE.
 */
CHECKED enum fault_code publisher_verify(struct publisher *publisher, int64_t *ret_repaired, struct fault *fault);

/* Removes files past their grace time or budget, and the bytes of objects that no kept file names. Faults: IO, DATABASE. */
CHECKED enum fault_code publisher_retire(struct publisher *publisher, struct fault *fault);

/* Makes the .gz files that are missing beside current ones. stop: looked at often. Faults: DISK, IO. */
CHECKED enum fault_code publisher_compress(struct publisher *publisher, const atomic_bool *stop, struct fault *fault);

#endif
