/*
 * envelope: what certificates and CRLs have in common (SIGNED{} of RFC 5280 §4.1): the part that is signed, the algorithm, the
 * signature. Internal to ca/der; certificate_assemble() is the way to make one.
 */
#ifndef CA_DER_ENVELOPE_H
#define CA_DER_ENVELOPE_H

#include "ca/der/certificate.h"
#include "ca/der/template.h"

struct envelope {
	ASN1_TYPE *content; /* a SEQUENCE, as its whole DER */
	X509_ALGOR *algorithm;
	ASN1_BIT_STRING *signature;
};
typedef struct envelope envelope;
DECLARE_ASN1_ITEM(envelope)
TEMPLATE_TYPE(envelope)

/* `what` names it in the fault. Faults: MALFORMED, TOO_LARGE, MEMORY. */
CHECKED enum fault_code envelope_decode(struct span der, const char *what, envelope **ret_envelope, struct fault *fault);
/* The two parts, borrowed: DER of the signed part; the signature of RSA_SIGNATURE_SIZE octets. */
struct span envelope_content(const envelope *whole);
struct span envelope_signature(const envelope *whole);

#endif
