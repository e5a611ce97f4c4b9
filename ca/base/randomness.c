#include "ca/base/randomness.h"

#include <openssl/err.h>
#include <openssl/rand.h>
#include <uuid/uuid.h>

static enum fault_code
randomness_fault(struct fault *fault)
{
	const char *reason = ERR_reason_error_string(ERR_get_error());
	ERR_clear_error();
	return fault_set(fault, FAULT_CRYPTO, "random number generator: %s", reason != NULL ? reason : "OpenSSL gives no reason");
}

enum fault_code
randomness_fill(void *data, size_t length, struct fault *fault)
{
	return RAND_bytes_ex(NULL, data, length, 0) == 1 ? FAULT_NONE : randomness_fault(fault);
}

enum fault_code
randomness_fill_private(void *data, size_t length, struct fault *fault)
{
	return RAND_priv_bytes_ex(NULL, data, length, 0) == 1 ? FAULT_NONE : randomness_fault(fault);
}

enum fault_code
randomness_below(uint64_t bound, uint64_t *ret_number, struct fault *fault)
{
	INVARIANT(bound > 0);
	/* 2^64 mod bound numbers at the low end are thrown away, so that each remainder is equally likely. */
	const uint64_t unfair = (UINT64_MAX - bound + 1) % bound;
	uint64_t number;
	do
		TRY(randomness_fill(&number, sizeof number, fault));
	while (number < unfair);
	*ret_number = number % bound;
	return FAULT_NONE;
}

enum fault_code
randomness_uuid(char ret_uuid[37], struct fault *fault)
{
	/* The bits come from OpenSSL, as libuuid would silently make do with a weak generator where the system's is missing. */
	uuid_t uuid;
	TRY(randomness_fill(uuid, sizeof uuid, fault));
	uuid[6] = (unsigned char)((uuid[6] & 0x0f) | 0x40); /* version 4, RFC 9562 §5.4 */
	uuid[8] = (unsigned char)((uuid[8] & 0x3f) | 0x80); /* variant, RFC 9562 §4.1 */
	uuid_unparse_lower(uuid, ret_uuid);
	return FAULT_NONE;
}
