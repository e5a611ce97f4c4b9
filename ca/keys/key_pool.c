#include "ca/keys/key_pool.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

#include "ca/base/clock.h"
#include "ca/base/log.h"
#include "ca/base/memory.h"
#include "ca/base/metrics.h"
#include "ca/base/priority.h"
#include "ca/keys/private_key.h"

#define RETRY_AFTER_MS 1000 /* when no key could be made */

struct key_pool {
	struct key_source source;
	pthread_mutex_t lock;      /* guards all below */
	pthread_cond_t room;       /* a key was taken, or it is time to end */
	struct secret **keys;      /* a ring: the oldest is taken first */
	size_t level, first, in_the_making;
	atomic_size_t ready;       /* read without the lock too */
	bool ending;
	pthread_t *makers;
	size_t makers_count;
};

struct onetime_key {
	EVP_PKEY *private_key; /* NULL once it has signed */
	struct bytes spki;
};

static void
put(struct key_pool *pool, struct secret *key)
{
	size_t ready = atomic_load(&pool->ready);
	pool->keys[(pool->first + ready) % pool->level] = key;
	atomic_store(&pool->ready, ready + 1);
	metrics_set(METRIC_POOL_KEYS, (int64_t)ready + 1);
}

/* NULL when the pool is empty. */
static struct secret *
get(struct key_pool *pool)
{
	size_t ready = atomic_load(&pool->ready);
	if (ready == 0)
		return NULL;
	struct secret *key = pool->keys[pool->first];
	pool->keys[pool->first] = NULL;
	pool->first = (pool->first + 1) % pool->level;
	atomic_store(&pool->ready, ready - 1);
	metrics_set(METRIC_POOL_KEYS, (int64_t)ready - 1);
	pthread_cond_signal(&pool->room);
	return key;
}

static void
wait_after_failure(struct key_pool *pool)
{
	int64_t until_ms = clock_monotonic_ms() + RETRY_AFTER_MS;
	const struct timespec until = { .tv_sec = until_ms / 1000, .tv_nsec = until_ms % 1000 * 1000000 };
	while (!pool->ending && pthread_cond_timedwait(&pool->room, &pool->lock, &until) == 0)
		;
}

static void *
maker_run(void *argument)
{
	struct key_pool *pool = argument;
	priority_step_back(); /* whoever has real work goes first */
	pthread_mutex_lock(&pool->lock);
	while (!pool->ending) {
		if (atomic_load(&pool->ready) + pool->in_the_making >= pool->level) {
			pthread_cond_wait(&pool->room, &pool->lock);
			continue;
		}
		pool->in_the_making++;
		pthread_mutex_unlock(&pool->lock);

		struct secret *key = NULL;
		struct fault fault = FAULT_INIT;
		enum fault_code code = pool->source.make(pool->source.self, &key, &fault);
		if (code != FAULT_NONE)
			log_fault(LOG_DEBUG, &fault, "key pool");

		pthread_mutex_lock(&pool->lock);
		pool->in_the_making--;
		if (code == FAULT_NONE)
			put(pool, key);
		else
			wait_after_failure(pool);
	}
	pthread_mutex_unlock(&pool->lock);
	return NULL;
}

static enum fault_code
start_makers(struct key_pool *pool, size_t threads, struct fault *fault)
{
	TRY(memory_new(threads, sizeof *pool->makers, &pool->makers, fault));
	/* Signals are the main thread's business. */
	sigset_t all, before;
	sigfillset(&all);
	INVARIANT(pthread_sigmask(SIG_SETMASK, &all, &before) == 0);
	int error = 0;
	while (pool->makers_count < threads && error == 0) {
		error = pthread_create(&pool->makers[pool->makers_count], NULL, maker_run, pool);
		if (error == 0)
			(void)pthread_setname_np(pool->makers[pool->makers_count++], "key-maker");
	}
	INVARIANT(pthread_sigmask(SIG_SETMASK, &before, NULL) == 0);
	return error == 0 ? FAULT_NONE : fault_set(fault, FAULT_MEMORY, "can't start a thread to make keys: %s", strerror(error));
}

static void
room_init(pthread_cond_t *room)
{
	pthread_condattr_t attributes;
	INVARIANT(pthread_condattr_init(&attributes) == 0);
	INVARIANT(pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0);
	INVARIANT(pthread_cond_init(room, &attributes) == 0);
	pthread_condattr_destroy(&attributes);
}

enum fault_code
key_pool_new(struct key_source source, size_t level, size_t threads, struct key_pool **ret_pool, struct fault *fault)
{
	struct key_pool *fresh = NULL;
	TRY(memory_new(1, sizeof *fresh, &fresh, fault));
	INVARIANT(pthread_mutex_init(&fresh->lock, NULL) == 0);
	room_init(&fresh->room);
	fresh->source = source;
	fresh->level = level;
	AUTO(struct key_pool, key_pool_free) pool = fresh;
	TRY(memory_new(level, sizeof(struct secret *), &pool->keys, fault));
	TRY(start_makers(pool, threads, fault));
	*ret_pool = MOVE(pool);
	return FAULT_NONE;
}

static enum fault_code
onetime_key_new(const struct secret *private_key, struct onetime_key **ret_key, struct fault *fault)
{
	AUTO(struct onetime_key, onetime_key_free) key = NULL;
	TRY(memory_new(1, sizeof *key, &key, fault));
	TRY(private_key_decode(SPAN(private_key->data, private_key->length), &key->private_key, fault));
	TRY(private_key_spki(key->private_key, &key->spki, fault));
	*ret_key = MOVE(key);
	return FAULT_NONE;
}

enum fault_code
key_pool_take(struct key_pool *pool, struct onetime_key **ret_key, struct fault *fault)
{
	pthread_mutex_lock(&pool->lock);
	AUTO(struct secret, secret_free) private_key = get(pool);
	pthread_mutex_unlock(&pool->lock);
	if (private_key == NULL)
		TRY(pool->source.make(pool->source.self, &private_key, fault));
	return onetime_key_new(private_key, ret_key, fault);
}

size_t
key_pool_ready(const struct key_pool *pool)
{
	return atomic_load(&pool->ready);
}

void
key_pool_free(struct key_pool *pool)
{
	if (pool == NULL)
		return;
	pthread_mutex_lock(&pool->lock);
	pool->ending = true;
	pthread_cond_broadcast(&pool->room);
	pthread_mutex_unlock(&pool->lock);
	for (size_t i = 0; i < pool->makers_count; i++)
		INVARIANT(pthread_join(pool->makers[i], NULL) == 0);
	for (struct secret *key = get(pool); key != NULL; key = get(pool))
		secret_free(key);
	pthread_cond_destroy(&pool->room);
	pthread_mutex_destroy(&pool->lock);
	free(pool->makers);
	free(pool->keys);
	free(pool);
}

struct span
onetime_key_spki(const struct onetime_key *key)
{
	return bytes_span(&key->spki);
}

enum fault_code
onetime_key_sign(struct onetime_key *key, struct span message, uint8_t ret_signature[RSA_SIGNATURE_SIZE], struct fault *fault)
{
	/* RFC 6488 §2.1.4 and RFC 9286 §5.1: one key, one signature, and then the key is destroyed. */
	INVARIANT(key->private_key != NULL);
	AUTO(EVP_PKEY, EVP_PKEY_free) private_key = MOVE(key->private_key);
	return private_key_sign(private_key, message, ret_signature, fault);
}

void
onetime_key_free(struct onetime_key *key)
{
	if (key == NULL)
		return;
	EVP_PKEY_free(key->private_key);
	bytes_clear(&key->spki);
	free(key);
}
