#include "ca/feeds/holder_match.h"

#include <stdlib.h>
#include <string.h>

#include "ca/base/memory.h"
#include "ca/feeds/claims.h"

/*
 * Overlaps of all three kinds are weighed in one unit, the IPv6 /64: an IPv4 address is worth 2^20 of them, so that a /20 and a
 * /32 weigh the same, as registries' fees have it; an AS number as much as a /24.
 */
#define IPV4_SHIFT 20
#define ASN_SHIFT 28

/* A holder and a member that share something. */
struct pair {
	uint32_t holder, member;
	uint64_t weight;
	bool same_id;
};

struct matching {
	const struct match_party *holders, *members;
	size_t holders_count, members_count;
	struct claims holder_claims, member_claims;
	struct pair *pairs;
	size_t pairs_count, pairs_capacity;
	bool *member_taken;
	struct holder_match *match;
};

void
holder_match_clear(struct holder_match *match)
{
	free(match->member_of);
	free(match->overlaps);
	*match = HOLDER_MATCH_INIT;
}

static void
matching_clear(struct matching *matching)
{
	claims_clear(&matching->holder_claims);
	claims_clear(&matching->member_claims);
	free(matching->pairs);
	free(matching->member_taken);
}

/* The first eight octets, or, of AS numbers and IPv4, all four. */
static uint64_t
leading(const struct resource_range *range, const struct address *address)
{
	size_t octets = range->kind == RESOURCE_IPV6 ? 8 : 4;
	uint64_t number = 0;
	for (size_t i = 0; i < octets; i++)
		number = number << 8 | address->bytes[i];
	return number;
}

uint64_t
holder_match_size(const struct resource_range *range)
{
	uint64_t less_one = leading(range, &range->max) - leading(range, &range->min);
	return less_one == UINT64_MAX ? UINT64_MAX : less_one + 1;
}

static uint64_t
weight_of(const struct resource_range *range)
{
	uint64_t size = holder_match_size(range);
	if (range->kind == RESOURCE_IPV6)
		return size;
	return size << (range->kind == RESOURCE_IPV4 ? IPV4_SHIFT : ASN_SHIFT);
}

static uint64_t
add_weights(uint64_t a, uint64_t b)
{
	return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

static enum fault_code
sort_claims(const struct match_party *parties, size_t count, struct claims *claims, struct fault *fault)
{
	for (size_t i = 0; i < count; i++)
		TRY(claims_add_set(claims, parties[i].resources, (uint32_t)i, (uint32_t)i, fault));
	return claims_check(claims, fault);
}

static enum fault_code
add_overlap(struct holder_match *match, const struct claim *holder, const struct claim *member, struct fault *fault)
{
	TRY(memory_reserve(&match->overlaps, &match->overlaps_capacity, match->overlaps_count + 1, sizeof *match->overlaps, fault));
	struct match_overlap *overlap = &match->overlaps[match->overlaps_count++];
	*overlap = (struct match_overlap){ .range = holder->range, .holder = holder->holder, .member = member->holder };
	if (address_compare(&member->range.min, &overlap->range.min) > 0)
		overlap->range.min = member->range.min;
	if (address_compare(&member->range.max, &overlap->range.max) < 0)
		overlap->range.max = member->range.max;
	return FAULT_NONE;
}

/* Both sides are sorted and disjoint in themselves: one pass over both. */
static enum fault_code
find_overlaps(struct matching *matching, struct fault *fault)
{
	const struct claims *holders = &matching->holder_claims, *members = &matching->member_claims;
	for (size_t i = 0, j = 0; i < holders->count && j < members->count;) {
		const struct claim *holder = &holders->items[i], *member = &members->items[j];
		if (resource_range_overlaps(&holder->range, &member->range))
			TRY(add_overlap(matching->match, holder, member, fault));
		int order = (int)holder->range.kind - (int)member->range.kind;
		if (order == 0)
			order = address_compare(&holder->range.max, &member->range.max);
		i += order <= 0;
		j += order >= 0;
	}
	return FAULT_NONE;
}

static int
compare_parties(const void *a, const void *b)
{
	const struct pair *x = a, *y = b;
	int order = (x->holder > y->holder) - (x->holder < y->holder);
	return order != 0 ? order : (x->member > y->member) - (x->member < y->member);
}

static bool
same_id(const struct match_party *a, const struct match_party *b)
{
	return a->id != NULL && b->id != NULL && strcmp(a->id, b->id) == 0;
}

/* One pair for each two that share something, with all that they share. */
static enum fault_code
weigh(struct matching *matching, struct fault *fault)
{
	const struct holder_match *match = matching->match;
	size_t count = match->overlaps_count, kept = 0;
	TRY(memory_reserve(&matching->pairs, &matching->pairs_capacity, count, sizeof *matching->pairs, fault));
	struct pair *pairs = matching->pairs;
	for (size_t i = 0; i < count; i++)
		pairs[i] = (struct pair){
			.holder = match->overlaps[i].holder, .member = match->overlaps[i].member,
			.weight = weight_of(&match->overlaps[i].range),
			.same_id = same_id(&matching->holders[match->overlaps[i].holder], &matching->members[match->overlaps[i].member]),
		};
	if (count > 0)
		qsort(pairs, count, sizeof *pairs, compare_parties);
	for (size_t i = 0; i < count; i++) {
		if (kept > 0 && compare_parties(&pairs[kept - 1], &pairs[i]) == 0)
			pairs[kept - 1].weight = add_weights(pairs[kept - 1].weight, pairs[i].weight);
		else
			pairs[kept++] = pairs[i];
	}
	matching->pairs_count = kept;
	return FAULT_NONE;
}

static int
compare_weights(const void *a, const void *b)
{
	const struct pair *x = a, *y = b;
	int order = (x->weight < y->weight) - (x->weight > y->weight);
	if (order == 0)
		order = (int)y->same_id - (int)x->same_id;
	return order != 0 ? order : compare_parties(a, b);
}

static bool
take(struct matching *matching, uint32_t holder, uint32_t member)
{
	if (matching->match->member_of[holder] != HOLDER_MATCH_NONE || matching->member_taken[member])
		return false;
	matching->match->member_of[holder] = member;
	matching->member_taken[member] = true;
	return true;
}

static bool
one_holds_all(const struct match_party *a, const struct match_party *b)
{
	return resource_set_contains(a->resources, b->resources) || resource_set_contains(b->resources, a->resources);
}

static void
take_overlapping(struct matching *matching)
{
	const struct pair *pairs = matching->pairs;
	if (matching->pairs_count > 0)
		qsort(matching->pairs, matching->pairs_count, sizeof *pairs, compare_weights);
	for (size_t i = 0; i < matching->pairs_count; i++)
		if (pairs[i].same_id && one_holds_all(&matching->holders[pairs[i].holder], &matching->members[pairs[i].member]))
			(void)take(matching, pairs[i].holder, pairs[i].member);
	for (size_t i = 0; i < matching->pairs_count; i++)
		(void)take(matching, pairs[i].holder, pairs[i].member);
}

struct named {
	const char *id;
	uint32_t member;
};

static int
compare_named(const void *a, const void *b)
{
	const struct named *x = a, *y = b;
	int order = strcmp(x->id, y->id);
	return order != 0 ? order : (x->member > y->member) - (x->member < y->member);
}

/* The first of those with this id; count when there is none. */
static size_t
find_named(const struct named *named, size_t count, const char *id)
{
	size_t low = 0, high = count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (strcmp(named[middle].id, id) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low < count && strcmp(named[low].id, id) == 0 ? low : count;
}

static void
take_named(struct matching *matching, const struct named *named, size_t count, uint32_t holder)
{
	const char *id = matching->holders[holder].id;
	bool empty = resource_set_empty(matching->holders[holder].resources);
	if (id == NULL || matching->match->member_of[holder] != HOLDER_MATCH_NONE)
		return;
	for (size_t i = find_named(named, count, id); i < count && strcmp(named[i].id, id) == 0; i++)
		if ((empty || resource_set_empty(matching->members[named[i].member].resources)) && take(matching, holder, named[i].member))
			return;
}

static enum fault_code
take_by_id(struct matching *matching, struct fault *fault)
{
	AUTO(struct named, free) named = NULL;
	size_t count = 0;
	TRY(memory_new(matching->members_count, sizeof *named, &named, fault));
	for (size_t i = 0; i < matching->members_count; i++)
		if (matching->members[i].id != NULL && !matching->member_taken[i])
			named[count++] = (struct named){ .id = matching->members[i].id, .member = (uint32_t)i };
	if (count > 0)
		qsort(named, count, sizeof *named, compare_named);
	for (size_t i = 0; i < matching->holders_count; i++)
		take_named(matching, named, count, (uint32_t)i);
	return FAULT_NONE;
}

enum fault_code
holder_match_find(const struct match_party *holders, size_t holders_count, const struct match_party *members, size_t members_count,
	struct holder_match *ret_match, struct fault *fault)
{
	AUTO_CLEAR(struct holder_match, holder_match_clear) match = HOLDER_MATCH_INIT;
	AUTO_CLEAR(struct matching, matching_clear) matching = {
		.holders = holders, .members = members, .holders_count = holders_count, .members_count = members_count, .match = &match,
		.holder_claims = CLAIMS_INIT, .member_claims = CLAIMS_INIT,
	};
	INVARIANT(holders_count < HOLDER_MATCH_NONE && members_count < HOLDER_MATCH_NONE);
	TRY(memory_new(holders_count, sizeof *match.member_of, &match.member_of, fault));
	for (size_t i = 0; i < holders_count; i++)
		match.member_of[i] = HOLDER_MATCH_NONE;
	TRY(memory_new(members_count, sizeof *matching.member_taken, &matching.member_taken, fault));
	TRY(sort_claims(holders, holders_count, &matching.holder_claims, fault));
	TRY(sort_claims(members, members_count, &matching.member_claims, fault));
	TRY(find_overlaps(&matching, fault));
	TRY(weigh(&matching, fault));
	take_overlapping(&matching);
	TRY(take_by_id(&matching, fault));
	*ret_match = match;
	match = HOLDER_MATCH_INIT;
	return FAULT_NONE;
}
