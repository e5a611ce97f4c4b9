/*
 * members: what members of a registry do to it over the years, drawn from a seed, and a model of what they then want, which knows
 * nothing of the database: ROAs come and go, resources shrink, grow and move, keys roll, members are held, suspended, come and go. For
 * tests with cmocka.
 *
 * The model: blocks of addresses, each held by one member or nobody; for each member and block the origins that it authorises.
 * Threads: one at a time.
 */
#ifndef TESTS_SUPPORT_MEMBERS_H
#define TESTS_SUPPORT_MEMBERS_H

#include "tests/support/life.h"

#define MEMBERS_MAX 60
#define MEMBERS_BLOCKS 16                /* for each member's place at the start */
#define MEMBERS_ORIGINS 2

struct member {
	int64_t ca_id;                   /* 0: nobody is in this place now */
	int generation;                  /* how many were before */
	bool wants[MEMBERS_MAX * MEMBERS_BLOCKS][MEMBERS_ORIGINS];
	bool held, suspended;
	struct payload *frozen;          /* held: what was published then, and stays */
	size_t frozen_count;
};

struct members {
	struct life *life;
	uint64_t random;
	size_t count;                    /* places, some empty */
	struct member places[MEMBERS_MAX];
	int holders[MEMBERS_MAX * MEMBERS_BLOCKS]; /* place, -1: nobody */
	int64_t changes, refusals;       /* made, and refused as they had to be */
	int64_t transfers;
	const struct payload *kept;      /* under way from one to another: never missing */
	size_t kept_count;
};

/* So many members come, each with half of its blocks and some ROAs. */
struct members *members_new(struct life *life, size_t count, uint64_t seed);
void members_free(struct members *members);
/* One change, drawn by lot. */
void members_change(struct members *members);
/* What the watcher has is exactly what is wanted and held. NULL, or words. */
const char *members_check(struct members *members);
/* A number below n. */
uint64_t members_random(struct members *members, uint64_t n);

#endif
