/*
 * holder_match: which holder of a registry's file is which member that we know, told by what both hold. Pure.
 *
 * Opaque ids of extended statistics may change from day to day (RIPE's all do), resources stay. One holder is one member at most,
 * and the other way round, found in this order:
 *
 *     1  id and resources agree: of all that share a resource, those whose id is the member's and where the one holds all that the
 *        other does (it grew, or shrank, and is called as before);
 *     2  the largest overlap first. Of equal ones that with the member's own id, then the holder that stands first, then the member
 *        that does;
 *     3  by id, where either of the two holds nothing at all, so that no resources speak against it.
 *
 * Never by the id alone when the resources disagree.
 *
 * Threads: safe for different calls. Memory: about 100 bytes a range of both sides while it runs.
 */
#ifndef CA_FEEDS_HOLDER_MATCH_H
#define CA_FEEDS_HOLDER_MATCH_H

#include "ca/resources/resource_range.h"

#define HOLDER_MATCH_NONE UINT32_MAX

struct match_party {
	const char *id;                                 /* what the registry calls, or called, it; NULL: nobody knows */
	const struct resource_set *resources;           /* canonical; disjoint from those of all others of its side */
};

/* What a holder of the file holds and a member has: in order of range. */
struct match_overlap {
	struct resource_range range;
	uint32_t holder, member;
};

struct holder_match {
	uint32_t *member_of;                            /* of each holder, or HOLDER_MATCH_NONE */
	struct match_overlap *overlaps;
	size_t overlaps_count, overlaps_capacity;
};

#define HOLDER_MATCH_INIT ((struct holder_match){ .member_of = NULL })
void holder_match_clear(struct holder_match *match);

/*
 * *ret_match must be HOLDER_MATCH_INIT. Faults: TOO_LARGE (more than CLAIMS_MAX ranges on a side), INVALID (parties of a side
 * overlap), MEMORY.
 */
CHECKED enum fault_code holder_match_find(const struct match_party *holders, size_t holders_count,
	const struct match_party *members, size_t members_count, struct holder_match *ret_match, struct fault *fault);

/*
 * How much a range is: IPv4 addresses, IPv6 /64s, AS numbers; a part of a /64 counts as one. The whole of IPv6 is UINT64_MAX.
 */
uint64_t holder_match_size(const struct resource_range *range);

#endif
