/* serial: serial numbers of certificates: positive, at most 20 octets in DER (RFC 5280 §4.1.2.2). Internal to ca/der. */
#ifndef CA_DER_SERIAL_H
#define CA_DER_SERIAL_H

#include <openssl/asn1.h>

#include "ca/der/certificate.h"

/* Faults: INVALID, MEMORY. */
CHECKED enum fault_code serial_set(ASN1_INTEGER *integer, const struct serial_number *serial, struct fault *fault);
/* Faults: MALFORMED. */
CHECKED enum fault_code serial_get(const ASN1_INTEGER *integer, struct serial_number *ret_serial, struct fault *fault);
int serial_compare(const struct serial_number *a, const struct serial_number *b); /* as numbers */

#endif
