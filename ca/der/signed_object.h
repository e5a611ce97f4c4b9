/*
 * signed_object: the CMS wrapping of ROAs and manifests (RFC 6488, RFC 9589): SignedData version 3, one EE certificate, no CRLs,
 * one signer known by its key identifier, exactly contentType, messageDigest and signingTime as signed attributes.
 */
#ifndef CA_DER_SIGNED_OBJECT_H
#define CA_DER_SIGNED_OBJECT_H

#include <stdint.h>

#include "ca/base/bytes.h"
#include "ca/base/fault.h"
#include "ca/der/certificate.h"
#include "ca/keys/key_pool.h"

#define SIGNED_OBJECT_SIZE_MAX 4000000         /* what all validators take */

enum content_type { CONTENT_ROA, CONTENT_MANIFEST };

/*
 * Signs with the one-time key whose certificate `ee` is, and so uses that key up. Faults: MALFORMED (ee), CRYPTO (ee is another
 * key's), INVALID (signing time), TOO_LARGE, MEMORY.
 */
CHECKED enum fault_code signed_object_make(enum content_type type, struct span content, struct span ee, int64_t signing_time_at,
	struct onetime_key *key, struct bytes *ret_der, struct fault *fault);

/* Takes one apart (no verification): contents, EE certificate and signing time. Faults: MALFORMED, TOO_LARGE, MEMORY. */
CHECKED enum fault_code signed_object_decode(struct span der, enum content_type *ret_type, struct bytes *ret_content,
	struct bytes *ret_ee, int64_t *ret_signing_time_at, struct fault *fault);

#endif
