#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "ca/base/base64.h"

/* RFC 4648 §10, and the characters in which the two alphabets differ. */
static const struct {
	const char *data;
	size_t length;
	const char *text, *url;
} known[] = {
	{ "", 0, "", "" }, { "f", 1, "Zg==", "Zg" }, { "fo", 2, "Zm8=", "Zm8" }, { "foo", 3, "Zm9v", "Zm9v" },
	{ "foob", 4, "Zm9vYg==", "Zm9vYg" }, { "fooba", 5, "Zm9vYmE=", "Zm9vYmE" }, { "foobar", 6, "Zm9vYmFy", "Zm9vYmFy" },
	{ "\xfb\xff\xfe", 3, "+//+", "-__-" }, { "\0\0\0\0", 4, "AAAAAA==", "AAAAAA" },
};

static void
base64__known_texts_both_ways(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
		AUTO_CLEAR(struct bytes, bytes_clear) data = BYTES_INIT;
		char text[32];
		struct span span = SPAN(known[i].data, known[i].length);
		size_t length = base64_encode(span, text);
		assert_int_equal(length, BASE64_LENGTH(span.length));
		assert_int_equal(length, strlen(known[i].text));
		assert_memory_equal(text, known[i].text, length);
		assert_int_equal(base64_encode_url(span, text), strlen(known[i].url));
		assert_string_equal(text, known[i].url);
		assert_int_equal(base64_decode(known[i].text, length, &data, NULL), FAULT_NONE);
		assert_true(span_equal(bytes_span(&data), span));
		assert_int_equal(base64_decode_url(known[i].url, strlen(known[i].url), &data, NULL), FAULT_NONE);
		assert_true(span_equal(bytes_span(&data), span));
	}
}

static void
base64__every_length_and_byte_comes_back(void **state)
{
	(void)state;
	uint8_t bytes[256];
	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (uint8_t)(i * 167 + 13);
	for (size_t length = 0; length <= sizeof bytes; length++) {
		AUTO_CLEAR(struct bytes, bytes_clear) text = BYTES_INIT;
		AUTO_CLEAR(struct bytes, bytes_clear) data = BYTES_INIT;
		assert_int_equal(bytes_append_text(&text, "x", NULL), FAULT_NONE);
		assert_int_equal(base64_append(&text, SPAN(bytes, length), NULL), FAULT_NONE);
		assert_int_equal(text.length, 1 + BASE64_LENGTH(length));
		assert_int_equal(strlen(bytes_text(&text)), text.length);
		assert_int_equal(base64_decode(bytes_text(&text) + 1, text.length - 1, &data, NULL), FAULT_NONE);
		assert_true(span_equal(bytes_span(&data), SPAN(bytes, length)));
	}
}

/* Characters are written two at a time, out of a table. */
static void
base64__every_pair_of_characters_comes_back(void **state)
{
	(void)state;
	for (unsigned value = 0; value < 4096; value++) {
		AUTO_CLEAR(struct bytes, bytes_clear) data = BYTES_INIT;
		const uint8_t three[3] = { (uint8_t)(value >> 4), (uint8_t)((value & 15) << 4 | value >> 8), (uint8_t)value };
		uint8_t bytes[9];
		char text[16];
		for (size_t i = 0; i < sizeof bytes; i++)
			bytes[i] = three[i % 3];
		assert_int_equal(base64_encode(SPAN(bytes, sizeof bytes), text), 12);
		assert_memory_equal(text, text + 2, 10); /* of sixes and of threes the same */
		assert_int_equal(base64_decode(text, 12, &data, NULL), FAULT_NONE);
		assert_true(span_equal(bytes_span(&data), SPAN(bytes, sizeof bytes)));
	}
}

static void
base64__loose_text_is_refused(void **state)
{
	(void)state;
	static const char *const texts[] = {
		"Z", "Zg", "Zg=", "Zg===", "Zm8", "Zm9vZ", "=", "==", "====", "Z===", "=Zg=", "Zg=v", "Zg==Zg==", "Zm8=Zm8=",
		"Zh==", "Zm9=", "Zm9v\n", "Zm9v\r\n\r\n", " Zm9v", "Zm 9", "Zm9-", "Zm9_", "Zm9*", "Zm9\x80", "Zm9v====",
	};
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		AUTO_CLEAR(struct bytes, bytes_clear) data = BYTES_INIT;
		assert_int_equal(bytes_append_text(&data, "kept", NULL), FAULT_NONE);
		if (base64_decode(texts[i], strlen(texts[i]), &data, NULL) != FAULT_MALFORMED)
			fail_msg("\"%s\" was taken", texts[i]);
		assert_string_equal(bytes_text(&data), "kept");
	}
	AUTO_CLEAR(struct bytes, bytes_clear) data = BYTES_INIT;
	assert_int_equal(base64_decode("Zm9\0", 4, &data, NULL), FAULT_MALFORMED);
}

static void
base64__loose_url_text_is_refused(void **state)
{
	(void)state;
	static const char *const texts[] = { "Z", "Zg==", "Zm8=", "Zh", "Zm9", "Zm9vZ", "Zm+v", "Zm/v", "Zm9v ", "Zm9v\n" };
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		AUTO_CLEAR(struct bytes, bytes_clear) data = BYTES_INIT;
		if (base64_decode_url(texts[i], strlen(texts[i]), &data, NULL) != FAULT_MALFORMED)
			fail_msg("\"%s\" was taken", texts[i]);
	}
}

static void
base64__hex_both_ways(void **state)
{
	(void)state;
	char text[9];
	uint8_t data[4] = { 0 };
	hex_encode(SPAN("\x00\x1f\xab\xff", 4), text);
	assert_string_equal(text, "001fabff");
	assert_true(hex_decode("001FaBff", data, 4));
	assert_memory_equal(data, "\x00\x1f\xab\xff", 4);
	hex_encode(SPAN(NULL, 0), text);
	assert_string_equal(text, "");
	assert_true(hex_decode("", data, 0));
}

static void
base64__bad_hex_is_refused_whole(void **state)
{
	(void)state;
	static const char *const texts[] = {
		"", "00", "001fabf", "001fabff0", "001fabfg", "0x1fabff", " 01fabff", "001fab:f", "001fab`f",
	};
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		uint8_t data[4] = { 9, 9, 9, 9 };
		assert_false(hex_decode(texts[i], data, 4));
		assert_memory_equal(data, "\x09\x09\x09\x09", 4);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(base64__known_texts_both_ways),
		cmocka_unit_test(base64__every_length_and_byte_comes_back),
		cmocka_unit_test(base64__every_pair_of_characters_comes_back),
		cmocka_unit_test(base64__loose_text_is_refused),
		cmocka_unit_test(base64__loose_url_text_is_refused),
		cmocka_unit_test(base64__hex_both_ways),
		cmocka_unit_test(base64__bad_hex_is_refused_whole),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
