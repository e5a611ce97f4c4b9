/*
 * roa_layout: which payload stands in which ROA. One payload each as RFC 9455 recommends; above a threshold one object per origin AS,
 * of at most so many prefixes, further ones in further objects. Pure.
 *
 * A payload stays in its object until it is removed; new ones fill the first object with room. So a change touches few objects.
 */
#ifndef CA_PLAN_ROA_LAYOUT_H
#define CA_PLAN_ROA_LAYOUT_H

#include "ca/plan/ca_state.h"

struct roa_layout_settings {
	size_t by_origin_above;          /* more payloads than this: one object per origin AS */
	size_t by_payload_below;         /* fewer than this: one object per payload again */
	size_t prefixes_max;             /* in one object */
};

extern const struct roa_layout_settings roa_layout_default;

/* A ROA to be issued. */
struct planned_roa {
	uint32_t asn;
	int64_t slot;
	const struct issued_object *replaces; /* NULL: it is new */
	size_t first_payload, payloads_count; /* run of roa_layout.payloads, in order of payload_compare() */
};

struct roa_layout {
	bool by_origin;
	struct planned_roa *roas;
	size_t roas_count, roas_capacity;
	struct payload *payloads;
	size_t payloads_count, payloads_capacity;
	const struct issued_object **withdrawn; /* ROAs that go without one in their place */
	size_t withdrawn_count, withdrawn_capacity;
};

#define ROA_LAYOUT_INIT ((struct roa_layout){ .roas = NULL })

/* What a ROA that stands must be besides saying the right thing. */
struct roa_layout_bounds {
	int64_t key_id;                  /* signed with this key */
	int64_t begun_at;                /* valid from here or before */
	int64_t renew_before_at;         /* and until after here */
};

/*
 * What is to be issued and withdrawn so that the CA's ROAs say exactly `wanted` (in order of payload_compare(), no duplicates). ROAs
 * out of bounds are issued anew with what they hold. Pointers into state stay borrowed. Faults: MEMORY.
 */
CHECKED enum fault_code roa_layout_make(const struct ca_state *state, const struct payload *wanted, size_t wanted_count,
	const struct roa_layout_settings *settings, const struct roa_layout_bounds *bounds, struct roa_layout *ret_layout,
	struct fault *fault);
void roa_layout_clear(struct roa_layout *layout);

#endif
