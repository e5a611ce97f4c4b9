/*
 * sample_ca: a small trust anchor for tests, with a real key out of fixed_keys, that issues whole objects through ca/der and
 * ca/keys. Whatever fails in it ends the program. Threads: one.
 */
#ifndef TESTS_SUPPORT_SAMPLE_CA_H
#define TESTS_SUPPORT_SAMPLE_CA_H

#include "ca/der/crl.h"
#include "ca/der/signed_object.h"
#include "ca/keys/signer.h"

#define SAMPLE_NOW INT64_C(1795478400) /* 2026-11-24T00:00:00Z */
#define SAMPLE_DAY INT64_C(86400)
#define SAMPLE_BASE "rsync://rpki.example/repo/"

struct sample_ca {
	struct signer *signer;
	struct key_pool *pool;                  /* of one-time keys */
	struct bytes handle, spki;
	uint8_t identifier[KEY_IDENTIFIER_SIZE];
	char name[NAME_TEXT];
	struct resource_set resources;          /* 10.0.0.0/8, 192.0.2.0/24, 2001:db8::/32, AS64496-AS64511 */
};

void sample_ca_init(struct sample_ca *ca);
void sample_ca_clear(struct sample_ca *ca);

/* Fields of a good certificate of a kind, for this key; a TA's are the CA's own. Of an EE: for a manifest, it inherits. */
struct certificate_fields sample_ca_fields(const struct sample_ca *ca, enum certificate_kind kind, struct span spki);
/* The same for a CRL, number 1, without entries. */
struct crl_fields sample_ca_crl_fields(const struct sample_ca *ca);

/* Signs a TBSCertificate or TBSCertList. */
void sample_ca_sign(const struct sample_ca *ca, struct span tbs, struct bytes *ret_der);
void sample_ca_certificate(const struct sample_ca *ca, const struct certificate_fields *fields, struct bytes *ret_der);
void sample_ca_crl(const struct sample_ca *ca, const struct crl_fields *fields, struct bytes *ret_der);
/* With an EE certificate of a one-time key; resources as in certificate_fields (NULL: it inherits). */
void sample_ca_object(const struct sample_ca *ca, enum content_type type, struct span content,
	const struct resource_set *resources, struct bytes *ret_der);

#endif
