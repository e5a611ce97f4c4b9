#include "db/stores/health_store.h"

/* So many of the CAs set aside are looked into for what expires. */
#define LOOKED_INTO 100

enum fault_code
health_store_queue(struct db_connection *connection, struct queue_counts *ret_counts, struct fault *fault)
{
	AUTO(struct stmt, stmt_done) stmt = NULL;
	bool row;
	TRY(stmt_start(connection, QUERY_HEALTH_QUEUE, &stmt, fault));
	TRY(stmt_step(stmt, &row, fault));
	*ret_counts = (struct queue_counts){
		.cas = stmt_int(stmt, "cas"),
		.oldest_at = stmt_int(stmt, "oldest_at"),
		.held = stmt_int(stmt, "held"),
	};
	return FAULT_NONE;
}

enum fault_code
health_store_renewals(struct db_connection *connection, int64_t now_at, int64_t overdue_at, struct renewal_counts *ret_counts,
	struct fault *fault)
{
	AUTO(struct stmt, stmt_done) stmt = NULL;
	bool row;
	TRY(stmt_start(connection, QUERY_HEALTH_RENEWALS, &stmt, fault));
	stmt_bind_int(stmt, ":now_at", now_at);
	stmt_bind_int(stmt, ":overdue_at", overdue_at);
	TRY(stmt_step(stmt, &row, fault));
	*ret_counts = (struct renewal_counts){
		.due = stmt_int(stmt, "due"),
		.overdue = stmt_int(stmt, "overdue"),
		.first_at = stmt_int(stmt, "first_at"),
	};
	return FAULT_NONE;
}

enum fault_code
health_store_set_aside(struct db_connection *connection, struct set_aside_counts *ret_counts, struct fault *fault)
{
	AUTO(struct stmt, stmt_done) stmt = NULL;
	AUTO(struct stmt, stmt_done) expiry = NULL;
	bool row;
	TRY(stmt_start(connection, QUERY_HEALTH_SET_ASIDE, &stmt, fault));
	TRY(stmt_step(stmt, &row, fault));
	struct set_aside_counts counts = {
		.cas = stmt_int(stmt, "cas"),
		.parents = stmt_int(stmt, "parents"),
		.first_at = stmt_int(stmt, "first_at"),
	};
	TRY(stmt_start(connection, QUERY_HEALTH_SET_ASIDE_EXPIRY, &expiry, fault));
	stmt_bind_int(expiry, ":limit", LOOKED_INTO);
	TRY(stmt_step(expiry, &row, fault));
	counts.expires_at = stmt_int(expiry, "first_at");
	*ret_counts = counts;
	return FAULT_NONE;
}

enum fault_code
health_store_expiry(struct db_connection *connection, const char *kind, int64_t *ret_not_after_at, struct fault *fault)
{
	AUTO(struct stmt, stmt_done) stmt = NULL;
	bool row;
	TRY(stmt_start(connection, QUERY_HEALTH_EXPIRY, &stmt, fault));
	stmt_bind_text(stmt, ":kind", kind);
	TRY(stmt_step(stmt, &row, fault));
	*ret_not_after_at = row ? stmt_int(stmt, "not_after_at") : 0;
	return FAULT_NONE;
}

enum fault_code
health_store_list_set_aside(struct db_connection *connection, int64_t limit, struct stmt **ret_stmt, struct fault *fault)
{
	TRY(stmt_start(connection, QUERY_HEALTH_SET_ASIDE_LIST, ret_stmt, fault));
	stmt_bind_int(*ret_stmt, ":limit", limit);
	return FAULT_NONE;
}

enum fault_code
health_store_next_set_aside(struct stmt *stmt, struct set_aside_record *ret_record, bool *ret_found, struct fault *fault)
{
	TRY(stmt_step(stmt, ret_found, fault));
	if (*ret_found)
		*ret_record = (struct set_aside_record){ .handle = stmt_text(stmt, "handle"), .set_aside_at = stmt_int(stmt, "set_aside_at") };
	return FAULT_NONE;
}
