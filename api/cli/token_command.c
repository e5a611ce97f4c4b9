/* token …: who may call the API. */
#include <stdio.h>
#include <stdlib.h>

#include "api/cli/cli.h"
#include "ca/base/memory.h"

enum { NAME, ROLE, EXPIRES };
const struct option_spec token_command_options[] = {
	[NAME] = { "name", "TEXT", "what it is for; stands in the audit" },
	[ROLE] = { "role", "ROLE", "member or member-read for a CA's token (default member), admin or operator for others" },
	[EXPIRES] = { "expires-at", "TIME", "like 2030-01-31T12:00:00Z; never if not given" },
	{ NULL, NULL, NULL },
};

static const struct output_column columns[] = {
	{ "id", "ID", false }, { "name", "NAME", false }, { "role", "ROLE", false }, { "ca", "CA", false },
	{ "created_at", "CREATED", false }, { "expires_at", "EXPIRES", false }, { "revoked_at", "REVOKED", false }, { NULL, NULL, false },
};

/* Tokens of a CA, or, where none is named, those bound to none. */
static enum fault_code
tokens_path(struct cli *cli, const char *ca, const char *id, char **ret_path, struct fault *fault)
{
	AUTO(char, free) base = NULL;
	AUTO(char, free) escaped = NULL;
	if (ca != NULL)
		TRY(cli_ca_path(cli, ca, "/tokens", &base, fault));
	if (id != NULL)
		TRY(client_escape(cli->client, id, &escaped, fault));
	return memory_printf(ret_path, fault, "%s%s%s", ca != NULL ? base : "/api/v1/tokens", id != NULL ? "/" : "",
		id != NULL ? escaped : "");
}

enum fault_code
token_command_list(struct cli *cli, struct fault *fault)
{
	AUTO(char, free) path = NULL;
	AUTO(json_t, json_decref) answer = NULL;
	TRY(tokens_path(cli, cli->arguments->values[0], NULL, &path, fault));
	TRY(client_call(cli->client, "GET", path, NULL, &answer, fault));
	if (!cli->json)
		return output_table(columns, json_object_get(answer, "tokens"), fault);
	output_json(answer);
	return FAULT_NONE;
}

enum fault_code
token_command_create(struct cli *cli, struct fault *fault)
{
	AUTO(char, free) path = NULL;
	AUTO(json_t, json_decref) answer = NULL;
	const char *const *options = cli->arguments->options;
	const char *ca = cli->arguments->values[0];
	if (options[NAME] == NULL || (ca == NULL && options[ROLE] == NULL))
		return fault_set(fault, FAULT_USAGE, "%s is missing", options[NAME] == NULL ? "--name" : "--role");
	const char *role = options[ROLE] != NULL ? options[ROLE] : "member";
	AUTO(json_t, json_decref) body = json_pack("{s:s,s:s}", "name", options[NAME], "role", role);
	if (options[EXPIRES] != NULL)
		json_object_set_new(body, "expires_at", json_string(options[EXPIRES]));
	TRY(tokens_path(cli, ca, NULL, &path, fault));
	TRY(client_call(cli->client, "POST", path, body, &answer, fault));
	if (cli->json)
		output_json(answer);
	else
		printf("%s\n", json_string_value(json_object_get(answer, "token")));
	return FAULT_NONE;
}

enum fault_code
token_command_revoke(struct cli *cli, struct fault *fault)
{
	AUTO(char, free) path = NULL;
	AUTO(json_t, json_decref) answer = NULL;
	const char *const *values = cli->arguments->values;
	bool of_ca = cli->arguments->values_count == 2;
	TRY(tokens_path(cli, of_ca ? values[0] : NULL, values[of_ca ? 1 : 0], &path, fault));
	return client_call(cli->client, "DELETE", path, NULL, &answer, fault);
}
