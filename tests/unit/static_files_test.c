#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/server/static_files.h"
#include "ca/base/atomic_file.h"
#include "tests/unit/scratch.h"

#define NOW INT64_C(1767225600) /* Thu, 01 Jan 2026 00:00:00 GMT */
#define SESSION "3a8f1d6e-2b7c-4e55-9d10-6c0f4f0b8a21"
#define RANDOM "00112233445566778899aabbccddeeff"
#define DEEP "rrdp/" SESSION "/12/" RANDOM

static void
put(void **state, const char *path, const char *text, int64_t modified_at)
{
	assert_int_equal(atomic_file_put(AT_FDCWD, scratch_path(state, path), SPAN(text, strlen(text)), 0644, modified_at, NULL),
		FAULT_NONE);
}

/* A data directory as the publisher leaves it. */
static int
setup(void **state)
{
	if (scratch_setup(state) != 0)
		return -1;
	assert_int_equal(atomic_file_make_directories(AT_FDCWD, scratch_path(state, DEEP), 0755, NULL), FAULT_NONE);
	assert_int_equal(atomic_file_make_directories(AT_FDCWD, scratch_path(state, "ta"), 0755, NULL), FAULT_NONE);
	put(state, "secret", "the master key", NOW);
	put(state, "rrdp/notification.xml", "<notification/>", NOW);
	put(state, DEEP "/snapshot.xml", "<snapshot/>", NOW - 1);
	put(state, DEEP "/delta.xml", "<delta/>", NOW - 1);
	put(state, "ta/ta.cer", "certificate", NOW - 2);
	put(state, "ta/ta.tal", "locator", NOW - 2);
	return 0;
}

struct answer {
	enum fault_code code;
	struct reply reply;
	char text[64];
};

static void
answer_clear(struct answer *answer)
{
	reply_clear(&answer->reply);
}

static struct answer
ask(void **state, const char *target, const char *since, const char *encoding)
{
	struct answer answer = { .reply = REPLY_INIT(-1) };
	struct request request = REQUEST_INIT;
	int directory = open(*state, O_RDONLY | O_DIRECTORY);
	assert_int_equal(request_set_target(&request, target, NULL), FAULT_NONE);
	if (since != NULL)
		assert_int_equal(request_add_header(&request, "If-Modified-Since", since, NULL), FAULT_NONE);
	if (encoding != NULL)
		assert_int_equal(request_add_header(&request, "Accept-Encoding", encoding, NULL), FAULT_NONE);
	answer.code = static_files_serve(directory, &request, 60, &answer.reply, NULL);
	if (answer.code == FAULT_NONE && answer.reply.fd >= 0) {
		ssize_t length = pread(answer.reply.fd, answer.text, sizeof answer.text - 1, 0);
		assert_int_equal(length, answer.reply.fd_length);
	}
	request_clear(&request, -1);
	close(directory);
	return answer;
}

static void
check(void **state, const char *target, const char *text, const char *type, const char *control, const char *modified)
{
	AUTO_CLEAR(struct answer, answer_clear) answer = ask(state, target, NULL, NULL);
	assert_int_equal(answer.code, FAULT_NONE);
	assert_int_equal(answer.reply.status, 200);
	assert_string_equal(answer.text, text);
	assert_string_equal(reply_header_value(&answer.reply, "Content-Type"), type);
	assert_string_equal(reply_header_value(&answer.reply, "Cache-Control"), control);
	assert_string_equal(reply_header_value(&answer.reply, "Last-Modified"), modified);
}

static void
static_files__serves_what_validators_fetch(void **state)
{
	check(state, "/rrdp/notification.xml", "<notification/>", "application/xml", "public, max-age=60",
		"Thu, 01 Jan 2026 00:00:00 GMT");
	check(state, "/" DEEP "/snapshot.xml", "<snapshot/>", "application/xml", "public, max-age=7200, immutable",
		"Wed, 31 Dec 2025 23:59:59 GMT");
	check(state, "/" DEEP "/delta.xml", "<delta/>", "application/xml", "public, max-age=7200, immutable",
		"Wed, 31 Dec 2025 23:59:59 GMT");
	assert_int_equal(atomic_file_make_directories(AT_FDCWD, scratch_path(state, "rrdp/2"), 0755, NULL), FAULT_NONE);
	assert_int_equal(atomic_file_make_directories(AT_FDCWD, scratch_path(state, "rrdp/12/" SESSION "/12/" RANDOM), 0755, NULL), FAULT_NONE);
	put(state, "rrdp/2/notification.xml", "<two/>", NOW);
	put(state, "rrdp/12/" SESSION "/12/" RANDOM "/snapshot.xml", "<twelve/>", NOW - 1);
	check(state, "/rrdp/2/notification.xml", "<two/>", "application/xml", "public, max-age=60", "Thu, 01 Jan 2026 00:00:00 GMT");
	check(state, "/rrdp/12/" SESSION "/12/" RANDOM "/snapshot.xml", "<twelve/>", "application/xml", "public, max-age=7200, immutable",
		"Wed, 31 Dec 2025 23:59:59 GMT");
	check(state, "/ta/ta.cer", "certificate", "application/x-x509-ca-cert", "public, max-age=60",
		"Wed, 31 Dec 2025 23:59:58 GMT");
	check(state, "/ta/ta.tal", "locator", "text/plain; charset=utf-8", "public, max-age=60", "Wed, 31 Dec 2025 23:59:58 GMT");
}

static void
static_files__refuses_every_other_name(void **state)
{
	static const char *const wrong[] = { "/secret", "/ta", "/ta/", "/ta/secret", "/ta/ta.cer/", "/ta/..%2fsecret",
		"/ta/../secret", "/rrdp/", "/rrdp/secret", "/rrdp/notification.xml.gz", "/rrdp/Notification.xml",
		"/rrdp/notification.xml/x", "/" DEEP, "/" DEEP "/", "/" DEEP "/notification.xml", "/" DEEP "/snapshot.xml.gz",
		"/" DEEP "/..", "/" DEEP "/ta.cer", "/rrdp/../../12/" RANDOM "/snapshot.xml",
		"/rrdp/" SESSION "/12a/" RANDOM "/snapshot.xml", "/rrdp/" SESSION "/+12/" RANDOM "/snapshot.xml",
		"/rrdp/" SESSION "//" RANDOM "/snapshot.xml", "/rrdp/" SESSION "/12/" RANDOM "0/snapshot.xml",
		"/rrdp/" SESSION "/12345678901234567890/" RANDOM "/snapshot.xml",
		"/rrdp/" SESSION "/12/00112233445566778899AABBCCDDEEFF/snapshot.xml",
		"/rrdp/3A8F1D6E-2B7C-4E55-9D10-6C0F4F0B8A21/12/" RANDOM "/snapshot.xml",
		"/rrdp/" SESSION "x/12/" RANDOM "/snapshot.xml", "/rrdp/" SESSION "/13/" RANDOM "/snapshot.xml",
		"/repo/" SESSION "/12/" RANDOM "/snapshot.xml", "/rrdp/02/notification.xml", "/rrdp/0/notification.xml",
		"/rrdp/1000/notification.xml", "/rrdp/2a/notification.xml", "/rrdp//notification.xml", "/rrdp/2/3/notification.xml",
		"/rrdp/../notification.xml", "/rrdp/2/ta.cer", "/ta/2/ta.cer", "/rrdp/2/x/12/" RANDOM "/snapshot.xml" };
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		AUTO_CLEAR(struct answer, answer_clear) answer = ask(state, wrong[i], NULL, NULL);
		if (answer.code != FAULT_NOT_FOUND || answer.reply.fd >= 0)
			fail_msg("%s", wrong[i]);
	}
}

static void
static_files__follows_no_link(void **state)
{
	AUTO_CLEAR(struct answer, answer_clear) file = { .reply = REPLY_INIT(-1) }, directory = { .reply = REPLY_INIT(-1) };
	assert_int_equal(unlink(scratch_path(state, "rrdp/notification.xml")), 0);
	assert_int_equal(symlink("../secret", scratch_path(state, "rrdp/notification.xml")), 0);
	file = ask(state, "/rrdp/notification.xml", NULL, NULL);
	assert_int_equal(file.code, FAULT_NOT_FOUND);
	assert_int_equal(rename(scratch_path(state, "rrdp/" SESSION), scratch_path(state, "elsewhere")), 0);
	assert_int_equal(symlink("../elsewhere", scratch_path(state, "rrdp/" SESSION)), 0);
	directory = ask(state, "/" DEEP "/snapshot.xml", NULL, NULL);
	assert_int_equal(directory.code, FAULT_NOT_FOUND);
}

/* rrdp itself may lie on another disk. */
static void
static_files__lets_the_tree_be_a_link(void **state)
{
	AUTO_CLEAR(struct answer, answer_clear) answer = { .reply = REPLY_INIT(-1) };
	assert_int_equal(rename(scratch_path(state, "rrdp"), scratch_path(state, "disk")), 0);
	assert_int_equal(symlink("disk", scratch_path(state, "rrdp")), 0);
	answer = ask(state, "/rrdp/notification.xml", NULL, NULL);
	assert_int_equal(answer.code, FAULT_NONE);
}

static void
static_files__serves_no_directory_or_pipe(void **state)
{
	AUTO_CLEAR(struct answer, answer_clear) directory = { .reply = REPLY_INIT(-1) }, pipe = { .reply = REPLY_INIT(-1) };
	assert_int_equal(unlink(scratch_path(state, "ta/ta.cer")), 0);
	assert_int_equal(mkdir(scratch_path(state, "ta/ta.cer"), 0755), 0);
	directory = ask(state, "/ta/ta.cer", NULL, NULL);
	assert_int_equal(directory.code, FAULT_NOT_FOUND);
	assert_int_equal(unlink(scratch_path(state, "ta/ta.tal")), 0);
	assert_int_equal(mkfifo(scratch_path(state, "ta/ta.tal"), 0644), 0);
	pipe = ask(state, "/ta/ta.tal", NULL, NULL);
	assert_int_equal(pipe.code, FAULT_NOT_FOUND);
}

static void
static_files__answers_304(void **state)
{
	static const struct {
		const char *since;
		int status;
	} cases[] = {
		{ "Thu, 01 Jan 2026 00:00:00 GMT", 304 },
		{ "Thu, 01 Jan 2026 00:00:01 GMT", 200 }, /* of a time before the clock went back */
		{ "Wed, 31 Dec 2025 23:59:59 GMT", 200 },
		{ "nonsense", 200 },
		{ "", 200 },
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		AUTO_CLEAR(struct answer, answer_clear) answer = ask(state, "/rrdp/notification.xml", cases[i].since, NULL);
		assert_int_equal(answer.reply.status, cases[i].status);
		assert_non_null(reply_header_value(&answer.reply, "Last-Modified"));
		assert_non_null(reply_header_value(&answer.reply, "Cache-Control"));
		assert_int_equal(reply_length(&answer.reply), strlen("<notification/>"));
	}
}

static void
check_encoding(void **state, const char *target, const char *encoding, const char *text, bool compressed)
{
	AUTO_CLEAR(struct answer, answer_clear) answer = ask(state, target, NULL, encoding);
	assert_int_equal(answer.code, FAULT_NONE);
	assert_string_equal(answer.text, text);
	assert_int_equal(reply_header_value(&answer.reply, "Content-Encoding") != NULL, compressed);
	assert_string_equal(reply_header_value(&answer.reply, "Vary"), "Accept-Encoding");
	assert_string_equal(reply_header_value(&answer.reply, "Content-Type"), "application/xml");
}

static void
static_files__serves_the_compressed_file_of_the_same_time(void **state)
{
	check_encoding(state, "/rrdp/notification.xml", "gzip", "<notification/>", false);
	put(state, "rrdp/notification.xml.gz", "gz", NOW);
	check_encoding(state, "/rrdp/notification.xml", "gzip", "gz", true);
	check_encoding(state, "/rrdp/notification.xml", NULL, "<notification/>", false);
	check_encoding(state, "/rrdp/notification.xml", "gzip;q=0", "<notification/>", false);
	put(state, "rrdp/notification.xml.gz", "gz", NOW - 1);
	check_encoding(state, "/rrdp/notification.xml", "gzip", "<notification/>", false);
	put(state, "rrdp/notification.xml.gz", "", NOW);
	check_encoding(state, "/rrdp/notification.xml", "gzip", "<notification/>", false);
	put(state, DEEP "/snapshot.xml.gz", "snap", NOW - 1);
	check_encoding(state, "/" DEEP "/snapshot.xml", "deflate, gzip", "snap", true);
}

static void
static_files__never_compresses_the_certificate(void **state)
{
	AUTO_CLEAR(struct answer, answer_clear) answer = { .reply = REPLY_INIT(-1) };
	put(state, "ta/ta.cer.gz", "gz", NOW - 2);
	answer = ask(state, "/ta/ta.cer", NULL, "gzip");
	assert_string_equal(answer.text, "certificate");
	assert_null(reply_header_value(&answer.reply, "Vary"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(static_files__serves_what_validators_fetch, setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(static_files__refuses_every_other_name, setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(static_files__follows_no_link, setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(static_files__lets_the_tree_be_a_link, setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(static_files__serves_no_directory_or_pipe, setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(static_files__answers_304, setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(static_files__serves_the_compressed_file_of_the_same_time, setup,
			scratch_teardown),
		cmocka_unit_test_setup_teardown(static_files__never_compresses_the_certificate, setup, scratch_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
