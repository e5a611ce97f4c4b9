/*
 * check_known: CAs whose products were all right when they were last looked at, and deltas, so that a check after each cut costs what
 * changed. In memory are 8 to 16 bytes a CA, 40 a delta; 110 bytes a CA lie in files without a name (file_memory.h).
 *
 * Of a known CA, certificate and manifest are as they were, octet for octet: their signatures verify, and the CRL and the ROAs, whose
 * hashes stand on the manifest, are right. What may have changed is looked at always: whether the CA above still gives it that, whether
 * anything has expired, and the hashes of all that the manifest lists. Threads: one at a time.
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
	int64_t crl_next_update_at;
	int64_t manifest_expires_at;            /* its EE certificate */
	bool parent;                            /* it has issued certificates of CAs, too */
};

struct check_known_delta {
	uint8_t hash[SHA256_SIZE];
	int64_t size;
};

struct check_known;

/* directory: in which its files lie, as of file_memory_open(). */
CHECKED enum fault_code check_known_new(int directory, struct check_known **ret_known, struct fault *fault);
void check_known_free(struct check_known *known);
SCOPED(struct check_known, check_known_free)

/* NULL: it is not known with these. Valid until check_known_turn(). */
const struct check_known_ca *check_known_find(struct check_known *known, const uint8_t certificate[SHA256_SIZE],
	const uint8_t manifest[SHA256_SIZE]);
/* A delta that was right in itself; NULL: none with this hash. */
const struct check_known_delta *check_known_find_delta(const struct check_known *known, const uint8_t hash[SHA256_SIZE]);
/* For the next check. Faults: MEMORY, DISK, IO. */
CHECKED enum fault_code check_known_add(struct check_known *known, const struct check_known_ca *ca, struct fault *fault);
CHECKED enum fault_code check_known_add_delta(struct check_known *known, const struct check_known_delta *delta, struct fault *fault);
/* What was added since becomes what is known; whole: the check came to its end, else what was known stays. */
void check_known_turn(struct check_known *known, bool whole);

#endif
