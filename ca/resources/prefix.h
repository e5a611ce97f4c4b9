/*
 * prefix: IP addresses, prefixes and AS numbers as values and as text. Pure.
 *
 * An address is 16 bytes in network order; an IPv4 address uses the first four, the rest are zero.
 */
#ifndef CA_RESOURCES_PREFIX_H
#define CA_RESOURCES_PREFIX_H

#include <stdbool.h>
#include <stdint.h>

#include "ca/base/fault.h"

enum address_family { FAMILY_IPV4 = 4, FAMILY_IPV6 = 6 };

#define ADDRESS_TEXT 46      /* INET6_ADDRSTRLEN */
#define PREFIX_TEXT 52       /* with "/128" */
#define ASN_MAX UINT32_C(4294967295)

struct address {
	uint8_t bytes[16];
};

struct prefix {
	enum address_family family;
	uint8_t length;          /* ≤ 32 or ≤ 128 */
	struct address address;  /* no bit set behind length */
};

static inline unsigned
family_bits(enum address_family family)
{
	return family == FAMILY_IPV4 ? 32 : 128;
}
static inline unsigned
family_bytes(enum address_family family)
{
	return family == FAMILY_IPV4 ? 4 : 16;
}

int address_compare(const struct address *a, const struct address *b);        /* as memcmp */
struct address prefix_first(const struct prefix *prefix);
struct address prefix_last(const struct prefix *prefix);                      /* all host bits set (within its family) */
int prefix_compare(const struct prefix *a, const struct prefix *b);           /* family, address, length (RFC 9582 §4.3.3) */
bool prefix_covers(const struct prefix *outer, const struct prefix *inner);

/*
 * Strict text: "192.0.2.0/24", "2001:db8::/32"; no host bits, no leading zeros in decimal numbers, no spaces, no IPv4 in IPv6
 * dress (::ffff:192.0.2.0 is refused). Faults: INVALID, with the reason ("192.0.2.1/24 has bits set behind its
 * length: did you mean 192.0.2.0/24?").
 */
CHECKED enum fault_code prefix_parse(const char *text, struct prefix *ret_prefix, struct fault *fault);
CHECKED enum fault_code address_parse(const char *text, enum address_family *ret_family, struct address *ret_address,
	struct fault *fault);
void prefix_text(const struct prefix *prefix, char text[PREFIX_TEXT]);        /* RFC 5952 §4, never with dots in IPv6 */
void address_text(enum address_family family, const struct address *address, char text[ADDRESS_TEXT]);

/* "64496", "AS64496", "as64496"; asdot is refused. Faults: INVALID. */
CHECKED enum fault_code asn_parse(const char *text, uint32_t *ret_asn, struct fault *fault);

#endif
