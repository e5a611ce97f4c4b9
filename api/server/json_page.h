/*
 * json_page: a page of a list whose rows have numbers: the rows, then "next", the number to go on after; null when the page isn't full.
 *
 * Threads: one at a time.
 */
#ifndef API_SERVER_JSON_PAGE_H
#define API_SERVER_JSON_PAGE_H

#include "api/server/json_writer.h"

/* All zero; what stands around the rows is the caller's to write. */
struct json_page {
	struct json_writer writer;
	int64_t count, last;
};

/* A row was written. Faults: as json_writer_check(). */
CHECKED enum fault_code json_page_row(struct json_page *page, int64_t number, struct fault *fault);
/* Ends the array of rows and the object that it stands in, with "next". Faults: as json_writer_check(). */
CHECKED enum fault_code json_page_end(struct json_page *page, int64_t limit, struct fault *fault);

#endif
