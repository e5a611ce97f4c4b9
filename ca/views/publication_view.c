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
	TRY(publication_store_objects(connection, ca_id, record.repository_id, record.notified_serial, &objects, fault));
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
find_refusal(struct db_connection *connection, int64_t repository_id, struct stmt **ret_stmt, struct publication_row *row,
	struct fault *fault)
{
	bool found;
	TRY(stmt_start(connection, QUERY_GUARD_REFUSAL, ret_stmt, fault));
	stmt_bind_int(*ret_stmt, ":repository_id", repository_id);
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

static enum fault_code
give_repository(struct db_connection *connection, const struct publication_record *record, const struct ca_counts *cas,
	enum fault_code (*give)(void *argument, const struct publication_row *row, struct fault *fault), void *argument,
	struct fault *fault)
{
	AUTO(struct stmt, stmt_done) refusal = NULL;
	struct publication_row row = {
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
		.cas = cas->cas,
		.cas_waiting = cas->waiting,
		.cas_set_aside = cas->set_aside,
		.roas = cas->roas,
	};
	TRY(find_refusal(connection, record->repository_id, &refusal, &row, fault));
	return give(argument, &row, fault);
}

enum fault_code
publication_view_get(struct db_connection *connection,
	enum fault_code (*give)(void *argument, const struct publication_row *row, struct fault *fault), void *argument,
	struct fault *fault)
{
	AUTO(struct stmt, stmt_done) stmt = NULL;
	struct publication_record record;
	struct ca_counts cas;
	bool found;
	TRY(publication_store_count_cas(connection, &cas, fault));
	TRY(publication_store_list(connection, &stmt, fault));
	TRY(publication_store_next(stmt, &record, &found, fault));
	if (!found)
		return fault_set(fault, FAULT_NOT_FOUND, "the database has no repository");
	return give_repository(connection, &record, &cas, give, argument, fault);
}
