/* crl: certificate revocation lists (RFC 6487 §5, RFC 9829) between C and DER. No key, clock, database. */
#ifndef CA_DER_CRL_H
#define CA_DER_CRL_H

#include "ca/der/certificate.h"

#define CRL_REVOCATIONS_MAX 100000             /* 35 octets each: below the 4,000,000 that all validators take */

struct revocation {
	struct serial_number serial;
	int64_t revoked_at;                    /* ≤ thisUpdate of the CRL */
};

struct crl_fields {
	const char *issuer;
	uint8_t authority_key[KEY_IDENTIFIER_SIZE];
	uint64_t number;
	int64_t this_update_at, next_update_at;
	const struct revocation *revocations;  /* any order; encoded sorted by serial; no list at all when empty */
	size_t revocations_count;
};

/*
 * DER of TBSCertList, for certificate_assemble(). Faults: INVALID (a serial twice, a time out of range), TOO_LARGE, MEMORY,
 * CRYPTO.
 */
CHECKED enum fault_code crl_encode_tbs(const struct crl_fields *fields, struct bytes *ret_tbs, struct fault *fault);

struct crl {
	char *issuer;
	uint8_t authority_key[KEY_IDENTIFIER_SIZE];
	uint64_t number;
	int64_t this_update_at, next_update_at;
	struct revocation *revocations;
	size_t revocations_count;
};

#define CRL_INIT ((struct crl){ .issuer = NULL })

/*
 * *ret_crl must be CRL_INIT or one that was decoded (then it is replaced); owned: crl_clear(). Doesn't verify the signature.
 * Faults: MALFORMED (also trailing bytes), TOO_LARGE, MEMORY.
 */
CHECKED enum fault_code crl_decode(struct span der, struct crl *ret_crl, struct fault *fault);
void crl_clear(struct crl *crl);

#endif
