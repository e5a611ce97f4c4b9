#include "db/stores/publisher_store.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "ca/base/memory.h"
#include "db/stmt.h"

/* Nothing is kept from here on: higher than any serial. */
#define NOTHING_KEPT INT64_MAX

struct publication_objects {
	struct db_connection *connection;
	struct stmt *rows;
	struct stmt *bytes;    /* NULL until the first bytes are asked for */
	int64_t object_id;     /* of the row last given */
	int64_t size;
};

void
publisher_store_clear_repository(struct publication_repository *repository)
{
	free(repository->rrdp_uri);
	free(repository->rsync_uri);
	*repository = PUBLICATION_REPOSITORY_INIT;
}

/* Copies a text that has a fixed room; one that doesn't fit was never written by us. */
static enum fault_code
take_text(struct stmt *stmt, const char *column, char *room, size_t size, struct fault *fault)
{
	const char *text = stmt_text(stmt, column);
	if (text == NULL || strlen(text) >= size)
		return fault_set(fault, FAULT_DATABASE, "column %s has a text that can't be: \"%.64s\"", column, text != NULL
			? text : "");
	memcpy(room, text, strlen(text) + 1);
	return FAULT_NONE;
}

enum fault_code
publisher_store_repository(struct db_connection *connection, int64_t repository_id, struct publication_repository *ret_repository,
	struct fault *fault)
{
	AUTO(struct stmt, stmt_done) stmt = NULL;
	AUTO_CLEAR(struct publication_repository, publisher_store_clear_repository) repository = PUBLICATION_REPOSITORY_INIT;
	TRY(stmt_start(connection, QUERY_PUBLISHER_REPOSITORY, &stmt, fault));
	stmt_bind_int(stmt, ":repository_id", repository_id);
	bool row;
	TRY(stmt_step(stmt, &row, fault));
	if (!row)
		return fault_set(fault, FAULT_DATABASE, "there is no repository %" PRId64, repository_id);
	TRY(memory_copy_string(stmt_text(stmt, "rrdp_uri"), &repository.rrdp_uri, fault));
	TRY(memory_copy_string(stmt_text(stmt, "rsync_uri"), &repository.rsync_uri, fault));
	TRY(take_text(stmt, "session", repository.session, sizeof repository.session, fault));
	repository.serial = stmt_int(stmt, "serial");
	repository.notified_serial = stmt_int(stmt, "notified_serial");
	repository.rsync_serial = stmt_int(stmt, "rsync_serial");
	repository.cut_at = stmt_int(stmt, "cut_at");
	repository.notified_at = stmt_int(stmt, "notified_at");
	repository.rsync_at = stmt_int(stmt, "rsync_at");
	publisher_store_clear_repository(ret_repository);
	*ret_repository = repository;
	repository = PUBLICATION_REPOSITORY_INIT;
	return FAULT_NONE;
}

enum fault_code
publisher_store_repositories(struct db_connection *connection, struct publication_head **ret_heads, size_t *ret_count, struct fault *fault)
{
	AUTO(struct stmt, stmt_done) stmt = NULL;
	AUTO(struct publication_head, free) heads = NULL;
	size_t count = 0, capacity = 0;
	TRY(stmt_start(connection, QUERY_PUBLISHER_REPOSITORIES, &stmt, fault));
	for (;;) {
		bool row;
		TRY(stmt_step(stmt, &row, fault));
		if (!row)
			break;
		TRY(memory_reserve(&heads, &capacity, count + 1, sizeof *heads, fault));
		heads[count++] = (struct publication_head){
			.repository_id = stmt_int(stmt, "repository_id"),
			.serial = stmt_int(stmt, "serial"),
			.notified_serial = stmt_int(stmt, "notified_serial"),
			.notified_at = stmt_int(stmt, "notified_at"),
			.rsync_serial = stmt_int(stmt, "rsync_serial"),
			.rsync_at = stmt_int(stmt, "rsync_at"),
		};
	}
	*ret_heads = MOVE(heads);
	*ret_count = count;
	return FAULT_NONE;
}

/* A hash and a size, both NULL for a file that was not written. */
static enum fault_code
take_content(struct stmt *stmt, const char *hash_column, const char *size_column, bool *ret_has,
	struct publication_content *ret_content, struct fault *fault)
{
	struct span hash = stmt_blob(stmt, hash_column);
	*ret_has = hash.data != NULL;
	*ret_content = (struct publication_content){ .size = 0 };
	if (hash.data == NULL)
		return FAULT_NONE;
	if (hash.length != SHA256_SIZE)
		return fault_set(fault, FAULT_DATABASE, "column %s has %zu bytes, a SHA-256 has %d", hash_column, hash.length,
			SHA256_SIZE);
	memcpy(ret_content->hash, hash.data, SHA256_SIZE);
	ret_content->size = stmt_int(stmt, size_column);
	return FAULT_NONE;
}

static enum fault_code
take_cut(struct stmt *stmt, struct publication_cut *ret_cut, struct fault *fault)
{
	struct publication_cut cut = {
		.repository_id = stmt_int(stmt, "repository_id"), .serial = stmt_int(stmt, "serial"), .cut_at = stmt_int(stmt, "cut_at"),
	};
	TRY(take_text(stmt, "random", cut.random, sizeof cut.random, fault));
	TRY(take_content(stmt, "snapshot_hash", "snapshot_size", &cut.has_snapshot, &cut.snapshot, fault));
	TRY(take_content(stmt, "delta_hash", "delta_size", &cut.has_delta, &cut.delta, fault));
	cut.first_delta = stmt_int(stmt, "first_delta");
	cut.notified_at = stmt_int(stmt, "notified_at");
	cut.snapshot_kept = stmt_int(stmt, "snapshot_kept") != 0;
	cut.delta_kept = stmt_int(stmt, "delta_kept") != 0;
	*ret_cut = cut;
	return FAULT_NONE;
}

enum fault_code
publisher_store_cut(struct db_connection *connection, int64_t repository_id, int64_t serial, struct publication_cut *ret_cut,
	bool *ret_found, struct fault *fault)
{
	AUTO(struct stmt, stmt_done) stmt = NULL;
	TRY(stmt_start(connection, QUERY_PUBLISHER_CUT, &stmt, fault));
	stmt_bind_int(stmt, ":repository_id", repository_id);
	stmt_bind_int(stmt, ":serial", serial);
	bool row;
	TRY(stmt_step(stmt, &row, fault));
	if (row)
		TRY(take_cut(stmt, ret_cut, fault));
	*ret_found = row;
	return FAULT_NONE;
}

static enum fault_code
collect_cuts(struct stmt *stmt, struct publication_cut **ret_cuts, size_t *ret_count, struct fault *fault)
{
	AUTO(struct publication_cut, free) cuts = NULL;
	size_t count = 0, capacity = 0;
	for (;;) {
		bool row;
		TRY(stmt_step(stmt, &row, fault));
		if (!row)
			break;
		TRY(memory_reserve(&cuts, &capacity, count + 1, sizeof *cuts, fault));
		TRY(take_cut(stmt, &cuts[count], fault));
		count++;
	}
	*ret_cuts = MOVE(cuts);
	*ret_count = count;
	return FAULT_NONE;
}

enum fault_code
publisher_store_cuts_up(struct db_connection *connection, int64_t repository_id, int64_t serial,
	struct publication_cut **ret_cuts, size_t *ret_count, struct fault *fault)
{
	AUTO(struct stmt, stmt_done) stmt = NULL;
	TRY(stmt_start(connection, QUERY_PUBLISHER_CUTS_UP, &stmt, fault));
	stmt_bind_int(stmt, ":repository_id", repository_id);
	stmt_bind_int(stmt, ":serial", serial);
	return collect_cuts(stmt, ret_cuts, ret_count, fault);
}

enum fault_code
publisher_store_cuts_down(struct db_connection *connection, int64_t repository_id, int64_t serial, int64_t limit,
	struct publication_cut **ret_cuts, size_t *ret_count, struct fault *fault)
{
	AUTO(struct stmt, stmt_done) stmt = NULL;
	TRY(stmt_start(connection, QUERY_PUBLISHER_CUTS_DOWN, &stmt, fault));
	stmt_bind_int(stmt, ":repository_id", repository_id);
	stmt_bind_int(stmt, ":serial", serial);
	stmt_bind_int(stmt, ":limit", limit);
	return collect_cuts(stmt, ret_cuts, ret_count, fault);
}

/* The oldest serials that something on disk needs: of states (snapshots and trees) and of deltas. */
struct horizon {
	int64_t snapshots_from, trees_from;
	int64_t states_from;
	int64_t deltas_from;
};

static int64_t
serial_or_none(struct stmt *stmt, const char *column)
{
	return stmt_null(stmt, column) ? NOTHING_KEPT : stmt_int(stmt, column);
}

static enum fault_code
read_horizon(struct db_connection *connection, int64_t repository_id, struct horizon *ret_horizon, struct fault *fault)
{
	AUTO(struct stmt, stmt_done) stmt = NULL;
	TRY(stmt_start(connection, QUERY_PUBLISHER_HORIZON, &stmt, fault));
	stmt_bind_int(stmt, ":repository_id", repository_id);
	bool row;
	TRY(stmt_step(stmt, &row, fault));
	INVARIANT(row); /* it has no FROM */
	ret_horizon->snapshots_from = serial_or_none(stmt, "snapshots_from");
	ret_horizon->deltas_from = serial_or_none(stmt, "deltas_from");
	ret_horizon->trees_from = serial_or_none(stmt, "trees_from");
	bool trees_older = ret_horizon->trees_from < ret_horizon->snapshots_from;
	ret_horizon->states_from = trees_older ? ret_horizon->trees_from : ret_horizon->snapshots_from;
	return FAULT_NONE;
}

enum fault_code
publisher_store_cuts_kept(struct db_connection *connection, int64_t repository_id, struct publication_cut **ret_cuts,
	size_t *ret_count, struct fault *fault)
{
	struct horizon horizon;
	TRY(read_horizon(connection, repository_id, &horizon, fault));
	int64_t from = horizon.snapshots_from < horizon.deltas_from ? horizon.snapshots_from : horizon.deltas_from;
	return publisher_store_cuts_up(connection, repository_id, from, ret_cuts, ret_count, fault);
}

void
publisher_store_end(struct publication_objects *objects)
{
	if (objects == NULL)
		return;
	stmt_done(objects->bytes);
	stmt_done(objects->rows);
	free(objects);
}

enum fault_code
publisher_store_next(struct publication_objects *objects, struct publication_object *ret_object, bool *ret_more,
	struct fault *fault)
{
	bool row;
	TRY(stmt_step(objects->rows, &row, fault));
	*ret_more = row;
	if (!row)
		return FAULT_NONE;
	struct publication_object object = {
		.object_id = stmt_int(objects->rows, "object_id"),
		.path = stmt_text(objects->rows, "path"),
	};
	const char *kind = stmt_text(objects->rows, "kind");
	object.trust_anchor = kind != NULL && strcmp(kind, "ta") == 0;
	object.hash = stmt_blob(objects->rows, "hash");
	object.size = stmt_int(objects->rows, "size");
	object.modified_at = stmt_int(objects->rows, "modified_at");
	object.published_serial = stmt_int(objects->rows, "published_serial");
	object.replaced_hash = stmt_blob(objects->rows, "replaced_hash");
	if (object.object_id != 0 && object.hash.length != SHA256_SIZE)
		return fault_set(fault, FAULT_DATABASE, "object %" PRId64 " has a hash of %zu bytes", object.object_id,
			object.hash.length);
	objects->object_id = object.object_id;
	objects->size = object.size;
	*ret_object = object;
	return FAULT_NONE;
}

enum fault_code
publisher_store_bytes(struct publication_objects *objects, struct span *ret_der, struct fault *fault)
{
	INVARIANT(objects->object_id != 0);
	if (objects->bytes == NULL)
		TRY(stmt_start(objects->connection, QUERY_PUBLISHER_BYTES, &objects->bytes, fault));
	stmt_again(objects->bytes);
	stmt_bind_int(objects->bytes, ":object_id", objects->object_id);
	bool row;
	TRY(stmt_step(objects->bytes, &row, fault));
	/* Left out, an object would be missing from what validators get, and its manifest would fail: stop here instead. */
	if (!row)
		return fault_set(fault, FAULT_DATABASE, "the bytes of object %" PRId64 " are gone", objects->object_id);
	struct span der = stmt_blob(objects->bytes, "der");
	if ((int64_t)der.length != objects->size)
		return fault_set(fault, FAULT_DATABASE, "object %" PRId64 " has %zu bytes instead of %" PRId64,
			objects->object_id, der.length,
			objects->size);
	*ret_der = der;
	return FAULT_NONE;
}

static enum fault_code
start_objects(struct db_connection *connection, enum query query, int64_t repository_id, int64_t serial,
	struct publication_objects **ret_objects, struct fault *fault)
{
	AUTO(struct publication_objects, publisher_store_end) objects = NULL;
	TRY(memory_new(1, sizeof *objects, &objects, fault));
	objects->connection = connection;
	TRY(stmt_start(connection, query, &objects->rows, fault));
	stmt_bind_int(objects->rows, ":repository_id", repository_id);
	stmt_bind_int(objects->rows, ":serial", serial);
	*ret_objects = MOVE(objects);
	return FAULT_NONE;
}

enum fault_code
publisher_store_state(struct db_connection *connection, int64_t repository_id, int64_t serial, int64_t after, int64_t limit,
	struct publication_objects **ret_objects, struct fault *fault)
{
	TRY(start_objects(connection, QUERY_PUBLISHER_STATE, repository_id, serial, ret_objects, fault));
	stmt_bind_int((*ret_objects)->rows, ":after", after);
	stmt_bind_int((*ret_objects)->rows, ":limit", limit);
	return FAULT_NONE;
}

enum fault_code
publisher_store_state_path(struct db_connection *connection, int64_t repository_id, int64_t serial, const char *path,
	struct publication_objects **ret_objects, struct fault *fault)
{
	TRY(start_objects(connection, QUERY_PUBLISHER_STATE_PATH, repository_id, serial, ret_objects, fault));
	stmt_bind_text((*ret_objects)->rows, ":path", path);
	return FAULT_NONE;
}

enum fault_code
publisher_store_state_count(struct db_connection *connection, int64_t repository_id, int64_t serial, int64_t *ret_count,
	struct fault *fault)
{
	AUTO(struct stmt, stmt_done) stmt = NULL;
	TRY(stmt_start(connection, QUERY_PUBLISHER_STATE_COUNT, &stmt, fault));
	stmt_bind_int(stmt, ":repository_id", repository_id);
	stmt_bind_int(stmt, ":serial", serial);
	bool row;
	TRY(stmt_step(stmt, &row, fault));
	INVARIANT(row); /* it has no FROM */
	*ret_count = stmt_int(stmt, "objects");
	return FAULT_NONE;
}

enum fault_code
publisher_store_delta(struct db_connection *connection, int64_t repository_id, int64_t serial,
	struct publication_objects **ret_objects, struct fault *fault)
{
	return start_objects(connection, QUERY_PUBLISHER_DELTA, repository_id, serial, ret_objects, fault);
}

enum fault_code
publisher_store_tree_put(struct db_connection *connection, int64_t repository_id, int64_t from, int64_t serial, int64_t after,
	int64_t limit, struct publication_objects **ret_objects, struct fault *fault)
{
	TRY(start_objects(connection, QUERY_PUBLISHER_TREE_PUT, repository_id, serial, ret_objects, fault));
	stmt_bind_int((*ret_objects)->rows, ":from", from);
	stmt_bind_int((*ret_objects)->rows, ":after", after);
	stmt_bind_int((*ret_objects)->rows, ":limit", limit);
	return FAULT_NONE;
}

enum fault_code
publisher_store_tree_remove(struct db_connection *connection, int64_t repository_id, int64_t from, int64_t serial,
	struct publication_objects **ret_objects, struct fault *fault)
{
	TRY(start_objects(connection, QUERY_PUBLISHER_TREE_REMOVE, repository_id, serial, ret_objects, fault));
	stmt_bind_int((*ret_objects)->rows, ":from", from);
	return FAULT_NONE;
}

enum fault_code
publisher_store_trees(struct db_connection *connection, struct publication_tree **ret_trees, size_t *ret_count, struct fault *fault)
{
	AUTO(struct stmt, stmt_done) stmt = NULL;
	AUTO(struct publication_tree, free) trees = NULL;
	size_t count = 0, capacity = 0;
	TRY(stmt_start(connection, QUERY_PUBLISHER_TREES, &stmt, fault));
	for (;;) {
		bool row;
		TRY(stmt_step(stmt, &row, fault));
		if (!row)
			break;
		TRY(memory_reserve(&trees, &capacity, count + 1, sizeof *trees, fault));
		struct publication_tree *tree = &trees[count++];
		*tree = (struct publication_tree){ .tree_id = stmt_int(stmt, "tree_id") };
		TRY(take_text(stmt, "name", tree->name, sizeof tree->name, fault));
		tree->serial = stmt_int(stmt, "serial");
		tree->target_serial = stmt_int(stmt, "target_serial");
		tree->retired_at = stmt_int(stmt, "retired_at");
	}
	*ret_trees = MOVE(trees);
	*ret_count = count;
	return FAULT_NONE;
}

enum fault_code
publisher_store_tree_part(struct db_connection *connection, int64_t tree_id, int64_t repository_id, struct publication_part *ret_part,
	struct fault *fault)
{
	AUTO(struct stmt, stmt_done) stmt = NULL;
	bool row;
	TRY(stmt_start(connection, QUERY_PUBLISHER_TREE_PART, &stmt, fault));
	stmt_bind_int(stmt, ":tree_id", tree_id);
	stmt_bind_int(stmt, ":repository_id", repository_id);
	TRY(stmt_step(stmt, &row, fault));
	*ret_part = (struct publication_part){ .serial = 0 };
	if (row)
		*ret_part = (struct publication_part){ .serial = stmt_int(stmt, "serial"), .target_serial = stmt_int(stmt, "target_serial") };
	return FAULT_NONE;
}

/* What a change is about; each uses what it needs. */
struct change {
	int64_t repository_id;
	int64_t serial;
	int64_t now_at;
	int64_t tree_id;
	const struct publication_cut *cut;
	struct publication_tree *tree;
};

static void
bind_content(struct stmt *stmt, const char *hash_name, const char *size_name, bool has, const struct publication_content *content)
{
	if (has) {
		stmt_bind_blob(stmt, hash_name, SPAN(content->hash, SHA256_SIZE));
		stmt_bind_int(stmt, size_name, content->size);
	} else {
		stmt_bind_null(stmt, hash_name);
		stmt_bind_null(stmt, size_name);
	}
}

static enum fault_code
expect_row(struct db_connection *connection, const char *what, int64_t number, struct fault *fault)
{
	if (stmt_changed_rows(connection) == 1)
		return FAULT_NONE;
	return fault_set(fault, FAULT_DATABASE, "%s %" PRId64 " is not in the database", what, number);
}

static enum fault_code
record_delta(struct db_connection *connection, void *argument, struct fault *fault)
{
	const struct change *change = argument;
	AUTO(struct stmt, stmt_done) stmt = NULL;
	TRY(stmt_start(connection, QUERY_PUBLISHER_RECORD_DELTA, &stmt, fault));
	stmt_bind_int(stmt, ":repository_id", change->repository_id);
	stmt_bind_int(stmt, ":serial", change->cut->serial);
	bind_content(stmt, ":delta_hash", ":delta_size", change->cut->has_delta, &change->cut->delta);
	TRY(stmt_run(stmt, fault));
	return expect_row(connection, "cut", change->cut->serial, fault);
}

enum fault_code
publisher_store_record_delta(struct db *db, int64_t repository_id, const struct publication_cut *cut, struct fault *fault)
{
	struct change change = { .repository_id = repository_id, .cut = cut };
	return db_write(db, record_delta, &change, fault);
}

static enum fault_code
record_files(struct db_connection *connection, void *argument, struct fault *fault)
{
	const struct change *change = argument;
	const struct publication_cut *cut = change->cut;
	AUTO(struct stmt, stmt_done) stmt = NULL;
	TRY(stmt_start(connection, QUERY_PUBLISHER_RECORD_FILES, &stmt, fault));
	stmt_bind_int(stmt, ":repository_id", change->repository_id);
	stmt_bind_int(stmt, ":serial", cut->serial);
	bind_content(stmt, ":snapshot_hash", ":snapshot_size", cut->has_snapshot, &cut->snapshot);
	bind_content(stmt, ":delta_hash", ":delta_size", cut->has_delta, &cut->delta);
	if (cut->first_delta != 0)
		stmt_bind_int(stmt, ":first_delta", cut->first_delta);
	else
		stmt_bind_null(stmt, ":first_delta");
	TRY(stmt_run(stmt, fault));
	return expect_row(connection, "cut", cut->serial, fault);
}

enum fault_code
publisher_store_record_files(struct db *db, int64_t repository_id, const struct publication_cut *cut, struct fault *fault)
{
	struct change change = { .repository_id = repository_id, .cut = cut };
	return db_write(db, record_files, &change, fault);
}

/* Runs a statement that takes :repository_id, :serial and :now_at and changes one row. */
static enum fault_code
set_serial(struct db_connection *connection, enum query query, const struct change *change, const char *what, int64_t number,
	struct fault *fault)
{
	AUTO(struct stmt, stmt_done) stmt = NULL;
	TRY(stmt_start(connection, query, &stmt, fault));
	stmt_bind_int(stmt, ":repository_id", change->repository_id);
	stmt_bind_int(stmt, ":serial", change->serial);
	stmt_bind_int(stmt, ":now_at", change->now_at);
	TRY(stmt_run(stmt, fault));
	return expect_row(connection, what, number, fault);
}

static enum fault_code
record_notified(struct db_connection *connection, void *argument, struct fault *fault)
{
	const struct change *change = argument;
	AUTO_CLEAR(struct publication_repository, publisher_store_clear_repository) repository = PUBLICATION_REPOSITORY_INIT;
	AUTO(struct stmt, stmt_done) stmt = NULL;
	TRY(publisher_store_repository(connection, change->repository_id, &repository, fault));
	TRY(set_serial(connection, QUERY_PUBLISHER_NOTIFY, change, "repository", change->repository_id, fault));
	TRY(set_serial(connection, QUERY_PUBLISHER_NOTIFY_CUT, change, "cut", change->serial, fault));
	TRY(stmt_start(connection, QUERY_PUBLISHER_DROP_PAYLOADS, &stmt, fault));
	stmt_bind_int(stmt, ":repository_id", change->repository_id);
	stmt_bind_int(stmt, ":from", repository.notified_serial);
	stmt_bind_int(stmt, ":serial", change->serial);
	return stmt_run(stmt, fault);
}

enum fault_code
publisher_store_record_notified(struct db *db, int64_t repository_id, int64_t serial, int64_t now_at, struct fault *fault)
{
	struct change change = { .repository_id = repository_id, .serial = serial, .now_at = now_at };
	return db_write(db, record_notified, &change, fault);
}

static enum fault_code
drop_bytes(struct db_connection *connection, enum query query, int64_t repository_id, int64_t from, int64_t to,
	int64_t deltas_from, struct fault *fault)
{
	AUTO(struct stmt, stmt_done) stmt = NULL;
	TRY(stmt_start(connection, query, &stmt, fault));
	stmt_bind_int(stmt, ":repository_id", repository_id);
	stmt_bind_int(stmt, ":from", from);
	stmt_bind_int(stmt, ":to", to);
	stmt_bind_int(stmt, ":deltas_from", deltas_from);
	return stmt_run(stmt, fault);
}

/*
 * Drops what was needed before a change and is not after it. All that lay behind the horizon before the change went when the
 * horizon passed it, so that only the two strips between then and now have to be looked at, however long the history is.
 */
static enum fault_code
drop_between(struct db_connection *connection, int64_t repository_id, const struct horizon *before, struct fault *fault)
{
	struct horizon now;
	TRY(read_horizon(connection, repository_id, &now, fault));
	if (now.states_from > before->states_from)
		TRY(drop_bytes(connection, QUERY_PUBLISHER_DROP_BYTES_WITHDRAWN, repository_id, before->states_from,
			now.states_from, now.deltas_from, fault));
	if (now.deltas_from > before->deltas_from)
		TRY(drop_bytes(connection, QUERY_PUBLISHER_DROP_BYTES_PUBLISHED, repository_id, before->deltas_from,
			now.states_from, now.deltas_from, fault));
	return FAULT_NONE;
}

static enum fault_code
retire_cut(struct db_connection *connection, void *argument, struct fault *fault)
{
	const struct change *change = argument;
	AUTO(struct stmt, stmt_done) stmt = NULL;
	struct horizon before;
	TRY(read_horizon(connection, change->repository_id, &before, fault));
	TRY(stmt_start(connection, QUERY_PUBLISHER_RETIRE_CUT, &stmt, fault));
	stmt_bind_int(stmt, ":repository_id", change->repository_id);
	stmt_bind_int(stmt, ":serial", change->cut->serial);
	stmt_bind_int(stmt, ":snapshot_kept", change->cut->snapshot_kept);
	stmt_bind_int(stmt, ":delta_kept", change->cut->delta_kept);
	TRY(stmt_run(stmt, fault));
	TRY(expect_row(connection, "cut", change->cut->serial, fault));
	return drop_between(connection, change->repository_id, &before, fault);
}

enum fault_code
publisher_store_retire_cut(struct db *db, int64_t repository_id, const struct publication_cut *cut, struct fault *fault)
{
	struct change change = { .repository_id = repository_id, .cut = cut };
	return db_write_bulk(db, retire_cut, &change, fault);
}

/* Runs a statement about a tree, with the time if it takes that. */
static enum fault_code
run_for_tree(struct db_connection *connection, enum query query, const struct change *change, bool timed, struct fault *fault)
{
	AUTO(struct stmt, stmt_done) stmt = NULL;
	TRY(stmt_start(connection, query, &stmt, fault));
	stmt_bind_int(stmt, ":tree_id", change->tree_id);
	if (timed)
		stmt_bind_int(stmt, ":now_at", change->now_at);
	return stmt_run(stmt, fault);
}

static enum fault_code
new_tree(struct db_connection *connection, void *argument, struct fault *fault)
{
	struct change *change = argument;
	AUTO(struct stmt, stmt_done) insert = NULL;
	AUTO(struct stmt, stmt_done) name = NULL;
	struct publication_tree tree = { .serial = 0 };
	TRY(stmt_start(connection, QUERY_PUBLISHER_INSERT_TREE, &insert, fault));
	TRY(stmt_run(insert, fault));
	/*
	 * Ids are never given twice, nor are names then: what an earlier tree left behind is never taken for a part of
	 * this one.
	 */
	tree.tree_id = change->tree_id = stmt_inserted_id(connection);
	(void)snprintf(tree.name, sizeof tree.name, "%" PRId64, tree.tree_id);
	TRY(stmt_start(connection, QUERY_PUBLISHER_NAME_TREE, &name, fault));
	stmt_bind_int(name, ":tree_id", tree.tree_id);
	stmt_bind_text(name, ":name", tree.name);
	TRY(stmt_run(name, fault));
	*change->tree = tree;
	return run_for_tree(connection, QUERY_PUBLISHER_AIM_TREE, change, false, fault);
}

enum fault_code
publisher_store_new_tree(struct db *db, struct publication_tree *ret_tree, struct fault *fault)
{
	struct publication_tree tree;
	struct change change = { .tree = &tree };
	TRY(db_write(db, new_tree, &change, fault));
	*ret_tree = tree;
	return FAULT_NONE;
}

static enum fault_code
aim_tree(struct db_connection *connection, void *argument, struct fault *fault)
{
	return run_for_tree(connection, QUERY_PUBLISHER_AIM_TREE, argument, false, fault);
}

enum fault_code
publisher_store_aim_tree(struct db *db, int64_t tree_id, struct fault *fault)
{
	struct change change = { .tree_id = tree_id };
	return db_write(db, aim_tree, &change, fault);
}

/* The horizon of each repository, before a change to what trees there are. */
struct horizons {
	struct publication_head *heads;
	struct horizon *items;
	size_t count;
};

static void
horizons_clear(struct horizons *horizons)
{
	free(horizons->heads);
	free(horizons->items);
}

static enum fault_code
read_horizons(struct db_connection *connection, struct horizons *horizons, struct fault *fault)
{
	TRY(publisher_store_repositories(connection, &horizons->heads, &horizons->count, fault));
	TRY(memory_new(horizons->count, sizeof *horizons->items, &horizons->items, fault));
	for (size_t i = 0; i < horizons->count; i++)
		TRY(read_horizon(connection, horizons->heads[i].repository_id, &horizons->items[i], fault));
	return FAULT_NONE;
}

static enum fault_code
drop_behind(struct db_connection *connection, const struct horizons *before, struct fault *fault)
{
	for (size_t i = 0; i < before->count; i++)
		TRY(drop_between(connection, before->heads[i].repository_id, &before->items[i], fault));
	return FAULT_NONE;
}

static enum fault_code
serve_tree(struct db_connection *connection, void *argument, struct fault *fault)
{
	const struct change *change = argument;
	AUTO_CLEAR(struct horizons, horizons_clear) before = { .heads = NULL };
	TRY(read_horizons(connection, &before, fault));
	TRY(run_for_tree(connection, QUERY_PUBLISHER_RETIRE_TREES, change, true, fault));
	TRY(run_for_tree(connection, QUERY_PUBLISHER_SERVE_TREE, change, false, fault));
	TRY(expect_row(connection, "rsync tree", change->tree_id, fault));
	TRY(run_for_tree(connection, QUERY_PUBLISHER_SERVE_PARTS, change, false, fault));
	TRY(run_for_tree(connection, QUERY_PUBLISHER_SERVE_SERIALS, change, true, fault));
	return drop_behind(connection, &before, fault);
}

enum fault_code
publisher_store_serve_tree(struct db *db, int64_t tree_id, int64_t now_at, struct fault *fault)
{
	struct change change = { .tree_id = tree_id, .now_at = now_at };
	return db_write(db, serve_tree, &change, fault);
}

static enum fault_code
drop_tree(struct db_connection *connection, void *argument, struct fault *fault)
{
	AUTO_CLEAR(struct horizons, horizons_clear) before = { .heads = NULL };
	TRY(read_horizons(connection, &before, fault));
	TRY(run_for_tree(connection, QUERY_PUBLISHER_DROP_TREE, argument, false, fault));
	return drop_behind(connection, &before, fault);
}

enum fault_code
publisher_store_drop_tree(struct db *db, int64_t tree_id, struct fault *fault)
{
	struct change change = { .tree_id = tree_id };
	return db_write(db, drop_tree, &change, fault);
}
