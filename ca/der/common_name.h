/*
 * common_name: X.501 names that are one CommonName, a PrintableString (RFC 6487 §4.4). The serialNumber that the profile allows
 * beside it is refused: what such a CA issues would have to repeat it. Internal to ca/der.
 */
#ifndef CA_DER_COMMON_NAME_H
#define CA_DER_COMMON_NAME_H

#include "ca/der/template.h"

struct name_attribute {
	ASN1_OBJECT *type;
	ASN1_PRINTABLESTRING *value;
};
typedef struct name_attribute name_attribute;
DEFINE_STACK_OF(name_attribute)

typedef STACK_OF(name_attribute) name_part; /* RelativeDistinguishedName */
DEFINE_STACK_OF(name_part)

typedef STACK_OF(name_part) common_name;    /* Name */
DECLARE_ASN1_ITEM(common_name)

/* To a Name that is empty still. Faults: INVALID (no PrintableString of 1 to 64 characters), MEMORY. */
CHECKED enum fault_code common_name_set(common_name *name, const char *text, struct fault *fault);
/* Faults: MALFORMED, MEMORY. */
CHECKED enum fault_code common_name_get(common_name *name, const char *what, char **ret_text, struct fault *fault);

#endif
