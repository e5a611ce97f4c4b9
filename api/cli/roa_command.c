/* roa …: what members authorise. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/cli/cli.h"
#include "ca/base/memory.h"

enum { DRY_RUN, COMMENT };
const struct option_spec roa_command_options[] = {
	[DRY_RUN] = { "dry-run", NULL, "check, and show what the list would be; change nothing" },
	[COMMENT] = { "comment", "TEXT", "a word for whoever reads the list (add)" },
	{ NULL, NULL, NULL },
};

static const struct output_column columns[] = {
	{ "asn", "ASN", true }, { "prefix", "PREFIX", false }, { "max_length", "MAX", true }, { "status", "STATUS", false },
	{ "reason", "REASON", false }, { "comment", "COMMENT", false }, { NULL, NULL, false },
};

static long long
number(const json_t *answer, const char *name)
{
	return (long long)json_integer_value(json_object_get(answer, name));
}

/* A list, or what came of a change. */
static enum fault_code
print_answer(const struct cli *cli, const json_t *answer, struct fault *fault)
{
	const json_t *roas = json_object_get(answer, "roas");
	if (cli->json) {
		output_json(answer);
	} else if (roas != NULL) {
		TRY(output_table(columns, roas, fault));
		printf("version %lld\n", number(answer, "version"));
	} else {
		printf("%lld added, %lld removed: version %lld\n", number(answer, "added"), number(answer, "removed"),
			number(answer, "version"));
	}
	return FAULT_NONE;
}

enum fault_code
roa_command_list(struct cli *cli, struct fault *fault)
{
	AUTO(char, free) path = NULL;
	AUTO(json_t, json_decref) answer = NULL;
	TRY(cli_ca_path(cli, cli->arguments->values[0], "/roas", &path, fault));
	TRY(client_call(cli->client, "GET", path, NULL, &answer, fault));
	return print_answer(cli, answer, fault);
}

static enum fault_code
change(struct cli *cli, const json_t *body, struct fault *fault)
{
	AUTO(char, free) path = NULL;
	AUTO(json_t, json_decref) answer = NULL;
	bool dry_run = cli->arguments->options[DRY_RUN] != NULL;
	TRY(cli_ca_path(cli, cli->arguments->values[0], dry_run ? "/roas?dry_run=true" : "/roas", &path, fault));
	TRY(client_call(cli->client, "POST", path, body, &answer, fault));
	return print_answer(cli, answer, fault);
}

/* CA ASN PREFIX [MAXLENGTH] */
static enum fault_code
change_one(struct cli *cli, const char *list, const char *comment, struct fault *fault)
{
	const char *const *values = cli->arguments->values;
	AUTO(json_t, json_decref) body = NULL;
	json_t *entry = json_pack("{s:s,s:s}", "asn", values[1], "prefix", values[2]);
	if (cli->arguments->values_count > 3) {
		char *end;
		long max_length = strtol(values[3], &end, 10);
		if (*end != '\0' || end == values[3])
			return fault_set(fault, FAULT_USAGE, "MAXLENGTH must be a number: %s", values[3]);
		json_object_set_new(entry, "max_length", json_integer(max_length));
	}
	if (comment != NULL)
		json_object_set_new(entry, "comment", json_string(comment));
	body = json_pack("{s:[o]}", list, entry);
	return body != NULL ? change(cli, body, fault) : fault_set(fault, FAULT_MEMORY, "out of memory");
}

enum fault_code
roa_command_add(struct cli *cli, struct fault *fault)
{
	return change_one(cli, "added", cli->arguments->options[COMMENT], fault);
}

enum fault_code
roa_command_remove(struct cli *cli, struct fault *fault)
{
	return change_one(cli, "removed", NULL, fault);
}

enum fault_code
roa_command_apply(struct cli *cli, struct fault *fault)
{
	json_error_t where;
	const char *file = cli->arguments->values[1];
	AUTO(json_t, json_decref) body = strcmp(file, "-") == 0 ? json_loadf(stdin, 0, &where) : json_load_file(file, 0, &where);
	if (body == NULL)
		return fault_set(fault, FAULT_MALFORMED, "%s, line %d: %s", file, where.line, where.text);
	return change(cli, body, fault);
}
