#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

#include "ca/base/atomic_file.h"
#include "ca/der/crl.h"
#include "tests/support/der_builder.h"
#include "tests/support/lint_fixture.h"
#include "tests/support/sample_ca.h"

SCOPED(X509_CRL, X509_CRL_free)
SCOPED(EVP_PKEY, EVP_PKEY_free)

static struct sample_ca sample;

static int
setup(void **state)
{
	(void)state;
	sample_ca_init(&sample);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	sample_ca_clear(&sample);
	return 0;
}

/* The two entries of lint_fixture's CRL, the wrong way round. */
static const struct revocation two_revocations[] = {
	{ .serial = { .length = 2, .octets = { 0xff, 0x01 } }, .revoked_at = LINT_FIXTURE_BEFORE },
	{ .serial = { .length = 2, .octets = { 0x7f, 0x01 } }, .revoked_at = LINT_FIXTURE_BEFORE - 86400 },
};

static struct crl_fields
fields_of(const struct lint_fixture *fixture)
{
	struct crl_fields fields = {
		.issuer = fixture->issuer.name,
		.number = 5,
		.this_update_at = LINT_FIXTURE_BEFORE,
		.next_update_at = LINT_FIXTURE_AFTER,
		.revocations = two_revocations,
		.revocations_count = 2,
	};
	memcpy(fields.authority_key, fixture->issuer.key_identifier, KEY_IDENTIFIER_SIZE);
	return fields;
}

static void
wrap(const char *tbs_text, struct bytes *der)
{
	static const uint8_t signature[RSA_SIGNATURE_SIZE] = { 1 };
	AUTO_CLEAR(struct bytes, bytes_clear) tbs = BYTES_INIT;
	der_builder_encode(tbs_text, &tbs);
	AUTO(char, free) text = lint_fixture_envelope(bytes_span(&tbs), SPAN(signature, sizeof signature));
	der_builder_encode(text, der);
}

static void
crl__encodes_as_written_by_hand(void **state)
{
	(void)state;
	AUTO_CLEAR(struct lint_fixture, lint_fixture_clear) fixture;
	AUTO_CLEAR(struct bytes, bytes_clear) by_hand = BYTES_INIT;
	AUTO_CLEAR(struct bytes, bytes_clear) golden = BYTES_INIT;
	AUTO_CLEAR(struct bytes, bytes_clear) encoded = BYTES_INIT;
	lint_fixture_init(&fixture, LINT_FIXTURE_CA, NULL, NULL);
	AUTO(char, free) text = lint_fixture_crl(&fixture);
	der_builder_encode(text, &by_hand);
	struct crl_fields fields = fields_of(&fixture);
	assert_int_equal(crl_encode_tbs(&fields, &encoded, NULL), FAULT_NONE);
	assert_true(span_equal(bytes_span(&encoded), bytes_span(&by_hand)));
	assert_int_equal(atomic_file_read(AT_FDCWD, "tests/vectors/der/crl_tbs.der", 65536, &golden, NULL), FAULT_NONE);
	assert_true(span_equal(bytes_span(&encoded), bytes_span(&golden)));
}

static void
crl__decodes_to_its_fields(void **state)
{
	(void)state;
	AUTO_CLEAR(struct lint_fixture, lint_fixture_clear) fixture;
	AUTO_CLEAR(struct bytes, bytes_clear) der = BYTES_INIT;
	AUTO_CLEAR(struct crl, crl_clear) crl = CRL_INIT;
	lint_fixture_init(&fixture, LINT_FIXTURE_CA, NULL, NULL);
	AUTO(char, free) text = lint_fixture_crl(&fixture);
	wrap(text, &der);
	assert_int_equal(crl_decode(bytes_span(&der), &crl, NULL), FAULT_NONE);
	assert_string_equal(crl.issuer, fixture.issuer.name);
	assert_memory_equal(crl.authority_key, fixture.issuer.key_identifier, KEY_IDENTIFIER_SIZE);
	assert_int_equal(crl.number, 5);
	assert_int_equal(crl.this_update_at, LINT_FIXTURE_BEFORE);
	assert_int_equal(crl.next_update_at, LINT_FIXTURE_AFTER);
	assert_int_equal(crl.revocations_count, 2);
	assert_memory_equal(&crl.revocations[0].serial, &two_revocations[1].serial, sizeof crl.revocations[0].serial);
	assert_memory_equal(&crl.revocations[1].serial, &two_revocations[0].serial, sizeof crl.revocations[0].serial);
	assert_int_equal(crl.revocations[0].revoked_at, LINT_FIXTURE_BEFORE - 86400);
	assert_int_equal(crl.revocations[1].revoked_at, LINT_FIXTURE_BEFORE);
}

static void
crl__openssl_takes_what_we_sign(void **state)
{
	(void)state;
	AUTO_CLEAR(struct bytes, bytes_clear) der = BYTES_INIT;
	struct revocation revocations[300];
	for (size_t i = 0; i < 300; i++)
		revocations[i] = (struct revocation){
			.serial = { .length = SERIAL_SIZE, .octets = { 0x40, (uint8_t)(i * 7), (uint8_t)(i >> 8) } },
			.revoked_at = SAMPLE_NOW - (int64_t)i,
		};
	struct crl_fields fields = sample_ca_crl_fields(&sample);
	fields.number = UINT64_MAX;
	fields.revocations = revocations;
	fields.revocations_count = 300;
	sample_ca_crl(&sample, &fields, &der);
	const unsigned char *at = der.data, *key_at = sample.spki.data;
	AUTO(X509_CRL, X509_CRL_free) crl = d2i_X509_CRL(NULL, &at, (long)der.length);
	AUTO(EVP_PKEY, EVP_PKEY_free) key = d2i_PUBKEY(NULL, &key_at, (long)sample.spki.length);
	assert_non_null(crl);
	assert_int_equal(X509_CRL_verify(crl, key), 1);
	assert_int_equal(X509_CRL_get_version(crl), 1);
	assert_int_equal(sk_X509_REVOKED_num(X509_CRL_get_REVOKED(crl)), 300);
	AUTO_CLEAR(struct crl, crl_clear) decoded = CRL_INIT;
	assert_int_equal(crl_decode(bytes_span(&der), &decoded, NULL), FAULT_NONE);
	assert_int_equal(decoded.revocations_count, 300);
	assert_true(decoded.number == UINT64_MAX);
}

static void
crl__empty_has_no_list(void **state)
{
	(void)state;
	AUTO_CLEAR(struct bytes, bytes_clear) der = BYTES_INIT;
	AUTO_CLEAR(struct crl, crl_clear) decoded = CRL_INIT;
	struct crl_fields fields = sample_ca_crl_fields(&sample);
	sample_ca_crl(&sample, &fields, &der);
	const unsigned char *at = der.data;
	AUTO(X509_CRL, X509_CRL_free) crl = d2i_X509_CRL(NULL, &at, (long)der.length);
	assert_null(X509_CRL_get_REVOKED(crl));
	assert_int_equal(crl_decode(bytes_span(&der), &decoded, NULL), FAULT_NONE);
	assert_int_equal(decoded.revocations_count, 0);
}

static void
crl__largest(void **state)
{
	(void)state;
	AUTO_CLEAR(struct bytes, bytes_clear) der = BYTES_INIT;
	AUTO_CLEAR(struct crl, crl_clear) decoded = CRL_INIT;
	AUTO(struct revocation, free) revocations = calloc(CRL_REVOCATIONS_MAX + 1, sizeof *revocations);
	for (size_t i = 0; i <= CRL_REVOCATIONS_MAX; i++)
		revocations[i] = (struct revocation){ .serial = { .length = SERIAL_SIZE,
			.octets = { 0x40, (uint8_t)i, (uint8_t)(i >> 8), (uint8_t)(i >> 16) } }, .revoked_at = SAMPLE_NOW };
	struct crl_fields fields = sample_ca_crl_fields(&sample);
	fields.revocations = revocations;
	fields.revocations_count = CRL_REVOCATIONS_MAX;
	sample_ca_crl(&sample, &fields, &der);
	assert_true(der.length <= CERTIFICATE_SIZE_MAX);
	assert_int_equal(crl_decode(bytes_span(&der), &decoded, NULL), FAULT_NONE);
	assert_int_equal(decoded.revocations_count, CRL_REVOCATIONS_MAX);
	fields.revocations_count++;
	assert_int_equal(crl_encode_tbs(&fields, &der, NULL), FAULT_TOO_LARGE);
}

static void
crl__refuses_fields_that_make_no_crl(void **state)
{
	(void)state;
	struct revocation twice[] = { two_revocations[0], two_revocations[1], two_revocations[0] };
	struct revocation late = { .serial = { .length = 1, .octets = { 1 } }, .revoked_at = SAMPLE_NOW + 1 };
	struct revocation no_serial = { .serial = { .length = 0 }, .revoked_at = SAMPLE_NOW };
	struct crl_fields good = sample_ca_crl_fields(&sample), bad[16];
	size_t count = 0;
#define BAD(...) do { bad[count] = good; bad[count].__VA_ARGS__; count++; } while (0)
	BAD(issuer = NULL);
	BAD(issuer = "");
	BAD(issuer = "a_b");
	BAD(next_update_at = good.this_update_at);
	BAD(this_update_at = good.next_update_at + 1);
	BAD(this_update_at = -1);
	BAD(next_update_at = INT64_C(253402300800));
#undef BAD
	bad[count] = good;
	bad[count].revocations = twice;
	bad[count++].revocations_count = 3;
	bad[count] = good;
	bad[count].revocations = &late;
	bad[count++].revocations_count = 1;
	bad[count] = good;
	bad[count].revocations = &no_serial;
	bad[count++].revocations_count = 1;
	for (size_t i = 0; i < count; i++) {
		AUTO_CLEAR(struct bytes, bytes_clear) tbs = BYTES_INIT;
		assert_int_equal(crl_encode_tbs(&bad[i], &tbs, NULL), FAULT_INVALID);
		assert_null(tbs.data);
	}
}

static const struct {
	const char *from, *to;
} broken[] = {
	{ "INTEGER 1\n", "" },
	{ "INTEGER 1\n", "INTEGER 0\n" },
	{ "INTEGER 1\n", "INTEGER 2\n" },
	{ "OID 1.2.840.113549.1.1.11 NULL", "OID 1.2.840.113549.1.1.11" },
	{ "OID 1.2.840.113549.1.1.11 NULL", "OID 1.2.840.113549.1.1.5 NULL" },
	{ "OID 2.5.4.3 PRINTABLE", "OID 2.5.4.3 UTF8" },
	{ "UTC \"261125000000Z\"\n", "" },
	{ "UTC \"261125000000Z\"\n", "UTC \"261123000000Z\"\n" },
	{ "UTC \"261125000000Z\"\n", "GENERALIZED \"20261125000000Z\"\n" },
	{ "UTC \"261125000000Z\"\n", "UTC \"261325000000Z\"\n" },
	{ "SEQUENCE { SEQUENCE { INTEGER 0x7f01 UTC \"261122000000Z\" }\n SEQUENCE { INTEGER 0x00ff01 "
		"UTC \"261123000000Z\" } }\n", "SEQUENCE { }\n" },
	{ "INTEGER 0x7f01 UTC \"261122000000Z\"",
		"INTEGER 0x7f01 UTC \"261122000000Z\" SEQUENCE { SEQUENCE { OID 2.5.29.21 OCTETS { =0a0101 } } }" },
	{ "INTEGER 0x7f01 UTC", "INTEGER 0x00ff01 UTC" },
	{ "INTEGER 0x7f01 UTC", "INTEGER 0xff01 UTC" },
	{ "INTEGER 0x7f01 UTC", "INTEGER 0 UTC" },
	{ "INTEGER 0x7f01 UTC", "=0203007f01 UTC" },
	{ "INTEGER 0x7f01 UTC", "INTEGER 0x00ffffffffffffffffffffffffffffffffffffffff UTC" },
	{ "UTC \"261122000000Z\"", "UTC \"261123000001Z\"" },
	{ "SEQUENCE { OID 2.5.29.20 OCTETS { INTEGER 5 } }\n", "" },
	{ "OID 2.5.29.20 OCTETS", "OID 2.5.29.20 BOOLEAN ff OCTETS" },
	{ "OID 2.5.29.20 OCTETS", "OID 2.5.29.20 BOOLEAN 00 OCTETS" },
	{ "OCTETS { INTEGER 5 }", "OCTETS { INTEGER 5 NULL }" },
	{ "OCTETS { INTEGER 5 }", "OCTETS { INTEGER 0xff }" },
	{ "OCTETS { INTEGER 5 }", "OCTETS { =02020005 }" },
	{ "OCTETS { INTEGER 5 }", "OCTETS { INTEGER 0x010000000000000000 }" },
	{ "OCTETS { INTEGER 5 } }\n", "OCTETS { INTEGER 5 } }\nSEQUENCE { OID 2.5.29.20 OCTETS { INTEGER 5 } }\n" },
	{ "OCTETS { INTEGER 5 } }\n", "OCTETS { INTEGER 5 } }\nSEQUENCE { OID 2.5.29.28 OCTETS { SEQUENCE { } } }\n" },
	{ "SEQUENCE { OID 2.5.29.35 OCTETS { SEQUENCE { [0] ", "SEQUENCE { OID 2.5.29.35 OCTETS { SEQUENCE { [2] 01 [0] " },
	{ "OID 2.5.29.35 OCTETS", "OID 2.5.29.14 OCTETS" },
	{ "[0] { SEQUENCE {\nSEQUENCE { OID 2.5.29.35", "[1] { SEQUENCE {\nSEQUENCE { OID 2.5.29.35" },
};

static void
crl__decoder_refuses_each_broken_rule(void **state)
{
	(void)state;
	size_t taken = 0;
	AUTO_CLEAR(struct lint_fixture, lint_fixture_clear) fixture;
	lint_fixture_init(&fixture, LINT_FIXTURE_CA, NULL, NULL);
	AUTO(char, free) text = lint_fixture_crl(&fixture);
	for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++) {
		AUTO_CLEAR(struct bytes, bytes_clear) der = BYTES_INIT;
		AUTO_CLEAR(struct crl, crl_clear) crl = CRL_INIT;
		AUTO(char, free) edited = der_builder_edit(text, broken[i].from, broken[i].to);
		wrap(edited, &der);
		if (crl_decode(bytes_span(&der), &crl, NULL) != FAULT_MALFORMED) {
			fprintf(stderr, "row %zu is taken: %s\n", i, broken[i].to);
			taken++;
		}
	}
	assert_int_equal(taken, 0);
}

static void
crl__decoder_refuses_a_broken_envelope(void **state)
{
	(void)state;
	static const struct {
		const char *from, *to;
	} frames[] = {
		{ "OID 1.2.840.113549.1.1.11 NULL", "OID 1.2.840.113549.1.1.1 NULL" },
		{ "OID 1.2.840.113549.1.1.11 NULL", "OID 1.2.840.113549.1.1.11" },
		{ "BITS ", "OCTETS { } BITS " },
		{ "BITS 01", "BITS " },
		{ "00/0 }", "00/1 }" },
		{ "00/0 }", "00/0 NULL }" },
		{ "SEQUENCE { =", "SEQUENCE { NULL =" },
		{ "SEQUENCE { =30", "SEQUENCE { =31" },
	};
	static const uint8_t signature[RSA_SIGNATURE_SIZE] = { 1 };
	AUTO_CLEAR(struct lint_fixture, lint_fixture_clear) fixture;
	AUTO_CLEAR(struct bytes, bytes_clear) tbs = BYTES_INIT;
	lint_fixture_init(&fixture, LINT_FIXTURE_CA, NULL, NULL);
	AUTO(char, free) tbs_text = lint_fixture_crl(&fixture);
	der_builder_encode(tbs_text, &tbs);
	AUTO(char, free) text = lint_fixture_envelope(bytes_span(&tbs), SPAN(signature, sizeof signature));
	for (size_t i = 0; i < sizeof frames / sizeof frames[0]; i++) {
		AUTO_CLEAR(struct bytes, bytes_clear) der = BYTES_INIT;
		AUTO_CLEAR(struct crl, crl_clear) crl = CRL_INIT;
		AUTO(char, free) edited = der_builder_edit(text, frames[i].from, frames[i].to);
		der_builder_encode(edited, &der);
		assert_int_equal(crl_decode(bytes_span(&der), &crl, NULL), FAULT_MALFORMED);
	}
}

static void
crl__decoder_survives_damage(void **state)
{
	(void)state;
	AUTO_CLEAR(struct lint_fixture, lint_fixture_clear) fixture;
	AUTO_CLEAR(struct bytes, bytes_clear) der = BYTES_INIT;
	lint_fixture_init(&fixture, LINT_FIXTURE_CA, NULL, NULL);
	AUTO(char, free) text = lint_fixture_crl(&fixture);
	wrap(text, &der);
	for (size_t length = 0; length < der.length; length++) {
		AUTO_CLEAR(struct crl, crl_clear) crl = CRL_INIT;
		AUTO(uint8_t, free) exact = malloc(length + 1);
		memcpy(exact, der.data, length);
		assert_int_equal(crl_decode(SPAN(exact, length), &crl, NULL), FAULT_MALFORMED);
	}
	for (size_t i = 0; i < der.length; i++) {
		AUTO_CLEAR(struct crl, crl_clear) crl = CRL_INIT;
		der.data[i] ^= (uint8_t)(1U << i % 8);
		enum fault_code code = crl_decode(bytes_span(&der), &crl, NULL);
		assert_true(code == FAULT_NONE || code == FAULT_MALFORMED);
		der.data[i] ^= (uint8_t)(1U << i % 8);
	}
	AUTO_CLEAR(struct crl, crl_clear) crl = CRL_INIT;
	assert_int_equal(bytes_append(&der, "", 1, NULL), FAULT_NONE);
	assert_int_equal(crl_decode(bytes_span(&der), &crl, NULL), FAULT_MALFORMED);
	AUTO(uint8_t, free) huge = calloc(1, CERTIFICATE_SIZE_MAX + 1);
	assert_int_equal(crl_decode(SPAN(huge, CERTIFICATE_SIZE_MAX + 1), &crl, NULL), FAULT_TOO_LARGE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(crl__encodes_as_written_by_hand),
		cmocka_unit_test(crl__decodes_to_its_fields),
		cmocka_unit_test(crl__openssl_takes_what_we_sign),
		cmocka_unit_test(crl__empty_has_no_list),
		cmocka_unit_test(crl__largest),
		cmocka_unit_test(crl__refuses_fields_that_make_no_crl),
		cmocka_unit_test(crl__decoder_refuses_each_broken_rule),
		cmocka_unit_test(crl__decoder_refuses_a_broken_envelope),
		cmocka_unit_test(crl__decoder_survives_damage),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
