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
	struct lint_crl_wanted wanted = lint_fixture_crl_wanted();
	return lint_crl_tbs(der, &fixture->issuer, &wanted, fault);
}

static enum fault_code
look_at_text(const char *text, const struct lint_fixture *fixture, const struct lint_crl_wanted *wanted, struct fault *fault)
{
	struct bytes der = BYTES_INIT;
	der_builder_encode(text, &der);
	enum fault_code code = lint_crl_tbs(bytes_span(&der), &fixture->issuer, wanted, fault);
	bytes_clear(&der);
	return code;
}

#define ENTRIES \
	"SEQUENCE { SEQUENCE { INTEGER 0x7f01 UTC \"261122000000Z\" }\n SEQUENCE { INTEGER 0x00ff01 UTC \"261123000000Z\" } }\n"

static void
lint_crl__takes_good_ones(void **state)
{
	(void)state;
	struct lint_fixture fixture;
	struct fault fault = FAULT_INIT;
	struct lint_crl_wanted wanted = lint_fixture_crl_wanted();
	lint_fixture_init(&fixture, LINT_FIXTURE_CA, NULL, NULL);
	char *text = lint_fixture_crl(&fixture);
	if (look_at_text(text, &fixture, &wanted, &fault) != FAULT_NONE)
		fail_msg("%s", fault.message);
	char *empty = der_builder_edit(text, ENTRIES, "");
	wanted.revocations = 0;
	if (look_at_text(empty, &fixture, &wanted, &fault) != FAULT_NONE)
		fail_msg("%s", fault.message);
	char *late = der_builder_edit(empty, "UTC \"261125000000Z\"", "GENERALIZED \"20500101000000Z\"");
	wanted.next_update_at = INT64_C(2524608000);
	if (look_at_text(late, &fixture, &wanted, &fault) != FAULT_NONE)
		fail_msg("%s", fault.message);
	free(late);
	free(empty);
	free(text);
	lint_fixture_clear(&fixture);
}

#define NUMBER "SEQUENCE { OID 2.5.29.20 OCTETS { INTEGER 5 } }"
#define AUTHORITY "SEQUENCE { OID 2.5.29.35 OCTETS {"

static const struct lint_fixture_row rows[] = {
	{ "v1", "SEQUENCE { INTEGER 1\n", "SEQUENCE { INTEGER 0\n", "§5: version isn't v2" },
	{ "no version", "SEQUENCE { INTEGER 1\n", "SEQUENCE {\n", "§5: version: tag is 30" },
	{ "SHA-1", "1.1.11 NULL", "1.1.5 NULL", "§5: signature isn't sha256WithRSAEncryption" },
	{ "no parameters", "1.1.11 NULL", "1.1.11", "§5: signature: is missing" },
	{ "another issuer", "\" } } }\nUTC", "0\" } } }\nUTC", "§5: issuer isn't the issuer's name" },
	{ "issuer is UTF8String", "PRINTABLE", "UTF8", "§5: issuer: tag is 0c" },
	{ "another thisUpdate", "UTC \"261123000000Z\" UTC", "UTC \"261123000001Z\" UTC", "§5: thisUpdate isn't the one meant" },
	{ "another nextUpdate", "UTC \"261125000000Z\"", "UTC \"261125000001Z\"", "§5: nextUpdate isn't the one meant" },
	{ "thisUpdate as GeneralizedTime", "UTC \"261123000000Z\" UTC", "GENERALIZED \"20261123000000Z\" UTC",
		"§5: thisUpdate: is a GeneralizedTime before 2050" },
	{ "no nextUpdate", " UTC \"261125000000Z\"", "", "§5: nextUpdate: tag is 30" },
	{ "an empty list", ENTRIES, "SEQUENCE { }\n", "RFC 5280 §5.1.2.6: revokedCertificates is there but empty" },
	{ "no list", ENTRIES, "", "§5: revokedCertificates has 0 entries where 2 are meant" },
	{ "an entry too many", "SEQUENCE { SEQUENCE { INTEGER 0x7f01", "SEQUENCE { SEQUENCE { INTEGER 1 UTC \"261122000000Z\" } "
		"SEQUENCE { INTEGER 0x7f01", "§5: revokedCertificates has 3 entries where 2 are meant" },
	{ "out of order", "INTEGER 0x7f01", "INTEGER 0x00ff02",
		"§5: revokedCertificates isn't each serial number once in ascending order" },
	{ "out of order by length", "INTEGER 0x7f01", "INTEGER 0x010000",
		"§5: revokedCertificates isn't each serial number once" },
	{ "a serial number twice", "INTEGER 0x7f01", "INTEGER 0x00ff01",
		"§5: revokedCertificates isn't each serial number once" },
	{ "serial 0", "INTEGER 0x7f01", "INTEGER 0", "§5: userCertificate isn't positive" },
	{ "serial negative", "INTEGER 0x7f01", "INTEGER 0x8f01", "§5: userCertificate isn't positive" },
	{ "serial of 21 octets", "INTEGER 0x00ff01", "INTEGER 0x01000000000000000000000000000000000000000f",
		"§5: userCertificate has more than" },
	{ "serial too long", "INTEGER 0x7f01", "INTEGER 0x007f01", "§5: userCertificate: INTEGER isn't in its shortest form" },
	{ "revoked later", "UTC \"261122000000Z\"", "UTC \"261123000001Z\"", "§5: revocationDate lies behind thisUpdate" },
	{ "revoked as GeneralizedTime", "UTC \"261122000000Z\"", "GENERALIZED \"20261122000000Z\"",
		"§5: revocationDate: is a Generalized" },
	{ "reason code", "UTC \"261122000000Z\" }",
		"UTC \"261122000000Z\" SEQUENCE { SEQUENCE { OID 2.5.29.21 OCTETS { =0a0101 } } } }",
		"§5: an entry has extensions" },
	{ "another number", NUMBER, "SEQUENCE { OID 2.5.29.20 OCTETS { INTEGER 6 } }", "§5: CRLNumber isn't the one meant" },
	{ "number negative", NUMBER, "SEQUENCE { OID 2.5.29.20 OCTETS { INTEGER 0xff } }", "§5: CRLNumber: is negative" },
	{ "number too long", NUMBER, "SEQUENCE { OID 2.5.29.20 OCTETS { INTEGER 0x0005 } }",
		"§5: CRLNumber: INTEGER isn't in its shortest" },
	{ "number critical", NUMBER, "SEQUENCE { OID 2.5.29.20 BOOLEAN ff OCTETS { INTEGER 5 } }",
		"§5: CRLNumber must not be critical" },
	{ "number twice", NUMBER, NUMBER NUMBER, "§5: CRLNumber is there twice" },
	{ "no number", NUMBER, "", "§5: CRLNumber is missing in a CRL" },
	{ "another key", AUTHORITY " SEQUENCE { [0] ", AUTHORITY " SEQUENCE { [0] 00",
		"§4.8.3: AuthorityKeyIdentifier isn't the issuer's" },
	{ "key critical", AUTHORITY, "SEQUENCE { OID 2.5.29.35 BOOLEAN ff OCTETS {",
		"§4.8.3: AuthorityKeyIdentifier must not be critical" },
	{ "key and issuer", " } } }\nSEQUENCE { OID 2.5.29.20", " [2] 01 } } }\nSEQUENCE { OID 2.5.29.20",
		"§4.8.3: AuthorityKeyIdentifier has more than keyIdentifier" },
	{ "delta CRL", NUMBER, NUMBER "SEQUENCE { OID 2.5.29.27 BOOLEAN ff OCTETS { INTEGER 1 } }",
		"§4.8: an extension that the profile" },
	{ "issuingDistributionPoint", NUMBER, NUMBER "SEQUENCE { OID 2.5.29.28 BOOLEAN ff OCTETS { SEQUENCE { } } }",
		"§4.8: an extension that the profile" },
	{ "a certificate's extension", NUMBER, NUMBER "SEQUENCE { OID 2.5.29.14 OCTETS { OCTETS 00 } }",
		"§4.8.2: SubjectKeyIdentifier must not be in a CRL" },
	{ "no extensions' tag", "[0] { SEQUENCE {", "[1] { SEQUENCE {", "§5: crlExtensions: tag is a1" },
};

static void
lint_crl__refuses_each_broken_rule(void **state)
{
	(void)state;
	struct lint_fixture fixture;
	lint_fixture_init(&fixture, LINT_FIXTURE_CA, NULL, NULL);
	char *text = lint_fixture_crl(&fixture);
	size_t failures = lint_fixture_failures(text, rows, sizeof rows / sizeof rows[0], look, &fixture);
	free(text);
	lint_fixture_clear(&fixture);
	assert_int_equal(failures, 0);
}

static void
lint_crl__refuses_stale_and_early_ones(void **state)
{
	(void)state;
	struct lint_fixture fixture;
	struct fault fault = FAULT_INIT;
	struct lint_crl_wanted wanted = lint_fixture_crl_wanted();
	lint_fixture_init(&fixture, LINT_FIXTURE_CA, NULL, NULL);
	char *text = lint_fixture_crl(&fixture);
	wanted.now_at = LINT_FIXTURE_BEFORE - 1;
	assert_true(lint_fixture_refused("early", look_at_text(text, &fixture, &wanted, &fault), &fault,
		"§5: thisUpdate lies ahead"));
	wanted.now_at = LINT_FIXTURE_BEFORE;
	assert_int_equal(look_at_text(text, &fixture, &wanted, &fault), FAULT_NONE);
	wanted.now_at = LINT_FIXTURE_AFTER;
	assert_true(lint_fixture_refused("stale", look_at_text(text, &fixture, &wanted, &fault), &fault,
		"§5: nextUpdate has passed"));
	fixture.issuer.key_identifier[0] ^= 1;
	assert_true(lint_fixture_refused("key", look_at_text(text, &fixture, &wanted, &fault), &fault,
		"§4.8.3: the issuer's key identifier"));
	free(text);
	lint_fixture_clear(&fixture);
}

static void
lint_crl__refuses_truncation_and_trailing_bytes(void **state)
{
	(void)state;
	struct lint_fixture fixture;
	struct fault fault = FAULT_INIT;
	struct bytes der = BYTES_INIT;
	lint_fixture_init(&fixture, LINT_FIXTURE_CA, NULL, NULL);
	char *text = lint_fixture_crl(&fixture);
	der_builder_encode(text, &der);
	for (size_t length = 0; length < der.length; length++)
		assert_int_equal(look(SPAN(der.data, length), &fixture, &fault), FAULT_LINT);
	assert_int_equal(bytes_append(&der, "", 1, NULL), FAULT_NONE);
	assert_true(lint_fixture_refused("trailing", look(bytes_span(&der), &fixture, &fault), &fault,
		"TBSCertList: has something behind"));
	free(text);
	bytes_clear(&der);
	lint_fixture_clear(&fixture);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lint_crl__takes_good_ones),
		cmocka_unit_test(lint_crl__refuses_each_broken_rule),
		cmocka_unit_test(lint_crl__refuses_stale_and_early_ones),
		cmocka_unit_test(lint_crl__refuses_truncation_and_trailing_bytes),
	};
	return cmocka_run_group_tests_name("lint_crl", tests, NULL, NULL);
}
