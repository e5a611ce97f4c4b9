#include "publish/rsync_rotation.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ca/base/atomic_file.h"
#include "ca/base/log.h"
#include "ca/base/metrics.h"

#define CURRENT LAYOUT_RSYNC "/" LAYOUT_CURRENT
#define NEW_LINK LAYOUT_RSYNC "/.current"

static enum fault_code
read_rows(struct rsync_rotation *rotation, const struct site *site, struct fault *fault)
{
	AUTO(struct db_connection, db_reader_release) connection = NULL;
	TRY(db_reader_acquire(site->db, &connection, fault));
	TRY(publisher_store_repositories(connection, &rotation->repositories, &rotation->repositories_count, fault));
	for (size_t i = 0; i < rotation->repositories_count; i++) {
		rotation->notified_serial += rotation->repositories[i].notified_serial;
		rotation->rsync_serial += rotation->repositories[i].rsync_serial;
	}
	TRY(publisher_store_trees(connection, &rotation->trees, &rotation->count, fault));
	for (size_t i = 0; i < rotation->count; i++)
		if (rotation->trees[i].retired_at == 0 && rotation->trees[i].target_serial == 0)
			rotation->served = &rotation->trees[i];
	return FAULT_NONE;
}

static void
read_link(struct rsync_rotation *rotation, const struct site *site)
{
	ssize_t length = readlinkat(site->directory, CURRENT, rotation->linked, sizeof rotation->linked);
	if (length < 0 || (size_t)length >= sizeof rotation->linked)
		length = 0;
	rotation->linked[length] = '\0';
}

static struct publication_tree *
linked_tree(const struct rsync_rotation *rotation)
{
	for (size_t i = 0; i < rotation->count; i++)
		if (strcmp(rotation->trees[i].name, rotation->linked) == 0)
			return &rotation->trees[i];
	return NULL;
}

static enum fault_code
record_served(const struct site *site, const struct publication_tree *tree, struct fault *fault)
{
	AUTO(struct publication_head, free) heads = NULL;
	size_t count = 0;
	int64_t now_at = clock_now(site->clock);
	TRY(publisher_store_serve_tree(site->db, tree->tree_id, now_at, fault));
	TRY(site_repositories(site, &heads, &count, fault));
	metrics_set(METRIC_RSYNC_SERIAL, count > 0 ? heads[0].rsync_serial : 0);
	metrics_set(METRIC_RSYNC_AT, now_at);
	return FAULT_NONE;
}

enum fault_code
rsync_rotation_load(struct rsync_rotation *rotation, const struct site *site, struct fault *fault)
{
	TRY(read_rows(rotation, site, fault));
	read_link(rotation, site);
	/* The link is turned only to a tree that has reached its target, and a tree that is linked is given no other one. */
	const struct publication_tree *linked = linked_tree(rotation);
	if (linked == NULL || linked->target_serial == 0)
		return FAULT_NONE;
	TRY(record_served(site, linked, fault));
	rsync_rotation_clear(rotation);
	TRY(read_rows(rotation, site, fault));
	read_link(rotation, site);
	return FAULT_NONE;
}

void
rsync_rotation_clear(struct rsync_rotation *rotation)
{
	free(rotation->repositories);
	free(rotation->trees);
	*rotation = RSYNC_ROTATION_INIT;
}

enum fault_code
rsync_rotation_link(const struct site *site, const char *tree_name, struct fault *fault)
{
	struct stat status;
	if (fstatat(site->directory, CURRENT, &status, AT_SYMLINK_NOFOLLOW) == 0 && !S_ISLNK(status.st_mode))
		TRY(atomic_file_remove_tree(site->directory, CURRENT, fault));
	TRY(site_remove(site, NEW_LINK, fault));
	if (symlinkat(tree_name, site->directory, NEW_LINK) != 0)
		return fault_set_errno(fault, errno, "can't make the link " NEW_LINK);
	if (renameat(site->directory, NEW_LINK, site->directory, CURRENT) != 0)
		return fault_set_errno(fault, errno, "can't turn the link " CURRENT);
	return atomic_file_sync_parent(site->directory, CURRENT, fault);
}

enum fault_code
rsync_rotation_drop(const struct site *site, const struct publication_tree *tree, struct fault *fault)
{
	char path[LAYOUT_PATH];
	layout_tree(path, tree->name);
	log_write(LOG_DEBUG, "dropping %s", path);
	/* The row first: a row without its tree would be taken for a tree, a tree without its row is only swept away. */
	TRY(publisher_store_drop_tree(site->db, tree->tree_id, fault));
	return rsync_tree_drop(site, tree->name, fault);
}

/* One that was retired at a time that lies ahead, by a clock that was wrong, could be out of use for as long as that was wrong. */
static bool
is_free(const struct rsync_rotation *rotation, const struct publication_tree *tree, const struct site *site)
{
	int64_t now_at = clock_now(site->clock);
	return tree != rotation->served && tree != linked_tree(rotation) && tree->target_serial == 0 &&
		(tree->retired_at <= now_at - site->settings.tree_grace_s || tree->retired_at > now_at + CLOCK_STEP_LIMIT_S);
}

static enum fault_code
may_make(const struct rsync_rotation *rotation, const struct site *site, struct fault *fault)
{
	AUTO(struct db_connection, db_reader_release) connection = NULL;
	int64_t objects = 0, trees = (int64_t)rotation->count + 1;
	if (rotation->count < ROTATION_TREES_MIN || rotation->served == NULL)
		return FAULT_NONE;
	TRY(db_reader_acquire(site->db, &connection, fault));
	for (size_t i = 0; i < rotation->repositories_count; i++) {
		const struct publication_head *head = &rotation->repositories[i];
		int64_t of_one;
		TRY(publisher_store_state_count(connection, head->repository_id, head->notified_serial, &of_one, fault));
		objects += of_one;
	}
	if (trees <= ROTATION_TREES_MAX && objects <= site->settings.tree_links_max / trees)
		return FAULT_NONE;
	return fault_set(fault, FAULT_BUSY, "all %zu rsync trees were served less than %" PRId64 " s ago", rotation->count,
		site->settings.tree_grace_s);
}

/* One that a crash interrupted, else the one that has been free for longest; NULL: none. */
static const struct publication_tree *
usable_tree(const struct rsync_rotation *rotation, const struct site *site)
{
	const struct publication_tree *chosen = NULL;
	for (size_t i = 0; i < rotation->count; i++) {
		const struct publication_tree *tree = &rotation->trees[i];
		if (tree->target_serial != 0)
			return tree;
		if (is_free(rotation, tree, site) && (chosen == NULL || tree->retired_at < chosen->retired_at))
			chosen = tree;
	}
	return chosen;
}

enum fault_code
rsync_rotation_is_lost(const struct site *site, const struct publication_tree *tree, bool *ret_lost, struct fault *fault)
{
	AUTO_CLEAR(struct rsync_tree, rsync_tree_close) opened = RSYNC_TREE_INIT;
	bool found = false;
	TRY(rsync_tree_open(&opened, site, tree->name, false, &found, fault));
	*ret_lost = !found;
	return FAULT_NONE;
}

/*
 * A usable tree, else a new one. One that its row says is of some serial and that is gone from the disk is dropped, row and all: made again
 * under the same row and interrupted, it would be taken for what the row says.
 */
static enum fault_code
choose_tree(struct rsync_rotation *rotation, const struct site *site, struct publication_tree *ret_tree, struct fault *fault)
{
	for (;;) {
		const struct publication_tree *chosen = usable_tree(rotation, site);
		bool lost = false;
		if (chosen == NULL) {
			TRY(may_make(rotation, site, fault));
			return publisher_store_new_tree(site->db, ret_tree, fault);
		}
		if (chosen->serial != 0)
			TRY(rsync_rotation_is_lost(site, chosen, &lost, fault));
		if (!lost) {
			*ret_tree = *chosen;
			return publisher_store_aim_tree(site->db, chosen->tree_id, fault);
		}
		TRY(rsync_rotation_drop(site, chosen, fault));
		rsync_rotation_clear(rotation);
		TRY(rsync_rotation_load(rotation, site, fault));
	}
}

/* A tree on its way from one serial of a repository to another: one repository after the other. */
struct journey {
	struct site site;
	struct rsync_tree tree;
	struct rsync_tree source;      /* the tree that is served; root -1: none */
	int64_t source_serial;
	int64_t from, target;          /* from 0: it has nothing of that repository */
	int64_t after;                 /* the object that was put last */
	bool more;
};

static void
journey_clear(struct journey *journey)
{
	rsync_tree_close(&journey->tree);
	rsync_tree_close(&journey->source);
}

static enum fault_code
put_object(const struct journey *journey, struct publication_objects *objects, const struct publication_object *object,
	struct fault *fault)
{
	bool linked = false;
	struct span der;
	if (journey->source.root >= 0 && object->published_serial <= journey->source_serial)
		TRY(rsync_tree_link(&journey->tree, &journey->source, object, &linked, fault));
	if (linked)
		return FAULT_NONE;
	TRY(publisher_store_bytes(objects, &der, fault));
	return rsync_tree_put(&journey->tree, object, der, fault);
}

static enum fault_code
put_page(struct journey *journey, struct fault *fault)
{
	const struct site *site = &journey->site;
	AUTO(struct db_connection, db_reader_release) connection = NULL;
	AUTO(struct publication_objects, publisher_store_end) objects = NULL;
	TRY(db_reader_acquire(site->db, &connection, fault));
	if (journey->from == 0)
		TRY(publisher_store_state(connection, site->repository_id, journey->target, journey->after, SITE_PAGE,
			&objects, fault));
	else
		TRY(publisher_store_tree_put(connection, site->repository_id, journey->from, journey->target,
			journey->after, SITE_PAGE, &objects, fault));
	for (int64_t rows = 0;; rows++) {
		struct publication_object object;
		bool row;
		TRY(publisher_store_next(objects, &object, &row, fault));
		journey->more = rows == SITE_PAGE;
		if (!row)
			return FAULT_NONE;
		journey->after = object.object_id;
		TRY(put_object(journey, objects, &object, fault));
	}
}

static enum fault_code
remove_withdrawn(const struct journey *journey, struct fault *fault)
{
	AUTO(struct db_connection, db_reader_release) connection = NULL;
	AUTO(struct publication_objects, publisher_store_end) objects = NULL;
	TRY(db_reader_acquire(journey->site.db, &connection, fault));
	TRY(publisher_store_tree_remove(connection, journey->site.repository_id, journey->from, journey->target, &objects, fault));
	for (;;) {
		struct publication_object object;
		bool row;
		TRY(publisher_store_next(objects, &object, &row, fault));
		if (!row)
			return FAULT_NONE;
		TRY(rsync_tree_remove(&journey->tree, object.path, fault));
	}
}

/* Opens the tree. What an attempt to make one from nothing left behind is of no use: nobody knows how far it came. */
static enum fault_code
set_out(struct journey *journey, const struct rsync_rotation *rotation, const struct publication_tree *tree, struct fault *fault)
{
	bool found = false;
	char path[LAYOUT_PATH];
	layout_tree(path, tree->name);
	if (tree->serial == 0)
		TRY(atomic_file_remove_tree(journey->site.directory, path, fault));
	TRY(rsync_tree_open(&journey->tree, &journey->site, tree->name, tree->serial == 0, &found, fault));
	if (!found)
		return fault_set(fault, FAULT_IO, "%s has disappeared", path);
	if (rotation->served == NULL)
		return FAULT_NONE;
	return rsync_tree_open(&journey->source, &journey->site, rotation->served->name, false, &found, fault);
}

/* From where to where, for the repository that the journey's site is of now. */
static enum fault_code
read_parts(struct journey *journey, const struct rsync_rotation *rotation, const struct publication_tree *tree, struct fault *fault)
{
	AUTO(struct db_connection, db_reader_release) connection = NULL;
	struct publication_part part, source = { .serial = 0 };
	int64_t repository_id = journey->site.repository_id;
	TRY(db_reader_acquire(journey->site.db, &connection, fault));
	TRY(publisher_store_tree_part(connection, tree->tree_id, repository_id, &part, fault));
	if (rotation->served != NULL)
		TRY(publisher_store_tree_part(connection, rotation->served->tree_id, repository_id, &source, fault));
	journey->from = part.serial;
	journey->target = part.target_serial;
	journey->source_serial = source.serial;
	journey->after = 0;
	journey->more = part.target_serial != 0;
	return FAULT_NONE;
}

static enum fault_code
bring(const struct rsync_rotation *rotation, const struct site *site, const struct publication_tree *tree, struct fault *fault)
{
	AUTO_CLEAR(struct journey, journey_clear) journey = { .site = *site, .tree = RSYNC_TREE_INIT, .source = RSYNC_TREE_INIT };
	TRY(set_out(&journey, rotation, tree, fault));
	for (size_t i = 0; i < rotation->repositories_count; i++) {
		journey.site = site_of(site, rotation->repositories[i].repository_id);
		TRY(read_parts(&journey, rotation, tree, fault));
		/* Also of a repository that it has nothing of: an attempt that was interrupted may have put files which have left since. */
		if (tree->serial != 0 && journey.more)
			TRY(remove_withdrawn(&journey, fault));
		while (journey.more) {
			TRY(put_page(&journey, fault));
			TRY(site_let_pass(site, fault));
		}
	}
	return rsync_tree_flush(&journey.tree, fault);
}

enum fault_code
rsync_rotation_advance(const struct site *site, int64_t *ret_serial, struct fault *fault)
{
	AUTO_CLEAR(struct rsync_rotation, rsync_rotation_clear) rotation = RSYNC_ROTATION_INIT;
	struct publication_tree tree;
	TRY(rsync_rotation_load(&rotation, site, fault));
	if (rotation.notified_serial == 0 || (rotation.served != NULL && rotation.served->serial == rotation.notified_serial)) {
		*ret_serial = rotation.rsync_serial;
		return FAULT_NONE;
	}
	TRY(choose_tree(&rotation, site, &tree, fault));
	TRY(bring(&rotation, site, &tree, fault));
	TRY(rsync_rotation_link(site, tree.name, fault));
	TRY(record_served(site, &tree, fault));
	*ret_serial = rotation.notified_serial;
	return FAULT_NONE;
}

static const struct publication_tree *
oldest_free(const struct rsync_rotation *rotation, const struct site *site, size_t *ret_count)
{
	const struct publication_tree *oldest = NULL;
	*ret_count = 0;
	for (size_t i = 0; i < rotation->count; i++) {
		const struct publication_tree *tree = &rotation->trees[i];
		if (!is_free(rotation, tree, site))
			continue;
		++*ret_count;
		if (oldest == NULL || tree->retired_at < oldest->retired_at)
			oldest = tree;
	}
	return oldest;
}

enum fault_code
rsync_rotation_trim(const struct site *site, struct fault *fault)
{
	for (;;) {
		AUTO_CLEAR(struct rsync_rotation, rsync_rotation_clear) rotation = RSYNC_ROTATION_INIT;
		size_t count;
		TRY(rsync_rotation_load(&rotation, site, fault));
		const struct publication_tree *oldest = oldest_free(&rotation, site, &count);
		if (count <= ROTATION_SPARE_MAX)
			return FAULT_NONE;
		TRY(rsync_rotation_drop(site, oldest, fault));
	}
}
