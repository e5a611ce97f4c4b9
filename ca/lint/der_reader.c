#include "ca/lint/der_reader.h"

#include <string.h>

#include "ca/base/instant.h"

static enum fault_code
broken(const char *what, const char *rule, struct fault *fault)
{
	return fault_set(fault, FAULT_LINT, "%s: %s", what, rule);
}

/* X.690 §11.6: compared as octet strings; no encoding is a true prefix of another. Equal ones may stand side by side. */
static bool
in_order(struct span a, struct span b)
{
	size_t common = a.length < b.length ? a.length : b.length;
	int order = memcmp(a.data, b.data, common);
	return order < 0 || (order == 0 && a.length <= b.length);
}

/* What is wrong with the contents of each universal type: a sentence, or NULL for nothing. */

static const char *
boolean_rule(struct span contents)
{
	if (contents.length != 1)
		return "BOOLEAN isn't one octet (X.690 §8.2.1)";
	return contents.data[0] == 0x00 || contents.data[0] == 0xff ? NULL : "BOOLEAN is neither 00 nor ff (X.690 §11.1)";
}

static const char *
integer_rule(struct span contents)
{
	if (contents.length == 0)
		return "INTEGER is empty (X.690 §8.3.1)";
	if (contents.length == 1)
		return NULL;
	bool superfluous = (contents.data[0] == 0x00 && (contents.data[1] & 0x80) == 0) ||
		(contents.data[0] == 0xff && (contents.data[1] & 0x80) != 0);
	return superfluous ? "INTEGER isn't in its shortest form (X.690 §8.3.2)" : NULL;
}

static const char *
bit_string_rule(struct span contents)
{
	if (contents.length == 0)
		return "BIT STRING has no initial octet (X.690 §8.6.2.1)";
	unsigned unused = contents.data[0];
	if (unused > 7)
		return "BIT STRING has more than 7 unused bits (X.690 §8.6.2.2)";
	if (contents.length == 1)
		return unused == 0 ? NULL : "empty BIT STRING has unused bits (X.690 §8.6.2.3)";
	unsigned mask = (1U << unused) - 1;
	return (contents.data[contents.length - 1] & mask) == 0 ? NULL : "unused bits of BIT STRING aren't zero (X.690 §11.2.1)";
}

static const char *
null_rule(struct span contents)
{
	return contents.length == 0 ? NULL : "NULL isn't empty (X.690 §8.8.2)";
}

static const char *
object_identifier_rule(struct span contents)
{
	if (contents.length == 0)
		return "OBJECT IDENTIFIER is empty (X.690 §8.19.2)";
	bool first = true;
	for (size_t i = 0; i < contents.length; i++) {
		if (first && contents.data[i] == 0x80)
			return "arc of OBJECT IDENTIFIER isn't in its shortest form (X.690 §8.19.2)";
		first = (contents.data[i] & 0x80) == 0;
	}
	return first ? NULL : "OBJECT IDENTIFIER ends within an arc (X.690 §8.19.2)";
}

static const char *
printable_string_rule(struct span contents)
{
	for (size_t i = 0; i < contents.length; i++) {
		char c = (char)contents.data[i];
		bool alphanumeric = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
		if (!alphanumeric && (c == '\0' || strchr(" '()+,-./:=?", c) == NULL))
			return "PrintableString has a character that isn't one of its set (X.680 §41.4)";
	}
	return NULL;
}

static const char *
ia5_string_rule(struct span contents)
{
	for (size_t i = 0; i < contents.length; i++) {
		if (contents.data[i] > 0x7f)
			return "IA5String has an octet above 7f (X.680 §41)";
	}
	return NULL;
}

static bool
digits_read(const uint8_t *text, size_t count, int *ret_number)
{
	int number = 0;
	for (size_t i = 0; i < count; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		number = number * 10 + (text[i] - '0');
	}
	*ret_number = number;
	return true;
}

static bool
civil_in_range(const struct civil_time *civil)
{
	static const int days[12] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	if (civil->year < 1 || civil->month < 1 || civil->month > 12)
		return false;
	if (civil->hour > 23 || civil->minute > 59 || civil->second > 59)
		return false;
	bool leap = civil->year % 4 == 0 && (civil->year % 100 != 0 || civil->year % 400 == 0);
	int last = days[civil->month - 1] + (civil->month == 2 && leap);
	return civil->day >= 1 && civil->day <= last;
}

/* [YY]YYMMDDHHMMSSZ: seconds always there, no fraction, always Z (X.690 §11.7, §11.8; RFC 5280 §4.1.2.5). */
static bool
civil_read(struct span text, size_t year_digits, struct civil_time *ret_civil)
{
	struct civil_time civil;
	if (text.length != year_digits + 11 || text.data[text.length - 1] != 'Z')
		return false;
	int *const fields[] = { &civil.month, &civil.day, &civil.hour, &civil.minute, &civil.second };
	bool digits = digits_read(text.data, year_digits, &civil.year);
	for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
		digits = digits && digits_read(text.data + year_digits + 2 * i, 2, fields[i]);
	if (!digits)
		return false;
	if (year_digits == 2)
		civil.year += civil.year >= 50 ? 1900 : 2000;
	if (!civil_in_range(&civil))
		return false;
	*ret_civil = civil;
	return true;
}

static struct civil_time
civil_of(const struct der_element *element)
{
	struct civil_time civil;
	bool read = civil_read(element->contents, element->tag == DER_GENERALIZED_TIME ? 4 : 2, &civil);
	INVARIANT(read); /* its rule held when it was taken */
	return civil;
}

static const char *
utc_time_rule(struct span contents)
{
	struct civil_time civil;
	return civil_read(contents, 2, &civil) ? NULL : "UTCTime isn't YYMMDDHHMMSSZ (X.690 §11.8)";
}

static const char *
generalized_time_rule(struct span contents)
{
	struct civil_time civil;
	return civil_read(contents, 4, &civil) ? NULL : "GeneralizedTime isn't YYYYMMDDHHMMSSZ (X.690 §11.7)";
}

/* The universal types there are in RPKI objects; their tags tell at once whether they are constructed (X.690 §10.2). */
static const struct universal_type {
	uint8_t tag;
	const char *(*rule)(struct span contents);
} universal_types[] = {
	{ DER_BOOLEAN, boolean_rule },
	{ DER_INTEGER, integer_rule },
	{ DER_BIT_STRING, bit_string_rule },
	{ DER_OCTET_STRING, NULL },
	{ DER_NULL, null_rule },
	{ DER_OBJECT_IDENTIFIER, object_identifier_rule },
	{ DER_PRINTABLE_STRING, printable_string_rule },
	{ DER_IA5_STRING, ia5_string_rule },
	{ DER_UTC_TIME, utc_time_rule },
	{ DER_GENERALIZED_TIME, generalized_time_rule },
	{ DER_SEQUENCE, NULL },
	{ DER_SET, NULL },
};

static const char *
contents_rule(uint8_t tag, struct span contents)
{
	if ((tag & 0xc0) != 0)
		return (tag & 0xc0) == 0x80 ? NULL : "tag is neither universal nor context-specific";
	for (size_t i = 0; i < sizeof universal_types / sizeof universal_types[0]; i++) {
		if (universal_types[i].tag == tag)
			return universal_types[i].rule == NULL ? NULL : universal_types[i].rule(contents);
	}
	return "has a type that RPKI objects don't have";
}

enum fault_code
der_reader_open(struct span der, const char *what, struct der_reader *ret_reader, struct fault *fault)
{
	static const uint8_t nothing[1];
	if (der.length > DER_READER_SIZE_MAX)
		return broken(what, "is larger than the 4,000,000 octets that rpki-client 8.2 takes", fault);
	const uint8_t *data = der.length == 0 ? nothing : der.data;
	*ret_reader = (struct der_reader){ .at = data, .end = data + der.length };
	return FAULT_NONE;
}

bool
der_reader_more(const struct der_reader *reader)
{
	return reader->at != reader->end;
}

bool
der_reader_next_is(const struct der_reader *reader, int tag)
{
	return der_reader_more(reader) && *reader->at == tag;
}

enum fault_code
der_reader_end(const struct der_reader *reader, const char *what, struct fault *fault)
{
	return der_reader_more(reader) ? broken(what, "has something behind its last field", fault) : FAULT_NONE;
}

static enum fault_code
length_read(struct der_reader *reader, const char *what, size_t *ret_length, struct fault *fault)
{
	if (!der_reader_more(reader))
		return broken(what, "ends before its length (X.690 §8.1.3)", fault);
	unsigned first = *reader->at++;
	if (first == 0x80)
		return broken(what, "length is indefinite (X.690 §10.1)", fault);
	size_t length = first;
	if (first > 0x80) {
		/* Three octets hold more than DER_READER_SIZE_MAX. */
		unsigned octets = first & 0x7f;
		if (octets > 3 || (size_t)(reader->end - reader->at) < octets)
			return broken(what, "length runs over the end of what holds it (X.690 §8.1.3)", fault);
		length = 0;
		for (unsigned i = 0; i < octets; i++)
			length = length << 8 | *reader->at++;
		if (length < 0x80 || length >> (8 * (octets - 1)) == 0)
			return broken(what, "length isn't in its shortest form (X.690 §10.1)", fault);
	}
	if ((size_t)(reader->end - reader->at) < length)
		return broken(what, "length runs over the end of what holds it (X.690 §8.1.3)", fault);
	*ret_length = length;
	return FAULT_NONE;
}

static enum fault_code
element_read(struct der_reader *reader, const char *what, struct der_element *ret_element, struct fault *fault)
{
	struct der_reader here = *reader;
	size_t length;
	if (!der_reader_more(&here))
		return broken(what, "is missing", fault);
	uint8_t tag = *here.at++;
	if ((tag & 0x1f) == 0x1f)
		return broken(what, "tag has a number above 30", fault);
	TRY(length_read(&here, what, &length, fault));
	struct span contents = SPAN(here.at, length);
	const char *rule = contents_rule(tag, contents);
	if (rule != NULL)
		return broken(what, rule, fault);
	if (tag == DER_SET)
		TRY(der_reader_sorted(contents, what, fault));
	here.at += length;
	*ret_element = (struct der_element){
		.tag = tag,
		.contents = contents,
		.whole = SPAN(reader->at, (size_t)(here.at - reader->at)),
	};
	*reader = here;
	return FAULT_NONE;
}

enum fault_code
der_reader_take(struct der_reader *reader, int tag, const char *what, struct der_element *ret_element, struct fault *fault)
{
	if (!der_reader_more(reader))
		return broken(what, "is missing", fault);
	if (*reader->at != tag)
		return fault_set(fault, FAULT_LINT, "%s: tag is %02x, not %02x", what, *reader->at, (unsigned)tag);
	return element_read(reader, what, ret_element, fault);
}

static enum fault_code
inside(const struct der_element *element, unsigned depth, const char *what, struct der_reader *ret_inner, struct fault *fault)
{
	if (depth >= DER_READER_DEPTH_MAX)
		return broken(what, "is nested deeper than any RPKI object", fault);
	*ret_inner = (struct der_reader){
		.at = element->contents.data,
		.end = element->contents.data + element->contents.length,
		.depth = depth + 1,
	};
	return FAULT_NONE;
}

enum fault_code
der_reader_enter(struct der_reader *reader, int tag, const char *what, struct der_reader *ret_inner, struct fault *fault)
{
	struct der_reader here = *reader, inner;
	struct der_element element;
	TRY(der_reader_take(&here, tag, what, &element, fault));
	TRY(inside(&element, here.depth, what, &inner, fault));
	*reader = here;
	*ret_inner = inner;
	return FAULT_NONE;
}

enum fault_code
der_reader_boolean(struct der_reader *reader, const char *what, bool *ret_truth, struct fault *fault)
{
	struct der_element element;
	TRY(der_reader_take(reader, DER_BOOLEAN, what, &element, fault));
	*ret_truth = element.contents.data[0] == 0xff;
	return FAULT_NONE;
}

enum fault_code
der_reader_integer(struct der_reader *reader, const char *what, struct span *ret_octets, struct fault *fault)
{
	struct der_element element;
	TRY(der_reader_take(reader, DER_INTEGER, what, &element, fault));
	*ret_octets = element.contents;
	return FAULT_NONE;
}

enum fault_code
der_reader_unsigned(struct der_reader *reader, const char *what, uint64_t max, uint64_t *ret_number, struct fault *fault)
{
	struct der_reader here = *reader;
	struct span octets;
	TRY(der_reader_integer(&here, what, &octets, fault));
	if ((octets.data[0] & 0x80) != 0)
		return broken(what, "is negative", fault);
	if (octets.length > 9 || (octets.length == 9 && octets.data[0] != 0))
		return broken(what, "is too large", fault);
	uint64_t number = 0;
	for (size_t i = 0; i < octets.length; i++)
		number = number << 8 | octets.data[i];
	if (number > max)
		return broken(what, "is too large", fault);
	*reader = here;
	*ret_number = number;
	return FAULT_NONE;
}

enum fault_code
der_reader_bits(struct der_reader *reader, const char *what, struct der_bits *ret_bits, struct fault *fault)
{
	struct der_element element;
	TRY(der_reader_take(reader, DER_BIT_STRING, what, &element, fault));
	size_t octets = element.contents.length - 1;
	*ret_bits = (struct der_bits){
		.octets = SPAN(element.contents.data + 1, octets),
		.count = octets * 8 - element.contents.data[0],
	};
	return FAULT_NONE;
}

enum fault_code
der_reader_flags(struct der_reader *reader, const char *what, unsigned *ret_flags, struct fault *fault)
{
	struct der_reader here = *reader;
	struct der_bits bits;
	unsigned flags = 0;
	TRY(der_reader_bits(&here, what, &bits, fault));
	if (bits.count > 16)
		return broken(what, "has more named bits than there are", fault);
	for (unsigned i = 0; i < bits.count; i++) {
		if ((bits.octets.data[i / 8] >> (7 - i % 8) & 1) != 0)
			flags |= 1U << i;
	}
	if (bits.count > 0 && flags >> (bits.count - 1) == 0)
		return broken(what, "named bits end in a zero bit (X.690 §11.2.2)", fault);
	*reader = here;
	*ret_flags = flags;
	return FAULT_NONE;
}

enum fault_code
der_reader_null(struct der_reader *reader, const char *what, struct fault *fault)
{
	struct der_element element;
	return der_reader_take(reader, DER_NULL, what, &element, fault);
}

enum fault_code
der_reader_time(struct der_reader *reader, const char *what, int64_t *ret_at, struct fault *fault)
{
	struct der_reader here = *reader;
	struct der_element element;
	bool generalized = der_reader_next_is(&here, DER_GENERALIZED_TIME);
	TRY(der_reader_take(&here, generalized ? DER_GENERALIZED_TIME : DER_UTC_TIME, what, &element, fault));
	struct civil_time civil = civil_of(&element);
	if (generalized && civil.year < 2050)
		return broken(what, "is a GeneralizedTime before 2050 (RFC 5280 §4.1.2.5)", fault);
	if (civil.year < 1970)
		return broken(what, "lies before 1970", fault);
	*reader = here;
	*ret_at = instant_from_civil(civil);
	return FAULT_NONE;
}

enum fault_code
der_reader_generalized_time(struct der_reader *reader, const char *what, int64_t *ret_at, struct fault *fault)
{
	struct der_reader here = *reader;
	struct der_element element;
	TRY(der_reader_take(&here, DER_GENERALIZED_TIME, what, &element, fault));
	struct civil_time civil = civil_of(&element);
	if (civil.year < 1970)
		return broken(what, "lies before 1970", fault);
	*reader = here;
	*ret_at = instant_from_civil(civil);
	return FAULT_NONE;
}

enum fault_code
der_reader_sorted(struct span contents, const char *what, struct fault *fault)
{
	struct der_reader reader = { .at = contents.data, .end = contents.data + contents.length };
	struct span previous = SPAN(contents.data, 0);
	/* Each element's own contents are checked when it is read; here only its extent matters. */
	while (der_reader_more(&reader)) {
		const uint8_t *start = reader.at++;
		size_t length;
		TRY(length_read(&reader, what, &length, fault));
		reader.at += length;
		struct span element = SPAN(start, (size_t)(reader.at - start));
		if (!in_order(previous, element))
			return broken(what, "elements of SET OF aren't in ascending order (X.690 §11.6)", fault);
		previous = element;
	}
	return FAULT_NONE;
}

/* Goes as deep as `inside` lets it. */
static enum fault_code
walk(struct der_reader *reader, const char *what, struct fault *fault)
{
	while (der_reader_more(reader)) {
		struct der_element element;
		struct der_reader inner;
		TRY(element_read(reader, what, &element, fault));
		if ((element.tag & 0x20) == 0)
			continue;
		TRY(inside(&element, reader->depth, what, &inner, fault));
		TRY(walk(&inner, what, fault));
	}
	return FAULT_NONE;
}

enum fault_code
der_reader_walk(struct span der, const char *what, struct fault *fault)
{
	struct der_reader reader, only;
	struct der_element element;
	TRY(der_reader_open(der, what, &reader, fault));
	only = reader;
	TRY(element_read(&only, what, &element, fault));
	TRY(der_reader_end(&only, what, fault));
	return walk(&reader, what, fault);
}
