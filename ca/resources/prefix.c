#include "ca/resources/prefix.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define QUOTED_TEXT 64

int
address_compare(const struct address *a, const struct address *b)
{
	return memcmp(a->bytes, b->bytes, sizeof a->bytes);
}

/* The bits of octet `i` that lie behind a prefix of this length. */
static uint8_t
host_bits(unsigned length, unsigned i)
{
	unsigned ours = length <= 8 * i ? 0 : length - 8 * i; /* bits of the prefix from this octet on */
	unsigned host = ours >= 8 ? 0 : 0xffU >> ours;
	return (uint8_t)host;
}

struct address
prefix_first(const struct prefix *prefix)
{
	return prefix->address;
}

struct address
prefix_last(const struct prefix *prefix)
{
	struct address last = prefix->address;
	for (unsigned i = 0; i < family_bytes(prefix->family); i++)
		last.bytes[i] |= host_bits(prefix->length, i);
	return last;
}

int
prefix_compare(const struct prefix *a, const struct prefix *b)
{
	if (a->family != b->family)
		return a->family < b->family ? -1 : 1;
	int order = address_compare(&a->address, &b->address);
	return order != 0 ? order : (a->length > b->length) - (a->length < b->length);
}

bool
prefix_covers(const struct prefix *outer, const struct prefix *inner)
{
	if (outer->family != inner->family || outer->length > inner->length)
		return false;
	for (unsigned i = 0; i < family_bytes(outer->family); i++)
		if (((outer->address.bytes[i] ^ inner->address.bytes[i]) & ~host_bits(outer->length, i)) != 0)
			return false;
	return true;
}

/* Text from outside as it may stand in a message: short and printable. */
static const char *
quote(const char *text, char quoted[QUOTED_TEXT])
{
	size_t length = 0;
	for (; text[length] != '\0' && length < QUOTED_TEXT - 4; length++)
		quoted[length] = text[length] >= ' ' && text[length] <= '~' ? text[length] : '?';
	(void)snprintf(quoted + length, 4, "%s", text[length] != '\0' ? "..." : "");
	return quoted;
}

enum fault_code
address_parse(const char *text, enum address_family *ret_family, struct address *ret_address, struct fault *fault)
{
	char quoted[QUOTED_TEXT];
	struct address address = { .bytes = { 0 } };
	bool ipv6 = strchr(text, ':') != NULL;
	if (ipv6 && strchr(text, '.') != NULL)
		return fault_set(fault, FAULT_INVALID, "\"%s\" has IPv4 inside IPv6: write it in hexadecimal groups",
			quote(text, quoted));
	if (inet_pton(ipv6 ? AF_INET6 : AF_INET, text, address.bytes) != 1)
		return fault_set(fault, FAULT_INVALID, "\"%s\" is no IP address", quote(text, quoted));
	*ret_family = ipv6 ? FAMILY_IPV6 : FAMILY_IPV4;
	*ret_address = address;
	return FAULT_NONE;
}

/* Decimal digits without a leading zero, up to `limit`, and nothing else. */
static bool
parse_number(const char *text, uint32_t limit, uint32_t *ret_number)
{
	uint64_t number = 0;
	if (*text == '\0' || (text[0] == '0' && text[1] != '\0'))
		return false;
	for (; *text != '\0'; text++) {
		if (*text < '0' || *text > '9')
			return false;
		number = number * 10 + (uint64_t)(*text - '0');
		if (number > limit)
			return false;
	}
	*ret_number = (uint32_t)number;
	return true;
}

static bool
clear_host_bits(struct prefix *prefix)
{
	bool cleared = false;
	for (unsigned i = 0; i < family_bytes(prefix->family); i++) {
		uint8_t host = prefix->address.bytes[i] & host_bits(prefix->length, i);
		prefix->address.bytes[i] = (uint8_t)(prefix->address.bytes[i] ^ host);
		cleared = cleared || host != 0;
	}
	return cleared;
}

enum fault_code
prefix_parse(const char *text, struct prefix *ret_prefix, struct fault *fault)
{
	char quoted[QUOTED_TEXT], address[ADDRESS_TEXT], meant[PREFIX_TEXT];
	struct prefix prefix;
	uint32_t length;
	const char *slash = strchr(text, '/');
	if (slash == NULL)
		return fault_set(fault, FAULT_INVALID, "\"%s\" is no prefix: it has no \"/\"", quote(text, quoted));
	if (slash - text >= ADDRESS_TEXT)
		return fault_set(fault, FAULT_INVALID, "\"%s\" is no prefix", quote(text, quoted));
	memcpy(address, text, (size_t)(slash - text));
	address[slash - text] = '\0';
	TRY(address_parse(address, &prefix.family, &prefix.address, fault));
	if (!parse_number(slash + 1, family_bits(prefix.family), &length))
		return fault_set(fault, FAULT_INVALID, "\"%s\" has no prefix length from 0 to %u", quote(text, quoted),
			family_bits(prefix.family));
	prefix.length = (uint8_t)length;
	if (clear_host_bits(&prefix)) {
		prefix_text(&prefix, meant);
		return fault_set(fault, FAULT_INVALID, "%s has bits set behind its length: did you mean %s?", quote(text, quoted),
			meant);
	}
	*ret_prefix = prefix;
	return FAULT_NONE;
}

void
prefix_text(const struct prefix *prefix, char text[PREFIX_TEXT])
{
	char address[ADDRESS_TEXT];
	address_text(prefix->family, &prefix->address, address);
	(void)snprintf(text, PREFIX_TEXT, "%s/%u", address, (unsigned)prefix->length);
}

/* Where the longest run of two or more zero groups starts, the first of equals (RFC 5952 §4.2); 8 when there is none. */
static unsigned
zero_run(const unsigned groups[8], unsigned *ret_length)
{
	unsigned best = 8, best_length = 1, length = 0;
	for (unsigned i = 0; i < 8; i++) {
		length = groups[i] == 0 ? length + 1 : 0;
		if (length > best_length) {
			best_length = length;
			best = i + 1 - length;
		}
	}
	*ret_length = best_length;
	return best;
}

/*
 * Not inet_ntop(), which writes ::ffff:0:0/96 and ::/96 with dots: such text is not taken, and every address that is printed must
 * be one that is taken.
 */
static void
ipv6_text(const struct address *address, char text[ADDRESS_TEXT])
{
	unsigned groups[8], run_length;
	for (unsigned i = 0; i < 8; i++)
		groups[i] = (unsigned)address->bytes[2 * i] << 8 | address->bytes[2 * i + 1];
	unsigned run = zero_run(groups, &run_length);
	size_t length = 0;
	for (unsigned i = 0; i < 8; i++) {
		if (i == run) {
			length += (size_t)snprintf(text + length, ADDRESS_TEXT - length, "::");
			i += run_length - 1;
			continue;
		}
		bool first = i == 0 || i == run + run_length;
		length += (size_t)snprintf(text + length, ADDRESS_TEXT - length, first ? "%x" : ":%x", groups[i]);
	}
}

void
address_text(enum address_family family, const struct address *address, char text[ADDRESS_TEXT])
{
	const uint8_t *octets = address->bytes;
	if (family == FAMILY_IPV6)
		ipv6_text(address, text);
	else
		(void)snprintf(text, ADDRESS_TEXT, "%u.%u.%u.%u", octets[0], octets[1], octets[2], octets[3]);
}

enum fault_code
asn_parse(const char *text, uint32_t *ret_asn, struct fault *fault)
{
	char quoted[QUOTED_TEXT];
	const char *number = strncasecmp(text, "AS", 2) == 0 ? text + 2 : text;
	if (parse_number(number, ASN_MAX, ret_asn))
		return FAULT_NONE;
	if (strspn(number, "0123456789.") == strlen(number) && strchr(number, '.') != NULL)
		return fault_set(fault, FAULT_INVALID, "\"%s\" is an AS number with a dot: write it as one decimal number",
			quote(text, quoted));
	return fault_set(fault, FAULT_INVALID, "\"%s\" is no AS number from 0 to %" PRIu32, quote(text, quoted), ASN_MAX);
}
