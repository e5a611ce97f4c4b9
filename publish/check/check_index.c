#include "publish/check/check_index.h"

#include <stdlib.h>
#include <string.h>

#include "ca/base/memory.h"

#define PLACES_FIRST 1024
#define NAMES_MAX ((size_t)1 << 30)             /* bytes */
#define NUMBER_BITS 22                          /* of a place: the rest are bits of the hash, so that few others are looked at in vain */
#define NUMBER_MASK ((UINT32_C(1) << NUMBER_BITS) - 1)
#define TOUCHED_MAX 256                         /* the system maps up to 64 KiB around each */

_Static_assert(CHECK_INDEX_MAX < NUMBER_MASK, "1 + a number doesn't fit");

void
check_index_clear(struct check_index *index)
{
	file_memory_close(&index->entries);
	file_memory_close(&index->names);
	free(index->places);
	*index = CHECK_INDEX(index->directory);
}

static struct check_entry *
entry_of(const struct check_index *index, size_t number)
{
	return (struct check_entry *)index->entries.data + number;
}

/* What is small may stay. */
static void
touch(struct check_index *index)
{
	if (++index->touched < TOUCHED_MAX)
		return;
	index->touched = 0;
	if (index->count * sizeof(struct check_entry) < TOUCHED_MAX * (size_t)65536)
		return;
	file_memory_rest(&index->entries);
	file_memory_rest(&index->names);
}

/* FNV-1a. */
static uint64_t
hash_of(const char *uri, size_t length)
{
	uint64_t hash = UINT64_C(14695981039346656037);
	for (size_t i = 0; i < length; i++)
		hash = (hash ^ (uint8_t)uri[i]) * UINT64_C(1099511628211);
	return hash ^ hash >> 32;
}

static uint32_t
mark_of(uint64_t hash)
{
	return (uint32_t)(hash >> 32) & ~NUMBER_MASK;
}

static bool
is_uri(const struct check_entry *entry, const char *uri, size_t length)
{
	return strncmp(entry->uri, uri, length) == 0 && entry->uri[length] == '\0';
}

struct check_entry *
check_index_find(struct check_index *index, const char *uri, size_t length)
{
	uint64_t hash = hash_of(uri, length);
	size_t mask = index->places_count - 1;
	if (index->places_count == 0)
		return NULL;
	touch(index);
	for (size_t place = (size_t)hash & mask; index->places[place] != 0; place = (place + 1) & mask) {
		uint32_t found = index->places[place];
		if ((found & ~NUMBER_MASK) == mark_of(hash) && is_uri(entry_of(index, (found & NUMBER_MASK) - 1), uri, length))
			return entry_of(index, (found & NUMBER_MASK) - 1);
	}
	return NULL;
}

struct check_entry *
check_index_next(struct check_index *index, size_t *position)
{
	if (*position == index->count)
		return NULL;
	touch(index);
	return entry_of(index, (*position)++);
}

static void
put(uint32_t *places, size_t places_count, const char *uri, size_t number)
{
	uint64_t hash = hash_of(uri, strlen(uri));
	size_t place = (size_t)hash & (places_count - 1);
	while (places[place] != 0)
		place = (place + 1) & (places_count - 1);
	places[place] = mark_of(hash) | ((uint32_t)number + 1);
}

/* At most two thirds of the table are in use. */
static enum fault_code
make_places(struct check_index *index, struct fault *fault)
{
	const struct check_entry *entry;
	uint32_t *places;
	if ((index->count + 1) * 3 < index->places_count * 2)
		return FAULT_NONE;
	size_t count = index->places_count == 0 ? PLACES_FIRST : index->places_count * 2, position = 0;
	TRY(memory_new(count, sizeof *places, &places, fault));
	while ((entry = check_index_next(index, &position)) != NULL)
		put(places, count, entry->uri, position - 1);
	free(index->places);
	index->places = places;
	index->places_count = count;
	return FAULT_NONE;
}

static enum fault_code
make_room(struct check_index *index, size_t length, struct fault *fault)
{
	if (index->count == CHECK_INDEX_MAX)
		return fault_set(fault, FAULT_TOO_LARGE, "there are more than %d objects", CHECK_INDEX_MAX);
	TRY(make_places(index, fault));
	if (index->entries.data == NULL)
		TRY(file_memory_open(index->directory, CHECK_INDEX_MAX * sizeof(struct check_entry), &index->entries, fault));
	if (index->names.data == NULL)
		TRY(file_memory_open(index->directory, NAMES_MAX, &index->names, fault));
	TRY(file_memory_reserve(&index->entries, (index->count + 1) * sizeof(struct check_entry), fault));
	return file_memory_reserve(&index->names, index->names_length + length + 1, fault);
}

enum fault_code
check_index_add(struct check_index *index, const char *uri, struct check_entry **ret_entry, struct fault *fault)
{
	size_t length = strlen(uri);
	struct check_entry *entry = check_index_find(index, uri, length);
	if (entry == NULL) {
		TRY(make_room(index, length, fault));
		entry = entry_of(index, index->count);
		entry->uri = memcpy((char *)index->names.data + index->names_length, uri, length + 1);
		index->names_length += length + 1;
		put(index->places, index->places_count, uri, index->count++);
	}
	*ret_entry = entry;
	return FAULT_NONE;
}
