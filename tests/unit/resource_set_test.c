#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "ca/resources/resource_set.h"

#define ROUNDS 1500
#define LISTS 3

typedef unsigned __int128 number;

/*
 * The naive model: 64 points, a set of them is the bits of a word. Each map lays the points somewhere into the real numbers,
 * point i being the range from base + i × step of `step` numbers: over all of it, at both ends, across a carry.
 */
struct map {
	number base, step;
};

enum { ASNS, IPV4, IPV6 };
static const unsigned bits_of[LISTS] = { 32, 32, 128 };

enum place { TILES, LOW_END, HIGH_END, CARRY, PLACES };

static struct map
map_of(enum place place, unsigned list)
{
	const number last = ~(number)0 >> (128 - bits_of[list]);
	const struct map maps[PLACES] = {
		[TILES] = { 0, (last >> 6) + 1 },
		[LOW_END] = { 0, 1 },
		[HIGH_END] = { last - 63, 1 },
		[CARRY] = { (list == IPV6 ? (number)1 << 64 : (number)1 << 24) - 32, 1 },
	};
	return maps[place];
}

static struct address
address_of(number value, unsigned list)
{
	struct address address = { { 0 } };
	for (unsigned i = bits_of[list] / 8; i-- > 0; value >>= 8)
		address.bytes[i] = (uint8_t)value;
	return address;
}

static enum address_family
family_of(unsigned list)
{
	return list == IPV4 ? FAMILY_IPV4 : FAMILY_IPV6;
}

/* splitmix64: the same numbers in every run. */
static uint64_t
next_random(uint64_t *seed)
{
	uint64_t z = *seed += UINT64_C(0x9e3779b97f4a7c15);
	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

/* Runs of points, single ones, nothing, all. */
static uint64_t
random_points(uint64_t *seed)
{
	uint64_t x = next_random(seed), y = next_random(seed);
	switch (next_random(seed) % 6) {
	case 0:
		return x & y & next_random(seed);
	case 1:
		return x | y;
	case 2:
		return x >> 63 ? ~UINT64_C(0) : 0;
	case 3:
		return (~UINT64_C(0) << x % 64) & (~UINT64_C(0) >> y % 64);
	case 4:
		return ~(UINT64_C(1) << x % 64) & ~(UINT64_C(1) << y % 64);
	default:
		return x ^ x << 1;
	}
}

static void
add(struct resource_set *set, unsigned list, number min, number max)
{
	struct address first = address_of(min, list), last = address_of(max, list);
	if (list == ASNS)
		assert_int_equal(resource_set_add_asns(set, (uint32_t)min, (uint32_t)max, NULL), FAULT_NONE);
	else
		assert_int_equal(resource_set_add_addresses(set, family_of(list), &first, &last, NULL), FAULT_NONE);
}

/* The set of these points, added as random overlapping pieces in random order. */
static void
build(struct resource_set *set, enum place place, const uint64_t points[LISTS], uint64_t *seed)
{
	resource_set_clear(set);
	for (unsigned list = 0; list < LISTS; list++) {
		struct map map = map_of(place, list);
		uint64_t missing = points[list];
		while (missing != 0) {
			unsigned from = (unsigned)(next_random(seed) % 64), to = from;
			if ((points[list] >> from & 1) == 0)
				continue;
			while (to < 63 && (points[list] >> (to + 1) & 1) != 0 && next_random(seed) % 4 != 0)
				to++;
			for (unsigned i = from; i <= to; i++)
				missing &= ~(UINT64_C(1) << i);
			add(set, list, map.base + from * map.step, map.base + to * map.step + (map.step - 1));
		}
	}
	assert_int_equal(resource_set_normalise(set, NULL), FAULT_NONE);
}

/* Appends the ranges of a model by plain counting, as bytes: what the set's arrays must be. */
static size_t
expected_ranges(enum place place, unsigned list, uint64_t points, struct address_range ranges[64])
{
	struct map map = map_of(place, list);
	size_t count = 0;
	for (unsigned i = 0; i < 64; i++) {
		if ((points >> i & 1) == 0)
			continue;
		if (i == 0 || (points >> (i - 1) & 1) == 0)
			ranges[count++].min = address_of(map.base + i * map.step, list);
		ranges[count - 1].max = address_of(map.base + i * map.step + (map.step - 1), list);
	}
	return count;
}

static void
assert_points(const struct resource_set *set, enum place place, const uint64_t points[LISTS])
{
	for (unsigned list = 0; list < LISTS; list++) {
		struct address_range expected[64];
		size_t count = expected_ranges(place, list, points[list], expected);
		if (list != ASNS) {
			const struct address_ranges *ranges = resource_set_addresses(set, family_of(list));
			assert_int_equal(ranges->count, count);
			if (count > 0)
				assert_memory_equal(ranges->items, expected, count * sizeof *expected);
			continue;
		}
		assert_int_equal(set->asns_count, count);
		for (size_t i = 0; i < count; i++) {
			struct address min = address_of(set->asns[i].min, ASNS), max = address_of(set->asns[i].max, ASNS);
			assert_int_equal(address_compare(&min, &expected[i].min), 0);
			assert_int_equal(address_compare(&max, &expected[i].max), 0);
		}
	}
}

typedef enum fault_code operation(const struct resource_set *a, const struct resource_set *b, struct resource_set *ret_set,
	struct fault *fault);

static uint64_t
points_union(uint64_t a, uint64_t b)
{
	return a | b;
}

static uint64_t
points_intersection(uint64_t a, uint64_t b)
{
	return a & b;
}

static uint64_t
points_difference(uint64_t a, uint64_t b)
{
	return a & ~b;
}

static const struct {
	operation *sets;
	uint64_t (*points)(uint64_t a, uint64_t b);
} operations[] = {
	{ resource_set_union, points_union },
	{ resource_set_intersection, points_intersection },
	{ resource_set_difference, points_difference },
};

static void
random_model(uint64_t points[LISTS], uint64_t *seed)
{
	for (unsigned list = 0; list < LISTS; list++)
		points[list] = random_points(seed);
}

static void
resource_set__algebra_agrees_with_the_model(void **state)
{
	(void)state;
	AUTO_CLEAR(struct resource_set, resource_set_clear) a = RESOURCE_SET_INIT;
	AUTO_CLEAR(struct resource_set, resource_set_clear) b = RESOURCE_SET_INIT;
	AUTO_CLEAR(struct resource_set, resource_set_clear) result = RESOURCE_SET_INIT;
	uint64_t seed = 1;
	for (enum place place = 0; place < PLACES; place++)
		for (int round = 0; round < ROUNDS; round++) {
			uint64_t x[LISTS], y[LISTS], expected[LISTS];
			random_model(x, &seed);
			random_model(y, &seed);
			build(&a, place, x, &seed);
			build(&b, place, y, &seed);
			assert_points(&a, place, x);
			for (size_t i = 0; i < sizeof operations / sizeof *operations; i++) {
				for (unsigned list = 0; list < LISTS; list++)
					expected[list] = operations[i].points(x[list], y[list]);
				assert_int_equal(operations[i].sets(&a, &b, &result, NULL), FAULT_NONE);
				assert_points(&result, place, expected);
			}
			bool contained = (y[0] & ~x[0]) == 0 && (y[1] & ~x[1]) == 0 && (y[2] & ~x[2]) == 0;
			assert_int_equal(resource_set_contains(&a, &b), contained);
			assert_true(resource_set_contains(&a, &a));
			assert_int_equal(resource_set_equal(&a, &b), memcmp(x, y, sizeof x) == 0);
		}
}

/* Contained sets are rare among random ones, so they are made on purpose. */
static void
resource_set__contains_what_was_taken_from_it(void **state)
{
	(void)state;
	AUTO_CLEAR(struct resource_set, resource_set_clear) outer = RESOURCE_SET_INIT;
	AUTO_CLEAR(struct resource_set, resource_set_clear) inner = RESOURCE_SET_INIT;
	uint64_t seed = 2;
	for (int round = 0; round < ROUNDS; round++) {
		uint64_t x[LISTS], y[LISTS];
		enum place place = next_random(&seed) % PLACES;
		random_model(x, &seed);
		for (unsigned list = 0; list < LISTS; list++)
			y[list] = x[list] & random_points(&seed);
		build(&outer, place, x, &seed);
		build(&inner, place, y, &seed);
		assert_true(resource_set_contains(&outer, &inner));
		assert_int_equal(resource_set_contains(&inner, &outer), memcmp(x, y, sizeof x) == 0);
	}
}

/* Every prefix that lies inside the 64 points, and every AS number. */
static void
resource_set__holds_agrees_with_the_model(void **state)
{
	(void)state;
	AUTO_CLEAR(struct resource_set, resource_set_clear) set = RESOURCE_SET_INIT;
	uint64_t seed = 3;
	for (int round = 0; round < ROUNDS; round++) {
		enum place place = (enum place[]){ LOW_END, HIGH_END, CARRY }[round % 3];
		uint64_t points[LISTS];
		random_model(points, &seed);
		build(&set, place, points, &seed);
		for (unsigned i = 0; i < 64; i++)
			assert_int_equal(resource_set_holds_asn(&set, (uint32_t)map_of(place, ASNS).base + i),
				points[ASNS] >> i & 1);
		for (unsigned list = IPV4; list <= IPV6; list++)
			for (unsigned host = 0; host <= 5; host++)
				for (unsigned i = 0; i < 64; i += 1u << host) {
					struct prefix prefix = { family_of(list), (uint8_t)(bits_of[list] - host),
						address_of(map_of(place, list).base + i, list) };
					bool held = (~points[list] & ((UINT64_C(1) << (1u << host)) - 1) << i) == 0;
					assert_int_equal(resource_set_holds_prefix(&set, &prefix), held);
				}
	}
}

static void
parse(struct resource_set *set, const char *const *texts, size_t count)
{
	struct fault fault = FAULT_INIT;
	enum fault_code code = FAULT_NONE;
	for (size_t i = 0; i < count && code == FAULT_NONE; i++) {
		enum address_family family = strchr(texts[i], ':') != NULL ? FAMILY_IPV6 : FAMILY_IPV4;
		if (strncmp(texts[i], "AS", 2) == 0)
			code = resource_set_parse_asns(set, texts[i], &fault);
		else
			code = resource_set_parse_addresses(set, family, texts[i], &fault);
	}
	if (code != FAULT_NONE)
		fail_msg("%s", fault.message);
	assert_int_equal(resource_set_normalise(set, NULL), FAULT_NONE);
}

#define TEXTS(...) ((const char *const[]){ __VA_ARGS__ })
#define PARSE(set, ...) parse((set), TEXTS(__VA_ARGS__), sizeof TEXTS(__VA_ARGS__) / sizeof(char *))

/* All items, each followed by a blank. */
static void
print(const struct resource_set *set, struct bytes *text)
{
	char item[RANGE_TEXT];
	bytes_reset(text);
	for (size_t i = 0; i < set->asns_count; i++) {
		resource_set_asn_text(&set->asns[i], item);
		assert_int_equal(bytes_printf(text, NULL, "%s ", item), FAULT_NONE);
	}
	for (enum address_family family = FAMILY_IPV4; family <= FAMILY_IPV6; family += FAMILY_IPV6 - FAMILY_IPV4)
		for (size_t i = 0; i < resource_set_addresses(set, family)->count; i++) {
			resource_set_address_text(family, &resource_set_addresses(set, family)->items[i], item);
			assert_int_equal(bytes_printf(text, NULL, "%s ", item), FAULT_NONE);
		}
}

static void
assert_text(const struct resource_set *set, const char *expected)
{
	AUTO_CLEAR(struct bytes, bytes_clear) text = BYTES_INIT;
	print(set, &text);
	assert_string_equal(bytes_text(&text), expected);
}

static void
resource_set__all_and_its_edges(void **state)
{
	(void)state;
	AUTO_CLEAR(struct resource_set, resource_set_clear) all = RESOURCE_SET_INIT;
	AUTO_CLEAR(struct resource_set, resource_set_clear) edges = RESOURCE_SET_INIT;
	AUTO_CLEAR(struct resource_set, resource_set_clear) rest = RESOURCE_SET_INIT;
	AUTO_CLEAR(struct resource_set, resource_set_clear) again = RESOURCE_SET_INIT;
	assert_int_equal(resource_set_all(&all, NULL), FAULT_NONE);
	assert_text(&all, "AS0-AS4294967295 0.0.0.0/0 ::/0 ");
	PARSE(&edges, "AS0", "AS4294967295", "0.0.0.0", "255.255.255.255", "::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
	assert_true(resource_set_contains(&all, &edges));
	assert_false(resource_set_contains(&edges, &all));
	assert_int_equal(resource_set_difference(&all, &edges, &rest, NULL), FAULT_NONE);
	assert_text(&rest, "AS1-AS4294967294 0.0.0.1-255.255.255.254 ::1-ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe ");
	assert_int_equal(resource_set_union(&edges, &rest, &again, NULL), FAULT_NONE);
	assert_true(resource_set_equal(&again, &all));
	assert_int_equal(resource_set_difference(&all, &all, &rest, NULL), FAULT_NONE);
	assert_true(resource_set_empty(&rest));
	assert_true(resource_set_contains(&edges, &rest));
	assert_true(resource_set_contains(&rest, &rest));
	assert_false(resource_set_contains(&rest, &edges));
}

static void
resource_set__neighbours_across_a_carry_merge(void **state)
{
	(void)state;
	AUTO_CLEAR(struct resource_set, resource_set_clear) set = RESOURCE_SET_INIT;
	PARSE(&set, "AS65536-AS65551", "AS65535", "10.0.0.0-10.255.255.255", "11.0.0.0/8", "9.255.255.255",
		"2001:db8:0:1::/64", "2001:db8::/64", "2001:db8:0:2::-2001:db8:0:2::5", "2001:db8:0:2::7");
	assert_text(&set, "AS65535-AS65551 9.255.255.255-11.255.255.255 2001:db8::-2001:db8:0:2::5 2001:db8:0:2::7/128 ");
}

static void
resource_set__families_are_apart(void **state)
{
	(void)state;
	AUTO_CLEAR(struct resource_set, resource_set_clear) set = RESOURCE_SET_INIT;
	struct prefix ipv4, ipv6;
	PARSE(&set, "192.0.2.0/24");
	assert_int_equal(prefix_parse("192.0.2.0/25", &ipv4, NULL), FAULT_NONE);
	assert_int_equal(prefix_parse("c000:200::/25", &ipv6, NULL), FAULT_NONE);
	assert_true(resource_set_holds_prefix(&set, &ipv4));
	assert_false(resource_set_holds_prefix(&set, &ipv6));
	assert_false(resource_set_holds_asn(&set, 0));
}

static void
resource_set__ranges_that_end_before_they_start(void **state)
{
	(void)state;
	AUTO_CLEAR(struct resource_set, resource_set_clear) set = RESOURCE_SET_INIT;
	struct fault fault = FAULT_INIT;
	assert_int_equal(resource_set_add_asns(&set, 2, 1, &fault), FAULT_INVALID);
	assert_string_equal(fault.message, "the range AS2-AS1 ends before it starts");
	assert_int_equal(resource_set_parse_addresses(&set, FAMILY_IPV4, "192.0.2.1-192.0.2.0", &fault), FAULT_INVALID);
	assert_string_equal(fault.message, "the range 192.0.2.1-192.0.2.0 ends before it starts");
	assert_int_equal(resource_set_parse_addresses(&set, FAMILY_IPV6, "::1-::", &fault), FAULT_INVALID);
	assert_true(resource_set_empty(&set));
}

static void
resource_set__bad_text_is_refused(void **state)
{
	(void)state;
	static const struct {
		enum address_family family; /* 0: AS numbers */
		const char *text;
	} cases[] = {
		{ FAMILY_IPV4, "" }, { FAMILY_IPV4, "-" }, { FAMILY_IPV4, "192.0.2.0-" }, { FAMILY_IPV4, "-192.0.2.0" },
		{ FAMILY_IPV4, "192.0.2.0 - 192.0.2.1" }, { FAMILY_IPV4, "192.0.2.0-192.0.2.1-192.0.2.2" },
		{ FAMILY_IPV4, "192.0.2.1/24" }, { FAMILY_IPV4, "192.0.2.0/24-192.0.3.0/24" },
		{ FAMILY_IPV4, "192.0.2.0-24" }, { FAMILY_IPV4, "2001:db8::/32" }, { FAMILY_IPV4, "::1" },
		{ FAMILY_IPV4, "192.0.2.0-::1" }, { FAMILY_IPV4, "::1-192.0.2.0" }, { FAMILY_IPV4, "AS64496" },
		{ FAMILY_IPV4, "inherit" }, { FAMILY_IPV6, "192.0.2.0/24" }, { FAMILY_IPV6, "2001:db8::-192.0.2.0" },
		{ FAMILY_IPV6, "::ffff:192.0.2.0" }, { FAMILY_IPV6, "2001:db8::-" },
		{ FAMILY_IPV6, "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000" },
		{ 0, "" }, { 0, "-" }, { 0, "AS" }, { 0, "AS1-" }, { 0, "-AS1" }, { 0, "AS1-AS2-AS3" }, { 0, "AS1 - AS2" },
		{ 0, "AS2-AS1" }, { 0, "1-4294967296" }, { 0, "AS1,AS2" }, { 0, "192.0.2.0" },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		AUTO_CLEAR(struct resource_set, resource_set_clear) set = RESOURCE_SET_INIT;
		struct fault fault = FAULT_INIT;
		enum fault_code code = cases[i].family == 0 ? resource_set_parse_asns(&set, cases[i].text, &fault) :
			resource_set_parse_addresses(&set, cases[i].family, cases[i].text, &fault);
		if (code != FAULT_INVALID || fault.message[0] == '\0')
			fail_msg("\"%s\" was taken", cases[i].text);
		assert_true(resource_set_empty(&set));
	}
}

static void
resource_set__text_of_every_form(void **state)
{
	(void)state;
	AUTO_CLEAR(struct resource_set, resource_set_clear) set = RESOURCE_SET_INIT;
	PARSE(&set, "AS64496-64511", "AS64500", "198.51.100.0-198.51.100.130", "192.0.2.0-192.0.2.255", "203.0.113.7",
		"2001:db8::/32", "::ffff:c000:200-::ffff:c000:203",
		"ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
	assert_text(&set, "AS64496-AS64511 192.0.2.0/24 198.51.100.0-198.51.100.130 203.0.113.7/32 "
		"::ffff:c000:200/126 2001:db8::/32 ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe/127 ");
}

/* Printed and parsed again, stored and loaded again, copied: the same set. */
static void
resource_set__comes_back_from_text_blob_and_copy(void **state)
{
	(void)state;
	AUTO_CLEAR(struct resource_set, resource_set_clear) set = RESOURCE_SET_INIT;
	AUTO_CLEAR(struct bytes, bytes_clear) text = BYTES_INIT;
	AUTO_CLEAR(struct bytes, bytes_clear) blob = BYTES_INIT;
	uint64_t seed = 4;
	for (int round = 0; round < ROUNDS; round++) {
		AUTO_CLEAR(struct resource_set, resource_set_clear) again = RESOURCE_SET_INIT;
		uint64_t points[LISTS];
		enum place place = next_random(&seed) % PLACES;
		random_model(points, &seed);
		build(&set, place, points, &seed);
		print(&set, &text);
		char *rest = NULL;
		for (const char *item = strtok_r((char *)text.data, " ", &rest); item != NULL; item = strtok_r(NULL, " ", &rest))
			PARSE(&again, item);
		assert_true(resource_set_equal(&set, &again));
		assert_int_equal(resource_set_encode(&set, &blob, NULL), FAULT_NONE);
		assert_int_equal(resource_set_decode(bytes_span(&blob), &again, NULL), FAULT_NONE);
		assert_points(&again, place, points);
		resource_set_clear(&again);
		assert_int_equal(resource_set_copy(&set, &again, NULL), FAULT_NONE);
		assert_points(&again, place, points);
	}
}

static void
resource_set__stored_form_is_as_told(void **state)
{
	(void)state;
	AUTO_CLEAR(struct resource_set, resource_set_clear) set = RESOURCE_SET_INIT;
	AUTO_CLEAR(struct bytes, bytes_clear) blob = BYTES_INIT;
	assert_int_equal(resource_set_encode(&set, &blob, NULL), FAULT_NONE);
	assert_true(span_equal(bytes_span(&blob), SPAN("\1\0\0\0\0\0\0\0\0\0\0\0\0", 13)));
	PARSE(&set, "AS64496-AS64511", "192.0.2.0/24", "::1");
	assert_int_equal(resource_set_encode(&set, &blob, NULL), FAULT_NONE);
	assert_true(span_equal(bytes_span(&blob), SPAN("\1\0\0\0\1\0\0\xfb\xf0\0\0\xfb\xff\0\0\0\1\xc0\0\2\0\xc0\0\2\xff"
		"\0\0\0\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1", 61)));
}

static void
assert_refused(struct span blob, enum fault_code code)
{
	AUTO_CLEAR(struct resource_set, resource_set_clear) set = RESOURCE_SET_INIT;
	struct fault fault = FAULT_INIT;
	PARSE(&set, "AS1");
	assert_int_equal(resource_set_decode(blob, &set, &fault), code);
	assert_int_equal(fault.code, code);
	assert_text(&set, "AS1 ");
}

static void
resource_set__broken_blobs_are_refused(void **state)
{
	(void)state;
	AUTO_CLEAR(struct resource_set, resource_set_clear) set = RESOURCE_SET_INIT;
	AUTO_CLEAR(struct bytes, bytes_clear) blob = BYTES_INIT;
	PARSE(&set, "AS64496-AS64511", "AS70000", "192.0.2.0/24", "198.51.100.7", "2001:db8::/32", "::1");
	assert_int_equal(resource_set_encode(&set, &blob, NULL), FAULT_NONE);
	for (size_t length = 0; length < blob.length; length++)
		assert_refused(SPAN(blob.data, length), FAULT_MALFORMED);
	assert_int_equal(bytes_append(&blob, "\0", 1, NULL), FAULT_NONE);
	assert_refused(bytes_span(&blob), FAULT_MALFORMED);
	blob.length--;
	for (unsigned version = 0; version < 256; version++) {
		blob.data[0] = (uint8_t)version;
		if (version != 1)
			assert_refused(bytes_span(&blob), FAULT_MALFORMED);
	}
	assert_refused(SPAN("\1\xff\xff\xff\xff", 5), FAULT_TOO_LARGE);
	assert_refused(SPAN("\1\0\0\xc3\x51", 5), FAULT_TOO_LARGE);
	assert_refused(SPAN("\1\0\0\xc3\x50", 5), FAULT_MALFORMED);
	assert_refused(SPAN("\1\0\0\0\1\0\0\0\1\0\0\0\1\0\0\xc3\x50", 17), FAULT_TOO_LARGE);
}

#define NOTHING "\0\0\0\0"
#define TWO "\0\0\0\2"

static void
resource_set__blobs_that_are_not_canonical_are_refused(void **state)
{
	(void)state;
	static const struct {
		const char *blob;
		size_t length;
	} cases[] = {
		{ "\1" TWO "\0\0\0\5\0\0\0\5\0\0\0\1\0\0\0\1" NOTHING NOTHING, 29 }, /* out of order */
		{ "\1" TWO "\0\0\0\1\0\0\0\5\0\0\0\3\0\0\0\7" NOTHING NOTHING, 29 }, /* overlapping */
		{ "\1" TWO "\0\0\0\1\0\0\0\1\0\0\0\1\0\0\0\1" NOTHING NOTHING, 29 }, /* twice */
		{ "\1" TWO "\0\0\0\1\0\0\0\2\0\0\0\3\0\0\0\4" NOTHING NOTHING, 29 }, /* adjacent */
		{ "\1" TWO "\0\0\0\5\0\0\0\1\0\0\0\7\0\0\0\7" NOTHING NOTHING, 29 }, /* ends before it starts */
		{ "\1" TWO "\0\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff" NOTHING NOTHING, 29 }, /* after the last */
		{ "\1" NOTHING TWO "\x0a\0\0\0\x0a\xff\xff\xff\x0b\0\0\0\x0b\0\0\0" NOTHING, 29 }, /* adjacent across a carry */
		{ "\1" NOTHING NOTHING "\0\0\0\1\xff\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1", 45 },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		assert_refused(SPAN(cases[i].blob, cases[i].length), FAULT_MALFORMED);
}

/* Whatever bytes come: refused, or a set that is stored as these very bytes. */
static void
resource_set__every_accepted_blob_is_its_own_encoding(void **state)
{
	(void)state;
	AUTO_CLEAR(struct resource_set, resource_set_clear) set = RESOURCE_SET_INIT;
	AUTO_CLEAR(struct bytes, bytes_clear) blob = BYTES_INIT;
	AUTO_CLEAR(struct bytes, bytes_clear) again = BYTES_INIT;
	uint64_t seed = 5;
	size_t accepted = 0;
	PARSE(&set, "AS64496-AS64511", "AS70000", "192.0.2.0/24", "198.51.100.7", "2001:db8::/32", "::1");
	assert_int_equal(resource_set_encode(&set, &blob, NULL), FAULT_NONE);
	for (int round = 0; round < 20000; round++) {
		size_t at = next_random(&seed) % blob.length;
		uint8_t was = blob.data[at];
		blob.data[at] = (uint8_t)(next_random(&seed) % 3 == 0 ? next_random(&seed) : was ^ 1u << next_random(&seed) % 8);
		if (resource_set_decode(bytes_span(&blob), &set, NULL) == FAULT_NONE) {
			assert_int_equal(resource_set_encode(&set, &again, NULL), FAULT_NONE);
			assert_true(span_equal(bytes_span(&blob), bytes_span(&again)));
			accepted++;
		}
		blob.data[at] = was;
	}
	assert_true(accepted > 100);
}

static void
resource_set__ranges_that_are_prefixes(void **state)
{
	(void)state;
	for (unsigned list = IPV4; list <= IPV6; list++)
		for (unsigned host = 0; host <= bits_of[list]; host++) {
			/* The second prefix of this length from the top, or the only one. */
			number span = host == 0 ? 0 : ~(number)0 >> (128 - host);
			number min = host == bits_of[list] ? 0 : (~(number)0 >> (128 - bits_of[list])) - span;
			struct address_range range = { address_of(min, list), address_of(min + span, list) };
			struct prefix prefix = { .length = 200 };
			assert_true(address_range_as_prefix(family_of(list), &range, &prefix));
			assert_int_equal(prefix.length, bits_of[list] - host);
			assert_int_equal(prefix.family, family_of(list));
			assert_int_equal(address_compare(&prefix.address, &range.min), 0);
			if (host < 2)
				continue;
			range.min = address_of(min + 1, list);
			assert_false(address_range_as_prefix(family_of(list), &range, &prefix));
			range = (struct address_range){ address_of(min, list), address_of(min + span - 1, list) };
			assert_false(address_range_as_prefix(family_of(list), &range, &prefix));
		}
	/* A power of two that does not start at a multiple of itself; one that ends before it starts. */
	struct prefix prefix;
	struct address_range range = { address_of(1, IPV4), address_of(2, IPV4) };
	assert_false(address_range_as_prefix(FAMILY_IPV4, &range, &prefix));
	range = (struct address_range){ address_of(2, IPV4), address_of(1, IPV4) };
	assert_false(address_range_as_prefix(FAMILY_IPV4, &range, &prefix));
}

/* Half the ranges as AS numbers, half as IPv4, from the last to the first, twice the number apart so that none merge. */
static void
fill(struct resource_set *set, uint32_t first)
{
	for (uint32_t i = RESOURCE_SET_RANGES_MAX / 2; i-- > 0;) {
		add(set, ASNS, first + 4 * i, first + 4 * i);
		add(set, IPV4, first + 4 * i, first + 4 * i);
	}
}

static void
resource_set__size_is_bounded_where_sets_come_from_outside(void **state)
{
	(void)state;
	AUTO_CLEAR(struct resource_set, resource_set_clear) a = RESOURCE_SET_INIT;
	AUTO_CLEAR(struct resource_set, resource_set_clear) b = RESOURCE_SET_INIT;
	AUTO_CLEAR(struct resource_set, resource_set_clear) both = RESOURCE_SET_INIT;
	AUTO_CLEAR(struct bytes, bytes_clear) blob = BYTES_INIT;
	struct fault fault = FAULT_INIT;
	fill(&a, 0);
	fill(&b, 2);
	assert_int_equal(resource_set_add_asns(&a, 1, 1, &fault), FAULT_TOO_LARGE);
	assert_int_equal(resource_set_parse_addresses(&a, FAMILY_IPV6, "::/0", &fault), FAULT_TOO_LARGE);
	assert_int_equal(resource_set_normalise(&a, NULL), FAULT_NONE);
	assert_int_equal(resource_set_normalise(&b, NULL), FAULT_NONE);
	assert_int_equal(resource_set_ranges(&a), RESOURCE_SET_RANGES_MAX);
	assert_int_equal(resource_set_encode(&a, &blob, NULL), FAULT_NONE);
	assert_int_equal(resource_set_decode(bytes_span(&blob), &both, NULL), FAULT_NONE);
	assert_true(resource_set_equal(&a, &both));
	/* What is computed may be larger, but not stored. */
	assert_int_equal(resource_set_union(&a, &b, &both, NULL), FAULT_NONE);
	assert_int_equal(resource_set_ranges(&both), 2 * RESOURCE_SET_RANGES_MAX);
	assert_int_equal(resource_set_encode(&both, &blob, &fault), FAULT_TOO_LARGE);
	assert_true(resource_set_contains(&both, &a));
	AUTO_CLEAR(struct resource_set, resource_set_clear) rest = RESOURCE_SET_INIT;
	assert_int_equal(resource_set_difference(&both, &b, &rest, NULL), FAULT_NONE);
	assert_true(resource_set_equal(&rest, &a));
}

static void
resource_set__one_hole_cuts_many_ranges(void **state)
{
	(void)state;
	AUTO_CLEAR(struct resource_set, resource_set_clear) set = RESOURCE_SET_INIT;
	AUTO_CLEAR(struct resource_set, resource_set_clear) holes = RESOURCE_SET_INIT;
	AUTO_CLEAR(struct resource_set, resource_set_clear) result = RESOURCE_SET_INIT;
	PARSE(&set, "AS10-AS20", "AS30-AS40", "AS50-AS60", "AS70-AS80");
	PARSE(&holes, "AS1-AS5", "AS15-AS52", "AS55", "AS58-AS75", "AS80-AS90");
	assert_int_equal(resource_set_difference(&set, &holes, &result, NULL), FAULT_NONE);
	assert_text(&result, "AS10-AS14 AS53-AS54 AS56-AS57 AS76-AS79 ");
	assert_int_equal(resource_set_intersection(&set, &holes, &result, NULL), FAULT_NONE);
	assert_text(&result, "AS15-AS20 AS30-AS40 AS50-AS52 AS55 AS58-AS60 AS70-AS75 AS80 ");
	assert_int_equal(resource_set_union(&set, &holes, &result, NULL), FAULT_NONE);
	assert_text(&result, "AS1-AS5 AS10-AS90 ");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(resource_set__algebra_agrees_with_the_model),
		cmocka_unit_test(resource_set__contains_what_was_taken_from_it),
		cmocka_unit_test(resource_set__holds_agrees_with_the_model),
		cmocka_unit_test(resource_set__all_and_its_edges),
		cmocka_unit_test(resource_set__neighbours_across_a_carry_merge),
		cmocka_unit_test(resource_set__families_are_apart),
		cmocka_unit_test(resource_set__ranges_that_end_before_they_start),
		cmocka_unit_test(resource_set__bad_text_is_refused),
		cmocka_unit_test(resource_set__text_of_every_form),
		cmocka_unit_test(resource_set__comes_back_from_text_blob_and_copy),
		cmocka_unit_test(resource_set__stored_form_is_as_told),
		cmocka_unit_test(resource_set__broken_blobs_are_refused),
		cmocka_unit_test(resource_set__blobs_that_are_not_canonical_are_refused),
		cmocka_unit_test(resource_set__every_accepted_blob_is_its_own_encoding),
		cmocka_unit_test(resource_set__ranges_that_are_prefixes),
		cmocka_unit_test(resource_set__size_is_bounded_where_sets_come_from_outside),
		cmocka_unit_test(resource_set__one_hole_cuts_many_ranges),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
