#include "ca/feeds/json_stream.h"

#include <inttypes.h>
#include <string.h>

#define END (-1)

/* Reading of one document. */
struct reader {
	struct json_stream *stream;
	json_stream_fn give;
	void *argument;
	struct bytes text;      /* of the value that is being read */
};

static void
reader_clear(struct reader *reader)
{
	bytes_clear(&reader->text);
}

static enum fault_code
malformed(const struct json_stream *stream, const char *words, struct fault *fault)
{
	return fault_set(fault, FAULT_MALFORMED, "line %" PRIu32 ": %s", stream->line, words);
}

/* The next byte, not taken; END at the end. */
static enum fault_code
peek(struct json_stream *stream, int *ret_byte, struct fault *fault)
{
	if (stream->length == 0 && stream->read != NULL)
		TRY(stream->read(stream->source, &stream->data, &stream->length, fault));
	*ret_byte = stream->length > 0 ? stream->data[0] : END;
	return FAULT_NONE;
}

static void
take(struct json_stream *stream)
{
	stream->line += stream->data[0] == '\n';
	stream->data++;
	stream->length--;
}

static enum fault_code
peek_token(struct json_stream *stream, int *ret_byte, struct fault *fault)
{
	for (;;) {
		TRY(peek(stream, ret_byte, fault));
		if (*ret_byte == END || strchr(" \t\r\n", *ret_byte) == NULL || *ret_byte == '\0')
			return FAULT_NONE;
		take(stream);
	}
}

static enum fault_code
expect(struct json_stream *stream, char wanted, const char *words, struct fault *fault)
{
	int byte = END;
	TRY(peek_token(stream, &byte, fault));
	if (byte == END)
		return malformed(stream, "the document ends in its middle", fault);
	if (byte != wanted)
		return malformed(stream, words, fault);
	take(stream);
	return FAULT_NONE;
}

static enum fault_code
keep(struct reader *reader, int byte, struct fault *fault)
{
	struct bytes *text = &reader->text;
	if (text->length == JSON_STREAM_VALUE_MAX)
		return fault_set(fault, FAULT_TOO_LARGE, "line %" PRIu32 ": a value of more than %d bytes", reader->stream->line,
			JSON_STREAM_VALUE_MAX);
	/* By hand: a call for each byte of a file would be most of what reading it costs. */
	if (text->length + 1 >= text->capacity)
		TRY(bytes_reserve(text, 1, fault));
	text->data[text->length++] = (uint8_t)byte;
	text->data[text->length] = '\0';
	take(reader->stream);
	return FAULT_NONE;
}

/* How far into a value the reader is. */
struct depth {
	size_t nested;          /* brackets that are open */
	bool in_string, escaped;
};

/* Where a value ends can be told by brackets and quotes; whether it is JSON, jansson says. */
static bool
ends_before(const struct depth *depth, int byte)
{
	return byte == END || (depth->nested == 0 && !depth->in_string && strchr(",]} \t\r\n", byte) != NULL);
}

static void
advance(struct depth *depth, int byte)
{
	if (depth->in_string) {
		depth->in_string = depth->escaped || byte != '"';
		depth->escaped = !depth->escaped && byte == '\\';
	} else if (byte == '"') {
		depth->in_string = true;
	} else if (byte == '{' || byte == '[') {
		depth->nested++;
	} else if (byte == '}' || byte == ']') {
		depth->nested--; /* not below 0: a bracket that closes ends a value that has none open */
	}
}

/* Copies one value as it stands into reader->text. */
static enum fault_code
read_text(struct reader *reader, struct fault *fault)
{
	struct depth depth = { .nested = 0 };
	int byte = END;
	bytes_reset(&reader->text);
	for (;;) {
		TRY(peek(reader->stream, &byte, fault));
		if (byte != '\0' && ends_before(&depth, byte))
			break;
		bool structured = depth.nested > 0 || depth.in_string;
		advance(&depth, byte);
		TRY(keep(reader, byte, fault));
		if (structured && depth.nested == 0 && !depth.in_string)
			break;
	}
	if (byte == END && (depth.nested > 0 || depth.in_string || reader->text.length == 0))
		return malformed(reader->stream, "the document ends in its middle", fault);
	return reader->text.length > 0 ? FAULT_NONE : malformed(reader->stream, "a value is missing", fault);
}

static void
release(json_t **value)
{
	json_decref(*value);
}

static enum fault_code
read_value(struct reader *reader, json_t **ret_value, uint32_t *ret_line, struct fault *fault)
{
	json_error_t error;
	uint32_t line = reader->stream->line;
	TRY(read_text(reader, fault));
	json_t *value = json_loadb((const char *)reader->text.data, reader->text.length, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES,
		&error);
	if (value == NULL && json_error_code(&error) == json_error_out_of_memory)
		return fault_set(fault, FAULT_MEMORY, "out of memory for a JSON value");
	if (value == NULL)
		return fault_set(fault, FAULT_MALFORMED, "line %" PRIu32 ": %s",
			line + (uint32_t)(error.line > 0 ? error.line - 1 : 0), error.text);
	*ret_value = value;
	*ret_line = line;
	return FAULT_NONE;
}

static enum fault_code
read_and_give(struct reader *reader, const char *name, bool in_array, struct fault *fault)
{
	AUTO_CLEAR(json_t *, release) value = NULL;
	uint32_t line = 0;
	TRY(read_value(reader, &value, &line, fault));
	return reader->give(reader->argument, name, in_array, value, line, fault);
}

/* After an element or a member: whether another one follows. Takes the comma, or the bracket that closes. */
static enum fault_code
read_separator(struct json_stream *stream, char closing, bool *ret_more, struct fault *fault)
{
	int byte = END;
	TRY(peek_token(stream, &byte, fault));
	if (byte == END)
		return malformed(stream, "the document ends in its middle", fault);
	if (byte != ',' && byte != closing)
		return malformed(stream, closing == ']' ? "\",\" or \"]\" is missing" : "\",\" or \"}\" is missing", fault);
	take(stream);
	*ret_more = byte == ',';
	return FAULT_NONE;
}

/* Whether nothing stands before the bracket that closes; takes it then. */
static enum fault_code
read_if_empty(struct json_stream *stream, char closing, bool *ret_empty, struct fault *fault)
{
	int byte = END;
	TRY(peek_token(stream, &byte, fault));
	*ret_empty = byte == closing;
	if (*ret_empty)
		take(stream);
	return FAULT_NONE;
}

static enum fault_code
read_array(struct reader *reader, const char *name, struct fault *fault)
{
	struct json_stream *stream = reader->stream;
	bool empty = false, more = true;
	TRY(reader->give(reader->argument, name, true, NULL, stream->line, fault));
	TRY(expect(stream, '[', "an array is missing", fault));
	TRY(read_if_empty(stream, ']', &empty, fault));
	while (!empty && more) {
		int byte = END;
		TRY(peek_token(stream, &byte, fault));
		TRY(read_and_give(reader, name, true, fault));
		TRY(read_separator(stream, ']', &more, fault));
	}
	return FAULT_NONE;
}

static enum fault_code
read_name(struct reader *reader, char name[JSON_STREAM_NAME_MAX + 1], struct fault *fault)
{
	AUTO_CLEAR(json_t *, release) value = NULL;
	uint32_t line = 0;
	int byte = END;
	TRY(peek_token(reader->stream, &byte, fault));
	if (byte != '"' && byte != END)
		return malformed(reader->stream, "the name of a member is missing", fault);
	TRY(read_value(reader, &value, &line, fault));
	if (json_string_length(value) > JSON_STREAM_NAME_MAX)
		return fault_set(fault, FAULT_TOO_LARGE, "line %" PRIu32 ": a name of more than %d bytes", line,
			JSON_STREAM_NAME_MAX);
	memcpy(name, json_string_value(value), json_string_length(value) + 1);
	return FAULT_NONE;
}

static enum fault_code
read_member(struct reader *reader, struct fault *fault)
{
	char name[JSON_STREAM_NAME_MAX + 1];
	int byte = END;
	TRY(read_name(reader, name, fault));
	TRY(expect(reader->stream, ':', "\":\" is missing", fault));
	TRY(peek_token(reader->stream, &byte, fault));
	return byte == '[' ? read_array(reader, name, fault) : read_and_give(reader, name, false, fault);
}

enum fault_code
json_stream_read(struct json_stream *stream, json_stream_fn give, void *argument, struct fault *fault)
{
	AUTO_CLEAR(struct reader, reader_clear) reader = { .stream = stream, .give = give, .argument = argument };
	bool empty = false, more = true;
	int byte = END;
	TRY(expect(stream, '{', "the document is no JSON object", fault));
	TRY(read_if_empty(stream, '}', &empty, fault));
	while (!empty && more) {
		TRY(read_member(&reader, fault));
		TRY(read_separator(stream, '}', &more, fault));
	}
	TRY(peek_token(stream, &byte, fault));
	return byte == END ? FAULT_NONE : malformed(stream, "something follows the document", fault);
}
