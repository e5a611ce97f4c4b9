/*
 * ceremony_verify: the server's side: is this the answer to that request, and would every validator take what is in it? The machine that
 * signed has linted its objects already; they are linted once more here, since whatever is published is looked at where it is published.
 *
 * Pure. Threads: safe for different responses.
 */
#ifndef CA_CEREMONY_CEREMONY_VERIFY_H
#define CA_CEREMONY_CEREMONY_VERIFY_H

#include "ca/ceremony/ceremony_response.h"
#include "ca/issue/object_set.h"

/*
 * spki: the trust anchor's. *ret_objects: all of the response's, ready to be stored, in its order; a certificate's subject is told by
 * its name. Faults: CONFLICT (it answers another request, or another server's), INVALID (it doesn't hold what was asked for), LINT,
 * CLOCK (it is from a time that hasn't come), MALFORMED, MEMORY, CRYPTO.
 */
CHECKED enum fault_code ceremony_verify(const struct ceremony_request *request, const struct ceremony_response *response, struct span spki,
	int64_t now_at, struct object_set **ret_objects, struct fault *fault);

#endif
