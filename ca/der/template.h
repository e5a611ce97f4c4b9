/*
 * template: whole values to DER and back by OpenSSL's ASN.1 templates, and the small parts that all of them are made of. Internal
 * to ca/der.
 *
 * Decoding takes DER alone: one value, nothing behind it, and its bytes must be those that encoding it again gives. So a length
 * in a longer form than needed, an indefinite length, a default that is spelt out, a set out of order are all refused in one
 * place.
 */
#ifndef CA_DER_TEMPLATE_H
#define CA_DER_TEMPLATE_H

#include <openssl/asn1t.h>
#include <openssl/x509.h>
#include <stdint.h>

#include "ca/base/bytes.h"
#include "ca/base/fault.h"
#include "ca/base/scope.h"

/* For a type whose template stands in this file or header: type##_free() and the right to say AUTO(type, type##_free). */
#define TEMPLATE_TYPE(type)                                                                \
	static inline void type##_free(type *value)                                        \
	{                                                                                  \
		ASN1_item_free((ASN1_VALUE *)value, ASN1_ITEM_rptr(type));                 \
	}                                                                                  \
	SCOPED(type, type##_free)

/* An empty value with all its mandatory parts. Faults: MEMORY. */
CHECKED enum fault_code template_new(const ASN1_ITEM *item, void *ret_value, struct fault *fault);
/* The same, at the end of a stack of such values, which owns it. Faults: MEMORY. */
CHECKED enum fault_code template_append(void *stack, const ASN1_ITEM *item, void *ret_value, struct fault *fault);
/* Faults: CRYPTO, MEMORY. */
CHECKED enum fault_code template_encode(const void *value, const ASN1_ITEM *item, struct bytes *ret_der, struct fault *fault);
/* `what` names the value in the fault. Faults: MALFORMED, MEMORY. */
CHECKED enum fault_code template_decode(struct span der, const ASN1_ITEM *item, const char *what, void *ret_value,
	struct fault *fault);

/* Gives an OBJECT IDENTIFIER that OpenSSL knows by number. */
void template_set_object(ASN1_OBJECT **object, int nid);

/* Gives octets to an OCTET STRING, an INTEGER (big-endian, positive), an IA5String or a PrintableString. Faults: MEMORY. */
CHECKED enum fault_code template_set_octets(ASN1_STRING *string, const void *octets, size_t length, struct fault *fault);
/* Gives the first `bits` bits to a BIT STRING; all of them count, also zeros at the end. Faults: MEMORY. */
CHECKED enum fault_code template_set_bits(ASN1_BIT_STRING *string, const uint8_t *octets, size_t bits, struct fault *fault);
size_t template_bits(const ASN1_BIT_STRING *string);                      /* how many bits it has */
struct span template_octets(const ASN1_STRING *string);                   /* borrowed */
/* A copy as text; refuses octets that are not printable ASCII. Faults: MALFORMED, MEMORY. */
CHECKED enum fault_code template_text(const ASN1_STRING *string, const char *what, char **ret_text, struct fault *fault);

/* Algorithms: parameters are NULL for the RSA ones, absent for SHA-256 (RFC 7935 §2, RFC 5754 §2). Faults: MEMORY. */
CHECKED enum fault_code template_set_algorithm(X509_ALGOR *algorithm, int nid, struct fault *fault);
/* Faults: MALFORMED unless it is exactly that one. */
CHECKED enum fault_code template_check_algorithm(const X509_ALGOR *algorithm, int nid, const char *what, struct fault *fault);

#endif
