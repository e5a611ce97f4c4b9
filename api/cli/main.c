/*
 * cadastre: the command line. Every REST call as a command, and what works on a data directory without a server.
 */
#include <curl/curl.h>
#include <stdio.h>
#include <string.h>

#include "api/cli/cli.h"
#include "ca/base/log.h"

const struct cli_command cli_commands[] = {
	{ "init", NULL, "", 0, 0, init_command_options, true, init_command,
		"Lays a new data directory: keys, trust anchor, database, configuration, certificates, administrator's token." },
	{ "status", NULL, "", 0, 0, NULL, false, status_command,
		"Whether the server does its work, what waits, is late or expires, and which CAs are set aside." },
	{ "ca", "list", "", 0, 0, ca_command_list_options, false, ca_command_list, "Members' CAs, in order of handle." },
	{ "ca", "show", "CA", 1, 1, NULL, false, ca_command_show, "One CA: resources, state, counts." },
	{ "ca", "create", "CA", 1, 1, ca_command_resources, false, ca_command_create, "A new member with the resources it holds." },
	{ "ca", "set", "CA", 1, 1, ca_command_set_options, false, ca_command_set,
		"Replaces the whole set of resources that a member holds, or adds to it and takes from it." },
	{ "ca", "delete", "CA", 1, 1, NULL, false, ca_command_delete, "Withdraws all that a member has and revokes its certificate." },
	{ "ca", "repair", "CA", 1, 1, NULL, false, ca_command_repair, "Puts a CA that was set aside back to work." },
	{ "ca", "keys", "CA", 1, 1, NULL, false, ca_command_keys, "A CA's keys, and where each stands in a key roll." },
	{ "ca", "roll", "[CA]", 0, 1, ca_command_roll_options, false, ca_command_roll,
		"Rolls a CA's key (RFC 6489), or, with --older-than and --per-hour, those of all CAs whose key is old." },
	{ "ca", "hold", "CA", 1, 1, NULL, false, ca_command_hold,
		"Lets a member's changes wait: they are accepted, not issued. What is published is renewed." },
	{ "ca", "release", "CA", 1, 1, NULL, false, ca_command_release, "Ends a hold: what waited is issued." },
	{ "ca", "suspend", "CA", 1, 1, NULL, false, ca_command_suspend,
		"Withdraws all that is published of a member. Resources, ROAs and keys stay as they are here." },
	{ "ca", "resume", "CA", 1, 1, NULL, false, ca_command_resume, "Ends a suspension: all of it is issued again." },
	{ "ca", "objects", "CA", 1, 1, NULL, false, ca_command_objects, "What is published for a CA." },
	{ "roa", "list", "CA", 1, 1, NULL, false, roa_command_list, "A CA's ROAs and where each stands." },
	{ "roa", "add", "CA ASN PREFIX [MAXLENGTH]", 3, 4, roa_command_options, false, roa_command_add, "Authorises an AS for a prefix." },
	{ "roa", "remove", "CA ASN PREFIX [MAXLENGTH]", 3, 4, roa_command_options, false, roa_command_remove, "Takes that back." },
	{ "roa", "apply", "CA FILE", 2, 2, roa_command_options, false, roa_command_apply,
		"Sends a change from a JSON file, {\"added\":[…],\"removed\":[…]}; \"-\" is the standard input. All or nothing." },
	{ "token", "list", "[CA]", 0, 1, NULL, false, token_command_list, "Tokens of a CA, or those bound to none." },
	{ "token", "create", "[CA]", 0, 1, token_command_options, false, token_command_create,
		"A new token. It is shown this once; keep it." },
	{ "token", "revoke", "[CA] ID", 1, 2, NULL, false, token_command_revoke, "Makes a token worthless, at once." },
	{ "transfer", "create", "", 0, 0, transfer_command_create_options, false, transfer_command_create,
		"Moves resources from one member to another, with the ROAs under them, in one serial; out of the registry, or into it." },
	{ "transfer", "list", "", 0, 0, transfer_command_list_options, false, transfer_command_list, "Transfers, newest first." },
	{ "transfer", "show", "ID", 1, 1, NULL, false, transfer_command_show, "One transfer, and what is to be done by whom." },
	{ "transfer", "complete", "ID", 1, 1, transfer_command_complete_options, false, transfer_command_complete,
		"The other registry publishes: the resources of a prepared transfer leave." },
	{ "transfer", "cancel", "ID", 1, 1, NULL, false, transfer_command_cancel, "Gives up a prepared transfer: nothing was changed." },
	{ "publication", "accept", "CODE", 1, 1, NULL, false, publication_command_accept,
		"Lets the next serial lose what the publication's guard refuses under this code." },
	{ "publication", NULL, "", 0, 0, NULL, false, publication_command, "Session, serials, counts and sizes of what is published." },
	{ "check", NULL, "", 0, 0, check_command_options, true, check_command,
		"Reads what is served as a validator would and says what is wrong with it. Exit code 1: something is." },
	{ "clock", "confirm", "", 0, 0, NULL, false, clock_command_confirm_right,
		"Says that the server's clock is right as it is, after it stopped because that had jumped." },
	{ "audit", NULL, "", 0, 0, audit_command_options, false, audit_command, "Who did what and when, newest first." },
	{ "import", NULL, "stats|roas|members FILE", 2, 2, import_command_options, false, import_command,
		"Loads a registry: NRO extended statistics, validated payloads (rpki-client JSON or CSV), or JSON lines with both." },
	{ "ta", "init", "DIR", 1, 1, ta_command_init_options, true, ta_command_init,
		"On a machine without network: a new directory with a trust anchor's key, under a passphrase." },
	{ "ta", "request", "FILE", 1, 1, ta_command_request_options, false, ta_command_request,
		"On the server: what the trust anchor is to sign at the next ceremony, as a file to carry there." },
	{ "ta", "sign", "DIR REQUEST RESPONSE", 3, 3, ta_command_sign_options, true, ta_command_sign,
		"On the trust anchor's machine: shows what a request asks for, asks, signs, writes the response." },
	{ "ta", "export", "DIR", 1, 1, ta_command_export_options, true, ta_command_export,
		"Without a server: takes the trust anchor's key out of a data directory, into a new one for a machine of its own." },
	{ "ta", "install", "FILE", 1, 1, NULL, false, ta_command_install, "On the server: checks a response and publishes what it brings." },
	{ "registry", "plan", "FILE", 1, 1, registry_command_plan_options, false, registry_command_plan,
		"What a registry's file (NRO extended statistics or JSON lines of members) would change of members and ROAs." },
	{ "registry", "apply", "FILE", 1, 1, registry_command_apply_options, false, registry_command_apply,
		"Does what it says, all or nothing; refuses more than the limits allow unless that very change is accepted." },
	{ "backup", NULL, "FILE", 1, 1, backup_command_options, true, backup_command,
		"Writes all that a service needs to live again into one encrypted file; beside a running server, too." },
	{ "restore", NULL, "[FILE]", 0, 1, restore_command_options, true, restore_command,
		"Brings a service back from a backup, or lets a database go on that is older than what was published." },
	{ NULL, NULL, NULL, 0, 0, NULL, false, NULL, NULL },
};

int
cli_exit_code(enum fault_code code)
{
	switch (code) {
	case FAULT_NONE:
		return CLI_DONE;
	case FAULT_USAGE:
		return CLI_USAGE;
	case FAULT_NETWORK:
		return CLI_UNREACHABLE;
	case FAULT_UNAUTHORIZED:
	case FAULT_FORBIDDEN:
		return CLI_REFUSED;
	case FAULT_NOT_FOUND:
		return CLI_NOT_FOUND;
	case FAULT_CONFLICT:
	case FAULT_RESOURCE_CONFLICT:
	case FAULT_PRECONDITION:
		return CLI_CONFLICT;
	default:
		return CLI_FAILED;
	}
}

static void
print_line(const struct cli_command *command)
{
	char words[64];
	(void)snprintf(words, sizeof words, "%s%s%s %s", command->noun, command->verb != NULL ? " " : "",
		command->verb != NULL ? command->verb : "", command->usage);
	printf("  %-36s %s\n", words, command->help);
}

static void
print_help(const char *noun)
{
	printf("Usage: cadastre COMMAND [ARGUMENTS] [OPTIONS]\n\nCommands:\n");
	for (const struct cli_command *command = cli_commands; command->noun != NULL; command++)
		if (noun == NULL || strcmp(noun, command->noun) == 0)
			print_line(command);
	printf("\nOptions of every command:\n");
	arguments_print_options(arguments_common);
	printf("\nExit codes: 0 done, 1 failed, 2 wrong usage, 3 server not reached, 4 not allowed, 5 not found, 6 conflict.\n"
		"The manual is cadastre(1); `cadastre COMMAND --help` tells a command's own options.\n");
}

static void
print_command_help(const struct cli_command *command)
{
	printf("Usage: cadastre %s%s%s %s [OPTIONS]\n\n%s\n\nOptions:\n", command->noun, command->verb != NULL ? " " : "",
		command->verb != NULL ? command->verb : "", command->usage, command->help);
	arguments_print_options(command->options);
	arguments_print_options(arguments_common);
}

/* The command that the first words name; *ret_words: how many those are. */
static const struct cli_command *
find_command(int argc, char **argv, int *ret_words)
{
	for (const struct cli_command *command = cli_commands; command->noun != NULL; command++) {
		if (strcmp(argv[1], command->noun) != 0)
			continue;
		if (command->verb != NULL && (argc < 3 || strcmp(argv[2], command->verb) != 0))
			continue;
		*ret_words = command->verb != NULL ? 2 : 1;
		return command;
	}
	return NULL;
}

static bool
noun_exists(const char *noun)
{
	for (const struct cli_command *command = cli_commands; command->noun != NULL; command++)
		if (strcmp(noun, command->noun) == 0)
			return true;
	return false;
}

static int
unknown(int argc, char **argv)
{
	bool help = argc < 2 || strcmp(argv[1], "help") == 0 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0;
	if (help) {
		print_help(NULL);
		return argc < 2 ? CLI_USAGE : CLI_DONE;
	}
	if (noun_exists(argv[1])) {
		bool asked = argc > 2 && (strcmp(argv[2], "--help") == 0 || strcmp(argv[2], "-h") == 0);
		print_help(argv[1]);
		return asked ? CLI_DONE : CLI_USAGE;
	}
	fprintf(stderr, "cadastre: there is no command \"%s\": see cadastre --help\n", argv[1]);
	return CLI_USAGE;
}

static void
report(const struct cli *cli, const struct fault *fault)
{
	const json_t *problem = cli->client != NULL ? client_problem(cli->client) : NULL;
	size_t index;
	const json_t *error;
	if (cli->json && problem != NULL)
		output_json(problem);
	fprintf(stderr, "cadastre: %s\n", fault->message);
	/* A single one is the message already. */
	const json_t *errors = json_object_get(problem, "errors");
	json_array_foreach(json_array_size(errors) > 1 ? errors : NULL, index, error) {
		const char *list = json_string_value(json_object_get(error, "list"));
		const char *field = json_string_value(json_object_get(error, "field"));
		const char *reason = json_string_value(json_object_get(error, "reason"));
		fprintf(stderr, "  %s[%lld]%s%s: %s\n", list != NULL ? list : "",
			(long long)json_integer_value(json_object_get(error, "index")), field != NULL ? "." : "",
			field != NULL ? field : "", reason != NULL ? reason : "");
	}
	/* The hints are written for callers of the API; what went wrong on this side says what to do by itself. */
	if (problem != NULL && *fault_hint(fault->code) != '\0')
		fprintf(stderr, "%s\n", fault_hint(fault->code));
}

static enum fault_code
run(const struct cli_command *command, struct cli *cli, struct fault *fault)
{
	size_t count = cli->arguments->values_count;
	if (count < command->values_min || count > command->values_max)
		return fault_set(fault, FAULT_USAGE, "usage: cadastre %s%s%s %s", command->noun, command->verb != NULL ? " " : "",
			command->verb != NULL ? command->verb : "", command->usage);
	if (!command->local)
		TRY(client_open(cli->arguments, &cli->client, fault));
	return command->run(cli, fault);
}

int
main(int argc, char **argv)
{
	int words = 0;
	struct arguments arguments = { .values_count = 0 };
	struct cli cli = { .arguments = &arguments };
	struct fault fault = FAULT_INIT;
	const struct cli_command *command = argc > 1 ? find_command(argc, argv, &words) : NULL;
	if (command == NULL)
		return unknown(argc, argv);
	log_set_level(LOG_WARNING);
	curl_global_init(CURL_GLOBAL_DEFAULT);
	enum fault_code code = arguments_parse(command->options, argv + 1 + words, (size_t)(argc - 1 - words), &arguments, &fault);
	cli.json = arguments.common[COMMON_JSON] != NULL;
	if (code == FAULT_NONE && arguments.common[COMMON_HELP] != NULL) {
		print_command_help(command);
		return CLI_DONE;
	}
	if (code == FAULT_NONE)
		code = run(command, &cli, &fault);
	if (code != FAULT_NONE)
		report(&cli, &fault);
	client_free(cli.client);
	curl_global_cleanup();
	return cli_exit_code(code);
}
