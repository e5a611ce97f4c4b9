#include "ca/commands/ca_commands.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "ca/commands/anchor_growth.h"
#include "ca/commands/holdings.h"
#include "ca/commands/member.h"
#include "db/stores/ca_store.h"
#include "db/stores/holding_store.h"
#include "db/stores/roa_store.h"
#include "db/stores/token_store.h"

/* One change of one CA, on its way through the writer. */
struct ca_change {
	const struct actor *actor;
	const struct command_placing *placing;          /* of a new one */
	int64_t now_at;
	int64_t ca_id;
	char handle[HANDLE_MAX + 1];                    /* once known */
	const char *new_handle;                         /* as asked for */
	const struct resource_set *resources;
	const struct resource_set *add, *remove;        /* in place of `resources`: only what differs */
	struct complaints *complaints;
};

static enum fault_code
create_ca(struct db_connection *connection, void *argument, struct fault *fault)
{
	struct ca_change *change = argument;
	AUTO_CLEAR(struct member_place, member_place_clear) place = MEMBER_PLACE_INIT;
	TRY(command_check_handle(change->new_handle, fault));
	(void)snprintf(change->handle, sizeof change->handle, "%s", change->new_handle);
	TRY(member_check_handle(connection, change->handle, fault));
	TRY(member_place_find(connection, change->actor, change->now_at, change->placing, &place, fault));
	struct member_creation creation = { .handle = change->handle, .resources = change->resources, .now_at = change->now_at };
	return member_create(connection, change->actor, &place, &creation, change->complaints, &change->ca_id, fault);
}

enum fault_code
ca_create(const struct command_context *context, const struct actor *actor, const char *handle,
	const struct resource_set *resources, struct complaints *complaints, int64_t *ret_ca_id, struct fault *fault)
{
	struct ca_change change = {
		.actor = actor, .placing = &context->placing, .now_at = clock_now(context->clock), .new_handle = handle,
		.resources = resources, .complaints = complaints,
	};
	struct audit_event event = { .action = "ca.create", .ca_handle = change.handle };
	TRY(command_run_due(context, actor, &event, create_ca, &change, fault));
	*ret_ca_id = change.ca_id;
	return FAULT_NONE;
}

static enum fault_code
audit_change(struct db_connection *connection, const struct ca_change *change, const char *action, const char *detail,
	struct fault *fault)
{
	struct audit_event event = {
		.action = action, .ca_id = change->ca_id, .ca_handle = change->handle, .outcome = "done", .detail = detail,
	};
	return audit_write(connection, change->now_at, change->actor, &event, fault);
}

/* "from 1 AS, 2 IPv4 and 0 IPv6 ranges to …" */
static enum fault_code
audit_resources(struct db_connection *connection, const struct ca_change *change, const struct resource_set *before,
	const struct resource_set *after, struct fault *fault)
{
	char from[MEMBER_RESOURCES_TEXT], to[MEMBER_RESOURCES_TEXT], detail[2 * MEMBER_RESOURCES_TEXT + 16];
	member_resources_text(before, from);
	member_resources_text(after, to);
	(void)snprintf(detail, sizeof detail, "from %s to %s", from, to);
	return audit_change(connection, change, "ca.resources", detail, fault);
}

/* The holdings as they will be: checked as far as they grow, and stored. */
static enum fault_code
store_resources(struct db_connection *connection, const struct ca_change *change, const struct ca_record *record,
	const struct resource_set *after, struct fault *fault)
{
	AUTO_CLEAR(struct holdings_above, holdings_above_clear) above = HOLDINGS_ABOVE_INIT;
	AUTO_CLEAR(struct bytes, bytes_clear) blob = BYTES_INIT;
	bool whole = change->resources != NULL;
	TRY(resource_set_encode(after, &blob, fault));
	TRY(holdings_above_find(connection, record->parent_id, &above, fault));
	TRY(holdings_check_part(connection, &above, change->ca_id, whole ? &resource_lists_whole : &resource_lists_add,
		whole ? after : change->add, change->complaints, fault));
	TRY(holdings_replace(connection, change->ca_id, after, fault));
	return ca_store_set_resources(connection, change->ca_id, bytes_span(&blob), change->now_at, fault);
}

static enum fault_code
set_resources(struct db_connection *connection, void *argument, struct fault *fault)
{
	struct ca_change *change = argument;
	AUTO(struct stmt, stmt_done) stmt = NULL;
	AUTO_CLEAR(struct resource_set, resource_set_clear) before = RESOURCE_SET_INIT;
	struct ca_record record;
	TRY(member_load(connection, change->actor, change->ca_id, change->handle, &stmt, &record, fault));
	TRY(resource_set_decode(record.resources, &before, fault));
	if (resource_set_equal(&before, change->resources))
		return FAULT_NONE;
	TRY(store_resources(connection, change, &record, change->resources, fault));
	return audit_resources(connection, change, &before, change->resources, fault);
}

enum fault_code
ca_set_resources(const struct command_context *context, const struct actor *actor, int64_t ca_id,
	const struct resource_set *resources, struct complaints *complaints, struct fault *fault)
{
	struct ca_change change = {
		.actor = actor, .now_at = clock_now(context->clock), .ca_id = ca_id, .resources = resources,
		.complaints = complaints,
	};
	struct audit_event event = { .action = "ca.resources", .ca_id = ca_id, .ca_handle = change.handle };
	return command_run_due(context, actor, &event, set_resources, &change, fault);
}

/* What is to go must be there, what is to come must not be, and nothing is both. */
static enum fault_code
check_difference(const struct ca_change *change, const struct resource_set *before, struct fault *fault)
{
	AUTO_CLEAR(struct resource_set, resource_set_clear) missing = RESOURCE_SET_INIT;
	AUTO_CLEAR(struct resource_set, resource_set_clear) there = RESOURCE_SET_INIT;
	TRY(resource_set_difference(change->remove, before, &missing, fault));
	TRY(resource_complaints_add(change->complaints, &resource_lists_remove, change->remove, &missing,
		"is not held by this CA", fault));
	TRY(resource_set_intersection(change->add, before, &there, fault));
	TRY(resource_complaints_add(change->complaints, &resource_lists_add, change->add, &there, "is held by this CA already", fault));
	return complaints_check(change->complaints, fault);
}

static enum fault_code
change_member(struct db_connection *connection, struct ca_change *change, struct fault *fault)
{
	AUTO(struct stmt, stmt_done) stmt = NULL;
	AUTO_CLEAR(struct resource_set, resource_set_clear) before = RESOURCE_SET_INIT;
	AUTO_CLEAR(struct resource_set, resource_set_clear) rest = RESOURCE_SET_INIT;
	AUTO_CLEAR(struct resource_set, resource_set_clear) after = RESOURCE_SET_INIT;
	struct ca_record record;
	TRY(member_load(connection, change->actor, change->ca_id, change->handle, &stmt, &record, fault));
	TRY(resource_set_decode(record.resources, &before, fault));
	TRY(check_difference(change, &before, fault));
	TRY(resource_set_difference(&before, change->remove, &rest, fault));
	TRY(resource_set_union(&rest, change->add, &after, fault));
	if (resource_set_equal(&before, &after))
		return FAULT_NONE;
	TRY(store_resources(connection, change, &record, &after, fault));
	return audit_resources(connection, change, &before, &after, fault);
}

/* The online CA, and the trust anchor with it. */
static enum fault_code
change_anchor(struct db_connection *connection, struct ca_change *change, const struct ca_record *record, struct fault *fault)
{
	AUTO_CLEAR(struct resource_set, resource_set_clear) before = RESOURCE_SET_INIT;
	(void)snprintf(change->handle, sizeof change->handle, "%s", record->handle);
	if (!resource_set_empty(change->remove))
		return fault_set(fault, FAULT_CONFLICT, "CA \"%s\" is one of the engine's own: what it holds can grow, not shrink",
			change->handle);
	TRY(resource_set_decode(record->resources, &before, fault));
	TRY(check_difference(change, &before, fault));
	return anchor_grow(connection, change->actor, record, change->add, change->now_at, fault);
}

static enum fault_code
change_resources(struct db_connection *connection, void *argument, struct fault *fault)
{
	struct ca_change *change = argument;
	AUTO(struct stmt, stmt_done) stmt = NULL;
	struct ca_record record;
	TRY(command_check_actor(change->actor, change->ca_id, fault));
	TRY(ca_store_get(connection, change->ca_id, &stmt, &record, fault));
	if (strcmp(record.kind, "online") == 0)
		return change_anchor(connection, change, &record, fault);
	return change_member(connection, change, fault);
}

enum fault_code
ca_change_resources(const struct command_context *context, const struct actor *actor, int64_t ca_id,
	const struct resource_set *add, const struct resource_set *remove, struct complaints *complaints, struct fault *fault)
{
	struct ca_change change = {
		.actor = actor, .now_at = clock_now(context->clock), .ca_id = ca_id, .add = add, .remove = remove,
		.complaints = complaints,
	};
	struct audit_event event = { .action = "ca.resources", .ca_id = ca_id, .ca_handle = change.handle };
	return command_run_due(context, actor, &event, change_resources, &change, fault);
}

static enum fault_code
delete_ca(struct db_connection *connection, void *argument, struct fault *fault)
{
	struct ca_change *change = argument;
	AUTO(struct stmt, stmt_done) stmt = NULL;
	struct ca_record record;
	char detail[64];
	TRY(member_load(connection, change->actor, change->ca_id, change->handle, &stmt, &record, fault));
	/* Its objects would stay until its release, which nobody could give any more. */
	if (record.held_at != 0)
		return fault_set(fault, FAULT_CONFLICT, "CA \"%s\" is on hold: release it first (cadastre ca release)", change->handle);
	(void)snprintf(detail, sizeof detail, "with %" PRId64 " ROAs", record.roas_count);
	TRY(ca_store_delete(connection, change->ca_id, change->now_at, fault));
	TRY(roa_store_delete_all(connection, change->ca_id, fault));
	TRY(holding_store_delete_all(connection, change->ca_id, fault));
	TRY(token_store_revoke_all(connection, change->ca_id, change->now_at, fault));
	return audit_change(connection, change, "ca.delete", detail, fault);
}

enum fault_code
ca_delete(const struct command_context *context, const struct actor *actor, int64_t ca_id, struct fault *fault)
{
	struct ca_change change = { .actor = actor, .now_at = clock_now(context->clock), .ca_id = ca_id };
	struct audit_event event = { .action = "ca.delete", .ca_id = ca_id, .ca_handle = change.handle };
	return command_run_due(context, actor, &event, delete_ca, &change, fault);
}

static enum fault_code
repair_ca(struct db_connection *connection, void *argument, struct fault *fault)
{
	struct ca_change *change = argument;
	AUTO(struct stmt, stmt_done) stmt = NULL;
	struct ca_record record;
	bool repaired;
	TRY(ca_store_get(connection, change->ca_id, &stmt, &record, fault));
	(void)snprintf(change->handle, sizeof change->handle, "%s", record.handle);
	TRY(ca_store_repair(connection, change->ca_id, change->now_at, &repaired, fault));
	return repaired ? audit_change(connection, change, "ca.repair", record.set_aside_reason, fault) : FAULT_NONE;
}

enum fault_code
ca_repair(const struct command_context *context, const struct actor *actor, int64_t ca_id, struct fault *fault)
{
	struct ca_change change = { .actor = actor, .now_at = clock_now(context->clock), .ca_id = ca_id };
	struct audit_event event = { .action = "ca.repair", .ca_id = ca_id, .ca_handle = change.handle };
	return command_run_due(context, actor, &event, repair_ca, &change, fault);
}
