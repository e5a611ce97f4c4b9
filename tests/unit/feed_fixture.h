/* feed_fixture: registry files out of a few words, and what they would change in words again, on a registry.h. */
#ifndef TESTS_UNIT_FEED_FIXTURE_H
#define TESTS_UNIT_FEED_FIXTURE_H

#include "ca/commands/registry_commands.h"
#include "tests/unit/registry.h"

/* Nothing is beyond these. */
extern const struct registry_limits feed_fixture_no_limits;

/* Writes JSON lines of holders "A: AS1 192.0.2.0/24; B:"; the path is valid until the fourth next path of the registry. */
const char *feed_fixture_write(struct registry *registry, const char *holders);
/* A member's ROA, as it wants it. */
void feed_fixture_roa(struct registry *registry, int64_t ca_id, uint32_t asn, const char *prefix, int max_length);

/*
 * The plan of such holders in words, or the fault; valid until the next call. A line each, in order:
 *     A shrunk -192.0.2.128/25        gained +, lost -
 *     192.0.2.128/25 A>B              moved
 *     A: AS1 192.0.2.0/24 > AS1 192.0.2.0/25     not held any more, and what is proposed
 *     # a remark
 */
const char *feed_fixture_plan(struct registry *registry, const char *holders);
const char *feed_fixture_print(const struct registry_plan *plan);

/* Applies such holders; the registry's fault says why not. */
enum fault_code feed_fixture_apply(struct registry *registry, const char *holders, const struct registry_limits *limits, const char *accept);
/* The same, which must work. */
void feed_fixture_follow(struct registry *registry, const char *holders);
/* Fails unless the rows of holdings are what the members' sets say. */
void feed_fixture_check_holdings(struct registry *registry);

#endif
