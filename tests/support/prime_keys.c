#include "tests/support/prime_keys.h"

#include <gmp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#define THREADS_MAX 16
#define EXPONENT 65537
#define NUMBERS 8                        /* of RSAPrivateKey (RFC 8017 A.1.2), behind the version */
#define NUMBER_P 3
#define NUMBER_Q 4
#define DER_MAX 1300

static mpz_t *primes;
static size_t primes_count;
static atomic_size_t next_to_find, next_ca_key, next_onetime_key;

/* The number behind *at, which moves on. Keys of rsa_key_source() are DER as they should be. */
static void
read_integer(const uint8_t **at, mpz_ptr ret_number)
{
	size_t length = (*at)[1], header = 2;
	if (length > 0x80) {
		header += length & 0x7f;
		length = 0;
		for (size_t i = 2; i < header; i++)
			length = length << 8 | (*at)[i];
	}
	mpz_import(ret_number, length, 1, 1, 1, 0, *at + header);
	*at += header + length;
}

static void *
find_some(void *argument)
{
	struct key_source source = rsa_key_source();
	(void)argument;
	for (size_t i = atomic_fetch_add(&next_to_find, 2); i < primes_count; i = atomic_fetch_add(&next_to_find, 2)) {
		struct fault fault = FAULT_INIT;
		AUTO(struct secret, secret_free) key = NULL;
		mpz_t skipped;
		mpz_init(skipped);
		INVARIANT(source.make(source.self, &key, &fault) == FAULT_NONE);
		const uint8_t *at = key->data + 4 + 3; /* the SEQUENCE's header, the version */
		for (size_t number = 0; number <= NUMBER_Q; number++)
			read_integer(&at, number == NUMBER_P ? primes[i] : number == NUMBER_Q ? primes[i + 1] : skipped);
		mpz_clear(skipped);
	}
	return NULL;
}

static void
free_all(void)
{
	for (size_t i = 0; i < primes_count; i++)
		mpz_clear(primes[i]);
	free(primes);
}

void
prime_keys_prepare(size_t count)
{
	pthread_t threads[THREADS_MAX];
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	size_t threads_count = cores < 1 ? 1 : cores > THREADS_MAX ? THREADS_MAX : (size_t)cores;
	if (primes != NULL)
		return;
	INVARIANT(count % 2 == 0 && count * (count / 2 - 1) > PRIME_KEYS_CA_MAX);
	primes_count = count;
	primes = calloc(count, sizeof *primes);
	INVARIANT(primes != NULL);
	for (size_t i = 0; i < count; i++)
		mpz_init(primes[i]);
	for (size_t i = 0; i < threads_count; i++)
		INVARIANT(pthread_create(&threads[i], NULL, find_some, NULL) == 0);
	for (size_t i = 0; i < threads_count; i++)
		INVARIANT(pthread_join(threads[i], NULL) == 0);
	INVARIANT(atexit(free_all) == 0);
}

static uint8_t *
write_header(uint8_t *at, uint8_t tag, size_t length)
{
	*at++ = tag;
	*at++ = 0x82;
	*at++ = (uint8_t)(length >> 8);
	*at++ = (uint8_t)length;
	return at;
}

/* DER has short lengths for short numbers. */
static uint8_t *
write_integer(uint8_t *at, mpz_srcptr number)
{
	size_t length = mpz_sizeinbase(number, 2) / 8 + 1, octets = (mpz_sizeinbase(number, 2) + 7) / 8;
	if (length < 0x100) {
		*at++ = 0x02;
		if (length >= 0x80)
			*at++ = 0x81;
		*at++ = (uint8_t)length;
	} else {
		at = write_header(at, 0x02, length);
	}
	memset(at, 0, length);
	mpz_export(at + length - octets, NULL, 1, 1, 1, 0, number);
	return at + length;
}

/* n, e, d, p, q, d mod (p − 1), d mod (q − 1), q⁻¹ mod p; of which p and q are there. */
static void
complete(mpz_t numbers[NUMBERS])
{
	mpz_t less_p, less_q, order;
	mpz_inits(less_p, less_q, order, NULL);
	mpz_sub_ui(less_p, numbers[NUMBER_P], 1);
	mpz_sub_ui(less_q, numbers[NUMBER_Q], 1);
	mpz_lcm(order, less_p, less_q);
	mpz_mul(numbers[0], numbers[NUMBER_P], numbers[NUMBER_Q]);
	mpz_set_ui(numbers[1], EXPONENT);
	INVARIANT(mpz_invert(numbers[2], numbers[1], order) != 0);
	mpz_mod(numbers[5], numbers[2], less_p);
	mpz_mod(numbers[6], numbers[2], less_q);
	INVARIANT(mpz_invert(numbers[7], numbers[NUMBER_Q], numbers[NUMBER_P]) != 0);
	mpz_clears(less_p, less_q, order, NULL);
}

/* Pairs are told apart by the first one's place and the distance to the second, which is less than half of the circle. */
static enum fault_code
make_key(size_t index, struct secret **ret_private_key, struct fault *fault)
{
	uint8_t content[DER_MAX], *at = content;
	size_t first = index % primes_count, second = (first + 1 + index / primes_count) % primes_count;
	mpz_t numbers[NUMBERS];
	for (size_t i = 0; i < NUMBERS; i++)
		mpz_init(numbers[i]);
	mpz_set(numbers[NUMBER_P], primes[first]);
	mpz_set(numbers[NUMBER_Q], primes[second]);
	complete(numbers);
	*at++ = 0x02;
	*at++ = 1;
	*at++ = 0;
	for (size_t i = 0; i < NUMBERS; i++) {
		at = write_integer(at, numbers[i]);
		mpz_clear(numbers[i]);
	}
	size_t length = (size_t)(at - content);
	TRY(secret_new(length + 4, ret_private_key, fault));
	memcpy(write_header((*ret_private_key)->data, 0x30, length), content, length);
	return FAULT_NONE;
}

static size_t
keys_count(void)
{
	return primes_count * (primes_count / 2 - 1);
}

static enum fault_code
make_ca_key(void *self, struct secret **ret_private_key, struct fault *fault)
{
	size_t index = atomic_fetch_add(&next_ca_key, 1);
	(void)self;
	INVARIANT(index < PRIME_KEYS_CA_MAX); /* no two CAs may have one key */
	return make_key(index, ret_private_key, fault);
}

static enum fault_code
make_onetime_key(void *self, struct secret **ret_private_key, struct fault *fault)
{
	size_t index = atomic_fetch_add(&next_onetime_key, 1) % (keys_count() - PRIME_KEYS_CA_MAX);
	(void)self;
	return make_key(PRIME_KEYS_CA_MAX + index, ret_private_key, fault);
}

static enum fault_code
make_any_key(void *self, struct secret **ret_private_key, struct fault *fault)
{
	(void)self;
	return make_key(atomic_fetch_add(&next_onetime_key, 1) % keys_count(), ret_private_key, fault);
}

struct key_source
prime_keys_ca_source(void)
{
	INVARIANT(primes != NULL);
	return (struct key_source){ .make = make_ca_key };
}

struct key_source
prime_keys_onetime_source(void)
{
	INVARIANT(primes != NULL);
	return (struct key_source){ .make = make_onetime_key };
}

struct key_source
prime_keys_source(void)
{
	INVARIANT(primes != NULL);
	return (struct key_source){ .make = make_any_key };
}
