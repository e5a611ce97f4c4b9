/*
 * served: a small registry whose data directory is really published: a world (engine, database, keys, clock by hand), a publisher, a
 * locator. For cmocka programs, in whose cases it fails.
 *
 * Members: alpha with ROAs for 192.0.2.0/24 and 2001:db8::/32, beta with one for 198.51.100.0/24, gamma with none. Three serials are
 * published, so that there are deltas; the rsync tree is of the last. Threads: one.
 */
#ifndef TESTS_SUPPORT_SERVED_H
#define TESTS_SUPPORT_SERVED_H

#include "publish/check/check.h"
#include "publish/publisher.h"
#include "tests/support/world.h"

struct served {
	struct world *world;
	char path[300];                 /* of the data directory */
	int directory;
	struct publisher *publisher;
	int64_t alpha, beta, gamma;     /* ca_ids */
};

/* Set-up and tear-down of a case; *state is the struct served. */
int served_open(void **state);
int served_close(void **state);

/* What changed since becomes a serial, RRDP and rsync. Returns the serial. */
int64_t served_publish(struct served *served);
/* RRDP alone: the rsync tree lags behind. */
int64_t served_publish_rrdp(struct served *served);
/* What a check of it asks, at its clock's time. */
struct check_request served_request(const struct served *served);
/* Runs a check; report is to be cleared. */
void served_check(const struct check_request *request, struct check_report *report);
/* Fails the case unless exactly these kinds were found (names, separated by spaces; "": none), each any number of times. */
void served_expect(const struct check_report *report, const char *kinds);

#endif
