/*
 * certificate_extensions: the extensions of a resource certificate (RFC 6487 §4.8) as one table: which kind of certificate has
 * which, which are critical, and how each is written and read. Internal to ca/der.
 */
#ifndef CA_DER_CERTIFICATE_EXTENSIONS_H
#define CA_DER_CERTIFICATE_EXTENSIONS_H

#include "ca/der/certificate.h"
#include "ca/der/extension.h"

/* Appends all that the fields ask for, in the table's order. Faults: INVALID, MALFORMED (spki), CRYPTO, MEMORY. */
CHECKED enum fault_code certificate_extensions_write(const struct certificate_fields *fields, STACK_OF(extension) *extensions,
	struct fault *fault);

/* Is there a BasicConstraints? It tells a CA from an EE (RFC 6487 §4.8.1). */
bool certificate_extensions_of_ca(const STACK_OF(extension) *extensions);
/* certificate->kind is known. Fills what comes from extensions. Faults: MALFORMED, TOO_LARGE, MEMORY. */
CHECKED enum fault_code certificate_extensions_read(const STACK_OF(extension) *extensions, struct certificate *certificate,
	struct fault *fault);

#endif
