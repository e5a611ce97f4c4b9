/* issue_signed: signed objects (ROAs and manifests): a one-time key, its EE certificate, the CMS around both. Private to ca/issue. */
#ifndef CA_ISSUE_ISSUE_SIGNED_H
#define CA_ISSUE_ISSUE_SIGNED_H

#include "ca/der/signed_object.h"
#include "ca/issue/identity.h"
#include "ca/issue/issue.h"

struct signed_request {
	enum content_type type;
	struct span content;                       /* eContent, already linted */
	const struct resource_set *resources;      /* of the EE; NULL: it inherits all that the CA holds */
	int64_t now_at;                            /* signingTime */
	int64_t not_before_at, not_after_at;       /* of the EE certificate */
};

/*
 * Fills object->der, hash, serial and times. object->name, if empty, becomes <26 hex digits of the one-time key's identifier>.<kind>, so
 * that it is new at each issue (publication-server BCP).
 */
CHECKED enum fault_code issue_signed(const struct issue_context *context, const struct identity *issuer,
	const struct signed_request *request, struct new_object *object, struct fault *fault);

#endif
