/*
 * latency: how long changes take from their commit to the notification on disk that carries them, counted into
 * METRIC_HISTOGRAM_PUBLICATION_LATENCY. In memory only: what a restart forgets is published nevertheless.
 *
 * Threads: one (the scheduler's).
 */
#ifndef CA_JOBS_LATENCY_H
#define CA_JOBS_LATENCY_H

#include <stddef.h>
#include <stdint.h>

/* Changes of one serial that are measured; of a large import, those that waited longest come first. */
#define LATENCY_MAX 4096

struct latency {
	int64_t changed_at[LATENCY_MAX];         /* first those of the cut, then those of CAs reconciled for the next */
	size_t count, cut_count;
	int64_t serial;                          /* of the cut; 0: none waits for its notification */
};

/* A CA that was changed at that time has been reconciled: it goes into the next cut. */
void latency_reconciled(struct latency *latency, int64_t changed_at);
/* A cut was made: it brings all that were reconciled. */
void latency_cut(struct latency *latency, int64_t serial);
/* The notification on disk, as it is now: counts what it brought, once. */
void latency_notified(struct latency *latency, int64_t serial, int64_t notified_at);

#endif
