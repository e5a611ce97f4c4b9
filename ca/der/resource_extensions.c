#include "ca/der/resource_extensions.h"

#include <openssl/x509v3.h>
#include <string.h>

#include "ca/der/template.h"
#include "ca/keys/openssl_fault.h"

typedef STACK_OF(IPAddressFamily) address_blocks;

ASN1_ITEM_TEMPLATE(address_blocks) =
	ASN1_EX_TEMPLATE_TYPE(ASN1_TFLG_SEQUENCE_OF, 0, address_blocks, IPAddressFamily)
static_ASN1_ITEM_TEMPLATE_END(address_blocks)
TEMPLATE_TYPE(address_blocks)

SCOPED(ASIdentifiers, ASIdentifiers_free)

#define AFI_SIZE 2

/* RFC 3779 §2.2.3.3: AFI without SAFI, in this order. */
static const struct family {
	enum address_family family;
	uint8_t afi[AFI_SIZE];
} families[] = {
	{ FAMILY_IPV4, { 0, IANA_AFI_IPV4 } },
	{ FAMILY_IPV6, { 0, IANA_AFI_IPV6 } },
};
#define FAMILIES (sizeof families / sizeof families[0])

static enum fault_code
no_memory(struct fault *fault)
{
	return openssl_fault_set(fault, FAULT_MEMORY, "building a resource extension");
}

static bool *
inherits_family(struct resource_inheritance *inherits, enum address_family family)
{
	return family == FAMILY_IPV4 ? &inherits->ipv4 : &inherits->ipv6;
}

/* How many bits are left when those at the end that equal `value` go (RFC 3779 §2.2.3.9: zeros of min, ones of max). */
static size_t
significant_bits(enum address_family family, const struct address *address, bool value)
{
	size_t bits = family_bits(family);
	while (bits > 0 && ((address->bytes[(bits - 1) / 8] & (0x80 >> (bits - 1) % 8)) != 0) == value)
		bits--;
	return bits;
}

static enum fault_code
append_range(IPAddressOrRanges *ranges, enum address_family family, const struct address_range *range, struct fault *fault)
{
	IPAddressOrRange *added = NULL;
	struct prefix prefix;
	TRY(template_append(ranges, ASN1_ITEM_rptr(IPAddressOrRange), &added, fault));
	/* RFC 3779 §2.2.3.7: a range that is a prefix is encoded as one. */
	if (address_range_as_prefix(family, range, &prefix)) {
		TRY(template_new(ASN1_ITEM_rptr(ASN1_BIT_STRING), &added->u.addressPrefix, fault));
		added->type = IPAddressOrRange_addressPrefix;
		return template_set_bits(added->u.addressPrefix, prefix.address.bytes, prefix.length, fault);
	}
	TRY(template_new(ASN1_ITEM_rptr(IPAddressRange), &added->u.addressRange, fault));
	added->type = IPAddressOrRange_addressRange;
	TRY(template_set_bits(added->u.addressRange->min, range->min.bytes, significant_bits(family, &range->min, false), fault));
	return template_set_bits(added->u.addressRange->max, range->max.bytes, significant_bits(family, &range->max, true),
		fault);
}

static enum fault_code
append_family(address_blocks *blocks, const struct family *family, bool inherits, const struct address_ranges *ranges,
	struct fault *fault)
{
	IPAddressFamily *added = NULL;
	TRY(template_append(blocks, ASN1_ITEM_rptr(IPAddressFamily), &added, fault));
	TRY(template_set_octets(added->addressFamily, family->afi, AFI_SIZE, fault));
	IPAddressChoice *choice = added->ipAddressChoice;
	if (inherits) {
		choice->u.inherit = ASN1_NULL_new();
		choice->type = IPAddressChoice_inherit;
		return choice->u.inherit != NULL ? FAULT_NONE : no_memory(fault);
	}
	choice->u.addressesOrRanges = sk_IPAddressOrRange_new_null();
	choice->type = IPAddressChoice_addressesOrRanges;
	if (choice->u.addressesOrRanges == NULL)
		return no_memory(fault);
	for (size_t i = 0; i < ranges->count; i++)
		TRY(append_range(choice->u.addressesOrRanges, family->family, &ranges->items[i], fault));
	return FAULT_NONE;
}

enum fault_code
resource_extensions_encode_addresses(const struct resource_set *set, const struct resource_inheritance *inherits,
	struct bytes *ret_value, struct fault *fault)
{
	struct resource_inheritance copy = *inherits;
	AUTO(address_blocks, address_blocks_free) blocks = NULL;
	TRY(template_new(ASN1_ITEM_rptr(address_blocks), &blocks, fault));
	for (size_t i = 0; i < FAMILIES; i++) {
		const struct address_ranges *ranges = resource_set_addresses(set, families[i].family);
		bool inherited = *inherits_family(&copy, families[i].family);
		INVARIANT(!inherited || ranges->count == 0);
		if (inherited || ranges->count > 0)
			TRY(append_family(blocks, &families[i], inherited, ranges, fault));
	}
	if (sk_IPAddressFamily_num(blocks) == 0)
		return FAULT_NONE; /* RFC 6487 §4.8.10: no extension rather than an empty one */
	return template_encode(blocks, ASN1_ITEM_rptr(address_blocks), ret_value, fault);
}

static enum fault_code
append_asns(ASIdOrRanges *ranges, const struct asn_range *range, struct fault *fault)
{
	ASIdOrRange *added = NULL;
	TRY(template_append(ranges, ASN1_ITEM_rptr(ASIdOrRange), &added, fault));
	/* RFC 3779 §3.2.3.6 and §3.2.3.8: one number is an id, never a range. */
	if (range->min == range->max) {
		TRY(template_new(ASN1_ITEM_rptr(ASN1_INTEGER), &added->u.id, fault));
		added->type = ASIdOrRange_id;
		return ASN1_INTEGER_set_uint64(added->u.id, range->min) == 1 ? FAULT_NONE : no_memory(fault);
	}
	TRY(template_new(ASN1_ITEM_rptr(ASRange), &added->u.range, fault));
	added->type = ASIdOrRange_range;
	if (ASN1_INTEGER_set_uint64(added->u.range->min, range->min) != 1 ||
		ASN1_INTEGER_set_uint64(added->u.range->max, range->max) != 1)
		return no_memory(fault);
	return FAULT_NONE;
}

enum fault_code
resource_extensions_encode_asns(const struct resource_set *set, const struct resource_inheritance *inherits,
	struct bytes *ret_value, struct fault *fault)
{
	INVARIANT(!inherits->asns || set->asns_count == 0);
	if (!inherits->asns && set->asns_count == 0)
		return FAULT_NONE; /* RFC 6487 §4.8.11 */
	AUTO(ASIdentifiers, ASIdentifiers_free) identifiers = NULL;
	TRY(template_new(ASN1_ITEM_rptr(ASIdentifiers), &identifiers, fault));
	TRY(template_new(ASN1_ITEM_rptr(ASIdentifierChoice), &identifiers->asnum, fault));
	ASIdentifierChoice *choice = identifiers->asnum;
	if (inherits->asns) {
		choice->u.inherit = ASN1_NULL_new();
		choice->type = ASIdentifierChoice_inherit;
		if (choice->u.inherit == NULL)
			return no_memory(fault);
	} else {
		choice->u.asIdsOrRanges = sk_ASIdOrRange_new_null();
		choice->type = ASIdentifierChoice_asIdsOrRanges;
		if (choice->u.asIdsOrRanges == NULL)
			return no_memory(fault);
		for (size_t i = 0; i < set->asns_count; i++)
			TRY(append_asns(choice->u.asIdsOrRanges, &set->asns[i], fault));
	}
	return template_encode(identifiers, ASN1_ITEM_rptr(ASIdentifiers), ret_value, fault);
}

/* What came in must be what we would have written: prefixes, minimal ranges, order, merging (RFC 3779 §2.2.3.6, §3.2.3.4). */
static enum fault_code
check_canonical(struct span value, const struct bytes *canonical, const char *what, struct fault *fault)
{
	if (!span_equal(value, bytes_span(canonical)))
		return fault_set(fault, FAULT_MALFORMED, "%s is not in the canonical form of RFC 3779", what);
	return FAULT_NONE;
}

/* A range turned round is not a request's fault here, but the DER's. */
static enum fault_code
as_malformed(enum fault_code code, const char *what, struct fault *fault)
{
	if (code != FAULT_INVALID)
		return code;
	return fault_set(fault, FAULT_MALFORMED, "%s has a range whose end is before its start", what);
}

/* The address that a BIT STRING begins, the rest filled with zeros or ones. */
static enum fault_code
get_address(const ASN1_BIT_STRING *bits, enum address_family family, uint8_t fill, struct address *ret_address,
	struct fault *fault)
{
	size_t count = template_bits(bits);
	struct span octets = template_octets(bits);
	if (count > family_bits(family))
		return fault_set(fault, FAULT_MALFORMED, "IPAddrBlocks has an address of %zu bits", count);
	struct address address = { { 0 } };
	memset(address.bytes, fill, family_bytes(family));
	if (octets.length > 0)
		memcpy(address.bytes, octets.data, octets.length);
	if (count % 8 != 0)
		address.bytes[octets.length - 1] |= (uint8_t)(fill & (0xff >> (count % 8)));
	*ret_address = address;
	return FAULT_NONE;
}

static enum fault_code
read_range(const IPAddressOrRange *range, enum address_family family, struct resource_set *set, struct fault *fault)
{
	bool is_prefix = range->type == IPAddressOrRange_addressPrefix;
	struct address min, max;
	TRY(get_address(is_prefix ? range->u.addressPrefix : range->u.addressRange->min, family, 0x00, &min, fault));
	TRY(get_address(is_prefix ? range->u.addressPrefix : range->u.addressRange->max, family, 0xff, &max, fault));
	return as_malformed(resource_set_add_addresses(set, family, &min, &max, fault), "IPAddrBlocks", fault);
}

static enum fault_code
read_family(const IPAddressFamily *block, struct resource_set *set, struct resource_inheritance *inherits, struct fault *fault)
{
	const struct family *family = NULL;
	for (size_t i = 0; i < FAMILIES; i++)
		if (span_equal(template_octets(block->addressFamily), SPAN(families[i].afi, AFI_SIZE)))
			family = &families[i];
	if (family == NULL)
		return fault_set(fault, FAULT_MALFORMED,
			"IPAddrBlocks has a family that is neither IPv4 nor IPv6 (RFC 6487 §4.8.10)");
	const IPAddressChoice *choice = block->ipAddressChoice;
	if (choice->type == IPAddressChoice_inherit) {
		*inherits_family(inherits, family->family) = true;
		return FAULT_NONE;
	}
	for (int i = 0; i < sk_IPAddressOrRange_num(choice->u.addressesOrRanges); i++)
		TRY(read_range(sk_IPAddressOrRange_value(choice->u.addressesOrRanges, i), family->family, set, fault));
	return FAULT_NONE;
}

static bool
inherits_what_it_holds(const struct resource_set *set, const struct resource_inheritance *inherits)
{
	return (inherits->asns && set->asns_count > 0) || (inherits->ipv4 && set->ipv4.count > 0) ||
		(inherits->ipv6 && set->ipv6.count > 0);
}

enum fault_code
resource_extensions_decode_addresses(struct span value, struct resource_set *set, struct resource_inheritance *inherits,
	struct fault *fault)
{
	AUTO(address_blocks, address_blocks_free) blocks = NULL;
	TRY(template_decode(value, ASN1_ITEM_rptr(address_blocks), "IPAddrBlocks", &blocks, fault));
	for (int i = 0; i < sk_IPAddressFamily_num(blocks); i++)
		TRY(read_family(sk_IPAddressFamily_value(blocks, i), set, inherits, fault));
	TRY(resource_set_normalise(set, fault));
	if (inherits_what_it_holds(set, inherits))
		return fault_set(fault, FAULT_MALFORMED, "IPAddrBlocks has a family twice");
	AUTO_CLEAR(struct bytes, bytes_clear) canonical = BYTES_INIT;
	TRY(resource_extensions_encode_addresses(set, inherits, &canonical, fault));
	return check_canonical(value, &canonical, "IPAddrBlocks", fault);
}

static enum fault_code
get_asn(const ASN1_INTEGER *integer, uint32_t *ret_asn, struct fault *fault)
{
	uint64_t number;
	if (ASN1_INTEGER_get_uint64(&number, integer) != 1 || number > ASN_MAX)
		return openssl_fault_set(fault, FAULT_MALFORMED, "ASIdentifiers has a number that is no AS number");
	*ret_asn = (uint32_t)number;
	return FAULT_NONE;
}

static enum fault_code
read_asns(const ASIdOrRange *range, struct resource_set *set, struct fault *fault)
{
	bool is_id = range->type == ASIdOrRange_id;
	uint32_t min = 0, max = 0;
	TRY(get_asn(is_id ? range->u.id : range->u.range->min, &min, fault));
	TRY(get_asn(is_id ? range->u.id : range->u.range->max, &max, fault));
	return as_malformed(resource_set_add_asns(set, min, max, fault), "ASIdentifiers", fault);
}

enum fault_code
resource_extensions_decode_asns(struct span value, struct resource_set *set, struct resource_inheritance *inherits,
	struct fault *fault)
{
	AUTO(ASIdentifiers, ASIdentifiers_free) identifiers = NULL;
	TRY(template_decode(value, ASN1_ITEM_rptr(ASIdentifiers), "ASIdentifiers", &identifiers, fault));
	/* RFC 6487 §4.8.11: no routing domain identifiers. */
	if (identifiers->asnum == NULL || identifiers->rdi != NULL)
		return fault_set(fault, FAULT_MALFORMED, "ASIdentifiers has to hold asnum and nothing else (RFC 6487 §4.8.11)");
	if (identifiers->asnum->type == ASIdentifierChoice_inherit) {
		inherits->asns = true;
	} else {
		const ASIdOrRanges *ranges = identifiers->asnum->u.asIdsOrRanges;
		for (int i = 0; i < sk_ASIdOrRange_num(ranges); i++)
			TRY(read_asns(sk_ASIdOrRange_value(ranges, i), set, fault));
	}
	TRY(resource_set_normalise(set, fault));
	AUTO_CLEAR(struct bytes, bytes_clear) canonical = BYTES_INIT;
	TRY(resource_extensions_encode_asns(set, inherits, &canonical, fault));
	return check_canonical(value, &canonical, "ASIdentifiers", fault);
}
