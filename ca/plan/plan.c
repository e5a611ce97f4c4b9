#include "ca/plan/plan.h"

#include <stdlib.h>
#include <string.h>

#include "ca/base/memory.h"
#include "ca/plan/key_roll.h"

/* Entries on one manifest: with names of 30 characters, below what rpki-client 8.2 reads (4,000,000 bytes). */
#define MANIFEST_ENTRIES_LIMIT 55000

void
ca_plan_free(struct ca_plan *plan)
{
	if (plan == NULL)
		return;
	roa_layout_clear(&plan->layout);
	free(plan);
}

bool
plan_may_exist(const struct ca_state *state)
{
	return !state->deleting && !state->suspended && (state->inherits || !resource_set_empty(&state->resources));
}

static bool
certificate_due(const struct ca_state *state, const struct issued_object *certificate, const struct timing *timing, int64_t now_at)
{
	if (state->kind == CA_TA)
		return timing_ta_due(certificate->not_before_at, certificate->not_after_at) <= now_at;
	return timing_object_due(timing, certificate->not_after_at) <= now_at;
}

static bool
certificate_right(const struct ca_state *state, const struct ca_instance *instance, int64_t now_at)
{
	const struct issued_object *certificate = &instance->certificate;
	/* A CA above that is set aside may have no key that can be told. */
	if (state->kind != CA_TA && state->parent.key.key_id != 0 && certificate->key_id != state->parent.key.key_id)
		return false;
	if (timing_never_was(certificate->not_before_at, now_at) || certificate->not_before_at >= certificate->not_after_at)
		return false;
	return instance->certified_inherits == state->inherits &&
		(state->inherits || resource_set_equal(&instance->certified_resources, &state->resources));
}

static void
plan_validity(const struct ca_state *state, const struct timing *timing, const struct ca_plan *plan, struct instance_plan *own)
{
	const struct issued_object *before = &own->instance->certificate;
	bool certified = own->instance->certified && !timing_never_was(before->not_before_at, plan->now_at);
	int64_t now_at = plan->now_at;
	own->certificate_not_before_at = now_at - TIMING_BACKDATE_S;
	/* draft-ta-tiebreaker: the later notBefore wins. It rises for every certificate that takes another's place. */
	if (certified && own->certificate_not_before_at <= before->not_before_at)
		own->certificate_not_before_at = before->not_before_at + 1;
	if (state->kind == CA_TA)
		own->certificate_not_after_at = now_at + timing->ta_valid_s;
	else if (certified)
		own->certificate_not_after_at = timing_next_end(timing, now_at, before->not_after_at);
	else
		own->certificate_not_after_at = timing_first_end(timing, now_at, timing_mix(plan->random, (uint64_t)state->ca_id));
}

static void
plan_certificate(const struct ca_state *state, const struct timing *timing, struct ca_plan *plan, struct instance_plan *own)
{
	if (own->instance == NULL)
		return;
	bool certified = own->instance->certified;
	/* Where the key above is on another machine, a ceremony brings the certificate or takes it away; everything else goes on. */
	if (state->kind != CA_TA && state->parent.key.offline)
		return;
	if (!plan_may_exist(state) || (plan->destroy && own == &plan->passive)) {
		own->withdraw_certificate = certified;
		return;
	}
	/* Likewise where the CA above is set aside: what it certified is left as it is, and renewed when that one is repaired. */
	if (state->kind != CA_TA && state->parent.set_aside && certified &&
		(state->held || certificate_right(state, own->instance, plan->now_at)))
		return;
	own->issue_certificate = own->make_key || !certified || !certificate_right(state, own->instance, plan->now_at) ||
		certificate_due(state, &own->instance->certificate, timing, plan->now_at);
	if (own->issue_certificate)
		plan_validity(state, timing, plan, own);
}

/* The intents whose prefix the CA holds now; the others stay intents (design rule 1). */
static enum fault_code
held_intents(const struct ca_state *state, struct payload **ret_held, size_t *ret_count, struct fault *fault)
{
	size_t count = 0;
	TRY(memory_new(state->intents_count, sizeof **ret_held, ret_held, fault));
	for (size_t i = 0; plan_may_exist(state) && i < state->intents_count; i++)
		if (resource_set_holds_prefix(&state->resources, &state->intents[i].prefix))
			(*ret_held)[count++] = state->intents[i];
	*ret_count = count;
	return FAULT_NONE;
}

/* The active key signs all ROAs: when a staged one takes over, all of them are issued anew with it (RFC 6489 §2 step 5). */
static enum fault_code
plan_roas(const struct ca_state *state, const struct plan_settings *settings, struct ca_plan *plan, struct fault *fault)
{
	AUTO(struct payload, free) held = NULL;
	size_t count;
	struct roa_layout_bounds bounds = {
		.key_id = plan->active.instance->key.key_id,
		.begun_at = plan->now_at + TIMING_CLOCK_BACK_S,
		.renew_before_at = plan->now_at + settings->timing.object_margin_s,
	};
	TRY(held_intents(state, &held, &count, fault));
	return roa_layout_make(state, held, count, &settings->layout, &bounds, &plan->layout, fault);
}

/* last_at: the key's last thisUpdate. After a restore it is later than that of the list that stands, as there may have been others since. */
static bool
list_right(const struct issued_object *list, int64_t last_at, const struct timing *timing, int64_t now_at)
{
	return list != NULL && timing_manifest_due(timing, list->not_after_at) > now_at && !timing_never_was(list->not_before_at, now_at) &&
		(list->not_before_at >= last_at || timing_never_was(last_at, now_at));
}

static bool
manifest_right(const struct ca_state *state, const struct key_state *key, const struct timing *timing, int64_t now_at)
{
	return list_right(ca_state_object(state, key->key_id, OBJECT_MFT), key->this_update_at, timing, now_at) &&
		list_right(ca_state_object(state, key->key_id, OBJECT_CRL), key->this_update_at, timing, now_at);
}

/* Products of children (their certificates) come and go with the children; a mark on the parent tells that they did. */
static bool
products_changed(const struct ca_state *state, const struct ca_plan *plan, const struct instance_plan *own)
{
	bool roas = own == &plan->active && (plan->layout.roas_count > 0 || plan->layout.withdrawn_count > 0);
	return roas || plan->activate || (state->kind != CA_MEMBER && state->changed);
}

static enum fault_code
plan_manifest(const struct ca_state *state, const struct timing *timing, struct ca_plan *plan, struct instance_plan *own,
	struct fault *fault)
{
	if (own->instance == NULL)
		return FAULT_NONE;
	if (!plan_may_exist(state) || (plan->destroy && own == &plan->passive)) {
		own->withdraw_products = state->objects_count > 0;
		return FAULT_NONE;
	}
	own->issue_manifest = own->make_key || products_changed(state, plan, own) ||
		!manifest_right(state, &own->instance->key, timing, plan->now_at);
	if (!own->issue_manifest)
		return FAULT_NONE;
	if (state->objects_count + plan->layout.roas_count > MANIFEST_ENTRIES_LIMIT)
		return fault_set(fault, FAULT_TOO_LARGE, "the manifest would list more than %d objects", MANIFEST_ENTRIES_LIMIT);
	/* RFC 9286 §4.2.1: the number rises by one a manifest that was published; a staged one that is replaced was never seen. */
	own->manifest_number = own->instance->key.manifest_number + 1;
	own->crl_number = own->instance->key.crl_number + 1;
	own->next_update_at = timing_manifest_end(timing, plan->now_at, timing_mix(plan->random, ~(uint64_t)state->ca_id));
	return FAULT_NONE;
}

int64_t
plan_roa_end(const struct ca_plan *plan, const struct plan_settings *settings, const struct planned_roa *roa)
{
	if (roa->replaces != NULL)
		return timing_next_end(&settings->timing, plan->now_at, roa->replaces->not_after_at);
	return timing_first_end(&settings->timing, plan->now_at, timing_mix(plan->random, (uint64_t)roa->slot));
}

/* 0 is no time at all. */
static void
sooner(int64_t *due_at, int64_t other_at)
{
	if (other_at != 0 && (*due_at == 0 || other_at < *due_at))
		*due_at = other_at;
}

static bool
goes(const struct ca_plan *plan, const struct issued_object *object)
{
	for (size_t i = 0; i < plan->layout.roas_count; i++)
		if (plan->layout.roas[i].replaces == object)
			return true;
	return false;
}

static void
renew_instance(const struct ca_state *state, const struct timing *timing, struct ca_plan *plan, const struct instance_plan *own)
{
	if (own->instance == NULL || own->withdraw_products || (plan->destroy && own == &plan->passive))
		return;
	const struct issued_object *certificate = &own->instance->certificate;
	int64_t begin_at = own->issue_certificate ? own->certificate_not_before_at : certificate->not_before_at;
	int64_t end_at = own->issue_certificate ? own->certificate_not_after_at : certificate->not_after_at;
	bool by_ceremony = state->kind != CA_TA && (state->parent.key.offline || state->parent.set_aside);
	if (state->kind == CA_TA)
		sooner(&plan->renew_at, timing_ta_due(begin_at, end_at));
	else if (!by_ceremony)
		sooner(&plan->renew_at, timing_object_due(timing, end_at));
	const struct issued_object *manifest = ca_state_object(state, own->instance->key.key_id, OBJECT_MFT);
	sooner(&plan->renew_at, timing_manifest_due(timing, own->issue_manifest ? own->next_update_at : manifest->not_after_at));
}

/* When the first of what will stand is due: derived from the objects, so that nothing has to remember it. */
static void
plan_renewal(const struct ca_state *state, const struct plan_settings *settings, struct ca_plan *plan)
{
	const struct timing *timing = &settings->timing;
	if (!plan_may_exist(state))
		return;
	renew_instance(state, timing, plan, &plan->active);
	renew_instance(state, timing, plan, &plan->passive);
	sooner(&plan->renew_at, key_roll_due(state, timing, plan));
	for (size_t i = 0; i < plan->layout.roas_count; i++)
		sooner(&plan->renew_at, timing_object_due(timing, plan_roa_end(plan, settings, &plan->layout.roas[i])));
	for (size_t i = 0; i < state->objects_count; i++) {
		const struct issued_object *object = &state->objects[i];
		int64_t due_at = timing_object_due(timing, object->not_after_at);
		if (object->kind == OBJECT_ROA && due_at < plan->renew_at && !goes(plan, object))
			plan->renew_at = due_at;
	}
}

/* RFC 9286 §4.2.1: thisUpdate is later than that of every manifest before; validators insist on it to the second. */
static enum fault_code
check_clock(const struct ca_instance *instance, int64_t now_at, struct fault *fault)
{
	int64_t last_at = instance->key.this_update_at;
	if (instance->key.key_id == 0 || now_at > last_at || timing_never_was(last_at, now_at))
		return FAULT_NONE;
	return fault_set(fault, FAULT_CLOCK, "the clock is not past the last thisUpdate yet: %lld s to go", (long long)(last_at - now_at + 1));
}

static bool
instance_acts(const struct instance_plan *own)
{
	return own->issue_certificate || own->withdraw_certificate || own->issue_manifest || own->withdraw_products;
}

enum fault_code
plan_ca(const struct ca_state *state, const struct plan_settings *settings, int64_t now_at, uint64_t random, struct ca_plan **ret_plan,
	struct fault *fault)
{
	TRY(check_clock(&state->current, now_at, fault));
	TRY(check_clock(&state->other, now_at, fault));
	AUTO(struct ca_plan, ca_plan_free) plan = NULL;
	TRY(memory_new(1, sizeof *plan, &plan, fault));
	plan->now_at = now_at;
	plan->random = random;
	key_roll_choose(state, &settings->timing, plan);
	/* Its key is on another machine: what it signs comes from there. */
	if (!state->current.key.offline) {
		plan_certificate(state, &settings->timing, plan, &plan->active);
		plan_certificate(state, &settings->timing, plan, &plan->passive);
		TRY(plan_roas(state, settings, plan, fault));
		TRY(plan_manifest(state, &settings->timing, plan, &plan->active, fault));
		TRY(plan_manifest(state, &settings->timing, plan, &plan->passive, fault));
		plan_renewal(state, settings, plan);
	}
	plan->nothing = !instance_acts(&plan->active) && !instance_acts(&plan->passive) && !plan->activate && !plan->destroy;
	*ret_plan = MOVE(plan);
	return FAULT_NONE;
}
