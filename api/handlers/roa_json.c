#include "api/handlers/roa_json.h"

#include "ca/views/views.h"

static const char *const status_names[] = {
	[ROA_PENDING] = "pending", [ROA_PUBLISHED] = "published", [ROA_NOT_HELD] = "not_held"
};

void
roa_json_payload(struct json_writer *writer, const struct payload *payload, const char *comment)
{
	char prefix[PREFIX_TEXT];
	prefix_text(&payload->prefix, prefix);
	json_writer_number(writer, "asn", payload->asn);
	json_writer_text(writer, "prefix", prefix);
	json_writer_number(writer, "max_length", payload->max_length);
	json_writer_text(writer, "comment", comment);
}

struct listing {
	struct json_writer writer;
	struct roa_json_list list;
};

/* FNV-1a: tells two lists of states apart, no more is asked of it. */
static void
add_state(struct roa_json_list *list, const struct roa_row *row)
{
	list->settled = list->settled && row->status == ROA_PUBLISHED;
	list->states = (list->states ^ (uint64_t)row->status) * UINT64_C(0x100000001b3);
	for (const char *at = row->reason == NULL ? "" : row->reason; *at != '\0'; at++)
		list->states = (list->states ^ (uint8_t)*at) * UINT64_C(0x100000001b3);
}

static enum fault_code
give_roa(void *argument, const struct roa_row *row, struct fault *fault)
{
	struct listing *listing = argument;
	struct json_writer *writer = &listing->writer;
	add_state(&listing->list, row);
	json_writer_object(writer, NULL);
	roa_json_payload(writer, &row->payload, row->comment);
	json_writer_text(writer, "status", status_names[row->status]);
	if (row->reason != NULL)
		json_writer_text(writer, "reason", row->reason);
	json_writer_instant(writer, "created_at", row->created_at);
	json_writer_end(writer);
	return json_writer_check(writer, fault);
}

enum fault_code
roa_json_list(struct db_connection *connection, int64_t ca_id, struct spool *body, struct roa_json_list *ret_list,
	struct fault *fault)
{
	struct listing listing = { .list = { .settled = true, .states = UINT64_C(0xcbf29ce484222325) } };
	struct json_writer *writer = &listing.writer;
	json_writer_begin(writer, body);
	json_writer_object(writer, NULL);
	json_writer_array(writer, "roas");
	TRY(roa_view_list(connection, ca_id, give_roa, &listing, &listing.list.version, fault));
	json_writer_end(writer);
	json_writer_number(writer, "version", listing.list.version);
	json_writer_end(writer);
	TRY(json_writer_check(writer, fault));
	*ret_list = listing.list;
	return FAULT_NONE;
}
