#include "ca/base/secret.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>

#include "ca/base/log.h"
#include "ca/base/metrics.h"

/*
 * Each secret has pages of its own: locking and leaving out of core dumps work on whole pages, and a neighbour's free() must not
 * unlock them.
 */
struct secret_pages {
	struct secret secret; /* first, so that its address is the mapping's */
	size_t mapped;
	uint8_t data[];
};

/* Best effort: an unprivileged process may lock little, and a secret in memory that may be swapped beats none. It is told, once. */
static void
lock(void *pages, size_t length)
{
	static atomic_flag told = ATOMIC_FLAG_INIT;
	if (mlock(pages, length) == 0)
		return;
	int error = errno;
	metrics_add(METRIC_SECRETS_UNLOCKED, 1);
	if (!atomic_flag_test_and_set(&told))
		log_write(LOG_WARNING, "a private key could not be locked in memory (%s): it may be swapped out. The limit is LimitMEMLOCK, "
			"ulimit -l; each key takes a page", strerror(error));
}

enum fault_code
secret_new(size_t length, struct secret **ret_secret, struct fault *fault)
{
	size_t mapped;
	if (__builtin_add_overflow(length, sizeof(struct secret_pages), &mapped))
		return fault_set(fault, FAULT_MEMORY, "out of memory for a secret of %zu bytes", length);
	struct secret_pages *pages = mmap(NULL, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (pages == MAP_FAILED)
		return fault_set(fault, FAULT_MEMORY, "out of memory for a secret of %zu bytes", length);
	lock(pages, mapped);
	(void)madvise(pages, mapped, MADV_DONTDUMP);
	pages->mapped = mapped;
	pages->secret = (struct secret){ .data = pages->data, .length = length };
	*ret_secret = &pages->secret;
	return FAULT_NONE;
}

void
secret_free(struct secret *secret)
{
	if (secret == NULL)
		return;
	struct secret_pages *pages = (struct secret_pages *)secret;
	size_t mapped = pages->mapped;
	secret_wipe(pages, mapped);
	(void)munmap(pages, mapped); /* unlocks as well */
}

void
secret_wipe(void *data, size_t length)
{
	if (length > 0)
		OPENSSL_cleanse(data, length);
}

bool
secret_equal(const void *a, const void *b, size_t length)
{
	return CRYPTO_memcmp(a, b, length) == 0;
}
