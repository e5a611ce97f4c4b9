#include "ca/commands/registry_feed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ca/base/gzip_reader.h"
#include "ca/base/memory.h"
#include "ca/feeds/extended_stats.h"
#include "ca/feeds/members_jsonl.h"

void
registry_feed_clear(struct registry_feed *feed)
{
	for (size_t i = 0; i < feed->count; i++) {
		free(feed->holders[i].id);
		resource_set_clear(&feed->holders[i].resources);
	}
	free(feed->holders);
	*feed = REGISTRY_FEED_INIT;
}

static enum fault_code
add(struct registry_feed *feed, const char *id, uint32_t line, const struct resource_set *resources, struct fault *fault)
{
	TRY(memory_reserve(&feed->holders, &feed->capacity, feed->count + 1, sizeof *feed->holders, fault));
	struct feed_holder *holder = &feed->holders[feed->count];
	*holder = (struct feed_holder){ .line = line, .resources = RESOURCE_SET_INIT };
	TRY(memory_copy_string(id, &holder->id, fault));
	feed->count++;
	return resource_set_copy(resources, &holder->resources, fault);
}

static enum fault_code
take_holder(void *argument, const struct stats_holder *holder, struct fault *fault)
{
	struct registry_feed *feed = argument;
	(void)snprintf(feed->registry, sizeof feed->registry, "%s", holder->registry);
	feed->dated_at = holder->dated_at;
	return add(feed, holder->id, holder->line, holder->resources, fault);
}

/* A file that was put together from those of two registries would take every member of the other one's for gone. */
static enum fault_code
take_member(void *argument, const struct member_line *member, struct fault *fault)
{
	struct registry_feed *feed = argument;
	if (feed->count == 0)
		(void)snprintf(feed->registry, sizeof feed->registry, "%s", member->registry);
	else if (strcmp(feed->registry, member->registry) != 0)
		return fault_set(fault, FAULT_INVALID, "line %" PRIu32 ": its registry is \"%s\", in the lines before \"%s\"",
			member->line, member->registry, feed->registry);
	return add(feed, member->id, member->line, member->resources, fault);
}

/* The first byte that is no blank. *ret_first 0: there is none. */
static enum fault_code
first_byte(const char *path, char *ret_first, struct fault *fault)
{
	AUTO(struct gzip_reader, gzip_reader_free) reader = NULL;
	uint8_t start[256];
	TRY(gzip_reader_open(path, sizeof start, FEED_BYTES_MAX, &reader, fault));
	for (size_t length = 1; length > 0;) {
		TRY(gzip_reader_read(reader, start, sizeof start, &length, fault));
		for (size_t i = 0; i < length; i++) {
			if (strchr(" \t\r\n", start[i]) == NULL) {
				*ret_first = (char)start[i];
				return FAULT_NONE;
			}
		}
	}
	*ret_first = '\0';
	return FAULT_NONE;
}

enum fault_code
registry_feed_read(const char *path, struct registry_feed *ret_feed, struct fault *fault)
{
	AUTO_CLEAR(struct registry_feed, registry_feed_clear) feed = REGISTRY_FEED_INIT;
	char first;
	TRY(first_byte(path, &first, fault));
	if (first == '\0')
		return fault_set(fault, FAULT_MALFORMED, "line 1: the file is empty");
	TRY(first == '{' ? members_jsonl_read(path, take_member, &feed, fault) : extended_stats_read(path, take_holder, &feed, fault));
	if (feed.count == 0)
		return fault_set(fault, FAULT_MALFORMED, "the file names no holder at all: all members would lose all they hold");
	*ret_feed = feed;
	feed = REGISTRY_FEED_INIT;
	return FAULT_NONE;
}
