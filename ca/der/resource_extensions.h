/*
 * resource_extensions: the two extensions of RFC 3779 between sets and DER, canonical both ways: prefixes wherever a range is
 * one, ranges with the fewest bits, sorted, merged, IPv4 first, no SAFI, no RDI. Internal to ca/der.
 *
 * A family that inherits must be empty in the set; one that neither inherits nor holds anything is left out.
 */
#ifndef CA_DER_RESOURCE_EXTENSIONS_H
#define CA_DER_RESOURCE_EXTENSIONS_H

#include "ca/base/bytes.h"
#include "ca/base/fault.h"
#include "ca/resources/resource_set.h"

struct resource_inheritance {
	bool asns, ipv4, ipv6;
};

/* Nothing to say: *ret_value stays as it is. Faults: CRYPTO, MEMORY. */
CHECKED enum fault_code resource_extensions_encode_addresses(const struct resource_set *set,
	const struct resource_inheritance *inherits, struct bytes *ret_value, struct fault *fault);
CHECKED enum fault_code resource_extensions_encode_asns(const struct resource_set *set,
	const struct resource_inheritance *inherits, struct bytes *ret_value, struct fault *fault);

/* They add to a set and set the flags. Faults: MALFORMED (also where it isn't canonical), TOO_LARGE, MEMORY. */
CHECKED enum fault_code resource_extensions_decode_addresses(struct span value, struct resource_set *set,
	struct resource_inheritance *inherits, struct fault *fault);
CHECKED enum fault_code resource_extensions_decode_asns(struct span value, struct resource_set *set,
	struct resource_inheritance *inherits, struct fault *fault);

#endif
