/* identity: the names and URIs of a CA, all derived from its key and its place in the repository. Pure. */
#ifndef CA_ISSUE_IDENTITY_H
#define CA_ISSUE_IDENTITY_H

#include "ca/lint/lint.h"
#include "ca/plan/ca_state.h"

#define IDENTITY_NAME_SIZE 41

/* Where the trust anchor's certificate is, below the rsync URI (and the https authority). */
#define TA_CERTIFICATE_PATH "ta/ta.cer"

struct identity {
	char name[IDENTITY_NAME_SIZE];                    /* CommonName: the key identifier in hex */
	uint8_t key_identifier[20];
	struct span key_handle, spki;                     /* borrowed from the state */
	const struct resource_set *resources;             /* borrowed: what it may give */
	int64_t not_after_at;
	char repository_uri[STATE_URI_MAX * 2];           /* caRepository */
	char key_name[KEY_NAME_SIZE];                     /* stem of its files */
	char certificate_uri[STATE_URI_MAX * 2];
	char crl_uri[STATE_URI_MAX * 2 + STATE_NAME_MAX];
	char manifest_uri[STATE_URI_MAX * 2 + STATE_NAME_MAX];
};

/* One instance of the CA itself; a key that was just made stands in for the instance's. */
void identity_of_ca(const struct ca_state *state, const struct ca_instance *instance, const struct key_state *key,
	struct identity *ret_identity);
/* The CA above it; for a TA, itself. */
void identity_of_issuer(const struct ca_state *state, const struct ca_instance *instance, const struct key_state *key,
	struct identity *ret_identity);
/* The same for the lint. Borrows from identity. self_signed: for the TA's own certificate, which names no issuer. */
struct lint_issuer identity_for_lint(const struct identity *identity, bool self_signed);

#endif
