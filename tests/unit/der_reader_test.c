#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "ca/lint/der_reader.h"
#include "tests/support/der_builder.h"

#define WHAT "RFC 0 §0: field"

/* What a row's text is read as. */
enum reading { ELEMENT, BOOLEAN, INTEGER, UNSIGNED, BITS, FLAGS, TIME, GENERALIZED_TIME, SORTED, WALK };

static enum fault_code
read_as(enum reading reading, struct span der, struct fault *fault)
{
	struct der_reader reader, before;
	struct der_element element;
	struct span octets;
	struct der_bits bits;
	uint64_t number;
	int64_t at;
	unsigned flags;
	bool truth;
	enum fault_code code = FAULT_NONE;
	if (reading == WALK)
		return der_reader_walk(der, WHAT, fault);
	if (reading == SORTED)
		return der_reader_sorted(der, WHAT, fault);
	TRY(der_reader_open(der, WHAT, &reader, fault));
	before = reader;
	if (reading == ELEMENT)
		code = der_reader_take(&reader, der.length > 0 ? der.data[0] : 0x30, WHAT, &element, fault);
	else if (reading == BOOLEAN)
		code = der_reader_boolean(&reader, WHAT, &truth, fault);
	else if (reading == INTEGER)
		code = der_reader_integer(&reader, WHAT, &octets, fault);
	else if (reading == UNSIGNED)
		code = der_reader_unsigned(&reader, WHAT, 1000, &number, fault);
	else if (reading == BITS)
		code = der_reader_bits(&reader, WHAT, &bits, fault);
	else if (reading == FLAGS)
		code = der_reader_flags(&reader, WHAT, &flags, fault);
	else if (reading == TIME)
		code = der_reader_time(&reader, WHAT, &at, fault);
	else
		code = der_reader_generalized_time(&reader, WHAT, &at, fault);
	if (code != FAULT_NONE) {
		assert_ptr_equal(reader.at, before.at);
		return code;
	}
	return der_reader_end(&reader, WHAT, fault);
}

/* Reads from memory of exactly the size, so that a sanitiser sees each octet read behind the end. */
static enum fault_code
read_text(enum reading reading, const char *text, struct fault *fault)
{
	struct bytes der = BYTES_INIT;
	der_builder_encode(text, &der);
	uint8_t *exact = malloc(der.length > 0 ? der.length : 1);
	assert_non_null(exact);
	if (der.length > 0)
		memcpy(exact, der.data, der.length);
	enum fault_code code = read_as(reading, SPAN(exact, der.length), fault);
	free(exact);
	bytes_clear(&der);
	return code;
}

static const struct {
	enum reading reading;
	const char *text, *rule;
} refused[] = {
	{ ELEMENT, "", "is missing" },
	{ ELEMENT, "=30", "ends before its length" },
	{ ELEMENT, "=3080 =0000", "indefinite" },
	{ ELEMENT, "=0481", "runs over the end" },
	{ ELEMENT, "=048101 =00", "shortest form" },
	{ ELEMENT, "=04817f", "shortest form" },
	{ ELEMENT, "=04820001 =00", "shortest form" },
	{ ELEMENT, "=0482007f", "shortest form" },
	{ ELEMENT, "=0483000100", "shortest form" },
	{ ELEMENT, "=048400000001 =00", "runs over the end" },
	{ ELEMENT, "=0488ffffffffffffffff", "runs over the end" },
	{ ELEMENT, "=04ff", "runs over the end" },
	{ ELEMENT, "=0402 =00", "runs over the end" },
	{ ELEMENT, "=0483ffffff", "runs over the end" },
	{ ELEMENT, "=1f2000", "number above 30" },
	{ ELEMENT, "=bf2000", "number above 30" },
	{ ELEMENT, "=0000", "type that RPKI objects don't have" },
	{ ELEMENT, "=2400", "type that RPKI objects don't have" },
	{ ELEMENT, "=2300", "type that RPKI objects don't have" },
	{ ELEMENT, "=1000", "type that RPKI objects don't have" },
	{ ELEMENT, "=1100", "type that RPKI objects don't have" },
	{ ELEMENT, "UTF8 \"a\"", "type that RPKI objects don't have" },
	{ ELEMENT, "=4100", "neither universal nor context-specific" },
	{ ELEMENT, "=c100", "neither universal nor context-specific" },
	{ ELEMENT, "NULL NULL", "behind its last field" },
	{ ELEMENT, "=050100", "NULL isn't empty" },
	{ ELEMENT, "=0600", "OBJECT IDENTIFIER is empty" },
	{ ELEMENT, "=06025581", "ends within an arc" },
	{ ELEMENT, "=0603558001", "arc of OBJECT IDENTIFIER isn't in its shortest form" },
	{ ELEMENT, "=06028001", "arc of OBJECT IDENTIFIER isn't in its shortest form" },
	{ ELEMENT, "PRINTABLE \"a@b\"", "PrintableString" },
	{ ELEMENT, "PRINTABLE \"a_b\"", "PrintableString" },
	{ ELEMENT, "=130100", "PrintableString" },
	{ ELEMENT, "=1301e9", "PrintableString" },
	{ ELEMENT, "=160180", "IA5String" },
	{ BOOLEAN, "NULL", "tag is 05, not 01" },
	{ BOOLEAN, "=0100", "BOOLEAN isn't one octet" },
	{ BOOLEAN, "BOOLEAN 0000", "BOOLEAN isn't one octet" },
	{ BOOLEAN, "BOOLEAN 01", "neither 00 nor ff" },
	{ BOOLEAN, "BOOLEAN fe", "neither 00 nor ff" },
	{ INTEGER, "=0200", "INTEGER is empty" },
	{ INTEGER, "INTEGER 0x0001", "shortest form" },
	{ INTEGER, "INTEGER 0x007f", "shortest form" },
	{ INTEGER, "INTEGER 0xff80", "shortest form" },
	{ UNSIGNED, "INTEGER 0xff", "negative" },
	{ UNSIGNED, "INTEGER 0x80", "negative" },
	{ UNSIGNED, "INTEGER 1001", "too large" },
	{ UNSIGNED, "INTEGER 0x010000000000000000", "too large" },
	{ UNSIGNED, "INTEGER 0x00ffffffffffffffff01", "too large" },
	{ UNSIGNED, "=2201 =01", "tag is 22, not 02" },
	{ BITS, "=0300", "no initial octet" },
	{ BITS, "BITS ff/8", "more than 7 unused bits" },
	{ BITS, "BITS /1", "empty BIT STRING has unused bits" },
	{ BITS, "BITS c1/1", "unused bits of BIT STRING aren't zero" },
	{ BITS, "BITS 80c0/7", "unused bits of BIT STRING aren't zero" },
	{ FLAGS, "BITS 00/0", "named bits end in a zero bit" },
	{ FLAGS, "BITS 06/0", "named bits end in a zero bit" },
	{ FLAGS, "BITS 80/6", "named bits end in a zero bit" },
	{ FLAGS, "BITS 000080/7", "more named bits" },
	{ TIME, "UTC \"2611230000Z\"", "YYMMDDHHMMSSZ" },
	{ TIME, "UTC \"261123000000\"", "YYMMDDHHMMSSZ" },
	{ TIME, "UTC \"261123000000+0000\"", "YYMMDDHHMMSSZ" },
	{ TIME, "UTC \"26112300000 Z\"", "YYMMDDHHMMSSZ" },
	{ TIME, "UTC \"261323000000Z\"", "YYMMDDHHMMSSZ" },
	{ TIME, "UTC \"260023000000Z\"", "YYMMDDHHMMSSZ" },
	{ TIME, "UTC \"261100000000Z\"", "YYMMDDHHMMSSZ" },
	{ TIME, "UTC \"261131000000Z\"", "YYMMDDHHMMSSZ" },
	{ TIME, "UTC \"260229000000Z\"", "YYMMDDHHMMSSZ" },
	{ TIME, "UTC \"261123240000Z\"", "YYMMDDHHMMSSZ" },
	{ TIME, "UTC \"261123006000Z\"", "YYMMDDHHMMSSZ" },
	{ TIME, "UTC \"261123000060Z\"", "YYMMDDHHMMSSZ" },
	{ TIME, "UTC \"691231235959Z\"", "before 1970" },
	{ TIME, "UTC \"500101000000Z\"", "before 1970" },
	{ TIME, "GENERALIZED \"20491231235959Z\"", "GeneralizedTime before 2050" },
	{ TIME, "GENERALIZED \"20500101000000.5Z\"", "YYYYMMDDHHMMSSZ" },
	{ TIME, "GENERALIZED \"205001010000Z\"", "YYYYMMDDHHMMSSZ" },
	{ TIME, "GENERALIZED \"21000229000000Z\"", "YYYYMMDDHHMMSSZ" },
	{ TIME, "NULL", "tag is 05, not 17" },
	{ GENERALIZED_TIME, "UTC \"261123000000Z\"", "tag is 17, not 18" },
	{ GENERALIZED_TIME, "GENERALIZED \"19691231235959Z\"", "before 1970" },
	{ GENERALIZED_TIME, "GENERALIZED \"00000101000000Z\"", "YYYYMMDDHHMMSSZ" },
	{ SORTED, "INTEGER 2 INTEGER 1", "ascending order" },
	{ SORTED, "NULL INTEGER 1", "ascending order" },
	{ SORTED, "INTEGER 256 INTEGER 2", "ascending order" },
	{ SORTED, "=0205 =01", "runs over the end" },
	{ WALK, "", "is missing" },
	{ WALK, "NULL NULL", "behind its last field" },
	{ WALK, "SEQUENCE { SET { INTEGER 2 INTEGER 1 } }", "ascending order" },
	{ WALK, "SEQUENCE { [0] { SEQUENCE { INTEGER 0x0000 } } }", "shortest form" },
	{ WALK, "SEQUENCE { OCTETS 00 =2400 }", "type that RPKI objects don't have" },
	{ WALK, "SEQUENCE { =30800000 }", "indefinite" },
	{ WALK, "[0] { [0] { [0] { [0] { [0] { [0] { [0] { [0] { [0] { [0] { [0] { [0] { [0] { [0] { [0] { [0] { [0] { NULL "
		"} } } } } } } } } } } } } } } } }", "nested deeper" },
};

static void
der_reader__refuses_what_is_not_der(void **state)
{
	(void)state;
	size_t failures = 0;
	for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
		struct fault fault = FAULT_INIT;
		enum fault_code code = read_text(refused[i].reading, refused[i].text, &fault);
		if (code == FAULT_LINT && strncmp(fault.message, WHAT, strlen(WHAT)) == 0 && strstr(fault.message,
			refused[i].rule) != NULL)
			continue;
		fprintf(stderr, "%s: %s instead of: %s\n", refused[i].text, code == FAULT_NONE ? "taken" : fault.message,
			refused[i].rule);
		failures++;
	}
	assert_int_equal(failures, 0);
}

static const struct {
	enum reading reading;
	const char *text;
} taken[] = {
	{ ELEMENT, "SEQUENCE { }" },
	{ ELEMENT, "OID 2.5.29.15" },
	{ ELEMENT, "OID 1.2.840.113549.1.1.11" },
	{ ELEMENT, "PRINTABLE \"AZaz09 '()+,-./:=?\"" },
	{ ELEMENT, "IA5 \"@_~\"" },
	{ ELEMENT, "[6] \"anything\"" },
	{ ELEMENT, "[30] { NULL }" },
	{ BOOLEAN, "BOOLEAN 00" },
	{ BOOLEAN, "BOOLEAN ff" },
	{ INTEGER, "INTEGER 0x00" },
	{ INTEGER, "INTEGER 0x80" },
	{ INTEGER, "INTEGER 0x0080" },
	{ INTEGER, "INTEGER 0xff7f" },
	{ UNSIGNED, "INTEGER 1000" },
	{ BITS, "BITS /0" },
	{ BITS, "BITS 80/7" },
	{ FLAGS, "BITS /0" },
	{ FLAGS, "BITS 0001/0" },
	{ SORTED, "" },
	{ SORTED, "NULL" },
	{ SORTED, "INTEGER 1 INTEGER 1 INTEGER 2 INTEGER 256 NULL" },
	{ WALK, "SEQUENCE { SET { INTEGER 1 NULL } OCTETS { =24 } [0] { [1] 24 } BITS 24/0 }" },
	{ WALK, "[0] { [0] { [0] { [0] { [0] { [0] { [0] { [0] { [0] { [0] { [0] { [0] { [0] { [0] { [0] { NULL "
		"} } } } } } } } } } } } } } }" },
};

static void
der_reader__takes_what_is_der(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof taken / sizeof taken[0]; i++) {
		struct fault fault = FAULT_INIT;
		if (read_text(taken[i].reading, taken[i].text, &fault) != FAULT_NONE)
			fail_msg("%s: %s", taken[i].text, fault.message);
	}
}

static void
der_reader__reads_numbers_and_bits(void **state)
{
	(void)state;
	struct bytes der = BYTES_INIT;
	struct der_reader reader, inner;
	struct der_bits bits;
	struct span octets;
	uint64_t number;
	unsigned flags;
	bool truth;
	der_builder_encode("SEQUENCE { BOOLEAN ff INTEGER 0 INTEGER 0x00ffffffffffffffff INTEGER 0x80 "
		"BITS c00002/1 BITS 8680/7 NULL }", &der);
	assert_int_equal(der_reader_open(bytes_span(&der), WHAT, &reader, NULL), FAULT_NONE);
	assert_true(der_reader_more(&reader));
	assert_true(der_reader_next_is(&reader, DER_SEQUENCE));
	assert_false(der_reader_next_is(&reader, DER_SET));
	assert_int_equal(der_reader_enter(&reader, DER_SET, WHAT, &inner, NULL), FAULT_LINT);
	assert_int_equal(der_reader_enter(&reader, DER_SEQUENCE, WHAT, &inner, NULL), FAULT_NONE);
	assert_false(der_reader_more(&reader));
	assert_false(der_reader_next_is(&reader, DER_SEQUENCE));
	assert_int_equal(der_reader_boolean(&inner, WHAT, &truth, NULL), FAULT_NONE);
	assert_true(truth);
	assert_int_equal(der_reader_unsigned(&inner, WHAT, 0, &number, NULL), FAULT_NONE);
	assert_int_equal(number, 0);
	assert_int_equal(der_reader_unsigned(&inner, WHAT, UINT64_MAX - 1, &number, NULL), FAULT_LINT);
	assert_int_equal(der_reader_unsigned(&inner, WHAT, UINT64_MAX, &number, NULL), FAULT_NONE);
	assert_true(number == UINT64_MAX);
	assert_int_equal(der_reader_integer(&inner, WHAT, &octets, NULL), FAULT_NONE);
	assert_int_equal(octets.length, 1);
	assert_int_equal(octets.data[0], 0x80);
	assert_int_equal(der_reader_bits(&inner, WHAT, &bits, NULL), FAULT_NONE);
	assert_int_equal(bits.count, 23);
	assert_true(span_equal(bits.octets, SPAN("\xc0\x00\x02", 3)));
	assert_int_equal(der_reader_flags(&inner, WHAT, &flags, NULL), FAULT_NONE);
	assert_int_equal(flags, 1U << 0 | 1U << 5 | 1U << 6 | 1U << 8);
	assert_int_equal(der_reader_end(&inner, WHAT, NULL), FAULT_LINT);
	assert_int_equal(der_reader_null(&inner, WHAT, NULL), FAULT_NONE);
	assert_int_equal(der_reader_null(&inner, WHAT, NULL), FAULT_LINT);
	assert_int_equal(der_reader_end(&inner, WHAT, NULL), FAULT_NONE);
	bytes_clear(&der);
}

static const struct {
	bool either;
	const char *text;
	int64_t at;
} times[] = {
	{ true, "UTC \"700101000000Z\"", 0 },
	{ true, "UTC \"280229120000Z\"", 1835438400 },
	{ true, "UTC \"491231235959Z\"", 2524607999 },
	{ true, "GENERALIZED \"20500101000000Z\"", 2524608000 },
	{ true, "GENERALIZED \"21000301000000Z\"", 4107542400 },
	{ true, "GENERALIZED \"99991231235959Z\"", 253402300799 },
	{ false, "GENERALIZED \"19700101000000Z\"", 0 },
	{ false, "GENERALIZED \"20261123231600Z\"", 1795475760 },
	{ false, "GENERALIZED \"20500101000000Z\"", 2524608000 },
};

static void
der_reader__reads_times(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
		struct bytes der = BYTES_INIT;
		struct der_reader reader;
		int64_t at = -1;
		der_builder_encode(times[i].text, &der);
		assert_int_equal(der_reader_open(bytes_span(&der), WHAT, &reader, NULL), FAULT_NONE);
		if (times[i].either)
			assert_int_equal(der_reader_time(&reader, WHAT, &at, NULL), FAULT_NONE);
		else
			assert_int_equal(der_reader_generalized_time(&reader, WHAT, &at, NULL), FAULT_NONE);
		assert_int_equal(at, times[i].at);
		bytes_clear(&der);
	}
}

static void
der_reader__has_limits(void **state)
{
	(void)state;
	struct fault fault = FAULT_INIT;
	struct der_reader reader;
	size_t size = DER_READER_SIZE_MAX + 1;
	uint8_t *large = calloc(size, 1);
	assert_non_null(large);
	assert_int_equal(der_reader_open(SPAN(large, size), WHAT, &reader, &fault), FAULT_LINT);
	assert_non_null(strstr(fault.message, "4,000,000"));
	assert_int_equal(der_reader_open(SPAN(large, size - 1), WHAT, &reader, &fault), FAULT_NONE);
	free(large);
	assert_int_equal(der_reader_open(SPAN(NULL, 0), WHAT, &reader, &fault), FAULT_NONE);
	assert_false(der_reader_more(&reader));
	assert_int_equal(der_reader_end(&reader, WHAT, &fault), FAULT_NONE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(der_reader__refuses_what_is_not_der),
		cmocka_unit_test(der_reader__takes_what_is_der),
		cmocka_unit_test(der_reader__reads_numbers_and_bits),
		cmocka_unit_test(der_reader__reads_times),
		cmocka_unit_test(der_reader__has_limits),
	};
	return cmocka_run_group_tests_name("der_reader", tests, NULL, NULL);
}
