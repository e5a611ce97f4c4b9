#include "api/handlers/handler.h"
#include "api/handlers/registry_json.h"
#include "api/handlers/registry_upload.h"
#include "ca/commands/registry_commands.h"

/* What a registry's file would change; nothing is. */
enum fault_code
registry_plan_post_handle(struct exchange *exchange, struct fault *fault)
{
	AUTO(struct registry_plan, registry_plan_free) plan = NULL;
	AUTO(char, free) path = NULL;
	struct registry_limits limits = registry_json_limits(exchange->context->config);
	struct json_writer writer;
	int64_t limit;
	TRY(request_parameter_number(exchange->request, "limit", 1, PAGE_MAX, PAGE_DEFAULT, &limit, fault));
	TRY(registry_upload_path(exchange, &path, fault));
	exchange->reached_command = true;
	TRY(registry_plan(exchange->context->commands, &exchange->actor, path, &limits, &plan, fault));
	json_writer_begin(&writer, &exchange->reply->body);
	return registry_json_write(&writer, plan, 0, limit, fault);
}
