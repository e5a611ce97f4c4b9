/*
 * ceremony_response: what the trust anchor's machine gives back: the objects that it signed, bound to one request by its number and the
 * digest of its file. As a file: a sealed text, signed by the trust anchor's key.
 *
 * Pure. Threads: a response belongs to one thread.
 */
#ifndef CA_CEREMONY_CEREMONY_RESPONSE_H
#define CA_CEREMONY_CEREMONY_RESPONSE_H

#include "ca/ceremony/ceremony_request.h"
#include "ca/issue/object_set.h"

#define CEREMONY_RESPONSE_TITLE "cadastre-ta-response 1"
#define CEREMONY_OBJECTS_MAX (CEREMONY_CHILDREN_MAX + 3)

struct ceremony_object {
	enum object_kind kind;                   /* TA, CER, CRL, MFT */
	char name[STATE_NAME_MAX];               /* of its file */
	struct bytes der;
};

struct ceremony_response {
	int64_t number;
	uint8_t request[SHA256_SIZE];            /* digest of the file that it answers */
	char instance[CEREMONY_INSTANCE_SIZE];
	uint8_t ta_key[KEY_IDENTIFIER_SIZE];
	int64_t signed_at;                       /* by that machine's clock: thisUpdate of CRL and manifest */
	uint64_t crl_number, manifest_number;
	struct ceremony_object objects[CEREMONY_OBJECTS_MAX];
	size_t objects_count;
};

CHECKED enum fault_code ceremony_response_new(struct ceremony_response **ret_response, struct fault *fault);
void ceremony_response_free(struct ceremony_response *response);
SCOPED(struct ceremony_response, ceremony_response_free)

/* The file, with the objects of a set. Faults: KEY, CRYPTO, TOO_LARGE, MEMORY. */
CHECKED enum fault_code ceremony_response_seal(const struct ceremony_response *response, struct signer *signer, struct span handle,
	struct bytes *ret_file, struct fault *fault);
/* Strict, and signed by the trust anchor's key `spki`. Looks into no object. Faults: MALFORMED, INVALID (altered, another's), MEMORY. */
CHECKED enum fault_code ceremony_response_parse(struct span file, struct span spki, struct ceremony_response **ret_response,
	struct fault *fault);

#endif
