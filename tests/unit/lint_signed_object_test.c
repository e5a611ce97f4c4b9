#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include "ca/lint/lint.h"
#include "tests/support/der_builder.h"
#include "tests/support/lint_fixture.h"

/* Made once, at start: the CA's key and the EE's. */
static EVP_PKEY *keys[2];
static char *moduli[2];

static int
keys_make(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		BIGNUM *modulus = NULL;
		keys[i] = EVP_RSA_gen(2048);
		assert_non_null(keys[i]);
		assert_int_equal(EVP_PKEY_get_bn_param(keys[i], "n", &modulus), 1);
		char *digits = BN_bn2hex(modulus);
		assert_non_null(digits);
		moduli[i] = strdup(digits);
		for (char *digit = moduli[i]; *digit != '\0'; digit++)
			*digit = *digit >= 'A' ? (char)(*digit - 'A' + 'a') : *digit;
		OPENSSL_free(digits);
		BN_free(modulus);
	}
	return 0;
}

static int
keys_free(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		EVP_PKEY_free(keys[i]);
		free(moduli[i]);
	}
	return 0;
}

static void
sign(EVP_PKEY *key, const EVP_MD *digest, struct span message, uint8_t signature[256])
{
	size_t length = 256;
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	assert_int_equal(EVP_DigestSignInit(context, NULL, digest, NULL, key), 1);
	assert_int_equal(EVP_DigestSign(context, signature, &length, message.data, message.length), 1);
	assert_int_equal(length, 256);
	EVP_MD_CTX_free(context);
}

static void
encode(const char *text, struct bytes *der)
{
	bytes_reset(der);
	der_builder_encode(text, der);
}

/* A signed object with all its parts. */
struct signed_fixture {
	struct lint_fixture fixture;
	const char *content_type;
	struct bytes content, ee_tbs, ee;
	char *attributes;
	uint8_t signature[256];
	char *text;                     /* of the whole */
	struct lint_signed_wanted wanted;
};

static void
certificate_sign(struct signed_fixture *f, EVP_PKEY *key)
{
	uint8_t signature[256];
	sign(key, EVP_sha256(), bytes_span(&f->ee_tbs), signature);
	char *text = lint_fixture_envelope(bytes_span(&f->ee_tbs), SPAN(signature, 256));
	encode(text, &f->ee);
	free(text);
}

static void
attributes_sign(struct signed_fixture *f, EVP_PKEY *key, const EVP_MD *digest)
{
	struct bytes text = BYTES_INIT, der = BYTES_INIT;
	assert_int_equal(bytes_printf(&text, NULL, "SET { %s }", f->attributes), FAULT_NONE);
	encode(bytes_text(&text), &der);
	sign(key, digest, bytes_span(&der), f->signature);
	bytes_clear(&text);
	bytes_clear(&der);
}

static void
object_make(struct signed_fixture *f)
{
	free(f->text);
	f->text = lint_fixture_signed_object(f->content_type, bytes_span(&f->content), bytes_span(&f->ee),
		f->fixture.subject_identifier,
		f->attributes, SPAN(f->signature, 256));
}

static void
signed_init(struct signed_fixture *f, bool manifest)
{
	*f = (struct signed_fixture){ .content_type = manifest ? LINT_FIXTURE_MANIFEST_OID : LINT_FIXTURE_ROA_OID };
	lint_fixture_init(&f->fixture, manifest ? LINT_FIXTURE_MANIFEST : LINT_FIXTURE_ROA, moduli[0], moduli[1]);
	char *content = manifest ? lint_fixture_manifest() : lint_fixture_roa();
	char *tbs = lint_fixture_certificate(&f->fixture);
	encode(content, &f->content);
	encode(tbs, &f->ee_tbs);
	free(content);
	free(tbs);
	f->attributes = lint_fixture_attributes(f->content_type, bytes_span(&f->content));
	certificate_sign(f, keys[0]);
	attributes_sign(f, keys[1], EVP_sha256());
	object_make(f);
	f->wanted = (struct lint_signed_wanted){
		.manifest = manifest,
		.content = bytes_span(&f->content),
		.ee_tbs = bytes_span(&f->ee_tbs),
		.signing_time_at = LINT_FIXTURE_BEFORE,
	};
}

static void
signed_clear(struct signed_fixture *f)
{
	lint_fixture_clear(&f->fixture);
	bytes_clear(&f->content);
	bytes_clear(&f->ee_tbs);
	bytes_clear(&f->ee);
	free(f->attributes);
	free(f->text);
}

static enum fault_code
look_at(const struct signed_fixture *f, struct fault *fault)
{
	struct bytes der = BYTES_INIT;
	der_builder_encode(f->text, &der);
	enum fault_code code = lint_signed_object(bytes_span(&der), &f->fixture.issuer, &f->wanted, fault);
	bytes_clear(&der);
	return code;
}

/* Rows are looked at through the fixture inside a signed_fixture. */
static enum fault_code
look(struct span der, const struct lint_fixture *fixture, struct fault *fault)
{
	const struct signed_fixture *f = (const struct signed_fixture *)(const void *)fixture;
	return lint_signed_object(der, &f->fixture.issuer, &f->wanted, fault);
}

static void
lint_signed_object__takes_good_ones(void **state)
{
	(void)state;
	for (int manifest = 0; manifest < 2; manifest++) {
		struct signed_fixture f;
		struct fault fault = FAULT_INIT;
		signed_init(&f, manifest != 0);
		if (look_at(&f, &fault) != FAULT_NONE)
			fail_msg("%s", fault.message);
		signed_clear(&f);
	}
}

#define SHA256 "SEQUENCE { OID 2.16.840.1.101.3.4.2.1 }"
#define CONTENT_TYPE "SEQUENCE { OID 1.2.840.113549.1.9.3 SET { OID 1.2.840.113549.1.9.16.1.24 } }"
#define SIGNING_TIME "SEQUENCE { OID 1.2.840.113549.1.9.5 SET { UTC \"261123000000Z\" } }"
#define SIGNED_DATA "SEQUENCE { OID 1.2.840.113549.1.7.2"
#define SIGNER "SET { SEQUENCE { INTEGER 3 [0] "
#define RSA_OF_SIGNER "SEQUENCE { OID 1.2.840.113549.1.1.1 NULL }"

static const struct lint_fixture_row rows[] = {
	{ "not SignedData", SIGNED_DATA, "SEQUENCE { OID 1.2.840.113549.1.7.1", "§2.1: contentType isn't id-signedData" },
	{ "SignedData version 1", "SEQUENCE { INTEGER 3\n", "SEQUENCE { INTEGER 1\n", "§2.1.1: version isn't 3" },
	{ "SHA-1", "SET { " SHA256 " }", "SET { SEQUENCE { OID 1.3.14.3.2.26 } }", "§2.1.2: digestAlgorithms isn't id-sha256" },
	{ "digest with NULL", "SET { " SHA256 " }", "SET { SEQUENCE { OID 2.16.840.1.101.3.4.2.1 NULL } }",
		"§2.1.2: digestAlgorithms: has something behind" },
	{ "two digests", "SET { " SHA256 " }", "SET { " SHA256 " " SHA256 " }", "§2.1.2: digestAlgorithms has more than one" },
	{ "no digest", "SET { " SHA256 " }", "SET { }", "§2.1.2: digestAlgorithms: is missing" },
	{ "a manifest's type", "SEQUENCE { OID 1.2.840.113549.1.9.16.1.24 [0]", "SEQUENCE { OID 1.2.840.113549.1.9.16.1.26 [0]",
		"§2.1.3.1: eContentType isn't id-ct-routeOriginAuthz" },
	{ "eContent without its tag", "[0] { OCTETS {", "[1] { OCTETS {", "§2.1.3.2: eContent: tag is a1" },
	{ "eContent as SEQUENCE", "[0] { OCTETS {", "[0] { SEQUENCE {", "§2.1.3.2: eContent: tag is 30" },
	{ "eContent in pieces", "[0] { OCTETS {", "[0] { =2400 OCTETS {",
		"§2.1: signed object: has a type that RPKI objects don't have" },
	{ "another content", "OCTETS { =30", "OCTETS { =31", "§2.1.3.2: eContent isn't the content that was linted" },
	{ "no certificate", "} } }\n[0] { =", "} } }\n[0] { } [0] { =", "§2.1.4: certificates: is missing" },
	{ "two certificates", "} } }\n[0] { =", "} } }\n[0] { SEQUENCE { } =", "§2.1.4: certificates has more than the EE's" },
	{ "another certificate behind", "}\n" SIGNER, "SEQUENCE { } }\n" SIGNER, "§2.1.4: certificates has more than the EE's" },
	{ "a CRL", "}\n" SIGNER, "}\n[1] { SEQUENCE { } } " SIGNER, "§2.1.5: crls is there" },
	{ "SignerInfo version 1", SIGNER, "SET { SEQUENCE { INTEGER 1 [0] ", "§2.1.6.1: version isn't 3" },
	{ "signer by issuer and serial", SIGNER, "SET { SEQUENCE { INTEGER 3 SEQUENCE { } [0] ", "§2.1.6.2: sid: tag is 30" },
	{ "another signer", SIGNER, SIGNER "00", "§2.1.6.2: sid isn't the EE's key identifier" },
	{ "two signers", " } } } } }", " } SEQUENCE { =0500 } } } } }",
		"§2.1: signed object: elements of SET OF aren't in ascending order" },
	{ "two signers in order", " } } } } }", " } [0] { } } } } }", "§2.1.6: signerInfos has more than one SignerInfo" },
	{ "no signer", SIGNER, "SET { } " SIGNER, "§2.1.6: signerInfos: is missing" },
	{ "signer with SHA-1", " " SHA256 "\n[0] {", " SEQUENCE { OID 1.3.14.3.2.26 }\n[0] {",
		"§2.1.6.3: digestAlgorithm isn't id-sha256" },
	{ "signer's digest with NULL", " " SHA256 "\n[0] {", " SEQUENCE { OID 2.16.840.1.101.3.4.2.1 NULL }\n[0] {",
		"§2.1.6.3: digestAlgorithm: has something behind" },
	{ "no content-type", CONTENT_TYPE "\n", "", "§2.1.6.4.1: content-type is missing" },
	{ "another content-type", "SET { OID 1.2.840.113549.1.9.16.1.24 }", "SET { OID 1.2.840.113549.1.9.16.1.26 }",
		"§2.1.6.4.1: content-type isn't id-ct-routeOriginAuthz" },
	{ "content-type twice", CONTENT_TYPE, CONTENT_TYPE CONTENT_TYPE, "§2.1.6.4.1: content-type is there twice" },
	{ "two content-types in one", "SET { OID 1.2.840.113549.1.9.16.1.24 }", "SET { OID 1.2.840.113549.1.9.16.1.24 "
		"OID 1.2.840.113549.1.9.16.1.24 }", "§2.1.6.4: signedAttrs: elements of SET OF aren't in ascending order" },
	{ "no signing-time", SIGNING_TIME "\n", "", "RFC 9589 §4: signing-time is missing" },
	{ "another signing-time", "UTC \"261123000000Z\"", "UTC \"261123000001Z\"",
		"RFC 9589 §4: signing-time isn't the one meant" },
	{ "signing-time as GeneralizedTime", SIGNING_TIME,
		"SEQUENCE { OID 1.2.840.113549.1.9.5 SET { GENERALIZED \"20261123000000Z\" } }",
		"RFC 9589 §4: signing-time: is a GeneralizedTime before 2050" },
	{ "binary-signing-time", CONTENT_TYPE, "SEQUENCE { OID 1.2.840.113549.1.9.16.2.46 SET { INTEGER 1 } } " CONTENT_TYPE,
		"§2.1.6.4: signedAttrs has one that must not be there" },
	{ "smimeCapabilities", CONTENT_TYPE, "SEQUENCE { OID 1.2.840.113549.1.9.15 SET { SEQUENCE { } } } " CONTENT_TYPE,
		"§2.1.6.4: signedAttrs has one that must not be there" },
	{ "no message-digest", "SEQUENCE { OID 1.2.840.113549.1.9.4 ", "SEQUENCE { OID 1.2.840.113549.1.9.8 ",
		"§2.1.6.4: signedAttrs has one that must not be there" },
	{ "another message-digest", "OID 1.2.840.113549.1.9.4 SET { OCTETS ", "OID 1.2.840.113549.1.9.4 SET { OCTETS 00",
		"§2.1.6.4.2: message-digest isn't the content's SHA-256" },
	{ "attributes out of order", CONTENT_TYPE "\n" SIGNING_TIME, SIGNING_TIME "\n" CONTENT_TYPE,
		"§2.1.6.4: signedAttrs: elements of SET OF aren't in ascending order" },
	{ "attribute without a value", "SET { OID 1.2.840.113549.1.9.16.1.24 }", "SET { }",
		"§2.1.6.4.1: content-type: is missing" },
	{ "sha256WithRSAEncryption", RSA_OF_SIGNER, "SEQUENCE { OID 1.2.840.113549.1.1.11 NULL }",
		"§2.1.6.5: signatureAlgorithm isn't rsaEncryption" },
	{ "no parameters", RSA_OF_SIGNER, "SEQUENCE { OID 1.2.840.113549.1.1.1 }", "§2.1.6.5: signatureAlgorithm: is missing" },
	{ "signature of 257 octets", RSA_OF_SIGNER "\nOCTETS ", RSA_OF_SIGNER "\nOCTETS 00",
		"§2.1.6.6: signature hasn't 2048 bits" },
	{ "unsigned attributes", " } } } } }", " [1] { SEQUENCE { } } } } } } }", "§2.1.6.7: unsignedAttrs is there" },
	{ "something behind the signers", " } } } } }", " } } NULL } } }", "§2.1: signed object: has something behind" },
	{ "something behind SignedData", " } } } } }", " } } } NULL } }", "§2.1: signed object: has something behind" },
	{ "something behind the object", " } } } } }", " } } } } } NULL", "§2.1: signed object: has something behind" },
};

static void
lint_signed_object__refuses_each_broken_rule(void **state)
{
	(void)state;
	struct signed_fixture f;
	signed_init(&f, false);
	size_t failures = lint_fixture_failures(f.text, rows, sizeof rows / sizeof rows[0], look, &f.fixture);
	signed_clear(&f);
	assert_int_equal(failures, 0);
}

static void
lint_signed_object__refuses_wrong_signatures(void **state)
{
	(void)state;
	struct signed_fixture f;
	struct fault fault = FAULT_INIT;
	signed_init(&f, false);
	attributes_sign(&f, keys[0], EVP_sha256());
	object_make(&f);
	assert_true(lint_fixture_refused("CA's key", look_at(&f, &fault), &fault, "RFC 6488 §2.1.6.6: signature doesn't verify"));
	attributes_sign(&f, keys[1], EVP_sha512());
	object_make(&f);
	assert_true(lint_fixture_refused("SHA-512", look_at(&f, &fault), &fault, "RFC 6488 §2.1.6.6: signature doesn't verify"));
	attributes_sign(&f, keys[1], EVP_sha256());
	f.signature[100] ^= 1;
	object_make(&f);
	assert_true(lint_fixture_refused("one bit", look_at(&f, &fault), &fault, "RFC 6488 §2.1.6.6: signature doesn't verify"));
	f.signature[100] ^= 1;
	certificate_sign(&f, keys[1]);
	object_make(&f);
	assert_true(lint_fixture_refused("EE's key", look_at(&f, &fault), &fault,
		"RFC 6487 §7.2: the EE certificate's signature doesn't verify"));
	certificate_sign(&f, keys[0]);
	object_make(&f);
	assert_int_equal(look_at(&f, &fault), FAULT_NONE);
	signed_clear(&f);
}

static void
lint_signed_object__refuses_what_is_not_meant(void **state)
{
	(void)state;
	struct signed_fixture f;
	struct fault fault = FAULT_INIT;
	signed_init(&f, false);
	f.wanted.content.length--;
	assert_true(lint_fixture_refused("content", look_at(&f, &fault), &fault,
		"§2.1.3.2: eContent isn't the content that was linted"));
	f.wanted.content.length++;
	f.wanted.manifest = true;
	assert_true(lint_fixture_refused("type", look_at(&f, &fault), &fault, "§4.2.1: thisUpdate: tag is 30"));
	f.wanted.manifest = false;
	f.wanted.signing_time_at++;
	assert_true(lint_fixture_refused("time", look_at(&f, &fault), &fault, "signing-time isn't the one meant"));
	f.wanted.signing_time_at--;
	f.ee_tbs.data[12] ^= 1;
	assert_true(lint_fixture_refused("tbs", look_at(&f, &fault), &fault,
		"§2.1.4: certificates: what was signed isn't what was linted"));
	signed_clear(&f);
}

/* The caller's certificate and content, each good by itself, but not made for each other. */
static void
lint_signed_object__demands_a_manifest_as_long_as_its_certificate(void **state)
{
	(void)state;
	struct signed_fixture f;
	struct fault fault = FAULT_INIT;
	signed_init(&f, true);
	char *tbs = lint_fixture_certificate(&f.fixture);
	char *longer = der_builder_edit(tbs, "UTC \"261125000000Z\"", "UTC \"261125000001Z\"");
	encode(longer, &f.ee_tbs);
	f.wanted.ee_tbs = bytes_span(&f.ee_tbs);
	certificate_sign(&f, keys[0]);
	object_make(&f);
	assert_true(lint_fixture_refused("longer", look_at(&f, &fault), &fault,
		"RFC 9286 §5.1: validity of the manifest's certificate"));
	char *shorter = der_builder_edit(tbs, "UTC \"261125000000Z\"", "UTC \"261122235959Z\"");
	encode(shorter, &f.ee_tbs);
	f.wanted.ee_tbs = bytes_span(&f.ee_tbs);
	certificate_sign(&f, keys[0]);
	object_make(&f);
	assert_true(lint_fixture_refused("shorter", look_at(&f, &fault), &fault,
		"RFC 9286 §5.1: validity of the manifest's certificate"));
	free(shorter);
	free(longer);
	free(tbs);
	signed_clear(&f);
}

static void
lint_signed_object__refuses_a_signing_time_behind_the_certificate(void **state)
{
	(void)state;
	struct signed_fixture f;
	struct fault fault = FAULT_INIT;
	signed_init(&f, false);
	char *late = der_builder_edit(f.attributes, "UTC \"261123000000Z\"", "UTC \"261125000001Z\"");
	free(f.attributes);
	f.attributes = late;
	f.wanted.signing_time_at = LINT_FIXTURE_AFTER + 1;
	attributes_sign(&f, keys[1], EVP_sha256());
	object_make(&f);
	assert_true(lint_fixture_refused("late", look_at(&f, &fault), &fault, "RFC 9589 §4: signing-time lies behind"));
	signed_clear(&f);
}

static void
lint_signed_object__refuses_truncation_and_each_changed_octet(void **state)
{
	(void)state;
	struct signed_fixture f;
	struct bytes der = BYTES_INIT;
	signed_init(&f, true);
	encode(f.text, &der);
	for (size_t length = 0; length < der.length; length++)
		assert_int_equal(lint_signed_object(SPAN(der.data, length), &f.fixture.issuer, &f.wanted, NULL), FAULT_LINT);
	for (size_t i = 0; i < der.length; i++) {
		der.data[i] ^= 0x10;
		assert_int_equal(lint_signed_object(bytes_span(&der), &f.fixture.issuer, &f.wanted, NULL), FAULT_LINT);
		der.data[i] ^= 0x10;
	}
	assert_int_equal(lint_signed_object(bytes_span(&der), &f.fixture.issuer, &f.wanted, NULL), FAULT_NONE);
	bytes_clear(&der);
	signed_clear(&f);
}

/* Certificates and CRLs: the same envelope. */

static void
tbs_make(bool crl, struct bytes *tbs, struct lint_fixture *fixture)
{
	lint_fixture_init(fixture, LINT_FIXTURE_CA, moduli[0], moduli[1]);
	char *text = crl ? lint_fixture_crl(fixture) : lint_fixture_certificate(fixture);
	encode(text, tbs);
	free(text);
}

static enum fault_code
look_at_envelope(const char *text, bool crl, struct span tbs, const struct lint_issuer *issuer, struct fault *fault)
{
	struct bytes der = BYTES_INIT;
	der_builder_encode(text, &der);
	enum fault_code code = crl ? lint_signed_crl(bytes_span(&der), tbs, issuer, fault) :
		lint_signed_certificate(bytes_span(&der), tbs, issuer, fault);
	bytes_clear(&der);
	return code;
}

#define ALGORITHM "\nSEQUENCE { OID 1.2.840.113549.1.1.11 NULL } \n"

static const struct lint_fixture_row envelope_rows[] = {
	{ "another algorithm", ALGORITHM, "SEQUENCE { OID 1.2.840.113549.1.1.12 NULL }", "isn't sha256WithRSAEncryption" },
	{ "no parameters", ALGORITHM, "SEQUENCE { OID 1.2.840.113549.1.1.11 }", "is missing" },
	{ "no algorithm", ALGORITHM, "", "tag is 03, not 30" },
	{ "two algorithms", ALGORITHM, ALGORITHM ALGORITHM, "tag is 30, not 03" },
	{ "signature as OCTET STRING", "\nBITS ", "\nOCTETS { } BITS ", "tag is 04, not 03" },
	{ "signature of 2056 bits", "\nBITS ", "\nBITS 00", "signatureValue hasn't 2048 bits" },
	{ "something behind", "/0 }", "/0 NULL }", "has something behind" },
	{ "something behind it all", "/0 }", "/0 } NULL", "has something behind" },
	{ "something in front", "SEQUENCE { =", "SEQUENCE { SEQUENCE { } =", "what was signed isn't what was linted" },
};

static struct {
	bool crl;
	struct span tbs;
} envelope_look;

static enum fault_code
look_in_envelope(struct span der, const struct lint_fixture *fixture, struct fault *fault)
{
	return envelope_look.crl ? lint_signed_crl(der, envelope_look.tbs, &fixture->issuer, fault) :
		lint_signed_certificate(der, envelope_look.tbs, &fixture->issuer, fault);
}

static void
lint_signed__takes_good_ones_and_refuses_each_broken_rule(void **state)
{
	(void)state;
	for (int crl = 0; crl < 2; crl++) {
		struct lint_fixture fixture;
		struct bytes tbs = BYTES_INIT;
		struct fault fault = FAULT_INIT;
		uint8_t signature[256];
		tbs_make(crl != 0, &tbs, &fixture);
		sign(keys[0], EVP_sha256(), bytes_span(&tbs), signature);
		char *text = lint_fixture_envelope(bytes_span(&tbs), SPAN(signature, 256));
		if (look_at_envelope(text, crl != 0, bytes_span(&tbs), &fixture.issuer, &fault) != FAULT_NONE)
			fail_msg("%s", fault.message);
		envelope_look.crl = crl != 0;
		envelope_look.tbs = bytes_span(&tbs);
		assert_int_equal(lint_fixture_failures(text, envelope_rows, sizeof envelope_rows / sizeof envelope_rows[0],
			look_in_envelope,
			&fixture), 0);
		free(text);
		bytes_clear(&tbs);
		lint_fixture_clear(&fixture);
	}
}

static void
lint_signed__refuses_wrong_signatures_and_other_tbs(void **state)
{
	(void)state;
	for (int crl = 0; crl < 2; crl++) {
		struct lint_fixture fixture;
		struct bytes tbs = BYTES_INIT;
		struct fault fault = FAULT_INIT;
		uint8_t signature[256];
		tbs_make(crl != 0, &tbs, &fixture);
		sign(keys[1], EVP_sha256(), bytes_span(&tbs), signature);
		char *text = lint_fixture_envelope(bytes_span(&tbs), SPAN(signature, 256));
		enum fault_code code = look_at_envelope(text, crl != 0, bytes_span(&tbs), &fixture.issuer, &fault);
		assert_true(lint_fixture_refused("another key", code, &fault, "signature doesn't verify"));
		tbs.data[12] ^= 1;
		code = look_at_envelope(text, crl != 0, bytes_span(&tbs), &fixture.issuer, &fault);
		assert_true(lint_fixture_refused("another tbs", code, &fault, "what was signed isn't what was linted"));
		free(text);
		bytes_clear(&tbs);
		lint_fixture_clear(&fixture);
	}
}

/* A TBS that was never linted isn't let through because somebody signed it. */
static void
lint_signed__demands_der_throughout(void **state)
{
	(void)state;
	struct lint_fixture fixture;
	struct bytes tbs = BYTES_INIT;
	struct fault fault = FAULT_INIT;
	uint8_t signature[256];
	lint_fixture_init(&fixture, LINT_FIXTURE_CA, moduli[0], moduli[1]);
	der_builder_encode("SEQUENCE { SEQUENCE { =028100 =02020001 } }", &tbs);
	sign(keys[0], EVP_sha256(), bytes_span(&tbs), signature);
	char *text = lint_fixture_envelope(bytes_span(&tbs), SPAN(signature, 256));
	enum fault_code code = look_at_envelope(text, false, bytes_span(&tbs), &fixture.issuer, &fault);
	assert_true(lint_fixture_refused("DER", code, &fault, "RFC 6487 §4: Certificate: length isn't in its shortest form"));
	free(text);
	bytes_clear(&tbs);
	lint_fixture_clear(&fixture);
}

static void
lint_signed__has_limits_of_size(void **state)
{
	(void)state;
	struct signed_fixture f;
	struct fault fault = FAULT_INIT;
	size_t size = 4000001;
	uint8_t *large = calloc(size, 1);
	assert_non_null(large);
	signed_init(&f, false);
	const struct lint_issuer *issuer = &f.fixture.issuer;
	for (size_t i = 0; i < 2; i++) {
		struct span der = SPAN(large, i == 0 ? 99 : size);
		assert_true(lint_fixture_refused("size", lint_signed_certificate(der, der, issuer, &fault), &fault,
			"size isn't within"));
		assert_true(lint_fixture_refused("size", lint_signed_crl(der, der, issuer, &fault), &fault, "size isn't within"));
		assert_true(lint_fixture_refused("size", lint_signed_object(der, issuer, &f.wanted, &fault), &fault,
			"size isn't within"));
	}
	free(large);
	signed_clear(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lint_signed_object__takes_good_ones),
		cmocka_unit_test(lint_signed_object__refuses_each_broken_rule),
		cmocka_unit_test(lint_signed_object__refuses_wrong_signatures),
		cmocka_unit_test(lint_signed_object__refuses_what_is_not_meant),
		cmocka_unit_test(lint_signed_object__demands_a_manifest_as_long_as_its_certificate),
		cmocka_unit_test(lint_signed_object__refuses_a_signing_time_behind_the_certificate),
		cmocka_unit_test(lint_signed_object__refuses_truncation_and_each_changed_octet),
		cmocka_unit_test(lint_signed__takes_good_ones_and_refuses_each_broken_rule),
		cmocka_unit_test(lint_signed__refuses_wrong_signatures_and_other_tbs),
		cmocka_unit_test(lint_signed__demands_der_throughout),
		cmocka_unit_test(lint_signed__has_limits_of_size),
	};
	return cmocka_run_group_tests_name("lint_signed_object", tests, keys_make, keys_free);
}
