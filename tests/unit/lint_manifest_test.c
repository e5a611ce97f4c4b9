#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "ca/lint/lint.h"
#include "tests/support/der_builder.h"
#include "tests/support/lint_fixture.h"

static enum fault_code
look(struct span der, const struct lint_fixture *fixture, struct fault *fault)
{
	(void)fixture;
	struct lint_manifest_wanted wanted = lint_fixture_manifest_wanted();
	return lint_manifest_content(der, &wanted, fault);
}

static enum fault_code
look_at_text(const char *text, const struct lint_manifest_wanted *wanted, struct fault *fault)
{
	struct bytes der = BYTES_INIT;
	der_builder_encode(text, &der);
	enum fault_code code = lint_manifest_content(bytes_span(&der), wanted, fault);
	bytes_clear(&der);
	return code;
}

static void
lint_manifest__takes_a_good_one(void **state)
{
	(void)state;
	struct fault fault = FAULT_INIT;
	struct lint_manifest_wanted wanted = lint_fixture_manifest_wanted();
	char *text = lint_fixture_manifest();
	if (look_at_text(text, &wanted, &fault) != FAULT_NONE)
		fail_msg("%s", fault.message);
	free(text);
}

#define ZEROS "00000000000000000000000000000000000000000000000000000000000"
#define ROA "SEQUENCE { IA5 \"0123456789abcdef.roa\" BITS 0f0" ZEROS "5a/0 }\n"
#define CHILD "SEQUENCE { IA5 \"Child-1_x.cer\" BITS 0e0" ZEROS "5a/0 }\n"
#define CRL "SEQUENCE { IA5 \"issuer.crl\" BITS c50" ZEROS "5c/0 }\n"
#define BAD_NAME "§4.2.2: file isn't a name that may be listed"

static const struct lint_fixture_row rows[] = {
	{ "version 0", "SEQUENCE { INTEGER 7", "SEQUENCE { [0] { INTEGER 0 } INTEGER 7",
		"§4.2.1: version is there, must be left out" },
	{ "version 1", "SEQUENCE { INTEGER 7", "SEQUENCE { [0] { INTEGER 1 } INTEGER 7",
		"§4.2.1: version is there, must be left out" },
	{ "another number", "INTEGER 7", "INTEGER 8", "§4.2.1: manifestNumber isn't the one meant" },
	{ "number negative", "INTEGER 7", "INTEGER 0xf9", "§4.2.1: manifestNumber: is negative" },
	{ "number too long", "INTEGER 7", "INTEGER 0x0007", "§4.2.1: manifestNumber: INTEGER isn't in its shortest form" },
	{ "number of 20 octets", "INTEGER 7", "INTEGER 0x7fffffffffffffffffffffffffffffffffffffff",
		"§4.2.1: manifestNumber: is too large" },
	{ "another thisUpdate", "\"20261123000000Z\"", "\"20261123000001Z\"", "§4.2.1: thisUpdate isn't the one meant" },
	{ "another nextUpdate", "\"20261125000000Z\"", "\"20261124235959Z\"", "§4.2.1: nextUpdate isn't the one meant" },
	{ "UTCTime", "GENERALIZED \"20261123000000Z\"", "UTC \"261123000000Z\"", "§4.2.1: thisUpdate: tag is 17, not 18" },
	{ "fraction of a second", "\"20261123000000Z\"", "\"20261123000000.0Z\"", "§4.2.1: thisUpdate: GeneralizedTime isn't" },
	{ "local time", "\"20261123000000Z\"", "\"20261123000000\"", "§4.2.1: thisUpdate: GeneralizedTime isn't" },
	{ "SHA-1", "OID 2.16.840.1.101.3.4.2.1", "OID 1.3.14.3.2.26", "§4.2.1: fileHashAlg isn't id-sha256" },
	{ "SHA-512", "OID 2.16.840.1.101.3.4.2.1", "OID 2.16.840.1.101.3.4.2.3", "§4.2.1: fileHashAlg isn't id-sha256" },
	{ "AlgorithmIdentifier", "OID 2.16.840.1.101.3.4.2.1", "SEQUENCE { OID 2.16.840.1.101.3.4.2.1 }",
		"§4.2.1: fileHashAlg: tag is 30" },
	{ "something behind the list", "\n} }", "\n} NULL }", "§4.2: Manifest: has something behind" },
	{ "names out of order", ROA CHILD, CHILD ROA, "§4.2.1: fileList isn't each name once in ascending order" },
	{ "a name twice", CHILD CRL, CHILD CHILD CRL, "§4.2.1: fileList isn't each name once in ascending order" },
	{ "a name twice with another hash", "\"Child-1_x.cer\"", "\"0123456789abcdef.roa\"",
		"§4.2.1: fileList isn't each name once" },
	{ "a hash twice", "BITS 0e0", "BITS 0f0", "§4.2.1: fileList has one hash twice" },
	{ "an entry too few", ROA, "", "§4.2.1: fileList has 2 entries where 3 are meant" },
	{ "an entry too many", CRL, CRL "SEQUENCE { IA5 \"z.roa\" BITS ff" ZEROS "000/0 }\n",
		"§4.2.1: fileList has more than the 3 entries" },
	{ "no entries", ROA CHILD CRL, "", "§4.2.1: fileList has 0 entries where 3 are meant" },
	{ "no CRL", "issuer.crl", "issuer.roa", "§4.2.1: fileList has no CRL" },
	{ "another CRL", "issuer.crl", "issuex.crl", "§4.2.1: fileList has another CRL than the CA's" },
	{ "two CRLs", "Child-1_x.cer", "Child-1_x.crl", "§4.2.1: fileList has another CRL than the CA's" },
	{ "two CRLs, the right one first", "\n} }", "SEQUENCE { IA5 \"z.crl\" BITS ff" ZEROS "000/0 }\n} }",
		"§4.2.1: fileList has more than" },
	{ "another hash of the CRL", "BITS c50", "BITS c51", "§4.2.1: fileList has another hash than the CRL's" },
	{ "hash of 160 bits", "BITS 0e0" ZEROS "5a/0", "BITS 0e000000000000000000000000000000000000a5/0",
		"§4.2.1: hash hasn't 256 bits" },
	{ "hash of 255 bits", "BITS 0e0" ZEROS "5a/0", "BITS 0e0" ZEROS "5a/1", "§4.2.1: hash hasn't 256 bits" },
	{ "hash of 264 bits", "BITS 0e0" ZEROS "5a/0", "BITS 0e0" ZEROS "5a5a/0", "§4.2.1: hash hasn't 256 bits" },
	{ "hash as OCTET STRING", "BITS 0e0" ZEROS "5a/0", "OCTETS 0e0" ZEROS "5a", "§4.2.1: hash: tag is 04" },
	{ "no hash", " BITS 0e0" ZEROS "5a/0", "", "§4.2.1: hash: is missing" },
	{ "an entry of three", " BITS 0e0" ZEROS "5a/0", " BITS 0e0" ZEROS "5a/0 NULL",
		"§4.2.1: fileList: has something behind" },
	{ "name of another type", "IA5 \"Child-1_x.cer\"", "UTF8 \"Child-1_x.cer\"", "§4.2.2: file: tag is 0c" },
	{ "a manifest", "Child-1_x.cer", "Child-1_x.mft", BAD_NAME },
	{ "two dots", "Child-1_x.cer", "Child-1.x.cer", BAD_NAME },
	{ "a path", "Child-1_x.cer", "Child/1_x.cer", BAD_NAME },
	{ "a path upwards", "Child-1_x.cer", "../x.cer", BAD_NAME },
	{ "no stem", "Child-1_x.cer", "Child-1_x", BAD_NAME },
	{ "capital extension", "Child-1_x.cer", "Child-1_x.CER", BAD_NAME },
	{ "another extension", "Child-1_x.cer", "Child-1_x.txt", BAD_NAME },
	{ "a space", "Child-1_x.cer", "Child 1_x.cer", BAD_NAME },
	{ "64 characters", "Child-1_x.cer", "Child-1_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx.cer", BAD_NAME },
	{ "a NUL", "IA5 \"Child-1_x.cer\"", "=1606780061 =2e63", BAD_NAME },
};

static void
lint_manifest__refuses_each_broken_rule(void **state)
{
	(void)state;
	char *text = lint_fixture_manifest();
	size_t failures = lint_fixture_failures(text, rows, sizeof rows / sizeof rows[0], look, NULL);
	free(text);
	assert_int_equal(failures, 0);
}

static void
lint_manifest__refuses_stale_and_early_ones(void **state)
{
	(void)state;
	struct fault fault = FAULT_INIT;
	struct lint_manifest_wanted wanted = lint_fixture_manifest_wanted();
	char *text = lint_fixture_manifest();
	wanted.now_at = LINT_FIXTURE_BEFORE - 1;
	assert_true(lint_fixture_refused("early", look_at_text(text, &wanted, &fault), &fault, "§4.2.1: thisUpdate lies ahead"));
	wanted.now_at = LINT_FIXTURE_AFTER;
	assert_true(lint_fixture_refused("stale", look_at_text(text, &wanted, &fault), &fault, "§4.2.1: nextUpdate has passed"));
	wanted = lint_fixture_manifest_wanted();
	wanted.entries = 70001;
	assert_true(lint_fixture_refused("many", look_at_text(text, &wanted, &fault), &fault,
		"§4.2.1: fileList is meant to have more than"));
	wanted.entries = 0;
	assert_true(lint_fixture_refused("none", look_at_text(text, &wanted, &fault), &fault,
		"§4.2.1: fileList has more than the 0 entries"));
	free(text);
}

static void
lint_manifest__refuses_truncation_and_trailing_bytes(void **state)
{
	(void)state;
	struct fault fault = FAULT_INIT;
	struct bytes der = BYTES_INIT;
	char *text = lint_fixture_manifest();
	der_builder_encode(text, &der);
	for (size_t length = 0; length < der.length; length++)
		assert_int_equal(look(SPAN(der.data, length), NULL, &fault), FAULT_LINT);
	assert_int_equal(bytes_append(&der, "", 1, NULL), FAULT_NONE);
	assert_true(lint_fixture_refused("trailing", look(bytes_span(&der), NULL, &fault), &fault,
		"§4.2: Manifest: has something behind"));
	free(text);
	bytes_clear(&der);
}

/* The largest manifest there may be, as validators' limits have it; hashes spread as real ones are. */
static void
lint_manifest__takes_70000_entries(void **state)
{
	(void)state;
	enum { entries = 70000 };
	struct fault fault = FAULT_INIT;
	struct bytes text = BYTES_INIT;
	struct lint_manifest_wanted wanted = lint_fixture_manifest_wanted();
	uint8_t crl_hash[32] = { 0 };
	assert_int_equal(bytes_append_text(&text, "SEQUENCE { INTEGER 7 GENERALIZED \"20261123000000Z\" "
		"GENERALIZED \"20261125000000Z\" OID 2.16.840.1.101.3.4.2.1 SEQUENCE { ", NULL), FAULT_NONE);
	for (unsigned i = 0; i < entries; i++) {
		uint32_t spread = i * UINT32_C(2654435761);
		assert_int_equal(bytes_printf(&text, NULL, "SEQUENCE { IA5 \"%010x.%s\" BITS %08x%08x%048d/0 }\n", i,
			i + 1 < entries ? "roa" : "crl", spread, i, 0), FAULT_NONE);
		for (unsigned octet = 0; octet < 8; octet++)
			crl_hash[octet] = (uint8_t)((octet < 4 ? spread : i) >> (24 - octet % 4 * 8));
	}
	assert_int_equal(bytes_append_text(&text, "} }", NULL), FAULT_NONE);
	wanted.entries = entries;
	wanted.crl_name = "000001116f.crl";
	wanted.crl_hash = crl_hash;
	if (look_at_text(bytes_text(&text), &wanted, &fault) != FAULT_NONE)
		fail_msg("%s", fault.message);
	bytes_clear(&text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lint_manifest__takes_a_good_one),
		cmocka_unit_test(lint_manifest__refuses_each_broken_rule),
		cmocka_unit_test(lint_manifest__refuses_stale_and_early_ones),
		cmocka_unit_test(lint_manifest__refuses_truncation_and_trailing_bytes),
		cmocka_unit_test(lint_manifest__takes_70000_entries),
	};
	return cmocka_run_group_tests_name("lint_manifest", tests, NULL, NULL);
}
