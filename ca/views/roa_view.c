#include <stdio.h>
#include <string.h>

#include "ca/views/views.h"
#include "db/stores/ca_store.h"
#include "db/stores/roa_store.h"

#define REASON_SIZE 600

/* What the states of a CA's ROAs depend on beside the ROAs. */
struct roa_states {
	struct resource_set held;
	char pending[REASON_SIZE];                      /* why what is pending is */
};

static void
roa_states_clear(struct roa_states *states)
{
	resource_set_clear(&states->held);
}

static enum fault_code
load_states(const struct ca_record *record, struct roa_states *states, struct fault *fault)
{
	if (record->resources.data != NULL)
		TRY(resource_set_decode(record->resources, &states->held, fault));
	if (record->suspended_at != 0)
		(void)snprintf(states->pending, sizeof states->pending, "suspended");
	else if (record->set_aside_reason != NULL)
		(void)snprintf(states->pending, sizeof states->pending, "CA set aside: %s", record->set_aside_reason);
	else
		(void)snprintf(states->pending, sizeof states->pending, record->held_at != 0 ? "held" : "queued");
	return FAULT_NONE;
}

static struct payload
payload_of(const struct roa_record *record)
{
	struct payload payload = {
		.asn = (uint32_t)record->asn,
		.prefix = { .family = (enum address_family)record->family, .length = (uint8_t)record->prefix_length },
		.max_length = (uint8_t)record->max_length,
	};
	size_t octets = record->address.length;
	memcpy(payload.prefix.address.bytes, record->address.data, octets < 16 ? octets : 16);
	return payload;
}

static enum fault_code
give_record(const struct roa_states *states, const struct roa_record *record, roa_row_fn give, void *argument,
	struct fault *fault)
{
	struct roa_row row = { .payload = payload_of(record), .comment = record->comment, .created_at = record->created_at };
	if (!resource_set_holds_prefix(&states->held, &row.payload.prefix)) {
		row.status = ROA_NOT_HELD;
		row.reason = "resources are not held by this CA";
	} else if (record->published) {
		row.status = ROA_PUBLISHED;
	} else {
		row.status = ROA_PENDING;
		row.reason = states->pending;
	}
	return give(argument, &row, fault);
}

enum fault_code
roa_view_list(struct db_connection *connection, int64_t ca_id, roa_row_fn give, void *argument, int64_t *ret_version,
	struct fault *fault)
{
	AUTO(struct stmt, stmt_done) ca = NULL;
	AUTO(struct stmt, stmt_done) roas = NULL;
	AUTO_CLEAR(struct roa_states, roa_states_clear) states = { .held = RESOURCE_SET_INIT };
	struct ca_record ca_record;
	TRY(ca_store_get(connection, ca_id, &ca, &ca_record, fault));
	TRY(load_states(&ca_record, &states, fault));
	TRY(roa_store_list(connection, ca_id, ca_record.notified_serial, &roas, fault));
	for (;;) {
		struct roa_record record;
		bool found;
		TRY(roa_store_next(roas, &record, &found, fault));
		if (!found)
			break;
		TRY(give_record(&states, &record, give, argument, fault));
	}
	*ret_version = ca_record.roas_version;
	return FAULT_NONE;
}
