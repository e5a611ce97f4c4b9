#include "api/handlers/roa_change_json.h"

#include <stdlib.h>
#include <string.h>

#include "api/server/json_body.h"
#include "ca/base/memory.h"

void
roa_change_json_clear(struct roa_change_lists *lists)
{
	free(lists->added.items);
	free(lists->removed.items);
	*lists = ROA_CHANGE_LISTS_INIT;
}

/* Each part of an entry complains of itself, so that all that is wrong with it is told at once. */

static enum fault_code
read_asn(json_t *value, uint32_t *ret_asn, struct fault *fault)
{
	if (json_is_string(value))
		return asn_parse(json_string_value(value), ret_asn, fault);
	json_int_t number = json_integer_value(value);
	if (number < 0 || number > (json_int_t)ASN_MAX)
		return fault_set(fault, FAULT_INVALID,
			"%" JSON_INTEGER_FORMAT " is not an AS number: they go from 0 to 4294967295", number);
	*ret_asn = (uint32_t)number;
	return FAULT_NONE;
}

static enum fault_code
check_comment(const char *comment, struct fault *fault)
{
	size_t length = strlen(comment);
	if (length > COMMENT_MAX)
		return fault_set(fault, FAULT_INVALID, "has %zu bytes, but must not have more than %d", length, COMMENT_MAX);
	for (size_t i = 0; i < length; i++) {
		if ((unsigned char)comment[i] < ' ' || comment[i] == '\x7f')
			return fault_set(fault, FAULT_INVALID, "contains a control character");
	}
	return FAULT_NONE;
}

/* Left out, maxLength is the prefix's own length (RFC 9582 §4.3.2.2). */
static enum fault_code
read_max_length(json_t *value, struct payload *payload, struct fault *fault)
{
	payload->max_length = payload->prefix.length;
	if (value == NULL)
		return FAULT_NONE;
	json_int_t number = json_integer_value(value);
	if (number < 0 || number > 128)
		return fault_set(fault, FAULT_INVALID, "%" JSON_INTEGER_FORMAT " is not a prefix length", number);
	payload->max_length = (uint8_t)number;
	return payload_check(payload, fault);
}

/* An entry on its way. */
struct reading {
	struct json_body_place place;
	struct complaints *complaints;
	json_t *asn, *prefix, *max_length, *comment; /* NULL when absent or complained of */
	struct roa_entry entry;
};

static enum fault_code
complain(const struct reading *reading, const char *field, const struct fault *reason, struct fault *fault)
{
	return complaints_add(reading->complaints, fault, reading->place.list, reading->place.index, field, "%.190s",
		reason->message);
}

static enum fault_code
read_values(struct reading *reading, struct fault *fault)
{
	struct fault reason = FAULT_INIT;
	struct payload *payload = &reading->entry.payload;
	bool prefix_known = reading->prefix != NULL;
	if (reading->asn != NULL && read_asn(reading->asn, &payload->asn, &reason) != FAULT_NONE)
		TRY(complain(reading, "asn", &reason, fault));
	if (prefix_known && prefix_parse(json_string_value(reading->prefix), &payload->prefix, &reason) != FAULT_NONE) {
		prefix_known = false;
		TRY(complain(reading, "prefix", &reason, fault));
	}
	if (prefix_known && read_max_length(reading->max_length, payload, &reason) != FAULT_NONE)
		TRY(complain(reading, "max_length", &reason, fault));
	if (reading->comment != NULL) {
		reading->entry.comment = json_string_value(reading->comment);
		if (check_comment(reading->entry.comment, &reason) != FAULT_NONE)
			TRY(complain(reading, "comment", &reason, fault));
	}
	return FAULT_NONE;
}

/* Appends the entry if there is nothing to complain of. Only entries to be added have comments. */
static enum fault_code
read_entry(json_t *object, struct json_body_place place, bool with_comment, struct roa_change_entries *entries,
	struct complaints *complaints, struct fault *fault)
{
	struct reading reading = { .place = place, .complaints = complaints, .entry = { .index = place.index } };
	const struct json_body_field fields[] = {
		{ "asn", JSON_BODY_NUMBER | JSON_BODY_TEXT, true, &reading.asn },
		{ "prefix", JSON_BODY_TEXT, true, &reading.prefix },
		{ "max_length", JSON_BODY_NUMBER | JSON_BODY_NULL, false, &reading.max_length },
		{ "comment", JSON_BODY_TEXT | JSON_BODY_NULL, false, &reading.comment },
	};
	size_t before = complaints->total;
	TRY(json_body_read(object, place, fields, with_comment ? 4 : 3, complaints, fault));
	TRY(read_values(&reading, fault));
	if (complaints->total == before)
		entries->items[entries->count++] = reading.entry;
	return FAULT_NONE;
}

static enum fault_code
read_list(json_t *array, const char *list, bool with_comment, struct roa_change_entries *entries, struct complaints *complaints,
	struct fault *fault)
{
	size_t index;
	json_t *object;
	TRY(memory_new(json_array_size(array), sizeof *entries->items, &entries->items, fault));
	json_array_foreach(array, index, object)
		TRY(read_entry(object, (struct json_body_place){ list, index }, with_comment, entries, complaints, fault));
	return FAULT_NONE;
}

enum fault_code
roa_change_json_read(json_t *document, struct roa_change_lists *ret_lists, struct complaints *complaints, struct fault *fault)
{
	AUTO_CLEAR(struct roa_change_lists, roa_change_json_clear) lists = ROA_CHANGE_LISTS_INIT;
	json_t *added, *removed;
	const struct json_body_field fields[] = {
		{ "added", JSON_BODY_ARRAY, false, &added },
		{ "removed", JSON_BODY_ARRAY, false, &removed },
	};
	TRY(json_body_read(document, JSON_BODY_TOP, fields, 2, complaints, fault));
	size_t count = json_array_size(added) + json_array_size(removed);
	if (count > ROA_CHANGES_MAX)
		return fault_set(fault, FAULT_TOO_LARGE, "the change has %zu entries, but must not have more than %d", count,
			ROA_CHANGES_MAX);
	TRY(read_list(added, "added", true, &lists.added, complaints, fault));
	TRY(read_list(removed, "removed", false, &lists.removed, complaints, fault));
	*ret_lists = lists;
	lists = ROA_CHANGE_LISTS_INIT;
	return FAULT_NONE;
}

void
roa_change_json_clear_entries(struct roa_change_entries *entries)
{
	free(entries->items);
	*entries = (struct roa_change_entries){ .items = NULL };
}

enum fault_code
roa_change_json_read_added(json_t *array, const char *list, struct roa_change_entries *ret_entries, struct complaints *complaints,
	struct fault *fault)
{
	AUTO_CLEAR(struct roa_change_entries, roa_change_json_clear_entries) entries = { .items = NULL };
	if (json_array_size(array) > ROA_CHANGES_MAX)
		return fault_set(fault, FAULT_TOO_LARGE, "%s has %zu entries, but must not have more than %d", list, json_array_size(array),
			ROA_CHANGES_MAX);
	TRY(read_list(array, list, true, &entries, complaints, fault));
	*ret_entries = entries;
	entries = (struct roa_change_entries){ .items = NULL };
	return FAULT_NONE;
}
