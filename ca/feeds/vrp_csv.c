#include "ca/feeds/vrp_csv.h"

#include <string.h>
#include <strings.h>

#include "ca/base/gzip_reader.h"

#define COLUMNS_MAX 8

enum column { ASN, PREFIX, MAX_LENGTH };

/* The header lines that are known. All begin with the three columns that are read. */
static const struct {
	const char *text;
	size_t columns;
} headers[] = {
	{ "ASN,IP Prefix,Max Length,Trust Anchor", 4 },
	{ "ASN,IP Prefix,Max Length,Trust Anchor,Expires", 5 },
	{ "ASN,Prefix,Max prefix length", 3 },
};

static enum fault_code
read_header(const char *line, size_t *ret_columns, struct fault *fault)
{
	for (size_t i = 0; i < sizeof headers / sizeof *headers; i++) {
		if (strcasecmp(line, headers[i].text) == 0) {
			*ret_columns = headers[i].columns;
			return FAULT_NONE;
		}
	}
	return fault_set(fault, FAULT_MALFORMED, "this is neither JSON nor a header line of payloads, such as \"%s\"",
		headers[0].text);
}

static enum fault_code
parse_max_length(const char *text, uint8_t *ret_length, struct fault *fault)
{
	unsigned length = 0;
	size_t digits = strspn(text, "0123456789");
	if (digits == 0 || digits > 3 || text[digits] != '\0' || (text[0] == '0' && digits > 1))
		return fault_set(fault, FAULT_INVALID, "\"%.20s\" is no maxLength", text);
	for (; *text != '\0'; text++)
		length = length * 10 + (unsigned)(*text - '0');
	if (length > 128)
		return fault_set(fault, FAULT_INVALID, "%u is no maxLength", length);
	*ret_length = (uint8_t)length;
	return FAULT_NONE;
}

static enum fault_code
read_payload(char *line, size_t columns, struct payload *ret_payload, struct fault *fault)
{
	struct payload payload;
	char *fields[COLUMNS_MAX];
	size_t count = 0;
	for (char *field; count < COLUMNS_MAX && (field = strsep(&line, ",")) != NULL;)
		fields[count++] = field;
	if (count != columns || line != NULL)
		return fault_set(fault, FAULT_MALFORMED, "not %zu columns as in the header line", columns);
	TRY(asn_parse(fields[ASN], &payload.asn, fault));
	TRY(prefix_parse(fields[PREFIX], &payload.prefix, fault));
	TRY(parse_max_length(fields[MAX_LENGTH], &payload.max_length, fault));
	TRY(payload_check(&payload, fault));
	*ret_payload = payload;
	return FAULT_NONE;
}

static enum fault_code
read_lines(struct gzip_reader *file, feed_payload_fn give, void *argument, struct fault *fault)
{
	size_t columns = 0; /* 0: the header line is still to come */
	for (;;) {
		const char *line;
		char copy[VRP_CSV_LINE_MAX + 1];
		size_t length;
		struct payload payload;
		TRY(gzip_reader_line(file, &line, &length, fault));
		uint32_t number = (uint32_t)gzip_reader_line_number(file);
		if (line == NULL)
			return columns > 0 ? FAULT_NONE : fault_set(fault, FAULT_MALFORMED, "line 1: the file is empty");
		memcpy(copy, line, length + 1);
		if (columns == 0) {
			TRY(feed_line(read_header(copy, &columns, fault), number, fault));
			continue;
		}
		TRY(feed_line(read_payload(copy, columns, &payload, fault), number, fault));
		TRY(give(argument, &payload, number, fault));
	}
}

enum fault_code
vrp_csv_read(const char *path, feed_payload_fn give, void *argument, struct fault *fault)
{
	AUTO(struct gzip_reader, gzip_reader_free) file = NULL;
	TRY(gzip_reader_open(path, VRP_CSV_LINE_MAX, FEED_BYTES_MAX, &file, fault));
	return read_lines(file, give, argument, fault);
}
