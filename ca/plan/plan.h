/*
 * plan: what should be − what is = what to sign. One pure function decides for a CA what to issue and what to withdraw: a new ROA, lost
 * and regained resources, renewal, revocation, the end of a member are all the same difference. Nothing is scheduled elsewhere.
 */
#ifndef CA_PLAN_PLAN_H
#define CA_PLAN_PLAN_H

#include "ca/plan/ca_state.h"
#include "ca/plan/roa_layout.h"
#include "ca/plan/timing.h"

struct plan_settings {
	struct timing timing;
	struct roa_layout_settings layout;
};

struct ca_plan {
	int64_t now_at;                          /* thisUpdate, signingTime of all that it issues */
	uint64_t random;                         /* for the spread of ends */

	bool make_key;                           /* it has none yet */
	bool issue_certificate;                  /* in place of state.certificate, if there is one */
	bool withdraw_certificate;               /* it holds nothing any more, or goes */
	int64_t certificate_not_before_at, certificate_not_after_at;

	struct roa_layout layout;                /* ROAs to issue and to withdraw */
	bool withdraw_products;                  /* CRL and manifest go too */
	bool issue_manifest;                     /* and a CRL with it, always both */
	int64_t next_update_at;
	uint64_t crl_number, manifest_number;

	bool nothing;                            /* all is as it should be */
	int64_t renew_at;                        /* when the first of what will then stand is to be made anew; 0: never */
};

/* Faults: CLOCK (now is not after the last thisUpdate: nothing may be signed yet), MEMORY, TOO_LARGE (the manifest would be too large). */
CHECKED enum fault_code plan_ca(const struct ca_state *state, const struct plan_settings *settings, int64_t now_at, uint64_t random,
	struct ca_plan **ret_plan, struct fault *fault);
void ca_plan_free(struct ca_plan *plan);
SCOPED(struct ca_plan, ca_plan_free)

/* The end of a ROA of this plan. */
int64_t plan_roa_end(const struct ca_plan *plan, const struct plan_settings *settings, const struct planned_roa *roa);

#endif
