#include "ca/commands/transfer_commands.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "ca/commands/holdings.h"
#include "ca/commands/intent.h"
#include "ca/commands/transfer_check.h"
#include "db/stores/ca_store.h"
#include "db/stores/transfer_store.h"

#define DETAIL_RANGES 4         /* so many of the resources are named in the audit row */
#define DETAIL_SIZE 480

static const char *const roas_texts[] = { [TRANSFER_MOVE] = "move", [TRANSFER_LEAVE] = "leave" };
static const char *const straddling_texts[] = { [TRANSFER_REFUSE] = "refuse", [TRANSFER_KEEP] = "keep", [TRANSFER_REPLACE] = "replace" };

const char *
transfer_roas_text(enum transfer_roas roas)
{
	return roas_texts[roas];
}

const char *
transfer_straddling_text(enum transfer_straddling straddling)
{
	return straddling_texts[straddling];
}

bool
transfer_roas_parse(const char *text, enum transfer_roas *ret_roas)
{
	for (unsigned i = 0; i < sizeof roas_texts / sizeof *roas_texts; i++) {
		if (strcmp(text, roas_texts[i]) == 0) {
			*ret_roas = (enum transfer_roas)i;
			return true;
		}
	}
	return false;
}

bool
transfer_straddling_parse(const char *text, enum transfer_straddling *ret_straddling)
{
	for (unsigned i = 0; i < sizeof straddling_texts / sizeof *straddling_texts; i++) {
		if (strcmp(text, straddling_texts[i]) == 0) {
			*ret_straddling = (enum transfer_straddling)i;
			return true;
		}
	}
	return false;
}

static void
run_clear(struct transfer_run *run)
{
	struct transfer_side *sides[] = { &run->from.side, &run->to.side };
	for (size_t i = 0; i < 2; i++) {
		resource_set_clear(&sides[i]->before);
		resource_set_clear(&sides[i]->after);
	}
}

/* ---- intents ---- */

static enum fault_code
remove_roa(struct db_connection *connection, struct transfer_party *party, const struct payload *payload, struct fault *fault)
{
	bool removed;
	TRY(intent_remove(connection, party->side.ca_id, payload, &removed, fault));
	party->roas_more -= removed;
	party->roas_changed = party->roas_changed || removed;
	return FAULT_NONE;
}

static enum fault_code
add_roa(struct db_connection *connection, struct transfer_party *party, const struct payload *payload, const char *comment,
	int64_t created_at, size_t *count, struct fault *fault)
{
	bool added;
	if (party->side.ca_id == 0)
		return FAULT_NONE;
	TRY(intent_add(connection, party->side.ca_id, payload, comment, created_at, &added, fault));
	party->roas_more += added;
	party->roas_changed = party->roas_changed || added;
	*count += added;
	return FAULT_NONE;
}

static enum fault_code
replace_roa(struct db_connection *connection, struct transfer_run *run, const struct transfer_roa *roa, struct fault *fault)
{
	const struct payload *proposed = run->effect->replacements;
	TRY(remove_roa(connection, &run->from, &roa->payload, fault));
	for (size_t i = 0; i < roa->remaining; i++)
		TRY(add_roa(connection, &run->from, &proposed[roa->first_remaining + i], roa->comment, run->now_at, &run->roas_added,
			fault));
	for (size_t i = 0; i < roa->transferred && run->request.roas == TRANSFER_MOVE; i++)
		TRY(add_roa(connection, &run->to, &proposed[roa->first_transferred + i], roa->comment, run->now_at, &run->roas_added,
			fault));
	return FAULT_NONE;
}

static enum fault_code
move_roa(struct db_connection *connection, struct transfer_run *run, const struct transfer_roa *roa, struct fault *fault)
{
	size_t moved = 0;
	if (roa->straddles)
		return run->request.straddling == TRANSFER_REPLACE ? replace_roa(connection, run, roa, fault) : FAULT_NONE;
	if (run->request.roas == TRANSFER_LEAVE)
		return FAULT_NONE;
	TRY(remove_roa(connection, &run->from, &roa->payload, fault));
	return add_roa(connection, &run->to, &roa->payload, roa->comment, roa->created_at, &moved, fault);
}

static enum fault_code
count_roas(struct db_connection *connection, const struct transfer_run *run, const struct transfer_party *party, struct fault *fault)
{
	int64_t count = party->roas_count + party->roas_more;
	if (!party->roas_changed)
		return FAULT_NONE;
	if (party->roas_more > 0 && count > ROAS_PER_CA_MAX)
		return fault_set(fault, FAULT_TOO_LARGE, "a CA has %d ROAs at most; CA \"%s\" would have %" PRId64, ROAS_PER_CA_MAX,
			party->handle, count);
	return ca_store_change_roas(connection, party->side.ca_id, party->roas_more, NULL, run->now_at, fault);
}

static enum fault_code
move_roas(struct db_connection *connection, struct transfer_run *run, struct fault *fault)
{
	const struct transfer_effect *effect = run->effect;
	const struct transfer_request *request = &run->request;
	for (size_t i = 0; i < effect->roas_count; i++)
		TRY(move_roa(connection, run, &effect->roas[i], fault));
	/* What is there by now, moved or wanted, is as good. */
	for (size_t i = 0; i < request->added_count; i++)
		TRY(add_roa(connection, &run->to, &request->added[i].payload, request->added[i].comment, run->now_at, &run->roas_added,
			fault));
	TRY(count_roas(connection, run, &run->from, fault));
	return count_roas(connection, run, &run->to, fault);
}

/* ---- holdings ---- */

static enum fault_code
set_resources(struct db_connection *connection, const struct transfer_run *run, const struct transfer_party *party,
	struct fault *fault)
{
	AUTO_CLEAR(struct bytes, bytes_clear) blob = BYTES_INIT;
	if (party->side.ca_id == 0)
		return FAULT_NONE;
	TRY(resource_set_encode(&party->side.after, &blob, fault));
	TRY(holdings_replace(connection, party->side.ca_id, &party->side.after, fault));
	return ca_store_set_resources(connection, party->side.ca_id, bytes_span(&blob), run->now_at, fault);
}

/* The giver lets go before the receiver takes: holdings are disjoint at every statement. */
static enum fault_code
apply(struct db_connection *connection, struct transfer_run *run, struct fault *fault)
{
	TRY(move_roas(connection, run, fault));
	TRY(set_resources(connection, run, &run->from, fault));
	TRY(set_resources(connection, run, &run->to, fault));
	return ca_store_group(connection, run->from.side.ca_id, run->to.side.ca_id, fault);
}

/* ---- the record of it ---- */

static enum fault_code
record(struct db_connection *connection, struct transfer_run *run, bool prepared, struct fault *fault)
{
	AUTO_CLEAR(struct bytes, bytes_clear) blob = BYTES_INIT;
	const struct transfer_request *request = &run->request;
	TRY(resource_set_encode(request->resources, &blob, fault));
	const struct transfer_record row = {
		.transfer_id = run->transfer_id,
		.state = prepared ? "prepared" : "issuing",
		.from_ca_id = run->from.side.ca_id,
		.to_ca_id = run->to.side.ca_id,
		.resources = bytes_span(&blob),
		.roas = transfer_roas_text(request->roas),
		.straddling = transfer_straddling_text(request->straddling),
		.roas_within = (int64_t)run->effect->within,
		.roas_straddling = (int64_t)run->effect->straddling,
		.roas_added = (int64_t)run->roas_added,
		.actor = run->actor->name,
		.created_at = run->now_at,
	};
	if (run->completing)
		return transfer_store_complete(connection, &row, run->now_at, fault);
	return transfer_store_insert(connection, &row, &run->transfer_id, fault);
}

struct detail {
	char text[DETAIL_SIZE];
	size_t ranges;
};

static void
append(struct detail *detail, const char *text)
{
	size_t length = strlen(detail->text);
	(void)snprintf(detail->text + length, sizeof detail->text - length, "%s", text);
}

static enum fault_code
append_range(void *argument, const struct resource_range *range, size_t index, struct fault *fault)
{
	struct detail *detail = argument;
	char text[RANGE_TEXT];
	(void)index;
	(void)fault;
	if (detail->ranges++ >= DETAIL_RANGES)
		return FAULT_NONE;
	resource_range_text(range, text);
	append(detail, detail->ranges > 1 ? ", " : "");
	append(detail, text);
	return FAULT_NONE;
}

/*
 * "transfer 7 of AS64500, 192.0.2.0/25 to another member: 3 ROAs move, 1 straddling (replace), 0 added", as one side's members may read
 * it: they never see another member's name.
 */
static enum fault_code
describe(const struct transfer_run *run, const struct transfer_party *party, const struct resource_set *resources,
	struct detail *detail, struct fault *fault)
{
	char rest[320];
	const struct transfer_effect *effect = run->effect;
	(void)snprintf(detail->text, sizeof detail->text, "transfer %" PRId64 " of ", run->transfer_id);
	TRY(resource_range_each(resources, append_range, detail, fault));
	if (detail->ranges > DETAIL_RANGES) {
		(void)snprintf(rest, sizeof rest, " and %zu more", detail->ranges - DETAIL_RANGES);
		append(detail, rest);
	}
	bool gives = party == &run->from;
	const struct transfer_party *other = gives ? &run->to : &run->from;
	(void)snprintf(rest, sizeof rest, " %s another %s", gives ? "to" : "from", other->side.ca_id != 0 ? "member" : "registry");
	append(detail, rest);
	if (effect == NULL)
		return FAULT_NONE;
	(void)snprintf(rest, sizeof rest, ": %zu ROAs %s, %zu straddling (%s), %zu added", effect->within,
		transfer_roas_text(run->request.roas), effect->straddling, transfer_straddling_text(run->request.straddling),
		run->roas_added);
	append(detail, rest);
	return FAULT_NONE;
}

/* In the audit of both. */
static enum fault_code
audit(struct db_connection *connection, const struct transfer_run *run, const char *action, const struct resource_set *resources,
	struct fault *fault)
{
	const struct transfer_party *parties[] = { &run->from, &run->to };
	for (size_t i = 0; i < 2; i++) {
		struct detail detail = { .ranges = 0 };
		TRY(describe(run, parties[i], resources, &detail, fault));
		struct audit_event event = {
			.action = action, .ca_id = parties[i]->side.ca_id, .ca_handle = parties[i]->handle, .outcome = "done",
			.detail = detail.text,
		};
		if (parties[i]->side.ca_id != 0)
			TRY(audit_write(connection, run->now_at, run->actor, &event, fault));
	}
	return FAULT_NONE;
}

/* ---- commands ---- */

static enum fault_code
check_staff(const struct actor *actor, struct fault *fault)
{
	if (actor->ca_id != 0 || actor->role < ROLE_OPERATOR)
		return fault_set(fault, FAULT_NOT_FOUND, "there is no such transfer");
	return FAULT_NONE;
}

static enum fault_code
check_straddling(const struct transfer_run *run, struct fault *fault)
{
	struct transfer_effect *effect = run->effect;
	effect->undecided = effect->straddling > 0 && run->request.straddling == TRANSFER_REFUSE;
	if (!effect->undecided || run->request.dry_run)
		return FAULT_NONE;
	return fault_set(fault, FAULT_CONFLICT, "%zu of the ROAs of CA \"%s\" %s in these resources with a part only: say with "
		"\"straddling\" whether to replace them as proposed or to keep them, not held", effect->straddling, run->from.handle,
		effect->straddling == 1 ? "lies" : "lie");
}

/* Everything, from the checks to the audit, but for what is undone for a dry run. */
static enum fault_code
make(struct db_connection *connection, struct transfer_run *run, struct fault *fault)
{
	bool prepared = run->request.to == NULL && !run->completing;
	TRY(transfer_check(connection, run, fault));
	TRY(transfer_effect_find(connection, &run->from.side, &run->to.side, run->request.resources, run->effect, fault));
	TRY(check_straddling(run, fault));
	if (!prepared)
		TRY(apply(connection, run, fault));
	TRY(record(connection, run, prepared, fault));
	TRY(audit(connection, run, run->completing ? "transfer.complete" : "transfer.create", run->request.resources, fault));
	if (!run->request.dry_run)
		return FAULT_NONE;
	run->dry_run_done = true;
	return fault_set(fault, FAULT_STALE, "a dry run is not kept"); /* makes the writer undo it; told to nobody */
}

static enum fault_code
create(struct db_connection *connection, void *argument, struct fault *fault)
{
	struct transfer_run *run = argument;
	TRY(check_staff(run->actor, fault));
	return make(connection, run, fault);
}

/* A refusal tells of both sides, so it is in no member's own audit. */
static void
audit_refusal(const struct transfer_run *run, const char *action, const struct fault *refusal)
{
	command_audit_refusal(run->context, run->actor, (struct audit_event){ .action = action }, refusal);
}

static enum fault_code
write_run(struct transfer_run *run, db_change change, const char *action, struct fault *fault)
{
	struct fault own = FAULT_INIT;
	if (fault == NULL)
		fault = &own;
	enum fault_code code = db_write(run->context->db, change, run, fault);
	if (run->dry_run_done) {
		fault_clear(fault);
		return FAULT_NONE;
	}
	if (code != FAULT_NONE && !run->request.dry_run)
		audit_refusal(run, action, fault);
	if (code == FAULT_NONE && run->context->wake != NULL)
		run->context->wake(run->context->scheduler);
	return code;
}

enum fault_code
transfer_create(const struct command_context *context, const struct actor *actor, const struct transfer_request *request,
	struct complaints *complaints, struct transfer_effect *ret_effect, int64_t *ret_transfer_id, struct fault *fault)
{
	AUTO_CLEAR(struct transfer_run, run_clear) run = {
		.context = context,
		.actor = actor,
		.request = *request,
		.complaints = complaints,
		.effect = ret_effect,
		.now_at = clock_now(context->clock),
	};
	TRY(write_run(&run, create, "transfer.create", fault));
	*ret_transfer_id = run.transfer_id;
	return FAULT_NONE;
}

static enum fault_code
load_prepared(struct db_connection *connection, struct transfer_run *run, struct stmt **ret_stmt, struct transfer_record *ret_row,
	struct fault *fault)
{
	AUTO(struct stmt, stmt_done) stmt = NULL;
	TRY(check_staff(run->actor, fault));
	TRY(transfer_store_get(connection, run->transfer_id, &stmt, ret_row, fault));
	run->from.side.ca_id = ret_row->from_ca_id;
	if (ret_row->from_handle != NULL)
		(void)snprintf(run->from.handle, sizeof run->from.handle, "%s", ret_row->from_handle);
	if (strcmp(ret_row->state, "prepared") != 0)
		return fault_set(fault, FAULT_CONFLICT, "transfer %" PRId64 " is not waiting to be completed: it is %s", run->transfer_id,
			strcmp(ret_row->state, "cancelled") == 0 ? "cancelled" : "made");
	*ret_stmt = MOVE(stmt);
	return FAULT_NONE;
}

/* A completion, and how it differs from what was asked for when it was prepared. */
struct completion {
	struct transfer_run run;
	const enum transfer_straddling *straddling;
	struct resource_set resources;
};

static void
completion_clear(struct completion *completion)
{
	run_clear(&completion->run);
	resource_set_clear(&completion->resources);
}

static enum fault_code
complete(struct db_connection *connection, void *argument, struct fault *fault)
{
	/* The run is the first member of its completion. */
	struct completion *completion = argument;
	struct transfer_run *run = &completion->run;
	AUTO(struct stmt, stmt_done) stmt = NULL;
	struct transfer_record row;
	TRY(load_prepared(connection, run, &stmt, &row, fault));
	TRY(resource_set_decode(row.resources, &completion->resources, fault));
	run->request.from = run->from.handle;
	run->request.resources = &completion->resources;
	INVARIANT(transfer_roas_parse(row.roas, &run->request.roas));
	INVARIANT(transfer_straddling_parse(row.straddling, &run->request.straddling));
	if (completion->straddling != NULL)
		run->request.straddling = *completion->straddling;
	return make(connection, run, fault);
}

enum fault_code
transfer_complete(const struct command_context *context, const struct actor *actor, int64_t transfer_id,
	const enum transfer_straddling *straddling, bool dry_run, struct complaints *complaints, struct transfer_effect *ret_effect,
	struct fault *fault)
{
	AUTO_CLEAR(struct completion, completion_clear) completion = {
		.run = {
			.context = context,
			.actor = actor,
			.request = { .dry_run = dry_run },
			.complaints = complaints,
			.effect = ret_effect,
			.now_at = clock_now(context->clock),
			.transfer_id = transfer_id,
			.completing = true,
		},
		.straddling = straddling,
		.resources = RESOURCE_SET_INIT,
	};
	return write_run(&completion.run, complete, "transfer.complete", fault);
}

static enum fault_code
cancel(struct db_connection *connection, void *argument, struct fault *fault)
{
	struct transfer_run *run = argument;
	AUTO(struct stmt, stmt_done) stmt = NULL;
	AUTO_CLEAR(struct resource_set, resource_set_clear) resources = RESOURCE_SET_INIT;
	struct transfer_record row;
	TRY(load_prepared(connection, run, &stmt, &row, fault));
	TRY(resource_set_decode(row.resources, &resources, fault));
	TRY(transfer_store_cancel(connection, run->transfer_id, run->now_at, fault));
	return audit(connection, run, "transfer.cancel", &resources, fault);
}

enum fault_code
transfer_cancel(const struct command_context *context, const struct actor *actor, int64_t transfer_id, struct fault *fault)
{
	AUTO_CLEAR(struct transfer_run, run_clear) run = {
		.context = context, .actor = actor, .now_at = clock_now(context->clock), .transfer_id = transfer_id, .completing = true,
	};
	return write_run(&run, cancel, "transfer.cancel", fault);
}
