#include "api/handlers/handler.h"
#include "api/server/json_writer.h"
#include "api/server/upload.h"
#include "ca/commands/import_commands.h"

/* The last segment of the path, as the routes allow it. */
static enum import_kind
kind_of(const struct request *request)
{
	enum import_kind kind = IMPORT_STATS;
	bool known = import_kind_parse(request->segments[request->segments_count - 1], &kind);
	INVARIANT(known);
	return kind;
}

/*
 * The file is on disk when the import is recorded, and gets its name when the import's id is known. Should that fail, or the
 * process end in between, the engine finds no file there and closes the import as failed: so it is told in any case.
 */
enum fault_code
import_post_handle(struct exchange *exchange, struct fault *fault)
{
	const struct handler_context *context = exchange->context;
	struct request_upload *upload = &exchange->request->upload;
	enum import_kind kind = kind_of(exchange->request);
	struct json_writer writer;
	char id[IMPORT_ID_SIZE];
	if (upload->size == 0)
		return fault_set(fault, FAULT_MALFORMED, "the body is empty; it must be the file to import");
	TRY(upload_flush(upload, fault));
	exchange->reached_command = true;
	TRY(import_start(context->commands, &exchange->actor, kind, id, fault));
	enum fault_code code = upload_name(upload, context->data_directory, id, fault);
	if (context->import_submitted != NULL)
		context->import_submitted(context->engine, id);
	if (code != FAULT_NONE)
		return code;
	json_writer_begin(&writer, &exchange->reply->body);
	json_writer_object(&writer, NULL);
	json_writer_text(&writer, "id", id);
	json_writer_text(&writer, "kind", import_kind_text(kind));
	json_writer_text(&writer, "state", "checking");
	json_writer_number(&writer, "size", upload->size);
	json_writer_end(&writer);
	reply_header(exchange->reply, "Location", "/api/v1/imports/%s", id);
	exchange->reply->status = 201;
	return json_writer_check(&writer, fault);
}
