/*
 * check_known: CAs whose products were all right when they were last looked at, so that a check after each cut reads the ROAs of
 * those alone that have a new manifest. About 110 bytes a CA.
 *
 * Certificate, CRL and manifest of each CA, and the hashes of all that the manifest lists, are always looked at; ROAs of a known
 * CA are as they were, octet for octet. Threads: one at a time.
 */
#ifndef PUBLISH_CHECK_CHECK_KNOWN_H
#define PUBLISH_CHECK_CHECK_KNOWN_H

#include <stdbool.h>
#include <stdint.h>

#include "ca/base/digest.h"
#include "ca/base/fault.h"
#include "ca/base/scope.h"

struct check_known_ca {
	uint8_t certificate[SHA256_SIZE], manifest[SHA256_SIZE]; /* hashes of the files */
	int64_t roas, payloads;
	int64_t expires_at;                     /* the first of its ROAs; 0: it has none */
};

struct check_known;

CHECKED enum fault_code check_known_new(struct check_known **ret_known, struct fault *fault);
void check_known_free(struct check_known *known);
SCOPED(struct check_known, check_known_free)

/* NULL: it is not known with these. */
const struct check_known_ca *check_known_find(const struct check_known *known, const uint8_t certificate[SHA256_SIZE],
	const uint8_t manifest[SHA256_SIZE]);
/* For the next check. Faults: MEMORY. */
CHECKED enum fault_code check_known_add(struct check_known *known, const struct check_known_ca *ca, struct fault *fault);
/* What was added since becomes what is known; whole: the check came to its end, else what was known stays. */
void check_known_turn(struct check_known *known, bool whole);

#endif
