#include "ca/feeds/vrp.h"

#include <string.h>

#include "ca/base/gzip_reader.h"
#include "ca/feeds/vrp_csv.h"
#include "ca/feeds/vrp_json.h"

/* Whether the first byte that is no blank opens a JSON object. */
static enum fault_code
looks_like_json(const char *path, bool *ret_json, struct fault *fault)
{
	AUTO(struct gzip_reader, gzip_reader_free) reader = NULL;
	uint8_t start[256];
	TRY(gzip_reader_open(path, sizeof start, FEED_BYTES_MAX, &reader, fault));
	for (;;) {
		size_t length = 0, blank = 0;
		TRY(gzip_reader_read(reader, start, sizeof start, &length, fault));
		while (blank < length && start[blank] != '\0' && strchr(" \t\r\n", start[blank]) != NULL)
			blank++;
		if (length == 0 || blank < length) {
			*ret_json = blank < length && start[blank] == '{';
			return FAULT_NONE;
		}
	}
}

/* Counts payloads on their way. */
struct bounded {
	feed_payload_fn give;
	void *argument;
	size_t count;
};

static enum fault_code
give_bounded(void *argument, const struct payload *payload, uint32_t line, struct fault *fault)
{
	struct bounded *bounded = argument;
	if (bounded->count++ == VRP_PAYLOADS_MAX)
		return fault_set(fault, FAULT_TOO_LARGE, "line %" PRIu32 ": more than %d payloads in one file", line,
			VRP_PAYLOADS_MAX);
	return bounded->give(bounded->argument, payload, line, fault);
}

enum fault_code
vrp_read(const char *path, feed_payload_fn give, void *argument, struct fault *fault)
{
	struct bounded bounded = { .give = give, .argument = argument };
	bool json = false;
	TRY(looks_like_json(path, &json, fault));
	return (json ? vrp_json_read : vrp_csv_read)(path, give_bounded, &bounded, fault);
}
