#include "ca/feeds/holder_match.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/registry.h"

#define SIDE_MAX 8

/* One holder or member: "id: resources"; "?" for an id that nobody knows. */
struct side {
	struct match_party parties[SIDE_MAX];
	struct resource_set sets[SIDE_MAX];
	char ids[SIDE_MAX][32];
	size_t count;
};

static void
side_clear(struct side *side)
{
	for (size_t i = 0; i < side->count; i++)
		resource_set_clear(&side->sets[i]);
}

/* "A: AS1 192.0.2.0/24; B:" */
static void
fill(struct side *side, const char *text)
{
	AUTO(char, free) copy = strdup(text);
	char *rest = copy;
	side->count = 0;
	for (char *item; (item = strsep(&rest, ";")) != NULL && *item != '\0';) {
		size_t i = side->count++;
		char *resources = item + strspn(item, " ");
		char *id = strsep(&resources, ":");
		assert_true(i < SIDE_MAX);
		(void)snprintf(side->ids[i], sizeof side->ids[i], "%s", id);
		side->sets[i] = registry_resources(resources);
		side->parties[i] = (struct match_party){ .id = strcmp(id, "?") == 0 ? NULL : side->ids[i], .resources = &side->sets[i] };
	}
}

/* Whose member each holder is, as "0 - 2": places in the list of members. */
static const char *
match(const char *holders, const char *members)
{
	static char text[128];
	AUTO_CLEAR(struct side, side_clear) holder_side = { .count = 0 };
	AUTO_CLEAR(struct side, side_clear) member_side = { .count = 0 };
	AUTO_CLEAR(struct holder_match, holder_match_clear) found = HOLDER_MATCH_INIT;
	struct fault fault = FAULT_INIT;
	fill(&holder_side, holders);
	fill(&member_side, members);
	if (holder_match_find(holder_side.parties, holder_side.count, member_side.parties, member_side.count, &found, &fault) !=
		FAULT_NONE)
		return strcpy(text, fault.message);
	text[0] = '\0';
	for (size_t i = 0; i < holder_side.count; i++) {
		size_t length = strlen(text);
		if (found.member_of[i] == HOLDER_MATCH_NONE)
			(void)snprintf(text + length, sizeof text - length, "%s-", i > 0 ? " " : "");
		else
			(void)snprintf(text + length, sizeof text - length, "%s%u", i > 0 ? " " : "", (unsigned)found.member_of[i]);
	}
	return text;
}

static void
holder_match__goes_by_resources_where_all_ids_changed(void **state)
{
	(void)state;
	assert_string_equal(match("x1:192.0.2.0/24;x2:AS1 198.51.100.0/24;x3:2001:db8::/32",
		"A:2001:db8::/32;B:192.0.2.0/24;C:AS1 198.51.100.0/24"), "1 2 0");
}

static void
holder_match__never_goes_by_the_id_alone(void **state)
{
	(void)state;
	/* Ids changed places, resources did not. */
	assert_string_equal(match("A:192.0.2.0/24;B:198.51.100.0/24", "B:192.0.2.0/24;A:198.51.100.0/24"), "0 1");
	/* The same id on resources that the member has none of. */
	assert_string_equal(match("A:203.0.113.0/24", "A:192.0.2.0/24"), "-");
	assert_string_equal(match("A:AS1", "A:AS2;B:AS3"), "-");
	/* B's id on a piece of A's space, and B's space with A: A it is, and nobody is B. */
	assert_string_equal(match("A:10.0.0.0/24 198.51.100.0/24;B:192.0.2.0/28",
		"A:10.0.0.0/24 192.0.2.0/24;B:198.51.100.0/24"), "0 -");
}

static void
holder_match__the_largest_overlap_wins(void **state)
{
	(void)state;
	assert_string_equal(match("x:10.0.0.0/24;y:10.0.1.0/25", "A:10.0.0.0/23"), "0 -");
	assert_string_equal(match("y:10.0.1.0/25;x:10.0.0.0/24", "A:10.0.0.0/23"), "- 0");
	/* Two members become one holder: the larger goes on. */
	assert_string_equal(match("x:10.0.0.0/22", "A:10.0.0.0/24;B:10.0.2.0/23"), "1");
	/* All pieces that two share count together. */
	assert_string_equal(match("x:10.0.0.0/26 10.0.0.128/26 10.0.1.0/25", "A:10.0.1.0/25;B:10.0.0.0/24"), "0");
	assert_string_equal(match("x:10.0.0.0/26 10.0.0.128/26 10.0.1.0/26", "A:10.0.1.0/25;B:10.0.0.0/24"), "1");
	/* A /20 weighs as much as a /32 of IPv6, an AS number as a /24. */
	assert_string_equal(match("x:10.0.0.0/20 2001:db8::/31", "A:10.0.0.0/20;B:2001:db8::/31"), "1");
	assert_string_equal(match("x:10.0.0.0/19 2001:db8::/32", "A:10.0.0.0/19;B:2001:db8::/32"), "0");
	assert_string_equal(match("x:AS1 10.0.0.0/25", "A:10.0.0.0/25;B:AS1"), "1");
	assert_string_equal(match("x:AS1 10.0.0.0/23", "A:10.0.0.0/23;B:AS1"), "0");
}

static void
holder_match__equal_overlaps_go_by_id_then_by_place(void **state)
{
	(void)state;
	assert_string_equal(match("x:10.0.0.0/25;A:10.0.0.128/25", "A:10.0.0.0/24"), "- 0");
	assert_string_equal(match("x:10.0.0.0/25;y:10.0.0.128/25", "A:10.0.0.0/24"), "0 -");
	assert_string_equal(match("x:10.0.0.0/24", "A:10.0.0.0/25;B:10.0.0.128/25"), "0");
	assert_string_equal(match("B:10.0.0.0/24 10.0.9.0/24", "A:10.0.0.0/25;B:10.0.0.128/25 10.0.8.0/24"), "1");
}

/* A takes over all that B had and is called A still: B's larger space does not make it B. */
static void
holder_match__who_grew_or_shrank_under_its_id_is_the_same(void **state)
{
	(void)state;
	assert_string_equal(match("A:10.0.0.0/24 10.1.0.0/16;B:10.2.0.0/24", "A:10.0.0.0/24;B:10.1.0.0/16 10.2.0.0/24"), "0 1");
	assert_string_equal(match("A:10.0.0.0/24 10.1.0.0/16", "A:10.0.0.0/24;B:10.1.0.0/16"), "0");
	/* Where ids say nothing, the larger space does. */
	assert_string_equal(match("x:10.0.0.0/24 10.1.0.0/16", "A:10.0.0.0/24;B:10.1.0.0/16"), "1");
}

static void
holder_match__who_holds_nothing_is_told_by_id(void **state)
{
	(void)state;
	assert_string_equal(match("A:192.0.2.0/24", "A:"), "0");
	assert_string_equal(match("A:", "A:192.0.2.0/24"), "0");
	assert_string_equal(match("A:", "A:"), "0");
	assert_string_equal(match("B:192.0.2.0/24", "A:"), "-");
	assert_string_equal(match("B:192.0.2.0/24", "?:"), "-");
	/* Space that another member has goes back to who is called as before. */
	assert_string_equal(match("A:192.0.2.0/25;B:192.0.2.128/25", "A:;B:192.0.2.0/24"), "0 1");
	/* Two of one id: the first that is free. */
	assert_string_equal(match("A:AS1;B:AS2", "A:;A:"), "0 -");
}

static void
holder_match__nobody_is_matched_with_nobody(void **state)
{
	(void)state;
	assert_string_equal(match("", ""), "");
	assert_string_equal(match("A:AS1", ""), "-");
	assert_string_equal(match("", "A:AS1"), "");
}

static void
holder_match__refuses_parties_that_overlap(void **state)
{
	(void)state;
	assert_string_equal(match("A:10.0.0.0/24;B:10.0.0.128/25", "C:AS1"),
		"line 1: 10.0.0.128/25 overlaps with 10.0.0.0/24 of another holder in line 0");
	assert_non_null(strstr(match("A:AS1", "B:AS1-AS5;C:AS5"), "overlaps"));
}

static void
holder_match__tells_every_piece_that_is_shared(void **state)
{
	AUTO_CLEAR(struct side, side_clear) holders = { .count = 0 };
	AUTO_CLEAR(struct side, side_clear) members = { .count = 0 };
	AUTO_CLEAR(struct holder_match, holder_match_clear) found = HOLDER_MATCH_INIT;
	char text[512] = "";
	(void)state;
	fill(&holders, "x:AS5-AS20 10.0.0.0/23;y:10.0.2.0/24 2001:db8::/33;z:2001:db8:8000::/33");
	fill(&members, "A:AS1-AS6 AS20-AS30 10.0.1.0/24;B:10.0.2.0-10.0.2.9 2001:db8::/32");
	assert_int_equal(holder_match_find(holders.parties, 3, members.parties, 2, &found, NULL), FAULT_NONE);
	for (size_t i = 0; i < found.overlaps_count; i++) {
		char range[RANGE_TEXT];
		size_t length = strlen(text);
		resource_range_text(&found.overlaps[i].range, range);
		(void)snprintf(text + length, sizeof text - length, "%s %u%u\n", range, (unsigned)found.overlaps[i].holder,
			(unsigned)found.overlaps[i].member);
	}
	assert_string_equal(text, "AS5-AS6 00\nAS20 00\n10.0.1.0/24 00\n10.0.2.0-10.0.2.9 11\n2001:db8::/33 11\n"
		"2001:db8:8000::/33 21\n");
}

static uint64_t
size_of(const char *text)
{
	AUTO_CLEAR(struct resource_set, resource_set_clear) set = registry_resources(text);
	struct resource_range range = { .kind = RESOURCE_ASN };
	if (set.asns_count == 1)
		range = resource_range_of_asns(set.asns[0].min, set.asns[0].max);
	else if (set.ipv4.count == 1)
		range = resource_range_of_addresses(FAMILY_IPV4, &set.ipv4.items[0].min, &set.ipv4.items[0].max);
	else
		range = resource_range_of_addresses(FAMILY_IPV6, &set.ipv6.items[0].min, &set.ipv6.items[0].max);
	return holder_match_size(&range);
}

static void
holder_match__sizes_are_told_in_each_kind_s_unit(void **state)
{
	(void)state;
	assert_true(size_of("AS7") == 1);
	assert_true(size_of("AS0-AS4294967295") == UINT64_C(1) << 32);
	assert_true(size_of("192.0.2.0/24") == 256);
	assert_true(size_of("0.0.0.0/0") == UINT64_C(1) << 32);
	assert_true(size_of("2001:db8::/32") == UINT64_C(1) << 32);
	assert_true(size_of("2001:db8::/128") == 1);
	assert_true(size_of("::/0") == UINT64_MAX);
}

#define PARTIES 6

struct random_side {
	struct match_party parties[PARTIES];
	struct resource_set sets[PARTIES];
};

static void
random_side_clear(struct random_side *side)
{
	for (size_t i = 0; i < PARTIES; i++)
		resource_set_clear(&side->sets[i]);
}

/* Deals twenty AS numbers, most of them; ids are those of the places, or any. */
static void
deal(struct random_side *side, bool any_ids)
{
	static const char *const ids[PARTIES] = { "a", "b", "c", "d", "e", "f" };
	for (size_t i = 0; i < PARTIES; i++)
		side->sets[i] = RESOURCE_SET_INIT;
	for (uint32_t asn = 0; asn < 20; asn++)
		if (random() % 4 != 0)
			assert_int_equal(resource_set_add_asns(&side->sets[random() % PARTIES], asn, asn, NULL), FAULT_NONE);
	for (size_t i = 0; i < PARTIES; i++) {
		const char *id = ids[any_ids ? (size_t)random() % PARTIES : i];
		assert_int_equal(resource_set_normalise(&side->sets[i], NULL), FAULT_NONE);
		side->parties[i] = (struct match_party){ .id = id, .resources = &side->sets[i] };
	}
}

/* Both share something, or one of them holds nothing and the id is the same. */
static bool
belong_together(const struct match_party *holder, const struct match_party *member)
{
	AUTO_CLEAR(struct resource_set, resource_set_clear) common = RESOURCE_SET_INIT;
	assert_int_equal(resource_set_intersection(holder->resources, member->resources, &common, NULL), FAULT_NONE);
	bool nothing = resource_set_empty(holder->resources) || resource_set_empty(member->resources);
	return !resource_set_empty(&common) || (nothing && strcmp(holder->id, member->id) == 0);
}

static void
holder_match__is_one_to_one_whatever_comes(void **state)
{
	(void)state;
	srandom(7);
	for (int round = 0; round < 3000; round++) {
		AUTO_CLEAR(struct holder_match, holder_match_clear) found = HOLDER_MATCH_INIT;
		AUTO_CLEAR(struct random_side, random_side_clear) holders;
		AUTO_CLEAR(struct random_side, random_side_clear) members;
		bool taken[PARTIES] = { false };
		deal(&holders, false);
		deal(&members, true);
		assert_int_equal(holder_match_find(holders.parties, PARTIES, members.parties, PARTIES, &found, NULL), FAULT_NONE);
		for (size_t i = 0; i < PARTIES; i++) {
			uint32_t member = found.member_of[i];
			if (member == HOLDER_MATCH_NONE)
				continue;
			assert_true(member < PARTIES && !taken[member]);
			taken[member] = true;
			assert_true(belong_together(&holders.parties[i], &members.parties[member]));
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(holder_match__goes_by_resources_where_all_ids_changed),
		cmocka_unit_test(holder_match__never_goes_by_the_id_alone),
		cmocka_unit_test(holder_match__the_largest_overlap_wins),
		cmocka_unit_test(holder_match__equal_overlaps_go_by_id_then_by_place),
		cmocka_unit_test(holder_match__who_grew_or_shrank_under_its_id_is_the_same),
		cmocka_unit_test(holder_match__who_holds_nothing_is_told_by_id),
		cmocka_unit_test(holder_match__nobody_is_matched_with_nobody),
		cmocka_unit_test(holder_match__refuses_parties_that_overlap),
		cmocka_unit_test(holder_match__tells_every_piece_that_is_shared),
		cmocka_unit_test(holder_match__sizes_are_told_in_each_kind_s_unit),
		cmocka_unit_test(holder_match__is_one_to_one_whatever_comes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
