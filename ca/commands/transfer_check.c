#include "ca/commands/transfer_check.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "ca/commands/holdings.h"
#include "ca/commands/intent.h"
#include "db/stores/ca_store.h"
#include "db/stores/transfer_store.h"

static enum fault_code
complain(struct transfer_run *run, const char *field, const char *words, struct fault *fault)
{
	return complaints_add(run->complaints, fault, "", 0, field, "%s", words);
}

static enum fault_code
complain_invalid(struct transfer_run *run, const char *field, const char *words, struct fault *fault)
{
	run->invalid = true;
	return complain(run, field, words, fault);
}

/* What needs no database. */
static enum fault_code
check_form(struct transfer_run *run, struct fault *fault)
{
	const struct transfer_request *request = &run->request;
	if (request->from == NULL && request->to == NULL)
		TRY(complain_invalid(run, "to", "is missing: from, to or both name a member of this registry", fault));
	if (request->from != NULL && request->to != NULL && strcmp(request->from, request->to) == 0)
		TRY(complain_invalid(run, "to", "is the member that the resources come from", fault));
	if (resource_set_empty(request->resources))
		TRY(complain_invalid(run, "resources", "names nothing that could be transferred", fault));
	if (request->to == NULL && request->added_count > 0)
		TRY(complain_invalid(run, "added", "goes with a receiver in this registry", fault));
	return FAULT_NONE;
}

/* NULL, or why nothing can be transferred to or from a CA now. */
static const char *
state_fault(const struct ca_record *record, bool receives)
{
	if (strcmp(record->state, "active") != 0)
		return "is being deleted";
	if (record->set_aside_reason != NULL)
		return "is set aside, so nothing would be issued for it: see cadastre ca show, then cadastre ca repair";
	if (record->held_at != 0)
		return "is on hold, so its half would wait: release it first (cadastre ca release)";
	/*
	 * Who gives goes last, once all who receive are ready. Nobody can be both: then a receiver that can't be issued for would leave its
	 * giver's payloads to nobody.
	 */
	if (record->change_group != 0 && record->change_last == receives)
		return receives ? "gives up resources in a change that isn't published yet: ask again once it is" :
			"receives resources in a change that isn't published yet: ask again once it is";
	if (receives && record->suspended_at != 0)
		return "is suspended, so the ROAs would vanish: resume it first (cadastre ca resume)";
	return NULL;
}

static enum fault_code
find(struct db_connection *connection, struct transfer_run *run, struct transfer_party *party, const char *handle, const char *field,
	struct fault *fault)
{
	struct fault none = FAULT_INIT;
	(void)snprintf(party->handle, sizeof party->handle, "%s", handle);
	enum fault_code code = ca_store_find(connection, handle, &party->side.ca_id, &none);
	if (code == FAULT_NOT_FOUND)
		return complain_invalid(run, field, none.message, fault);
	return code == FAULT_NONE ? FAULT_NONE : fault_set(fault, code, "%s", none.message);
}

static enum fault_code
load(struct db_connection *connection, struct transfer_run *run, struct transfer_party *party, const char *field, struct fault *fault)
{
	AUTO(struct stmt, stmt_done) stmt = NULL;
	struct ca_record record;
	struct fault none = FAULT_INIT;
	char words[256];
	enum fault_code code = ca_store_get(connection, party->side.ca_id, &stmt, &record, &none);
	if (code == FAULT_NOT_FOUND)
		return complain(run, field, "was deleted since: cancel the transfer", fault);
	if (code != FAULT_NONE)
		return fault_set(fault, code, "%s", none.message);
	(void)snprintf(party->handle, sizeof party->handle, "%s", record.handle);
	if (strcmp(record.kind, "member") != 0) {
		party->side.ca_id = 0; /* what it holds is of no interest then */
		return complain(run, field, "is one of the engine's own CAs: resources are transferred between members", fault);
	}
	const char *reason = state_fault(&record, party == &run->to);
	if (reason != NULL) {
		(void)snprintf(words, sizeof words, "CA \"%s\" %s", party->handle, reason);
		TRY(complain(run, field, words, fault));
	}
	party->parent_id = record.parent_id;
	party->roas_count = record.roas_count;
	return record.resources.data != NULL ? resource_set_decode(record.resources, &party->side.before, fault) : FAULT_NONE;
}

static enum fault_code
load_side(struct db_connection *connection, struct transfer_run *run, struct transfer_party *party, const char *handle,
	const char *field, struct fault *fault)
{
	if (party->side.ca_id == 0 && handle != NULL)
		TRY(find(connection, run, party, handle, field, fault));
	return party->side.ca_id != 0 ? load(connection, run, party, field, fault) : FAULT_NONE;
}

/* A complaint for each range of the resources that lies outside of a set, or inside. */
static enum fault_code
complain_of_ranges(struct transfer_run *run, const struct resource_set *set, bool inside, const char *words, struct fault *fault)
{
	AUTO_CLEAR(struct resource_set, resource_set_clear) wrong = RESOURCE_SET_INIT;
	const struct resource_set *resources = run->request.resources;
	if (inside)
		TRY(resource_set_intersection(resources, set, &wrong, fault));
	else
		TRY(resource_set_difference(resources, set, &wrong, fault));
	run->invalid = run->invalid || !resource_set_empty(&wrong);
	return resource_complaints_add(run->complaints, &resource_lists_whole, resources, &wrong, words, fault);
}

static enum fault_code
check_giver(struct transfer_run *run, struct fault *fault)
{
	char words[HANDLE_MAX + 64];
	(void)snprintf(words, sizeof words, "is not held by CA \"%s\"", run->from.handle);
	return run->from.side.ca_id != 0 ? complain_of_ranges(run, &run->from.side.before, false, words, fault) : FAULT_NONE;
}

/* From another registry: nobody here may hold any of it. holdings_check_part() says who does. */
static enum fault_code
check_others(struct db_connection *connection, struct transfer_run *run, const struct holdings_above *above, struct fault *fault)
{
	AUTO_CLEAR(struct resource_set, resource_set_clear) possible = RESOURCE_SET_INIT;
	struct fault none = FAULT_INIT;
	size_t before = run->complaints->total;
	TRY(resource_set_intersection(run->request.resources, &above->resources, &possible, fault));
	enum fault_code code = holdings_check_part(connection, above, run->to.side.ca_id, &resource_lists_whole, &possible,
		run->complaints, &none);
	run->overlaps = run->overlaps || run->complaints->total > before;
	if (code == FAULT_NONE || code == FAULT_INVALID || code == FAULT_RESOURCE_CONFLICT)
		return FAULT_NONE;
	return fault_set(fault, code, "%s", none.message);
}

static enum fault_code
check_receiver(struct db_connection *connection, struct transfer_run *run, struct fault *fault)
{
	AUTO_CLEAR(struct holdings_above, holdings_above_clear) above = HOLDINGS_ABOVE_INIT;
	char words[2 * HANDLE_MAX + 96];
	if (run->to.side.ca_id == 0)
		return FAULT_NONE;
	(void)snprintf(words, sizeof words, "is held by CA \"%s\" already", run->to.handle);
	TRY(complain_of_ranges(run, &run->to.side.before, true, words, fault));
	if (run->to.parent_id == 0)
		return FAULT_NONE;
	TRY(holdings_above_find(connection, run->to.parent_id, &above, fault));
	(void)snprintf(words, sizeof words, "is not held by the CA above, \"%s\": add it there first (cadastre ca set %s --add)", above.handle,
		above.handle);
	TRY(complain_of_ranges(run, &above.resources, false, words, fault));
	return run->request.from == NULL ? check_others(connection, run, &above, fault) : FAULT_NONE;
}

static enum fault_code
check_prepared(struct transfer_run *run, int64_t transfer_id, struct span blob, struct fault *fault)
{
	AUTO_CLEAR(struct resource_set, resource_set_clear) theirs = RESOURCE_SET_INIT;
	AUTO_CLEAR(struct resource_set, resource_set_clear) common = RESOURCE_SET_INIT;
	char words[96];
	TRY(resource_set_decode(blob, &theirs, fault));
	TRY(resource_set_intersection(run->request.resources, &theirs, &common, fault));
	if (resource_set_empty(&common))
		return FAULT_NONE;
	run->overlaps = true;
	(void)snprintf(words, sizeof words, "is part of transfer %" PRId64 ", which waits to be completed or cancelled", transfer_id);
	return resource_complaints_add(run->complaints, &resource_lists_whole, run->request.resources, &common, words, fault);
}

/* What is promised to another registry goes nowhere else. */
static enum fault_code
check_all_prepared(struct db_connection *connection, struct transfer_run *run, struct fault *fault)
{
	AUTO(struct stmt, stmt_done) stmt = NULL;
	size_t count = 0;
	TRY(transfer_store_prepared(connection, &stmt, fault));
	for (;;) {
		int64_t transfer_id;
		struct span resources;
		bool found;
		TRY(transfer_store_next_resources(stmt, &transfer_id, &resources, &found, fault));
		if (!found)
			break;
		count++;
		if (!run->completing || transfer_id != run->transfer_id)
			TRY(check_prepared(run, transfer_id, resources, fault));
	}
	if (!run->completing && run->request.to == NULL && count >= TRANSFERS_PREPARED_MAX)
		return fault_set(fault, FAULT_TOO_LARGE, "%d transfers wait to be completed: complete or cancel some first",
			TRANSFERS_PREPARED_MAX);
	return FAULT_NONE;
}

static enum fault_code
set_afterwards(struct transfer_run *run, struct fault *fault)
{
	struct transfer_side *from = &run->from.side, *to = &run->to.side;
	TRY(resource_set_difference(&from->before, run->request.resources, &from->after, fault));
	if (to->ca_id != 0)
		TRY(resource_set_union(&to->before, run->request.resources, &to->after, fault));
	const struct transfer_party *parties[] = { &run->from, &run->to };
	for (size_t i = 0; i < 2; i++)
		if (resource_set_ranges(&parties[i]->side.after) > RESOURCE_SET_RANGES_MAX)
			return fault_set(fault, FAULT_TOO_LARGE, "CA \"%s\" would hold %zu ranges, of at most %d", parties[i]->handle,
				resource_set_ranges(&parties[i]->side.after), RESOURCE_SET_RANGES_MAX);
	return FAULT_NONE;
}

static enum fault_code
check_added(struct transfer_run *run, struct fault *fault)
{
	const struct transfer_request *request = &run->request;
	for (size_t i = 0; i < request->added_count && run->to.side.ca_id != 0; i++) {
		const struct roa_entry *entry = &request->added[i];
		const char *reason = entry->comment != NULL ? intent_comment_fault(entry->comment) : NULL;
		char text[PAYLOAD_TEXT];
		payload_text(&entry->payload, text);
		bool held = resource_set_holds_prefix(&run->to.side.after, &entry->payload.prefix);
		run->invalid = run->invalid || !held || reason != NULL;
		if (!held)
			TRY(complaints_add(run->complaints, fault, "added", entry->index, "prefix",
				"%s is not within what CA \"%s\" would hold", text, run->to.handle));
		if (reason != NULL)
			TRY(complaints_add(run->complaints, fault, "added", entry->index, "comment", "%s", reason));
	}
	return FAULT_NONE;
}

/* One fault for all complaints: its kind is that of the worst. */
static enum fault_code
conclude(struct transfer_run *run, struct fault *fault)
{
	const struct complaints *complaints = run->complaints;
	if (complaints->total == 0)
		return FAULT_NONE;
	const struct complaint *first = &complaints->items[0];
	enum fault_code code = run->invalid ? FAULT_INVALID : run->overlaps ? FAULT_RESOURCE_CONFLICT : FAULT_CONFLICT;
	char more[64] = "";
	if (complaints->total > 1)
		(void)snprintf(more, sizeof more, " (and %zu more)", complaints->total - 1);
	if (first->list[0] != '\0')
		return fault_set(fault, code, "%s[%zu]: %s%s", first->list, first->index, first->reason, more);
	return fault_set(fault, code, "%s: %s%s", first->field, first->reason, more);
}

enum fault_code
transfer_check(struct db_connection *connection, struct transfer_run *run, struct fault *fault)
{
	TRY(check_form(run, fault));
	TRY(load_side(connection, run, &run->from, run->request.from, "from", fault));
	TRY(load_side(connection, run, &run->to, run->request.to, "to", fault));
	TRY(check_giver(run, fault));
	TRY(check_receiver(connection, run, fault));
	TRY(check_all_prepared(connection, run, fault));
	TRY(set_afterwards(run, fault));
	TRY(check_added(run, fault));
	return conclude(run, fault);
}
