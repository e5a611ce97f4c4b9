#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "ca/base/memory.h"

/* Sanitisers end the process at absurd sizes unless told that these are what is tried here. */
const char *__asan_default_options(void);
const char *__tsan_default_options(void);

const char *
__asan_default_options(void)
{
	return "allocator_may_return_null=1";
}

const char *
__tsan_default_options(void)
{
	return "allocator_may_return_null=1";
}

static void
memory__new_is_zeroed_and_never_null(void **state)
{
	(void)state;
	AUTO(uint32_t, free) numbers = NULL;
	AUTO(char, free) nothing = NULL;
	AUTO(char, free) nothing_either = NULL;
	assert_int_equal(memory_new(1000, sizeof *numbers, &numbers, NULL), FAULT_NONE);
	for (size_t i = 0; i < 1000; i++)
		assert_int_equal(numbers[i], 0);
	assert_int_equal(memory_new(0, 8, &nothing, NULL), FAULT_NONE);
	assert_non_null(nothing);
	assert_int_equal(memory_new(8, 0, &nothing_either, NULL), FAULT_NONE);
	assert_non_null(nothing_either);
}

static void
memory__absurd_sizes_are_faults_and_leave_outputs(void **state)
{
	(void)state;
	static const struct {
		size_t count, size;
	} cases[] = {
		{ SIZE_MAX, 1 }, { 1, SIZE_MAX }, { SIZE_MAX / 2, 4 }, { SIZE_MAX, SIZE_MAX },
		{ (size_t)1 << 32, (size_t)1 << 32 },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct fault fault = FAULT_INIT;
		char untouched;
		char *pointer = &untouched;
		assert_int_equal(memory_new(cases[i].count, cases[i].size, &pointer, &fault), FAULT_MEMORY);
		assert_int_equal(fault.code, FAULT_MEMORY);
		assert_ptr_equal(pointer, &untouched);
	}
	char *copy = NULL;
	assert_int_equal(memory_copy("", SIZE_MAX, &copy, NULL), FAULT_MEMORY);
	assert_null(copy);
}

static void
memory__reserve_grows_by_half_and_keeps_what_is_there(void **state)
{
	(void)state;
	AUTO(uint64_t, free) numbers = NULL;
	size_t capacity = 0, moves = 0;
	for (size_t i = 0; i < 100000; i++) {
		size_t before = capacity;
		assert_int_equal(memory_reserve(&numbers, &capacity, i + 1, sizeof *numbers, NULL), FAULT_NONE);
		assert_true(capacity > i);
		if (capacity != before) {
			moves++;
			assert_true(capacity >= before + before / 2);
		}
		numbers[i] = i;
	}
	assert_in_range(moves, 1, 30);
	for (size_t i = 0; i < 100000; i++)
		assert_int_equal(numbers[i], i);
}

static void
memory__reserve_that_fails_changes_nothing(void **state)
{
	(void)state;
	AUTO(uint64_t, free) numbers = NULL;
	size_t capacity = 0;
	assert_int_equal(memory_reserve(&numbers, &capacity, 0, sizeof *numbers, NULL), FAULT_NONE);
	assert_null(numbers);
	assert_int_equal(memory_reserve(&numbers, &capacity, 4, sizeof *numbers, NULL), FAULT_NONE);
	uint64_t *before = numbers;
	size_t capacity_before = capacity;
	numbers[3] = 42;
	assert_int_equal(memory_reserve(&numbers, &capacity, SIZE_MAX / 4, sizeof *numbers, NULL), FAULT_MEMORY);
	assert_int_equal(memory_reserve(&numbers, &capacity, SIZE_MAX, sizeof *numbers, NULL), FAULT_MEMORY);
	assert_ptr_equal(numbers, before);
	assert_int_equal(capacity, capacity_before);
	assert_int_equal(numbers[3], 42);
}

static void
memory__copies_end_in_nul(void **state)
{
	(void)state;
	AUTO(char, free) text = NULL;
	AUTO(char, free) part = NULL;
	AUTO(char, free) empty = NULL;
	assert_int_equal(memory_copy_string("cadastre", &text, NULL), FAULT_NONE);
	assert_string_equal(text, "cadastre");
	assert_int_equal(memory_copy("cadastre", 3, &part, NULL), FAULT_NONE);
	assert_string_equal(part, "cad");
	assert_int_equal(memory_copy(NULL, 0, &empty, NULL), FAULT_NONE);
	assert_string_equal(empty, "");
}

static void
memory__printf_has_room_for_all(void **state)
{
	(void)state;
	AUTO(char, free) text = NULL;
	AUTO(char, free) empty = NULL;
	assert_int_equal(memory_printf(&text, NULL, "%05000d/%s", 7, "end"), FAULT_NONE);
	assert_int_equal(strlen(text), 5004);
	assert_string_equal(text + 4999, "7/end");
	assert_int_equal(memory_printf(&empty, NULL, "%s", ""), FAULT_NONE);
	assert_string_equal(empty, "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memory__new_is_zeroed_and_never_null),
		cmocka_unit_test(memory__absurd_sizes_are_faults_and_leave_outputs),
		cmocka_unit_test(memory__reserve_grows_by_half_and_keeps_what_is_there),
		cmocka_unit_test(memory__reserve_that_fails_changes_nothing),
		cmocka_unit_test(memory__copies_end_in_nul),
		cmocka_unit_test(memory__printf_has_room_for_all),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
