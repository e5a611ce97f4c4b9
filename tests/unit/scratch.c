#include "tests/unit/scratch.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ca/base/atomic_file.h"

int
scratch_setup(void **state)
{
	const char *parent = getenv("TMPDIR");
	char *path;
	if (asprintf(&path, "%s/cadastre-XXXXXX", parent != NULL ? parent : "/tmp") < 0)
		return -1;
	*state = path;
	return mkdtemp(path) != NULL ? 0 : -1;
}

int
scratch_teardown(void **state)
{
	(void)umount2(*state, MNT_DETACH); /* says that nothing is mounted on it, mostly */
	enum fault_code code = atomic_file_remove_tree(AT_FDCWD, *state, NULL);
	free(*state);
	return code == FAULT_NONE ? 0 : -1;
}

const char *
scratch_path(void **state, const char *name)
{
	static char paths[4][4096];
	static size_t next;
	char *path = paths[next++ % 4];
	(void)snprintf(path, sizeof paths[0], "%s/%s", (const char *)*state, name);
	return path;
}

bool
scratch_mount(void **state, size_t size)
{
	char options[64];
	(void)snprintf(options, sizeof options, "size=%zu,mode=0700", size);
	/* A mount namespace of our own goes with the process, whatever happens to it. */
	return unshare(CLONE_NEWNS) == 0 && mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
		mount("tmpfs", *state, "tmpfs", 0, options) == 0;
}

void
scratch_mount_read_only(void **state, bool read_only)
{
	if (mount("tmpfs", *state, "tmpfs", MS_REMOUNT | (read_only ? MS_RDONLY : 0U), NULL) != 0)
		abort();
}

bool
scratch_dies(void (*function)(void *argument), void *argument)
{
	(void)fflush(NULL);
	pid_t child = fork();
	if (child == 0) {
		(void)setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
		(void)!freopen("/dev/null", "w", stderr);
		function(argument);
		_exit(0);
	}
	int status = 0;
	return child > 0 && waitpid(child, &status, 0) == child && WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}
