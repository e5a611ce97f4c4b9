/* transfer …: resources that go from member to member, out of the registry or into it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/cli/cli.h"
#include "ca/base/memory.h"

#define TRANSFERS "/api/v1/transfers"

enum { CREATE_FROM, CREATE_TO, CREATE_RESOURCES, CREATE_ROAS, CREATE_STRADDLING, CREATE_ADDED, CREATE_DRY_RUN };
const struct option_spec transfer_command_create_options[] = {
	[CREATE_FROM] = { "from", "CA", "the member that gives (not given: another registry)" },
	[CREATE_TO] = { "to", "CA", "the member that receives (not given: another registry)" },
	[CREATE_RESOURCES] = { "resources", "LIST", "\"AS64496-AS64511, 192.0.2.0/24, 2001:db8::/32\"" },
	[CREATE_ROAS] = { "roas", "move|leave", "whether the ROAs under them go along (default: move)" },
	[CREATE_STRADDLING] = { "straddling", "refuse|keep|replace", "what becomes of ROAs that are partly under them (default: refuse)" },
	[CREATE_ADDED] = { "add-roas", "FILE", "JSON list of ROAs that the receiver gets with it; \"-\": standard input" },
	[CREATE_DRY_RUN] = { "dry-run", NULL, "show what would become of which ROA; change nothing" },
	{ NULL, NULL, NULL },
};

enum { LIST_CA, LIST_LIMIT, LIST_AFTER };
const struct option_spec transfer_command_list_options[] = {
	[LIST_CA] = { "ca", "CA", "only those of this CA" },
	[LIST_LIMIT] = { "limit", "N", "at most so many" },
	[LIST_AFTER] = { "after", "ID", "older ones, from the one after this id" },
	{ NULL, NULL, NULL },
};

enum { COMPLETE_STRADDLING, COMPLETE_DRY_RUN };
const struct option_spec transfer_command_complete_options[] = {
	[COMPLETE_STRADDLING] = { "straddling", "refuse|keep|replace", "what becomes of ROAs that are partly under the resources" },
	[COMPLETE_DRY_RUN] = { "dry-run", NULL, "show which ROAs would leave; change nothing" },
	{ NULL, NULL, NULL },
};

static const struct output_column list_columns[] = {
	{ "id", "ID", true }, { "state", "STATE", false }, { "from", "FROM", false }, { "to", "TO", false },
	{ "resources.asns", "AS NUMBERS", false }, { "resources.ipv4", "IPV4", false }, { "resources.ipv6", "IPV6", false },
	{ "serial", "SERIAL", true }, { "created_at", "CREATED", false }, { NULL, NULL, false },
};

static const struct output_column record_columns[] = {
	{ "id", "Transfer", true }, { "state", "State", false }, { "from", "From", false }, { "to", "To", false },
	{ "resources.asns", "AS numbers", false }, { "resources.ipv4", "IPv4", false }, { "resources.ipv6", "IPv6", false },
	{ "roas", "ROAs", false }, { "roas_within", "ROAs within", true }, { "straddling", "Straddling", false },
	{ "roas_straddling", "ROAs straddling", true }, { "roas_added", "ROAs added", true }, { "actor", "Asked for by", false },
	{ "created_at", "Created", false }, { "confirmed_at", "Confirmed", false }, { "serial", "Serial", true },
	{ "published_at", "Published", false }, { NULL, NULL, false },
};

static const struct output_column step_columns[] = {
	{ "state", "STEP", false }, { "by", "BY", false }, { "text", "WHAT", false }, { NULL, NULL, false },
};

static const struct output_column roa_columns[] = {
	{ "asn", "ASN", true }, { "prefix", "PREFIX", false }, { "max_length", "MAX", true }, { "fate", "WHAT BECOMES OF IT", false },
	{ NULL, NULL, false },
};

/* For people, null is a registry. */
static void
name_registries(json_t *transfer)
{
	static const char *const sides[] = { "from", "to" };
	for (size_t i = 0; i < 2; i++)
		if (json_is_null(json_object_get(transfer, sides[i])))
			json_object_set_new(transfer, sides[i], json_string("(another registry)"));
}

static enum fault_code
print_transfer(const struct cli *cli, json_t *transfer, struct fault *fault)
{
	if (cli->json) {
		output_json(transfer);
		return FAULT_NONE;
	}
	name_registries(transfer);
	output_record(record_columns, transfer);
	putchar('\n');
	return output_table(step_columns, json_object_get(transfer, "steps"), fault);
}

/* Adds a row for a ROA to those printed, with what becomes of it. */
static void
add_row(json_t *rows, const json_t *roa, const char *fate)
{
	json_t *row = json_copy((json_t *)(uintptr_t)roa);
	json_object_set_new(row, "fate", json_string(fate));
	json_array_append_new(rows, row);
}

static void
add_proposals(json_t *rows, const json_t *proposals, const char *fate)
{
	size_t index;
	const json_t *proposal;
	json_array_foreach(proposals, index, proposal)
		add_row(rows, proposal, fate);
}

/* What a dry run or a refusal tells of ROAs. */
static enum fault_code
print_effect(const json_t *effect, struct fault *fault)
{
	AUTO(json_t, json_decref) rows = json_array();
	size_t index;
	const json_t *roa;
	json_array_foreach(json_object_get(effect, "within"), index, roa)
		add_row(rows, roa, json_is_true(json_object_get(roa, "wanted")) ? "within; the receiver has it, too" : "within");
	json_array_foreach(json_object_get(effect, "straddling"), index, roa) {
		add_row(rows, roa, "straddles");
		add_proposals(rows, json_object_get(roa, "remaining"), "  proposed for what stays");
		add_proposals(rows, json_object_get(roa, "transferred"), "  proposed for what goes");
	}
	if (json_array_size(rows) > 0)
		TRY(output_table(roa_columns, rows, fault));
	printf("%lld ROAs within, %lld straddling%s; %lld of the receiver's that wait for these resources\n",
		(long long)json_integer_value(json_object_get(effect, "within_total")),
		(long long)json_integer_value(json_object_get(effect, "straddling_total")),
		json_is_true(json_object_get(effect, "undecided")) ? " (--straddling has to say what becomes of them)" : "",
		(long long)json_integer_value(json_object_get(effect, "gained_total")));
	return FAULT_NONE;
}

/* One call that makes a transfer or says what it would do. Its refusal may tell of ROAs. */
static enum fault_code
call(struct cli *cli, const char *path, const json_t *body, struct fault *fault)
{
	AUTO(json_t, json_decref) answer = NULL;
	enum fault_code code = client_call(cli->client, "POST", path, body, &answer, fault);
	const json_t *effect = json_object_get(code == FAULT_NONE ? answer : client_problem(cli->client), "effect");
	if (code == FAULT_NONE && effect == NULL)
		return print_transfer(cli, answer, fault);
	if (code == FAULT_NONE && cli->json)
		output_json(answer);
	else if (effect != NULL && !cli->json)
		(void)print_effect(effect, NULL);
	return code;
}

static enum fault_code
read_added(const char *file, json_t **ret_added, struct fault *fault)
{
	json_error_t where;
	*ret_added = strcmp(file, "-") == 0 ? json_loadf(stdin, 0, &where) : json_load_file(file, 0, &where);
	if (*ret_added == NULL)
		return fault_set(fault, FAULT_USAGE, "%s:%d: %s", file, where.line, where.text);
	return FAULT_NONE;
}

static enum fault_code
make_body(const char *const *options, json_t **ret_body, struct fault *fault)
{
	json_t *resources = NULL, *added = NULL;
	if (options[CREATE_RESOURCES] == NULL)
		return fault_set(fault, FAULT_USAGE, "--resources is missing: what is to be transferred");
	TRY(cli_resources_json(options[CREATE_RESOURCES], &resources, fault));
	AUTO(json_t, json_decref) body = json_pack("{s:s?,s:s?,s:o}", "from", options[CREATE_FROM], "to", options[CREATE_TO], "resources",
		resources);
	if (options[CREATE_ROAS] != NULL)
		json_object_set_new(body, "roas", json_string(options[CREATE_ROAS]));
	if (options[CREATE_STRADDLING] != NULL)
		json_object_set_new(body, "straddling", json_string(options[CREATE_STRADDLING]));
	if (options[CREATE_ADDED] != NULL) {
		TRY(read_added(options[CREATE_ADDED], &added, fault));
		json_object_set_new(body, "added", added);
	}
	*ret_body = MOVE(body);
	return FAULT_NONE;
}

enum fault_code
transfer_command_create(struct cli *cli, struct fault *fault)
{
	AUTO(json_t, json_decref) body = NULL;
	const char *const *options = cli->arguments->options;
	TRY(make_body(options, &body, fault));
	return call(cli, options[CREATE_DRY_RUN] != NULL ? TRANSFERS "?dry_run=true" : TRANSFERS, body, fault);
}

static enum fault_code
transfer_path(struct cli *cli, const char *rest, char **ret_path, struct fault *fault)
{
	AUTO(char, free) escaped = NULL;
	TRY(client_escape(cli->client, cli->arguments->values[0], &escaped, fault));
	return memory_printf(ret_path, fault, TRANSFERS "/%s%s", escaped, rest);
}

enum fault_code
transfer_command_show(struct cli *cli, struct fault *fault)
{
	AUTO(char, free) path = NULL;
	AUTO(json_t, json_decref) answer = NULL;
	TRY(transfer_path(cli, "", &path, fault));
	TRY(client_call(cli->client, "GET", path, NULL, &answer, fault));
	return print_transfer(cli, answer, fault);
}

enum fault_code
transfer_command_complete(struct cli *cli, struct fault *fault)
{
	AUTO(char, free) path = NULL;
	AUTO(char, free) rest = NULL;
	AUTO(char, free) choice = NULL;
	const char *const *options = cli->arguments->options;
	if (options[COMPLETE_STRADDLING] != NULL)
		TRY(client_escape(cli->client, options[COMPLETE_STRADDLING], &choice, fault));
	TRY(memory_printf(&rest, fault, "/complete?dry_run=%s%s%s", options[COMPLETE_DRY_RUN] != NULL ? "true" : "false",
		choice != NULL ? "&straddling=" : "", choice != NULL ? choice : ""));
	TRY(transfer_path(cli, rest, &path, fault));
	return call(cli, path, NULL, fault);
}

enum fault_code
transfer_command_cancel(struct cli *cli, struct fault *fault)
{
	AUTO(char, free) path = NULL;
	TRY(transfer_path(cli, "/cancel", &path, fault));
	return call(cli, path, NULL, fault);
}

enum fault_code
transfer_command_list(struct cli *cli, struct fault *fault)
{
	AUTO(char, free) path = NULL;
	AUTO(char, free) ca = NULL;
	AUTO(char, free) limit = NULL;
	AUTO(char, free) after = NULL;
	AUTO(json_t, json_decref) answer = NULL;
	const char *const *options = cli->arguments->options;
	size_t index;
	json_t *transfer;
	TRY(client_escape(cli->client, options[LIST_CA] != NULL ? options[LIST_CA] : "", &ca, fault));
	TRY(client_escape(cli->client, options[LIST_LIMIT] != NULL ? options[LIST_LIMIT] : "100", &limit, fault));
	TRY(client_escape(cli->client, options[LIST_AFTER] != NULL ? options[LIST_AFTER] : "", &after, fault));
	TRY(memory_printf(&path, fault, TRANSFERS "?limit=%s%s%s%s%s", limit, ca[0] != '\0' ? "&ca=" : "", ca,
		after[0] != '\0' ? "&after=" : "", after));
	TRY(client_call(cli->client, "GET", path, NULL, &answer, fault));
	if (cli->json) {
		output_json(answer);
		return FAULT_NONE;
	}
	json_array_foreach(json_object_get(answer, "transfers"), index, transfer)
		name_registries(transfer);
	return output_table(list_columns, json_object_get(answer, "transfers"), fault);
}
