/*
 * life: a registry that lives in virtual time: a world with scheduler and publisher on a real directory, and a watcher that polls
 * after each serial. It makes the steps that a server's threads make, when they would make them, without sleeping. For tests with
 * cmocka, in whose cases it fails; <cmocka.h> and what that needs are included before.
 *
 * Threads: one at a time. It starts others while it runs, none after life_stop().
 */
#ifndef TESTS_SUPPORT_LIFE_H
#define TESTS_SUPPORT_LIFE_H

#include "ca/jobs/scheduler.h"
#include "publish/publisher.h"
#include "tests/support/watcher.h"
#include "tests/support/world.h"

#define LIFE_RRDP_URI "https://rrdp.example.net/rrdp/"
#define LIFE_RSYNC_URI "rsync://rsync.example.net/repo/"

struct life {
	struct world world;
	int directory;                   /* descriptor of world.directory: rrdp, rsync, ta */
	struct scheduler *scheduler;
	struct publisher *publisher;
	struct watcher *watcher;
	int64_t published;               /* serials brought to the disk */
	const char *(*polled)(void *argument); /* after each poll, if it isn't NULL: NULL, or words for what is wrong */
	void *polled_argument;
	int64_t kept_house_at;           /* when files were last verified and retired */
};

/* A new one from that instant on, with a tree that is in no cut yet; must not move. After prime_keys_prepare(). */
void life_begin(struct life *life, int64_t start_at);
/* Stops it, removes its directory. */
void life_end(struct life *life);
/* The server ends; starts on what is there. In between no thread is left and nothing is open but the directory. */
void life_stop(struct life *life);
void life_start(struct life *life);

/* All that a server does until then; the clock says `at` afterwards. Fails the case where something can't be done or looks wrong. */
void life_until(struct life *life, int64_t at);
/* Verifies and retires files now, as a server does now and then by itself. */
void life_keep_house(struct life *life);
/* Is the rsync tree that is served of the notified serial? Trees in their grace time may keep it from that for two hours. */
bool life_rsync_is_current(struct life *life);
/*
 * publish/check finds no fault with anything that is served, nor anything that expires within these times. NULL, or words. 0.2 ms an
 * object.
 */
const char *life_check(struct life *life, int64_t manifest_left_s, int64_t object_left_s);
/* rpki-client without a network, at the clock's time, finds no fault in the rsync tree, and the watcher's payloads. NULL, or words. */
const char *life_validate(struct life *life);
/* The same ahead of the time by so much: what it then still has. */
const char *life_validate_later(struct life *life, int64_t later_s, size_t *ret_payloads);

/* For watcher_…() and life_…(): fails the case with the words. */
#define LIFE_RIGHT(check)                                                                                       \
	do {                                                                                                    \
		const char *wrong_ = (check);                                                                   \
		if (wrong_ != NULL)                                                                             \
			fail_msg("at %lld: %s", (long long)clock_now(&life->world.clock), wrong_);              \
	} while (0)

#endif
