#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <openssl/cms.h>
#include <openssl/err.h>
#include <stdio.h>
#include <string.h>

#include "ca/der/manifest.h"
#include "ca/der/roa.h"
#include "ca/der/signed_object.h"
#include "tests/support/der_builder.h"
#include "tests/support/lint_fixture.h"
#include "tests/support/sample_ca.h"

#define SIGNED_AT LINT_FIXTURE_BEFORE /* what lint_fixture_attributes() says */

SCOPED(CMS_ContentInfo, CMS_ContentInfo_free)
SCOPED(BIO, BIO_free_all)
SCOPED(X509, X509_free)

/* One ROA, its parts, and its text as written by hand. */
static struct sample_ca sample;
static struct bytes content, ee, object;
static uint8_t ee_identifier[KEY_IDENTIFIER_SIZE];
static char *text;

static int
setup(void **state)
{
	(void)state;
	AUTO(struct onetime_key, onetime_key_free) key = NULL;
	sample_ca_init(&sample);
	assert_int_equal(roa_encode(lint_fixture_payloads, LINT_FIXTURE_PAYLOADS, &content, NULL), FAULT_NONE);
	assert_int_equal(key_pool_take(sample.pool, &key, NULL), FAULT_NONE);
	assert_int_equal(certificate_key_identifier(onetime_key_spki(key), ee_identifier, NULL), FAULT_NONE);
	struct certificate_fields fields = sample_ca_fields(&sample, CERTIFICATE_EE, onetime_key_spki(key));
	sample_ca_certificate(&sample, &fields, &ee);
	assert_int_equal(signed_object_make(CONTENT_ROA, bytes_span(&content), bytes_span(&ee), SIGNED_AT, key, &object, NULL),
		FAULT_NONE);
	AUTO(char, free) attributes = lint_fixture_attributes(LINT_FIXTURE_ROA_OID, bytes_span(&content));
	text = lint_fixture_signed_object(LINT_FIXTURE_ROA_OID, bytes_span(&content), bytes_span(&ee), ee_identifier, attributes,
		SPAN(object.data + object.length - RSA_SIGNATURE_SIZE, RSA_SIGNATURE_SIZE));
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	sample_ca_clear(&sample);
	bytes_clear(&content);
	bytes_clear(&ee);
	bytes_clear(&object);
	free(text);
	return 0;
}

static void
signed_object__is_as_written_by_hand(void **state)
{
	(void)state;
	AUTO_CLEAR(struct bytes, bytes_clear) by_hand = BYTES_INIT;
	der_builder_encode(text, &by_hand);
	assert_true(span_equal(bytes_span(&object), bytes_span(&by_hand)));
}

static void
signed_object__comes_apart_again(void **state)
{
	(void)state;
	AUTO_CLEAR(struct bytes, bytes_clear) its_content = BYTES_INIT;
	AUTO_CLEAR(struct bytes, bytes_clear) its_ee = BYTES_INIT;
	enum content_type type = CONTENT_MANIFEST;
	int64_t signing_time_at = 0;
	assert_int_equal(signed_object_decode(bytes_span(&object), &type, &its_content, &its_ee, &signing_time_at, NULL),
		FAULT_NONE);
	assert_int_equal(type, CONTENT_ROA);
	assert_true(span_equal(bytes_span(&its_content), bytes_span(&content)));
	assert_true(span_equal(bytes_span(&its_ee), bytes_span(&ee)));
	assert_int_equal(signing_time_at, SIGNED_AT);
}

/* OpenSSL reads it, would write the same bytes, and finds the signature right; and wrong once the contents change. */
static void
signed_object__openssl_verifies_it(void **state)
{
	(void)state;
	const unsigned char *at = object.data, *ee_at = ee.data;
	AUTO(CMS_ContentInfo, CMS_ContentInfo_free) cms = d2i_CMS_ContentInfo(NULL, &at, (long)object.length);
	AUTO(X509, X509_free) certificate = d2i_X509(NULL, &ee_at, (long)ee.length);
	AUTO(BIO, BIO_free_all) out = BIO_new(BIO_s_mem());
	assert_non_null(cms);
	assert_ptr_equal(at, object.data + object.length);
	assert_int_equal(i2d_CMS_ContentInfo(cms, NULL), object.length);
	assert_int_equal(CMS_verify(cms, NULL, NULL, NULL, out, CMS_NO_SIGNER_CERT_VERIFY | CMS_BINARY), 1);
	char *data = NULL;
	assert_int_equal(BIO_get_mem_data(out, &data), content.length);
	assert_memory_equal(data, content.data, content.length);
	assert_int_equal(OBJ_obj2nid(CMS_get0_eContentType(cms)), NID_id_ct_routeOriginAuthz);
	STACK_OF(CMS_SignerInfo) *signers = CMS_get0_SignerInfos(cms);
	assert_int_equal(sk_CMS_SignerInfo_num(signers), 1);
	CMS_SignerInfo *signer = sk_CMS_SignerInfo_value(signers, 0);
	assert_int_equal(CMS_SignerInfo_cert_cmp(signer, certificate), 0);
	assert_int_equal(CMS_signed_get_attr_count(signer), 3);
	assert_int_equal(CMS_unsigned_get_attr_count(signer), -1);
	STACK_OF(X509_CRL) *crls = CMS_get1_crls(cms);
	assert_null(crls);

	AUTO_CLEAR(struct bytes, bytes_clear) changed = BYTES_INIT;
	assert_int_equal(bytes_append(&changed, object.data, object.length, NULL), FAULT_NONE);
	uint8_t *inside = memmem(changed.data, changed.length, content.data, content.length);
	inside[6] ^= 1;
	at = changed.data;
	AUTO(CMS_ContentInfo, CMS_ContentInfo_free) wrong = d2i_CMS_ContentInfo(NULL, &at, (long)changed.length);
	assert_non_null(wrong);
	assert_int_equal(CMS_verify(wrong, NULL, NULL, NULL, NULL, CMS_NO_SIGNER_CERT_VERIFY | CMS_BINARY), 0);
	ERR_clear_error();
}

/* Contents that are text with line ends must not be touched (OpenSSL's own maker does that without CMS_BINARY). */
static void
signed_object__any_content_stays_as_it_is(void **state)
{
	(void)state;
	AUTO_CLEAR(struct bytes, bytes_clear) der = BYTES_INIT;
	AUTO_CLEAR(struct bytes, bytes_clear) its_content = BYTES_INIT;
	AUTO_CLEAR(struct bytes, bytes_clear) its_ee = BYTES_INIT;
	enum content_type type = CONTENT_ROA;
	int64_t signing_time_at = 0;
	static const char lines[] = "a\nb\r\nc\rd\n\0\n";
	sample_ca_object(&sample, CONTENT_MANIFEST, SPAN(lines, sizeof lines), NULL, &der);
	const unsigned char *at = der.data;
	AUTO(CMS_ContentInfo, CMS_ContentInfo_free) cms = d2i_CMS_ContentInfo(NULL, &at, (long)der.length);
	assert_int_equal(CMS_verify(cms, NULL, NULL, NULL, NULL, CMS_NO_SIGNER_CERT_VERIFY | CMS_BINARY), 1);
	assert_int_equal(signed_object_decode(bytes_span(&der), &type, &its_content, &its_ee, &signing_time_at, NULL),
		FAULT_NONE);
	assert_int_equal(type, CONTENT_MANIFEST);
	assert_true(span_equal(bytes_span(&its_content), SPAN(lines, sizeof lines)));
}

static void
make(int64_t signing_time_at, struct span certificate, enum fault_code expected, struct bytes *der)
{
	AUTO(struct onetime_key, onetime_key_free) key = NULL;
	AUTO_CLEAR(struct bytes, bytes_clear) own = BYTES_INIT;
	assert_int_equal(key_pool_take(sample.pool, &key, NULL), FAULT_NONE);
	struct certificate_fields fields = sample_ca_fields(&sample, CERTIFICATE_EE, onetime_key_spki(key));
	sample_ca_certificate(&sample, &fields, &own);
	if (certificate.data == NULL)
		certificate = bytes_span(&own);
	assert_int_equal(signed_object_make(CONTENT_ROA, bytes_span(&content), certificate, signing_time_at, key, der, NULL),
		expected);
}

static void
signed_object__signing_time_changes_its_form_in_2050(void **state)
{
	(void)state;
	static const struct {
		int64_t at;
		const char *der;
		size_t length;
	} times[] = {
		{ 0, "\x17\x0d" "700101000000Z", 15 },
		{ INT64_C(2524607999), "\x17\x0d" "491231235959Z", 15 },
		{ INT64_C(2524608000), "\x18\x0f" "20500101000000Z", 17 },
	};
	for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
		AUTO_CLEAR(struct bytes, bytes_clear) der = BYTES_INIT;
		AUTO_CLEAR(struct bytes, bytes_clear) its_content = BYTES_INIT;
		AUTO_CLEAR(struct bytes, bytes_clear) its_ee = BYTES_INIT;
		enum content_type type;
		int64_t signing_time_at = -1;
		make(times[i].at, SPAN(NULL, 0), FAULT_NONE, &der);
		assert_non_null(memmem(der.data, der.length, times[i].der, times[i].length));
		assert_int_equal(signed_object_decode(bytes_span(&der), &type, &its_content, &its_ee, &signing_time_at, NULL),
			FAULT_NONE);
		assert_int_equal(signing_time_at, times[i].at);
		const unsigned char *at = der.data;
		AUTO(CMS_ContentInfo, CMS_ContentInfo_free) cms = d2i_CMS_ContentInfo(NULL, &at, (long)der.length);
		assert_int_equal(CMS_verify(cms, NULL, NULL, NULL, NULL, CMS_NO_SIGNER_CERT_VERIFY | CMS_BINARY), 1);
	}
}

static void
signed_object__refuses_what_makes_no_object(void **state)
{
	(void)state;
	AUTO_CLEAR(struct bytes, bytes_clear) der = BYTES_INIT;
	make(-1, SPAN(NULL, 0), FAULT_INVALID, &der);
	make(SIGNED_AT, bytes_span(&ee), FAULT_CRYPTO, &der); /* the certificate of another key */
	make(SIGNED_AT, bytes_span(&content), FAULT_MALFORMED, &der);
	AUTO(struct onetime_key, onetime_key_free) key = NULL;
	AUTO_CLEAR(struct bytes, bytes_clear) own = BYTES_INIT;
	AUTO(uint8_t, free) huge = calloc(1, SIGNED_OBJECT_SIZE_MAX);
	assert_int_equal(key_pool_take(sample.pool, &key, NULL), FAULT_NONE);
	struct certificate_fields fields = sample_ca_fields(&sample, CERTIFICATE_EE, onetime_key_spki(key));
	sample_ca_certificate(&sample, &fields, &own);
	assert_int_equal(signed_object_make(CONTENT_MANIFEST, SPAN(huge, SIGNED_OBJECT_SIZE_MAX), bytes_span(&own), SIGNED_AT,
		key, &der, NULL), FAULT_TOO_LARGE);
	assert_null(der.data);
}

static const struct {
	const char *from, *to;
} broken[] = {
	{ "OID 1.2.840.113549.1.7.2 ", "OID 1.2.840.113549.1.7.1 " },
	{ "OID 1.2.840.113549.1.7.2 [0] {", "OID 1.2.840.113549.1.7.2 [1] {" },
	{ "[0] { SEQUENCE { INTEGER 3\n", "[0] { SEQUENCE { INTEGER 1\n" },
	{ "[0] { SEQUENCE { INTEGER 3\n", "[0] { SEQUENCE { INTEGER 3 NULL\n" },
	{ "SET { SEQUENCE { OID 2.16.840.1.101.3.4.2.1 } }\n", "SET { }\n" },
	{ "SET { SEQUENCE { OID 2.16.840.1.101.3.4.2.1 } }\n", "SET { SEQUENCE { OID 2.16.840.1.101.3.4.2.1 NULL } }\n" },
	{ "SET { SEQUENCE { OID 2.16.840.1.101.3.4.2.1 } }\n", "SET { SEQUENCE { OID 2.16.840.1.101.3.4.2.2 } }\n" },
	{ "SET { SEQUENCE { OID 2.16.840.1.101.3.4.2.1 } }\n",
		"SET { SEQUENCE { OID 2.16.840.1.101.3.4.2.1 } SEQUENCE { OID 2.16.840.1.101.3.4.2.2 } }\n" },
	{ "OID 1.2.840.113549.1.9.16.1.24 [0] { OCTETS", "OID 1.2.840.113549.1.9.16.1.49 [0] { OCTETS" },
	{ "OID 1.2.840.113549.1.9.16.1.24 [0] { OCTETS", "OID 1.2.840.113549.1.9.16.1.26 [0] { OCTETS" },
	{ "OID 1.2.840.113549.1.9.16.1.24 [0] { OCTETS", "OID 1.2.840.113549.1.9.16.1.24 [0] { BITS" },
	{ "\n[0] { =30", "\n[1] { } [0] { =30" },
	{ "\n[0] { =30", "\n[0] { NULL =30" },
	{ "\n[0] { =30", "\n[0] { =31" },
	{ "}\nSET { SEQUENCE { INTEGER 3 ", "}\n[1] { }\nSET { SEQUENCE { INTEGER 3 " },      /* CRLs */
	{ "}\nSET { SEQUENCE { INTEGER 3 ", "}\nSET { SEQUENCE { INTEGER 1 " },
	{ "}\nSET { SEQUENCE { INTEGER 3 [0] ", "}\nSET { SEQUENCE { INTEGER 3 [1] " },
	{ "}\nSET { SEQUENCE { INTEGER 3 [0] ", "}\nSET { SEQUENCE { INTEGER 3 [0] 00" },
	{ "}\nSET { SEQUENCE { INTEGER 3 ", "}\nSET { } SET { SEQUENCE { INTEGER 3 " },
	{ " SEQUENCE { OID 2.16.840.1.101.3.4.2.1 }\n[0] {", " SEQUENCE { OID 2.16.840.1.101.3.4.2.1 NULL }\n[0] {" },
	{ " SEQUENCE { OID 2.16.840.1.101.3.4.2.1 }\n[0] {", " SEQUENCE { OID 2.16.840.1.101.3.4.2.3 }\n[0] {" },
	{ "SET { OID 1.2.840.113549.1.9.16.1.24 }", "SET { OID 1.2.840.113549.1.9.16.1.26 }" },
	{ "SET { OID 1.2.840.113549.1.9.16.1.24 }", "SET { }" },
	{ "SET { OID 1.2.840.113549.1.9.16.1.24 }", "SET { OID 1.2.840.113549.1.9.16.1.24 OID 1.2.840.113549.1.9.16.1.24 }" },
	{ "SET { OID 1.2.840.113549.1.9.16.1.24 }", "SET { NULL }" },
	{ "SET { OID 1.2.840.113549.1.9.16.1.24 }", "SET { =0600 }" },
	{ "SEQUENCE { OID 1.2.840.113549.1.9.5 SET { UTC \"261123000000Z\" } }\n", "" },
	{ "SEQUENCE { OID 1.2.840.113549.1.9.5 ", "SEQUENCE { OID 1.2.840.113549.1.9.16.2.46 " },
	{ "SEQUENCE { OID 1.2.840.113549.1.9.5 ", "SEQUENCE { OID 1.2.840.113549.1.9.3 " },
	{ "UTC \"261123000000Z\"", "GENERALIZED \"20261123000000Z\"" },
	{ "UTC \"261123000000Z\"", "UTC \"2611230000Z\"" },
	{ "UTC \"261123000000Z\"", "PRINTABLE \"261123000000Z\"" },
	{ "UTC \"261123000000Z\"", "BOOLEAN ff" },
	{ "UTC \"261123000000Z\"", "INTEGER 1" },
	{ "OID 1.2.840.113549.1.9.4 SET { OCTETS ", "OID 1.2.840.113549.1.9.4 SET { OCTETS 00" },
	{ "OID 1.2.840.113549.1.9.4 SET { OCTETS ", "OID 1.2.840.113549.1.9.4 SET { [4] " },
	{ "OID 1.2.840.113549.1.1.1 NULL", "OID 1.2.840.113549.1.1.11 NULL" },
	{ "OID 1.2.840.113549.1.1.1 NULL", "OID 1.2.840.113549.1.1.1" },
	{ "OID 1.2.840.113549.1.1.1 NULL }\nOCTETS ", "OID 1.2.840.113549.1.1.1 NULL }\nOCTETS 00" },
	{ "OID 1.2.840.113549.1.1.1 NULL }\nOCTETS ", "OID 1.2.840.113549.1.1.1 NULL }\n[1] { } OCTETS " },
	{ " } } } } }", " [1] { } } } } } }" },                                               /* unsigned attributes */
	{ " } } } } }", " } } NULL } } }" },
	{ " } } } } }", " } } } } } NULL" },
};

static enum fault_code
decode(const struct bytes *der, struct fault *fault)
{
	AUTO_CLEAR(struct bytes, bytes_clear) its_content = BYTES_INIT;
	AUTO_CLEAR(struct bytes, bytes_clear) its_ee = BYTES_INIT;
	enum content_type type;
	int64_t signing_time_at;
	AUTO(uint8_t, free) exact = malloc(der->length + 1);
	memcpy(exact, der->data, der->length);
	enum fault_code code = signed_object_decode(SPAN(exact, der->length), &type, &its_content, &its_ee, &signing_time_at,
		fault);
	assert_true(code == FAULT_NONE || its_content.data == NULL);
	return code;
}

static void
signed_object__decoder_refuses_each_broken_rule(void **state)
{
	(void)state;
	size_t taken = 0;
	for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++) {
		AUTO_CLEAR(struct bytes, bytes_clear) der = BYTES_INIT;
		AUTO(char, free) edited = der_builder_edit(text, broken[i].from, broken[i].to);
		der_builder_encode(edited, &der);
		if (decode(&der, NULL) != FAULT_MALFORMED) {
			fprintf(stderr, "row %zu is taken: %s\n", i, broken[i].to);
			taken++;
		}
	}
	assert_int_equal(taken, 0);
}

/* Attributes in an order that isn't DER's; lengths that are too long; indefinite lengths. */
static void
signed_object__decoder_takes_der_alone(void **state)
{
	(void)state;
	AUTO_CLEAR(struct bytes, bytes_clear) der = BYTES_INIT;
	AUTO_CLEAR(struct bytes, bytes_clear) ber = BYTES_INIT;
	static const char time[] = "SEQUENCE { OID 1.2.840.113549.1.9.5 SET { UTC \"261123000000Z\" } }\n";
	static const char type[] = "SEQUENCE { OID 1.2.840.113549.1.9.3 SET { OID 1.2.840.113549.1.9.16.1.24 } }\n";
	AUTO(char, free) without = der_builder_edit(text, time, "");
	char both[512];
	(void)snprintf(both, sizeof both, "%s%s", time, type);
	AUTO(char, free) turned = der_builder_edit(without, type, both);
	der_builder_encode(turned, &der);
	assert_int_equal(decode(&der, NULL), FAULT_MALFORMED);
	/* The outermost SEQUENCE with an indefinite length, which OpenSSL's own decoder takes. */
	assert_memory_equal(object.data, "\x30\x82", 2);
	assert_int_equal(bytes_append(&ber, "\x30\x80", 2, NULL), FAULT_NONE);
	assert_int_equal(bytes_append(&ber, object.data + 4, object.length - 4, NULL), FAULT_NONE);
	assert_int_equal(bytes_append(&ber, "\0\0", 2, NULL), FAULT_NONE);
	const unsigned char *at = ber.data;
	AUTO(CMS_ContentInfo, CMS_ContentInfo_free) cms = d2i_CMS_ContentInfo(NULL, &at, (long)ber.length);
	assert_non_null(cms);
	assert_int_equal(decode(&ber, NULL), FAULT_MALFORMED);
	bytes_reset(&ber);
	assert_int_equal(bytes_append(&ber, "\x30\x83\x00", 3, NULL), FAULT_NONE);
	assert_int_equal(bytes_append(&ber, object.data + 2, object.length - 2, NULL), FAULT_NONE);
	assert_int_equal(decode(&ber, NULL), FAULT_MALFORMED);
}

static void
signed_object__decoder_refuses_a_ca_certificate(void **state)
{
	(void)state;
	AUTO_CLEAR(struct bytes, bytes_clear) ca = BYTES_INIT;
	AUTO_CLEAR(struct bytes, bytes_clear) der = BYTES_INIT;
	static const uint8_t signature[RSA_SIGNATURE_SIZE];
	struct certificate_fields fields = sample_ca_fields(&sample, CERTIFICATE_CA, bytes_span(&sample.spki));
	sample_ca_certificate(&sample, &fields, &ca);
	AUTO(char, free) attributes = lint_fixture_attributes(LINT_FIXTURE_ROA_OID, bytes_span(&content));
	AUTO(char, free) by_hand = lint_fixture_signed_object(LINT_FIXTURE_ROA_OID, bytes_span(&content), bytes_span(&ca),
		sample.identifier, attributes, SPAN(signature, sizeof signature));
	der_builder_encode(by_hand, &der);
	assert_int_equal(decode(&der, NULL), FAULT_MALFORMED);
}

static void
signed_object__decoder_survives_damage(void **state)
{
	(void)state;
	struct bytes part = object;
	for (part.length = 0; part.length < object.length; part.length++)
		assert_int_equal(decode(&part, NULL), FAULT_MALFORMED);
	for (size_t i = 0; i < object.length; i++) {
		object.data[i] ^= (uint8_t)(1U << i % 8);
		enum fault_code code = decode(&object, NULL);
		assert_true(code == FAULT_NONE || code == FAULT_MALFORMED);
		object.data[i] ^= (uint8_t)(1U << i % 8);
	}
	struct bytes huge = { .data = calloc(1, SIGNED_OBJECT_SIZE_MAX + 1), .length = SIGNED_OBJECT_SIZE_MAX + 1 };
	assert_int_equal(decode(&huge, NULL), FAULT_TOO_LARGE);
	free(huge.data);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(signed_object__is_as_written_by_hand),
		cmocka_unit_test(signed_object__comes_apart_again),
		cmocka_unit_test(signed_object__openssl_verifies_it),
		cmocka_unit_test(signed_object__any_content_stays_as_it_is),
		cmocka_unit_test(signed_object__signing_time_changes_its_form_in_2050),
		cmocka_unit_test(signed_object__refuses_what_makes_no_object),
		cmocka_unit_test(signed_object__decoder_refuses_each_broken_rule),
		cmocka_unit_test(signed_object__decoder_takes_der_alone),
		cmocka_unit_test(signed_object__decoder_refuses_a_ca_certificate),
		cmocka_unit_test(signed_object__decoder_survives_damage),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
