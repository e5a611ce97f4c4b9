/* The response: checked against the request that waits, and staged. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "ca/base/instant.h"
#include "ca/ceremony/ceremony_response.h"
#include "ca/ceremony/ceremony_verify.h"
#include "ca/jobs/ceremony.h"
#include "ca/jobs/ceremony_anchor.h"
#include "ca/jobs/reconcile_commit.h"
#include "db/stmt.h"

#define DETAIL_SIZE 300

struct installing {
	const struct actor *actor;
	struct ceremony_anchor_row anchor;
	struct ceremony_request *request;
	struct ceremony_response *response;
	struct object_set *objects;
	int64_t now_at, due_at, ends_at;
};

static void
installing_clear(struct installing *installing)
{
	ceremony_anchor_clear(&installing->anchor);
	ceremony_request_free(installing->request);
	ceremony_response_free(installing->response);
	object_set_free(installing->objects);
}

/* Why a response to that request is not the one that is waited for. */
static enum fault_code
refuse(struct db_connection *connection, int64_t number, int64_t pending, struct fault *fault)
{
	AUTO(struct stmt, stmt_done) stmt = NULL;
	bool row;
	char at[INSTANT_TEXT];
	TRY(stmt_start(connection, QUERY_CEREMONY_BY_NUMBER, &stmt, fault));
	stmt_bind_int(stmt, ":number", number);
	TRY(stmt_step(stmt, &row, fault));
	if (row && !stmt_null(stmt, "installed_at")) {
		instant_rfc3339(stmt_int(stmt, "installed_at"), at);
		return fault_set(fault, FAULT_CONFLICT, "the response to request %" PRId64 " was installed already, at %s", number, at);
	}
	if (pending != 0)
		return fault_set(fault, FAULT_CONFLICT, "the response is stale: it answers request %" PRId64 ", and the one that waits is %" PRId64,
			number, pending);
	return fault_set(fault, FAULT_CONFLICT, "no request waits for a response, and this one answers request %" PRId64, number);
}

static enum fault_code
load_pending(struct db_connection *connection, struct installing *installing, struct fault *fault)
{
	AUTO(struct stmt, stmt_done) stmt = NULL;
	int64_t number = installing->response->number;
	bool row;
	TRY(stmt_start(connection, QUERY_CEREMONY_PENDING, &stmt, fault));
	TRY(stmt_step(stmt, &row, fault));
	if (!row || stmt_int(stmt, "number") != number)
		return refuse(connection, number, row ? stmt_int(stmt, "number") : 0, fault);
	return ceremony_request_parse(stmt_blob(stmt, "request"), &installing->request, fault);
}

/* Everything at the trust anchor's publication point is replaced, its own certificate too. */
static enum fault_code
leave_all(struct db_connection *connection, const struct installing *installing, struct fault *fault)
{
	AUTO(struct stmt, stmt_done) stmt = NULL;
	int64_t ids[4 * CEREMONY_OBJECTS_MAX];
	size_t count = 0;
	bool row;
	TRY(stmt_start(connection, QUERY_CEREMONY_OBJECTS, &stmt, fault));
	stmt_bind_int(stmt, ":ca_id", installing->anchor.ca_id);
	for (;;) {
		TRY(stmt_step(stmt, &row, fault));
		if (!row)
			break;
		if (count == sizeof ids / sizeof *ids)
			return fault_set(fault, FAULT_MALFORMED, "the trust anchor has more objects than it can have");
		ids[count++] = stmt_int(stmt, "object_id");
	}
	for (size_t i = 0; i < count; i++)
		TRY(object_store_leave(connection, ids[i], installing->now_at, fault));
	return FAULT_NONE;
}

/* Whose certificate that is: 0 for what is none. */
static enum fault_code
subject_of(struct db_connection *connection, const struct installing *installing, const struct new_object *object, int64_t *ret_ca_id,
	const struct resource_set **ret_resources, struct fault *fault)
{
	AUTO(struct stmt, stmt_done) stmt = NULL;
	AUTO_CLEAR(struct certificate, certificate_clear) certificate = CERTIFICATE_INIT;
	bool row;
	*ret_ca_id = object->kind == OBJECT_TA ? installing->anchor.ca_id : 0;
	*ret_resources = object->kind == OBJECT_TA ? &installing->request->resources : NULL;
	if (object->kind != OBJECT_CER)
		return FAULT_NONE;
	TRY(certificate_decode(bytes_span(&object->der), &certificate, fault));
	for (size_t i = 0; i < installing->request->children_count; i++)
		if (span_equal(bytes_span(&installing->request->children[i].spki), bytes_span(&certificate.spki)))
			*ret_resources = &installing->request->children[i].resources;
	TRY(stmt_start(connection, QUERY_CEREMONY_SUBJECT, &stmt, fault));
	stmt_bind_blob(stmt, ":key_identifier", SPAN(certificate.subject_key, sizeof certificate.subject_key));
	TRY(stmt_step(stmt, &row, fault));
	if (!row || *ret_resources == NULL)
		return fault_set(fault, FAULT_CONFLICT, "a key that got a certificate is gone: make a new request");
	*ret_ca_id = stmt_int(stmt, "ca_id");
	return FAULT_NONE;
}

/* A CA below that got a certificate is looked at again: it may have waited for it. */
static enum fault_code
mark(struct db_connection *connection, int64_t ca_id, int64_t now_at, struct fault *fault)
{
	AUTO(struct stmt, stmt_done) stmt = NULL;
	TRY(stmt_start(connection, QUERY_RECONCILE_PARENT_CHANGED, &stmt, fault));
	stmt_bind_int(stmt, ":ca_id", ca_id);
	stmt_bind_int(stmt, ":now_at", now_at);
	return stmt_run(stmt, fault);
}

static enum fault_code
insert_object(struct db_connection *connection, const struct installing *installing, const struct new_object *object, struct fault *fault)
{
	AUTO_CLEAR(struct bytes, bytes_clear) resources = BYTES_INIT;
	struct object_record record = reconcile_commit_record(object);
	const struct resource_set *set;
	char path[STATE_URI_MAX + STATE_NAME_MAX];
	int64_t object_id;
	TRY(subject_of(connection, installing, object, &record.subject_ca_id, &set, fault));
	if (set != NULL)
		TRY(resource_set_encode(set, &resources, fault));
	(void)snprintf(path, sizeof path, "%s%s", object->kind == OBJECT_TA ? "ta/" : installing->anchor.directory, object->name);
	record.repository_id = installing->anchor.repository_id;
	record.ca_id = installing->anchor.ca_id;
	record.key_id = installing->anchor.key_id;
	record.path = path;
	record.resources = bytes_span(&resources);
	TRY(object_store_insert(connection, &record, &object_id, fault));
	return object->kind == OBJECT_CER ? mark(connection, record.subject_ca_id, installing->now_at, fault) : FAULT_NONE;
}

/* The numbers that the coming cut brings, and nothing more to do for the trust anchor until the next ceremony. */
static enum fault_code
settle_anchor(struct db_connection *connection, const struct installing *installing, struct fault *fault)
{
	AUTO(struct stmt, stmt_done) numbers = NULL;
	AUTO(struct stmt, stmt_done) settle = NULL;
	TRY(stmt_start(connection, QUERY_CEREMONY_NUMBERS, &numbers, fault));
	stmt_bind_int(numbers, ":key_id", installing->anchor.key_id);
	stmt_bind_int(numbers, ":crl_number", (int64_t)installing->response->crl_number);
	stmt_bind_int(numbers, ":manifest_number", (int64_t)installing->response->manifest_number);
	TRY(stmt_run(numbers, fault));
	TRY(stmt_start(connection, QUERY_CEREMONY_SETTLE, &settle, fault));
	stmt_bind_int(settle, ":ca_id", installing->anchor.ca_id);
	return stmt_run(settle, fault);
}

static enum fault_code
store_response(struct db_connection *connection, void *argument, struct fault *fault)
{
	const struct installing *installing = argument;
	AUTO(struct stmt, stmt_done) install = NULL;
	char detail[DETAIL_SIZE], due[INSTANT_TEXT];
	TRY(stmt_start(connection, QUERY_CEREMONY_INSTALL, &install, fault));
	stmt_bind_int(install, ":number", installing->response->number);
	stmt_bind_int(install, ":now_at", installing->now_at);
	stmt_bind_int(install, ":due_at", installing->due_at);
	TRY(stmt_run(install, fault));
	if (stmt_changed_rows(connection) != 1)
		return fault_set(fault, FAULT_CONFLICT, "another request was made, or another response installed, at the same time");
	TRY(leave_all(connection, installing, fault));
	for (size_t i = 0; i < installing->objects->count; i++)
		TRY(insert_object(connection, installing, &installing->objects->items[i], fault));
	TRY(settle_anchor(connection, installing, fault));
	instant_rfc3339(installing->due_at, due);
	(void)snprintf(detail, sizeof detail, "the response to request %" PRId64 ", %zu objects; the next ceremony is due at %s",
		installing->response->number, installing->objects->count, due);
	struct audit_event event = { .action = "ta.install", .outcome = "done", .detail = detail };
	return audit_write(connection, installing->now_at, installing->actor, &event, fault);
}

/* The first of all to come due, and the first to end. */
static void
set_dates(struct installing *installing, const struct timing *timing)
{
	for (size_t i = 0; i < installing->objects->count; i++) {
		const struct new_object *object = &installing->objects->items[i];
		int64_t due_at = object->kind == OBJECT_CER ? timing_object_due(timing, object->not_after_at) :
			timing_ta_due(object->not_before_at, object->not_after_at);
		installing->due_at = i == 0 || due_at < installing->due_at ? due_at : installing->due_at;
		installing->ends_at = i == 0 || object->not_after_at < installing->ends_at ? object->not_after_at : installing->ends_at;
	}
}

static enum fault_code
read_response(const struct ceremony_context *context, struct span file, struct installing *installing, struct fault *fault)
{
	AUTO(struct db_connection, db_reader_release) connection = NULL;
	TRY(db_reader_acquire(context->db, &connection, fault));
	TRY(ceremony_anchor_load(connection, &installing->anchor, fault));
	TRY(ceremony_response_parse(file, bytes_span(&installing->anchor.spki), &installing->response, fault));
	return load_pending(connection, installing, fault);
}

enum fault_code
ceremony_response_install(const struct ceremony_context *context, const struct actor *actor, struct span file, struct ceremony_done *ret_done,
	struct fault *fault)
{
	AUTO_CLEAR(struct installing, installing_clear) installing = { .actor = actor, .now_at = clock_now(context->clock) };
	TRY(clock_check(context->clock, fault));
	TRY(read_response(context, file, &installing, fault));
	TRY(ceremony_verify(installing.request, installing.response, bytes_span(&installing.anchor.spki), installing.now_at,
		&installing.objects, fault));
	set_dates(&installing, context->timing);
	TRY(db_write(context->db, store_response, &installing, fault));
	*ret_done = (struct ceremony_done){
		.number = installing.response->number, .due_at = installing.due_at, .ends_at = installing.ends_at,
	};
	return FAULT_NONE;
}
