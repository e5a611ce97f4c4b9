#include "ca/base/secret.h"

#include <openssl/crypto.h>
#include <string.h>
#include <sys/mman.h>

/*
 * Each secret has pages of its own: locking and leaving out of core dumps work on whole pages, and a neighbour's free() must not
 * unlock them.
 */
struct secret_pages {
	struct secret secret; /* first, so that its address is the mapping's */
	size_t mapped;
	uint8_t data[];
};

enum fault_code
secret_new(size_t length, struct secret **ret_secret, struct fault *fault)
{
	size_t mapped;
	if (__builtin_add_overflow(length, sizeof(struct secret_pages), &mapped))
		return fault_set(fault, FAULT_MEMORY, "out of memory for a secret of %zu bytes", length);
	struct secret_pages *pages = mmap(NULL, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (pages == MAP_FAILED)
		return fault_set(fault, FAULT_MEMORY, "out of memory for a secret of %zu bytes", length);
	/* Best effort: an unprivileged process may lock little, and a secret in memory that may be swapped beats none. */
	(void)mlock(pages, mapped);
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
