#include "ca/plan/plan.h"

#include <stdlib.h>
#include <string.h>

#include "ca/base/memory.h"

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

/* A CA that goes, or holds nothing, has no certificate and no products; only the intent stays. */
static bool
may_exist(const struct ca_state *state)
{
	return !state->deleting && (state->inherits || !resource_set_empty(&state->resources));
}

static bool
certificate_due(const struct ca_state *state, const struct timing *timing, int64_t now_at)
{
	const struct issued_object *certificate = &state->certificate;
	if (state->kind == CA_TA)
		return timing_ta_due(certificate->not_before_at, certificate->not_after_at) <= now_at;
	return timing_object_due(timing, certificate->not_after_at) <= now_at;
}

static bool
certificate_right(const struct ca_state *state)
{
	const struct issued_object *certificate = &state->certificate;
	if (state->kind != CA_TA && certificate->key_id != state->parent.key.key_id)
		return false;
	return certificate->not_before_at < certificate->not_after_at && state->certified_inherits == state->inherits &&
		(state->inherits || resource_set_equal(&state->certified_resources, &state->resources));
}

static void
plan_certificate(const struct ca_state *state, const struct timing *timing, struct ca_plan *plan)
{
	if (!may_exist(state)) {
		plan->withdraw_certificate = state->certified;
		return;
	}
	plan->issue_certificate = plan->make_key || !state->certified || !certificate_right(state) ||
		certificate_due(state, timing, plan->now_at);
	if (!plan->issue_certificate)
		return;
	int64_t now_at = plan->now_at;
	plan->certificate_not_before_at = now_at - TIMING_BACKDATE_S;
	/* draft-ta-tiebreaker: the later notBefore wins. It rises for every certificate that takes another's place. */
	if (state->certified && plan->certificate_not_before_at <= state->certificate.not_before_at)
		plan->certificate_not_before_at = state->certificate.not_before_at + 1;
	if (state->kind == CA_TA)
		plan->certificate_not_after_at = now_at + timing->ta_valid_s;
	else if (state->certified)
		plan->certificate_not_after_at = timing_next_end(timing, now_at, state->certificate.not_after_at);
	else
		plan->certificate_not_after_at = timing_first_end(timing, now_at, timing_mix(plan->random, (uint64_t)state->ca_id));
}

/* The intents whose prefix the CA holds now; the others stay intents (design rule 1). */
static enum fault_code
held_intents(const struct ca_state *state, struct payload **ret_held, size_t *ret_count, struct fault *fault)
{
	size_t count = 0;
	TRY(memory_new(state->intents_count, sizeof **ret_held, ret_held, fault));
	for (size_t i = 0; may_exist(state) && i < state->intents_count; i++)
		if (resource_set_holds_prefix(&state->resources, &state->intents[i].prefix))
			(*ret_held)[count++] = state->intents[i];
	*ret_count = count;
	return FAULT_NONE;
}

static enum fault_code
plan_roas(const struct ca_state *state, const struct plan_settings *settings, struct ca_plan *plan, struct fault *fault)
{
	AUTO(struct payload, free) held = NULL;
	size_t count;
	int64_t renew_before_at = plan->now_at + settings->timing.object_margin_s;
	TRY(held_intents(state, &held, &count, fault));
	return roa_layout_make(state, held, count, &settings->layout, renew_before_at, &plan->layout, fault);
}

static bool
manifest_right(const struct ca_state *state, const struct timing *timing, int64_t now_at)
{
	const struct issued_object *manifest = ca_state_object(state, OBJECT_MFT);
	const struct issued_object *crl = ca_state_object(state, OBJECT_CRL);
	return manifest != NULL && crl != NULL && manifest->key_id == state->key.key_id && crl->key_id == state->key.key_id &&
		timing_manifest_due(timing, manifest->not_after_at) > now_at && timing_manifest_due(timing, crl->not_after_at) > now_at;
}

/* Products of children (their certificates) come and go with the children; a mark on the parent tells that they did. */
static enum fault_code
plan_manifest(const struct ca_state *state, const struct timing *timing, struct ca_plan *plan, struct fault *fault)
{
	if (!may_exist(state)) {
		plan->withdraw_products = state->objects_count > 0;
		return FAULT_NONE;
	}
	bool products_changed = plan->layout.roas_count > 0 || plan->layout.withdrawn_count > 0 ||
		(state->kind != CA_MEMBER && state->changed);
	plan->issue_manifest = plan->make_key || products_changed || !manifest_right(state, timing, plan->now_at);
	if (!plan->issue_manifest)
		return FAULT_NONE;
	if (state->objects_count + plan->layout.roas_count > MANIFEST_ENTRIES_LIMIT)
		return fault_set(fault, FAULT_TOO_LARGE, "the manifest would list more than %d objects", MANIFEST_ENTRIES_LIMIT);
	/* RFC 9286 §4.2.1: the number rises by one a manifest that was published; a staged one that is replaced was never seen. */
	plan->manifest_number = state->key.manifest_number + 1;
	plan->crl_number = state->key.crl_number + 1;
	plan->next_update_at = timing_manifest_end(timing, plan->now_at, timing_mix(plan->random, ~(uint64_t)state->ca_id));
	return FAULT_NONE;
}

int64_t
plan_roa_end(const struct ca_plan *plan, const struct plan_settings *settings, const struct planned_roa *roa)
{
	if (roa->replaces != NULL)
		return timing_next_end(&settings->timing, plan->now_at, roa->replaces->not_after_at);
	return timing_first_end(&settings->timing, plan->now_at, timing_mix(plan->random, (uint64_t)roa->slot));
}

static void
sooner(int64_t *due_at, int64_t other_at)
{
	if (*due_at == 0 || other_at < *due_at)
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

/* When the first of what will stand is due: derived from the objects, so that nothing has to remember it. */
static void
plan_renewal(const struct ca_state *state, const struct plan_settings *settings, struct ca_plan *plan)
{
	const struct timing *timing = &settings->timing;
	if (!may_exist(state))
		return;
	int64_t begin_at = plan->issue_certificate ? plan->certificate_not_before_at : state->certificate.not_before_at;
	int64_t end_at = plan->issue_certificate ? plan->certificate_not_after_at : state->certificate.not_after_at;
	sooner(&plan->renew_at, state->kind == CA_TA ? timing_ta_due(begin_at, end_at) : timing_object_due(timing, end_at));
	const struct issued_object *manifest = ca_state_object(state, OBJECT_MFT);
	sooner(&plan->renew_at, timing_manifest_due(timing, plan->issue_manifest ? plan->next_update_at : manifest->not_after_at));
	for (size_t i = 0; i < plan->layout.roas_count; i++)
		sooner(&plan->renew_at, timing_object_due(timing, plan_roa_end(plan, settings, &plan->layout.roas[i])));
	for (size_t i = 0; i < state->objects_count; i++) {
		const struct issued_object *object = &state->objects[i];
		int64_t due_at = timing_object_due(timing, object->not_after_at);
		if (object->kind == OBJECT_ROA && due_at < plan->renew_at && !goes(plan, object))
			plan->renew_at = due_at;
	}
}

enum fault_code
plan_ca(const struct ca_state *state, const struct plan_settings *settings, int64_t now_at, uint64_t random, struct ca_plan **ret_plan,
	struct fault *fault)
{
	/* RFC 9286 §4.2.1: thisUpdate is later than that of every manifest before; validators insist on it to the second. */
	if (state->key.key_id != 0 && now_at <= state->key.this_update_at)
		return fault_set(fault, FAULT_CLOCK, "the clock is not past the last thisUpdate yet: %lld s to go",
			(long long)(state->key.this_update_at - now_at + 1));
	AUTO(struct ca_plan, ca_plan_free) plan = NULL;
	TRY(memory_new(1, sizeof *plan, &plan, fault));
	plan->now_at = now_at;
	plan->random = random;
	plan->make_key = may_exist(state) && state->key.key_id == 0;
	plan_certificate(state, &settings->timing, plan);
	TRY(plan_roas(state, settings, plan, fault));
	TRY(plan_manifest(state, &settings->timing, plan, fault));
	plan_renewal(state, settings, plan);
	plan->nothing = !plan->issue_certificate && !plan->withdraw_certificate && !plan->issue_manifest && !plan->withdraw_products;
	*ret_plan = MOVE(plan);
	return FAULT_NONE;
}
