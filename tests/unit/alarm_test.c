#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>

#include "ca/base/alarm.h"
#include "ca/base/clock.h"

/* Longer than any test may take: a wait that should not be waited for shows. */
#define LONG_MS (3600 * 1000)

static void
alarm__keeps_a_wake_that_came_before_the_wait(void **state)
{
	struct alarm alarm;
	(void)state;
	alarm_init(&alarm);
	alarm_wake(&alarm);
	alarm_wake(&alarm);
	assert_true(alarm_wait(&alarm, LONG_MS));
	/* Both were one wake, and it is used up. */
	int64_t before_ms = clock_monotonic_ms();
	assert_true(alarm_wait(&alarm, 20));
	assert_true(clock_monotonic_ms() - before_ms >= 20);
	alarm_clear(&alarm);
}

static void
alarm__does_not_wait_for_what_has_passed(void **state)
{
	struct alarm alarm;
	(void)state;
	alarm_init(&alarm);
	assert_true(alarm_wait(&alarm, 0));
	assert_true(alarm_wait(&alarm, 1));
	alarm_clear(&alarm);
}

static void
alarm__stops_once_and_for_all(void **state)
{
	struct alarm alarm;
	(void)state;
	alarm_init(&alarm);
	alarm_stop(&alarm);
	assert_false(alarm_wait(&alarm, -1));
	assert_false(alarm_wait(&alarm, LONG_MS));
	alarm_wake(&alarm);
	assert_false(alarm_wait(&alarm, -1));
	alarm_clear(&alarm);
}

struct waiter {
	struct alarm alarm;
	int64_t wakes;
};

static void *
wait_for_ever(void *argument)
{
	struct waiter *waiter = argument;
	while (alarm_wait(&waiter->alarm, -1))
		waiter->wakes++;
	return NULL;
}

static void
alarm__ends_a_wait_for_ever(void **state)
{
	struct waiter waiter = { .wakes = 0 };
	pthread_t thread;
	(void)state;
	alarm_init(&waiter.alarm);
	assert_int_equal(pthread_create(&thread, NULL, wait_for_ever, &waiter), 0);
	alarm_wake(&waiter.alarm);
	alarm_stop(&waiter.alarm);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_in_range(waiter.wakes, 0, 1);
	alarm_clear(&waiter.alarm);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(alarm__keeps_a_wake_that_came_before_the_wait),
		cmocka_unit_test(alarm__does_not_wait_for_what_has_passed),
		cmocka_unit_test(alarm__stops_once_and_for_all),
		cmocka_unit_test(alarm__ends_a_wait_for_ever),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
