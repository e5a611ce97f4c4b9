/*
 * check_index: every URI that RRDP or rsync has, with hash, size and where its bytes stand in the snapshot's file. The only thing
 * that grows with the repository: some 250 bytes a URI.
 *
 * Threads: one at a time.
 */
#ifndef PUBLISH_CHECK_CHECK_INDEX_H
#define PUBLISH_CHECK_CHECK_INDEX_H

#include <stdbool.h>
#include <stdint.h>

#include "ca/base/bytes.h"
#include "ca/base/digest.h"
#include "ca/base/fault.h"

#define CHECK_INDEX_MAX 4000000

struct check_entry {
	const char *uri;
	int64_t offset;                         /* of its base64 in the snapshot's file */
	uint32_t length;                        /* of that */
	uint32_t size;                          /* of the object */
	uint16_t point;                         /* whose snapshot or deltas have it: its number, from 1; 0: none */
	uint32_t listed;                        /* by which manifest that the trust anchor leads to, from 1; itself, of a manifest */
	uint8_t hash[SHA256_SIZE];              /* in the snapshot */
	uint8_t replayed[SHA256_SIZE];          /* in the serial to which the deltas were undone */
	uint8_t rsync[SHA256_SIZE];
	int64_t modified_at;                    /* in rsync */
	bool published : 1;                     /* in the snapshot */
	bool present : 1;                       /* in the serial to which the deltas were undone */
	bool in_rsync : 1;
	bool expected : 1;                      /* in the state of the database */
};

struct check_arena;

struct check_index {
	struct check_entry *entries;
	size_t count, capacity;
	uint32_t *places;                       /* hash table: 1 + index of an entry, 0 where free */
	size_t places_count;
	struct check_arena *arena;              /* of URIs */
};

#define CHECK_INDEX_INIT ((struct check_index){ .entries = NULL })

void check_index_clear(struct check_index *index);
/* NULL: it isn't there. Valid until the next check_index_add(). */
struct check_entry *check_index_find(const struct check_index *index, const char *uri, size_t length);
/* The entry of this URI, a new one of nothing if there was none. Faults: MEMORY, TOO_LARGE. */
CHECKED enum fault_code check_index_add(struct check_index *index, const char *uri, struct check_entry **ret_entry,
	struct fault *fault);

#endif
