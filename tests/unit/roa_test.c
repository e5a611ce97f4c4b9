#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "ca/base/atomic_file.h"
#include "ca/der/roa.h"
#include "tests/support/der_builder.h"
#include "tests/support/lint_fixture.h"

static struct payload
payload_of(uint32_t asn, const char *prefix, uint8_t max_length)
{
	struct payload payload = { .asn = asn, .max_length = max_length };
	assert_int_equal(prefix_parse(prefix, &payload.prefix, NULL), FAULT_NONE);
	return payload;
}

static void
assert_same(const struct payload *a, const struct payload *b)
{
	assert_int_equal(payload_compare(a, b), 0);
}

static void
roa__encodes_as_written_by_hand(void **state)
{
	(void)state;
	AUTO_CLEAR(struct bytes, bytes_clear) by_hand = BYTES_INIT;
	AUTO_CLEAR(struct bytes, bytes_clear) golden = BYTES_INIT;
	AUTO_CLEAR(struct bytes, bytes_clear) encoded = BYTES_INIT;
	AUTO(char, free) text = lint_fixture_roa();
	der_builder_encode(text, &by_hand);
	assert_int_equal(roa_encode(lint_fixture_payloads, LINT_FIXTURE_PAYLOADS, &encoded, NULL), FAULT_NONE);
	assert_true(span_equal(bytes_span(&encoded), bytes_span(&by_hand)));
	assert_int_equal(atomic_file_read(AT_FDCWD, "tests/vectors/der/roa_content.der", 65536, &golden, NULL), FAULT_NONE);
	assert_true(span_equal(bytes_span(&encoded), bytes_span(&golden)));
}

static void
roa__every_length_comes_back(void **state)
{
	(void)state;
	for (unsigned bits = 0; bits <= 160; bits++) {
		enum address_family family = bits <= 32 ? FAMILY_IPV4 : FAMILY_IPV6;
		unsigned length = bits <= 32 ? bits : bits - 32;
		struct payload payload = { .asn = bits % 2 == 0 ? 0 : UINT32_MAX,
			.prefix = { .family = family, .length = (uint8_t)length } };
		for (unsigned bit = 0; bit < length; bit += 3)
			payload.prefix.address.bytes[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
		for (unsigned max_length = length; max_length <= family_bits(family); max_length += 1 + max_length / 3) {
			AUTO_CLEAR(struct bytes, bytes_clear) content = BYTES_INIT;
			AUTO(struct payload, free) payloads = NULL;
			size_t count = 0;
			payload.max_length = (uint8_t)max_length;
			assert_int_equal(roa_encode(&payload, 1, &content, NULL), FAULT_NONE);
			assert_int_equal(roa_decode(bytes_span(&content), &payloads, &count, NULL), FAULT_NONE);
			assert_int_equal(count, 1);
			assert_same(&payloads[0], &payload);
		}
	}
}

static void
roa__order_in_is_no_matter(void **state)
{
	(void)state;
	struct payload sorted[] = {
		payload_of(64496, "10.0.0.0/8", 8),
		payload_of(64496, "10.0.0.0/8", 24),
		payload_of(64496, "10.0.0.0/16", 16),
		payload_of(64496, "10.128.0.0/9", 9),
		payload_of(64496, "192.0.2.0/24", 32),
		payload_of(64496, "2001:db8::/32", 32),
		payload_of(64496, "2001:db8::/32", 128),
		payload_of(64496, "2001:db8::/48", 64),
	};
	const size_t n = sizeof sorted / sizeof sorted[0];
	AUTO_CLEAR(struct bytes, bytes_clear) expected = BYTES_INIT;
	assert_int_equal(roa_encode(sorted, n, &expected, NULL), FAULT_NONE);
	for (size_t turn = 1; turn < n; turn++) {
		struct payload turned[sizeof sorted / sizeof sorted[0]];
		AUTO_CLEAR(struct bytes, bytes_clear) content = BYTES_INIT;
		for (size_t i = 0; i < n; i++)
			turned[i] = sorted[(i * 5 + turn) % n];
		assert_int_equal(roa_encode(turned, n, &content, NULL), FAULT_NONE);
		assert_true(span_equal(bytes_span(&content), bytes_span(&expected)));
	}
	AUTO(struct payload, free) payloads = NULL;
	size_t count = 0;
	assert_int_equal(roa_decode(bytes_span(&expected), &payloads, &count, NULL), FAULT_NONE);
	assert_int_equal(count, n);
	for (size_t i = 0; i < n; i++)
		assert_same(&payloads[i], &sorted[i]);
}

static void
roa__largest(void **state)
{
	(void)state;
	AUTO_CLEAR(struct bytes, bytes_clear) content = BYTES_INIT;
	AUTO(struct payload, free) payloads = NULL;
	struct payload many[ROA_PREFIXES_MAX + 1];
	size_t count = 0;
	for (size_t i = 0; i <= ROA_PREFIXES_MAX; i++) {
		many[i] = payload_of(64496, "2001:db8::/128", 128);
		many[i].prefix.address.bytes[14] = (uint8_t)(i >> 8);
		many[i].prefix.address.bytes[15] = (uint8_t)i;
	}
	assert_int_equal(roa_encode(many, ROA_PREFIXES_MAX, &content, NULL), FAULT_NONE);
	assert_int_equal(roa_decode(bytes_span(&content), &payloads, &count, NULL), FAULT_NONE);
	assert_int_equal(count, ROA_PREFIXES_MAX);
	assert_int_equal(roa_encode(many, ROA_PREFIXES_MAX + 1, &content, NULL), FAULT_TOO_LARGE);
	AUTO(uint8_t, free) huge = calloc(1, 65537);
	assert_int_equal(roa_decode(SPAN(huge, 65537), &payloads, &count, NULL), FAULT_TOO_LARGE);
}

static void
roa__refuses_payloads_that_make_no_roa(void **state)
{
	(void)state;
	AUTO_CLEAR(struct bytes, bytes_clear) content = BYTES_INIT;
	struct payload two_ases[] = { payload_of(64496, "10.0.0.0/8", 8), payload_of(64497, "11.0.0.0/8", 8) };
	struct payload twice[] = { payload_of(64496, "10.0.0.0/8", 9), payload_of(64496, "11.0.0.0/8", 8),
		payload_of(64496, "10.0.0.0/8", 9) };
	struct payload short_max = payload_of(64496, "10.0.0.0/8", 7), long_max = payload_of(64496, "10.0.0.0/8", 33);
	struct payload longer_max = payload_of(64496, "2001:db8::/32", 129);
	assert_int_equal(roa_encode(NULL, 0, &content, NULL), FAULT_INVALID);
	assert_int_equal(roa_encode(two_ases, 2, &content, NULL), FAULT_INVALID);
	assert_int_equal(roa_encode(twice, 3, &content, NULL), FAULT_INVALID);
	assert_int_equal(roa_encode(&short_max, 1, &content, NULL), FAULT_INVALID);
	assert_int_equal(roa_encode(&long_max, 1, &content, NULL), FAULT_INVALID);
	assert_int_equal(roa_encode(&longer_max, 1, &content, NULL), FAULT_INVALID);
	assert_null(content.data);
}

#define IPV6_BLOCK "SEQUENCE { OCTETS 0002 SEQUENCE { SEQUENCE { BITS 20010db80000/0 } } }"

static const struct {
	const char *from, *to;
} broken[] = {
	{ "INTEGER 64496", "[0] { INTEGER 0 } INTEGER 64496" },
	{ "INTEGER 64496", "INTEGER 4294967296" },
	{ "INTEGER 64496", "INTEGER 0xfbf0" },
	{ "INTEGER 64496", "=02040000fbf0" },
	{ "INTEGER 64496", "" },
	{ "SEQUENCE { BITS c00002/0 }\n", "SEQUENCE { BITS c00002/0 INTEGER 24 }\n" },       /* superfluous */
	{ "BITS c00002/0 INTEGER 26", "BITS c00002/0 INTEGER 23" },
	{ "BITS c00002/0 INTEGER 26", "BITS c00002/0 INTEGER 33" },
	{ "BITS c00002/0 INTEGER 26", "BITS c00002/0 INTEGER 0x80" },
	{ "BITS c00002/0 INTEGER 26", "BITS c00002/0 INTEGER 0x010000000000000018" },
	{ "BITS c00002/0 INTEGER 26", "BITS c00002/0 =02020018" },
	{ "BITS c00002/0 INTEGER 26", "BITS c00002/0 INTEGER 26 INTEGER 26" },
	{ "BITS c00002/0 INTEGER 26", "BITS c00002/0" },                                     /* the same twice */
	{ "BITS c0000210/4", "BITS c000020000/0" },
	{ "BITS c0000210/4", "BITS c0000200/7" },                                            /* out of order */
	{ "BITS c0000210/4", "=030504c000021f" },
	{ "BITS c0000210/4", "BITS c0000100/0" },
	{ "BITS c0000210/4", "=030108" },
	{ "BITS 20010db80000/0", "BITS 20010db800000000000000000000000000/0" },
	{ "OCTETS 0001", "OCTETS 000101" },
	{ "OCTETS 0001", "OCTETS 0003" },
	{ "OCTETS 0001", "OCTETS 01" },
	{ "OCTETS 0001", "OCTETS 0002" },
	{ "OCTETS 0002", "OCTETS 0001" },
	{ IPV6_BLOCK, "SEQUENCE { OCTETS 0002 SEQUENCE { } }" },
	{ IPV6_BLOCK, IPV6_BLOCK " " IPV6_BLOCK },
	{ IPV6_BLOCK, IPV6_BLOCK " SEQUENCE { OCTETS 0001 SEQUENCE { SEQUENCE { BITS 0a/0 } } }" },
	{ "\n} }", "\n} } =00" },
	{ "\n} }", "\n} NULL }" },
};

static void
roa__decoder_refuses_each_broken_rule(void **state)
{
	(void)state;
	size_t taken = 0;
	AUTO(char, free) text = lint_fixture_roa();
	for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++) {
		AUTO_CLEAR(struct bytes, bytes_clear) der = BYTES_INIT;
		AUTO(struct payload, free) payloads = NULL;
		size_t count = 0;
		AUTO(char, free) edited = der_builder_edit(text, broken[i].from, broken[i].to);
		der_builder_encode(edited, &der);
		if (roa_decode(bytes_span(&der), &payloads, &count, NULL) != FAULT_MALFORMED) {
			fprintf(stderr, "row %zu is taken: %s\n", i, broken[i].to);
			taken++;
		}
		assert_null(payloads);
	}
	assert_int_equal(taken, 0);
}

static void
roa__decoder_refuses_nothing_at_all(void **state)
{
	(void)state;
	static const char *const nothings[] = { "SEQUENCE { INTEGER 64496 SEQUENCE { } }", "SEQUENCE { }", "NULL", "=3080" };
	for (size_t i = 0; i < sizeof nothings / sizeof nothings[0]; i++) {
		AUTO_CLEAR(struct bytes, bytes_clear) der = BYTES_INIT;
		AUTO(struct payload, free) payloads = NULL;
		size_t count = 0;
		der_builder_encode(nothings[i], &der);
		assert_int_equal(roa_decode(bytes_span(&der), &payloads, &count, NULL), FAULT_MALFORMED);
	}
}

/* Any damage: either refused, or a ROA whose encoding is those very bytes. */
static void
roa__decoder_takes_canonical_bytes_alone(void **state)
{
	(void)state;
	AUTO_CLEAR(struct bytes, bytes_clear) der = BYTES_INIT;
	assert_int_equal(roa_encode(lint_fixture_payloads, LINT_FIXTURE_PAYLOADS, &der, NULL), FAULT_NONE);
	size_t taken = 0;
	for (size_t i = 0; i < 8 * der.length; i++) {
		AUTO(struct payload, free) payloads = NULL;
		AUTO_CLEAR(struct bytes, bytes_clear) again = BYTES_INIT;
		size_t count = 0;
		der.data[i / 8] ^= (uint8_t)(1U << i % 8);
		enum fault_code code = roa_decode(bytes_span(&der), &payloads, &count, NULL);
		assert_true(code == FAULT_NONE || code == FAULT_MALFORMED);
		if (code == FAULT_NONE) {
			assert_int_equal(roa_encode(payloads, count, &again, NULL), FAULT_NONE);
			assert_true(span_equal(bytes_span(&again), bytes_span(&der)));
			taken++;
		}
		der.data[i / 8] ^= (uint8_t)(1U << i % 8);
	}
	assert_true(taken > 0);
	for (size_t length = 0; length < der.length; length++) {
		AUTO(struct payload, free) payloads = NULL;
		AUTO(uint8_t, free) exact = malloc(length + 1);
		size_t count = 0;
		memcpy(exact, der.data, length);
		assert_int_equal(roa_decode(SPAN(exact, length), &payloads, &count, NULL), FAULT_MALFORMED);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(roa__encodes_as_written_by_hand),
		cmocka_unit_test(roa__every_length_comes_back),
		cmocka_unit_test(roa__order_in_is_no_matter),
		cmocka_unit_test(roa__largest),
		cmocka_unit_test(roa__refuses_payloads_that_make_no_roa),
		cmocka_unit_test(roa__decoder_refuses_each_broken_rule),
		cmocka_unit_test(roa__decoder_refuses_nothing_at_all),
		cmocka_unit_test(roa__decoder_takes_canonical_bytes_alone),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
