/* extension: one extension of a certificate or CRL (RFC 5280 §4.2), its value as DER. Internal to ca/der. */
#ifndef CA_DER_EXTENSION_H
#define CA_DER_EXTENSION_H

#include "ca/der/certificate.h"
#include "ca/der/template.h"

struct extension {
	ASN1_OBJECT *id;
	ASN1_BOOLEAN critical;
	ASN1_OCTET_STRING *value;
};
typedef struct extension extension;
DECLARE_ASN1_ITEM(extension)
DEFINE_STACK_OF(extension)

/* Faults: MEMORY. */
CHECKED enum fault_code extension_append(STACK_OF(extension) *extensions, int nid, bool critical, struct span value,
	struct fault *fault);

/* Two values that certificates and CRLs have in common: key identifiers. Faults: as those of template.h. */
CHECKED enum fault_code extension_encode_authority_key(const uint8_t identifier[KEY_IDENTIFIER_SIZE], struct bytes *ret_value,
	struct fault *fault);
CHECKED enum fault_code extension_decode_authority_key(struct span value, uint8_t ret_identifier[KEY_IDENTIFIER_SIZE],
	struct fault *fault);
CHECKED enum fault_code extension_encode_subject_key(const uint8_t identifier[KEY_IDENTIFIER_SIZE], struct bytes *ret_value,
	struct fault *fault);
CHECKED enum fault_code extension_decode_subject_key(struct span value, uint8_t ret_identifier[KEY_IDENTIFIER_SIZE],
	struct fault *fault);

#endif
