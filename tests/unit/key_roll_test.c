#include "ca/plan/key_roll.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
/* after what it needs */
#include <cmocka.h>

#define NOW INT64_C(1795478400)
#define DAY INT64_C(86400)

enum { OLD_KEY = 7, NEW_KEY = 8 };

static const struct timing timing = { .key_staging_s = DAY, .key_retiring_s = 2 * DAY };

/* An issuing CA with a current key, and another beside it where `stage` says so. */
struct scene {
	struct ca_state state;
	struct issued_object objects[8];
};

static void
add(struct scene *scene, int64_t key_id, enum object_kind kind)
{
	scene->objects[scene->state.objects_count++] = (struct issued_object){ .key_id = key_id, .kind = kind };
}

static struct scene *
scene_new(void)
{
	struct scene *scene = calloc(1, sizeof *scene);
	assert_non_null(scene);
	scene->state.kind = CA_ISSUING;
	scene->state.inherits = true;
	scene->state.objects = scene->objects;
	scene->state.current = (struct ca_instance){ .key.key_id = OLD_KEY, .certified = true, .published_at = NOW - 900 * DAY };
	scene->state.current.certificate.published = true;
	scene->state.other.staging_s = scene->state.roll_staging_s = -1;
	add(scene, OLD_KEY, OBJECT_CRL);
	add(scene, OLD_KEY, OBJECT_MFT);
	return scene;
}

static struct scene *
scene_staged(int64_t published_at)
{
	struct scene *scene = scene_new();
	scene->state.other = (struct ca_instance){ .key.key_id = NEW_KEY, .stage = KEY_STAGED, .certified = true, .staging_s = -1,
		.published_at = published_at };
	scene->state.other.certificate.published = true;
	return scene;
}

static struct scene *
scene_retired(int64_t retired_at)
{
	struct scene *scene = scene_new();
	scene->state.other = (struct ca_instance){ .key.key_id = OLD_KEY, .stage = KEY_RETIRED, .certified = true, .retired_at = retired_at };
	scene->state.current.key.key_id = NEW_KEY;
	return scene;
}

static struct ca_plan
choose(const struct scene *scene)
{
	struct ca_plan plan = { .now_at = NOW };
	key_roll_choose(&scene->state, &timing, &plan);
	return plan;
}

static void
assert_quiet(const struct scene *scene)
{
	struct ca_plan plan = choose(scene);
	assert_ptr_equal(plan.active.instance, &scene->state.current);
	assert_false(plan.activate || plan.destroy || plan.passive.make_key || plan.active.make_key);
}

static void
key_roll__nothing_happens_unasked(void **unused)
{
	(void)unused;
	struct scene *scene = scene_new();
	assert_quiet(scene);
	struct ca_plan plan = choose(scene);
	assert_null(plan.passive.instance);
	assert_int_equal(key_roll_due(&scene->state, &timing, &plan), 0);
	scene->state.roll_at = NOW + 5 * DAY;
	assert_quiet(scene);
	plan = choose(scene);
	assert_int_equal(key_roll_due(&scene->state, &timing, &plan), NOW + 5 * DAY);
	free(scene);
}

static void
key_roll__a_first_key_is_made(void **unused)
{
	(void)unused;
	struct scene *scene = scene_new();
	scene->state.current = (struct ca_instance){ .key.key_id = 0 };
	struct ca_plan plan = choose(scene);
	assert_true(plan.active.make_key);
	assert_null(plan.passive.instance);
	scene->state.suspended = true;
	plan = choose(scene);
	assert_false(plan.active.make_key);
	free(scene);
}

static void
key_roll__stages_a_key_when_one_is_wanted(void **unused)
{
	(void)unused;
	struct scene *scene = scene_new();
	scene->state.roll_at = NOW;
	struct ca_plan plan = choose(scene);
	assert_true(plan.passive.make_key && !plan.activate);
	assert_ptr_equal(plan.passive.instance, &scene->state.other);
	assert_int_equal(key_roll_due(&scene->state, &timing, &plan), NOW + DAY);
	scene->state.roll_staging_s = 3600;
	assert_int_equal(key_roll_due(&scene->state, &timing, &plan), NOW + 3600);
	free(scene);
}

/* RFC 9286 and validators' limits: a CRL must not grow for ever; a new key starts with an empty one. */
static void
key_roll__a_long_crl_asks_for_one(void **unused)
{
	(void)unused;
	struct scene *scene = scene_new();
	scene->state.current.revoked_count = KEY_ROLL_REVOKED_MAX - 1;
	assert_quiet(scene);
	scene->state.current.revoked_count = KEY_ROLL_REVOKED_MAX;
	assert_true(choose(scene).passive.make_key);
	free(scene);
}

/* Else the vain wish for a certificate would hold up the renewals of what there is; and a certificate would be left without a manifest. */
static void
key_roll__waits_for_a_ca_above_that_is_set_aside(void **unused)
{
	(void)unused;
	struct scene *scene = scene_new();
	scene->state.current.revoked_count = KEY_ROLL_REVOKED_MAX;
	scene->state.parent.set_aside = true;
	assert_quiet(scene);
	free(scene);
	scene = scene_retired(NOW - 3 * DAY);
	scene->state.objects_count = 0;
	assert_true(choose(scene).destroy);
	scene->state.parent.set_aside = true;
	assert_quiet(scene);
	struct ca_plan plan = choose(scene);
	assert_int_equal(key_roll_due(&scene->state, &timing, &plan), 0);
	free(scene);
}

static void
key_roll__stages_nothing_on_what_is_not_published(void **unused)
{
	(void)unused;
	struct scene *scene = scene_new();
	scene->state.roll_at = NOW - DAY;
	scene->state.current.published_at = 0;
	assert_quiet(scene);
	struct ca_plan plan = choose(scene);
	assert_int_equal(key_roll_due(&scene->state, &timing, &plan), NOW + 10);
	scene->state.current.published_at = NOW - DAY;
	scene->state.current.certified = false;
	assert_quiet(scene);
	scene->state.current.certified = scene->state.suspended = true;
	assert_quiet(scene);
	free(scene);
}

static void
key_roll__takes_over_when_its_time_is_over(void **unused)
{
	(void)unused;
	struct scene *scene = scene_staged(NOW - DAY + 100);
	assert_quiet(scene);
	struct ca_plan plan = choose(scene);
	assert_int_equal(key_roll_due(&scene->state, &timing, &plan), NOW + 100);
	scene->state.other.published_at = NOW - DAY;
	plan = choose(scene);
	assert_true(plan.activate);
	assert_ptr_equal(plan.active.instance, &scene->state.other);
	assert_ptr_equal(plan.passive.instance, &scene->state.current);
	assert_int_equal(key_roll_due(&scene->state, &timing, &plan), NOW + 2 * DAY);
	free(scene);
}

static void
key_roll__what_validators_can_not_have_does_not_take_over(void **unused)
{
	(void)unused;
	struct scene *scene = scene_staged(NOW - 2 * DAY);
	scene->state.other.certified = false;                   /* a ceremony is still to bring it */
	assert_quiet(scene);
	scene->state.other.certified = true;
	scene->state.other.certificate.published = false;       /* in no cut yet */
	assert_quiet(scene);
	scene->state.other.certificate.published = true;
	scene->state.other.published_at = 0;
	assert_quiet(scene);
	scene->state.other.published_at = NOW + 30 * DAY;       /* under a clock that was wrong */
	scene->state.other.staging_s = 0;
	assert_quiet(scene);
	scene->state.other.published_at = NOW - 2 * DAY;
	scene->state.suspended = true;
	assert_quiet(scene);
	scene->state.suspended = false;
	assert_true(choose(scene).activate);
	free(scene);
}

static void
key_roll__the_retired_key_stays_until_it_is_drained(void **unused)
{
	(void)unused;
	struct scene *scene = scene_retired(NOW - 2 * DAY + 10);
	struct ca_plan plan = choose(scene);
	assert_quiet(scene);
	assert_int_equal(key_roll_due(&scene->state, &timing, &plan), NOW + 10);
	scene->state.other.retired_at = NOW - 3 * DAY;
	add(scene, OLD_KEY, OBJECT_CER);
	assert_quiet(scene);
	plan = choose(scene);
	assert_int_equal(key_roll_due(&scene->state, &timing, &plan), 0);
	scene->state.objects[2].key_id = NEW_KEY;
	plan = choose(scene);
	assert_true(plan.destroy && !plan.activate);
	assert_ptr_equal(plan.passive.instance, &scene->state.other);
	free(scene);
}

static void
key_roll__a_second_one_waits_for_the_first(void **unused)
{
	(void)unused;
	struct scene *scene = scene_retired(NOW - DAY);
	scene->state.roll_at = NOW - DAY;
	assert_quiet(scene);
	scene->state.other.retired_at = NOW - 2 * DAY;
	struct ca_plan plan = choose(scene);
	assert_true(plan.destroy);
	assert_int_equal(key_roll_due(&scene->state, &timing, &plan), NOW + 10);
	free(scene);
}

static void
key_roll__a_ca_that_goes_keeps_no_retired_key(void **unused)
{
	(void)unused;
	struct scene *scene = scene_retired(NOW);
	scene->state.deleting = true;
	assert_true(choose(scene).destroy);
	free(scene);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(key_roll__nothing_happens_unasked),
		cmocka_unit_test(key_roll__a_first_key_is_made),
		cmocka_unit_test(key_roll__stages_a_key_when_one_is_wanted),
		cmocka_unit_test(key_roll__a_long_crl_asks_for_one),
		cmocka_unit_test(key_roll__waits_for_a_ca_above_that_is_set_aside),
		cmocka_unit_test(key_roll__stages_nothing_on_what_is_not_published),
		cmocka_unit_test(key_roll__takes_over_when_its_time_is_over),
		cmocka_unit_test(key_roll__what_validators_can_not_have_does_not_take_over),
		cmocka_unit_test(key_roll__the_retired_key_stays_until_it_is_drained),
		cmocka_unit_test(key_roll__a_second_one_waits_for_the_first),
		cmocka_unit_test(key_roll__a_ca_that_goes_keeps_no_retired_key),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
