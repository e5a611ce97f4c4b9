/*
 * ceremony: the server's part of a ceremony, for a trust anchor whose key is on a machine of its own: writes the request for what should
 * be, and stores what came back, staged, for the next cut. One request waits at a time; a new one takes the place of the one before.
 *
 * Threads: safe from any; it waits for the database and for signatures.
 */
#ifndef CA_JOBS_CEREMONY_H
#define CA_JOBS_CEREMONY_H

#include "ca/audit/audit.h"
#include "ca/base/clock.h"
#include "ca/ceremony/ceremony_request.h"
#include "ca/plan/timing.h"
#include "db/db.h"

/* What it works with; borrowed. */
struct ceremony_context {
	struct db *db;
	const struct clock *clock;
	struct signer *signer;                   /* of the instance's request key */
	const struct timing *timing;
};

struct ceremony_made {
	int64_t number;
	char fingerprint[CEREMONY_FINGERPRINT_SIZE]; /* of the request key, to be compared at the first ceremony */
	struct bytes file;                       /* owned by the caller */
};

/*
 * Makes the request that waits from now on; its number is above `after` too, which is 0 or the last that the offline machine
 * answered, where this server has forgotten it. Faults: CONFLICT (the trust anchor's key is on this server; two at once), KEY, DATABASE.
 */
CHECKED enum fault_code ceremony_request_make(const struct ceremony_context *context, const struct actor *actor, int64_t after,
	struct ceremony_made *ret_made, struct fault *fault);

struct ceremony_done {
	int64_t number;
	int64_t due_at, ends_at;                 /* when the next ceremony is due; when this one's objects end */
};

/*
 * Checks a response and stages what it brings. The caller wakes the scheduler. Faults: CONFLICT (replayed, stale, another server's),
 * INVALID, MALFORMED (altered, cut off), LINT, CLOCK, DATABASE.
 */
CHECKED enum fault_code ceremony_response_install(const struct ceremony_context *context, const struct actor *actor, struct span file,
	struct ceremony_done *ret_done, struct fault *fault);

#endif
