#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>
#include <time.h>

#include "ca/base/clock.h"

static void
clock__by_hand_stands_until_set(void **state)
{
	(void)state;
	struct clock clock;
	clock_init_hand(&clock, 1000);
	assert_int_equal(clock_now(&clock), 1000);
	assert_int_equal(clock_wall_ms(&clock), 1000000);
	clock_hand_set(&clock, 5);
	assert_int_equal(clock_now(&clock), 5);
}

static void
clock__by_hand_is_always_right(void **state)
{
	(void)state;
	struct clock clock;
	clock_init_hand(&clock, 0);
	assert_int_equal(clock_check(&clock, NULL), FAULT_NONE);
	clock_hand_set(&clock, INT64_C(253402300799));
	assert_int_equal(clock_check(&clock, NULL), FAULT_NONE);
	clock_confirm(&clock);
	assert_int_equal(clock_check(&clock, NULL), FAULT_NONE);
}

static void
clock__tells_the_systems_time(void **state)
{
	(void)state;
	struct clock clock;
	clock_init(&clock);
	int64_t before = (int64_t)time(NULL) - 1, now = clock_now(&clock), now_ms = clock_wall_ms(&clock);
	assert_true(now >= before && now <= before + 60);
	assert_true(now_ms / 1000 >= now && now_ms / 1000 <= now + 60);
	assert_int_equal(clock_check(&clock, NULL), FAULT_NONE);
}

/* A step of the wall clock is played by moving what the clock remembers: only their difference counts. */
static void
clock__a_step_is_found_both_ways(void **state)
{
	(void)state;
	static const struct {
		int64_t step_s;
		const char *words; /* NULL: within the limit */
	} cases[] = {
		{ 0, NULL }, { 119, NULL }, { -119, NULL }, { 125, "forward by 12" }, { -125, "back by 12" },
		{ INT64_C(315360000), "forward by 3153" }, { INT64_C(-315360000), "back by 3153" },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct clock clock;
		struct fault fault = FAULT_INIT;
		clock_init(&clock);
		clock.offset_ms -= cases[i].step_s * 1000;
		enum fault_code code = clock_check(&clock, &fault);
		assert_int_equal(code, cases[i].words != NULL ? FAULT_CLOCK : FAULT_NONE);
		assert_true(cases[i].words == NULL || strstr(fault.message, cases[i].words) != NULL);
	}
}

static void
clock__a_confirmed_step_is_right(void **state)
{
	(void)state;
	struct clock clock;
	clock_init(&clock);
	clock.offset_ms += 3600 * 1000;
	assert_int_equal(clock_check(&clock, NULL), FAULT_CLOCK);
	assert_int_equal(clock_check(&clock, NULL), FAULT_CLOCK);
	clock_confirm(&clock);
	assert_int_equal(clock_check(&clock, NULL), FAULT_NONE);
}

static void
clock__durations_never_shrink(void **state)
{
	(void)state;
	int64_t monotonic = clock_monotonic_ms(), cpu = clock_thread_cpu_ns();
	volatile unsigned work = 0;
	for (unsigned i = 0; i < 1000000; i++)
		work = work + i;
	assert_true(clock_monotonic_ms() >= monotonic);
	assert_true(clock_thread_cpu_ns() > cpu);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(clock__by_hand_stands_until_set),
		cmocka_unit_test(clock__by_hand_is_always_right),
		cmocka_unit_test(clock__tells_the_systems_time),
		cmocka_unit_test(clock__a_step_is_found_both_ways),
		cmocka_unit_test(clock__a_confirmed_step_is_right),
		cmocka_unit_test(clock__durations_never_shrink),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
