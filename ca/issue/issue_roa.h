/* issue_roa: the ROAs of a plan. Private to ca/issue. */
#ifndef CA_ISSUE_ISSUE_ROA_H
#define CA_ISSUE_ISSUE_ROA_H

#include "ca/issue/identity.h"
#include "ca/issue/issue.h"

CHECKED enum fault_code issue_roa(const struct issue_context *context, const struct ca_state *state, const struct ca_plan *plan,
	const struct identity *ca, const struct planned_roa *roa, struct object_set *set, struct fault *fault);

#endif
