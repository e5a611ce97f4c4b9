#include "tests/support/rrdp_reader.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ca/base/base64.h"
#include "ca/base/memory.h"

#define ATTRIBUTES_MAX 8
#define REFUSE(words) return (words)

struct attribute {
	char name[16];
	char value[2048];
	bool used;
};

struct tag {
	char name[16];
	struct attribute attributes[ATTRIBUTES_MAX];
	size_t count;
	bool closed; /* <…/> */
};

struct reader {
	const char *at, *end;
	size_t capacity;
};

static void
skip_blanks(struct reader *reader)
{
	while (reader->at < reader->end && strchr(" \t\r\n", *reader->at) != NULL)
		reader->at++;
}

static bool
take(struct reader *reader, const char *text)
{
	size_t length = strlen(text);
	if ((size_t)(reader->end - reader->at) < length || memcmp(reader->at, text, length) != 0)
		return false;
	reader->at += length;
	return true;
}

static bool
take_name(struct reader *reader, char name[16])
{
	size_t length = 0;
	while (reader->at < reader->end && length < 15 && (islower((unsigned char)*reader->at) || strchr("_",
		*reader->at) != NULL))
		name[length++] = *reader->at++;
	name[length] = '\0';
	return length > 0;
}

static bool
take_value(struct reader *reader, char value[2048])
{
	static const char *const references[][2] = {
		{ "&amp;", "&" }, { "&lt;", "<" }, { "&gt;", ">" }, { "&quot;", "\"" }, { "&apos;", "'" },
	};
	size_t length = 0;
	if (!take(reader, "\""))
		return false;
	while (reader->at < reader->end && *reader->at != '"' && length < 2047) {
		if (*reader->at == '<')
			return false;
		if (*reader->at != '&') {
			value[length++] = *reader->at++;
			continue;
		}
		size_t i = 0;
		while (i < 5 && !take(reader, references[i][0]))
			i++;
		if (i == 5)
			return false;
		value[length++] = references[i][1][0];
	}
	value[length] = '\0';
	return take(reader, "\"");
}

/* What stands behind "<". */
static const char *
take_tag(struct reader *reader, struct tag *tag)
{
	*tag = (struct tag){ .count = 0 };
	if (!take_name(reader, tag->name))
		REFUSE("an element without a name");
	for (;;) {
		const char *before = reader->at;
		skip_blanks(reader);
		if (take(reader, ">"))
			return NULL;
		if (take(reader, "/>")) {
			tag->closed = true;
			return NULL;
		}
		if (before == reader->at || tag->count == ATTRIBUTES_MAX)
			REFUSE("an element that is not well-formed");
		struct attribute *attribute = &tag->attributes[tag->count];
		if (!take_name(reader, attribute->name) || !take(reader, "=") || !take_value(reader, attribute->value))
			REFUSE("an attribute that is not well-formed");
		for (size_t i = 0; i < tag->count; i++)
			if (strcmp(tag->attributes[i].name, attribute->name) == 0)
				REFUSE("an attribute twice");
		tag->count++;
	}
}

static const char *
attribute(struct tag *tag, const char *name)
{
	for (size_t i = 0; i < tag->count; i++)
		if (strcmp(tag->attributes[i].name, name) == 0) {
			tag->attributes[i].used = true;
			return tag->attributes[i].value;
		}
	return NULL;
}

static bool
all_used(const struct tag *tag)
{
	for (size_t i = 0; i < tag->count; i++)
		if (!tag->attributes[i].used)
			return false;
	return true;
}

static bool
positive(const char *text, int64_t *ret_number)
{
	if (text == NULL || text[0] < '1' || text[0] > '9' || strspn(text, "0123456789") != strlen(text) || strlen(text) > 18)
		return false;
	*ret_number = strtoll(text, NULL, 10);
	return true;
}

/* RFC 9562: version 4, the usual variant. */
static bool
is_uuid4(const char *text)
{
	static const char form[] = "xxxxxxxx-xxxx-4xxx-vxxx-xxxxxxxxxxxx";
	if (text == NULL || strlen(text) != sizeof form - 1)
		return false;
	for (size_t i = 0; i < sizeof form - 1; i++) {
		bool good = form[i] == 'x' ? isxdigit((unsigned char)text[i]) && !isupper((unsigned char)text[i])
			: form[i] == 'v' ? strchr("89ab", text[i]) != NULL : text[i] == form[i];
		if (!good)
			return false;
	}
	return true;
}

static const char *
parse_root(struct reader *reader, struct rrdp_document *document)
{
	struct tag tag;
	if (!take(reader, "<?xml version=\"1.0\" encoding=\"US-ASCII\"?>"))
		REFUSE("no XML declaration");
	skip_blanks(reader);
	if (!take(reader, "<"))
		REFUSE("no root element");
	const char *wrong = take_tag(reader, &tag);
	if (wrong != NULL)
		return wrong;
	if (tag.closed || (strcmp(tag.name, "notification") != 0 && strcmp(tag.name, "snapshot") != 0 && strcmp(tag.name,
		"delta") != 0))
		REFUSE("another root element");
	(void)snprintf(document->name, sizeof document->name, "%s", tag.name);
	const char *xmlns = attribute(&tag, "xmlns"), *version = attribute(&tag, "version"), *session = attribute(&tag,
		"session_id");
	if (xmlns == NULL || strcmp(xmlns, "http://www.ripe.net/rpki/rrdp") != 0)
		REFUSE("another namespace");
	if (version == NULL || strcmp(version, "1") != 0)
		REFUSE("another version");
	if (!is_uuid4(session) || !positive(attribute(&tag, "serial"), &document->serial) || !all_used(&tag))
		REFUSE("session, serial or further attributes are wrong");
	(void)snprintf(document->session, sizeof document->session, "%s", session);
	return NULL;
}

static const char *
parse_object(struct reader *reader, struct rrdp_element *element)
{
	const char *text = reader->at;
	while (reader->at < reader->end && *reader->at != '<')
		reader->at++;
	if (base64_decode(text, (size_t)(reader->at - text), &element->object, NULL) != FAULT_NONE)
		REFUSE("base64 that is not strict");
	return take(reader, "</publish>") ? NULL : "publish is not closed";
}

static bool
takes_hash(struct tag *tag, struct rrdp_element *element, bool required)
{
	const char *hash = attribute(tag, "hash");
	if (hash == NULL)
		return !required;
	if (strlen(hash) != 64 || strspn(hash, "0123456789abcdef") != 64)
		return false;
	(void)snprintf(element->hash, sizeof element->hash, "%s", hash);
	return true;
}

/* Which elements a document has, and whether each needs a hash, may have one, or a serial. */
static const struct {
	const char *document, *element;
	bool hash_needed, hash_allowed, serial, object;
} forms[] = {
	{ "notification", "snapshot", true, true, false, false },
	{ "notification", "delta", true, true, true, false },
	{ "snapshot", "publish", false, false, false, true },
	{ "delta", "publish", false, true, false, true },
	{ "delta", "withdraw", true, true, false, false },
};

static const char *
parse_element(struct reader *reader, const struct rrdp_document *document, struct rrdp_element *element)
{
	struct tag tag;
	const char *wrong = take_tag(reader, &tag);
	if (wrong != NULL)
		return wrong;
	size_t form = 0;
	while (form < 5 && (strcmp(forms[form].document, document->name) != 0 || strcmp(forms[form].element, tag.name) != 0))
		form++;
	if (form == 5 || tag.closed == forms[form].object)
		REFUSE("an element that doesn't belong here");
	(void)snprintf(element->name, sizeof element->name, "%s", tag.name);
	const char *uri = attribute(&tag, "uri");
	if (uri == NULL || uri[0] == '\0')
		REFUSE("an element without a URI");
	element->uri = strdup(uri);
	if (forms[form].hash_allowed && !takes_hash(&tag, element, forms[form].hash_needed))
		REFUSE("a wrong hash");
	if (forms[form].serial && !positive(attribute(&tag, "serial"), &element->serial))
		REFUSE("a wrong serial");
	if (!all_used(&tag))
		REFUSE("an unknown attribute");
	return forms[form].object ? parse_object(reader, element) : NULL;
}

static const char *
parse_elements(struct reader *reader, struct rrdp_document *document)
{
	char end[32];
	(void)snprintf(end, sizeof end, "</%s>", document->name);
	for (;;) {
		skip_blanks(reader);
		if (take(reader, end))
			return NULL;
		if (!take(reader, "<"))
			REFUSE("text between elements, or the end is missing");
		if (memory_reserve(&document->elements, &reader->capacity, document->count + 1, sizeof *document->elements,
			NULL) != FAULT_NONE)
			abort();
		struct rrdp_element *element = &document->elements[document->count++];
		*element = (struct rrdp_element){ .uri = NULL };
		const char *wrong = parse_element(reader, document, element);
		if (wrong != NULL)
			return wrong;
	}
}

const char *
rrdp_reader_parse(struct span text, struct rrdp_document *ret_document)
{
	struct reader reader = { .at = (const char *)text.data, .end = (const char *)text.data + text.length };
	*ret_document = (struct rrdp_document){ .count = 0 };
	for (size_t i = 0; i < text.length; i++)
		if (text.data[i] >= 0x7f || (text.data[i] < ' ' && strchr("\t\r\n", text.data[i]) == NULL) || text.data[i] == 0)
			REFUSE("a byte that is not text in US-ASCII");
	const char *wrong = parse_root(&reader, ret_document);
	if (wrong == NULL)
		wrong = parse_elements(&reader, ret_document);
	if (wrong != NULL)
		return wrong;
	skip_blanks(&reader);
	return reader.at == reader.end ? NULL : "something behind the end";
}

void
rrdp_reader_clear(struct rrdp_document *document)
{
	for (size_t i = 0; i < document->count; i++) {
		free(document->elements[i].uri);
		bytes_clear(&document->elements[i].object);
	}
	free(document->elements);
	*document = (struct rrdp_document){ .count = 0 };
}
