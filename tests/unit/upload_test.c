#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/server/upload.h"
#include "ca/base/atomic_file.h"
#include "tests/unit/scratch.h"

static int
open_scratch(void **state)
{
	int fd = open(*state, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

static void
upload__ends_under_its_id(void **state)
{
	AUTO_CLEAR(int, descriptor_close) directory = open_scratch(state);
	AUTO_CLEAR(struct bytes, bytes_clear) content = BYTES_INIT;
	struct request_upload upload = { .fd = -1 };
	assert_int_equal(upload_open(&upload, directory, NULL), FAULT_NONE);
	assert_int_equal(upload_write(&upload, "ab", 2, 4, NULL), FAULT_NONE);
	assert_int_equal(upload_write(&upload, "cd", 2, 4, NULL), FAULT_NONE);
	assert_int_equal(upload_flush(&upload, NULL), FAULT_NONE);
	assert_int_equal(faccessat(directory, upload.name, F_OK, 0), 0);
	assert_int_equal(upload_name(&upload, directory, "the-id", NULL), FAULT_NONE);
	assert_int_equal(upload.fd, -1);
	upload_discard(&upload, directory);
	assert_int_equal(atomic_file_read(directory, UPLOAD_DIRECTORY "/the-id", 100, &content, NULL), FAULT_NONE);
	assert_string_equal(bytes_text(&content), "abcd");
	struct stat status;
	assert_int_equal(fstatat(directory, UPLOAD_DIRECTORY "/the-id", &status, 0), 0);
	assert_int_equal(status.st_mode & 0777, 0600);
}

static void
upload__is_bounded(void **state)
{
	AUTO_CLEAR(int, descriptor_close) directory = open_scratch(state);
	struct request_upload upload = { .fd = -1 };
	assert_int_equal(upload_open(&upload, directory, NULL), FAULT_NONE);
	assert_int_equal(upload_write(&upload, "abcd", 4, 4, NULL), FAULT_NONE);
	assert_int_equal(upload_write(&upload, "e", 1, 4, NULL), FAULT_TOO_LARGE);
	assert_int_equal(upload.size, 4);
	upload_discard(&upload, directory);
	assert_int_equal(faccessat(directory, upload.name, F_OK, 0), -1);
	assert_int_equal(upload.fd, -1);
	upload_discard(&upload, directory);
}

static void
upload__leaves_nothing_of_what_a_kill_cut_off(void **state)
{
	AUTO_CLEAR(int, descriptor_close) directory = open_scratch(state);
	struct request_upload upload = { .fd = -1 };
	assert_int_equal(upload_clean(directory, NULL), FAULT_NONE);
	assert_int_equal(upload_open(&upload, directory, NULL), FAULT_NONE);
	close(upload.fd);
	assert_int_equal(atomic_file_put(directory, UPLOAD_DIRECTORY "/an-import", SPAN("x", 1), 0600, ATOMIC_FILE_KEEP_TIME,
				 NULL),
		FAULT_NONE);
	assert_int_equal(upload_clean(directory, NULL), FAULT_NONE);
	assert_int_equal(faccessat(directory, upload.name, F_OK, 0), -1);
	assert_int_equal(faccessat(directory, UPLOAD_DIRECTORY "/an-import", F_OK, 0), 0);
}

static void
upload__tells_a_full_disk(void **state)
{
	if (!scratch_mount(state, 1U << 20))
		skip();
	AUTO_CLEAR(int, descriptor_close) directory = open_scratch(state);
	struct request_upload upload = { .fd = -1 };
	static char text[65536];
	enum fault_code code = FAULT_NONE;
	assert_int_equal(upload_open(&upload, directory, NULL), FAULT_NONE);
	for (int i = 0; i < 64 && code == FAULT_NONE; i++)
		code = upload_write(&upload, text, sizeof text, 1 << 30, NULL);
	assert_int_equal(code, FAULT_DISK);
	upload_discard(&upload, directory);
}

static void
upload__tells_a_read_only_disk(void **state)
{
	if (!scratch_mount(state, 1U << 20))
		skip();
	AUTO_CLEAR(int, descriptor_close) directory = open_scratch(state);
	struct request_upload upload = { .fd = -1 };
	scratch_mount_read_only(state, true);
	assert_int_equal(upload_open(&upload, directory, NULL), FAULT_DISK);
	assert_int_equal(upload.fd, -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(upload__ends_under_its_id, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(upload__is_bounded, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(upload__leaves_nothing_of_what_a_kill_cut_off, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(upload__tells_a_full_disk, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(upload__tells_a_read_only_disk, scratch_setup, scratch_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
