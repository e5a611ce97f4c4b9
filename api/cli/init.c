#include "api/cli/init.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/cli/init_uri.h"
#include "api/cli/rsyncd_conf.h"
#include "api/cli/tls_certificate.h"
#include "api/server/config.h"
#include "api/server/engine.h"
#include "ca/base/atomic_file.h"
#include "ca/base/log.h"
#include "ca/base/memory.h"
#include "ca/ceremony/offline_anchor.h"
#include "ca/commands/token_commands.h"
#include "ca/commands/tree_commands.h"
#include "ca/der/certificate.h"
#include "ca/der/tal.h"
#include "ca/keys/master_key.h"
#include "ca/keys/rsa_key.h"
#include "ca/keys/software_signer.h"
#include "ca/resources/resource_list.h"
#include "db/epoch.h"
#include "db/stmt.h"

#define FILE_LIMIT 65536
#define NAMES_MAX 2

/* What init has in hand while it works. */
struct init {
	const struct init_request *request;
	bool made;                               /* the directory was not there before */
	int directory;
	struct config config;
	struct clock clock;
	struct signer *signer;
	uint8_t fingerprint[32];
	struct resource_set resources;
	struct bytes handles[3], spkis[3];       /* of TA, online CA, issuing CA */
	struct bytes adopted;                    /* DER of an existing certificate */
	struct certificate certificate;          /* what that says */
};

static const struct actor local_actor = { .name = "local", .role = ROLE_ADMIN };

static void
init_clear(struct init *init)
{
	if (init->directory >= 0)
		(void)close(init->directory);
	config_clear(&init->config);
	signer_free(init->signer);
	resource_set_clear(&init->resources);
	for (size_t i = 0; i < 3; i++) {
		bytes_clear(&init->handles[i]);
		bytes_clear(&init->spkis[i]);
	}
	bytes_clear(&init->adopted);
	certificate_clear(&init->certificate);
}

/* ---- the directory ---- */

static enum fault_code
check_empty(const char *path, bool *ret_absent, struct fault *fault)
{
	DIR *directory = opendir(path);
	*ret_absent = directory == NULL && errno == ENOENT;
	if (directory == NULL)
		return errno == ENOENT ? FAULT_NONE : fault_set_errno(fault, errno, "opening %s", path);
	size_t entries = 0;
	while (readdir(directory) != NULL)
		entries++;
	(void)closedir(directory);
	return entries <= 2 ? FAULT_NONE :
		fault_set(fault, FAULT_CONFLICT, "%s holds something already; init only works in an empty or new directory", path);
}

static enum fault_code
make_directories(struct init *init, struct fault *fault)
{
	static const struct {
		const char *name;
		mode_t mode;
	} directories[] = { { "rrdp", 0755 }, { "rsync", 0755 }, { "ta", 0755 }, { ENGINE_IMPORTS, 0700 }, { ENGINE_TEMPORARY, 0700 } };
	const char *path = init->request->data;
	TRY(atomic_file_make_directories(AT_FDCWD, path, 0700, fault));
	init->directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (init->directory < 0 || fchmod(init->directory, 0700) != 0)
		return fault_set_errno(fault, errno, "opening %s", path);
	for (size_t i = 0; i < sizeof directories / sizeof *directories; i++)
		TRY(atomic_file_make_directories(init->directory, directories[i].name, directories[i].mode, fault));
	return FAULT_NONE;
}

static void
empty_directory(const struct init *init)
{
	DIR *directory = opendir(init->request->data);
	struct dirent *entry;
	struct fault fault = FAULT_INIT;
	while (directory != NULL && (entry = readdir(directory)) != NULL)
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
			atomic_file_remove_tree(dirfd(directory), entry->d_name, &fault) != FAULT_NONE)
			log_fault(LOG_WARNING, &fault, "cleaning up");
	if (directory != NULL)
		(void)closedir(directory);
	if (init->made && rmdir(init->request->data) != 0)
		log_write(LOG_WARNING, "removing %s: %s", init->request->data, strerror(errno));
}

/* ---- its files ---- */

static enum fault_code
put(const struct init *init, const char *name, const struct bytes *content, mode_t mode, struct fault *fault)
{
	return atomic_file_put(init->directory, name, bytes_span(content), mode, ATOMIC_FILE_KEEP_TIME, fault);
}

static enum fault_code
write_config(struct init *init, struct fault *fault)
{
	AUTO_CLEAR(struct bytes, bytes_clear) text = BYTES_INIT;
	const struct init_request *request = init->request;
	TRY(config_default(&init->config, fault));
	TRY(config_set_text(&init->config.rrdp_uri, request->rrdp_uri, fault));
	TRY(config_set_text(&init->config.rsync_uri, request->rsync_uri, fault));
	if (request->listen != NULL)
		TRY(config_set_text(&init->config.listen, request->listen, fault));
	if (request->batch_window_s >= 0)
		init->config.batch_window_s = request->batch_window_s;
	TRY(config_check(&init->config, fault));
	TRY(config_print(&init->config, &text, fault));
	return put(init, CONFIG_FILE, &text, 0600, fault);
}

/* For the hosts that clients will ask for: that of the RRDP URI and that of the listener. */
static enum fault_code
write_tls(struct init *init, struct fault *fault)
{
	AUTO_CLEAR(struct bytes, bytes_clear) certificate = BYTES_INIT;
	AUTO_CLEAR(struct bytes, bytes_clear) key = BYTES_INIT;
	char rrdp_host[INIT_HOST_SIZE], listen_host[INIT_HOST_SIZE];
	const char *names[NAMES_MAX] = { rrdp_host, listen_host };
	init_uri_host(init->config.rrdp_uri, rrdp_host);
	init_uri_listen_host(init->config.listen, listen_host);
	size_t count = strcmp(rrdp_host, listen_host) == 0 || listen_host[0] == '\0' ? 1 : 2;
	TRY(tls_certificate_make(names, count, clock_now(&init->clock), &certificate, &key, fault));
	TRY(put(init, init->config.tls_certificate, &certificate, 0644, fault));
	return put(init, init->config.tls_key, &key, 0600, fault);
}

/* ---- the trust anchor ---- */

static enum fault_code
read_adopted(struct init *init, struct fault *fault)
{
	AUTO_CLEAR(struct bytes, bytes_clear) file = BYTES_INIT;
	const char *path = init->request->ta_certificate;
	if (path == NULL)
		return FAULT_NONE;
	if (init->request->ta_key == NULL)
		return fault_set(fault, FAULT_USAGE, "--ta-cert needs the key too: --ta-key FILE");
	TRY(atomic_file_read(AT_FDCWD, path, FILE_LIMIT, &file, fault));
	TRY(init_uri_unwrap_pem(&file, &init->adopted, fault));
	TRY(certificate_decode(bytes_span(&init->adopted), &init->certificate, fault));
	TRY(certificate_verify_self_signed(bytes_span(&init->adopted), fault));
	if (init->certificate.kind != CERTIFICATE_TA)
		return fault_set(fault, FAULT_INVALID, "%s is not a trust anchor's certificate", path);
	if (init->certificate.not_before_at > clock_now(&init->clock))
		return fault_set(fault, FAULT_INVALID, "%s is not valid yet: a newer one could not take its place", path);
	return FAULT_NONE;
}

static enum fault_code
choose_resources(struct init *init, struct fault *fault)
{
	if (init->request->ta_resources != NULL)
		return resource_list_parse(init->request->ta_resources, &init->resources, fault);
	if (init->adopted.length > 0)
		return resource_set_copy(&init->certificate.resources, &init->resources, fault);
	return resource_set_all(&init->resources, fault);
}

static enum fault_code
make_master_key(struct init *init, struct fault *fault)
{
	AUTO(struct secret, secret_free) master_key = NULL;
	TRY(master_key_create(init->directory, init->config.master_key, fault));
	TRY(master_key_load(init->directory, init->config.master_key, &master_key, fault));
	TRY(master_key_fingerprint(master_key, init->fingerprint, fault));
	return software_signer_new(MOVE(master_key), rsa_key_source(), &init->signer, fault);
}

static enum fault_code
import_ta_key(struct init *init, struct fault *fault)
{
	AUTO_CLEAR(struct bytes, bytes_clear) file = BYTES_INIT;
	TRY(atomic_file_read(AT_FDCWD, init->request->ta_key, FILE_LIMIT, &file, fault));
	enum fault_code code = signer_import(init->signer, bytes_span(&file), &init->handles[0], &init->spkis[0], fault);
	secret_wipe(file.data, file.length);
	TRY(code);
	if (init->adopted.length > 0 && !span_equal(bytes_span(&init->certificate.spki), bytes_span(&init->spkis[0])))
		return fault_set(fault, FAULT_INVALID, "%s is not the certificate of the key in %s", init->request->ta_certificate,
			init->request->ta_key);
	return FAULT_NONE;
}

/* Of a trust anchor on another machine only the public half is known; a key without a handle is one that can't sign here. */
static enum fault_code
read_ta_public(struct init *init, struct fault *fault)
{
	AUTO_CLEAR(struct bytes, bytes_clear) file = BYTES_INIT;
	TRY(atomic_file_read(AT_FDCWD, init->request->ta_public, FILE_LIMIT, &file, fault));
	return offline_anchor_public_parse(bytes_span(&file), &init->spkis[0], fault);
}

static enum fault_code
make_keys(struct init *init, struct fault *fault)
{
	const struct init_request *request = init->request;
	TRY(make_master_key(init, fault));
	if (request->ta_key != NULL)
		TRY(import_ta_key(init, fault));
	if (request->ta_public != NULL)
		TRY(read_ta_public(init, fault));
	for (size_t i = request->ta_key != NULL || request->ta_public != NULL ? 1 : 0; i < 3; i++)
		TRY(signer_generate(init->signer, &init->handles[i], &init->spkis[i], fault));
	return FAULT_NONE;
}

static enum fault_code
tree_key_of(const struct init *init, size_t index, struct tree_key *ret_key, struct fault *fault)
{
	ret_key->handle = bytes_span(&init->handles[index]);
	ret_key->spki = bytes_span(&init->spkis[index]);
	return certificate_key_identifier(ret_key->spki, ret_key->identifier, fault);
}

static enum fault_code
make_tree(struct init *init, const struct command_context *context, struct fault *fault)
{
	struct tree_request request = {
		.rrdp_uri = init->config.rrdp_uri, .rsync_uri = init->config.rsync_uri, .resources = &init->resources,
	};
	struct tree_adopted adopted = {
		.der = bytes_span(&init->adopted),
		.serial = SPAN(init->certificate.serial.octets, init->certificate.serial.length),
		.not_before_at = init->certificate.not_before_at, .not_after_at = init->certificate.not_after_at,
	};
	memcpy(request.master_key_fingerprint, init->fingerprint, sizeof init->fingerprint);
	TRY(tree_key_of(init, 0, &request.ta, fault));
	TRY(tree_key_of(init, 1, &request.online, fault));
	TRY(tree_key_of(init, 2, &request.issuing, fault));
	if (init->adopted.length > 0) {
		TRY(digest_sha256(adopted.der, adopted.hash, fault));
		request.adopted = &adopted;
	}
	return tree_create(context, &local_actor, &request, fault);
}

/* ---- the database ---- */

static enum fault_code
write_token(struct init *init, const struct command_context *context, struct fault *fault)
{
	AUTO_CLEAR(struct bytes, bytes_clear) text = BYTES_INIT;
	char id[TOKEN_ID_SIZE], token[TOKEN_TEXT];
	TRY(token_create(context, &local_actor, "admin", ROLE_ADMIN, 0, 0, id, token, fault));
	TRY(bytes_printf(&text, fault, "%s\n", token));
	secret_wipe(token, sizeof token);
	TRY(put(init, "admin.token", &text, 0600, fault));
	secret_wipe(text.data, text.length);
	return FAULT_NONE;
}

static enum fault_code
write_epoch(const struct init *init, struct db *db, struct fault *fault)
{
	AUTO(struct db_connection, db_reader_release) connection = NULL;
	struct epoch_mark mark;
	TRY(db_reader_acquire(db, &connection, fault));
	TRY(epoch_read_database(connection, &mark, fault));
	return epoch_write(init->directory, NULL, &mark, fault);
}

static enum fault_code
make_database(struct init *init, struct fault *fault)
{
	AUTO(char, free) path = NULL;
	AUTO(struct db, db_close) db = NULL;
	TRY(memory_printf(&path, fault, "%s/%s", init->request->data, ENGINE_DATABASE));
	TRY(db_open(path, true, &db, fault));
	struct command_context context = { .db = db, .clock = &init->clock };
	TRY(make_tree(init, &context, fault));
	TRY(write_token(init, &context, fault));
	return write_epoch(init, db, fault);
}

static enum fault_code
write_tal(const struct init *init, struct fault *fault)
{
	AUTO_CLEAR(struct bytes, bytes_clear) text = BYTES_INIT;
	AUTO(char, free) https_uri = NULL;
	AUTO(char, free) rsync_uri = NULL;
	TRY(memory_printf(&https_uri, fault, "%.*s/ta/ta.cer", init_uri_origin_length(init->config.rrdp_uri), init->config.rrdp_uri));
	TRY(memory_printf(&rsync_uri, fault, "%sta/ta.cer", init->config.rsync_uri));
	TRY(tal_print(https_uri, rsync_uri, bytes_span(&init->spkis[0]), &text, fault));
	return put(init, "ta/ta.tal", &text, 0644, fault);
}

/* The tree's objects come from the very code that the server runs. */
static enum fault_code
publish_tree(struct init *init, struct fault *fault)
{
	AUTO(struct engine, engine_free) engine = NULL;
	TRY(engine_open(init->request->data, &init->config, &engine, fault));
	return engine_settle(engine, fault);
}

static enum fault_code
lay(struct init *init, struct fault *fault)
{
	TRY(make_directories(init, fault));
	TRY(write_config(init, fault));
	TRY(write_tls(init, fault));
	TRY(rsyncd_conf_write(init->directory, init->request->data, init->config.rsync_uri, fault));
	TRY(make_keys(init, fault));
	TRY(make_database(init, fault));
	TRY(write_tal(init, fault));
	return publish_tree(init, fault);
}

enum fault_code
init_run(const struct init_request *request, struct bytes *warnings, struct fault *fault)
{
	AUTO_CLEAR(struct init, init_clear) init = {
		.request = request, .directory = -1, .config = CONFIG_INIT, .resources = RESOURCE_SET_INIT, .certificate = CERTIFICATE_INIT,
	};
	clock_init(&init.clock);
	TRY(init_uri_check(request->rrdp_uri, request->rsync_uri, warnings, fault));
	TRY(read_adopted(&init, fault));
	TRY(choose_resources(&init, fault));
	TRY(check_empty(request->data, &init.made, fault));
	enum fault_code code = lay(&init, fault);
	if (code != FAULT_NONE)
		empty_directory(&init);
	return code;
}
