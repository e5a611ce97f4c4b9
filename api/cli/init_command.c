/* init: lays a new data directory. */
#include <stdio.h>

#include "api/cli/cli.h"
#include "api/cli/init.h"

enum { RRDP_URI, RSYNC_URI, LISTEN, BATCH_WINDOW, TA_KEY, TA_CERT, TA_RESOURCES, TA_PUBLIC };
const struct option_spec init_command_options[] = {
	[RRDP_URI] = { "rrdp-uri", "URI", "https://HOST/rrdp/: where validators fetch RRDP" },
	[RSYNC_URI] = { "rsync-uri", "URI", "rsync://HOST/repo/: where they fetch with rsync; stands in every certificate" },
	[LISTEN] = { "listen", "ADDR:PORT", "where the server listens (default 127.0.0.1:8443)" },
	[BATCH_WINDOW] = { "batch-window", "S", "least seconds between two serials (default 60; 0: as soon as the second changes)" },
	[TA_KEY] = { "ta-key", "FILE", "go on with this trust anchor key (PEM or DER, RSA 2048): its TAL stays good" },
	[TA_CERT] = { "ta-cert", "FILE", "and with the resources of its certificate; the new one is later" },
	[TA_RESOURCES] = { "ta-resources", "LIST", "what the trust anchor holds (default: all addresses and AS numbers)" },
	[TA_PUBLIC] = { "ta-public", "FILE", "the trust anchor's key is on another machine, whose `cadastre ta init` wrote this file" },
	{ NULL, NULL, NULL },
};

enum fault_code
init_command(struct cli *cli, struct fault *fault)
{
	AUTO_CLEAR(struct bytes, bytes_clear) warnings = BYTES_INIT;
	const char *const *options = cli->arguments->options;
	struct init_request request = {
		.data = cli->arguments->common[COMMON_DATA], .rrdp_uri = options[RRDP_URI], .rsync_uri = options[RSYNC_URI],
		.listen = options[LISTEN], .ta_key = options[TA_KEY], .ta_certificate = options[TA_CERT],
		.ta_resources = options[TA_RESOURCES], .ta_public = options[TA_PUBLIC], .batch_window_s = -1,
	};
	if (request.data == NULL || request.rrdp_uri == NULL || request.rsync_uri == NULL)
		return fault_set(fault, FAULT_USAGE, "%s is missing", request.data == NULL ? "--data" :
			request.rrdp_uri == NULL ? "--rrdp-uri" : "--rsync-uri");
	if (request.ta_public != NULL && (request.ta_key != NULL || request.ta_certificate != NULL))
		return fault_set(fault, FAULT_USAGE, "--ta-public goes without --ta-key and --ta-cert: the key is on the other machine");
	TRY(arguments_number("batch-window", options[BATCH_WINDOW], 0, 86400, &request.batch_window_s, fault));
	enum fault_code code = init_run(&request, &warnings, fault);
	fprintf(stderr, "%s", bytes_text(&warnings));
	TRY(code);
	printf("%s is ready.\n"
		"Start the server:   cadastred --data %s\n"
		"Start rsync:        rsync --daemon --config=%s/rsyncd.conf --port=PORT --address=ADDRESS\n"
		"For validators:     %s/ta/ta.tal\n"
		"Settings:           %s/cadastre.conf\n"
		"Keep safe, apart:   %s/master.key (without it the keys in the database can't be opened), %s/admin.token\n",
		request.data, request.data, request.data, request.data, request.data, request.data, request.data);
	if (request.ta_public != NULL)
		printf("Nothing is valid yet:   hold the first ceremony, which begins with cadastre ta request FILE --data %s\n", request.data);
	return FAULT_NONE;
}
