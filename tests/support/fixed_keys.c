#include "tests/support/fixed_keys.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#define THREADS_MAX 16

static struct secret *keys[FIXED_KEYS];
static atomic_size_t next_to_make, next_to_give;

static void *
make_some(void *argument)
{
	(void)argument;
	struct key_source source = rsa_key_source();
	for (size_t i = atomic_fetch_add(&next_to_make, 1); i < FIXED_KEYS; i = atomic_fetch_add(&next_to_make, 1)) {
		struct fault fault = FAULT_INIT;
		INVARIANT(source.make(source.self, &keys[i], &fault) == FAULT_NONE);
	}
	return NULL;
}

static void
free_all(void)
{
	for (size_t i = 0; i < FIXED_KEYS; i++)
		secret_free(keys[i]);
}

static void
make_all(void)
{
	pthread_t threads[THREADS_MAX];
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	size_t count = cores < 1 ? 1 : cores > THREADS_MAX ? THREADS_MAX : (size_t)cores;
	for (size_t i = 0; i < count; i++)
		INVARIANT(pthread_create(&threads[i], NULL, make_some, NULL) == 0);
	for (size_t i = 0; i < count; i++)
		INVARIANT(pthread_join(threads[i], NULL) == 0);
	INVARIANT(atexit(free_all) == 0);
}

static enum fault_code
give_next(void *self, struct secret **ret_private_key, struct fault *fault)
{
	(void)self;
	const struct secret *key = keys[atomic_fetch_add(&next_to_give, 1) % FIXED_KEYS];
	struct secret *copy = NULL;
	TRY(secret_new(key->length, &copy, fault));
	memcpy(copy->data, key->data, key->length);
	*ret_private_key = copy;
	return FAULT_NONE;
}

struct key_source
fixed_keys_source(void)
{
	/* Here and not in give_next(): key makers of idle priority call that, and would take minutes on a busy machine. */
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	INVARIANT(pthread_once(&once, make_all) == 0);
	return (struct key_source){ .make = give_next, .self = NULL };
}
