/* digest: SHA-256 and SHA-1 (the latter for key identifiers alone, RFC 6487 §4.8.2). Threads: one per struct at a time. */
#ifndef CA_BASE_DIGEST_H
#define CA_BASE_DIGEST_H

#include <stddef.h>
#include <stdint.h>

#include "ca/base/bytes.h"
#include "ca/base/fault.h"
#include "ca/base/scope.h"

#define SHA256_SIZE 32
#define SHA1_SIZE 20

CHECKED enum fault_code digest_sha256(struct span data, uint8_t ret_hash[SHA256_SIZE], struct fault *fault);
CHECKED enum fault_code digest_sha1(struct span data, uint8_t ret_hash[SHA1_SIZE], struct fault *fault);

struct digest; /* a running SHA-256 */
CHECKED enum fault_code digest_new(struct digest **ret_digest, struct fault *fault);
CHECKED enum fault_code digest_update(struct digest *digest, const void *data, size_t length, struct fault *fault);
CHECKED enum fault_code digest_finish(struct digest *digest, uint8_t ret_hash[SHA256_SIZE], struct fault *fault);
void digest_free(struct digest *digest);
SCOPED(struct digest, digest_free)

#endif
