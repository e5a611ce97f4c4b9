#include <string.h>

#include "ca/views/views.h"
#include "db/stores/ca_store.h"

enum fault_code
ca_view_find(struct db_connection *connection, const char *handle, int64_t *ret_ca_id, struct fault *fault)
{
	return ca_store_find(connection, handle, ret_ca_id, fault);
}

static enum fault_code
give_record(const struct ca_record *record, ca_row_fn give, void *argument, struct fault *fault)
{
	AUTO_CLEAR(struct resource_set, resource_set_clear) resources = RESOURCE_SET_INIT;
	if (record->resources.data != NULL)
		TRY(resource_set_decode(record->resources, &resources, fault));
	struct ca_row row = {
		.ca_id = record->ca_id,
		.handle = record->handle,
		.kind = record->kind,
		.state = record->state,
		.resources = &resources,
		.inherits = record->resources.data == NULL,
		.version = record->version,
		.roas_version = record->roas_version,
		.roas_count = record->roas_count,
		.parent_handle = record->parent_handle,
		.changed_at = record->changed_at,
		.set_aside_reason = record->set_aside_reason,
		.held_at = record->held_at,
		.suspended_at = record->suspended_at,
		.created_at = record->created_at,
	};
	return give(argument, &row, fault);
}

enum fault_code
ca_view_get(struct db_connection *connection, int64_t ca_id, ca_row_fn give, void *argument, struct fault *fault)
{
	AUTO(struct stmt, stmt_done) stmt = NULL;
	struct ca_record record;
	TRY(ca_store_get(connection, ca_id, &stmt, &record, fault));
	return give_record(&record, give, argument, fault);
}

/* The list of somebody who sees one CA alone. */
static enum fault_code
list_one(struct db_connection *connection, int64_t ca_id, const char *after, bool set_aside, ca_row_fn give, void *argument,
	struct fault *fault)
{
	AUTO(struct stmt, stmt_done) stmt = NULL;
	struct ca_record record;
	TRY(ca_store_get(connection, ca_id, &stmt, &record, fault));
	if ((after != NULL && strcmp(record.handle, after) <= 0) || (set_aside && record.set_aside_reason == NULL))
		return FAULT_NONE;
	return give_record(&record, give, argument, fault);
}

static enum fault_code
give_all(struct stmt *stmt, ca_row_fn give, void *argument, struct fault *fault)
{
	struct ca_record record;
	bool found;
	for (;;) {
		TRY(ca_store_next(stmt, &record, &found, fault));
		if (!found)
			return FAULT_NONE;
		TRY(give_record(&record, give, argument, fault));
	}
}

enum fault_code
ca_view_list(struct db_connection *connection, int64_t only_ca_id, const char *after, int64_t limit, ca_row_fn give,
	void *argument, struct fault *fault)
{
	INVARIANT(limit > 0 && limit <= PAGE_MAX);
	if (only_ca_id != 0)
		return list_one(connection, only_ca_id, after, false, give, argument, fault);
	AUTO(struct stmt, stmt_done) stmt = NULL;
	TRY(ca_store_list(connection, after, limit, &stmt, fault));
	return give_all(stmt, give, argument, fault);
}

enum fault_code
ca_view_list_set_aside(struct db_connection *connection, int64_t only_ca_id, const char *after, int64_t limit, ca_row_fn give,
	void *argument, struct fault *fault)
{
	INVARIANT(limit > 0 && limit <= PAGE_MAX);
	if (only_ca_id != 0)
		return list_one(connection, only_ca_id, after, true, give, argument, fault);
	AUTO(struct stmt, stmt_done) stmt = NULL;
	TRY(ca_store_list_set_aside(connection, after, limit, &stmt, fault));
	return give_all(stmt, give, argument, fault);
}
