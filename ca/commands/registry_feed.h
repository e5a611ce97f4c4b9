/*
 * registry_feed: a registry's file as a whole: who holds what, all at once, in memory, for what has to look at all of it. NRO
 * extended statistics or JSON lines of members, plain or gzip; the first byte tells which. Reads only; knows no database.
 *
 * Memory: some 100 bytes a holder and 32 a range; CLAIMS_MAX ranges, MEMBERS_MAX holders.
 */
#ifndef CA_COMMANDS_REGISTRY_FEED_H
#define CA_COMMANDS_REGISTRY_FEED_H

#include "ca/base/scope.h"
#include "ca/feeds/feed.h"
#include "ca/resources/resource_set.h"

struct feed_holder {
	char *id;                                       /* can be a handle */
	uint32_t line;
	struct resource_set resources;
};

struct registry_feed {
	char registry[FEED_REGISTRY_SIZE];              /* whose file it is; "": it doesn't say */
	int64_t dated_at;                               /* the day that it tells of begins (UTC); 0: it doesn't say */
	struct feed_holder *holders;                    /* in the order of the file */
	size_t count, capacity;
};

#define REGISTRY_FEED_INIT ((struct registry_feed){ .holders = NULL })
void registry_feed_clear(struct registry_feed *feed);

/*
 * *ret_feed must be REGISTRY_FEED_INIT. Faults: MALFORMED (not complete, no holder in it, neither format), INVALID (holders
 * overlap, an id that stands for two, lines of several registries), TOO_LARGE, each with "line N: …" where a line is to blame;
 * NOT_FOUND, IO, MEMORY.
 */
CHECKED enum fault_code registry_feed_read(const char *path, struct registry_feed *ret_feed, struct fault *fault);

#endif
