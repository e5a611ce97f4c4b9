/*
 * secret: memory for private keys and tokens: locked where the system allows it, left out of core dumps, wiped when freed. Each takes a page
 * at least. Where it can't be locked, a warning says so once and METRIC_SECRETS_UNLOCKED counts.
 *
 * Threads: a struct secret belongs to one thread at a time.
 */
#ifndef CA_BASE_SECRET_H
#define CA_BASE_SECRET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ca/base/fault.h"
#include "ca/base/scope.h"

struct secret {
	uint8_t *data;
	size_t length;
};

CHECKED enum fault_code secret_new(size_t length, struct secret **ret_secret, struct fault *fault); /* zeroed. Faults: MEMORY */
void secret_free(struct secret *secret);                 /* wipes first; NULL is harmless */
SCOPED(struct secret, secret_free)

void secret_wipe(void *data, size_t length);             /* never optimised away */
bool secret_equal(const void *a, const void *b, size_t length); /* constant time */

#endif
