/*
 * cli: one command of `cadastre`: its words, arguments and options, its help, its function. The table of all stands in main.c.
 */
#ifndef API_CLI_CLI_H
#define API_CLI_CLI_H

#include "api/cli/arguments.h"
#include "api/cli/client.h"
#include "api/cli/output.h"
#include "ca/base/fault.h"

struct cli {
	const struct arguments *arguments;
	struct client *client;           /* NULL for a command that needs no server */
	bool json;                       /* print JSON */
};

typedef enum fault_code (*cli_command_fn)(struct cli *cli, struct fault *fault);

struct cli_command {
	const char *noun, *verb;         /* verb NULL: there is none */
	const char *usage;               /* its arguments, as the help shows them */
	size_t values_min, values_max;
	const struct option_spec *options; /* NULL: only the common ones */
	bool local;                      /* works without a server */
	cli_command_fn run;
	const char *help;                /* a sentence or two */
};

/* All commands, in the order of the help; ended by a NULL noun. */
extern const struct cli_command cli_commands[];

/* "/api/v1/cas/<escaped handle><rest>", to be freed. */
CHECKED enum fault_code cli_ca_path(struct cli *cli, const char *handle, const char *rest, char **ret_path, struct fault *fault);

/* A list of resources as the API takes it: {"asns":[…],"ipv4":[…],"ipv6":[…]}. Faults: INVALID, MEMORY. */
CHECKED enum fault_code cli_resources_json(const char *list, json_t **ret_resources, struct fault *fault);
/* The data directory that was named, by --data or CADASTRE_DATA; NULL: none. */
const char *cli_data(const struct cli *cli);
/* After a call that failed: is it a data directory on which no server runs, so that the command may work on it by itself? */
bool cli_no_server(const struct cli *cli, const struct fault *fault);

/* Exit codes of the program. */
enum cli_exit { CLI_DONE = 0, CLI_FAILED = 1, CLI_USAGE = 2, CLI_UNREACHABLE = 3, CLI_REFUSED = 4, CLI_NOT_FOUND = 5, CLI_CONFLICT = 6 };
int cli_exit_code(enum fault_code code);

/* One per file. Options of a command are named by its enum there. */
#define CLI_COMMAND(name) CHECKED enum fault_code name(struct cli *cli, struct fault *fault)
CLI_COMMAND(init_command);
CLI_COMMAND(status_command);
CLI_COMMAND(ca_command_list);
CLI_COMMAND(ca_command_show);
CLI_COMMAND(ca_command_create);
CLI_COMMAND(ca_command_set);
CLI_COMMAND(ca_command_delete);
CLI_COMMAND(ca_command_repair);
CLI_COMMAND(ca_command_keys);
CLI_COMMAND(ca_command_roll);
CLI_COMMAND(ca_command_hold);
CLI_COMMAND(ca_command_release);
CLI_COMMAND(ca_command_suspend);
CLI_COMMAND(ca_command_resume);
CLI_COMMAND(ca_command_objects);
CLI_COMMAND(roa_command_list);
CLI_COMMAND(roa_command_add);
CLI_COMMAND(roa_command_remove);
CLI_COMMAND(roa_command_apply);
CLI_COMMAND(token_command_list);
CLI_COMMAND(token_command_create);
CLI_COMMAND(token_command_revoke);
CLI_COMMAND(transfer_command_create);
CLI_COMMAND(transfer_command_list);
CLI_COMMAND(transfer_command_show);
CLI_COMMAND(transfer_command_complete);
CLI_COMMAND(transfer_command_cancel);
CLI_COMMAND(publication_command_accept);
CLI_COMMAND(publication_command);
CLI_COMMAND(check_command);
CLI_COMMAND(clock_command_confirm_right);
CLI_COMMAND(audit_command);
CLI_COMMAND(import_command);
CLI_COMMAND(ta_command_init);
CLI_COMMAND(ta_command_request);
CLI_COMMAND(ta_command_sign);
CLI_COMMAND(ta_command_export);
CLI_COMMAND(ta_command_install);
CLI_COMMAND(registry_command_plan);
CLI_COMMAND(registry_command_apply);
CLI_COMMAND(backup_command);
CLI_COMMAND(restore_command);

extern const struct option_spec init_command_options[], ca_command_list_options[], ca_command_resources[], ca_command_set_options[],
	ca_command_roll_options[], roa_command_options[], token_command_options[], transfer_command_create_options[],
	transfer_command_list_options[], transfer_command_complete_options[], check_command_options[], audit_command_options[],
	import_command_options[], ta_command_init_options[], ta_command_request_options[], ta_command_sign_options[],
	ta_command_export_options[], registry_command_plan_options[], registry_command_apply_options[], backup_command_options[],
	restore_command_options[];

#endif
