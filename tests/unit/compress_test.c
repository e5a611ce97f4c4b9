#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <cmocka.h>

#include "ca/base/atomic_file.h"
#include "publish/compress.h"
#include "tests/support/damage.h"
#include "tests/support/publish_fixture.h"

#define ROOM (1 << 20)

static const atomic_bool never = false;

static void
publish_some(struct publish_fixture *fixture)
{
	sample_repository_put(&fixture->sample, "big.roa", "roa", 20000);
	(void)publish_fixture_publish(fixture);
	for (int i = 0; i < 3; i++) {
		sample_repository_put(&fixture->sample, "a.roa", "roa", 100);
		(void)publish_fixture_publish(fixture);
	}
}

static void
make_gzips(struct publish_fixture *fixture)
{
	REQUIRE_DONE(compress_run(&fixture->site, &never, fault));
}

/* NULL, or what is wrong with the .gz of a file; that there is none is fine. */
static const char *
check_gzip(struct publish_fixture *fixture, const char *path)
{
	static uint8_t plain[ROOM];
	AUTO_CLEAR(struct bytes, bytes_clear) packed = BYTES_INIT;
	char gzip_path[LAYOUT_PATH];
	struct stat status, gzip_status;
	site_gzip_path(gzip_path, path);
	if (atomic_file_read(fixture->sample.directory, gzip_path, ROOM, &packed, NULL) != FAULT_NONE)
		return NULL;
	z_stream stream = { .next_in = packed.data, .avail_in = (uInt)packed.length, .next_out = plain,
		.avail_out = sizeof plain - 1 };
	if (inflateInit2(&stream, 15 + 16) != Z_OK)
		abort();
	int result = inflate(&stream, Z_FINISH);
	(void)inflateEnd(&stream);
	plain[stream.total_out] = '\0';
	if (result != Z_STREAM_END || stream.avail_in != 0 || strcmp((char *)plain, publish_fixture_text(fixture, path)) != 0)
		return "it holds something else";
	if (fstatat(fixture->sample.directory, path, &status, 0) != 0 ||
		fstatat(fixture->sample.directory, gzip_path, &gzip_status, 0) != 0 ||
		status.st_mtim.tv_sec != gzip_status.st_mtim.tv_sec || (gzip_status.st_mode & 07777) != 0644)
		return "its time or mode is wrong";
	return NULL;
}

static bool
has_gzip(struct publish_fixture *fixture, const char *path)
{
	char gzip_path[LAYOUT_PATH];
	site_gzip_path(gzip_path, path);
	REQUIRE_RIGHT(check_gzip(fixture, path));
	return published_exists(&fixture->sample, gzip_path);
}

static void
compress__makes_what_the_notification_names(void **state)
{
	struct publish_fixture *fixture = *state;
	make_gzips(fixture); /* nothing published: nothing done */
	publish_some(fixture);
	make_gzips(fixture);
	assert_true(has_gzip(fixture, LAYOUT_NOTIFICATION));
	assert_true(has_gzip(fixture, published_path(&fixture->sample, 4, "snapshot.xml")));
	assert_false(has_gzip(fixture, published_path(&fixture->sample, 3, "snapshot.xml")));
	for (int64_t serial = 2; serial <= 4; serial++)
		assert_true(has_gzip(fixture, published_path(&fixture->sample, serial, "delta.xml")));
	REQUIRE_RIGHT(published_check(&fixture->sample));
}

static void
compress__makes_the_same_bytes_again(void **state)
{
	struct publish_fixture *fixture = *state;
	AUTO_CLEAR(struct bytes, bytes_clear) first = BYTES_INIT;
	AUTO_CLEAR(struct bytes, bytes_clear) second = BYTES_INIT;
	char path[LAYOUT_PATH];
	struct stat before, after;
	publish_some(fixture);
	make_gzips(fixture);
	site_gzip_path(path, published_path(&fixture->sample, 4, "snapshot.xml"));
	REQUIRE_DONE(atomic_file_read(fixture->sample.directory, path, ROOM, &first, fault));
	assert_int_equal(fstatat(fixture->sample.directory, path, &before, 0), 0);
	make_gzips(fixture);
	assert_int_equal(fstatat(fixture->sample.directory, path, &after, 0), 0);
	assert_int_equal(before.st_ino, after.st_ino); /* it was left alone */
	REQUIRE_DONE(atomic_file_remove_tree(fixture->sample.directory, path, fault));
	make_gzips(fixture);
	REQUIRE_DONE(atomic_file_read(fixture->sample.directory, path, ROOM, &second, fault));
	assert_true(span_equal(bytes_span(&first), bytes_span(&second)));
}

static void
compress__replaces_one_of_another_time(void **state)
{
	struct publish_fixture *fixture = *state;
	publish_some(fixture);
	REQUIRE_DONE(atomic_file_put(fixture->sample.directory, LAYOUT_NOTIFICATION ".gz", SPAN("old", 3), 0644, 5, fault));
	make_gzips(fixture);
	assert_true(has_gzip(fixture, LAYOUT_NOTIFICATION));
	damage_file(&fixture->sample, LAYOUT_NOTIFICATION ".gz", DAMAGE_DIRECTORY);
	make_gzips(fixture);
	assert_true(has_gzip(fixture, LAYOUT_NOTIFICATION));
}

static void
compress__stops_when_told(void **state)
{
	struct publish_fixture *fixture = *state;
	const atomic_bool stop = true;
	publish_some(fixture);
	REQUIRE_DONE(compress_run(&fixture->site, &stop, fault));
	assert_false(has_gzip(fixture, LAYOUT_NOTIFICATION));
	assert_string_equal(fixture->site.exchange->compressing, "");
	REQUIRE_RIGHT(published_check_kept(&fixture->sample)); /* nothing half done is left */
}

static void
compress__does_without_files_that_are_gone(void **state)
{
	struct publish_fixture *fixture = *state;
	publish_some(fixture);
	REQUIRE_DONE(atomic_file_remove_tree(fixture->sample.directory, published_path(&fixture->sample, 3, "delta.xml"), fault));
	REQUIRE_DONE(atomic_file_remove_tree(fixture->sample.directory, "rrdp/notification.xml", fault));
	make_gzips(fixture);
	assert_true(has_gzip(fixture, published_path(&fixture->sample, 4, "snapshot.xml")));
	REQUIRE_DONE(atomic_file_remove_tree(fixture->sample.directory, "rrdp", fault));
	make_gzips(fixture);
}

static void
compress__check_removes_what_is_not_right(void **state)
{
	struct publish_fixture *fixture = *state;
	struct publication_content content;
	char path[LAYOUT_PATH];
	publish_some(fixture);
	(void)snprintf(path, sizeof path, "%s", published_path(&fixture->sample, 4, "snapshot.xml"));
	content = fixture->cut.snapshot;
	REQUIRE_DONE(compress_check(&fixture->site, path, &content, fault));
	for (int damage = 0; damage < DAMAGES; damage++) {
		char gzip_path[LAYOUT_PATH];
		site_gzip_path(gzip_path, path);
		make_gzips(fixture);
		REQUIRE_DONE(compress_check(&fixture->site, path, &content, fault));
		assert_true(has_gzip(fixture, path));
		damage_file(&fixture->sample, gzip_path, (enum damage)damage);
		REQUIRE_DONE(compress_check(&fixture->site, path, &content, fault));
		if (published_exists(&fixture->sample, gzip_path))
			fail_msg("damage %d is not noticed", damage);
	}
	/* Right in itself, but made from something else. */
	make_gzips(fixture);
	content.hash[0] ^= 1;
	REQUIRE_DONE(compress_check(&fixture->site, path, &content, fault));
	assert_false(has_gzip(fixture, path));
	make_gzips(fixture);
	content = fixture->cut.snapshot;
	content.size--;
	REQUIRE_DONE(compress_check(&fixture->site, path, &content, fault));
	assert_false(has_gzip(fixture, path));
}

/* Hundreds of megabytes are not packed for nobody: another snapshot is what the notification names by now. */
static void
compress__gives_up_what_is_no_longer_named(void **state)
{
	struct publish_fixture *fixture = *state;
	char path[LAYOUT_PATH];
	publish_some(fixture);
	(void)snprintf(path, sizeof path, "%s", published_path(&fixture->sample, 3, "snapshot.xml"));
	REQUIRE_DONE(compress_file(&fixture->site, path, 3, &never, fault));
	assert_false(has_gzip(fixture, path));
	(void)snprintf(path, sizeof path, "%s", published_path(&fixture->sample, 4, "snapshot.xml"));
	REQUIRE_DONE(compress_file(&fixture->site, path, 4, &never, fault));
	assert_true(has_gzip(fixture, path));
	/* A delta is listed for hours. */
	(void)snprintf(path, sizeof path, "%s", published_path(&fixture->sample, 3, "delta.xml"));
	REQUIRE_DONE(compress_file(&fixture->site, path, 0, &never, fault));
	assert_true(has_gzip(fixture, path));
}

/* A large snapshot of one repository keeps nobody from what is small in another; here it can't be packed at all. */
static void
compress__packs_snapshots_after_all_else(void **state)
{
	struct publish_fixture *fixture = *state;
	char path[LAYOUT_PATH];
	sample_repository_open_second(&fixture->sample);
	sample_repository_put(&fixture->sample, "2/a.roa", "roa", 100);
	publish_some(fixture);
	(void)snprintf(path, sizeof path, "%s", published_path(&fixture->sample, 4, "snapshot.xml"));
	damage_file(&fixture->sample, path, DAMAGE_REMOVE);
	assert_int_equal(symlinkat("elsewhere", fixture->sample.directory, path), 0);
	assert_int_equal(compress_run(&fixture->site, &never, NULL), FAULT_IO);
	assert_true(published_exists(&fixture->sample, "rrdp/2/notification.xml.gz"));
}

struct busy {
	struct publisher *publisher;
	atomic_bool done;
	enum fault_code code;
};

static void *
compress_all_the_time(void *argument)
{
	struct busy *busy = argument;
	while (!atomic_load(&busy->done) && busy->code == FAULT_NONE)
		busy->code = publisher_compress(busy->publisher, &never, NULL);
	return NULL;
}

/* Whatever the other thread does, no .gz ever stands beside a file that it was not made from. */
static void
compress__beside_the_publisher(void **state)
{
	struct publish_fixture *fixture = *state;
	struct busy busy;
	pthread_t thread;
	int64_t repaired;
	fixture->sample.settings.file_grace_s = 0;
	sample_repository_restart(&fixture->sample);
	publish_some(fixture);
	busy = (struct busy){ .publisher = fixture->sample.publisher };
	assert_int_equal(pthread_create(&thread, NULL, compress_all_the_time, &busy), 0);
	for (int i = 0; i < 150; i++) {
		sample_repository_put(&fixture->sample, "a.roa", "roa", 100);
		(void)publish_fixture_publish(fixture);
		REQUIRE_RIGHT(check_gzip(fixture, LAYOUT_NOTIFICATION));
		REQUIRE_RIGHT(check_gzip(fixture, published_path(&fixture->sample, fixture->cut.serial, "snapshot.xml")));
		if (i % 10 == 0)
			REQUIRE_DONE(publisher_retire(fixture->sample.publisher, fault));
		if (i % 20 == 0)
			REQUIRE_DONE(publisher_verify(fixture->sample.publisher, &repaired, fault));
	}
	atomic_store(&busy.done, true);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(busy.code, FAULT_NONE);
	REQUIRE_DONE(publisher_verify(fixture->sample.publisher, &repaired, fault));
	REQUIRE_RIGHT(published_check(&fixture->sample));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		PUBLISH_CASE(compress__makes_what_the_notification_names),
		PUBLISH_CASE(compress__makes_the_same_bytes_again),
		PUBLISH_CASE(compress__replaces_one_of_another_time),
		PUBLISH_CASE(compress__stops_when_told),
		PUBLISH_CASE(compress__does_without_files_that_are_gone),
		PUBLISH_CASE(compress__check_removes_what_is_not_right),
		PUBLISH_CASE(compress__gives_up_what_is_no_longer_named),
		PUBLISH_CASE(compress__packs_snapshots_after_all_else),
		PUBLISH_CASE(compress__beside_the_publisher),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
