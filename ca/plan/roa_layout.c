#include "ca/plan/roa_layout.h"

#include <stdlib.h>
#include <string.h>

#include "ca/base/memory.h"

const struct roa_layout_settings roa_layout_default = { .by_origin_above = 100, .by_payload_below = 90, .prefixes_max = 1000 };

/* One ROA of an origin AS while its payloads are dealt out. */
struct bin {
	const struct issued_object *object; /* NULL: a new one */
	int64_t slot;
	size_t kept;                        /* payloads that stay in it */
	size_t count;                       /* and those that come, together */
};

/* What is dealt out for one origin AS. */
struct deal {
	const struct ca_state *state;
	const struct roa_layout_settings *settings;
	struct roa_layout *layout;
	const struct roa_layout_bounds *bounds;
	size_t room;                        /* payloads in one ROA */
	int64_t next_slot;
	struct bin *bins;
	size_t bins_count, bins_capacity;
	size_t *owners;                     /* of each wanted payload of this AS: its bin */
	size_t owners_capacity;
};

#define NO_BIN SIZE_MAX

static int
compare_objects(const void *a, const void *b)
{
	const struct issued_object *x = *(const struct issued_object *const *)a, *y = *(const struct issued_object *const *)b;
	if (x->asn != y->asn)
		return x->asn < y->asn ? -1 : 1;
	return x->slot < y->slot ? -1 : x->slot > y->slot;
}

static int
compare_payloads(const void *a, const void *b)
{
	return payload_compare(a, b);
}

static enum fault_code
add_withdrawn(struct roa_layout *layout, const struct issued_object *object, struct fault *fault)
{
	TRY(memory_reserve(&layout->withdrawn, &layout->withdrawn_capacity, layout->withdrawn_count + 1, sizeof *layout->withdrawn, fault));
	layout->withdrawn[layout->withdrawn_count++] = object;
	return FAULT_NONE;
}

static enum fault_code
add_bin(struct deal *deal, const struct issued_object *object, struct fault *fault)
{
	TRY(memory_reserve(&deal->bins, &deal->bins_capacity, deal->bins_count + 1, sizeof *deal->bins, fault));
	deal->bins[deal->bins_count++] = (struct bin){ .object = object, .slot = object != NULL ? object->slot : deal->next_slot++ };
	return FAULT_NONE;
}

/* Payloads that an object has and that are still wanted stay where they are. */
static void
keep_payloads(struct deal *deal, size_t index, const struct payload *wanted, size_t wanted_count)
{
	struct bin *bin = &deal->bins[index];
	const struct payload *has = deal->state->issued_payloads + bin->object->first_payload;
	for (size_t i = 0; i < bin->object->payloads_count; i++) {
		const struct payload *found = bsearch(&has[i], wanted, wanted_count, sizeof *wanted, compare_payloads);
		if (found == NULL || deal->owners[found - wanted] != NO_BIN || bin->kept == deal->room)
			continue;
		deal->owners[found - wanted] = index;
		bin->kept++;
	}
	bin->count = bin->kept;
}

/* The others go to the first ROA with room, then to new ones. */
static enum fault_code
place_payloads(struct deal *deal, size_t wanted_count, struct fault *fault)
{
	size_t open = 0;
	for (size_t i = 0; i < wanted_count; i++) {
		if (deal->owners[i] != NO_BIN)
			continue;
		while (open < deal->bins_count && deal->bins[open].count >= deal->room)
			open++;
		if (open == deal->bins_count)
			TRY(add_bin(deal, NULL, fault));
		deal->owners[i] = open;
		deal->bins[open].count++;
	}
	return FAULT_NONE;
}

/* Is the ROA of this bin right as it stands? */
static bool
stands(const struct deal *deal, const struct bin *bin)
{
	const struct issued_object *object = bin->object;
	return object != NULL && bin->kept == bin->count && bin->count == object->payloads_count &&
		object->key_id == deal->bounds->key_id && object->not_before_at <= deal->bounds->begun_at &&
		object->not_after_at > deal->bounds->renew_before_at;
}

static enum fault_code
add_roas(struct deal *deal, const struct payload *wanted, size_t wanted_count, struct fault *fault)
{
	struct roa_layout *layout = deal->layout;
	size_t first = layout->payloads_count;
	TRY(memory_reserve(&layout->payloads, &layout->payloads_capacity, first + wanted_count, sizeof *layout->payloads, fault));
	TRY(memory_reserve(&layout->roas, &layout->roas_capacity, layout->roas_count + deal->bins_count, sizeof *layout->roas, fault));
	struct planned_roa *roas = layout->roas + layout->roas_count;
	for (size_t i = 0; i < deal->bins_count; i++) {
		const struct bin *bin = &deal->bins[i];
		bool issue = bin->count > 0 && !stands(deal, bin);
		roas[i] = (struct planned_roa){ .asn = wanted[0].asn, .slot = bin->slot, .replaces = bin->object, .first_payload = first };
		first += issue ? bin->count : 0;
		if (bin->count == 0)
			TRY(add_withdrawn(layout, bin->object, fault));
	}
	for (size_t i = 0; i < wanted_count; i++) {
		const struct bin *bin = &deal->bins[deal->owners[i]];
		struct planned_roa *roa = &roas[deal->owners[i]];
		if (!stands(deal, bin))
			layout->payloads[roa->first_payload + roa->payloads_count++] = wanted[i];
	}
	layout->payloads_count = first;
	size_t issued = 0;
	for (size_t i = 0; i < deal->bins_count; i++)
		if (roas[i].payloads_count > 0)
			roas[issued++] = roas[i];
	layout->roas_count += issued;
	return FAULT_NONE;
}

/* One origin AS: the ROAs that stand for it, and the payloads wanted for it (at least one). */
static enum fault_code
deal_origin(struct deal *deal, const struct issued_object *const *objects, size_t objects_count, const struct payload *wanted,
	size_t wanted_count, struct fault *fault)
{
	TRY(memory_reserve(&deal->owners, &deal->owners_capacity, wanted_count, sizeof *deal->owners, fault));
	for (size_t i = 0; i < wanted_count; i++)
		deal->owners[i] = NO_BIN;
	deal->bins_count = 0;
	for (size_t i = 0; i < objects_count; i++) {
		TRY(add_bin(deal, objects[i], fault));
		keep_payloads(deal, i, wanted, wanted_count);
	}
	TRY(place_payloads(deal, wanted_count, fault));
	return add_roas(deal, wanted, wanted_count, fault);
}

/* Walks the origin ASes of both lists, which are in order of AS. */
static enum fault_code
deal_all(struct deal *deal, const struct issued_object *const *objects, size_t objects_count, const struct payload *wanted,
	size_t wanted_count, struct fault *fault)
{
	size_t object = 0;
	for (size_t i = 0; i < wanted_count;) {
		uint32_t asn = wanted[i].asn;
		size_t end = i;
		while (end < wanted_count && wanted[end].asn == asn)
			end++;
		while (object < objects_count && objects[object]->asn < asn)
			TRY(add_withdrawn(deal->layout, objects[object++], fault));
		size_t first = object;
		while (object < objects_count && objects[object]->asn == asn)
			object++;
		TRY(deal_origin(deal, objects + first, object - first, wanted + i, end - i, fault));
		i = end;
	}
	while (object < objects_count)
		TRY(add_withdrawn(deal->layout, objects[object++], fault));
	return FAULT_NONE;
}

static bool
choose_by_origin(const struct ca_state *state, const struct roa_layout_settings *settings, size_t wanted_count)
{
	return state->by_origin ? wanted_count >= settings->by_payload_below : wanted_count > settings->by_origin_above;
}

static void
deal_clear(struct deal *deal)
{
	free(deal->bins);
	free(deal->owners);
}

enum fault_code
roa_layout_make(const struct ca_state *state, const struct payload *wanted, size_t wanted_count,
	const struct roa_layout_settings *settings, const struct roa_layout_bounds *bounds, struct roa_layout *ret_layout,
	struct fault *fault)
{
	AUTO_CLEAR(struct roa_layout, roa_layout_clear) layout = ROA_LAYOUT_INIT;
	AUTO(const struct issued_object *, free) objects = NULL;
	TRY(memory_new(state->objects_count, sizeof *objects, &objects, fault));
	layout.by_origin = choose_by_origin(state, settings, wanted_count);
	bool afresh = layout.by_origin != state->by_origin;
	size_t count = 0;
	AUTO_CLEAR(struct deal, deal_clear) deal = {
		.state = state, .settings = settings, .layout = &layout, .bounds = bounds,
		.room = layout.by_origin ? settings->prefixes_max : 1,
	};
	for (size_t i = 0; i < state->objects_count; i++) {
		const struct issued_object *object = &state->objects[i];
		if (object->kind != OBJECT_ROA)
			continue;
		if (object->slot >= deal.next_slot)
			deal.next_slot = object->slot + 1;
		if (afresh)
			TRY(add_withdrawn(&layout, object, fault));
		else
			objects[count++] = object;
	}
	qsort(objects, count, sizeof *objects, compare_objects);
	TRY(deal_all(&deal, objects, count, wanted, wanted_count, fault));
	*ret_layout = layout;
	layout = ROA_LAYOUT_INIT;
	return FAULT_NONE;
}

void
roa_layout_clear(struct roa_layout *layout)
{
	free(layout->roas);
	free(layout->payloads);
	free(layout->withdrawn);
	*layout = ROA_LAYOUT_INIT;
}
