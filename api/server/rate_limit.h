/*
 * rate_limit: how often each of many clients may ask: a token bucket per key, in a table of fixed size.
 *
 * A key is a token's id or an address. When the table is full, the client that is furthest from its limit is forgotten, so that a
 * flood of new keys never frees one that is being held back. Keys are hashed with a secret. The time is given by the caller.
 *
 * Threads: safe.
 */
#ifndef API_SERVER_RATE_LIMIT_H
#define API_SERVER_RATE_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

#include "ca/base/bytes.h"
#include "ca/base/fault.h"
#include "ca/base/scope.h"

#define RATE_LIMIT_KEY_MAX 24           /* bytes */
#define RATE_LIMIT_KEYS 16384           /* remembered at a time */

struct rate_limit;

/* per_second: how fast a bucket fills; burst: how much it holds. Both > 0. Faults: MEMORY, CRYPTO. */
CHECKED enum fault_code rate_limit_new(int64_t per_second, int64_t burst, struct rate_limit **ret_limit, struct fault *fault);
void rate_limit_free(struct rate_limit *limit);
SCOPED(struct rate_limit, rate_limit_free)

/*
 * Takes one out of the key's bucket. When it is empty: false, and *ret_wait_ms says until when (> 0). now_ms:
 * clock_monotonic_ms().
 */
bool rate_limit_take(struct rate_limit *limit, struct span key, int64_t now_ms, int64_t *ret_wait_ms);

#endif
