/* watched_object: a published object, taken apart for the watcher. Threads: one at a time. */
#ifndef TESTS_SUPPORT_WATCHED_OBJECT_H
#define TESTS_SUPPORT_WATCHED_OBJECT_H

#include "ca/der/crl.h"
#include "ca/der/manifest.h"
#include "ca/resources/payload.h"

enum watched_kind { WATCHED_CER, WATCHED_CRL, WATCHED_MFT, WATCHED_ROA };

/* A certificate by its issuer's key and its number; no padding, all of it set: compared as bytes. */
struct issued_serial {
	uint8_t issuer[KEY_IDENTIFIER_SIZE];
	struct serial_number serial;
};

struct watched_object {
	char *uri;
	enum watched_kind kind;
	struct bytes der;
	uint8_t hash[SHA256_SIZE];
	struct issued_serial issued;             /* of its EE certificate, where it is a signed object; a CRL has only the issuer */
	int64_t not_before_at, not_after_at;     /* the narrower of EE certificate and contents; CRL: thisUpdate, nextUpdate */
	struct certificate certificate;          /* .cer */
	struct crl crl;
	struct manifest manifest;
	struct payload *payloads;                /* .roa */
	size_t payloads_count;
	int listed;                              /* for the watcher: on how many manifests it is */
};

/* NULL, or what is wrong with it (valid until the next call). */
const char *watched_object_read(const char *uri, struct span der, struct watched_object **ret_object);
void watched_object_free(struct watched_object *object);

#endif
