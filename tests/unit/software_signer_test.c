#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <openssl/pem.h>
#include <openssl/x509.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "ca/base/metrics.h"
#include "ca/keys/master_key.h"
#include "ca/keys/software_signer.h"
#include "tests/support/fixed_keys.h"

#define THREADS 6
#define CA_KEYS 5

SCOPED(EVP_PKEY, EVP_PKEY_free)
SCOPED(BIO, BIO_free_all)

static struct signer *
signer_under(uint8_t octet)
{
	struct secret *master_key = NULL;
	struct signer *signer = NULL;
	assert_int_equal(secret_new(MASTER_KEY_SIZE, &master_key, NULL), FAULT_NONE);
	memset(master_key->data, octet, master_key->length);
	assert_int_equal(software_signer_new(master_key, fixed_keys_source(), &signer, NULL), FAULT_NONE);
	return signer;
}

static bool
verifies(const struct bytes *spki, struct span message, const uint8_t signature[RSA_SIGNATURE_SIZE])
{
	const unsigned char *at = spki->data;
	AUTO(EVP_PKEY, EVP_PKEY_free) key = d2i_PUBKEY(NULL, &at, (long)spki->length);
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	bool good = key != NULL && EVP_DigestVerifyInit(context, NULL, EVP_sha256(), NULL, key) == 1 &&
		EVP_DigestVerify(context, signature, RSA_SIGNATURE_SIZE, message.data, message.length) == 1;
	EVP_MD_CTX_free(context);
	return good;
}

static void
software_signer__signs_with_what_it_generated(void **state)
{
	(void)state;
	AUTO(struct signer, signer_free) signer = signer_under(1);
	AUTO_CLEAR(struct bytes, bytes_clear) handle = BYTES_INIT;
	AUTO_CLEAR(struct bytes, bytes_clear) spki = BYTES_INIT;
	uint8_t signature[RSA_SIGNATURE_SIZE], again[RSA_SIGNATURE_SIZE];
	int64_t signatures = metrics_get(METRIC_SIGNATURES), making_ns = metrics_get(METRIC_KEY_GENERATION_NS);
	assert_int_equal(signer_generate(signer, &handle, &spki, NULL), FAULT_NONE);
	/* its proof, which is a part of making it */
	assert_true(metrics_get(METRIC_KEY_GENERATION_NS) > making_ns);
	assert_int_equal(metrics_get(METRIC_SIGNATURES), signatures);
	assert_int_equal(signer_sign(signer, bytes_span(&handle), SPAN("message", 7), signature, NULL), FAULT_NONE);
	assert_true(verifies(&spki, SPAN("message", 7), signature));
	assert_false(verifies(&spki, SPAN("massage", 7), signature));
	/* from the cache; PKCS #1 v1.5 has no randomness */
	assert_int_equal(signer_sign(signer, bytes_span(&handle), SPAN("message", 7), again, NULL), FAULT_NONE);
	assert_memory_equal(signature, again, sizeof signature);
	assert_int_equal(metrics_get(METRIC_SIGNATURES), signatures + 2);
	/* nothing of it but the handle is needed: after a restart, and after it was forgotten */
	AUTO(struct signer, signer_free) restarted = signer_under(1);
	assert_int_equal(signer_sign(restarted, bytes_span(&handle), SPAN("message", 7), again, NULL), FAULT_NONE);
	assert_memory_equal(signature, again, sizeof signature);
	assert_int_equal(signer_destroy(signer, bytes_span(&handle), NULL), FAULT_NONE);
	assert_int_equal(signer_destroy(signer, bytes_span(&handle), NULL), FAULT_NONE);
	assert_int_equal(signer_sign(signer, bytes_span(&handle), SPAN("message", 7), again, NULL), FAULT_NONE);
	assert_memory_equal(signature, again, sizeof signature);
}

static void
software_signer__opens_no_handle_but_its_own(void **state)
{
	(void)state;
	AUTO(struct signer, signer_free) signer = signer_under(1);
	AUTO(struct signer, signer_free) other = signer_under(2);
	AUTO_CLEAR(struct bytes, bytes_clear) handle = BYTES_INIT;
	AUTO_CLEAR(struct bytes, bytes_clear) spki = BYTES_INIT;
	AUTO_CLEAR(struct bytes, bytes_clear) foreign = BYTES_INIT;
	uint8_t signature[RSA_SIGNATURE_SIZE] = { 0 };
	assert_int_equal(signer_generate(signer, &handle, &spki, NULL), FAULT_NONE);
	assert_int_equal(signer_sign(signer, bytes_span(&handle), SPAN("m", 1), signature, NULL), FAULT_NONE);
	memset(signature, 0, sizeof signature);
	assert_int_equal(signer_sign(other, bytes_span(&handle), SPAN("m", 1), signature, NULL), FAULT_KEY);
	assert_int_equal(signer_sign(signer, SPAN(NULL, 0), SPAN("m", 1), signature, NULL), FAULT_KEY);
	assert_int_equal(signer_sign(signer, SPAN(handle.data, handle.length - 1), SPAN("m", 1), signature, NULL), FAULT_KEY);
	handle.data[20] ^= 1;
	assert_int_equal(signer_sign(signer, bytes_span(&handle), SPAN("m", 1), signature, NULL), FAULT_KEY);
	/* wrapped under the right key, for another purpose or with something else inside */
	AUTO(struct secret, secret_free) master_key = NULL;
	assert_int_equal(secret_new(MASTER_KEY_SIZE, &master_key, NULL), FAULT_NONE);
	memset(master_key->data, 1, master_key->length);
	assert_int_equal(master_key_wrap(master_key, "ca-key", SPAN("no key", 6), &foreign, NULL), FAULT_NONE);
	assert_int_equal(signer_sign(signer, bytes_span(&foreign), SPAN("m", 1), signature, NULL), FAULT_KEY);
	assert_int_equal(signature[0], 0);
}

static void
software_signer__imports(void **state)
{
	(void)state;
	AUTO(struct signer, signer_free) signer = signer_under(1);
	AUTO(struct secret, secret_free) der = NULL;
	AUTO_CLEAR(struct bytes, bytes_clear) handle = BYTES_INIT;
	AUTO_CLEAR(struct bytes, bytes_clear) spki = BYTES_INIT;
	uint8_t signature[RSA_SIGNATURE_SIZE];
	struct key_source source = fixed_keys_source();
	assert_int_equal(source.make(source.self, &der, NULL), FAULT_NONE);
	const unsigned char *at = der->data;
	AUTO(EVP_PKEY, EVP_PKEY_free) key = d2i_PrivateKey(EVP_PKEY_RSA, NULL, &at, (long)der->length);
	AUTO(BIO, BIO_free_all) file = BIO_new(BIO_s_mem());
	assert_int_equal(PEM_write_bio_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL), 1);
	char *pem = NULL;
	long length = BIO_get_mem_data(file, &pem);
	assert_int_equal(signer_import(signer, SPAN(pem, (size_t)length), &handle, &spki, NULL), FAULT_NONE);
	assert_null(memmem(handle.data, handle.length, der->data + 300, 32)); /* wrapped, not bare */
	assert_int_equal(signer_sign(signer, bytes_span(&handle), SPAN("message", 7), signature, NULL), FAULT_NONE);
	assert_true(verifies(&spki, SPAN("message", 7), signature));
	AUTO_CLEAR(struct bytes, bytes_clear) untouched = BYTES_INIT;
	assert_int_equal(signer_import(signer, SPAN(pem, (size_t)length / 2), &untouched, &untouched, NULL), FAULT_KEY);
	assert_null(untouched.data);
}

static enum fault_code
fail_to_make(void *self, struct secret **ret_private_key, struct fault *fault)
{
	(void)self, (void)ret_private_key;
	return fault_set(fault, FAULT_CRYPTO, "no key today");
}

static void
software_signer__no_key_no_handle(void **state)
{
	(void)state;
	AUTO(struct signer, signer_free) signer = NULL;
	AUTO_CLEAR(struct bytes, bytes_clear) handle = BYTES_INIT;
	AUTO_CLEAR(struct bytes, bytes_clear) spki = BYTES_INIT;
	struct secret *master_key = NULL;
	assert_int_equal(secret_new(MASTER_KEY_SIZE, &master_key, NULL), FAULT_NONE);
	assert_int_equal(software_signer_new(master_key, (struct key_source){ .make = fail_to_make }, &signer, NULL), FAULT_NONE);
	assert_int_equal(signer_generate(signer, &handle, &spki, NULL), FAULT_CRYPTO);
	assert_null(handle.data);
	assert_null(spki.data);
}

/* Many threads with few keys, one of them forgotten over and over: every signature is right. */
struct shared {
	struct signer *signer;
	struct bytes handles[CA_KEYS], spkis[CA_KEYS];
	uint8_t expected[CA_KEYS][RSA_SIGNATURE_SIZE];
	atomic_int wrong;
};

static void *
sign_many(void *argument)
{
	struct shared *shared = argument;
	for (size_t i = 0; i < 40; i++) {
		size_t which = i % CA_KEYS;
		uint8_t signature[RSA_SIGNATURE_SIZE] = { 0 };
		struct span handle = bytes_span(&shared->handles[which]);
		if (i % 11 == 0 && signer_destroy(shared->signer, handle, NULL) != FAULT_NONE)
			atomic_fetch_add(&shared->wrong, 1);
		if (signer_sign(shared->signer, handle, SPAN("message", 7), signature, NULL) != FAULT_NONE ||
			memcmp(signature, shared->expected[which], sizeof signature) != 0)
			atomic_fetch_add(&shared->wrong, 1);
	}
	return NULL;
}

static void
software_signer__many_threads(void **state)
{
	(void)state;
	struct shared shared = { .signer = signer_under(1) };
	pthread_t threads[THREADS];
	for (size_t i = 0; i < CA_KEYS; i++) {
		assert_int_equal(signer_generate(shared.signer, &shared.handles[i], &shared.spkis[i], NULL), FAULT_NONE);
		assert_int_equal(signer_sign(shared.signer, bytes_span(&shared.handles[i]), SPAN("message", 7),
			shared.expected[i], NULL), FAULT_NONE);
		assert_true(verifies(&shared.spkis[i], SPAN("message", 7), shared.expected[i]));
	}
	for (size_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, sign_many, &shared), 0);
	for (size_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	assert_int_equal(atomic_load(&shared.wrong), 0);
	signer_free(shared.signer);
	for (size_t i = 0; i < CA_KEYS; i++) {
		bytes_clear(&shared.handles[i]);
		bytes_clear(&shared.spkis[i]);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(software_signer__signs_with_what_it_generated),
		cmocka_unit_test(software_signer__opens_no_handle_but_its_own),
		cmocka_unit_test(software_signer__imports),
		cmocka_unit_test(software_signer__no_key_no_handle),
		cmocka_unit_test(software_signer__many_threads),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
