/* backup, restore: what keeps a service from being lost with its disk. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/cli/backup.h"
#include "api/cli/backup_secret.h"
#include "api/cli/cli.h"
#include "api/cli/restore.h"
#include "ca/base/instant.h"

enum { PASSPHRASE_FILE, KEY_FILE, MASTER_KEY, RESTORE_CHECK, RESTORE_IN_PLACE };
#define SECRET_OPTIONS                                                                                                   \
	[PASSPHRASE_FILE] = { "passphrase-file", "FILE", "its first line is the passphrase (asked for on the terminal if not given)" }, \
	[KEY_FILE] = { "key-file", "FILE", "a key in place of a passphrase: 32 bytes at least, such as openssl rand -hex 32 makes" }, \
	[MASTER_KEY] = { "master-key", "FILE", "where the master key is, if the settings don't say: as the systemd unit's credential, say" }

const struct option_spec backup_command_options[] = { SECRET_OPTIONS, { NULL, NULL, NULL } };
const struct option_spec restore_command_options[] = {
	SECRET_OPTIONS,
	[RESTORE_CHECK] = { "check", NULL, "only read the whole backup and say what it is of" },
	[RESTORE_IN_PLACE] = { "in-place", NULL, "without a backup: the database's files were put back by hand" },
	{ NULL, NULL, NULL },
};

static enum fault_code
take_secret(const struct cli *cli, bool is_new, struct sealed_secret *ret_secret, struct secret **ret_owned, struct fault *fault)
{
	const char *passphrase = cli->arguments->options[PASSPHRASE_FILE], *key = cli->arguments->options[KEY_FILE];
	if (passphrase != NULL && key != NULL)
		return fault_set(fault, FAULT_USAGE, "--passphrase-file or --key-file, not both");
	if (key != NULL)
		TRY(backup_secret_key_file(key, ret_owned, fault));
	else if (passphrase != NULL)
		TRY(backup_secret_passphrase_file(passphrase, ret_owned, fault));
	else
		TRY(backup_secret_ask(is_new, ret_owned, fault));
	*ret_secret = (struct sealed_secret){
		.method = key != NULL ? SEALED_KEY_FILE : SEALED_PASSPHRASE, .secret = *ret_owned, .cost = SEALED_FILE_COST,
	};
	return FAULT_NONE;
}

static const char *
data_of(const struct cli *cli)
{
	const char *data = cli->arguments->common[COMMON_DATA];
	return data != NULL ? data : getenv("CADASTRE_DATA");
}

static enum fault_code
need_data(const char *data, struct fault *fault)
{
	return data != NULL ? FAULT_NONE : fault_set(fault, FAULT_USAGE, "--data is missing: the data directory");
}

static void
print_about(const struct cli *cli, const struct backup_about *about)
{
	char made_at[INSTANT_TEXT];
	instant_rfc3339(about->made_at, made_at);
	if (cli->json) {
		AUTO(json_t, json_decref) json = json_pack("{s:s,s:s,s:I,s:I}", "made_at", made_at, "instance", about->mark.uuid, "epoch",
			(json_int_t)about->mark.epoch, "serial", (json_int_t)about->mark.serial);
		output_json(json);
		return;
	}
	printf("Instance %s, serial %lld, of %s.\n", about->mark.uuid, (long long)about->mark.serial, made_at);
}

/* Where a server runs, its audit says who took the keys along. A backup is made all the same. */
static void
note_backup(struct cli *cli, const char *file)
{
	AUTO(json_t, json_decref) answer = NULL;
	AUTO(json_t, json_decref) body = json_pack("{s:s}", "file", file);
	struct fault fault = FAULT_INIT;
	enum fault_code code = client_open(cli->arguments, &cli->client, &fault);
	if (code == FAULT_NONE)
		code = client_call(cli->client, "POST", "/api/v1/backups", body, &answer, &fault);
	if (code != FAULT_NONE && code != FAULT_NETWORK)
		fprintf(stderr, "The backup is made, but not in the audit: %s\n", fault.message);
}

enum fault_code
backup_command(struct cli *cli, struct fault *fault)
{
	AUTO(struct secret, secret_free) secret = NULL;
	struct backup_about about;
	struct backup_request request = {
		.data = data_of(cli), .file = cli->arguments->values[0],
		.master_key = cli->arguments->options[MASTER_KEY],
	};
	TRY(need_data(request.data, fault));
	TRY(take_secret(cli, true, &request.secret, &secret, fault));
	TRY(backup_run(&request, &about, fault));
	note_backup(cli, request.file);
	print_about(cli, &about);
	return FAULT_NONE;
}

static enum fault_code
check(struct cli *cli, struct fault *fault)
{
	AUTO(struct secret, secret_free) owned = NULL;
	struct sealed_secret secret;
	struct backup_about about;
	if (cli->arguments->values_count != 1)
		return fault_set(fault, FAULT_USAGE, "usage: cadastre restore FILE --check");
	TRY(take_secret(cli, false, &secret, &owned, fault));
	TRY(restore_check(cli->arguments->values[0], &secret, &about, fault));
	print_about(cli, &about);
	return FAULT_NONE;
}

static enum fault_code
in_place(const struct cli *cli, struct fault *fault)
{
	const char *data = cli->arguments->common[COMMON_DATA];
	if (cli->arguments->values_count != 0)
		return fault_set(fault, FAULT_USAGE, "--in-place takes no backup: the database is what is in --data");
	TRY(need_data(data, fault));
	TRY(restore_in_place(data, cli->arguments->options[MASTER_KEY], fault));
	printf("%s may be started: its manifests and CRLs are made anew, with higher numbers, in a new RRDP session.\n", data);
	return FAULT_NONE;
}

static enum fault_code
restore(struct cli *cli, struct fault *fault)
{
	AUTO(struct secret, secret_free) secret = NULL;
	AUTO_CLEAR(struct bytes, bytes_clear) warnings = BYTES_INIT;
	struct backup_about about;
	struct restore_request request = {
		.data = cli->arguments->common[COMMON_DATA], .file = cli->arguments->values[0],
		.master_key = cli->arguments->options[MASTER_KEY],
	};
	TRY(need_data(request.data, fault));
	if (request.file == NULL)
		return fault_set(fault, FAULT_USAGE, "usage: cadastre restore FILE --data DIR");
	TRY(take_secret(cli, false, &request.secret, &secret, fault));
	TRY(restore_run(&request, &about, &warnings, fault));
	print_about(cli, &about);
	fprintf(stderr, "%s", bytes_text(&warnings));
	if (!cli->json)
		printf("%s is as it was then. Start the server: it makes all manifests and CRLs anew, with higher numbers, in a new RRDP session.\n"
			"What members and staff changed since then is lost; tokens revoked since then are valid again.\n", request.data);
	return FAULT_NONE;
}

enum fault_code
restore_command(struct cli *cli, struct fault *fault)
{
	if (cli->arguments->options[RESTORE_CHECK] != NULL)
		return check(cli, fault);
	if (cli->arguments->options[RESTORE_IN_PLACE] != NULL)
		return in_place(cli, fault);
	return restore(cli, fault);
}
