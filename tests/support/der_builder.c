#include "tests/support/der_builder.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum form { FORM_BRACES = 1, FORM_TEXT = 2, FORM_HEX = 4, FORM_NUMBER = 8, FORM_OID = 16, FORM_EMPTY = 32, FORM_BITS = 64 };

static const struct word {
	const char *name;
	uint8_t tag;
	unsigned forms;
} words[] = {
	{ "SEQUENCE", 0x30, FORM_BRACES },
	{ "SET", 0x31, FORM_BRACES },
	{ "BOOLEAN", 0x01, FORM_HEX },
	{ "INTEGER", 0x02, FORM_NUMBER },
	{ "BITS", 0x03, FORM_BITS },
	{ "OCTETS", 0x04, FORM_BRACES | FORM_HEX },
	{ "NULL", 0x05, FORM_EMPTY },
	{ "OID", 0x06, FORM_OID },
	{ "UTF8", 0x0c, FORM_TEXT },
	{ "PRINTABLE", 0x13, FORM_TEXT },
	{ "IA5", 0x16, FORM_TEXT },
	{ "UTC", 0x17, FORM_TEXT },
	{ "GENERALIZED", 0x18, FORM_TEXT },
};

static void items(const char **at, bool nested, struct bytes *der);

static void __attribute__((noreturn))
misspelt(const char *at, const char *why)
{
	fprintf(stderr, "der_builder: %s at: %.60s\n", why, at);
	abort();
}

static void
add(struct bytes *der, const void *data, size_t length)
{
	INVARIANT(bytes_append(der, data, length, NULL) == FAULT_NONE);
}

static void
add_element(struct bytes *der, uint8_t tag, const struct bytes *contents)
{
	uint8_t head[5] = { tag, (uint8_t)contents->length };
	size_t length = 2;
	if (contents->length >= 0x80) {
		size_t octets = contents->length > 0xffff ? 3 : contents->length > 0xff ? 2 : 1;
		INVARIANT(contents->length <= 0xffffff);
		head[1] = (uint8_t)(0x80 | octets);
		for (size_t i = 0; i < octets; i++)
			head[length++] = (uint8_t)(contents->length >> 8 * (octets - 1 - i));
	}
	add(der, head, length);
	add(der, contents->data, contents->length);
}

static void
skip_space(const char **at)
{
	*at += strspn(*at, " \t\n");
}

static int
digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static void
hex(const char **at, struct bytes *contents)
{
	for (; digit(**at) >= 0; *at += 2) {
		if (digit((*at)[1]) < 0)
			misspelt(*at, "half an octet");
		uint8_t octet = (uint8_t)(digit((*at)[0]) << 4 | digit((*at)[1]));
		add(contents, &octet, 1);
	}
}

static void
text(const char **at, struct bytes *contents)
{
	const char *end = strchr(*at + 1, '"');
	if (**at != '"' || end == NULL)
		misspelt(*at, "no text in quotes");
	add(contents, *at + 1, (size_t)(end - *at - 1));
	*at = end + 1;
}

static void
braces(const char **at, struct bytes *contents)
{
	if (**at != '{')
		misspelt(*at, "no opening brace");
	++*at;
	items(at, true, contents);
}

static void
number(const char **at, struct bytes *contents)
{
	if (strncmp(*at, "0x", 2) == 0) {
		*at += 2;
		hex(at, contents);
		return;
	}
	char *end;
	uint64_t value = strtoull(*at, &end, 10);
	if (!isdigit((unsigned char)**at))
		misspelt(*at, "no number");
	*at = end;
	unsigned octets = 1;
	while (octets < 9 && value >> (8 * octets - 1) != 0)
		octets++;
	for (unsigned i = octets; i-- > 0;) {
		uint8_t octet = (uint8_t)(i < 8 ? value >> 8 * i : 0);
		add(contents, &octet, 1);
	}
}

static void
arc(unsigned long value, struct bytes *contents)
{
	uint8_t octets[10];
	size_t length = 0;
	do {
		octets[length] = (uint8_t)((value & 0x7f) | (length > 0 ? 0x80 : 0));
		length++;
	} while ((value >>= 7) != 0);
	while (length > 0)
		add(contents, &octets[--length], 1);
}

static void
object_identifier(const char **at, struct bytes *contents)
{
	unsigned long arcs[20];
	size_t count = 0;
	char *end;
	do {
		if (count == sizeof arcs / sizeof arcs[0] || !isdigit((unsigned char)**at))
			misspelt(*at, "no arc");
		arcs[count++] = strtoul(*at, &end, 10);
		*at = end + (*end == '.');
	} while (*end == '.');
	if (count < 2)
		misspelt(*at, "not two arcs");
	arc(arcs[0] * 40 + arcs[1], contents);
	for (size_t i = 2; i < count; i++)
		arc(arcs[i], contents);
}

static void
bits(const char **at, struct bytes *contents)
{
	uint8_t unused = 0;
	add(contents, &unused, 1);
	if (**at == '{') {
		braces(at, contents);
		return;
	}
	hex(at, contents);
	if (**at != '/' || !isdigit((unsigned char)(*at)[1]))
		misspelt(*at, "no count of unused bits");
	contents->data[0] = (uint8_t)((*at)[1] - '0');
	*at += 2;
}

static void
contents_of(const char **at, unsigned forms, struct bytes *contents)
{
	skip_space(at);
	if ((forms & FORM_EMPTY) != 0)
		return;
	if ((forms & FORM_NUMBER) != 0)
		number(at, contents);
	else if ((forms & FORM_OID) != 0)
		object_identifier(at, contents);
	else if ((forms & FORM_BITS) != 0)
		bits(at, contents);
	else if ((forms & FORM_TEXT) != 0 && (**at == '"' || (forms & FORM_HEX) == 0))
		text(at, contents);
	else if ((forms & FORM_HEX) != 0 && **at != '{')
		hex(at, contents);
	else
		braces(at, contents);
}

static void
item(const char **at, struct bytes *der)
{
	AUTO_CLEAR(struct bytes, bytes_clear) contents = BYTES_INIT;
	const char *start = *at;
	if (*start == '=') {
		++*at;
		hex(at, der);
		return;
	}
	if (*start == '[') {
		char *end;
		unsigned long tag = strtoul(start + 1, &end, 10);
		*at = end + 1;
		skip_space(at);
		uint8_t constructed = **at == '{' ? 0x20 : 0;
		contents_of(at, FORM_BRACES | FORM_TEXT | FORM_HEX, &contents);
		add_element(der, (uint8_t)(0x80 | constructed | tag), &contents);
		return;
	}
	size_t length = strcspn(start, " \t\n{}");
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
		if (strlen(words[i].name) == length && strncmp(words[i].name, start, length) == 0) {
			*at += length;
			contents_of(at, words[i].forms, &contents);
			add_element(der, words[i].tag, &contents);
			return;
		}
	}
	misspelt(start, "no such word");
}

static void
items(const char **at, bool nested, struct bytes *der)
{
	for (skip_space(at); **at != '\0' && **at != '}'; skip_space(at))
		item(at, der);
	if ((**at == '}') != nested)
		misspelt(*at, "braces don't match");
	*at += nested;
}

void
der_builder_encode(const char *source, struct bytes *der)
{
	const char *at = source;
	items(&at, false, der);
}

char *
der_builder_edit(const char *source, const char *from, const char *to)
{
	const char *found = strstr(source, from);
	if (found == NULL || strstr(found + 1, from) != NULL)
		misspelt(from, found == NULL ? "what is to be edited isn't there" : "what is to be edited is there twice");
	AUTO_CLEAR(struct bytes, bytes_clear) edited = BYTES_INIT;
	add(&edited, source, (size_t)(found - source));
	add(&edited, to, strlen(to));
	add(&edited, found + strlen(from), strlen(found + strlen(from)) + 1);
	char *copy = strdup(bytes_text(&edited));
	INVARIANT(copy != NULL);
	return copy;
}

void
der_builder_append_raw(struct bytes *source, struct span der)
{
	add(source, "=", 1);
	for (size_t i = 0; i < der.length; i++)
		INVARIANT(bytes_printf(source, NULL, "%02x", der.data[i]) == FAULT_NONE);
	add(source, " ", 1);
}
