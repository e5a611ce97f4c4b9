/*
 * issue: makes the objects of a plan, and is the only caller of signer_sign() for anything that is published. For each object:
 * prepare → lint → sign → compare. The lint (ca/lint) looks at what is about to be signed with parsing of its own, and at the signed
 * whole again: it must hold exactly what was looked at. One refusal and the plan's objects are all dropped.
 *
 * Holds no lock; touches no database. Threads: safe for different states.
 */
#ifndef CA_ISSUE_ISSUE_H
#define CA_ISSUE_ISSUE_H

#include "ca/issue/object_set.h"
#include "ca/keys/key_pool.h"
#include "ca/keys/signer.h"
#include "ca/plan/plan.h"

struct issue_context {
	struct signer *signer;
	struct key_pool *pool;
	const struct plan_settings *settings;
};

/* Faults: LINT (an object would have been invalid), KEY, CRYPTO, MEMORY, INVALID. */
CHECKED enum fault_code issue_plan(const struct issue_context *context, const struct ca_state *state, const struct ca_plan *plan,
	struct object_set **ret_objects, struct fault *fault);

#endif
