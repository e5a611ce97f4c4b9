/*
 * timing: how long objects are valid, and when they are made anew. Pure.
 *
 * What is due is derived from the objects themselves, so a renewal can't be forgotten: it is late only until somebody looks.
 */
#ifndef CA_PLAN_TIMING_H
#define CA_PLAN_TIMING_H

#include <stdbool.h>
#include <stdint.h>

struct timing {
	int64_t manifest_valid_s;      /* manifests and CRLs: this long at least … */
	int64_t manifest_spread_s;     /* … and up to this much longer */
	int64_t manifest_margin_s;     /* made anew when this much is left */
	int64_t object_valid_s;        /* ROAs and certificates of CAs */
	int64_t object_spread_s;       /* a first one is shorter by up to this much, so that one import doesn't come due in one week */
	int64_t object_margin_s;
	int64_t ta_valid_s;            /* the trust anchor's certificate: short-lived, made anew after two thirds */
	int64_t key_staging_s;         /* a new key is published this long before it takes over (RFC 6489 §2 step 3: 24 h at least) */
	int64_t key_retiring_s;        /* the old one keeps its certificate, CRL and manifest this long after */
};

extern const struct timing timing_default;

/* notBefore lies this far back, for validators whose clock is late (RFC 6487 §4.6.1 allows it). */
#define TIMING_BACKDATE_S 300

/*
 * A clock may be set back by this much; what was signed meanwhile counts and is waited for. A recorded time further ahead comes from a
 * clock that was wrong: nobody took such an object for valid, so it binds nobody and is made anew.
 */
#define TIMING_CLOCK_BACK_S 120
/* Was this instant recorded under a clock that has turned out wrong? */
bool timing_never_was(int64_t at, int64_t now_at);

/* `random` is any number; the same number gives the same answer. */
int64_t timing_manifest_end(const struct timing *timing, int64_t now_at, uint64_t random);
int64_t timing_first_end(const struct timing *timing, int64_t now_at, uint64_t random);
/* The end of an object that replaces one ending at previous_end_at: keeps that end, so that the spread stays, unless it is due. */
int64_t timing_next_end(const struct timing *timing, int64_t now_at, int64_t previous_end_at);

int64_t timing_manifest_due(const struct timing *timing, int64_t next_update_at);
int64_t timing_object_due(const struct timing *timing, int64_t not_after_at);
int64_t timing_ta_due(int64_t not_before_at, int64_t not_after_at);

/*
 * How late a renewal may be: half of the least margin (12 h for manifests by default, so 6 h). Later than this it is urgent: it waits
 * for no window and counts under no limit. Lateness is told from when a CA is due (cas.renew_at, an index), whatever is due of it: for
 * a manifest this is when half of its margin is left, for all else it is earlier than that.
 */
int64_t timing_late_s(const struct timing *timing);

/* A well-mixed number from two others (SplitMix64): spreads, no secrecy. */
uint64_t timing_mix(uint64_t a, uint64_t b);

#endif
