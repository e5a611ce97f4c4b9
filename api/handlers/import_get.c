#include "api/handlers/handler.h"
#include "api/server/json_page.h"

static enum fault_code
give_import(void *argument, const struct import_row *row, struct fault *fault)
{
	struct json_writer *writer = argument;
	const struct {
		const char *name;
		int64_t number;
	} numbers[] = {
		{ "entries_total", row->entries_total }, { "entries_done", row->entries_done },
		{ "members_created", row->members_created }, { "members_unchanged", row->members_unchanged },
		{ "members_different", row->members_different }, { "roas_created", row->roas_created },
		{ "roas_unchanged", row->roas_unchanged }, { "roas_not_held", row->roas_not_held },
		{ "warnings", row->warnings }, { "cas_to_issue", row->cas_to_issue }, { "cas_waiting", row->cas_waiting },
	};
	json_writer_text(writer, "id", row->import_id);
	json_writer_text(writer, "kind", row->kind);
	json_writer_text(writer, "state", row->state);
	json_writer_text(writer, "actor", row->actor);
	json_writer_text(writer, "error", row->error);
	json_writer_instant(writer, "started_at", row->started_at);
	json_writer_instant(writer, "finished_at", row->finished_at);
	for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
		json_writer_number(writer, numbers[i].name, numbers[i].number);
	if (row->serial != 0)
		json_writer_number(writer, "serial", row->serial);
	else
		json_writer_text(writer, "serial", NULL);
	return json_writer_check(writer, fault);
}

static enum fault_code
give_remark(void *argument, int64_t remark_id, const char *kind, const char *text, struct fault *fault)
{
	struct json_page *page = argument;
	json_writer_object(&page->writer, NULL);
	json_writer_number(&page->writer, "id", remark_id);
	json_writer_text(&page->writer, "kind", kind);
	json_writer_text(&page->writer, "text", text);
	json_writer_end(&page->writer);
	return json_page_row(page, remark_id, fault);
}

/* Progress, and a page of the remarks. */
enum fault_code
import_get_handle(struct exchange *exchange, struct fault *fault)
{
	AUTO(struct db_connection, db_reader_release) connection = NULL;
	struct json_page page = { .count = 0 };
	const char *id = exchange->arguments[0];
	int64_t limit, after;
	TRY(request_parameter_number(exchange->request, "limit", 1, PAGE_MAX, PAGE_DEFAULT, &limit, fault));
	TRY(request_parameter_number(exchange->request, "after", 0, INT64_MAX, 0, &after, fault));
	json_writer_begin(&page.writer, &exchange->reply->body);
	json_writer_object(&page.writer, NULL);
	TRY(db_reader_acquire(exchange->context->db, &connection, fault));
	TRY(import_view_get(connection, id, give_import, &page.writer, fault));
	json_writer_array(&page.writer, "remarks");
	TRY(import_view_remarks(connection, id, after, limit, give_remark, &page, fault));
	return json_page_end(&page, limit, fault);
}
