#include "api/server/rate_limit.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "ca/base/memory.h"
#include "ca/base/randomness.h"

#define WAYS 8                          /* places where a key may stand */
#define SETS (RATE_LIMIT_KEYS / WAYS)
#define UNIT INT64_C(1000)              /* a bucket counts in thousandths: per_second is then what a millisecond brings */

struct bucket {
	uint8_t key[RATE_LIMIT_KEY_MAX];
	size_t key_length;              /* 0: free */
	int64_t level;                  /* in 1/UNIT, as of filled_ms */
	int64_t filled_ms;
};

struct rate_limit {
	pthread_mutex_t lock;           /* guards the buckets */
	int64_t per_second, capacity;
	uint64_t secret;
	struct bucket *buckets;         /* SETS × WAYS */
};

enum fault_code
rate_limit_new(int64_t per_second, int64_t burst, struct rate_limit **ret_limit, struct fault *fault)
{
	INVARIANT(per_second > 0 && burst > 0 && burst < INT64_MAX / UNIT);
	AUTO(struct rate_limit, free) limit = NULL;
	AUTO(struct bucket, free) buckets = NULL;
	TRY(memory_new(1, sizeof *limit, &limit, fault));
	TRY(memory_new(RATE_LIMIT_KEYS, sizeof *buckets, &buckets, fault));
	TRY(randomness_fill_private(&limit->secret, sizeof limit->secret, fault));
	limit->per_second = per_second;
	limit->capacity = burst * UNIT;
	limit->buckets = MOVE(buckets);
	(void)pthread_mutex_init(&limit->lock, NULL);
	*ret_limit = MOVE(limit);
	return FAULT_NONE;
}

void
rate_limit_free(struct rate_limit *limit)
{
	if (limit == NULL)
		return;
	(void)pthread_mutex_destroy(&limit->lock);
	free(limit->buckets);
	free(limit);
}

/* FNV-1a from a secret start, and a last mix, so that nobody outside can aim at a set. */
static size_t
set_of(const struct rate_limit *limit, struct span key)
{
	uint64_t hash = limit->secret;
	for (size_t i = 0; i < key.length; i++)
		hash = (hash ^ key.data[i]) * UINT64_C(0x100000001b3);
	hash = (hash ^ limit->secret ^ hash >> 31) * UINT64_C(0x9e3779b97f4a7c15);
	return (size_t)(hash >> 32) % SETS;
}

static void
fill(const struct rate_limit *limit, struct bucket *bucket, int64_t now_ms)
{
	int64_t passed_ms = now_ms - bucket->filled_ms;
	if (passed_ms <= 0)
		return;
	int64_t room = limit->capacity - bucket->level;
	bucket->filled_ms = now_ms;
	bucket->level += passed_ms > room / limit->per_second ? room : passed_ms * limit->per_second;
}

/* The key's bucket; else a free one, else the fullest of the set, made its own. All of the set are filled on the way. */
static struct bucket *
find(struct rate_limit *limit, struct span key, int64_t now_ms)
{
	struct bucket *set = &limit->buckets[set_of(limit, key) * WAYS];
	struct bucket *best = NULL;
	for (size_t i = 0; i < WAYS; i++) {
		struct bucket *bucket = &set[i];
		if (bucket->key_length == key.length && memcmp(bucket->key, key.data, key.length) == 0) {
			fill(limit, bucket, now_ms);
			return bucket;
		}
		if (bucket->key_length != 0)
			fill(limit, bucket, now_ms);
		if (best == NULL || (best->key_length != 0 && (bucket->key_length == 0 || bucket->level > best->level)))
			best = bucket;
	}
	memcpy(best->key, key.data, key.length);
	best->key_length = key.length;
	best->level = limit->capacity;
	best->filled_ms = now_ms;
	return best;
}

bool
rate_limit_take(struct rate_limit *limit, struct span key, int64_t now_ms, int64_t *ret_wait_ms)
{
	INVARIANT(key.length > 0 && key.length <= RATE_LIMIT_KEY_MAX);
	(void)pthread_mutex_lock(&limit->lock);
	struct bucket *bucket = find(limit, key, now_ms);
	int64_t missing = UNIT - bucket->level;
	if (missing <= 0)
		bucket->level -= UNIT;
	(void)pthread_mutex_unlock(&limit->lock);
	if (missing <= 0)
		return true;
	*ret_wait_ms = (missing + limit->per_second - 1) / limit->per_second;
	return false;
}
