#include "publish/check/check_index.h"

#include <stdlib.h>
#include <string.h>

#include "ca/base/memory.h"

#define ARENA_BLOCK 65536
#define PLACES_FIRST 1024

struct check_arena {
	struct check_arena *next;
	size_t used, size;
	char text[];
};

void
check_index_clear(struct check_index *index)
{
	while (index->arena != NULL) {
		struct check_arena *next = index->arena->next;
		free(index->arena);
		index->arena = next;
	}
	free(index->entries);
	free(index->places);
	*index = CHECK_INDEX_INIT;
}

/* FNV-1a. */
static size_t
place_of(const char *uri, size_t length, size_t places)
{
	uint64_t hash = UINT64_C(14695981039346656037);
	for (size_t i = 0; i < length; i++)
		hash = (hash ^ (uint8_t)uri[i]) * UINT64_C(1099511628211);
	return (size_t)(hash ^ hash >> 32) & (places - 1);
}

static bool
is_uri(const struct check_entry *entry, const char *uri, size_t length)
{
	return strncmp(entry->uri, uri, length) == 0 && entry->uri[length] == '\0';
}

struct check_entry *
check_index_find(const struct check_index *index, const char *uri, size_t length)
{
	if (index->places_count == 0)
		return NULL;
	size_t place = place_of(uri, length, index->places_count);
	for (; index->places[place] != 0; place = (place + 1) & (index->places_count - 1)) {
		struct check_entry *entry = &index->entries[index->places[place] - 1];
		if (is_uri(entry, uri, length))
			return entry;
	}
	return NULL;
}

static void
put(uint32_t *places, size_t places_count, const struct check_entry *entry, size_t number)
{
	size_t place = place_of(entry->uri, strlen(entry->uri), places_count);
	while (places[place] != 0)
		place = (place + 1) & (places_count - 1);
	places[place] = (uint32_t)number + 1;
}

/* At most two thirds of the table are in use. */
static enum fault_code
make_room(struct check_index *index, struct fault *fault)
{
	uint32_t *places;
	if ((index->count + 1) * 3 < index->places_count * 2)
		return FAULT_NONE;
	size_t count = index->places_count == 0 ? PLACES_FIRST : index->places_count * 2;
	TRY(memory_new(count, sizeof *places, &places, fault));
	for (size_t i = 0; i < index->count; i++)
		put(places, count, &index->entries[i], i);
	free(index->places);
	index->places = places;
	index->places_count = count;
	return FAULT_NONE;
}

static enum fault_code
keep_text(struct check_index *index, const char *text, const char **ret_kept, struct fault *fault)
{
	size_t length = strlen(text) + 1;
	struct check_arena *block = index->arena;
	if (block == NULL || block->size - block->used < length) {
		size_t size = length > ARENA_BLOCK ? length : ARENA_BLOCK;
		TRY(memory_new(1, sizeof *block + size, &block, fault));
		block->size = size;
		block->next = index->arena;
		index->arena = block;
	}
	char *kept = block->text + block->used;
	memcpy(kept, text, length);
	block->used += length;
	*ret_kept = kept;
	return FAULT_NONE;
}

enum fault_code
check_index_add(struct check_index *index, const char *uri, struct check_entry **ret_entry, struct fault *fault)
{
	struct check_entry *entry = check_index_find(index, uri, strlen(uri));
	const char *kept;
	if (entry != NULL) {
		*ret_entry = entry;
		return FAULT_NONE;
	}
	if (index->count == CHECK_INDEX_MAX)
		return fault_set(fault, FAULT_TOO_LARGE, "there are more than %d objects", CHECK_INDEX_MAX);
	TRY(make_room(index, fault));
	TRY(memory_reserve(&index->entries, &index->capacity, index->count + 1, sizeof *index->entries, fault));
	TRY(keep_text(index, uri, &kept, fault));
	entry = &index->entries[index->count];
	*entry = (struct check_entry){ .uri = kept };
	put(index->places, index->places_count, entry, index->count++);
	*ret_entry = entry;
	return FAULT_NONE;
}
