#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <string.h>

#include "ca/base/metrics.h"
#include "ca/keys/private_key.h"
#include "tests/support/fixed_keys.h"

SCOPED(BIO, BIO_free_all)

static struct secret *der;
static EVP_PKEY *key;

static int
setup(void **state)
{
	(void)state;
	struct key_source source = fixed_keys_source();
	assert_int_equal(source.make(source.self, &der, NULL), FAULT_NONE);
	return private_key_decode(SPAN(der->data, der->length), &key, NULL) == FAULT_NONE ? 0 : -1;
}

static int
teardown(void **state)
{
	(void)state;
	secret_free(der);
	EVP_PKEY_free(key);
	return 0;
}

static void
private_key__signs_what_its_spki_verifies(void **state)
{
	(void)state;
	AUTO_CLEAR(struct bytes, bytes_clear) spki = BYTES_INIT;
	uint8_t signature[RSA_SIGNATURE_SIZE];
	int64_t signatures = metrics_get(METRIC_SIGNATURES), spent_ns = metrics_get(METRIC_SIGNATURE_NS);
	assert_int_equal(private_key_spki(key, &spki, NULL), FAULT_NONE);
	/* rsaEncryption with NULL parameters (RFC 7935 §3.1), 2048 bits, 65537 */
	static const uint8_t front[] = { 0x30, 0x82, 0x01, 0x22, 0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01,
		0x01, 0x01, 0x05, 0x00, 0x03, 0x82, 0x01, 0x0f, 0x00, 0x30, 0x82, 0x01, 0x0a, 0x02, 0x82, 0x01, 0x01, 0x00 };
	static const uint8_t end[] = { 0x02, 0x03, 0x01, 0x00, 0x01 };
	assert_int_equal(spki.length, sizeof front + 256 + sizeof end);
	assert_memory_equal(spki.data, front, sizeof front);
	assert_memory_equal(spki.data + sizeof front + 256, end, sizeof end);
	assert_int_equal(private_key_sign(key, SPAN("message", 7), signature, NULL), FAULT_NONE);
	const unsigned char *at = spki.data;
	AUTO(EVP_PKEY, EVP_PKEY_free) public_key = d2i_PUBKEY(NULL, &at, (long)spki.length);
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	assert_int_equal(EVP_DigestVerifyInit(context, NULL, EVP_sha256(), NULL, public_key), 1);
	assert_int_equal(EVP_DigestVerify(context, signature, sizeof signature, (const uint8_t *)"message", 7), 1);
	EVP_MD_CTX_free(context);
	assert_int_equal(metrics_get(METRIC_SIGNATURES), signatures + 1);
	assert_true(metrics_get(METRIC_SIGNATURE_NS) > spent_ns);
	assert_int_equal(private_key_prove(key, NULL), FAULT_NONE);
	assert_int_equal(metrics_get(METRIC_SIGNATURES), signatures + 1);
}

static void
private_key__damaged_der_is_refused(void **state)
{
	(void)state;
	AUTO(struct secret, secret_free) copy = NULL;
	assert_int_equal(secret_new(der->length + 1, &copy, NULL), FAULT_NONE);
	memcpy(copy->data, der->data, der->length);
	EVP_PKEY *decoded = NULL;
	for (size_t length = 0; length < der->length; length++)
		assert_int_equal(private_key_decode(SPAN(copy->data, length), &decoded, NULL), FAULT_KEY);
	assert_int_equal(private_key_decode(SPAN(copy->data, der->length + 1), &decoded, NULL), FAULT_KEY);
	assert_null(decoded);
	/* Each damaged octet: refused, or found out by the proof, or, in numbers that a signature doesn't need, harmless. */
	for (size_t i = 0; i < der->length; i += 29) {
		AUTO(EVP_PKEY, EVP_PKEY_free) damaged = NULL;
		copy->data[i] ^= 0x10;
		enum fault_code code = private_key_decode(SPAN(copy->data, der->length), &damaged, NULL);
		assert_true(code == FAULT_NONE || code == FAULT_KEY);
		if (code == FAULT_NONE && i >= 30 && i < 260)
			assert_int_equal(private_key_prove(damaged, NULL), FAULT_CRYPTO); /* the modulus */
		copy->data[i] ^= 0x10;
	}
}

/* A file's bytes: this key or another, in a form that a person may bring. */
static struct span
file_of(BIO *file)
{
	char *data = NULL;
	long length = BIO_get_mem_data(file, &data);
	return SPAN(data, (size_t)length);
}

static void
private_key__imports_each_form(void **state)
{
	(void)state;
	for (int form = 0; form < 4; form++) {
		AUTO(BIO, BIO_free_all) file = BIO_new(BIO_s_mem());
		AUTO(struct secret, secret_free) imported = NULL;
		PKCS8_PRIV_KEY_INFO *pkcs8 = EVP_PKEY2PKCS8(key);
		int written = 0;
		switch (form) {
		case 0:
			written = PEM_write_bio_PKCS8PrivateKey(file, key, NULL, NULL, 0, NULL, NULL);
			break;
		case 1:
			written = PEM_write_bio_PrivateKey_traditional(file, key, NULL, NULL, 0, NULL, NULL);
			break;
		case 2:
			written = i2d_PKCS8_PRIV_KEY_INFO_bio(file, pkcs8);
			break;
		default:
			written = BIO_write(file, der->data, (int)der->length) > 0;
		}
		PKCS8_PRIV_KEY_INFO_free(pkcs8);
		assert_int_equal(written, 1);
		assert_int_equal(private_key_import(file_of(file), &imported, NULL), FAULT_NONE);
		assert_int_equal(imported->length, der->length);
		assert_memory_equal(imported->data, der->data, der->length);
	}
}

static void
import_is_refused(EVP_PKEY *other)
{
	AUTO(EVP_PKEY, EVP_PKEY_free) owned = other;
	AUTO(BIO, BIO_free_all) file = BIO_new(BIO_s_mem());
	struct secret *imported = NULL;
	assert_non_null(owned);
	assert_int_equal(PEM_write_bio_PrivateKey(file, owned, NULL, NULL, 0, NULL, NULL), 1);
	assert_int_equal(private_key_import(file_of(file), &imported, NULL), FAULT_KEY);
	assert_null(imported);
}

static EVP_PKEY *
rsa_with(unsigned bits, unsigned exponent, unsigned primes)
{
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	EVP_PKEY *made = NULL;
	BIGNUM *e = BN_new();
	assert_int_equal(BN_set_word(e, exponent), 1);
	assert_int_equal(EVP_PKEY_keygen_init(context), 1);
	assert_int_equal(EVP_PKEY_CTX_set_rsa_keygen_bits(context, (int)bits), 1);
	assert_int_equal(EVP_PKEY_CTX_set1_rsa_keygen_pubexp(context, e), 1);
	assert_int_equal(EVP_PKEY_CTX_set_rsa_keygen_primes(context, (int)primes), 1);
	assert_int_equal(EVP_PKEY_generate(context, &made), 1);
	BN_free(e);
	EVP_PKEY_CTX_free(context);
	return made;
}

static void
private_key__import_refuses_other_keys(void **state)
{
	(void)state;
	import_is_refused(rsa_with(1024, 65537, 2));
	import_is_refused(rsa_with(2048, 257, 2));
	import_is_refused(rsa_with(2048, 65537, 3));
	import_is_refused(EVP_EC_gen("P-256"));
	import_is_refused(EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"));
}

static void
private_key__import_refuses_what_is_no_key(void **state)
{
	(void)state;
	static const char *const texts[] = { "", "x", "-----BEGIN PRIVATE KEY-----\n",
		"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
		"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "0\x82\x01\x01" };
	struct secret *imported = NULL;
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		assert_int_equal(private_key_import(SPAN(texts[i], strlen(texts[i])), &imported, NULL), FAULT_KEY);
	AUTO(uint8_t, free) long_file = calloc(1, PRIVATE_KEY_FILE_MAX + 1);
	assert_int_equal(private_key_import(SPAN(long_file, PRIVATE_KEY_FILE_MAX + 1), &imported, NULL), FAULT_KEY);
	/* its public half alone */
	AUTO_CLEAR(struct bytes, bytes_clear) spki = BYTES_INIT;
	assert_int_equal(private_key_spki(key, &spki, NULL), FAULT_NONE);
	assert_int_equal(private_key_import(bytes_span(&spki), &imported, NULL), FAULT_KEY);
	/* bytes behind it */
	memcpy(long_file, der->data, der->length);
	assert_int_equal(private_key_import(SPAN(long_file, der->length + 1), &imported, NULL), FAULT_KEY);
	/* numbers that don't belong together */
	long_file[200] ^= 1;
	assert_int_equal(private_key_import(SPAN(long_file, der->length), &imported, NULL), FAULT_KEY);
	assert_null(imported);
}

/* Nobody is there to type a password: it fails, and doesn't ask. */
static void
private_key__import_refuses_an_encrypted_key(void **state)
{
	(void)state;
	AUTO(BIO, BIO_free_all) file = BIO_new(BIO_s_mem());
	struct secret *imported = NULL;
	struct fault fault = FAULT_INIT;
	assert_int_equal(PEM_write_bio_PKCS8PrivateKey(file, key, EVP_aes_256_cbc(), "password", 8, NULL, NULL), 1);
	assert_int_equal(private_key_import(file_of(file), &imported, &fault), FAULT_KEY);
	assert_non_null(strstr(fault.message, "password"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(private_key__signs_what_its_spki_verifies),
		cmocka_unit_test(private_key__damaged_der_is_refused),
		cmocka_unit_test(private_key__imports_each_form),
		cmocka_unit_test(private_key__import_refuses_other_keys),
		cmocka_unit_test(private_key__import_refuses_what_is_no_key),
		cmocka_unit_test(private_key__import_refuses_an_encrypted_key),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
