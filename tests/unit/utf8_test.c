#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <string.h>

#include "api/server/utf8.h"

static void
utf8__takes_what_rfc_3629_has(void **state)
{
	static const char *const right[] = { "", "a", "\x7f", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf",
		"\xee\x80\x80", "\xef\xbf\xbf", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf", "aä€😀z" };
	(void)state;
	for (size_t i = 0; i < sizeof right / sizeof right[0]; i++)
		assert_true(utf8_valid(right[i], strlen(right[i])));
	assert_true(utf8_valid("a\0b", 3));
}

static void
utf8__refuses_the_rest(void **state)
{
	static const char *const wrong[] = { "\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xc2", "\xc2\x7f", "\xc2\xc0",
		"\xe0\x9f\xbf", "\xe0\xa0", "\xed\xa0\x80", "\xed\xbf\xbf", "\xf0\x8f\xbf\xbf", "\xf0\x90\x80",
		"\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff", "\xfe", "a\xe2\x82", "\xe2\x28\xa1" };
	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
		assert_false(utf8_valid(wrong[i], strlen(wrong[i])));
}

static void
utf8__steps_over_one_character(void **state)
{
	(void)state;
	assert_int_equal(utf8_step("", 0), 0);
	assert_int_equal(utf8_step("ab", 2), 1);
	assert_int_equal(utf8_step("\xc3\xa4" "b", 3), 2);
	assert_int_equal(utf8_step("\xf0\x9f\x98\x80", 4), 4);
	assert_int_equal(utf8_step("\xf0\x9f\x98\x80", 3), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(utf8__takes_what_rfc_3629_has),
		cmocka_unit_test(utf8__refuses_the_rest),
		cmocka_unit_test(utf8__steps_over_one_character),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
