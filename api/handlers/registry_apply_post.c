#include "api/handlers/handler.h"
#include "api/handlers/registry_json.h"
#include "api/handlers/registry_upload.h"
#include "ca/commands/registry_commands.h"

/* Does what a registry's file says, or refuses it as a whole. */
enum fault_code
registry_apply_post_handle(struct exchange *exchange, struct fault *fault)
{
	AUTO(struct registry_plan, registry_plan_free) plan = NULL;
	AUTO(char, free) path = NULL;
	struct registry_limits limits = registry_json_limits(exchange->context->config);
	struct json_writer writer;
	int64_t limit, feed_id;
	TRY(request_parameter_number(exchange->request, "limit", 1, PAGE_MAX, PAGE_DEFAULT, &limit, fault));
	TRY(registry_upload_path(exchange, &path, fault));
	exchange->reached_command = true;
	TRY(registry_apply(exchange->context->commands, &exchange->actor, path, &limits, request_parameter(exchange->request, "accept"),
		&plan, &feed_id, fault));
	json_writer_begin(&writer, &exchange->reply->body);
	return registry_json_write(&writer, plan, feed_id, limit, fault);
}
