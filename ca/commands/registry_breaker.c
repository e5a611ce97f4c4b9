#include "ca/commands/registry_breaker.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "ca/base/base64.h"
#include "ca/feeds/holder_match.h"

#define CODE_OCTETS 12

_Static_assert(2 * CODE_OCTETS + 1 == REGISTRY_CODE_SIZE, "a code is its octets in hexadecimal");

static enum fault_code
digest_set(struct digest *digest, const struct resource_set *set, struct fault *fault)
{
	AUTO_CLEAR(struct bytes, bytes_clear) blob = BYTES_INIT;
	TRY(resource_set_encode(set, &blob, fault));
	return digest_update(digest, blob.data, blob.length, fault);
}

enum fault_code
registry_breaker_digest(const struct registry_plan *plan, struct digest *digest, struct fault *fault)
{
	static const char version[] = "cadastre registry change 1";
	TRY(digest_update(digest, version, sizeof version, fault));
	for (size_t i = 0; i < plan->parties_count; i++) {
		const struct registry_party *party = &plan->parties[i];
		char who[HANDLE_MAX + 32];
		if (party->change == REGISTRY_SAME)
			continue;
		(void)snprintf(who, sizeof who, "%" PRId64 " %s", party->ca_id, party->handle);
		TRY(digest_update(digest, who, strlen(who) + 1, fault));
		TRY(digest_set(digest, &party->before, fault));
		TRY(digest_set(digest, &party->after, fault));
	}
	return FAULT_NONE;
}

static uint64_t
add(uint64_t a, uint64_t b)
{
	return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

static size_t
kind_of(const struct resource_range *range)
{
	return range->kind == RESOURCE_ASN ? REGISTRY_ASNS : range->kind == RESOURCE_IPV4 ? REGISTRY_IPV4 : REGISTRY_IPV6;
}

/* Sizes of the ranges of a set, by kind. */
static enum fault_code
add_range(void *argument, const struct resource_range *range, size_t index, struct fault *fault)
{
	uint64_t *sizes = argument;
	size_t kind = kind_of(range);
	(void)index;
	(void)fault;
	sizes[kind] = add(sizes[kind], holder_match_size(range));
	return FAULT_NONE;
}

/* What is lost and not moved to somebody else is held by nobody any more. */
static enum fault_code
add_up(struct registry_plan *plan, struct fault *fault)
{
	uint64_t moved[REGISTRY_KINDS] = { 0 };
	for (size_t i = 0; i < plan->parties_count; i++) {
		const struct registry_party *party = &plan->parties[i];
		plan->counts.entries += (int64_t)resource_set_ranges(&party->before);
		plan->counts.entries_gained += (int64_t)resource_set_ranges(&party->gained);
		plan->counts.entries_lost += (int64_t)resource_set_ranges(&party->lost);
		TRY(resource_range_each(&party->before, add_range, plan->held, fault));
		TRY(resource_range_each(&party->lost, add_range, plan->vanishing, fault));
	}
	for (size_t i = 0; i < plan->moves_count; i++)
		TRY(add_range(moved, &plan->moves[i].range, 0, fault));
	for (size_t kind = 0; kind < REGISTRY_KINDS; kind++)
		plan->vanishing[kind] -= moved[kind] < plan->vanishing[kind] ? moved[kind] : plan->vanishing[kind];
	return FAULT_NONE;
}

static bool
is_above(uint64_t part, uint64_t all, int64_t per_cent)
{
	return (double)part * 100 > (double)all * (double)per_cent;
}

static enum fault_code
say(struct registry_plan *plan, struct fault *fault, uint64_t part, uint64_t all, const char *what, const char *limit, int64_t value,
	const char *unit)
{
	return bytes_printf(&plan->over_limits, fault, "%s%" PRIu64 " of %" PRIu64 " %s (%s is %" PRId64 "%s)",
		plan->over_limits.length > 0 ? "; " : "", part, all, what, limit, value, unit);
}

static enum fault_code
judge_changes(struct registry_plan *plan, const struct registry_limits *limits, struct fault *fault)
{
	const struct registry_counts *counts = &plan->counts;
	uint64_t entries = (uint64_t)(counts->entries_gained + counts->entries_lost);
	int64_t members = (int64_t)plan->parties_count - counts->changes[REGISTRY_SAME];
	if (entries > (uint64_t)limits->changes_free && is_above(entries, (uint64_t)counts->entries, limits->changes_share_max))
		TRY(say(plan, fault, entries, (uint64_t)counts->entries, "entries are gained or lost", "feed_changes_share_max",
			limits->changes_share_max, " %"));
	if (members > limits->members_max)
		TRY(say(plan, fault, (uint64_t)members, (uint64_t)counts->members, "members are new, changed or gone", "feed_members_max",
			limits->members_max, ""));
	return FAULT_NONE;
}

static enum fault_code
judge_shrinking(struct registry_plan *plan, const struct registry_limits *limits, struct fault *fault)
{
	const struct {
		const char *what, *name;
		int64_t limit;
	} kinds[REGISTRY_KINDS] = {
		[REGISTRY_ASNS] = { "AS numbers are held by nobody any more", "feed_shrink_asns_max", limits->shrink_asns_max },
		[REGISTRY_IPV4] = { "IPv4 addresses are held by nobody any more", "feed_shrink_ipv4_max", limits->shrink_ipv4_max },
		[REGISTRY_IPV6] = { "IPv6 /64s are held by nobody any more", "feed_shrink_ipv6_max", limits->shrink_ipv6_max },
	};
	for (size_t kind = 0; kind < REGISTRY_KINDS; kind++)
		if (is_above(plan->vanishing[kind], plan->held[kind], kinds[kind].limit))
			TRY(say(plan, fault, plan->vanishing[kind], plan->held[kind], kinds[kind].what, kinds[kind].name,
				kinds[kind].limit, " %"));
	return FAULT_NONE;
}

enum fault_code
registry_breaker_judge(struct registry_plan *plan, const struct registry_limits *limits, struct digest *digest, struct fault *fault)
{
	uint8_t hash[SHA256_SIZE];
	TRY(add_up(plan, fault));
	TRY(judge_changes(plan, limits, fault));
	TRY(judge_shrinking(plan, limits, fault));
	TRY(digest_finish(digest, hash, fault));
	hex_encode(SPAN(hash, CODE_OCTETS), plan->code);
	return FAULT_NONE;
}
