/* range_prefixes: a range of addresses as the fewest prefixes that are it. Pure. */
#ifndef CA_RESOURCES_RANGE_PREFIXES_H
#define CA_RESOURCES_RANGE_PREFIXES_H

#include "ca/resources/resource_set.h"

typedef enum fault_code (*range_prefixes_fn)(void *argument, const struct prefix *prefix, struct fault *fault);

/* In order of address; at most 2 × the bits of an address. Ends with a fault of give(). */
CHECKED enum fault_code range_prefixes_each(enum address_family family, const struct address_range *range, range_prefixes_fn give,
	void *argument, struct fault *fault);

#endif
