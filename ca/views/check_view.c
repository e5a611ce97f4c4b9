#include "ca/views/check_view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ca/base/memory.h"
#include "ca/views/views.h"
#include "db/stmt.h"

#define PAGE 1000

static enum fault_code
copy_text(struct stmt *stmt, const char *column, char *ret_text, size_t size, struct fault *fault)
{
	const char *text = stmt_text(stmt, column);
	if (text == NULL || strlen(text) >= size)
		return fault_set(fault, FAULT_DATABASE, "the column %s is missing or too long", column);
	memcpy(ret_text, text, strlen(text) + 1);
	return FAULT_NONE;
}

static enum fault_code
take_repository(struct stmt *stmt, struct check_repository *ret_repository, struct fault *fault)
{
	TRY(copy_text(stmt, "rrdp_uri", ret_repository->rrdp_uri, sizeof ret_repository->rrdp_uri, fault));
	TRY(copy_text(stmt, "rsync_uri", ret_repository->rsync_uri, sizeof ret_repository->rsync_uri, fault));
	TRY(copy_text(stmt, "session", ret_repository->session, sizeof ret_repository->session, fault));
	ret_repository->repository_id = stmt_int(stmt, "repository_id");
	ret_repository->serial = stmt_int(stmt, "serial");
	ret_repository->notified_serial = stmt_int(stmt, "notified_serial");
	ret_repository->rsync_serial = stmt_int(stmt, "rsync_serial");
	return FAULT_NONE;
}

enum fault_code
check_view_repositories(struct db *db, struct check_repository **ret_repositories, size_t *ret_count, struct fault *fault)
{
	AUTO(struct db_connection, db_reader_release) connection = NULL;
	AUTO(struct stmt, stmt_done) stmt = NULL;
	AUTO(struct check_repository, free) repositories = NULL;
	size_t count = 0, capacity = 0;
	TRY(db_reader_acquire(db, &connection, fault));
	TRY(stmt_start(connection, QUERY_CHECK_REPOSITORIES, &stmt, fault));
	for (;; count++) {
		bool row;
		TRY(stmt_step(stmt, &row, fault));
		if (!row)
			break;
		TRY(memory_reserve(&repositories, &capacity, count + 1, sizeof *repositories, fault));
		TRY(take_repository(stmt, &repositories[count], fault));
	}
	if (count == 0)
		return fault_set(fault, FAULT_NOT_FOUND, "the database has no repository");
	*ret_repositories = MOVE(repositories);
	*ret_count = count;
	return FAULT_NONE;
}

enum fault_code
check_view_repository(struct db *db, int64_t repository_id, struct check_repository *ret_repository, struct fault *fault)
{
	AUTO(struct db_connection, db_reader_release) connection = NULL;
	AUTO(struct stmt, stmt_done) stmt = NULL;
	bool row;
	TRY(db_reader_acquire(db, &connection, fault));
	TRY(stmt_start(connection, QUERY_CHECK_REPOSITORY, &stmt, fault));
	stmt_bind_int(stmt, ":repository_id", repository_id);
	TRY(stmt_step(stmt, &row, fault));
	if (!row)
		return fault_set(fault, FAULT_NOT_FOUND, "the database has no such repository");
	return take_repository(stmt, ret_repository, fault);
}

/* One page of a state: at most PAGE rows behind *after, which moves on; *ret_count tells how many there were. */
static enum fault_code
state_page(struct db *db, int64_t repository_id, int64_t serial, int64_t *after, check_object_fn give, void *argument,
	size_t *ret_count, struct fault *fault)
{
	AUTO(struct db_connection, db_reader_release) connection = NULL;
	AUTO(struct stmt, stmt_done) stmt = NULL;
	bool row;
	TRY(db_reader_acquire(db, &connection, fault));
	TRY(stmt_start(connection, QUERY_PUBLISHER_STATE, &stmt, fault));
	stmt_bind_int(stmt, ":repository_id", repository_id);
	stmt_bind_int(stmt, ":serial", serial);
	stmt_bind_int(stmt, ":after", *after);
	stmt_bind_int(stmt, ":limit", PAGE);
	for (*ret_count = 0;; ++*ret_count) {
		TRY(stmt_step(stmt, &row, fault));
		if (!row)
			return FAULT_NONE;
		struct check_object_row object = {
			.path = stmt_text(stmt, "path"), .hash = stmt_blob(stmt, "hash"), .size = stmt_int(stmt, "size"),
			.modified_at = stmt_int(stmt, "modified_at"), .trust_anchor = strcmp(stmt_text(stmt, "kind"), "ta") == 0,
		};
		*after = stmt_int(stmt, "object_id");
		TRY(give(argument, &object, fault));
	}
}

enum fault_code
check_view_state(struct db *db, int64_t repository_id, int64_t serial, check_object_fn give, void *argument, struct fault *fault)
{
	int64_t after = 0;
	size_t count;
	do
		TRY(state_page(db, repository_id, serial, &after, give, argument, &count, fault));
	while (count == PAGE);
	return FAULT_NONE;
}

enum fault_code
check_view_counts(struct db *db, int64_t repository_id, int64_t serial, int64_t *ret_objects, int64_t *ret_size, struct fault *fault)
{
	AUTO(struct db_connection, db_reader_release) connection = NULL;
	AUTO(struct stmt, stmt_done) stmt = NULL;
	bool row;
	TRY(db_reader_acquire(db, &connection, fault));
	TRY(stmt_start(connection, QUERY_CHECK_COUNTS, &stmt, fault));
	stmt_bind_int(stmt, ":repository_id", repository_id);
	stmt_bind_int(stmt, ":serial", serial);
	TRY(stmt_step(stmt, &row, fault));
	*ret_objects = row ? stmt_int(stmt, "objects") : -1;
	*ret_size = row ? stmt_int(stmt, "objects_size") : -1;
	return FAULT_NONE;
}

enum fault_code
check_view_ca(struct db *db, int64_t repository_id, const uint8_t key_identifier[20], int64_t serial, struct check_ca *ret_ca,
	bool *ret_found, struct fault *fault)
{
	AUTO(struct db_connection, db_reader_release) connection = NULL;
	AUTO(struct stmt, stmt_done) stmt = NULL;
	TRY(db_reader_acquire(db, &connection, fault));
	TRY(stmt_start(connection, QUERY_CHECK_CA, &stmt, fault));
	stmt_bind_int(stmt, ":repository_id", repository_id);
	stmt_bind_int(stmt, ":serial", serial);
	stmt_bind_blob(stmt, ":key_identifier", SPAN(key_identifier, 20));
	TRY(stmt_step(stmt, ret_found, fault));
	if (!*ret_found)
		return FAULT_NONE;
	struct check_ca ca = { .ca_id = stmt_int(stmt, "ca_id") };
	TRY(copy_text(stmt, "handle", ca.handle, sizeof ca.handle, fault));
	bool still = stmt_int(stmt, "coming") == 0;
	bool working = strcmp(stmt_text(stmt, "state"), "active") == 0 && stmt_null(stmt, "set_aside_at") && stmt_null(stmt, "held_at");
	ca.current = strcmp(stmt_text(stmt, "key_state"), "current") == 0;
	ca.settled = still && working && stmt_null(stmt, "changed_at");
	ca.suspended = !stmt_null(stmt, "suspended_at");
	/* What was cut after this serial has numbers of its own. */
	ca.manifest_number = still ? (uint64_t)stmt_int(stmt, "manifest_number") : 0;
	*ret_ca = ca;
	return FAULT_NONE;
}

enum fault_code
check_view_awaits(struct db *db, int64_t repository_id, const char *path, bool *ret_awaits, struct fault *fault)
{
	AUTO(struct db_connection, db_reader_release) connection = NULL;
	AUTO(struct stmt, stmt_done) stmt = NULL;
	bool row;
	TRY(db_reader_acquire(db, &connection, fault));
	TRY(stmt_start(connection, QUERY_CHECK_AWAITS, &stmt, fault));
	stmt_bind_int(stmt, ":repository_id", repository_id);
	stmt_bind_text(stmt, ":path", path);
	TRY(stmt_step(stmt, &row, fault));
	*ret_awaits = row && stmt_int(stmt, "awaits") != 0;
	return FAULT_NONE;
}

struct payload_list {
	enum fault_code (*give)(void *argument, const struct payload *payload, struct fault *fault);
	void *argument;
};

static enum fault_code
give_held(void *argument, const struct roa_row *row, struct fault *fault)
{
	const struct payload_list *list = argument;
	return row->status == ROA_NOT_HELD ? FAULT_NONE : list->give(list->argument, &row->payload, fault);
}

enum fault_code
check_view_payloads(struct db *db, int64_t ca_id,
	enum fault_code (*give)(void *argument, const struct payload *payload, struct fault *fault), void *argument, struct fault *fault)
{
	AUTO(struct db_connection, db_reader_release) connection = NULL;
	struct payload_list list = { .give = give, .argument = argument };
	int64_t version;
	TRY(db_reader_acquire(db, &connection, fault));
	return roa_view_list(connection, ca_id, give_held, &list, &version, fault);
}

static enum fault_code
cas_page(struct db *db, int64_t repository_id, int64_t serial, int64_t *after,
	enum fault_code (*give)(void *argument, const char *handle, struct span key_identifier, struct fault *fault), void *argument,
	size_t *ret_count, struct fault *fault)
{
	AUTO(struct db_connection, db_reader_release) connection = NULL;
	AUTO(struct stmt, stmt_done) stmt = NULL;
	bool row;
	TRY(db_reader_acquire(db, &connection, fault));
	TRY(stmt_start(connection, QUERY_CHECK_CAS, &stmt, fault));
	stmt_bind_int(stmt, ":repository_id", repository_id);
	stmt_bind_int(stmt, ":serial", serial);
	stmt_bind_int(stmt, ":after", *after);
	stmt_bind_int(stmt, ":limit", PAGE);
	for (*ret_count = 0;; ++*ret_count) {
		TRY(stmt_step(stmt, &row, fault));
		if (!row)
			return FAULT_NONE;
		*after = stmt_int(stmt, "ca_id");
		TRY(give(argument, stmt_text(stmt, "handle"), stmt_blob(stmt, "key_identifier"), fault));
	}
}

enum fault_code
check_view_cas(struct db *db, int64_t repository_id, int64_t serial,
	enum fault_code (*give)(void *argument, const char *handle, struct span key_identifier, struct fault *fault), void *argument,
	struct fault *fault)
{
	int64_t after = 0;
	size_t count;
	do
		TRY(cas_page(db, repository_id, serial, &after, give, argument, &count, fault));
	while (count == PAGE);
	return FAULT_NONE;
}
