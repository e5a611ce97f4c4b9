#include "ca/resources/payload.h"

#include <inttypes.h>
#include <stdio.h>

int
payload_compare(const struct payload *a, const struct payload *b)
{
	if (a->asn != b->asn)
		return a->asn < b->asn ? -1 : 1;
	int order = prefix_compare(&a->prefix, &b->prefix);
	return order != 0 ? order : (a->max_length > b->max_length) - (a->max_length < b->max_length);
}

/* ::ffff:0:0/96 and what is in it: IPv4 addresses in IPv6 dress. */
static bool
is_mapped_ipv4(const struct prefix *prefix)
{
	static const struct prefix mapped = {
		.family = FAMILY_IPV6, .length = 96, .address = { .bytes = { [10] = 0xff, [11] = 0xff } },
	};
	return prefix_covers(&mapped, prefix);
}

enum fault_code
payload_check(const struct payload *payload, struct fault *fault)
{
	/* RFC 9582 §4.3.2.2: not shorter than the prefix, not longer than an address. */
	unsigned bits = family_bits(payload->prefix.family);
	if (payload->max_length < payload->prefix.length || payload->max_length > bits)
		return fault_set(fault, FAULT_INVALID, "maxLength %u is not from %u, the prefix's length, to %u",
			(unsigned)payload->max_length, (unsigned)payload->prefix.length, bits);
	/* RFC 9582 §4.3.1 */
	if (is_mapped_ipv4(&payload->prefix))
		return fault_set(fault, FAULT_INVALID, "an IPv4-mapped IPv6 prefix has no place in a ROA: name the IPv4 prefix");
	return FAULT_NONE;
}

void
payload_text(const struct payload *payload, char text[PAYLOAD_TEXT])
{
	char prefix[PREFIX_TEXT];
	prefix_text(&payload->prefix, prefix);
	int length = snprintf(text, PAYLOAD_TEXT, "AS%" PRIu32 " %s", payload->asn, prefix);
	if (payload->max_length != payload->prefix.length)
		(void)snprintf(text + length, PAYLOAD_TEXT - (size_t)length, "-%u", (unsigned)payload->max_length);
}
