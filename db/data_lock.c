#include "db/data_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "ca/base/memory.h"

#define FILE_NAME "lock"
#define PROCESS_TEXT 16

struct data_lock {
	int fd;
};

static enum fault_code
set_locked(int fd, struct fault *fault)
{
	char process[PROCESS_TEXT];
	ssize_t length = pread(fd, process, sizeof process - 1, 0);
	process[length > 0 ? length : 0] = '\0';
	size_t digits = strspn(process, "0123456789");
	process[digits] = '\0';
	return fault_set(fault, FAULT_LOCKED, "another cadastred or cadastre%s%s%s works on this data directory",
		digits > 0 ? " (process " : "", process, digits > 0 ? ")" : "");
}

/* Only for the words of set_locked(): that a full disk has no room for it stops nobody. */
static void
note_process(int fd)
{
	char process[PROCESS_TEXT];
	int length = snprintf(process, sizeof process, "%d\n", (int)getpid());
	if (ftruncate(fd, 0) == 0 && pwrite(fd, process, (size_t)length, 0) != length)
		(void)!ftruncate(fd, 0);
}

enum fault_code
data_lock_take(int directory, struct data_lock **ret_lock, struct fault *fault)
{
	int flags = O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
	AUTO_CLEAR(int, descriptor_close) fd = openat(directory, FILE_NAME, flags, 0600);
	if (fd < 0)
		return fault_set_errno(fault, errno, "the data directory's file \"" FILE_NAME "\"");
	if (flock(fd, LOCK_EX | LOCK_NB) != 0)
		return errno == EWOULDBLOCK ? set_locked(fd, fault) : fault_set_errno(fault, errno, "locking the data directory");
	AUTO(struct data_lock, free) lock = NULL;
	TRY(memory_new(1, sizeof *lock, &lock, fault));
	note_process(fd);
	lock->fd = fd;
	fd = -1;
	*ret_lock = MOVE(lock);
	return FAULT_NONE;
}

void
data_lock_free(struct data_lock *lock)
{
	if (lock == NULL)
		return;
	descriptor_close(&lock->fd);
	free(lock);
}
