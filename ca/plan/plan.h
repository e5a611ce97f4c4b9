/*
 * plan: what should be − what is = what to sign. One pure function decides for a CA what to issue and what to withdraw: a new ROA, lost
 * and regained resources, renewal, revocation, key rolls, the end of a member are all the same difference. Nothing is scheduled elsewhere.
 */
#ifndef CA_PLAN_PLAN_H
#define CA_PLAN_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#include "ca/plan/ca_state.h"
#include "ca/plan/roa_layout.h"
#include "ca/plan/timing.h"

struct plan_settings {
	struct timing timing;
	struct roa_layout_settings layout;
};

/* What is to be done for one of the CA's keys. */
struct instance_plan {
	const struct ca_instance *instance;      /* borrowed from the state; NULL: there is none, and none is made */
	bool make_key;                           /* it has none yet */
	bool issue_certificate;                  /* in place of instance->certificate, if there is one */
	bool withdraw_certificate;               /* it holds nothing any more, or goes */
	int64_t certificate_not_before_at, certificate_not_after_at;
	bool withdraw_products;                  /* whatever the key has signed goes: CRL and manifest too */
	bool issue_manifest;                     /* and a CRL with it, always both */
	int64_t next_update_at;
	uint64_t crl_number, manifest_number;
};

struct ca_plan {
	int64_t now_at;                          /* thisUpdate, signingTime of all that it issues */
	uint64_t random;                         /* for the spread of ends */

	struct instance_plan active;             /* the key that signs ROAs and children's certificates once this is done */
	struct instance_plan passive;            /* the staged or retired one beside it */
	bool activate;                           /* the staged key becomes the current one (active), the current one retires (passive) */
	bool destroy;                            /* the passive key has had its time */

	struct roa_layout layout;                /* ROAs to issue, with the active key, and to withdraw */

	bool nothing;                            /* all is as it should be */
	int64_t renew_at;                        /* when the first of what will then stand is to be made anew; 0: never */
};

/* Faults: CLOCK (now is not after the last thisUpdate: nothing may be signed yet), MEMORY, TOO_LARGE (the manifest would be too large). */
CHECKED enum fault_code plan_ca(const struct ca_state *state, const struct plan_settings *settings, int64_t now_at, uint64_t random,
	struct ca_plan **ret_plan, struct fault *fault);
/* A CA that goes, is suspended or holds nothing has no certificate and no products; only intent (and keys, unless it goes) stay. */
bool plan_may_exist(const struct ca_state *state);
void ca_plan_free(struct ca_plan *plan);
SCOPED(struct ca_plan, ca_plan_free)

/* The end of a ROA of this plan. */
int64_t plan_roa_end(const struct ca_plan *plan, const struct plan_settings *settings, const struct planned_roa *roa);

#endif
