#include "publish/rsync_tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ca/base/atomic_file.h"

/* In DIR/rsync, beside the trees: what a crash leaves there is in no tree. */
#define INCOMING ".incoming"

static const struct timespec directory_times[2] = {
	{ .tv_sec = RSYNC_TREE_DIRECTORY_TIME },
	{ .tv_sec = RSYNC_TREE_DIRECTORY_TIME },
};

enum fault_code
rsync_tree_open(struct rsync_tree *tree, const struct site *site, const char *name, bool create, bool *ret_found,
	struct fault *fault)
{
	char path[LAYOUT_PATH];
	if (create) {
		/* The parent of some name in the tree is the tree. */
		int length = snprintf(path, sizeof path, LAYOUT_RSYNC "/%s/" INCOMING, name);
		INVARIANT(length > 0 && length < LAYOUT_PATH);
		TRY(site_make_way(site, path, fault));
	}
	layout_tree(path, name);
	AUTO_CLEAR(int, descriptor_close) parent = openat(site->directory, LAYOUT_RSYNC, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int error = errno;
	AUTO_CLEAR(int, descriptor_close) root = -1;
	if (parent >= 0) {
		root = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		error = errno;
	}
	*ret_found = root >= 0;
	if (root < 0 && (create || (error != ENOENT && error != ENOTDIR && error != ELOOP)))
		return fault_set_errno(fault, error, "can't open %s", path);
	if (root < 0)
		return FAULT_NONE;
	if (create && futimens(root, directory_times) != 0)
		return fault_set_errno(fault, errno, "can't set the time of %s", path);
	*tree = (struct rsync_tree){ .parent = parent, .root = root };
	parent = root = -1;
	return FAULT_NONE;
}

void
rsync_tree_close(struct rsync_tree *tree)
{
	descriptor_close(&tree->parent);
	descriptor_close(&tree->root);
}

/* The directory of a path, "." for the root. */
static void
cut_last(char *path)
{
	char *slash = strrchr(path, '/');
	if (slash != NULL)
		*slash = '\0';
	else
		(void)snprintf(path, LAYOUT_OBJECT_PATH, ".");
}

static enum fault_code
set_time(const struct rsync_tree *tree, const char *directory, struct fault *fault)
{
	if (utimensat(tree->root, directory, directory_times, AT_SYMLINK_NOFOLLOW) != 0)
		return fault_set_errno(fault, errno, "can't set the time of the directory %s", directory);
	return FAULT_NONE;
}

/* Makes the directories above a path, each with its time; what is in the way of one is removed. */
static enum fault_code
make_directories(const struct rsync_tree *tree, const char *path, struct fault *fault)
{
	char front[LAYOUT_OBJECT_PATH];
	struct stat status;
	(void)snprintf(front, sizeof front, "%s", path);
	for (char *slash = strchr(front, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (fstatat(tree->root, front, &status, AT_SYMLINK_NOFOLLOW) == 0 && !S_ISDIR(status.st_mode))
			TRY(atomic_file_remove_tree(tree->root, front, fault));
		TRY(atomic_file_make_directories(tree->root, front, SITE_DIRECTORY_MODE, fault));
		TRY(set_time(tree, front, fault));
		*slash = '/';
	}
	for (cut_last(front); strcmp(front, ".") != 0; cut_last(front))
		TRY(set_time(tree, front, fault));
	return set_time(tree, ".", fault);
}

static enum fault_code
set_parent_time(const struct rsync_tree *tree, const char *path, struct fault *fault)
{
	char directory[LAYOUT_OBJECT_PATH];
	(void)snprintf(directory, sizeof directory, "%s", path);
	cut_last(directory);
	return set_time(tree, directory, fault);
}

/* Renames what was made beside the trees to its place. */
static enum fault_code
put_in_place(const struct rsync_tree *tree, const char *path, struct fault *fault)
{
	if (renameat(tree->parent, INCOMING, tree->root, path) != 0) {
		TRY(make_directories(tree, path, fault));
		struct stat status;
		if (fstatat(tree->root, path, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(status.st_mode))
			TRY(atomic_file_remove_tree(tree->root, path, fault));
		if (renameat(tree->parent, INCOMING, tree->root, path) != 0)
			return fault_set_errno(fault, errno, "can't put %s in place", path);
	}
	return set_parent_time(tree, path, fault);
}

static enum fault_code
clear_incoming(const struct rsync_tree *tree, struct fault *fault)
{
	if (unlinkat(tree->parent, INCOMING, 0) != 0 && errno != ENOENT)
		return fault_set_errno(fault, errno, "can't remove " LAYOUT_RSYNC "/" INCOMING);
	return FAULT_NONE;
}

static enum fault_code
write_incoming(const struct rsync_tree *tree, const struct publication_object *object, struct span der, struct fault *fault)
{
	const struct timespec times[2] = { { .tv_sec = object->modified_at }, { .tv_sec = object->modified_at } };
	AUTO_CLEAR(int, descriptor_close) fd = openat(tree->parent, INCOMING,
		O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return fault_set_errno(fault, errno, "can't create " LAYOUT_RSYNC "/" INCOMING);
	for (size_t done = 0; done < der.length;) {
		ssize_t written = write(fd, der.data + done, der.length - done);
		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return fault_set_errno(fault, errno, "can't write %s", object->path);
		done += (size_t)written;
	}
	if (fchmod(fd, SITE_FILE_MODE) != 0 || futimens(fd, times) != 0)
		return fault_set_errno(fault, errno, "can't set mode and time of %s", object->path);
	int last = fd;
	fd = -1;
	if (close(last) != 0)
		return fault_set_errno(fault, errno, "can't close %s", object->path);
	return FAULT_NONE;
}

enum fault_code
rsync_tree_put(const struct rsync_tree *tree, const struct publication_object *object, struct span der, struct fault *fault)
{
	TRY(layout_check_object_path(object->path, fault));
	TRY(site_check_object(object, der, fault));
	TRY(clear_incoming(tree, fault));
	enum fault_code code = write_incoming(tree, object, der, fault);
	if (code == FAULT_NONE)
		return put_in_place(tree, object->path, fault);
	(void)unlinkat(tree->parent, INCOMING, 0);
	return code;
}

static bool
looks_right(const struct stat *status, const struct publication_object *object)
{
	return S_ISREG(status->st_mode) && (status->st_mode & 07777) == SITE_FILE_MODE && status->st_size == object->size &&
		status->st_mtim.tv_sec == object->modified_at && status->st_mtim.tv_nsec == 0;
}

/* Where nothing is yet, as in all of a new tree, the link needs no detour. *ret_linked is false where something is. */
static enum fault_code
link_directly(const struct rsync_tree *tree, const struct rsync_tree *from, const char *path, bool *ret_linked,
	struct fault *fault)
{
	*ret_linked = linkat(from->root, path, tree->root, path, 0) == 0;
	if (!*ret_linked && errno == ENOENT) {
		TRY(make_directories(tree, path, fault));
		*ret_linked = linkat(from->root, path, tree->root, path, 0) == 0;
	}
	return *ret_linked ? set_parent_time(tree, path, fault) : FAULT_NONE;
}

enum fault_code
rsync_tree_link(const struct rsync_tree *tree, const struct rsync_tree *from, const struct publication_object *object,
	bool *ret_linked, struct fault *fault)
{
	struct stat status;
	TRY(layout_check_object_path(object->path, fault));
	*ret_linked = false;
	if (fstatat(from->root, object->path, &status, AT_SYMLINK_NOFOLLOW) != 0 || !looks_right(&status, object))
		return FAULT_NONE;
	TRY(link_directly(tree, from, object->path, ret_linked, fault));
	if (*ret_linked)
		return FAULT_NONE;
	TRY(clear_incoming(tree, fault));
	/* Too many links, another disk, no links at all: then it is a file of its own, whatever the reason. */
	if (linkat(from->root, object->path, tree->parent, INCOMING, 0) != 0)
		return FAULT_NONE;
	TRY(put_in_place(tree, object->path, fault));
	*ret_linked = true;
	return FAULT_NONE;
}

enum fault_code
rsync_tree_remove(const struct rsync_tree *tree, const char *path, struct fault *fault)
{
	char directory[LAYOUT_OBJECT_PATH];
	TRY(layout_check_object_path(path, fault));
	/* EISDIR: another attempt has put files below a directory of this name meanwhile. */
	if (unlinkat(tree->root, path, 0) != 0 && errno != ENOENT && errno != ENOTDIR && errno != EISDIR)
		return fault_set_errno(fault, errno, "can't remove %s", path);
	(void)snprintf(directory, sizeof directory, "%s", path);
	for (cut_last(directory); strcmp(directory, ".") != 0; cut_last(directory)) {
		if (unlinkat(tree->root, directory, AT_REMOVEDIR) == 0 || errno == ENOENT || errno == ENOTDIR)
			continue;
		if (errno != ENOTEMPTY && errno != EEXIST)
			return fault_set_errno(fault, errno, "can't remove the directory %s", directory);
		break;
	}
	return set_time(tree, directory, fault);
}

enum fault_code
rsync_tree_flush(const struct rsync_tree *tree, struct fault *fault)
{
	TRY(clear_incoming(tree, fault));
	/* One flush for thousands of files. */
	if (syncfs(tree->root) != 0)
		return fault_set_errno(fault, errno, "can't flush an rsync tree");
	return FAULT_NONE;
}

enum fault_code
rsync_tree_check(const struct rsync_tree *tree, const struct publication_object *object, bool with_content,
	enum rsync_tree_state *ret_state, struct fault *fault)
{
	struct publication_content content;
	struct stat status;
	bool was_read = false;
	*ret_state = RSYNC_TREE_BAD;
	if (fstatat(tree->root, object->path, &status, AT_SYMLINK_NOFOLLOW) != 0 || !looks_right(&status, object))
		return FAULT_NONE;
	if (!with_content) {
		*ret_state = RSYNC_TREE_GOOD;
		return FAULT_NONE;
	}
	AUTO_CLEAR(int, descriptor_close) fd = openat(tree->root, object->path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return FAULT_NONE;
	TRY(site_hash(fd, &was_read, &content, fault));
	bool same = was_read && content.size == object->size && memcmp(content.hash, object->hash.data, SHA256_SIZE) == 0;
	*ret_state = same ? RSYNC_TREE_GOOD : RSYNC_TREE_ROTTEN;
	return FAULT_NONE;
}

/* One walk: where it stands, and what it is about. */
struct walk {
	const struct site *site;
	rsync_tree_expects expects;
	void *argument;
	int64_t files, entries;
	char path[LAYOUT_OBJECT_PATH];
};

static enum fault_code walk_directory(struct walk *walk, int directory, int depth, bool *ret_empty, struct fault *fault);

/* Whether what is at walk->path stays. */
static enum fault_code
walk_entry(struct walk *walk, int directory, const char *name, int depth, bool *ret_stays, struct fault *fault)
{
	struct stat status;
	bool empty = false;
	*ret_stays = false;
	if (fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) != 0)
		return fault_set_errno(fault, errno, "can't look at %s", walk->path);
	if (S_ISREG(status.st_mode)) {
		*ret_stays = true;
		if (walk->expects != NULL)
			TRY(walk->expects(walk->argument, walk->path, ret_stays, fault));
		walk->files += *ret_stays;
	} else if (S_ISDIR(status.st_mode) && depth > 0) {
		AUTO_CLEAR(int, descriptor_close) fd = openat(directory, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (fd < 0)
			return fault_set_errno(fault, errno, "can't open the directory %s", walk->path);
		TRY(walk_directory(walk, fd, depth - 1, &empty, fault));
		*ret_stays = !empty;
	}
	return FAULT_NONE;
}

static void
close_stream(DIR **stream)
{
	if (*stream != NULL)
		(void)closedir(*stream);
}

static enum fault_code
open_stream(int directory, DIR **ret_stream, struct fault *fault)
{
	AUTO_CLEAR(int, descriptor_close) fd = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	*ret_stream = fd >= 0 ? fdopendir(fd) : NULL;
	if (*ret_stream == NULL)
		return fault_set_errno(fault, errno, "can't read a directory of an rsync tree");
	fd = -1; /* the stream's now */
	return FAULT_NONE;
}

enum fault_code
rsync_tree_drop(const struct site *site, const char *name, struct fault *fault)
{
	AUTO_CLEAR(DIR *, close_stream) stream = NULL;
	char path[LAYOUT_PATH];
	layout_tree(path, name);
	AUTO_CLEAR(int, descriptor_close) root = openat(site->directory, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (root >= 0)
		TRY(open_stream(root, &stream, fault));
	while (stream != NULL) {
		errno = 0;
		const struct dirent *entry = readdir(stream);
		if (entry == NULL && errno != 0)
			return fault_set_errno(fault, errno, "can't read the directory %s", path);
		if (entry == NULL)
			break;
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		TRY(atomic_file_remove_tree(root, entry->d_name, fault));
		TRY(site_let_pass(site, fault));
	}
	return atomic_file_remove_tree(site->directory, path, fault);
}

static enum fault_code
set_directory_attributes(int directory, struct fault *fault)
{
	struct stat status;
	if (fstat(directory, &status) != 0)
		return fault_set_errno(fault, errno, "can't look at a directory of an rsync tree");
	if ((status.st_mode & 07777) != SITE_DIRECTORY_MODE && fchmod(directory, SITE_DIRECTORY_MODE) != 0)
		return fault_set_errno(fault, errno, "can't set the mode of a directory of an rsync tree");
	bool time_right = status.st_mtim.tv_sec == RSYNC_TREE_DIRECTORY_TIME && status.st_mtim.tv_nsec == 0;
	if (!time_right && futimens(directory, directory_times) != 0)
		return fault_set_errno(fault, errno, "can't set the time of a directory of an rsync tree");
	return FAULT_NONE;
}

static enum fault_code
walk_directory(struct walk *walk, int directory, int depth, bool *ret_empty, struct fault *fault)
{
	AUTO_CLEAR(DIR *, close_stream) stream = NULL;
	size_t length = strlen(walk->path);
	TRY(open_stream(directory, &stream, fault));
	for (*ret_empty = true;;) {
		bool stays = false;
		errno = 0;
		const struct dirent *entry = readdir(stream);
		if (entry == NULL && errno != 0)
			return fault_set_errno(fault, errno, "can't read a directory of an rsync tree");
		if (entry == NULL)
			break;
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		/* A path that doesn't fit is nobody's. */
		int more = snprintf(walk->path + length, sizeof walk->path - length, "%s%s", length > 0 ? "/" : "",
			entry->d_name);
		if (more > 0 && (size_t)more < sizeof walk->path - length)
			TRY(walk_entry(walk, directory, entry->d_name, depth, &stays, fault));
		walk->path[length] = '\0';
		if (stays)
			*ret_empty = false;
		else
			TRY(atomic_file_remove_tree(directory, entry->d_name, fault));
		if (++walk->entries % SITE_PAGE == 0)
			TRY(site_let_pass(walk->site, fault));
	}
	return set_directory_attributes(directory, fault);
}

enum fault_code
rsync_tree_tidy(const struct rsync_tree *tree, const struct site *site, rsync_tree_expects expects, void *argument, int64_t *ret_files,
	struct fault *fault)
{
	struct walk walk = { .site = site, .expects = expects, .argument = argument };
	bool empty;
	TRY(walk_directory(&walk, tree->root, RSYNC_TREE_DEPTH, &empty, fault));
	*ret_files = walk.files;
	return FAULT_NONE;
}
