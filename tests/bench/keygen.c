/*
 * keygen [N [THREADS]]: our key generation beside OpenSSL's own, and a signature, in thread CPU time.
 *
 * Both are measured in turn by the same threads, so that a machine that slows down does it to both: three of ours for each of OpenSSL's,
 * N of OpenSSL's in all. OpenSSL's times are spread widely (some keys take four times the mean): below 40 the ratio is good to a tenth.
 */
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "ca/base/clock.h"
#include "ca/base/secret.h"
#include "ca/keys/private_key.h"
#include "ca/keys/rsa_key.h"
#include "tests/support/measures.h"

#define OPENSSL_KEYS 40
#define THREADS 2
#define OURS_EACH 3
#define SIGNATURES_EACH 3

struct bench {
	pthread_mutex_t lock;            /* guards all below */
	size_t left;
	struct measures openssl, ours, signatures;
	enum fault_code code;
	struct fault fault;
};

static double
ms_since(int64_t started_ns)
{
	return (double)(clock_thread_cpu_ns() - started_ns) / 1e6;
}

static enum fault_code
keep(struct bench *bench, struct measures *measures, double ms, struct fault *fault)
{
	pthread_mutex_lock(&bench->lock);
	enum fault_code code = measures_add(measures, ms, fault);
	pthread_mutex_unlock(&bench->lock);
	return code;
}

static enum fault_code
make_openssl(struct bench *bench, struct fault *fault)
{
	int64_t started_ns = clock_thread_cpu_ns();
	AUTO(EVP_PKEY, EVP_PKEY_free) key = EVP_RSA_gen(PRIVATE_KEY_BITS);
	if (key == NULL)
		return fault_set(fault, FAULT_CRYPTO, "OpenSSL makes no key");
	return keep(bench, &bench->openssl, ms_since(started_ns), fault);
}

static enum fault_code
make_ours(struct bench *bench, struct fault *fault)
{
	AUTO(struct secret, secret_free) der = NULL;
	AUTO(EVP_PKEY, EVP_PKEY_free) key = NULL;
	struct key_source source = rsa_key_source();
	uint8_t message[1000] = { 0 }, signature[RSA_SIGNATURE_SIZE];
	int64_t started_ns = clock_thread_cpu_ns();
	TRY(source.make(source.self, &der, fault));
	TRY(keep(bench, &bench->ours, ms_since(started_ns), fault));
	TRY(private_key_decode(SPAN(der->data, der->length), &key, fault));
	for (size_t i = 0; i < SIGNATURES_EACH; i++) {
		started_ns = clock_thread_cpu_ns();
		TRY(private_key_sign(key, SPAN(message, sizeof message), signature, fault));
		/* The first one with a key also prepares it: what a warm one takes is wanted. */
		if (i > 0)
			TRY(keep(bench, &bench->signatures, ms_since(started_ns), fault));
	}
	return FAULT_NONE;
}

static bool
next(struct bench *bench)
{
	pthread_mutex_lock(&bench->lock);
	bool more = bench->left > 0;
	bench->left -= more;
	pthread_mutex_unlock(&bench->lock);
	return more;
}

static enum fault_code
take_turns(struct bench *bench, struct fault *fault)
{
	while (next(bench)) {
		TRY(make_openssl(bench, fault));
		for (size_t i = 0; i < OURS_EACH; i++)
			TRY(make_ours(bench, fault));
	}
	return FAULT_NONE;
}

static void *
run(void *argument)
{
	struct bench *bench = argument;
	struct fault fault = FAULT_INIT;
	enum fault_code code = take_turns(bench, &fault);
	pthread_mutex_lock(&bench->lock);
	if (code != FAULT_NONE) {
		bench->code = code;
		bench->fault = fault;
	}
	pthread_mutex_unlock(&bench->lock);
	return NULL;
}

int
main(int argc, char **argv)
{
	struct bench bench = { .lock = PTHREAD_MUTEX_INITIALIZER };
	pthread_t threads[64];
	bench.left = argc > 1 ? measures_argument(argv[1], 100000) : OPENSSL_KEYS;
	size_t count = argc > 2 ? measures_argument(argv[2], 64) : THREADS;
	for (size_t i = 0; i < count; i++)
		INVARIANT(pthread_create(&threads[i], NULL, run, &bench) == 0);
	for (size_t i = 0; i < count; i++)
		INVARIANT(pthread_join(threads[i], NULL) == 0);
	if (bench.code != FAULT_NONE)
		return measures_fail(&bench.fault);
	measures_print("key_generation_ms", measures_mean(&bench.ours), "ms");
	measures_print("key_generation_openssl_ms", measures_mean(&bench.openssl), "ms");
	measures_print("key_generation_over_openssl", measures_mean(&bench.ours) / measures_mean(&bench.openssl), "ratio");
	measures_print("signature_ms", measures_quantile(&bench.signatures, 0.5), "ms");
	measures_clear(&bench.ours);
	measures_clear(&bench.openssl);
	measures_clear(&bench.signatures);
	return EXIT_SUCCESS;
}
