#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <string.h>

#include "ca/keys/key_cache.h"

static struct key_name
name_of(unsigned number)
{
	struct key_name name = { { 0 } };
	name.digest[0] = (uint8_t)number; /* all in few buckets */
	name.digest[31] = (uint8_t)(number >> 8);
	return name;
}

static bool
holds(struct key_cache *cache, unsigned number)
{
	uint64_t epoch;
	struct key_name name = name_of(number);
	AUTO(struct cached_key, cached_key_release) key = key_cache_find(cache, &name, &epoch);
	return key != NULL;
}

static void
add(struct key_cache *cache, unsigned number)
{
	uint64_t epoch;
	struct key_name name = name_of(number);
	AUTO(struct cached_key, cached_key_release) key = NULL;
	cached_key_release(key_cache_find(cache, &name, &epoch));
	assert_int_equal(key_cache_add(cache, &name, epoch, EVP_PKEY_new(), &key, NULL), FAULT_NONE);
}

static void
key_cache__lets_go_of_the_longest_unused(void **state)
{
	(void)state;
	AUTO(struct key_cache, key_cache_free) cache = NULL;
	assert_int_equal(key_cache_new(3, &cache, NULL), FAULT_NONE);
	add(cache, 1);
	add(cache, 2);
	add(cache, 3);
	assert_int_equal(key_cache_count(cache), 3);
	assert_true(holds(cache, 1)); /* used: 2 is the oldest now */
	add(cache, 4);
	assert_int_equal(key_cache_count(cache), 3);
	assert_false(holds(cache, 2));
	assert_true(holds(cache, 1));
	assert_true(holds(cache, 3));
	assert_true(holds(cache, 4));
}

static void
key_cache__gives_the_same_key_again(void **state)
{
	(void)state;
	AUTO(struct key_cache, key_cache_free) cache = NULL;
	AUTO(struct cached_key, cached_key_release) key = NULL;
	AUTO(struct cached_key, cached_key_release) slower = NULL;
	struct key_name name = name_of(7);
	uint64_t epoch;
	assert_int_equal(key_cache_new(2, &cache, NULL), FAULT_NONE);
	assert_null(key_cache_find(cache, &name, &epoch));
	assert_int_equal(key_cache_add(cache, &name, epoch, EVP_PKEY_new(), &key, NULL), FAULT_NONE);
	/* Another thread decoded it too and was slower: it gets the first. */
	assert_int_equal(key_cache_add(cache, &name, epoch, EVP_PKEY_new(), &slower, NULL), FAULT_NONE);
	assert_ptr_equal(slower, key);
	AUTO(struct cached_key, cached_key_release) found = key_cache_find(cache, &name, &epoch);
	assert_ptr_equal(found, key);
	assert_int_equal(key_cache_count(cache), 1);
	/* Held by us, it outlives its place in the cache. */
	key_cache_remove(cache, &name);
	assert_int_equal(key_cache_count(cache), 0);
	assert_int_equal(EVP_PKEY_get_id(cached_key_use(found)), EVP_PKEY_NONE);
}

/* Decoding began before the key was destroyed: it is good for that one signature, and doesn't come back. */
static void
key_cache__removed_stays_away(void **state)
{
	(void)state;
	AUTO(struct key_cache, key_cache_free) cache = NULL;
	AUTO(struct cached_key, cached_key_release) key = NULL;
	struct key_name name = name_of(7);
	uint64_t epoch;
	assert_int_equal(key_cache_new(2, &cache, NULL), FAULT_NONE);
	assert_null(key_cache_find(cache, &name, &epoch));
	key_cache_remove(cache, &name);
	assert_int_equal(key_cache_add(cache, &name, epoch, EVP_PKEY_new(), &key, NULL), FAULT_NONE);
	assert_non_null(cached_key_use(key));
	assert_false(holds(cache, 7));
	add(cache, 7);
	assert_true(holds(cache, 7));
}

static void *
work(void *argument)
{
	struct key_cache *cache = argument;
	for (unsigned i = 0; i < 2000; i++) {
		unsigned number = i * 7 % 23;
		if (!holds(cache, number))
			add(cache, number);
		if (i % 31 == 0) {
			struct key_name name = name_of(number);
			key_cache_remove(cache, &name);
		}
	}
	return NULL;
}

static void
key_cache__many_threads(void **state)
{
	(void)state;
	AUTO(struct key_cache, key_cache_free) cache = NULL;
	pthread_t threads[6];
	assert_int_equal(key_cache_new(8, &cache, NULL), FAULT_NONE);
	for (size_t i = 0; i < 6; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, work, cache), 0);
	for (size_t i = 0; i < 6; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	assert_true(key_cache_count(cache) <= 8);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(key_cache__lets_go_of_the_longest_unused),
		cmocka_unit_test(key_cache__gives_the_same_key_again),
		cmocka_unit_test(key_cache__removed_stays_away),
		cmocka_unit_test(key_cache__many_threads),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
