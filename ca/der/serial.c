#include "ca/der/serial.h"

#include <string.h>

#include "ca/der/template.h"

/* A number whose first bit is set takes one octet more in DER, a zero in front. */
static bool
fits(const uint8_t *octets, size_t length)
{
	return length >= 1 && length <= SERIAL_MAX && octets[0] != 0 && (length < SERIAL_MAX || octets[0] < 0x80);
}

enum fault_code
serial_set(ASN1_INTEGER *integer, const struct serial_number *serial, struct fault *fault)
{
	if (!fits(serial->octets, serial->length))
		return fault_set(fault, FAULT_INVALID, "a serial number has 1 to %d octets and no zero in front", SERIAL_MAX);
	return template_set_octets(integer, serial->octets, serial->length, fault);
}

enum fault_code
serial_get(const ASN1_INTEGER *integer, struct serial_number *ret_serial, struct fault *fault)
{
	struct span octets = template_octets(integer);
	if (ASN1_STRING_type(integer) != V_ASN1_INTEGER || !fits(octets.data, octets.length))
		return fault_set(fault, FAULT_MALFORMED, "a serial number that is not positive or has more than %d octets",
			SERIAL_MAX);
	struct serial_number serial = { .length = (uint8_t)octets.length };
	memcpy(serial.octets, octets.data, octets.length);
	*ret_serial = serial;
	return FAULT_NONE;
}

int
serial_compare(const struct serial_number *a, const struct serial_number *b)
{
	if (a->length != b->length)
		return a->length < b->length ? -1 : 1;
	return memcmp(a->octets, b->octets, a->length);
}
