#include "ca/views/views.h"
#include "db/stores/key_store.h"

enum fault_code
key_view_list(struct db_connection *connection, int64_t ca_id, bool destroyed,
	enum fault_code (*give)(void *argument, const struct key_row *row, struct fault *fault), void *argument, struct fault *fault)
{
	AUTO(struct stmt, stmt_done) stmt = NULL;
	TRY(key_store_list(connection, ca_id, destroyed, PAGE_MAX, &stmt, fault));
	for (;;) {
		struct key_record record;
		bool found;
		TRY(key_store_next(stmt, &record, &found, fault));
		if (!found)
			return FAULT_NONE;
		struct key_row row = {
			.state = record.state, .identifier = record.identifier, .offline = record.offline, .created_at = record.created_at,
			.published_at = record.published_at, .retired_at = record.retired_at, .manifest_number = record.manifest_number,
			.crl_number = record.crl_number,
		};
		TRY(give(argument, &row, fault));
	}
}
