#include <stdio.h>

#include "api/handlers/ca_json.h"
#include "api/handlers/handler.h"
#include "api/server/json_writer.h"

struct page {
	struct json_writer writer;
	int64_t count;
	char last[HANDLE_MAX + 1];
};

static enum fault_code
give_ca(void *argument, const struct ca_row *row, struct fault *fault)
{
	struct page *page = argument;
	ca_json_write(&page->writer, row);
	(void)snprintf(page->last, sizeof page->last, "%s", row->handle);
	page->count++;
	return json_writer_check(&page->writer, fault);
}

/* A page that is full may be the last: then the next one is empty. */
enum fault_code
cas_get_handle(struct exchange *exchange, struct fault *fault)
{
	AUTO(struct db_connection, db_reader_release) connection = NULL;
	struct page page = { .count = 0 };
	const char *after = request_parameter(exchange->request, "after");
	int64_t limit;
	bool set_aside;
	TRY(request_parameter_truth(exchange->request, "set_aside", &set_aside, fault));
	TRY(request_parameter_number(exchange->request, "limit", 1, PAGE_MAX, PAGE_DEFAULT, &limit, fault));
	json_writer_begin(&page.writer, &exchange->reply->body);
	json_writer_object(&page.writer, NULL);
	json_writer_array(&page.writer, "cas");
	TRY(db_reader_acquire(exchange->context->db, &connection, fault));
	if (set_aside)
		TRY(ca_view_list_set_aside(connection, exchange->actor.ca_id, after, limit, give_ca, &page, fault));
	else
		TRY(ca_view_list(connection, exchange->actor.ca_id, after, limit, give_ca, &page, fault));
	json_writer_end(&page.writer);
	json_writer_text(&page.writer, "next", page.count == limit ? page.last : NULL);
	json_writer_end(&page.writer);
	return json_writer_check(&page.writer, fault);
}
