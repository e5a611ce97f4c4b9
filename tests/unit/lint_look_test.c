/* What objects say, by example of real ones; and that nothing but what is asked for is judged. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ca/der/manifest.h"
#include "ca/der/roa.h"
#include "ca/lint/lint_look.h"
#include "tests/support/der_builder.h"
#include "tests/support/sample_ca.h"

static struct sample_ca ca;

static int
setup(void **state)
{
	(void)state;
	sample_ca_init(&ca);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	sample_ca_clear(&ca);
	return 0;
}

static bool
says(struct span span, const char *text)
{
	return span.data != NULL && span_equal(span, SPAN(text, strlen(text)));
}

static void
lint_look__reads_a_certificate(void **state)
{
	AUTO_CLEAR(struct lint_look_certificate, lint_look_certificate_clear) look = LINT_LOOK_CERTIFICATE_INIT;
	AUTO_CLEAR(struct bytes, bytes_clear) der = BYTES_INIT;
	struct certificate_fields fields = sample_ca_fields(&ca, CERTIFICATE_CA, bytes_span(&ca.spki));
	bool verified;
	(void)state;
	sample_ca_certificate(&ca, &fields, &der);
	assert_int_equal(lint_look_certificate(bytes_span(&der), &look, NULL), FAULT_NONE);
	assert_true(says(look.issuer, ca.name));
	assert_true(says(look.subject, "subject"));
	assert_true(says(look.crl_uri, fields.crl_uri));
	assert_true(says(look.issuer_uri, fields.issuer_uri));
	assert_true(says(look.repository_uri, fields.repository_uri));
	assert_true(says(look.manifest_uri, fields.manifest_uri));
	assert_true(says(look.notification_uri, fields.notification_uri));
	assert_null(look.object_uri.data);
	assert_int_equal(look.not_before_at, fields.not_before_at);
	assert_int_equal(look.not_after_at, fields.not_after_at);
	assert_memory_equal(look.key_identifier, ca.identifier, sizeof look.key_identifier);
	assert_true(span_equal(look.authority_key, SPAN(ca.identifier, sizeof ca.identifier)));
	assert_true(resource_set_equal(&look.resources, &ca.resources));
	assert_false(look.inherits_ipv4 || look.inherits_ipv6 || look.inherits_asns);
	assert_int_equal(lint_look_verify(bytes_span(&ca.spki), look.tbs, look.signature, &verified, NULL), FAULT_NONE);
	assert_true(verified);
	der.data[der.length - 1] ^= 1;
	assert_int_equal(lint_look_verify(bytes_span(&ca.spki), look.tbs, look.signature, &verified, NULL), FAULT_NONE);
	assert_false(verified);
}

/* An object whose every octet but one is right is read, or refused: never taken for something longer than it is. */
static void
lint_look__takes_any_octet(void **state)
{
	AUTO_CLEAR(struct bytes, bytes_clear) der = BYTES_INIT;
	struct certificate_fields fields = sample_ca_fields(&ca, CERTIFICATE_CA, bytes_span(&ca.spki));
	size_t refused = 0;
	(void)state;
	sample_ca_certificate(&ca, &fields, &der);
	for (size_t i = 0; i < der.length; i++) {
		AUTO_CLEAR(struct lint_look_certificate, lint_look_certificate_clear) look = LINT_LOOK_CERTIFICATE_INIT;
		struct fault fault = FAULT_INIT;
		der.data[i] ^= 0x40;
		enum fault_code code = lint_look_certificate(bytes_span(&der), &look, &fault);
		assert_true(code == FAULT_NONE || code == FAULT_LINT);
		if (code == FAULT_LINT)
			assert_true(strlen(fault.message) > 10);
		refused += code == FAULT_LINT;
		der.data[i] ^= 0x40;
	}
	assert_true(refused > 200);
	for (size_t length = 0; length < der.length; length++) {
		AUTO_CLEAR(struct lint_look_certificate, lint_look_certificate_clear) look = LINT_LOOK_CERTIFICATE_INIT;
		assert_int_equal(lint_look_certificate(SPAN(der.data, length), &look, NULL), FAULT_LINT);
	}
}

static void
lint_look__reads_a_crl(void **state)
{
	AUTO_CLEAR(struct bytes, bytes_clear) der = BYTES_INIT;
	const struct revocation revocations[] = {
		{ .serial = { .length = 1, .octets = { 5 } }, .revoked_at = SAMPLE_NOW },
		{ .serial = { .length = 2, .octets = { 1, 2 } }, .revoked_at = SAMPLE_NOW - 1 },
	};
	struct crl_fields fields = sample_ca_crl_fields(&ca);
	struct lint_look_crl look;
	struct span serial;
	int64_t revoked_at;
	(void)state;
	fields.revocations = revocations;
	fields.revocations_count = 2;
	sample_ca_crl(&ca, &fields, &der);
	assert_int_equal(lint_look_crl(bytes_span(&der), &look, NULL), FAULT_NONE);
	assert_int_equal(look.number, 1);
	assert_int_equal(look.this_update_at, fields.this_update_at);
	assert_int_equal(look.next_update_at, fields.next_update_at);
	assert_int_equal(look.revocations, 2);
	assert_true(says(look.issuer, ca.name));
	assert_int_equal(lint_look_revocation(&look.entries, &serial, &revoked_at, NULL), FAULT_NONE);
	assert_true(span_equal(serial, SPAN("\x05", 1)));
	assert_int_equal(lint_look_revocation(&look.entries, &serial, &revoked_at, NULL), FAULT_NONE);
	assert_true(span_equal(serial, SPAN("\x01\x02", 2)));
	assert_int_equal(revoked_at, SAMPLE_NOW - 1);
	assert_false(der_reader_more(&look.entries));
	/* None at all. */
	fields.revocations_count = 0;
	bytes_clear(&der);
	sample_ca_crl(&ca, &fields, &der);
	assert_int_equal(lint_look_crl(bytes_span(&der), &look, NULL), FAULT_NONE);
	assert_int_equal(look.revocations, 0);
	assert_false(der_reader_more(&look.entries));
	for (size_t length = 0; length < der.length; length++)
		assert_int_equal(lint_look_crl(SPAN(der.data, length), &look, NULL), FAULT_LINT);
}

static void
lint_look__reads_a_signed_object(void **state)
{
	AUTO_CLEAR(struct bytes, bytes_clear) content = BYTES_INIT;
	AUTO_CLEAR(struct bytes, bytes_clear) der = BYTES_INIT;
	AUTO_CLEAR(struct lint_look_certificate, lint_look_certificate_clear) ee = LINT_LOOK_CERTIFICATE_INIT;
	struct payload payload = { .asn = 64496, .prefix = { .family = FAMILY_IPV4, .length = 8, .address = { { 10 } } }, .max_length = 9 };
	struct lint_look_signed look;
	bool verified;
	(void)state;
	assert_int_equal(roa_encode(&payload, 1, &content, NULL), FAULT_NONE);
	sample_ca_object(&ca, CONTENT_ROA, bytes_span(&content), &ca.resources, &der);
	assert_int_equal(lint_look_signed(bytes_span(&der), &look, NULL), FAULT_NONE);
	assert_true(look.roa && !look.manifest);
	assert_true(span_equal(look.content, bytes_span(&content)));
	assert_int_equal(look.signing_time_at, SAMPLE_NOW);
	assert_int_equal(lint_look_certificate(look.certificate, &ee, NULL), FAULT_NONE);
	assert_int_equal(lint_look_verify_signed(&look, ee.spki, &verified, NULL), FAULT_NONE);
	assert_true(verified);
	assert_int_equal(lint_look_verify_signed(&look, bytes_span(&ca.spki), &verified, NULL), FAULT_NONE);
	assert_false(verified);
	for (size_t length = 0; length < der.length; length++)
		assert_int_equal(lint_look_signed(SPAN(der.data, length), &look, NULL), FAULT_LINT);
}

/* Prefixes in any order, and any length of maxLength: whether that is right is asked elsewhere. */
static void
lint_look__reads_roas_in_any_order(void **state)
{
	AUTO_CLEAR(struct bytes, bytes_clear) content = BYTES_INIT;
	AUTO(struct payload, free) payloads = NULL;
	size_t count = 0;
	(void)state;
	der_builder_encode("SEQUENCE { INTEGER 64496 SEQUENCE { SEQUENCE { OCTETS 0002 SEQUENCE { SEQUENCE { BITS 20010db8/0 } } } "
		"SEQUENCE { OCTETS 0001 SEQUENCE { SEQUENCE { BITS c00002/0 INTEGER 3 } SEQUENCE { BITS 0a/0 } } } } }", &content);
	assert_int_equal(lint_look_roa(bytes_span(&content), &payloads, &count, NULL), FAULT_NONE);
	assert_int_equal(count, 3);
	assert_int_equal(payloads[0].prefix.family, FAMILY_IPV6);
	assert_int_equal(payloads[1].max_length, 3);
	assert_int_equal(payloads[2].max_length, 8);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(payloads[i].asn, 64496);
}

static void
lint_look__refuses_roas_that_can_not_be_read(void **state)
{
	static const char *const wrong[] = {
		"SEQUENCE { }",
		"SEQUENCE { INTEGER 0x80 SEQUENCE { } }",
		"SEQUENCE { INTEGER 4294967296 SEQUENCE { } }",
		"SEQUENCE { [0] { INTEGER 0 } INTEGER 1 SEQUENCE { } }",
		"SEQUENCE { INTEGER 1 SEQUENCE { SEQUENCE { OCTETS 0003 SEQUENCE { } } } }",
		"SEQUENCE { INTEGER 1 SEQUENCE { SEQUENCE { OCTETS 0001 SEQUENCE { SEQUENCE { BITS c000020001/0 } } } } }",
		"SEQUENCE { INTEGER 1 SEQUENCE { SEQUENCE { OCTETS 0001 SEQUENCE { SEQUENCE { BITS c00002/0 INTEGER 33 } } } } }",
	};
	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		AUTO_CLEAR(struct bytes, bytes_clear) content = BYTES_INIT;
		struct payload *payloads = NULL;
		size_t count;
		der_builder_encode(wrong[i], &content);
		assert_int_equal(lint_look_roa(bytes_span(&content), &payloads, &count, NULL), FAULT_LINT);
		assert_null(payloads);
	}
}

static void
lint_look__reads_manifests_whatever_they_list(void **state)
{
	AUTO_CLEAR(struct bytes, bytes_clear) content = BYTES_INIT;
	struct lint_look_manifest look;
	struct span name;
	const uint8_t *hash;
	(void)state;
	der_builder_encode("SEQUENCE { INTEGER 7 GENERALIZED \"20261124000000Z\" GENERALIZED \"20261125000000Z\" "
		"OID 2.16.840.1.101.3.4.2.1 SEQUENCE { "
		"SEQUENCE { IA5 \"z.b.c\" BITS 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff/0 } "
		"SEQUENCE { IA5 \"a\" BITS 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff/0 } "
		"SEQUENCE { IA5 \"b.roa\" BITS 0011/0 } } }", &content);
	assert_int_equal(lint_look_manifest(bytes_span(&content), &look, NULL), FAULT_NONE);
	assert_int_equal(look.number, 7);
	assert_int_equal(look.next_update_at - look.this_update_at, 86400);
	assert_int_equal(lint_look_entry(&look.entries, &name, &hash, NULL), FAULT_NONE);
	assert_true(says(name, "z.b.c"));
	assert_int_equal(hash[31], 0xff);
	assert_int_equal(lint_look_entry(&look.entries, &name, &hash, NULL), FAULT_NONE);
	assert_true(says(name, "a"));
	assert_int_equal(lint_look_entry(&look.entries, &name, &hash, NULL), FAULT_LINT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lint_look__reads_a_certificate),
		cmocka_unit_test(lint_look__takes_any_octet),
		cmocka_unit_test(lint_look__reads_a_crl),
		cmocka_unit_test(lint_look__reads_a_signed_object),
		cmocka_unit_test(lint_look__reads_roas_in_any_order),
		cmocka_unit_test(lint_look__refuses_roas_that_can_not_be_read),
		cmocka_unit_test(lint_look__reads_manifests_whatever_they_list),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
