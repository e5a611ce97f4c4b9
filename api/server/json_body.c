#include "api/server/json_body.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "ca/base/memory.h"

/* RFC 8259 §8.1, §11: JSON is UTF-8 and its media type has no charset; many clients send one all the same. */
enum fault_code
json_body_check_type(const char *content_type, struct fault *fault)
{
	static const char media_type[] = "application/json";
	if (content_type == NULL)
		return fault_set(fault, FAULT_MEDIA_TYPE, "the request has no Content-Type; it must be application/json");
	const char *rest = content_type + strspn(content_type, " \t");
	bool known = strncasecmp(rest, media_type, strlen(media_type)) == 0;
	if (known) {
		rest += strlen(media_type);
		rest += strspn(rest, " \t");
	}
	if (known && *rest == ';') {
		static const char *const charsets[] = { "charset=utf-8", "charset=\"utf-8\"" };
		rest += 1 + strspn(rest + 1, " \t");
		for (size_t i = 0; i < 2; i++) {
			if (strncasecmp(rest, charsets[i], strlen(charsets[i])) == 0) {
				rest += strlen(charsets[i]);
				rest += strspn(rest, " \t");
				break;
			}
		}
	}
	if (!known || *rest != '\0')
		return fault_set(fault, FAULT_MEDIA_TYPE, "the Content-Type is %.100s; it must be application/json",
			content_type);
	return FAULT_NONE;
}

/* Where byte `offset` is, from 1; columns in bytes. */
static enum fault_code
fault_at(struct span body, size_t offset, enum fault_code code, const char *what, struct fault *fault)
{
	size_t line = 1, column = 1;
	for (size_t i = 0; i < offset && i < body.length; i++) {
		column++;
		if (body.data[i] == '\n') {
			line++;
			column = 1;
		}
	}
	return fault_set(fault, code, "line %zu, column %zu: %s", line, column, what);
}

/*
 * The parser recurses, and each object costs it hundreds of bytes: both are bounded before it starts, by counting brackets
 * outside of strings. What is no JSON at all is left to the parser.
 */
static enum fault_code
check_shape(struct span body, struct fault *fault)
{
	size_t depth = 0, containers = 0;
	bool quoted = false;
	for (size_t i = 0; i < body.length; i++) {
		uint8_t byte = body.data[i];
		if (quoted && byte == '\\')
			i++;
		else if (byte == '"')
			quoted = !quoted;
		else if (quoted)
			continue;
		else if (byte == '{' || byte == '[') {
			if (++depth > JSON_BODY_DEPTH_MAX)
				return fault_at(body, i, FAULT_MALFORMED, "nested deeper than 32 levels", fault);
			if (++containers > JSON_BODY_CONTAINERS_MAX)
				return fault_set(fault, FAULT_TOO_LARGE, "the body has more than %d objects and arrays",
					JSON_BODY_CONTAINERS_MAX);
		} else if ((byte == '}' || byte == ']') && depth > 0)
			depth--;
	}
	return FAULT_NONE;
}

_Static_assert(JSON_BODY_DEPTH_MAX == 32, "the message above names it");

enum fault_code
json_body_parse(struct span body, json_t **ret_json, struct fault *fault)
{
	if (body.length == 0)
		return fault_set(fault, FAULT_MALFORMED, "the body is empty; it must be a JSON object");
	TRY(check_shape(body, fault));
	json_error_t error;
	json_t *json = json_loadb((const char *)body.data, body.length, JSON_REJECT_DUPLICATES, &error);
	if (json == NULL && json_error_code(&error) == json_error_out_of_memory)
		return fault_set(fault, FAULT_MEMORY, "no memory for a request's JSON");
	if (json == NULL && error.line < 0)
		return fault_set(fault, FAULT_MALFORMED, "the body is not JSON: %s", error.text);
	if (json == NULL)
		return fault_set(fault, FAULT_MALFORMED, "line %d, column %d: %s", error.line, error.column, error.text);
	*ret_json = json;
	return FAULT_NONE;
}

static const struct kind {
	unsigned type;
	const char *name;
} kinds[] = {
	[JSON_OBJECT] = { JSON_BODY_OBJECT, "an object" },
	[JSON_ARRAY] = { JSON_BODY_ARRAY, "an array" },
	[JSON_STRING] = { JSON_BODY_TEXT, "a text" },
	[JSON_INTEGER] = { JSON_BODY_NUMBER, "a whole number" },
	[JSON_REAL] = { 0, "a number with a fraction" },
	[JSON_TRUE] = { 0, "true" },
	[JSON_FALSE] = { 0, "false" },
	[JSON_NULL] = { JSON_BODY_NULL, "null" },
};

/* "a text or a whole number" */
static void
name_types(unsigned types, char *text, size_t size)
{
	static const json_type order[] = { JSON_OBJECT, JSON_ARRAY, JSON_INTEGER, JSON_STRING };
	text[0] = '\0';
	for (size_t i = 0; i < sizeof order / sizeof order[0]; i++) {
		if ((types & kinds[order[i]].type) == 0)
			continue;
		if (text[0] != '\0')
			strncat(text, " or ", size - strlen(text) - 1);
		strncat(text, kinds[order[i]].name, size - strlen(text) - 1);
	}
}

static enum fault_code
read_field(json_t *object, struct json_body_place place, const struct json_body_field *field, struct complaints *complaints,
	struct fault *fault)
{
	char wanted[80];
	json_t *value = json_object_get(object, field->name);
	*field->ret_value = NULL;
	if (value == NULL && field->required)
		return complaints_add(complaints, fault, place.list, place.index, field->name, "is missing");
	if (value == NULL)
		return FAULT_NONE;
	const struct kind *kind = &kinds[json_typeof(value)];
	if ((field->types & kind->type) == 0) {
		name_types(field->types, wanted, sizeof wanted);
		return complaints_add(complaints, fault, place.list, place.index, field->name, "must be %s, but is %s", wanted,
			kind->name);
	}
	if (kind->type != JSON_BODY_NULL)
		*field->ret_value = value;
	return FAULT_NONE;
}

static bool
is_known(const char *name, const struct json_body_field *fields, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(fields[i].name, name) == 0)
			return true;
	}
	return false;
}

enum fault_code
json_body_read(json_t *object, struct json_body_place place, const struct json_body_field *fields, size_t count,
	struct complaints *complaints, struct fault *fault)
{
	for (size_t i = 0; i < count; i++)
		*fields[i].ret_value = NULL;
	if (!json_is_object(object))
		return complaints_add(complaints, fault, place.list, place.index, NULL, "must be an object, but is %s",
			kinds[json_typeof(object)].name);
	for (size_t i = 0; i < count; i++)
		TRY(read_field(object, place, &fields[i], complaints, fault));
	const char *name;
	json_t *value;
	json_object_foreach(object, name, value) {
		if (!is_known(name, fields, count))
			TRY(complaints_add(complaints, fault, place.list, place.index, name, "unknown field"));
	}
	return FAULT_NONE;
}

enum fault_code
json_body_check(const struct complaints *complaints, struct fault *fault)
{
	char place[80] = "", more[48] = "";
	if (complaints->total == 0)
		return FAULT_NONE;
	const struct complaint *first = &complaints->items[0];
	const char *field = first->field != NULL ? first->field : "";
	if (first->list[0] != '\0')
		(void)snprintf(place, sizeof place, "%.40s[%zu]%s", first->list, first->index, *field != '\0' ? "." : "");
	else if (*field == '\0')
		field = "the body";
	if (complaints->total > 1)
		(void)snprintf(more, sizeof more, " (and %zu more: see errors)", complaints->total - 1);
	return fault_set(fault, FAULT_INVALID, "%s%.100s: %s%s", place, field, first->reason, more);
}
