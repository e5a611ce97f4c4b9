/*
 * The extensions of RFC 3779 in their one canonical form. What is found is checked against its neighbour as it comes, by
 * arithmetic of this file's own, and gathered into a resource_set only to be compared.
 */
#include <string.h>

#include "ca/lint/lint_internal.h"

#define IP "RFC 6487 §4.8.10: IP resources"
#define AS "RFC 6487 §4.8.11: AS resources"

static const struct {
	enum address_family family;
	uint8_t afi[2];                 /* IANA's address family numbers */
} families[] = { { FAMILY_IPV4, { 0, 1 } }, { FAMILY_IPV6, { 0, 2 } } };

void
lint_resources_clear(struct lint_resources *resources)
{
	resource_set_clear(&resources->set);
}

enum fault_code
lint_resources_family(struct der_reader *reader, const char *what, enum address_family *ret_family, struct fault *fault)
{
	struct der_element element;
	TRY(der_reader_take(reader, DER_OCTET_STRING, what, &element, fault));
	/* RFC 6487 §4.8.10: a SAFI, a third octet, must not be there. */
	TRY(LINT_RULE(element.contents.length == 2, fault, "%s: addressFamily isn't two octets", what));
	for (size_t i = 0; i < sizeof families / sizeof families[0]; i++) {
		if (memcmp(element.contents.data, families[i].afi, 2) == 0) {
			*ret_family = families[i].family;
			return FAULT_NONE;
		}
	}
	return fault_set(fault, FAULT_LINT, "%s: addressFamily is neither IPv4 nor IPv6", what);
}

static bool
bit_at(const uint8_t *octets, size_t index)
{
	return (octets[index / 8] >> (7 - index % 8) & 1) != 0;
}

/* An address that begins with `bits`; every further one is `fill`. */
static enum fault_code
address_read(struct der_bits bits, enum address_family family, bool fill, const char *what, struct address *ret_address,
	struct fault *fault)
{
	struct address address = { .bytes = { 0 } };
	TRY(LINT_RULE(bits.count <= family_bits(family), fault, "%s: more bits than an address has (RFC 3779 §2.2.3.8)", what));
	if (bits.octets.length > 0)
		memcpy(address.bytes, bits.octets.data, bits.octets.length);
	for (size_t i = bits.count; fill && i < family_bits(family); i++)
		address.bytes[i / 8] |= (uint8_t)(0x80 >> i % 8);
	*ret_address = address;
	return FAULT_NONE;
}

enum fault_code
lint_resources_prefix(struct der_reader *reader, enum address_family family, const char *what, struct prefix *ret_prefix,
	struct fault *fault)
{
	struct der_bits bits;
	struct prefix prefix = { .family = family };
	TRY(der_reader_bits(reader, what, &bits, fault));
	TRY(address_read(bits, family, false, what, &prefix.address, fault));
	prefix.length = (uint8_t)bits.count;
	*ret_prefix = prefix;
	return FAULT_NONE;
}

/* Is it all the addresses that begin with the bits which both ends share? */
static bool
is_prefix(const struct address_range *range, enum address_family family)
{
	size_t bits = family_bits(family), shared = 0;
	while (shared < bits && bit_at(range->min.bytes, shared) == bit_at(range->max.bytes, shared))
		shared++;
	for (size_t i = shared; i < bits; i++) {
		if (bit_at(range->min.bytes, i) || !bit_at(range->max.bytes, i))
			return false;
	}
	return true;
}

/* RFC 3779 §2.2.3.9: SEQUENCE { min without its trailing zero bits, max without its trailing one bits }. */
static enum fault_code
range_read(struct der_reader *reader, enum address_family family, struct address_range *ret_range, struct fault *fault)
{
	struct der_reader inner;
	struct der_bits min, max;
	struct address_range range;
	TRY(der_reader_enter(reader, DER_SEQUENCE, IP, &inner, fault));
	TRY(der_reader_bits(&inner, IP, &min, fault));
	TRY(der_reader_bits(&inner, IP, &max, fault));
	TRY(der_reader_end(&inner, IP, fault));
	TRY(address_read(min, family, false, IP, &range.min, fault));
	TRY(address_read(max, family, true, IP, &range.max, fault));
	TRY(LINT_RULE(min.count == 0 || bit_at(min.octets.data, min.count - 1), fault,
		"RFC 3779 §2.2.3.9: min of a range ends in a zero bit"));
	TRY(LINT_RULE(max.count == 0 || !bit_at(max.octets.data, max.count - 1), fault,
		"RFC 3779 §2.2.3.9: max of a range ends in a one bit"));
	TRY(LINT_RULE(memcmp(&range.min, &range.max, sizeof range.min) <= 0, fault,
		"RFC 3779 §2.2.3.9: min of a range is above its max"));
	TRY(LINT_RULE(!is_prefix(&range, family), fault, "RFC 3779 §2.2.3.7: a range that is a prefix isn't encoded as one"));
	*ret_range = range;
	return FAULT_NONE;
}

static enum fault_code
item_read(struct der_reader *reader, enum address_family family, struct address_range *ret_range, struct fault *fault)
{
	struct der_bits bits;
	struct address_range range;
	if (der_reader_next_is(reader, DER_SEQUENCE))
		return range_read(reader, family, ret_range, fault);
	TRY(der_reader_bits(reader, IP, &bits, fault));
	TRY(address_read(bits, family, false, IP, &range.min, fault));
	TRY(address_read(bits, family, true, IP, &range.max, fault));
	*ret_range = range;
	return FAULT_NONE;
}

/* Is b the address right behind a? */
static bool
follows(const struct address *a, const struct address *b, enum address_family family)
{
	struct address next = *a;
	for (unsigned i = family_bytes(family); i-- > 0;) {
		if (++next.bytes[i] != 0)
			return memcmp(&next, b, sizeof next) == 0;
	}
	return false;
}

/* RFC 3779 §2.2.3.6: ascending, apart from each other, and not to be merged. */
static enum fault_code
addresses_read(struct der_reader *items, enum address_family family, struct lint_resources *resources, struct fault *fault)
{
	struct address_range range, previous;
	TRY(LINT_RULE(der_reader_more(items), fault, "RFC 3779 §2.2.3.6: addressesOrRanges is empty"));
	for (bool first = true; der_reader_more(items); first = false) {
		TRY(item_read(items, family, &range, fault));
		TRY(LINT_RULE(first || memcmp(&previous.max, &range.min, sizeof range.min) < 0, fault,
			"RFC 3779 §2.2.3.6: addresses overlap or aren't in ascending order"));
		TRY(LINT_RULE(first || !follows(&previous.max, &range.min, family), fault,
			"RFC 3779 §2.2.3.6: adjacent addresses aren't merged"));
		TRY(LINT_RULE(++resources->ranges <= RESOURCE_SET_RANGES_MAX, fault,
			IP ": more than %d ranges", RESOURCE_SET_RANGES_MAX));
		TRY(resource_set_add_addresses(&resources->set, family, &range.min, &range.max, fault));
		previous = range;
	}
	return FAULT_NONE;
}

static enum fault_code
family_read(struct der_reader *reader, struct lint_resources *resources, enum address_family *ret_family, struct fault *fault)
{
	struct der_reader family_reader, items;
	enum address_family family;
	TRY(der_reader_enter(reader, DER_SEQUENCE, IP, &family_reader, fault));
	TRY(lint_resources_family(&family_reader, IP, &family, fault));
	if (der_reader_next_is(&family_reader, DER_NULL)) {
		TRY(der_reader_null(&family_reader, IP, fault));
		*(family == FAMILY_IPV4 ? &resources->inherits_ipv4 : &resources->inherits_ipv6) = true;
	} else {
		TRY(der_reader_enter(&family_reader, DER_SEQUENCE, IP, &items, fault));
		TRY(addresses_read(&items, family, resources, fault));
	}
	*ret_family = family;
	return der_reader_end(&family_reader, IP, fault);
}

enum fault_code
lint_resources_read_addresses(struct der_reader *reader, struct lint_resources *resources, struct fault *fault)
{
	struct der_reader blocks;
	enum address_family family, previous = FAMILY_IPV4;
	resources->has_addresses = true;
	TRY(der_reader_enter(reader, DER_SEQUENCE, IP, &blocks, fault));
	TRY(LINT_RULE(der_reader_more(&blocks), fault, "RFC 3779 §2.2.3.1: IPAddrBlocks is empty"));
	for (bool first = true; der_reader_more(&blocks); first = false) {
		TRY(family_read(&blocks, resources, &family, fault));
		/* RFC 3779 §2.2.3.3: in ascending order of the address family number, each once. */
		TRY(LINT_RULE(first || family > previous, fault,
			"RFC 3779 §2.2.3.3: address families aren't each once in ascending order"));
		previous = family;
	}
	return FAULT_NONE;
}

static enum fault_code
asn_read(struct der_reader *reader, uint32_t *ret_asn, struct fault *fault)
{
	uint64_t number;
	TRY(der_reader_unsigned(reader, AS, ASN_MAX, &number, fault));
	*ret_asn = (uint32_t)number;
	return FAULT_NONE;
}

static enum fault_code
asn_range_read(struct der_reader *reader, struct asn_range *ret_range, struct fault *fault)
{
	struct der_reader inner;
	struct asn_range range;
	if (!der_reader_next_is(reader, DER_SEQUENCE)) {
		TRY(asn_read(reader, &range.min, fault));
		range.max = range.min;
		TRY(LINT_RULE(range.min != 0, fault, AS ": AS 0 stands alone, which rpki-client refuses as reserved"));
	} else {
		TRY(der_reader_enter(reader, DER_SEQUENCE, AS, &inner, fault));
		TRY(asn_read(&inner, &range.min, fault));
		TRY(asn_read(&inner, &range.max, fault));
		TRY(der_reader_end(&inner, AS, fault));
		TRY(LINT_RULE(range.min < range.max, fault, "RFC 3779 §3.2.3.8: min of a range isn't below its max"));
	}
	*ret_range = range;
	return FAULT_NONE;
}

/* RFC 3779 §3.2.3.4: ascending, apart from each other, and not to be merged. */
static enum fault_code
asns_read(struct der_reader *items, struct lint_resources *resources, struct fault *fault)
{
	struct asn_range range, previous = { 0, 0 };
	TRY(LINT_RULE(der_reader_more(items), fault, "RFC 3779 §3.2.3.4: asIdsOrRanges is empty"));
	for (bool first = true; der_reader_more(items); first = false) {
		TRY(asn_range_read(items, &range, fault));
		TRY(LINT_RULE(first || range.min > previous.max, fault,
			"RFC 3779 §3.2.3.4: AS numbers overlap or aren't in ascending order"));
		TRY(LINT_RULE(first || range.min - previous.max > 1, fault,
			"RFC 3779 §3.2.3.4: adjacent AS numbers aren't merged"));
		TRY(LINT_RULE(++resources->ranges <= RESOURCE_SET_RANGES_MAX, fault,
			AS ": more than %d ranges", RESOURCE_SET_RANGES_MAX));
		TRY(resource_set_add_asns(&resources->set, range.min, range.max, fault));
		previous = range;
	}
	return FAULT_NONE;
}

enum fault_code
lint_resources_read_asns(struct der_reader *reader, struct lint_resources *resources, struct fault *fault)
{
	struct der_reader identifiers, asnum, items;
	resources->has_asns = true;
	TRY(der_reader_enter(reader, DER_SEQUENCE, AS, &identifiers, fault));
	TRY(der_reader_enter(&identifiers, DER_CONTEXT_CONSTRUCTED(0), AS, &asnum, fault));
	TRY(LINT_RULE(!der_reader_more(&identifiers), fault, AS ": routing domain identifiers must not be there"));
	if (der_reader_next_is(&asnum, DER_NULL)) {
		TRY(der_reader_null(&asnum, AS, fault));
		resources->inherits_asns = true;
	} else {
		TRY(der_reader_enter(&asnum, DER_SEQUENCE, AS, &items, fault));
		TRY(asns_read(&items, resources, fault));
	}
	return der_reader_end(&asnum, AS, fault);
}

/*
 * Nothing explicit. A CA inherits every family that the issuer holds, and no other; the EE of a manifest all three, whatever the issuer
 * holds: rpki-client refuses a manifest in whose certificate one extension is absent.
 */
static enum fault_code
inherited_demand(const struct lint_resources *found, const struct resource_set *issuer, bool ca, struct fault *fault)
{
	TRY(LINT_RULE(resource_set_empty(&found->set), fault,
		"RFC 3779 §2.2.3.5: resources are listed where all are to be inherited"));
	if (!ca)
		return LINT_RULE(found->inherits_ipv4 && found->inherits_ipv6 && found->inherits_asns, fault,
			"RFC 9286 §5.1: IPv4, IPv6 and AS numbers must all be inherited");
	TRY(LINT_RULE(found->inherits_ipv4 == (issuer->ipv4.count > 0), fault,
		IP ": IPv4 must be inherited exactly if the issuer holds some"));
	TRY(LINT_RULE(found->inherits_ipv6 == (issuer->ipv6.count > 0), fault,
		IP ": IPv6 must be inherited exactly if the issuer holds some"));
	return LINT_RULE(found->inherits_asns == (issuer->asns_count > 0), fault,
		AS ": AS numbers must be inherited exactly if the issuer holds some");
}

static enum fault_code
explicit_demand(const struct lint_resources *found, const struct resource_set *issuer,
	const struct lint_certificate_wanted *wanted, struct fault *fault)
{
	bool inherits = found->inherits_ipv4 || found->inherits_ipv6 || found->inherits_asns;
	TRY(LINT_RULE(!inherits || !wanted->ta, fault, "RFC 8630 §2.3: a trust anchor inherits resources"));
	TRY(LINT_RULE(!inherits, fault, "RFC 3779 §2.2.3.5: resources are inherited where all are to be listed"));
	TRY(LINT_RULE(resource_set_equal(&found->set, wanted->resources), fault,
		"RFC 6487 §4.8.10: resources aren't exactly those meant"));
	/* RFC 6487 §7.2: one address too many and validators refuse the certificate with all that hangs below it. */
	return LINT_RULE(resource_set_contains(issuer, &found->set), fault, "RFC 6487 §7.2: resources aren't all the issuer's");
}

/* What kind of object an EE's key is for decides which resources its certificate may have. */
static enum fault_code
object_demand(const struct lint_resources *found, const struct lint_issuer *issuer, const struct lint_certificate_wanted *wanted,
	struct fault *fault)
{
	if (lint_uri_is_in(wanted->object_uri, issuer->repository_uri, LINT_NAME_MANIFEST))
		return LINT_RULE(wanted->resources == NULL, fault,
			"RFC 9286 §5.1: a manifest's certificate doesn't inherit all its resources");
	if (lint_uri_is_in(wanted->object_uri, issuer->repository_uri, LINT_NAME_ROA)) {
		TRY(LINT_RULE(!found->has_asns, fault, "RFC 9582 §5: a ROA's certificate has AS resources"));
		return LINT_RULE(wanted->resources != NULL, fault, "RFC 9582 §5: a ROA's certificate inherits resources");
	}
	return FAULT_NONE;
}

enum fault_code
lint_resources_demand(struct lint_resources *resources, const struct lint_issuer *issuer,
	const struct lint_certificate_wanted *wanted, struct fault *fault)
{
	TRY(LINT_RULE(resources->has_addresses || resources->has_asns, fault,
		"RFC 6487 §4.8.10: neither IP nor AS resources are there"));
	TRY(resource_set_normalise(&resources->set, fault));
	if (!wanted->ca && !wanted->ta)
		TRY(object_demand(resources, issuer, wanted, fault));
	if (wanted->resources != NULL)
		return explicit_demand(resources, issuer->resources, wanted, fault);
	TRY(LINT_RULE(!wanted->ta, fault, "RFC 8630 §2.3: a trust anchor inherits resources"));
	return inherited_demand(resources, issuer->resources, wanted->ca, fault);
}
