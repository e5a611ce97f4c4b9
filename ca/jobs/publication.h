/*
 * publication: the threads that bring cuts to the disk: RRDP at once, rsync at its own rhythm, checks and removal now and then; a second
 * thread compresses. What they do is the publisher's; it comes as operations, since jobs know nothing of files.
 *
 * A failure (a full disk) is tried again until it goes; the last good publication stays served meanwhile. What fails keeps nothing else
 * waiting but the check of all files, which comes after a publication that succeeded: what is past its time is removed all the same.
 *
 * Threads: its own two. publication_wake() from any.
 */
#ifndef CA_JOBS_PUBLICATION_H
#define CA_JOBS_PUBLICATION_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "ca/base/clock.h"
#include "ca/base/fault.h"
#include "ca/base/scope.h"
#include "db/db.h"

struct publication_operations {
	enum fault_code (*publish)(void *self, int64_t *ret_serial, struct fault *fault);
	enum fault_code (*rsync)(void *self, int64_t *ret_serial, struct fault *fault);
	enum fault_code (*verify)(void *self, int64_t *ret_repaired, struct fault *fault);
	enum fault_code (*retire)(void *self, struct fault *fault);
	enum fault_code (*compress)(void *self, const atomic_bool *stop, struct fault *fault);
	void (*published)(void *self, int64_t took_ms); /* after each publication: who waits for it may go on */
	void *self;
};

struct publication_settings {
	int64_t rsync_interval_s;            /* 0: with each cut */
	int64_t verify_interval_s;
};

struct publication;

CHECKED enum fault_code publication_new(struct db *db, const struct clock *clock, const struct publication_settings *settings,
	const struct publication_operations *operations, struct publication **ret_publication, struct fault *fault);
CHECKED enum fault_code publication_start(struct publication *publication, struct fault *fault);
void publication_wake(void *publication);    /* a cut was made */
/* For what takes long on its thread: publishes a cut that waits. BUSY: it is to stop. */
CHECKED enum fault_code publication_pass(void *publication, struct fault *fault);
/* The trouble that keeps it from publishing now, FAULT_NONE if there is none. */
enum fault_code publication_trouble(struct publication *publication, struct fault *ret_fault);
/*
 * Ends both threads, after what they are at. From then on no operation is called, so that who is told of publications may go; to wake it is
 * harmless still. NULL is, too.
 */
void publication_stop(struct publication *publication);
void publication_free(struct publication *publication);
SCOPED(struct publication, publication_free)

#endif
