#include <jansson.h>

#include "api/handlers/handler.h"

static int
write_piece(const char *piece, size_t length, void *argument)
{
	return spool_write(argument, piece, length, NULL) == FAULT_NONE ? 0 : -1;
}

/* What the last check of what is served found. */
enum fault_code
check_get_handle(struct exchange *exchange, struct fault *fault)
{
	const struct handler_context *context = exchange->context;
	json_t *report = NULL;
	if (context->check == NULL)
		return fault_set(fault, FAULT_NOT_FOUND, "nothing is checked here");
	TRY(context->check(context->engine, &report, fault));
	int written = json_dump_callback(report, write_piece, &exchange->reply->body, JSON_COMPACT);
	json_decref(report);
	return written == 0 ? FAULT_NONE : fault_set(fault, FAULT_MEMORY, "the report can't be told");
}
