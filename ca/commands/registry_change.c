#include "ca/commands/registry_change.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "ca/base/memory.h"
#include "ca/commands/member.h"
#include "ca/commands/registry_transfers.h"
#include "db/stores/ca_store.h"
#include "db/stores/holding_store.h"
#include "db/stores/registry_store.h"

/* What is known of a party within the transaction. */
struct standing {
	int64_t ca_id, parent_id;
};

struct change {
	struct db_connection *connection;
	const struct actor *actor;
	const struct registry_plan *plan;
	const struct command_placing *placing;
	int64_t now_at;
	struct standing *standings;                     /* of each party */
	int64_t *groups;                                /* of each party that stands for its group; 0: not numbered yet */
	struct holdings_above above;
	int64_t above_parent_id;                        /* below which `above` counts; 0: not loaded */
	struct member_place place;
};

static void
change_clear(struct change *change)
{
	free(change->standings);
	free(change->groups);
	holdings_above_clear(&change->above);
	member_place_clear(&change->place);
}

static enum fault_code
moved_meanwhile(const struct registry_party *party, struct fault *fault)
{
	return fault_set(fault, FAULT_CONFLICT, "CA \"%s\" was changed while the file was read: look at the plan again", party->handle);
}

static enum fault_code
check_promised(const struct change *change, struct fault *fault)
{
	AUTO_CLEAR(struct resource_set, resource_set_clear) promised = RESOURCE_SET_INIT;
	TRY(registry_transfers_promised(change->connection, &promised, fault));
	if (resource_set_equal(&promised, &change->plan->promised))
		return FAULT_NONE;
	return fault_set(fault, FAULT_CONFLICT, "a transfer out of the registry was prepared or ended while the file was read: look at the "
		"plan again");
}

/* The member is as the plan has it; what it held is free for others from here on. */
static enum fault_code
take_out(struct change *change, size_t index, struct fault *fault)
{
	AUTO(struct stmt, stmt_done) stmt = NULL;
	AUTO_CLEAR(struct bytes, bytes_clear) blob = BYTES_INIT;
	const struct registry_party *party = &change->plan->parties[index];
	struct registry_member_state state;
	bool found;
	TRY(registry_store_member(change->connection, party->ca_id, &stmt, &state, &found, fault));
	TRY(resource_set_encode(&party->before, &blob, fault));
	if (!found || (state.held || state.waiting) != party->held || !span_equal(state.resources, bytes_span(&blob)))
		return moved_meanwhile(party, fault);
	change->standings[index] = (struct standing){
		.ca_id = party->ca_id, .parent_id = state.parent_id,
	};
	return holding_store_delete_all(change->connection, party->ca_id, fault);
}

static enum fault_code
find_above(struct change *change, int64_t parent_id, struct fault *fault)
{
	if (change->above_parent_id == parent_id)
		return FAULT_NONE;
	holdings_above_clear(&change->above);
	TRY(holdings_above_find(change->connection, parent_id, &change->above, fault));
	change->above_parent_id = parent_id;
	return FAULT_NONE;
}

static enum fault_code
audit_resources(const struct change *change, const struct registry_party *party, struct fault *fault)
{
	char from[MEMBER_RESOURCES_TEXT], to[MEMBER_RESOURCES_TEXT], detail[2 * MEMBER_RESOURCES_TEXT + 64];
	member_resources_text(&party->before, from);
	member_resources_text(&party->after, to);
	(void)snprintf(detail, sizeof detail, "from %s to %s, by the registry's feed", from, to);
	struct audit_event event = {
		.action = "ca.resources", .ca_id = party->ca_id, .ca_handle = party->handle, .outcome = "done", .detail = detail,
	};
	return audit_write(change->connection, change->now_at, change->actor, &event, fault);
}

static enum fault_code
put_in(struct change *change, size_t index, struct fault *fault)
{
	AUTO_CLEAR(struct complaints, complaints_clear) complaints = COMPLAINTS_INIT;
	AUTO_CLEAR(struct bytes, bytes_clear) blob = BYTES_INIT;
	const struct registry_party *party = &change->plan->parties[index];
	TRY(resource_set_encode(&party->after, &blob, fault));
	TRY(find_above(change, change->standings[index].parent_id, fault));
	TRY(holdings_check(change->connection, &change->above, party->ca_id, &party->after, &complaints, fault));
	TRY(holdings_replace(change->connection, party->ca_id, &party->after, fault));
	TRY(ca_store_set_resources(change->connection, party->ca_id, bytes_span(&blob), change->now_at, fault));
	return audit_resources(change, party, fault);
}

static enum fault_code
create(struct change *change, size_t index, struct fault *fault)
{
	AUTO_CLEAR(struct complaints, complaints_clear) complaints = COMPLAINTS_INIT;
	const struct registry_party *party = &change->plan->parties[index];
	struct member_creation creation = {
		.handle = party->handle, .resources = &party->after, .alias = party->alias, .now_at = change->now_at,
	};
	if (change->place.room == 0)
		TRY(member_place_find(change->connection, change->actor, change->now_at, change->placing, &change->place, fault));
	return member_create(change->connection, change->actor, &change->place, &creation, &complaints,
		&change->standings[index].ca_id, fault);
}

/* Whoever only gives comes last. Nobody here waits in another group: such members keep what they have. */
static enum fault_code
join_group(struct change *change, size_t index, struct fault *fault)
{
	const struct registry_party *party = &change->plan->parties[index];
	int64_t *group = &change->groups[party->group];
	if (!party->gives && !party->takes)
		return FAULT_NONE;
	if (*group == 0)
		TRY(ca_store_next_group(change->connection, group, fault));
	return ca_store_join_group(change->connection, *group, change->standings[index].ca_id, party->gives && !party->takes, fault);
}

/* For each party that changes; existing: those that are there, else those to be made. */
static enum fault_code
each(struct change *change, bool existing, enum fault_code (*step)(struct change *change, size_t index, struct fault *fault),
	struct fault *fault)
{
	for (size_t i = 0; i < change->plan->parties_count; i++) {
		const struct registry_party *party = &change->plan->parties[i];
		if (party->change != REGISTRY_SAME && (party->ca_id != 0) == existing)
			TRY(step(change, i, fault));
	}
	return FAULT_NONE;
}

static enum fault_code
store_aliases(const struct change *change, struct fault *fault)
{
	for (size_t i = 0; i < change->plan->parties_count; i++) {
		const struct registry_party *party = &change->plan->parties[i];
		if (party->ca_id != 0 && party->alias != NULL)
			TRY(registry_store_set_alias(change->connection, party->ca_id, party->alias, fault));
	}
	return FAULT_NONE;
}

enum fault_code
registry_change_write(struct db_connection *connection, const struct actor *actor, const struct registry_plan *plan,
	const struct command_placing *placing, int64_t now_at, struct fault *fault)
{
	AUTO_CLEAR(struct change, change_clear) change = {
		.connection = connection, .actor = actor, .plan = plan, .placing = placing, .now_at = now_at,
		.above = HOLDINGS_ABOVE_INIT, .place = MEMBER_PLACE_INIT,
	};
	TRY(memory_new(plan->parties_count, sizeof *change.standings, &change.standings, fault));
	TRY(memory_new(plan->parties_count, sizeof *change.groups, &change.groups, fault));
	TRY(check_promised(&change, fault));
	TRY(each(&change, true, take_out, fault));
	TRY(each(&change, true, put_in, fault));
	TRY(each(&change, false, create, fault));
	TRY(each(&change, true, join_group, fault));
	TRY(each(&change, false, join_group, fault));
	return store_aliases(&change, fault);
}
