#include "ca/commands/resource_complaints.h"

const struct resource_lists resource_lists_whole = { "resources.asns", "resources.ipv4", "resources.ipv6" };
const struct resource_lists resource_lists_add = { "add.asns", "add.ipv4", "add.ipv6" };
const struct resource_lists resource_lists_remove = { "remove.asns", "remove.ipv4", "remove.ipv6" };

const char *
resource_lists_name(const struct resource_lists *lists, enum resource_kind kind)
{
	if (kind == RESOURCE_ASN)
		return lists->asns;
	return kind == RESOURCE_IPV4 ? lists->ipv4 : lists->ipv6;
}

struct walk {
	struct complaints *complaints;
	const struct resource_lists *lists;
	const struct resource_set *asked;
	const char *words;
	size_t asn, ipv4, ipv6;                         /* how far each list of `asked` was gone through */
};

/* Moves on to the range of `asked` that ends where this one does or later: it lies in that. */
static size_t
place_of(struct walk *walk, const struct resource_range *range)
{
	if (range->kind == RESOURCE_ASN) {
		struct resource_range asked;
		for (;; walk->asn++) {
			asked = resource_range_of_asns(walk->asked->asns[walk->asn].min, walk->asked->asns[walk->asn].max);
			if (address_compare(&asked.max, &range->max) >= 0)
				return walk->asn;
		}
	}
	size_t *at = range->kind == RESOURCE_IPV4 ? &walk->ipv4 : &walk->ipv6;
	const struct address_ranges *ranges = resource_set_addresses(walk->asked, (enum address_family)range->kind);
	while (address_compare(&ranges->items[*at].max, &range->max) < 0)
		++*at;
	return *at;
}

static enum fault_code
complain(void *argument, const struct resource_range *range, size_t index, struct fault *fault)
{
	struct walk *walk = argument;
	char text[RANGE_TEXT];
	(void)index;
	resource_range_text(range, text);
	return complaints_add(walk->complaints, fault, resource_lists_name(walk->lists, range->kind), place_of(walk, range), NULL,
		"%s %s", text, walk->words);
}

enum fault_code
resource_complaints_add(struct complaints *complaints, const struct resource_lists *lists, const struct resource_set *asked,
	const struct resource_set *wrong, const char *words, struct fault *fault)
{
	struct walk walk = { .complaints = complaints, .lists = lists, .asked = asked, .words = words };
	INVARIANT(resource_set_contains(asked, wrong));
	return resource_range_each(wrong, complain, &walk, fault);
}
