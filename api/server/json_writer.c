#include "api/server/json_writer.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "api/server/utf8.h"
#include "ca/base/base64.h"
#include "ca/base/instant.h"

#define HEX_MAX 64 /* bytes that json_writer_hex() takes: a SHA-256 value, a serial number */

void
json_writer_begin(struct json_writer *writer, struct spool *spool)
{
	*writer = (struct json_writer){ .spool = spool, .failure = FAULT_INIT };
}

static void
put(struct json_writer *writer, const char *text, size_t length)
{
	if (writer->failure.code == FAULT_NONE)
		(void)!spool_write(writer->spool, text, length, &writer->failure);
}

/* An escaped character (RFC 8259 §7), or U+FFFD. */
static void
put_special(struct json_writer *writer, unsigned char byte)
{
	static const char short_names[][2] = { { '"', '"' }, { '\\', '\\' }, { '\n', 'n' }, { '\r', 'r' }, { '\t', 't' },
		{ '\b', 'b' }, { '\f', 'f' } };
	char escaped[8];
	for (size_t i = 0; i < sizeof short_names / sizeof short_names[0]; i++) {
		if (byte == (unsigned char)short_names[i][0]) {
			put(writer, (const char[]){ '\\', short_names[i][1] }, 2);
			return;
		}
	}
	if (byte >= 0x80) {
		put(writer, "\xef\xbf\xbd", 3);
		return;
	}
	(void)snprintf(escaped, sizeof escaped, "\\u%04x", byte);
	put(writer, escaped, strlen(escaped));
}

static void
put_string(struct json_writer *writer, const char *text)
{
	put(writer, "\"", 1);
	size_t length = strlen(text), plain = 0;
	for (size_t i = 0; i < length;) {
		unsigned char byte = (unsigned char)text[i];
		size_t step = utf8_step(text + i, length - i);
		if (step == 0 || byte < ' ' || byte == '"' || byte == '\\' || byte == 0x7f) {
			put(writer, text + plain, i - plain);
			put_special(writer, byte);
			step = 1;
			plain = i + 1;
		}
		i += step;
	}
	put(writer, text + plain, length - plain);
	put(writer, "\"", 1);
}

/* What stands before each value: a comma unless it is the first, and its name. */
static void
put_name(struct json_writer *writer, const char *name)
{
	if (writer->filled[writer->depth])
		put(writer, ",", 1);
	writer->filled[writer->depth] = true;
	if (name != NULL) {
		put_string(writer, name);
		put(writer, ":", 1);
	}
}

static void
open_value(struct json_writer *writer, const char *name, char opening, char closing)
{
	INVARIANT(writer->depth < JSON_WRITER_DEPTH);
	put_name(writer, name);
	put(writer, &opening, 1);
	writer->closing[writer->depth++] = closing;
	writer->filled[writer->depth] = false;
}

void
json_writer_object(struct json_writer *writer, const char *name)
{
	open_value(writer, name, '{', '}');
}

void
json_writer_array(struct json_writer *writer, const char *name)
{
	open_value(writer, name, '[', ']');
}

void
json_writer_end(struct json_writer *writer)
{
	INVARIANT(writer->depth > 0);
	put(writer, &writer->closing[--writer->depth], 1);
}

void
json_writer_json(struct json_writer *writer, const char *name, const char *json)
{
	put_name(writer, name);
	put(writer, json, strlen(json));
}

void
json_writer_text(struct json_writer *writer, const char *name, const char *text)
{
	put_name(writer, name);
	if (text == NULL)
		put(writer, "null", 4);
	else
		put_string(writer, text);
}

void
json_writer_number(struct json_writer *writer, const char *name, int64_t number)
{
	char text[24];
	(void)snprintf(text, sizeof text, "%" PRId64, number);
	json_writer_json(writer, name, text);
}

void
json_writer_truth(struct json_writer *writer, const char *name, bool truth)
{
	json_writer_json(writer, name, truth ? "true" : "false");
}

void
json_writer_instant(struct json_writer *writer, const char *name, int64_t at)
{
	char text[INSTANT_TEXT];
	instant_rfc3339(at, text);
	json_writer_text(writer, name, at == 0 ? NULL : text);
}

void
json_writer_hex(struct json_writer *writer, const char *name, struct span bytes)
{
	char text[2 * HEX_MAX + 1];
	INVARIANT(bytes.length <= HEX_MAX);
	hex_encode(bytes, text);
	json_writer_text(writer, name, bytes.data == NULL ? NULL : text);
}

enum fault_code
json_writer_check(const struct json_writer *writer, struct fault *fault)
{
	if (writer->failure.code != FAULT_NONE && fault != NULL)
		*fault = writer->failure;
	return writer->failure.code;
}
