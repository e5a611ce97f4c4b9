#include "publish/sweep.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ca/base/atomic_file.h"
#include "ca/base/log.h"

#define LOST_AND_FOUND "lost+found"

struct sweep {
	struct site *site;
	const char *session;
	const struct publication_cut *cuts;
	const struct publication_tree *trees;
	const struct publication_head *others; /* repositories with directories of their own below the one that is swept */
	size_t others_count;
	size_t count;
	const struct publication_cut *cut; /* whose directories are being swept */
};

/* Whether an entry of a directory belongs there. */
typedef bool (*sweep_belongs)(struct sweep *sweep, const char *name);
/* What to do in an entry that does; NULL: nothing. */
typedef enum fault_code (*sweep_inside)(struct sweep *sweep, const char *path, const char *name, struct fault *fault);

static void
close_stream(DIR **stream)
{
	if (*stream != NULL)
		(void)closedir(*stream);
}

/* *ret_stream stays NULL where there is no such directory. */
static enum fault_code
open_stream(const struct site *site, const char *path, DIR **ret_stream, struct fault *fault)
{
	AUTO_CLEAR(int, descriptor_close) fd = openat(site->directory, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return FAULT_NONE;
	DIR *stream = fd >= 0 ? fdopendir(fd) : NULL;
	if (stream == NULL)
		return fault_set_errno(fault, errno, "can't read the directory %s", path);
	fd = -1; /* the stream's now */
	*ret_stream = stream;
	return FAULT_NONE;
}

/* The temporary file of the .gz that is being written. It is announced before it exists. */
static bool
is_being_written(struct site *site, const char *path)
{
	SITE_EXCHANGE(site);
	size_t length = strlen(site->exchange->compressing);
	static const char ending[] = LAYOUT_GZIP LAYOUT_TEMPORARY;
	return length > 0 && strncmp(path, site->exchange->compressing, length) == 0 && strncmp(path + length, ending,
		sizeof ending - 1) == 0;
}

static enum fault_code
sweep_entry(struct sweep *sweep, const char *directory, const char *name, sweep_belongs belongs, sweep_inside inside,
	struct fault *fault)
{
	char path[LAYOUT_PATH + NAME_MAX + 2];
	(void)snprintf(path, sizeof path, "%s/%s", directory, name);
	if (belongs(sweep, name))
		return inside != NULL ? inside(sweep, path, name, fault) : FAULT_NONE;
	if (strcmp(name, LOST_AND_FOUND) == 0 || is_being_written(sweep->site, path))
		return FAULT_NONE;
	log_write(LOG_DEBUG, "removing %s: it doesn't belong there", path);
	return atomic_file_remove_tree(sweep->site->directory, path, fault);
}

static enum fault_code
sweep_directory(struct sweep *sweep, const char *directory, sweep_belongs belongs, sweep_inside inside, struct fault *fault)
{
	AUTO_CLEAR(DIR *, close_stream) stream = NULL;
	TRY(open_stream(sweep->site, directory, &stream, fault));
	while (stream != NULL) {
		errno = 0;
		const struct dirent *entry = readdir(stream);
		if (entry == NULL && errno != 0)
			return fault_set_errno(fault, errno, "can't read the directory %s", directory);
		if (entry == NULL)
			break;
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			TRY(sweep_entry(sweep, directory, entry->d_name, belongs, inside, fault));
	}
	return FAULT_NONE;
}

static bool
is_file_or_gzip(const char *name, const char *file_name)
{
	size_t length = strlen(file_name);
	return strncmp(name, file_name, length) == 0 && (name[length] == '\0' || strcmp(name + length, LAYOUT_GZIP) == 0);
}

static bool
belongs_in_random(struct sweep *sweep, const char *name)
{
	const struct publication_cut *cut = sweep->cut;
	return (cut->snapshot_kept && cut->has_snapshot && is_file_or_gzip(name, layout_file_name(LAYOUT_SNAPSHOT))) ||
		(cut->delta_kept && cut->has_delta && is_file_or_gzip(name, layout_file_name(LAYOUT_DELTA)));
}

/* A directory that is empty now is of no use either. */
static enum fault_code
remove_if_empty(const struct sweep *sweep, const char *path, struct fault *fault)
{
	if (unlinkat(sweep->site->directory, path, AT_REMOVEDIR) != 0 && errno != ENOTEMPTY && errno != EEXIST && errno != ENOENT)
		return fault_set_errno(fault, errno, "can't remove the directory %s", path);
	return FAULT_NONE;
}

static enum fault_code
inside_random(struct sweep *sweep, const char *path, const char *name, struct fault *fault)
{
	(void)name;
	TRY(sweep_directory(sweep, path, belongs_in_random, NULL, fault));
	return remove_if_empty(sweep, path, fault);
}

static bool
belongs_in_serial(struct sweep *sweep, const char *name)
{
	return strcmp(name, sweep->cut->random) == 0;
}

static enum fault_code
inside_serial(struct sweep *sweep, const char *path, const char *name, struct fault *fault)
{
	(void)name;
	TRY(sweep_directory(sweep, path, belongs_in_serial, inside_random, fault));
	return remove_if_empty(sweep, path, fault);
}

/* The name of a serial's directory is its number, written in the one way. */
static bool
belongs_in_session(struct sweep *sweep, const char *name)
{
	char number[24];
	int64_t serial = strtoll(name, NULL, 10);
	(void)snprintf(number, sizeof number, "%" PRId64, serial);
	if (strcmp(number, name) != 0 || sweep->count == 0 || serial < sweep->cuts[0].serial)
		return false;
	uint64_t index = (uint64_t)(serial - sweep->cuts[0].serial);
	if (index >= sweep->count)
		return false;
	sweep->cut = &sweep->cuts[index];
	return sweep->cut->serial == serial && (sweep->cut->snapshot_kept || sweep->cut->delta_kept);
}

/* The directory of another repository has its number, from 2 on, written in the one way. */
static bool
is_other_repository(const struct sweep *sweep, const char *name)
{
	for (size_t i = 0; i < sweep->others_count; i++) {
		char number[24];
		(void)snprintf(number, sizeof number, "%" PRId64, sweep->others[i].repository_id);
		if (sweep->others[i].repository_id > 1 && strcmp(number, name) == 0)
			return true;
	}
	return false;
}

static bool
belongs_in_rrdp(struct sweep *sweep, const char *name)
{
	return is_other_repository(sweep, name) || strcmp(name, sweep->session) == 0 || is_file_or_gzip(name, LAYOUT_NOTIFICATION_NAME);
}

static enum fault_code
inside_rrdp(struct sweep *sweep, const char *path, const char *name, struct fault *fault)
{
	if (strcmp(name, sweep->session) != 0)
		return FAULT_NONE;
	return sweep_directory(sweep, path, belongs_in_session, inside_serial, fault);
}

enum fault_code
sweep_rrdp(struct site *site, const char *session, const struct publication_cut *cuts, size_t count, struct fault *fault)
{
	AUTO(struct publication_head, free) heads = NULL;
	struct sweep sweep = { .site = site, .session = session, .cuts = cuts, .count = count };
	char path[LAYOUT_PATH];
	layout_repository(path, site->repository_id);
	if (site->repository_id == 1)
		TRY(site_repositories(site, &heads, &sweep.others_count, fault));
	sweep.others = heads;
	return sweep_directory(&sweep, path, belongs_in_rrdp, inside_rrdp, fault);
}

static bool
belongs_in_rsync(struct sweep *sweep, const char *name)
{
	for (size_t i = 0; i < sweep->count; i++)
		if (strcmp(name, sweep->trees[i].name) == 0)
			return true;
	return strcmp(name, LAYOUT_CURRENT) == 0;
}

enum fault_code
sweep_rsync(struct site *site, const struct publication_tree *trees, size_t count, struct fault *fault)
{
	struct sweep sweep = { .site = site, .trees = trees, .count = count };
	return sweep_directory(&sweep, LAYOUT_RSYNC, belongs_in_rsync, NULL, fault);
}

/* DIR/ta also holds what others put there. */
static bool
belongs_in_ta(struct sweep *sweep, const char *name)
{
	static const char temporary[] = "ta.cer" LAYOUT_TEMPORARY;
	(void)sweep;
	return strncmp(name, temporary, sizeof temporary - 1) != 0;
}

enum fault_code
sweep_trust_anchor(struct site *site, struct fault *fault)
{
	struct sweep sweep = { .site = site };
	return sweep_directory(&sweep, "ta", belongs_in_ta, NULL, fault);
}
