#include "ca/base/bytes.h"
#include "ca/views/views.h"
#include "db/stores/ca_store.h"
#include "db/stores/publication_store.h"

static enum fault_code
give_object(const struct published_object *object, const char *rsync_uri, struct bytes *uri, object_row_fn give, void *argument,
	struct fault *fault)
{
	bytes_reset(uri);
	TRY(bytes_append_text(uri, rsync_uri, fault));
	TRY(bytes_append_text(uri, object->path, fault));
	struct object_row row = {
		.uri = bytes_text(uri),
		.kind = object->kind,
		.hash = object->hash,
		.serial = object->serial,
		.size = object->size,
		.not_before_at = object->not_before_at,
		.not_after_at = object->not_after_at,
		.published_serial = object->published_serial,
	};
	return give(argument, &row, fault);
}

enum fault_code
object_view_list(struct db_connection *connection, int64_t ca_id, object_row_fn give, void *argument, struct fault *fault)
{
	AUTO(struct stmt, stmt_done) ca = NULL;
	AUTO(struct stmt, stmt_done) objects = NULL;
	AUTO_CLEAR(struct bytes, bytes_clear) uri = BYTES_INIT;
	struct ca_record record;
	TRY(ca_store_get(connection, ca_id, &ca, &record, fault));
	TRY(publication_store_objects(connection, ca_id, &objects, fault));
	for (;;) {
		struct published_object object;
		bool found;
		TRY(publication_store_next_object(objects, &object, &found, fault));
		if (!found)
			return FAULT_NONE;
		TRY(give_object(&object, record.rsync_uri, &uri, give, argument, fault));
	}
}

/* The row borrows from the statement. */
static enum fault_code
find_refusal(struct db_connection *connection, struct stmt **ret_stmt, struct publication_row *row, struct fault *fault)
{
	bool found;
	TRY(stmt_start(connection, QUERY_GUARD_REFUSAL, ret_stmt, fault));
	TRY(stmt_step(*ret_stmt, &found, fault));
	if (!found)
		return FAULT_NONE;
	row->refused_code = stmt_text(*ret_stmt, "code");
	row->refused_at = stmt_int(*ret_stmt, "refused_at");
	row->refused_payloads = stmt_int(*ret_stmt, "payloads");
	row->refused_payloads_lost = stmt_int(*ret_stmt, "payloads_lost");
	row->refused_cas = stmt_int(*ret_stmt, "cas");
	row->refused_cas_lost = stmt_int(*ret_stmt, "cas_lost");
	row->refused_accepted = !stmt_null(*ret_stmt, "accepted_at");
	return FAULT_NONE;
}

static struct publication_row
row_of(const struct publication_record *record)
{
	return (struct publication_row){
		.repository_id = record->repository_id,
		.session = record->session,
		.rrdp_uri = record->rrdp_uri,
		.rsync_uri = record->rsync_uri,
		.serial = record->notified_serial,
		.notified_at = record->notified_at,
		.cut_serial = record->serial,
		.cut_at = record->cut_at,
		.rsync_serial = record->rsync_serial,
		.rsync_at = record->rsync_at,
		.snapshot_size = record->snapshot_size,
		.objects = record->objects,
		.bytes = record->objects_size,
		.deltas = record->deltas,
		.deltas_size = record->deltas_size,
	};
}

/* What is out of all repositories together. */
struct tally {
	int64_t repositories, objects, bytes;
};

static enum fault_code
add_up(struct db_connection *connection, struct tally *ret_all, struct fault *fault)
{
	AUTO(struct stmt, stmt_done) stmt = NULL;
	struct tally all = { .repositories = 0 };
	TRY(publication_store_list(connection, &stmt, fault));
	for (;;) {
		struct publication_record record;
		bool found;
		TRY(publication_store_next(stmt, &record, &found, fault));
		if (!found)
			break;
		all.repositories++;
		all.objects += record.objects;
		all.bytes += record.objects_size;
	}
	*ret_all = all;
	return all.repositories > 0 ? FAULT_NONE : fault_set(fault, FAULT_NOT_FOUND, "the database has no repository");
}

static enum fault_code
give_all(struct db_connection *connection, const struct publication_record *first, const struct tally *all, publication_row_fn give,
	void *argument, struct fault *fault)
{
	AUTO(struct stmt, stmt_done) refusal = NULL;
	struct publication_row row = row_of(first);
	struct ca_counts cas;
	TRY(publication_store_count_cas(connection, &cas, fault));
	row.objects = all->objects;
	row.bytes = all->bytes;
	row.cas = cas.cas;
	row.cas_waiting = cas.waiting;
	row.cas_set_aside = cas.set_aside;
	row.roas = cas.roas;
	TRY(find_refusal(connection, &refusal, &row, fault));
	return give(argument, &row, fault);
}

enum fault_code
publication_view_get(struct db_connection *connection, publication_row_fn give, publication_row_fn give_repository, void *argument,
	struct fault *fault)
{
	AUTO(struct stmt, stmt_done) stmt = NULL;
	struct tally all;
	TRY(add_up(connection, &all, fault));
	TRY(publication_store_list(connection, &stmt, fault));
	for (bool first = true;; first = false) {
		struct publication_record record;
		bool found;
		TRY(publication_store_next(stmt, &record, &found, fault));
		if (!found)
			return FAULT_NONE;
		if (first)
			TRY(give_all(connection, &record, &all, give, argument, fault));
		struct publication_row row = row_of(&record);
		TRY(give_repository(argument, &row, fault));
	}
}
