/*
 * The rsync tree that is served, which may be of an earlier serial than RRDP. With a database it is held against the state of the
 * serial that this says; without, against each serial that the deltas lead to.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ca/base/memory.h"
#include "publish/check/check_internal.h"

#define CURRENT "rsync/current"
#define DEPTH_MAX 32
#define TRIES 3
#define FILE_MAX 100000000
#define TRUST_ANCHOR "ta/ta.cer"

struct tree {
	struct check *check;
	int64_t serial;
	bool changed;                           /* it was turned to another serial meanwhile */
};

static enum fault_code
hash_file(int directory, const char *name, uint8_t ret_hash[SHA256_SIZE], bool *ret_there, struct fault *fault)
{
	AUTO(struct digest, digest_free) digest = NULL;
	AUTO_CLEAR(int, descriptor_close) fd = openat(directory, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	char block[16384];
	*ret_there = fd >= 0;
	if (fd < 0)
		return FAULT_NONE;
	TRY(digest_new(&digest, fault));
	for (int64_t total = 0; total < FILE_MAX;) {
		ssize_t length = read(fd, block, sizeof block);
		if (length < 0 && errno == EINTR)
			continue;
		if (length < 0)
			return fault_set_errno(fault, errno, "reading %.200s", name);
		if (length == 0)
			break;
		TRY(digest_update(digest, block, (size_t)length, fault));
		total += length;
	}
	return digest_finish(digest, ret_hash, fault);
}

static enum fault_code
take_file(struct check *check, int directory, const char *name, const char *uri, const struct stat *status, struct fault *fault)
{
	struct check_entry *entry;
	bool there;
	TRY(check_go_on(check, fault));
	TRY(check_index_add(&check->index, uri, &entry, fault));
	entry->in_rsync = true;
	entry->modified_at = status->st_mtime;
	TRY(hash_file(directory, name, entry->rsync, &there, fault));
	return there ? FAULT_NONE : FOUND(check, RSYNC_UNREADABLE, uri, fault, "it can't be opened");
}

static void
close_directory(DIR **directory)
{
	if (*directory != NULL)
		(void)closedir(*directory);
}

static enum fault_code walk(struct check *check, int parent, const char *name, const char *uri, unsigned depth, struct fault *fault);

static enum fault_code
take_name(struct check *check, int directory, const char *name, const char *base, unsigned depth, struct fault *fault)
{
	char uri[CHECK_URI];
	struct stat status;
	int length = snprintf(uri, sizeof uri, "%s%s", base, name);
	if (length < 0 || (size_t)length + 1 >= sizeof uri)
		return FOUND(check, RSYNC_EXTRA, base, fault, "a path longer than any URI");
	if (fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) != 0)
		return FOUND(check, RSYNC_UNREADABLE, uri, fault, "%s", strerror(errno));
	if (S_ISREG(status.st_mode))
		return take_file(check, directory, name, uri, &status, fault);
	if (!S_ISDIR(status.st_mode))
		return FOUND(check, RSYNC_EXTRA, uri, fault, "neither a file nor a directory");
	uri[length] = '/';
	uri[length + 1] = '\0';
	return walk(check, directory, name, uri, depth + 1, fault);
}

static enum fault_code
walk(struct check *check, int parent, const char *name, const char *uri, unsigned depth, struct fault *fault)
{
	AUTO_CLEAR(DIR *, close_directory) directory = NULL;
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | (depth > 0 ? O_NOFOLLOW : 0));
	if (fd < 0 || depth > DEPTH_MAX) {
		int error = fd < 0 ? errno : ELOOP;
		descriptor_close(&fd);
		return FOUND(check, RSYNC_UNREADABLE, uri, fault, "%s", strerror(error));
	}
	directory = fdopendir(fd);
	if (directory == NULL) {
		descriptor_close(&fd);
		return fault_set(fault, FAULT_MEMORY, "out of memory");
	}
	for (struct dirent *found = readdir(directory); found != NULL; found = readdir(directory))
		if (strcmp(found->d_name, ".") != 0 && strcmp(found->d_name, "..") != 0)
			TRY(take_name(check, dirfd(directory), found->d_name, uri, depth, fault));
	return FAULT_NONE;
}

static enum fault_code
expect(void *argument, const struct check_object_row *row, struct fault *fault)
{
	struct tree *tree = argument;
	struct check *check = tree->check;
	char uri[CHECK_URI];
	(void)snprintf(uri, sizeof uri, "%s%s", check->rsync_base, row->path);
	struct check_entry *entry = check_index_find(&check->index, uri, strlen(uri));
	TRY(check_go_on(check, fault));
	if (entry == NULL || !entry->in_rsync)
		return FOUND(check, RSYNC_MISSING, uri, fault, "it isn't in the tree of serial %" PRId64, tree->serial);
	entry->in_rsync = false; /* what is left then is too many */
	if (!span_equal(row->hash, SPAN(entry->rsync, SHA256_SIZE)))
		return FOUND(check, RSYNC_DIFFERS, uri, fault, "its content isn't that of serial %" PRId64, tree->serial);
	if (entry->modified_at != row->modified_at)
		return FOUND(check, RSYNC_TIME, uri, fault, "its time is %" PRId64 ", should be %" PRId64, entry->modified_at,
			row->modified_at);
	return FAULT_NONE;
}

static enum fault_code
find_extra(struct check *check, struct fault *fault)
{
	const struct check_entry *entry;
	size_t position = 0;
	while ((entry = check_index_next(&check->index, &position)) != NULL)
		if (entry->in_rsync)
			TRY(FOUND(check, RSYNC_EXTRA, entry->uri, fault, "no object of its serial is there"));
	return FAULT_NONE;
}

static void
forget(struct check *check)
{
	struct check_entry *entry;
	size_t position = 0;
	while ((entry = check_index_next(&check->index, &position)) != NULL)
		entry->in_rsync = false;
}

/* What a served tree is known by: it is replaced by turning the link to it. */
struct served {
	char target[256];
	struct check_repository *repositories;
	size_t count;
};

static void
served_clear(struct served *served)
{
	free(served->repositories);
}

static enum fault_code
look_at_link(struct check *check, struct served *served, struct fault *fault)
{
	ssize_t length = readlinkat(check->request->directory, CURRENT, served->target, sizeof served->target - 1);
	served->target[length < 0 ? 0 : length] = '\0';
	return check_view_repositories(check->request->db, &served->repositories, &served->count, fault);
}

static bool
is_same(const struct served *a, const struct served *b)
{
	bool same = a->count == b->count && strcmp(a->target, b->target) == 0;
	for (size_t i = 0; same && i < a->count; i++)
		same = a->repositories[i].rsync_serial == b->repositories[i].rsync_serial;
	return same;
}

static enum fault_code
open_tree(struct check *check, int *ret_fd, struct fault *fault)
{
	const struct check_request *request = check->request;
	if (request->directory < 0)
		return request->source->open_tree(request->source->self, check->rsync_base, ret_fd, fault);
	*ret_fd = openat(request->directory, CURRENT, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return *ret_fd >= 0 ? FAULT_NONE : fault_set(fault, FAULT_NOT_FOUND, "%s can't be opened: %s", CURRENT, strerror(errno));
}

enum fault_code
check_rsync_read(struct check *check, struct fault *fault)
{
	AUTO_CLEAR(int, descriptor_close) tree = -1;
	struct fault missing = FAULT_INIT;
	enum fault_code code = open_tree(check, &tree, &missing);
	if (code == FAULT_NOT_FOUND)
		return FOUND(check, RSYNC_UNREADABLE, check->rsync_base, fault, "%s", missing.message);
	if (code != FAULT_NONE)
		return fault_set(fault, code, "%s", missing.message);
	check->rsync_read = true;
	return walk(check, tree, ".", check->rsync_base, 0, fault);
}

/* One try; what it finds goes into a report of its own. */
static enum fault_code
compare(struct check *check, struct tree *tree, struct fault *fault)
{
	AUTO_CLEAR(struct served, served_clear) before = { .count = 0 };
	AUTO_CLEAR(struct served, served_clear) after = { .count = 0 };
	forget(check);
	TRY(look_at_link(check, &before, fault));
	TRY(check_rsync_read(check, fault));
	for (size_t i = before.count; i-- > 0 && check->rsync_read;) {
		tree->serial = before.repositories[i].rsync_serial;
		TRY(check_view_state(check->request->db, before.repositories[i].repository_id, tree->serial, expect, tree, fault));
	}
	tree->serial = before.repositories[0].rsync_serial;
	TRY(find_extra(check, fault));
	TRY(look_at_link(check, &after, fault));
	tree->changed = !is_same(&before, &after);
	return FAULT_NONE;
}

enum fault_code
check_rsync(struct check *check, struct fault *fault)
{
	struct check_report *report = check->report;
	struct tree tree = { .check = check };
	for (int i = 0; i < TRIES; i++) {
		AUTO_CLEAR(struct check_report, check_report_clear) part = CHECK_REPORT_INIT;
		check->report = &part;
		enum fault_code code = compare(check, &tree, fault);
		check->report = report;
		TRY(code);
		if (tree.changed && i < TRIES - 1)
			continue;
		report->rsync_serial = tree.serial;
		return check_report_join(report, &part, fault);
	}
	return FAULT_NONE;
}

/* Is this file other in the tree than in the serial that the deltas were undone to? The trust anchor's certificate isn't in RRDP. */
static bool
differs(const struct check *check, const struct check_entry *entry)
{
	size_t base = strlen(check->rsync_base);
	if (strncmp(entry->uri, check->rsync_base, base) == 0 && strcmp(entry->uri + base, TRUST_ANCHOR) == 0)
		return false;
	if (!entry->present || !entry->in_rsync)
		return entry->present != entry->in_rsync;
	return memcmp(entry->replayed, entry->rsync, SHA256_SIZE) != 0;
}

int64_t
check_rsync_differs(const struct check *check, const struct check_entry *entry)
{
	return check->rsync_read && differs(check, entry);
}

void
check_rsync_snapshot(struct check *check)
{
	struct check_point *point = check->point;
	const struct check_entry *entry;
	size_t position = 0;
	point->differences = 0;
	while ((entry = check_index_next(&check->index, &position)) != NULL)
		if (entry->point == point->number)
			point->differences += check_rsync_differs(check, entry);
	point->fewest = point->differences;
	point->fewest_serial = point->head.serial;
}

/* It is in none of the states that were looked at so far. */
void
check_rsync_adopt(struct check *check, struct check_entry *entry)
{
	entry->point = check->point->number;
	check->point->differences += check_rsync_differs(check, entry);
	check->point->fewest += check_rsync_differs(check, entry);
}

void
check_rsync_serial(struct check *check, int64_t serial)
{
	struct check_point *point = check->point;
	if (point->differences >= point->fewest)
		return;
	point->fewest = point->differences;
	point->fewest_serial = serial;
}

/* Each repository at some serial of its own; and nothing that is of none. */
enum fault_code
check_rsync_judge(struct check *check, struct fault *fault)
{
	const struct check_point *first = check->points_count > 0 ? check->points[0] : NULL;
	const struct check_entry *entry;
	size_t position = 0;
	int64_t differences = 0;
	for (size_t i = 0; i < check->points_count; i++) {
		if (!check->points[i]->rrdp_read)
			return FAULT_NONE;
		differences += check->points[i]->fewest;
	}
	if (!check->rsync_read || first == NULL)
		return FAULT_NONE;
	while ((entry = check_index_next(&check->index, &position)) != NULL)
		differences += entry->point == 0 && differs(check, entry);
	check->report->rsync_serial = first->fewest_serial;
	if (differences == 0)
		return FAULT_NONE;
	return FOUND(check, RSYNC_STALE, check->rsync_base, fault, "%" PRId64 " files differ from the nearest serial, %" PRId64,
		differences, first->fewest_serial);
}
