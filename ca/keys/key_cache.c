#include "ca/keys/key_cache.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/queue.h>

#include "ca/base/memory.h"

struct cached_key {
	EVP_PKEY *key;
	atomic_size_t holders;           /* the cache is one of them */
	struct key_name name;
	LIST_ENTRY(cached_key) in_bucket; /* while in the cache, under its lock */
	TAILQ_ENTRY(cached_key) in_order;
};

LIST_HEAD(bucket, cached_key);
TAILQ_HEAD(order, cached_key);

struct key_cache {
	pthread_mutex_t lock;
	size_t capacity, count, buckets_count;
	struct bucket *buckets;
	struct order order; /* first: used last */
	uint64_t epoch;     /* how many removals there were */
};

EVP_PKEY *
cached_key_use(const struct cached_key *key)
{
	return key->key;
}

void
cached_key_release(struct cached_key *key)
{
	if (key == NULL || atomic_fetch_sub(&key->holders, 1) > 1)
		return;
	EVP_PKEY_free(key->key);
	free(key);
}

static struct cached_key *
hold(struct cached_key *key)
{
	atomic_fetch_add(&key->holders, 1);
	return key;
}

enum fault_code
key_cache_new(size_t capacity, struct key_cache **ret_cache, struct fault *fault)
{
	struct key_cache *cache = NULL;
	INVARIANT(capacity > 0);
	TRY(memory_new(1, sizeof *cache, &cache, fault));
	INVARIANT(pthread_mutex_init(&cache->lock, NULL) == 0);
	TAILQ_INIT(&cache->order);
	cache->capacity = capacity;
	cache->buckets_count = 2 * capacity;
	enum fault_code code = memory_new(cache->buckets_count, sizeof *cache->buckets, &cache->buckets, fault);
	if (code != FAULT_NONE) {
		key_cache_free(cache);
		return code;
	}
	*ret_cache = cache;
	return FAULT_NONE;
}

static struct bucket *
bucket_of(struct key_cache *cache, const struct key_name *name)
{
	uint64_t hash;
	memcpy(&hash, name->digest, sizeof hash);
	return &cache->buckets[hash % cache->buckets_count];
}

static struct cached_key *
lookup(struct key_cache *cache, const struct key_name *name)
{
	struct cached_key *key;
	LIST_FOREACH(key, bucket_of(cache, name), in_bucket)
		if (memcmp(key->name.digest, name->digest, sizeof name->digest) == 0)
			return key;
	return NULL;
}

static void
drop(struct key_cache *cache, struct cached_key *key)
{
	LIST_REMOVE(key, in_bucket);
	TAILQ_REMOVE(&cache->order, key, in_order);
	cache->count--;
	cached_key_release(key);
}

struct cached_key *
key_cache_find(struct key_cache *cache, const struct key_name *name, uint64_t *ret_epoch)
{
	pthread_mutex_lock(&cache->lock);
	struct cached_key *key = lookup(cache, name);
	if (key != NULL) {
		TAILQ_REMOVE(&cache->order, key, in_order);
		TAILQ_INSERT_HEAD(&cache->order, key, in_order);
		hold(key);
	}
	*ret_epoch = cache->epoch;
	pthread_mutex_unlock(&cache->lock);
	return key;
}

enum fault_code
key_cache_add(struct key_cache *cache, const struct key_name *name, uint64_t epoch, EVP_PKEY *key, struct cached_key **ret_key,
	struct fault *fault)
{
	struct cached_key *fresh = NULL;
	enum fault_code code = memory_new(1, sizeof *fresh, &fresh, fault);
	if (code != FAULT_NONE) {
		EVP_PKEY_free(key);
		return code;
	}
	fresh->key = key;
	fresh->name = *name;
	atomic_init(&fresh->holders, 1); /* the caller */

	pthread_mutex_lock(&cache->lock);
	struct cached_key *faster = lookup(cache, name);
	if (faster != NULL) {
		hold(faster);
	} else if (cache->epoch == epoch) {
		if (cache->count == cache->capacity)
			drop(cache, TAILQ_LAST(&cache->order, order));
		hold(fresh);
		LIST_INSERT_HEAD(bucket_of(cache, name), fresh, in_bucket);
		TAILQ_INSERT_HEAD(&cache->order, fresh, in_order);
		cache->count++;
	}
	pthread_mutex_unlock(&cache->lock);
	*ret_key = faster != NULL ? faster : fresh;
	if (faster != NULL)
		cached_key_release(fresh);
	return FAULT_NONE;
}

void
key_cache_remove(struct key_cache *cache, const struct key_name *name)
{
	pthread_mutex_lock(&cache->lock);
	struct cached_key *key = lookup(cache, name);
	if (key != NULL)
		drop(cache, key);
	cache->epoch++;
	pthread_mutex_unlock(&cache->lock);
}

size_t
key_cache_count(struct key_cache *cache)
{
	pthread_mutex_lock(&cache->lock);
	size_t count = cache->count;
	pthread_mutex_unlock(&cache->lock);
	return count;
}

void
key_cache_free(struct key_cache *cache)
{
	if (cache == NULL)
		return;
	while (!TAILQ_EMPTY(&cache->order))
		drop(cache, TAILQ_FIRST(&cache->order));
	free(cache->buckets);
	pthread_mutex_destroy(&cache->lock);
	free(cache);
}
