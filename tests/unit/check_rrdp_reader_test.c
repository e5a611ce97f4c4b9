#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <fcntl.h>
#include <unistd.h>

#include "publish/check/check_rrdp_reader.h"
#include "tests/unit/scratch.h"

#define CASE(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)
#define HASH "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define HEAD(root) "<?xml version=\"1.0\" encoding=\"US-ASCII\"?>\n<" root " xmlns=\"http://www.ripe.net/rpki/rrdp\" version=\"1\" " \
	"session_id=\"0d1c2b3a-4f5e-4d7c-8b9a-a0b1c2d3e4f5\" serial=\"3\">\n"

struct seen {
	size_t count;
	char uris[4][64];
	size_t sizes[4];
	int64_t serials[4], offsets[4], lengths[4];
	bool hashes[4];
};

static enum fault_code
take(void *argument, const struct check_rrdp_head *head, const struct check_rrdp_element *element, struct fault *fault)
{
	struct seen *seen = argument;
	(void)fault;
	assert_int_equal(head->serial, 3);
	assert_true(seen->count < 4);
	(void)snprintf(seen->uris[seen->count], sizeof seen->uris[0], "%s", element->uri);
	seen->sizes[seen->count] = element->object.length;
	seen->serials[seen->count] = element->serial;
	seen->offsets[seen->count] = element->offset;
	seen->lengths[seen->count] = element->length;
	seen->hashes[seen->count++] = element->has_hash;
	return FAULT_NONE;
}

/* Reads a text as a file. */
static struct check_rrdp_file
read_text(void **state, enum check_rrdp_root root, const char *text, struct seen *seen)
{
	struct check_rrdp_file file;
	AUTO_CLEAR(int, descriptor_close) fd = open(scratch_path(state, "file"), O_RDWR | O_CREAT | O_TRUNC, 0600);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	*seen = (struct seen){ .count = 0 };
	assert_int_equal(check_rrdp_read(fd, root, 1 << 20, take, seen, &file, NULL), FAULT_NONE);
	assert_int_equal(file.size, strlen(text));
	return file;
}

static void
check_rrdp_reader__reads_a_notification(void **state)
{
	struct seen seen;
	struct check_rrdp_file file = read_text(state, CHECK_RRDP_NOTIFICATION, HEAD("notification")
		"<snapshot uri=\"https://a.example/s\" hash=\"" HASH "\"/>\n<delta hash=\"" HASH "\" serial=\"2\" uri=\"https://a.example/d&amp;\"/>"
		"</notification>\n", &seen);
	assert_string_equal(file.wrong, "");
	assert_string_equal(file.head.session, "0d1c2b3a-4f5e-4d7c-8b9a-a0b1c2d3e4f5");
	assert_int_equal(seen.count, 2);
	assert_string_equal(seen.uris[1], "https://a.example/d&");
	assert_int_equal(seen.serials[1], 2);
}

static void
check_rrdp_reader__tells_where_objects_stand(void **state)
{
	static const char text[] = HEAD("snapshot") "<publish uri=\"rsync://a.example/m/a.roa\">AAEC</publish>\n"
		"<publish uri=\"rsync://a.example/m/b.roa\"> AAEC\n AwQF </publish>"
		"<publish uri=\"rsync://a.example/m/c.roa\">AAECAAECAAEC\tAAECA\nAECAAECAAECAAECA AECAAEC\n</publish></snapshot>";
	struct seen seen;
	struct check_rrdp_file file = read_text(state, CHECK_RRDP_SNAPSHOT, text, &seen);
	assert_string_equal(file.wrong, "");
	assert_int_equal(seen.count, 3);
	assert_int_equal(seen.sizes[2], 30);
	assert_int_equal(seen.sizes[0], 3);
	assert_int_equal(seen.sizes[1], 6);
	assert_memory_equal(text + seen.offsets[0], "AAEC<", 5);
	assert_int_equal(seen.lengths[0], 4);
	assert_memory_equal(text + seen.offsets[1], " AAEC\n AwQF <", 13);
	assert_int_equal(seen.lengths[1], 12);
}

static void
check_rrdp_reader__reads_a_delta(void **state)
{
	struct seen seen;
	struct check_rrdp_file file = read_text(state, CHECK_RRDP_DELTA, HEAD("delta")
		"<publish uri=\"rsync://a.example/m/a.roa\" hash=\"" HASH "\">AAEC</publish><publish uri=\"rsync://a.example/m/b.roa\">AAEC"
		"</publish><withdraw uri=\"rsync://a.example/m/c.roa\" hash=\"" HASH "\"/></delta>", &seen);
	assert_string_equal(file.wrong, "");
	assert_int_equal(seen.count, 3);
	assert_true(seen.hashes[0] && !seen.hashes[1] && seen.hashes[2]);
}

/* Each is wrong; the hash of the file is told nonetheless. */
static void
check_rrdp_reader__refuses_what_is_not_rrdp(void **state)
{
	static const struct {
		enum check_rrdp_root root;
		const char *text;
	} rows[] = {
		{ CHECK_RRDP_SNAPSHOT, "" },
		{ CHECK_RRDP_SNAPSHOT, "text" },
		{ CHECK_RRDP_SNAPSHOT, HEAD("snapshot") },
		{ CHECK_RRDP_SNAPSHOT, HEAD("snapshot") "</snapshot><more/>" },
		{ CHECK_RRDP_SNAPSHOT, HEAD("delta") "</delta>" },
		{ CHECK_RRDP_SNAPSHOT, HEAD("snapshot") "words</snapshot>" },
		{ CHECK_RRDP_SNAPSHOT, HEAD("snapshot") "<withdraw uri=\"a\" hash=\"" HASH "\"/></snapshot>" },
		{ CHECK_RRDP_SNAPSHOT, HEAD("snapshot") "<publish>AAEC</publish></snapshot>" },
		{ CHECK_RRDP_SNAPSHOT, HEAD("snapshot") "<publish uri=\"a\" hash=\"" HASH "\">AAEC</publish></snapshot>" },
		{ CHECK_RRDP_SNAPSHOT, HEAD("snapshot") "<publish uri=\"a\" more=\"b\">AAEC</publish></snapshot>" },
		{ CHECK_RRDP_SNAPSHOT, HEAD("snapshot") "<publish uri=\"a\">AAE</publish></snapshot>" },
		{ CHECK_RRDP_SNAPSHOT, HEAD("snapshot") "<publish uri=\"a\">AA=C</publish></snapshot>" },
		{ CHECK_RRDP_SNAPSHOT, HEAD("snapshot") "<publish uri=\"a\">AA<x/>EC</publish></snapshot>" },
		{ CHECK_RRDP_SNAPSHOT, HEAD("snapshot") "<publish uri=\"\xc3\xa9\">AAEC</publish></snapshot>" },
		{ CHECK_RRDP_SNAPSHOT, HEAD("snapshot") "<!-- \xc3\xa9 --></snapshot>" },
		{ CHECK_RRDP_SNAPSHOT, "\xef\xbb\xbf" HEAD("snapshot") "</snapshot>" },
		{ CHECK_RRDP_SNAPSHOT, HEAD("snapshot") "<publish uri=\"a\">AAECAAEC&#233;AE</publish></snapshot>" },
		{ CHECK_RRDP_SNAPSHOT, HEAD("snapshot") "<publish uri=\"a\"><![CDATA[AAEC]]></publish></snapshot>" },
		{ CHECK_RRDP_SNAPSHOT, HEAD("snapshot") "<publish uri=\"a\">&#65;AEC</publish></snapshot>" },
		{ CHECK_RRDP_SNAPSHOT, HEAD("snapshot") "<publish uri=\"a\">AA<!-- x -->EC</publish></snapshot>" },
		{ CHECK_RRDP_DELTA, HEAD("delta") "<withdraw uri=\"a\"/></delta>" },
		{ CHECK_RRDP_DELTA, HEAD("delta") "<withdraw uri=\"a\" hash=\"0011\"/></delta>" },
		{ CHECK_RRDP_DELTA, HEAD("delta") "<withdraw uri=\"a\" hash=\"" HASH "\">x</withdraw></delta>" },
		{ CHECK_RRDP_NOTIFICATION, HEAD("notification") "<snapshot uri=\"a\"/></notification>" },
		{ CHECK_RRDP_NOTIFICATION, HEAD("notification") "<delta uri=\"a\" hash=\"" HASH "\"/></notification>" },
		{ CHECK_RRDP_NOTIFICATION, HEAD("notification") "<delta serial=\"0\" uri=\"a\" hash=\"" HASH "\"/></notification>" },
		{ CHECK_RRDP_NOTIFICATION, HEAD("notification") "<delta serial=\"02\" uri=\"a\" hash=\"" HASH "\"/></notification>" },
		{ CHECK_RRDP_NOTIFICATION, HEAD("notification") "<delta serial=\"9999999999999999999\" uri=\"a\" hash=\"" HASH
			"\"/></notification>" },
		{ CHECK_RRDP_NOTIFICATION, "<notification xmlns=\"http://www.ripe.net/rpki/rrdp\" version=\"1\" "
			"session_id=\"0d1c2b3a-4f5e-1d7c-8b9a-a0b1c2d3e4f5\" serial=\"3\"/>" },
		{ CHECK_RRDP_NOTIFICATION, "<notification xmlns=\"http://www.ripe.net/rpki/other\" version=\"1\" "
			"session_id=\"0d1c2b3a-4f5e-4d7c-8b9a-a0b1c2d3e4f5\" serial=\"3\"/>" },
		{ CHECK_RRDP_NOTIFICATION, "<notification version=\"1\" session_id=\"0d1c2b3a-4f5e-4d7c-8b9a-a0b1c2d3e4f5\" serial=\"3\"/>" },
		{ CHECK_RRDP_NOTIFICATION, "<!DOCTYPE x [<!ENTITY a \"b\">]>" HEAD("notification") "</notification>" },
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct seen seen;
		uint8_t hash[SHA256_SIZE];
		struct check_rrdp_file file = read_text(state, rows[i].root, rows[i].text, &seen);
		if (file.wrong[0] == '\0')
			fail_msg("taken: %s", rows[i].text);
		assert_int_equal(digest_sha256(SPAN(rows[i].text, strlen(rows[i].text)), hash, NULL), FAULT_NONE);
		assert_memory_equal(file.hash, hash, SHA256_SIZE);
	}
}

static void
check_rrdp_reader__has_a_limit(void **state)
{
	struct seen seen = { .count = 0 };
	struct check_rrdp_file file;
	AUTO_CLEAR(int, descriptor_close) fd = open(scratch_path(state, "file"), O_RDWR | O_CREAT | O_TRUNC, 0600);
	static const char text[] = HEAD("snapshot") "</snapshot>";
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	assert_int_equal(check_rrdp_read(fd, CHECK_RRDP_SNAPSHOT, 20, take, &seen, &file, NULL), FAULT_TOO_LARGE);
}

static enum fault_code
give_up(void *argument, const struct check_rrdp_head *head, const struct check_rrdp_element *element, struct fault *fault)
{
	(void)argument;
	(void)head;
	(void)element;
	return fault_set(fault, FAULT_BUSY, "stopped");
}

static void
check_rrdp_reader__stops_when_told(void **state)
{
	static const char text[] = HEAD("snapshot") "<publish uri=\"a\">AAEC</publish></snapshot>";
	AUTO(struct check_rrdp_reader, check_rrdp_reader_free) reader = NULL;
	(void)state;
	assert_int_equal(check_rrdp_reader_new(CHECK_RRDP_SNAPSHOT, give_up, NULL, &reader, NULL), FAULT_NONE);
	assert_int_equal(check_rrdp_reader_feed(reader, text, strlen(text), true, NULL), FAULT_BUSY);
	assert_int_equal(check_rrdp_reader_feed(reader, text, strlen(text), true, NULL), FAULT_BUSY);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(check_rrdp_reader__reads_a_notification),
		CASE(check_rrdp_reader__tells_where_objects_stand),
		CASE(check_rrdp_reader__reads_a_delta),
		CASE(check_rrdp_reader__refuses_what_is_not_rrdp),
		CASE(check_rrdp_reader__has_a_limit),
		CASE(check_rrdp_reader__stops_when_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
