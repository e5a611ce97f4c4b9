/*
 * prime_server: cadastred, linked with another source of keys: pairs of a few hundred primes (tests/support/prime_keys.h), worthless
 * as keys, but right in form, and made in 0.1 ms in place of 40 or more. A whole registry is loaded in minutes with it, for all figures
 * that are about something else than key generation. scripts/bench --prime-keys loads with it, and says so with each figure.
 *
 * The linker gives every call of rsa_key_source() to this one.
 */
#include <pthread.h>

#include "tests/support/prime_keys.h"

#define PRIMES 500

struct key_source __real_rsa_key_source(void);
struct key_source __wrap_rsa_key_source(void);

static pthread_once_t prepared = PTHREAD_ONCE_INIT;
static bool preparing;

static void
prepare(void)
{
	preparing = true;
	prime_keys_prepare(PRIMES);
	preparing = false;
}

/* The primes themselves come out of real keys. */
struct key_source
__wrap_rsa_key_source(void)
{
	if (preparing)
		return __real_rsa_key_source();
	INVARIANT(pthread_once(&prepared, prepare) == 0);
	return prime_keys_source();
}
