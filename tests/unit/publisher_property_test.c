/*
 * Random streams of changes, with the publisher stopped, restarted and its files spoiled in between: whatever comes, what
 * validators find is the state that the rows say, every listed chain of deltas leads there, and what was lost comes back byte
 * for byte.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "ca/base/atomic_file.h"
#include "tests/support/damage.h"
#include "tests/support/publish_fixture.h"
#include "tests/unit/scratch.h"

#define CUTS 400
#define PATHS 70

static void
require(const char *wrong, const char *when, int64_t serial)
{
	if (wrong != NULL)
		fail_msg("serial %lld, %s: %s", (long long)serial, when, wrong);
}

static void
name_path(struct sample_repository *sample, bool second, char path[64])
{
	uint64_t i = sample_repository_random(sample, PATHS);
	const char *base = second ? "2/" : "";
	(void)snprintf(path, 64, i % 3 == 0 ? "%sm%u/o%u.roa" : i % 3 == 1 ? "%sm%u/deep/er/o%u.cer" : "%sm%u-o%u.crl", base,
		(unsigned)(i % 7), (unsigned)i);
}

/* What one cut brings: mostly a few changes, sometimes many, sometimes the trust anchor's certificate alone. */
static void
change(struct sample_repository *sample, bool has_second)
{
	bool second = has_second && sample_repository_random(sample, 2) == 0;
	char path[64];
	if (sample_repository_random(sample, 25) == 0)
		sample_repository_put(sample, "ta/ta.cer", "ta", 50 + sample_repository_random(sample, 50));
	if (sample_repository_random(sample, 40) == 0)
		return;
	uint64_t changes = sample_repository_random(sample, 10) == 0 ? 40 : 1 + sample_repository_random(sample, 6);
	sample_repository_put(sample, second ? "2/m0/m.mft" : "m0/m.mft", "mft", 20 + sample_repository_random(sample, 200));
	while (changes-- > 0) {
		name_path(sample, second, path);
		if (sample_repository_random(sample, 3) == 0)
			sample_repository_remove(sample, path);
		else
			sample_repository_put(sample, path, "roa", 1 + sample_repository_random(sample, 300));
	}
}

static void
choose_settings(struct sample_repository *sample)
{
	static const int64_t deltas[] = { 0, 1, 7, 40, 250 };
	static const int64_t ages[] = { 20, 100, 86400 };
	static const int64_t graces[] = { 0, 15, 90 };
	sample->settings.deltas_max = deltas[sample_repository_random(sample, 5)];
	sample->settings.delta_age_max_s = ages[sample_repository_random(sample, 3)];
	sample->settings.file_grace_s = graces[sample_repository_random(sample, 3)];
	sample->settings.file_budget = (int64_t)(20000 << sample_repository_random(sample, 8));
	sample->settings.tree_grace_s = graces[sample_repository_random(sample, 3)];
	sample->settings.tree_links_max = (int64_t)(100 << sample_repository_random(sample, 6));
	sample_repository_restart(sample);
}

/* Everything once more, from the database alone. */
static void
rebuild(struct sample_repository *sample, int64_t serial)
{
	char before[65], after[65];
	int64_t repaired = 0;
	published_fingerprint(sample, "rrdp", before);
	uint64_t way = sample_repository_random(sample, 4);
	if (way == 0)
		REQUIRE_DONE(atomic_file_remove_tree(sample->directory, "rrdp", fault));
	else if (way == 1)
		damage_litter(sample);
	damage_some(sample, "rrdp", way * 4);
	damage_some(sample, "rsync", way * 4);
	damage_some(sample, "ta", way / 2);
	if (sample_repository_random(sample, 4) == 0)
		REQUIRE_DONE(atomic_file_remove_tree(sample->directory, "rsync", fault));
	REQUIRE_DONE(publisher_verify(sample->publisher, &repaired, fault));
	published_fingerprint(sample, "rrdp", after);
	if (strcmp(before, after) != 0)
		fail_msg("serial %lld: rrdp is not as it was (way %d)", (long long)serial, (int)way);
	require(published_check(sample), "after a repair", serial);
	REQUIRE_DONE(publisher_verify(sample->publisher, &repaired, fault));
	assert_int_equal(repaired, 0);
}

static void
serve_rsync(struct sample_repository *sample, int64_t serial)
{
	struct fault fault = FAULT_INIT;
	int64_t served;
	enum fault_code code = publisher_rsync(sample->publisher, &served, &fault);
	if (code != FAULT_NONE && code != FAULT_BUSY)
		fail_msg("serial %lld: %s (%s:%d)", (long long)serial, fault.message, fault.file, fault.line);
	if (code == FAULT_NONE)
		assert_int_equal(served, serial);
	require(published_check_rsync(sample), "rsync", serial);
}

/* Of each repository that has been published. */
static void
require_published(struct sample_repository *sample, int64_t serial)
{
	require(published_check_rrdp(sample), "published", serial);
	require(published_check_trust_anchor(sample), "published", serial);
	if (sample_repository_number(sample, "SELECT max(notified_serial) AS n FROM repositories WHERE repository_id = 2") <= 0)
		return;
	sample->looked_at = 2;
	require(published_check_rrdp(sample), "published, the second repository", serial);
	sample->looked_at = 1;
}

/* So many cuts; second_from: after which another repository opens. */
static void
run_stream(void **state, uint64_t seed, int count, int second_from)
{
	struct sample_repository sample;
	const atomic_bool stop = false;
	int64_t published, served;
	sample_repository_open(&sample, *state, seed);
	sample_repository_put(&sample, "ta/ta.cer", "ta", 100);
	sample_repository_put(&sample, "m0/m.mft", "mft", 100);
	for (int cuts = 0; cuts < count; cuts++) {
		if (cuts == second_from) {
			sample_repository_open_second(&sample);
			sample_repository_put(&sample, "2/m0/m.mft", "mft", 100);
		}
		if (cuts > 0)
			change(&sample, cuts >= second_from);
		int64_t serial = sample_repository_cut(&sample, 1 + (int64_t)sample_repository_random(&sample, 4));
		if (sample_repository_random(&sample, 8) == 0)
			continue;
		if (sample_repository_random(&sample, 30) == 0)
			choose_settings(&sample);
		REQUIRE_DONE(publisher_publish(sample.publisher, &published, fault));
		assert_int_equal(published, serial);
		require_published(&sample, serial);
		if (sample_repository_random(&sample, 3) == 0)
			serve_rsync(&sample, serial);
		if (sample_repository_random(&sample, 4) == 0)
			REQUIRE_DONE(publisher_retire(sample.publisher, fault));
		if (sample_repository_random(&sample, 6) == 0)
			REQUIRE_DONE(publisher_compress(sample.publisher, &stop, fault));
		if (sample_repository_random(&sample, 20) == 0)
			rebuild(&sample, serial);
	}
	REQUIRE_DONE(publisher_publish(sample.publisher, &published, fault));
	clock_hand_set(&sample.clock, clock_now(&sample.clock) + 100000);
	REQUIRE_DONE(publisher_rsync(sample.publisher, &served, fault));
	rebuild(&sample, published);
	sample_repository_close(&sample);
}

static void
publisher_property__stream_1(void **state)
{
	run_stream(state, 1, CUTS, CUTS);
}

static void
publisher_property__stream_2(void **state)
{
	run_stream(state, 2, CUTS, CUTS);
}

static void
publisher_property__stream_3(void **state)
{
	run_stream(state, 3, CUTS, CUTS);
}

static void
publisher_property__stream_4(void **state)
{
	run_stream(state, 4, CUTS / 2, 20);
}

static void
publisher_property__stream_5(void **state)
{
	run_stream(state, 5, CUTS / 2, 1);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(publisher_property__stream_1),
		CASE(publisher_property__stream_2),
		CASE(publisher_property__stream_3),
		CASE(publisher_property__stream_4),
		CASE(publisher_property__stream_5),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
