/* The eContent of a ROA, RFC 9582 §4. ROAs are written in the order of payload_compare(); here §4.3.3 is decided once more. */
#include <stdlib.h>
#include <string.h>

#include "ca/base/memory.h"
#include "ca/base/scope.h"
#include "ca/lint/lint_internal.h"

#define CONTENT "RFC 9582 §4: RouteOriginAttestation"
#define BLOCKS "RFC 9582 §4.3: ipAddrBlocks"
#define FAMILY "RFC 9582 §4.3.1: ROAIPAddressFamily"
#define ADDRESS "RFC 9582 §4.3.2: ROAIPAddress"

/* The payloads that the content has, in its order. */
struct roa_payloads {
	struct payload *items;
	size_t count, capacity;
};

/* RFC 9582 §4.3.3.1: family, address, prefix length, maxLength. */
static int
canonical_compare(const struct payload *a, const struct payload *b)
{
	if (a->prefix.family != b->prefix.family)
		return a->prefix.family < b->prefix.family ? -1 : 1;
	int order = memcmp(a->prefix.address.bytes, b->prefix.address.bytes, sizeof a->prefix.address.bytes);
	if (order != 0)
		return order;
	if (a->prefix.length != b->prefix.length)
		return a->prefix.length < b->prefix.length ? -1 : 1;
	return (a->max_length > b->max_length) - (a->max_length < b->max_length);
}

static int
wanted_compare(const void *a, const void *b)
{
	return canonical_compare(a, b);
}

/* RFC 9582 §4.3.1, RFC 4291 §2.5.5.2: an IPv4 prefix in IPv6 dress, ::ffff:0:0/96 and longer. */
static bool
is_mapped(const struct prefix *prefix)
{
	static const uint8_t mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };
	return prefix->family == FAMILY_IPV6 && prefix->length >= 96 && memcmp(prefix->address.bytes, mapped, sizeof mapped) == 0;
}

/* ROAIPAddress ::= SEQUENCE { address BIT STRING, maxLength INTEGER OPTIONAL } */
static enum fault_code
address_read(struct der_reader *addresses, uint32_t asn, enum address_family family, struct payload *ret_payload,
	struct fault *fault)
{
	struct der_reader address;
	struct payload payload = { .asn = asn };
	uint64_t max_length;
	TRY(der_reader_enter(addresses, DER_SEQUENCE, ADDRESS, &address, fault));
	TRY(lint_resources_prefix(&address, family, "RFC 9582 §4.3.2.1: address", &payload.prefix, fault));
	TRY(LINT_RULE(!is_mapped(&payload.prefix), fault,
		"RFC 9582 §4.3.1: an IPv4 prefix stands there as an IPv4-mapped IPv6 prefix"));
	payload.max_length = payload.prefix.length;
	if (der_reader_more(&address)) {
		TRY(der_reader_unsigned(&address, "RFC 9582 §4.3.2.2: maxLength", family_bits(family), &max_length, fault));
		/* §4.3.2.2: SHOULD NOT be encoded if equal to the prefix length; later validators may take it for an error. */
		TRY(LINT_RULE(max_length > payload.prefix.length, fault,
			"RFC 9582 §4.3.2.2: maxLength isn't above the prefix length"));
		payload.max_length = (uint8_t)max_length;
	}
	TRY(der_reader_end(&address, ADDRESS, fault));
	*ret_payload = payload;
	return FAULT_NONE;
}

static enum fault_code
payloads_add(struct roa_payloads *payloads, const struct payload *payload, struct fault *fault)
{
	size_t count = payloads->count;
	TRY(LINT_RULE(count < payloads->capacity, fault, CONTENT " has more than the %zu payloads meant", payloads->capacity));
	TRY(LINT_RULE(count == 0 || canonical_compare(&payloads->items[count - 1], payload) < 0, fault,
		"RFC 9582 §4.3.3: prefixes aren't each once in canonical order"));
	payloads->items[payloads->count++] = *payload;
	return FAULT_NONE;
}

/* ROAIPAddressFamily ::= SEQUENCE { addressFamily, addresses SEQUENCE OF ROAIPAddress } */
static enum fault_code
family_read(struct der_reader *blocks, uint32_t asn, struct roa_payloads *payloads, struct fault *fault)
{
	struct der_reader inner, addresses;
	struct payload payload;
	enum address_family family;
	TRY(der_reader_enter(blocks, DER_SEQUENCE, FAMILY, &inner, fault));
	TRY(lint_resources_family(&inner, FAMILY, &family, fault));
	TRY(LINT_RULE(payloads->count == 0 || family > payloads->items[payloads->count - 1].prefix.family, fault,
		"RFC 9582 §4.3.3: address families aren't each once in canonical order"));
	TRY(der_reader_enter(&inner, DER_SEQUENCE, FAMILY, &addresses, fault));
	TRY(LINT_RULE(der_reader_more(&addresses), fault, FAMILY " is empty"));
	while (der_reader_more(&addresses)) {
		TRY(address_read(&addresses, asn, family, &payload, fault));
		TRY(payloads_add(payloads, &payload, fault));
	}
	return der_reader_end(&inner, FAMILY, fault);
}

static enum fault_code
content_read(struct span content, struct roa_payloads *payloads, struct fault *fault)
{
	struct der_reader reader, fields, blocks;
	uint64_t asn;
	TRY(der_reader_open(content, CONTENT, &reader, fault));
	TRY(der_reader_enter(&reader, DER_SEQUENCE, CONTENT, &fields, fault));
	TRY(der_reader_end(&reader, CONTENT, fault));
	/* X.690 §11.5: version is DEFAULT 0. */
	TRY(LINT_RULE(!der_reader_next_is(&fields, DER_CONTEXT_CONSTRUCTED(0)), fault,
		"RFC 9582 §4.1: version is there, must be left out"));
	TRY(der_reader_unsigned(&fields, "RFC 9582 §4.2: asID", ASN_MAX, &asn, fault));
	TRY(der_reader_enter(&fields, DER_SEQUENCE, BLOCKS, &blocks, fault));
	TRY(der_reader_end(&fields, CONTENT, fault));
	while (der_reader_more(&blocks))
		TRY(family_read(&blocks, (uint32_t)asn, payloads, fault));
	return FAULT_NONE;
}

/* Are they exactly those that are meant, and does the certificate hold them? */
static enum fault_code
payloads_demand(const struct roa_payloads *payloads, const struct payload *wanted, size_t count,
	const struct resource_set *resources, struct fault *fault)
{
	TRY(LINT_RULE(payloads->count == count, fault, CONTENT " has %zu payloads where %zu are meant", payloads->count, count));
	for (size_t i = 0; i < count; i++) {
		const struct payload *found = &payloads->items[i];
		TRY(LINT_RULE(found->asn == wanted[i].asn, fault, "RFC 9582 §4.2: asID isn't the one meant"));
		TRY(LINT_RULE(canonical_compare(found, &wanted[i]) == 0, fault, BLOCKS " isn't the prefixes meant"));
		TRY(LINT_RULE(resource_set_holds_prefix(resources, &found->prefix), fault,
			"RFC 9582 §5: a prefix isn't all the CA's"));
	}
	return FAULT_NONE;
}

enum fault_code
lint_roa_content(struct span content, const struct payload *payloads, size_t count, const struct resource_set *resources,
	struct fault *fault)
{
	AUTO(struct payload, free) wanted = NULL;
	AUTO(struct payload, free) found = NULL;
	TRY(LINT_RULE(count > 0, fault, "RFC 9582 §4.3: a ROA without a prefix"));
	TRY(LINT_RULE(count <= LINT_ROA_PREFIXES_MAX, fault, "RFC 9582 §4.3: a ROA with more than our limit of %d prefixes",
		LINT_ROA_PREFIXES_MAX));
	TRY(memory_copy(payloads, count * sizeof *payloads, &wanted, fault));
	TRY(memory_new(count, sizeof *found, &found, fault));
	struct roa_payloads read = { .items = found, .capacity = count };
	TRY(content_read(content, &read, fault));
	qsort(wanted, count, sizeof *wanted, wanted_compare);
	return payloads_demand(&read, wanted, count, resources, fault);
}
