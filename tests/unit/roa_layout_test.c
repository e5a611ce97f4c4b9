#include "ca/plan/roa_layout.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
/* after what it needs */
#include <cmocka.h>

#include "ca/base/memory.h"
#include "ca/plan/timing.h"

#define WANTED_MAX 400
#define OBJECTS_MAX 600

/* A CA in the making: what stands, as the database would tell it after each commit. */
struct world {
	struct ca_state state;
	struct issued_object objects[OBJECTS_MAX];
	struct payload payloads[OBJECTS_MAX * 8];
	int64_t next_id;
	struct payload wanted[WANTED_MAX];
	size_t wanted_count;
};

static struct payload
payload_of(uint32_t asn, uint32_t network)
{
	struct payload payload = { .asn = asn, .prefix = { .family = FAMILY_IPV4, .length = 24 }, .max_length = 24 };
	payload.prefix.address.bytes[0] = 10;
	payload.prefix.address.bytes[1] = (uint8_t)(network >> 8);
	payload.prefix.address.bytes[2] = (uint8_t)network;
	return payload;
}

static int
compare(const void *a, const void *b)
{
	return payload_compare(a, b);
}

static struct world *
world_new(void)
{
	struct world *world = calloc(1, sizeof *world);
	assert_non_null(world);
	world->state.objects = world->objects;
	world->state.issued_payloads = world->payloads;
	world->next_id = 1;
	return world;
}

static void
want(struct world *world, uint32_t asn, uint32_t network)
{
	assert_true(world->wanted_count < WANTED_MAX);
	world->wanted[world->wanted_count++] = payload_of(asn, network);
	qsort(world->wanted, world->wanted_count, sizeof *world->wanted, compare);
}

static void
unwant(struct world *world, size_t index)
{
	memmove(&world->wanted[index], &world->wanted[index + 1], (--world->wanted_count - index) * sizeof *world->wanted);
}

static struct roa_layout
make(const struct world *world, const struct roa_layout_settings *settings, int64_t renew_before_at)
{
	struct roa_layout layout = ROA_LAYOUT_INIT;
	struct fault fault = FAULT_INIT;
	const struct roa_layout_bounds bounds = { .begun_at = INT64_MAX, .renew_before_at = renew_before_at };
	assert_int_equal(roa_layout_make(&world->state, world->wanted, world->wanted_count, settings, &bounds, &layout, &fault),
		FAULT_NONE);
	return layout;
}

static bool
gone(const struct roa_layout *layout, const struct issued_object *object)
{
	for (size_t i = 0; i < layout->withdrawn_count; i++)
		if (layout->withdrawn[i] == object)
			return true;
	for (size_t i = 0; i < layout->roas_count; i++)
		if (layout->roas[i].replaces == object)
			return true;
	return false;
}

static void
put(struct issued_object *objects, size_t *count, struct payload *payloads, size_t *first, struct issued_object object,
	const struct payload *source)
{
	assert_true(*count < OBJECTS_MAX);
	memcpy(payloads + *first, source, object.payloads_count * sizeof *payloads);
	object.first_payload = *first;
	*first += object.payloads_count;
	objects[(*count)++] = object;
}

/* What the database would hold after the plan was carried out. */
static void
carry_out(struct world *world, const struct roa_layout *layout, int64_t end_at)
{
	struct issued_object *objects = calloc(OBJECTS_MAX, sizeof *objects);
	struct payload *payloads = calloc(OBJECTS_MAX * 8, sizeof *payloads);
	size_t count = 0, first = 0;
	for (size_t i = 0; i < world->state.objects_count; i++)
		if (!gone(layout, &world->objects[i]))
			put(objects, &count, payloads, &first, world->objects[i], world->payloads + world->objects[i].first_payload);
	for (size_t i = 0; i < layout->roas_count; i++) {
		const struct planned_roa *roa = &layout->roas[i];
		struct issued_object object = {
			.object_id = world->next_id++, .kind = OBJECT_ROA, .published = true, .asn = roa->asn, .slot = roa->slot,
			.payloads_count = roa->payloads_count, .not_after_at = end_at,
		};
		put(objects, &count, payloads, &first, object, layout->payloads + roa->first_payload);
	}
	memcpy(world->objects, objects, OBJECTS_MAX * sizeof *objects);
	memcpy(world->payloads, payloads, OBJECTS_MAX * 8 * sizeof *payloads);
	world->state.objects_count = count;
	world->state.by_origin = layout->by_origin;
	free(objects);
	free(payloads);
}

/* The ROAs say exactly what is wanted, each payload once, one AS an object, within the size. */
static void
check(const struct world *world, const struct roa_layout_settings *settings)
{
	struct payload said[WANTED_MAX];
	size_t count = 0, room = world->state.by_origin ? settings->prefixes_max : 1;
	for (size_t i = 0; i < world->state.objects_count; i++) {
		const struct issued_object *object = &world->objects[i];
		assert_in_range(object->payloads_count, 1, room);
		for (size_t j = 0; j < object->payloads_count; j++) {
			assert_true(count < WANTED_MAX);
			said[count] = world->payloads[object->first_payload + j];
			assert_int_equal(said[count].asn, object->asn);
			if (j > 0)
				assert_true(payload_compare(&said[count - 1], &said[count]) < 0);
			count++;
		}
		for (size_t j = 0; j < i; j++)
			assert_true(world->objects[j].slot != object->slot);
	}
	assert_int_equal(count, world->wanted_count);
	qsort(said, count, sizeof *said, compare);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(payload_compare(&said[i], &world->wanted[i]), 0);
}

static void
step(struct world *world, const struct roa_layout_settings *settings)
{
	struct roa_layout layout = make(world, settings, 0);
	carry_out(world, &layout, 1000);
	roa_layout_clear(&layout);
	check(world, settings);
	layout = make(world, settings, 0);
	assert_int_equal(layout.roas_count, 0);
	assert_int_equal(layout.withdrawn_count, 0);
	roa_layout_clear(&layout);
}

static void
roa_layout__nothing_wanted_nothing_issued(void **unused)
{
	(void)unused;
	struct world *world = world_new();
	step(world, &roa_layout_default);
	assert_int_equal(world->state.objects_count, 0);
	free(world);
}

static void
roa_layout__one_object_per_payload_below_the_threshold(void **unused)
{
	(void)unused;
	struct world *world = world_new();
	for (uint32_t i = 0; i < 100; i++)
		want(world, 64496, i);
	step(world, &roa_layout_default);
	assert_int_equal(world->state.objects_count, 100);
	free(world);
}

static void
roa_layout__one_object_per_origin_above_it_and_back_below_the_lower_one(void **unused)
{
	(void)unused;
	struct world *world = world_new();
	for (uint32_t i = 0; i < 101; i++)
		want(world, 64496 + i % 2, i);
	step(world, &roa_layout_default);
	assert_true(world->state.by_origin);
	assert_int_equal(world->state.objects_count, 2);
	while (world->wanted_count > 90)
		unwant(world, 0);
	step(world, &roa_layout_default);
	assert_true(world->state.by_origin);
	unwant(world, 0);
	step(world, &roa_layout_default);
	assert_false(world->state.by_origin);
	assert_int_equal(world->state.objects_count, 89);
	free(world);
}

static void
roa_layout__a_removal_touches_one_object_and_a_new_payload_fills_the_first_with_room(void **unused)
{
	(void)unused;
	const struct roa_layout_settings small = { .by_origin_above = 5, .by_payload_below = 2, .prefixes_max = 4 };
	struct world *world = world_new();
	for (uint32_t i = 0; i < 12; i++)
		want(world, 64496, i);
	step(world, &small);
	assert_int_equal(world->state.objects_count, 3);
	unwant(world, 1);
	struct roa_layout layout = make(world, &small, 0);
	assert_int_equal(layout.roas_count, 1);
	assert_int_equal(layout.withdrawn_count, 0);
	int64_t slot = layout.roas[0].slot;
	carry_out(world, &layout, 1000);
	roa_layout_clear(&layout);
	want(world, 64496, 200);
	layout = make(world, &small, 0);
	assert_int_equal(layout.roas_count, 1);
	assert_int_equal(layout.roas[0].slot, slot);
	assert_int_equal(layout.roas[0].payloads_count, 4);
	roa_layout_clear(&layout);
	free(world);
}

static void
roa_layout__what_is_due_is_issued_again_with_what_it_holds(void **unused)
{
	(void)unused;
	struct world *world = world_new();
	want(world, 64496, 1);
	want(world, 64497, 2);
	step(world, &roa_layout_default);
	world->objects[0].not_after_at = 500;
	struct roa_layout layout = make(world, &roa_layout_default, 500);
	assert_int_equal(layout.roas_count, 1);
	assert_ptr_equal(layout.roas[0].replaces, &world->objects[0]);
	assert_int_equal(layout.roas[0].slot, world->objects[0].slot);
	roa_layout_clear(&layout);
	free(world);
}

/* Where each payload stands, to see that it stays. */
static int64_t
slot_of(const struct world *world, const struct payload *payload)
{
	for (size_t i = 0; i < world->state.objects_count; i++)
		for (size_t j = 0; j < world->objects[i].payloads_count; j++)
			if (payload_compare(&world->payloads[world->objects[i].first_payload + j], payload) == 0)
				return world->objects[i].slot;
	return -1;
}

static void
change_at_random(struct world *world, uint64_t *random)
{
	*random = timing_mix(*random, 1);
	size_t changes = 1 + *random % 6;
	for (size_t i = 0; i < changes; i++) {
		*random = timing_mix(*random, 2);
		if (world->wanted_count > 0 && *random % 5 < 2) {
			unwant(world, (size_t)(*random >> 8) % world->wanted_count);
			continue;
		}
		struct payload payload = payload_of(64496 + (uint32_t)(*random >> 8) % 3, (uint32_t)(*random >> 16) % 300);
		if (world->wanted_count < 60 &&
			bsearch(&payload, world->wanted, world->wanted_count, sizeof payload, compare) == NULL)
			want(world, payload.asn, (uint32_t)(*random >> 16) % 300);
	}
}

static void
roa_layout__random_changes_keep_payloads_in_their_objects(void **unused)
{
	(void)unused;
	const struct roa_layout_settings small = { .by_origin_above = 20, .by_payload_below = 12, .prefixes_max = 5 };
	for (uint64_t seed = 0; seed < 20; seed++) {
		struct world *world = world_new();
		struct world *before = world_new();
		uint64_t random = seed;
		for (int round = 0; round < 100; round++) {
			memcpy(before, world, sizeof *world);
			before->state.objects = before->objects;
			change_at_random(world, &random);
			step(world, &small);
			for (size_t i = 0; i < world->wanted_count && before->state.by_origin == world->state.by_origin; i++) {
				int64_t slot = slot_of(before, &world->wanted[i]);
				if (slot >= 0)
					assert_int_equal(slot_of(world, &world->wanted[i]), slot);
			}
		}
		free(before);
		free(world);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(roa_layout__nothing_wanted_nothing_issued),
		cmocka_unit_test(roa_layout__one_object_per_payload_below_the_threshold),
		cmocka_unit_test(roa_layout__one_object_per_origin_above_it_and_back_below_the_lower_one),
		cmocka_unit_test(roa_layout__a_removal_touches_one_object_and_a_new_payload_fills_the_first_with_room),
		cmocka_unit_test(roa_layout__what_is_due_is_issued_again_with_what_it_holds),
		cmocka_unit_test(roa_layout__random_changes_keep_payloads_in_their_objects),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
