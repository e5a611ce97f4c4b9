#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "ca/base/base64.h"
#include "ca/der/tal.h"

static void
tal__has_the_form_of_rfc_8630(void **state)
{
	(void)state;
	uint8_t spki[100];
	for (size_t i = 0; i < sizeof spki; i++)
		spki[i] = (uint8_t)i;
	AUTO_CLEAR(struct bytes, bytes_clear) text = BYTES_INIT;
	assert_int_equal(tal_print("https://rpki.example/ta/ta.cer", "rsync://rpki.example/repo/ta/ta.cer",
		SPAN(spki, sizeof spki), &text, NULL), FAULT_NONE);
	assert_string_equal(bytes_text(&text),
		"# Trust anchor locator (RFC 8630)\n"
		"https://rpki.example/ta/ta.cer\n"
		"rsync://rpki.example/repo/ta/ta.cer\n"
		"\n"
		"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4v\n"
		"MDEyMzQ1Njc4OTo7PD0+P0BBQkNERUZHSElKS0xNTk9QUVJTVFVWV1hZWltcXV5f\n"
		"YGFiYw==\n");
}

/* A key whose text fills its last line leaves no empty line behind it. */
static void
tal__ends_with_one_newline(void **state)
{
	(void)state;
	static const uint8_t spki[96] = { 0 };
	AUTO_CLEAR(struct bytes, bytes_clear) text = BYTES_INIT;
	assert_int_equal(tal_print("https://a/ta.cer", "rsync://a/ta.cer", SPAN(spki, sizeof spki), &text, NULL), FAULT_NONE);
	assert_string_equal(bytes_text(&text) + text.length - 4, "AAA\n");
	const char *key = strstr(bytes_text(&text), "\n\n") + 2;
	assert_int_equal(strlen(key), 2 * 65);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tal__has_the_form_of_rfc_8630),
		cmocka_unit_test(tal__ends_with_one_newline),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
