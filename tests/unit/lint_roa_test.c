#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "ca/lint/lint.h"
#include "tests/support/der_builder.h"
#include "tests/support/lint_fixture.h"

static enum fault_code
look(struct span der, const struct lint_fixture *fixture, struct fault *fault)
{
	return lint_roa_content(der, lint_fixture_payloads, LINT_FIXTURE_PAYLOADS, fixture->wanted.resources, fault);
}

static enum fault_code
look_at_text(const char *text, const struct payload *payloads, size_t count, const struct resource_set *resources,
	struct fault *fault)
{
	struct bytes der = BYTES_INIT;
	der_builder_encode(text, &der);
	enum fault_code code = lint_roa_content(bytes_span(&der), payloads, count, resources, fault);
	bytes_clear(&der);
	return code;
}

#define ONE_FAMILY(family, address) "SEQUENCE { SEQUENCE { OCTETS " family " SEQUENCE { SEQUENCE { " address " } } } }"

static void
lint_roa__takes_good_ones(void **state)
{
	(void)state;
	static const struct payload all = { 0, { FAMILY_IPV6, 0, { { 0 } } }, 128 };
	static const struct payload one = { ASN_MAX, { FAMILY_IPV4, 32, { { 255, 255, 255, 255 } } }, 32 };
	struct lint_fixture fixture, everything;
	struct fault fault = FAULT_INIT;
	lint_fixture_init(&fixture, LINT_FIXTURE_ROA, NULL, NULL);
	lint_fixture_init(&everything, LINT_FIXTURE_TA, NULL, NULL);
	char *text = lint_fixture_roa();
	if (look_at_text(text, lint_fixture_payloads, LINT_FIXTURE_PAYLOADS, fixture.wanted.resources, &fault) != FAULT_NONE)
		fail_msg("%s", fault.message);
	if (look_at_text("SEQUENCE { INTEGER 0 " ONE_FAMILY("0002", "BITS /0 INTEGER 128") " }",
		&all, 1, everything.wanted.resources, &fault) != FAULT_NONE)
		fail_msg("%s", fault.message);
	if (look_at_text("SEQUENCE { INTEGER 4294967295 " ONE_FAMILY("0001", "BITS ffffffff/0") " }",
		&one, 1, everything.wanted.resources, &fault) != FAULT_NONE)
		fail_msg("%s", fault.message);
	free(text);
	lint_fixture_clear(&everything);
	lint_fixture_clear(&fixture);
}

#define FIRST " SEQUENCE { BITS c00002/0 }\n"
#define SECOND " SEQUENCE { BITS c00002/0 INTEGER 26 }\n"
#define THIRD " SEQUENCE { BITS c0000200/7 }\n"
#define FOURTH " SEQUENCE { BITS c0000210/4 }"
#define IPV4 "SEQUENCE { OCTETS 0001 SEQUENCE {\n" FIRST SECOND THIRD FOURTH " } }\n"
#define IPV6 "SEQUENCE { OCTETS 0002 SEQUENCE { SEQUENCE { BITS 20010db80000/0 } } }\n"
#define ORDER "§4.3.3: prefixes aren't each once in canonical order"

static const struct lint_fixture_row rows[] = {
	{ "version 0", "INTEGER 64496", "[0] { INTEGER 0 } INTEGER 64496", "§4.1: version is there, must be left out" },
	{ "version 1", "INTEGER 64496", "[0] { INTEGER 1 } INTEGER 64496", "§4.1: version is there, must be left out" },
	{ "another AS", "INTEGER 64496", "INTEGER 64497", "§4.2: asID isn't the one meant" },
	{ "AS 4294967296", "INTEGER 64496", "INTEGER 4294967296", "§4.2: asID: is too large" },
	{ "AS -1", "INTEGER 64496", "INTEGER 0xff", "§4.2: asID: is negative" },
	{ "AS number too long", "INTEGER 64496", "INTEGER 0x0000fbf0", "§4.2: asID: INTEGER isn't in its shortest form" },
	{ "no families", IPV4 IPV6, "", "RouteOriginAttestation has 0 payloads where 5 are meant" },
	{ "something behind", "\n} }", "\n} NULL }", "RouteOriginAttestation: has something behind" },
	{ "families out of order", IPV4 IPV6, IPV6 IPV4, "§4.3.3: address families aren't each once in canonical order" },
	{ "a family twice", IPV6, "SEQUENCE { OCTETS 0001 SEQUENCE { SEQUENCE { BITS e0/0 } } }\n",
		"§4.3.3: address families aren't each once" },
	{ "a third family", "OCTETS 0002", "OCTETS 0003", "§4.3.1: ROAIPAddressFamily: addressFamily is neither" },
	{ "SAFI", "OCTETS 0001", "OCTETS 000101", "§4.3.1: ROAIPAddressFamily: addressFamily isn't two octets" },
	{ "an empty family", "SEQUENCE { SEQUENCE { BITS 20010db80000/0 } }", "SEQUENCE { }",
		"§4.3.1: ROAIPAddressFamily is empty" },
	{ "something behind a family", "{ BITS 20010db80000/0 } }", "{ BITS 20010db80000/0 } } NULL",
		"§4.3.1: ROAIPAddressFamily: has something behind" },
	{ "addresses out of order", THIRD FOURTH, FOURTH "\n" THIRD, ORDER },
	{ "lengths out of order", SECOND THIRD, THIRD SECOND, ORDER },
	{ "maxLengths out of order", FIRST SECOND, SECOND FIRST, ORDER },
	{ "a prefix twice", FIRST, FIRST FIRST, ORDER },
	{ "a prefix and its maxLength twice", SECOND, SECOND SECOND, ORDER },
	{ "a prefix too few", THIRD, "", "RouteOriginAttestation has 4 payloads where 5 are meant" },
	{ "a prefix too many", FOURTH, FOURTH " SEQUENCE { BITS c0000220/4 }",
		"RouteOriginAttestation has more than the 5 payloads meant" },
	{ "another prefix", "BITS c0000210/4", "BITS c0000220/4", "§4.3: ipAddrBlocks isn't the prefixes meant" },
	{ "another length", "BITS c0000210/4", "BITS c0000210/3", "§4.3: ipAddrBlocks isn't the prefixes meant" },
	{ "another maxLength", "INTEGER 26", "INTEGER 27", "§4.3: ipAddrBlocks isn't the prefixes meant" },
	{ "maxLength too much", THIRD, " SEQUENCE { BITS c0000200/7 INTEGER 26 }\n",
		"§4.3: ipAddrBlocks isn't the prefixes meant" },
	{ "maxLength equal", THIRD, " SEQUENCE { BITS c0000200/7 INTEGER 25 }\n",
		"§4.3.2.2: maxLength isn't above the prefix length" },
	{ "maxLength below", "INTEGER 26", "INTEGER 23", "§4.3.2.2: maxLength isn't above the prefix length" },
	{ "maxLength 33", "INTEGER 26", "INTEGER 33", "§4.3.2.2: maxLength: is too large" },
	{ "maxLength negative", "INTEGER 26", "INTEGER 0x9a", "§4.3.2.2: maxLength: is negative" },
	{ "maxLength too long", "INTEGER 26", "INTEGER 0x001a", "§4.3.2.2: maxLength: INTEGER isn't in its shortest form" },
	{ "maxLength 129", "BITS 20010db80000/0", "BITS 20010db80000/0 INTEGER 129", "§4.3.2.2: maxLength: is too large" },
	{ "something behind maxLength", "INTEGER 26", "INTEGER 26 NULL", "§4.3.2: ROAIPAddress: has something behind" },
	{ "33 bits", "BITS c0000210/4", "BITS c000021000/7", "§4.3.2.1: address: more bits than an address has" },
	{ "129 bits", "BITS 20010db80000/0", "BITS 20010db80000000000000000000000000000/7",
		"§4.3.2.1: address: more bits than an address" },
	{ "bits behind a prefix", "BITS c0000210/4", "BITS c0000211/4",
		"§4.3.2.1: address: unused bits of BIT STRING aren't zero" },
	{ "a range", "BITS c0000210/4", "SEQUENCE { BITS c0000210/4 BITS c0000220/4 }", "§4.3.2.1: address: tag is 30" },
	{ "IPv4 in IPv6 dress", "BITS 20010db80000/0", "BITS 00000000000000000000ffffc00002/0",
		"§4.3.1: an IPv4 prefix stands there as" },
	{ "all IPv4 in IPv6 dress", "BITS 20010db80000/0", "BITS 00000000000000000000ffff/0",
		"§4.3.1: an IPv4 prefix stands there as" },
};

static void
lint_roa__refuses_each_broken_rule(void **state)
{
	(void)state;
	struct lint_fixture fixture;
	lint_fixture_init(&fixture, LINT_FIXTURE_ROA, NULL, NULL);
	char *text = lint_fixture_roa();
	size_t failures = lint_fixture_failures(text, rows, sizeof rows / sizeof rows[0], look, &fixture);
	free(text);
	lint_fixture_clear(&fixture);
	assert_int_equal(failures, 0);
}

static void
lint_roa__refuses_other_payloads(void **state)
{
	(void)state;
	struct lint_fixture fixture;
	struct fault fault = FAULT_INIT;
	struct payload payloads[LINT_FIXTURE_PAYLOADS + 1];
	lint_fixture_init(&fixture, LINT_FIXTURE_ROA, NULL, NULL);
	const struct resource_set *resources = fixture.wanted.resources;
	char *text = lint_fixture_roa();
	memcpy(payloads, lint_fixture_payloads, sizeof lint_fixture_payloads);
	payloads[LINT_FIXTURE_PAYLOADS] = payloads[0];
	enum fault_code code = look_at_text(text, payloads, 0, resources, &fault);
	assert_true(lint_fixture_refused("none", code, &fault, "RFC 9582 §4.3: a ROA without a prefix"));
	code = look_at_text(text, payloads, LINT_FIXTURE_PAYLOADS - 1, resources, &fault);
	assert_true(lint_fixture_refused("one less", code, &fault, "has more than the 4 payloads meant"));
	code = look_at_text(text, payloads, LINT_FIXTURE_PAYLOADS + 1, resources, &fault);
	assert_true(lint_fixture_refused("one twice", code, &fault, "has 5 payloads where 6 are meant"));
	for (size_t i = 0; i < LINT_FIXTURE_PAYLOADS; i++) {
		payloads[i].asn++;
		code = look_at_text(text, payloads, LINT_FIXTURE_PAYLOADS, resources, &fault);
		assert_true(lint_fixture_refused("another AS", code, &fault, "§4.2: asID isn't the one meant"));
		payloads[i].asn--;
	}
	static const struct payload many[1001];
	code = look_at_text(text, many, 1001, resources, &fault);
	assert_true(lint_fixture_refused("many", code, &fault, "§4.3: a ROA with more than our limit of 1000 prefixes"));
	free(text);
	lint_fixture_clear(&fixture);
}

static void
lint_roa__refuses_prefixes_that_are_not_held(void **state)
{
	(void)state;
	static const char *const held[] = { "192.0.2.0-192.0.2.254", "192.0.2.1-192.0.2.255", "192.0.2.16/28", "10.0.0.0/8" };
	struct lint_fixture fixture;
	struct fault fault = FAULT_INIT;
	char *text = lint_fixture_roa();
	lint_fixture_init(&fixture, LINT_FIXTURE_ROA, NULL, NULL);
	for (size_t i = 0; i < sizeof held / sizeof held[0]; i++) {
		struct resource_set resources = RESOURCE_SET_INIT;
		assert_int_equal(resource_set_parse_addresses(&resources, FAMILY_IPV6, "2001:db8::/48", NULL), FAULT_NONE);
		assert_int_equal(resource_set_parse_addresses(&resources, FAMILY_IPV4, held[i], NULL), FAULT_NONE);
		assert_int_equal(resource_set_normalise(&resources, NULL), FAULT_NONE);
		enum fault_code code = look_at_text(text, lint_fixture_payloads, LINT_FIXTURE_PAYLOADS, &resources, &fault);
		assert_true(lint_fixture_refused(held[i], code, &fault, "RFC 9582 §5: a prefix isn't all the CA's"));
		resource_set_clear(&resources);
	}
	free(text);
	lint_fixture_clear(&fixture);
}

static void
lint_roa__refuses_truncation_and_trailing_bytes(void **state)
{
	(void)state;
	struct lint_fixture fixture;
	struct fault fault = FAULT_INIT;
	struct bytes der = BYTES_INIT;
	lint_fixture_init(&fixture, LINT_FIXTURE_ROA, NULL, NULL);
	char *text = lint_fixture_roa();
	der_builder_encode(text, &der);
	for (size_t length = 0; length < der.length; length++)
		assert_int_equal(look(SPAN(der.data, length), &fixture, &fault), FAULT_LINT);
	assert_int_equal(bytes_append(&der, "", 1, NULL), FAULT_NONE);
	assert_true(lint_fixture_refused("trailing", look(bytes_span(&der), &fixture, &fault), &fault, "has something behind"));
	for (size_t i = 0; i + 1 < der.length; i++) {
		der.data[i] ^= 1;
		assert_int_equal(look(SPAN(der.data, der.length - 1), &fixture, &fault), FAULT_LINT);
		der.data[i] ^= 1;
	}
	free(text);
	bytes_clear(&der);
	lint_fixture_clear(&fixture);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lint_roa__takes_good_ones),
		cmocka_unit_test(lint_roa__refuses_each_broken_rule),
		cmocka_unit_test(lint_roa__refuses_other_payloads),
		cmocka_unit_test(lint_roa__refuses_prefixes_that_are_not_held),
		cmocka_unit_test(lint_roa__refuses_truncation_and_trailing_bytes),
	};
	return cmocka_run_group_tests_name("lint_roa", tests, NULL, NULL);
}
