#include "ca/commands/import_batch.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "ca/base/memory.h"
#include "ca/commands/holdings.h"
#include "ca/commands/intent.h"
#include "ca/commands/member.h"
#include "ca/commands/roa_commands.h"
#include "db/stores/ca_store.h"

/* What entries cost the writer, in payloads; a batch has so many: 5 ms of its time, as whoever comes meanwhile waits for its end. */
#define BATCH_COST 800
#define MEMBER_COST 10

struct batch_entry {
	uint32_t line;
	bool is_member, has_handle;
	char handle[HANDLE_MAX + 1];
	struct resource_set resources;
	struct payload payload;
};

struct import_batch {
	struct batch_entry *entries;
	size_t count, capacity;
	size_t cost;
	/*
	 * Where members go, found when the first one is to be made and kept from one transaction to the next: counting 20,000
	 * children each time would cost more than all else. Others may come to the same place meanwhile: its limit is not that
	 * sharp.
	 */
	struct member_place place;
};

/* A member that got payloads in this transaction. */
struct target {
	int64_t ca_id;
	int64_t roas;                                   /* before */
	int64_t more;
};

/* One transaction. */
struct step {
	const struct import_batch *batch;
	const struct command_context *context;
	const struct actor *actor;
	const char *import_id;
	int64_t now_at;
	struct db_connection *connection;
	struct import_counts counts;
	struct member_place *place;                     /* the batch's */
	struct target *targets;
	size_t targets_count, targets_capacity;
	/* The member whose payloads follow each other. */
	char handle[HANDLE_MAX + 1];
	int64_t ca_id;                                  /* 0: it can have none */
	struct resource_set held;
};

enum fault_code
import_batch_new(struct import_batch **ret_batch, struct fault *fault)
{
	TRY(memory_new(1, sizeof **ret_batch, ret_batch, fault));
	(*ret_batch)->place = MEMBER_PLACE_INIT;
	return FAULT_NONE;
}

static void
empty(struct import_batch *batch)
{
	for (size_t i = 0; i < batch->count; i++)
		resource_set_clear(&batch->entries[i].resources);
	batch->count = 0;
	batch->cost = 0;
}

void
import_batch_free(struct import_batch *batch)
{
	if (batch == NULL)
		return;
	empty(batch);
	member_place_clear(&batch->place);
	free(batch->entries);
	free(batch);
}

bool
import_batch_is_full(const struct import_batch *batch)
{
	return batch->cost >= BATCH_COST;
}

bool
import_batch_is_empty(const struct import_batch *batch)
{
	return batch->count == 0;
}

enum fault_code
import_batch_add(struct import_batch *batch, const struct import_entry *entry, struct fault *fault)
{
	TRY(memory_reserve(&batch->entries, &batch->capacity, batch->count + 1, sizeof *batch->entries, fault));
	struct batch_entry *copy = &batch->entries[batch->count];
	*copy = (struct batch_entry){
		.line = entry->line,
		.is_member = entry->resources != NULL,
		.has_handle = entry->handle != NULL,
		.resources = RESOURCE_SET_INIT,
		.payload = entry->payload,
	};
	if (copy->has_handle)
		(void)snprintf(copy->handle, sizeof copy->handle, "%s", entry->handle);
	if (copy->is_member)
		TRY(resource_set_copy(entry->resources, &copy->resources, fault));
	batch->cost += copy->is_member ? MEMBER_COST + resource_set_ranges(&copy->resources) : 1;
	batch->count++;
	return FAULT_NONE;
}

static void
step_clear(struct step *step)
{
	free(step->targets);
	resource_set_clear(&step->held);
}

static enum fault_code remark(struct step *step, const char *kind, const struct batch_entry *entry, struct fault *fault,
	const char *format, ...) PRINTF_LIKE(5, 6);

static enum fault_code
remark(struct step *step, const char *kind, const struct batch_entry *entry, struct fault *fault, const char *format, ...)
{
	char text[800];
	int length = snprintf(text, sizeof text, "line %" PRIu32 ": ", entry->line);
	va_list arguments;
	va_start(arguments, format);
	(void)vsnprintf(text + length, sizeof text - (size_t)length, format, arguments);
	va_end(arguments);
	return import_store_remark(step->connection, step->import_id, IMPORT_REMARKS_MAX, kind, text, fault);
}

/* *ret_ca_id 0: there is no such CA. */
static enum fault_code
find_member(struct step *step, const char *handle, int64_t *ret_ca_id, struct fault *fault)
{
	struct fault none = FAULT_INIT;
	enum fault_code code = ca_store_find(step->connection, handle, ret_ca_id, &none);
	if (code == FAULT_NOT_FOUND)
		*ret_ca_id = 0;
	return code == FAULT_NONE || code == FAULT_NOT_FOUND ? FAULT_NONE : fault_set(fault, code, "%s", none.message);
}

/* A member that is there already is never changed: the file may be older than what the registry told us since. */
static enum fault_code
compare_member(struct step *step, const struct batch_entry *entry, int64_t ca_id, struct fault *fault)
{
	AUTO(struct stmt, stmt_done) stmt = NULL;
	AUTO_CLEAR(struct bytes, bytes_clear) blob = BYTES_INIT;
	struct ca_record record;
	TRY(ca_store_get(step->connection, ca_id, &stmt, &record, fault));
	TRY(resource_set_encode(&entry->resources, &blob, fault));
	if (span_equal(record.resources, bytes_span(&blob)) && strcmp(record.state, "active") == 0) {
		step->counts.members_unchanged++;
		return FAULT_NONE;
	}
	step->counts.members_different++;
	return remark(step, "member-differs", entry, fault, "CA \"%s\" holds other resources than the file says; use PATCH",
		entry->handle);
}

/* Whether a member could not be made because of what others did since the file was checked. */
static bool
is_refusal(enum fault_code code)
{
	return code == FAULT_RESOURCE_CONFLICT || code == FAULT_INVALID || code == FAULT_CONFLICT || code == FAULT_TOO_LARGE;
}

static enum fault_code
create_member(struct step *step, const struct batch_entry *entry, struct fault *fault)
{
	AUTO_CLEAR(struct complaints, complaints_clear) complaints = COMPLAINTS_INIT;
	struct fault refusal = FAULT_INIT;
	int64_t ca_id;
	if (step->place->room == 0)
		TRY(member_place_find(step->connection, step->actor, step->now_at, &step->context->placing, step->place, fault));
	struct member_creation creation = {
		.handle = entry->handle, .resources = &entry->resources, .import_id = step->import_id, .alias = entry->handle,
		.now_at = step->now_at,
	};
	enum fault_code code = member_create(step->connection, step->actor, step->place, &creation, &complaints, &ca_id,
		&refusal);
	if (code == FAULT_NONE) {
		step->counts.members_created++;
		return FAULT_NONE;
	}
	if (!is_refusal(code))
		return fault_set(fault, code, "%s", refusal.message);
	step->counts.members_different++;
	return remark(step, "member-refused", entry, fault, "CA \"%s\" was not made: %s", entry->handle, refusal.message);
}

static enum fault_code
apply_member(struct step *step, const struct batch_entry *entry, struct fault *fault)
{
	int64_t ca_id;
	TRY(find_member(step, entry->handle, &ca_id, fault));
	step->handle[0] = '\0';
	return ca_id != 0 ? compare_member(step, entry, ca_id, fault) : create_member(step, entry, fault);
}

/* Makes the member with this handle the current one. */
static enum fault_code
turn_to(struct step *step, const char *handle, struct fault *fault)
{
	AUTO(struct stmt, stmt_done) stmt = NULL;
	struct ca_record record;
	if (strcmp(step->handle, handle) == 0)
		return FAULT_NONE;
	TRY(find_member(step, handle, &step->ca_id, fault));
	if (step->ca_id != 0) {
		TRY(ca_store_get(step->connection, step->ca_id, &stmt, &record, fault));
		if (strcmp(record.kind, "member") != 0 || strcmp(record.state, "active") != 0)
			step->ca_id = 0;
		else
			TRY(resource_set_decode(record.resources, &step->held, fault));
	}
	(void)snprintf(step->handle, sizeof step->handle, "%s", handle);
	return FAULT_NONE;
}

/* Who gets a payload. *ret_ca_id 0: nobody, and a remark says so. */
static enum fault_code
find_holder(struct step *step, const struct batch_entry *entry, int64_t *ret_ca_id, struct fault *fault)
{
	char text[PAYLOAD_TEXT];
	payload_text(&entry->payload, text);
	if (entry->has_handle) {
		TRY(turn_to(step, entry->handle, fault));
		bool held = step->ca_id != 0 && resource_set_holds_prefix(&step->held, &entry->payload.prefix);
		*ret_ca_id = held ? step->ca_id : 0;
		return held ? FAULT_NONE : remark(step, "not-held", entry, fault, "%s: CA \"%s\" does not hold all of the prefix",
			text, entry->handle);
	}
	TRY(holdings_holder(step->connection, &entry->payload.prefix, ret_ca_id, fault));
	return *ret_ca_id != 0 ? FAULT_NONE : remark(step, "not-held", entry, fault, "%s: no member holds all of the prefix",
		text);
}

/* Looked for from the end: payloads of one member mostly follow each other. */
static enum fault_code
find_target(struct step *step, int64_t ca_id, struct target **ret_target, struct fault *fault)
{
	AUTO(struct stmt, stmt_done) stmt = NULL;
	struct ca_record record;
	for (size_t i = step->targets_count; i-- > 0;) {
		if (step->targets[i].ca_id == ca_id) {
			*ret_target = &step->targets[i];
			return FAULT_NONE;
		}
	}
	TRY(ca_store_get(step->connection, ca_id, &stmt, &record, fault));
	TRY(memory_reserve(&step->targets, &step->targets_capacity, step->targets_count + 1, sizeof *step->targets, fault));
	*ret_target = &step->targets[step->targets_count++];
	**ret_target = (struct target){ .ca_id = ca_id, .roas = record.roas_count };
	return FAULT_NONE;
}

static enum fault_code
add_payload(struct step *step, const struct batch_entry *entry, int64_t ca_id, struct fault *fault)
{
	struct target *target = NULL;
	char text[PAYLOAD_TEXT];
	bool added;
	TRY(find_target(step, ca_id, &target, fault));
	if (target->roas + target->more >= ROAS_PER_CA_MAX) {
		payload_text(&entry->payload, text);
		step->counts.warnings++;
		return remark(step, "too-many", entry, fault, "%s was not added: its member has %d ROAs already", text,
			ROAS_PER_CA_MAX);
	}
	TRY(intent_add(step->connection, ca_id, &entry->payload, NULL, step->now_at, &added, fault));
	target->more += added;
	step->counts.roas_created += added;
	step->counts.roas_unchanged += !added;
	return FAULT_NONE;
}

/* Real registries have them, and nobody asks members to remove them: imports only warn. */
static enum fault_code
warn_of_asn(struct step *step, const struct batch_entry *entry, struct fault *fault)
{
	char text[PAYLOAD_TEXT];
	if (!intent_is_refused_asn(&step->context->refused_asns, entry->payload.asn))
		return FAULT_NONE;
	payload_text(&entry->payload, text);
	step->counts.warnings++;
	return remark(step, "reserved-asn", entry, fault, "%s has a reserved AS number, which members may not add themselves",
		text);
}

static enum fault_code
apply_payload(struct step *step, const struct batch_entry *entry, struct fault *fault)
{
	int64_t ca_id;
	TRY(find_holder(step, entry, &ca_id, fault));
	if (ca_id == 0) {
		step->counts.roas_not_held++;
		return FAULT_NONE;
	}
	TRY(warn_of_asn(step, entry, fault));
	return add_payload(step, entry, ca_id, fault);
}

static enum fault_code
mark_targets(struct step *step, struct fault *fault)
{
	for (size_t i = 0; i < step->targets_count; i++) {
		const struct target *target = &step->targets[i];
		if (target->more > 0)
			TRY(ca_store_change_roas(step->connection, target->ca_id, target->more, step->import_id, step->now_at,
				fault));
	}
	return FAULT_NONE;
}

static enum fault_code
apply(struct db_connection *connection, void *argument, struct fault *fault)
{
	struct step *step = argument;
	const struct import_batch *batch = step->batch;
	step->connection = connection;
	for (size_t i = 0; i < batch->count; i++) {
		const struct batch_entry *entry = &batch->entries[i];
		TRY((entry->is_member ? apply_member : apply_payload)(step, entry, fault));
	}
	TRY(mark_targets(step, fault));
	step->counts.entries_done = (int64_t)batch->count;
	return import_store_add(connection, step->import_id, &step->counts, fault);
}

enum fault_code
import_batch_apply(struct import_batch *batch, const struct command_context *context, const struct actor *actor,
	const char *import_id, struct fault *fault)
{
	AUTO_CLEAR(struct step, step_clear) step = {
		.batch = batch,
		.context = context,
		.actor = actor,
		.import_id = import_id,
		.now_at = clock_now(context->clock),
		.place = &batch->place,
		.held = RESOURCE_SET_INIT,
	};
	enum fault_code code = db_write_bulk(context->db, apply, &step, fault);
	if (code == FAULT_NONE)
		empty(batch);
	else
		member_place_clear(&batch->place); /* perhaps it was made in the transaction that is gone */
	return code;
}
