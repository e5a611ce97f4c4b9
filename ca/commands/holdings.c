#include "ca/commands/holdings.h"

#include <stdio.h>
#include <string.h>

#include "ca/resources/resource_range.h"
#include "db/stores/ca_store.h"
#include "db/stores/holding_store.h"

#define DEPTH_MAX 32 /* CAs from a member up to the trust anchor */

/* Borrows from the range. */
static struct holding_range
stored(const struct resource_range *range)
{
	size_t octets = resource_range_octets(range->kind);
	return (struct holding_range){
		.family = (int64_t)range->kind, .min = SPAN(range->min.bytes, octets), .max = SPAN(range->max.bytes, octets),
	};
}

void
holdings_above_clear(struct holdings_above *above)
{
	resource_set_clear(&above->resources);
	above->handle[0] = '\0';
}

enum fault_code
holdings_above_find(struct db_connection *connection, int64_t parent_id, struct holdings_above *ret_above, struct fault *fault)
{
	for (int depth = 0; depth < DEPTH_MAX && parent_id != 0; depth++) {
		AUTO(struct stmt, stmt_done) stmt = NULL;
		struct ca_record record;
		TRY(ca_store_get(connection, parent_id, &stmt, &record, fault));
		if (record.resources.data != NULL) {
			TRY(resource_set_decode(record.resources, &ret_above->resources, fault));
			(void)snprintf(ret_above->handle, sizeof ret_above->handle, "%s", record.handle);
			return FAULT_NONE;
		}
		parent_id = record.parent_id;
	}
	return fault_set(fault, FAULT_DATABASE, "no CA above has resources of its own that could be inherited");
}

struct check {
	struct db_connection *connection;
	const struct holdings_above *above;
	bool all_held_above;
	int64_t ca_id;
	const struct resource_lists *lists;
	struct complaints *complaints;
	size_t overlaps;
	struct fault first_overlap;
};

static enum fault_code
is_held_above(const struct check *check, const struct resource_range *range, bool *ret_held, struct fault *fault)
{
	AUTO_CLEAR(struct resource_set, resource_set_clear) one = RESOURCE_SET_INIT;
	if (!check->all_held_above)
		TRY(resource_range_add(range, &one, fault));
	*ret_held = check->all_held_above || resource_set_contains(&check->above->resources, &one);
	return FAULT_NONE;
}

static enum fault_code
complain_of_overlap(struct check *check, const struct resource_range *range, size_t index, const char *handle,
	const struct resource_range *theirs, struct fault *fault)
{
	char text[RANGE_TEXT], their_text[RANGE_TEXT];
	resource_range_text(range, text);
	resource_range_text(theirs, their_text);
	if (check->overlaps++ == 0)
		(void)fault_set(&check->first_overlap, FAULT_RESOURCE_CONFLICT, "%s: CA \"%s\" holds %s", text, handle,
			their_text);
	return complaints_add(check->complaints, fault, resource_lists_name(check->lists, range->kind), index, NULL, "%s: CA \"%s\" holds %s", text,
		handle, their_text);
}

static enum fault_code
check_range(void *argument, const struct resource_range *range, size_t index, struct fault *fault)
{
	struct check *check = argument;
	struct resource_range theirs = { .kind = range->kind };
	char text[RANGE_TEXT], handle[HOLDING_HANDLE_SIZE];
	bool held, overlaps;
	TRY(is_held_above(check, range, &held, fault));
	if (!held) {
		resource_range_text(range, text);
		return complaints_add(check->complaints, fault, resource_lists_name(check->lists, range->kind), index, NULL,
			"%s is not held by the CA above, \"%s\"", text, check->above->handle);
	}
	struct holding_range row = stored(range);
	TRY(holding_store_overlap(check->connection, check->ca_id, &row, &overlaps, handle, theirs.min.bytes, theirs.max.bytes,
		fault));
	return overlaps ? complain_of_overlap(check, range, index, handle, &theirs, fault) : FAULT_NONE;
}

enum fault_code
holdings_check_part(struct db_connection *connection, const struct holdings_above *above, int64_t ca_id,
	const struct resource_lists *lists, const struct resource_set *resources, struct complaints *complaints, struct fault *fault)
{
	struct check check = {
		.connection = connection,
		.above = above,
		.all_held_above = resource_set_contains(&above->resources, resources),
		.ca_id = ca_id,
		.lists = lists,
		.complaints = complaints,
		.first_overlap = FAULT_INIT,
	};
	TRY(resource_range_each(resources, check_range, &check, fault));
	if (check.overlaps > 1)
		return fault_set(fault, FAULT_RESOURCE_CONFLICT, "%s (and %zu more overlaps)", check.first_overlap.message,
			check.overlaps - 1);
	if (check.overlaps == 1)
		return fault_set(fault, FAULT_RESOURCE_CONFLICT, "%s", check.first_overlap.message);
	return complaints_check(complaints, fault);
}

enum fault_code
holdings_check(struct db_connection *connection, const struct holdings_above *above, int64_t ca_id,
	const struct resource_set *resources, struct complaints *complaints, struct fault *fault)
{
	return holdings_check_part(connection, above, ca_id, &resource_lists_whole, resources, complaints, fault);
}

struct insertion {
	struct db_connection *connection;
	int64_t ca_id;
};

static enum fault_code
insert_range(void *argument, const struct resource_range *range, size_t index, struct fault *fault)
{
	const struct insertion *insertion = argument;
	struct holding_range row = stored(range);
	(void)index;
	return holding_store_insert(insertion->connection, insertion->ca_id, &row, fault);
}

enum fault_code
holdings_replace(struct db_connection *connection, int64_t ca_id, const struct resource_set *resources, struct fault *fault)
{
	struct insertion insertion = { .connection = connection, .ca_id = ca_id };
	TRY(holding_store_delete_all(connection, ca_id, fault));
	return resource_range_each(resources, insert_range, &insertion, fault);
}

enum fault_code
holdings_holder(struct db_connection *connection, const struct prefix *prefix, int64_t *ret_ca_id, struct fault *fault)
{
	struct resource_range range = resource_range_of_prefix(prefix);
	struct holding_range row = stored(&range);
	return holding_store_holder(connection, &row, ret_ca_id, fault);
}
