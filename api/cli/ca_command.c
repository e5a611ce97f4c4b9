/* ca …: members come, change and go. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/cli/cli.h"
#include "ca/base/memory.h"
#include "ca/resources/resource_list.h"

enum { RESOURCES };
const struct option_spec ca_command_resources[] = {
	[RESOURCES] = { "resources", "LIST", "\"AS64496-AS64511, 192.0.2.0/24, 2001:db8::/32\": prefixes, ranges, AS numbers" },
	{ NULL, NULL, NULL },
};

enum { SET_ADD = RESOURCES + 1, SET_REMOVE };
const struct option_spec ca_command_set_options[] = {
	[RESOURCES] = { "resources", "LIST", "the whole set: \"AS64496-AS64511, 192.0.2.0/24, 2001:db8::/32\"" },
	[SET_ADD] = { "add", "LIST", "in its place: what comes to it" },
	[SET_REMOVE] = { "remove", "LIST", "and what goes" },
	{ NULL, NULL, NULL },
};

enum { LIST_LIMIT, LIST_AFTER, LIST_SET_ASIDE };
const struct option_spec ca_command_list_options[] = {
	[LIST_LIMIT] = { "limit", "N", "at most so many (all of them if not given)" },
	[LIST_AFTER] = { "after", "CA", "from the one after this" },
	[LIST_SET_ASIDE] = { "set-aside", NULL, "only those that are set aside, and why; those above members too" },
	{ NULL, NULL, NULL },
};

static const struct output_column list_columns[] = {
	{ "handle", "CA", false }, { "kind", "KIND", false }, { "state", "STATE", false }, { "held_at", "HELD", false },
	{ "suspended_at", "SUSPENDED", false }, { "roas", "ROAS", true },
	{ "resources.asns", "AS NUMBERS", false }, { "resources.ipv4", "IPV4", false }, { "resources.ipv6", "IPV6", false },
	{ NULL, NULL, false },
};

static const struct output_column aside_columns[] = {
	{ "handle", "CA", false }, { "kind", "KIND", false }, { "set_aside", "WHY", false }, { NULL, NULL, false },
};

static const struct output_column record_columns[] = {
	{ "handle", "CA", false }, { "kind", "Kind", false }, { "state", "State", false }, { "parent", "Parent", false },
	{ "resources.asns", "AS numbers", false }, { "resources.ipv4", "IPv4", false }, { "resources.ipv6", "IPv6", false },
	{ "inherits", "Inherits", false }, { "roas", "ROAs", true }, { "roas_version", "ROAs' version", true },
	{ "waiting_since", "Waiting since", false }, { "set_aside", "Set aside", false }, { "held_at", "Held since", false },
	{ "suspended_at", "Suspended since", false }, { "created_at", "Created", false },
	{ NULL, NULL, false },
};

static const struct output_column object_columns[] = {
	{ "kind", "KIND", false }, { "uri", "URI", false }, { "not_before", "NOT BEFORE", false }, { "not_after", "NOT AFTER", false },
	{ "serial", "SERIAL", false }, { NULL, NULL, false },
};

enum fault_code
cli_ca_path(struct cli *cli, const char *handle, const char *rest, char **ret_path, struct fault *fault)
{
	AUTO(char, free) escaped = NULL;
	TRY(client_escape(cli->client, handle, &escaped, fault));
	return memory_printf(ret_path, fault, "/api/v1/cas/%s%s", escaped, rest);
}

/* Calls for the CA that the first argument names. */
static enum fault_code
call(struct cli *cli, const char *method, const char *rest, const json_t *body, json_t **ret_answer, struct fault *fault)
{
	AUTO(char, free) path = NULL;
	TRY(cli_ca_path(cli, cli->arguments->values[0], rest, &path, fault));
	return client_call(cli->client, method, path, body, ret_answer, fault);
}

static void
print_ca(const struct cli *cli, const json_t *answer)
{
	if (cli->json)
		output_json(answer);
	else
		output_record(record_columns, answer);
}

/* Adds one page to *rows; *next becomes the handle to go on after, NULL at the end. */
static enum fault_code
take_page(struct cli *cli, int64_t limit, char **next, json_t *rows, struct fault *fault)
{
	AUTO(char, free) path = NULL;
	AUTO(char, free) escaped = NULL;
	AUTO(json_t, json_decref) answer = NULL;
	if (*next != NULL)
		TRY(client_escape(cli->client, *next, &escaped, fault));
	const char *filter = cli->arguments->options[LIST_SET_ASIDE] != NULL ? "&set_aside=true" : "";
	TRY(memory_printf(&path, fault, "/api/v1/cas?limit=%lld%s%s%s", (long long)limit, filter, escaped != NULL ? "&after=" : "",
		escaped != NULL ? escaped : ""));
	TRY(client_call(cli->client, "GET", path, NULL, &answer, fault));
	free(*next);
	*next = NULL;
	const char *after = json_string_value(json_object_get(answer, "next"));
	if (after != NULL)
		TRY(memory_copy_string(after, next, fault));
	return json_array_extend(rows, json_object_get(answer, "cas")) == 0 ? FAULT_NONE :
		fault_set(fault, FAULT_NETWORK, "the server's answer has no list of CAs");
}

#define PAGE 1000
#define LIST_MAX 1000000000

enum fault_code
ca_command_list(struct cli *cli, struct fault *fault)
{
	AUTO(json_t, json_decref) rows = json_array();
	AUTO(char, free) next = NULL;
	const char *limit = cli->arguments->options[LIST_LIMIT];
	int64_t left = 0;
	TRY(arguments_number("limit", limit, 1, LIST_MAX, &left, fault));
	if (cli->arguments->options[LIST_AFTER] != NULL)
		TRY(memory_copy_string(cli->arguments->options[LIST_AFTER], &next, fault));
	do {
		TRY(take_page(cli, left > 0 && left < PAGE ? left : PAGE, &next, rows, fault));
		left -= PAGE;
	} while (next != NULL && (limit == NULL || left > 0));
	if (cli->json) {
		output_json(rows);
		return FAULT_NONE;
	}
	return output_table(cli->arguments->options[LIST_SET_ASIDE] != NULL ? aside_columns : list_columns, rows, fault);
}

enum fault_code
ca_command_show(struct cli *cli, struct fault *fault)
{
	AUTO(json_t, json_decref) answer = NULL;
	TRY(call(cli, "GET", "", NULL, &answer, fault));
	print_ca(cli, answer);
	return FAULT_NONE;
}

static json_t *
addresses_json(enum address_family family, const struct address_ranges *ranges)
{
	char text[RANGE_TEXT];
	json_t *list = json_array();
	for (size_t i = 0; i < ranges->count; i++) {
		resource_set_address_text(family, &ranges->items[i], text);
		json_array_append_new(list, json_string(text));
	}
	return list;
}

enum fault_code
cli_resources_json(const char *list, json_t **ret_resources, struct fault *fault)
{
	AUTO_CLEAR(struct resource_set, resource_set_clear) set = RESOURCE_SET_INIT;
	char text[RANGE_TEXT];
	if (list[strspn(list, ", ")] != '\0')
		TRY(resource_list_parse(list, &set, fault));
	json_t *asns = json_array();
	for (size_t i = 0; i < set.asns_count; i++) {
		resource_set_asn_text(&set.asns[i], text);
		json_array_append_new(asns, json_string(text));
	}
	*ret_resources = json_pack("{s:o,s:o,s:o}", "asns", asns, "ipv4", addresses_json(FAMILY_IPV4, &set.ipv4), "ipv6",
		addresses_json(FAMILY_IPV6, &set.ipv6));
	return *ret_resources != NULL ? FAULT_NONE : fault_set(fault, FAULT_MEMORY, "out of memory");
}

enum fault_code
ca_command_create(struct cli *cli, struct fault *fault)
{
	AUTO(json_t, json_decref) answer = NULL;
	AUTO(json_t, json_decref) body = NULL;
	json_t *resources = NULL;
	if (cli->arguments->options[RESOURCES] == NULL)
		return fault_set(fault, FAULT_USAGE, "--resources is missing: the whole set that the member holds");
	TRY(cli_resources_json(cli->arguments->options[RESOURCES], &resources, fault));
	body = json_pack("{s:s,s:o}", "handle", cli->arguments->values[0], "resources", resources);
	TRY(client_call(cli->client, "POST", "/api/v1/cas", body, &answer, fault));
	print_ca(cli, answer);
	return FAULT_NONE;
}

enum fault_code
ca_command_set(struct cli *cli, struct fault *fault)
{
	AUTO(json_t, json_decref) answer = NULL;
	AUTO(json_t, json_decref) body = json_object();
	const char *const *options = cli->arguments->options;
	bool parts = options[SET_ADD] != NULL || options[SET_REMOVE] != NULL;
	if (parts == (options[RESOURCES] != NULL))
		return fault_set(fault, FAULT_USAGE, "either --resources with the whole set that the member holds, or --add and --remove");
	for (size_t i = RESOURCES; i <= SET_REMOVE; i++) {
		json_t *resources = NULL;
		if (options[i] == NULL)
			continue;
		TRY(cli_resources_json(options[i], &resources, fault));
		json_object_set_new(body, ca_command_set_options[i].name, resources);
	}
	TRY(call(cli, "PATCH", "", body, &answer, fault));
	print_ca(cli, answer);
	return FAULT_NONE;
}

enum fault_code
ca_command_delete(struct cli *cli, struct fault *fault)
{
	AUTO(json_t, json_decref) answer = NULL;
	return call(cli, "DELETE", "", NULL, &answer, fault);
}

/* What is done to a CA without a further word: its verb is the end of the path. */
static enum fault_code
turn(struct cli *cli, const char *rest, struct fault *fault)
{
	AUTO(json_t, json_decref) answer = NULL;
	TRY(call(cli, "POST", rest, NULL, &answer, fault));
	print_ca(cli, answer);
	return FAULT_NONE;
}

enum fault_code
ca_command_repair(struct cli *cli, struct fault *fault)
{
	return turn(cli, "/repair", fault);
}

enum fault_code
ca_command_hold(struct cli *cli, struct fault *fault)
{
	return turn(cli, "/hold", fault);
}

enum fault_code
ca_command_release(struct cli *cli, struct fault *fault)
{
	return turn(cli, "/release", fault);
}

enum fault_code
ca_command_suspend(struct cli *cli, struct fault *fault)
{
	return turn(cli, "/suspend", fault);
}

enum fault_code
ca_command_resume(struct cli *cli, struct fault *fault)
{
	return turn(cli, "/resume", fault);
}

enum fault_code
ca_command_objects(struct cli *cli, struct fault *fault)
{
	AUTO(json_t, json_decref) answer = NULL;
	TRY(call(cli, "GET", "/objects", NULL, &answer, fault));
	if (!cli->json)
		return output_table(object_columns, json_object_get(answer, "objects"), fault);
	output_json(answer);
	return FAULT_NONE;
}
