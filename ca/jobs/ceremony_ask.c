/* The request: what should be, as the database knows it now. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "ca/base/memory.h"
#include "ca/jobs/ceremony.h"
#include "ca/jobs/ceremony_anchor.h"
#include "ca/jobs/state_loader.h"
#include "ca/plan/key_roll.h"
#include "db/stmt.h"

#define DETAIL_SIZE 300

struct making {
	const struct ceremony_context *context;
	const struct actor *actor;
	struct ceremony_request *request;
	struct bytes handle;                     /* of the request key */
	bool new_key;
	int64_t now_at;
	struct span file;
};

static enum fault_code
load_request_key(struct db_connection *connection, struct making *making, struct fault *fault)
{
	AUTO(struct stmt, stmt_done) stmt = NULL;
	bool row;
	TRY(stmt_start(connection, QUERY_CEREMONY_REQUEST_KEY, &stmt, fault));
	TRY(stmt_step(stmt, &row, fault));
	making->new_key = !row;
	if (!row)
		return signer_generate(making->context->signer, &making->handle, &making->request->request_key, fault);
	struct span handle = stmt_blob(stmt, "handle"), spki = stmt_blob(stmt, "spki");
	TRY(bytes_append(&making->handle, handle.data, handle.length, fault));
	return bytes_append(&making->request->request_key, spki.data, spki.length, fault);
}

static enum fault_code
next_number(struct db_connection *connection, int64_t after, int64_t *ret_number, struct fault *fault)
{
	AUTO(struct stmt, stmt_done) stmt = NULL;
	bool row;
	TRY(stmt_start(connection, QUERY_CEREMONY_LAST, &stmt, fault));
	TRY(stmt_step(stmt, &row, fault));
	int64_t last = row ? stmt_int(stmt, "number") : 0;
	*ret_number = (last > after ? last : after) + 1;
	return FAULT_NONE;
}

static enum fault_code
read_instance(struct db_connection *connection, struct ceremony_request *request, struct fault *fault)
{
	AUTO(struct stmt, stmt_done) stmt = NULL;
	bool row;
	TRY(stmt_start(connection, QUERY_CEREMONY_INSTANCE, &stmt, fault));
	TRY(stmt_step(stmt, &row, fault));
	if (!row)
		return fault_set(fault, FAULT_NOT_FOUND, "the database holds no instance");
	(void)snprintf(request->instance, sizeof request->instance, "%s", stmt_text(stmt, "uuid"));
	return FAULT_NONE;
}

/* notBefore and thisUpdate rise above all that validators may have seen; what was recorded under a clock that was ahead, they have not. */
static int64_t
later_than(const struct ca_instance *current, int64_t now_at)
{
	int64_t certificate_at = current->certified ? current->certificate.not_before_at : 0, update_at = current->key.this_update_at;
	int64_t at = timing_never_was(certificate_at, now_at) ? 0 : certificate_at;
	return timing_never_was(update_at, now_at) || update_at < at ? at : update_at;
}

/* What the trust anchor should be: its certificate, and the least numbers. */
static enum fault_code
ask_anchor(const struct ca_state *state, const struct timing *timing, struct ceremony_request *request, struct fault *fault)
{
	const struct ca_instance *current = &state->current;
	memcpy(request->ta_key, current->key.identifier, sizeof request->ta_key);
	(void)snprintf(request->rsync_uri, sizeof request->rsync_uri, "%s", state->rsync_uri);
	(void)snprintf(request->directory, sizeof request->directory, "%s", state->directory);
	(void)snprintf(request->notification_uri, sizeof request->notification_uri, "%s", state->notification_uri);
	request->valid_s = timing->ta_valid_s;
	request->not_before_at = later_than(current, request->created_at);
	request->crl_number = current->key.crl_number + 1;
	request->manifest_number = current->key.manifest_number + 1;
	return resource_set_copy(&state->resources, &request->resources, fault);
}

/* A certificate for a key of a CA right below: it must not come due before the ceremony after the next. */
static enum fault_code
ask_child(const struct ca_state *state, const struct key_state *key, const struct timing *timing, struct ceremony_request *request,
	struct fault *fault)
{
	int64_t least_s = timing->ta_valid_s + timing->object_margin_s;
	if (request->children_count == CEREMONY_CHILDREN_MAX)
		return fault_set(fault, FAULT_TOO_LARGE, "more than %d keys want a certificate", CEREMONY_CHILDREN_MAX);
	struct ceremony_child *child = &request->children[request->children_count++];
	TRY(bytes_append(&child->spki, key->spki.data, key->spki.length, fault));
	(void)snprintf(child->directory, sizeof child->directory, "%s", state->directory);
	child->valid_s = timing->object_valid_s > least_s ? timing->object_valid_s : least_s;
	return resource_set_copy(&state->resources, &child->resources, fault);
}

/* Each of its keys that has or will have products: a retired one until nothing hangs from it (RFC 6489 §2). */
static enum fault_code
ask_keys(const struct ca_state *state, const struct timing *timing, struct ceremony_request *request, struct fault *fault)
{
	const struct ca_instance *other = &state->other;
	if (state->current.key.key_id != 0)
		TRY(ask_child(state, &state->current.key, timing, request, fault));
	bool gone = other->key.key_id == 0 || (other->stage == KEY_RETIRED && key_roll_drained(state, other->key.key_id));
	return gone ? FAULT_NONE : ask_child(state, &other->key, timing, request, fault);
}

static enum fault_code
ask_children(struct db_connection *connection, const struct making *making, int64_t ta_id, struct fault *fault)
{
	AUTO(struct stmt, stmt_done) stmt = NULL;
	bool row;
	TRY(stmt_start(connection, QUERY_CEREMONY_CHILDREN, &stmt, fault));
	stmt_bind_int(stmt, ":ca_id", ta_id);
	for (;;) {
		AUTO(struct ca_state, ca_state_free) state = NULL;
		TRY(stmt_step(stmt, &row, fault));
		if (!row)
			return FAULT_NONE;
		TRY(state_loader_load(connection, stmt_int(stmt, "ca_id"), making->now_at, &state, fault));
		TRY(ask_keys(state, making->context->timing, making->request, fault));
	}
}

static enum fault_code
ask_revocation(struct ceremony_request *request, struct span serial, int64_t revoked_at, int64_t not_after_at, struct fault *fault)
{
	struct ceremony_revocation revocation = { .revoked_at = revoked_at, .not_after_at = not_after_at };
	if (serial.length == 0 || serial.length > SERIAL_MAX)
		return fault_set(fault, FAULT_MALFORMED, "a serial number has %zu octets", serial.length);
	if (request->revocations_count == CEREMONY_REVOCATIONS_MAX)
		return fault_set(fault, FAULT_TOO_LARGE, "more than %d certificates are to be revoked", CEREMONY_REVOCATIONS_MAX);
	memcpy(revocation.serial.octets, serial.data, serial.length);
	revocation.serial.length = (uint8_t)serial.length;
	TRY(memory_reserve(&request->revocations, &request->revocations_capacity, request->revocations_count + 1,
		sizeof *request->revocations, fault));
	request->revocations[request->revocations_count++] = revocation;
	return FAULT_NONE;
}

/* What was revoked and lives on, and what this ceremony replaces, if anybody has seen it. */
static enum fault_code
ask_revocations(struct db_connection *connection, const struct making *making, const struct ceremony_anchor_row *anchor, struct fault *fault)
{
	AUTO(struct stmt, stmt_done) revoked = NULL;
	AUTO(struct stmt, stmt_done) standing = NULL;
	bool row;
	TRY(stmt_start(connection, QUERY_CEREMONY_REVOKED, &revoked, fault));
	stmt_bind_int(revoked, ":key_id", anchor->key_id);
	stmt_bind_int(revoked, ":now_at", making->now_at);
	for (;;) {
		TRY(stmt_step(revoked, &row, fault));
		if (!row)
			break;
		TRY(ask_revocation(making->request, stmt_blob(revoked, "serial"), stmt_int(revoked, "revoked_at"),
			stmt_int(revoked, "not_after_at"), fault));
	}
	TRY(stmt_start(connection, QUERY_CEREMONY_OBJECTS, &standing, fault));
	stmt_bind_int(standing, ":ca_id", anchor->ca_id);
	for (;;) {
		TRY(stmt_step(standing, &row, fault));
		if (!row)
			return FAULT_NONE;
		bool names_one = strcmp(stmt_text(standing, "kind"), "ta") != 0 && !stmt_null(standing, "serial");
		if (names_one && !stmt_null(standing, "published_serial") && stmt_int(standing, "not_after_at") > making->now_at)
			TRY(ask_revocation(making->request, stmt_blob(standing, "serial"), making->now_at,
				stmt_int(standing, "not_after_at"), fault));
	}
}

static enum fault_code
collect(struct making *making, int64_t after, struct fault *fault)
{
	AUTO(struct db_connection, db_reader_release) connection = NULL;
	AUTO_CLEAR(struct ceremony_anchor_row, ceremony_anchor_clear) anchor = { .spki = BYTES_INIT };
	AUTO(struct ca_state, ca_state_free) state = NULL;
	struct ceremony_request *request = making->request;
	TRY(db_reader_acquire(making->context->db, &connection, fault));
	TRY(ceremony_anchor_load(connection, &anchor, fault));
	TRY(state_loader_load(connection, anchor.ca_id, making->now_at, &state, fault));
	request->created_at = making->now_at;
	TRY(read_instance(connection, request, fault));
	TRY(next_number(connection, after, &request->number, fault));
	TRY(load_request_key(connection, making, fault));
	TRY(ask_anchor(state, making->context->timing, request, fault));
	TRY(ask_children(connection, making, anchor.ca_id, fault));
	return ask_revocations(connection, making, &anchor, fault);
}

static enum fault_code
store_request(struct db_connection *connection, void *argument, struct fault *fault)
{
	const struct making *making = argument;
	AUTO(struct stmt, stmt_done) supersede = NULL;
	AUTO(struct stmt, stmt_done) insert = NULL;
	char detail[DETAIL_SIZE];
	if (making->new_key) {
		AUTO(struct stmt, stmt_done) key = NULL;
		TRY(stmt_start(connection, QUERY_CEREMONY_INSERT_REQUEST_KEY, &key, fault));
		stmt_bind_blob(key, ":handle", bytes_span(&making->handle));
		stmt_bind_blob(key, ":spki", bytes_span(&making->request->request_key));
		TRY(stmt_run(key, fault));
	}
	TRY(stmt_start(connection, QUERY_CEREMONY_SUPERSEDE, &supersede, fault));
	TRY(stmt_run(supersede, fault));
	TRY(stmt_start(connection, QUERY_CEREMONY_INSERT, &insert, fault));
	stmt_bind_int(insert, ":number", making->request->number);
	stmt_bind_blob(insert, ":request", making->file);
	stmt_bind_int(insert, ":now_at", making->now_at);
	TRY(stmt_run(insert, fault));
	(void)snprintf(detail, sizeof detail, "request %" PRId64 " for %zu certificates", making->request->number,
		making->request->children_count);
	struct audit_event event = { .action = "ta.request", .outcome = "done", .detail = detail };
	return audit_write(connection, making->now_at, making->actor, &event, fault);
}

static void
making_clear(struct making *making)
{
	ceremony_request_free(making->request);
	bytes_clear(&making->handle);
}

enum fault_code
ceremony_request_make(const struct ceremony_context *context, const struct actor *actor, int64_t after, struct ceremony_made *ret_made,
	struct fault *fault)
{
	AUTO_CLEAR(struct making, making_clear) making = { .context = context, .actor = actor, .now_at = clock_now(context->clock) };
	AUTO_CLEAR(struct bytes, bytes_clear) file = BYTES_INIT;
	TRY(ceremony_request_new(&making.request, fault));
	TRY(collect(&making, after, fault));
	TRY(ceremony_request_seal(making.request, context->signer, bytes_span(&making.handle), &file, fault));
	making.file = bytes_span(&file);
	if (file.length > SEALED_TEXT_MAX)
		return fault_set(fault, FAULT_TOO_LARGE, "the request would have more than %d bytes", SEALED_TEXT_MAX);
	TRY(db_write(context->db, store_request, &making, fault));
	TRY(ceremony_fingerprint(bytes_span(&making.request->request_key), ret_made->fingerprint, fault));
	ret_made->number = making.request->number;
	bytes_swap(&ret_made->file, &file);
	return FAULT_NONE;
}
