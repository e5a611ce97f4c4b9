#include "api/handlers/handler.h"
#include "api/server/json_writer.h"

static enum fault_code
give_key(void *argument, const struct key_row *row, struct fault *fault)
{
	struct json_writer *writer = argument;
	json_writer_object(writer, NULL);
	json_writer_hex(writer, "identifier", row->identifier);
	json_writer_text(writer, "state", row->state);
	json_writer_truth(writer, "offline", row->offline);
	json_writer_instant(writer, "created_at", row->created_at);
	json_writer_instant(writer, "published_at", row->published_at);
	json_writer_instant(writer, "retired_at", row->retired_at);
	json_writer_number(writer, "manifest_number", row->manifest_number);
	json_writer_number(writer, "crl_number", row->crl_number);
	json_writer_end(writer);
	return json_writer_check(writer, fault);
}

enum fault_code
keys_get_handle(struct exchange *exchange, struct fault *fault)
{
	AUTO(struct db_connection, db_reader_release) connection = NULL;
	struct json_writer writer;
	bool destroyed = false;
	TRY(request_parameter_truth(exchange->request, "destroyed", &destroyed, fault));
	json_writer_begin(&writer, &exchange->reply->body);
	json_writer_object(&writer, NULL);
	json_writer_array(&writer, "keys");
	TRY(db_reader_acquire(exchange->context->db, &connection, fault));
	TRY(key_view_list(connection, exchange->ca_id, destroyed, give_key, &writer, fault));
	json_writer_end(&writer);
	json_writer_end(&writer);
	return json_writer_check(&writer, fault);
}
