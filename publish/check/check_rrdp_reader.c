#include "publish/check/check_rrdp_reader.h"

#include <errno.h>
#include <expat.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ca/base/base64.h"
#include "ca/base/memory.h"

#define NAMESPACE "http://www.ripe.net/rpki/rrdp"
#define URI_MAX 2048
#define BLOCK 65536
#define SERIAL_DIGITS 18

struct check_rrdp_reader {
	XML_Parser parser;
	enum check_rrdp_root root;
	check_rrdp_fn give;
	void *argument;
	struct check_rrdp_head head;
	unsigned depth;
	struct check_rrdp_element element;
	char uri[URI_MAX + 1];
	struct bytes text, object;              /* of a publish: without white space; decoded */
	int64_t characters;                     /* of it, with white space */
	struct fault fault;                     /* what went wrong first */
};

/* RFC 8182 §3.5: which elements each file has, and with what. */
static const struct form {
	enum check_rrdp_root root;
	const char *text;
	enum check_rrdp_name name;
	bool hash_allowed, hash_needed, serial;
} forms[] = {
	{ CHECK_RRDP_NOTIFICATION, "snapshot", CHECK_RRDP_NAMES_SNAPSHOT, true, true, false },
	{ CHECK_RRDP_NOTIFICATION, "delta", CHECK_RRDP_NAMES_DELTA, true, true, true },
	{ CHECK_RRDP_SNAPSHOT, "publish", CHECK_RRDP_PUBLISH, false, false, false },
	{ CHECK_RRDP_DELTA, "publish", CHECK_RRDP_PUBLISH, true, false, false },
	{ CHECK_RRDP_DELTA, "withdraw", CHECK_RRDP_WITHDRAW, true, true, false },
};

static const char *const roots[CHECK_RRDP_ROOTS] = { "notification", "snapshot", "delta" };

static void
stop(struct check_rrdp_reader *reader)
{
	(void)XML_StopParser(reader->parser, XML_FALSE);
}

static void
refuse(struct check_rrdp_reader *reader, const char *words)
{
	if (reader->fault.code == FAULT_NONE)
		(void)fault_set(&reader->fault, FAULT_MALFORMED, "line %lu: %s", XML_GetCurrentLineNumber(reader->parser), words);
	stop(reader);
}

static bool
read_serial(const char *text, int64_t *ret_serial)
{
	size_t length = strlen(text);
	if (length == 0 || length > SERIAL_DIGITS || text[0] == '0' || strspn(text, "0123456789") != length)
		return false;
	*ret_serial = strtoll(text, NULL, 10);
	return true;
}

/* RFC 8182 §3.5.1.3 asks for a version 4 UUID; rpki-client looks at its digits. */
static bool
is_session(const char *text)
{
	static const char form[] = "hhhhhhhh-hhhh-4hhh-vhhh-hhhhhhhhhhhh";
	if (strlen(text) != sizeof form - 1)
		return false;
	for (size_t i = 0; i < sizeof form - 1; i++) {
		const char *allowed = form[i] == 'h' ? "0123456789abcdefABCDEF" : form[i] == 'v' ? "89abAB" : form[i] == '4' ? "4" : "-";
		if (strchr(allowed, text[i]) == NULL)
			return false;
	}
	return true;
}

static void
root_starts(struct check_rrdp_reader *reader, const char *name, const char **attributes)
{
	bool space = false, version = false, session = false, serial = false;
	if (strcmp(name, roots[reader->root]) != 0) {
		refuse(reader, "another root element");
		return;
	}
	for (; attributes[0] != NULL; attributes += 2) {
		const char *key = attributes[0], *value = attributes[1];
		if (strcmp(key, "xmlns") == 0 && strcmp(value, NAMESPACE) == 0)
			space = true;
		else if (strcmp(key, "version") == 0 && strcmp(value, "1") == 0)
			version = true;
		else if (strcmp(key, "session_id") == 0 && is_session(value))
			session = memcpy(reader->head.session, value, sizeof reader->head.session) != NULL;
		else if (strcmp(key, "serial") == 0 && read_serial(value, &reader->head.serial))
			serial = true;
		else
			refuse(reader, "an attribute of the root that is wrong or doesn't belong there");
	}
	if (!space || !version || !session || !serial)
		refuse(reader, "namespace, version, session_id or serial is missing");
}

static const struct form *
form_of(enum check_rrdp_root root, const char *name)
{
	for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++)
		if (forms[i].root == root && strcmp(forms[i].text, name) == 0)
			return &forms[i];
	return NULL;
}

static bool
read_attribute(struct check_rrdp_reader *reader, const struct form *form, const char *key, const char *value)
{
	struct check_rrdp_element *element = &reader->element;
	if (strcmp(key, "uri") == 0 && strlen(value) <= URI_MAX) {
		memcpy(reader->uri, value, strlen(value) + 1);
		element->uri = reader->uri;
		return true;
	}
	if (strcmp(key, "hash") == 0 && form->hash_allowed && hex_decode(value, element->hash, SHA256_SIZE)) {
		element->has_hash = true;
		return true;
	}
	return strcmp(key, "serial") == 0 && form->serial && read_serial(value, &element->serial);
}

static void
element_starts(struct check_rrdp_reader *reader, const char *name, const char **attributes)
{
	const struct form *form = form_of(reader->root, name);
	if (form == NULL) {
		refuse(reader, "an element that doesn't belong here");
		return;
	}
	reader->element = (struct check_rrdp_element){ .name = form->name };
	for (; attributes[0] != NULL; attributes += 2)
		if (!read_attribute(reader, form, attributes[0], attributes[1]))
			refuse(reader, "an attribute that is wrong or doesn't belong here");
	if (reader->element.uri == NULL || (form->hash_needed && !reader->element.has_hash) ||
		(form->serial && reader->element.serial == 0))
		refuse(reader, "uri, hash or serial is missing");
	bytes_reset(&reader->text);
	reader->characters = 0;
	reader->element.offset = XML_GetCurrentByteIndex(reader->parser) + XML_GetCurrentByteCount(reader->parser);
}

static void XMLCALL
starts(void *argument, const XML_Char *name, const XML_Char **attributes)
{
	struct check_rrdp_reader *reader = argument;
	if (reader->fault.code != FAULT_NONE)
		return;
	if (reader->depth == 0)
		root_starts(reader, name, attributes);
	else if (reader->depth == 1)
		element_starts(reader, name, attributes);
	else
		refuse(reader, "an element inside an element");
	reader->depth++;
}

static enum fault_code
give_element(struct check_rrdp_reader *reader)
{
	struct fault *fault = &reader->fault;
	if (reader->element.name == CHECK_RRDP_PUBLISH) {
		reader->element.length = XML_GetCurrentByteIndex(reader->parser) - reader->element.offset;
		/* With CDATA, references or comments the file would say something else than its text. */
		if (reader->element.length != reader->characters)
			return fault_set(fault, FAULT_MALFORMED, "a publish that isn't plain base64");
		TRY(base64_decode(bytes_text(&reader->text), reader->text.length, &reader->object, fault));
		reader->element.object = bytes_span(&reader->object);
	}
	return reader->give(reader->argument, &reader->head, &reader->element, fault);
}

static void XMLCALL
ends(void *argument, const XML_Char *name)
{
	struct check_rrdp_reader *reader = argument;
	(void)name;
	if (reader->fault.code != FAULT_NONE)
		return;
	if (--reader->depth == 1 && give_element(reader) != FAULT_NONE)
		stop(reader);
}

/* Eight characters at a time: is any beyond ASCII, is any a blank or below? (The borrow of a subtraction shows the latter.) */
#define EACH(byte) (UINT64_C(0x0101010101010101) * (byte))

static bool
all_ascii(const char *text, size_t length)
{
	uint64_t eight, all = 0;
	size_t at = 0;
	for (; at + sizeof eight <= length; at += sizeof eight) {
		memcpy(&eight, text + at, sizeof eight);
		all |= eight;
	}
	for (; at < length; at++)
		all |= (uint8_t)text[at];
	return (all & EACH(0x80)) == 0;
}

/* How many characters there are before the first blank, of ASCII text. */
static size_t
word_length(const char *text, size_t length)
{
	uint64_t eight;
	size_t at = 0;
	for (; at + sizeof eight <= length; at += sizeof eight) {
		memcpy(&eight, text + at, sizeof eight);
		if (((eight - EACH(' ' + 1)) & EACH(0x80)) != 0)
			break;
	}
	while (at < length && !check_rrdp_blank(text[at]))
		at++;
	return at;
}

static void XMLCALL
text_comes(void *argument, const XML_Char *text, int length)
{
	struct check_rrdp_reader *reader = argument;
	bool publish = reader->depth == 2 && reader->element.name == CHECK_RRDP_PUBLISH;
	if (reader->fault.code != FAULT_NONE)
		return;
	reader->characters += length;
	for (size_t at = 0, left = (size_t)length; left > 0;) {
		size_t word = word_length(text + at, left);
		if (word > 0 && !publish) {
			refuse(reader, "text where none belongs");
			return;
		}
		if (word > 0 && bytes_append(&reader->text, text + at, word, &reader->fault) != FAULT_NONE) {
			stop(reader);
			return;
		}
		word += word < left; /* with the blank behind it */
		at += word;
		left -= word;
	}
	if (reader->text.length > CHECK_RRDP_OBJECT)
		refuse(reader, "an object larger than any validator takes");
}

static void XMLCALL
doctype_comes(void *argument, const XML_Char *name, const XML_Char *system, const XML_Char *public, int internal)
{
	(void)name;
	(void)system;
	(void)public;
	(void)internal;
	refuse(argument, "a document type");
}

enum fault_code
check_rrdp_reader_new(enum check_rrdp_root root, check_rrdp_fn give, void *argument, struct check_rrdp_reader **ret_reader,
	struct fault *fault)
{
	AUTO(struct check_rrdp_reader, check_rrdp_reader_free) reader = NULL;
	TRY(memory_new(1, sizeof *reader, &reader, fault));
	reader->root = root;
	reader->give = give;
	reader->argument = argument;
	/* Read as UTF-8, which expat doesn't convert; what is not ASCII as well is refused before. */
	reader->parser = XML_ParserCreate("UTF-8");
	if (reader->parser == NULL)
		return fault_set(fault, FAULT_MEMORY, "out of memory");
	XML_SetUserData(reader->parser, reader);
	XML_SetElementHandler(reader->parser, starts, ends);
	XML_SetCharacterDataHandler(reader->parser, text_comes);
	XML_SetStartDoctypeDeclHandler(reader->parser, doctype_comes);
	*ret_reader = MOVE(reader);
	return FAULT_NONE;
}

enum fault_code
check_rrdp_reader_feed(struct check_rrdp_reader *reader, const void *data, size_t length, bool last, struct fault *fault)
{
	if (reader->fault.code == FAULT_NONE && !all_ascii(data, length))
		refuse(reader, "something that is not ASCII");
	if (reader->fault.code == FAULT_NONE && XML_Parse(reader->parser, data, (int)length, last) != XML_STATUS_OK &&
		reader->fault.code == FAULT_NONE) {
		enum XML_Error error = XML_GetErrorCode(reader->parser);
		enum fault_code code = error == XML_ERROR_NO_MEMORY ? FAULT_MEMORY : FAULT_MALFORMED;
		(void)fault_set(&reader->fault, code, "line %lu: %s", XML_GetCurrentLineNumber(reader->parser), XML_ErrorString(error));
	}
	if (reader->fault.code != FAULT_NONE && fault != NULL)
		*fault = reader->fault;
	return reader->fault.code;
}

const struct check_rrdp_head *
check_rrdp_reader_head(const struct check_rrdp_reader *reader)
{
	return &reader->head;
}

void
check_rrdp_reader_free(struct check_rrdp_reader *reader)
{
	if (reader == NULL)
		return;
	if (reader->parser != NULL)
		XML_ParserFree(reader->parser);
	bytes_clear(&reader->text);
	bytes_clear(&reader->object);
	free(reader);
}

/* Feeds what was read; text that is wrong is told in the file and doesn't end the reading. */
static enum fault_code
feed(struct check_rrdp_reader *reader, const char *block, size_t length, bool last, struct check_rrdp_file *file,
	struct fault *fault)
{
	struct fault refusal = FAULT_INIT;
	if (file->wrong[0] != '\0')
		return FAULT_NONE;
	enum fault_code code = check_rrdp_reader_feed(reader, block, length, last, &refusal);
	if (code == FAULT_MALFORMED) {
		size_t copied = strlen(refusal.message) < sizeof file->wrong ? strlen(refusal.message) : sizeof file->wrong - 1;
		memcpy(file->wrong, refusal.message, copied);
		return FAULT_NONE;
	}
	if (code != FAULT_NONE && fault != NULL)
		*fault = refusal;
	return code;
}

enum fault_code
check_rrdp_read(int fd, enum check_rrdp_root root, int64_t limit, check_rrdp_fn give, void *argument,
	struct check_rrdp_file *ret_file, struct fault *fault)
{
	AUTO(struct check_rrdp_reader, check_rrdp_reader_free) reader = NULL;
	AUTO(struct digest, digest_free) digest = NULL;
	AUTO(char, free) block = NULL;
	struct check_rrdp_file file = { .size = 0 };
	TRY(check_rrdp_reader_new(root, give, argument, &reader, fault));
	TRY(digest_new(&digest, fault));
	TRY(memory_new(BLOCK, 1, &block, fault));
	for (;;) {
		ssize_t length = read(fd, block, BLOCK);
		if (length < 0 && errno == EINTR)
			continue;
		if (length < 0)
			return fault_set_errno(fault, errno, "reading the %s", roots[root]);
		TRY(feed(reader, block, (size_t)length, length == 0, &file, fault));
		if (length == 0)
			break;
		TRY(digest_update(digest, block, (size_t)length, fault));
		if ((file.size += length) > limit)
			return fault_set(fault, FAULT_TOO_LARGE, "the %s has more than %lld bytes", roots[root], (long long)limit);
	}
	file.head = *check_rrdp_reader_head(reader);
	TRY(digest_finish(digest, file.hash, fault));
	*ret_file = file;
	return FAULT_NONE;
}
