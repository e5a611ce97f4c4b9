#include "db/stores/repository_store.h"

enum fault_code
repository_store_newest(struct db_connection *connection, int64_t roas_max, struct repository_load *ret_load, struct fault *fault)
{
	AUTO(struct stmt, stmt_done) stmt = NULL;
	bool row;
	TRY(stmt_start(connection, QUERY_REPOSITORIES_NEWEST, &stmt, fault));
	stmt_bind_int(stmt, ":roas_max", roas_max);
	TRY(stmt_step(stmt, &row, fault));
	if (!row)
		return fault_set(fault, FAULT_NOT_FOUND, "there is no repository");
	*ret_load = (struct repository_load){
		.repository_id = stmt_int(stmt, "repository_id"),
		.issuing = stmt_int(stmt, "issuing"),
		.members = stmt_int(stmt, "members"),
		.payloads = stmt_int(stmt, "payloads"),
		.roas = stmt_int(stmt, "roas"),
		.snapshot_size = stmt_int(stmt, "snapshot_size"),
	};
	return FAULT_NONE;
}

enum fault_code
repository_store_open(struct db_connection *connection, int64_t repository_id, const char *session, struct fault *fault)
{
	AUTO(struct stmt, stmt_done) stmt = NULL;
	TRY(stmt_start(connection, QUERY_REPOSITORIES_OPEN, &stmt, fault));
	stmt_bind_int(stmt, ":repository_id", repository_id);
	stmt_bind_text(stmt, ":session", session);
	return stmt_run(stmt, fault);
}
