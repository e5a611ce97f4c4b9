/*
 * workers: a fixed set of threads that take jobs from a bounded queue, and a parallel loop on top of it.
 *
 * A job never fails as such: it records what happened in its argument. Threads: safe.
 */
#ifndef CA_BASE_WORKERS_H
#define CA_BASE_WORKERS_H

#include <stddef.h>

#include "ca/base/fault.h"
#include "ca/base/scope.h"

struct workers;

/* Starts `count` threads (named `name`, ≤ 15 characters) with a queue of `queue_limit` jobs. Faults: MEMORY. */
CHECKED enum fault_code workers_new(const char *name, size_t count, size_t queue_limit, struct workers **ret_workers,
	struct fault *fault);
/* Hands a job over and returns. FAULT_BUSY at once when the queue is full or the workers are stopping. */
CHECKED enum fault_code workers_submit(struct workers *workers, void (*job)(void *argument), void *argument, struct fault *fault);
/*
 * Calls job(argument, i, worker) for each i in [0, count) on all threads, before queued jobs, and waits. `worker` is in
 * [0, workers_count). One loop at a time: a second caller waits for its turn. Never from a job of the same workers.
 */
void workers_each(struct workers *workers, size_t count, void (*job)(void *argument, size_t index, size_t worker),
	void *argument);
size_t workers_count(const struct workers *workers);
/* Lets queued jobs end, then joins the threads. NULL is harmless. */
void workers_free(struct workers *workers);
SCOPED(struct workers, workers_free)

#endif
