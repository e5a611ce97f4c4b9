#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <openssl/x509.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "ca/base/metrics.h"
#include "ca/keys/key_pool.h"
#include "tests/support/fixed_keys.h"
#include "tests/unit/scratch.h"

/* A source that counts, and that can be made to fail or to wait. */
struct gate {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool closed, failing;
	int inside, made, asked;
	int policies; /* how often the caller was of the idle policy */
};

static struct gate gate = { .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER };

static enum fault_code
gate_make(void *self, struct secret **ret_private_key, struct fault *fault)
{
	struct gate *at = self;
	pthread_mutex_lock(&at->lock);
	at->asked++;
	at->inside++;
	at->policies += sched_getscheduler(0) == SCHED_IDLE;
	pthread_cond_broadcast(&at->changed);
	while (at->closed)
		pthread_cond_wait(&at->changed, &at->lock);
	at->inside--;
	bool failing = at->failing;
	at->made += !failing;
	pthread_cond_broadcast(&at->changed);
	pthread_mutex_unlock(&at->lock);
	if (failing)
		return fault_set(fault, FAULT_CRYPTO, "no key today");
	struct key_source source = fixed_keys_source();
	return source.make(source.self, ret_private_key, fault);
}

static struct key_source
gate_source(bool closed, bool failing)
{
	pthread_mutex_lock(&gate.lock);
	gate.closed = closed;
	gate.failing = failing;
	gate.made = gate.asked = gate.policies = 0;
	pthread_mutex_unlock(&gate.lock);
	return (struct key_source){ .make = gate_make, .self = &gate };
}

static void
gate_open(void)
{
	pthread_mutex_lock(&gate.lock);
	gate.closed = false;
	pthread_cond_broadcast(&gate.changed);
	pthread_mutex_unlock(&gate.lock);
}

static void
gate_wait(const int *number, int at_least)
{
	pthread_mutex_lock(&gate.lock);
	while (*number < at_least)
		pthread_cond_wait(&gate.changed, &gate.lock);
	pthread_mutex_unlock(&gate.lock);
}

static void
wait_until_ready(const struct key_pool *pool, size_t level)
{
	/* Asleep meanwhile, as the makers get the time that nobody else wants. */
	while (key_pool_ready(pool) < level)
		(void)usleep(1000);
}

static bool
verifies(struct span spki, struct span message, const uint8_t signature[RSA_SIGNATURE_SIZE])
{
	const unsigned char *at = spki.data;
	EVP_PKEY *key = d2i_PUBKEY(NULL, &at, (long)spki.length);
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	bool good = key != NULL && EVP_DigestVerifyInit(context, NULL, EVP_sha256(), NULL, key) == 1 &&
		EVP_DigestVerify(context, signature, RSA_SIGNATURE_SIZE, message.data, message.length) == 1;
	EVP_MD_CTX_free(context);
	EVP_PKEY_free(key);
	return good;
}

static void
sign_twice(void *argument)
{
	uint8_t signature[RSA_SIGNATURE_SIZE];
	struct onetime_key *key = argument;
	if (onetime_key_sign(key, SPAN("one", 3), signature, NULL) == FAULT_NONE)
		(void)!onetime_key_sign(key, SPAN("two", 3), signature, NULL);
}

static void
key_pool__a_key_signs_once(void **state)
{
	(void)state;
	AUTO(struct key_pool, key_pool_free) pool = NULL;
	AUTO(struct onetime_key, onetime_key_free) key = NULL;
	uint8_t signature[RSA_SIGNATURE_SIZE];
	assert_int_equal(key_pool_new(rsa_key_source(), 0, 0, &pool, NULL), FAULT_NONE);
	assert_int_equal(key_pool_take(pool, &key, NULL), FAULT_NONE);
	assert_true(scratch_dies(sign_twice, key));
	assert_int_equal(onetime_key_sign(key, SPAN("message", 7), signature, NULL), FAULT_NONE);
	assert_true(verifies(onetime_key_spki(key), SPAN("message", 7), signature)); /* the public half stays */
}

static void
key_pool__without_threads_makes_on_the_spot(void **state)
{
	(void)state;
	AUTO(struct key_pool, key_pool_free) pool = NULL;
	AUTO(struct onetime_key, onetime_key_free) key = NULL;
	AUTO(struct onetime_key, onetime_key_free) another = NULL;
	assert_int_equal(key_pool_new(gate_source(false, false), 5, 0, &pool, NULL), FAULT_NONE);
	assert_int_equal(key_pool_ready(pool), 0);
	assert_int_equal(key_pool_take(pool, &key, NULL), FAULT_NONE);
	assert_int_equal(key_pool_take(pool, &another, NULL), FAULT_NONE);
	assert_int_equal(gate.made, 2);
	assert_int_equal(gate.policies, 0); /* by us, at our own priority */
	assert_false(span_equal(onetime_key_spki(key), onetime_key_spki(another)));
}

static void
key_pool__fills_to_its_level_and_refills(void **state)
{
	(void)state;
	AUTO(struct key_pool, key_pool_free) pool = NULL;
	assert_int_equal(key_pool_new(gate_source(false, false), 5, 3, &pool, NULL), FAULT_NONE);
	wait_until_ready(pool, 5);
	assert_int_equal(metrics_get(METRIC_POOL_KEYS), 5);
	for (int i = 0; i < 8; i++) {
		AUTO(struct onetime_key, onetime_key_free) key = NULL;
		uint8_t signature[RSA_SIGNATURE_SIZE];
		assert_int_equal(key_pool_take(pool, &key, NULL), FAULT_NONE);
		assert_int_equal(onetime_key_sign(key, SPAN("message", 7), signature, NULL), FAULT_NONE);
		assert_true(verifies(onetime_key_spki(key), SPAN("message", 7), signature));
	}
	wait_until_ready(pool, 5);
	assert_true(gate.policies > 0);
	key_pool_free(MOVE(pool));
	/* The level is a limit, also with keys in the making: what was made is what was taken and what was left. */
	assert_int_equal(gate.made, 13);
	assert_int_equal(metrics_get(METRIC_POOL_KEYS), 0);
}

/* All makers are busy: who needs a key makes one, and doesn't wait. */
static void
key_pool__taker_never_waits(void **state)
{
	(void)state;
	AUTO(struct key_pool, key_pool_free) pool = NULL;
	AUTO(struct onetime_key, onetime_key_free) key = NULL;
	assert_int_equal(key_pool_new(gate_source(true, false), 2, 2, &pool, NULL), FAULT_NONE);
	gate_wait(&gate.inside, 2);
	assert_int_equal(key_pool_ready(pool), 0);
	pthread_mutex_lock(&gate.lock);
	gate.closed = false; /* for the next who comes: those inside are not told */
	pthread_mutex_unlock(&gate.lock);
	assert_int_equal(key_pool_take(pool, &key, NULL), FAULT_NONE);
	assert_non_null(onetime_key_spki(key).data);
	gate_open();
}

static void *
end_pool(void *argument)
{
	key_pool_free(argument);
	return NULL;
}

/* Ending while all threads wait for room, and while each makes a key: what is being made ends, nothing new is begun. */
static void
key_pool__ends_promptly(void **state)
{
	(void)state;
	struct key_pool *pool = NULL;
	assert_int_equal(key_pool_new(gate_source(false, false), 1, 4, &pool, NULL), FAULT_NONE);
	wait_until_ready(pool, 1);
	key_pool_free(pool);
	assert_int_equal(key_pool_new(gate_source(true, false), 100, 3, &pool, NULL), FAULT_NONE);
	gate_wait(&gate.inside, 3);
	pthread_t ending;
	assert_int_equal(pthread_create(&ending, NULL, end_pool, pool), 0);
	/* Not before the pool is told to end may the keys be done; that can't be seen from here, so a little later. */
	(void)usleep(20000);
	gate_open();
	assert_int_equal(pthread_join(ending, NULL), 0);
	assert_int_equal(metrics_get(METRIC_POOL_KEYS), 0);
	key_pool_free(NULL);
}

/* A source that fails is asked again, but not in a hurry; the taker hears of it. */
static void
key_pool__source_that_fails(void **state)
{
	(void)state;
	struct key_pool *pool = NULL;
	struct onetime_key *key = NULL;
	struct fault fault = FAULT_INIT;
	assert_int_equal(key_pool_new(gate_source(false, true), 4, 2, &pool, NULL), FAULT_NONE);
	gate_wait(&gate.asked, 2);
	assert_int_equal(key_pool_take(pool, &key, &fault), FAULT_CRYPTO);
	assert_string_equal(fault.message, "no key today");
	assert_null(key);
	assert_int_equal(key_pool_ready(pool), 0);
	key_pool_free(pool);
	assert_in_range(gate.asked, 3, 30); /* once a second and thread, and by the taker */
}

static enum fault_code
make_rubbish(void *self, struct secret **ret_private_key, struct fault *fault)
{
	(void)self;
	return secret_new(100, ret_private_key, fault);
}

static void
key_pool__rubbish_is_no_key(void **state)
{
	(void)state;
	AUTO(struct key_pool, key_pool_free) pool = NULL;
	struct onetime_key *key = NULL;
	assert_int_equal(key_pool_new((struct key_source){ .make = make_rubbish }, 2, 1, &pool, NULL), FAULT_NONE);
	wait_until_ready(pool, 1);
	assert_int_equal(key_pool_take(pool, &key, NULL), FAULT_KEY);
	assert_null(key);
}

static void *
take_many(void *argument)
{
	struct key_pool *pool = argument;
	for (int i = 0; i < 25; i++) {
		AUTO(struct onetime_key, onetime_key_free) key = NULL;
		uint8_t signature[RSA_SIGNATURE_SIZE];
		INVARIANT(key_pool_take(pool, &key, NULL) == FAULT_NONE);
		INVARIANT(onetime_key_sign(key, SPAN(&i, sizeof i), signature, NULL) == FAULT_NONE);
		INVARIANT(key_pool_ready(pool) <= 6);
	}
	return NULL;
}

static void
key_pool__many_takers(void **state)
{
	(void)state;
	AUTO(struct key_pool, key_pool_free) pool = NULL;
	pthread_t threads[5];
	assert_int_equal(key_pool_new(gate_source(false, false), 6, 3, &pool, NULL), FAULT_NONE);
	for (size_t i = 0; i < 5; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, take_many, pool), 0);
	for (size_t i = 0; i < 5; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	wait_until_ready(pool, 6);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(key_pool__a_key_signs_once),
		cmocka_unit_test(key_pool__without_threads_makes_on_the_spot),
		cmocka_unit_test(key_pool__fills_to_its_level_and_refills),
		cmocka_unit_test(key_pool__taker_never_waits),
		cmocka_unit_test(key_pool__ends_promptly),
		cmocka_unit_test(key_pool__source_that_fails),
		cmocka_unit_test(key_pool__rubbish_is_no_key),
		cmocka_unit_test(key_pool__many_takers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
