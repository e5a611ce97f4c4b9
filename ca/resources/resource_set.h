/*
 * resource_set: sets of IPv4 addresses, IPv6 addresses and AS numbers, kept canonical: sorted, disjoint, adjacent ranges merged
 * (RFC 3779 §2.2.3.6, §3.2.3.4). The set algebra on which all entitlement rests. Pure: no key, clock, database.
 *
 * Threads: a set belongs to one thread at a time; reading one from many is fine.
 */
#ifndef CA_RESOURCES_RESOURCE_SET_H
#define CA_RESOURCES_RESOURCE_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ca/base/bytes.h"
#include "ca/base/fault.h"
#include "ca/base/scope.h"
#include "ca/resources/prefix.h"

/*
 * The most ranges that a set may be given or stored with: well below what validators take in one certificate (200,000, with a
 * quadratic check). The algebra itself is not bound by it.
 */
#define RESOURCE_SET_RANGES_MAX 50000

struct asn_range {
	uint32_t min, max;
};

struct address_range {
	struct address min, max;
};

struct address_ranges {
	struct address_range *items;
	size_t count, capacity;
};

struct resource_set {
	struct asn_range *asns;
	size_t asns_count, asns_capacity;
	struct address_ranges ipv4, ipv6;
};

#define RESOURCE_SET_INIT ((struct resource_set){ .asns = NULL })

void resource_set_clear(struct resource_set *set);
bool resource_set_empty(const struct resource_set *set);
bool resource_set_equal(const struct resource_set *a, const struct resource_set *b);
size_t resource_set_ranges(const struct resource_set *set);                    /* how many ranges in all */
const struct address_ranges *resource_set_addresses(const struct resource_set *set, enum address_family family);

/*
 * Adding: in any order, overlaps allowed; canonical once resource_set_normalise() was called (each add only appends, so that
 * loading n ranges costs n log n). All other functions want canonical sets. Faults: INVALID (min > max), TOO_LARGE (counted as
 * they are added, before they merge), MEMORY.
 */
CHECKED enum fault_code resource_set_add_asns(struct resource_set *set, uint32_t min, uint32_t max, struct fault *fault);
CHECKED enum fault_code resource_set_add_addresses(struct resource_set *set, enum address_family family,
	const struct address *min, const struct address *max, struct fault *fault);
CHECKED enum fault_code resource_set_add_prefix(struct resource_set *set, const struct prefix *prefix, struct fault *fault);
CHECKED enum fault_code resource_set_normalise(struct resource_set *set, struct fault *fault);
CHECKED enum fault_code resource_set_all(struct resource_set *ret_set, struct fault *fault); /* 0/0, ::/0, AS0-AS4294967295 */

/*
 * *ret_set must be RESOURCE_SET_INIT or canonical (then it is replaced), and be none of the inputs. Each takes one pass over
 * both. Faults: MEMORY.
 */
CHECKED enum fault_code resource_set_copy(const struct resource_set *set, struct resource_set *ret_set, struct fault *fault);
CHECKED enum fault_code resource_set_union(const struct resource_set *a, const struct resource_set *b,
	struct resource_set *ret_set, struct fault *fault);
CHECKED enum fault_code resource_set_intersection(const struct resource_set *a, const struct resource_set *b,
	struct resource_set *ret_set, struct fault *fault);
CHECKED enum fault_code resource_set_difference(const struct resource_set *a, const struct resource_set *b,
	struct resource_set *ret_set, struct fault *fault); /* in a, not in b */

bool resource_set_contains(const struct resource_set *outer, const struct resource_set *inner);
bool resource_set_holds_prefix(const struct resource_set *set, const struct prefix *prefix); /* all of it; binary search */
bool resource_set_holds_asn(const struct resource_set *set, uint32_t asn);

/*
 * Text of one item, each as the API takes and gives them. Parsing takes "192.0.2.0/24", "192.0.2.0-192.0.2.130", one address;
 * "AS64496", "64496", "AS64496-AS64511", "64496-64511". Printing prints a prefix wherever a range is one.
 * Faults: INVALID with the reason, TOO_LARGE, MEMORY.
 */
CHECKED enum fault_code resource_set_parse_addresses(struct resource_set *set, enum address_family family, const char *text,
	struct fault *fault);
CHECKED enum fault_code resource_set_parse_asns(struct resource_set *set, const char *text, struct fault *fault);
#define RANGE_TEXT (2 * ADDRESS_TEXT + 2)
void resource_set_address_text(enum address_family family, const struct address_range *range, char text[RANGE_TEXT]);
void resource_set_asn_text(const struct asn_range *range, char text[RANGE_TEXT]);

/* true and *ret_prefix when the range is exactly one prefix. */
bool address_range_as_prefix(enum address_family family, const struct address_range *range, struct prefix *ret_prefix);

/*
 * The stored form (a blob in the database), stable for ever: version octet 1; then for AS numbers, IPv4, IPv6 in turn a
 * big-endian 32-bit count and that many pairs min, max of 4, 4 and 16 octets. Both replace what is in their output. Decoding
 * checks that it is canonical.
 * Faults: MALFORMED, TOO_LARGE, MEMORY.
 */
CHECKED enum fault_code resource_set_encode(const struct resource_set *set, struct bytes *ret_blob, struct fault *fault);
CHECKED enum fault_code resource_set_decode(struct span blob, struct resource_set *ret_set, struct fault *fault);

#endif
