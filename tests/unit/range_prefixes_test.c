#include "ca/resources/range_prefixes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

struct listing {
	char text[16384];
	size_t count, stop_at;
};

static enum fault_code
note(void *argument, const struct prefix *prefix, struct fault *fault)
{
	struct listing *listing = argument;
	char text[PREFIX_TEXT];
	size_t length = strlen(listing->text);
	if (++listing->count == listing->stop_at)
		return fault_set(fault, FAULT_DISK, "enough");
	prefix_text(prefix, text);
	(void)snprintf(listing->text + length, sizeof listing->text - length, "%s%s", length > 0 ? " " : "", text);
	return FAULT_NONE;
}

static const char *
split(enum address_family family, const char *range, struct listing *listing)
{
	AUTO_CLEAR(struct resource_set, resource_set_clear) set = RESOURCE_SET_INIT;
	*listing = (struct listing){ .stop_at = listing->stop_at };
	assert_int_equal(resource_set_parse_addresses(&set, family, range, NULL), FAULT_NONE);
	assert_int_equal(resource_set_normalise(&set, NULL), FAULT_NONE);
	assert_int_equal(range_prefixes_each(family, &resource_set_addresses(&set, family)->items[0], note, listing, NULL), FAULT_NONE);
	return listing->text;
}

static void
range_prefixes__are_the_fewest(void **state)
{
	static const struct {
		enum address_family family;
		const char *range, *prefixes;
	} cases[] = {
		{ FAMILY_IPV4, "0.0.0.0/0", "0.0.0.0/0" },
		{ FAMILY_IPV4, "192.0.2.0/24", "192.0.2.0/24" },
		{ FAMILY_IPV4, "192.0.2.7", "192.0.2.7/32" },
		{ FAMILY_IPV4, "255.255.255.255", "255.255.255.255/32" },
		{ FAMILY_IPV4, "192.0.2.0-192.0.3.255", "192.0.2.0/23" },
		{ FAMILY_IPV4, "192.0.1.0-192.0.2.255", "192.0.1.0/24 192.0.2.0/24" },
		{ FAMILY_IPV4, "192.0.2.1-192.0.2.6", "192.0.2.1/32 192.0.2.2/31 192.0.2.4/31 192.0.2.6/32" },
		{ FAMILY_IPV4, "10.0.1.0-10.0.255.255", "10.0.1.0/24 10.0.2.0/23 10.0.4.0/22 10.0.8.0/21 10.0.16.0/20 10.0.32.0/19 "
			"10.0.64.0/18 10.0.128.0/17" },
		{ FAMILY_IPV4, "128.0.0.0-255.255.255.255", "128.0.0.0/1" },
		{ FAMILY_IPV6, "::/0", "::/0" },
		{ FAMILY_IPV6, "2001:db8::-2001:db8:2:ffff:ffff:ffff:ffff:ffff", "2001:db8::/47 2001:db8:2::/48" },
		{ FAMILY_IPV6, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
			"ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe/127" },
	};
	struct listing listing = { .count = 0 };
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		assert_string_equal(split(cases[i].family, cases[i].range, &listing), cases[i].prefixes);
}

static void
range_prefixes__are_few_at_worst(void **state)
{
	struct listing listing = { .count = 0 };
	(void)state;
	(void)split(FAMILY_IPV4, "0.0.0.1-255.255.255.254", &listing);
	assert_int_equal(listing.count, 62);
	(void)split(FAMILY_IPV6, "::1-ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe", &listing);
	assert_int_equal(listing.count, 254);
}

static void
range_prefixes__end_with_a_fault(void **state)
{
	struct address_range range = { .min = { .bytes = { 0, 0, 0, 1 } }, .max = { .bytes = { 1, 0, 0, 0 } } };
	struct listing listing = { .stop_at = 3 };
	struct fault fault = FAULT_INIT;
	(void)state;
	assert_int_equal(range_prefixes_each(FAMILY_IPV4, &range, note, &listing, &fault), FAULT_DISK);
	assert_int_equal(listing.count, 3);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(range_prefixes__are_the_fewest),
		cmocka_unit_test(range_prefixes__are_few_at_worst),
		cmocka_unit_test(range_prefixes__end_with_a_fault),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
