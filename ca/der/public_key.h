/* public_key: SubjectPublicKeyInfo of RSA 2048 keys with e = 65537, the only ones there are (RFC 7935 §3). Internal to ca/der. */
#ifndef CA_DER_PUBLIC_KEY_H
#define CA_DER_PUBLIC_KEY_H

#include "ca/der/certificate.h"
#include "ca/der/template.h"

struct public_key {
	X509_ALGOR *algorithm;
	ASN1_BIT_STRING *bits; /* DER of RSAPublicKey */
};
typedef struct public_key public_key;
DECLARE_ASN1_ITEM(public_key)
TEMPLATE_TYPE(public_key)

/* Faults: MALFORMED, MEMORY. */
CHECKED enum fault_code public_key_decode(struct span spki, public_key **ret_key, struct fault *fault);
/* For a key that was decoded as a part of something larger. Faults: MALFORMED, MEMORY. */
CHECKED enum fault_code public_key_check(const public_key *key, struct fault *fault);
/* Faults: CRYPTO. */
CHECKED enum fault_code public_key_identifier(const public_key *key, uint8_t ret_identifier[KEY_IDENTIFIER_SIZE],
	struct fault *fault);

#endif
