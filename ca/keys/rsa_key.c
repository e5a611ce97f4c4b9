#include "ca/keys/rsa_key.h"

#include <gmp.h>
#include <nettle/rsa.h>
#include <pthread.h>
#include <string.h>

#include "ca/base/clock.h"
#include "ca/base/metrics.h"
#include "ca/base/randomness.h"
#include "ca/keys/private_key.h"

#define PRIME_BITS (PRIVATE_KEY_BITS / 2)
#define RANDOM_BLOCK 2048 /* a key takes some 70,000 random bytes in 1,400 small requests: asking in blocks saves 2 ms */
#define DER_INTEGER 0x02
#define DER_SEQUENCE 0x30

struct key_pair {
	struct rsa_public_key public;
	struct rsa_private_key private;
};

/* Lives in locked memory. */
struct random_block {
	uint8_t bytes[RANDOM_BLOCK];
	size_t used;
	bool failed;
	uint64_t filler;
	struct fault fault;
};

static void
refill(struct random_block *block)
{
	block->used = 0;
	if (!block->failed && randomness_fill_private(block->bytes, sizeof block->bytes, &block->fault) == FAULT_NONE)
		return;
	/* nettle's callback can't fail: from here on the numbers only have to end its search; the result is thrown away. */
	block->failed = true;
	for (size_t i = 0; i < sizeof block->bytes; i++) {
		block->filler = block->filler * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
		block->bytes[i] = (uint8_t)(block->filler >> 56);
	}
}

static void
random_bytes(void *self, size_t length, uint8_t *ret_bytes)
{
	struct random_block *block = self;
	while (length > 0) {
		if (block->used == sizeof block->bytes)
			refill(block);
		size_t left = sizeof block->bytes - block->used;
		size_t n = length < left ? length : left;
		memcpy(ret_bytes, block->bytes + block->used, n);
		secret_wipe(block->bytes + block->used, n);
		block->used += n;
		ret_bytes += n;
		length -= n;
	}
}

static void
wiping_free(void *memory, size_t size)
{
	secret_wipe(memory, size);
	free(memory);
}

static void *
wiping_reallocate(void *memory, size_t size, size_t new_size)
{
	void *(*allocate)(size_t) = NULL;
	mp_get_memory_functions(&allocate, NULL, NULL);
	void *moved = allocate(new_size); /* GMP's own: never NULL */
	memcpy(moved, memory, size < new_size ? size : new_size);
	wiping_free(memory, size);
	return moved;
}

/*
 * Numbers that nettle and GMP free on their way (p − 1, q − 1, candidates) are wiped too. It is malloc() and free() underneath as
 * before, so that memory of other users of GMP in this process (GnuTLS) may pass from one to the other.
 */
static void
wipe_what_gmp_frees(void)
{
	mp_set_memory_functions(NULL, wiping_reallocate, wiping_free);
}

static void
key_pair_init(struct key_pair *pair)
{
	rsa_public_key_init(&pair->public);
	rsa_private_key_init(&pair->private);
}

static void
key_pair_clear(struct key_pair *pair)
{
	rsa_public_key_clear(&pair->public);
	rsa_private_key_clear(&pair->private);
}

static enum fault_code
key_pair_generate(struct key_pair *pair, struct fault *fault)
{
	AUTO(struct secret, secret_free) memory = NULL;
	TRY(secret_new(sizeof(struct random_block), &memory, fault));
	struct random_block *block = (struct random_block *)(void *)memory->data;
	block->used = sizeof block->bytes;
	mpz_set_ui(pair->public.e, PRIVATE_KEY_EXPONENT);
	int made = rsa_generate_keypair(&pair->public, &pair->private, block, random_bytes, NULL, NULL, PRIVATE_KEY_BITS, 0);
	if (block->failed)
		return fault_set(fault, FAULT_CRYPTO, "no RSA key: %s", block->fault.message);
	if (made != 1)
		return fault_set(fault, FAULT_CRYPTO, "no RSA key: nettle refuses");
	return FAULT_NONE;
}

/* nettle promises all this but the distance of the primes; FIPS 186-4 B.3.1 demands it, and looking costs nothing. */
static enum fault_code
key_pair_check(const struct key_pair *pair, struct fault *fault)
{
	const struct rsa_private_key *key = &pair->private;
	mpz_t product, distance;
	mpz_init(product);
	mpz_init(distance);
	mpz_mul(product, key->p, key->q);
	mpz_sub(distance, key->p, key->q);
	bool good = mpz_sizeinbase(pair->public.n, 2) == PRIVATE_KEY_BITS && mpz_cmp(product, pair->public.n) == 0 &&
		mpz_cmp_ui(pair->public.e, PRIVATE_KEY_EXPONENT) == 0 &&
		mpz_sizeinbase(key->p, 2) == PRIME_BITS && mpz_sizeinbase(key->q, 2) == PRIME_BITS &&
		mpz_sizeinbase(distance, 2) > PRIME_BITS - 100 && mpz_sizeinbase(key->d, 2) > PRIME_BITS;
	mpz_clear(product);
	mpz_clear(distance);
	return good ? FAULT_NONE : fault_set(fault, FAULT_CRYPTO, "a fresh RSA key has numbers of wrong sizes");
}

/* DER is written here by hand and not by a library, so that no copy of the numbers stays anywhere. */
static size_t
integer_content_size(mpz_srcptr number)
{
	return mpz_sizeinbase(number, 2) / 8 + 1; /* with the zero octet that keeps it positive */
}

static size_t
header_size(size_t content)
{
	return content < 0x80 ? 2 : content < 0x100 ? 3 : 4;
}

static uint8_t *
write_header(uint8_t *at, uint8_t tag, size_t content)
{
	INVARIANT(content < 0x10000);
	*at++ = tag;
	if (content >= 0x100) {
		*at++ = 0x82;
		*at++ = (uint8_t)(content >> 8);
	} else if (content >= 0x80) {
		*at++ = 0x81;
	}
	*at++ = (uint8_t)content;
	return at;
}

static uint8_t *
write_integer(uint8_t *at, mpz_srcptr number)
{
	size_t content = integer_content_size(number);
	at = write_header(at, DER_INTEGER, content);
	memset(at, 0, content);
	size_t octets = (mpz_sizeinbase(number, 2) + 7) / 8;
	mpz_export(at + content - octets, NULL, 1, 1, 1, 0, number);
	return at + content;
}

static enum fault_code
key_pair_encode(const struct key_pair *pair, struct secret **ret_der, struct fault *fault)
{
	static const uint8_t version[] = { DER_INTEGER, 1, 0 };
	const struct rsa_private_key *key = &pair->private;
	/* In the order of RSAPrivateKey (RFC 8017 A.1.2). */
	mpz_srcptr numbers[] = { pair->public.n, pair->public.e, key->d, key->p, key->q, key->a, key->b, key->c };
	const size_t count = sizeof numbers / sizeof numbers[0];

	size_t content = sizeof version;
	for (size_t i = 0; i < count; i++)
		content += header_size(integer_content_size(numbers[i])) + integer_content_size(numbers[i]);
	AUTO(struct secret, secret_free) der = NULL;
	TRY(secret_new(header_size(content) + content, &der, fault));
	uint8_t *at = write_header(der->data, DER_SEQUENCE, content);
	memcpy(at, version, sizeof version);
	at += sizeof version;
	for (size_t i = 0; i < count; i++)
		at = write_integer(at, numbers[i]);
	INVARIANT(at == der->data + der->length);
	*ret_der = MOVE(der);
	return FAULT_NONE;
}

static enum fault_code
make_and_prove(struct secret **ret_private_key, struct fault *fault)
{
	AUTO_CLEAR(struct key_pair, key_pair_clear) pair;
	key_pair_init(&pair);
	TRY(key_pair_generate(&pair, fault));
	TRY(key_pair_check(&pair, fault));
	AUTO(struct secret, secret_free) der = NULL;
	TRY(key_pair_encode(&pair, &der, fault));
	AUTO(EVP_PKEY, EVP_PKEY_free) key = NULL;
	TRY(private_key_decode(SPAN(der->data, der->length), &key, fault));
	TRY(private_key_prove(key, fault));
	*ret_private_key = MOVE(der);
	return FAULT_NONE;
}

static enum fault_code
rsa_key_make(void *self, struct secret **ret_private_key, struct fault *fault)
{
	(void)self;
	int64_t started_ns = clock_thread_cpu_ns();
	enum fault_code code = make_and_prove(ret_private_key, fault);
	metrics_add(METRIC_KEY_GENERATION_NS, clock_thread_cpu_ns() - started_ns);
	if (code == FAULT_NONE)
		metrics_add(METRIC_KEYS_GENERATED, 1);
	return code;
}

struct key_source
rsa_key_source(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	INVARIANT(pthread_once(&once, wipe_what_gmp_frees) == 0);
	return (struct key_source){ .make = rsa_key_make, .self = NULL };
}
