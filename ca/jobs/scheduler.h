/*
 * scheduler: decides when to reconcile and when to cut.
 *
 * Changes go first. A cut is made at once when the last one that brought changes is older than the batch window, else at the window's
 * end. Between cuts only a backlog is worked on ahead, so that a CA gets one CRL and one manifest a cut.
 *
 * What only imports wait for is cut less often once publishing takes long: twenty times as far apart as that takes, ten minutes at most,
 * so that a bulk import isn't spent on snapshots. A change that somebody makes himself is cut as if there were no import.
 *
 * Renewals have a window of their own: what is due gathers, and goes at most once a window, at most renewals_per_cut objects of it, since a
 * wave of re-issued objects is work for every validator. A wave under way makes room for changes that come, and goes on with the next
 * cut. What is late by more than timing_late_s() is urgent: it waits for no window and counts under no such limit. No CA's turn is ever
 * split. Parents are few: their renewals go along with any cut.
 *
 * After a restore nothing is cut before all manifests are made anew, in as many rounds as that takes: the first serial is to have no number
 * that validators have seen. What can't be done (a CA is set aside, or nothing helps) isn't waited for.
 *
 * What is due is read from the database each time (an index, not a walk), so nothing can be forgotten over a restart. While the last
 * cut has not reached the disk, no further one is made: changes wait, acknowledged and safe.
 *
 * Threads: one of its own. scheduler_wake() from any.
 */
#ifndef CA_JOBS_SCHEDULER_H
#define CA_JOBS_SCHEDULER_H

#include "ca/base/scope.h"
#include "ca/jobs/guard.h"
#include "ca/jobs/reconcile.h"

struct scheduler_settings {
	int64_t batch_window_s;              /* 0: a cut as soon as the second changes */
	int64_t cut_objects_max;             /* about so many objects in one cut; the rest goes into the next */
	int64_t renewal_window_s;            /* least time between two waves of renewals; 0: as soon as they are due */
	int64_t renewals_per_cut;            /* about so many renewed objects in one wave; 0: as many as a cut may have */
	struct guard_settings guard;
};

struct scheduler;

/* cut_made: called after each cut, to have it published. Both borrowed; reconcile->latency becomes the scheduler's. Faults: MEMORY. */
CHECKED enum fault_code scheduler_new(struct reconcile *reconcile, const struct scheduler_settings *settings,
	void (*cut_made)(void *argument), void *argument, struct scheduler **ret_scheduler, struct fault *fault);
CHECKED enum fault_code scheduler_start(struct scheduler *scheduler, struct fault *fault);
void scheduler_wake(void *scheduler);        /* something may be due */
/* A cut has reached the disk; that took so long. From any thread. */
void scheduler_published(struct scheduler *scheduler, int64_t took_ms);
/* The trouble that keeps it from working now, FAULT_NONE if there is none. */
enum fault_code scheduler_trouble(struct scheduler *scheduler, struct fault *ret_fault);
/* Lets the CAs being signed for end, then joins the thread. NULL is harmless. */
void scheduler_free(struct scheduler *scheduler);
SCOPED(struct scheduler, scheduler_free)

/*
 * One step, without a thread: reconciles and cuts if it is time. *ret_again_ms: when to look again (0: at once).
 * For `cadastre init` and tests in virtual time.
 */
CHECKED enum fault_code scheduler_step(struct scheduler *scheduler, int64_t *ret_again_ms, struct fault *fault);
/* Steps from here on take so long before they cut, if there is that much to do: nobody waits for a serial, and each costs a snapshot. */
void scheduler_take_time(struct scheduler *scheduler, int64_t round_s);

#endif
