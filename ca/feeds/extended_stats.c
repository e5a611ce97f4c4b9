#include "ca/feeds/extended_stats.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "ca/base/gzip_reader.h"
#include "ca/base/instant.h"
#include "ca/base/memory.h"
#include "ca/feeds/claims.h"

#define FIELDS_MAX 16           /* further ones are extensions that nobody here reads */
#define KINDS 3

enum field { REGISTRY, COUNTRY, TYPE, START, VALUE, DATE, STATUS, OPAQUE_ID };

/* One of the three types of records. */
struct kind {
	const char *name;
	enum fault_code (*read)(char **fields, struct resource_range *ret_range, struct fault *fault);
};

struct reading {
	struct gzip_reader *lines;
	uint32_t line;
	bool version_seen;
	bool many_registries;   /* the NRO's own file, made of all of theirs */
	char registry[FEED_REGISTRY_SIZE];
	int64_t dated_at;
	uint64_t records, records_told;
	uint64_t kind_records[KINDS], kind_told[KINDS];
	bool summary_seen[KINDS];
	struct bytes ids;       /* NUL-terminated, one a run of records */
	struct claims claims;   /* holder: for now, the offset of its id in ids */
};

static void
reading_clear(struct reading *reading)
{
	gzip_reader_free(reading->lines);
	bytes_clear(&reading->ids);
	claims_clear(&reading->claims);
}

static bool
parse_count(const char *text, uint64_t *ret_number)
{
	uint64_t number = 0;
	size_t length = strlen(text);
	if (length == 0 || length > 18 || strspn(text, "0123456789") != length)
		return false;
	for (; *text != '\0'; text++)
		number = number * 10 + (uint64_t)(*text - '0');
	*ret_number = number;
	return true;
}

/* YYYYMMDD, or nothing, or zeros where nobody knows any more. */
static bool
is_date(const char *text)
{
	static const int days[] = { 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	uint64_t date;
	if (*text == '\0' || strcmp(text, "00000000") == 0)
		return true;
	if (strlen(text) != 8 || !parse_count(text, &date))
		return false;
	int month = (int)(date / 100 % 100), day = (int)(date % 100);
	return month >= 1 && month <= 12 && day >= 1 && day <= days[month - 1];
}

/* When that day begins; 0 for none. */
static int64_t
date_begins(const char *text)
{
	uint64_t date;
	if (!parse_count(text, &date) || date < 19700101)
		return 0;
	return instant_from_civil((struct civil_time){ .year = (int)(date / 10000), .month = (int)(date / 100 % 100), .day = (int)(date % 100) });
}

static enum fault_code
read_asns(char **fields, struct resource_range *ret_range, struct fault *fault)
{
	uint32_t first;
	uint64_t count;
	TRY(asn_parse(fields[START], &first, fault));
	if (!parse_count(fields[VALUE], &count) || count == 0 || count - 1 > ASN_MAX - first)
		return fault_set(fault, FAULT_INVALID, "\"%.20s\" is not how many AS numbers there can be from %" PRIu32 " on",
			fields[VALUE], first);
	*ret_range = resource_range_of_asns(first, (uint32_t)(first + (count - 1)));
	return FAULT_NONE;
}

static enum fault_code
read_ipv4(char **fields, struct resource_range *ret_range, struct fault *fault)
{
	enum address_family family;
	struct address min, max = { .bytes = { 0 } };
	uint64_t count, first = 0;
	TRY(address_parse(fields[START], &family, &min, fault));
	if (family != FAMILY_IPV4)
		return fault_set(fault, FAULT_INVALID, "%.50s is no IPv4 address", fields[START]);
	for (int i = 0; i < 4; i++)
		first = first << 8 | min.bytes[i];
	if (!parse_count(fields[VALUE], &count) || count == 0 || first + count - 1 > UINT32_MAX)
		return fault_set(fault, FAULT_INVALID, "\"%.20s\" is not how many addresses there can be from %s on",
			fields[VALUE], fields[START]);
	for (int i = 0; i < 4; i++)
		max.bytes[i] = (uint8_t)((first + count - 1) >> (24 - 8 * i));
	*ret_range = resource_range_of_addresses(FAMILY_IPV4, &min, &max);
	return FAULT_NONE;
}

static enum fault_code
read_ipv6(char **fields, struct resource_range *ret_range, struct fault *fault)
{
	char text[2 * ADDRESS_TEXT];
	struct prefix prefix;
	(void)snprintf(text, sizeof text, "%.*s/%.4s", ADDRESS_TEXT, fields[START], fields[VALUE]);
	TRY(prefix_parse(text, &prefix, fault));
	if (prefix.family != FAMILY_IPV6)
		return fault_set(fault, FAULT_INVALID, "%s is no IPv6 prefix", text);
	*ret_range = resource_range_of_prefix(&prefix);
	return FAULT_NONE;
}

static const struct kind kinds[KINDS] = { { "asn", read_asns }, { "ipv4", read_ipv4 }, { "ipv6", read_ipv6 } };

static enum fault_code
find_kind(const char *name, size_t *ret_kind, struct fault *fault)
{
	for (size_t i = 0; i < KINDS; i++) {
		if (strcmp(kinds[i].name, name) == 0) {
			*ret_kind = i;
			return FAULT_NONE;
		}
	}
	return fault_set(fault, FAULT_INVALID, "\"%.20s\" is not asn, ipv4 or ipv6", name);
}

/* 2|afrinic|20250720|17287|00000000|20250720|00000 */
static enum fault_code
read_version(struct reading *reading, char **fields, size_t count, struct fault *fault)
{
	if (count != 7 || fields[0][0] != '2' || (fields[0][1] != '\0' && fields[0][1] != '.'))
		return fault_set(fault, FAULT_MALFORMED,
			"this is no version line of extended statistics, \"2|registry|serial|records|…\"");
	if (strlen(fields[1]) == 0 || strlen(fields[1]) >= sizeof reading->registry)
		return fault_set(fault, FAULT_MALFORMED, "the version line names no registry");
	if (!parse_count(fields[3], &reading->records_told))
		return fault_set(fault, FAULT_MALFORMED, "\"%.20s\" is no number of records", fields[3]);
	if (!is_date(fields[4]) || !is_date(fields[5]))
		return fault_set(fault, FAULT_MALFORMED, "the version line has no dates, YYYYMMDD, in its 5th and 6th column");
	(void)snprintf(reading->registry, sizeof reading->registry, "%s", fields[1]);
	reading->many_registries = strcmp(reading->registry, "nro") == 0;
	reading->dated_at = date_begins(fields[5]);
	reading->version_seen = true;
	return FAULT_NONE;
}

static enum fault_code
check_registry(const struct reading *reading, const char *registry, struct fault *fault)
{
	if (!reading->many_registries && strcmp(registry, reading->registry) != 0)
		return fault_set(fault, FAULT_INVALID, "\"%.20s\" is not the registry of this file, \"%s\"", registry,
			reading->registry);
	return FAULT_NONE;
}

/* afrinic|*|asn|*|3326|summary */
static enum fault_code
read_summary(struct reading *reading, char **fields, struct fault *fault)
{
	size_t kind = 0;
	TRY(check_registry(reading, fields[REGISTRY], fault));
	TRY(find_kind(fields[TYPE], &kind, fault));
	if (reading->summary_seen[kind])
		return fault_set(fault, FAULT_INVALID, "a second summary line for %s", kinds[kind].name);
	if (!parse_count(fields[4], &reading->kind_told[kind]))
		return fault_set(fault, FAULT_MALFORMED, "\"%.20s\" is no number of records", fields[4]);
	reading->summary_seen[kind] = true;
	return FAULT_NONE;
}

static enum fault_code
check_record(const struct reading *reading, char **fields, struct fault *fault)
{
	const char *country = fields[COUNTRY];
	size_t letters = strspn(country, "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
	TRY(check_registry(reading, fields[REGISTRY], fault));
	if (country[letters] != '\0' || (letters != 0 && letters != 2))
		return fault_set(fault, FAULT_INVALID, "\"%.20s\" is no country code", country);
	if (!is_date(fields[DATE]))
		return fault_set(fault, FAULT_INVALID, "\"%.20s\" is no date, YYYYMMDD", fields[DATE]);
	return FAULT_NONE;
}

static enum fault_code
check_id(const char *id, struct fault *fault)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
	size_t length = strlen(id);
	if (length == 0)
		return fault_set(fault, FAULT_INVALID, "no opaque id: in the 8th column extended statistics say who holds it");
	if (length > FEED_ID_MAX || strspn(id, allowed) != length)
		return fault_set(fault, FAULT_INVALID,
			"the opaque id \"%.40s\" can't be a handle (1 to %d of A-Z, a-z, 0-9, \"_\", \"-\")", id, FEED_ID_MAX);
	return FAULT_NONE;
}

/* Most records of a holder follow each other: then its id is kept once. */
static enum fault_code
keep_id(struct reading *reading, const char *id, uint32_t *ret_at, struct fault *fault)
{
	const struct claims *claims = &reading->claims;
	if (claims->count > 0) {
		uint32_t last = claims->items[claims->count - 1].holder;
		if (strcmp(bytes_text(&reading->ids) + last, id) == 0) {
			*ret_at = last;
			return FAULT_NONE;
		}
	}
	_Static_assert((uint64_t)CLAIMS_MAX * (FEED_ID_MAX + 1) < UINT32_MAX, "an offset of an id has 32 bits");
	*ret_at = (uint32_t)reading->ids.length;
	return bytes_append(&reading->ids, id, strlen(id) + 1, fault);
}

static bool
one_of(const char *text, const char *a, const char *b)
{
	return strcmp(text, a) == 0 || strcmp(text, b) == 0;
}

static enum fault_code
read_record(struct reading *reading, char **fields, size_t count, struct fault *fault)
{
	size_t kind = 0;
	uint32_t id_at = 0;
	struct resource_range range;
	if (count <= STATUS)
		return fault_set(fault, FAULT_MALFORMED, "%zu columns, not 8", count);
	TRY(check_record(reading, fields, fault));
	TRY(find_kind(fields[TYPE], &kind, fault));
	TRY(kinds[kind].read(fields, &range, fault));
	reading->records++;
	reading->kind_records[kind]++;
	if (one_of(fields[STATUS], "available", "reserved"))
		return FAULT_NONE;
	if (!one_of(fields[STATUS], "allocated", "assigned"))
		return fault_set(fault, FAULT_INVALID, "\"%.20s\" is not allocated, assigned, available or reserved",
			fields[STATUS]);
	const char *id = count > OPAQUE_ID ? fields[OPAQUE_ID] : "";
	TRY(check_id(id, fault));
	TRY(keep_id(reading, id, &id_at, fault));
	return claims_add(&reading->claims, &range, id_at, reading->line, fault);
}

static size_t
split(char *line, char *fields[FIELDS_MAX])
{
	size_t count = 0;
	for (char *field; count < FIELDS_MAX && (field = strsep(&line, "|")) != NULL;)
		fields[count++] = field;
	return count;
}

static enum fault_code
read_line(struct reading *reading, char *line, struct fault *fault)
{
	char *fields[FIELDS_MAX];
	if (*line == '#' || line[strspn(line, " \t")] == '\0')
		return FAULT_NONE;
	size_t count = split(line, fields);
	if (!reading->version_seen)
		return read_version(reading, fields, count, fault);
	if (count == 6 && strcmp(fields[5], "summary") == 0)
		return read_summary(reading, fields, fault);
	return read_record(reading, fields, count, fault);
}

static enum fault_code
read_lines(struct reading *reading, struct fault *fault)
{
	for (;;) {
		const char *line;
		char copy[STATS_LINE_MAX + 1];
		size_t length;
		TRY(gzip_reader_line(reading->lines, &line, &length, fault));
		if (line == NULL)
			return FAULT_NONE;
		reading->line = (uint32_t)gzip_reader_line_number(reading->lines);
		memcpy(copy, line, length + 1);
		TRY(feed_line(read_line(reading, copy, fault), reading->line, fault));
	}
}

/* A file that was cut short, or that somebody changed by hand, doesn't count what it holds. */
static enum fault_code
check_counts(const struct reading *reading, struct fault *fault)
{
	if (!reading->version_seen)
		return fault_set(fault, FAULT_MALFORMED, "the file has no version line");
	for (size_t i = 0; i < KINDS; i++) {
		if (!reading->summary_seen[i] && reading->kind_records[i] > 0)
			return fault_set(fault, FAULT_MALFORMED, "the file has no summary line for %s", kinds[i].name);
		if (reading->kind_told[i] != reading->kind_records[i])
			return fault_set(fault, FAULT_MALFORMED, "the file ends after %" PRIu64 " %s records, and its summary"
				" line tells of %" PRIu64 ": it is not complete", reading->kind_records[i], kinds[i].name,
				reading->kind_told[i]);
	}
	if (reading->records_told != reading->records)
		return fault_set(fault, FAULT_MALFORMED, "the file ends after %" PRIu64 " records, and its version line tells of"
			" %" PRIu64 ": it is not complete", reading->records, reading->records_told);
	return FAULT_NONE;
}

static int
compare_ids(const void *a, const void *b, void *ids)
{
	const struct claim *x = a, *y = b;
	int order = x->holder == y->holder ? 0 : strcmp((const char *)ids + x->holder, (const char *)ids + y->holder);
	return order != 0 ? order : (x->holder > y->holder) - (x->holder < y->holder);
}

/* The same id may stand in several places of ids: from here on its first place is the number of the holder. */
static void
number_holders(struct reading *reading)
{
	struct claims *claims = &reading->claims;
	const char *ids = bytes_text(&reading->ids);
	if (claims->count == 0)
		return;
	qsort_r(claims->items, claims->count, sizeof *claims->items, compare_ids, reading->ids.data);
	uint32_t same = claims->items[0].holder;
	for (size_t i = 1; i < claims->count; i++) {
		if (strcmp(ids + claims->items[i].holder, ids + same) != 0)
			same = claims->items[i].holder;
		claims->items[i].holder = same;
	}
}

/* Claims [first, end) are one holder's. */
static enum fault_code
give_holder(const struct reading *reading, size_t first, size_t end, stats_holder_fn give, void *argument, struct fault *fault)
{
	AUTO_CLEAR(struct resource_set, resource_set_clear) resources = RESOURCE_SET_INIT;
	const struct claim *claims = reading->claims.items;
	struct stats_holder holder = {
		.registry = reading->registry, .dated_at = reading->dated_at, .id = bytes_text(&reading->ids) + claims[first].holder,
		.line = claims[first].line, .resources = &resources,
	};
	for (size_t i = first; i < end; i++) {
		if (claims[i].line < holder.line)
			holder.line = claims[i].line;
		TRY(feed_line(resource_range_add(&claims[i].range, &resources, fault), claims[i].line, fault));
	}
	TRY(resource_set_normalise(&resources, fault));
	return give(argument, &holder, fault);
}

static enum fault_code
give_holders(struct reading *reading, stats_holder_fn give, void *argument, struct fault *fault)
{
	const struct claims *claims = &reading->claims;
	claims_sort_by_holder(&reading->claims);
	for (size_t first = 0, end; first < claims->count; first = end) {
		for (end = first + 1; end < claims->count && claims->items[end].holder == claims->items[first].holder; end++)
			;
		TRY(give_holder(reading, first, end, give, argument, fault));
	}
	return FAULT_NONE;
}

enum fault_code
extended_stats_read(const char *path, stats_holder_fn give, void *argument, struct fault *fault)
{
	AUTO_CLEAR(struct reading, reading_clear) reading = { .line = 1, .claims = CLAIMS_INIT };
	TRY(gzip_reader_open(path, STATS_LINE_MAX, FEED_BYTES_MAX, &reading.lines, fault));
	TRY(read_lines(&reading, fault));
	TRY(feed_line(check_counts(&reading, fault), reading.line, fault));
	number_holders(&reading);
	TRY(claims_check(&reading.claims, fault));
	return give_holders(&reading, give, argument, fault);
}
