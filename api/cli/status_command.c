/* status, publication, audit: what the server tells of itself. */
#include <stdio.h>
#include <stdlib.h>

#include "api/cli/cli.h"
#include "api/cli/health_output.h"
#include "ca/base/memory.h"

static const struct output_column publication_columns[] = {
	{ "session", "Session", false }, { "serial", "Serial", true }, { "written_at", "Written", false },
	{ "rsync.serial", "rsync serial", true }, { "rsync.written_at", "rsync written", false }, { "objects", "Objects", true },
	{ "bytes", "Bytes", true }, { "rrdp.snapshot_size", "Snapshot", true }, { "rrdp.deltas", "Deltas", true }, { "cas", "CAs", true },
	{ "cas_waiting", "CAs waiting", true }, { "cas_set_aside", "CAs set aside", true }, { "roas", "ROAs", true }, { NULL, NULL, false },
};

static const struct output_column aside_columns[] = {
	{ "handle", "CA", false }, { "kind", "KIND", false }, { "set_aside", "WHY", false }, { NULL, NULL, false },
};

/* Only where the guard refuses something. */
static const struct output_column refused_columns[] = {
	{ "code", "Refused", false }, { "payloads_lost", "Payloads lost", true }, { "cas_lost", "CAs lost", true }, { "at", "Since", false },
	{ NULL, NULL, false },
};

/* Only where there are several. */
static const struct output_column repository_columns[] = {
	{ "number", "REPOSITORY", true }, { "serial", "SERIAL", true }, { "written_at", "WRITTEN", false },
	{ "rsync.serial", "RSYNC SERIAL", true }, { "objects", "OBJECTS", true }, { "rrdp.snapshot_size", "SNAPSHOT", true },
	{ "rrdp.deltas", "DELTAS", true }, { "rrdp.uri", "RRDP", false }, { NULL, NULL, false },
};

static enum fault_code
print_publication(const json_t *publication, struct fault *fault)
{
	const json_t *refused = json_object_get(publication, "refused");
	const json_t *repositories = json_object_get(publication, "repositories");
	output_record(publication_columns, publication);
	if (json_is_object(refused))
		output_record(refused_columns, refused);
	if (json_array_size(repositories) < 2)
		return FAULT_NONE;
	printf("\n");
	return output_table(repository_columns, repositories, fault);
}

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
		TRY(print_publication(answer, fault));
	return FAULT_NONE;
}

/* A server that is not ready answers with a problem, and tells in it why. *ret_ready false: *ret_health is of that kind. */
static enum fault_code
ask_health(struct cli *cli, json_t **ret_health, bool *ret_ready, struct fault *fault)
{
	AUTO(json_t, json_decref) answer = NULL;
	enum fault_code code = client_call(cli->client, "GET", "/health/ready", NULL, &answer, fault);
	const json_t *health = json_object_get(code == FAULT_NONE ? answer : client_problem(cli->client), "health");
	*ret_ready = code == FAULT_NONE;
	*ret_health = json_deep_copy(health);
	return code != FAULT_NONE && health == NULL ? code : FAULT_NONE;
}

static enum fault_code
print_status(const json_t *health, const json_t *publication, const json_t *aside, struct fault *fault)
{
	health_output(health);
	TRY(print_publication(publication, fault));
	if (json_array_size(aside) == 0)
		return FAULT_NONE;
	printf("\nSet aside; once the cause is gone: cadastre ca repair CA\n");
	return output_table(aside_columns, aside, fault);
}

enum fault_code
status_command(struct cli *cli, struct fault *fault)
{
	AUTO(json_t, json_decref) health = NULL;
	AUTO(json_t, json_decref) publication = NULL;
	AUTO(json_t, json_decref) page = NULL;
	bool ready;
	TRY(ask_health(cli, &health, &ready, fault));
	TRY(client_call(cli->client, "GET", "/api/v1/publication", NULL, &publication, fault));
	TRY(client_call(cli->client, "GET", "/api/v1/cas?set_aside=true", NULL, &page, fault));
	json_t *aside = json_object_get(page, "cas");
	if (cli->json) {
		AUTO(json_t, json_decref) all = json_pack("{s:b,s:O?,s:O?,s:O?}", "ready", ready, "health", health, "publication", publication,
			"set_aside", aside);
		output_json(all);
	} else {
		TRY(print_status(health, publication, aside, fault));
	}
	if (ready)
		return FAULT_NONE;
	/* What the first call failed with has been told; this is for scripts. */
	return fault_set(fault, FAULT_BUSY, "the server is not ready");
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
