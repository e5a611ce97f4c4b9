#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "api/server/spool.h"
#include "tests/unit/scratch.h"

static int
open_scratch(void **state)
{
	int fd = open(*state, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

static void
spool__keeps_little_in_memory(void **state)
{
	AUTO_CLEAR(int, descriptor_close) directory = open_scratch(state);
	AUTO_CLEAR(struct spool, spool_clear) spool = SPOOL_INIT(directory);
	char text[SPOOL_MEMORY_MAX];
	memset(text, 'x', sizeof text);
	assert_int_equal(spool_write(&spool, text, sizeof text, NULL), FAULT_NONE);
	assert_int_equal(spool_finish(&spool, NULL), FAULT_NONE);
	assert_int_equal(spool.fd, -1);
	assert_int_equal(spool.length, SPOOL_MEMORY_MAX);
	assert_int_equal(access(scratch_path(state, SPOOL_DIRECTORY), F_OK), -1);
}

static void
spool__keeps_much_in_a_file_without_a_name(void **state)
{
	AUTO_CLEAR(int, descriptor_close) directory = open_scratch(state);
	AUTO_CLEAR(struct spool, spool_clear) spool = SPOOL_INIT(directory);
	char line[32], back[32];
	for (int i = 0; i < 10000; i++) {
		(void)snprintf(line, sizeof line, "%015d\n", i);
		assert_int_equal(spool_text(&spool, line, NULL), FAULT_NONE);
		assert_true(spool.memory.length <= SPOOL_MEMORY_MAX);
	}
	assert_int_equal(spool_finish(&spool, NULL), FAULT_NONE);
	assert_int_equal(spool.memory.length, 0);
	assert_int_equal(spool.length, 160000);
	assert_int_equal(lseek(spool.fd, 0, SEEK_END), 160000);
	for (int i = 0; i < 10000; i += 999) {
		(void)snprintf(line, sizeof line, "%015d\n", i);
		assert_int_equal(pread(spool.fd, back, 16, 16 * i), 16);
		assert_memory_equal(back, line, 16);
	}
	assert_int_equal(rmdir(scratch_path(state, SPOOL_DIRECTORY)), 0); /* nothing in it */
}

static void
spool__can_be_used_again(void **state)
{
	AUTO_CLEAR(int, descriptor_close) directory = open_scratch(state);
	AUTO_CLEAR(struct spool, spool_clear) spool = SPOOL_INIT(directory);
	char text[3 * SPOOL_MEMORY_MAX];
	memset(text, 'x', sizeof text);
	assert_int_equal(spool_write(&spool, text, sizeof text, NULL), FAULT_NONE);
	assert_true(spool.fd >= 0);
	spool_reset(&spool);
	assert_int_equal(spool.length, 0);
	assert_int_equal(spool.fd, -1);
	assert_int_equal(spool_text(&spool, "ab", NULL), FAULT_NONE);
	assert_int_equal(spool_finish(&spool, NULL), FAULT_NONE);
	assert_string_equal(bytes_text(&spool.memory), "ab");
}

static void
spool__tells_a_full_disk(void **state)
{
	if (!scratch_mount(state, 1U << 20))
		skip();
	AUTO_CLEAR(int, descriptor_close) directory = open_scratch(state);
	AUTO_CLEAR(struct spool, spool_clear) spool = SPOOL_INIT(directory);
	char text[SPOOL_MEMORY_MAX];
	struct fault fault = FAULT_INIT;
	enum fault_code code = FAULT_NONE;
	memset(text, 'x', sizeof text);
	for (int i = 0; i < 64 && code == FAULT_NONE; i++)
		code = spool_write(&spool, text, sizeof text, &fault);
	assert_int_equal(code, FAULT_DISK);
}

static void
spool__tells_a_missing_directory(void **state)
{
	AUTO_CLEAR(struct spool, spool_clear) spool = SPOOL_INIT(-1);
	char text[SPOOL_MEMORY_MAX + 1];
	(void)state;
	memset(text, 'x', sizeof text);
	assert_int_equal(spool_write(&spool, text, sizeof text, NULL), FAULT_IO);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(spool__keeps_little_in_memory, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(spool__keeps_much_in_a_file_without_a_name, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(spool__can_be_used_again, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(spool__tells_a_full_disk, scratch_setup, scratch_teardown),
		cmocka_unit_test(spool__tells_a_missing_directory),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
