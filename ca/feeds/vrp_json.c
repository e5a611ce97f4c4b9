#include "ca/feeds/vrp_json.h"

#include <string.h>

#include "ca/base/gzip_reader.h"
#include "ca/feeds/json_stream.h"
#include "ca/feeds/payload_json.h"

#define BUFFER_SIZE 65536

struct reading {
	struct gzip_reader *file;
	uint8_t buffer[BUFFER_SIZE];
	bool roas_seen;
	feed_payload_fn give;
	void *argument;
};

static enum fault_code
read_file(void *source, const uint8_t **ret_data, size_t *ret_length, struct fault *fault)
{
	struct reading *reading = source;
	*ret_data = reading->buffer;
	return gzip_reader_read(reading->file, reading->buffer, sizeof reading->buffer, ret_length, fault);
}

static enum fault_code
take(void *argument, const char *name, bool in_array, const json_t *value, uint32_t line, struct fault *fault)
{
	struct reading *reading = argument;
	struct payload payload;
	if (strcmp(name, "roas") != 0)
		return FAULT_NONE;
	if (!in_array)
		return fault_set(fault, FAULT_MALFORMED, "line %" PRIu32 ": \"roas\" is no array", line);
	if (value == NULL && reading->roas_seen)
		return fault_set(fault, FAULT_MALFORMED, "line %" PRIu32 ": a second \"roas\"", line);
	reading->roas_seen = true;
	if (value == NULL)
		return FAULT_NONE;
	TRY(feed_line(payload_json_read(value, &payload, fault), line, fault));
	return reading->give(reading->argument, &payload, line, fault);
}

static enum fault_code
read_document(struct reading *reading, struct fault *fault)
{
	struct json_stream stream = { .read = read_file, .source = reading, .line = 1 };
	TRY(json_stream_read(&stream, take, reading, fault));
	if (!reading->roas_seen)
		return fault_set(fault, FAULT_MALFORMED, "line %" PRIu32 ": the document has no array \"roas\"", stream.line);
	return FAULT_NONE;
}

enum fault_code
vrp_json_read(const char *path, feed_payload_fn give, void *argument, struct fault *fault)
{
	AUTO(struct gzip_reader, gzip_reader_free) file = NULL;
	TRY(gzip_reader_open(path, BUFFER_SIZE, FEED_BYTES_MAX, &file, fault));
	struct reading reading = { .file = file, .give = give, .argument = argument };
	return read_document(&reading, fault);
}
