#include "publish/check/check_known.h"

#include <stdlib.h>
#include <string.h>

#include "ca/base/file_memory.h"
#include "ca/base/memory.h"

#define PLACES_FIRST 256
#define CAS_MAX 4000000
#define TOUCHED_MAX 256

struct table {
	struct file_memory cas;                 /* of struct check_known_ca */
	size_t count;
	uint32_t *places;                       /* 1 + index, 0 where free */
	size_t places_count;
	struct check_known_delta *deltas;       /* by hash, once it is what is known */
	size_t deltas_count, deltas_capacity;
};

#define TABLE_INIT ((struct table){ .cas = FILE_MEMORY_INIT })

struct check_known {
	int directory;
	struct table now, next;
	unsigned touched;                       /* since the files rested */
};

static void
table_clear(struct table *table)
{
	file_memory_close(&table->cas);
	free(table->places);
	free(table->deltas);
	*table = TABLE_INIT;
}

enum fault_code
check_known_new(int directory, struct check_known **ret_known, struct fault *fault)
{
	TRY(memory_new(1, sizeof **ret_known, ret_known, fault));
	**ret_known = (struct check_known){ .directory = directory, .now = TABLE_INIT, .next = TABLE_INIT };
	return FAULT_NONE;
}

void
check_known_free(struct check_known *known)
{
	if (known == NULL)
		return;
	table_clear(&known->now);
	table_clear(&known->next);
	free(known);
}

static struct check_known_ca *
ca_of(const struct table *table, size_t number)
{
	return (struct check_known_ca *)table->cas.data + number;
}

/* In a check both are gone through from the start to the end: what was used just now is near. */
static void
touch(struct check_known *known)
{
	if (++known->touched < TOUCHED_MAX)
		return;
	known->touched = 0;
	file_memory_rest(&known->now.cas);
	file_memory_rest(&known->next.cas);
}

/* Hashes are as good as random. */
static size_t
place_of(const uint8_t manifest[SHA256_SIZE], size_t places)
{
	uint64_t start;
	memcpy(&start, manifest, sizeof start);
	return (size_t)start & (places - 1);
}

const struct check_known_ca *
check_known_find(struct check_known *known, const uint8_t certificate[SHA256_SIZE], const uint8_t manifest[SHA256_SIZE])
{
	const struct table *table = &known->now;
	if (table->places_count == 0)
		return NULL;
	touch(known);
	size_t place = place_of(manifest, table->places_count);
	for (; table->places[place] != 0; place = (place + 1) & (table->places_count - 1)) {
		const struct check_known_ca *ca = ca_of(table, table->places[place] - 1);
		if (memcmp(ca->manifest, manifest, SHA256_SIZE) == 0 && memcmp(ca->certificate, certificate, SHA256_SIZE) == 0)
			return ca;
	}
	return NULL;
}

static void
put(struct table *table, size_t number)
{
	size_t place = place_of(ca_of(table, number)->manifest, table->places_count);
	while (table->places[place] != 0)
		place = (place + 1) & (table->places_count - 1);
	table->places[place] = (uint32_t)number + 1;
}

/* At most half of the table are in use. */
static enum fault_code
make_places(struct check_known *known, struct fault *fault)
{
	struct table *table = &known->next;
	size_t count = table->places_count == 0 ? PLACES_FIRST : table->places_count * 2;
	uint32_t *places;
	if ((table->count + 1) * 2 <= table->places_count)
		return FAULT_NONE;
	TRY(memory_new(count, sizeof *places, &places, fault));
	free(table->places);
	table->places = places;
	table->places_count = count;
	for (size_t i = 0; i < table->count; i++) {
		touch(known);
		put(table, i);
	}
	return FAULT_NONE;
}

enum fault_code
check_known_add(struct check_known *known, const struct check_known_ca *ca, struct fault *fault)
{
	struct table *table = &known->next;
	touch(known);
	TRY(make_places(known, fault));
	if (table->cas.data == NULL)
		TRY(file_memory_open(known->directory, CAS_MAX * sizeof *ca, &table->cas, fault));
	TRY(file_memory_reserve(&table->cas, (table->count + 1) * sizeof *ca, fault));
	*ca_of(table, table->count) = *ca;
	put(table, table->count++);
	return FAULT_NONE;
}

static int
compare_deltas(const void *a, const void *b)
{
	const struct check_known_delta *x = a, *y = b;
	return memcmp(x->hash, y->hash, SHA256_SIZE);
}

const struct check_known_delta *
check_known_find_delta(const struct check_known *known, const uint8_t hash[SHA256_SIZE])
{
	struct check_known_delta wanted;
	if (known->now.deltas_count == 0)
		return NULL;
	memcpy(wanted.hash, hash, SHA256_SIZE);
	return bsearch(&wanted, known->now.deltas, known->now.deltas_count, sizeof wanted, compare_deltas);
}

enum fault_code
check_known_add_delta(struct check_known *known, const struct check_known_delta *delta, struct fault *fault)
{
	struct table *table = &known->next;
	TRY(memory_reserve(&table->deltas, &table->deltas_capacity, table->deltas_count + 1, sizeof *table->deltas, fault));
	table->deltas[table->deltas_count++] = *delta;
	return FAULT_NONE;
}

void
check_known_turn(struct check_known *known, bool whole)
{
	if (whole) {
		table_clear(&known->now);
		known->now = known->next;
		known->next = TABLE_INIT;
		if (known->now.deltas_count > 0)
			qsort(known->now.deltas, known->now.deltas_count, sizeof *known->now.deltas, compare_deltas);
	} else {
		table_clear(&known->next);
	}
	file_memory_rest(&known->now.cas);
}
