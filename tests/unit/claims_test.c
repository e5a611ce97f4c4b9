#include "ca/feeds/claims.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct resource_range
asns(uint32_t min, uint32_t max)
{
	return resource_range_of_asns(min, max);
}

static void
claims__finds_overlaps_behind_nested_ranges(void **state)
{
	AUTO_CLEAR(struct claims, claims_clear) claims = CLAIMS_INIT;
	struct fault fault = FAULT_INIT;
	/* Holder 1's long range reaches over its short ones to holder 2's. */
	static const struct {
		uint32_t min, max, holder, line;
	} rows[] = { { 10, 100, 1, 5 }, { 20, 30, 1, 6 }, { 25, 26, 1, 7 }, { 99, 120, 2, 2 }, { 200, 300, 3, 1 } };
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct resource_range range = asns(rows[i].min, rows[i].max);
		assert_int_equal(claims_add(&claims, &range, rows[i].holder, rows[i].line, &fault), FAULT_NONE);
	}
	assert_int_equal(claims_check(&claims, &fault), FAULT_INVALID);
	assert_string_equal(fault.message, "line 5: AS10-AS100 overlaps with AS99-AS120 of another holder in line 2");
}

static void
claims__nothing_overlaps_with_nothing(void **state)
{
	AUTO_CLEAR(struct claims, claims_clear) claims = CLAIMS_INIT;
	(void)state;
	assert_int_equal(claims_check(&claims, NULL), FAULT_NONE);
	claims_sort_by_holder(&claims);
}

/* Against the naive answer, on small random sets. */
static void
claims__agrees_with_a_naive_check(void **state)
{
	(void)state;
	srandom(1);
	for (int round = 0; round < 5000; round++) {
		AUTO_CLEAR(struct claims, claims_clear) claims = CLAIMS_INIT;
		bool overlap = false;
		size_t count = (size_t)(random() % 6) + 1;
		for (size_t i = 0; i < count; i++) {
			uint32_t min = (uint32_t)random() % 40, max = min + (uint32_t)random() % 8,
				holder = (uint32_t)random() % 3;
			struct resource_range range = asns(min, max);
			for (size_t j = 0; j < claims.count; j++)
				overlap = overlap || (claims.items[j].holder != holder &&
					resource_range_overlaps(&claims.items[j].range, &range));
			assert_int_equal(claims_add(&claims, &range, holder, (uint32_t)i, NULL), FAULT_NONE);
		}
		assert_int_equal(claims_check(&claims, NULL), overlap ? FAULT_INVALID : FAULT_NONE);
	}
}

static void
claims__sorts_by_holder_then_range(void **state)
{
	AUTO_CLEAR(struct claims, claims_clear) claims = CLAIMS_INIT;
	AUTO_CLEAR(struct resource_set, resource_set_clear) set = RESOURCE_SET_INIT;
	(void)state;
	assert_int_equal(resource_set_add_asns(&set, 5, 6, NULL), FAULT_NONE);
	assert_int_equal(resource_set_add_asns(&set, 1, 2, NULL), FAULT_NONE);
	assert_int_equal(resource_set_normalise(&set, NULL), FAULT_NONE);
	assert_int_equal(claims_add_set(&claims, &set, 2, 9, NULL), FAULT_NONE);
	struct resource_range range = asns(100, 101);
	assert_int_equal(claims_add(&claims, &range, 1, 10, NULL), FAULT_NONE);
	claims_sort_by_holder(&claims);
	assert_int_equal(claims.items[0].holder, 1);
	assert_int_equal(claims.items[1].range.min.bytes[3], 1);
	assert_int_equal(claims.items[2].range.min.bytes[3], 5);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(claims__finds_overlaps_behind_nested_ranges),
		cmocka_unit_test(claims__nothing_overlaps_with_nothing),
		cmocka_unit_test(claims__agrees_with_a_naive_check),
		cmocka_unit_test(claims__sorts_by_holder_then_range),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
