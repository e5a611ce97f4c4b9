/* status, publication, audit: what the server tells of itself. */
#include <stdio.h>
#include <stdlib.h>

#include "api/cli/cli.h"
#include "ca/base/memory.h"

static const struct output_column publication_columns[] = {
	{ "session", "Session", false }, { "serial", "Serial", true }, { "written_at", "Written", false },
	{ "rsync.serial", "rsync serial", true }, { "rsync.written_at", "rsync written", false }, { "objects", "Objects", true },
	{ "bytes", "Bytes", true }, { "rrdp.snapshot_size", "Snapshot", true }, { "rrdp.deltas", "Deltas", true }, { "cas", "CAs", true },
	{ "cas_waiting", "CAs waiting", true }, { "cas_set_aside", "CAs set aside", true }, { "roas", "ROAs", true }, { NULL, NULL, false },
};

enum { AUDIT_CA, AUDIT_AFTER, AUDIT_LIMIT };
const struct option_spec audit_command_options[] = {
	[AUDIT_CA] = { "ca", "CA", "only what concerns this CA" },
	[AUDIT_AFTER] = { "after", "ID", "older ones, from the one after this id" },
	[AUDIT_LIMIT] = { "limit", "N", "at most so many" },
	{ NULL, NULL, NULL },
};

static const struct output_column audit_columns[] = {
	{ "id", "ID", true }, { "at", "AT", false }, { "actor", "ACTOR", false }, { "action", "ACTION", false }, { "ca", "CA", false },
	{ "outcome", "OUTCOME", false }, { "detail", "DETAIL", false }, { NULL, NULL, false },
};

enum fault_code
publication_command(struct cli *cli, struct fault *fault)
{
	AUTO(json_t, json_decref) answer = NULL;
	TRY(client_call(cli->client, "GET", "/api/v1/publication", NULL, &answer, fault));
	if (cli->json)
		output_json(answer);
	else
		output_record(publication_columns, answer);
	return FAULT_NONE;
}

enum fault_code
status_command(struct cli *cli, struct fault *fault)
{
	AUTO(json_t, json_decref) health = NULL;
	AUTO(json_t, json_decref) publication = NULL;
	TRY(client_call(cli->client, "GET", "/health/ready", NULL, &health, fault));
	TRY(client_call(cli->client, "GET", "/api/v1/publication", NULL, &publication, fault));
	if (cli->json) {
		AUTO(json_t, json_decref) both = json_pack("{s:O,s:O}", "health", health, "publication", publication);
		output_json(both);
		return FAULT_NONE;
	}
	printf("%-16s %s\n", "Health", "ready");
	const json_t *ta = json_object_get(json_object_get(json_object_get(health, "health"), "sections"), "ta");
	const char *reason = json_string_value(json_object_get(ta, "reason"));
	if (reason != NULL)
		printf("%-16s %s: %s\n", "Trust anchor", json_string_value(json_object_get(ta, "urgency")), reason);
	output_record(publication_columns, publication);
	return FAULT_NONE;
}

/* Adds "name=value" to the query of a path. */
static enum fault_code
add_parameter(struct cli *cli, const char *name, const char *value, char **path, bool *first, struct fault *fault)
{
	AUTO(char, free) escaped = NULL;
	char *longer = NULL;
	if (value == NULL)
		return FAULT_NONE;
	TRY(client_escape(cli->client, value, &escaped, fault));
	TRY(memory_printf(&longer, fault, "%s%c%s=%s", *path, *first ? '?' : '&', name, escaped));
	free(*path);
	*path = longer;
	*first = false;
	return FAULT_NONE;
}

enum fault_code
audit_command(struct cli *cli, struct fault *fault)
{
	AUTO(char, free) path = NULL;
	AUTO(json_t, json_decref) answer = NULL;
	const char *const *options = cli->arguments->options;
	bool first = true;
	TRY(memory_copy_string("/api/v1/audit", &path, fault));
	TRY(add_parameter(cli, "ca", options[AUDIT_CA], &path, &first, fault));
	TRY(add_parameter(cli, "after", options[AUDIT_AFTER], &path, &first, fault));
	TRY(add_parameter(cli, "limit", options[AUDIT_LIMIT], &path, &first, fault));
	TRY(client_call(cli->client, "GET", path, NULL, &answer, fault));
	if (cli->json) {
		output_json(answer);
		return FAULT_NONE;
	}
	return output_table(audit_columns, json_object_get(answer, "audit"), fault);
}
