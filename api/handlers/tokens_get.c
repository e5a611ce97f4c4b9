#include "api/handlers/handler.h"
#include "api/server/json_writer.h"

static enum fault_code
give_token(void *argument, const struct token_row *row, struct fault *fault)
{
	struct json_writer *writer = argument;
	json_writer_object(writer, NULL);
	json_writer_text(writer, "id", row->token_id);
	json_writer_text(writer, "name", row->name);
	json_writer_text(writer, "role", role_text(row->role));
	json_writer_text(writer, "ca", row->ca_handle);
	json_writer_instant(writer, "created_at", row->created_at);
	json_writer_instant(writer, "expires_at", row->expires_at);
	json_writer_instant(writer, "revoked_at", row->revoked_at);
	json_writer_end(writer);
	return json_writer_check(writer, fault);
}

/* Of the path's CA; without one, those that are bound to none. */
enum fault_code
tokens_get_handle(struct exchange *exchange, struct fault *fault)
{
	AUTO(struct db_connection, db_reader_release) connection = NULL;
	struct json_writer writer;
	json_writer_begin(&writer, &exchange->reply->body);
	json_writer_object(&writer, NULL);
	json_writer_array(&writer, "tokens");
	TRY(db_reader_acquire(exchange->context->db, &connection, fault));
	TRY(token_view_list(connection, exchange->ca_id, give_token, &writer, fault));
	json_writer_end(&writer);
	json_writer_end(&writer);
	return json_writer_check(&writer, fault);
}
