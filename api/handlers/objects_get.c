#include "api/handlers/handler.h"
#include "api/server/json_writer.h"

static enum fault_code
give_object(void *argument, const struct object_row *row, struct fault *fault)
{
	struct json_writer *writer = argument;
	json_writer_object(writer, NULL);
	json_writer_text(writer, "uri", row->uri);
	json_writer_text(writer, "kind", row->kind);
	json_writer_hex(writer, "hash", row->hash);
	json_writer_number(writer, "size", row->size);
	json_writer_hex(writer, "serial", row->serial);
	json_writer_instant(writer, "not_before", row->not_before_at);
	json_writer_instant(writer, "not_after", row->not_after_at);
	json_writer_number(writer, "published_serial", row->published_serial);
	json_writer_end(writer);
	return json_writer_check(writer, fault);
}

enum fault_code
objects_get_handle(struct exchange *exchange, struct fault *fault)
{
	AUTO(struct db_connection, db_reader_release) connection = NULL;
	struct json_writer writer;
	json_writer_begin(&writer, &exchange->reply->body);
	json_writer_object(&writer, NULL);
	json_writer_array(&writer, "objects");
	TRY(db_reader_acquire(exchange->context->db, &connection, fault));
	TRY(object_view_list(connection, exchange->ca_id, give_object, &writer, fault));
	json_writer_end(&writer);
	json_writer_end(&writer);
	return json_writer_check(&writer, fault);
}
