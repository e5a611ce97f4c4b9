#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "ca/resources/payload.h"

static struct payload
payload_of(uint32_t asn, const char *prefix, unsigned max_length)
{
	struct payload payload = { .asn = asn, .max_length = (uint8_t)max_length };
	assert_int_equal(prefix_parse(prefix, &payload.prefix, NULL), FAULT_NONE);
	return payload;
}

static void
payload__order_is_as_prefix_max_length(void **state)
{
	(void)state;
	const struct payload ordered[] = {
		payload_of(0, "::/0", 0), payload_of(1, "10.0.0.0/8", 8), payload_of(1, "10.0.0.0/8", 9),
		payload_of(1, "10.0.0.0/9", 9), payload_of(1, "11.0.0.0/8", 8), payload_of(1, "::/0", 0),
		payload_of(1, "2001:db8::/32", 32), payload_of(2, "10.0.0.0/8", 8), payload_of(ASN_MAX, "10.0.0.0/8", 8),
	};
	for (size_t i = 0; i < sizeof ordered / sizeof *ordered; i++)
		for (size_t j = 0; j < sizeof ordered / sizeof *ordered; j++) {
			int order = payload_compare(&ordered[i], &ordered[j]);
			assert_int_equal((order > 0) - (order < 0), (i > j) - (i < j));
		}
}

static void
payload__max_length_has_bounds(void **state)
{
	(void)state;
	static const struct {
		const char *prefix;
		unsigned max_length;
		enum fault_code code;
	} cases[] = {
		{ "192.0.2.0/24", 24, FAULT_NONE }, { "192.0.2.0/24", 32, FAULT_NONE }, { "192.0.2.0/24", 23, FAULT_INVALID },
		{ "192.0.2.0/24", 33, FAULT_INVALID }, { "192.0.2.0/24", 0, FAULT_INVALID },
		{ "192.0.2.0/24", 255, FAULT_INVALID }, { "0.0.0.0/0", 0, FAULT_NONE }, { "::/0", 128, FAULT_NONE },
		{ "::/0", 129, FAULT_INVALID }, { "2001:db8::/48", 47, FAULT_INVALID }, { "2001:db8::1/128", 128, FAULT_NONE },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct payload payload = payload_of(64496, cases[i].prefix, cases[i].max_length);
		assert_int_equal(payload_check(&payload, NULL), cases[i].code);
	}
	struct payload payload = payload_of(64496, "192.0.2.0/24", 33);
	struct fault fault = FAULT_INIT;
	assert_int_equal(payload_check(&payload, &fault), FAULT_INVALID);
	assert_string_equal(fault.message, "maxLength 33 is not from 24, the prefix's length, to 32");
}

static void
payload__text_tells_max_length_where_it_adds_something(void **state)
{
	(void)state;
	static const struct {
		uint32_t asn;
		const char *prefix;
		unsigned max_length;
		const char *text;
	} cases[] = {
		{ 64496, "192.0.2.0/24", 25, "AS64496 192.0.2.0/24-25" }, { 64496, "192.0.2.0/24", 24, "AS64496 192.0.2.0/24" },
		{ 0, "::/0", 0, "AS0 ::/0" }, { 4294967295, "1111:1111:1111:1111:1111:1111:1111:1110/124", 128,
			"AS4294967295 1111:1111:1111:1111:1111:1111:1111:1110/124-128" },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct payload payload = payload_of(cases[i].asn, cases[i].prefix, cases[i].max_length);
		char text[PAYLOAD_TEXT];
		payload_text(&payload, text);
		assert_string_equal(text, cases[i].text);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(payload__order_is_as_prefix_max_length),
		cmocka_unit_test(payload__max_length_has_bounds),
		cmocka_unit_test(payload__text_tells_max_length_where_it_adds_something),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
