/*
 * check_index: every URI that RRDP or rsync has, with hash, size and where its bytes stand in the snapshot's file.
 *
 * In memory are 6 to 12 bytes a URI, to find it by. Entries and names, some 250 bytes, lie in files without a name (file_memory.h), of
 * which at most 16 MiB each are in memory at a time.
 *
 * Threads: one at a time.
 */
#ifndef PUBLISH_CHECK_CHECK_INDEX_H
#define PUBLISH_CHECK_CHECK_INDEX_H

#include <stdbool.h>
#include <stdint.h>

#include "ca/base/digest.h"
#include "ca/base/fault.h"
#include "ca/base/file_memory.h"

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

struct check_index {
	int directory;                          /* in which its files lie: see file_memory_open() */
	struct file_memory entries, names;
	size_t count, names_length;
	uint32_t *places;                       /* hash table: of an entry some bits of the hash, and 1 + its number; 0 where free */
	size_t places_count;
	unsigned touched;                       /* since the files rested */
};

#define CHECK_INDEX(descriptor) \
	((struct check_index){ .directory = (descriptor), .entries = FILE_MEMORY_INIT, .names = FILE_MEMORY_INIT })

void check_index_clear(struct check_index *index); /* empty, and usable again */
/* NULL: it isn't there. What it leads to stays where it is until check_index_clear(). */
struct check_entry *check_index_find(struct check_index *index, const char *uri, size_t length);
/* The entry of this URI, a new one of nothing if there was none. Faults: MEMORY, TOO_LARGE, DISK, IO. */
CHECKED enum fault_code check_index_add(struct check_index *index, const char *uri, struct check_entry **ret_entry,
	struct fault *fault);
/* All, in the order in which they were added: *position is 0 for the first. NULL: there are no more. */
struct check_entry *check_index_next(struct check_index *index, size_t *position);

#endif
