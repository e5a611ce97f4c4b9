/* ta request, ta install: the server's part of a ceremony of an offline trust anchor, also where no server runs. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/cli/cli.h"
#include "api/cli/local.h"
#include "ca/base/atomic_file.h"
#include "ca/base/memory.h"

#define FILE_MAX 1000000
#define NUMBER_MAX INT64_C(100000000000)  /* of a request, as in the API */

enum { AFTER };
const struct option_spec ta_command_request_options[] = {
	[AFTER] = { "after", "N", "with a number above this one: the last that the trust anchor's machine answered, after a restore" },
	{ NULL, NULL, NULL },
};

/* Does no server run there, so that this program does it itself? */
static enum fault_code
choose(struct cli *cli, bool *ret_local, struct fault *fault)
{
	AUTO(json_t, json_decref) health = NULL;
	struct fault trouble = FAULT_INIT;
	enum fault_code reached = client_call(cli->client, "GET", "/health/live", NULL, &health, &trouble);
	*ret_local = reached != FAULT_NONE && cli_no_server(cli, &trouble);
	if (reached == FAULT_NONE || *ret_local)
		return FAULT_NONE;
	*fault = trouble;
	return reached;
}

enum fault_code
ta_command_request(struct cli *cli, struct fault *fault)
{
	AUTO(json_t, json_decref) answer = NULL;
	AUTO(char, free) path = NULL;
	const char *file = cli->arguments->values[0];
	int64_t after = 0;
	bool local;
	TRY(arguments_number("after", cli->arguments->options[AFTER], 0, NUMBER_MAX, &after, fault));
	TRY(memory_printf(&path, fault, "/api/v1/ta/request?after=%lld", (long long)after));
	TRY(choose(cli, &local, fault));
	TRY(local ? local_ta_request(cli_data(cli), after, &answer, fault) : client_call(cli->client, "POST", path, NULL, &answer, fault));
	const char *request = json_string_value(json_object_get(answer, "request"));
	const char *key = json_string_value(json_object_get(answer, "request_key"));
	if (request == NULL || key == NULL)
		return fault_set(fault, FAULT_NETWORK, "the server's answer holds no request");
	TRY(atomic_file_put(AT_FDCWD, file, SPAN(request, strlen(request)), 0644, ATOMIC_FILE_KEEP_TIME, fault));
	if (cli->json) {
		output_json(answer);
		return FAULT_NONE;
	}
	printf("Request %lld is in %s. Only its response will be taken from now on.\n"
		"Request key: %s\n"
		"On the trust anchor's machine:  cadastre ta sign DIR %s RESPONSE\n",
		(long long)json_integer_value(json_object_get(answer, "number")), file, key, file);
	return FAULT_NONE;
}

enum fault_code
ta_command_install(struct cli *cli, struct fault *fault)
{
	AUTO(json_t, json_decref) answer = NULL;
	AUTO(json_t, json_decref) body = NULL;
	AUTO_CLEAR(struct bytes, bytes_clear) file = BYTES_INIT;
	bool local;
	TRY(atomic_file_read(AT_FDCWD, cli->arguments->values[0], FILE_MAX, &file, fault));
	TRY(choose(cli, &local, fault));
	if (local) {
		TRY(local_ta_install(cli_data(cli), bytes_span(&file), &answer, fault));
	} else {
		body = json_pack("{s:s#}", "response", bytes_text(&file), (int)file.length);
		if (body == NULL)
			return fault_set(fault, FAULT_MALFORMED, "the file is not text: it was altered, or is no response");
		TRY(client_call(cli->client, "POST", "/api/v1/ta/response", body, &answer, fault));
	}
	if (cli->json) {
		output_json(answer);
		return FAULT_NONE;
	}
	printf("The response to request %lld is installed%s.\nThe next ceremony is due at %s; what this one brought ends at %s.\n",
		(long long)json_integer_value(json_object_get(answer, "number")),
		local ? " and published" : "; the next serial brings it", json_string_value(json_object_get(answer, "next_due_at")),
		json_string_value(json_object_get(answer, "ends_at")));
	return FAULT_NONE;
}
