#include "ca/commands/anchor_growth.h"

#include <stdio.h>
#include <string.h>

#include "ca/commands/member.h"
#include "db/stores/key_store.h"

#define KEYS_MAX 10     /* of one CA that aren't destroyed: three at most */

/* Its certificates change with a ceremony alone; members' would go beyond them meanwhile. */
static enum fault_code
check_online(struct db_connection *connection, int64_t ca_id, struct fault *fault)
{
	AUTO(struct stmt, stmt_done) stmt = NULL;
	TRY(key_store_list(connection, ca_id, false, KEYS_MAX, &stmt, fault));
	for (;;) {
		struct key_record key;
		bool found;
		TRY(key_store_next(stmt, &key, &found, fault));
		if (!found)
			return FAULT_NONE;
		if (key.offline && strcmp(key.state, "current") == 0)
			return fault_set(fault, FAULT_CONFLICT, "the trust anchor's key is on a machine of its own: what it holds can't be "
				"changed from here");
	}
}

static enum fault_code
grow(struct db_connection *connection, const struct actor *actor, const struct ca_record *record, const struct resource_set *add,
	int64_t now_at, struct fault *fault)
{
	AUTO_CLEAR(struct resource_set, resource_set_clear) before = RESOURCE_SET_INIT;
	AUTO_CLEAR(struct resource_set, resource_set_clear) after = RESOURCE_SET_INIT;
	AUTO_CLEAR(struct bytes, bytes_clear) blob = BYTES_INIT;
	char text[MEMBER_RESOURCES_TEXT], detail[MEMBER_RESOURCES_TEXT + 16];
	TRY(resource_set_decode(record->resources, &before, fault));
	TRY(resource_set_union(&before, add, &after, fault));
	TRY(resource_set_encode(&after, &blob, fault));
	TRY(ca_store_set_resources(connection, record->ca_id, bytes_span(&blob), now_at, fault));
	member_resources_text(add, text);
	(void)snprintf(detail, sizeof detail, "%s more", text);
	struct audit_event event = {
		.action = "ca.resources", .ca_id = record->ca_id, .ca_handle = record->handle, .outcome = "done", .detail = detail,
	};
	return audit_write(connection, now_at, actor, &event, fault);
}

enum fault_code
anchor_grow(struct db_connection *connection, const struct actor *actor, const struct ca_record *online, const struct resource_set *add,
	int64_t now_at, struct fault *fault)
{
	AUTO(struct stmt, stmt_done) stmt = NULL;
	struct ca_record ta;
	TRY(ca_store_get(connection, online->parent_id, &stmt, &ta, fault));
	TRY(check_online(connection, ta.ca_id, fault));
	if (resource_set_empty(add))
		return FAULT_NONE;
	TRY(grow(connection, actor, &ta, add, now_at, fault));
	return grow(connection, actor, online, add, now_at, fault);
}
