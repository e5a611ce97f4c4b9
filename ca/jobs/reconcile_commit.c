#include "ca/jobs/reconcile_commit.h"

#include <stdio.h>
#include <string.h>

#include "ca/audit/audit.h"
#include "db/stmt.h"

#define PATH_SIZE (STATE_URI_MAX + STATE_NAME_MAX)

struct commit {
	const struct ca_state *state;
	const struct ca_plan *plan;
	const struct object_set *objects;
	int64_t active_key_id, passive_key_id; /* made now or before */
	bool overtaken;
};

/* Runs a statement whose only parameter is :ca_id. */
static enum fault_code
run_for_ca(struct db_connection *connection, enum query query, int64_t ca_id, struct fault *fault)
{
	AUTO(struct stmt, stmt_done) stmt = NULL;
	TRY(stmt_start(connection, query, &stmt, fault));
	stmt_bind_int(stmt, ":ca_id", ca_id);
	return stmt_run(stmt, fault);
}

static bool
certifies(const struct ca_plan *plan)
{
	return plan->active.issue_certificate || plan->passive.issue_certificate;
}

/* The CA must be as it was, but for its ROAs, and the key that signed its certificate still its parent's. */
static enum fault_code
claim(struct db_connection *connection, struct commit *commit, struct fault *fault)
{
	AUTO(struct stmt, stmt_done) stmt = NULL;
	bool row;
	TRY(stmt_start(connection, QUERY_RECONCILE_CLAIM, &stmt, fault));
	stmt_bind_int(stmt, ":ca_id", commit->state->ca_id);
	stmt_bind_int(stmt, ":version", commit->state->version);
	stmt_bind_int(stmt, ":roas_version", commit->state->roas_version);
	stmt_bind_int(stmt, ":now_at", commit->plan->now_at);
	stmt_bind_int(stmt, ":by_origin", commit->plan->layout.by_origin);
	/* Of a CA above others the mark says that its manifest is behind, which it now isn't; a roll that waits is in roll_at. */
	stmt_bind_int(stmt, ":waits", commit->state->held && commit->state->kind == CA_MEMBER);
	stmt_bind_int(stmt, ":staged", commit->plan->passive.make_key);
	if (commit->plan->renew_at != 0)
		stmt_bind_int(stmt, ":renew_at", commit->plan->renew_at);
	else
		stmt_bind_null(stmt, ":renew_at");
	TRY(stmt_step(stmt, &row, fault));
	if (!row)
		return fault_set(fault, FAULT_STALE, "CA %lld changed while it was signed for", (long long)commit->state->ca_id);
	commit->overtaken = stmt_int(stmt, "overtaken") != 0;
	if (!certifies(commit->plan) || commit->state->kind == CA_TA)
		return FAULT_NONE;
	AUTO(struct stmt, stmt_done) key = NULL;
	TRY(stmt_start(connection, QUERY_RECONCILE_KEY_CURRENT, &key, fault));
	stmt_bind_int(key, ":key_id", commit->state->parent.key.key_id);
	TRY(stmt_step(key, &row, fault));
	return row ? FAULT_NONE : fault_set(fault, FAULT_STALE, "the parent's key is no longer its current one");
}

static enum fault_code
audit_roll(struct db_connection *connection, const struct commit *commit, const char *action, const uint8_t identifier[20],
	struct fault *fault)
{
	const struct actor engine = { .name = "cadastre", .role = ROLE_ADMIN };
	char detail[64], name[KEY_NAME_SIZE];
	ca_state_key_name(identifier, name);
	(void)snprintf(detail, sizeof detail, "key %s", name);
	struct audit_event event = { .action = action, .ca_id = commit->state->ca_id, .outcome = "done", .detail = detail };
	return audit_write(connection, commit->plan->now_at, &engine, &event, fault);
}

static enum fault_code
insert_key(struct db_connection *connection, struct commit *commit, struct fault *fault)
{
	AUTO(struct stmt, stmt_done) stmt = NULL;
	const struct object_set *objects = commit->objects;
	const struct ca_plan *plan = commit->plan;
	commit->active_key_id = plan->active.instance->key.key_id;
	commit->passive_key_id = plan->passive.instance != NULL ? plan->passive.instance->key.key_id : 0;
	if (objects == NULL || !objects->made_key)
		return FAULT_NONE;
	bool staged = plan->passive.make_key;
	TRY(stmt_start(connection, QUERY_RECONCILE_INSERT_KEY, &stmt, fault));
	stmt_bind_int(stmt, ":ca_id", commit->state->ca_id);
	stmt_bind_text(stmt, ":state", staged ? "staged" : "current");
	stmt_bind_blob(stmt, ":handle", bytes_span(&objects->key_handle));
	stmt_bind_blob(stmt, ":spki", bytes_span(&objects->key_spki));
	stmt_bind_blob(stmt, ":key_identifier", SPAN(objects->key_identifier, sizeof objects->key_identifier));
	stmt_bind_int(stmt, ":now_at", plan->now_at);
	if (staged && commit->state->roll_staging_s >= 0)
		stmt_bind_int(stmt, ":staging_s", commit->state->roll_staging_s);
	else
		stmt_bind_null(stmt, ":staging_s");
	TRY(stmt_run(stmt, fault));
	*(staged ? &commit->passive_key_id : &commit->active_key_id) = stmt_inserted_id(connection);
	return staged ? audit_roll(connection, commit, "key.stage", objects->key_identifier, fault) : FAULT_NONE;
}

/* Runs a statement with :key_id, and :now_at where that is told, that must change one row. */
static enum fault_code
move_key(struct db_connection *connection, enum query query, int64_t key_id, int64_t now_at, struct fault *fault)
{
	AUTO(struct stmt, stmt_done) stmt = NULL;
	TRY(stmt_start(connection, query, &stmt, fault));
	stmt_bind_int(stmt, ":key_id", key_id);
	if (now_at != 0)
		stmt_bind_int(stmt, ":now_at", now_at);
	TRY(stmt_run(stmt, fault));
	return stmt_changed_rows(connection) == 1 ? FAULT_NONE : fault_set(fault, FAULT_STALE, "a key has moved on already");
}

/* The steps of a key roll: the staged key takes over; or the retired one has had its time. */
static enum fault_code
roll_keys(struct db_connection *connection, const struct commit *commit, struct fault *fault)
{
	const struct ca_plan *plan = commit->plan;
	if (plan->activate) {
		AUTO(struct stmt, stmt_done) children = NULL;
		TRY(move_key(connection, QUERY_RECONCILE_RETIRE_KEY, commit->passive_key_id, plan->now_at, fault));
		TRY(move_key(connection, QUERY_RECONCILE_ACTIVATE_KEY, commit->active_key_id, 0, fault));
		TRY(stmt_start(connection, QUERY_RECONCILE_MOVE_CHILDREN, &children, fault));
		stmt_bind_int(children, ":ca_id", commit->state->ca_id);
		stmt_bind_int(children, ":now_at", plan->now_at);
		TRY(stmt_run(children, fault));
		return audit_roll(connection, commit, "key.activate", plan->active.instance->key.identifier, fault);
	}
	if (!plan->destroy)
		return FAULT_NONE;
	TRY(move_key(connection, QUERY_RECONCILE_DESTROY_KEY, commit->passive_key_id, 0, fault));
	return audit_roll(connection, commit, "key.destroy", plan->passive.instance->key.identifier, fault);
}

/* Is it a product of a key whose products are all withdrawn? */
static bool
goes_with_its_key(const struct ca_plan *plan, const struct issued_object *object)
{
	return (plan->active.withdraw_products && object->key_id == plan->active.instance->key.key_id) ||
		(plan->passive.withdraw_products && object->key_id == plan->passive.instance->key.key_id);
}

static enum fault_code
leave_all(struct db_connection *connection, const struct commit *commit, struct fault *fault)
{
	const struct ca_state *state = commit->state;
	const struct ca_plan *plan = commit->plan;
	for (size_t i = 0; commit->objects != NULL && i < commit->objects->count; i++)
		if (commit->objects->items[i].replaces_id != 0)
			TRY(object_store_leave(connection, commit->objects->items[i].replaces_id, plan->now_at, fault));
	for (size_t i = 0; i < plan->layout.withdrawn_count; i++)
		if (!goes_with_its_key(plan, plan->layout.withdrawn[i]))
			TRY(object_store_leave(connection, plan->layout.withdrawn[i]->object_id, plan->now_at, fault));
	for (size_t i = 0; i < state->objects_count; i++)
		if (goes_with_its_key(plan, &state->objects[i]))
			TRY(object_store_leave(connection, state->objects[i].object_id, plan->now_at, fault));
	if (plan->active.withdraw_certificate)
		TRY(object_store_leave(connection, plan->active.instance->certificate.object_id, plan->now_at, fault));
	if (plan->passive.withdraw_certificate)
		TRY(object_store_leave(connection, plan->passive.instance->certificate.object_id, plan->now_at, fault));
	return FAULT_NONE;
}

static enum fault_code
insert_payloads(struct db_connection *connection, const struct commit *commit, const struct new_object *object, int64_t object_id,
	struct fault *fault)
{
	AUTO(struct stmt, stmt_done) stmt = NULL;
	if (object->payloads_count == 0)
		return FAULT_NONE;
	TRY(stmt_start(connection, QUERY_RECONCILE_INSERT_PAYLOAD, &stmt, fault));
	stmt_bind_int(stmt, ":ca_id", commit->state->ca_id);
	stmt_bind_int(stmt, ":object_id", object_id);
	for (size_t i = 0; i < object->payloads_count; i++) {
		const struct payload *payload = &commit->plan->layout.payloads[object->first_payload + i];
		stmt_bind_int(stmt, ":asn", payload->asn);
		stmt_bind_int(stmt, ":family", payload->prefix.family);
		stmt_bind_blob(stmt, ":address", SPAN(payload->prefix.address.bytes, family_bytes(payload->prefix.family)));
		stmt_bind_int(stmt, ":prefix_length", payload->prefix.length);
		stmt_bind_int(stmt, ":max_length", payload->max_length);
		TRY(stmt_run(stmt, fault));
	}
	return FAULT_NONE;
}

struct object_record
reconcile_commit_record(const struct new_object *object)
{
	return (struct object_record){
		.kind = object_kind_text(object->kind),
		.serial = SPAN(object->serial.length > 0 ? object->serial.octets : NULL, object->serial.length),
		.hash = SPAN(object->hash, sizeof object->hash), .der = bytes_span(&object->der),
		.not_before_at = object->not_before_at, .not_after_at = object->not_after_at, .modified_at = object->modified_at,
		.roa = object->kind == OBJECT_ROA, .asn = object->asn, .slot = object->slot,
	};
}

/* A CA's own certificate stands at its parent's publication point, but for a trust anchor's. */
static void
set_place(struct object_record *record, const struct commit *commit, const struct new_object *object, char path[PATH_SIZE])
{
	const struct ca_state *state = commit->state;
	bool above = object->kind == OBJECT_CER;
	const char *directory = state->directory;
	if (object->kind == OBJECT_TA)
		directory = "ta/";
	else if (above)
		directory = state->parent.repository_uri + strlen(state->rsync_uri);
	(void)snprintf(path, PATH_SIZE, "%s%s", directory, object->name);
	int64_t own_key_id = object->passive ? commit->passive_key_id : commit->active_key_id;
	record->repository_id = above ? state->parent.repository_id : state->repository_id;
	record->path = path;
	record->ca_id = above ? state->parent.ca_id : state->ca_id;
	record->key_id = above ? state->parent.key.key_id : own_key_id;
	record->subject_ca_id = object->kind == OBJECT_CER || object->kind == OBJECT_TA ? state->ca_id : 0;
}

static enum fault_code
insert_object(struct db_connection *connection, const struct commit *commit, const struct new_object *object, struct fault *fault)
{
	AUTO_CLEAR(struct bytes, bytes_clear) resources = BYTES_INIT;
	struct object_record record = reconcile_commit_record(object);
	char path[PATH_SIZE];
	int64_t object_id;
	set_place(&record, commit, object, path);
	if (record.subject_ca_id != 0 && !commit->state->inherits)
		TRY(resource_set_encode(&commit->state->resources, &resources, fault));
	record.resources = bytes_span(&resources);
	TRY(object_store_insert(connection, &record, &object_id, fault));
	return insert_payloads(connection, commit, object, object_id, fault);
}

static enum fault_code
end_ca(struct db_connection *connection, const struct commit *commit, struct fault *fault)
{
	AUTO(struct stmt, stmt_done) stmt = NULL;
	if (!commit->state->deleting)
		return FAULT_NONE;
	TRY(stmt_start(connection, QUERY_RECONCILE_DELETED, &stmt, fault));
	stmt_bind_int(stmt, ":ca_id", commit->state->ca_id);
	stmt_bind_int(stmt, ":now_at", commit->plan->now_at);
	TRY(stmt_run(stmt, fault));
	return run_for_ca(connection, QUERY_RECONCILE_DESTROY_KEYS, commit->state->ca_id, fault);
}

static enum fault_code
mark_parent(struct db_connection *connection, const struct commit *commit, struct fault *fault)
{
	AUTO(struct stmt, stmt_done) stmt = NULL;
	const struct instance_plan *active = &commit->plan->active, *passive = &commit->plan->passive;
	bool changed = certifies(commit->plan) || active->withdraw_certificate || passive->withdraw_certificate;
	if (!changed || commit->state->kind == CA_TA)
		return FAULT_NONE;
	TRY(stmt_start(connection, QUERY_RECONCILE_PARENT_CHANGED, &stmt, fault));
	stmt_bind_int(stmt, ":ca_id", commit->state->parent.ca_id);
	stmt_bind_int(stmt, ":now_at", commit->plan->now_at);
	return stmt_run(stmt, fault);
}

static enum fault_code
store(struct db_connection *connection, void *argument, struct fault *fault)
{
	struct commit *commit = argument;
	TRY(claim(connection, commit, fault));
	TRY(insert_key(connection, commit, fault));
	TRY(roll_keys(connection, commit, fault));
	TRY(leave_all(connection, commit, fault));
	for (size_t i = 0; commit->objects != NULL && i < commit->objects->count; i++)
		TRY(insert_object(connection, commit, &commit->objects->items[i], fault));
	TRY(mark_parent(connection, commit, fault));
	return end_ca(connection, commit, fault);
}

enum fault_code
reconcile_commit(struct db *db, const struct ca_state *state, const struct ca_plan *plan, const struct object_set *objects,
	bool *ret_overtaken, struct fault *fault)
{
	struct commit commit = { .state = state, .plan = plan, .objects = objects };
	enum fault_code code = db_write(db, store, &commit, fault);
	*ret_overtaken = code == FAULT_NONE && commit.overtaken;
	return code;
}

struct doubt {
	int64_t ca_id, now_at;
};

static enum fault_code
store_doubt(struct db_connection *connection, void *argument, struct fault *fault)
{
	const struct doubt *doubt = argument;
	AUTO(struct stmt, stmt_done) stmt = NULL;
	TRY(stmt_start(connection, QUERY_RECONCILE_DOUBT_PARENT, &stmt, fault));
	stmt_bind_int(stmt, ":ca_id", doubt->ca_id);
	stmt_bind_int(stmt, ":now_at", doubt->now_at);
	return stmt_run(stmt, fault);
}

enum fault_code
reconcile_commit_doubt(struct db *db, int64_t ca_id, int64_t now_at, struct fault *fault)
{
	struct doubt doubt = { .ca_id = ca_id, .now_at = now_at };
	return db_write(db, store_doubt, &doubt, fault);
}

struct set_aside {
	int64_t ca_id, version, now_at;
	const char *reason;
};

/*
 * What was staged for members of a CA that can make no manifest for their certificates is taken back: half of it, without the
 * certificate, would over-claim. They are planned again, as members of a CA that is set aside.
 */
static enum fault_code
unstage_members(struct db_connection *connection, const struct set_aside *aside, int64_t repository_id, struct fault *fault)
{
	static const enum query queries[] = { QUERY_RECONCILE_UNSTAGE_MARK, QUERY_RECONCILE_UNSTAGE_DROP, QUERY_RECONCILE_UNSTAGE_KEEP };
	for (size_t i = 0; i < sizeof queries / sizeof *queries; i++) {
		AUTO(struct stmt, stmt_done) stmt = NULL;
		TRY(stmt_start(connection, queries[i], &stmt, fault));
		stmt_bind_int(stmt, ":repository_id", repository_id);
		stmt_bind_int(stmt, ":ca_id", aside->ca_id);
		if (queries[i] == QUERY_RECONCILE_UNSTAGE_MARK)
			stmt_bind_int(stmt, ":now_at", aside->now_at);
		TRY(stmt_run(stmt, fault));
	}
	return FAULT_NONE;
}

static enum fault_code
store_set_aside(struct db_connection *connection, void *argument, struct fault *fault)
{
	const struct set_aside *aside = argument;
	const struct actor engine = { .name = "cadastre", .role = ROLE_ADMIN };
	AUTO(struct stmt, stmt_done) stmt = NULL;
	TRY(stmt_start(connection, QUERY_RECONCILE_SET_ASIDE, &stmt, fault));
	stmt_bind_int(stmt, ":ca_id", aside->ca_id);
	stmt_bind_int(stmt, ":version", aside->version);
	stmt_bind_int(stmt, ":now_at", aside->now_at);
	stmt_bind_text(stmt, ":reason", aside->reason);
	bool row;
	TRY(stmt_step(stmt, &row, fault));
	if (!row)
		return FAULT_NONE;
	TRY(unstage_members(connection, aside, stmt_int(stmt, "repository_id"), fault));
	struct audit_event event = { .action = "ca.set_aside", .ca_id = aside->ca_id, .outcome = "done", .detail = aside->reason };
	return audit_write(connection, aside->now_at, &engine, &event, fault);
}

enum fault_code
reconcile_commit_set_aside(struct db *db, int64_t ca_id, int64_t version, int64_t now_at, const char *reason, struct fault *fault)
{
	struct set_aside aside = { .ca_id = ca_id, .version = version, .now_at = now_at, .reason = reason };
	return db_write(db, store_set_aside, &aside, fault);
}
