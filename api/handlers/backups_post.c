#include "api/handlers/handler.h"
#include "api/server/json_body.h"
#include "ca/commands/backup_commands.h"

/* A backup holds every key, so who made one is written down; it is made beside the server, by the command line. */
enum fault_code
backups_post_handle(struct exchange *exchange, struct fault *fault)
{
	json_t *file = NULL;
	const struct json_body_field fields[] = { { "file", JSON_BODY_TEXT, true, &file } };
	TRY(json_body_parse(bytes_span(&exchange->request->body), &exchange->document, fault));
	TRY(json_body_read(exchange->document, JSON_BODY_TOP, fields, 1, &exchange->complaints, fault));
	TRY(json_body_check(&exchange->complaints, fault));
	exchange->reached_command = true;
	TRY(backup_note(exchange->context->commands, &exchange->actor, json_string_value(file), fault));
	exchange->reply->status = 204;
	return FAULT_NONE;
}
