#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ca/plan/timing.h"

#define NOW INT64_C(1795478400)
#define DAY INT64_C(86400)

static const struct timing flat = {
	.manifest_valid_s = 100, .manifest_margin_s = 40, .object_valid_s = 1000, .object_margin_s = 300, .ta_valid_s = 90,
};

static void
timing__without_spread_any_number_gives_the_same(void **state)
{
	static const uint64_t numbers[] = { 0, 1, 4096, UINT64_MAX };
	(void)state;
	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
		assert_int_equal(timing_manifest_end(&flat, NOW, numbers[i]), NOW + 100);
		assert_int_equal(timing_first_end(&flat, NOW, numbers[i]), NOW + 1000);
	}
}

static void
timing__spreads_within_bounds_that_it_reaches(void **state)
{
	const struct timing *timing = &timing_default;
	uint64_t spread = (uint64_t)timing->manifest_spread_s;
	(void)state;
	assert_int_equal(timing_manifest_end(timing, NOW, 0), NOW + timing->manifest_valid_s);
	assert_int_equal(timing_manifest_end(timing, NOW, spread), NOW + timing->manifest_valid_s + timing->manifest_spread_s);
	assert_int_equal(timing_manifest_end(timing, NOW, spread + 1), NOW + timing->manifest_valid_s);
	for (uint64_t i = 0; i < 1000; i++) {
		uint64_t number = timing_mix(7, i);
		int64_t manifest_s = timing_manifest_end(timing, NOW, number) - NOW, object_s = timing_first_end(timing, NOW, number) - NOW;
		assert_true(manifest_s >= timing->manifest_valid_s && manifest_s <= timing->manifest_valid_s + timing->manifest_spread_s);
		assert_true(object_s <= timing->object_valid_s && object_s >= timing->object_valid_s - timing->object_spread_s);
		assert_int_equal(timing_first_end(timing, NOW, number), NOW + object_s);
	}
}

/* previous end → next end, by the second. */
static void
timing__keeps_an_end_until_it_is_due(void **state)
{
	static const struct { int64_t previous_s, next_s; } cases[] = {
		{ -1000000, 1000 },       /* long expired */
		{ 0, 1000 },              /* expires now */
		{ 299, 1000 },
		{ 300, 1000 },            /* due this second */
		{ 301, 301 },
		{ 1000, 1000 },
		{ 1001, 1000 },           /* further than we would give: a clock that was ahead */
		{ 1000000000, 1000 },
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		assert_int_equal(timing_next_end(&flat, NOW, NOW + cases[i].previous_s), NOW + cases[i].next_s);
}

static void
timing__says_when_things_are_due(void **state)
{
	(void)state;
	assert_int_equal(timing_manifest_due(&flat, NOW + 100), NOW + 60);
	assert_int_equal(timing_object_due(&flat, NOW + 1000), NOW + 700);
	assert_int_equal(timing_ta_due(NOW, NOW + 90), NOW + 60);
	assert_int_equal(timing_ta_due(NOW, NOW), NOW);
	/* A certificate of a hundred years overflows nothing. */
	assert_int_equal(timing_ta_due(NOW, NOW + 36525 * DAY), NOW + 24350 * DAY);
}

/* Half of the least margin: of what is due by then, a manifest has half of its margin left, all else more. */
static void
timing__says_how_late_is_urgent(void **state)
{
	struct timing timing = flat;
	(void)state;
	assert_int_equal(timing_late_s(&timing_default), 6 * 3600);
	assert_int_equal(timing_late_s(&flat), 15); /* the third of the trust anchor's */
	timing.ta_valid_s = 3000;
	assert_int_equal(timing_late_s(&timing), 20);
	timing.object_margin_s = 10;
	assert_int_equal(timing_late_s(&timing), 5);
}

/* What is due long before its end leaves time to repair what is broken. */
static void
timing__defaults_fit_together(void **state)
{
	const struct timing *timing = &timing_default;
	(void)state;
	assert_true(timing->manifest_margin_s < timing->manifest_valid_s);
	assert_true(timing->object_margin_s < timing->object_valid_s - timing->object_spread_s);
	assert_true(timing->manifest_margin_s >= 8 * 3600);
}

static void
timing__mixes_neighbours_apart(void **state)
{
	size_t buckets[16] = { 0 };
	(void)state;
	for (uint64_t i = 0; i < 1600; i++)
		buckets[timing_mix(1, i) % 16]++;
	for (size_t i = 0; i < 16; i++)
		assert_in_range(buckets[i], 50, 150);
	assert_true(timing_mix(1, 2) != timing_mix(2, 1));
	assert_true(timing_mix(3, 4) == timing_mix(3, 4));
	assert_true(timing_mix(0, 0) != 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(timing__without_spread_any_number_gives_the_same),
		cmocka_unit_test(timing__spreads_within_bounds_that_it_reaches),
		cmocka_unit_test(timing__keeps_an_end_until_it_is_due),
		cmocka_unit_test(timing__says_when_things_are_due),
		cmocka_unit_test(timing__says_how_late_is_urgent),
		cmocka_unit_test(timing__defaults_fit_together),
		cmocka_unit_test(timing__mixes_neighbours_apart),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
