/* ca keys, ca roll: a CA's keys and their rolls. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "api/cli/cli.h"
#include "ca/commands/roll_commands.h"

enum { STAGING, OLDER_THAN, PER_HOUR };
const struct option_spec ca_command_roll_options[] = {
	[STAGING] = { "staging", "TIME", "the new key is published so long before it takes over (default: as the server's settings say)" },
	[OLDER_THAN] = { "older-than", "TIME", "instead of one CA: all whose key is so old, say 365d" },
	[PER_HOUR] = { "per-hour", "N", "so many of them an hour" },
	{ NULL, NULL, NULL },
};

static const struct output_column key_columns[] = {
	{ "identifier", "KEY IDENTIFIER", false }, { "state", "STATE", false }, { "offline", "OFFLINE", false }, { "created_at", "MADE", false },
	{ "published_at", "PUBLISHED", false }, { "retired_at", "RETIRED", false }, { "manifest_number", "MANIFEST", true },
	{ NULL, NULL, false },
};

enum fault_code
ca_command_keys(struct cli *cli, struct fault *fault)
{
	AUTO(json_t, json_decref) answer = NULL;
	AUTO(char, free) path = NULL;
	TRY(cli_ca_path(cli, cli->arguments->values[0], "/keys?destroyed=true", &path, fault));
	TRY(client_call(cli->client, "GET", path, NULL, &answer, fault));
	if (!cli->json)
		return output_table(key_columns, json_object_get(answer, "keys"), fault);
	output_json(answer);
	return FAULT_NONE;
}

static enum fault_code
roll_all(struct cli *cli, json_t *body, struct fault *fault)
{
	AUTO(json_t, json_decref) answer = NULL;
	const char *older_than = cli->arguments->options[OLDER_THAN], *per_hour = cli->arguments->options[PER_HOUR];
	int64_t older_than_s = 0, rolls = 0;
	if (older_than == NULL || per_hour == NULL)
		return fault_set(fault, FAULT_USAGE, "roll whose key? Name a CA, or give --older-than TIME and --per-hour N");
	TRY(arguments_time("older-than", older_than, &older_than_s, fault));
	TRY(arguments_number("per-hour", per_hour, 1, ROLL_PER_HOUR_MAX, &rolls, fault));
	json_object_set_new(body, "older_than_s", json_integer(older_than_s));
	json_object_set_new(body, "per_hour", json_integer(rolls));
	TRY(client_call(cli->client, "POST", "/api/v1/rolls", body, &answer, fault));
	if (cli->json)
		output_json(answer);
	else
		printf("%" PRId64 " CAs will roll their keys, the last of them from %s on\n",
			(int64_t)json_integer_value(json_object_get(answer, "cas")), json_string_value(json_object_get(answer, "last_at")));
	return FAULT_NONE;
}

enum fault_code
ca_command_roll(struct cli *cli, struct fault *fault)
{
	AUTO(json_t, json_decref) body = json_object();
	AUTO(json_t, json_decref) answer = NULL;
	AUTO(char, free) path = NULL;
	const struct arguments *arguments = cli->arguments;
	int64_t staging_s = -1;
	TRY(arguments_time("staging", arguments->options[STAGING], &staging_s, fault));
	if (staging_s >= 0)
		json_object_set_new(body, "staging_s", json_integer(staging_s));
	if (arguments->values_count == 0)
		return roll_all(cli, body, fault);
	if (arguments->options[OLDER_THAN] != NULL || arguments->options[PER_HOUR] != NULL)
		return fault_set(fault, FAULT_USAGE, "--older-than and --per-hour are for all CAs: name none");
	TRY(cli_ca_path(cli, arguments->values[0], "/roll", &path, fault));
	TRY(client_call(cli->client, "POST", path, body, &answer, fault));
	if (cli->json)
		output_json(answer);
	else
		printf("%s will roll its key: see cadastre ca keys %s\n", arguments->values[0], arguments->values[0]);
	return FAULT_NONE;
}
