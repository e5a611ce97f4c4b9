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
#include "publish/rsync_rotation.h"
#include "tests/support/publish_fixture.h"

#define GRACE 100

static void
change_and_publish(struct publish_fixture *fixture)
{
	static unsigned number;
	char path[64];
	(void)snprintf(path, sizeof path, "m%u/x.mft", number++ % 3);
	sample_repository_put(&fixture->sample, path, "mft", 50);
	(void)publish_fixture_publish(fixture);
}

static void
start(struct publish_fixture *fixture)
{
	fixture->sample.settings.tree_grace_s = GRACE;
	sample_repository_restart(&fixture->sample);
	sample_repository_put(&fixture->sample, "ta/ta.cer", "ta", 30);
	sample_repository_put(&fixture->sample, "stays/a.roa", "roa", 30);
	sample_repository_put(&fixture->sample, "stays/b.roa", "roa", 40);
	change_and_publish(fixture);
}

static int64_t
rows(struct publish_fixture *fixture)
{
	return sample_repository_number(&fixture->sample, "SELECT count(*) AS n FROM rsync_trees");
}

static void
later(struct publish_fixture *fixture, int64_t seconds)
{
	clock_hand_set(&fixture->sample.clock, clock_now(&fixture->sample.clock) + seconds);
}

static void
advance(struct publish_fixture *fixture)
{
	int64_t serial;
	REQUIRE_DONE(publisher_rsync(fixture->sample.publisher, &serial, fault));
	assert_int_equal(serial, sample_repository_number(&fixture->sample, "SELECT notified_serial AS n FROM repositories"));
	assert_int_equal(serial, sample_repository_number(&fixture->sample, "SELECT rsync_serial AS n FROM repositories"));
	REQUIRE_RIGHT(published_check_rsync(&fixture->sample));
}

static void
link_name(struct publish_fixture *fixture, char name[64])
{
	ssize_t length = readlinkat(fixture->sample.directory, "rsync/current", name, 63);
	assert_true(length > 0);
	name[length] = '\0';
}

static void
rsync_rotation__nothing_before_the_first_notification(void **state)
{
	struct publish_fixture *fixture = *state;
	int64_t serial = -1;
	REQUIRE_DONE(publisher_rsync(fixture->sample.publisher, &serial, fault));
	assert_int_equal(serial, 0);
	assert_int_equal(rows(fixture), 0);
	assert_false(published_exists(&fixture->sample, "rsync"));
}

static void
rsync_rotation__makes_trees_and_uses_them_again(void **state)
{
	struct publish_fixture *fixture = *state;
	char first[64], name[64];
	start(fixture);
	advance(fixture);
	link_name(fixture, first);
	advance(fixture); /* nothing new: nothing done */
	assert_int_equal(rows(fixture), 1);
	for (int i = 2; i <= 4; i++) {
		later(fixture, 10);
		change_and_publish(fixture);
		advance(fixture);
		assert_int_equal(rows(fixture), i);
	}
	later(fixture, GRACE);
	change_and_publish(fixture);
	advance(fixture);
	assert_int_equal(rows(fixture), 4);
	link_name(fixture, name);
	assert_string_equal(name, first); /* the one that was retired first */
	for (int i = 0; i < 12; i++) {
		later(fixture, GRACE / 3);
		change_and_publish(fixture);
		if (i % 5 == 0)
			sample_repository_remove(&fixture->sample, "m1/x.mft");
		advance(fixture);
	}
	assert_true(rows(fixture) <= 5);
}

/* A validator may be in the middle of a transfer. */
static void
rsync_rotation__an_old_tree_stays_as_it_was_for_its_grace_time(void **state)
{
	struct publish_fixture *fixture = *state;
	char name[64], path[128], before[65], after[65];
	start(fixture);
	advance(fixture);
	link_name(fixture, name);
	(void)snprintf(path, sizeof path, "rsync/%s", name);
	published_fingerprint(&fixture->sample, path, before);
	for (int i = 0; i < 8; i++) {
		later(fixture, GRACE / 10);
		change_and_publish(fixture);
		advance(fixture);
		published_fingerprint(&fixture->sample, path, after);
		assert_string_equal(after, before);
	}
}

static void
rsync_rotation__is_busy_when_no_tree_is_free(void **state)
{
	struct publish_fixture *fixture = *state;
	int64_t serial = -1;
	char before[64], after[64];
	struct fault fault = FAULT_INIT;
	fixture->sample.settings.tree_links_max = 1; /* so that there are no more than two */
	start(fixture);
	advance(fixture);
	change_and_publish(fixture);
	advance(fixture);
	link_name(fixture, before);
	change_and_publish(fixture);
	assert_int_equal(publisher_rsync(fixture->sample.publisher, &serial, &fault), FAULT_BUSY);
	assert_int_equal(serial, -1);
	link_name(fixture, after);
	assert_string_equal(before, after);
	REQUIRE_RIGHT(published_check_rsync(&fixture->sample));
	later(fixture, GRACE);
	advance(fixture);
	assert_int_equal(rows(fixture), 2);
}

/* A cut says how many objects its serial has; to count them takes long where they are many. One made before cuts did says nothing. */
static void
rsync_rotation__takes_the_number_of_objects_from_the_cut(void **state)
{
	struct publish_fixture *fixture = *state;
	int64_t serial;
	fixture->sample.settings.tree_links_max = 20; /* four objects in three trees are fewer */
	start(fixture);
	advance(fixture);
	change_and_publish(fixture);
	advance(fixture);
	change_and_publish(fixture);
	sample_repository_run(&fixture->sample, "UPDATE cuts SET objects = 7 WHERE serial = 3");
	assert_int_equal(publisher_rsync(fixture->sample.publisher, &serial, NULL), FAULT_BUSY);
	assert_int_equal(rows(fixture), 2);
	sample_repository_run(&fixture->sample, "UPDATE cuts SET objects = NULL WHERE serial = 3");
	advance(fixture);
	assert_int_equal(rows(fixture), 3);
}

static void
rsync_rotation__shares_files_between_trees(void **state)
{
	struct publish_fixture *fixture = *state;
	struct stat first, second;
	start(fixture);
	advance(fixture);
	assert_int_equal(fstatat(fixture->sample.directory, "rsync/current/stays/a.roa", &first, 0), 0);
	change_and_publish(fixture);
	advance(fixture);
	assert_int_equal(fstatat(fixture->sample.directory, "rsync/current/stays/a.roa", &second, 0), 0);
	assert_int_equal(first.st_ino, second.st_ino);
	assert_int_equal(second.st_nlink, 2);
}

/* Of equal size and time, as two manifests of one second are: only the serial tells them apart. */
static void
rsync_rotation__shares_no_file_that_only_looks_the_same(void **state)
{
	struct publish_fixture *fixture = *state;
	start(fixture);
	advance(fixture);
	sample_repository_put(&fixture->sample, "stays/a.roa", "roa", 30);
	sample_repository_stage(&fixture->sample);
	sample_repository_run(&fixture->sample, "UPDATE objects SET modified_at = (SELECT min(modified_at) FROM objects) "
		"WHERE path = 'stays/a.roa'");
	change_and_publish(fixture);
	advance(fixture);
}

/* Each point at which a crash can come: what the rows and the disk look like then. */
static void
rsync_rotation__goes_on_after_a_crash_before_the_flip(void **state)
{
	struct publish_fixture *fixture = *state;
	struct publication_tree tree;
	start(fixture);
	advance(fixture);
	/* A new tree, begun, with what is no longer right in it. */
	REQUIRE_DONE(publisher_store_new_tree(fixture->sample.db, &tree, fault));
	assert_int_equal(mkdirat(fixture->sample.directory, "rsync/2", 0700), 0);
	REQUIRE_DONE(atomic_file_put(fixture->sample.directory, "rsync/2/gone.roa", SPAN("x", 1), 0600, 1, fault));
	change_and_publish(fixture);
	advance(fixture);
	assert_int_equal(rows(fixture), 2);
	/* An old one, half brought up to date: some files new, one gone. */
	later(fixture, GRACE);
	sample_repository_remove(&fixture->sample, "stays/b.roa");
	change_and_publish(fixture);
	REQUIRE_DONE(publisher_store_aim_tree(fixture->sample.db, 1, fault));
	REQUIRE_DONE(atomic_file_remove_tree(fixture->sample.directory, "rsync/1/stays/b.roa", fault));
	change_and_publish(fixture);
	advance(fixture);
	assert_int_equal(rows(fixture), 2);
}

static void
rsync_rotation__goes_on_after_a_crash_behind_the_flip(void **state)
{
	struct publish_fixture *fixture = *state;
	start(fixture);
	advance(fixture);
	change_and_publish(fixture);
	advance(fixture);
	/* The link was turned, the database doesn't know yet. */
	sample_repository_run(&fixture->sample, "UPDATE rsync_tree_parts SET serial = 0, target_serial = 2 WHERE tree_id = 2");
	sample_repository_run(&fixture->sample, "UPDATE rsync_trees SET retired_at = NULL WHERE tree_id = 1");
	sample_repository_run(&fixture->sample, "UPDATE repositories SET rsync_serial = 1");
	change_and_publish(fixture);
	advance(fixture);
	assert_int_equal(rows(fixture), 3); /* neither was touched: both may be in use */
	assert_int_equal(sample_repository_number(&fixture->sample, "SELECT serial AS n FROM rsync_tree_parts WHERE tree_id = 2"), 2);
	assert_int_equal(sample_repository_number(&fixture->sample,
		"SELECT count(*) AS n FROM rsync_trees WHERE retired_at IS NULL"), 1);
}

static void
rsync_rotation__keeps_few_spare_trees(void **state)
{
	struct publish_fixture *fixture = *state;
	start(fixture);
	for (int i = 0; i < 8; i++) {
		change_and_publish(fixture);
		advance(fixture);
	}
	assert_int_equal(rows(fixture), 8);
	REQUIRE_DONE(publisher_retire(fixture->sample.publisher, fault));
	assert_int_equal(rows(fixture), 8); /* all in their grace time */
	later(fixture, GRACE);
	REQUIRE_DONE(publisher_retire(fixture->sample.publisher, fault));
	assert_int_equal(rows(fixture), 1 + ROTATION_SPARE_MAX);
	assert_false(published_exists(&fixture->sample, "rsync/1"));
	assert_true(published_exists(&fixture->sample, "rsync/7"));
	REQUIRE_RIGHT(published_check_rsync(&fixture->sample));
}

static void
rsync_rotation__does_without_lost_trees(void **state)
{
	struct publish_fixture *fixture = *state;
	start(fixture);
	advance(fixture);
	change_and_publish(fixture);
	advance(fixture);
	later(fixture, GRACE);
	REQUIRE_DONE(atomic_file_remove_tree(fixture->sample.directory, "rsync/1", fault));
	assert_int_equal(symlinkat("/tmp", fixture->sample.directory, "rsync/1"), 0);
	change_and_publish(fixture);
	advance(fixture);
	assert_int_equal(rows(fixture), 2);
	assert_false(published_exists(&fixture->sample, "rsync/1"));
	/* The one that is served, too: nothing to share files with. */
	REQUIRE_DONE(atomic_file_remove_tree(fixture->sample.directory, "rsync/3", fault));
	later(fixture, GRACE);
	change_and_publish(fixture);
	advance(fixture);
	/* And all that could be used again. */
	later(fixture, GRACE);
	REQUIRE_DONE(atomic_file_remove_tree(fixture->sample.directory, "rsync", fault));
	change_and_publish(fixture);
	advance(fixture);
}

static enum fault_code
publish_in_passing(void *argument, struct fault *fault)
{
	(void)fault;
	struct publish_fixture *fixture = argument;
	change_and_publish(fixture);
	return FAULT_NONE;
}

/* A tree of hundreds of thousands of files takes its time: it is of the serial that it was begun for, and the next one follows. */
static void
rsync_rotation__lets_publications_pass(void **state)
{
	struct publish_fixture *fixture = *state;
	int64_t serial;
	start(fixture);
	publisher_let_pass(fixture->sample.publisher, publish_in_passing, fixture);
	for (int64_t i = 1; i <= 4; i++) {
		REQUIRE_DONE(publisher_rsync(fixture->sample.publisher, &serial, fault));
		assert_int_equal(serial, i);
		assert_int_equal(sample_repository_number(&fixture->sample, "SELECT notified_serial AS n FROM repositories"), i + 1);
		REQUIRE_RIGHT(published_check(&fixture->sample));
	}
	publisher_let_pass(fixture->sample.publisher, NULL, NULL);
	advance(fixture);
}

static enum fault_code
stop_here(void *argument, struct fault *fault)
{
	(void)argument;
	return fault_set(fault, FAULT_BUSY, "enough");
}

/* Nor does dropping one, which takes as long. What is left of it when a server stops in the middle is swept away later. */
static void
rsync_rotation__lets_publications_pass_while_trees_go(void **state)
{
	struct publish_fixture *fixture = *state;
	start(fixture);
	for (int i = 0; i < ROTATION_SPARE_MAX + 3; i++) {
		advance(fixture);
		change_and_publish(fixture);
	}
	advance(fixture);
	later(fixture, GRACE);
	int64_t serial = sample_repository_number(&fixture->sample, "SELECT notified_serial AS n FROM repositories"), repaired;
	publisher_let_pass(fixture->sample.publisher, stop_here, NULL);
	assert_int_equal(publisher_retire(fixture->sample.publisher, NULL), FAULT_BUSY);
	publisher_let_pass(fixture->sample.publisher, publish_in_passing, fixture);
	REQUIRE_DONE(publisher_retire(fixture->sample.publisher, fault));
	assert_true(sample_repository_number(&fixture->sample, "SELECT notified_serial AS n FROM repositories") > serial);
	assert_int_equal(rows(fixture), ROTATION_SPARE_MAX + 1);
	publisher_let_pass(fixture->sample.publisher, NULL, NULL);
	REQUIRE_DONE(publisher_verify(fixture->sample.publisher, &repaired, fault));
	REQUIRE_RIGHT(published_check(&fixture->sample));
}

/* Half of a tree that was made anew is never taken for the tree that was lost. */
static void
rsync_rotation__makes_a_lost_tree_from_nothing_though_it_is_interrupted(void **state)
{
	struct publish_fixture *fixture = *state;
	int64_t serial;
	start(fixture);
	advance(fixture);
	change_and_publish(fixture);
	advance(fixture);
	later(fixture, GRACE);
	REQUIRE_DONE(atomic_file_remove_tree(fixture->sample.directory, "rsync/1", fault));
	change_and_publish(fixture);
	publisher_let_pass(fixture->sample.publisher, stop_here, NULL);
	assert_int_equal(publisher_rsync(fixture->sample.publisher, &serial, NULL), FAULT_BUSY);
	publisher_let_pass(fixture->sample.publisher, NULL, NULL);
	/* Before it came to this one. */
	REQUIRE_DONE(site_remove(&fixture->site, "rsync/1/stays/a.roa", fault));
	REQUIRE_DONE(site_remove(&fixture->site, "rsync/3/stays/a.roa", fault));
	advance(fixture);
	assert_int_equal(rows(fixture), 2);
}

/* A server that is told to stop doesn't end the tree first. The next start does. */
static void
rsync_rotation__stops_between_pages(void **state)
{
	struct publish_fixture *fixture = *state;
	int64_t serial = 77;
	start(fixture);
	publisher_let_pass(fixture->sample.publisher, stop_here, NULL);
	assert_int_equal(publisher_rsync(fixture->sample.publisher, &serial, NULL), FAULT_BUSY);
	assert_int_equal(serial, 77);
	publisher_let_pass(fixture->sample.publisher, NULL, NULL);
	advance(fixture);
	assert_int_equal(rows(fixture), 1);
}

static enum fault_code
stop_after(void *argument, struct fault *fault)
{
	int *pages = argument;
	return --*pages > 0 ? FAULT_NONE : fault_set(fault, FAULT_BUSY, "enough");
}

/* An old tree that meets a new repository has nothing of it by its row, whatever an interrupted attempt has put there. */
static void
rsync_rotation__keeps_nothing_that_left_a_repository_since_it_was_interrupted(void **state)
{
	struct publish_fixture *fixture = *state;
	int64_t serial;
	start(fixture);
	advance(fixture);
	change_and_publish(fixture);
	advance(fixture);
	later(fixture, GRACE);
	sample_repository_open_second(&fixture->sample);
	sample_repository_put(&fixture->sample, "2/stays.roa", "roa", 30);
	sample_repository_put(&fixture->sample, "2/leaves.roa", "roa", 30);
	(void)publish_fixture_publish(fixture);
	int pages = 2; /* one of each repository */
	publisher_let_pass(fixture->sample.publisher, stop_after, &pages);
	assert_int_equal(publisher_rsync(fixture->sample.publisher, &serial, NULL), FAULT_BUSY);
	assert_true(published_exists(&fixture->sample, "rsync/1/2/leaves.roa"));
	publisher_let_pass(fixture->sample.publisher, NULL, NULL);
	sample_repository_remove(&fixture->sample, "2/leaves.roa");
	(void)publish_fixture_publish(fixture);
	REQUIRE_DONE(publisher_rsync(fixture->sample.publisher, &serial, fault));
	assert_false(published_exists(&fixture->sample, "rsync/1/2/leaves.roa"));
	REQUIRE_RIGHT(published_check_rsync(&fixture->sample));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		PUBLISH_CASE(rsync_rotation__lets_publications_pass),
		PUBLISH_CASE(rsync_rotation__stops_between_pages),
		PUBLISH_CASE(rsync_rotation__lets_publications_pass_while_trees_go),
		PUBLISH_CASE(rsync_rotation__nothing_before_the_first_notification),
		PUBLISH_CASE(rsync_rotation__makes_trees_and_uses_them_again),
		PUBLISH_CASE(rsync_rotation__an_old_tree_stays_as_it_was_for_its_grace_time),
		PUBLISH_CASE(rsync_rotation__is_busy_when_no_tree_is_free),
		PUBLISH_CASE(rsync_rotation__takes_the_number_of_objects_from_the_cut),
		PUBLISH_CASE(rsync_rotation__shares_files_between_trees),
		PUBLISH_CASE(rsync_rotation__shares_no_file_that_only_looks_the_same),
		PUBLISH_CASE(rsync_rotation__goes_on_after_a_crash_before_the_flip),
		PUBLISH_CASE(rsync_rotation__goes_on_after_a_crash_behind_the_flip),
		PUBLISH_CASE(rsync_rotation__keeps_few_spare_trees),
		PUBLISH_CASE(rsync_rotation__does_without_lost_trees),
		PUBLISH_CASE(rsync_rotation__makes_a_lost_tree_from_nothing_though_it_is_interrupted),
		PUBLISH_CASE(rsync_rotation__keeps_nothing_that_left_a_repository_since_it_was_interrupted),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
