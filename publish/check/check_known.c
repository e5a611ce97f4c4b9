#include "publish/check/check_known.h"

#include <stdlib.h>
#include <string.h>

#include "ca/base/memory.h"

#define PLACES_FIRST 256

struct table {
	struct check_known_ca *cas;
	size_t count, capacity;
	uint32_t *places;                       /* 1 + index, 0 where free */
	size_t places_count;
	struct check_known_delta *deltas;       /* by hash, once it is what is known */
	size_t deltas_count, deltas_capacity;
};

struct check_known {
	struct table now, next;
};

static void
table_clear(struct table *table)
{
	free(table->cas);
	free(table->places);
	free(table->deltas);
	*table = (struct table){ .cas = NULL };
}

enum fault_code
check_known_new(struct check_known **ret_known, struct fault *fault)
{
	return memory_new(1, sizeof **ret_known, ret_known, fault);
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

/* Hashes are as good as random. */
static size_t
place_of(const uint8_t manifest[SHA256_SIZE], size_t places)
{
	uint64_t start;
	memcpy(&start, manifest, sizeof start);
	return (size_t)start & (places - 1);
}

const struct check_known_ca *
check_known_find(const struct check_known *known, const uint8_t certificate[SHA256_SIZE], const uint8_t manifest[SHA256_SIZE])
{
	const struct table *table = &known->now;
	if (table->places_count == 0)
		return NULL;
	size_t place = place_of(manifest, table->places_count);
	for (; table->places[place] != 0; place = (place + 1) & (table->places_count - 1)) {
		const struct check_known_ca *ca = &table->cas[table->places[place] - 1];
		if (memcmp(ca->manifest, manifest, SHA256_SIZE) == 0 && memcmp(ca->certificate, certificate, SHA256_SIZE) == 0)
			return ca;
	}
	return NULL;
}

static void
put(struct table *table, size_t number)
{
	size_t place = place_of(table->cas[number].manifest, table->places_count);
	while (table->places[place] != 0)
		place = (place + 1) & (table->places_count - 1);
	table->places[place] = (uint32_t)number + 1;
}

enum fault_code
check_known_add(struct check_known *known, const struct check_known_ca *ca, struct fault *fault)
{
	struct table *table = &known->next;
	TRY(memory_reserve(&table->cas, &table->capacity, table->count + 1, sizeof *table->cas, fault));
	if ((table->count + 1) * 2 > table->places_count) {
		size_t count = table->places_count == 0 ? PLACES_FIRST : table->places_count * 2;
		uint32_t *places;
		TRY(memory_new(count, sizeof *places, &places, fault));
		free(table->places);
		table->places = places;
		table->places_count = count;
		for (size_t i = 0; i < table->count; i++)
			put(table, i);
	}
	table->cas[table->count] = *ca;
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
		known->next = (struct table){ .cas = NULL };
		if (known->now.deltas_count > 0)
			qsort(known->now.deltas, known->now.deltas_count, sizeof *known->now.deltas, compare_deltas);
	} else {
		table_clear(&known->next);
	}
}
