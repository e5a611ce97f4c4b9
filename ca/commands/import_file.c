#include "ca/commands/import_file.h"

#include "ca/feeds/extended_stats.h"
#include "ca/feeds/members_jsonl.h"
#include "ca/feeds/vrp.h"

_Static_assert(FEED_ID_MAX <= HANDLE_MAX, "every id of a feed can be a handle");

struct stream {
	import_entry_fn give;
	void *argument;
};

static enum fault_code
give_holder(void *argument, const struct stats_holder *holder, struct fault *fault)
{
	const struct stream *stream = argument;
	struct import_entry entry = { .line = holder->line, .handle = holder->id, .resources = holder->resources };
	return stream->give(stream->argument, &entry, fault);
}

static enum fault_code
give_payload(void *argument, const struct payload *payload, uint32_t line, struct fault *fault)
{
	const struct stream *stream = argument;
	struct import_entry entry = { .line = line, .payload = *payload };
	return stream->give(stream->argument, &entry, fault);
}

static enum fault_code
give_member(void *argument, const struct member_line *member, struct fault *fault)
{
	const struct stream *stream = argument;
	struct import_entry entry = { .line = member->line, .handle = member->id, .resources = member->resources };
	TRY(stream->give(stream->argument, &entry, fault));
	entry.resources = NULL;
	for (size_t i = 0; i < member->payloads_count; i++) {
		entry.payload = member->payloads[i];
		TRY(stream->give(stream->argument, &entry, fault));
	}
	return FAULT_NONE;
}

enum fault_code
import_file_read(enum import_kind kind, const char *path, import_entry_fn give, void *argument, struct fault *fault)
{
	struct stream stream = { .give = give, .argument = argument };
	switch (kind) {
	case IMPORT_STATS:
		return extended_stats_read(path, give_holder, &stream, fault);
	case IMPORT_ROAS:
		return vrp_read(path, give_payload, &stream, fault);
	case IMPORT_MEMBERS:
		break;
	}
	return members_jsonl_read(path, give_member, &stream, fault);
}
