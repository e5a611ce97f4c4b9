#include "ca/base/base64.h"

#include <string.h>

static const char standard_alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char url_alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* The two characters of each twelve bits: snapshots of the repository go through here, and two at a time are twice as fast as one. */
#define PAIRS_8(a, b, c, d, e, f, g, h, i) { a, b }, { a, c }, { a, d }, { a, e }, { a, f }, { a, g }, { a, h }, { a, i }
#define PAIRS(a) PAIRS_8(a, 'A', 'B', 'C', 'D', 'E', 'F', 'G', 'H'), PAIRS_8(a, 'I', 'J', 'K', 'L', 'M', 'N', 'O', 'P'), \
	PAIRS_8(a, 'Q', 'R', 'S', 'T', 'U', 'V', 'W', 'X'), PAIRS_8(a, 'Y', 'Z', 'a', 'b', 'c', 'd', 'e', 'f'), \
	PAIRS_8(a, 'g', 'h', 'i', 'j', 'k', 'l', 'm', 'n'), PAIRS_8(a, 'o', 'p', 'q', 'r', 's', 't', 'u', 'v'), \
	PAIRS_8(a, 'w', 'x', 'y', 'z', '0', '1', '2', '3'), PAIRS_8(a, '4', '5', '6', '7', '8', '9', '+', '/')
#define PAIRS_OF_8(a, b, c, d, e, f, g, h) PAIRS(a), PAIRS(b), PAIRS(c), PAIRS(d), PAIRS(e), PAIRS(f), PAIRS(g), PAIRS(h)

static const char standard_pairs[4096][2] = {
	PAIRS_OF_8('A', 'B', 'C', 'D', 'E', 'F', 'G', 'H'), PAIRS_OF_8('I', 'J', 'K', 'L', 'M', 'N', 'O', 'P'),
	PAIRS_OF_8('Q', 'R', 'S', 'T', 'U', 'V', 'W', 'X'), PAIRS_OF_8('Y', 'Z', 'a', 'b', 'c', 'd', 'e', 'f'),
	PAIRS_OF_8('g', 'h', 'i', 'j', 'k', 'l', 'm', 'n'), PAIRS_OF_8('o', 'p', 'q', 'r', 's', 't', 'u', 'v'),
	PAIRS_OF_8('w', 'x', 'y', 'z', '0', '1', '2', '3'), PAIRS_OF_8('4', '5', '6', '7', '8', '9', '+', '/'),
};

/* Writes the characters that carry the bits of all bytes from `from` on, without padding. */
static size_t
encode(const char *alphabet, struct span data, size_t from, char *ret_text)
{
	size_t written = 0;
	uint32_t bits = 0;
	unsigned held = 0;
	for (size_t i = from; i < data.length; i++) {
		bits = bits << 8 | data.data[i];
		held += 8;
		while (held >= 6) {
			held -= 6;
			ret_text[written++] = alphabet[bits >> held & 63];
		}
	}
	if (held > 0)
		ret_text[written++] = alphabet[bits << (6 - held) & 63];
	return written;
}

static void
encode_six(const uint8_t six[6], char *ret_text)
{
	uint64_t bits = (uint64_t)six[0] << 40 | (uint64_t)six[1] << 32 | (uint64_t)six[2] << 24 | (uint64_t)six[3] << 16 |
		(uint64_t)six[4] << 8 | six[5];
	memcpy(ret_text, standard_pairs[bits >> 36], 2);
	memcpy(ret_text + 2, standard_pairs[bits >> 24 & 4095], 2);
	memcpy(ret_text + 4, standard_pairs[bits >> 12 & 4095], 2);
	memcpy(ret_text + 6, standard_pairs[bits & 4095], 2);
}

size_t
base64_encode(struct span data, char *ret_text)
{
	size_t written = 0, whole = data.length - data.length % 6;
	for (size_t i = 0; i < whole; i += 6, written += 8)
		encode_six(&data.data[i], ret_text + written);
	written += encode(standard_alphabet, data, whole, ret_text + written);
	while (written % 4 != 0)
		ret_text[written++] = '=';
	return written;
}

size_t
base64_encode_url(struct span data, char *ret_text)
{
	size_t written = encode(url_alphabet, data, 0, ret_text);
	ret_text[written] = '\0';
	return written;
}

enum fault_code
base64_append(struct bytes *text, struct span data, struct fault *fault)
{
	if (data.length > SIZE_MAX / 2)
		return fault_set(fault, FAULT_MEMORY, "out of memory for the base64 text of %zu bytes", data.length);
	TRY(bytes_reserve(text, BASE64_LENGTH(data.length), fault));
	text->length += base64_encode(data, (char *)text->data + text->length);
	text->data[text->length] = '\0';
	return FAULT_NONE;
}

/* The two alphabets differ in their last two characters. A character of neither gives -1. */
static int
digit_value(const char last_two[2], char digit)
{
	if (digit >= 'A' && digit <= 'Z')
		return digit - 'A';
	if (digit >= 'a' && digit <= 'z')
		return digit - 'a' + 26;
	if (digit >= '0' && digit <= '9')
		return digit - '0' + 52;
	if (digit == last_two[0])
		return 62;
	return digit == last_two[1] ? 63 : -1;
}

/* Decodes characters that carry bits, without padding, and replaces *ret_data. */
static enum fault_code
decode(const char last_two[2], const char *text, size_t length, struct bytes *ret_data, struct fault *fault)
{
	if (length % 4 == 1)
		return fault_set(fault, FAULT_MALFORMED, "the base64 text is cut short: %zu characters", length);
	AUTO_CLEAR(struct bytes, bytes_clear) data = BYTES_INIT;
	TRY(bytes_reserve(&data, length / 4 * 3 + 2, fault));
	uint32_t bits = 0;
	unsigned held = 0;
	for (size_t i = 0; i < length; i++) {
		int value = digit_value(last_two, text[i]);
		if (value < 0)
			return fault_set(fault, FAULT_MALFORMED, "character %zu is none of base64", i + 1);
		bits = bits << 6 | (uint32_t)value;
		held += 6;
		if (held >= 8) {
			held -= 8;
			data.data[data.length++] = (uint8_t)(bits >> held);
		}
	}
	/* RFC 4648 §3.5: bits that no byte needs are zero, so that each run of bytes has one text. */
	if ((bits & ((UINT32_C(1) << held) - 1)) != 0)
		return fault_set(fault, FAULT_MALFORMED, "the last character of the base64 text has stray bits");
	data.data[data.length] = '\0';
	bytes_swap(ret_data, &data);
	return FAULT_NONE;
}

enum fault_code
base64_decode(const char *text, size_t length, struct bytes *ret_data, struct fault *fault)
{
	if (length % 4 != 0)
		return fault_set(fault, FAULT_MALFORMED, "base64 text comes in fours, this has %zu characters", length);
	for (int padding = 0; padding < 2 && length > 0 && text[length - 1] == '='; padding++)
		length--;
	return decode("+/", text, length, ret_data, fault);
}

enum fault_code
base64_decode_url(const char *text, size_t length, struct bytes *ret_data, struct fault *fault)
{
	return decode("-_", text, length, ret_data, fault);
}

void
hex_encode(struct span data, char *ret_text)
{
	static const char digits[] = "0123456789abcdef";
	for (size_t i = 0; i < data.length; i++) {
		*ret_text++ = digits[data.data[i] >> 4];
		*ret_text++ = digits[data.data[i] & 15];
	}
	*ret_text = '\0';
}

static int
hex_value(char digit)
{
	if (digit >= '0' && digit <= '9')
		return digit - '0';
	if (digit >= 'a' && digit <= 'f')
		return digit - 'a' + 10;
	return digit >= 'A' && digit <= 'F' ? digit - 'A' + 10 : -1;
}

bool
hex_decode(const char *text, uint8_t *ret_data, size_t length)
{
	if (strlen(text) != 2 * length)
		return false;
	for (size_t i = 0; i < 2 * length; i++)
		if (hex_value(text[i]) < 0)
			return false;
	for (size_t i = 0; i < length; i++)
		ret_data[i] = (uint8_t)(hex_value(text[2 * i]) << 4 | hex_value(text[2 * i + 1]));
	return true;
}
