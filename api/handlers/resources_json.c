#include "api/handlers/resources_json.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "api/server/json_body.h"

enum family { FAMILY_ASNS, FAMILY_V4, FAMILY_V6, FAMILIES };

static const struct family_names {
	const char *field, *list;
} names[FAMILIES] = {
	[FAMILY_ASNS] = { "asns", "resources.asns" },
	[FAMILY_V4] = { "ipv4", "resources.ipv4" },
	[FAMILY_V6] = { "ipv6", "resources.ipv6" },
};

static enum fault_code
add_text(struct resource_set *set, enum family family, const char *text, struct fault *fault)
{
	if (family == FAMILY_ASNS)
		return resource_set_parse_asns(set, text, fault);
	return resource_set_parse_addresses(set, family == FAMILY_V4 ? FAMILY_IPV4 : FAMILY_IPV6, text, fault);
}

/* A text, or for AS numbers also a number. */
static enum fault_code
add_entry(struct resource_set *set, enum family family, json_t *entry, struct fault *fault)
{
	char number[24];
	if (json_is_integer(entry) && family == FAMILY_ASNS) {
		(void)snprintf(number, sizeof number, "%" JSON_INTEGER_FORMAT, json_integer_value(entry));
		return add_text(set, family, number, fault);
	}
	if (!json_is_string(entry))
		return fault_set(fault, FAULT_INVALID, "must be a text%s", family == FAMILY_ASNS ? " or a whole number" : "");
	return add_text(set, family, json_string_value(entry), fault);
}

static enum fault_code
read_family(json_t *array, enum family family, struct resource_set *set, struct complaints *complaints, struct fault *fault)
{
	size_t index;
	json_t *entry;
	json_array_foreach(array, index, entry) {
		struct fault reason = FAULT_INIT;
		enum fault_code code = add_entry(set, family, entry, &reason);
		if (code == FAULT_INVALID) {
			TRY(complaints_add(complaints, fault, names[family].list, index, NULL, "%.190s", reason.message));
			continue;
		}
		if (code != FAULT_NONE)
			return fault_set(fault, code, "%s: %.400s", names[family].list, reason.message);
	}
	return FAULT_NONE;
}

enum fault_code
resources_json_read(json_t *object, struct resource_set *ret_set, struct complaints *complaints, struct fault *fault)
{
	AUTO_CLEAR(struct resource_set, resource_set_clear) set = RESOURCE_SET_INIT;
	json_t *arrays[FAMILIES];
	struct json_body_field fields[FAMILIES];
	for (size_t i = 0; i < FAMILIES; i++)
		fields[i] = (struct json_body_field){ names[i].field, JSON_BODY_ARRAY, false, &arrays[i] };
	size_t before = complaints->total;
	TRY(json_body_read(object, JSON_BODY_TOP, fields, FAMILIES, complaints, fault));
	for (enum family family = 0; family < FAMILIES; family++) {
		if (arrays[family] != NULL)
			TRY(read_family(arrays[family], family, &set, complaints, fault));
	}
	if (complaints->total > before)
		return FAULT_NONE;
	TRY(resource_set_normalise(&set, fault));
	*ret_set = set;
	set = RESOURCE_SET_INIT;
	return FAULT_NONE;
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
