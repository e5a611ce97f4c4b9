/* import: loads a registry. Sends the file, then follows the server's work to its end. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "api/cli/cli.h"
#include "api/cli/local.h"
#include "ca/base/clock.h"
#include "ca/base/memory.h"

#define LOOK_MS 500

enum { NO_WAIT };
const struct option_spec import_command_options[] = {
	[NO_WAIT] = { "no-wait", NULL, "return as soon as the server has the file" },
	{ NULL, NULL, NULL },
};

static const struct output_column report_columns[] = {
	{ "id", "Import", false }, { "state", "State", false }, { "entries_total", "Entries", true },
	{ "members_created", "Members new", true }, { "members_unchanged", "  unchanged", true },
	{ "members_different", "  different", true },
	{ "roas_created", "ROAs new", true }, { "roas_unchanged", "  unchanged", true }, { "roas_not_held", "  not held", true },
	{ "warnings", "Warnings", true }, { "serial", "In serial", true }, { NULL, NULL, false },
};

static const struct output_column remark_columns[] = {
	{ "kind", "REMARK", false }, { "text", "", false }, { NULL, NULL, false },
};

/* Rate and time left of one stage, as seen from here. */
struct progress {
	bool shown;                      /* standard error is a terminal */
	const char *stage;
	int64_t began_ms, began_at;      /* when the stage began, and with how much done */
};

static void
show(struct progress *progress, const char *stage, int64_t done, int64_t total)
{
	int64_t now_ms = clock_monotonic_ms();
	if (!progress->shown)
		return;
	if (progress->stage == NULL || strcmp(progress->stage, stage) != 0)
		*progress = (struct progress){ .shown = true, .stage = stage, .began_ms = now_ms, .began_at = done };
	double seconds = (double)(now_ms - progress->began_ms) / 1000;
	double rate = seconds > 0 ? (double)(done - progress->began_at) / seconds : 0;
	fprintf(stderr, "\r\033[K%s: %lld of %lld", stage, (long long)done, (long long)total);
	if (rate > 0 && done < total)
		fprintf(stderr, ", %.0f/s, %.0f s left", rate, (double)(total - done) / rate);
	fflush(stderr);
}

static void
show_upload(void *argument, int64_t sent, int64_t total)
{
	show(argument, "sending", sent, total);
}

static int64_t
number(const json_t *answer, const char *name)
{
	return json_integer_value(json_object_get(answer, name));
}

static void
show_import(void *argument, const json_t *answer)
{
	struct progress *progress = argument;
	const char *state = json_string_value(json_object_get(answer, "state"));
	int64_t cas = number(answer, "cas_to_issue");
	if (state != NULL && strcmp(state, "issuing") == 0)
		show(progress, "issuing, CAs", cas - number(answer, "cas_waiting"), cas);
	else if (state != NULL && strcmp(state, "applying") == 0)
		show(progress, "recording", number(answer, "entries_done"), number(answer, "entries_total"));
	else if (progress->shown)
		fprintf(stderr, "\r\033[K%s", state != NULL ? state : "");
}

static bool
ended(const json_t *answer)
{
	const char *state = json_string_value(json_object_get(answer, "state"));
	return state == NULL || strcmp(state, "done") == 0 || strcmp(state, "failed") == 0;
}

/* Asks until the import has ended. */
static enum fault_code
follow(struct cli *cli, const char *path, struct progress *progress, json_t **answer, struct fault *fault)
{
	const struct timespec pause = { .tv_nsec = LOOK_MS * 1000000L };
	for (;;) {
		json_decref(*answer);
		*answer = NULL;
		TRY(client_call(cli->client, "GET", path, NULL, answer, fault));
		if (ended(*answer))
			break;
		show_import(progress, *answer);
		(void)nanosleep(&pause, NULL);
	}
	if (progress->shown)
		fprintf(stderr, "\r\033[K");
	return FAULT_NONE;
}

static enum fault_code
report(struct cli *cli, const json_t *answer, struct fault *fault)
{
	const json_t *remarks = json_object_get(answer, "remarks");
	const char *error = json_string_value(json_object_get(answer, "error"));
	if (cli->json) {
		output_json(answer);
	} else {
		output_record(report_columns, answer);
		if (json_array_size(remarks) > 0)
			TRY(output_table(remark_columns, remarks, fault));
	}
	return error == NULL ? FAULT_NONE : fault_set(fault, FAULT_INVALID, "%s", error);
}

const char *
cli_data(const struct cli *cli)
{
	const char *data = cli->arguments->common[COMMON_DATA];
	return data != NULL ? data : getenv("CADASTRE_DATA");
}

bool
cli_no_server(const struct cli *cli, const struct fault *fault)
{
	return fault->code == FAULT_NETWORK && cli_data(cli) != NULL && cli->arguments->common[COMMON_SERVER] == NULL &&
		getenv("CADASTRE_SERVER") == NULL;
}

enum fault_code
import_command(struct cli *cli, struct fault *fault)
{
	AUTO(char, free) upload = NULL;
	AUTO(char, free) path = NULL;
	AUTO(json_t, json_decref) answer = NULL;
	AUTO(json_t, json_decref) health = NULL;
	const char *kind = cli->arguments->values[0];
	struct progress progress = { .shown = isatty(STDERR_FILENO) };
	if (strcmp(kind, "stats") != 0 && strcmp(kind, "roas") != 0 && strcmp(kind, "members") != 0)
		return fault_set(fault, FAULT_USAGE, "import what? stats, roas or members, not \"%s\"", kind);
	enum fault_code reached = client_call(cli->client, "GET", "/health/live", NULL, &health, fault);
	if (reached != FAULT_NONE && cli_no_server(cli, fault)) {
		TRY(local_import(cli_data(cli), kind, cli->arguments->values[1], show_import, &progress, &answer, fault));
		if (progress.shown)
			fprintf(stderr, "\r\033[K");
		return report(cli, answer, fault);
	}
	TRY(memory_printf(&upload, fault, "/api/v1/import/%s", kind));
	TRY(client_upload(cli->client, upload, cli->arguments->values[1], show_upload, &progress, &answer, fault));
	const char *id = json_string_value(json_object_get(answer, "id"));
	if (id == NULL)
		return fault_set(fault, FAULT_NETWORK, "the server's answer names no import");
	TRY(memory_printf(&path, fault, "/api/v1/imports/%s", id));
	if (cli->arguments->options[NO_WAIT] == NULL)
		TRY(follow(cli, path, &progress, &answer, fault));
	return report(cli, answer, fault);
}
