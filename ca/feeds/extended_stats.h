/*
 * extended_stats: NRO extended delegated statistics (version 2 with an opaque id in the 8th column): who holds what in a
 * registry.
 *
 *     2|afrinic|20250720|17287|00000000|20250720|00000
 *     afrinic|*|ipv4|*|5711|summary
 *     afrinic|ZA|asn|1228|1|19910301|allocated|F36B9F4B
 *     afrinic|ZA|ipv4|41.0.0.0|1500|20071126|assigned|F36B9F4B
 *
 * One holder is one opaque id. Records that are available or reserved, comments and blank lines are passed over (and counted
 * where the file counts them). The file is complete when its numbers of records are those of its version and summary lines.
 *
 * Threads: safe for different calls. Memory: 44 bytes a record and the ids; CLAIMS_MAX records.
 */
#ifndef CA_FEEDS_EXTENDED_STATS_H
#define CA_FEEDS_EXTENDED_STATS_H

#include "ca/feeds/feed.h"
#include "ca/resources/resource_set.h"

#define STATS_LINE_MAX 1024

struct stats_holder {
	const char *registry;                           /* whose file it is, as its version line says: "afrinic", "nro" */
	int64_t dated_at;                               /* the day that the file tells of begins (UTC); 0: it doesn't say */
	const char *id;
	uint32_t line;                                  /* of its first record */
	const struct resource_set *resources;           /* canonical, not empty */
};

typedef enum fault_code (*stats_holder_fn)(void *argument, const struct stats_holder *holder, struct fault *fault);

/*
 * Reads all of a file (plain or gzip), checks it, then gives each holder, in the order in which they first appear. Nothing
 * is given of a file with a fault.
 * Faults: MALFORMED, INVALID, TOO_LARGE, each with "line N: …"; NOT_FOUND, IO, MEMORY; those of give().
 */
CHECKED enum fault_code extended_stats_read(const char *path, stats_holder_fn give, void *argument, struct fault *fault);

#endif
