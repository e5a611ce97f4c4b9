#include "publish/rsync_repair.h"

#include <string.h>

#include "publish/rsync_rotation.h"
#include "publish/sweep.h"

/* A tree being held against the state that it should be: that of one repository after the other. */
struct inspection {
	struct site site;
	const struct rsync_rotation *rotation;
	const struct publication_tree *row;
	struct rsync_tree tree;
	int64_t serial;        /* of this repository; 0: it has nothing of it */
	bool repairing;        /* read contents, replace what is bad; else only find out */
	int64_t after;         /* the object that was looked at last */
	bool more;
	int64_t objects;
	int64_t bad, rotten;
	struct fault lost;     /* the first object that is bad and that the database no longer has: the others are repaired */
};

static void
inspection_clear(struct inspection *inspection)
{
	rsync_tree_close(&inspection->tree);
}

static enum fault_code
replace(const struct inspection *inspection, struct publication_objects *objects, const struct publication_object *object,
	struct fault *fault)
{
	struct span der;
	TRY(publisher_store_bytes(objects, &der, fault));
	return rsync_tree_put(&inspection->tree, object, der, fault);
}

static enum fault_code
inspect_object(struct inspection *inspection, struct publication_objects *objects, const struct publication_object *object,
	struct fault *fault)
{
	enum rsync_tree_state state;
	TRY(layout_check_object_path(object->path, fault));
	TRY(rsync_tree_check(&inspection->tree, object, inspection->repairing, &state, fault));
	inspection->objects++;
	if (state == RSYNC_TREE_GOOD)
		return FAULT_NONE;
	inspection->bad++;
	inspection->rotten += state == RSYNC_TREE_ROTTEN;
	if (!inspection->repairing)
		return FAULT_NONE;
	struct fault own = FAULT_INIT;
	enum fault_code code = replace(inspection, objects, object, &own);
	if (code == FAULT_DATABASE && inspection->lost.code == FAULT_NONE)
		inspection->lost = own;
	if (code == FAULT_NONE || code == FAULT_DATABASE)
		return FAULT_NONE;
	if (fault != NULL)
		*fault = own;
	return code;
}

static enum fault_code
inspect_page(struct inspection *inspection, struct fault *fault)
{
	const struct site *site = &inspection->site;
	AUTO(struct db_connection, db_reader_release) connection = NULL;
	AUTO(struct publication_objects, publisher_store_end) objects = NULL;
	TRY(db_reader_acquire(site->db, &connection, fault));
	TRY(publisher_store_state(connection, site->repository_id, inspection->serial, inspection->after, SITE_PAGE,
		&objects, fault));
	for (int64_t rows = 0;; rows++) {
		struct publication_object object;
		bool row;
		TRY(publisher_store_next(objects, &object, &row, fault));
		inspection->more = rows == SITE_PAGE;
		if (!row)
			return FAULT_NONE;
		inspection->after = object.object_id;
		TRY(inspect_object(inspection, objects, &object, fault));
	}
}

/* Whether the tree should have this of that repository. */
static enum fault_code
repository_has(const struct inspection *inspection, int64_t repository_id, const char *path, bool *ret_has, struct fault *fault)
{
	AUTO(struct db_connection, db_reader_release) connection = NULL;
	AUTO(struct publication_objects, publisher_store_end) objects = NULL;
	struct publication_object object;
	struct publication_part part;
	TRY(db_reader_acquire(inspection->site.db, &connection, fault));
	TRY(publisher_store_tree_part(connection, inspection->row->tree_id, repository_id, &part, fault));
	TRY(publisher_store_state_path(connection, repository_id, part.serial, path, &objects, fault));
	return publisher_store_next(objects, &object, ret_has, fault);
}

/* For rsync_tree_tidy(). */
static enum fault_code
is_expected(void *argument, const char *path, bool *ret_expected, struct fault *fault)
{
	const struct inspection *inspection = argument;
	const struct rsync_rotation *rotation = inspection->rotation;
	*ret_expected = false;
	for (size_t i = 0; i < rotation->repositories_count && !*ret_expected; i++)
		TRY(repository_has(inspection, rotation->repositories[i].repository_id, path, ret_expected, fault));
	return FAULT_NONE;
}

static enum fault_code
inspect_repository(struct inspection *inspection, int64_t repository_id, struct fault *fault)
{
	AUTO(struct db_connection, db_reader_release) connection = NULL;
	struct publication_part part;
	inspection->site.repository_id = repository_id;
	TRY(db_reader_acquire(inspection->site.db, &connection, fault));
	TRY(publisher_store_tree_part(connection, inspection->row->tree_id, repository_id, &part, fault));
	db_reader_release(MOVE(connection));
	inspection->serial = part.serial;
	inspection->after = 0;
	inspection->more = part.serial != 0;
	while (inspection->more && (inspection->repairing || inspection->bad == 0)) {
		TRY(inspect_page(inspection, fault));
		TRY(site_let_pass(&inspection->site, fault));
	}
	return FAULT_NONE;
}

static enum fault_code
inspect(const struct site *site, const struct rsync_rotation *rotation, const struct publication_tree *row, bool repairing,
	struct inspection *ret_inspection, bool *ret_found, struct fault *fault)
{
	AUTO_CLEAR(struct inspection, inspection_clear) inspection = {
		.site = *site,
		.rotation = rotation,
		.row = row,
		.tree = RSYNC_TREE_INIT,
		.repairing = repairing,
	};
	int64_t files = 0;
	TRY(rsync_tree_open(&inspection.tree, site, row->name, false, ret_found, fault));
	if (!*ret_found)
		return FAULT_NONE;
	for (size_t i = 0; i < rotation->repositories_count; i++)
		TRY(inspect_repository(&inspection, rotation->repositories[i].repository_id, fault));
	TRY(rsync_tree_tidy(&inspection.tree, site, NULL, NULL, &files, fault));
	/* All objects are there as files: any further file is foreign, and only then is it worth asking about each. */
	if (files != inspection.objects && repairing)
		TRY(rsync_tree_tidy(&inspection.tree, site, is_expected, &inspection, &files, fault));
	inspection.bad += files != inspection.objects;
	if (repairing)
		TRY(rsync_tree_flush(&inspection.tree, fault));
	if (inspection.lost.code != FAULT_NONE)
		return fault_set(fault, FAULT_DATABASE, "rsync tree %s: %.400s", row->name, inspection.lost.message);
	*ret_inspection = inspection;
	ret_inspection->tree = RSYNC_TREE_INIT;
	return FAULT_NONE;
}

/* Trees that are gone from the disk take no part in anything. */
static enum fault_code
drop_lost(const struct site *site, const struct rsync_rotation *rotation, bool *ret_any, struct fault *fault)
{
	*ret_any = false;
	for (size_t i = 0; i < rotation->count; i++) {
		bool lost = false;
		TRY(rsync_rotation_is_lost(site, &rotation->trees[i], &lost, fault));
		if (!lost || rotation->trees[i].target_serial != 0)
			continue;
		TRY(rsync_rotation_drop(site, &rotation->trees[i], fault));
		*ret_any = true;
	}
	return FAULT_NONE;
}

static enum fault_code
repair_served(struct site *site, const struct rsync_rotation *rotation, int64_t *repaired, bool *ret_rotten, struct fault *fault)
{
	struct inspection inspection = { .bad = 0 };
	bool found = false;
	TRY(inspect(site, rotation, rotation->served, true, &inspection, &found, fault));
	*repaired += inspection.bad;
	*ret_rotten = inspection.rotten > 0;
	if (strcmp(rotation->linked, rotation->served->name) == 0)
		return FAULT_NONE;
	++*repaired;
	return rsync_rotation_link(site, rotation->served->name, fault);
}

/* A file whose content rotted under it may be shared by older trees, which are not read: none of them is trusted then. */
static enum fault_code
drop_unsound(const struct site *site, const struct rsync_rotation *rotation, bool all, struct fault *fault)
{
	for (size_t i = 0; i < rotation->count; i++) {
		const struct publication_tree *tree = &rotation->trees[i];
		struct inspection inspection = { .bad = 0 };
		bool found = true;
		if (tree == rotation->served)
			continue;
		if (!all && tree->target_serial == 0)
			TRY(inspect(site, rotation, tree, false, &inspection, &found, fault));
		if (all || !found || inspection.bad > 0)
			TRY(rsync_rotation_drop(site, tree, fault));
	}
	return FAULT_NONE;
}

enum fault_code
rsync_repair_run(struct site *site, int64_t *repaired, struct fault *fault)
{
	bool any_lost = false, rotten = false;
	int64_t serial;
	AUTO_CLEAR(struct rsync_rotation, rsync_rotation_clear) rotation = RSYNC_ROTATION_INIT;
	TRY(rsync_rotation_load(&rotation, site, fault));
	bool was_served = rotation.rsync_serial != 0;
	TRY(drop_lost(site, &rotation, &any_lost, fault));
	if (any_lost) {
		rsync_rotation_clear(&rotation);
		TRY(rsync_rotation_load(&rotation, site, fault));
	}
	if (was_served && rotation.served == NULL) {
		TRY(rsync_rotation_advance(site, &serial, fault));
		++*repaired;
	} else if (rotation.served != NULL) {
		TRY(repair_served(site, &rotation, repaired, &rotten, fault));
		TRY(drop_unsound(site, &rotation, rotten, fault));
	}
	rsync_rotation_clear(&rotation);
	TRY(rsync_rotation_load(&rotation, site, fault));
	return sweep_rsync(site, rotation.trees, rotation.count, fault);
}
