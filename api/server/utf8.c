#include "api/server/utf8.h"

#include <stdint.h>

/* RFC 3629 §4: shortest form alone, no surrogates, nothing above U+10FFFF. The range of the second byte depends on the first. */
static const struct lead {
	uint8_t first, last;            /* of the lead byte */
	uint8_t second_min, second_max;
	size_t length;
} leads[] = {
	{ 0xc2, 0xdf, 0x80, 0xbf, 2 },
	{ 0xe0, 0xe0, 0xa0, 0xbf, 3 },
	{ 0xe1, 0xec, 0x80, 0xbf, 3 },
	{ 0xed, 0xed, 0x80, 0x9f, 3 },
	{ 0xee, 0xef, 0x80, 0xbf, 3 },
	{ 0xf0, 0xf0, 0x90, 0xbf, 4 },
	{ 0xf1, 0xf3, 0x80, 0xbf, 4 },
	{ 0xf4, 0xf4, 0x80, 0x8f, 4 },
};

size_t
utf8_step(const char *text, size_t length)
{
	const uint8_t *bytes = (const uint8_t *)text;
	if (length == 0)
		return 0;
	if (bytes[0] < 0x80)
		return 1;
	for (size_t i = 0; i < sizeof leads / sizeof leads[0]; i++) {
		const struct lead *lead = &leads[i];
		if (bytes[0] < lead->first || bytes[0] > lead->last)
			continue;
		if (length < lead->length || bytes[1] < lead->second_min || bytes[1] > lead->second_max)
			return 0;
		for (size_t k = 2; k < lead->length; k++) {
			if ((bytes[k] & 0xc0) != 0x80)
				return 0;
		}
		return lead->length;
	}
	return 0;
}

bool
utf8_valid(const char *text, size_t length)
{
	while (length > 0) {
		size_t step = utf8_step(text, length);
		if (step == 0)
			return false;
		text += step;
		length -= step;
	}
	return true;
}
