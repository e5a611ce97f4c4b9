/* libc's inline versions would be in the way of our own. */
#undef _FORTIFY_SOURCE

#include "tests/inject/injector.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "ca/base/memory.h"

/* Files that were written to and not flushed since. More at a time are too many for this program's use. */
#define UNFLUSHED_MAX 64

static atomic_int kind;
static atomic_bool resting;
static atomic_llong disk_calls, memory_calls, fails_at;
static _Atomic(const char *) failed;

static struct {
	pthread_mutex_t mutex;
	struct {
		dev_t device;
		ino_t inode;
		off_t flushed;           /* its length when it was last flushed, or first written to */
		int fd;                  /* a copy, so that closing doesn't end it */
	} files[UNFLUSHED_MAX];
	size_t count;
} unflushed = { .mutex = PTHREAD_MUTEX_INITIALIZER };

void
injector_arm(enum injector_kind what, int64_t at)
{
	disk_calls = memory_calls = 0;
	fails_at = at;
	failed = NULL;
	resting = false;
	kind = (int)what;
}

void
injector_rest(bool rest)
{
	resting = rest;
}

int64_t
injector_disk_calls(void)
{
	return disk_calls;
}

int64_t
injector_memory_calls(void)
{
	return memory_calls;
}

const char *
injector_failed(void)
{
	return failed;
}

static void
note_write(int fd)
{
	struct stat status;
	if (kind != INJECT_END || resting || fstat(fd, &status) != 0 || !S_ISREG(status.st_mode))
		return;
	pthread_mutex_lock(&unflushed.mutex);
	size_t i = 0;
	while (i < unflushed.count && (unflushed.files[i].device != status.st_dev || unflushed.files[i].inode != status.st_ino))
		i++;
	if (i == unflushed.count) {
		INVARIANT(i < UNFLUSHED_MAX);
		unflushed.files[i].device = status.st_dev;
		unflushed.files[i].inode = status.st_ino;
		unflushed.files[i].flushed = status.st_size;
		unflushed.files[i].fd = (int)syscall(SYS_fcntl, fd, F_DUPFD_CLOEXEC, 100);
		unflushed.count++;
	}
	pthread_mutex_unlock(&unflushed.mutex);
}

static void
note_flush(int fd)
{
	struct stat status;
	if (kind != INJECT_END || resting || fstat(fd, &status) != 0)
		return;
	pthread_mutex_lock(&unflushed.mutex);
	for (size_t i = 0; i < unflushed.count; i++)
		if (unflushed.files[i].device == status.st_dev && unflushed.files[i].inode == status.st_ino) {
			(void)syscall(SYS_close, unflushed.files[i].fd);
			unflushed.files[i] = unflushed.files[--unflushed.count];
			break;
		}
	pthread_mutex_unlock(&unflushed.mutex);
}

/* As a power cut leaves it: the other threads never come to know. SQLite's -shm is no file of lasting content. */
static void
end(void)
{
	pthread_mutex_lock(&unflushed.mutex);
	for (size_t i = 0; i < unflushed.count; i++)
		(void)syscall(SYS_ftruncate, unflushed.files[i].fd, unflushed.files[i].flushed);
	_exit(INJECTOR_ENDED);
}

/* Is this the call that fails? Then errno is set. */
static bool
fails(const char *call)
{
	if (kind == INJECT_OFF || resting)
		return false;
	int64_t number = atomic_fetch_add(&disk_calls, 1) + 1;
	if (number != fails_at || (kind != INJECT_DISK && kind != INJECT_END))
		return false;
	failed = call;
	if (kind == INJECT_END)
		end();
	errno = number % 2 == 0 ? EIO : ENOSPC;
	return true;
}

/* Standard output and error are no part of what is tried. */
#define LEAST_FD 3

ssize_t
write(int fd, const void *data, size_t length)
{
	if (fd >= LEAST_FD) {
		note_write(fd);
		if (fails("write")) {
			int error = errno;
			(void)syscall(SYS_write, fd, data, length / 2);
			errno = error;
			return -1;
		}
	}
	return syscall(SYS_write, fd, data, length);
}

static ssize_t
write_at(int fd, const void *data, size_t length, off_t offset)
{
	note_write(fd);
	if (fails("pwrite")) {
		int error = errno;
		(void)syscall(SYS_pwrite64, fd, data, length / 2, offset);
		errno = error;
		return -1;
	}
	return syscall(SYS_pwrite64, fd, data, length, offset);
}

ssize_t
pwrite(int fd, const void *data, size_t length, off_t offset)
{
	return write_at(fd, data, length, offset);
}

ssize_t
pwrite64(int fd, const void *data, size_t length, off_t offset)
{
	return write_at(fd, data, length, offset);
}

int
fsync(int fd)
{
	if (fails("fsync"))
		return -1;
	note_flush(fd);
	return (int)syscall(SYS_fsync, fd);
}

int
fdatasync(int fd)
{
	if (fails("fdatasync"))
		return -1;
	note_flush(fd);
	return (int)syscall(SYS_fdatasync, fd);
}

int
syncfs(int fd)
{
	return fails("syncfs") ? -1 : (int)syscall(SYS_syncfs, fd);
}

int
sync_file_range(int fd, off64_t offset, off64_t length, unsigned flags)
{
	return fails("sync_file_range") ? -1 : (int)syscall(SYS_sync_file_range, fd, offset, length, flags);
}

static int
truncate_to(int fd, off_t length)
{
	note_write(fd);
	return fails("ftruncate") ? -1 : (int)syscall(SYS_ftruncate, fd, length);
}

int
ftruncate(int fd, off_t length)
{
	return truncate_to(fd, length);
}

int
ftruncate64(int fd, off64_t length)
{
	return truncate_to(fd, length);
}

static int
open_at(int directory, const char *path, int flags, va_list arguments)
{
	bool makes = (flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE;
	unsigned mode = makes ? va_arg(arguments, unsigned) : 0;
	bool writes = makes || (flags & O_ACCMODE) != O_RDONLY;
	return writes && fails("open") ? -1 : (int)syscall(SYS_openat, directory, path, flags, mode);
}

#define OPEN(directory)                                                 \
	va_list arguments;                                              \
	va_start(arguments, flags);                                     \
	int fd = open_at(directory, path, flags, arguments);            \
	va_end(arguments);                                              \
	return fd

int
open(const char *path, int flags, ...)
{
	OPEN(AT_FDCWD);
}

int
open64(const char *path, int flags, ...)
{
	OPEN(AT_FDCWD);
}

int
openat(int directory, const char *path, int flags, ...)
{
	OPEN(directory);
}

int
openat64(int directory, const char *path, int flags, ...)
{
	OPEN(directory);
}

int
mkdirat(int directory, const char *path, mode_t mode)
{
	return fails("mkdir") ? -1 : (int)syscall(SYS_mkdirat, directory, path, mode);
}

int
renameat(int from, const char *path, int to, const char *target)
{
	return fails("rename") ? -1 : (int)syscall(SYS_renameat2, from, path, to, target, 0);
}

int
linkat(int from, const char *path, int to, const char *target, int flags)
{
	return fails("link") ? -1 : (int)syscall(SYS_linkat, from, path, to, target, flags);
}

int
symlinkat(const char *target, int directory, const char *path)
{
	return fails("symlink") ? -1 : (int)syscall(SYS_symlinkat, target, directory, path);
}

int
unlinkat(int directory, const char *path, int flags)
{
	return fails((flags & AT_REMOVEDIR) != 0 ? "rmdir" : "unlink") ? -1 : (int)syscall(SYS_unlinkat, directory, path, flags);
}

int
unlink(const char *path)
{
	return unlinkat(AT_FDCWD, path, 0);
}

int
utimensat(int directory, const char *path, const struct timespec times[2], int flags)
{
	return fails("utimensat") ? -1 : (int)syscall(SYS_utimensat, directory, path, times, flags);
}

int
futimens(int fd, const struct timespec times[2])
{
	return fails("futimens") ? -1 : (int)syscall(SYS_utimensat, fd, NULL, times, 0);
}

int
fchmod(int fd, mode_t mode)
{
	return fails("fchmod") ? -1 : (int)syscall(SYS_fchmod, fd, mode);
}

int
fchmodat(int directory, const char *path, mode_t mode, int flags)
{
	(void)flags;
	return fails("fchmodat") ? -1 : (int)syscall(SYS_fchmodat, directory, path, mode);
}

/* Memory: as memory.c says it when there is none. */

static bool
is_short(const char *call)
{
	if (kind == INJECT_OFF || resting)
		return false;
	int64_t number = atomic_fetch_add(&memory_calls, 1) + 1;
	if (kind != INJECT_MEMORY || number != fails_at)
		return false;
	failed = call;
	return true;
}

#define OUT_OF_MEMORY fault_set(fault, FAULT_MEMORY, "out of memory, as a test has it")

enum fault_code __real_memory_new(size_t count, size_t size, void *ret_pointer, struct fault *fault);
enum fault_code __wrap_memory_new(size_t count, size_t size, void *ret_pointer, struct fault *fault);
enum fault_code __real_memory_reserve(void *array, size_t *capacity, size_t needed, size_t size, struct fault *fault);
enum fault_code __wrap_memory_reserve(void *array, size_t *capacity, size_t needed, size_t size, struct fault *fault);
enum fault_code __real_memory_copy(const void *bytes, size_t length, void *ret_copy, struct fault *fault);
enum fault_code __wrap_memory_copy(const void *bytes, size_t length, void *ret_copy, struct fault *fault);
enum fault_code __real_memory_copy_string(const char *text, char **ret_copy, struct fault *fault);
enum fault_code __wrap_memory_copy_string(const char *text, char **ret_copy, struct fault *fault);
enum fault_code __wrap_memory_printf(char **ret_text, struct fault *fault, const char *format, ...);

enum fault_code
__wrap_memory_new(size_t count, size_t size, void *ret_pointer, struct fault *fault)
{
	return is_short("memory_new") ? OUT_OF_MEMORY : __real_memory_new(count, size, ret_pointer, fault);
}

/* Where there is room already, nothing is asked for. */
enum fault_code
__wrap_memory_reserve(void *array, size_t *capacity, size_t needed, size_t size, struct fault *fault)
{
	return needed > *capacity && is_short("memory_reserve") ? OUT_OF_MEMORY
		: __real_memory_reserve(array, capacity, needed, size, fault);
}

enum fault_code
__wrap_memory_copy(const void *bytes, size_t length, void *ret_copy, struct fault *fault)
{
	return is_short("memory_copy") ? OUT_OF_MEMORY : __real_memory_copy(bytes, length, ret_copy, fault);
}

enum fault_code
__wrap_memory_copy_string(const char *text, char **ret_copy, struct fault *fault)
{
	return is_short("memory_copy_string") ? OUT_OF_MEMORY : __real_memory_copy_string(text, ret_copy, fault);
}

/* The real one takes its arguments apart: here they are printed once more. */
enum fault_code
__wrap_memory_printf(char **ret_text, struct fault *fault, const char *format, ...)
{
	char text[4096];
	va_list arguments;
	if (is_short("memory_printf"))
		return OUT_OF_MEMORY;
	va_start(arguments, format);
	int length = vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	INVARIANT(length >= 0 && (size_t)length < sizeof text);
	return __real_memory_copy_string(text, ret_text, fault);
}
