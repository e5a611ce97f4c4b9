/* issue_certificate: a CA's own certificate, signed by the CA above it (or by itself, for a trust anchor). Private to ca/issue. */
#ifndef CA_ISSUE_ISSUE_CERTIFICATE_H
#define CA_ISSUE_ISSUE_CERTIFICATE_H

#include "ca/issue/identity.h"
#include "ca/issue/issue.h"

CHECKED enum fault_code issue_certificate(const struct issue_context *context, const struct ca_state *state, const struct ca_plan *plan,
	const struct instance_plan *own, const struct identity *subject, const struct identity *issuer, struct object_set *set,
	struct fault *fault);

/* 127 random bits: nobody guesses the next one (RFC 6487 §4.2 asks for unique and positive). Faults: CRYPTO. */
CHECKED enum fault_code issue_certificate_serial(struct serial_number *ret_serial, struct fault *fault);

/* Signs a linted TBS with a CA's key and puts both together. Faults: KEY, CRYPTO, MEMORY. */
CHECKED enum fault_code issue_certificate_sign(const struct issue_context *context, const struct identity *issuer, struct span tbs,
	struct bytes *ret_der, struct fault *fault);

#endif
