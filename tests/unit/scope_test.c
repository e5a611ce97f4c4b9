#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>

#include "ca/base/scope.h"

struct counter {
	int *freed;
};

static void
counter_free(struct counter *counter)
{
	if (counter != NULL)
		++*counter->freed;
}
SCOPED(struct counter, counter_free)

static struct counter *
pass_on(struct counter *counter)
{
	AUTO(struct counter, counter_free) owned = counter;
	struct counter *moved = MOVE(owned);
	assert_null(owned);
	return moved;
}

static void
scope__frees_at_every_end_of_scope(void **state)
{
	(void)state;
	int freed = 0;
	struct counter counter = { &freed };
	{
		AUTO(struct counter, counter_free) owned = &counter;
		assert_non_null(owned);
		assert_int_equal(freed, 0);
	}
	assert_int_equal(freed, 1);
}

static void
scope__moved_pointers_are_not_freed(void **state)
{
	(void)state;
	int freed = 0;
	struct counter counter = { &freed };
	assert_ptr_equal(pass_on(&counter), &counter);
	assert_int_equal(freed, 0);
}

static void
scope__closes_descriptors_and_keeps_errno(void **state)
{
	(void)state;
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	int kept = fd;
	assert_true(fd >= 0);
	errno = ENOSPC;
	descriptor_close(&fd);
	assert_int_equal(errno, ENOSPC);
	assert_int_equal(fd, -1);
	assert_int_equal(fcntl(kept, F_GETFD), -1);
	errno = EINTR;
	descriptor_close(&fd);
	assert_int_equal(errno, EINTR);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(scope__frees_at_every_end_of_scope),
		cmocka_unit_test(scope__moved_pointers_are_not_freed),
		cmocka_unit_test(scope__closes_descriptors_and_keeps_errno),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
