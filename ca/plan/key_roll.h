/*
 * key_roll: which of a CA's keys does what (RFC 6489). Pure.
 *
 *     none ──wanted──▶ staged ──published, its time over──▶ current ──another takes over──▶ retired ──drained, its time over──▶ destroyed
 *
 * One other key beside the current one at a time; a further roll waits until the retired one is gone. Where the CA may not exist
 * (suspended, without resources), nothing is staged and nothing takes over.
 */
#ifndef CA_PLAN_KEY_ROLL_H
#define CA_PLAN_KEY_ROLL_H

#include "ca/plan/plan.h"

/*
 * Entries of a CRL at which its CA rolls its key by itself: the new one starts with an empty CRL. An entry takes 37 bytes, validators take
 * 2 MB and more; a day of staging has to fit in between.
 */
#define KEY_ROLL_REVOKED_MAX 40000

/* Sets active.instance, passive.instance, make_key, activate and destroy of a plan whose now_at is set. */
void key_roll_choose(const struct ca_state *state, const struct timing *timing, struct ca_plan *plan);

/* Is nothing left that the key has signed but its CRL and manifest? Children's certificates move to the new key one by one. */
bool key_roll_drained(const struct ca_state *state, int64_t key_id);

/* When the next step is due that only the time brings, for what stands once the plan is done; 0: none. */
int64_t key_roll_due(const struct ca_state *state, const struct timing *timing, const struct ca_plan *plan);

#endif
