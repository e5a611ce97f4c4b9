/* publication accept, clock confirm: what an operator decides where the engine stopped by itself. */
#include "api/cli/cli.h"

enum fault_code
publication_command_accept(struct cli *cli, struct fault *fault)
{
	AUTO(json_t, json_decref) answer = NULL;
	AUTO(json_t, json_decref) body = json_pack("{s:s}", "code", cli->arguments->values[0]);
	if (body == NULL)
		return fault_set(fault, FAULT_USAGE, "a code is what `cadastre publication` shows, such as 3f2a9c0d11e8");
	return client_call(cli->client, "POST", "/api/v1/publication/accept", body, &answer, fault);
}

enum fault_code
clock_command_confirm_right(struct cli *cli, struct fault *fault)
{
	AUTO(json_t, json_decref) answer = NULL;
	return client_call(cli->client, "POST", "/api/v1/clock/confirm", NULL, &answer, fault);
}
