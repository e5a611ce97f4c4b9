#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "ca/base/randomness.h"

static void
randomness__fills_and_differs(void **state)
{
	(void)state;
	uint8_t a[32] = { 0 }, b[32] = { 0 }, zero[32] = { 0 };
	assert_int_equal(randomness_fill(a, sizeof a, NULL), FAULT_NONE);
	assert_int_equal(randomness_fill_private(b, sizeof b, NULL), FAULT_NONE);
	assert_memory_not_equal(a, b, sizeof a);
	assert_memory_not_equal(a, zero, sizeof a);
	assert_memory_not_equal(b, zero, sizeof b);
	assert_int_equal(randomness_fill(a, 0, NULL), FAULT_NONE);
}

static void
randomness__below_stays_below(void **state)
{
	(void)state;
	static const uint64_t bounds[] = { 1, 2, 3, 10, UINT64_C(1) << 63, (UINT64_C(1) << 63) + 1, UINT64_MAX };
	for (size_t i = 0; i < sizeof bounds / sizeof *bounds; i++)
		for (int n = 0; n < 200; n++) {
			uint64_t number = UINT64_MAX;
			assert_int_equal(randomness_below(bounds[i], &number, NULL), FAULT_NONE);
			assert_true(number < bounds[i]);
		}
}

/* 3,000 draws over ten numbers: that one comes up fewer than 150 times has a chance below 1 in 10^20. */
static void
randomness__below_is_even(void **state)
{
	(void)state;
	unsigned seen[10] = { 0 };
	for (int n = 0; n < 3000; n++) {
		uint64_t number;
		assert_int_equal(randomness_below(10, &number, NULL), FAULT_NONE);
		seen[number]++;
	}
	for (size_t i = 0; i < 10; i++)
		assert_in_range(seen[i], 150, 600);
}

/* RFC 9562 §4, §5.4. */
static void
randomness__uuids_have_version_and_variant(void **state)
{
	(void)state;
	char last[37] = "";
	for (int n = 0; n < 100; n++) {
		char uuid[37];
		assert_int_equal(randomness_uuid(uuid, NULL), FAULT_NONE);
		assert_int_equal(strlen(uuid), 36);
		for (size_t i = 0; i < 36; i++)
			assert_non_null(strchr(i == 8 || i == 13 || i == 18 || i == 23 ? "-" : "0123456789abcdef", uuid[i]));
		assert_int_equal(uuid[14], '4');
		assert_non_null(strchr("89ab", uuid[19]));
		assert_string_not_equal(uuid, last);
		memcpy(last, uuid, sizeof last);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(randomness__fills_and_differs),
		cmocka_unit_test(randomness__below_stays_below),
		cmocka_unit_test(randomness__below_is_even),
		cmocka_unit_test(randomness__uuids_have_version_and_variant),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
