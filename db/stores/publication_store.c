#include "db/stores/publication_store.h"

enum fault_code
publication_store_list(struct db_connection *connection, struct stmt **ret_stmt, struct fault *fault)
{
	return stmt_start(connection, QUERY_PUBLICATION_VIEW_LIST, ret_stmt, fault);
}

enum fault_code
publication_store_next(struct stmt *stmt, struct publication_record *ret_record, bool *ret_found, struct fault *fault)
{
	TRY(stmt_step(stmt, ret_found, fault));
	if (*ret_found)
		*ret_record = (struct publication_record){
			.repository_id = stmt_int(stmt, "repository_id"),
			.session = stmt_text(stmt, "session"),
			.rrdp_uri = stmt_text(stmt, "rrdp_uri"),
			.rsync_uri = stmt_text(stmt, "rsync_uri"),
			.notified_serial = stmt_int(stmt, "notified_serial"),
			.notified_at = stmt_int(stmt, "notified_at"),
			.serial = stmt_int(stmt, "serial"),
			.cut_at = stmt_int(stmt, "cut_at"),
			.rsync_serial = stmt_int(stmt, "rsync_serial"),
			.rsync_at = stmt_int(stmt, "rsync_at"),
			.snapshot_size = stmt_int(stmt, "snapshot_size"),
			.objects = stmt_int(stmt, "objects"),
			.objects_size = stmt_int(stmt, "objects_size"),
			.deltas = stmt_int(stmt, "deltas"),
			.deltas_size = stmt_int(stmt, "deltas_size"),
		};
	return FAULT_NONE;
}

enum fault_code
publication_store_count_cas(struct db_connection *connection, struct ca_counts *ret_counts, struct fault *fault)
{
	AUTO(struct stmt, stmt_done) stmt = NULL;
	TRY(stmt_start(connection, QUERY_PUBLICATION_VIEW_CAS, &stmt, fault));
	bool row;
	TRY(stmt_step(stmt, &row, fault));
	*ret_counts = (struct ca_counts){
		.cas = stmt_int(stmt, "cas"),
		.waiting = stmt_int(stmt, "cas_waiting"),
		.set_aside = stmt_int(stmt, "cas_set_aside"),
		.roas = stmt_int(stmt, "roas"),
	};
	return FAULT_NONE;
}

enum fault_code
publication_store_objects(struct db_connection *connection, int64_t ca_id, struct stmt **ret_stmt, struct fault *fault)
{
	TRY(stmt_start(connection, QUERY_OBJECTS_VIEW_LIST, ret_stmt, fault));
	stmt_bind_int(*ret_stmt, ":ca_id", ca_id);
	return FAULT_NONE;
}

enum fault_code
publication_store_next_object(struct stmt *stmt, struct published_object *ret_object, bool *ret_found, struct fault *fault)
{
	TRY(stmt_step(stmt, ret_found, fault));
	if (*ret_found)
		*ret_object = (struct published_object){
			.path = stmt_text(stmt, "path"),
			.kind = stmt_text(stmt, "kind"),
			.hash = stmt_blob(stmt, "hash"),
			.serial = stmt_blob(stmt, "serial"),
			.size = stmt_int(stmt, "size"),
			.not_before_at = stmt_int(stmt, "not_before_at"),
			.not_after_at = stmt_int(stmt, "not_after_at"),
			.published_serial = stmt_int(stmt, "published_serial"),
		};
	return FAULT_NONE;
}
