#define OPENSSL_SUPPRESS_DEPRECATED /* RAND_METHOD: the only way to make OpenSSL's random numbers fail */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <pthread.h>
#include <string.h>

#include "ca/base/metrics.h"
#include "ca/keys/rsa_key.h"

#define KEYS 6

SCOPED(EVP_PKEY, EVP_PKEY_free)
SCOPED(EVP_PKEY_CTX, EVP_PKEY_CTX_free)
SCOPED(BIGNUM, BN_clear_free)

static void
make(struct secret **key)
{
	struct key_source source = rsa_key_source();
	assert_int_equal(source.make(source.self, key, NULL), FAULT_NONE);
}

static BIGNUM *
number(const EVP_PKEY *key, const char *name)
{
	BIGNUM *number = NULL;
	assert_int_equal(EVP_PKEY_get_bn_param(key, name, &number), 1);
	return number;
}

/* OpenSSL's own decoder and its own check, primality tests included. */
static void
rsa_key__openssl_finds_the_keys_good(void **state)
{
	(void)state;
	for (int i = 0; i < KEYS; i++) {
		AUTO(struct secret, secret_free) der = NULL;
		make(&der);
		const unsigned char *at = der->data;
		AUTO(EVP_PKEY, EVP_PKEY_free) key = d2i_PrivateKey(EVP_PKEY_RSA, NULL, &at, (long)der->length);
		assert_non_null(key);
		assert_ptr_equal(at, der->data + der->length);
		AUTO(EVP_PKEY_CTX, EVP_PKEY_CTX_free) context = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
		assert_int_equal(EVP_PKEY_check(context), 1);
		assert_int_equal(EVP_PKEY_get_bits(key), 2048);
		AUTO(BIGNUM, BN_clear_free) e = number(key, OSSL_PKEY_PARAM_RSA_E);
		assert_true(BN_is_word(e, 65537));
	}
}

/* FIPS 186-4 B.3.1: both primes of 1024 bits with the two highest set, far apart; d above 2^1024. */
static void
rsa_key__sizes_are_those_of_fips_186(void **state)
{
	(void)state;
	for (int i = 0; i < KEYS; i++) {
		AUTO(struct secret, secret_free) der = NULL;
		make(&der);
		const unsigned char *at = der->data;
		AUTO(EVP_PKEY, EVP_PKEY_free) key = d2i_PrivateKey(EVP_PKEY_RSA, NULL, &at, (long)der->length);
		AUTO(BIGNUM, BN_clear_free) p = number(key, OSSL_PKEY_PARAM_RSA_FACTOR1);
		AUTO(BIGNUM, BN_clear_free) q = number(key, OSSL_PKEY_PARAM_RSA_FACTOR2);
		AUTO(BIGNUM, BN_clear_free) d = number(key, OSSL_PKEY_PARAM_RSA_D);
		AUTO(BIGNUM, BN_clear_free) distance = BN_new();
		assert_int_equal(BN_num_bits(p), 1024);
		assert_int_equal(BN_num_bits(q), 1024);
		assert_true(BN_is_bit_set(p, 1022) && BN_is_bit_set(q, 1022));
		assert_true(BN_num_bits(d) > 1024);
		assert_int_equal(BN_sub(distance, p, q), 1);
		assert_true(BN_num_bits(distance) > 924);
	}
}

/* What is written by hand is the DER that OpenSSL writes. */
static void
rsa_key__der_is_openssls(void **state)
{
	(void)state;
	for (int i = 0; i < KEYS; i++) {
		AUTO(struct secret, secret_free) der = NULL;
		make(&der);
		const unsigned char *at = der->data;
		AUTO(EVP_PKEY, EVP_PKEY_free) key = d2i_PrivateKey(EVP_PKEY_RSA, NULL, &at, (long)der->length);
		unsigned char *again = NULL;
		int length = i2d_PrivateKey(key, &again);
		assert_int_equal(length, der->length);
		assert_memory_equal(again, der->data, der->length);
		OPENSSL_clear_free(again, (size_t)length);
	}
}

static void *
make_in_thread(void *argument)
{
	make(argument);
	return NULL;
}

static void
rsa_key__all_differ_and_are_counted(void **state)
{
	(void)state;
	struct secret *keys[KEYS] = { NULL };
	pthread_t threads[KEYS];
	int64_t before = metrics_get(METRIC_KEYS_GENERATED), before_ns = metrics_get(METRIC_KEY_GENERATION_NS);
	int64_t signatures = metrics_get(METRIC_SIGNATURES);
	for (int i = 0; i < KEYS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, make_in_thread, &keys[i]), 0);
	for (int i = 0; i < KEYS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	for (int i = 0; i < KEYS; i++)
		for (int j = 0; j < i; j++)
			assert_true(keys[i]->length != keys[j]->length ||
				memcmp(keys[i]->data, keys[j]->data, keys[i]->length) != 0);
	assert_int_equal(metrics_get(METRIC_KEYS_GENERATED) - before, KEYS);
	assert_true(metrics_get(METRIC_KEY_GENERATION_NS) - before_ns > KEYS * INT64_C(1000000));
	assert_int_equal(metrics_get(METRIC_SIGNATURES), signatures); /* the proof of a key is no signature of ours */
	for (int i = 0; i < KEYS; i++)
		secret_free(keys[i]);
}

static int bytes_left;

static int
run_dry(unsigned char *bytes, int count)
{
	if (bytes_left < count)
		return 0;
	bytes_left -= count;
	memset(bytes, 0x5a, (size_t)count);
	return 1;
}

/* Random numbers that fail, at once or on the way: no key comes of it, and the search for primes ends. */
static void
rsa_key__no_random_numbers_no_key(void **state)
{
	(void)state;
	static const RAND_METHOD dry = { .bytes = run_dry, .pseudorand = run_dry };
	struct key_source source = rsa_key_source();
	int64_t before = metrics_get(METRIC_KEYS_GENERATED);
	for (bytes_left = 0; bytes_left < 9000; bytes_left += 2500) {
		int left = bytes_left;
		struct secret *key = NULL;
		struct fault fault = FAULT_INIT;
		assert_int_equal(RAND_set_rand_method(&dry), 1);
		enum fault_code code = source.make(source.self, &key, &fault);
		assert_int_equal(RAND_set_rand_method(NULL), 1);
		assert_int_equal(code, FAULT_CRYPTO);
		assert_null(key);
		bytes_left = left;
	}
	assert_int_equal(metrics_get(METRIC_KEYS_GENERATED), before);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rsa_key__openssl_finds_the_keys_good),
		cmocka_unit_test(rsa_key__sizes_are_those_of_fips_186),
		cmocka_unit_test(rsa_key__der_is_openssls),
		cmocka_unit_test(rsa_key__all_differ_and_are_counted),
		cmocka_unit_test(rsa_key__no_random_numbers_no_key),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
