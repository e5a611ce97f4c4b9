#include "ca/feeds/members_jsonl.h"

#include <string.h>

#include "ca/base/gzip_reader.h"
#include "ca/base/memory.h"
#include "ca/feeds/claims.h"
#include "ca/feeds/json_stream.h"
#include "ca/feeds/payload_json.h"

/* The members of a line that are read; each at most once. Those from ASNS on are arrays; only RIR may be missing. */
enum item { ID, RIR, ASNS, IPV4, IPV6, ROAS, ITEMS };

static const char *const item_names[ITEMS] = { [ID] = "id", [RIR] = "rir", [ASNS] = "asn", [IPV4] = "ipv4", [IPV6] = "ipv6", [ROAS] = "roas" };

/* Which id stands in which line. */
struct id_line {
	size_t at;                                      /* offset in ids */
	uint32_t line;
};

struct reading {
	struct gzip_reader *file;
	/* This line. */
	uint32_t line;
	bool seen[ITEMS];
	char id[FEED_ID_MAX + 1];
	char registry[FEED_REGISTRY_SIZE];
	struct resource_set resources;
	struct payload *payloads;
	size_t payloads_count, payloads_capacity;
	/* All lines so far. */
	struct bytes ids;
	struct id_line *id_lines;
	size_t id_lines_count, id_lines_capacity;
	struct claims claims;
};

static void
reading_clear(struct reading *reading)
{
	gzip_reader_free(reading->file);
	resource_set_clear(&reading->resources);
	free(reading->payloads);
	bytes_clear(&reading->ids);
	free(reading->id_lines);
	claims_clear(&reading->claims);
}

/* Takes ids of other registries too, such as "pfx:192.0.2.0/24": what parts their words becomes "-". */
static bool
copy_id(const char *text, char id[FEED_ID_MAX + 1])
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
	size_t length = strlen(text);
	if (length == 0 || length > FEED_ID_MAX)
		return false;
	for (size_t i = 0; i <= length; i++)
		id[i] = text[i] == ':' || text[i] == '.' || text[i] == '/' ? '-' : text[i];
	return strspn(id, allowed) == length;
}

static enum fault_code
read_id(struct reading *reading, const json_t *value, struct fault *fault)
{
	const char *text = json_string_value(value);
	if (text == NULL)
		return fault_set(fault, FAULT_INVALID, "\"id\" is no text");
	if (!copy_id(text, reading->id))
		return fault_set(fault, FAULT_INVALID, "no handle can be made of the id \"%.40s\": 1 to %d of A-Z, a-z, 0-9,"
			" \"_\", \"-\", \":\", \".\", \"/\"", text, FEED_ID_MAX);
	return FAULT_NONE;
}

static enum fault_code
read_registry(struct reading *reading, const json_t *value, struct fault *fault)
{
	const char *text = json_string_value(value);
	size_t length = text != NULL ? strlen(text) : 0;
	if (length == 0 || length >= sizeof reading->registry || strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-") != length)
		return fault_set(fault, FAULT_INVALID, "\"rir\" names no registry");
	memcpy(reading->registry, text, length + 1);
	return FAULT_NONE;
}

static enum fault_code
read_asn(struct reading *reading, const json_t *value, struct fault *fault)
{
	if (json_is_string(value))
		return resource_set_parse_asns(&reading->resources, json_string_value(value), fault);
	json_int_t asn = json_integer_value(value);
	if (!json_is_integer(value) || asn < 0 || asn > (json_int_t)ASN_MAX)
		return fault_set(fault, FAULT_INVALID, "an element of \"asn\" is no AS number");
	return resource_set_add_asns(&reading->resources, (uint32_t)asn, (uint32_t)asn, fault);
}

static enum fault_code
read_addresses(struct reading *reading, enum address_family family, const json_t *value, struct fault *fault)
{
	if (!json_is_string(value))
		return fault_set(fault, FAULT_INVALID, "an element of \"ipv%d\" is no text", (int)family);
	return resource_set_parse_addresses(&reading->resources, family, json_string_value(value), fault);
}

static enum fault_code
read_payload(struct reading *reading, const json_t *value, struct fault *fault)
{
	struct payload payload;
	TRY(payload_json_read(value, &payload, fault));
	if (reading->payloads_count == MEMBER_PAYLOADS_MAX)
		return fault_set(fault, FAULT_TOO_LARGE, "more than %d payloads of one holder", MEMBER_PAYLOADS_MAX);
	TRY(memory_reserve(&reading->payloads, &reading->payloads_capacity, reading->payloads_count + 1,
		sizeof *reading->payloads, fault));
	reading->payloads[reading->payloads_count++] = payload;
	return FAULT_NONE;
}

static enum fault_code
read_item(struct reading *reading, enum item item, const json_t *value, struct fault *fault)
{
	switch (item) {
	case ID:
		return read_id(reading, value, fault);
	case RIR:
		return read_registry(reading, value, fault);
	case ASNS:
		return read_asn(reading, value, fault);
	case IPV4:
		return read_addresses(reading, FAMILY_IPV4, value, fault);
	case IPV6:
		return read_addresses(reading, FAMILY_IPV6, value, fault);
	case ROAS:
		return read_payload(reading, value, fault);
	case ITEMS:
		break;
	}
	return FAULT_NONE;
}

static enum item
find_item(const char *name)
{
	enum item item = ID;
	while (item < ITEMS && strcmp(item_names[item], name) != 0)
		item++;
	return item;
}

static enum fault_code
take(void *argument, const char *name, bool in_array, const json_t *value, uint32_t line, struct fault *fault)
{
	struct reading *reading = argument;
	enum item item = find_item(name);
	if (item == ITEMS)
		return FAULT_NONE;
	if (in_array != (item >= ASNS))
		return fault_set(fault, FAULT_INVALID, "line %" PRIu32 ": \"%s\" is %s array", line, name,
			in_array ? "an" : "no");
	bool begins = !in_array || value == NULL;
	if (begins && reading->seen[item])
		return fault_set(fault, FAULT_INVALID, "line %" PRIu32 ": a second \"%s\"", line, name);
	reading->seen[item] = true;
	return value == NULL ? FAULT_NONE : feed_line(read_item(reading, item, value, fault), line, fault);
}

static enum fault_code
read_line(struct reading *reading, const char *text, size_t length, struct fault *fault)
{
	struct json_stream stream = { .data = (const uint8_t *)text, .length = length, .line = reading->line };
	memset(reading->seen, 0, sizeof reading->seen);
	resource_set_clear(&reading->resources);
	reading->payloads_count = 0;
	reading->registry[0] = '\0';
	TRY(json_stream_read(&stream, take, reading, fault));
	for (enum item item = ID; item < ITEMS; item++)
		if (!reading->seen[item] && item != RIR)
			return fault_set(fault, FAULT_INVALID, "line %" PRIu32 ": no \"%s\"", reading->line, item_names[item]);
	return feed_line(resource_set_normalise(&reading->resources, fault), reading->line, fault);
}

static enum fault_code
keep_id(struct reading *reading, struct fault *fault)
{
	if (reading->id_lines_count == MEMBERS_MAX)
		return fault_set(fault, FAULT_TOO_LARGE, "more than %d holders in one file", MEMBERS_MAX);
	TRY(memory_reserve(&reading->id_lines, &reading->id_lines_capacity, reading->id_lines_count + 1,
		sizeof *reading->id_lines, fault));
	reading->id_lines[reading->id_lines_count++] = (struct id_line){ .at = reading->ids.length, .line = reading->line };
	return bytes_append(&reading->ids, reading->id, strlen(reading->id) + 1, fault);
}

static enum fault_code
keep_claims(struct reading *reading, struct fault *fault)
{
	TRY(keep_id(reading, fault));
	return claims_add_set(&reading->claims, &reading->resources, reading->line, reading->line, fault);
}

static enum fault_code
give_line(struct reading *reading, member_line_fn give, void *argument, struct fault *fault)
{
	struct member_line member = {
		.id = reading->id,
		.line = reading->line,
		.registry = reading->registry,
		.resources = &reading->resources,
		.payloads = reading->payloads,
		.payloads_count = reading->payloads_count,
	};
	TRY(feed_line(keep_claims(reading, fault), reading->line, fault));
	return give(argument, &member, fault);
}

static enum fault_code
read_lines(struct reading *reading, member_line_fn give, void *argument, struct fault *fault)
{
	for (;;) {
		const char *line;
		size_t length;
		TRY(gzip_reader_line(reading->file, &line, &length, fault));
		if (line == NULL)
			return FAULT_NONE;
		reading->line = (uint32_t)gzip_reader_line_number(reading->file);
		if (line[strspn(line, " \t")] == '\0')
			continue;
		TRY(read_line(reading, line, length, fault));
		TRY(give_line(reading, give, argument, fault));
	}
}

static int
compare_ids(const void *a, const void *b, void *ids)
{
	const struct id_line *x = a, *y = b;
	int order = strcmp((const char *)ids + x->at, (const char *)ids + y->at);
	return order != 0 ? order : (x->line > y->line) - (x->line < y->line);
}

static enum fault_code
check_ids(struct reading *reading, struct fault *fault)
{
	struct id_line *lines = reading->id_lines;
	const char *ids = bytes_text(&reading->ids);
	if (reading->id_lines_count == 0)
		return fault_set(fault, FAULT_MALFORMED, "line 1: the file is empty");
	qsort_r(lines, reading->id_lines_count, sizeof *lines, compare_ids, reading->ids.data);
	for (size_t i = 1; i < reading->id_lines_count; i++)
		if (strcmp(ids + lines[i - 1].at, ids + lines[i].at) == 0)
			return fault_set(fault, FAULT_INVALID,
				"line %" PRIu32 ": the id \"%s\" stands in line %" PRIu32 " already", lines[i].line,
				ids + lines[i].at, lines[i - 1].line);
	return FAULT_NONE;
}

enum fault_code
members_jsonl_read(const char *path, member_line_fn give, void *argument, struct fault *fault)
{
	AUTO_CLEAR(struct reading, reading_clear) reading = { .resources = RESOURCE_SET_INIT, .claims = CLAIMS_INIT };
	TRY(gzip_reader_open(path, MEMBERS_LINE_MAX, FEED_BYTES_MAX, &reading.file, fault));
	TRY(read_lines(&reading, give, argument, fault));
	TRY(check_ids(&reading, fault));
	return claims_check(&reading.claims, fault);
}
