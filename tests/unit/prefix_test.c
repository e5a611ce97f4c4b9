#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "ca/resources/prefix.h"

static struct prefix
parsed(const char *text)
{
	struct prefix prefix;
	struct fault fault = FAULT_INIT;
	if (prefix_parse(text, &prefix, &fault) != FAULT_NONE)
		fail_msg("%s", fault.message);
	return prefix;
}

static void
prefix__text_comes_back_canonical(void **state)
{
	(void)state;
	static const struct {
		const char *text, *canonical;
	} cases[] = {
		{ "0.0.0.0/0", "0.0.0.0/0" }, { "192.0.2.0/24", "192.0.2.0/24" }, { "255.255.255.255/32", "255.255.255.255/32" },
		{ "128.0.0.0/1", "128.0.0.0/1" }, { "10.0.0.0/8", "10.0.0.0/8" }, { "192.0.2.130/31", "192.0.2.130/31" },
		{ "::/0", "::/0" }, { "2001:db8::/32", "2001:db8::/32" }, { "2001:DB8:0:0:0:0:0:0/32", "2001:db8::/32" },
		{ "2001:0db8::0001/128", "2001:db8::1/128" }, { "::1/128", "::1/128" }, { "8000::/1", "8000::/1" },
		{ "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128" },
		/* RFC 5952 §4.2: no "::" for one group, the longest run, the first of equals. */
		{ "2001:db8:0:1:1:1:1:1/128", "2001:db8:0:1:1:1:1:1/128" }, { "2001:0:0:1:0:0:0:1/128", "2001:0:0:1::1/128" },
		{ "2001:db8:0:0:1:0:0:1/128", "2001:db8::1:0:0:1/128" }, { "1:2:3:4:5:6:7::/128", "1:2:3:4:5:6:7:0/128" },
		{ "0:0:1::/48", "0:0:1::/48" }, { "1:0:0:0:0:0:0:8/128", "1::8/128" },
		/* What other printers write with dots. */
		{ "::ffff:c000:200/120", "::ffff:c000:200/120" }, { "::c000:201/128", "::c000:201/128" },
		{ "::ffff:0:0/96", "::ffff:0:0/96" },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct prefix prefix = parsed(cases[i].text);
		char text[PREFIX_TEXT];
		prefix_text(&prefix, text);
		assert_string_equal(text, cases[i].canonical);
		struct prefix again = parsed(text);
		assert_int_equal(prefix_compare(&prefix, &again), 0);
	}
}

static void
prefix__bad_text_is_refused_with_its_reason(void **state)
{
	(void)state;
	static const struct {
		const char *text, *words;
	} cases[] = {
		{ "", "has no \"/\"" }, { "192.0.2.0", "has no \"/\"" }, { "/", "no IP address" }, { "/24", "no IP address" },
		{ "192.0.2/24", "no IP address" }, { "192.0.2.0.0/24", "no IP address" }, { "192.0.2.256/32", "no IP address" },
		{ "192.0.02.0/24", "no IP address" }, { "192.0.2.00/24", "no IP address" }, { "0x7f.0.0.0/8", "no IP address" },
		{ " 192.0.2.0/24", "no IP address" }, { "192.0.2.0 /24", "no IP address" },
		{ "192.0.2.0/ 24", "prefix length from 0 to 32" }, { "192.0.2.0/24 ", "prefix length" },
		{ "192.0.2.0/", "prefix length" }, { "192.0.2.0/33", "from 0 to 32" }, { "192.0.2.0/-1", "prefix length" },
		{ "192.0.2.0/+24", "prefix length" }, { "192.0.2.0/024", "prefix length" }, { "192.0.2.0/00", "prefix length" },
		{ "192.0.2.0/24/24", "prefix length" }, { "192.0.2.0/4294967320", "prefix length" },
		{ "192.0.2.0/18446744073709551640", "prefix length" }, { "192.0.2.0/2a", "prefix length" },
		{ "192.0.2.0/255.255.255.0", "prefix length" }, { "2001:db8::/129", "from 0 to 128" },
		{ "2001:db8:::/32", "no IP address" }, { "2001:db8::1::/64", "no IP address" },
		{ "2001:db8/32", "no IP address" }, { "2001:db8:0:0:0:0:0:0:0/32", "no IP address" },
		{ "20011:db8::/32", "no IP address" }, { "2001:dbg::/32", "no IP address" },
		{ "[2001:db8::]/32", "no IP address" }, { "fe80::1%eth0/128", "no IP address" },
		{ "::ffff:192.0.2.0/120", "IPv4 inside IPv6" }, { "::192.0.2.0/124", "IPv4 inside IPv6" },
		{ "1.2.3.4:5/32", "IPv4 inside IPv6" }, { "AS64496/24", "no IP address" }, { "\xff\xfe/8", "\"??\"" },
		{ "a\nb/8", "\"a?b\"" },
		{ "1111111111111111111111111111111111111111111111111111111111111111111111111111/8", "11111...\" is no prefix" },
		{ "192.0.2.1/24", "192.0.2.1/24 has bits set behind its length: did you mean 192.0.2.0/24?" },
		{ "192.0.2.0/0", "did you mean 0.0.0.0/0?" }, { "255.255.255.255/31", "did you mean 255.255.255.254/31?" },
		{ "2001:db8::1/127", "did you mean 2001:db8::/127?" }, { "::1/0", "did you mean ::/0?" },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct prefix prefix = { .length = 77 };
		struct fault fault = FAULT_INIT;
		if (prefix_parse(cases[i].text, &prefix, &fault) != FAULT_INVALID)
			fail_msg("\"%s\" was taken", cases[i].text);
		if (strstr(fault.message, cases[i].words) == NULL)
			fail_msg("\"%s\" is not in \"%s\"", cases[i].words, fault.message);
		assert_int_equal(prefix.length, 77);
	}
}

static void
prefix__addresses_tell_their_family(void **state)
{
	(void)state;
	enum address_family family;
	struct address address;
	char text[ADDRESS_TEXT];
	assert_int_equal(address_parse("192.0.2.1", &family, &address, NULL), FAULT_NONE);
	assert_int_equal(family, FAMILY_IPV4);
	assert_memory_equal(address.bytes, "\xc0\x00\x02\x01\0\0\0\0\0\0\0\0\0\0\0\0", 16);
	address_text(family, &address, text);
	assert_string_equal(text, "192.0.2.1");
	assert_int_equal(address_parse("::", &family, &address, NULL), FAULT_NONE);
	assert_int_equal(family, FAMILY_IPV6);
	address_text(family, &address, text);
	assert_string_equal(text, "::");
	assert_int_equal(address_parse("", &family, &address, NULL), FAULT_INVALID);
	assert_int_equal(address_parse("1.2.3.4/32", &family, &address, NULL), FAULT_INVALID);
}

static void
prefix__first_and_last(void **state)
{
	(void)state;
	static const struct {
		const char *prefix, *first, *last;
	} cases[] = {
		{ "0.0.0.0/0", "0.0.0.0", "255.255.255.255" }, { "192.0.2.0/23", "192.0.2.0", "192.0.3.255" },
		{ "192.0.2.8/29", "192.0.2.8", "192.0.2.15" }, { "192.0.2.1/32", "192.0.2.1", "192.0.2.1" },
		{ "::/0", "::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" },
		{ "2001:db8::/33", "2001:db8::", "2001:db8:7fff:ffff:ffff:ffff:ffff:ffff" }, { "::1/128", "::1", "::1" },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct prefix prefix = parsed(cases[i].prefix);
		struct address first = prefix_first(&prefix), last = prefix_last(&prefix);
		char text[ADDRESS_TEXT];
		address_text(prefix.family, &first, text);
		assert_string_equal(text, cases[i].first);
		address_text(prefix.family, &last, text);
		assert_string_equal(text, cases[i].last);
		for (size_t j = family_bytes(prefix.family); j < sizeof last.bytes; j++)
			assert_int_equal(last.bytes[j], 0);
	}
}

static void
prefix__covers_itself_and_what_is_inside(void **state)
{
	(void)state;
	static const struct {
		const char *outer, *inner;
		bool covers;
	} cases[] = {
		{ "0.0.0.0/0", "0.0.0.0/0", true }, { "0.0.0.0/0", "255.255.255.255/32", true },
		{ "192.0.2.0/24", "192.0.2.0/24", true }, { "192.0.2.0/24", "192.0.2.128/25", true },
		{ "192.0.2.0/24", "192.0.2.0/23", false }, { "192.0.2.0/24", "192.0.3.0/24", false },
		{ "192.0.2.0/25", "192.0.2.128/25", false }, { "192.0.2.128/25", "192.0.2.0/24", false },
		{ "::/0", "0.0.0.0/0", false }, { "0.0.0.0/0", "::/0", false }, { "2001:db8::/32", "2001:db8:ffff::/48", true },
		{ "2001:db8::/32", "2001:db9::/48", false }, { "2001:db8::/127", "2001:db8::1/128", true },
		{ "2001:db8::/128", "2001:db8::1/128", false }, { "0.0.0.0/8", "::/16", false },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct prefix outer = parsed(cases[i].outer), inner = parsed(cases[i].inner);
		assert_int_equal(prefix_covers(&outer, &inner), cases[i].covers);
	}
}

/* RFC 9582 §4.3.3 */
static void
prefix__order_is_family_address_length(void **state)
{
	(void)state;
	static const char *const ordered[] = {
		"0.0.0.0/0", "0.0.0.0/1", "9.0.0.0/8", "10.0.0.0/8", "10.0.0.0/24", "10.0.1.0/24", "128.0.0.0/1",
		"255.255.255.255/32", "::/0", "::/128", "::1/128", "2001:db8::/32", "2001:db8::/48", "8000::/1",
	};
	for (size_t i = 0; i < sizeof ordered / sizeof *ordered; i++)
		for (size_t j = 0; j < sizeof ordered / sizeof *ordered; j++) {
			struct prefix a = parsed(ordered[i]), b = parsed(ordered[j]);
			int order = prefix_compare(&a, &b);
			assert_int_equal((order > 0) - (order < 0), (i > j) - (i < j));
		}
}

static void
prefix__as_numbers(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		uint32_t asn;
	} good[] = {
		{ "0", 0 }, { "AS0", 0 }, { "64496", 64496 }, { "AS64496", 64496 }, { "as64496", 64496 }, { "As1", 1 },
		{ "4294967295", ASN_MAX }, { "AS4294967295", ASN_MAX },
	};
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		uint32_t asn = 7;
		assert_int_equal(asn_parse(good[i].text, &asn, NULL), FAULT_NONE);
		assert_int_equal(asn, good[i].asn);
	}
	static const struct {
		const char *text, *words;
	} bad[] = {
		{ "", "no AS number" }, { "AS", "no AS number" }, { "A64496", "no AS number" }, { "ASN64496", "no AS number" },
		{ "AS 64496", "no AS number" }, { " 64496", "no AS number" }, { "64496 ", "no AS number" },
		{ "-1", "no AS number" }, { "+1", "no AS number" }, { "064496", "no AS number" }, { "AS00", "no AS number" },
		{ "4294967296", "from 0 to 4294967295" }, { "18446744073709551617", "no AS number" },
		{ "99999999999999999999999999", "no AS number" }, { "1e3", "no AS number" }, { "0x10", "no AS number" },
		{ "1.10", "with a dot" }, { "AS65535.65535", "with a dot" }, { "ASAS1", "no AS number" },
		{ "64496-64511", "no AS number" },
	};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct fault fault = FAULT_INIT;
		uint32_t asn = 7;
		if (asn_parse(bad[i].text, &asn, &fault) != FAULT_INVALID)
			fail_msg("\"%s\" was taken", bad[i].text);
		assert_non_null(strstr(fault.message, bad[i].words));
		assert_int_equal(asn, 7);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(prefix__text_comes_back_canonical),
		cmocka_unit_test(prefix__bad_text_is_refused_with_its_reason),
		cmocka_unit_test(prefix__addresses_tell_their_family),
		cmocka_unit_test(prefix__first_and_last),
		cmocka_unit_test(prefix__covers_itself_and_what_is_inside),
		cmocka_unit_test(prefix__order_is_family_address_length),
		cmocka_unit_test(prefix__as_numbers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
