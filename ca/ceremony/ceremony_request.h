/*
 * ceremony_request: what a server asks the trust anchor on its own machine to sign: the trust anchor's certificate, those of the CAs
 * right below it, what to revoke, and the least numbers of CRL and manifest. As a file: a sealed text, signed by the instance's request
 * key, which signs nothing else (README.md says why no CA's key does it).
 *
 * Pure. Threads: a request belongs to one thread.
 */
#ifndef CA_CEREMONY_CEREMONY_REQUEST_H
#define CA_CEREMONY_CEREMONY_REQUEST_H

#include "ca/base/digest.h"
#include "ca/ceremony/sealed_text.h"
#include "ca/der/certificate.h"
#include "ca/plan/ca_state.h"

#define CEREMONY_REQUEST_TITLE "cadastre-ta-request 1"
#define CEREMONY_CHILDREN_MAX 8                  /* the online CA's keys: one, two in a key roll */
#define CEREMONY_REVOCATIONS_MAX 5000
#define CEREMONY_INSTANCE_SIZE 37
#define CEREMONY_VALID_MIN_S INT64_C(3600)
#define CEREMONY_VALID_MAX_S INT64_C(3153600000)

/* A key that is to get a certificate. */
struct ceremony_child {
	struct bytes spki;
	char directory[STATE_URI_MAX];           /* its caRepository, below the rsync URI, ends with '/' */
	int64_t valid_s;                         /* from the ceremony on */
	struct resource_set resources;
};

struct ceremony_revocation {
	struct serial_number serial;
	int64_t revoked_at;
	int64_t not_after_at;                    /* it stays on the CRL until then */
};

struct ceremony_request {
	int64_t number;                          /* rises with each; 1 the first */
	int64_t created_at;
	char instance[CEREMONY_INSTANCE_SIZE];   /* the server's UUID */
	struct bytes request_key;                /* SubjectPublicKeyInfo that the file is signed with */
	uint8_t ta_key[KEY_IDENTIFIER_SIZE];     /* which trust anchor is asked */
	char rsync_uri[STATE_URI_MAX];           /* of the repository, ends with '/' */
	char directory[STATE_URI_MAX];           /* the trust anchor's caRepository below it, ends with '/' */
	char notification_uri[STATE_URI_MAX];
	struct resource_set resources;           /* of the trust anchor */
	int64_t valid_s;                         /* of its certificate, and so of its CRL and manifest */
	int64_t not_before_at;                   /* notBefore and thisUpdate of all that is new are later; 0: there was none */
	uint64_t crl_number, manifest_number;    /* at least these */
	struct ceremony_child children[CEREMONY_CHILDREN_MAX];
	size_t children_count;
	struct ceremony_revocation *revocations; /* known to the server: revoked, or replaced by this ceremony */
	size_t revocations_count, revocations_capacity;

	uint8_t digest[SHA256_SIZE];             /* of the whole file, once it is one */
};

CHECKED enum fault_code ceremony_request_new(struct ceremony_request **ret_request, struct fault *fault);
void ceremony_request_free(struct ceremony_request *request);
SCOPED(struct ceremony_request, ceremony_request_free)

/* The file, signed by the key behind the handle, whose public half is request->request_key. Sets the digest. Faults: KEY, … */
CHECKED enum fault_code ceremony_request_seal(struct ceremony_request *request, struct signer *signer, struct span handle,
	struct bytes *ret_file, struct fault *fault);
/* Strict; the signature is checked against the key that the file names: who that is, ceremony_check() asks. Faults: MALFORMED, INVALID. */
CHECKED enum fault_code ceremony_request_parse(struct span file, struct ceremony_request **ret_request, struct fault *fault);

/* SHA-256 of a public key, as people compare it: groups of four hex digits. */
#define CEREMONY_FINGERPRINT_SIZE 80
CHECKED enum fault_code ceremony_fingerprint(struct span spki, char ret_text[CEREMONY_FINGERPRINT_SIZE], struct fault *fault);

#endif
