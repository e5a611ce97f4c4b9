/*
 * ta init, ta sign: the commands of the machine that holds a trust anchor's key; and ta export, by which the key gets there. They need
 * this program and a directory, no server, no database, no network. A composition root: what is done is ca/ceremony's.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "api/cli/cli.h"
#include "api/cli/local.h"
#include "api/cli/passphrase_prompt.h"
#include "ca/base/atomic_file.h"
#include "ca/base/base64.h"
#include "ca/base/clock.h"
#include "ca/base/digest.h"
#include "ca/base/instant.h"
#include "ca/ceremony/offline_anchor.h"
#include "ca/keys/passphrase.h"

#define KEY_FILE_MAX 65536
#define ANSWER_SIZE 16

enum { INIT_PASSPHRASE_FILE, INIT_KEY };
const struct option_spec ta_command_init_options[] = {
	[INIT_PASSPHRASE_FILE] = { "passphrase-file", "FILE", "the key's passphrase is this file's first line (default: asked for)" },
	[INIT_KEY] = { "key", "FILE", "go on with this trust anchor key (PEM or DER, RSA 2048) in place of a new one" },
	{ NULL, NULL, NULL },
};

enum { SIGN_PASSPHRASE_FILE, SIGN_YES, SIGN_NEW_SERVER };
const struct option_spec ta_command_sign_options[] = {
	[SIGN_PASSPHRASE_FILE] = { "passphrase-file", "FILE", "the key's passphrase is this file's first line (default: asked for)" },
	[SIGN_YES] = { "yes", NULL, "sign without asking: what will be signed is shown all the same" },
	[SIGN_NEW_SERVER] = { "new-server", "FINGERPRINT", "serve another server from now on: the one with this request key" },
	{ NULL, NULL, NULL },
};

enum fault_code
ta_command_init(struct cli *cli, struct fault *fault)
{
	AUTO(struct secret, secret_free) passphrase = NULL;
	AUTO_CLEAR(struct bytes, bytes_clear) existing = BYTES_INIT;
	const char *const *options = cli->arguments->options;
	const char *path = cli->arguments->values[0];
	struct clock clock;
	clock_init(&clock);
	if (options[INIT_KEY] != NULL)
		TRY(atomic_file_read(AT_FDCWD, options[INIT_KEY], KEY_FILE_MAX, &existing, fault));
	enum fault_code code = passphrase_prompt(options[INIT_PASSPHRASE_FILE], true, &passphrase, fault);
	if (code == FAULT_NONE) {
		struct offline_anchor_request request = {
			.path = path, .passphrase = passphrase, .cost = PASSPHRASE_COST, .source = rsa_key_source(),
			.existing = bytes_span(&existing), .now_at = clock_now(&clock),
		};
		code = offline_anchor_create(&request, fault);
	}
	secret_wipe(existing.data, existing.length);
	TRY(code);
	printf("%s holds a trust anchor's key, under its passphrase.\n"
		"Carry to the server:  %s/" OFFLINE_ANCHOR_PUBLIC "   (cadastre init … --ta-public FILE)\n"
		"Keep safe, apart:     a copy of the directory after each ceremony, and the passphrase\n", path, path);
	return FAULT_NONE;
}

enum { EXPORT_PASSPHRASE_FILE };
const struct option_spec ta_command_export_options[] = {
	[EXPORT_PASSPHRASE_FILE] = { "passphrase-file", "FILE", "the key's passphrase is this file's first line (default: asked for)" },
	{ NULL, NULL, NULL },
};

enum fault_code
ta_command_export(struct cli *cli, struct fault *fault)
{
	AUTO(struct secret, secret_free) passphrase = NULL;
	const char *path = cli->arguments->values[0], *data = cli_data(cli);
	char ends[INSTANT_TEXT];
	int64_t ends_at;
	if (data == NULL)
		return fault_set(fault, FAULT_USAGE, "--data is missing");
	TRY(passphrase_prompt(cli->arguments->options[EXPORT_PASSPHRASE_FILE], true, &passphrase, fault));
	TRY(local_ta_export(data, path, passphrase, &ends_at, fault));
	instant_rfc3339(ends_at, ends);
	printf("The trust anchor's key is in %s, and no longer in %s.\n"
		"Hold the first ceremony before %s: what the trust anchor has signed ends then.\n"
		"Carry %s to its machine; destroy it here, and the backups from before: they hold the key, under the master key.\n",
		path, data, ends, path);
	return FAULT_NONE;
}

/* "yes", and nothing else. */
static enum fault_code
confirm(const struct cli *cli, struct fault *fault)
{
	char answer[ANSWER_SIZE];
	if (cli->arguments->options[SIGN_YES] != NULL)
		return FAULT_NONE;
	printf("\nSign all of this? Type yes: ");
	fflush(stdout);
	if (fgets(answer, sizeof answer, stdin) == NULL || strcmp(answer, "yes\n") != 0)
		return fault_set(fault, FAULT_USAGE, "nothing was signed");
	return FAULT_NONE;
}

/* What was made: serial numbers only exist now. */
static enum fault_code
show_signed(struct span file, const struct ceremony_ledger *ledger, struct fault *fault)
{
	AUTO(struct ceremony_response, ceremony_response_free) response = NULL;
	TRY(ceremony_response_parse(file, bytes_span(&ledger->ta_key), &response, fault));
	printf("\nSigned, with CRL number %llu and manifest number %llu:\n", (unsigned long long)response->crl_number,
		(unsigned long long)response->manifest_number);
	for (size_t i = 0; i < response->objects_count; i++) {
		AUTO_CLEAR(struct certificate, certificate_clear) certificate = CERTIFICATE_INIT;
		const struct ceremony_object *object = &response->objects[i];
		uint8_t hash[SHA256_SIZE];
		char hash_text[2 * SHA256_SIZE + 1], serial[2 * SERIAL_MAX + 1];
		TRY(digest_sha256(bytes_span(&object->der), hash, fault));
		hex_encode(SPAN(hash, sizeof hash), hash_text);
		printf("  %-32s SHA-256 %s\n", object->name, hash_text);
		if (certificate_decode(bytes_span(&object->der), &certificate, NULL) != FAULT_NONE)
			continue;
		hex_encode(SPAN(certificate.serial.octets, certificate.serial.length), serial);
		printf("  %-32s serial  %s\n", "", serial);
	}
	return FAULT_NONE;
}

/* The ledger is on disk before the response is: a response that can't be written is lost, not signed twice. */
enum fault_code
ta_command_sign(struct cli *cli, struct fault *fault)
{
	AUTO(struct offline_anchor, offline_anchor_free) anchor = NULL;
	AUTO(struct ceremony_request, ceremony_request_free) request = NULL;
	AUTO(struct secret, secret_free) passphrase = NULL;
	AUTO_CLEAR(struct bytes, bytes_clear) file = BYTES_INIT;
	AUTO_CLEAR(struct bytes, bytes_clear) text = BYTES_INIT;
	AUTO_CLEAR(struct bytes, bytes_clear) response = BYTES_INIT;
	const char *const *options = cli->arguments->options, *const *values = cli->arguments->values;
	struct clock clock;
	clock_init(&clock);
	TRY(offline_anchor_open(values[0], &anchor, fault));
	TRY(atomic_file_read(AT_FDCWD, values[1], SEALED_TEXT_MAX, &file, fault));
	if (access(values[2], F_OK) == 0)
		return fault_set(fault, FAULT_CONFLICT, "%s exists already: name another file for the response", values[2]);
	TRY(ceremony_request_parse(bytes_span(&file), &request, fault));
	int64_t now_at = clock_now(&clock);
	TRY(ceremony_check(request, offline_anchor_ledger(anchor), options[SIGN_NEW_SERVER], now_at, fault));
	TRY(ceremony_describe(request, offline_anchor_ledger(anchor), now_at, &text, fault));
	fputs(bytes_text(&text), stdout);
	TRY(confirm(cli, fault));
	TRY(passphrase_prompt(options[SIGN_PASSPHRASE_FILE], false, &passphrase, fault));
	TRY(offline_anchor_sign(anchor, passphrase, rsa_key_source(), request, clock_now(&clock), &response, fault));
	TRY(atomic_file_put(AT_FDCWD, values[2], bytes_span(&response), 0644, ATOMIC_FILE_KEEP_TIME, fault));
	TRY(show_signed(bytes_span(&response), offline_anchor_ledger(anchor), fault));
	printf("Carry back to the server:  %s   (cadastre ta install FILE)\n", values[2]);
	return FAULT_NONE;
}
