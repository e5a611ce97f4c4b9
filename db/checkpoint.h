/*
 * checkpoint: a thread that folds the write-ahead log into the database file, so that the writer never has to.
 *
 * After every few MB of commits it folds in what no reader holds it back from. SQLite starts the log over by itself once all of
 * it is folded in, which never happens while commits follow one another closely; past CHECKPOINT_RESTART_AT the thread therefore
 * keeps the writer out for a moment, folds the rest in and has the log started over. That moment is bounded: it waits for the
 * readers that still need the log for a few milliseconds only, longer as the log grows, a second at most. Where that was in vain, since a
 * reader stays, the writer has ten times as long before the next try.
 *
 * For db/ alone (and its tests). Threads: safe.
 */
#ifndef DB_CHECKPOINT_H
#define DB_CHECKPOINT_H

#include "db/connection.h"

#define CHECKPOINT_FOLD_AT (INT64_C(4) << 20)     /* bytes of commits since it was last folded in */
#define CHECKPOINT_RESTART_AT (INT64_C(64) << 20) /* bytes in the log */

struct checkpoint;

/* Opens its own connection and starts the thread, which first folds in what an earlier process left. As connection_open(). */
CHECKED enum fault_code checkpoint_start(const char *path, struct checkpoint **ret_checkpoint, struct fault *fault);
/* Ends the thread. NULL is harmless. */
void checkpoint_stop(struct checkpoint *checkpoint);
SCOPED(struct checkpoint, checkpoint_stop)

/* The writer holds the log from before BEGIN until after COMMIT. */
void checkpoint_hold(struct checkpoint *checkpoint);
/* log_pages: pages in the log after that commit, as SQLite's hook tells; 0 when there was none. */
void checkpoint_release(struct checkpoint *checkpoint, int log_pages);

int64_t checkpoint_log_size(const struct checkpoint *checkpoint); /* bytes */

/* How long it waits for readers with so many bytes in the log; how long it lets the writer be after it waited so long in vain. */
int checkpoint_patience_ms(int64_t log_size);
int64_t checkpoint_rest_ms(int patience_ms);

#endif
