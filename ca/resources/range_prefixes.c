#include "ca/resources/range_prefixes.h"

static bool
bit_is_set(const struct address *address, unsigned bit)
{
	return (address->bytes[bit / 8] & 0x80U >> bit % 8) != 0;
}

/* The largest prefix that begins at an address and doesn't go beyond `last`. */
static struct prefix
largest_from(enum address_family family, const struct address *first, const struct address *last)
{
	struct prefix prefix = { .family = family, .length = (uint8_t)family_bits(family), .address = *first };
	while (prefix.length > 0 && !bit_is_set(first, prefix.length - 1U)) {
		struct prefix wider = prefix;
		wider.length--;
		struct address end = prefix_last(&wider);
		if (address_compare(&end, last) > 0)
			break;
		prefix = wider;
	}
	return prefix;
}

/* The address behind one that isn't the last there is. */
static struct address
next_address(enum address_family family, struct address address)
{
	for (unsigned i = family_bytes(family); i-- > 0;)
		if (++address.bytes[i] != 0)
			break;
	return address;
}

enum fault_code
range_prefixes_each(enum address_family family, const struct address_range *range, range_prefixes_fn give, void *argument,
	struct fault *fault)
{
	struct address at = range->min;
	for (;;) {
		struct prefix prefix = largest_from(family, &at, &range->max);
		struct address last = prefix_last(&prefix);
		TRY(give(argument, &prefix, fault));
		if (address_compare(&last, &range->max) >= 0)
			return FAULT_NONE;
		at = next_address(family, last);
	}
}
