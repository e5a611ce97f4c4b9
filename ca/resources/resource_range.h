/*
 * resource_range: one range of AS numbers, IPv4 or IPv6 addresses, for what treats all three alike: holdings, overlaps. Pure
 * values.
 */
#ifndef CA_RESOURCES_RESOURCE_RANGE_H
#define CA_RESOURCES_RESOURCE_RANGE_H

#include "ca/resources/resource_set.h"

/* The numbers are those of the database: 0 for AS numbers, else the address family. */
enum resource_kind { RESOURCE_ASN = 0, RESOURCE_IPV4 = FAMILY_IPV4, RESOURCE_IPV6 = FAMILY_IPV6 };

struct resource_range {
	enum resource_kind kind;
	struct address min, max;        /* network order; AS numbers and IPv4 in the first four octets, the rest zero */
};

struct resource_range resource_range_of_asns(uint32_t min, uint32_t max);
struct resource_range resource_range_of_addresses(enum address_family family, const struct address *min,
	const struct address *max);
struct resource_range resource_range_of_prefix(const struct prefix *prefix);

size_t resource_range_octets(enum resource_kind kind);                          /* 4 or 16 */
int resource_range_compare(const struct resource_range *a, const struct resource_range *b); /* kind, min, max */
bool resource_range_overlaps(const struct resource_range *a, const struct resource_range *b);
void resource_range_text(const struct resource_range *range, char text[RANGE_TEXT]);

/* Adds it to a set; as all adding, before resource_set_normalise(). Faults: INVALID, TOO_LARGE, MEMORY. */
CHECKED enum fault_code resource_range_add(const struct resource_range *range, struct resource_set *set, struct fault *fault);

/*
 * Each range of a canonical set: AS numbers, IPv4, IPv6, each in order; index counts within its kind. Ends with a fault of
 * give().
 */
typedef enum fault_code (*resource_range_fn)(void *argument, const struct resource_range *range, size_t index,
	struct fault *fault);
CHECKED enum fault_code resource_range_each(const struct resource_set *set, resource_range_fn give, void *argument,
	struct fault *fault);

#endif
