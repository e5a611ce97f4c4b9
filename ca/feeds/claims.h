/*
 * claims: who holds what according to a file, gathered while it is read, to see that no two holders overlap. Holders are numbers
 * that the reader gives out. Pure; 44 bytes a range.
 *
 * Threads: one at a time.
 */
#ifndef CA_FEEDS_CLAIMS_H
#define CA_FEEDS_CLAIMS_H

#include "ca/resources/resource_range.h"

#define CLAIMS_MAX 1000000      /* ranges in one file; the world's registries together have 700,000 */

struct claim {
	struct resource_range range;
	uint32_t holder;
	uint32_t line;          /* where it stands */
};

struct claims {
	struct claim *items;
	size_t count, capacity;
};

#define CLAIMS_INIT ((struct claims){ .items = NULL })
void claims_clear(struct claims *claims);

/* Faults: TOO_LARGE, MEMORY. */
CHECKED enum fault_code claims_add(struct claims *claims, const struct resource_range *range, uint32_t holder, uint32_t line,
	struct fault *fault);
/* All of a canonical set. */
CHECKED enum fault_code claims_add_set(struct claims *claims, const struct resource_set *set, uint32_t holder, uint32_t line,
	struct fault *fault);

/* Sorts by range. Faults: INVALID: "line 9: 192.0.2.128/25 overlaps with 192.0.2.0/24 of another holder in line 4". */
CHECKED enum fault_code claims_check(struct claims *claims, struct fault *fault);
/* Sorts by holder, then by range. */
void claims_sort_by_holder(struct claims *claims);

#endif
