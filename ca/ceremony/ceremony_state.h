/* ceremony_state: the CAs of a request as ca/issue knows them, for making their objects and for checking them. Private to ca/ceremony. */
#ifndef CA_CEREMONY_CEREMONY_STATE_H
#define CA_CEREMONY_CEREMONY_STATE_H

#include "ca/ceremony/ceremony_request.h"

/* The trust anchor's key. handle: empty where it is not to sign. */
struct ceremony_key {
	struct span handle, spki;
};

/* Faults: INVALID (a URI that is too long), MALFORMED, MEMORY. */
CHECKED enum fault_code ceremony_state_anchor(const struct ceremony_request *request, const struct ceremony_key *key,
	struct ca_state **ret_state, struct fault *fault);
/* ta_not_after_at: the end of the trust anchor's certificate. */
CHECKED enum fault_code ceremony_state_child(const struct ceremony_request *request, const struct ceremony_child *child,
	const struct ceremony_key *key, int64_t ta_not_after_at, struct ca_state **ret_state, struct fault *fault);

#endif
