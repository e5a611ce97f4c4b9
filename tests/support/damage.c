#include "tests/support/damage.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ca/base/atomic_file.h"
#include "tests/support/published.h"

static void
flip(int fd)
{
	struct stat status;
	uint8_t byte = 0;
	if (fstat(fd, &status) != 0 || status.st_size == 0)
		return;
	const struct timespec times[2] = { status.st_atim, status.st_mtim };
	off_t at = status.st_size / 2;
	if (pread(fd, &byte, 1, at) != 1)
		abort();
	byte ^= 1;
	if (pwrite(fd, &byte, 1, at) != 1 || futimens(fd, times) != 0)
		abort();
}

static void
replace(struct sample_repository *sample, const char *path, enum damage damage)
{
	char inner[4096];
	(void)snprintf(inner, sizeof inner, "%s/inner", path);
	if (unlinkat(sample->directory, path, 0) != 0)
		abort();
	if (damage == DAMAGE_DIRECTORY && (mkdirat(sample->directory, path, 0700) != 0 || mkdirat(sample->directory, inner,
		0700) != 0))
		abort();
	if (damage == DAMAGE_LINK && symlinkat("nowhere", sample->directory, path) != 0)
		abort();
}

void
damage_file(struct sample_repository *sample, const char *path, enum damage damage)
{
	static const struct timespec odd[2] = { { .tv_sec = 1000 }, { .tv_sec = 1000 } };
	struct stat status;
	AUTO_CLEAR(int, descriptor_close) fd = openat(sample->directory, path, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return;
	switch (damage) {
	case DAMAGE_TRUNCATE:
		if (fstat(fd, &status) != 0 || ftruncate(fd, status.st_size / 2) != 0)
			abort();
		break;
	case DAMAGE_FLIP:
		flip(fd);
		break;
	case DAMAGE_APPEND:
		if (lseek(fd, 0, SEEK_END) < 0 || write(fd, "x", 1) != 1)
			abort();
		break;
	case DAMAGE_EMPTY:
		if (ftruncate(fd, 0) != 0)
			abort();
		break;
	case DAMAGE_TIME:
		if (futimens(fd, odd) != 0)
			abort();
		break;
	case DAMAGE_MODE:
		if (fchmod(fd, 0640) != 0)
			abort();
		break;
	default:
		replace(sample, path, damage);
	}
}

struct choice {
	size_t left;      /* files to pass by */
	char path[4096];
};

static void
count_one(void *argument, const char *path)
{
	(void)path;
	++*(size_t *)argument;
}

static void
choose(void *argument, const char *path)
{
	struct choice *choice = argument;
	if (choice->left-- == 0)
		(void)snprintf(choice->path, sizeof choice->path, "%s", path);
}

void
damage_some(struct sample_repository *sample, const char *directory, size_t count)
{
	for (; count > 0; count--) {
		struct choice choice = { .left = 0 };
		size_t files = 0;
		published_walk(sample, directory, count_one, &files);
		if (files == 0)
			return;
		choice.left = sample_repository_random(sample, files);
		published_walk(sample, directory, choose, &choice);
		damage_file(sample, choice.path, (enum damage)sample_repository_random(sample, DAMAGES));
	}
}

static void
litter(struct sample_repository *sample, const char *path)
{
	char front[4096];
	(void)snprintf(front, sizeof front, "%s", path);
	*strrchr(front, '/') = '\0';
	if (atomic_file_make_directories(sample->directory, front, 0700, NULL) != FAULT_NONE ||
		atomic_file_put(sample->directory, path, SPAN("litter", 6), 0600, 5, NULL) != FAULT_NONE)
		abort();
}

void
damage_litter(struct sample_repository *sample)
{
	static const char *const paths[] = {
		"rrdp/notification.xml.tmp-0123456789abcdef",
		"rrdp/snapshot.xml",
		"rrdp/index/index.html",
		"rrdp/0d1c2b3a-4f5e-4d7c-8b9a-a0b1c2d3e4f6/1/00/snapshot.xml",
		"rrdp/" SAMPLE_REPOSITORY_SESSION "/notes",
		"rrdp/" SAMPLE_REPOSITORY_SESSION "/0/00/snapshot.xml",
		"rrdp/" SAMPLE_REPOSITORY_SESSION "/00000000001/00/snapshot.xml",
		"rrdp/" SAMPLE_REPOSITORY_SESSION "/99999999999999999999999/00/snapshot.xml",
		"rsync/.incoming",
		"rsync/.current",
		"rsync/old/a/b/c.roa",
		"rsync/current/stray.roa",
		"rsync/current/deep/er/stray.roa",
		"ta/ta.cer.tmp-0123456789abcdef",
	};
	for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
		litter(sample, paths[i]);
	int64_t serial = sample_repository_number(sample, "SELECT notified_serial AS n FROM repositories");
	litter(sample, published_path(sample, serial, "third.xml"));
	litter(sample, published_path(sample, serial, "snapshot.xml.tmp-0123456789abcdef"));
	litter(sample, published_path(sample, serial, "x/y"));
	if (mkdirat(sample->directory, "rsync/current/hollow", 0755) != 0)
		abort();
}
