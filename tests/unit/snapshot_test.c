#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "ca/base/atomic_file.h"
#include "publish/snapshot.h"
#include "tests/support/publish_fixture.h"
#include "tests/support/rrdp_reader.h"

static enum fault_code
write(struct publish_fixture *fixture, const struct publication_content *expected, struct publication_content *ret_content,
	struct fault *fault)
{
	publish_fixture_read(fixture);
	return snapshot_write(&fixture->site, &fixture->repository, &fixture->cut, expected, ret_content, fault);
}

static const char *
path_of(struct publish_fixture *fixture)
{
	return published_path(&fixture->sample, fixture->cut.serial, "snapshot.xml");
}

static void
count_file(void *argument, const char *path)
{
	(void)path;
	++*(size_t *)argument;
}

static size_t
count_files(struct publish_fixture *fixture)
{
	size_t files = 0;
	published_walk(&fixture->sample, "rrdp", count_file, &files);
	return files;
}

static void
snapshot__is_the_state_in_order_of_ids(void **state)
{
	struct publish_fixture *fixture = *state;
	struct publication_content content;
	AUTO_CLEAR(struct rrdp_document, rrdp_reader_clear) document = { .count = 0 };
	sample_repository_put(&fixture->sample, "z.roa", "roa", 10);
	sample_repository_put(&fixture->sample, "gone.roa", "roa", 10);
	sample_repository_put(&fixture->sample, "ta/ta.cer", "ta", 10);
	sample_repository_put(&fixture->sample, "a.roa", "roa", 0);
	(void)sample_repository_cut(&fixture->sample, 1);
	sample_repository_remove(&fixture->sample, "gone.roa");
	sample_repository_put(&fixture->sample, "m/b.cer", "cer", 3000);
	(void)sample_repository_cut(&fixture->sample, 1);
	sample_repository_put(&fixture->sample, "later.roa", "roa", 10);
	sample_repository_remove(&fixture->sample, "z.roa");
	sample_repository_stage(&fixture->sample);
	REQUIRE_DONE(write(fixture, NULL, &content, fault));
	const char *text = publish_fixture_text(fixture, path_of(fixture));
	assert_int_equal(content.size, strlen(text));
	assert_null(rrdp_reader_parse(SPAN(text, strlen(text)), &document));
	assert_int_equal(document.serial, 2);
	assert_int_equal(document.count, 3);
	assert_string_equal(document.elements[0].uri, SAMPLE_REPOSITORY_RSYNC "z.roa");
	assert_string_equal(document.elements[1].uri, SAMPLE_REPOSITORY_RSYNC "a.roa");
	assert_string_equal(document.elements[2].uri, SAMPLE_REPOSITORY_RSYNC "m/b.cer");
	assert_int_equal(document.elements[1].object.length, 0);
	assert_int_equal(document.elements[2].object.length, 3000);
}

/* One page more than full, exactly full, and objects that left since in between. */
static void
snapshot__reads_all_pages(void **state)
{
	struct publish_fixture *fixture = *state;
	struct publication_content first, again;
	char path[32];
	for (int i = 0; i < 2 * SITE_PAGE + 1; i++) {
		(void)snprintf(path, sizeof path, "m%d/o%d.roa", i % 10, i);
		sample_repository_put(&fixture->sample, path, "roa", 20);
	}
	(void)sample_repository_cut(&fixture->sample, 1);
	REQUIRE_DONE(write(fixture, NULL, &first, fault));
	for (int i = 0; i < 2 * SITE_PAGE + 1; i += 3) {
		(void)snprintf(path, sizeof path, "m%d/o%d.roa", i % 10, i);
		sample_repository_put(&fixture->sample, path, "roa", 20);
	}
	(void)sample_repository_cut(&fixture->sample, 1);
	struct publication_cut cut = fixture->cut; /* the first one still */
	REQUIRE_DONE(snapshot_write(&fixture->site, &fixture->repository, &cut, &first, &again, fault));
	for (int i = 0; i < SITE_PAGE + 1; i++) {
		(void)snprintf(path, sizeof path, "m%d/o%d.roa", i % 10, i);
		sample_repository_remove(&fixture->sample, path);
	}
	(void)sample_repository_cut(&fixture->sample, 1);
	assert_int_equal(sample_repository_number(&fixture->sample,
		"SELECT count(*) AS n FROM objects WHERE withdrawn_serial IS NULL"), SITE_PAGE);
	AUTO_CLEAR(struct rrdp_document, rrdp_reader_clear) document = { .count = 0 };
	REQUIRE_DONE(write(fixture, NULL, &first, fault));
	const char *text = publish_fixture_text(fixture, path_of(fixture));
	assert_null(rrdp_reader_parse(SPAN(text, strlen(text)), &document));
	assert_int_equal(document.count, SITE_PAGE);
}

static void
snapshot__keeps_the_file_when_the_rows_give_another(void **state)
{
	struct publish_fixture *fixture = *state;
	struct publication_content content, again;
	sample_repository_put(&fixture->sample, "a.roa", "roa", 10);
	sample_repository_put(&fixture->sample, "b.roa", "roa", 10);
	(void)sample_repository_cut(&fixture->sample, 1);
	REQUIRE_DONE(write(fixture, NULL, &content, fault));
	AUTO(char, free) before = strdup(publish_fixture_text(fixture, path_of(fixture)));
	sample_repository_run(&fixture->sample, "UPDATE object_bytes SET der = x'00010203040506070809' WHERE object_id = 1");
	assert_int_equal(write(fixture, &content, &again, NULL), FAULT_DATABASE);
	assert_string_equal(publish_fixture_text(fixture, path_of(fixture)), before);
	assert_int_equal(count_files(fixture), 1);
}

static void
snapshot__refuses_rows_that_are_not_whole(void **state)
{
	static const char *const harms[] = {
		"DELETE FROM object_bytes WHERE object_id = 2",
		"UPDATE objects SET size = 11 WHERE object_id = 2",
		"UPDATE objects SET path = '../b.roa' WHERE object_id = 2",
		"UPDATE objects SET path = 'a b.roa' WHERE object_id = 2",
		"UPDATE objects SET hash = x'00' WHERE object_id = 2",
		"UPDATE cuts SET random = '../../../x'",
		"UPDATE cuts SET random = '0011223344556677889900112233445566'",
		"UPDATE repositories SET session = 'x/../../../../y'",
		"UPDATE repositories SET rsync_uri = 'rsync://h h/'",
	};
	struct publish_fixture *fixture = *state;
	struct publication_content content;
	for (size_t i = 0; i < sizeof harms / sizeof *harms; i++) {
		AUTO(struct db_connection, db_reader_release) connection = NULL;
		bool found = false;
		sample_repository_put(&fixture->sample, "a.roa", "roa", 10);
		sample_repository_put(&fixture->sample, "b.roa", "roa", 10);
		(void)sample_repository_cut(&fixture->sample, 1);
		sample_repository_run(&fixture->sample, harms[i]);
		assert_int_equal(db_reader_acquire(fixture->sample.db, &connection, NULL), FAULT_NONE);
		enum fault_code code = publisher_store_repository(connection, 1, &fixture->repository, NULL);
		if (code == FAULT_NONE)
			code = publisher_store_cut(connection, 1, fixture->repository.serial, &fixture->cut, &found, NULL);
		if (code == FAULT_NONE)
			code = snapshot_write(&fixture->site, &fixture->repository, &fixture->cut, NULL, &content, NULL);
		if (code != FAULT_DATABASE)
			fail_msg("%s: passes", harms[i]);
		assert_int_equal(count_files(fixture), 0);
		db_reader_release(MOVE(connection));
		sample_repository_run(&fixture->sample, "DELETE FROM objects");
		sample_repository_run(&fixture->sample, "DELETE FROM cuts");
		sample_repository_run(&fixture->sample, "DELETE FROM sqlite_sequence");
		sample_repository_run(&fixture->sample,
			"UPDATE repositories SET serial = 0, session = '" SAMPLE_REPOSITORY_SESSION
			"', rsync_uri = '" SAMPLE_REPOSITORY_RSYNC "'");
	}
}

/* RIPE, 7 January 2026: a migration made every read empty, and an empty repository went out. */
static void
snapshot__an_empty_database_never_publishes(void **state)
{
	struct publish_fixture *fixture = *state;
	struct publication_content content;
	sample_repository_put(&fixture->sample, "ta/ta.cer", "ta", 10);
	(void)sample_repository_cut(&fixture->sample, 1);
	assert_int_equal(write(fixture, NULL, &content, NULL), FAULT_DATABASE);
	assert_int_equal(count_files(fixture), 0);
}

static void
snapshot__makes_its_way(void **state)
{
	struct publish_fixture *fixture = *state;
	struct publication_content content;
	sample_repository_put(&fixture->sample, "a.roa", "roa", 10);
	(void)sample_repository_cut(&fixture->sample, 1);
	REQUIRE_DONE(atomic_file_put(fixture->sample.directory, "rrdp", SPAN("x", 1), 0600, 1, fault));
	REQUIRE_DONE(write(fixture, NULL, &content, fault));
	REQUIRE_DONE(atomic_file_remove_tree(fixture->sample.directory, path_of(fixture), fault));
	REQUIRE_DONE(atomic_file_make_directories(fixture->sample.directory, path_of(fixture), 0700, fault));
	REQUIRE_DONE(write(fixture, &content, &content, fault));
	assert_int_equal(count_files(fixture), 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		PUBLISH_CASE(snapshot__is_the_state_in_order_of_ids),
		PUBLISH_CASE(snapshot__reads_all_pages),
		PUBLISH_CASE(snapshot__keeps_the_file_when_the_rows_give_another),
		PUBLISH_CASE(snapshot__refuses_rows_that_are_not_whole),
		PUBLISH_CASE(snapshot__an_empty_database_never_publishes),
		PUBLISH_CASE(snapshot__makes_its_way),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
