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
#include "ca/der/certificate.h"
#include "tests/support/der_builder.h"
#include "tests/support/lint_fixture.h"
#include "tests/support/sample_ca.h"

SCOPED(X509, X509_free)
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

static struct serial_number
serial_of(const char *hex)
{
	struct serial_number serial = { .length = 0 };
	for (; hex[0] != '\0' && hex[1] != '\0'; hex += 2) {
		unsigned octet = 0;
		assert_int_equal(sscanf(hex, "%2x", &octet), 1);
		serial.octets[serial.length++] = (uint8_t)octet;
	}
	return serial;
}

/* What lint_fixture writes by hand, as fields for the encoder. */
static struct certificate_fields
fields_of(const struct lint_fixture *fixture)
{
	const struct lint_certificate_wanted *wanted = &fixture->wanted;
	struct certificate_fields fields = {
		.kind = wanted->ta ? CERTIFICATE_TA : wanted->ca ? CERTIFICATE_CA : CERTIFICATE_EE,
		.serial = serial_of("5a0102030405060708090a0b0c0d0e0f"),
		.issuer = fixture->issuer.name,
		.subject = wanted->ta ? fixture->issuer.name : fixture->subject_name,
		.not_before_at = LINT_FIXTURE_BEFORE,
		.not_after_at = wanted->ca ? LINT_FIXTURE_BEFORE + 365 * 86400 : LINT_FIXTURE_AFTER,
		.spki = wanted->spki,
		.crl_uri = wanted->ta ? NULL : fixture->issuer.crl_uri,
		.issuer_uri = fixture->issuer.certificate_uri,
		.repository_uri = wanted->repository_uri,
		.manifest_uri = wanted->manifest_uri,
		.notification_uri = wanted->notification_uri,
		.object_uri = wanted->object_uri,
		.resources = wanted->resources,
		.inherit_asns = wanted->resources == NULL,
		.inherit_ipv4 = wanted->resources == NULL,
		.inherit_ipv6 = wanted->resources == NULL,
	};
	memcpy(fields.authority_key, fixture->issuer.key_identifier, KEY_IDENTIFIER_SIZE);
	return fields;
}

/* A TBS as text, in an envelope. */
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
certificate__golden_bytes(void **state)
{
	(void)state;
	AUTO_CLEAR(struct lint_fixture, lint_fixture_clear) fixture;
	AUTO_CLEAR(struct bytes, bytes_clear) golden = BYTES_INIT;
	AUTO_CLEAR(struct bytes, bytes_clear) encoded = BYTES_INIT;
	lint_fixture_init(&fixture, LINT_FIXTURE_CA, NULL, NULL);
	struct certificate_fields fields = fields_of(&fixture);
	assert_int_equal(certificate_encode_tbs(&fields, &encoded, NULL), FAULT_NONE);
	assert_int_equal(atomic_file_read(AT_FDCWD, "tests/vectors/der/certificate_tbs.der", 65536, &golden, NULL), FAULT_NONE);
	assert_true(span_equal(bytes_span(&encoded), bytes_span(&golden)));
}

/* The fixture has KeyUsage in front of AuthorityKeyIdentifier, we have the order of RFC 6487 §4.8. */
static char *
in_our_order(const char *text, bool ca)
{
	AUTO_CLEAR(struct bytes, bytes_clear) usage = BYTES_INIT;
	AUTO_CLEAR(struct bytes, bytes_clear) moved = BYTES_INIT;
	assert_int_equal(bytes_printf(&usage, NULL, "SEQUENCE { OID 2.5.29.15 BOOLEAN ff OCTETS { BITS %s } }\n",
		ca ? "06/1" : "80/7"), FAULT_NONE);
	assert_int_equal(bytes_printf(&moved, NULL, "%sSEQUENCE { OID 2.5.29.31 ", bytes_text(&usage)), FAULT_NONE);
	AUTO(char, free) without = der_builder_edit(text, bytes_text(&usage), "");
	return der_builder_edit(without, "SEQUENCE { OID 2.5.29.31 ", bytes_text(&moved));
}

static void
certificate__encodes_each_kind_as_written_by_hand(void **state)
{
	(void)state;
	for (int kind = 0; kind < LINT_FIXTURE_KINDS; kind++) {
		AUTO_CLEAR(struct lint_fixture, lint_fixture_clear) fixture;
		AUTO_CLEAR(struct bytes, bytes_clear) by_hand = BYTES_INIT;
		AUTO_CLEAR(struct bytes, bytes_clear) encoded = BYTES_INIT;
		lint_fixture_init(&fixture, (enum lint_fixture_kind)kind, NULL, NULL);
		AUTO(char, free) text = lint_fixture_certificate(&fixture);
		AUTO(char, free) ordered = fixture.wanted.ta ? strdup(text) : in_our_order(text, fixture.wanted.ca);
		der_builder_encode(ordered, &by_hand);
		struct certificate_fields fields = fields_of(&fixture);
		assert_int_equal(certificate_encode_tbs(&fields, &encoded, NULL), FAULT_NONE);
		assert_int_equal(encoded.length, by_hand.length);
		assert_memory_equal(encoded.data, by_hand.data, by_hand.length);
	}
}

static void
assert_same_text(const char *a, const char *b)
{
	assert_int_equal(a == NULL, b == NULL);
	if (a != NULL)
		assert_string_equal(a, b);
}

static void
assert_decodes_to(struct span der, const struct certificate_fields *fields)
{
	AUTO_CLEAR(struct certificate, certificate_clear) decoded = CERTIFICATE_INIT;
	uint8_t identifier[KEY_IDENTIFIER_SIZE];
	struct resource_set none = RESOURCE_SET_INIT;
	assert_int_equal(certificate_decode(der, &decoded, NULL), FAULT_NONE);
	assert_int_equal(decoded.kind, fields->kind);
	assert_int_equal(decoded.serial.length, fields->serial.length);
	assert_memory_equal(decoded.serial.octets, fields->serial.octets, fields->serial.length);
	assert_string_equal(decoded.issuer, fields->issuer);
	assert_string_equal(decoded.subject, fields->subject);
	assert_int_equal(decoded.not_before_at, fields->not_before_at);
	assert_int_equal(decoded.not_after_at, fields->not_after_at);
	assert_true(span_equal(bytes_span(&decoded.spki), fields->spki));
	assert_int_equal(certificate_key_identifier(fields->spki, identifier, NULL), FAULT_NONE);
	assert_memory_equal(decoded.subject_key, identifier, sizeof identifier);
	if (fields->kind != CERTIFICATE_TA)
		assert_memory_equal(decoded.authority_key, fields->authority_key, KEY_IDENTIFIER_SIZE);
	assert_same_text(decoded.crl_uri, fields->crl_uri);
	assert_same_text(decoded.issuer_uri, fields->issuer_uri);
	assert_same_text(decoded.repository_uri, fields->repository_uri);
	assert_same_text(decoded.manifest_uri, fields->manifest_uri);
	assert_same_text(decoded.notification_uri, fields->notification_uri);
	assert_same_text(decoded.object_uri, fields->object_uri);
	assert_true(resource_set_equal(&decoded.resources, fields->resources == NULL ? &none : fields->resources));
	assert_int_equal(decoded.inherit_asns, fields->inherit_asns);
	assert_int_equal(decoded.inherit_ipv4, fields->inherit_ipv4);
	assert_int_equal(decoded.inherit_ipv6, fields->inherit_ipv6);
}

static void
certificate__decodes_each_kind_to_its_fields(void **state)
{
	(void)state;
	for (int kind = 0; kind < LINT_FIXTURE_KINDS; kind++) {
		AUTO_CLEAR(struct lint_fixture, lint_fixture_clear) fixture;
		AUTO_CLEAR(struct bytes, bytes_clear) der = BYTES_INIT;
		lint_fixture_init(&fixture, (enum lint_fixture_kind)kind, NULL, NULL);
		AUTO(char, free) text = lint_fixture_certificate(&fixture);
		wrap(text, &der);
		struct certificate_fields fields = fields_of(&fixture);
		assert_decodes_to(bytes_span(&der), &fields);
	}
}

static void
certificate__openssl_takes_what_we_sign(void **state)
{
	(void)state;
	AUTO_CLEAR(struct bytes, bytes_clear) der = BYTES_INIT;
	struct certificate_fields fields = sample_ca_fields(&sample, CERTIFICATE_CA, bytes_span(&sample.spki));
	sample_ca_certificate(&sample, &fields, &der);
	const unsigned char *at = der.data, *key_at = sample.spki.data;
	AUTO(X509, X509_free) x509 = d2i_X509(NULL, &at, (long)der.length);
	AUTO(EVP_PKEY, EVP_PKEY_free) key = d2i_PUBKEY(NULL, &key_at, (long)sample.spki.length);
	assert_non_null(x509);
	assert_ptr_equal(at, der.data + der.length);
	assert_int_equal(X509_verify(x509, key), 1);
	assert_int_equal(X509_check_purpose(x509, -1, 0), 1);
	assert_int_equal(X509_get_key_usage(x509), KU_KEY_CERT_SIGN | KU_CRL_SIGN);
	assert_int_equal(X509_get_extension_flags(x509) & (EXFLAG_INVALID | EXFLAG_CRITICAL), 0);
	IPAddrBlocks *blocks = X509_get_ext_d2i(x509, NID_sbgp_ipAddrBlock, NULL, NULL);
	ASIdentifiers *identifiers = X509_get_ext_d2i(x509, NID_sbgp_autonomousSysNum, NULL, NULL);
	assert_int_equal(X509v3_addr_is_canonical(blocks), 1);
	assert_int_equal(X509v3_asid_is_canonical(identifiers), 1);
	sk_IPAddressFamily_pop_free(blocks, IPAddressFamily_free);
	ASIdentifiers_free(identifiers);
	char name[128];
	assert_int_equal(X509_NAME_get_text_by_NID(X509_get_subject_name(x509), NID_commonName, name, sizeof name), 7);
	assert_string_equal(name, "subject");
	assert_decodes_to(bytes_span(&der), &fields);
}

static void
certificate__self_signed_is_verified(void **state)
{
	(void)state;
	AUTO_CLEAR(struct bytes, bytes_clear) der = BYTES_INIT;
	AUTO_CLEAR(struct bytes, bytes_clear) other = BYTES_INIT;
	struct certificate_fields fields = sample_ca_fields(&sample, CERTIFICATE_TA, bytes_span(&sample.spki));
	sample_ca_certificate(&sample, &fields, &der);
	assert_int_equal(certificate_verify_self_signed(bytes_span(&der), NULL), FAULT_NONE);
	der.data[der.length - 1] ^= 1;
	assert_int_equal(certificate_verify_self_signed(bytes_span(&der), NULL), FAULT_INVALID);
	assert_int_equal(certificate_verify_self_signed(SPAN(der.data, der.length - 1), NULL), FAULT_MALFORMED);
	fields = sample_ca_fields(&sample, CERTIFICATE_CA, bytes_span(&sample.spki));
	sample_ca_certificate(&sample, &fields, &other);
	assert_int_equal(certificate_verify_self_signed(bytes_span(&other), NULL), FAULT_INVALID);
}

static void
certificate__times_change_their_form_in_2050(void **state)
{
	(void)state;
	static const struct {
		int64_t at;
		const char *der;
		size_t length;
	} times[] = {
		{ INT64_C(2524607999), "\x17\x0d" "491231235959Z", 15 },     /* the last second of 2049 */
		{ INT64_C(2524608000), "\x18\x0f" "20500101000000Z", 17 },
		{ INT64_C(253402300799), "\x18\x0f" "99991231235959Z", 17 },
		{ INT64_C(1835395199), "\x17\x0d" "280228235959Z", 15 },
		{ INT64_C(1835395200), "\x17\x0d" "280229000000Z", 15 },     /* a leap day */
	};
	for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
		AUTO_CLEAR(struct bytes, bytes_clear) tbs = BYTES_INIT;
		AUTO_CLEAR(struct bytes, bytes_clear) der = BYTES_INIT;
		struct certificate_fields fields = sample_ca_fields(&sample, CERTIFICATE_TA, bytes_span(&sample.spki));
		fields.not_before_at = 0;
		fields.not_after_at = times[i].at;
		assert_int_equal(certificate_encode_tbs(&fields, &tbs, NULL), FAULT_NONE);
		assert_non_null(memmem(tbs.data, tbs.length, times[i].der, times[i].length));
		sample_ca_sign(&sample, bytes_span(&tbs), &der);
		assert_decodes_to(bytes_span(&der), &fields);
	}
}

static void
certificate__resources_are_encoded_with_the_fewest_bits(void **state)
{
	(void)state;
	static const struct {
		const char *text, *der; /* der: of the one range, as for der_builder */
	} ranges[] = {
		{ "10.0.0.0/8", "BITS 0a/0" },
		{ "0.0.0.0/0", "BITS /0" },
		{ "10.64.0.0/12", "BITS 0a40/4" },
		{ "10.0.0.1", "BITS 0a000001/0" },
		{ "10.5.0.4-10.5.0.4", "BITS 0a050004/0" },
		/* RFC 3779 §2.2.3.9: min loses its zeros, max its ones */
		{ "10.0.0.0-11.255.255.254", "SEQUENCE { BITS 0a/1 BITS 0bfffffe/0 }" },
		{ "129.64.0.0-143.255.255.255", "SEQUENCE { BITS 8140/6 BITS 80/4 }" },
		{ "0.0.0.0-192.255.255.255", "SEQUENCE { BITS /0 BITS c0/0 }" },
		{ "128.0.0.1-255.255.255.255", "SEQUENCE { BITS 80000001/0 BITS /0 }" },
		{ "10.0.0.1-10.0.0.2", "SEQUENCE { BITS 0a000001/0 BITS 0a000002/0 }" },
	};
	for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++) {
		AUTO_CLEAR(struct resource_set, resource_set_clear) resources = RESOURCE_SET_INIT;
		AUTO_CLEAR(struct bytes, bytes_clear) tbs = BYTES_INIT;
		AUTO_CLEAR(struct bytes, bytes_clear) der = BYTES_INIT;
		AUTO_CLEAR(struct bytes, bytes_clear) expected = BYTES_INIT;
		AUTO_CLEAR(struct bytes, bytes_clear) text = BYTES_INIT;
		assert_int_equal(resource_set_parse_addresses(&resources, FAMILY_IPV4, ranges[i].text, NULL), FAULT_NONE);
		assert_int_equal(resource_set_normalise(&resources, NULL), FAULT_NONE);
		assert_int_equal(bytes_printf(&text, NULL, "SEQUENCE { OID 1.3.6.1.5.5.7.1.7 BOOLEAN ff "
			"OCTETS { SEQUENCE { SEQUENCE { OCTETS 0001 SEQUENCE { %s } } } } }", ranges[i].der), FAULT_NONE);
		der_builder_encode(bytes_text(&text), &expected);
		struct certificate_fields fields = sample_ca_fields(&sample, CERTIFICATE_TA, bytes_span(&sample.spki));
		fields.resources = &resources;
		assert_int_equal(certificate_encode_tbs(&fields, &tbs, NULL), FAULT_NONE);
		/* The last extension: no AS numbers, so no extension for them. */
		assert_memory_equal(tbs.data + tbs.length - expected.length, expected.data, expected.length);
		sample_ca_sign(&sample, bytes_span(&tbs), &der);
		assert_decodes_to(bytes_span(&der), &fields);
	}
}

/* Random sets come back as they were, and OpenSSL agrees that they are canonical. */
static void
certificate__random_resources_come_back(void **state)
{
	(void)state;
	uint32_t seed = 20261124;
	for (int round = 0; round < 60; round++) {
		AUTO_CLEAR(struct resource_set, resource_set_clear) resources = RESOURCE_SET_INIT;
		AUTO_CLEAR(struct bytes, bytes_clear) der = BYTES_INIT;
		for (int i = 0; i < 1 + round % 23; i++) {
			struct address min = { { 0 } }, max = { { 0 } };
			enum address_family family = i % 2 == 0 ? FAMILY_IPV4 : FAMILY_IPV6;
			for (size_t at = 0; at < family_bytes(family); at++) {
				seed = seed * 1103515245 + 12345;
				min.bytes[at] = (uint8_t)(seed >> 16);
				max.bytes[at] = min.bytes[at];
			}
			size_t changed = seed / 65536 % family_bytes(family);
			memset(max.bytes + changed, 0xff, family_bytes(family) - changed);
			if (i % 3 != 0)
				memset(min.bytes + changed, 0, family_bytes(family) - changed);
			assert_int_equal(resource_set_add_addresses(&resources, family, &min, &max, NULL), FAULT_NONE);
			assert_int_equal(resource_set_add_asns(&resources, seed, seed | (seed >> 20), NULL), FAULT_NONE);
		}
		assert_int_equal(resource_set_normalise(&resources, NULL), FAULT_NONE);
		struct certificate_fields fields = sample_ca_fields(&sample, CERTIFICATE_TA, bytes_span(&sample.spki));
		fields.resources = &resources;
		sample_ca_certificate(&sample, &fields, &der);
		assert_decodes_to(bytes_span(&der), &fields);
		const unsigned char *at = der.data;
		AUTO(X509, X509_free) x509 = d2i_X509(NULL, &at, (long)der.length);
		IPAddrBlocks *blocks = X509_get_ext_d2i(x509, NID_sbgp_ipAddrBlock, NULL, NULL);
		assert_int_equal(X509v3_addr_is_canonical(blocks), 1);
		sk_IPAddressFamily_pop_free(blocks, IPAddressFamily_free);
	}
}

static void
certificate__largest_resource_set(void **state)
{
	(void)state;
	AUTO_CLEAR(struct resource_set, resource_set_clear) resources = RESOURCE_SET_INIT;
	AUTO_CLEAR(struct bytes, bytes_clear) der = BYTES_INIT;
	for (uint32_t i = 0; i < RESOURCE_SET_RANGES_MAX; i++)
		assert_int_equal(resource_set_add_asns(&resources, 3 * i, 3 * i + 1, NULL), FAULT_NONE);
	assert_int_equal(resource_set_normalise(&resources, NULL), FAULT_NONE);
	struct certificate_fields fields = sample_ca_fields(&sample, CERTIFICATE_TA, bytes_span(&sample.spki));
	fields.resources = &resources;
	sample_ca_certificate(&sample, &fields, &der);
	assert_decodes_to(bytes_span(&der), &fields);
}

static void
certificate__refuses_fields_that_make_no_certificate(void **state)
{
	(void)state;
	static char long_uri[URI_MAX + 2];
	memset(long_uri, 'a', sizeof long_uri - 1);
	memcpy(long_uri, "rsync://", 8);
	static char long_name[NAME_TEXT + 1];
	memset(long_name, 'A', NAME_TEXT);
	static const struct resource_set nothing;
	struct span spki = bytes_span(&sample.spki);
	struct certificate_fields ta = sample_ca_fields(&sample, CERTIFICATE_TA, spki);
	struct certificate_fields ca = sample_ca_fields(&sample, CERTIFICATE_CA, spki);
	struct certificate_fields ee = sample_ca_fields(&sample, CERTIFICATE_EE, spki);
	struct certificate_fields bad[64];
	size_t count = 0;
#define BAD(from, ...) do { bad[count] = (from); bad[count].__VA_ARGS__; count++; } while (0)
	BAD(ca, serial.length = 0);
	BAD(ca, serial.length = SERIAL_MAX + 1);
	BAD(ca, serial.octets[0] = 0);
	BAD(ca, serial = serial_of("8000000000000000000000000000000000000000"));
	BAD(ca, issuer = NULL);
	BAD(ca, issuer = "");
	BAD(ca, subject = "");
	BAD(ca, subject = "a_b");
	BAD(ca, subject = "a@b");
	BAD(ca, subject = "S\xc3\xa4mann");
	BAD(ca, subject = long_name);
	BAD(ca, not_before_at = -1);
	BAD(ca, not_after_at = INT64_C(253402300800));
	BAD(ca, not_after_at = ca.not_before_at - 1);
	BAD(ca, spki = SPAN(NULL, 0));
	BAD(ca, spki.length = spki.length - 1);
	BAD(ca, crl_uri = NULL);
	BAD(ca, crl_uri = "https://rpki.example/a.crl");
	BAD(ca, crl_uri = "rsync://");
	BAD(ca, crl_uri = "rsync://rpki.example/a b");
	BAD(ca, crl_uri = "rsync://rpki.example/\xc3\xa4");
	BAD(ca, crl_uri = long_uri);
	BAD(ca, issuer_uri = NULL);
	BAD(ca, repository_uri = NULL);
	BAD(ca, manifest_uri = NULL);
	BAD(ca, notification_uri = "rsync://rpki.example/notification.xml");
	BAD(ca, notification_uri = "http://rpki.example/notification.xml");
	BAD(ca, object_uri = "rsync://rpki.example/a.roa");
	BAD(ca, resources = NULL);
	BAD(ca, resources = &nothing);
	BAD(ca, inherit_asns = true);
	BAD(ee, object_uri = NULL);
	BAD(ee, repository_uri = ca.repository_uri);
	BAD(ee, notification_uri = ca.notification_uri);
	BAD(ee, resources = &nothing);
	BAD(ee, resources = &sample.resources);
	BAD(ta, subject = "another");
	BAD(ta, crl_uri = ca.crl_uri);
	BAD(ta, issuer_uri = ca.issuer_uri);
	BAD(ta, resources = NULL);
	bad[count] = ta;
	bad[count].resources = NULL;
	bad[count++].inherit_ipv4 = true;
#undef BAD
	for (size_t i = 0; i < count; i++) {
		AUTO_CLEAR(struct bytes, bytes_clear) tbs = BYTES_INIT;
		struct fault fault = FAULT_INIT;
		if (certificate_encode_tbs(&bad[i], &tbs, &fault) != FAULT_INVALID || tbs.data != NULL)
			fail_msg("%zu of %zu: %s", i, count, fault.message);
	}
}

#define SUBJECT "SET { SEQUENCE { OID 2.5.4.3 PRINTABLE \"Example TA\" } } }\nSEQUENCE { UTC"
#define END_OF_SUBJECT " }\nSEQUENCE { UTC"
#define EE_USAGE "SEQUENCE { OID 2.5.29.15 BOOLEAN ff OCTETS { BITS 80/7 } }\n"
#define CRL_POINT "[0] { [0] { [6] \"rsync://rpki.example/repo/issuer/issuer.crl\" } }"
#define SERIAL "INTEGER 0x5a0102030405060708090a0b0c0d0e0f"
#define ASNS "[0] { SEQUENCE { INTEGER 64496 SEQUENCE { INTEGER 64500 INTEGER 64505 } } }"

/* One broken thing each: where `from` stands in the text of a good certificate of this kind, `to` stands now. */
static const struct {
	enum lint_fixture_kind kind;
	const char *from, *to;
} broken[] = {
	/* the frame */
	{ LINT_FIXTURE_CA, "[0] { INTEGER 2 }", "[0] { INTEGER 2 NULL }" },
	{ LINT_FIXTURE_CA, "[0] { INTEGER 2 }", "" },
	{ LINT_FIXTURE_CA, "[0] { INTEGER 2 }", "[0] { INTEGER 1 }" },
	{ LINT_FIXTURE_CA, "[0] { INTEGER 2 }", "[0] { =02020002 }" },
	{ LINT_FIXTURE_CA, "[0] { INTEGER 2 }", "=a003020102a0" },
	{ LINT_FIXTURE_CA, SERIAL, "INTEGER 0" },
	{ LINT_FIXTURE_CA, SERIAL, "INTEGER 0xff" },
	{ LINT_FIXTURE_CA, SERIAL, "=0200" },
	{ LINT_FIXTURE_CA, SERIAL, "=02020001" },
	{ LINT_FIXTURE_CA, SERIAL, "INTEGER 0x008000000000000000000000000000000000000000" },
	{ LINT_FIXTURE_CA, SERIAL, "INTEGER 0x010000000000000000000000000000000000000000" },
	{ LINT_FIXTURE_CA, "OID 1.2.840.113549.1.1.11 NULL", "OID 1.2.840.113549.1.1.11" },
	{ LINT_FIXTURE_CA, "OID 1.2.840.113549.1.1.11 NULL", "OID 1.2.840.113549.1.1.5 NULL" },
	{ LINT_FIXTURE_CA, "OID 1.2.840.113549.1.1.11 NULL", "OID 1.2.840.113549.1.1.11 =0501aa" },
	{ LINT_FIXTURE_CA, "[3] {", "[1] 0080 [3] {" },
	{ LINT_FIXTURE_CA, "[3] { SEQUENCE {", "[3] { SET {" },
	/* names */
	{ LINT_FIXTURE_TA, SUBJECT, "SET { SEQUENCE { OID 2.5.4.3 UTF8 \"Example TA\" } }" END_OF_SUBJECT },
	{ LINT_FIXTURE_TA, SUBJECT, "SET { SEQUENCE { OID 2.5.4.3 PRINTABLE \"Example_TA\" } }" END_OF_SUBJECT },
	{ LINT_FIXTURE_TA, SUBJECT, "SET { SEQUENCE { OID 2.5.4.3 PRINTABLE \"\" } }" END_OF_SUBJECT },
	{ LINT_FIXTURE_TA, SUBJECT, "SET { SEQUENCE { OID 2.5.4.3 =1303410042 } }" END_OF_SUBJECT },
	{ LINT_FIXTURE_TA, SUBJECT, "SET { SEQUENCE { OID 2.5.4.10 PRINTABLE \"Example TA\" } }" END_OF_SUBJECT },
	{ LINT_FIXTURE_TA, SUBJECT,
		"SET { SEQUENCE { OID 2.5.4.3 PRINTABLE \"A\" } SEQUENCE { OID 2.5.4.5 PRINTABLE \"1\" } }" END_OF_SUBJECT },
	{ LINT_FIXTURE_TA, SUBJECT,
		"SET { SEQUENCE { OID 2.5.4.3 PRINTABLE \"A\" } } SET { SEQUENCE { OID 2.5.4.3 PRINTABLE \"B\" } }"
		END_OF_SUBJECT },
	{ LINT_FIXTURE_TA, SUBJECT, END_OF_SUBJECT },
	{ LINT_FIXTURE_TA, SUBJECT, "SET { }" END_OF_SUBJECT },
	/* times */
	{ LINT_FIXTURE_CA, "UTC \"271123000000Z\"", "UTC \"261122235959Z\"" },
	{ LINT_FIXTURE_CA, "UTC \"271123000000Z\"", "UTC \"270229000000Z\"" },
	{ LINT_FIXTURE_CA, "UTC \"271123000000Z\"", "UTC \"271123240000Z\"" },
	{ LINT_FIXTURE_CA, "UTC \"271123000000Z\"", "UTC \"271123000060Z\"" },
	{ LINT_FIXTURE_CA, "UTC \"271123000000Z\"", "UTC \"2711230000Z\"" },
	{ LINT_FIXTURE_CA, "UTC \"271123000000Z\"", "UTC \"271123000000+0100\"" },
	{ LINT_FIXTURE_CA, "UTC \"271123000000Z\"", "UTC \" 71123000000Z\"" },
	{ LINT_FIXTURE_CA, "UTC \"271123000000Z\"", "UTC \"\"" },
	{ LINT_FIXTURE_CA, "UTC \"271123000000Z\"", "GENERALIZED \"20271123000000Z\"" },
	{ LINT_FIXTURE_CA, "UTC \"271123000000Z\"", "GENERALIZED \"20501123000000.5Z\"" },
	{ LINT_FIXTURE_CA, "UTC \"271123000000Z\"", "GENERALIZED \"20501123000000z\"" },
	{ LINT_FIXTURE_CA, "UTC \"271123000000Z\"", "PRINTABLE \"271123000000Z\"" },
	{ LINT_FIXTURE_CA, "UTC \"261123000000Z\"", "UTC \"691231235959Z\"" },
	/* BasicConstraints, KeyUsage */
	{ LINT_FIXTURE_CA, "OCTETS { SEQUENCE { BOOLEAN ff } }", "OCTETS { SEQUENCE { BOOLEAN ff INTEGER 0 } }" },
	{ LINT_FIXTURE_CA, "OCTETS { SEQUENCE { BOOLEAN ff } }", "OCTETS { SEQUENCE { } }" },
	{ LINT_FIXTURE_CA, "OCTETS { SEQUENCE { BOOLEAN ff } }", "OCTETS { SEQUENCE { BOOLEAN 01 } }" },
	{ LINT_FIXTURE_CA, "OCTETS { SEQUENCE { BOOLEAN ff } }", "OCTETS { }" },
	{ LINT_FIXTURE_CA, "2.5.29.19 BOOLEAN ff", "2.5.29.19" },
	{ LINT_FIXTURE_CA, "2.5.29.19 BOOLEAN ff", "2.5.29.19 BOOLEAN 00" },
	{ LINT_FIXTURE_CA, "2.5.29.19 BOOLEAN ff", "2.5.29.19 BOOLEAN 01" },
	{ LINT_FIXTURE_CA, "OCTETS { BITS 06/1 }", "OCTETS { BITS 06/0 }" },
	{ LINT_FIXTURE_CA, "OCTETS { BITS 06/1 }", "OCTETS { BITS 86/1 }" },
	{ LINT_FIXTURE_CA, "OCTETS { BITS 06/1 }", "OCTETS { BITS 04/2 }" },
	{ LINT_FIXTURE_ROA, "OCTETS { BITS 80/7 }", "OCTETS { BITS c0/6 }" },
	{ LINT_FIXTURE_ROA, "2.5.29.15 BOOLEAN ff", "2.5.29.15" },
	{ LINT_FIXTURE_ROA, EE_USAGE, "" },
	{ LINT_FIXTURE_ROA, EE_USAGE, EE_USAGE EE_USAGE },
	/* one that has no place */
	{ LINT_FIXTURE_CA, "SEQUENCE { OID 2.5.29.19 ",
		"SEQUENCE { OID 2.5.29.37 OCTETS { SEQUENCE { OID 1.3.6.1.5.5.7.3.30 } } }\n"
		"SEQUENCE { OID 2.5.29.19 " },
	{ LINT_FIXTURE_ROA, "SEQUENCE { OID 2.5.29.14 ", "SEQUENCE { OID 1.2.3.4 OCTETS { NULL } } SEQUENCE { OID 2.5.29.14 " },
	/* AuthorityKeyIdentifier, CRLDistributionPoints */
	{ LINT_FIXTURE_CA, "SEQUENCE { OID 2.5.29.35 OCTETS { SEQUENCE { [0] ",
		"SEQUENCE { OID 2.5.29.35 OCTETS { SEQUENCE { [2] 01 [0] " },
	{ LINT_FIXTURE_CA, "SEQUENCE { OID 2.5.29.35 OCTETS { SEQUENCE { [0] ",
		"SEQUENCE { OID 2.5.29.35 OCTETS { SEQUENCE { [0] 00" },
	{ LINT_FIXTURE_CA, "OID 2.5.29.35 OCTETS", "OID 2.5.29.35 BOOLEAN ff OCTETS" },
	{ LINT_FIXTURE_CA, CRL_POINT, "" },
	{ LINT_FIXTURE_CA, CRL_POINT, "[0] { [0] { } }" },
	{ LINT_FIXTURE_CA, CRL_POINT,
		"[0] { [0] { [6] \"rsync://rpki.example/repo/issuer/issuer.crl\" [6] \"rsync://rpki.example/b.crl\" } }" },
	{ LINT_FIXTURE_CA, CRL_POINT, CRL_POINT " [1] 0780" },
	{ LINT_FIXTURE_CA, CRL_POINT, "[0] { [0] { [2] \"rsync://rpki.example/repo/issuer/issuer.crl\" } }" },
	{ LINT_FIXTURE_CA, CRL_POINT, "[0] { [0] { [6] \"https://rpki.example/repo/issuer/issuer.crl\" } }" },
	{ LINT_FIXTURE_CA, CRL_POINT, "[0] { [0] { [6] 7273796e633a2f2f6100 } }" },
	{ LINT_FIXTURE_CA, CRL_POINT, "[0] { [1] { SEQUENCE { OID 2.5.4.3 PRINTABLE \"A\" } } }" },
	/* AuthorityInfoAccess, SubjectInfoAccess */
	{ LINT_FIXTURE_CA, "OID 1.3.6.1.5.5.7.48.2 ", "OID 1.3.6.1.5.5.7.48.1 " },
	{ LINT_FIXTURE_CA, " SEQUENCE { OID 1.3.6.1.5.5.7.48.10 ", " SEQUENCE { OID 1.3.6.1.5.5.7.48.11 " },
	{ LINT_FIXTURE_CA, " SEQUENCE { OID 1.3.6.1.5.5.7.48.10 ", " SEQUENCE { OID 1.3.6.1.5.5.7.48.5 " },
	{ LINT_FIXTURE_CA, " SEQUENCE { OID 1.3.6.1.5.5.7.48.5 [6] \"rsync://rpki.example/repo/subject/\" }\n", "" },
	{ LINT_FIXTURE_CA, "[6] \"https://rrdp.example:8443/rrdp/notification.xml\"", "[6] \"http://rrdp.example/n.xml\"" },
	{ LINT_FIXTURE_ROA, " SEQUENCE { OID 1.3.6.1.5.5.7.48.11 ",
		" SEQUENCE { OID 1.3.6.1.5.5.7.48.13 [6] \"https://a/\" } SEQUENCE { OID 1.3.6.1.5.5.7.48.11 " },
	/* CertificatePolicies */
	{ LINT_FIXTURE_CA, "OID 1.3.6.1.5.5.7.14.2", "OID 1.3.6.1.5.5.7.14.3" },
	{ LINT_FIXTURE_CA, "SEQUENCE { OID 1.3.6.1.5.5.7.14.2 }", "SEQUENCE { OID 1.3.6.1.5.5.7.14.2 } SEQUENCE { OID 1.2.3 }" },
	{ LINT_FIXTURE_CA, "SEQUENCE { OID 1.3.6.1.5.5.7.14.2 }",
		"SEQUENCE { OID 1.3.6.1.5.5.7.14.2 SEQUENCE { SEQUENCE { OID 1.3.6.1.5.5.7.2.2 "
		"SEQUENCE { } } } }" },
	{ LINT_FIXTURE_CA, "SEQUENCE { OID 1.3.6.1.5.5.7.14.2 }", "" },
	/* resources */
	{ LINT_FIXTURE_CA, "BITS 0a00/0 SEQUENCE", "BITS 0a00/0 BITS 0a01/0 SEQUENCE" },        /* not merged */
	{ LINT_FIXTURE_CA, "BITS 0a00/0 SEQUENCE", "BITS 0a01/0 BITS 0900/0 SEQUENCE" },        /* not sorted */
	{ LINT_FIXTURE_CA, "BITS 0a00/0 SEQUENCE", "BITS 0a00/0 BITS 0a00/0 SEQUENCE" },
	{ LINT_FIXTURE_CA, "BITS 0a00/0 SEQUENCE", "SEQUENCE { BITS 0a/1 BITS 0a00/0 } SEQUENCE" }, /* is a prefix */
	{ LINT_FIXTURE_CA, "BITS 0a00/0 SEQUENCE", "BITS 0a00000000/0 SEQUENCE" },
	{ LINT_FIXTURE_CA, "BITS 0a00/0 SEQUENCE", "=03020401 SEQUENCE" },                      /* an unused bit is set */
	{ LINT_FIXTURE_CA, "BITS 0a00/0 SEQUENCE", "=030108 SEQUENCE" },
	{ LINT_FIXTURE_CA, "BITS 0a00/0 SEQUENCE", "=0300 SEQUENCE" },
	{ LINT_FIXTURE_CA, "BITS c00002/1 BITS c0000282/0", "BITS c00002/0 BITS c0000282/0" },  /* zeros at the end of min */
	{ LINT_FIXTURE_CA, "BITS c00002/1 BITS c0000282/0", "BITS c0000282/0 BITS c00002/1" },
	{ LINT_FIXTURE_CA, "SEQUENCE { OCTETS 0001 SEQUENCE", "SEQUENCE { OCTETS 000101 SEQUENCE" }, /* a SAFI */
	{ LINT_FIXTURE_CA, "SEQUENCE { OCTETS 0001 SEQUENCE", "SEQUENCE { OCTETS 0003 SEQUENCE" },
	{ LINT_FIXTURE_CA, "SEQUENCE { OCTETS 0001 SEQUENCE", "SEQUENCE { OCTETS 0001 NULL } SEQUENCE { OCTETS 0001 SEQUENCE" },
	{ LINT_FIXTURE_CA, "SEQUENCE { OCTETS 0001 SEQUENCE",
		"SEQUENCE { OCTETS 0001 SEQUENCE { } } SEQUENCE { OCTETS 0001 SEQUENCE" },
	{ LINT_FIXTURE_CA, "SEQUENCE { OCTETS 0002 SEQUENCE { BITS 20010db80000/0 } }", "SEQUENCE { OCTETS 0002 SEQUENCE { } }" },
	{ LINT_FIXTURE_ROA, "SEQUENCE { OCTETS 0001 SEQUENCE { BITS c00002/0 } }\n"
		" SEQUENCE { OCTETS 0002 SEQUENCE { BITS 20010db80000/0 } }", "" },
	{ LINT_FIXTURE_ROA, "SEQUENCE { OCTETS 0001 SEQUENCE { BITS c00002/0 } }\n"
		" SEQUENCE { OCTETS 0002 SEQUENCE { BITS 20010db80000/0 } }",
		"SEQUENCE { OCTETS 0002 SEQUENCE { BITS 20010db80000/0 } } SEQUENCE { OCTETS 0001 SEQUENCE { BITS c00002/0 } }" },
	{ LINT_FIXTURE_ROA, "OID 1.3.6.1.5.5.7.1.7 BOOLEAN ff", "OID 1.3.6.1.5.5.7.1.7" },
	{ LINT_FIXTURE_ROA, "OID 1.3.6.1.5.5.7.1.7 BOOLEAN ff", "OID 1.3.6.1.5.5.7.1.28 BOOLEAN ff" },
	{ LINT_FIXTURE_CA, "INTEGER 64496 SEQUENCE", "INTEGER 64496 INTEGER 64497 SEQUENCE" },
	{ LINT_FIXTURE_CA, "INTEGER 64496 SEQUENCE", "INTEGER 64506 SEQUENCE" },
	{ LINT_FIXTURE_CA, "INTEGER 64496 SEQUENCE", "INTEGER 64496 INTEGER 64496 SEQUENCE" },
	{ LINT_FIXTURE_CA, "INTEGER 64496 SEQUENCE", "SEQUENCE { INTEGER 64496 INTEGER 64496 } SEQUENCE" },
	{ LINT_FIXTURE_CA, "INTEGER 64496 SEQUENCE", "INTEGER 64496 INTEGER 4294967296 SEQUENCE" },
	{ LINT_FIXTURE_CA, "INTEGER 64496 SEQUENCE", "INTEGER 0xff SEQUENCE" },
	{ LINT_FIXTURE_CA, "SEQUENCE { INTEGER 64500 INTEGER 64505 }", "SEQUENCE { INTEGER 64505 INTEGER 64500 }" },
	{ LINT_FIXTURE_CA, ASNS, "[0] { SEQUENCE { INTEGER 64496 } } [1] { NULL }" },
	{ LINT_FIXTURE_CA, ASNS, "[1] { NULL }" },
	{ LINT_FIXTURE_CA, ASNS, "[0] { SEQUENCE { } }" },
	{ LINT_FIXTURE_TA, "[0] { SEQUENCE { SEQUENCE { INTEGER 0 INTEGER 4294967295 } } }", "[0] { NULL }" },
};

static void
certificate__decoder_refuses_each_broken_rule(void **state)
{
	(void)state;
	size_t taken = 0;
	for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++) {
		AUTO_CLEAR(struct lint_fixture, lint_fixture_clear) fixture;
		AUTO_CLEAR(struct bytes, bytes_clear) der = BYTES_INIT;
		AUTO_CLEAR(struct certificate, certificate_clear) certificate = CERTIFICATE_INIT;
		lint_fixture_init(&fixture, broken[i].kind, NULL, NULL);
		AUTO(char, free) text = lint_fixture_certificate(&fixture);
		AUTO(char, free) edited = der_builder_edit(text, broken[i].from, broken[i].to);
		wrap(edited, &der);
		if (certificate_decode(bytes_span(&der), &certificate, NULL) != FAULT_MALFORMED) {
			fprintf(stderr, "row %zu is taken: %s\n", i, broken[i].to);
			taken++;
		}
	}
	assert_int_equal(taken, 0);
}

static void
certificate__decoder_knows_good_variants(void **state)
{
	(void)state;
	static const struct {
		enum lint_fixture_kind kind;
		const char *from, *to;
	} good[] = {
		/* RFC 7318: a pointer to the CPS */
		{ LINT_FIXTURE_TA, "SEQUENCE { OID 1.3.6.1.5.5.7.14.2 }",
			"SEQUENCE { OID 1.3.6.1.5.5.7.14.2 SEQUENCE { SEQUENCE { "
			"OID 1.3.6.1.5.5.7.2.1 IA5 \"https://rpki.example/cps\" } } }" },
		/* RFC 8182: notification is optional */
		{ LINT_FIXTURE_CA,
			" SEQUENCE { OID 1.3.6.1.5.5.7.48.13 [6] \"https://rrdp.example:8443/rrdp/notification.xml\" }\n", "" },
		{ LINT_FIXTURE_CA, SERIAL, "INTEGER 0x7fffffffffffffffffffffffffffffffffffffff" },
		{ LINT_FIXTURE_CA, SERIAL, "INTEGER 0x00ff" },
		/* one family inherits, the other doesn't */
		{ LINT_FIXTURE_CA, "SEQUENCE { OCTETS 0002 SEQUENCE { BITS 20010db80000/0 } }", "SEQUENCE { OCTETS 0002 NULL }" },
	};
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		AUTO_CLEAR(struct lint_fixture, lint_fixture_clear) fixture;
		AUTO_CLEAR(struct bytes, bytes_clear) der = BYTES_INIT;
		AUTO_CLEAR(struct certificate, certificate_clear) certificate = CERTIFICATE_INIT;
		struct fault fault = FAULT_INIT;
		lint_fixture_init(&fixture, good[i].kind, NULL, NULL);
		AUTO(char, free) text = lint_fixture_certificate(&fixture);
		AUTO(char, free) edited = der_builder_edit(text, good[i].from, good[i].to);
		wrap(edited, &der);
		if (certificate_decode(bytes_span(&der), &certificate, &fault) != FAULT_NONE)
			fail_msg("row %zu: %s", i, fault.message);
	}
}

/* Each prefix, each single flipped bit, and bytes behind the end: never a crash, and never two spellings of one certificate. */
static void
certificate__decoder_survives_damage(void **state)
{
	(void)state;
	AUTO_CLEAR(struct bytes, bytes_clear) der = BYTES_INIT;
	struct certificate_fields fields = sample_ca_fields(&sample, CERTIFICATE_CA, bytes_span(&sample.spki));
	sample_ca_certificate(&sample, &fields, &der);
	for (size_t length = 0; length < der.length; length++) {
		AUTO_CLEAR(struct certificate, certificate_clear) certificate = CERTIFICATE_INIT;
		AUTO(uint8_t, free) exact = malloc(length + 1);
		memcpy(exact, der.data, length);
		assert_int_equal(certificate_decode(SPAN(exact, length), &certificate, NULL), FAULT_MALFORMED);
	}
	for (size_t i = 0; i < der.length; i++) {
		AUTO_CLEAR(struct certificate, certificate_clear) certificate = CERTIFICATE_INIT;
		der.data[i] ^= (uint8_t)(1U << i % 8);
		enum fault_code code = certificate_decode(bytes_span(&der), &certificate, NULL);
		assert_true(code == FAULT_NONE || code == FAULT_MALFORMED);
		der.data[i] ^= (uint8_t)(1U << i % 8);
	}
	AUTO_CLEAR(struct certificate, certificate_clear) certificate = CERTIFICATE_INIT;
	assert_int_equal(bytes_append(&der, "", 1, NULL), FAULT_NONE);
	assert_int_equal(certificate_decode(bytes_span(&der), &certificate, NULL), FAULT_MALFORMED);
	AUTO(uint8_t, free) huge = calloc(1, CERTIFICATE_SIZE_MAX + 1);
	assert_int_equal(certificate_decode(SPAN(huge, CERTIFICATE_SIZE_MAX + 1), &certificate, NULL), FAULT_TOO_LARGE);
}

static void
certificate__key_identifier_wants_rsa_2048(void **state)
{
	(void)state;
	static const struct {
		const char *from, *to;
	} bad[] = {
		{ "1.2.840.113549.1.1.1 NULL", "1.2.840.113549.1.1.1" },
		{ "1.2.840.113549.1.1.1 NULL", "1.2.840.113549.1.1.10 NULL" },
		{ "INTEGER 65537", "INTEGER 3" },
		{ "INTEGER 65537", "INTEGER 65537 NULL" },
		{ "INTEGER 0x00c0", "INTEGER 0x40" },
		{ "BITS {", "OCTETS {" },
	};
	AUTO_CLEAR(struct bytes, bytes_clear) text = BYTES_INIT;
	AUTO_CLEAR(struct bytes, bytes_clear) spki = BYTES_INIT;
	uint8_t identifier[KEY_IDENTIFIER_SIZE];
	assert_int_equal(bytes_printf(&text, NULL, "SEQUENCE { SEQUENCE { OID 1.2.840.113549.1.1.1 NULL } BITS { SEQUENCE { "
		"INTEGER 0x00c0%0510d INTEGER 65537 } } }", 1), FAULT_NONE);
	der_builder_encode(bytes_text(&text), &spki);
	assert_int_equal(certificate_key_identifier(bytes_span(&spki), identifier, NULL), FAULT_NONE);
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		AUTO_CLEAR(struct bytes, bytes_clear) der = BYTES_INIT;
		AUTO(char, free) edited = der_builder_edit(bytes_text(&text), bad[i].from, bad[i].to);
		der_builder_encode(edited, &der);
		assert_int_equal(certificate_key_identifier(bytes_span(&der), identifier, NULL), FAULT_MALFORMED);
	}
	assert_int_equal(certificate_key_identifier(SPAN(NULL, 0), identifier, NULL), FAULT_MALFORMED);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(certificate__encodes_each_kind_as_written_by_hand),
		cmocka_unit_test(certificate__golden_bytes),
		cmocka_unit_test(certificate__decodes_each_kind_to_its_fields),
		cmocka_unit_test(certificate__openssl_takes_what_we_sign),
		cmocka_unit_test(certificate__self_signed_is_verified),
		cmocka_unit_test(certificate__times_change_their_form_in_2050),
		cmocka_unit_test(certificate__resources_are_encoded_with_the_fewest_bits),
		cmocka_unit_test(certificate__random_resources_come_back),
		cmocka_unit_test(certificate__largest_resource_set),
		cmocka_unit_test(certificate__refuses_fields_that_make_no_certificate),
		cmocka_unit_test(certificate__decoder_refuses_each_broken_rule),
		cmocka_unit_test(certificate__decoder_knows_good_variants),
		cmocka_unit_test(certificate__decoder_survives_damage),
		cmocka_unit_test(certificate__key_identifier_wants_rsa_2048),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
