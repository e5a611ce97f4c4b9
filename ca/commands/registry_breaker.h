/*
 * registry_breaker: whether a feed's change is more than an operator wants to happen unasked, and the code by which he can ask for
 * exactly that change. Part of making a registry_plan.
 */
#ifndef CA_COMMANDS_REGISTRY_BREAKER_H
#define CA_COMMANDS_REGISTRY_BREAKER_H

#include "ca/base/digest.h"
#include "ca/commands/registry_plan.h"

/*
 * Puts into the digest who changes, from what to what. Aliases are not in it: they issue nothing, and of some registries they are
 * others each day. Faults: MEMORY, CRYPTO.
 */
CHECKED enum fault_code registry_breaker_digest(const struct registry_plan *plan, struct digest *digest, struct fault *fault);

/* Adds up what changes, holds it against the limits, and ends the digest as the plan's code. Faults: MEMORY, CRYPTO. */
CHECKED enum fault_code registry_breaker_judge(struct registry_plan *plan, const struct registry_limits *limits, struct digest *digest,
	struct fault *fault);

#endif
