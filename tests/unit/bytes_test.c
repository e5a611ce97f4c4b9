#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "ca/base/bytes.h"

static void
bytes__empty_is_text_and_span(void **state)
{
	(void)state;
	struct bytes bytes = BYTES_INIT;
	assert_string_equal(bytes_text(&bytes), "");
	assert_int_equal(bytes_span(&bytes).length, 0);
	assert_null(bytes_span(&bytes).data);
	bytes_reset(&bytes);
	bytes_clear(&bytes);
	assert_int_equal(bytes_append(&bytes, NULL, 0, NULL), FAULT_NONE);
	assert_non_null(bytes.data);
	assert_string_equal(bytes_text(&bytes), "");
	bytes_clear(&bytes);
	assert_null(bytes.data);
}

static void
bytes__appends_stay_terminated(void **state)
{
	(void)state;
	AUTO_CLEAR(struct bytes, bytes_clear) bytes = BYTES_INIT;
	for (size_t i = 0; i < 5000; i++) {
		assert_int_equal(bytes_append(&bytes, "ab", 2, NULL), FAULT_NONE);
		assert_int_equal(bytes.length, 2 * (i + 1));
		assert_true(bytes.capacity > bytes.length);
		assert_int_equal(bytes.data[bytes.length], 0);
	}
	assert_int_equal(bytes_append_text(&bytes, "tail", NULL), FAULT_NONE);
	assert_string_equal(bytes_text(&bytes) + 9996, "ababtail");
}

static void
bytes__hold_nul_bytes(void **state)
{
	(void)state;
	AUTO_CLEAR(struct bytes, bytes_clear) bytes = BYTES_INIT;
	assert_int_equal(bytes_append(&bytes, "a\0b", 3, NULL), FAULT_NONE);
	assert_true(span_equal(bytes_span(&bytes), SPAN("a\0b", 3)));
}

static void
bytes__printf_appends(void **state)
{
	(void)state;
	AUTO_CLEAR(struct bytes, bytes_clear) bytes = BYTES_INIT;
	assert_int_equal(bytes_printf(&bytes, NULL, "%s-%d", "AS", 64496), FAULT_NONE);
	assert_int_equal(bytes_printf(&bytes, NULL, "%s", ""), FAULT_NONE);
	assert_int_equal(bytes_printf(&bytes, NULL, "%0300d", 1), FAULT_NONE);
	assert_int_equal(bytes.length, 308);
	assert_memory_equal(bytes.data, "AS-6449600000", 13);
	assert_string_equal(bytes_text(&bytes) + 306, "01");
}

static void
bytes__reset_keeps_memory(void **state)
{
	(void)state;
	AUTO_CLEAR(struct bytes, bytes_clear) bytes = BYTES_INIT;
	assert_int_equal(bytes_reserve(&bytes, 1000, NULL), FAULT_NONE);
	assert_true(bytes.capacity > 1000);
	const uint8_t *before = bytes.data;
	assert_int_equal(bytes_append_text(&bytes, "gone", NULL), FAULT_NONE);
	bytes_reset(&bytes);
	assert_string_equal(bytes_text(&bytes), "");
	assert_int_equal(bytes_append_text(&bytes, "new", NULL), FAULT_NONE);
	assert_ptr_equal(bytes.data, before);
	assert_string_equal(bytes_text(&bytes), "new");
}

static void
bytes__swap_trades(void **state)
{
	(void)state;
	AUTO_CLEAR(struct bytes, bytes_clear) a = BYTES_INIT;
	AUTO_CLEAR(struct bytes, bytes_clear) b = BYTES_INIT;
	assert_int_equal(bytes_append_text(&a, "first", NULL), FAULT_NONE);
	bytes_swap(&a, &b);
	assert_string_equal(bytes_text(&a), "");
	assert_string_equal(bytes_text(&b), "first");
}

static void
bytes__too_much_is_a_fault_and_changes_nothing(void **state)
{
	(void)state;
	AUTO_CLEAR(struct bytes, bytes_clear) bytes = BYTES_INIT;
	assert_int_equal(bytes_append_text(&bytes, "here", NULL), FAULT_NONE);
	assert_int_equal(bytes_reserve(&bytes, SIZE_MAX, NULL), FAULT_MEMORY);
	assert_int_equal(bytes_reserve(&bytes, SIZE_MAX - 4, NULL), FAULT_MEMORY);
	assert_string_equal(bytes_text(&bytes), "here");
	assert_int_equal(bytes.length, 4);
}

static void
bytes__spans_compare_by_content(void **state)
{
	(void)state;
	assert_true(span_equal(SPAN(NULL, 0), SPAN("", 0)));
	assert_true(span_equal(SPAN("abc", 3), SPAN("abcd", 3)));
	assert_false(span_equal(SPAN("abc", 3), SPAN("abc", 2)));
	assert_false(span_equal(SPAN("abc", 3), SPAN("abd", 3)));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes__empty_is_text_and_span),
		cmocka_unit_test(bytes__appends_stay_terminated),
		cmocka_unit_test(bytes__hold_nul_bytes),
		cmocka_unit_test(bytes__printf_appends),
		cmocka_unit_test(bytes__reset_keeps_memory),
		cmocka_unit_test(bytes__swap_trades),
		cmocka_unit_test(bytes__too_much_is_a_fault_and_changes_nothing),
		cmocka_unit_test(bytes__spans_compare_by_content),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
