#include "ca/plan/key_roll.h"

/* Look again after so long where the time is over and something else is still missing. */
#define AGAIN_S 10

static bool
wanted(const struct ca_state *state, int64_t now_at)
{
	/* By itself only where the CA above can certify it: what else is due for the CA is not to wait for that. */
	bool by_itself = state->current.revoked_count >= KEY_ROLL_REVOKED_MAX && !state->parent.set_aside;
	return (state->roll_at != 0 && state->roll_at <= now_at) || by_itself;
}

static int64_t
staging_s(const struct timing *timing, int64_t own_s)
{
	return own_s >= 0 ? own_s : timing->key_staging_s;
}

/* A certificate that comes from a ceremony is out later than the key's manifest; the time runs from then on. */
static int64_t
takes_over_at(const struct ca_state *state, const struct ca_instance *staged, const struct timing *timing)
{
	bool by_ceremony = state->parent.key.offline && staged->certified;
	int64_t out_at = by_ceremony && staged->certificate.not_before_at > staged->published_at ? staged->certificate.not_before_at :
		staged->published_at;
	return out_at + staging_s(timing, staged->staging_s);
}

/* RFC 6489 §2: validators had the time to fetch the NEW instance's certificate, CRL and manifest. */
static bool
may_take_over(const struct ca_state *state, const struct ca_instance *staged, const struct timing *timing, int64_t now_at)
{
	bool out = staged->certified && staged->certificate.published && staged->published_at != 0;
	return out && !timing_never_was(staged->published_at, now_at) && takes_over_at(state, staged, timing) <= now_at;
}

bool
key_roll_drained(const struct ca_state *state, int64_t key_id)
{
	for (size_t i = 0; i < state->objects_count; i++) {
		const struct issued_object *object = &state->objects[i];
		if (object->key_id == key_id && object->kind != OBJECT_CRL && object->kind != OBJECT_MFT)
			return false;
	}
	return true;
}

/*
 * Only a ceremony can take its certificate away where the key above is on another machine, and only a repair where the CA above is set
 * aside; until then it keeps its manifest, so that nothing published points at nothing.
 */
static bool
waits_for_above(const struct ca_state *state, const struct ca_instance *instance)
{
	return (state->parent.key.offline || state->parent.set_aside) && instance->certified;
}

void
key_roll_choose(const struct ca_state *state, const struct timing *timing, struct ca_plan *plan)
{
	const struct ca_instance *current = &state->current, *other = &state->other;
	bool exists = plan_may_exist(state);
	plan->active.instance = current;
	plan->active.make_key = exists && current->key.key_id == 0;
	if (other->key.key_id == 0) {
		bool stage = exists && current->certified && current->published_at != 0 && wanted(state, plan->now_at);
		plan->passive.instance = stage ? other : NULL;
		plan->passive.make_key = stage;
		return;
	}
	plan->passive.instance = other;
	if (other->stage == KEY_STAGED && exists && may_take_over(state, other, timing, plan->now_at)) {
		plan->activate = true;
		plan->active.instance = other;
		plan->passive.instance = current;
	} else if (other->stage == KEY_RETIRED) {
		bool over = other->retired_at + timing->key_retiring_s <= plan->now_at || timing_never_was(other->retired_at, plan->now_at);
		plan->destroy = !exists || (over && key_roll_drained(state, other->key.key_id) && !waits_for_above(state, other));
	}
}

/* That instant; soon where it is over and something else is still missing. */
static int64_t
due(const struct ca_plan *plan, int64_t at)
{
	return at > plan->now_at ? at : plan->now_at + AGAIN_S;
}

int64_t
key_roll_due(const struct ca_state *state, const struct timing *timing, const struct ca_plan *plan)
{
	const struct ca_instance *passive = plan->passive.instance;
	if (passive == NULL || plan->destroy)
		return state->roll_at != 0 ? due(plan, state->roll_at) : 0;
	if (plan->activate)
		return due(plan, plan->now_at + timing->key_retiring_s);
	if (plan->passive.make_key)
		return due(plan, plan->now_at + staging_s(timing, state->roll_staging_s));
	/* The ceremony that brings its certificate has the CA looked at again; the next manifest does, where the CA above is set aside. */
	if (passive->stage == KEY_STAGED && (state->parent.key.offline || state->parent.set_aside) && !passive->certified)
		return 0;
	if (passive->stage == KEY_STAGED)
		return due(plan, passive->published_at != 0 ? takes_over_at(state, passive, timing) : 0);
	/* A retired one that is not drained yet is looked at again whenever a child's certificate moves. */
	bool ends_by_time = key_roll_drained(state, passive->key.key_id) && !waits_for_above(state, passive);
	return ends_by_time ? due(plan, passive->retired_at + timing->key_retiring_s) : 0;
}
