#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "ca/base/atomic_file.h"
#include "ca/base/bytes.h"
#include "ca/base/gzip_reader.h"
#include "ca/base/memory.h"

#define PLENTY (1 << 20)

static char *path;

static int
set_up(void **state)
{
	(void)state;
	const char *root = getenv("TMPDIR");
	assert_int_equal(memory_printf(&path, NULL, "%s/gzip-XXXXXX", root != NULL ? root : "/tmp"), FAULT_NONE);
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	descriptor_close(&fd);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	(void)unlink(path);
	free(path);
	return 0;
}

static void
write_file(struct span content)
{
	assert_int_equal(atomic_file_put(AT_FDCWD, path, content, 0600, ATOMIC_FILE_KEEP_TIME, NULL), FAULT_NONE);
}

/* Appends one gzip member. */
static void
pack(struct bytes *packed, struct span content)
{
	z_stream stream = { .zalloc = NULL };
	assert_int_equal(deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
	size_t bound = deflateBound(&stream, content.length);
	assert_int_equal(bytes_reserve(packed, bound, NULL), FAULT_NONE);
	stream.next_in = (Bytef *)(uintptr_t)content.data;
	stream.avail_in = (uInt)content.length;
	stream.next_out = packed->data + packed->length;
	stream.avail_out = (uInt)bound;
	assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
	packed->length += stream.total_out;
	assert_int_equal(deflateEnd(&stream), Z_OK);
}

static void
write_packed(const char *content, size_t length)
{
	AUTO_CLEAR(struct bytes, bytes_clear) packed = BYTES_INIT;
	pack(&packed, SPAN(content, length));
	write_file(bytes_span(&packed));
}

/* Reads all lines, each followed by "|"; the code of the first fault. */
static enum fault_code
read_lines(size_t line_limit, uint64_t total_limit, struct bytes *lines, struct fault *fault)
{
	AUTO(struct gzip_reader, gzip_reader_free) reader = NULL;
	TRY(gzip_reader_open(path, line_limit, total_limit, &reader, fault));
	for (uint64_t number = 0;; number++) {
		const char *line = NULL;
		size_t length = 0;
		assert_int_equal(gzip_reader_line_number(reader), number);
		TRY(gzip_reader_line(reader, &line, &length, fault));
		if (line == NULL)
			return FAULT_NONE;
		assert_int_equal(strlen(line), length);
		TRY(bytes_append(lines, line, length, fault));
		TRY(bytes_append_text(lines, "|", fault));
	}
}

static void
assert_lines(const char *expected)
{
	AUTO_CLEAR(struct bytes, bytes_clear) lines = BYTES_INIT;
	assert_int_equal(read_lines(PLENTY, PLENTY, &lines, NULL), FAULT_NONE);
	assert_string_equal(bytes_text(&lines), expected);
}

static void
assert_fault(size_t line_limit, uint64_t total_limit, enum fault_code code, const char *words)
{
	AUTO_CLEAR(struct bytes, bytes_clear) lines = BYTES_INIT;
	struct fault fault = FAULT_INIT;
	assert_int_equal(read_lines(line_limit, total_limit, &lines, &fault), code);
	if (strstr(fault.message, words) == NULL)
		fail_msg("\"%s\" is not in \"%s\"", words, fault.message);
}

static void
gzip_reader__lines_plain_and_packed(void **state)
{
	(void)state;
	static const struct {
		const char *content, *lines;
	} cases[] = {
		{ "", "" }, { "\n", "|" }, { "a", "a|" }, { "a\n", "a|" }, { "a\nb", "a|b|" }, { "a\r\nb\r\n", "a|b|" },
		{ "\r\n\r\n", "||" }, { "a\rb\r", "a\rb|" }, { "a\r\r\n", "a\r|" }, { "\n\n\nx", "|||x|" }, { "\x1f", "\x1f|" },
		{ "\x1f\n\x8b", "\x1f|\x8b|" },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		write_file(SPAN(cases[i].content, strlen(cases[i].content)));
		assert_lines(cases[i].lines);
		write_packed(cases[i].content, strlen(cases[i].content));
		assert_lines(cases[i].lines);
	}
}

static void
gzip_reader__lines_across_buffers(void **state)
{
	(void)state;
	AUTO_CLEAR(struct bytes, bytes_clear) content = BYTES_INIT;
	AUTO_CLEAR(struct bytes, bytes_clear) expected = BYTES_INIT;
	for (int i = 0; i < 40; i++) {
		assert_int_equal(bytes_printf(&content, NULL, "%0*d\r\n", i * 997 + 1, i), FAULT_NONE);
		assert_int_equal(bytes_printf(&expected, NULL, "%0*d|", i * 997 + 1, i), FAULT_NONE);
	}
	write_file(bytes_span(&content));
	assert_lines(bytes_text(&expected));
	write_packed(bytes_text(&content), content.length);
	assert_lines(bytes_text(&expected));
}

static void
gzip_reader__line_limit_is_exact(void **state)
{
	(void)state;
	AUTO_CLEAR(struct bytes, bytes_clear) lines = BYTES_INIT;
	static const char *const ends[] = { "", "\n", "\r\n" };
	for (size_t i = 0; i < 3; i++) {
		AUTO_CLEAR(struct bytes, bytes_clear) content = BYTES_INIT;
		assert_int_equal(bytes_printf(&content, NULL, "x\n%070000d%s", 1, ends[i]), FAULT_NONE);
		write_file(bytes_span(&content));
		assert_int_equal(read_lines(70000, PLENTY, &lines, NULL), FAULT_NONE);
		assert_fault(69999, PLENTY, FAULT_TOO_LARGE, "line 2: longer than 69999 bytes");
		assert_fault(10, PLENTY, FAULT_TOO_LARGE, "line 2: longer than 10 bytes");
		assert_fault(0, PLENTY, FAULT_TOO_LARGE, "line 1: longer than 0 bytes");
	}
}

/* These 390,000 bytes are packed into less than a thousand. */
static void
gzip_reader__total_limit_stops_what_unpacks_large(void **state)
{
	(void)state;
	AUTO_CLEAR(struct bytes, bytes_clear) content = BYTES_INIT;
	for (int i = 0; i < 10000; i++)
		assert_int_equal(bytes_append_text(&content, "00000000000000000000000000000000000000\n", NULL), FAULT_NONE);
	write_packed(bytes_text(&content), content.length);
	assert_fault(PLENTY, 100000, FAULT_TOO_LARGE, "the file has more than 100000 bytes");
	assert_fault(PLENTY, content.length - 1, FAULT_TOO_LARGE, "the file has more than");
	assert_fault(PLENTY, 0, FAULT_TOO_LARGE, "line 1: the file has more than 0 bytes");
	AUTO_CLEAR(struct bytes, bytes_clear) lines = BYTES_INIT;
	assert_int_equal(read_lines(PLENTY, content.length, &lines, NULL), FAULT_NONE);
	assert_int_equal(lines.length, content.length);
	write_file(bytes_span(&content));
	assert_fault(PLENTY, 100, FAULT_TOO_LARGE, "line 1: the file has more than 100 bytes");
	assert_fault(PLENTY, content.length - 1, FAULT_TOO_LARGE, "the file has more than");
}

static void
gzip_reader__nul_bytes_are_refused_with_their_line(void **state)
{
	(void)state;
	write_file(SPAN("a\nb\0c\nd\n", 8));
	assert_fault(PLENTY, PLENTY, FAULT_MALFORMED, "line 2: has a NUL byte");
	write_packed("a\n\0\n", 4);
	assert_fault(PLENTY, PLENTY, FAULT_MALFORMED, "line 2: has a NUL byte");
}

static void
gzip_reader__every_cut_is_noticed(void **state)
{
	(void)state;
	AUTO_CLEAR(struct bytes, bytes_clear) packed = BYTES_INIT;
	pack(&packed, SPAN("first\nsecond\nthird 12345 and so on\n", 35));
	for (size_t length = 2; length < packed.length; length++) {
		write_file(SPAN(packed.data, length));
		assert_fault(PLENTY, PLENTY, FAULT_MALFORMED, "the gzip file is cut short");
	}
}

/* A bit that changes anything is noticed; a few (the time in the header, what fills up the last byte) change nothing. */
static void
gzip_reader__damage_is_noticed(void **state)
{
	(void)state;
	AUTO_CLEAR(struct bytes, bytes_clear) packed = BYTES_INIT;
	size_t harmless = 0;
	pack(&packed, SPAN("first\nsecond\nthird 12345 and so on\n", 35));
	for (size_t bit = 16; bit < 8 * packed.length; bit++) {
		AUTO_CLEAR(struct bytes, bytes_clear) lines = BYTES_INIT;
		packed.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
		write_file(bytes_span(&packed));
		if (read_lines(PLENTY, PLENTY, &lines, NULL) != FAULT_MALFORMED) {
			assert_string_equal(bytes_text(&lines), "first|second|third 12345 and so on|");
			harmless++;
		}
		packed.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	assert_in_range(harmless, 0, 8 * 6 + 7 + 1);
}

static void
gzip_reader__members_follow_one_another(void **state)
{
	(void)state;
	AUTO_CLEAR(struct bytes, bytes_clear) packed = BYTES_INIT;
	pack(&packed, SPAN("", 0));
	pack(&packed, SPAN("a\nb", 3));
	for (int i = 0; i < 1000; i++)
		pack(&packed, SPAN("", 0));
	pack(&packed, SPAN("c\nd", 3));
	write_file(bytes_span(&packed));
	assert_lines("a|bc|d|");
	assert_int_equal(bytes_append_text(&packed, "garbage", NULL), FAULT_NONE);
	write_file(bytes_span(&packed));
	assert_fault(PLENTY, PLENTY, FAULT_MALFORMED, "line 3: the gzip file is broken");
}

static void
gzip_reader__faults_name_the_line_they_are_at(void **state)
{
	(void)state;
	AUTO_CLEAR(struct bytes, bytes_clear) content = BYTES_INIT;
	AUTO_CLEAR(struct bytes, bytes_clear) packed = BYTES_INIT;
	for (int i = 0; i < 20000; i++)
		assert_int_equal(bytes_printf(&content, NULL, "%09d\n", i * 7919 % 20011), FAULT_NONE);
	pack(&packed, bytes_span(&content));
	write_file(SPAN(packed.data, packed.length - 4));
	assert_fault(PLENTY, PLENTY, FAULT_MALFORMED, "line 20001: the gzip file is cut short");
}

static void
gzip_reader__reads_bytes_as_they_come(void **state)
{
	(void)state;
	AUTO_CLEAR(struct bytes, bytes_clear) content = BYTES_INIT;
	for (int i = 0; i < 50000; i++)
		assert_int_equal(bytes_append(&content, &i, sizeof i, NULL), FAULT_NONE);
	for (int packed = 0; packed <= 1; packed++) {
		AUTO_CLEAR(struct bytes, bytes_clear) got = BYTES_INIT;
		AUTO(struct gzip_reader, gzip_reader_free) reader = NULL;
		uint8_t room[777];
		size_t length = 0;
		if (packed)
			write_packed((const char *)content.data, content.length);
		else
			write_file(bytes_span(&content));
		assert_int_equal(gzip_reader_open(path, 0, content.length, &reader, NULL), FAULT_NONE);
		do {
			assert_int_equal(gzip_reader_read(reader, room, sizeof room, &length, NULL), FAULT_NONE);
			assert_int_equal(bytes_append(&got, room, length, NULL), FAULT_NONE);
		} while (length > 0);
		assert_true(span_equal(bytes_span(&got), bytes_span(&content)));
	}
}

static void
gzip_reader__the_end_stays_the_end(void **state)
{
	(void)state;
	AUTO(struct gzip_reader, gzip_reader_free) reader = NULL;
	const char *line;
	size_t length;
	write_packed("a", 1);
	assert_int_equal(gzip_reader_open(path, 10, 10, &reader, NULL), FAULT_NONE);
	assert_int_equal(gzip_reader_line(reader, &line, &length, NULL), FAULT_NONE);
	assert_string_equal(line, "a");
	for (int i = 0; i < 3; i++) {
		assert_int_equal(gzip_reader_line(reader, &line, &length, NULL), FAULT_NONE);
		assert_null(line);
	}
	assert_int_equal(gzip_reader_line_number(reader), 1);
}

static void
gzip_reader__what_is_no_file_is_a_fault(void **state)
{
	(void)state;
	struct gzip_reader *reader = NULL;
	struct fault fault = FAULT_INIT;
	assert_int_equal(unlink(path), 0);
	assert_int_equal(gzip_reader_open(path, 10, 10, &reader, &fault), FAULT_NOT_FOUND);
	assert_int_equal(gzip_reader_open("/", 10, 10, &reader, &fault), FAULT_IO);
	assert_null(reader);
	gzip_reader_free(NULL);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(gzip_reader__lines_plain_and_packed),
		CASE(gzip_reader__lines_across_buffers),
		CASE(gzip_reader__line_limit_is_exact),
		CASE(gzip_reader__total_limit_stops_what_unpacks_large),
		CASE(gzip_reader__nul_bytes_are_refused_with_their_line),
		CASE(gzip_reader__every_cut_is_noticed),
		CASE(gzip_reader__damage_is_noticed),
		CASE(gzip_reader__members_follow_one_another),
		CASE(gzip_reader__faults_name_the_line_they_are_at),
		CASE(gzip_reader__reads_bytes_as_they_come),
		CASE(gzip_reader__the_end_stays_the_end),
		CASE(gzip_reader__what_is_no_file_is_a_fault),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
