#include "ca/commands/registry_plan.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ca/base/memory.h"
#include "ca/commands/holdings.h"
#include "ca/commands/registry_breaker.h"
#include "ca/commands/registry_roas.h"
#include "ca/commands/registry_transfers.h"
#include "ca/feeds/holder_match.h"
#include "db/stores/ca_store.h"
#include "db/stores/registry_store.h"

#define HANDLE_TRIES 1000       /* numbers behind a handle that is taken */

static const char *const change_texts[REGISTRY_CHANGES] = {
	[REGISTRY_SAME] = "same",
	[REGISTRY_NEW] = "new",
	[REGISTRY_GONE] = "gone",
	[REGISTRY_GROWN] = "grown",
	[REGISTRY_SHRUNK] = "shrunk",
	[REGISTRY_EXCHANGED] = "exchanged",
};

const char *
registry_change_text(enum registry_change change)
{
	return change_texts[change];
}

static void
party_clear(struct registry_party *party)
{
	free(party->handle);
	free(party->known_as);
	resource_set_clear(&party->before);
	resource_set_clear(&party->after);
	resource_set_clear(&party->gained);
	resource_set_clear(&party->lost);
}

void
registry_plan_free(struct registry_plan *plan)
{
	if (plan == NULL)
		return;
	for (size_t i = 0; i < plan->parties_count; i++)
		party_clear(&plan->parties[i]);
	registry_feed_clear(&plan->feed);
	resource_set_clear(&plan->promised);
	free(plan->parties);
	free(plan->moves);
	free(plan->roas);
	free(plan->replacements);
	free(plan->remarks);
	bytes_clear(&plan->over_limits);
	free(plan);
}

bool
registry_plan_changes_nothing(const struct registry_plan *plan)
{
	return plan->counts.changes[REGISTRY_SAME] == (int64_t)plan->parties_count;
}

enum fault_code
registry_plan_remark(struct registry_plan *plan, struct fault *fault, const char *format, ...)
{
	if (plan->counts.remarks++ >= REGISTRY_LIST_MAX)
		return FAULT_NONE;
	TRY(memory_reserve(&plan->remarks, &plan->remarks_capacity, plan->remarks_count + 1, sizeof *plan->remarks, fault));
	va_list arguments;
	va_start(arguments, format);
	(void)vsnprintf(plan->remarks[plan->remarks_count++], sizeof *plan->remarks, format, arguments);
	va_end(arguments);
	return FAULT_NONE;
}

/* Another registry's file would take every member for gone, and be told by nothing else. */
static enum fault_code
check_registry(struct db_connection *connection, const struct registry_plan *plan, const struct registry_limits *limits,
	struct fault *fault)
{
	AUTO(struct stmt, stmt_done) stmt = NULL;
	const char *ours = limits->registry, *theirs = plan->feed.registry;
	if (*ours == '\0')
		TRY(registry_store_last(connection, &stmt, &ours, fault));
	if (ours == NULL || *theirs == '\0' || strcmp(ours, theirs) == 0)
		return FAULT_NONE;
	return fault_set(fault, FAULT_CONFLICT, "line 1: this is a file of the registry \"%s\"; members here are of \"%s\"%s", theirs,
		ours, *limits->registry == '\0' ? ", as the file that was applied last (the setting \"registry\" goes before that)" : "");
}

static enum fault_code
first_range(void *argument, const struct resource_range *range, size_t index, struct fault *fault)
{
	char *text = argument;
	(void)index;
	(void)fault;
	if (*text == '\0')
		resource_range_text(range, text);
	return FAULT_NONE;
}

static enum fault_code
check_above(struct db_connection *connection, const struct registry_feed *feed, struct fault *fault)
{
	AUTO_CLEAR(struct holdings_above, holdings_above_clear) above = HOLDINGS_ABOVE_INIT;
	AUTO_CLEAR(struct resource_set, resource_set_clear) beyond = RESOURCE_SET_INIT;
	int64_t parent_id, count;
	TRY(ca_store_last_issuing(connection, &parent_id, &count, fault));
	TRY(holdings_above_find(connection, parent_id, &above, fault));
	for (size_t i = 0; i < feed->count; i++) {
		char text[RANGE_TEXT] = "";
		if (resource_set_contains(&above.resources, &feed->holders[i].resources))
			continue;
		TRY(resource_set_difference(&feed->holders[i].resources, &above.resources, &beyond, fault));
		TRY(resource_range_each(&beyond, first_range, text, fault));
		return fault_set(fault, FAULT_INVALID, "line %" PRIu32 ": of the holder \"%s\" that begins here, %s is not held by the"
			" CA above, \"%s\"", feed->holders[i].line, feed->holders[i].id, text, above.handle);
	}
	return FAULT_NONE;
}

static enum fault_code
add_party(struct registry_plan *plan, const struct registry_party *start, const char *handle, struct fault *fault)
{
	TRY(memory_reserve(&plan->parties, &plan->parties_capacity, plan->parties_count + 1, sizeof *plan->parties, fault));
	struct registry_party *party = &plan->parties[plan->parties_count];
	*party = *start;
	party->group = (uint32_t)plan->parties_count;
	TRY(memory_copy_string(handle, &party->handle, fault));
	plan->parties_count++;
	return FAULT_NONE;
}

static enum fault_code
load_members(struct db_connection *connection, struct registry_plan *plan, struct fault *fault)
{
	AUTO(struct stmt, stmt_done) stmt = NULL;
	struct registry_member_record record;
	bool found;
	TRY(registry_store_members(connection, &stmt, fault));
	for (;;) {
		TRY(registry_store_next_member(stmt, &record, &found, fault));
		if (!found)
			break;
		struct registry_party start = {
			.ca_id = record.ca_id, .held = record.held || record.waiting, .roas_count = record.roas_count,
		};
		TRY(add_party(plan, &start, record.handle, fault));
		struct registry_party *party = &plan->parties[plan->parties_count - 1];
		if (record.alias != NULL)
			TRY(memory_copy_string(record.alias, &party->known_as, fault));
		TRY(resource_set_decode(record.resources, &party->before, fault));
	}
	plan->counts.members = (int64_t)plan->parties_count;
	return FAULT_NONE;
}

/* Members that were imported before aliases were stored have the id as their handle. */
static const char *
id_of(const struct registry_party *party)
{
	return party->known_as != NULL ? party->known_as : party->handle;
}

static enum fault_code
match(const struct registry_plan *plan, struct holder_match *ret_match, struct fault *fault)
{
	AUTO(struct match_party, free) holders = NULL;
	AUTO(struct match_party, free) members = NULL;
	TRY(memory_new(plan->feed.count, sizeof *holders, &holders, fault));
	TRY(memory_new(plan->parties_count, sizeof *members, &members, fault));
	for (size_t i = 0; i < plan->feed.count; i++)
		holders[i] = (struct match_party){ .id = plan->feed.holders[i].id, .resources = &plan->feed.holders[i].resources };
	for (size_t i = 0; i < plan->parties_count; i++)
		members[i] = (struct match_party){ .id = id_of(&plan->parties[i]), .resources = &plan->parties[i].before };
	return holder_match_find(holders, plan->feed.count, members, plan->parties_count, ret_match, fault);
}

/* Whether a CA has this handle, or a holder or member to be made may come to have it. */
static enum fault_code
is_taken(struct db_connection *connection, const struct registry_plan *plan, const char *handle, bool made_up, bool *ret_taken,
	struct fault *fault)
{
	struct fault none = FAULT_INIT;
	int64_t ca_id;
	enum fault_code code = ca_store_find(connection, handle, &ca_id, &none);
	*ret_taken = code == FAULT_NONE;
	if (code != FAULT_NONE && code != FAULT_NOT_FOUND)
		return fault_set(fault, code, "%s", none.message);
	if (!made_up)
		return FAULT_NONE;
	for (size_t i = 0; i < plan->feed.count && !*ret_taken; i++)
		*ret_taken = strcmp(plan->feed.holders[i].id, handle) == 0;
	for (size_t i = (size_t)plan->counts.members; i < plan->parties_count && !*ret_taken; i++)
		*ret_taken = strcmp(plan->parties[i].handle, handle) == 0;
	return FAULT_NONE;
}

/* The holder's id, as imports have it; with a number behind it where that belongs to somebody else. */
static enum fault_code
choose_handle(struct db_connection *connection, const struct registry_plan *plan, const char *id, char handle[HANDLE_MAX + 1],
	struct fault *fault)
{
	bool taken = true;
	(void)snprintf(handle, HANDLE_MAX + 1, "%s", id);
	TRY(command_check_handle(handle, fault));
	TRY(is_taken(connection, plan, handle, false, &taken, fault));
	for (int number = 2; taken; number++) {
		if (number > HANDLE_TRIES)
			return fault_set(fault, FAULT_CONFLICT, "no handle is free for the holder \"%s\"", id);
		(void)snprintf(handle, HANDLE_MAX + 1, "%.*s-%d", HANDLE_MAX - 5, id, number);
		TRY(is_taken(connection, plan, handle, true, &taken, fault));
	}
	return FAULT_NONE;
}

/* Every holder gets its party; ret_party_of: which. What the file gives it is its `after`, for now. */
static enum fault_code
place_holders(struct db_connection *connection, struct registry_plan *plan, const struct holder_match *found, uint32_t *party_of,
	struct fault *fault)
{
	for (size_t i = 0; i < plan->feed.count; i++) {
		const struct feed_holder *holder = &plan->feed.holders[i];
		party_of[i] = found->member_of[i];
		if (party_of[i] == HOLDER_MATCH_NONE) {
			char handle[HANDLE_MAX + 1];
			struct registry_party start = { .ca_id = 0 };
			TRY(feed_line(choose_handle(connection, plan, holder->id, handle, fault), holder->line, fault));
			party_of[i] = (uint32_t)plan->parties_count;
			TRY(add_party(plan, &start, handle, fault));
		}
		struct registry_party *party = &plan->parties[party_of[i]];
		party->line = holder->line;
		if (party->known_as == NULL || strcmp(party->known_as, holder->id) != 0)
			party->alias = holder->id;
		TRY(resource_set_copy(&holder->resources, &party->after, fault));
	}
	return FAULT_NONE;
}

static enum fault_code
leave_with(struct registry_party *party, const struct resource_range *range, struct fault *fault)
{
	if (party->held)
		return FAULT_NONE;
	TRY(resource_range_add(range, &party->after, fault));
	return resource_set_normalise(&party->after, fault);
}

static enum fault_code
withhold_from(struct registry_party *party, const struct resource_range *range, struct fault *fault)
{
	AUTO_CLEAR(struct resource_set, resource_set_clear) one = RESOURCE_SET_INIT;
	AUTO_CLEAR(struct resource_set, resource_set_clear) rest = RESOURCE_SET_INIT;
	TRY(resource_range_add(range, &one, fault));
	TRY(resource_set_difference(&party->after, &one, &rest, fault));
	struct resource_set former = party->after;
	party->after = rest;
	rest = former;
	party->withheld = true;
	return FAULT_NONE;
}

/* A range that one party has and the file gives to another. */
struct passage {
	struct registry_plan *plan;
	uint32_t from, to;
};

static enum fault_code
stay(const struct passage *passage, const struct resource_range *range, const char *reason, struct fault *fault)
{
	struct registry_party *from = &passage->plan->parties[passage->from], *to = &passage->plan->parties[passage->to];
	char text[RANGE_TEXT];
	resource_range_text(range, text);
	TRY(leave_with(from, range, fault));
	TRY(withhold_from(to, range, fault));
	return registry_plan_remark(passage->plan, fault, "%s stays with CA \"%s\" instead of moving to \"%s\": %s", text, from->handle,
		to->handle, reason);
}

static enum fault_code
stay_promised(void *argument, const struct resource_range *range, size_t index, struct fault *fault)
{
	(void)index;
	return stay(argument, range, "it is part of a transfer that waits to be completed or cancelled", fault);
}

static enum fault_code
move(void *argument, const struct resource_range *range, size_t index, struct fault *fault)
{
	const struct passage *passage = argument;
	struct registry_plan *plan = passage->plan;
	(void)index;
	TRY(memory_reserve(&plan->moves, &plan->moves_capacity, plan->moves_count + 1, sizeof *plan->moves, fault));
	plan->moves[plan->moves_count++] = (struct registry_move){ .range = *range, .from = passage->from, .to = passage->to };
	plan->parties[passage->from].gives = true;
	plan->parties[passage->to].takes = true;
	return FAULT_NONE;
}

static enum fault_code
pass(struct registry_plan *plan, const struct match_overlap *overlap, uint32_t to, struct fault *fault)
{
	AUTO_CLEAR(struct resource_set, resource_set_clear) all = RESOURCE_SET_INIT;
	AUTO_CLEAR(struct resource_set, resource_set_clear) promised = RESOURCE_SET_INIT;
	AUTO_CLEAR(struct resource_set, resource_set_clear) others = RESOURCE_SET_INIT;
	const struct registry_party *parties = plan->parties;
	struct passage passage = { .plan = plan, .from = overlap->member, .to = to };
	char reason[HANDLE_MAX + 16];
	if (parties[overlap->member].held || parties[to].held) {
		(void)snprintf(reason, sizeof reason, "\"%s\" is held", parties[parties[to].held ? to : overlap->member].handle);
		return stay(&passage, &overlap->range, reason, fault);
	}
	if (resource_set_empty(&plan->promised))
		return move(&passage, &overlap->range, 0, fault);
	TRY(resource_range_add(&overlap->range, &all, fault));
	TRY(resource_set_intersection(&all, &plan->promised, &promised, fault));
	TRY(resource_set_difference(&all, &plan->promised, &others, fault));
	TRY(resource_range_each(&promised, stay_promised, &passage, fault));
	return resource_range_each(&others, move, &passage, fault);
}

struct keeping {
	struct registry_plan *plan;
	struct registry_party *party;
};

static enum fault_code
keep_range(void *argument, const struct resource_range *range, size_t index, struct fault *fault)
{
	const struct keeping *keeping = argument;
	char text[RANGE_TEXT];
	(void)index;
	resource_range_text(range, text);
	TRY(leave_with(keeping->party, range, fault));
	return registry_plan_remark(keeping->plan, fault, "%s stays with CA \"%s\", although the file gives it to nobody: it is part of a "
		"transfer that waits to be completed or cancelled", text, keeping->party->handle);
}

/* What leaves for another registry leaves with the completion of its transfer, once that one publishes, and not by the file of a day. */
static enum fault_code
keep_promised(struct registry_plan *plan, struct registry_party *party, struct fault *fault)
{
	AUTO_CLEAR(struct resource_set, resource_set_clear) lost = RESOURCE_SET_INIT;
	AUTO_CLEAR(struct resource_set, resource_set_clear) promised = RESOURCE_SET_INIT;
	struct keeping keeping = { .plan = plan, .party = party };
	if (party->held || resource_set_empty(&plan->promised) || resource_set_equal(&party->before, &party->after))
		return FAULT_NONE;
	TRY(resource_set_difference(&party->before, &party->after, &lost, fault));
	TRY(resource_set_intersection(&lost, &plan->promised, &promised, fault));
	return resource_range_each(&promised, keep_range, &keeping, fault);
}

static enum fault_code
keep_held(struct registry_plan *plan, struct registry_party *party, struct fault *fault)
{
	if (!party->held || resource_set_equal(&party->before, &party->after))
		return FAULT_NONE;
	TRY(registry_plan_remark(plan, fault, "CA \"%s\" is held, by an operator, as it is set aside, or as it exchanges resources in a "
		"change that is not published yet: it keeps what it has; apply the file again when that is over", party->handle));
	return resource_set_copy(&party->before, &party->after, fault);
}

static enum fault_code
find_moves(struct registry_plan *plan, const struct holder_match *found, const uint32_t *party_of, struct fault *fault)
{
	for (size_t i = 0; i < found->overlaps_count; i++) {
		const struct match_overlap *overlap = &found->overlaps[i];
		if (party_of[overlap->holder] != overlap->member)
			TRY(pass(plan, overlap, party_of[overlap->holder], fault));
	}
	for (size_t i = 0; i < (size_t)plan->counts.members; i++) {
		TRY(keep_promised(plan, &plan->parties[i], fault));
		TRY(keep_held(plan, &plan->parties[i], fault));
	}
	return FAULT_NONE;
}

static enum registry_change
change_of(const struct registry_party *party)
{
	bool gains = !resource_set_empty(&party->gained), loses = !resource_set_empty(&party->lost);
	/* Whose resources all stay where they are isn't made yet: with an id that changes each day it would be made again each day. */
	if (party->ca_id == 0)
		return party->withheld && !gains ? REGISTRY_SAME : REGISTRY_NEW;
	if (party->line == 0 && loses)
		return REGISTRY_GONE;
	if (gains && loses)
		return REGISTRY_EXCHANGED;
	return gains ? REGISTRY_GROWN : loses ? REGISTRY_SHRUNK : REGISTRY_SAME;
}

static enum fault_code
compare(struct registry_plan *plan, struct fault *fault)
{
	for (size_t i = 0; i < plan->parties_count; i++) {
		struct registry_party *party = &plan->parties[i];
		if (!resource_set_equal(&party->before, &party->after)) {
			TRY(resource_set_difference(&party->after, &party->before, &party->gained, fault));
			TRY(resource_set_difference(&party->before, &party->after, &party->lost, fault));
		}
		party->change = change_of(party);
		plan->counts.changes[party->change]++;
		plan->counts.aliases += party->ca_id != 0 && party->alias != NULL;
	}
	plan->counts.holders = (int64_t)plan->feed.count;
	plan->counts.moves = (int64_t)plan->moves_count;
	return FAULT_NONE;
}

static uint32_t
group_of(struct registry_plan *plan, uint32_t party)
{
	struct registry_party *parties = plan->parties;
	while (parties[party].group != party) {
		parties[party].group = parties[parties[party].group].group;
		party = parties[party].group;
	}
	return party;
}

/* Whoever exchanges resources with others, also over several corners, is of one group. */
static void
form_groups(struct registry_plan *plan)
{
	for (size_t i = 0; i < plan->moves_count; i++) {
		uint32_t a = group_of(plan, plan->moves[i].from), b = group_of(plan, plan->moves[i].to);
		plan->parties[a > b ? a : b].group = a > b ? b : a;
	}
	for (size_t i = 0; i < plan->parties_count; i++)
		plan->parties[i].group = group_of(plan, (uint32_t)i);
}

static enum fault_code
compute(struct db_connection *connection, struct registry_plan *plan, struct fault *fault)
{
	AUTO_CLEAR(struct holder_match, holder_match_clear) found = HOLDER_MATCH_INIT;
	AUTO(uint32_t, free) party_of = NULL;
	TRY(match(plan, &found, fault));
	TRY(memory_new(plan->feed.count, sizeof *party_of, &party_of, fault));
	TRY(place_holders(connection, plan, &found, party_of, fault));
	TRY(find_moves(plan, &found, party_of, fault));
	TRY(compare(plan, fault));
	form_groups(plan);
	return FAULT_NONE;
}

enum fault_code
registry_plan_make(struct db_connection *connection, const char *path, const struct registry_limits *limits,
	struct registry_plan **ret_plan, struct fault *fault)
{
	AUTO(struct registry_plan, registry_plan_free) plan = NULL;
	AUTO(struct digest, digest_free) digest = NULL;
	TRY(memory_new(1, sizeof *plan, &plan, fault));
	plan->feed = REGISTRY_FEED_INIT;
	TRY(registry_feed_read(path, &plan->feed, fault));
	TRY(check_registry(connection, plan, limits, fault));
	TRY(check_above(connection, &plan->feed, fault));
	TRY(registry_transfers_promised(connection, &plan->promised, fault));
	TRY(load_members(connection, plan, fault));
	TRY(compute(connection, plan, fault));
	TRY(digest_new(&digest, fault));
	TRY(registry_breaker_digest(plan, digest, fault));
	TRY(registry_roas_find(connection, plan, digest, fault));
	TRY(registry_breaker_judge(plan, limits, digest, fault));
	TRY(registry_transfers_judge(connection, plan, fault));
	*ret_plan = MOVE(plan);
	return FAULT_NONE;
}
