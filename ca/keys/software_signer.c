#include "ca/keys/software_signer.h"

#include "ca/base/clock.h"
#include "ca/base/digest.h"
#include "ca/base/memory.h"
#include "ca/base/metrics.h"
#include "ca/keys/key_cache.h"
#include "ca/keys/master_key.h"
#include "ca/keys/private_key.h"

#define WRAP_PURPOSE "ca-key"

struct software_signer {
	struct secret *master_key; /* read only after the start: any thread may */
	struct key_source source;
	struct key_cache *cache;
};

static enum fault_code
key_open(struct software_signer *signer, struct span handle, struct cached_key **ret_key, struct fault *fault)
{
	struct key_name name;
	uint64_t epoch;
	TRY(digest_sha256(handle, name.digest, fault));
	struct cached_key *cached = key_cache_find(signer->cache, &name, &epoch);
	if (cached != NULL) {
		*ret_key = cached;
		return FAULT_NONE;
	}
	AUTO(struct secret, secret_free) private_key = NULL;
	EVP_PKEY *key = NULL;
	TRY(master_key_unwrap(signer->master_key, WRAP_PURPOSE, handle, &private_key, fault));
	TRY(private_key_decode(SPAN(private_key->data, private_key->length), &key, fault));
	return key_cache_add(signer->cache, &name, epoch, key, ret_key, fault);
}

/* A proof is a part of making the key, and counts so. */
static enum fault_code
prove(EVP_PKEY *key, struct fault *fault)
{
	int64_t started_ns = clock_thread_cpu_ns();
	enum fault_code code = private_key_prove(key, fault);
	metrics_add(METRIC_KEY_GENERATION_NS, clock_thread_cpu_ns() - started_ns);
	return code;
}

/*
 * What generating and importing share: from the private key to what the caller keeps. What proves itself is what the handle opens to, not
 * what went into it. It stays in the cache: a new CA signs at once, and what a first signature sets up (blinding) the proof has paid for.
 */
static enum fault_code
take_in(struct software_signer *self, const struct secret *private_key, struct bytes *ret_handle, struct bytes *ret_spki,
	struct fault *fault)
{
	AUTO(struct cached_key, cached_key_release) key = NULL;
	AUTO_CLEAR(struct bytes, bytes_clear) handle = BYTES_INIT;
	AUTO_CLEAR(struct bytes, bytes_clear) spki = BYTES_INIT;
	TRY(master_key_wrap(self->master_key, WRAP_PURPOSE, SPAN(private_key->data, private_key->length), &handle, fault));
	TRY(key_open(self, bytes_span(&handle), &key, fault));
	TRY(prove(cached_key_use(key), fault));
	TRY(private_key_spki(cached_key_use(key), &spki, fault));
	bytes_swap(ret_handle, &handle);
	bytes_swap(ret_spki, &spki);
	return FAULT_NONE;
}

static enum fault_code
software_generate(void *self, struct bytes *ret_handle, struct bytes *ret_spki, struct fault *fault)
{
	struct software_signer *signer = self;
	AUTO(struct secret, secret_free) private_key = NULL;
	TRY(signer->source.make(signer->source.self, &private_key, fault));
	return take_in(signer, private_key, ret_handle, ret_spki, fault);
}

static enum fault_code
software_import(void *self, struct span file, struct bytes *ret_handle, struct bytes *ret_spki, struct fault *fault)
{
	AUTO(struct secret, secret_free) private_key = NULL;
	TRY(private_key_import(file, &private_key, fault));
	return take_in(self, private_key, ret_handle, ret_spki, fault);
}

static enum fault_code
software_sign(void *self, struct span handle, struct span message, uint8_t ret_signature[RSA_SIGNATURE_SIZE], struct fault *fault)
{
	AUTO(struct cached_key, cached_key_release) key = NULL;
	TRY(key_open(self, handle, &key, fault));
	return private_key_sign(cached_key_use(key), message, ret_signature, fault);
}

static enum fault_code
software_destroy(void *self, struct span handle, struct fault *fault)
{
	struct software_signer *signer = self;
	struct key_name name;
	TRY(digest_sha256(handle, name.digest, fault));
	key_cache_remove(signer->cache, &name);
	return FAULT_NONE;
}

static void
software_free(void *self)
{
	struct software_signer *signer = self;
	if (signer == NULL)
		return;
	key_cache_free(signer->cache);
	secret_free(signer->master_key);
	free(signer);
}
SCOPED(struct software_signer, software_free)

static const struct signer_operations software_operations = {
	.generate = software_generate,
	.import = software_import,
	.sign = software_sign,
	.destroy = software_destroy,
	.free = software_free,
};

enum fault_code
software_signer_new(struct secret *master_key, struct key_source source, struct signer **ret_signer, struct fault *fault)
{
	AUTO(struct secret, secret_free) owned_key = master_key;
	AUTO(struct software_signer, software_free) signer = NULL;
	TRY(memory_new(1, sizeof *signer, &signer, fault));
	signer->master_key = MOVE(owned_key);
	signer->source = source;
	TRY(key_cache_new(SOFTWARE_SIGNER_CACHE, &signer->cache, fault));
	return signer_new(&software_operations, MOVE(signer), ret_signer, fault);
}

enum fault_code
software_signer_reveal(const struct secret *master_key, struct span handle, struct secret **ret_private_key, struct fault *fault)
{
	return master_key_unwrap(master_key, WRAP_PURPOSE, handle, ret_private_key, fault);
}
