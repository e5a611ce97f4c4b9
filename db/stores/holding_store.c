#include "db/stores/holding_store.h"

#include <stdio.h>
#include <string.h>

static enum fault_code
start(struct db_connection *connection, enum query query, const struct holding_range *range, struct stmt **ret_stmt,
	struct fault *fault)
{
	TRY(stmt_start(connection, query, ret_stmt, fault));
	stmt_bind_int(*ret_stmt, ":family", range->family);
	stmt_bind_blob(*ret_stmt, ":min", range->min);
	stmt_bind_blob(*ret_stmt, ":max", range->max);
	return FAULT_NONE;
}

enum fault_code
holding_store_insert(struct db_connection *connection, int64_t ca_id, const struct holding_range *range, struct fault *fault)
{
	AUTO(struct stmt, stmt_done) stmt = NULL;
	TRY(start(connection, QUERY_HOLDINGS_INSERT, range, &stmt, fault));
	stmt_bind_int(stmt, ":ca_id", ca_id);
	return stmt_run(stmt, fault);
}

enum fault_code
holding_store_delete_all(struct db_connection *connection, int64_t ca_id, struct fault *fault)
{
	AUTO(struct stmt, stmt_done) stmt = NULL;
	TRY(stmt_start(connection, QUERY_HOLDINGS_DELETE_ALL, &stmt, fault));
	stmt_bind_int(stmt, ":ca_id", ca_id);
	return stmt_run(stmt, fault);
}

static void
copy_octets(struct span octets, uint8_t ret_octets[16])
{
	memcpy(ret_octets, octets.data, octets.length < 16 ? octets.length : 16);
}

enum fault_code
holding_store_overlap(struct db_connection *connection, int64_t ca_id, const struct holding_range *range, bool *ret_found,
	char ret_handle[HOLDING_HANDLE_SIZE], uint8_t ret_min[16], uint8_t ret_max[16], struct fault *fault)
{
	AUTO(struct stmt, stmt_done) stmt = NULL;
	TRY(start(connection, QUERY_HOLDINGS_OVERLAP, range, &stmt, fault));
	stmt_bind_int(stmt, ":ca_id", ca_id);
	TRY(stmt_step(stmt, ret_found, fault));
	if (!*ret_found)
		return FAULT_NONE;
	copy_octets(stmt_blob(stmt, "min"), ret_min);
	copy_octets(stmt_blob(stmt, "max"), ret_max);
	(void)snprintf(ret_handle, HOLDING_HANDLE_SIZE, "%s", stmt_text(stmt, "handle"));
	return FAULT_NONE;
}

enum fault_code
holding_store_holder(struct db_connection *connection, const struct holding_range *range, int64_t *ret_ca_id, struct fault *fault)
{
	AUTO(struct stmt, stmt_done) stmt = NULL;
	TRY(start(connection, QUERY_HOLDINGS_HOLDER, range, &stmt, fault));
	bool row;
	TRY(stmt_step(stmt, &row, fault));
	*ret_ca_id = row ? stmt_int(stmt, "ca_id") : 0;
	return FAULT_NONE;
}
