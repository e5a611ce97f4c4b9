#include "api/server/imports.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void
imports__tries_again_later_and_later(void **state)
{
	static const int64_t waits_ms[] = { 1000, 2000, 4000, 8000, 16000, 30000, 30000 };
	struct imports_tries tries = { .wait_ms = 0 };
	(void)state;
	assert_false(imports_tried(&tries, FAULT_NONE));
	assert_int_equal(tries.wait_ms, 60000);
	for (size_t i = 0; i < sizeof waits_ms / sizeof *waits_ms; i++) {
		assert_int_equal(imports_tried(&tries, FAULT_IO), i == 0);
		assert_int_equal(tries.wait_ms, waits_ms[i]);
	}
	/* Another trouble is told, and that it is over; then it begins anew. */
	assert_true(imports_tried(&tries, FAULT_DISK));
	assert_int_equal(tries.wait_ms, 30000);
	assert_true(imports_tried(&tries, FAULT_NONE));
	assert_int_equal(tries.wait_ms, 60000);
	assert_true(imports_tried(&tries, FAULT_DISK));
	assert_int_equal(tries.wait_ms, 1000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(imports__tries_again_later_and_later),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
