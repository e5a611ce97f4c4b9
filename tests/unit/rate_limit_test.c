#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "api/server/rate_limit.h"

static bool
take(struct rate_limit *limit, const char *key, int64_t now_ms, int64_t *ret_wait_ms)
{
	*ret_wait_ms = 0;
	return rate_limit_take(limit, SPAN(key, strlen(key)), now_ms, ret_wait_ms);
}

static void
rate_limit__gives_the_burst_then_the_rate(void **state)
{
	AUTO(struct rate_limit, rate_limit_free) limit = NULL;
	int64_t wait_ms;
	(void)state;
	assert_int_equal(rate_limit_new(10, 3, &limit, NULL), FAULT_NONE);
	for (int i = 0; i < 3; i++)
		assert_true(take(limit, "a", 1000, &wait_ms));
	assert_false(take(limit, "a", 1000, &wait_ms));
	assert_int_equal(wait_ms, 100);
	assert_false(take(limit, "a", 1099, &wait_ms));
	assert_int_equal(wait_ms, 1);
	assert_true(take(limit, "a", 1100, &wait_ms));
	assert_false(take(limit, "a", 1100, &wait_ms));
	/* Never more than the burst, however long the pause. */
	for (int i = 0; i < 3; i++)
		assert_true(take(limit, "a", INT64_C(1) << 50, &wait_ms));
	assert_false(take(limit, "a", INT64_C(1) << 50, &wait_ms));
}

static void
rate_limit__keeps_keys_apart(void **state)
{
	AUTO(struct rate_limit, rate_limit_free) limit = NULL;
	int64_t wait_ms;
	(void)state;
	assert_int_equal(rate_limit_new(1, 1, &limit, NULL), FAULT_NONE);
	assert_true(take(limit, "a", 0, &wait_ms));
	assert_false(take(limit, "a", 0, &wait_ms));
	assert_true(take(limit, "b", 0, &wait_ms));
	assert_true(take(limit, "ab", 0, &wait_ms));
}

static void
rate_limit__takes_time_that_goes_back(void **state)
{
	AUTO(struct rate_limit, rate_limit_free) limit = NULL;
	int64_t wait_ms;
	(void)state;
	assert_int_equal(rate_limit_new(1, 1, &limit, NULL), FAULT_NONE);
	assert_true(take(limit, "a", 10000, &wait_ms));
	assert_false(take(limit, "a", 0, &wait_ms));
	assert_true(take(limit, "a", 11000, &wait_ms));
}

/* A flood of other keys must not free one that is held back. */
static void
rate_limit__remembers_who_is_held_back(void **state)
{
	AUTO(struct rate_limit, rate_limit_free) limit = NULL;
	int64_t wait_ms;
	(void)state;
	assert_int_equal(rate_limit_new(1, 5, &limit, NULL), FAULT_NONE);
	for (int i = 0; i < 5; i++)
		assert_true(take(limit, "villain", 0, &wait_ms));
	for (int i = 0; i < 10 * RATE_LIMIT_KEYS; i++) {
		char key[RATE_LIMIT_KEY_MAX];
		(void)snprintf(key, sizeof key, "%d", i);
		assert_true(take(limit, key, 0, &wait_ms));
	}
	assert_false(take(limit, "villain", 0, &wait_ms));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rate_limit__gives_the_burst_then_the_rate),
		cmocka_unit_test(rate_limit__keeps_keys_apart),
		cmocka_unit_test(rate_limit__takes_time_that_goes_back),
		cmocka_unit_test(rate_limit__remembers_who_is_held_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
