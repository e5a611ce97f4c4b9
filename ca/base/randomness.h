/* randomness: unpredictable bytes from the system's generator by way of OpenSSL. Threads: safe. Faults: CRYPTO. */
#ifndef CA_BASE_RANDOMNESS_H
#define CA_BASE_RANDOMNESS_H

#include <stddef.h>
#include <stdint.h>

#include "ca/base/fault.h"

CHECKED enum fault_code randomness_fill(void *data, size_t length, struct fault *fault);         /* public values */
CHECKED enum fault_code randomness_fill_private(void *data, size_t length, struct fault *fault); /* secrets */
CHECKED enum fault_code randomness_below(uint64_t bound, uint64_t *ret_number, struct fault *fault); /* even over [0, bound) */
/* A random (version 4) UUID in lower case, 36 characters and a NUL (RFC 9562; libuuid). */
CHECKED enum fault_code randomness_uuid(char ret_uuid[37], struct fault *fault);

#endif
