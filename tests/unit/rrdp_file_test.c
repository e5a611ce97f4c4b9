#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <fcntl.h>
#include <unistd.h>

#include "publish/rrdp_file.h"
#include "tests/support/publish_fixture.h"

#define PATH "rrdp/x/file.xml"
#define LINES 40000 /* of LINE bytes: a dozen blocks */
#define LINE 100

static void
open_file(struct publish_fixture *fixture, struct rrdp_file *file)
{
	REQUIRE_DONE(rrdp_file_open(file, &fixture->site, PATH, fault));
}

/* Line i of the file: each is another. */
static void
make_line(size_t i, char line[LINE])
{
	memset(line, 'a' + (char)(i % 26), LINE);
	for (size_t at = 0; i > 0; i /= 10)
		line[at++] = '0' + (char)(i % 10);
	line[LINE - 1] = '\n';
}

static enum fault_code
add_lines(struct rrdp_file *file, size_t count, struct fault *fault)
{
	for (size_t i = 0; i < count; i++) {
		char line[LINE];
		make_line(i, line);
		TRY(bytes_append(&file->text, line, LINE, fault));
		TRY(rrdp_file_drain(file, fault));
	}
	return FAULT_NONE;
}

static void
count_file(void *argument, const char *path)
{
	(void)path;
	++*(size_t *)argument;
}

static bool
is_there(struct publish_fixture *fixture)
{
	return published_exists(&fixture->sample, PATH);
}

/* A block, less, more, many: what is on disk is what was gathered, in its order, and so are hash and size. */
static void
rrdp_file__has_all_blocks_in_order(void **state)
{
	struct publish_fixture *fixture = *state;
	static const size_t counts[] = { 0, 1, SITE_BLOCK / LINE, SITE_BLOCK / LINE + 1, SITE_BLOCK / LINE + 2, LINES };
	for (size_t k = 0; k < sizeof counts / sizeof *counts; k++) {
		AUTO_CLEAR(struct rrdp_file, rrdp_file_clear) file = RRDP_FILE_INIT;
		AUTO_CLEAR(struct bytes, bytes_clear) found = BYTES_INIT;
		struct publication_content content;
		uint8_t hash[SHA256_SIZE];
		open_file(fixture, &file);
		REQUIRE_DONE(add_lines(&file, counts[k], fault));
		assert_int_equal(file.writer != NULL, counts[k] * LINE >= SITE_BLOCK);
		REQUIRE_DONE(rrdp_file_commit(&file, 1000, NULL, &content, fault));
		REQUIRE_DONE(atomic_file_read(fixture->site.directory, PATH, LINES * LINE, &found, fault));
		assert_int_equal(content.size, counts[k] * LINE);
		assert_int_equal(found.length, counts[k] * LINE);
		REQUIRE_DONE(digest_sha256(bytes_span(&found), hash, fault));
		assert_memory_equal(hash, content.hash, SHA256_SIZE);
		for (size_t i = 0; i < counts[k]; i++) {
			char line[LINE];
			make_line(i, line);
			assert_memory_equal(found.data + i * LINE, line, LINE);
		}
	}
}

/* The disk is full while another thread writes: told at one of the next blocks, at the latest by the commit; nothing is put in place. */
static void
rrdp_file__tells_what_its_writer_met(void **state)
{
	struct publish_fixture *fixture = *state;
	for (size_t lines = SITE_BLOCK / LINE + 1; lines <= LINES; lines *= 2) {
		AUTO_CLEAR(struct rrdp_file, rrdp_file_clear) file = RRDP_FILE_INIT;
		struct publication_content content;
		struct fault fault = FAULT_INIT;
		open_file(fixture, &file);
		int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
		assert_true(full >= 0 && dup2(full, file.file.fd) >= 0);
		(void)close(full);
		enum fault_code code = add_lines(&file, lines, &fault);
		if (code == FAULT_NONE)
			code = rrdp_file_commit(&file, 1000, NULL, &content, &fault);
		assert_int_equal(code, FAULT_DISK);
		assert_int_equal(fault.code, FAULT_DISK);
		assert_null(file.writer);
		assert_false(is_there(fixture));
	}
}

/* With the writer in the middle of it, and without anybody who wants to know. */
static void
rrdp_file__given_up_leaves_nothing(void **state)
{
	struct publish_fixture *fixture = *state;
	size_t files = 0;
	for (size_t lines = 0; lines <= LINES; lines = lines * 3 + 1) {
		AUTO_CLEAR(struct rrdp_file, rrdp_file_clear) file = RRDP_FILE_INIT;
		open_file(fixture, &file);
		REQUIRE_DONE(add_lines(&file, lines, fault));
	}
	published_walk(&fixture->sample, "rrdp", count_file, &files);
	assert_int_equal(files, 0);
}

/* RFC 9697: under the same name never other bytes. */
static void
rrdp_file__of_another_content_is_not_put_in_place(void **state)
{
	struct publish_fixture *fixture = *state;
	struct publication_content expected = { .size = LINES * LINE }, content;
	AUTO_CLEAR(struct rrdp_file, rrdp_file_clear) file = RRDP_FILE_INIT;
	open_file(fixture, &file);
	REQUIRE_DONE(add_lines(&file, LINES, fault));
	assert_int_equal(rrdp_file_commit(&file, 1000, &expected, &content, NULL), FAULT_DATABASE);
	assert_false(is_there(fixture));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		PUBLISH_CASE(rrdp_file__has_all_blocks_in_order),
		PUBLISH_CASE(rrdp_file__tells_what_its_writer_met),
		PUBLISH_CASE(rrdp_file__given_up_leaves_nothing),
		PUBLISH_CASE(rrdp_file__of_another_content_is_not_put_in_place),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
