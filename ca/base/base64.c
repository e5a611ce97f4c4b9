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

/* What each character of the standard alphabet stands for, and one more; 0: nothing. */
static const uint8_t standard_values[256] = {
	['A'] = 1, ['B'] = 2, ['C'] = 3, ['D'] = 4, ['E'] = 5, ['F'] = 6, ['G'] = 7, ['H'] = 8,
	['I'] = 9, ['J'] = 10, ['K'] = 11, ['L'] = 12, ['M'] = 13, ['N'] = 14, ['O'] = 15, ['P'] = 16,
	['Q'] = 17, ['R'] = 18, ['S'] = 19, ['T'] = 20, ['U'] = 21, ['V'] = 22, ['W'] = 23, ['X'] = 24,
	['Y'] = 25, ['Z'] = 26, ['a'] = 27, ['b'] = 28, ['c'] = 29, ['d'] = 30, ['e'] = 31, ['f'] = 32,
	['g'] = 33, ['h'] = 34, ['i'] = 35, ['j'] = 36, ['k'] = 37, ['l'] = 38, ['m'] = 39, ['n'] = 40,
	['o'] = 41, ['p'] = 42, ['q'] = 43, ['r'] = 44, ['s'] = 45, ['t'] = 46, ['u'] = 47, ['v'] = 48,
	['w'] = 49, ['x'] = 50, ['y'] = 51, ['z'] = 52, ['0'] = 53, ['1'] = 54, ['2'] = 55, ['3'] = 56,
	['4'] = 57, ['5'] = 58, ['6'] = 59, ['7'] = 60, ['8'] = 61, ['9'] = 62, ['+'] = 63, ['/'] = 64,
};

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

/* Fours of the standard alphabet, up to the first that is none: returns how many characters were read. */
static size_t
decode_fours(const char *text, size_t length, struct bytes *data)
{
	size_t at = 0;
	uint8_t *to = data->data + data->length; /* on its own: what bytes are written to could be anything, the length too */
	for (; at + 4 <= length; at += 4) {
		const uint8_t *four = (const uint8_t *)text + at;
		uint32_t a = standard_values[four[0]], b = standard_values[four[1]], c = standard_values[four[2]], d = standard_values[four[3]];
		if (a == 0 || b == 0 || c == 0 || d == 0)
			break;
		uint32_t bits = (a - 1) << 18 | (b - 1) << 12 | (c - 1) << 6 | (d - 1);
		*to++ = (uint8_t)(bits >> 16);
		*to++ = (uint8_t)(bits >> 8);
		*to++ = (uint8_t)bits;
	}
	data->length += at / 4 * 3;
	return at;
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
	/* What stands in the way of a quick reading is found again, and told, by the slow one. */
	for (size_t i = last_two[0] == '+' ? decode_fours(text, length, &data) : 0; i < length; i++) {
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
