/*
 * data_lock: one process at a time works on a data directory.
 *
 * The lock is the system's (flock) on the file "lock" in it, so it goes with the process that took it, however that ends; the
 * file stays and means nothing by itself. The number of the process stands in it, for the one that is refused to say.
 *
 * Threads: safe. A child process made by fork() alone shares the lock; one that runs another program doesn't.
 */
#ifndef DB_DATA_LOCK_H
#define DB_DATA_LOCK_H

#include "ca/base/fault.h"
#include "ca/base/scope.h"

struct data_lock;

/* directory: a descriptor, borrowed. Never waits. Faults: LOCKED (says by which process), DISK, IO, MEMORY. */
CHECKED enum fault_code data_lock_take(int directory, struct data_lock **ret_lock, struct fault *fault);
void data_lock_free(struct data_lock *lock); /* lets go of it; NULL is harmless */
SCOPED(struct data_lock, data_lock_free)

#endif
