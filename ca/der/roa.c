#include "ca/der/roa.h"

#include <string.h>

#include "ca/base/memory.h"
#include "ca/der/template.h"

#define CONTENT_SIZE_MAX 65536 /* ROA_PREFIXES_MAX prefixes take less than half */
#define AFI_SIZE 2

/* RFC 9582 §4. The version is 0 and so never there. */
struct roa_address {
	ASN1_BIT_STRING *address;
	ASN1_INTEGER *max_length; /* NULL when it is the prefix's own length */
};
typedef struct roa_address roa_address;
DEFINE_STACK_OF(roa_address)

ASN1_SEQUENCE(roa_address) = {
	ASN1_SIMPLE(roa_address, address, ASN1_BIT_STRING),
	ASN1_OPT(roa_address, max_length, ASN1_INTEGER),
} static_ASN1_SEQUENCE_END(roa_address)

struct roa_family {
	ASN1_OCTET_STRING *afi;
	STACK_OF(roa_address) *addresses;
};
typedef struct roa_family roa_family;
DEFINE_STACK_OF(roa_family)

ASN1_SEQUENCE(roa_family) = {
	ASN1_SIMPLE(roa_family, afi, ASN1_OCTET_STRING),
	ASN1_SEQUENCE_OF(roa_family, addresses, roa_address),
} static_ASN1_SEQUENCE_END(roa_family)

struct roa_content {
	uint32_t asn;
	STACK_OF(roa_family) *families;
};
typedef struct roa_content roa_content;

ASN1_SEQUENCE(roa_content) = {
	ASN1_EMBED(roa_content, asn, UINT32),
	ASN1_SEQUENCE_OF(roa_content, families, roa_family),
} static_ASN1_SEQUENCE_END(roa_content)
TEMPLATE_TYPE(roa_content)

/* In the order of the AFIs (RFC 9582 §4.3.1), which is the order of prefix_compare() too. */
static const struct afi {
	enum address_family family;
	uint8_t octets[AFI_SIZE];
} afis[] = {
	{ FAMILY_IPV4, { 0, 1 } },
	{ FAMILY_IPV6, { 0, 2 } },
};
#define AFIS (sizeof afis / sizeof afis[0])

static int
compare_payloads(const void *a, const void *b)
{
	return payload_compare(a, b);
}

/* A copy of the payloads in the canonical order (RFC 9582 §4.3.3). */
static enum fault_code
sort_payloads(const struct payload *payloads, size_t count, struct payload **ret_sorted, struct fault *fault)
{
	AUTO(struct payload, free) sorted = NULL;
	if (count == 0)
		return fault_set(fault, FAULT_INVALID, "a ROA without prefixes");
	if (count > ROA_PREFIXES_MAX)
		return fault_set(fault, FAULT_TOO_LARGE, "a ROA of %zu prefixes, %d at most", count, ROA_PREFIXES_MAX);
	TRY(memory_copy(payloads, count * sizeof payloads[0], &sorted, fault));
	qsort(sorted, count, sizeof sorted[0], compare_payloads);
	for (size_t i = 0; i < count; i++) {
		TRY(payload_check(&sorted[i], fault));
		if (sorted[i].asn != sorted[0].asn)
			return fault_set(fault, FAULT_INVALID, "a ROA of more than one AS");
		if (i > 0 && payload_compare(&sorted[i - 1], &sorted[i]) == 0)
			return fault_set(fault, FAULT_INVALID, "a ROA with the same payload twice");
	}
	*ret_sorted = MOVE(sorted);
	return FAULT_NONE;
}

static enum fault_code
append_address(STACK_OF(roa_address) *addresses, const struct payload *payload, struct fault *fault)
{
	roa_address *added = NULL;
	TRY(template_append(addresses, ASN1_ITEM_rptr(roa_address), &added, fault));
	TRY(template_set_bits(added->address, payload->prefix.address.bytes, payload->prefix.length, fault));
	/* RFC 9582 §4.3.2.2: not encoded where it says nothing new. */
	if (payload->max_length == payload->prefix.length)
		return FAULT_NONE;
	TRY(template_new(ASN1_ITEM_rptr(ASN1_INTEGER), &added->max_length, fault));
	return template_set_octets(added->max_length, &payload->max_length, 1, fault);
}

static enum fault_code
append_family(roa_content *content, const struct afi *afi, const struct payload *payloads, size_t count, struct fault *fault)
{
	roa_family *added = NULL;
	for (size_t i = 0; i < count; i++) {
		if (payloads[i].prefix.family != afi->family)
			continue;
		if (added == NULL) {
			TRY(template_append(content->families, ASN1_ITEM_rptr(roa_family), &added, fault));
			TRY(template_set_octets(added->afi, afi->octets, AFI_SIZE, fault));
		}
		TRY(append_address(added->addresses, &payloads[i], fault));
	}
	return FAULT_NONE;
}

enum fault_code
roa_encode(const struct payload *payloads, size_t count, struct bytes *ret_content, struct fault *fault)
{
	AUTO(struct payload, free) sorted = NULL;
	AUTO(roa_content, roa_content_free) content = NULL;
	TRY(sort_payloads(payloads, count, &sorted, fault));
	TRY(template_new(ASN1_ITEM_rptr(roa_content), &content, fault));
	content->asn = sorted[0].asn;
	for (size_t i = 0; i < AFIS; i++)
		TRY(append_family(content, &afis[i], sorted, count, fault));
	return template_encode(content, ASN1_ITEM_rptr(roa_content), ret_content, fault);
}

static enum fault_code
read_address(const roa_address *address, uint32_t asn, enum address_family family, struct payload *ret_payload,
	struct fault *fault)
{
	size_t length = template_bits(address->address);
	struct span octets = template_octets(address->address);
	uint64_t max_length = length;
	if (length > family_bits(family))
		return fault_set(fault, FAULT_MALFORMED, "a ROA with a prefix of %zu bits", length);
	if (address->max_length != NULL && (ASN1_INTEGER_get_uint64(&max_length, address->max_length) != 1 ||
		max_length <= length || max_length > family_bits(family)))
		return fault_set(fault, FAULT_MALFORMED,
			"a ROA with a maxLength that is not above %zu and at most %u (RFC 9582 §4.3.2.2)",
			length, family_bits(family));
	struct payload payload = { .asn = asn, .prefix = { .family = family, .length = (uint8_t)length },
		.max_length = (uint8_t)max_length };
	if (octets.length > 0)
		memcpy(payload.prefix.address.bytes, octets.data, octets.length);
	*ret_payload = payload;
	return FAULT_NONE;
}

/* All payloads of the families, as they come. */
static enum fault_code
read_families(const roa_content *content, struct payload **ret_payloads, size_t *ret_count, struct fault *fault)
{
	AUTO(struct payload, free) payloads = NULL;
	size_t capacity = 0, count = 0;
	for (int i = 0; i < sk_roa_family_num(content->families); i++) {
		const roa_family *family = sk_roa_family_value(content->families, i);
		size_t afi = 0;
		while (afi < AFIS && !span_equal(template_octets(family->afi), SPAN(afis[afi].octets, AFI_SIZE)))
			afi++;
		if (afi == AFIS)
			return fault_set(fault, FAULT_MALFORMED,
				"a ROA with a family that is neither IPv4 nor IPv6 (RFC 9582 §4.3.1)");
		size_t more = (size_t)sk_roa_address_num(family->addresses);
		if (more > ROA_PREFIXES_MAX - count)
			return fault_set(fault, FAULT_TOO_LARGE, "a ROA of more than %d prefixes", ROA_PREFIXES_MAX);
		TRY(memory_reserve(&payloads, &capacity, count + more, sizeof payloads[0], fault));
		for (size_t j = 0; j < more; j++)
			TRY(read_address(sk_roa_address_value(family->addresses, (int)j), content->asn, afis[afi].family,
				&payloads[count++], fault));
	}
	*ret_payloads = MOVE(payloads);
	*ret_count = count;
	return FAULT_NONE;
}

enum fault_code
roa_decode(struct span content, struct payload **ret_payloads, size_t *ret_count, struct fault *fault)
{
	AUTO(roa_content, roa_content_free) decoded = NULL;
	AUTO(struct payload, free) payloads = NULL;
	AUTO_CLEAR(struct bytes, bytes_clear) canonical = BYTES_INIT;
	size_t count = 0;
	if (content.length > CONTENT_SIZE_MAX)
		return fault_set(fault, FAULT_TOO_LARGE, "a ROA of %zu bytes, %d at most", content.length, CONTENT_SIZE_MAX);
	TRY(template_decode(content, ASN1_ITEM_rptr(roa_content), "ROA", &decoded, fault));
	TRY(read_families(decoded, &payloads, &count, fault));
	/* RFC 9582 §4.3.3: order, no duplicates, no empty family: what came in must be what we would write. */
	enum fault_code code = roa_encode(payloads, count, &canonical, fault);
	if (code == FAULT_INVALID || (code == FAULT_NONE && !span_equal(bytes_span(&canonical), content)))
		return fault_set(fault, FAULT_MALFORMED, "a ROA that is not in the canonical form of RFC 9582 §4.3.3");
	TRY(code);
	*ret_payloads = MOVE(payloads);
	*ret_count = count;
	return FAULT_NONE;
}
