/*
 * certificate: resource certificates (RFC 6487 with RFC 3779, 7318, 8630, 9829) between C and DER.
 *
 * Encoding gives the part to be signed; signing is the signer's, certificate_assemble() puts both together. No key, clock,
 * database.
 */
#ifndef CA_DER_CERTIFICATE_H
#define CA_DER_CERTIFICATE_H

#include <stdbool.h>
#include <stdint.h>

#include "ca/base/bytes.h"
#include "ca/base/digest.h"
#include "ca/base/fault.h"
#include "ca/keys/signer.h"
#include "ca/resources/resource_set.h"

#define SERIAL_SIZE 16                         /* ours: 127 random bits, big-endian, first octet never 0 */
#define SERIAL_MAX 20                          /* octets, RFC 5280 §4.1.2.2 */
#define KEY_IDENTIFIER_SIZE SHA1_SIZE
#define NAME_TEXT 65                           /* a CommonName of ours: the key identifier in 40 hex digits */
#define URI_MAX 2048                           /* what validators take */

enum certificate_kind {
	CERTIFICATE_TA,                        /* self-signed, RFC 8630 */
	CERTIFICATE_CA,
	CERTIFICATE_EE,                        /* inside a signed object */
};

struct serial_number {
	uint8_t length;                        /* octets, 1 to SERIAL_MAX, no superfluous leading zero */
	uint8_t octets[SERIAL_MAX];            /* big-endian, positive */
};

/* Borrowed throughout: the caller keeps what the pointers show. */
struct certificate_fields {
	enum certificate_kind kind;
	struct serial_number serial;
	const char *issuer;                    /* CommonName, PrintableString */
	const char *subject;
	int64_t not_before_at, not_after_at;   /* UTCTime to 2049, GeneralizedTime from 2050 */
	struct span spki;                      /* DER SubjectPublicKeyInfo; the key identifier is computed from it */
	uint8_t authority_key[KEY_IDENTIFIER_SIZE]; /* issuer's key identifier; unused for a TA */
	const char *crl_uri;                   /* NULL for a TA */
	const char *issuer_uri;                /* AIA caIssuers, NULL for a TA */
	const char *repository_uri;            /* SIA of TA and CA: caRepository, manifest, notification in this order */
	const char *manifest_uri;
	const char *notification_uri;
	const char *object_uri;                /* SIA of an EE: signedObject */
	const struct resource_set *resources;  /* explicit resources; NULL: inherits whatever is set below */
	bool inherit_asns, inherit_ipv4, inherit_ipv6;
};

/* SHA-1 of the public key's bits (RFC 6487 §4.8.2). Faults: MALFORMED, CRYPTO. */
CHECKED enum fault_code certificate_key_identifier(struct span spki, uint8_t ret_identifier[KEY_IDENTIFIER_SIZE],
	struct fault *fault);

/* DER of TBSCertificate. Faults: INVALID (a field that can't be encoded), MEMORY, CRYPTO. */
CHECKED enum fault_code certificate_encode_tbs(const struct certificate_fields *fields, struct bytes *ret_tbs,
	struct fault *fault);

/* TBS (certificate or CRL) + sha256WithRSAEncryption + signature → the whole DER. Faults: MEMORY. */
CHECKED enum fault_code certificate_assemble(struct span tbs, const uint8_t signature[RSA_SIGNATURE_SIZE], struct bytes *ret_der,
	struct fault *fault);

/* What a certificate says. Owned: certificate_clear(). */
struct certificate {
	enum certificate_kind kind;
	struct serial_number serial;
	char *issuer, *subject;
	int64_t not_before_at, not_after_at;
	struct bytes spki;
	uint8_t subject_key[KEY_IDENTIFIER_SIZE], authority_key[KEY_IDENTIFIER_SIZE];
	char *crl_uri, *issuer_uri, *repository_uri, *manifest_uri, *notification_uri, *object_uri; /* NULL where absent */
	struct resource_set resources;
	bool inherit_asns, inherit_ipv4, inherit_ipv6;
};

#define CERTIFICATE_INIT ((struct certificate){ .issuer = NULL })
#define CERTIFICATE_SIZE_MAX 4000000

/*
 * *ret_certificate must be CERTIFICATE_INIT or one that was decoded (then it is replaced). Doesn't verify the signature.
 * Faults: MALFORMED (not a resource certificate, trailing bytes), TOO_LARGE, MEMORY.
 */
CHECKED enum fault_code certificate_decode(struct span der, struct certificate *ret_certificate, struct fault *fault);
void certificate_clear(struct certificate *certificate);

/* Is the signature of this self-signed certificate right? Faults: INVALID, MALFORMED. (For --ta-cert.) */
CHECKED enum fault_code certificate_verify_self_signed(struct span der, struct fault *fault);

#endif
