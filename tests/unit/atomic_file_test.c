#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ca/base/atomic_file.h"
#include "ca/base/memory.h"

static char *directory_path;
static int directory = -1;

static int
set_up(void **state)
{
	(void)state;
	const char *root = getenv("TMPDIR");
	assert_int_equal(memory_printf(&directory_path, NULL, "%s/atomic-XXXXXX", root != NULL ? root : "/tmp"), FAULT_NONE);
	assert_non_null(mkdtemp(directory_path));
	directory = open(directory_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return directory < 0;
}

static int
tear_down(void **state)
{
	(void)state;
	descriptor_close(&directory);
	assert_int_equal(atomic_file_remove_tree(AT_FDCWD, directory_path, NULL), FAULT_NONE);
	assert_int_equal(access(directory_path, F_OK), -1);
	free(directory_path);
	return 0;
}

static enum fault_code
put(const char *path, const char *content, struct fault *fault)
{
	return atomic_file_put(directory, path, SPAN(content, strlen(content)), 0644, ATOMIC_FILE_KEEP_TIME, fault);
}

static void
assert_content(const char *path, const char *expected)
{
	AUTO_CLEAR(struct bytes, bytes_clear) content = BYTES_INIT;
	assert_int_equal(atomic_file_read(directory, path, 1000, &content, NULL), FAULT_NONE);
	assert_string_equal(bytes_text(&content), expected);
}

/* How many entries a directory has. */
static int
entries(const char *path)
{
	int count = 0;
	DIR *stream = fdopendir(openat(directory, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	assert_non_null(stream);
	while (readdir(stream) != NULL)
		count++;
	(void)closedir(stream);
	return count - 2;
}

static bool
exists(const char *path)
{
	return faccessat(directory, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static void
atomic_file__put_writes_content_mode_and_time(void **state)
{
	(void)state;
	struct stat status;
	mode_t mask = umask(0077);
	assert_int_equal(atomic_file_put(directory, "a", SPAN("first\0!", 7), 0644, 1795475760, NULL), FAULT_NONE);
	(void)umask(mask);
	assert_int_equal(fstatat(directory, "a", &status, 0), 0);
	assert_int_equal(status.st_mode & 07777, 0644);
	assert_int_equal(status.st_size, 7);
	assert_int_equal(status.st_mtim.tv_sec, 1795475760);
	assert_int_equal(status.st_mtim.tv_nsec, 0);
	assert_int_equal(entries("."), 1);
}

static void
atomic_file__replaces_by_rename(void **state)
{
	(void)state;
	assert_int_equal(put("a", "old", NULL), FAULT_NONE);
	int old = openat(directory, "a", O_RDONLY | O_CLOEXEC);
	assert_int_equal(put("a", "new, and longer", NULL), FAULT_NONE);
	assert_content("a", "new, and longer");
	char room[10] = "";
	assert_int_equal(read(old, room, sizeof room), 3); /* whoever reads goes on reading the old one */
	assert_string_equal(room, "old");
	descriptor_close(&old);
	assert_int_equal(entries("."), 1);
}

static void
atomic_file__nothing_is_there_until_commit(void **state)
{
	(void)state;
	AUTO_CLEAR(struct atomic_file, atomic_file_clear) file = ATOMIC_FILE_INIT;
	assert_int_equal(put("a", "old", NULL), FAULT_NONE);
	assert_int_equal(atomic_file_open(&file, directory, "a", 0600, NULL), FAULT_NONE);
	assert_int_equal(atomic_file_write(&file, "new", 3, NULL), FAULT_NONE);
	assert_int_equal(atomic_file_write(&file, NULL, 0, NULL), FAULT_NONE);
	assert_content("a", "old");
	assert_int_equal(entries("."), 2);
	assert_int_equal(atomic_file_commit(&file, ATOMIC_FILE_KEEP_TIME, NULL), FAULT_NONE);
	assert_content("a", "new");
	assert_int_equal(entries("."), 1);
}

static void
atomic_file__clear_leaves_nothing_behind(void **state)
{
	(void)state;
	struct atomic_file file = ATOMIC_FILE_INIT;
	atomic_file_clear(&file);
	assert_int_equal(atomic_file_open(&file, directory, "a", 0600, NULL), FAULT_NONE);
	assert_int_equal(atomic_file_write(&file, "half", 4, NULL), FAULT_NONE);
	errno = ENOSPC;
	atomic_file_clear(&file);
	assert_int_equal(errno, ENOSPC);
	assert_int_equal(file.fd, -1);
	assert_int_equal(entries("."), 0);
	atomic_file_clear(&file);
}

/* A process that was killed leaves its temporary file: it must be in nobody's way. */
static void
atomic_file__leftovers_are_in_nobodys_way(void **state)
{
	(void)state;
	struct atomic_file killed = ATOMIC_FILE_INIT;
	assert_int_equal(atomic_file_open(&killed, directory, "a", 0600, NULL), FAULT_NONE);
	assert_int_equal(atomic_file_write(&killed, "half", 4, NULL), FAULT_NONE);
	assert_memory_equal(killed.temporary, "a.tmp-", 6);
	for (int i = 0; i < 3; i++)
		assert_int_equal(put("a", "whole", NULL), FAULT_NONE);
	assert_content("a", "whole");
	assert_int_equal(entries("."), 2);
	atomic_file_clear(&killed);
	assert_int_equal(entries("."), 1);
}

static void
atomic_file__bad_places_are_faults(void **state)
{
	(void)state;
	struct fault fault = FAULT_INIT;
	char long_name[300];
	memset(long_name, 'n', sizeof long_name - 1);
	long_name[sizeof long_name - 1] = '\0';
	assert_int_equal(put("a", "", NULL), FAULT_NONE);
	assert_int_equal(put("missing/a", "x", &fault), FAULT_IO);
	assert_non_null(strstr(fault.message, "missing/a.tmp-"));
	assert_int_equal(put("a/b", "x", NULL), FAULT_IO);
	assert_int_equal(put(long_name, "x", NULL), FAULT_IO);
	assert_int_equal(mkdirat(directory, "full", 0755), 0);
	assert_int_equal(put("full/a", "x", NULL), FAULT_NONE);
	assert_int_equal(put("full", "x", NULL), FAULT_IO);
	assert_int_equal(entries("."), 2);
	assert_content("full/a", "x");
}

/*
 * A file system of 64 kB, where the test may mount one, else -1. It is taken off its place at once and lives as long as the
 * descriptor, so that nothing is left whatever fails.
 */
static int
open_small_disk(unsigned long flags)
{
	AUTO(char, free) place = NULL;
	assert_int_equal(memory_printf(&place, NULL, "%s/small", directory_path), FAULT_NONE);
	assert_int_equal(mkdirat(directory, "small", 0755), 0);
	if (mount("tmpfs", place, "tmpfs", flags, "size=64k") != 0)
		return -1;
	int disk = openat(directory, "small", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(umount2(place, MNT_DETACH), 0);
	assert_true(disk >= 0);
	return disk;
}

static void
fill(int disk, size_t length, enum fault_code expected)
{
	AUTO_CLEAR(struct atomic_file, atomic_file_clear) file = ATOMIC_FILE_INIT;
	struct fault fault = FAULT_INIT;
	uint8_t block[1000] = { 0 };
	enum fault_code code = atomic_file_open(&file, disk, "a", 0644, &fault);
	for (size_t written = 0; code == FAULT_NONE && written < length; written += sizeof block)
		code = atomic_file_write(&file, block, sizeof block, &fault);
	if (code == FAULT_NONE)
		code = atomic_file_commit(&file, ATOMIC_FILE_KEEP_TIME, &fault);
	assert_int_equal(code, expected);
	assert_int_equal(fault.code, expected);
}

/* Old files, faults and room again are the same on a full disk and where only the size of files is bounded. */
static void
fill_small_disk(int disk)
{
	struct stat status;
	fill(disk, 20000, FAULT_NONE);
	for (int i = 0; i < 3; i++)
		fill(disk, 200000, FAULT_DISK);
	assert_int_equal(fstatat(disk, "a", &status, 0), 0);
	assert_int_equal(status.st_size, 20000);
	fill(disk, 30000, FAULT_NONE);
	assert_int_equal(fstatat(disk, "a", &status, 0), 0);
	assert_int_equal(status.st_size, 30000);
}

static void
atomic_file__a_full_disk_keeps_the_old_file(void **state)
{
	(void)state;
	AUTO_CLEAR(int, descriptor_close) disk = open_small_disk(0);
	if (disk >= 0)
		fill_small_disk(disk);
}

static void
atomic_file__a_bound_on_files_keeps_the_old_file(void **state)
{
	(void)state;
	struct rlimit before, tight;
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	tight = (struct rlimit){ 65536, before.rlim_max };
	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &tight), 0);
	fill_small_disk(directory);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_equal(entries("."), 1);
}

static void
atomic_file__a_read_only_disk_is_a_disk_fault(void **state)
{
	(void)state;
	AUTO_CLEAR(int, descriptor_close) disk = open_small_disk(MS_RDONLY);
	if (disk < 0)
		return;
	fill(disk, 1, FAULT_DISK);
	assert_int_equal(atomic_file_make_directories(disk, "a/b", 0755, NULL), FAULT_DISK);
}

static void
atomic_file__read_respects_its_limit(void **state)
{
	(void)state;
	AUTO_CLEAR(struct bytes, bytes_clear) content = BYTES_INIT;
	struct fault fault = FAULT_INIT;
	assert_int_equal(put("a", "12345", NULL), FAULT_NONE);
	assert_int_equal(put("empty", "", NULL), FAULT_NONE);
	assert_int_equal(atomic_file_read(directory, "a", 5, &content, NULL), FAULT_NONE);
	assert_string_equal(bytes_text(&content), "12345");
	assert_int_equal(atomic_file_read(directory, "a", 4, &content, &fault), FAULT_TOO_LARGE);
	assert_int_equal(atomic_file_read(directory, "a", 0, &content, NULL), FAULT_TOO_LARGE);
	assert_int_equal(atomic_file_read(directory, "none", 5, &content, &fault), FAULT_NOT_FOUND);
	assert_int_equal(atomic_file_read(directory, "a/b", 5, &content, NULL), FAULT_IO);
	assert_int_equal(atomic_file_read(directory, ".", 5, &content, NULL), FAULT_IO);
	assert_string_equal(bytes_text(&content), "12345"); /* as it was before the faults */
	assert_int_equal(atomic_file_read(directory, "empty", 0, &content, NULL), FAULT_NONE);
	assert_string_equal(bytes_text(&content), "");
	assert_non_null(content.data);
}

static void
atomic_file__read_takes_files_that_tell_no_size(void **state)
{
	(void)state;
	AUTO_CLEAR(struct bytes, bytes_clear) content = BYTES_INIT;
	assert_int_equal(atomic_file_read(AT_FDCWD, "/proc/self/status", 1 << 20, &content, NULL), FAULT_NONE);
	assert_non_null(strstr(bytes_text(&content), "Pid:"));
	assert_int_equal(atomic_file_read(AT_FDCWD, "/dev/zero", 300000, &content, NULL), FAULT_TOO_LARGE);
}

static void
atomic_file__large_files_come_back_whole(void **state)
{
	(void)state;
	AUTO_CLEAR(struct bytes, bytes_clear) content = BYTES_INIT;
	AUTO_CLEAR(struct bytes, bytes_clear) again = BYTES_INIT;
	for (unsigned i = 0; i < 300000; i++)
		assert_int_equal(bytes_append(&content, &i, 3, NULL), FAULT_NONE);
	assert_int_equal(atomic_file_put(directory, "a", bytes_span(&content), 0600, 0, NULL), FAULT_NONE);
	assert_int_equal(atomic_file_read(directory, "a", content.length, &again, NULL), FAULT_NONE);
	assert_true(span_equal(bytes_span(&content), bytes_span(&again)));
}

static void
atomic_file__make_directories_makes_parents(void **state)
{
	(void)state;
	struct stat status;
	AUTO(char, free) absolute = NULL;
	mode_t mask = umask(0077);
	assert_int_equal(atomic_file_make_directories(directory, "a/b/c", 0755, NULL), FAULT_NONE);
	assert_int_equal(atomic_file_make_directories(directory, "a/private", 0700, NULL), FAULT_NONE);
	(void)umask(mask);
	assert_int_equal(fstatat(directory, "a/b", &status, 0), 0);
	assert_int_equal(status.st_mode & 07777, 0755);
	assert_int_equal(fstatat(directory, "a/private", &status, 0), 0);
	assert_int_equal(status.st_mode & 07777, 0700);
	assert_int_equal(atomic_file_make_directories(directory, "a//b/c/d/", 0700, NULL), FAULT_NONE);
	assert_int_equal(fstatat(directory, "a/b", &status, 0), 0);
	assert_int_equal(status.st_mode & 07777, 0755); /* what was there keeps its mode */
	assert_int_equal(memory_printf(&absolute, NULL, "%s/x/y", directory_path), FAULT_NONE);
	assert_int_equal(atomic_file_make_directories(AT_FDCWD, absolute, 0755, NULL), FAULT_NONE);
	assert_true(exists("a/b/c/d") && exists("x/y"));
	assert_int_equal(put("file", "", NULL), FAULT_NONE);
	assert_int_equal(atomic_file_make_directories(directory, "file", 0755, NULL), FAULT_IO);
	assert_int_equal(atomic_file_make_directories(directory, "file/a", 0755, NULL), FAULT_IO);
	assert_int_equal(atomic_file_make_directories(directory, "", 0755, NULL), FAULT_IO);
}

static void
atomic_file__sync_parent_finds_the_directory(void **state)
{
	(void)state;
	assert_int_equal(atomic_file_make_directories(directory, "a", 0755, NULL), FAULT_NONE);
	assert_int_equal(atomic_file_sync_parent(directory, "plain", NULL), FAULT_NONE);
	assert_int_equal(atomic_file_sync_parent(directory, "a/b", NULL), FAULT_NONE);
	assert_int_equal(atomic_file_sync_parent(AT_FDCWD, directory_path, NULL), FAULT_NONE);
	assert_int_equal(atomic_file_sync_parent(directory, "missing/b", NULL), FAULT_IO);
}

static void
atomic_file__remove_tree_follows_no_link(void **state)
{
	(void)state;
	assert_int_equal(atomic_file_make_directories(directory, "kept/below", 0755, NULL), FAULT_NONE);
	assert_int_equal(atomic_file_make_directories(directory, "tree/a/b", 0755, NULL), FAULT_NONE);
	assert_int_equal(put("kept/below/file", "x", NULL), FAULT_NONE);
	assert_int_equal(put("tree/a/b/file", "x", NULL), FAULT_NONE);
	assert_int_equal(put("tree/file", "x", NULL), FAULT_NONE);
	assert_int_equal(symlinkat("../kept", directory, "tree/link"), 0);
	assert_int_equal(symlinkat("../../kept/below/file", directory, "tree/a/file-link"), 0);
	assert_int_equal(symlinkat("kept", directory, "link"), 0);
	assert_int_equal(atomic_file_remove_tree(directory, "tree", NULL), FAULT_NONE);
	assert_false(exists("tree"));
	assert_int_equal(atomic_file_remove_tree(directory, "link", NULL), FAULT_NONE);
	assert_false(exists("link"));
	assert_content("kept/below/file", "x");
}

static void
atomic_file__remove_tree_takes_files_and_nothing(void **state)
{
	(void)state;
	assert_int_equal(put("file", "x", NULL), FAULT_NONE);
	assert_int_equal(atomic_file_remove_tree(directory, "file", NULL), FAULT_NONE);
	assert_int_equal(atomic_file_remove_tree(directory, "file", NULL), FAULT_NONE);
	assert_int_equal(atomic_file_remove_tree(directory, "missing/file", NULL), FAULT_NONE);
	assert_int_equal(entries("."), 0);
}

static void
atomic_file__remove_tree_has_a_floor(void **state)
{
	(void)state;
	AUTO_CLEAR(struct bytes, bytes_clear) path = BYTES_INIT;
	struct fault fault = FAULT_INIT;
	for (int i = 0; i < 70; i++)
		assert_int_equal(bytes_append_text(&path, i == 0 ? "d" : "/d", NULL), FAULT_NONE);
	assert_int_equal(atomic_file_make_directories(directory, bytes_text(&path), 0755, NULL), FAULT_NONE);
	assert_int_equal(atomic_file_remove_tree(directory, "d", &fault), FAULT_IO);
	assert_non_null(strstr(fault.message, "64 directories deep"));
	assert_int_equal(atomic_file_remove_tree(directory, "d/d/d/d/d/d/d/d", NULL), FAULT_NONE);
	assert_int_equal(atomic_file_remove_tree(directory, "d", NULL), FAULT_NONE);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(atomic_file__put_writes_content_mode_and_time),
		CASE(atomic_file__replaces_by_rename),
		CASE(atomic_file__nothing_is_there_until_commit),
		CASE(atomic_file__clear_leaves_nothing_behind),
		CASE(atomic_file__leftovers_are_in_nobodys_way),
		CASE(atomic_file__bad_places_are_faults),
		CASE(atomic_file__a_full_disk_keeps_the_old_file),
		CASE(atomic_file__a_bound_on_files_keeps_the_old_file),
		CASE(atomic_file__a_read_only_disk_is_a_disk_fault),
		CASE(atomic_file__read_respects_its_limit),
		CASE(atomic_file__read_takes_files_that_tell_no_size),
		CASE(atomic_file__large_files_come_back_whole),
		CASE(atomic_file__make_directories_makes_parents),
		CASE(atomic_file__sync_parent_finds_the_directory),
		CASE(atomic_file__remove_tree_follows_no_link),
		CASE(atomic_file__remove_tree_takes_files_and_nothing),
		CASE(atomic_file__remove_tree_has_a_floor),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
