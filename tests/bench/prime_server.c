/*
 * prime_server: cadastred, linked with another source of keys: pairs of a few hundred primes (tests/support/prime_keys.h), worthless
 * as keys, but right in form, and made in 0.1 ms in place of 40 or more. A whole registry is loaded in minutes with it, for all figures
 * that are about something else than key generation. scripts/bench --prime-keys loads with it, and says so with each figure.
 *
 * The linker gives every call of rsa_key_source() to this one. CADASTRE_BENCH_PRIMES: another number of primes (two cost a key).
 */
#include <pthread.h>
#include <stdlib.h>

#include "ca/base/clock.h"
#include "ca/base/metrics.h"
#include "tests/support/measures.h"
#include "tests/support/prime_keys.h"

#define PRIMES 500
#define PRIMES_MAX 5000

struct key_source __real_rsa_key_source(void);
struct key_source __wrap_rsa_key_source(void);

static pthread_once_t prepared = PTHREAD_ONCE_INIT;
static bool preparing;

static void
prepare(void)
{
	const char *primes = getenv("CADASTRE_BENCH_PRIMES");
	preparing = true;
	prime_keys_prepare(primes != NULL ? measures_argument(primes, PRIMES_MAX) : PRIMES);
	preparing = false;
}

/* As the real one it counts what it makes and the time of that. */
static enum fault_code
make_counted(void *self, struct secret **ret_private_key, struct fault *fault)
{
	struct key_source source = prime_keys_source();
	int64_t started_ns = clock_thread_cpu_ns();
	(void)self;
	enum fault_code code = source.make(source.self, ret_private_key, fault);
	metrics_add(METRIC_KEY_GENERATION_NS, clock_thread_cpu_ns() - started_ns);
	metrics_add(METRIC_KEYS_GENERATED, code == FAULT_NONE);
	return code;
}

/* The primes themselves come out of real keys. */
struct key_source
__wrap_rsa_key_source(void)
{
	if (preparing)
		return __real_rsa_key_source();
	INVARIANT(pthread_once(&prepared, prepare) == 0);
	return (struct key_source){ .make = make_counted };
}
