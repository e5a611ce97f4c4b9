#include "api/auth/access.h"
#include "api/handlers/handler.h"
#include "api/server/json_page.h"

static enum fault_code
give_audit(void *argument, const struct audit_row *row, struct fault *fault)
{
	struct json_page *page = argument;
	struct json_writer *writer = &page->writer;
	json_writer_object(writer, NULL);
	json_writer_number(writer, "id", row->audit_id);
	json_writer_instant(writer, "at", row->at);
	json_writer_text(writer, "actor", row->actor);
	json_writer_text(writer, "token_id", row->token_id);
	json_writer_text(writer, "action", row->action);
	json_writer_text(writer, "ca", row->ca_handle);
	json_writer_text(writer, "outcome", row->outcome);
	json_writer_text(writer, "detail", row->detail);
	json_writer_text(writer, "request_id", row->request_id);
	json_writer_end(writer);
	return json_page_row(page, row->audit_id, fault);
}

/* Newest first. Whoever is bound to a CA sees its rows alone. */
enum fault_code
audit_get_handle(struct exchange *exchange, struct fault *fault)
{
	AUTO(struct db_connection, db_reader_release) connection = NULL;
	struct json_page page = { .count = 0 };
	const char *handle = request_parameter(exchange->request, "ca");
	int64_t limit, after, ca_id = exchange->actor.ca_id;
	TRY(request_parameter_number(exchange->request, "limit", 1, PAGE_MAX, PAGE_DEFAULT, &limit, fault));
	TRY(request_parameter_number(exchange->request, "after", 1, INT64_MAX, 0, &after, fault));
	TRY(db_reader_acquire(exchange->context->db, &connection, fault));
	if (handle != NULL)
		TRY(access_find_ca(connection, &exchange->actor, handle, &ca_id, fault));
	json_writer_begin(&page.writer, &exchange->reply->body);
	json_writer_object(&page.writer, NULL);
	json_writer_array(&page.writer, "audit");
	TRY(audit_view_list(connection, ca_id, after, limit, give_audit, &page, fault));
	return json_page_end(&page, limit, fault);
}
