#include "api/cli/local.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/handlers/registry_json.h"
#include "api/server/config.h"
#include "api/server/engine.h"
#include "api/server/imports.h"
#include "ca/base/alarm.h"
#include "ca/base/atomic_file.h"
#include "ca/base/instant.h"
#include "ca/base/log.h"
#include "ca/base/memory.h"
#include "ca/ceremony/offline_anchor.h"
#include "ca/commands/import_commands.h"
#include "ca/commands/registry_commands.h"
#include "ca/commands/tree_commands.h"
#include "ca/keys/master_key.h"
#include "ca/keys/passphrase.h"
#include "ca/keys/software_signer.h"
#include "ca/views/views.h"
#include "db/stmt.h"

#define COPY_SIZE 65536
#define LOOK_MS 1000
#define REMARKS_SHOWN 100

static const struct actor local_actor = { .name = "local", .role = ROLE_ADMIN };

/* config must outlive the engine: it borrows it. */
static enum fault_code
open_data(const char *data, struct config *config, struct engine **ret_engine, struct fault *fault)
{
	AUTO(char, free) settings = NULL;
	TRY(memory_printf(&settings, fault, "%s/%s", data, CONFIG_FILE));
	TRY(config_load(settings, config, fault));
	config->batch_window_s = 0;
	return engine_open(data, config, ret_engine, fault);
}

/* The server's user, where another one runs this who may do that: it may be the server that goes on with the import. */
static void
give_to_owner(int fd, int data_directory)
{
	struct stat owner;
	if (fstat(data_directory, &owner) != 0 || owner.st_uid == geteuid())
		return;
	if (fchown(fd, owner.st_uid, owner.st_gid) != 0)
		log_write(LOG_DEBUG, "the import's copy stays this user's: %s", strerror(errno));
}

/* The import's own copy: if this process is killed, the next import goes on with it, or the server. */
static enum fault_code
copy_file(const char *from, const char *to, int data_directory, struct fault *fault)
{
	AUTO_CLEAR(struct atomic_file, atomic_file_clear) copy = ATOMIC_FILE_INIT;
	AUTO_CLEAR(int, descriptor_close) fd = open(from, O_RDONLY | O_CLOEXEC);
	AUTO(char, free) buffer = NULL;
	if (fd < 0)
		return errno == ENOENT ? fault_set(fault, FAULT_NOT_FOUND, "there is no file %s", from) :
			fault_set_errno(fault, errno, "opening %s", from);
	TRY(memory_new(COPY_SIZE, 1, &buffer, fault));
	TRY(atomic_file_open(&copy, AT_FDCWD, to, 0600, fault));
	give_to_owner(copy.fd, data_directory);
	for (int64_t total = 0;;) {
		ssize_t length = read(fd, buffer, COPY_SIZE);
		if (length < 0)
			return fault_set_errno(fault, errno, "reading %s", from);
		if (length == 0)
			return atomic_file_commit(&copy, ATOMIC_FILE_KEEP_TIME, fault);
		if ((total += length) > IMPORT_FILE_MAX)
			return fault_set(fault, FAULT_TOO_LARGE, "%s is larger than %d MiB", from, (int)(IMPORT_FILE_MAX >> 20));
		TRY(atomic_file_write(&copy, buffer, (size_t)length, fault));
	}
}

static enum fault_code
give_row(void *argument, const struct import_row *row, struct fault *fault)
{
	json_t **report = argument;
	char started[INSTANT_TEXT], finished[INSTANT_TEXT];
	instant_rfc3339(row->started_at, started);
	instant_rfc3339(row->finished_at, finished);
	*report = json_pack("{s:s,s:s,s:s,s:s,s:s?,s:s,s:s?}", "id", row->import_id, "kind", row->kind, "state", row->state, "actor",
		row->actor, "error", row->error, "started_at", started, "finished_at", row->finished_at != 0 ? finished : NULL);
	json_t *numbers = json_pack("{s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I}", "entries_total", row->entries_total,
		"entries_done", row->entries_done, "members_created", row->members_created, "members_unchanged", row->members_unchanged,
		"members_different", row->members_different, "roas_created", row->roas_created, "roas_unchanged", row->roas_unchanged,
		"roas_not_held", row->roas_not_held, "warnings", row->warnings, "cas_to_issue", row->cas_to_issue, "cas_waiting",
		row->cas_waiting, "serial", row->serial);
	bool merged = *report != NULL && numbers != NULL && json_object_update(*report, numbers) == 0;
	json_decref(numbers);
	return merged ? FAULT_NONE : fault_set(fault, FAULT_MEMORY, "out of memory");
}

static enum fault_code
give_remark(void *argument, int64_t remark_id, const char *kind, const char *text, struct fault *fault)
{
	json_t *remark = json_pack("{s:I,s:s,s:s}", "id", remark_id, "kind", kind, "text", text);
	return json_array_append_new(argument, remark) == 0 ? FAULT_NONE : fault_set(fault, FAULT_MEMORY, "out of memory");
}

static enum fault_code
read_report(struct engine *engine, const char *id, json_t **ret_report, struct fault *fault)
{
	AUTO(struct db_connection, db_reader_release) connection = NULL;
	json_t *remarks = json_array();
	TRY(db_reader_acquire(engine_context(engine)->db, &connection, fault));
	enum fault_code code = import_view_get(connection, id, give_row, ret_report, fault);
	if (code == FAULT_NONE)
		code = import_view_remarks(connection, id, 0, REMARKS_SHOWN, give_remark, remarks, fault);
	if (code == FAULT_NONE && json_object_set(*ret_report, "remarks", remarks) != 0)
		code = fault_set(fault, FAULT_MEMORY, "out of memory");
	json_decref(remarks);
	return code;
}

/* Tells of an import while it goes on. */
struct watch {
	struct engine *engine;
	const char *id;
	void (*progress)(void *argument, const json_t *report);
	void *argument;
	struct alarm alarm;
	pthread_t thread;
	bool started;
};

static void *
watch(void *argument)
{
	struct watch *watch = argument;
	while (alarm_wait(&watch->alarm, LOOK_MS)) {
		json_t *report = NULL;
		struct fault fault = FAULT_INIT;
		if (read_report(watch->engine, watch->id, &report, &fault) == FAULT_NONE)
			watch->progress(watch->argument, report);
		json_decref(report);
	}
	return NULL;
}

/* Without its thread nothing is missing but what it tells. */
static void
watch_begin(struct watch *watching)
{
	alarm_init(&watching->alarm);
	watching->started = watching->progress != NULL && pthread_create(&watching->thread, NULL, watch, watching) == 0;
}

static void
watch_end(struct watch *watching)
{
	alarm_stop(&watching->alarm);
	if (watching->started)
		pthread_join(watching->thread, NULL);
	alarm_clear(&watching->alarm);
}

/* What a kill cut short goes first, as in the server. */
static enum fault_code
apply_left_over(struct engine *engine, const char *data, const atomic_bool *stop, struct fault *fault)
{
	char id[IMPORT_ID_SIZE];
	TRY(imports_clean(engine_context(engine), data, fault));
	for (;;) {
		TRY(imports_next(engine_context(engine), id, fault));
		if (id[0] == '\0')
			return FAULT_NONE;
		TRY(imports_apply(engine_context(engine), data, id, stop, fault));
	}
}

/* Everything is signed and published when this returns. With a fault that passes the import stays open, and needs its copy to go on. */
static enum fault_code
apply_and_settle(struct engine *engine, const char *id, const char *copy, struct fault *fault)
{
	const atomic_bool go_on = false;
	enum fault_code code = import_apply(engine_context(engine), id, copy, &go_on, fault);
	if (code != FAULT_NONE && fault_may_retry(code))
		return code;
	if (unlink(copy) != 0 && code == FAULT_NONE)
		return fault_set_errno(fault, errno, "removing %s", copy);
	TRY(code);
	TRY(engine_settle(engine, fault));
	return import_finish(engine_context(engine), fault);
}

enum fault_code
local_import(const char *data, const char *kind, const char *file, void (*progress)(void *argument, const json_t *report),
	void *argument, json_t **ret_report, struct fault *fault)
{
	AUTO_CLEAR(struct config, config_clear) config = CONFIG_INIT;
	AUTO(char, free) copy = NULL;
	AUTO(struct engine, engine_free) engine = NULL;
	const atomic_bool go_on = false;
	enum import_kind import_kind;
	char id[IMPORT_ID_SIZE];
	if (!import_kind_parse(kind, &import_kind))
		return fault_set(fault, FAULT_USAGE, "import what? stats, roas or members, not \"%s\"", kind);
	TRY(open_data(data, &config, &engine, fault));
	TRY(apply_left_over(engine, data, &go_on, fault));
	TRY(import_start(engine_context(engine), &local_actor, import_kind, id, fault));
	TRY(memory_printf(&copy, fault, "%s/%s/%s", data, ENGINE_IMPORTS, id));
	TRY(copy_file(file, copy, engine_directory(engine), fault));
	struct watch watching = { .engine = engine, .id = id, .progress = progress, .argument = argument };
	watch_begin(&watching);
	enum fault_code code = apply_and_settle(engine, id, copy, fault);
	watch_end(&watching);
	TRY(code);
	return read_report(engine, id, ret_report, fault);
}

enum fault_code
local_ta_request(const char *data, int64_t after, json_t **ret_answer, struct fault *fault)
{
	AUTO_CLEAR(struct config, config_clear) config = CONFIG_INIT;
	AUTO(struct engine, engine_free) engine = NULL;
	struct ceremonies_request request = { .file = BYTES_INIT };
	TRY(open_data(data, &config, &engine, fault));
	TRY(engine_ta_request(engine, &local_actor, after, &request, fault));
	*ret_answer = json_pack("{s:I,s:s,s:s}", "number", request.number, "request_key", request.fingerprint, "request",
		bytes_text(&request.file));
	bytes_clear(&request.file);
	return *ret_answer != NULL ? FAULT_NONE : fault_set(fault, FAULT_MEMORY, "out of memory");
}

enum fault_code
local_ta_install(const char *data, struct span response, json_t **ret_answer, struct fault *fault)
{
	AUTO_CLEAR(struct config, config_clear) config = CONFIG_INIT;
	AUTO(struct engine, engine_free) engine = NULL;
	struct ceremonies_installed installed;
	char due[INSTANT_TEXT], ends[INSTANT_TEXT];
	TRY(open_data(data, &config, &engine, fault));
	TRY(engine_ta_install(engine, &local_actor, response, &installed, fault));
	TRY(engine_settle(engine, fault));
	instant_rfc3339(installed.due_at, due);
	instant_rfc3339(installed.ends_at, ends);
	*ret_answer = json_pack("{s:I,s:s,s:s}", "number", installed.number, "next_due_at", due, "ends_at", ends);
	return *ret_answer != NULL ? FAULT_NONE : fault_set(fault, FAULT_MEMORY, "out of memory");
}

/* The trust anchor's key as the database has it. */
static enum fault_code
read_ta_handle(struct engine *engine, struct bytes *ret_handle, int64_t *ret_ends_at, struct fault *fault)
{
	AUTO(struct db_connection, db_reader_release) connection = NULL;
	AUTO(struct stmt, stmt_done) ta = NULL;
	AUTO(struct stmt, stmt_done) key = NULL;
	AUTO(struct stmt, stmt_done) ends = NULL;
	bool row;
	TRY(db_reader_acquire(engine_context(engine)->db, &connection, fault));
	TRY(stmt_start(connection, QUERY_CEREMONY_TA, &ta, fault));
	TRY(stmt_step(ta, &row, fault));
	if (!row || stmt_int(ta, "offline") != 0)
		return fault_set(fault, FAULT_CONFLICT, "the trust anchor's key is not on this server");
	TRY(stmt_start(connection, QUERY_CEREMONY_TA_HANDLE, &key, fault));
	stmt_bind_int(key, ":key_id", stmt_int(ta, "key_id"));
	TRY(stmt_step(key, &row, fault));
	struct span handle = stmt_blob(key, "handle");
	TRY(bytes_append(ret_handle, handle.data, handle.length, fault));
	TRY(stmt_start(connection, QUERY_CEREMONY_ENDS, &ends, fault));
	stmt_bind_int(ends, ":ca_id", stmt_int(ta, "ca_id"));
	TRY(stmt_step(ends, &row, fault));
	*ret_ends_at = stmt_int(ends, "ends_at");
	return FAULT_NONE;
}

/* The new directory is whole and on disk before the key is forgotten here. */
enum fault_code
local_ta_export(const char *data, const char *directory, const struct secret *passphrase, int64_t *ret_ends_at, struct fault *fault)
{
	AUTO_CLEAR(struct config, config_clear) config = CONFIG_INIT;
	AUTO(struct engine, engine_free) engine = NULL;
	AUTO(struct secret, secret_free) master_key = NULL;
	AUTO(struct secret, secret_free) key = NULL;
	AUTO_CLEAR(struct bytes, bytes_clear) handle = BYTES_INIT;
	TRY(open_data(data, &config, &engine, fault));
	/* CRL and manifest fresh: the first ceremony then has the most time. */
	TRY(engine_settle(engine, fault));
	TRY(read_ta_handle(engine, &handle, ret_ends_at, fault));
	TRY(master_key_load(engine_directory(engine), config.master_key, &master_key, fault));
	TRY(software_signer_reveal(master_key, bytes_span(&handle), &key, fault));
	struct offline_anchor_request request = {
		.path = directory, .passphrase = passphrase, .cost = PASSPHRASE_COST, .source = rsa_key_source(),
		.existing = SPAN(key->data, key->length), .now_at = clock_now(engine_clock(engine)),
	};
	TRY(offline_anchor_create(&request, fault));
	return tree_forget_ta_key(engine_context(engine), &local_actor, fault);
}

/* The answer that the server would send. */
static enum fault_code
read_plan(struct engine *engine, const struct registry_plan *plan, int64_t feed_id, int64_t limit, json_t **ret_answer,
	struct fault *fault)
{
	AUTO_CLEAR(struct spool, spool_clear) spool = SPOOL_INIT(engine_directory(engine));
	struct json_writer writer;
	json_error_t error;
	json_writer_begin(&writer, &spool);
	TRY(registry_json_write(&writer, plan, feed_id, limit, fault));
	TRY(spool_finish(&spool, fault));
	if (spool.fd < 0)
		*ret_answer = json_loadb(bytes_text(&spool.memory), spool.memory.length, 0, &error);
	else
		*ret_answer = lseek(spool.fd, 0, SEEK_SET) == 0 ? json_loadfd(spool.fd, 0, &error) : NULL;
	return *ret_answer != NULL ? FAULT_NONE : fault_set(fault, FAULT_IO, "the answer could not be read back");
}

enum fault_code
local_registry(const char *data, const char *file, bool apply, const char *accept, int64_t limit, json_t **ret_answer,
	struct fault *fault)
{
	AUTO_CLEAR(struct config, config_clear) config = CONFIG_INIT;
	AUTO(struct engine, engine_free) engine = NULL;
	AUTO(struct registry_plan, registry_plan_free) plan = NULL;
	int64_t feed_id = 0;
	TRY(open_data(data, &config, &engine, fault));
	struct registry_limits limits = registry_json_limits(&config);
	if (apply) {
		TRY(registry_apply(engine_context(engine), &local_actor, file, &limits, accept, &plan, &feed_id, fault));
		TRY(engine_settle(engine, fault));
	} else {
		TRY(registry_plan(engine_context(engine), &local_actor, file, &limits, &plan, fault));
	}
	return read_plan(engine, plan, feed_id, limit, ret_answer, fault);
}
