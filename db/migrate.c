#include "db/migrate.h"

#include <inttypes.h>
#include <stdio.h>

enum fault_code
migrate_check(struct db_connection *connection, const char *path, size_t latest, struct fault *fault)
{
	int64_t owner, version;
	enum fault_code code = connection_number(connection, "application_id", &owner, fault);
	if (code == FAULT_NONE)
		code = connection_number(connection, "user_version", &version, fault);
	if (code != FAULT_NONE) {
		(void)fault_prefix(fault, "%.200s: ", path);
		return code;
	}
	if (owner != MIGRATE_APPLICATION_ID || version < 1)
		return fault_set(fault, FAULT_SCHEMA, "%s is not a database of Cadastre's", path);
	if (version > (int64_t)latest)
		return fault_set(fault, FAULT_SCHEMA, "%s has schema version %" PRId64 "; this release knows none after version %zu",
			path, version, latest);
	return FAULT_NONE;
}

static enum fault_code
check_references(struct db_connection *connection, struct fault *fault)
{
	AUTO(struct stmt, stmt_done) stmt = NULL;
	TRY(stmt_prepare(connection, "foreign_key_check", "PRAGMA foreign_key_check", &stmt, fault));
	bool row;
	TRY(stmt_step(stmt, &row, fault));
	if (row)
		return fault_set(fault, FAULT_DATABASE, "a row of %s would refer to nothing in %s", stmt_text(stmt, "table"),
			stmt_text(stmt, "parent"));
	return FAULT_NONE;
}

static enum fault_code
run_step(struct db_connection *connection, const struct schema_step *step, struct fault *fault)
{
	char identity[128];
	(void)snprintf(identity, sizeof identity, "PRAGMA application_id = %" PRId64 "; PRAGMA user_version = %d",
		MIGRATE_APPLICATION_ID, step->version);
	TRY(connection_order(connection, ORDER_BEGIN_WRITE, fault));
	TRY(connection_run(connection, "its statements", step->sql, fault));
	INVARIANT(connection_in_transaction(connection)); /* a step has no COMMIT of its own */
	TRY(check_references(connection, fault));
	TRY(connection_run(connection, "its version", identity, fault));
	return connection_order(connection, ORDER_COMMIT, fault);
}

enum fault_code
migrate_forward(struct db_connection *connection, const struct schema_step *steps, size_t count, struct fault *fault)
{
	int64_t version;
	TRY(connection_number(connection, "user_version", &version, fault));
	INVARIANT(version >= 0 && (size_t)version <= count);
	if ((size_t)version == count)
		return FAULT_NONE;
	TRY(connection_set(connection, "foreign_keys", "OFF", "0", fault));
	for (size_t i = (size_t)version; i < count; i++) {
		enum fault_code code = run_step(connection, &steps[i], fault);
		if (code != FAULT_NONE) {
			connection_abandon(connection);
			(void)fault_prefix(fault, "schema step %d: ", steps[i].version);
			return code;
		}
	}
	return connection_set(connection, "foreign_keys", "ON", "1", fault);
}
