/* registry: holds a registry's file of the day against the members, and applies it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/cli/cli.h"
#include "api/cli/local.h"
#include "ca/base/bytes.h"
#include "ca/base/memory.h"

#define LIMIT_MAX 1000
#define LIMIT_DEFAULT "100"

enum { PLAN_LIMIT };
enum { ACCEPT, LIMIT };
const struct option_spec registry_command_plan_options[] = {
	[PLAN_LIMIT] = { "limit", "N", "most entries of each list that are shown, up to 1000 (100)" },
	{ NULL, NULL, NULL },
};
const struct option_spec registry_command_apply_options[] = {
	[ACCEPT] = { "accept", "CODE", "the code of exactly the change that is wanted, whatever the limits say" },
	[LIMIT] = { "limit", "N", "most entries of each list that are shown, up to 1000 (100)" },
	{ NULL, NULL, NULL },
};

static const struct output_column count_columns[] = {
	{ "registry", "Registry", false }, { "counts.holders", "In the file", true }, { "counts.members", "Members before", true },
	{ "counts.new", "  new", true }, { "counts.gone", "  gone", true }, { "counts.grown", "  grown", true },
	{ "counts.shrunk", "  shrunk", true }, { "counts.exchanged", "  exchanged", true },
	{ "counts.aliases", "  renamed", true }, { "counts.entries", "Entries before", true },
	{ "counts.entries_gained", "  gained", true }, { "counts.entries_lost", "  lost", true },
	{ "counts.moves", "Ranges moved", true }, { "counts.roas_lost", "ROAs lost", true },
	{ "counts.roas_straddling", "  straddling", true }, { "counts.roas_back", "ROAs back", true },
	{ NULL, NULL, false },
};
static const struct output_column member_columns[] = {
	{ "handle", "MEMBER", false }, { "change", "CHANGE", false }, { "gained", "GAINED", false }, { "lost", "LOST", false },
	{ NULL, NULL, false },
};
static const struct output_column move_columns[] = {
	{ "resources", "MOVED", false }, { "from", "FROM", false }, { "to", "TO", false }, { NULL, NULL, false },
};
static const struct output_column roa_columns[] = {
	{ "ca", "ROA NOT HELD", false }, { "asn", "ASN", true }, { "prefix", "PREFIX", false }, { "max_length", "MAX", true },
	{ "proposed", "PROPOSED FOR WHAT REMAINS", false }, { NULL, NULL, false },
};
static const struct output_column remark_columns[] = { { "text", "REMARK", false }, { NULL, NULL, false } };

/* ", " between; "and N more" behind. */
static enum fault_code
join(struct bytes *text, const char *word, struct fault *fault)
{
	return bytes_printf(text, fault, "%s%s", text->length > 0 ? ", " : "", word);
}

static enum fault_code
join_more(struct bytes *text, int64_t more, struct fault *fault)
{
	return more > 0 ? bytes_printf(text, fault, " and %lld more", (long long)more) : FAULT_NONE;
}

static enum fault_code
set_text(json_t *row, const char *name, const struct bytes *text, struct fault *fault)
{
	return json_object_set_new(row, name, json_string(bytes_text(text))) == 0 ? FAULT_NONE :
		fault_set(fault, FAULT_MEMORY, "out of memory");
}

static int64_t
number(const json_t *object, const char *name)
{
	return json_integer_value(json_object_get(object, name));
}

static enum fault_code
flatten_ranges(json_t *row, const char *name, const char *more_name, struct fault *fault)
{
	AUTO_CLEAR(struct bytes, bytes_clear) text = BYTES_INIT;
	size_t index;
	const json_t *range;
	json_array_foreach(json_object_get(row, name), index, range)
		TRY(join(&text, json_string_value(range), fault));
	TRY(join_more(&text, number(row, more_name), fault));
	return set_text(row, name, &text, fault);
}

static enum fault_code
flatten_replacements(json_t *row, struct fault *fault)
{
	AUTO_CLEAR(struct bytes, bytes_clear) text = BYTES_INIT;
	size_t index;
	const json_t *replacement;
	json_array_foreach(json_object_get(row, "replacements"), index, replacement) {
		char word[128];
		(void)snprintf(word, sizeof word, "%s-%lld", json_string_value(json_object_get(replacement, "prefix")),
			(long long)number(replacement, "max_length"));
		TRY(join(&text, word, fault));
	}
	TRY(join_more(&text, number(row, "more_replacements"), fault));
	return set_text(row, "proposed", &text, fault);
}

/* A table, and how many rows it leaves off. */
static enum fault_code
print_list(const struct output_column *columns, const json_t *plan, const char *name, struct fault *fault)
{
	const json_t *rows = json_object_get(plan, name);
	int64_t more = number(json_object_get(plan, "left_off"), name);
	if (json_array_size(rows) == 0)
		return FAULT_NONE;
	printf("\n");
	TRY(output_table(columns, rows, fault));
	if (more > 0)
		printf("… and %lld more\n", (long long)more);
	return FAULT_NONE;
}

static enum fault_code
print_remarks(json_t *plan, struct fault *fault)
{
	AUTO(json_t, json_decref) rows = json_array();
	size_t index;
	json_t *remark;
	json_array_foreach(json_object_get(plan, "remarks"), index, remark)
		if (json_array_append_new(rows, json_pack("{s:O}", "text", remark)) != 0)
			return fault_set(fault, FAULT_MEMORY, "out of memory");
	if (json_object_set(plan, "remarks", rows) != 0)
		return fault_set(fault, FAULT_MEMORY, "out of memory");
	return print_list(remark_columns, plan, "remarks", fault);
}

static enum fault_code
print_lists(json_t *plan, struct fault *fault)
{
	size_t index;
	json_t *row;
	json_array_foreach(json_object_get(plan, "members"), index, row) {
		TRY(flatten_ranges(row, "gained", "more_gained", fault));
		TRY(flatten_ranges(row, "lost", "more_lost", fault));
	}
	json_array_foreach(json_object_get(plan, "roas"), index, row)
		TRY(flatten_replacements(row, fault));
	TRY(print_list(member_columns, plan, "members", fault));
	TRY(print_list(move_columns, plan, "moves", fault));
	TRY(print_list(roa_columns, plan, "roas", fault));
	return print_remarks(plan, fault);
}

static enum fault_code
report(struct cli *cli, json_t *plan, struct fault *fault)
{
	const char *over_limits = json_string_value(json_object_get(plan, "over_limits"));
	const char *code = json_string_value(json_object_get(plan, "code"));
	bool applied = json_is_integer(json_object_get(plan, "feed"));
	if (cli->json) {
		output_json(plan);
		return FAULT_NONE;
	}
	output_record(count_columns, plan);
	TRY(print_lists(plan, fault));
	if (applied)
		printf("\nApplied as feed %lld.\n", (long long)number(plan, "feed"));
	else if (over_limits != NULL)
		printf("\nBeyond the limits: %s.\nTo do exactly this change: cadastre registry apply FILE --accept %s\n", over_limits,
			code != NULL ? code : "");
	else
		printf("\nWithin the limits. Nothing was changed.\n");
	return FAULT_NONE;
}

static enum fault_code
read_limit(const char *text, int64_t *ret_limit, struct fault *fault)
{
	int64_t limit = 0;
	if (text == NULL)
		text = LIMIT_DEFAULT;
	for (const char *digit = text; *digit >= '0' && *digit <= '9' && limit <= LIMIT_MAX; digit++)
		limit = limit * 10 + (*digit - '0');
	if (text[strspn(text, "0123456789")] != '\0' || limit < 1 || limit > LIMIT_MAX)
		return fault_set(fault, FAULT_USAGE, "--limit takes a number from 1 to %d, not \"%.20s\"", LIMIT_MAX, text);
	*ret_limit = limit;
	return FAULT_NONE;
}

static enum fault_code
run(struct cli *cli, bool apply, const char *accept, const char *limit, struct fault *fault)
{
	AUTO(char, free) path = NULL;
	AUTO(char, free) escaped = NULL;
	AUTO(json_t, json_decref) plan = NULL;
	AUTO(json_t, json_decref) health = NULL;
	const char *file = cli->arguments->values[0];
	int64_t shown = 0;
	TRY(read_limit(limit, &shown, fault));
	enum fault_code reached = client_call(cli->client, "GET", "/health/live", NULL, &health, fault);
	if (reached != FAULT_NONE && cli_no_server(cli, fault)) {
		TRY(local_registry(cli_data(cli), file, apply, accept, shown, &plan, fault));
		return report(cli, plan, fault);
	}
	TRY(client_escape(cli->client, accept != NULL ? accept : "", &escaped, fault));
	TRY(memory_printf(&path, fault, "/api/v1/registry/%s?limit=%lld%s%s", apply ? "apply" : "plan", (long long)shown,
		accept != NULL ? "&accept=" : "", escaped));
	TRY(client_upload(cli->client, path, file, NULL, NULL, &plan, fault));
	return report(cli, plan, fault);
}

enum fault_code
registry_command_plan(struct cli *cli, struct fault *fault)
{
	return run(cli, false, NULL, cli->arguments->options[PLAN_LIMIT], fault);
}

enum fault_code
registry_command_apply(struct cli *cli, struct fault *fault)
{
	return run(cli, true, cli->arguments->options[ACCEPT], cli->arguments->options[LIMIT], fault);
}
