#include "api/handlers/ca_json.h"

#include "api/handlers/resources_json.h"

void
ca_json_write(struct json_writer *writer, const struct ca_row *row)
{
	json_writer_object(writer, NULL);
	json_writer_text(writer, "handle", row->handle);
	json_writer_text(writer, "kind", row->kind);
	json_writer_text(writer, "state", row->state);
	json_writer_text(writer, "parent", row->parent_handle);
	json_writer_truth(writer, "inherits", row->inherits);
	resources_json_write(writer, "resources", row->resources);
	json_writer_number(writer, "version", row->version);
	json_writer_number(writer, "roas_version", row->roas_version);
	json_writer_number(writer, "roas", row->roas_count);
	json_writer_instant(writer, "waiting_since", row->changed_at);
	json_writer_text(writer, "set_aside", row->set_aside_reason);
	json_writer_instant(writer, "held_at", row->held_at);
	json_writer_instant(writer, "suspended_at", row->suspended_at);
	json_writer_instant(writer, "created_at", row->created_at);
	json_writer_end(writer);
}

static enum fault_code
give_ca(void *argument, const struct ca_row *row, struct fault *fault)
{
	struct json_writer *writer = argument;
	ca_json_write(writer, row);
	return json_writer_check(writer, fault);
}

enum fault_code
ca_json_reply(struct exchange *exchange, int64_t ca_id, struct fault *fault)
{
	AUTO(struct db_connection, db_reader_release) connection = NULL;
	struct json_writer writer;
	json_writer_begin(&writer, &exchange->reply->body);
	TRY(db_reader_acquire(exchange->context->db, &connection, fault));
	return ca_view_get(connection, ca_id, give_ca, &writer, fault);
}
