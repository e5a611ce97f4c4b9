#include "ca/resources/resource_set.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ca/base/memory.h"

#define STORED_VERSION 1

/*
 * AS numbers, IPv4 and IPv6 addresses go through one set of algorithms: each range is looked at as a pair of 128-bit numbers, and
 * only list_at() and list_put() know how it is kept. "Next to" is never computed by adding one to the last number there is.
 */
typedef unsigned __int128 number;

struct interval {
	number min, max;
};

enum kind { ASNS, IPV4, IPV6, KINDS };

/* A list of one kind of ranges, borrowed from a set for reading. */
struct list {
	enum kind kind;
	size_t count;
	const void *items;
};

static number
load(const uint8_t *octets, unsigned length)
{
	number value = 0;
	for (unsigned i = 0; i < length; i++)
		value = value << 8 | octets[i];
	return value;
}

static void
store(number value, uint8_t *octets, unsigned length)
{
	for (unsigned i = length; i-- > 0; value >>= 8)
		octets[i] = (uint8_t)value;
}

static enum address_family
family_of(enum kind kind)
{
	return kind == IPV4 ? FAMILY_IPV4 : FAMILY_IPV6;
}

static enum kind
kind_of(enum address_family family)
{
	return family == FAMILY_IPV4 ? IPV4 : IPV6;
}

static unsigned
octets_of(enum kind kind)
{
	return kind == IPV6 ? 16 : 4;
}

static struct address_ranges *
addresses_of(struct resource_set *set, enum kind kind)
{
	return kind == IPV4 ? &set->ipv4 : &set->ipv6;
}

const struct address_ranges *
resource_set_addresses(const struct resource_set *set, enum address_family family)
{
	return family == FAMILY_IPV4 ? &set->ipv4 : &set->ipv6;
}

static struct list
list_of(const struct resource_set *set, enum kind kind)
{
	if (kind == ASNS)
		return (struct list){ kind, set->asns_count, set->asns };
	const struct address_ranges *ranges = resource_set_addresses(set, family_of(kind));
	return (struct list){ kind, ranges->count, ranges->items };
}

static struct interval
address_interval(enum kind kind, const struct address_range *range)
{
	unsigned octets = octets_of(kind);
	return (struct interval){ load(range->min.bytes, octets), load(range->max.bytes, octets) };
}

static struct interval
list_at(struct list list, size_t i)
{
	if (list.kind == ASNS) {
		const struct asn_range *range = (const struct asn_range *)list.items + i;
		return (struct interval){ range->min, range->max };
	}
	return address_interval(list.kind, (const struct address_range *)list.items + i);
}

/* Writes element `i`, for which there is room. */
static void
list_put(struct resource_set *set, enum kind kind, size_t i, struct interval interval)
{
	if (kind == ASNS) {
		set->asns[i] = (struct asn_range){ (uint32_t)interval.min, (uint32_t)interval.max };
		return;
	}
	struct address_range range = { .min = { { 0 } }, .max = { { 0 } } };
	store(interval.min, range.min.bytes, octets_of(kind));
	store(interval.max, range.max.bytes, octets_of(kind));
	addresses_of(set, kind)->items[i] = range;
}

static void
list_set_count(struct resource_set *set, enum kind kind, size_t count)
{
	if (kind == ASNS)
		set->asns_count = count;
	else
		addresses_of(set, kind)->count = count;
}

static enum fault_code
list_reserve(struct resource_set *set, enum kind kind, size_t needed, struct fault *fault)
{
	if (kind == ASNS)
		return memory_reserve(&set->asns, &set->asns_capacity, needed, sizeof *set->asns, fault);
	struct address_ranges *ranges = addresses_of(set, kind);
	return memory_reserve(&ranges->items, &ranges->capacity, needed, sizeof *ranges->items, fault);
}

static enum fault_code
list_append(struct resource_set *set, enum kind kind, struct interval interval, struct fault *fault)
{
	size_t count = list_of(set, kind).count;
	TRY(list_reserve(set, kind, count + 1, fault));
	list_put(set, kind, count, interval);
	list_set_count(set, kind, count + 1);
	return FAULT_NONE;
}

/* Whether b, which does not start before a, overlaps it or follows without a gap. */
static bool
joins(struct interval a, struct interval b)
{
	return b.min <= a.max || b.min - a.max == 1;
}

/* RFC 3779 §2.2.3.6, §3.2.3.4: sorted, no overlap, no two ranges that could be one. */
static bool
list_canonical(struct list list)
{
	struct interval last = { 0, 0 };
	for (size_t i = 0; i < list.count; i++) {
		struct interval next = list_at(list, i);
		if (next.min > next.max || (i > 0 && (next.min < last.min || joins(last, next))))
			return false;
		last = next;
	}
	return true;
}

static bool
canonical(const struct resource_set *set)
{
	return list_canonical(list_of(set, ASNS)) && list_canonical(list_of(set, IPV4)) && list_canonical(list_of(set, IPV6));
}

void
resource_set_clear(struct resource_set *set)
{
	free(set->asns);
	free(set->ipv4.items);
	free(set->ipv6.items);
	*set = RESOURCE_SET_INIT;
}

bool
resource_set_empty(const struct resource_set *set)
{
	return resource_set_ranges(set) == 0;
}

size_t
resource_set_ranges(const struct resource_set *set)
{
	return set->asns_count + set->ipv4.count + set->ipv6.count;
}

bool
resource_set_equal(const struct resource_set *a, const struct resource_set *b)
{
	for (enum kind kind = ASNS; kind < KINDS; kind++) {
		struct list first = list_of(a, kind), second = list_of(b, kind);
		if (first.count != second.count)
			return false;
		for (size_t i = 0; i < first.count; i++) {
			struct interval x = list_at(first, i), y = list_at(second, i);
			if (x.min != y.min || x.max != y.max)
				return false;
		}
	}
	return true;
}

static enum fault_code
add(struct resource_set *set, enum kind kind, struct interval interval, struct fault *fault)
{
	if (resource_set_ranges(set) >= RESOURCE_SET_RANGES_MAX)
		return fault_set(fault, FAULT_TOO_LARGE, "more than %d ranges in one set of resources", RESOURCE_SET_RANGES_MAX);
	return list_append(set, kind, interval, fault);
}

enum fault_code
resource_set_add_asns(struct resource_set *set, uint32_t min, uint32_t max, struct fault *fault)
{
	if (min > max)
		return fault_set(fault, FAULT_INVALID, "the range AS%" PRIu32 "-AS%" PRIu32 " ends before it starts", min, max);
	return add(set, ASNS, (struct interval){ min, max }, fault);
}

enum fault_code
resource_set_add_addresses(struct resource_set *set, enum address_family family, const struct address *min,
	const struct address *max, struct fault *fault)
{
	struct address_range range = { *min, *max };
	struct interval interval = address_interval(kind_of(family), &range);
	if (interval.min > interval.max) {
		char text[RANGE_TEXT];
		resource_set_address_text(family, &range, text);
		return fault_set(fault, FAULT_INVALID, "the range %s ends before it starts", text);
	}
	return add(set, kind_of(family), interval, fault);
}

enum fault_code
resource_set_add_prefix(struct resource_set *set, const struct prefix *prefix, struct fault *fault)
{
	struct address first = prefix_first(prefix), last = prefix_last(prefix);
	return resource_set_add_addresses(set, prefix->family, &first, &last, fault);
}

static int
compare_asn_ranges(const void *a, const void *b)
{
	uint32_t x = ((const struct asn_range *)a)->min, y = ((const struct asn_range *)b)->min;
	return (x > y) - (x < y);
}

static int
compare_address_ranges(const void *a, const void *b)
{
	return address_compare(&((const struct address_range *)a)->min, &((const struct address_range *)b)->min);
}

static void
sort(struct resource_set *set, enum kind kind)
{
	if (kind == ASNS && set->asns_count > 0)
		qsort(set->asns, set->asns_count, sizeof *set->asns, compare_asn_ranges);
	else if (kind != ASNS && addresses_of(set, kind)->count > 0)
		qsort(addresses_of(set, kind)->items, addresses_of(set, kind)->count, sizeof(struct address_range),
			compare_address_ranges);
}

/* In place: the list is sorted, and what joins is merged behind the reader. */
static void
merge(struct resource_set *set, enum kind kind)
{
	struct list list = list_of(set, kind);
	if (list.count == 0)
		return;
	size_t kept = 0;
	struct interval grown = list_at(list, 0);
	for (size_t i = 1; i < list.count; i++) {
		struct interval next = list_at(list, i);
		if (!joins(grown, next)) {
			list_put(set, kind, kept++, grown);
			grown = next;
		} else if (next.max > grown.max) {
			grown.max = next.max;
		}
	}
	list_put(set, kind, kept++, grown);
	list_set_count(set, kind, kept);
}

enum fault_code
resource_set_normalise(struct resource_set *set, struct fault *fault)
{
	(void)fault; /* all of it is done in place */
	for (enum kind kind = ASNS; kind < KINDS; kind++) {
		if (list_canonical(list_of(set, kind)))
			continue;
		sort(set, kind);
		merge(set, kind);
	}
	return FAULT_NONE;
}

/* Takes what `made` holds for the value of *ret_set. */
static void
replace(struct resource_set *ret_set, struct resource_set *made)
{
	resource_set_clear(ret_set);
	*ret_set = *made;
	*made = RESOURCE_SET_INIT;
}

enum fault_code
resource_set_all(struct resource_set *ret_set, struct fault *fault)
{
	AUTO_CLEAR(struct resource_set, resource_set_clear) all = RESOURCE_SET_INIT;
	TRY(list_append(&all, ASNS, (struct interval){ 0, ASN_MAX }, fault));
	TRY(list_append(&all, IPV4, (struct interval){ 0, UINT32_MAX }, fault));
	TRY(list_append(&all, IPV6, (struct interval){ 0, ~(number)0 }, fault));
	replace(ret_set, &all);
	return FAULT_NONE;
}

enum fault_code
resource_set_copy(const struct resource_set *set, struct resource_set *ret_set, struct fault *fault)
{
	AUTO_CLEAR(struct resource_set, resource_set_clear) copy = RESOURCE_SET_INIT;
	for (enum kind kind = ASNS; kind < KINDS; kind++) {
		struct list list = list_of(set, kind);
		TRY(list_reserve(&copy, kind, list.count, fault));
		for (size_t i = 0; i < list.count; i++)
			list_put(&copy, kind, i, list_at(list, i));
		list_set_count(&copy, kind, list.count);
	}
	replace(ret_set, &copy);
	return FAULT_NONE;
}

/* What an operation does with two canonical lists of one kind: appends a canonical list to *result, in one pass over both. */
typedef enum fault_code combine(struct list a, struct list b, struct resource_set *result, struct fault *fault);

static enum fault_code
combine_each(combine *combine_lists, const struct resource_set *a, const struct resource_set *b, struct resource_set *ret_set,
	struct fault *fault)
{
	INVARIANT(canonical(a) && canonical(b));
	AUTO_CLEAR(struct resource_set, resource_set_clear) result = RESOURCE_SET_INIT;
	for (enum kind kind = ASNS; kind < KINDS; kind++)
		TRY(combine_lists(list_of(a, kind), list_of(b, kind), &result, fault));
	replace(ret_set, &result);
	return FAULT_NONE;
}

static enum fault_code
unite(struct list a, struct list b, struct resource_set *result, struct fault *fault)
{
	struct interval grown = { 0, 0 };
	bool started = false;
	for (size_t i = 0, j = 0; i < a.count || j < b.count;) {
		bool from_a = j == b.count || (i < a.count && list_at(a, i).min <= list_at(b, j).min);
		struct interval next = from_a ? list_at(a, i++) : list_at(b, j++);
		if (started && joins(grown, next)) {
			grown.max = next.max > grown.max ? next.max : grown.max;
			continue;
		}
		if (started)
			TRY(list_append(result, a.kind, grown, fault));
		grown = next;
		started = true;
	}
	if (started)
		TRY(list_append(result, a.kind, grown, fault));
	return FAULT_NONE;
}

/* Two numbers side by side in both sets lie in one range of each, so no pieces that join can come out. */
static enum fault_code
intersect(struct list a, struct list b, struct resource_set *result, struct fault *fault)
{
	for (size_t i = 0, j = 0; i < a.count && j < b.count;) {
		struct interval x = list_at(a, i), y = list_at(b, j);
		struct interval both = { x.min > y.min ? x.min : y.min, x.max < y.max ? x.max : y.max };
		if (both.min <= both.max)
			TRY(list_append(result, a.kind, both, fault));
		if (x.max < y.max)
			i++;
		else
			j++;
	}
	return FAULT_NONE;
}

static enum fault_code
subtract(struct list a, struct list b, struct resource_set *result, struct fault *fault)
{
	size_t j = 0;
	for (size_t i = 0; i < a.count; i++) {
		struct interval rest = list_at(a, i);
		bool left = true;
		while (j < b.count && list_at(b, j).max < rest.min)
			j++;
		while (left && j < b.count && list_at(b, j).min <= rest.max) {
			struct interval hole = list_at(b, j);
			if (hole.min > rest.min)
				TRY(list_append(result, a.kind, (struct interval){ rest.min, hole.min - 1 }, fault));
			left = hole.max < rest.max;
			if (left) { /* else the hole may reach into the next range too, and is kept for it */
				rest.min = hole.max + 1;
				j++;
			}
		}
		if (left)
			TRY(list_append(result, a.kind, rest, fault));
	}
	return FAULT_NONE;
}

enum fault_code
resource_set_union(const struct resource_set *a, const struct resource_set *b, struct resource_set *ret_set, struct fault *fault)
{
	return combine_each(unite, a, b, ret_set, fault);
}

enum fault_code
resource_set_intersection(const struct resource_set *a, const struct resource_set *b, struct resource_set *ret_set,
	struct fault *fault)
{
	return combine_each(intersect, a, b, ret_set, fault);
}

enum fault_code
resource_set_difference(const struct resource_set *a, const struct resource_set *b, struct resource_set *ret_set,
	struct fault *fault)
{
	return combine_each(subtract, a, b, ret_set, fault);
}

/* Whether one range of a canonical list holds all of the interval. */
static bool
list_holds(struct list list, struct interval interval)
{
	size_t low = 0, high = list.count; /* the first range that ends at or behind the interval's end is in [low, high] */
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (list_at(list, middle).max < interval.max)
			low = middle + 1;
		else
			high = middle;
	}
	return low < list.count && list_at(list, low).min <= interval.min;
}

bool
resource_set_contains(const struct resource_set *outer, const struct resource_set *inner)
{
	INVARIANT(canonical(outer) && canonical(inner));
	for (enum kind kind = ASNS; kind < KINDS; kind++) {
		struct list held = list_of(outer, kind), asked = list_of(inner, kind);
		for (size_t i = 0; i < asked.count; i++)
			if (!list_holds(held, list_at(asked, i)))
				return false;
	}
	return true;
}

bool
resource_set_holds_prefix(const struct resource_set *set, const struct prefix *prefix)
{
	struct address_range range = { prefix_first(prefix), prefix_last(prefix) };
	enum kind kind = kind_of(prefix->family);
	return list_holds(list_of(set, kind), address_interval(kind, &range));
}

bool
resource_set_holds_asn(const struct resource_set *set, uint32_t asn)
{
	return list_holds(list_of(set, ASNS), (struct interval){ asn, asn });
}

/* Copies what stands before the "-" of a range; *ret_back is what stands behind it, NULL where there is no "-". */
static enum fault_code
split_range(const char *text, char front[RANGE_TEXT], const char **ret_back, struct fault *fault)
{
	size_t length = strlen(text);
	if (length >= RANGE_TEXT)
		return fault_set(fault, FAULT_INVALID, "a text of %zu characters is no range", length);
	memcpy(front, text, length + 1);
	char *dash = strchr(front, '-');
	if (dash != NULL)
		*dash = '\0';
	*ret_back = dash != NULL ? dash + 1 : NULL;
	return FAULT_NONE;
}

static enum fault_code
parse_address_of(enum address_family family, const char *text, struct address *ret_address, struct fault *fault)
{
	enum address_family told;
	struct address address;
	TRY(address_parse(text, &told, &address, fault));
	if (told != family)
		return fault_set(fault, FAULT_INVALID, "%s is no IPv%d address", text, (int)family);
	*ret_address = address;
	return FAULT_NONE;
}

enum fault_code
resource_set_parse_addresses(struct resource_set *set, enum address_family family, const char *text, struct fault *fault)
{
	if (strchr(text, '/') != NULL) {
		struct prefix prefix;
		TRY(prefix_parse(text, &prefix, fault));
		if (prefix.family != family)
			return fault_set(fault, FAULT_INVALID, "%s is no IPv%d prefix", text, (int)family);
		return resource_set_add_prefix(set, &prefix, fault);
	}
	char front[RANGE_TEXT];
	const char *back;
	struct address min, max;
	TRY(split_range(text, front, &back, fault));
	TRY(parse_address_of(family, front, &min, fault));
	TRY(parse_address_of(family, back != NULL ? back : front, &max, fault));
	return resource_set_add_addresses(set, family, &min, &max, fault);
}

enum fault_code
resource_set_parse_asns(struct resource_set *set, const char *text, struct fault *fault)
{
	char front[RANGE_TEXT];
	const char *back;
	uint32_t min, max;
	TRY(split_range(text, front, &back, fault));
	TRY(asn_parse(front, &min, fault));
	TRY(asn_parse(back != NULL ? back : front, &max, fault));
	return resource_set_add_asns(set, min, max, fault);
}

bool
address_range_as_prefix(enum address_family family, const struct address_range *range, struct prefix *ret_prefix)
{
	struct interval interval = address_interval(kind_of(family), range);
	if (interval.min > interval.max)
		return false;
	/* A prefix spans a power of two and starts at a multiple of it. `span` is one less, so that ::/0 has one too. */
	number span = interval.max - interval.min;
	if ((span & (span + 1)) != 0 || (interval.min & span) != 0)
		return false;
	unsigned host = 0;
	for (; span != 0; span >>= 1)
		host++;
	*ret_prefix = (struct prefix){ family, (uint8_t)(family_bits(family) - host), range->min };
	return true;
}

void
resource_set_address_text(enum address_family family, const struct address_range *range, char text[RANGE_TEXT])
{
	struct prefix prefix;
	if (address_range_as_prefix(family, range, &prefix)) {
		prefix_text(&prefix, text);
		return;
	}
	char min[ADDRESS_TEXT], max[ADDRESS_TEXT];
	address_text(family, &range->min, min);
	address_text(family, &range->max, max);
	(void)snprintf(text, RANGE_TEXT, "%s-%s", min, max);
}

void
resource_set_asn_text(const struct asn_range *range, char text[RANGE_TEXT])
{
	if (range->min == range->max)
		(void)snprintf(text, RANGE_TEXT, "AS%" PRIu32, range->min);
	else
		(void)snprintf(text, RANGE_TEXT, "AS%" PRIu32 "-AS%" PRIu32, range->min, range->max);
}

static enum fault_code
append_number(struct bytes *blob, number value, unsigned octets, struct fault *fault)
{
	uint8_t room[16];
	store(value, room, octets);
	return bytes_append(blob, room, octets, fault);
}

enum fault_code
resource_set_encode(const struct resource_set *set, struct bytes *ret_blob, struct fault *fault)
{
	INVARIANT(canonical(set));
	if (resource_set_ranges(set) > RESOURCE_SET_RANGES_MAX)
		return fault_set(fault, FAULT_TOO_LARGE, "%zu ranges are more than the %d that one set of resources may have",
			resource_set_ranges(set), RESOURCE_SET_RANGES_MAX);
	AUTO_CLEAR(struct bytes, bytes_clear) blob = BYTES_INIT;
	TRY(append_number(&blob, STORED_VERSION, 1, fault));
	for (enum kind kind = ASNS; kind < KINDS; kind++) {
		struct list list = list_of(set, kind);
		TRY(append_number(&blob, list.count, 4, fault));
		for (size_t i = 0; i < list.count; i++) {
			struct interval interval = list_at(list, i);
			TRY(append_number(&blob, interval.min, octets_of(kind), fault));
			TRY(append_number(&blob, interval.max, octets_of(kind), fault));
		}
	}
	bytes_swap(ret_blob, &blob);
	return FAULT_NONE;
}

/* Takes a number from the front of the blob. */
static enum fault_code
take_number(struct span *blob, unsigned octets, number *ret_value, struct fault *fault)
{
	if (blob->length < octets)
		return fault_set(fault, FAULT_MALFORMED, "the stored set of resources is cut short");
	*ret_value = load(blob->data, octets);
	blob->data += octets;
	blob->length -= octets;
	return FAULT_NONE;
}

static enum fault_code
decode_list(struct span *blob, enum kind kind, struct resource_set *set, struct fault *fault)
{
	number count = 0;
	unsigned octets = octets_of(kind);
	TRY(take_number(blob, 4, &count, fault));
	if (count > RESOURCE_SET_RANGES_MAX - resource_set_ranges(set))
		return fault_set(fault, FAULT_TOO_LARGE, "the stored set of resources has more than %d ranges",
			RESOURCE_SET_RANGES_MAX);
	if (blob->length < (size_t)count * 2 * octets)
		return fault_set(fault, FAULT_MALFORMED, "the stored set of resources is cut short");
	TRY(list_reserve(set, kind, (size_t)count, fault));
	for (size_t i = 0; i < (size_t)count; i++) {
		struct interval interval;
		TRY(take_number(blob, octets, &interval.min, fault));
		TRY(take_number(blob, octets, &interval.max, fault));
		list_put(set, kind, i, interval);
	}
	list_set_count(set, kind, (size_t)count);
	return FAULT_NONE;
}

enum fault_code
resource_set_decode(struct span blob, struct resource_set *ret_set, struct fault *fault)
{
	AUTO_CLEAR(struct resource_set, resource_set_clear) set = RESOURCE_SET_INIT;
	number version = 0;
	TRY(take_number(&blob, 1, &version, fault));
	if (version != STORED_VERSION)
		return fault_set(fault, FAULT_MALFORMED, "the stored set of resources has version %u, not %d", (unsigned)version,
			STORED_VERSION);
	for (enum kind kind = ASNS; kind < KINDS; kind++)
		TRY(decode_list(&blob, kind, &set, fault));
	if (blob.length != 0)
		return fault_set(fault, FAULT_MALFORMED, "the stored set of resources has %zu octets too many", blob.length);
	if (!canonical(&set))
		return fault_set(fault, FAULT_MALFORMED, "the stored set of resources is not canonical");
	replace(ret_set, &set);
	return FAULT_NONE;
}
