/* issue_manifest: the CRL and the manifest of a plan, always both, with the same times (RFC 9286 §4.2.1). Private to ca/issue. */
#ifndef CA_ISSUE_ISSUE_MANIFEST_H
#define CA_ISSUE_ISSUE_MANIFEST_H

#include "ca/issue/identity.h"
#include "ca/issue/issue.h"

/*
 * For one key of the CA: the manifest lists what that key has signed and what stands, the CRL what of it was replaced or withdrawn. set
 * holds the plan's ROAs already: they are on the active key's manifest, what they replace is on the CRL of the key that signed it.
 */
CHECKED enum fault_code issue_manifest(const struct issue_context *context, const struct ca_state *state, const struct ca_plan *plan,
	const struct instance_plan *own, const struct identity *ca, struct object_set *set, struct fault *fault);

#endif
