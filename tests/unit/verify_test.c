#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "ca/base/atomic_file.h"
#include "ca/base/metrics.h"
#include "publish/verify.h"
#include "tests/support/damage.h"
#include "tests/support/publish_fixture.h"

#define GRACE 1000

/* Four serials, three trees, everything compressed. */
static void
publish_some(struct publish_fixture *fixture)
{
	const atomic_bool stop = false;
	int64_t serial;
	fixture->sample.settings.tree_grace_s = GRACE;
	sample_repository_restart(&fixture->sample);
	sample_repository_put(&fixture->sample, "ta/ta.cer", "ta", 300);
	sample_repository_put(&fixture->sample, "big.roa", "roa", 5000);
	sample_repository_put(&fixture->sample, "m/a/stays.roa", "roa", 100);
	for (int i = 0; i < 4; i++) {
		sample_repository_put(&fixture->sample, "m/x.mft", "mft", 100);
		(void)publish_fixture_publish(fixture);
		if (i > 0)
			REQUIRE_DONE(publisher_rsync(fixture->sample.publisher, &serial, fault));
	}
	REQUIRE_DONE(publisher_compress(fixture->sample.publisher, &stop, fault));
	REQUIRE_RIGHT(published_check(&fixture->sample));
}

static int64_t
verify(struct publish_fixture *fixture)
{
	int64_t repaired = -1;
	REQUIRE_DONE(publisher_verify(fixture->sample.publisher, &repaired, fault));
	REQUIRE_RIGHT(published_check(&fixture->sample));
	return repaired;
}

static int64_t
trees(struct publish_fixture *fixture)
{
	return sample_repository_number(&fixture->sample, "SELECT count(*) AS n FROM rsync_trees");
}

static void
verify__touches_nothing_before_the_first_notification(void **state)
{
	struct publish_fixture *fixture = *state;
	int64_t repaired = -1;
	REQUIRE_DONE(atomic_file_make_directories(fixture->sample.directory, "rrdp/someone/elses", 0755, fault));
	REQUIRE_DONE(publisher_verify(fixture->sample.publisher, &repaired, fault));
	assert_int_equal(repaired, 0);
	sample_repository_put(&fixture->sample, "a.roa", "roa", 10);
	(void)sample_repository_cut(&fixture->sample, 1);
	REQUIRE_DONE(publisher_verify(fixture->sample.publisher, &repaired, fault));
	assert_int_equal(repaired, 0);
	assert_true(published_exists(&fixture->sample, "rrdp/someone/elses"));
}

static void
verify__leaves_alone_what_is_right(void **state)
{
	struct publish_fixture *fixture = *state;
	struct stat before, after;
	publish_some(fixture);
	assert_int_equal(fstatat(fixture->sample.directory, LAYOUT_NOTIFICATION, &before, 0), 0);
	assert_int_equal(verify(fixture), 0);
	assert_int_equal(fstatat(fixture->sample.directory, LAYOUT_NOTIFICATION, &after, 0), 0);
	assert_int_equal(before.st_ino, after.st_ino);
	assert_true(published_exists(&fixture->sample, LAYOUT_NOTIFICATION ".gz"));
	assert_int_equal(trees(fixture), 3);
}

static void
verify__repairs_each_damage_to_each_file(void **state)
{
	struct publish_fixture *fixture = *state;
	char paths[6][256];
	publish_some(fixture);
	(void)snprintf(paths[0], sizeof paths[0], LAYOUT_NOTIFICATION);
	(void)snprintf(paths[1], sizeof paths[1], "%s", published_path(&fixture->sample, 4, "snapshot.xml"));
	(void)snprintf(paths[2], sizeof paths[2], "%s", published_path(&fixture->sample, 2, "snapshot.xml"));
	(void)snprintf(paths[3], sizeof paths[3], "%s", published_path(&fixture->sample, 4, "delta.xml"));
	(void)snprintf(paths[4], sizeof paths[4], "%s", published_path(&fixture->sample, 2, "delta.xml"));
	(void)snprintf(paths[5], sizeof paths[5], LAYOUT_TRUST_ANCHOR);
	for (size_t i = 0; i < 6; i++)
		for (int damage = 0; damage < DAMAGES; damage++) {
			char before[65], after[65];
			published_fingerprint(&fixture->sample, i < 5 ? "rrdp" : "ta", before);
			damage_file(&fixture->sample, paths[i], (enum damage)damage);
			int64_t repaired = verify(fixture);
			published_fingerprint(&fixture->sample, i < 5 ? "rrdp" : "ta", after);
			if (strcmp(before, after) != 0)
				fail_msg("damage %d to %s stays", damage, paths[i]);
			if (repaired != (damage != DAMAGE_TIME && damage != DAMAGE_MODE))
				fail_msg("damage %d to %s: %lld repaired", damage, paths[i], (long long)repaired);
		}
}

static void
verify__repairs_the_tree_that_is_served(void **state)
{
	static const char *const paths[] = { "m/x.mft", "m/a/stays.roa", "ta/ta.cer", "big.roa" };
	struct publish_fixture *fixture = *state;
	publish_some(fixture);
	for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
		for (int damage = 0; damage < DAMAGES; damage++) {
			char path[256];
			(void)snprintf(path, sizeof path, "rsync/current/%s", paths[i]);
			damage_file(&fixture->sample, path, (enum damage)damage);
			assert_int_equal(verify(fixture), 1);
		}
	REQUIRE_DONE(atomic_file_remove_tree(fixture->sample.directory, "rsync/current/m", fault));
	assert_int_equal(verify(fixture), 2);
	assert_int_equal(fchmodat(fixture->sample.directory, "rsync/current/m", 0700, 0), 0);
	assert_int_equal(verify(fixture), 0);
}

static void
verify__trusts_no_old_tree_that_may_share_what_rotted(void **state)
{
	struct publish_fixture *fixture = *state;
	publish_some(fixture);
	damage_file(&fixture->sample, "rsync/current/m/a/stays.roa", DAMAGE_REMOVE);
	assert_int_equal(verify(fixture), 1);
	assert_int_equal(trees(fixture), 3);
	damage_file(&fixture->sample, "rsync/current/m/a/stays.roa", DAMAGE_FLIP);
	assert_int_equal(verify(fixture), 1);
	assert_int_equal(trees(fixture), 1);
}

static void
verify__drops_old_trees_that_are_not_whole(void **state)
{
	struct publish_fixture *fixture = *state;
	publish_some(fixture);
	damage_file(&fixture->sample, "rsync/1/m/x.mft", DAMAGE_TRUNCATE);
	REQUIRE_DONE(atomic_file_put(fixture->sample.directory, "rsync/2/stray.roa", SPAN("x", 1), 0644, 1, fault));
	assert_int_equal(verify(fixture), 0);
	assert_int_equal(trees(fixture), 1);
	assert_false(published_exists(&fixture->sample, "rsync/1"));
	assert_false(published_exists(&fixture->sample, "rsync/2"));
}

static void
verify__builds_anew_what_is_wholly_gone(void **state)
{
	static const char *const directories[] = { "rrdp", "rsync", "ta", ("rrdp/" SAMPLE_REPOSITORY_SESSION), "rsync/current" };
	struct publish_fixture *fixture = *state;
	char before[65], after[65];
	publish_some(fixture);
	REQUIRE_DONE(atomic_file_remove_tree(fixture->sample.directory, "rsync/3", fault)); /* the one that is served */
	assert_true(verify(fixture) > 0);
	published_fingerprint(&fixture->sample, "rrdp", before);
	for (size_t i = 0; i < sizeof directories / sizeof *directories; i++) {
		REQUIRE_DONE(atomic_file_remove_tree(fixture->sample.directory, directories[i], fault));
		assert_true(verify(fixture) > 0);
		published_fingerprint(&fixture->sample, "rrdp", after);
		assert_string_equal(before, after);
	}
	for (size_t i = 0; i < 3; i++)
		REQUIRE_DONE(atomic_file_remove_tree(fixture->sample.directory, directories[i], fault));
	assert_true(verify(fixture) > 0);
	assert_int_equal(sample_repository_number(&fixture->sample, "SELECT rsync_serial AS n FROM repositories"), 4);
}

static void
verify__turns_the_link_back(void **state)
{
	static const char *const targets[] = { "1", "nowhere", "../rrdp", "3/../1", "/etc" };
	struct publish_fixture *fixture = *state;
	publish_some(fixture);
	for (size_t i = 0; i < sizeof targets / sizeof *targets; i++) {
		assert_int_equal(unlinkat(fixture->sample.directory, "rsync/current", 0), 0);
		assert_int_equal(symlinkat(targets[i], fixture->sample.directory, "rsync/current"), 0);
		assert_int_equal(verify(fixture), 1);
	}
	assert_int_equal(unlinkat(fixture->sample.directory, "rsync/current", 0), 0);
	assert_int_equal(mkdirat(fixture->sample.directory, "rsync/current", 0755), 0);
	assert_int_equal(mkdirat(fixture->sample.directory, "rsync/current/x", 0755), 0);
	assert_int_equal(verify(fixture), 1);
	assert_int_equal(trees(fixture), 3);
}

static void
verify__sweeps_what_belongs_nowhere(void **state)
{
	struct publish_fixture *fixture = *state;
	publish_some(fixture);
	damage_litter(&fixture->sample);
	assert_int_equal(mkdirat(fixture->sample.directory, "rrdp/lost+found", 0700), 0);
	assert_int_equal(mkdirat(fixture->sample.directory, "rsync/lost+found", 0700), 0);
	REQUIRE_DONE(atomic_file_put(fixture->sample.directory, "ta/ta.tal", SPAN("tal", 3), 0644, 1, fault));
	(void)verify(fixture);
	assert_true(published_exists(&fixture->sample, "rrdp/lost+found"));
	assert_true(published_exists(&fixture->sample, "rsync/lost+found"));
	assert_true(published_exists(&fixture->sample, "ta/ta.tal"));
	assert_false(published_exists(&fixture->sample, "ta/ta.cer.tmp-0123456789abcdef"));
	assert_false(published_exists(&fixture->sample, "rsync/old"));
	assert_false(published_exists(&fixture->sample, "rsync/.incoming"));
	assert_true(published_exists(&fixture->sample, LAYOUT_NOTIFICATION ".gz"));
}

/* The other thread is in the middle of it. */
static void
verify__leaves_what_is_being_compressed(void **state)
{
	struct publish_fixture *fixture = *state;
	char path[LAYOUT_PATH], temporary[LAYOUT_PATH + 64];
	int64_t repaired;
	publish_some(fixture);
	(void)snprintf(path, sizeof path, "%s", published_path(&fixture->sample, 4, "snapshot.xml"));
	(void)snprintf(fixture->site.exchange->compressing, sizeof fixture->site.exchange->compressing, "%s", path);
	(void)snprintf(temporary, sizeof temporary, "%s.gz.tmp-00112233aabbccdd", path);
	REQUIRE_DONE(atomic_file_put(fixture->sample.directory, temporary, SPAN("x", 1), 0644, 1, fault));
	REQUIRE_DONE(verify_run(&fixture->site, &repaired, fault));
	assert_true(published_exists(&fixture->sample, temporary));
	fixture->site.exchange->compressing[0] = '\0';
	REQUIRE_DONE(verify_run(&fixture->site, &repaired, fault));
	assert_false(published_exists(&fixture->sample, temporary));
	assert_int_equal(repaired, 0);
}

static void
verify__removes_a_gzip_that_is_not_right(void **state)
{
	struct publish_fixture *fixture = *state;
	char path[LAYOUT_PATH];
	publish_some(fixture);
	damage_file(&fixture->sample, LAYOUT_NOTIFICATION ".gz", DAMAGE_FLIP);
	site_gzip_path(path, published_path(&fixture->sample, 3, "delta.xml"));
	damage_file(&fixture->sample, path, DAMAGE_TRUNCATE);
	(void)verify(fixture);
	assert_false(published_exists(&fixture->sample, LAYOUT_NOTIFICATION ".gz"));
	assert_false(published_exists(&fixture->sample, path));
	/* One that was made from what was damaged. */
	const atomic_bool stop = false;
	damage_file(&fixture->sample, LAYOUT_NOTIFICATION, DAMAGE_FLIP);
	REQUIRE_DONE(publisher_compress(fixture->sample.publisher, &stop, fault));
	assert_true(published_exists(&fixture->sample, LAYOUT_NOTIFICATION ".gz"));
	(void)verify(fixture);
	assert_false(published_exists(&fixture->sample, LAYOUT_NOTIFICATION ".gz"));
}

/* RFC 9697: a file that would come out different is told of, loudly, and never put in place; all others are repaired. */
static void
verify__never_publishes_another_file_under_an_old_name(void **state)
{
	struct publish_fixture *fixture = *state;
	int64_t repaired = -1;
	struct fault fault = FAULT_INIT;
	publish_some(fixture);
	sample_repository_run(&fixture->sample, "UPDATE object_bytes SET der = zeroblob(100) WHERE object_id = "
		"(SELECT object_id FROM objects WHERE published_serial = 2)");
	damage_file(&fixture->sample, published_path(&fixture->sample, 2, "delta.xml"), DAMAGE_REMOVE);
	damage_file(&fixture->sample, published_path(&fixture->sample, 2, "snapshot.xml"), DAMAGE_REMOVE);
	damage_file(&fixture->sample, published_path(&fixture->sample, 3, "delta.xml"), DAMAGE_FLIP);
	damage_file(&fixture->sample, LAYOUT_NOTIFICATION, DAMAGE_EMPTY);
	damage_file(&fixture->sample, LAYOUT_TRUST_ANCHOR, DAMAGE_REMOVE);
	damage_file(&fixture->sample, "rsync/current/big.roa", DAMAGE_REMOVE);
	assert_int_equal(publisher_verify(fixture->sample.publisher, &repaired, &fault), FAULT_DATABASE);
	assert_non_null(strstr(fault.message, "m/x.mft"));
	assert_int_equal(publisher_verify(fixture->sample.publisher, &repaired, NULL), FAULT_DATABASE);
	assert_false(published_exists(&fixture->sample, published_path(&fixture->sample, 2, "delta.xml")));
	assert_false(published_exists(&fixture->sample, published_path(&fixture->sample, 2, "snapshot.xml")));
	assert_true(published_exists(&fixture->sample, published_path(&fixture->sample, 3, "delta.xml")));
	REQUIRE_RIGHT(published_check_trust_anchor(&fixture->sample));
	REQUIRE_RIGHT(published_check_rsync(&fixture->sample));
	assert_true(strlen(publish_fixture_text(fixture, LAYOUT_NOTIFICATION)) > 100);
}

static void
verify__repairs_what_it_can_of_a_tree(void **state)
{
	struct publish_fixture *fixture = *state;
	int64_t repaired = -1;
	struct fault fault = FAULT_INIT;
	publish_some(fixture);
	sample_repository_run(&fixture->sample, "DELETE FROM object_bytes WHERE object_id = "
		"(SELECT object_id FROM objects WHERE path = 'big.roa')");
	damage_file(&fixture->sample, "rsync/current/big.roa", DAMAGE_REMOVE);
	damage_file(&fixture->sample, "rsync/current/m/x.mft", DAMAGE_REMOVE);
	damage_file(&fixture->sample, "rsync/current/m/a/stays.roa", DAMAGE_TRUNCATE);
	assert_int_equal(publisher_verify(fixture->sample.publisher, &repaired, &fault), FAULT_DATABASE);
	assert_non_null(strstr(fault.message, "rsync tree"));
	assert_true(published_exists(&fixture->sample, "rsync/current/m/x.mft"));
	assert_string_equal(strrchr(published_check_rsync(&fixture->sample), ' '), " 4"); /* "… has 3 files instead of 4" */
	assert_false(published_exists(&fixture->sample, "rsync/current/big.roa"));
}

/* The notification never names a snapshot that isn't there. */
static void
verify__puts_no_notification_before_its_snapshot(void **state)
{
	struct publish_fixture *fixture = *state;
	int64_t repaired = -1;
	publish_some(fixture);
	sample_repository_run(&fixture->sample, "UPDATE object_bytes SET der = zeroblob(5000) WHERE object_id = "
		"(SELECT object_id FROM objects WHERE path = 'big.roa')");
	REQUIRE_DONE(atomic_file_remove_tree(fixture->sample.directory, "rrdp", fault));
	assert_int_equal(publisher_verify(fixture->sample.publisher, &repaired, NULL), FAULT_DATABASE);
	assert_int_equal(repaired, -1);
	assert_false(published_exists(&fixture->sample, LAYOUT_NOTIFICATION));
	assert_true(published_exists(&fixture->sample, published_path(&fixture->sample, 4, "delta.xml")));
}

static void
verify__counts_in_the_metrics(void **state)
{
	struct publish_fixture *fixture = *state;
	publish_some(fixture);
	int64_t before = metrics_get(METRIC_FILES_REPAIRED);
	damage_file(&fixture->sample, LAYOUT_NOTIFICATION, DAMAGE_REMOVE);
	damage_file(&fixture->sample, "rsync/current/big.roa", DAMAGE_REMOVE);
	assert_int_equal(verify(fixture), 2);
	assert_int_equal(metrics_get(METRIC_FILES_REPAIRED), before + 2);
}

/* What is published at each point where something may pass. */
struct passing {
	struct publish_fixture *fixture;
	int left, passed;
};

static enum fault_code
publish_in_passing(void *argument, struct fault *fault)
{
	(void)fault;
	struct passing *passing = argument;
	passing->passed++;
	if (passing->left-- <= 0)
		return FAULT_NONE;
	sample_repository_put(&passing->fixture->sample, "m/x.mft", "mft", 100);
	sample_repository_put(&passing->fixture->sample, "ta/ta.cer", "ta", 300);
	(void)publish_fixture_publish(passing->fixture);
	return FAULT_NONE;
}

/* Verifying hundreds of thousands of files holds up no cut, and takes nothing that came meanwhile for foreign or wrong. */
static void
verify__lets_publications_pass(void **state)
{
	struct publish_fixture *fixture = *state;
	struct passing passing = { .fixture = fixture };
	publish_some(fixture);
	publisher_let_pass(fixture->sample.publisher, publish_in_passing, &passing);
	assert_int_equal(verify(fixture), 0);
	int points = passing.passed;
	assert_true(points > 8);
	for (int i = 0; i < points; i += 3) {
		passing.left = points;
		assert_int_equal(verify(fixture), 0);
	}
	/* What was wrong before is put right all the same. */
	damage_file(&fixture->sample, published_path(&fixture->sample, 2, "delta.xml"), DAMAGE_REMOVE);
	passing.left = 1;
	assert_int_equal(verify(fixture), 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		PUBLISH_CASE(verify__touches_nothing_before_the_first_notification),
		PUBLISH_CASE(verify__leaves_alone_what_is_right),
		PUBLISH_CASE(verify__repairs_each_damage_to_each_file),
		PUBLISH_CASE(verify__repairs_the_tree_that_is_served),
		PUBLISH_CASE(verify__trusts_no_old_tree_that_may_share_what_rotted),
		PUBLISH_CASE(verify__drops_old_trees_that_are_not_whole),
		PUBLISH_CASE(verify__builds_anew_what_is_wholly_gone),
		PUBLISH_CASE(verify__turns_the_link_back),
		PUBLISH_CASE(verify__sweeps_what_belongs_nowhere),
		PUBLISH_CASE(verify__leaves_what_is_being_compressed),
		PUBLISH_CASE(verify__lets_publications_pass),
		PUBLISH_CASE(verify__removes_a_gzip_that_is_not_right),
		PUBLISH_CASE(verify__never_publishes_another_file_under_an_old_name),
		PUBLISH_CASE(verify__repairs_what_it_can_of_a_tree),
		PUBLISH_CASE(verify__puts_no_notification_before_its_snapshot),
		PUBLISH_CASE(verify__counts_in_the_metrics),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
