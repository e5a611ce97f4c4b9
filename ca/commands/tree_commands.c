#include "ca/commands/tree_commands.h"

#include <stdio.h>
#include <string.h>

#include "ca/base/base64.h"
#include "ca/base/randomness.h"
#include "db/stmt.h"
#include "db/stores/object_store.h"

struct creation {
	const struct tree_request *request;
	const struct actor *actor;
	int64_t now_at;
	int64_t repository_id;
};

static enum fault_code
insert_instance(struct db_connection *connection, struct creation *creation, struct fault *fault)
{
	AUTO(struct stmt, stmt_done) instance = NULL;
	AUTO(struct stmt, stmt_done) repository = NULL;
	char uuid[37], session[37];
	TRY(randomness_uuid(uuid, fault));
	TRY(randomness_uuid(session, fault));
	TRY(stmt_start(connection, QUERY_TREE_INSERT_INSTANCE, &instance, fault));
	stmt_bind_text(instance, ":uuid", uuid);
	stmt_bind_blob(instance, ":fingerprint", SPAN(creation->request->master_key_fingerprint, 32));
	stmt_bind_int(instance, ":now_at", creation->now_at);
	TRY(stmt_run(instance, fault));
	TRY(stmt_start(connection, QUERY_TREE_INSERT_REPOSITORY, &repository, fault));
	stmt_bind_text(repository, ":rrdp_uri", creation->request->rrdp_uri);
	stmt_bind_text(repository, ":rsync_uri", creation->request->rsync_uri);
	stmt_bind_text(repository, ":session", session);
	TRY(stmt_run(repository, fault));
	creation->repository_id = stmt_inserted_id(connection);
	return FAULT_NONE;
}

static enum fault_code
insert_key(struct db_connection *connection, const struct tree_key *key, int64_t ca_id, int64_t now_at, int64_t *ret_key_id,
	struct fault *fault)
{
	AUTO(struct stmt, stmt_done) stmt = NULL;
	TRY(stmt_start(connection, QUERY_RECONCILE_INSERT_KEY, &stmt, fault));
	stmt_bind_int(stmt, ":ca_id", ca_id);
	stmt_bind_text(stmt, ":state", "current");
	stmt_bind_null(stmt, ":staging_s");
	stmt_bind_blob(stmt, ":handle", key->handle);
	stmt_bind_blob(stmt, ":spki", key->spki);
	stmt_bind_blob(stmt, ":key_identifier", SPAN(key->identifier, sizeof key->identifier));
	stmt_bind_int(stmt, ":now_at", now_at);
	TRY(stmt_run(stmt, fault));
	*ret_key_id = stmt_inserted_id(connection);
	return FAULT_NONE;
}

/* One of the engine's own CAs and its key. parent_id 0: the trust anchor; resources NULL: it inherits. */
static enum fault_code
insert_ca(struct db_connection *connection, const struct creation *creation, const char *kind, int64_t parent_id,
	const struct resource_set *resources, const struct tree_key *key, int64_t *ret_ca_id, int64_t *ret_key_id, struct fault *fault)
{
	AUTO(struct stmt, stmt_done) stmt = NULL;
	AUTO_CLEAR(struct bytes, bytes_clear) blob = BYTES_INIT;
	uint8_t octets[8];
	char hex[17], directory[20];
	TRY(randomness_fill(octets, sizeof octets, fault));
	hex_encode(SPAN(octets, sizeof octets), hex);
	(void)snprintf(directory, sizeof directory, "%.2s/%s/", hex, hex + 2);
	if (resources != NULL)
		TRY(resource_set_encode(resources, &blob, fault));
	TRY(stmt_start(connection, QUERY_TREE_INSERT_CA, &stmt, fault));
	stmt_bind_text(stmt, ":handle", kind);
	stmt_bind_text(stmt, ":kind", kind);
	if (parent_id != 0)
		stmt_bind_int(stmt, ":parent_id", parent_id);
	else
		stmt_bind_null(stmt, ":parent_id");
	stmt_bind_int(stmt, ":repository_id", creation->repository_id);
	stmt_bind_text(stmt, ":directory", directory);
	stmt_bind_blob(stmt, ":resources", bytes_span(&blob));
	stmt_bind_int(stmt, ":now_at", creation->now_at);
	TRY(stmt_run(stmt, fault));
	*ret_ca_id = stmt_inserted_id(connection);
	return insert_key(connection, key, *ret_ca_id, creation->now_at, ret_key_id, fault);
}

/*
 * The old certificate is recorded with no resources of its own: it names publication points that are not ours, so the first plan puts
 * one in its place whose notBefore is later. It was never in a cut here, and is not revoked (a trust anchor has no CRL over it).
 */
static enum fault_code
insert_adopted(struct db_connection *connection, const struct creation *creation, int64_t ca_id, int64_t key_id, struct fault *fault)
{
	const struct tree_adopted *adopted = creation->request->adopted;
	struct object_record record = {
		.repository_id = creation->repository_id, .ca_id = ca_id, .key_id = key_id, .subject_ca_id = ca_id, .kind = "ta",
		.path = "ta/ta.cer", .serial = adopted->serial, .hash = SPAN(adopted->hash, sizeof adopted->hash), .der = adopted->der,
		.not_before_at = adopted->not_before_at, .not_after_at = adopted->not_after_at, .modified_at = adopted->not_before_at,
	};
	int64_t object_id;
	return object_store_insert(connection, &record, &object_id, fault);
}

static enum fault_code
create(struct db_connection *connection, void *argument, struct fault *fault)
{
	struct creation *creation = argument;
	const struct tree_request *request = creation->request;
	int64_t ta_id, online_id, issuing_id, ta_key_id, key_id;
	TRY(insert_instance(connection, creation, fault));
	TRY(insert_ca(connection, creation, "ta", 0, request->resources, &request->ta, &ta_id, &ta_key_id, fault));
	TRY(insert_ca(connection, creation, "online", ta_id, request->resources, &request->online, &online_id, &key_id, fault));
	TRY(insert_ca(connection, creation, "issuing", online_id, NULL, &request->issuing, &issuing_id, &key_id, fault));
	if (request->adopted != NULL)
		TRY(insert_adopted(connection, creation, ta_id, ta_key_id, fault));
	struct audit_event event = {
		.action = "instance.init", .outcome = "done",
		.detail = request->ta.handle.length == 0 ? "with a trust anchor key on another machine" :
			request->adopted != NULL ? "with an existing trust anchor key" : "with a new trust anchor key",
	};
	return audit_write(connection, creation->now_at, creation->actor, &event, fault);
}

enum fault_code
tree_create(const struct command_context *context, const struct actor *actor, const struct tree_request *request, struct fault *fault)
{
	struct creation creation = { .request = request, .actor = actor, .now_at = clock_now(context->clock) };
	return db_write(context->db, create, &creation, fault);
}

struct forgetting {
	const struct actor *actor;
	int64_t now_at;
};

static enum fault_code
forget_ta_key(struct db_connection *connection, void *argument, struct fault *fault)
{
	const struct forgetting *forgetting = argument;
	AUTO(struct stmt, stmt_done) ta = NULL;
	AUTO(struct stmt, stmt_done) forget = NULL;
	AUTO(struct stmt, stmt_done) settle = NULL;
	bool row;
	TRY(stmt_start(connection, QUERY_CEREMONY_TA, &ta, fault));
	TRY(stmt_step(ta, &row, fault));
	if (!row || stmt_int(ta, "offline") != 0)
		return fault_set(fault, FAULT_CONFLICT, "the trust anchor's key is not on this server");
	TRY(stmt_start(connection, QUERY_CEREMONY_FORGET_KEY, &forget, fault));
	stmt_bind_int(forget, ":key_id", stmt_int(ta, "key_id"));
	TRY(stmt_run(forget, fault));
	TRY(stmt_start(connection, QUERY_CEREMONY_SETTLE, &settle, fault));
	stmt_bind_int(settle, ":ca_id", stmt_int(ta, "ca_id"));
	TRY(stmt_run(settle, fault));
	struct audit_event event = {
		.action = "ta.export", .outcome = "done", .detail = "the trust anchor's key was taken to another machine",
	};
	return audit_write(connection, forgetting->now_at, forgetting->actor, &event, fault);
}

enum fault_code
tree_forget_ta_key(const struct command_context *context, const struct actor *actor, struct fault *fault)
{
	struct forgetting forgetting = { .actor = actor, .now_at = clock_now(context->clock) };
	return db_write(context->db, forget_ta_key, &forgetting, fault);
}

enum fault_code
tree_instance_get(struct db *db, struct tree_instance *ret_instance, struct fault *fault)
{
	AUTO(struct db_connection, db_reader_release) connection = NULL;
	AUTO(struct stmt, stmt_done) stmt = NULL;
	bool row;
	TRY(db_reader_acquire(db, &connection, fault));
	TRY(stmt_start(connection, QUERY_TREE_INSTANCE, &stmt, fault));
	TRY(stmt_step(stmt, &row, fault));
	struct span fingerprint = row ? stmt_blob(stmt, "master_key_fingerprint") : SPAN(NULL, 0);
	if (fingerprint.length != sizeof ret_instance->master_key_fingerprint)
		return fault_set(fault, FAULT_NOT_FOUND, "the database holds no instance: cadastre init was not completed");
	ret_instance->epoch = stmt_int(stmt, "epoch");
	ret_instance->repository_id = stmt_int(stmt, "repository_id");
	memcpy(ret_instance->master_key_fingerprint, fingerprint.data, fingerprint.length);
	(void)snprintf(ret_instance->uuid, sizeof ret_instance->uuid, "%s", stmt_text(stmt, "uuid"));
	(void)snprintf(ret_instance->rrdp_uri, sizeof ret_instance->rrdp_uri, "%s", stmt_text(stmt, "rrdp_uri"));
	(void)snprintf(ret_instance->rsync_uri, sizeof ret_instance->rsync_uri, "%s", stmt_text(stmt, "rsync_uri"));
	return FAULT_NONE;
}
