/* der_time: UTCTime and GeneralizedTime in the one form of RFC 5280 §4.1.2.5: seconds, Z, no fractions. Internal to ca/der. */
#ifndef CA_DER_DER_TIME_H
#define CA_DER_DER_TIME_H

#include <openssl/asn1.h>
#include <stdint.h>

#include "ca/base/fault.h"

/* Of a Time (RFC 5280): UTCTime to 2049, GeneralizedTime from 2050. Faults: INVALID (before 1970, after 9999), MEMORY. */
CHECKED enum fault_code der_time_set(ASN1_TIME *time, int64_t at, struct fault *fault);
/* GeneralizedTime whatever the year. Faults: INVALID, MEMORY. */
CHECKED enum fault_code der_time_set_generalized(ASN1_GENERALIZEDTIME *time, int64_t at, struct fault *fault);

/* The same two, backwards. Faults: MALFORMED. */
CHECKED enum fault_code der_time_get(const ASN1_TIME *time, const char *what, int64_t *ret_at, struct fault *fault);
CHECKED enum fault_code der_time_get_generalized(const ASN1_GENERALIZEDTIME *time, const char *what, int64_t *ret_at,
	struct fault *fault);

#endif
