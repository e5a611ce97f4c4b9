#include "ca/jobs/state_loader.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ca/base/memory.h"
#include "db/stmt.h"

#define TREE_DEPTH_MAX 8

/* Where the trust anchor's own certificate is, below the rsync URI. */
#define TA_PATH "ta/ta.cer"

static enum fault_code
copy_text(struct stmt *stmt, const char *column, char *ret_text, size_t size, struct fault *fault)
{
	const char *text = stmt_text(stmt, column);
	if (text == NULL || strlen(text) >= size)
		return fault_set(fault, FAULT_MALFORMED, "the column %s is missing or too long", column);
	memcpy(ret_text, text, strlen(text) + 1);
	return FAULT_NONE;
}

static enum fault_code
copy_octets(struct stmt *stmt, const char *column, uint8_t *ret_octets, size_t size, struct fault *fault)
{
	struct span blob = stmt_blob(stmt, column);
	if (blob.length != size)
		return fault_set(fault, FAULT_MALFORMED, "the column %s has %zu octets instead of %zu", column, blob.length, size);
	memcpy(ret_octets, blob.data, size);
	return FAULT_NONE;
}

static enum fault_code
join_uri(const char *base, const char *rest, char ret_uri[STATE_URI_MAX], struct fault *fault)
{
	int length = snprintf(ret_uri, STATE_URI_MAX, "%s%s", base, rest);
	return length > 0 && length < STATE_URI_MAX ? FAULT_NONE :
		fault_set(fault, FAULT_MALFORMED, "the URI %.100s… is longer than %d characters", base, STATE_URI_MAX - 1);
}

/* What a CA may hold: its own set, or, where it inherits, that of the first CA above that has one. */
static enum fault_code
load_resources(struct db_connection *connection, int64_t ca_id, struct resource_set *ret_set, bool *ret_inherits, struct fault *fault)
{
	*ret_inherits = false;
	for (int depth = 0; depth < TREE_DEPTH_MAX && ca_id != 0; depth++) {
		AUTO(struct stmt, stmt_done) stmt = NULL;
		bool row;
		TRY(stmt_start(connection, QUERY_RECONCILE_RESOURCES, &stmt, fault));
		stmt_bind_int(stmt, ":ca_id", ca_id);
		TRY(stmt_step(stmt, &row, fault));
		if (row && !stmt_null(stmt, "resources"))
			return resource_set_decode(stmt_blob(stmt, "resources"), ret_set, fault);
		ca_id = row ? stmt_int(stmt, "parent_id") : 0;
		*ret_inherits = true;
	}
	return fault_set(fault, FAULT_MALFORMED, "no CA above says what may be inherited");
}

static enum fault_code
read_key(struct stmt *stmt, struct key_state *ret_key, struct fault *fault)
{
	struct span handle = stmt_blob(stmt, "handle"), spki = stmt_blob(stmt, "spki");
	TRY(copy_octets(stmt, "key_identifier", ret_key->identifier, sizeof ret_key->identifier, fault));
	ret_key->offline = stmt_null(stmt, "handle");
	if (!ret_key->offline)
		TRY(bytes_append(&ret_key->handle, handle.data, handle.length, fault));
	TRY(bytes_append(&ret_key->spki, spki.data, spki.length, fault));
	ret_key->crl_number = (uint64_t)stmt_int(stmt, "crl_number");
	ret_key->manifest_number = (uint64_t)stmt_int(stmt, "manifest_number");
	ret_key->this_update_at = stmt_int(stmt, "this_update_at");
	ret_key->key_id = stmt_int(stmt, "key_id");
	return FAULT_NONE;
}

static enum fault_code
read_instance(struct stmt *stmt, struct ca_instance *ret_instance, enum key_stage stage, struct fault *fault)
{
	if (ret_instance->key.key_id != 0)
		return fault_set(fault, FAULT_MALFORMED, "it has more keys than a key roll needs");
	ret_instance->stage = stage;
	ret_instance->staging_s = stmt_null(stmt, "staging_s") ? -1 : stmt_int(stmt, "staging_s");
	ret_instance->published_at = stmt_int(stmt, "published_at");
	ret_instance->retired_at = stmt_int(stmt, "retired_at");
	return read_key(stmt, &ret_instance->key, fault);
}

static enum fault_code
load_keys(struct db_connection *connection, struct ca_state *state, struct fault *fault)
{
	AUTO(struct stmt, stmt_done) stmt = NULL;
	bool row;
	TRY(stmt_start(connection, QUERY_RECONCILE_KEYS, &stmt, fault));
	stmt_bind_int(stmt, ":ca_id", state->ca_id);
	for (;;) {
		TRY(stmt_step(stmt, &row, fault));
		if (!row)
			return FAULT_NONE;
		const char *text = stmt_text(stmt, "state");
		if (strcmp(text, "current") == 0)
			TRY(read_instance(stmt, &state->current, KEY_CURRENT, fault));
		else
			TRY(read_instance(stmt, &state->other, strcmp(text, "staged") == 0 ? KEY_STAGED : KEY_RETIRED, fault));
	}
}

static enum fault_code
load_parent_key(struct db_connection *connection, int64_t parent_id, struct key_state *ret_key, struct fault *fault)
{
	AUTO(struct stmt, stmt_done) stmt = NULL;
	bool row;
	TRY(stmt_start(connection, QUERY_RECONCILE_KEYS, &stmt, fault));
	stmt_bind_int(stmt, ":ca_id", parent_id);
	for (;;) {
		TRY(stmt_step(stmt, &row, fault));
		if (!row)
			return FAULT_NONE;
		if (strcmp(stmt_text(stmt, "state"), "current") == 0)
			return read_key(stmt, ret_key, fault);
	}
}

static enum fault_code
read_object(struct stmt *stmt, struct issued_object *ret_object, struct fault *fault)
{
	const char *path = stmt_text(stmt, "path"), *kind = stmt_text(stmt, "kind");
	const char *slash = path != NULL ? strrchr(path, '/') : NULL;
	const char *name = slash != NULL ? slash + 1 : path;
	struct span serial = stmt_blob(stmt, "serial");
	*ret_object = (struct issued_object){
		.object_id = stmt_int(stmt, "object_id"),
		.key_id = stmt_int(stmt, "key_id"),
		.published = !stmt_null(stmt, "published_serial"),
		.not_before_at = stmt_int(stmt, "not_before_at"),
		.not_after_at = stmt_int(stmt, "not_after_at"),
	};
	if (name == NULL || strlen(name) >= sizeof ret_object->name || kind == NULL || !object_kind_parse(kind, &ret_object->kind) ||
		serial.length > sizeof ret_object->serial)
		return fault_set(fault, FAULT_MALFORMED, "object %lld has no right path, kind or serial", (long long)ret_object->object_id);
	memcpy(ret_object->name, name, strlen(name) + 1);
	if (serial.length > 0)
		memcpy(ret_object->serial, serial.data, serial.length);
	ret_object->serial_length = (uint8_t)serial.length;
	return copy_octets(stmt, "hash", ret_object->hash, sizeof ret_object->hash, fault);
}

/* Whose certificate it is: a CA's is named after the key that it certifies; the trust anchor has one. */
static bool
certifies(const struct issued_object *certificate, const struct key_state *key)
{
	char name[KEY_NAME_SIZE];
	if (certificate->kind == OBJECT_TA)
		return true;
	ca_state_key_name(key->identifier, name);
	return key->key_id != 0 && strncmp(certificate->name, name, sizeof name - 1) == 0;
}

static enum fault_code
load_certificates(struct db_connection *connection, struct ca_state *state, struct fault *fault)
{
	AUTO(struct stmt, stmt_done) stmt = NULL;
	bool row;
	TRY(stmt_start(connection, QUERY_RECONCILE_CERTIFICATE, &stmt, fault));
	stmt_bind_int(stmt, ":ca_id", state->ca_id);
	for (;;) {
		struct issued_object certificate;
		TRY(stmt_step(stmt, &row, fault));
		if (!row)
			return FAULT_NONE;
		TRY(read_object(stmt, &certificate, fault));
		struct ca_instance *instance = certifies(&certificate, &state->current.key) ? &state->current :
			certifies(&certificate, &state->other.key) ? &state->other : NULL;
		if (instance == NULL)
			return fault_set(fault, FAULT_MALFORMED, "the certificate %s is for none of its keys", certificate.name);
		instance->certificate = certificate;
		instance->certified_inherits = stmt_null(stmt, "resources");
		if (!instance->certified_inherits)
			TRY(resource_set_decode(stmt_blob(stmt, "resources"), &instance->certified_resources, fault));
		instance->certified = true;
	}
}

/*
 * Where the certificate of the parent's current key will be, before there is one: children come first. It is named in theirs
 * (RFC 6487 §4.8.7) and so must be told right the first time.
 */
static enum fault_code
foretell_parent_certificate(struct db_connection *connection, int64_t grandparent_id, const char *rsync_uri,
	struct parent_state *ret_parent, struct fault *fault)
{
	AUTO(struct stmt, stmt_done) stmt = NULL;
	char name[KEY_NAME_SIZE], path[STATE_URI_MAX];
	bool row;
	if (grandparent_id == 0)
		return join_uri(rsync_uri, TA_PATH, ret_parent->certificate_uri, fault);
	TRY(stmt_start(connection, QUERY_RECONCILE_CA, &stmt, fault));
	stmt_bind_int(stmt, ":ca_id", grandparent_id);
	TRY(stmt_step(stmt, &row, fault));
	if (!row)
		return fault_set(fault, FAULT_MALFORMED, "its parent's parent is not there");
	ca_state_key_name(ret_parent->key.identifier, name);
	(void)snprintf(path, sizeof path, "%s%s.cer", stmt_text(stmt, "directory"), name);
	return join_uri(rsync_uri, path, ret_parent->certificate_uri, fault);
}

/* Where the certificate of the parent's current key is, and until when it is valid. */
static enum fault_code
load_parent_certificate(struct db_connection *connection, int64_t grandparent_id, const char *rsync_uri,
	struct parent_state *ret_parent, struct fault *fault)
{
	AUTO(struct stmt, stmt_done) stmt = NULL;
	struct issued_object certificate;
	bool row;
	TRY(stmt_start(connection, QUERY_RECONCILE_CERTIFICATE, &stmt, fault));
	stmt_bind_int(stmt, ":ca_id", ret_parent->ca_id);
	for (;;) {
		TRY(stmt_step(stmt, &row, fault));
		if (!row)
			break;
		TRY(read_object(stmt, &certificate, fault));
		if (certifies(&certificate, &ret_parent->key)) {
			ret_parent->not_after_at = certificate.not_after_at;
			return join_uri(rsync_uri, stmt_text(stmt, "path"), ret_parent->certificate_uri, fault);
		}
	}
	return foretell_parent_certificate(connection, grandparent_id, rsync_uri, ret_parent, fault);
}

/* Rows of the CA above that don't add up are its own trouble, and none at all once it is set aside: nothing is asked of it then. */
static enum fault_code
blame_parent(enum fault_code code, const struct parent_state *parent, struct fault *fault)
{
	if (code != FAULT_MALFORMED && code != FAULT_INVALID)
		return code;
	if (parent->set_aside)
		return FAULT_NONE;
	(void)fault_prefix(fault, "the CA above can't certify anything: ");
	if (fault != NULL)
		fault->code = FAULT_ISSUER;
	return FAULT_ISSUER;
}

static enum fault_code
load_parent_rows(struct db_connection *connection, int64_t grandparent_id, const char *rsync_uri, struct parent_state *parent,
	struct fault *fault)
{
	bool inherits;
	TRY(load_parent_key(connection, parent->ca_id, &parent->key, fault));
	TRY(load_resources(connection, parent->ca_id, &parent->resources, &inherits, fault));
	return load_parent_certificate(connection, grandparent_id, rsync_uri, parent, fault);
}

/* The CA above: key, resources, and where its certificate and its products are. */
static enum fault_code
load_parent(struct db_connection *connection, int64_t parent_id, const char *rsync_uri, struct parent_state *ret_parent,
	struct fault *fault)
{
	AUTO(struct stmt, stmt_done) stmt = NULL;
	bool row;
	TRY(stmt_start(connection, QUERY_RECONCILE_CA, &stmt, fault));
	stmt_bind_int(stmt, ":ca_id", parent_id);
	TRY(stmt_step(stmt, &row, fault));
	if (!row)
		return fault_set(fault, FAULT_MALFORMED, "its parent is not there");
	ret_parent->ca_id = parent_id;
	ret_parent->repository_id = stmt_int(stmt, "repository_id");
	ret_parent->set_aside = !stmt_null(stmt, "set_aside_at");
	TRY(join_uri(rsync_uri, stmt_text(stmt, "directory"), ret_parent->repository_uri, fault));
	return blame_parent(load_parent_rows(connection, stmt_int(stmt, "parent_id"), rsync_uri, ret_parent, fault), ret_parent, fault);
}

static enum fault_code
load_ca(struct db_connection *connection, int64_t ca_id, struct ca_state *state, struct fault *fault)
{
	AUTO(struct stmt, stmt_done) stmt = NULL;
	bool row;
	TRY(stmt_start(connection, QUERY_RECONCILE_CA, &stmt, fault));
	stmt_bind_int(stmt, ":ca_id", ca_id);
	TRY(stmt_step(stmt, &row, fault));
	if (!row)
		return fault_set(fault, FAULT_NOT_FOUND, "there is no CA %lld", (long long)ca_id);
	const char *kind = stmt_text(stmt, "kind"), *text = stmt_text(stmt, "state");
	if (!ca_kind_parse(kind, &state->kind))
		return fault_set(fault, FAULT_MALFORMED, "its kind \"%s\" is unknown", kind);
	state->ca_id = ca_id;
	state->repository_id = stmt_int(stmt, "repository_id");
	state->version = stmt_int(stmt, "version");
	state->roas_version = stmt_int(stmt, "roas_version");
	state->changed = !stmt_null(stmt, "changed_at");
	state->deleting = strcmp(text, "active") != 0;
	state->suspended = !stmt_null(stmt, "suspended_at");
	state->held = stmt_int(stmt, "held") != 0;
	state->roll_at = stmt_int(stmt, "roll_at");
	state->roll_staging_s = stmt_null(stmt, "roll_staging_s") ? -1 : stmt_int(stmt, "roll_staging_s");
	state->by_origin = stmt_int(stmt, "by_origin") != 0;
	TRY(copy_text(stmt, "rsync_uri", state->rsync_uri, sizeof state->rsync_uri, fault));
	TRY(copy_text(stmt, "directory", state->directory, sizeof state->directory, fault));
	TRY(join_uri(stmt_text(stmt, "rrdp_uri"), "notification.xml", state->notification_uri, fault));
	/* What is wrong with its own rows, or with what it inherits, is told before what is wrong above. */
	TRY(load_keys(connection, state, fault));
	TRY(load_resources(connection, ca_id, &state->resources, &state->inherits, fault));
	return state->kind == CA_TA ? FAULT_NONE :
		load_parent(connection, stmt_int(stmt, "parent_id"), state->rsync_uri, &state->parent, fault);
}

static enum fault_code
read_payload(struct stmt *stmt, struct payload *ret_payload, struct fault *fault)
{
	int64_t family = stmt_int(stmt, "family");
	*ret_payload = (struct payload){
		.asn = (uint32_t)stmt_int(stmt, "asn"),
		.prefix = { .family = family == 4 ? FAMILY_IPV4 : FAMILY_IPV6, .length = (uint8_t)stmt_int(stmt, "prefix_length") },
		.max_length = (uint8_t)stmt_int(stmt, "max_length"),
	};
	return copy_octets(stmt, "address", ret_payload->prefix.address.bytes, family_bytes(ret_payload->prefix.family), fault);
}

static enum fault_code
load_intents(struct db_connection *connection, struct ca_state *state, struct fault *fault)
{
	AUTO(struct stmt, stmt_done) stmt = NULL;
	bool row;
	TRY(stmt_start(connection, QUERY_RECONCILE_INTENTS, &stmt, fault));
	stmt_bind_int(stmt, ":ca_id", state->ca_id);
	for (;;) {
		TRY(stmt_step(stmt, &row, fault));
		if (!row)
			return FAULT_NONE;
		TRY(memory_reserve(&state->intents, &state->intents_capacity, state->intents_count + 1, sizeof *state->intents, fault));
		TRY(read_payload(stmt, &state->intents[state->intents_count], fault));
		state->intents_count++;
	}
}

static enum fault_code
load_objects(struct db_connection *connection, struct ca_state *state, struct fault *fault)
{
	AUTO(struct stmt, stmt_done) stmt = NULL;
	bool row;
	TRY(stmt_start(connection, QUERY_RECONCILE_OBJECTS, &stmt, fault));
	stmt_bind_int(stmt, ":ca_id", state->ca_id);
	for (;;) {
		TRY(stmt_step(stmt, &row, fault));
		if (!row)
			return FAULT_NONE;
		TRY(memory_reserve(&state->objects, &state->objects_capacity, state->objects_count + 1, sizeof *state->objects, fault));
		struct issued_object *object = &state->objects[state->objects_count];
		TRY(read_object(stmt, object, fault));
		object->asn = stmt_int(stmt, "asn");
		object->slot = stmt_int(stmt, "slot");
		state->objects_count++;
	}
}

/* Objects are in order of object_id. */
static struct issued_object *
find_object(struct ca_state *state, int64_t object_id)
{
	size_t low = 0, high = state->objects_count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (state->objects[middle].object_id < object_id)
			low = middle + 1;
		else
			high = middle;
	}
	return low < state->objects_count && state->objects[low].object_id == object_id ? &state->objects[low] : NULL;
}

struct placed_payload {
	struct payload payload;
	struct issued_object *object;
};

/* Sorts what was read in order of payload into one run for each ROA, keeping that order. */
static enum fault_code
deal_payloads(struct ca_state *state, const struct placed_payload *read, size_t count, struct fault *fault)
{
	TRY(memory_reserve(&state->issued_payloads, &state->issued_payloads_capacity, count, sizeof *state->issued_payloads, fault));
	for (size_t i = 0; i < count; i++)
		read[i].object->payloads_count++;
	size_t first = 0;
	for (size_t i = 0; i < state->objects_count; i++) {
		state->objects[i].first_payload = first;
		first += state->objects[i].payloads_count;
		state->objects[i].payloads_count = 0;
	}
	for (size_t i = 0; i < count; i++) {
		struct issued_object *object = read[i].object;
		state->issued_payloads[object->first_payload + object->payloads_count++] = read[i].payload;
	}
	state->issued_payloads_count = count;
	return FAULT_NONE;
}

static enum fault_code
load_payloads(struct db_connection *connection, struct ca_state *state, struct fault *fault)
{
	AUTO(struct stmt, stmt_done) stmt = NULL;
	AUTO(struct placed_payload, free) read = NULL;
	size_t count = 0, capacity = 0;
	bool row;
	TRY(stmt_start(connection, QUERY_RECONCILE_PAYLOADS, &stmt, fault));
	stmt_bind_int(stmt, ":ca_id", state->ca_id);
	for (;;) {
		TRY(stmt_step(stmt, &row, fault));
		if (!row)
			return deal_payloads(state, read, count, fault);
		/* Those of a ROA that is leaving are still there, until validators have been told. */
		struct issued_object *object = find_object(state, stmt_int(stmt, "object_id"));
		if (object == NULL)
			continue;
		TRY(memory_reserve(&read, &capacity, count + 1, sizeof *read, fault));
		TRY(read_payload(stmt, &read[count].payload, fault));
		read[count++].object = object;
	}
}

static enum fault_code
load_revoked(struct db_connection *connection, int64_t now_at, struct ca_instance *instance, struct fault *fault)
{
	AUTO(struct stmt, stmt_done) stmt = NULL;
	bool row;
	TRY(stmt_start(connection, QUERY_RECONCILE_REVOKED, &stmt, fault));
	stmt_bind_int(stmt, ":key_id", instance->key.key_id);
	stmt_bind_int(stmt, ":now_at", now_at);
	for (;;) {
		TRY(stmt_step(stmt, &row, fault));
		if (!row)
			return FAULT_NONE;
		TRY(memory_reserve(&instance->revoked, &instance->revoked_capacity, instance->revoked_count + 1, sizeof *instance->revoked, fault));
		struct revoked_serial *revoked = &instance->revoked[instance->revoked_count];
		struct span serial = stmt_blob(stmt, "serial");
		if (serial.length == 0 || serial.length > sizeof revoked->octets)
			return fault_set(fault, FAULT_MALFORMED, "a revoked serial number has %zu octets", serial.length);
		memcpy(revoked->octets, serial.data, serial.length);
		revoked->length = (uint8_t)serial.length;
		revoked->revoked_at = stmt_int(stmt, "revoked_at");
		instance->revoked_count++;
	}
}

enum fault_code
state_loader_load(struct db_connection *connection, int64_t ca_id, int64_t now_at, struct ca_state **ret_state, struct fault *fault)
{
	AUTO(struct ca_state, ca_state_free) state = NULL;
	TRY(ca_state_new(&state, fault));
	TRY(load_ca(connection, ca_id, state, fault));
	TRY(load_certificates(connection, state, fault));
	TRY(load_objects(connection, state, fault));
	TRY(load_intents(connection, state, fault));
	TRY(load_payloads(connection, state, fault));
	TRY(load_revoked(connection, now_at, &state->current, fault));
	TRY(load_revoked(connection, now_at, &state->other, fault));
	if (state->held)
		TRY(ca_state_hold(state, fault));
	*ret_state = MOVE(state);
	return FAULT_NONE;
}
