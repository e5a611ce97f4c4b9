#include "ca/jobs/ceremony_anchor.h"

#include <stdio.h>

#include "db/stmt.h"

void
ceremony_anchor_clear(struct ceremony_anchor_row *row)
{
	bytes_clear(&row->spki);
}

enum fault_code
ceremony_anchor_load(struct db_connection *connection, struct ceremony_anchor_row *ret_row, struct fault *fault)
{
	AUTO(struct stmt, stmt_done) stmt = NULL;
	bool row;
	TRY(stmt_start(connection, QUERY_CEREMONY_TA, &stmt, fault));
	TRY(stmt_step(stmt, &row, fault));
	if (!row)
		return fault_set(fault, FAULT_NOT_FOUND, "there is no trust anchor");
	if (stmt_int(stmt, "offline") == 0)
		return fault_set(fault, FAULT_CONFLICT, "the trust anchor's key is on this server, which signs by itself: no ceremony is needed");
	ret_row->ca_id = stmt_int(stmt, "ca_id");
	ret_row->key_id = stmt_int(stmt, "key_id");
	ret_row->repository_id = stmt_int(stmt, "repository_id");
	(void)snprintf(ret_row->directory, sizeof ret_row->directory, "%s", stmt_text(stmt, "directory"));
	struct span spki = stmt_blob(stmt, "spki");
	return bytes_append(&ret_row->spki, spki.data, spki.length, fault);
}
