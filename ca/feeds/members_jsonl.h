/*
 * members_jsonl: a registry as JSON lines, one holder a line with what it holds and the payloads it wants:
 *
 *     {"id":"F36100E1","asn":["64496"],"ipv4":["192.0.2.0/24"],"ipv6":[],"roas":[{"asn":64496,"prefix":"192.0.2.0/24","maxLength":24}]}
 *
 * A member "rir":"afrinic" may say whose registry it is. Members of a line that have other names are passed over. Whether a holder
 * holds what it wants payloads for is not looked at.
 *
 * Threads: safe for different calls. Memory: one line and its payloads, 44 bytes a range, and the ids.
 */
#ifndef CA_FEEDS_MEMBERS_JSONL_H
#define CA_FEEDS_MEMBERS_JSONL_H

#include "ca/feeds/feed.h"
#include "ca/resources/resource_set.h"

#define MEMBERS_LINE_MAX (UINT32_C(32) << 20)
#define MEMBERS_MAX 1000000                     /* lines */
#define MEMBER_PAYLOADS_MAX 200000              /* in one line */

struct member_line {
	const char *id;                                 /* ":", "." and "/" in it have become "-", so that it can be a handle */
	uint32_t line;
	const char *registry;                           /* "afrinic"; "" where the file doesn't say */
	const struct resource_set *resources;           /* canonical; may be empty */
	const struct payload *payloads;
	size_t payloads_count;
};

typedef enum fault_code (*member_line_fn)(void *argument, const struct member_line *member, struct fault *fault);

/*
 * Gives every line in order. Only at the end it is known whether an id (as given) came twice or two holders overlap: INVALID.
 * Faults: MALFORMED, INVALID, TOO_LARGE, each with "line N: …"; NOT_FOUND, IO, MEMORY; those of give().
 */
CHECKED enum fault_code members_jsonl_read(const char *path, member_line_fn give, void *argument, struct fault *fault);

#endif
