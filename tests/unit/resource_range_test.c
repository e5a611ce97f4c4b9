#include "ca/resources/resource_range.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct resource_range
range_of(const char *text)
{
	struct resource_set set = RESOURCE_SET_INIT;
	struct resource_range range;
	if (strncmp(text, "AS", 2) == 0) {
		assert_int_equal(resource_set_parse_asns(&set, text, NULL), FAULT_NONE);
		range = resource_range_of_asns(set.asns[0].min, set.asns[0].max);
	} else {
		enum address_family family = strchr(text, ':') != NULL ? FAMILY_IPV6 : FAMILY_IPV4;
		assert_int_equal(resource_set_parse_addresses(&set, family, text, NULL), FAULT_NONE);
		const struct address_range *addresses = &resource_set_addresses(&set, family)->items[0];
		range = resource_range_of_addresses(family, &addresses->min, &addresses->max);
	}
	resource_set_clear(&set);
	return range;
}

static void
resource_range__prints_and_adds_what_it_is(void **state)
{
	static const char *const texts[] = { "AS0", "AS64496-AS64511", "AS4294967295", "192.0.2.0/24", "192.0.2.0-192.0.2.130",
		"0.0.0.0/0", "2001:db8::/32", "::/0" };
	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		AUTO_CLEAR(struct resource_set, resource_set_clear) set = RESOURCE_SET_INIT;
		struct resource_range range = range_of(texts[i]);
		char text[RANGE_TEXT];
		resource_range_text(&range, text);
		assert_string_equal(text, texts[i]);
		assert_int_equal(resource_range_add(&range, &set, NULL), FAULT_NONE);
		assert_int_equal(resource_set_ranges(&set), 1);
	}
}

static void
resource_range__orders_and_overlaps_within_its_kind(void **state)
{
	struct resource_range a = range_of("192.0.2.0/25"), b = range_of("192.0.2.127-192.0.2.200"),
		c = range_of("192.0.2.128/25"), asn = range_of("AS0-AS4294967295"), ipv6 = range_of("::/0");
	(void)state;
	assert_true(resource_range_overlaps(&a, &b));
	assert_true(resource_range_overlaps(&b, &a));
	assert_true(resource_range_overlaps(&b, &c));
	assert_false(resource_range_overlaps(&a, &c));
	assert_false(resource_range_overlaps(&a, &asn));
	assert_false(resource_range_overlaps(&a, &ipv6));
	assert_true(resource_range_compare(&a, &b) < 0);
	assert_true(resource_range_compare(&c, &b) > 0);
	assert_true(resource_range_compare(&asn, &a) < 0);
	assert_true(resource_range_compare(&ipv6, &c) > 0);
	assert_int_equal(resource_range_compare(&a, &a), 0);
}

struct seen {
	char text[512];
	size_t stop_at, count;
};

static enum fault_code
see(void *argument, const struct resource_range *range, size_t index, struct fault *fault)
{
	struct seen *seen = argument;
	char text[RANGE_TEXT];
	size_t length = strlen(seen->text);
	if (++seen->count == seen->stop_at)
		return fault_set(fault, FAULT_BUSY, "enough");
	resource_range_text(range, text);
	(void)snprintf(seen->text + length, sizeof seen->text - length, "%zu:%s ", index, text);
	return FAULT_NONE;
}

static void
resource_range__walks_a_set_in_order(void **state)
{
	AUTO_CLEAR(struct resource_set, resource_set_clear) set = RESOURCE_SET_INIT;
	static const char *const texts[] = { "2001:db8::/32", "192.0.2.128/25", "AS7", "192.0.2.0/26", "AS5" };
	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		struct resource_range range = range_of(texts[i]);
		assert_int_equal(resource_range_add(&range, &set, NULL), FAULT_NONE);
	}
	assert_int_equal(resource_set_normalise(&set, NULL), FAULT_NONE);
	struct seen seen = { .stop_at = 0 };
	assert_int_equal(resource_range_each(&set, see, &seen, NULL), FAULT_NONE);
	assert_string_equal(seen.text, "0:AS5 1:AS7 0:192.0.2.0/26 1:192.0.2.128/25 0:2001:db8::/32 ");
	for (size_t i = 1; i <= 5; i++) {
		seen = (struct seen){ .stop_at = i };
		assert_int_equal(resource_range_each(&set, see, &seen, NULL), FAULT_BUSY);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(resource_range__prints_and_adds_what_it_is),
		cmocka_unit_test(resource_range__orders_and_overlaps_within_its_kind),
		cmocka_unit_test(resource_range__walks_a_set_in_order),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
