/* check: reads what is served and says what is wrong with it. On a data directory, also while its server runs. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/cli/cli.h"
#include "api/server/check_json.h"
#include "api/server/self_check.h"
#include "ca/base/clock.h"
#include "ca/base/memory.h"
#include "publish/check/check_fetch.h"

#define DATABASE "cadastre.db"

enum { HORIZON, TAL, RRDP_URI, CA_FILE, RSYNC, NO_RSYNC };
const struct option_spec check_command_options[] = {
	[HORIZON] = { "horizon", "TIME", "tell what expires within 90s, 30m, 24h or 14d (default: what should have been renewed)" },
	[TAL] = { "tal", "FILE", "a trust anchor locator: check what its publisher serves over the network, without a database" },
	[RRDP_URI] = { "rrdp-uri", "URL", "with --tal: the notification, where it isn't the one that the trust anchor names" },
	[CA_FILE] = { "ca-file", "FILE", "with --tal: certificates to trust for HTTPS, PEM" },
	[RSYNC] = { "rsync", NULL, "with --tal: fetch and compare the rsync tree too" },
	[NO_RSYNC] = { "no-rsync", NULL, "leave the rsync tree out" },
	{ NULL, NULL, NULL },
};

static const struct output_column report_columns[] = {
	{ "session", "Session", false }, { "serial", "Serial", true }, { "rsync_serial", "rsync serial", true },
	{ "deltas", "Deltas", true }, { "cas", "CAs", true }, { "payloads", "Payloads", true }, { "cas_unsettled", "CAs changing", true },
	{ "objects.ta.expires_at", "First to expire: TA", false }, { "objects.cer.expires_at", "  certificate", false },
	{ "objects.mft.expires_at", "  manifest", false }, { "objects.crl.expires_at", "  CRL", false },
	{ "objects.roa.expires_at", "  ROA", false }, { "findings_total", "Findings", true }, { "severe_total", "  severe", true },
	{ NULL, NULL, false },
};
static const struct output_column kind_columns[] = {
	{ "kind", "KIND", false }, { "severity", "SEVERITY", false }, { "count", "COUNT", true }, { "meaning", "MEANING", false },
	{ NULL, NULL, false },
};
static const struct output_column finding_columns[] = {
	{ "kind", "KIND", false }, { "place", "PLACE", false }, { "detail", "DETAIL", false }, { NULL, NULL, false },
};

static enum fault_code
set_horizons(const struct arguments *arguments, const struct config *config, struct check_request *request, struct fault *fault)
{
	int64_t horizon_s = 0;
	if (arguments->options[HORIZON] == NULL) {
		self_check_horizons(config, request->horizon_s);
		return FAULT_NONE;
	}
	TRY(arguments_time("horizon", arguments->options[HORIZON], &horizon_s, fault));
	for (size_t i = 0; i < CHECK_OBJECTS; i++)
		request->horizon_s[i] = horizon_s;
	return FAULT_NONE;
}

static enum fault_code
check_data(const struct arguments *arguments, const char *data, struct check_request *request, struct check_report *report,
	struct fault *fault)
{
	AUTO_CLEAR(struct config, config_clear) config = CONFIG_INIT;
	AUTO(struct db, db_close) db = NULL;
	AUTO(char, free) settings = NULL;
	AUTO(char, free) database = NULL;
	AUTO_CLEAR(int, descriptor_close) directory = open(data, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (directory < 0)
		return fault_set_errno(fault, errno, "opening the data directory %s", data);
	TRY(memory_printf(&settings, fault, "%s/%s", data, CONFIG_FILE));
	TRY(memory_printf(&database, fault, "%s/%s", data, DATABASE));
	TRY(config_load(settings, &config, fault));
	TRY(set_horizons(arguments, &config, request, fault));
	TRY(db_open_to_read(database, &db, fault));
	request->directory = directory;
	request->db = db;
	request->without_rsync = arguments->options[NO_RSYNC] != NULL;
	return check_run(request, report, fault);
}

static enum fault_code
check_network(const struct arguments *arguments, struct check_request *request, struct check_report *report, struct fault *fault)
{
	AUTO_CLEAR(struct config, config_clear) config = CONFIG_INIT;
	AUTO(struct check_fetch, check_fetch_free) fetch = NULL;
	const char *ca_file = arguments->options[CA_FILE] != NULL ? arguments->options[CA_FILE] : arguments->common[COMMON_CA_CERT];
	TRY(config_default(&config, fault));
	TRY(set_horizons(arguments, &config, request, fault));
	TRY(check_fetch_new(ca_file, arguments->options[RSYNC] != NULL, &fetch, fault));
	request->tal = arguments->options[TAL];
	request->notification_uri = arguments->options[RRDP_URI];
	request->source = check_fetch_source(fetch);
	request->without_rsync = arguments->options[RSYNC] == NULL;
	return check_run(request, report, fault);
}

static enum fault_code
print(const struct cli *cli, const struct check_report *report, struct fault *fault)
{
	AUTO(json_t, json_decref) json = NULL;
	TRY(check_json(report, &json, fault));
	if (cli->json) {
		output_json(json);
		return FAULT_NONE;
	}
	output_record(report_columns, json);
	if (report->findings_total == 0)
		return FAULT_NONE;
	printf("\n");
	TRY(output_table(kind_columns, json_object_get(json, "kinds"), fault));
	printf("\n");
	return output_table(finding_columns, json_object_get(json, "findings"), fault);
}

enum fault_code
check_command(struct cli *cli, struct fault *fault)
{
	AUTO_CLEAR(struct check_report, check_report_clear) report = CHECK_REPORT_INIT;
	const struct arguments *arguments = cli->arguments;
	const char *data = arguments->common[COMMON_DATA] != NULL ? arguments->common[COMMON_DATA] : getenv("CADASTRE_DATA");
	struct clock clock;
	bool network = arguments->options[TAL] != NULL;
	clock_init(&clock);
	struct check_request request = { .directory = -1, .now_at = clock_now(&clock), .clock = &clock };
	if (!network && data == NULL)
		return fault_set(fault, FAULT_USAGE, "--data DIR, or --tal FILE for what is served over the network");
	if (!network && (arguments->options[RRDP_URI] != NULL || arguments->options[CA_FILE] != NULL || arguments->options[RSYNC] != NULL))
		return fault_set(fault, FAULT_USAGE, "--rrdp-uri, --ca-file and --rsync go with --tal FILE");
	TRY(network ? check_network(arguments, &request, &report, fault) : check_data(arguments, data, &request, &report, fault));
	TRY(print(cli, &report, fault));
	if (report.findings_total == 0)
		return FAULT_NONE;
	return fault_set(fault, FAULT_LINT, "%lld findings, %lld of them severe", (long long)report.findings_total,
		(long long)report.severe_total);
}
