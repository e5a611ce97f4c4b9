/* roa: the eContent of ROAs (RFC 9582) between C and DER. */
#ifndef CA_DER_ROA_H
#define CA_DER_ROA_H

#include "ca/base/bytes.h"
#include "ca/base/fault.h"
#include "ca/resources/payload.h"

#define ROA_PREFIXES_MAX 1000

/* All payloads have the same AS; any order, encoded canonically (§4.3.3), maxLength left out where it is the prefix's own length.
 * Faults: INVALID (none, duplicates, different ASes, maxLength), TOO_LARGE, MEMORY. */
CHECKED enum fault_code roa_encode(const struct payload *payloads, size_t count, struct bytes *ret_content, struct fault *fault);
/* *ret_payloads is the caller's, to be freed. Faults: MALFORMED (also what isn't canonical), TOO_LARGE, MEMORY. */
CHECKED enum fault_code roa_decode(struct span content, struct payload **ret_payloads, size_t *ret_count, struct fault *fault);

#endif
