#include "ca/commands/member.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "ca/base/base64.h"
#include "ca/base/randomness.h"
#include "ca/commands/repository_choice.h"

#define DIRECTORY_SIZE 19       /* "<2 hex>/<14 hex>/" and a NUL */
#define ISSUING_MAX 1000        /* issuing CAs side by side */

void
member_place_clear(struct member_place *place)
{
	holdings_above_clear(&place->above);
	*place = MEMBER_PLACE_INIT;
}

void
member_resources_text(const struct resource_set *resources, char text[MEMBER_RESOURCES_TEXT])
{
	(void)snprintf(text, MEMBER_RESOURCES_TEXT, "%zu AS, %zu IPv4 and %zu IPv6 ranges", resources->asns_count,
		resources->ipv4.count, resources->ipv6.count);
}

/* Random, so that nobody can tell a member by it or guess the next; two levels keep directories of the rsync tree short. */
static enum fault_code
make_directory_name(char directory[DIRECTORY_SIZE], struct fault *fault)
{
	uint8_t octets[8];
	char hex[17];
	TRY(randomness_fill(octets, sizeof octets, fault));
	hex_encode(SPAN(octets, sizeof octets), hex);
	(void)snprintf(directory, DIRECTORY_SIZE, "%.2s/%s/", hex, hex + 2);
	return FAULT_NONE;
}

static enum fault_code
handle_is_free(struct db_connection *connection, const char *handle, bool *ret_free, struct fault *fault)
{
	int64_t ca_id;
	struct fault none = FAULT_INIT;
	enum fault_code code = ca_store_find(connection, handle, &ca_id, &none);
	*ret_free = code == FAULT_NOT_FOUND;
	return code == FAULT_NONE || code == FAULT_NOT_FOUND ? FAULT_NONE : fault_set(fault, code, "%s", none.message);
}

/* "issuing-2", or the next number that no CA has. */
static enum fault_code
name_issuing(struct db_connection *connection, int64_t existing, char handle[HANDLE_MAX + 1], struct fault *fault)
{
	bool is_free = false;
	for (int64_t number = existing + 1; !is_free; number++) {
		if (number > ISSUING_MAX)
			return fault_set(fault, FAULT_TOO_LARGE, "there are %d issuing CAs, no further one may be made",
				ISSUING_MAX);
		(void)snprintf(handle, HANDLE_MAX + 1, "issuing-%" PRId64, number);
		TRY(handle_is_free(connection, handle, &is_free, fault));
	}
	return FAULT_NONE;
}

static enum fault_code
make_issuing(struct db_connection *connection, const struct actor *actor, int64_t now_at, const struct command_placing *placing,
	struct member_place *place, struct fault *fault)
{
	int64_t parent_id, existing;
	char handle[HANDLE_MAX + 1], directory[DIRECTORY_SIZE];
	TRY(ca_store_last_issuing(connection, &parent_id, &existing, fault));
	TRY(name_issuing(connection, existing, handle, fault));
	TRY(make_directory_name(directory, fault));
	TRY(repository_choice_make(connection, actor, now_at, placing, &place->repository_id, fault));
	struct ca_creation creation = {
		.handle = handle,
		.kind = "issuing",
		.directory = directory,
		.parent_id = parent_id,
		.repository_id = place->repository_id,
		.created_at = now_at,
	};
	TRY(ca_store_insert(connection, &creation, &place->parent_id, fault));
	place->room = placing->issuing_members_max;
	struct audit_event event = {
		.action = "ca.create", .ca_id = place->parent_id, .ca_handle = handle, .outcome = "done",
		.detail = "a further issuing CA, as all others are full",
	};
	return audit_write(connection, now_at, actor, &event, fault);
}

enum fault_code
member_place_find(struct db_connection *connection, const struct actor *actor, int64_t now_at, const struct command_placing *placing,
	struct member_place *ret_place, struct fault *fault)
{
	AUTO_CLEAR(struct member_place, member_place_clear) place = MEMBER_PLACE_INIT;
	struct issuing_bounds bounds = repository_choice_bounds(placing);
	TRY(ca_store_issuing_with_room(connection, &bounds, &place.parent_id, &place.repository_id, &place.room, fault));
	if (place.parent_id == 0)
		TRY(make_issuing(connection, actor, now_at, placing, &place, fault));
	TRY(holdings_above_find(connection, place.parent_id, &place.above, fault));
	member_place_clear(ret_place);
	*ret_place = place;
	place = MEMBER_PLACE_INIT;
	return FAULT_NONE;
}

enum fault_code
member_check_handle(struct db_connection *connection, const char *handle, struct fault *fault)
{
	bool is_free;
	TRY(handle_is_free(connection, handle, &is_free, fault));
	if (is_free)
		return FAULT_NONE;
	AUTO(struct stmt, stmt_done) stmt = NULL;
	struct ca_record record;
	int64_t ca_id;
	TRY(ca_store_find(connection, handle, &ca_id, fault));
	TRY(ca_store_get(connection, ca_id, &stmt, &record, fault));
	if (strcmp(record.state, "deleting") == 0)
		return fault_set(fault, FAULT_CONFLICT, "CA \"%s\" is being deleted; its handle is free once all is withdrawn",
			handle);
	return fault_set(fault, FAULT_CONFLICT, "there is a CA \"%s\" already", handle);
}

enum fault_code
member_create(struct db_connection *connection, const struct actor *actor, struct member_place *place,
	const struct member_creation *creation, struct complaints *complaints, int64_t *ret_ca_id, struct fault *fault)
{
	AUTO_CLEAR(struct bytes, bytes_clear) blob = BYTES_INIT;
	char directory[DIRECTORY_SIZE], text[MEMBER_RESOURCES_TEXT];
	int64_t ca_id;
	INVARIANT(place->room > 0);
	TRY(member_check_handle(connection, creation->handle, fault));
	TRY(resource_set_encode(creation->resources, &blob, fault));
	TRY(holdings_check(connection, &place->above, 0, creation->resources, complaints, fault));
	TRY(make_directory_name(directory, fault));
	struct ca_creation row = {
		.handle = creation->handle,
		.kind = "member",
		.directory = directory,
		.parent_id = place->parent_id,
		.repository_id = place->repository_id,
		.resources = bytes_span(&blob),
		.import_id = creation->import_id,
		.alias = creation->alias,
		.created_at = creation->now_at,
	};
	TRY(ca_store_insert(connection, &row, &ca_id, fault));
	TRY(holdings_replace(connection, ca_id, creation->resources, fault));
	member_resources_text(creation->resources, text);
	struct audit_event event = {
		.action = "ca.create", .ca_id = ca_id, .ca_handle = creation->handle, .outcome = "done", .detail = text,
	};
	TRY(audit_write(connection, creation->now_at, actor, &event, fault));
	place->room--;
	*ret_ca_id = ca_id;
	return FAULT_NONE;
}

enum fault_code
member_load(struct db_connection *connection, const struct actor *actor, int64_t ca_id, char ret_handle[HANDLE_MAX + 1],
	struct stmt **ret_stmt, struct ca_record *ret_record, struct fault *fault)
{
	AUTO(struct stmt, stmt_done) stmt = NULL;
	TRY(command_check_actor(actor, ca_id, fault));
	TRY(ca_store_get(connection, ca_id, &stmt, ret_record, fault));
	(void)snprintf(ret_handle, HANDLE_MAX + 1, "%s", ret_record->handle);
	if (strcmp(ret_record->kind, "member") != 0)
		return fault_set(fault, FAULT_CONFLICT, "CA \"%s\" is one of the engine's own", ret_handle);
	if (strcmp(ret_record->state, "active") != 0)
		return fault_set(fault, FAULT_CONFLICT, "CA \"%s\" is being deleted", ret_handle);
	*ret_stmt = MOVE(stmt);
	return FAULT_NONE;
}
