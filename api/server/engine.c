#include "api/server/engine.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "api/server/health_sections.h"
#include "api/server/health_ta.h"
#include "api/server/imports.h"
#include "api/server/self_check.h"
#include "ca/base/log.h"
#include "ca/base/memory.h"
#include "ca/commands/import_commands.h"
#include "ca/commands/tree_commands.h"
#include "ca/jobs/ceremony.h"
#include "ca/jobs/cut.h"
#include "ca/jobs/publication.h"
#include "ca/jobs/reconcile.h"
#include "ca/jobs/scheduler.h"
#include "ca/keys/key_pool.h"
#include "ca/keys/master_key.h"
#include "ca/keys/rsa_key.h"
#include "ca/keys/software_signer.h"
#include "db/data_lock.h"
#include "db/epoch.h"
#include "publish/publisher.h"

/* A step that wants another one within this time has work left. */
#define SOON_MS 1000
/* Without a server a serial is cut when it is full, or after so long. */
#define SETTLE_ROUND_S 600

struct engine {
	const struct config *config;
	char *path;
	int directory;
	struct data_lock *lock;
	struct clock clock;
	struct db *db;
	struct epoch *epoch;
	struct tree_instance instance;
	struct signer *signer;
	struct key_pool *pool;
	struct workers *signers;
	struct reconcile reconcile;
	struct scheduler *scheduler;
	struct publisher *publisher;
	struct publication *publication;
	struct self_check *check;
	struct imports *imports;
	struct health *health;
	struct command_context context;
};

/* Cuts wake the publication; a publication wakes the scheduler, which waits for it, and ends imports that waited for theirs. */

static void
cut_made(void *argument)
{
	struct engine *engine = argument;
	publication_wake(engine->publication);
}

/* How new the database is stands beside it before anybody sees what is newer. */
static enum fault_code
do_publish(void *self, int64_t *ret_serial, struct fault *fault)
{
	struct engine *engine = self;
	TRY(epoch_record(engine->epoch, fault));
	return publisher_publish(engine->publisher, ret_serial, fault);
}

static enum fault_code
do_rsync(void *self, int64_t *ret_serial, struct fault *fault)
{
	return publisher_rsync(((struct engine *)self)->publisher, ret_serial, fault);
}

static enum fault_code
do_verify(void *self, int64_t *ret_repaired, struct fault *fault)
{
	return publisher_verify(((struct engine *)self)->publisher, ret_repaired, fault);
}

static enum fault_code
do_retire(void *self, struct fault *fault)
{
	return publisher_retire(((struct engine *)self)->publisher, fault);
}

static enum fault_code
do_compress(void *self, const atomic_bool *stop, struct fault *fault)
{
	return publisher_compress(((struct engine *)self)->publisher, stop, fault);
}

static void
published(void *self, int64_t took_ms)
{
	struct engine *engine = self;
	scheduler_published(engine->scheduler, took_ms);
	imports_wake(engine->imports);
	self_check_wake(engine->check);
}

static enum fault_code
open_directory(struct engine *engine, const char *path, struct fault *fault)
{
	TRY(memory_copy_string(path, &engine->path, fault));
	engine->directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (engine->directory < 0)
		return fault_set_errno(fault, errno, "opening the data directory %s", path);
	return data_lock_take(engine->directory, &engine->lock, fault);
}

static enum fault_code
open_database(struct engine *engine, struct fault *fault)
{
	AUTO(char, free) path = NULL;
	TRY(memory_printf(&path, fault, "%s/%s", engine->path, ENGINE_DATABASE));
	TRY(db_open(path, false, &engine->db, fault));
	/* Before anything else is done with it: an older, emptied or foreign database does no work at all. */
	TRY(epoch_open(engine->db, engine->directory, engine->config->epoch_file, &engine->epoch, fault));
	TRY(tree_instance_get(engine->db, &engine->instance, fault));
	TRY(guard_check_rows(engine->db, fault));
	if (strcmp(engine->instance.rrdp_uri, engine->config->rrdp_uri) != 0 ||
		strcmp(engine->instance.rsync_uri, engine->config->rsync_uri) != 0)
		return fault_set(fault, FAULT_CONFIG, "rrdp_uri and rsync_uri stand in every certificate and can't be changed: "
			"they are %s and %s", engine->instance.rrdp_uri, engine->instance.rsync_uri);
	return FAULT_NONE;
}

static size_t
cores_count(void)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	return cores > 0 ? (size_t)cores : 1;
}

/* A wrong master key is told before anything is done with it; no key is ever made anew in place of one that can't be opened. */
static enum fault_code
open_keys(struct engine *engine, struct fault *fault)
{
	AUTO(struct secret, secret_free) master_key = NULL;
	uint8_t fingerprint[32];
	TRY(master_key_load(engine->directory, engine->config->master_key, &master_key, fault));
	TRY(master_key_fingerprint(master_key, fingerprint, fault));
	if (memcmp(fingerprint, engine->instance.master_key_fingerprint, sizeof fingerprint) != 0)
		return fault_set(fault, FAULT_KEY, "this is not the master key that the keys in the database are stored under");
	TRY(software_signer_new(MOVE(master_key), rsa_key_source(), &engine->signer, fault));
	return key_pool_new(rsa_key_source(), (size_t)engine->config->key_pool, cores_count(), &engine->pool, fault);
}

static struct plan_settings
plan_settings_of(const struct config *config)
{
	struct plan_settings settings = {
		.timing = {
			.manifest_valid_s = config->manifest_valid_s,
			.manifest_spread_s = config->manifest_spread_s,
			.manifest_margin_s = config->manifest_margin_s,
			.object_valid_s = config->object_valid_s,
			.object_spread_s = config->object_spread_s,
			.object_margin_s = config->object_margin_s,
			.ta_valid_s = config->ta_valid_s,
			.key_staging_s = config->key_staging_s,
			.key_retiring_s = config->key_retiring_s,
		},
		.layout = roa_layout_default,
	};
	settings.layout.by_origin_above = (size_t)config->roa_aggregate_above;
	settings.layout.by_payload_below = (size_t)config->roa_aggregate_below;
	return settings;
}

static enum fault_code
open_jobs(struct engine *engine, struct fault *fault)
{
	const struct config *config = engine->config;
	size_t signers = config->signers > 0 ? (size_t)config->signers : cores_count();
	TRY(workers_new("signer", signers, 1, &engine->signers, fault));
	engine->reconcile = (struct reconcile){
		.db = engine->db, .clock = &engine->clock, .signers = engine->signers, .settings = plan_settings_of(config),
		.issue = { .signer = engine->signer, .pool = engine->pool },
	};
	engine->reconcile.issue.settings = &engine->reconcile.settings;
	struct scheduler_settings settings = {
		.batch_window_s = config->batch_window_s,
		.cut_objects_max = config->cut_objects_max, .renewal_window_s = config->renewal_window_s,
		.renewals_per_cut = config->renewals_per_cut,
		.guard = { .share_percent = config->guard_share, .payloads_min = config->guard_from },
	};
	return scheduler_new(&engine->reconcile, &settings, cut_made, engine, &engine->scheduler, fault);
}

static enum fault_code
open_publication(struct engine *engine, struct fault *fault)
{
	const struct config *config = engine->config;
	struct publisher_settings files = {
		.deltas_max = config->deltas_max,
		.delta_age_max_s = config->delta_age_max_s, .file_grace_s = config->file_grace_s, .file_budget = config->file_budget,
		.tree_grace_s = config->tree_grace_s, .tree_links_max = config->tree_links_max,
	};
	struct publication_settings rhythm = {
		.verify_interval_s = config->verify_interval_s,
		.rsync_interval_s = config->batch_window_s == 0 ? 0 : config->rsync_interval_s,
	};
	struct publication_operations operations = {
		.publish = do_publish, .rsync = do_rsync, .verify = do_verify, .retire = do_retire, .compress = do_compress,
		.published = published, .self = engine,
	};
	TRY(publisher_new(engine->db, engine->directory, &engine->clock, &files, &engine->publisher, fault));
	TRY(publication_new(engine->db, &engine->clock, &rhythm, &operations, &engine->publication, fault));
	publisher_let_pass(engine->publisher, publication_pass, engine->publication);
	return self_check_new(engine->db, engine->directory, &engine->clock, config, &engine->check, fault);
}

static enum fault_code
open_commands(struct engine *engine, struct fault *fault)
{
	const struct config_asns *refused = &engine->config->refused_asns;
	engine->context = (struct command_context){
		.db = engine->db, .clock = &engine->clock, .wake = scheduler_wake, .scheduler = engine->scheduler,
		.refused_asns = { .ranges = refused->ranges, .count = refused->count },
		.placing = {
			.issuing_members_max = engine->config->issuing_members_max, .repository_size_max = engine->config->repository_size_max,
			.member_roas_max = engine->config->roa_aggregate_above,
		},
	};
	return imports_new(&engine->context, engine->path, &engine->imports, fault);
}

/* What is in the way of the jobs now. Only the kind: the log's words may name paths, and health is told to anybody. */
static enum fault_code
tell_work(void *self, struct health_report *report, struct fault *fault)
{
	struct engine *engine = self;
	struct fault trouble = FAULT_INIT;
	(void)fault;
	if (engine_trouble(engine, &trouble) != FAULT_NONE)
		health_find(report, HEALTH_FAILURE, fault_type(trouble.code), "issuing or publishing is held up: %s", fault_hint(trouble.code));
	json_writer_text(report->json, "trouble", trouble.code != FAULT_NONE ? fault_type(trouble.code) : NULL);
	return FAULT_NONE;
}

/* Parts add what they have to tell of themselves here: see health.h. */
static enum fault_code
open_health(struct engine *engine, struct fault *fault)
{
	TRY(health_new(engine->db, &engine->clock, &engine->health, fault));
	health_add(engine->health, "work", tell_work, engine);
	health_add(engine->health, "ta", health_ta_tell, NULL);
	health_sections_add(engine->health, engine->config);
	health_add(engine->health, "check", self_check_tell, engine->check);
	return FAULT_NONE;
}

enum fault_code
engine_open(const char *path, const struct config *config, struct engine **ret_engine, struct fault *fault)
{
	AUTO(struct engine, engine_free) engine = NULL;
	TRY(memory_new(1, sizeof *engine, &engine, fault));
	engine->config = config;
	engine->directory = -1;
	clock_init(&engine->clock);
	TRY(open_directory(engine, path, fault));
	TRY(open_database(engine, fault));
	TRY(open_keys(engine, fault));
	TRY(open_jobs(engine, fault));
	TRY(open_publication(engine, fault));
	TRY(open_commands(engine, fault));
	TRY(open_health(engine, fault));
	*ret_engine = MOVE(engine);
	return FAULT_NONE;
}

enum fault_code
engine_start(struct engine *engine, struct fault *fault)
{
	TRY(publication_start(engine->publication, fault));
	TRY(scheduler_start(engine->scheduler, fault));
	TRY(self_check_start(engine->check, fault));
	TRY(imports_start(engine->imports, fault));
	return health_start(engine->health, fault);
}

/* One step. *ret_settled: nothing is due any more. */
static enum fault_code
settle_once(struct engine *engine, bool *ret_settled, struct fault *fault)
{
	const struct timespec next_second = { .tv_nsec = 250 * 1000 * 1000 };
	struct cut_position position;
	int64_t again_ms = 0, serial, waiting, renewal_at;
	enum fault_code code = scheduler_step(engine->scheduler, &again_ms, fault);
	/* The cut before was made in this very second. */
	if (code == FAULT_CLOCK || code == FAULT_BUSY)
		(void)nanosleep(&next_second, NULL);
	else if (code != FAULT_NONE)
		return code;
	TRY(do_publish(engine, &serial, fault));
	TRY(cut_look(engine->db, &position, fault));
	TRY(reconcile_due(&engine->reconcile, &waiting, &renewal_at, fault));
	/* Renewals that wait for their window are left to the server. */
	*ret_settled = !position.waiting && waiting == 0 && again_ms > SOON_MS;
	if (!*ret_settled && again_ms > 0)
		(void)nanosleep(&next_second, NULL);
	return FAULT_NONE;
}

enum fault_code
engine_settle(struct engine *engine, struct fault *fault)
{
	int64_t serial;
	scheduler_take_time(engine->scheduler, SETTLE_ROUND_S);
	for (bool settled = false; !settled;)
		TRY(settle_once(engine, &settled, fault));
	return publisher_rsync(engine->publisher, &serial, fault);
}

void
engine_free(struct engine *engine)
{
	if (engine == NULL)
		return;
	/* A publication under way wakes scheduler, imports and self-check at its end: they go after it. The scheduler's cuts may still wake it. */
	publication_stop(engine->publication);
	health_free(engine->health);
	imports_free(engine->imports);
	scheduler_free(engine->scheduler);
	publication_free(engine->publication);
	self_check_free(engine->check);
	publisher_free(engine->publisher);
	workers_free(engine->signers);
	key_pool_free(engine->pool);
	signer_free(engine->signer);
	epoch_close(engine->epoch);
	db_close(engine->db);
	data_lock_free(engine->lock);
	if (engine->directory >= 0)
		(void)close(engine->directory);
	free(engine->path);
	free(engine);
}

int
engine_directory(const struct engine *engine)
{
	return engine->directory;
}

const struct command_context *
engine_context(const struct engine *engine)
{
	return &engine->context;
}

struct clock *
engine_clock(struct engine *engine)
{
	return &engine->clock;
}

static struct ceremony_context
ceremony_of(struct engine *engine)
{
	return (struct ceremony_context){
		.db = engine->db, .clock = &engine->clock, .signer = engine->signer, .timing = &engine->reconcile.settings.timing,
	};
}

enum fault_code
engine_ta_request(struct engine *engine, const struct actor *actor, int64_t after, struct ceremonies_request *ret_request,
	struct fault *fault)
{
	struct ceremony_context context = ceremony_of(engine);
	struct ceremony_made made = { .file = BYTES_INIT };
	TRY(ceremony_request_make(&context, actor, after, &made, fault));
	ret_request->number = made.number;
	(void)snprintf(ret_request->fingerprint, sizeof ret_request->fingerprint, "%s", made.fingerprint);
	bytes_swap(&ret_request->file, &made.file);
	bytes_clear(&made.file);
	return FAULT_NONE;
}

enum fault_code
engine_ta_install(struct engine *engine, const struct actor *actor, struct span response, struct ceremonies_installed *ret_installed,
	struct fault *fault)
{
	struct ceremony_context context = ceremony_of(engine);
	struct ceremony_done done;
	TRY(ceremony_response_install(&context, actor, response, &done, fault));
	*ret_installed = (struct ceremonies_installed){ .number = done.number, .due_at = done.due_at, .ends_at = done.ends_at };
	scheduler_wake(engine->scheduler);
	return FAULT_NONE;
}

void
engine_import_submitted(struct engine *engine)
{
	imports_wake(engine->imports);
}

bool
engine_tell_health(void *engine, struct bytes *json)
{
	return health_tell(((struct engine *)engine)->health, json);
}

enum fault_code
engine_trouble(struct engine *engine, struct fault *ret_fault)
{
	if (clock_check(&engine->clock, ret_fault) != FAULT_NONE)
		return ret_fault->code;
	if (scheduler_trouble(engine->scheduler, ret_fault) != FAULT_NONE)
		return ret_fault->code;
	return publication_trouble(engine->publication, ret_fault);
}

enum fault_code
engine_check(void *engine, struct json_t **ret_json, struct fault *fault)
{
	return self_check_json(((struct engine *)engine)->check, ret_json, fault);
}
