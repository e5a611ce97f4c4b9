#include "api/handlers/resources_json.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "api/server/json_body.h"

/* In the order in which faults are told. */
static const struct family {
	const char *field;
	enum resource_kind kind;
} families[] = { { "asns", RESOURCE_ASN }, { "ipv4", RESOURCE_IPV4 }, { "ipv6", RESOURCE_IPV6 } };

#define FAMILIES (sizeof families / sizeof *families)

static enum fault_code
add_text(struct resource_set *set, enum resource_kind kind, const char *text, struct fault *fault)
{
	if (kind == RESOURCE_ASN)
		return resource_set_parse_asns(set, text, fault);
	return resource_set_parse_addresses(set, (enum address_family)kind, text, fault);
}

/* A text, or for AS numbers also a number. */
static enum fault_code
add_entry(struct resource_set *set, enum resource_kind kind, json_t *entry, struct fault *fault)
{
	char number[24];
	if (json_is_integer(entry) && kind == RESOURCE_ASN) {
		(void)snprintf(number, sizeof number, "%" JSON_INTEGER_FORMAT, json_integer_value(entry));
		return add_text(set, kind, number, fault);
	}
	if (!json_is_string(entry))
		return fault_set(fault, FAULT_INVALID, "must be a text%s", kind == RESOURCE_ASN ? " or a whole number" : "");
	return add_text(set, kind, json_string_value(entry), fault);
}

static enum fault_code
read_family(json_t *array, enum resource_kind kind, const char *list, struct resource_set *set, struct complaints *complaints,
	struct fault *fault)
{
	size_t index;
	json_t *entry;
	json_array_foreach(array, index, entry) {
		struct fault reason = FAULT_INIT;
		enum fault_code code = add_entry(set, kind, entry, &reason);
		if (code == FAULT_INVALID) {
			TRY(complaints_add(complaints, fault, list, index, NULL, "%.190s", reason.message));
			continue;
		}
		if (code != FAULT_NONE)
			return fault_set(fault, code, "%s: %.400s", list, reason.message);
	}
	return FAULT_NONE;
}

enum fault_code
resources_json_read_lists(json_t *object, const struct resource_lists *lists, struct resource_set *ret_set,
	struct complaints *complaints, struct fault *fault)
{
	AUTO_CLEAR(struct resource_set, resource_set_clear) set = RESOURCE_SET_INIT;
	json_t *arrays[FAMILIES];
	struct json_body_field fields[FAMILIES];
	for (size_t i = 0; i < FAMILIES; i++)
		fields[i] = (struct json_body_field){ families[i].field, JSON_BODY_ARRAY, false, &arrays[i] };
	size_t before = complaints->total;
	TRY(json_body_read(object, JSON_BODY_TOP, fields, FAMILIES, complaints, fault));
	for (size_t i = 0; i < FAMILIES; i++) {
		const char *list = resource_lists_name(lists, families[i].kind);
		if (arrays[i] != NULL)
			TRY(read_family(arrays[i], families[i].kind, list, &set, complaints, fault));
	}
	if (complaints->total > before)
		return FAULT_NONE;
	TRY(resource_set_normalise(&set, fault));
	*ret_set = set;
	set = RESOURCE_SET_INIT;
	return FAULT_NONE;
}

enum fault_code
resources_json_read(json_t *object, struct resource_set *ret_set, struct complaints *complaints, struct fault *fault)
{
	return resources_json_read_lists(object, &resource_lists_whole, ret_set, complaints, fault);
}

static void
write_addresses(struct json_writer *writer, const char *name, enum address_family family, const struct resource_set *set)
{
	const struct address_ranges *ranges = resource_set_addresses(set, family);
	json_writer_array(writer, name);
	for (size_t i = 0; i < ranges->count; i++) {
		char text[RANGE_TEXT];
		resource_set_address_text(family, &ranges->items[i], text);
		json_writer_text(writer, NULL, text);
	}
	json_writer_end(writer);
}

void
resources_json_write(struct json_writer *writer, const char *name, const struct resource_set *set)
{
	json_writer_object(writer, name);
	json_writer_array(writer, "asns");
	for (size_t i = 0; i < set->asns_count; i++) {
		char text[RANGE_TEXT];
		resource_set_asn_text(&set->asns[i], text);
		json_writer_text(writer, NULL, text);
	}
	json_writer_end(writer);
	write_addresses(writer, "ipv4", FAMILY_IPV4, set);
	write_addresses(writer, "ipv6", FAMILY_IPV6, set);
	json_writer_end(writer);
}
