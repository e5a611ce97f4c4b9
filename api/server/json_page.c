#include "api/server/json_page.h"

enum fault_code
json_page_row(struct json_page *page, int64_t number, struct fault *fault)
{
	page->last = number;
	page->count++;
	return json_writer_check(&page->writer, fault);
}

enum fault_code
json_page_end(struct json_page *page, int64_t limit, struct fault *fault)
{
	json_writer_end(&page->writer);
	if (page->count == limit)
		json_writer_number(&page->writer, "next", page->last);
	else
		json_writer_text(&page->writer, "next", NULL);
	json_writer_end(&page->writer);
	return json_writer_check(&page->writer, fault);
}
