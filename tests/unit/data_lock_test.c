#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ca/base/atomic_file.h"
#include "db/data_lock.h"
#include "tests/unit/scratch.h"

static int
open_directory(void **state)
{
	int directory = open(*state, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(directory >= 0);
	return directory;
}

static void
assert_locked(int directory, const char *words)
{
	struct data_lock *lock = NULL;
	struct fault fault = FAULT_INIT;
	assert_int_equal(data_lock_take(directory, &lock, &fault), FAULT_LOCKED);
	assert_null(lock);
	if (strstr(fault.message, words) == NULL)
		fail_msg("%s", fault.message);
}

static void
data_lock__second_is_refused(void **state)
{
	AUTO_CLEAR(int, descriptor_close) directory = open_directory(state);
	AUTO(struct data_lock, data_lock_free) lock = NULL;
	char words[64];
	(void)snprintf(words, sizeof words, "(process %d)", (int)getpid());
	assert_int_equal(data_lock_take(directory, &lock, NULL), FAULT_NONE);
	assert_locked(directory, words);
	assert_locked(directory, "another cadastred or cadastre");
	data_lock_free(MOVE(lock));
	assert_int_equal(data_lock_take(directory, &lock, NULL), FAULT_NONE);
}

static void
data_lock__file_is_its_owners(void **state)
{
	AUTO_CLEAR(int, descriptor_close) directory = open_directory(state);
	AUTO(struct data_lock, data_lock_free) lock = NULL;
	struct stat file;
	mode_t before = umask(0);
	assert_int_equal(data_lock_take(directory, &lock, NULL), FAULT_NONE);
	(void)umask(before);
	assert_int_equal(fstatat(directory, "lock", &file, 0), 0);
	assert_int_equal(file.st_mode & 07777, 0600);
}

/* What an earlier process left, or somebody wrote into it, neither locks nor confuses. */
static void
data_lock__what_is_in_the_file_means_nothing(void **state)
{
	static const char *const contents[] = { "", "1\n", "99999999999999999999999\n", "%s%n\n", "\xff\xfe words and more words" };
	AUTO_CLEAR(int, descriptor_close) directory = open_directory(state);
	for (size_t i = 0; i < sizeof contents / sizeof *contents; i++) {
		AUTO(struct data_lock, data_lock_free) lock = NULL;
		struct span content = SPAN(contents[i], strlen(contents[i]));
		assert_int_equal(atomic_file_put(directory, "lock", content, 0600, ATOMIC_FILE_KEEP_TIME, NULL), FAULT_NONE);
		assert_int_equal(data_lock_take(directory, &lock, NULL), FAULT_NONE);
		AUTO_CLEAR(int, descriptor_close) file = openat(directory, "lock", O_WRONLY | O_TRUNC | O_CLOEXEC);
		assert_int_equal(write(file, content.data, content.length), content.length);
		assert_locked(directory, "works on this data directory");
	}
}

/* A child that takes the lock, says so, and stays. */
static pid_t
start_holder(int directory)
{
	int ready[2];
	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	pid_t child = fork();
	if (child == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		struct data_lock *lock = NULL;
		if (data_lock_take(directory, &lock, NULL) == FAULT_NONE && write(ready[1], "", 1) == 1)
			for (;;)
				(void)pause();
		_exit(1);
	}
	assert_true(child > 0);
	(void)close(ready[1]);
	char byte;
	assert_int_equal(read(ready[0], &byte, 1), 1);
	(void)close(ready[0]);
	return child;
}

static void
data_lock__goes_with_a_killed_process(void **state)
{
	AUTO_CLEAR(int, descriptor_close) directory = open_directory(state);
	pid_t holder = start_holder(directory);
	char words[64];
	(void)snprintf(words, sizeof words, "(process %d)", (int)holder);
	assert_locked(directory, words);
	assert_int_equal(kill(holder, SIGKILL), 0);
	assert_int_equal(waitpid(holder, NULL, 0), holder);
	AUTO(struct data_lock, data_lock_free) lock = NULL;
	assert_int_equal(data_lock_take(directory, &lock, NULL), FAULT_NONE);
}

/* A daemon that was started meanwhile doesn't keep the lock. */
static void
data_lock__is_not_inherited_by_programs(void **state)
{
	AUTO_CLEAR(int, descriptor_close) directory = open_directory(state);
	AUTO(struct data_lock, data_lock_free) lock = NULL;
	assert_int_equal(data_lock_take(directory, &lock, NULL), FAULT_NONE);
	int input[2], output[2];
	assert_int_equal(pipe2(input, O_CLOEXEC), 0);
	assert_int_equal(pipe2(output, O_CLOEXEC), 0);
	pid_t child = fork();
	if (child == 0) {
		(void)dup2(input[0], 0);
		(void)dup2(output[1], 1);
		(void)execl("/bin/cat", "cat", (char *)NULL);
		_exit(1);
	}
	char byte = 'x';
	assert_int_equal(write(input[1], &byte, 1), 1);
	assert_int_equal(read(output[0], &byte, 1), 1); /* it runs */
	data_lock_free(MOVE(lock));
	assert_int_equal(data_lock_take(directory, &lock, NULL), FAULT_NONE);
	for (int i = 0; i < 2; i++) {
		(void)close(input[i]);
		(void)close(output[i]);
	}
	assert_int_equal(waitpid(child, NULL, 0), child);
}

static void
data_lock__follows_no_link(void **state)
{
	AUTO_CLEAR(int, descriptor_close) directory = open_directory(state);
	AUTO(struct data_lock, data_lock_free) lock = NULL;
	assert_int_equal(symlinkat("elsewhere", directory, "lock"), 0);
	assert_int_equal(data_lock_take(directory, &lock, NULL), FAULT_IO);
	assert_int_equal(faccessat(directory, "elsewhere", F_OK, 0), -1);
}

static void
data_lock__directory_in_its_place(void **state)
{
	AUTO_CLEAR(int, descriptor_close) directory = open_directory(state);
	AUTO(struct data_lock, data_lock_free) lock = NULL;
	assert_int_equal(mkdirat(directory, "lock", 0700), 0);
	assert_int_equal(data_lock_take(directory, &lock, NULL), FAULT_IO);
}

static void
data_lock__full_disk_does_not_matter(void **state)
{
	if (!scratch_mount(state, 64 << 10))
		skip();
	AUTO_CLEAR(int, descriptor_close) directory = open_directory(state);
	AUTO_CLEAR(int, descriptor_close) filler = openat(directory, "filler", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	static const char block[4096];
	while (write(filler, block, sizeof block) > 0)
		continue;
	AUTO(struct data_lock, data_lock_free) lock = NULL;
	assert_int_equal(data_lock_take(directory, &lock, NULL), FAULT_NONE);
	assert_locked(directory, "another cadastred or cadastre works on");
}

static void
data_lock__read_only_disk(void **state)
{
	if (!scratch_mount(state, 64 << 10))
		skip();
	scratch_mount_read_only(state, true);
	AUTO_CLEAR(int, descriptor_close) directory = open_directory(state);
	AUTO(struct data_lock, data_lock_free) lock = NULL;
	struct fault fault = FAULT_INIT;
	assert_int_equal(data_lock_take(directory, &lock, &fault), FAULT_DISK);
	assert_non_null(strstr(fault.message, "Read-only"));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(data_lock__second_is_refused),
		CASE(data_lock__file_is_its_owners),
		CASE(data_lock__what_is_in_the_file_means_nothing),
		CASE(data_lock__goes_with_a_killed_process),
		CASE(data_lock__is_not_inherited_by_programs),
		CASE(data_lock__follows_no_link),
		CASE(data_lock__directory_in_its_place),
		CASE(data_lock__full_disk_does_not_matter),
		CASE(data_lock__read_only_disk),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
