#include "api/auth/access.h"
#include "api/handlers/handler.h"
#include "api/handlers/transfer_json.h"
#include "api/server/json_page.h"

static enum fault_code
give_transfer(void *argument, const struct transfer_row *row, struct fault *fault)
{
	struct json_page *page = argument;
	transfer_json_write(&page->writer, row);
	return json_page_row(page, row->transfer_id, fault);
}

/* Newest first. */
enum fault_code
transfers_get_handle(struct exchange *exchange, struct fault *fault)
{
	AUTO(struct db_connection, db_reader_release) connection = NULL;
	struct json_page page = { .count = 0 };
	const char *handle = request_parameter(exchange->request, "ca");
	int64_t limit, after, ca_id = 0;
	TRY(request_parameter_number(exchange->request, "limit", 1, PAGE_MAX, PAGE_DEFAULT, &limit, fault));
	TRY(request_parameter_number(exchange->request, "after", 1, INT64_MAX, 0, &after, fault));
	TRY(db_reader_acquire(exchange->context->db, &connection, fault));
	if (handle != NULL)
		TRY(access_find_ca(connection, &exchange->actor, handle, &ca_id, fault));
	json_writer_begin(&page.writer, &exchange->reply->body);
	json_writer_object(&page.writer, NULL);
	json_writer_array(&page.writer, "transfers");
	TRY(transfer_view_list(connection, ca_id, after, limit, give_transfer, &page, fault));
	return json_page_end(&page, limit, fault);
}
