#include "ca/feeds/claims.h"

#include <inttypes.h>
#include <stdlib.h>

#include "ca/base/memory.h"

void
claims_clear(struct claims *claims)
{
	free(claims->items);
	*claims = CLAIMS_INIT;
}

enum fault_code
claims_add(struct claims *claims, const struct resource_range *range, uint32_t holder, uint32_t line, struct fault *fault)
{
	if (claims->count == CLAIMS_MAX)
		return fault_set(fault, FAULT_TOO_LARGE, "more than %d ranges in one file", CLAIMS_MAX);
	TRY(memory_reserve(&claims->items, &claims->capacity, claims->count + 1, sizeof *claims->items, fault));
	claims->items[claims->count++] = (struct claim){ .range = *range, .holder = holder, .line = line };
	return FAULT_NONE;
}

struct adding {
	struct claims *claims;
	uint32_t holder, line;
};

static enum fault_code
add_range(void *argument, const struct resource_range *range, size_t index, struct fault *fault)
{
	const struct adding *adding = argument;
	(void)index;
	return claims_add(adding->claims, range, adding->holder, adding->line, fault);
}

enum fault_code
claims_add_set(struct claims *claims, const struct resource_set *set, uint32_t holder, uint32_t line, struct fault *fault)
{
	struct adding adding = { .claims = claims, .holder = holder, .line = line };
	return resource_range_each(set, add_range, &adding, fault);
}

static int
compare_ranges(const void *a, const void *b)
{
	const struct claim *x = a, *y = b;
	int order = resource_range_compare(&x->range, &y->range);
	return order != 0 ? order : (x->line > y->line) - (x->line < y->line);
}

static int
compare_holders(const void *a, const void *b)
{
	const struct claim *x = a, *y = b;
	int order = (x->holder > y->holder) - (x->holder < y->holder);
	return order != 0 ? order : compare_ranges(a, b);
}

static enum fault_code
overlap(const struct claim *a, const struct claim *b, struct fault *fault)
{
	const struct claim *first = a->line <= b->line ? a : b, *second = first == a ? b : a;
	char first_text[RANGE_TEXT], second_text[RANGE_TEXT];
	resource_range_text(&first->range, first_text);
	resource_range_text(&second->range, second_text);
	return fault_set(fault, FAULT_INVALID, "line %" PRIu32 ": %s overlaps with %s of another holder in line %" PRIu32,
		second->line, second_text, first_text, first->line);
}

enum fault_code
claims_check(struct claims *claims, struct fault *fault)
{
	if (claims->count == 0)
		return FAULT_NONE;
	qsort(claims->items, claims->count, sizeof *claims->items, compare_ranges);
	/* Whoever reaches furthest so far is whom a later range can overlap with first. */
	const struct claim *furthest = claims->items;
	for (size_t i = 1; i < claims->count; i++) {
		const struct claim *claim = &claims->items[i];
		if (claim->holder != furthest->holder && resource_range_overlaps(&furthest->range, &claim->range))
			return overlap(furthest, claim, fault);
		if (claim->range.kind != furthest->range.kind || address_compare(&claim->range.max, &furthest->range.max) > 0)
			furthest = claim;
	}
	return FAULT_NONE;
}

void
claims_sort_by_holder(struct claims *claims)
{
	if (claims->count > 0)
		qsort(claims->items, claims->count, sizeof *claims->items, compare_holders);
}
