#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "ca/base/file_memory.h"
#include "ca/base/scope.h"

#define MIB ((size_t)1 << 20)

/* Pages of files that the process has in memory. */
static size_t
resident(void)
{
	unsigned long size, all, of_files;
	FILE *file = fopen("/proc/self/statm", "r");
	assert_non_null(file);
	assert_int_equal(fscanf(file, "%lu %lu %lu", &size, &all, &of_files), 3);
	assert_int_equal(fclose(file), 0);
	return (size_t)of_files * (size_t)sysconf(_SC_PAGESIZE);
}

static void
file_memory__keeps_what_it_lets_go_of(void **state)
{
	AUTO_CLEAR(struct file_memory, file_memory_close) memory = FILE_MEMORY_INIT;
	(void)state;
	assert_int_equal(file_memory_open(-1, 64 * MIB, &memory, NULL), FAULT_NONE);
	assert_int_equal(memory.size, 0);
	uint32_t *numbers = memory.data;
	for (size_t i = 0; i < 32 * MIB / sizeof *numbers; i++) {
		assert_int_equal(file_memory_reserve(&memory, (i + 1) * sizeof *numbers, NULL), FAULT_NONE);
		assert_int_equal(numbers[i], 0);
		numbers[i] = (uint32_t)i * 7;
	}
	size_t before = resident();
	file_memory_rest(&memory);
	assert_true(resident() + 31 * MIB <= before);
	assert_ptr_equal(memory.data, numbers);
	for (size_t i = 0; i < 32 * MIB / sizeof *numbers; i++)
		assert_int_equal(numbers[i], (uint32_t)i * 7);
}

static void
file_memory__has_a_limit(void **state)
{
	AUTO_CLEAR(struct file_memory, file_memory_close) memory = FILE_MEMORY_INIT;
	struct fault fault = FAULT_INIT;
	(void)state;
	assert_int_equal(file_memory_open(-1, 3 * MIB, &memory, NULL), FAULT_NONE);
	assert_int_equal(file_memory_reserve(&memory, 3 * MIB, NULL), FAULT_NONE);
	assert_int_equal(memory.size, 3 * MIB);
	assert_int_equal(file_memory_reserve(&memory, 3 * MIB + 1, &fault), FAULT_TOO_LARGE);
	((char *)memory.data)[3 * MIB - 1] = 1;
	file_memory_close(&memory);
	file_memory_close(&memory);
	assert_null(memory.data);
}

/* No room: a fault, and what was there before is still there. */
static void
file_memory__full_disk_is_a_fault(void **state)
{
	AUTO_CLEAR(struct file_memory, file_memory_close) memory = FILE_MEMORY_INIT;
	struct fault fault = FAULT_INIT;
	struct rlimit before, small;
	(void)state;
	assert_int_equal(file_memory_open(-1, 64 * MIB, &memory, NULL), FAULT_NONE);
	assert_int_equal(file_memory_reserve(&memory, 1, NULL), FAULT_NONE);
	*(char *)memory.data = 'a';
	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	small = before;
	small.rlim_cur = 2 * MIB;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	enum fault_code code = file_memory_reserve(&memory, 8 * MIB, &fault);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_equal(code, FAULT_DISK);
	assert_non_null(strstr(fault.message, "making room for"));
	assert_int_equal(memory.size, MIB);
	assert_int_equal(*(char *)memory.data, 'a');
	assert_int_equal(file_memory_reserve(&memory, 8 * MIB, NULL), FAULT_NONE);
	assert_int_equal(*(char *)memory.data, 'a');
}

static void
file_memory__lies_in_the_directory_given(void **state)
{
	AUTO_CLEAR(struct file_memory, file_memory_close) memory = FILE_MEMORY_INIT;
	char directory[] = "/tmp/file-memory-XXXXXX", link[64], where[128];
	(void)state;
	assert_non_null(mkdtemp(directory));
	AUTO_CLEAR(int, descriptor_close) fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(file_memory_open(fd, MIB, &memory, NULL), FAULT_NONE);
	(void)snprintf(link, sizeof link, "/proc/self/fd/%d", memory.fd);
	ssize_t length = readlink(link, where, sizeof where - 1);
	assert_true(length > 0);
	assert_memory_equal(where, directory, strlen(directory));
	file_memory_close(&memory);
	/* Nothing of it is left. */
	assert_int_equal(rmdir(directory), 0);
}

static void
file_memory__lies_elsewhere_where_it_may_not(void **state)
{
	AUTO_CLEAR(struct file_memory, file_memory_close) memory = FILE_MEMORY_INIT;
	(void)state;
	/* Nobody makes files there. */
	AUTO_CLEAR(int, descriptor_close) fd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(file_memory_open(fd, MIB, &memory, NULL), FAULT_NONE);
	assert_int_equal(file_memory_reserve(&memory, MIB, NULL), FAULT_NONE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(file_memory__keeps_what_it_lets_go_of),
		cmocka_unit_test(file_memory__has_a_limit),
		cmocka_unit_test(file_memory__full_disk_is_a_fault),
		cmocka_unit_test(file_memory__lies_in_the_directory_given),
		cmocka_unit_test(file_memory__lies_elsewhere_where_it_may_not),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
