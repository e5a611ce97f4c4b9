#include "ca/resources/resource_range.h"

#include <string.h>

static struct address
asn_octets(uint32_t asn)
{
	struct address octets = { .bytes = { (uint8_t)(asn >> 24), (uint8_t)(asn >> 16), (uint8_t)(asn >> 8), (uint8_t)asn } };
	return octets;
}

static uint32_t
asn_of(const struct address *octets)
{
	const uint8_t *b = octets->bytes;
	return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

struct resource_range
resource_range_of_asns(uint32_t min, uint32_t max)
{
	return (struct resource_range){ .kind = RESOURCE_ASN, .min = asn_octets(min), .max = asn_octets(max) };
}

struct resource_range
resource_range_of_addresses(enum address_family family, const struct address *min, const struct address *max)
{
	return (struct resource_range){ .kind = (enum resource_kind)family, .min = *min, .max = *max };
}

struct resource_range
resource_range_of_prefix(const struct prefix *prefix)
{
	return (struct resource_range){
		.kind = (enum resource_kind)prefix->family, .min = prefix_first(prefix), .max = prefix_last(prefix),
	};
}

size_t
resource_range_octets(enum resource_kind kind)
{
	return kind == RESOURCE_IPV6 ? 16 : 4;
}

int
resource_range_compare(const struct resource_range *a, const struct resource_range *b)
{
	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	int order = address_compare(&a->min, &b->min);
	return order != 0 ? order : address_compare(&a->max, &b->max);
}

bool
resource_range_overlaps(const struct resource_range *a, const struct resource_range *b)
{
	return a->kind == b->kind && address_compare(&a->min, &b->max) <= 0 && address_compare(&b->min, &a->max) <= 0;
}

void
resource_range_text(const struct resource_range *range, char text[RANGE_TEXT])
{
	if (range->kind == RESOURCE_ASN) {
		struct asn_range asns = { asn_of(&range->min), asn_of(&range->max) };
		resource_set_asn_text(&asns, text);
	} else {
		struct address_range addresses = { range->min, range->max };
		resource_set_address_text((enum address_family)range->kind, &addresses, text);
	}
}

enum fault_code
resource_range_add(const struct resource_range *range, struct resource_set *set, struct fault *fault)
{
	if (range->kind == RESOURCE_ASN)
		return resource_set_add_asns(set, asn_of(&range->min), asn_of(&range->max), fault);
	return resource_set_add_addresses(set, (enum address_family)range->kind, &range->min, &range->max, fault);
}

static enum fault_code
each_address(const struct resource_set *set, enum address_family family, resource_range_fn give, void *argument,
	struct fault *fault)
{
	const struct address_ranges *ranges = resource_set_addresses(set, family);
	for (size_t i = 0; i < ranges->count; i++) {
		struct resource_range range = resource_range_of_addresses(family, &ranges->items[i].min, &ranges->items[i].max);
		TRY(give(argument, &range, i, fault));
	}
	return FAULT_NONE;
}

enum fault_code
resource_range_each(const struct resource_set *set, resource_range_fn give, void *argument, struct fault *fault)
{
	for (size_t i = 0; i < set->asns_count; i++) {
		struct resource_range range = resource_range_of_asns(set->asns[i].min, set->asns[i].max);
		TRY(give(argument, &range, i, fault));
	}
	TRY(each_address(set, FAMILY_IPV4, give, argument, fault));
	return each_address(set, FAMILY_IPV6, give, argument, fault);
}
