/*
 * virtual_day DATA KEY_MS [HOURS]: a day with nothing but renewals, on a clock by hand: from when the first renewal of this data directory
 * falls due, so many hours (24), minute by minute. Whatever a server does in that time is done: rounds, cuts, snapshots, deltas,
 * notifications, rsync trees, .gz files, verification, retention, the self-check. Only its threads take turns here, in one. DATA is
 * changed and its clock runs ahead: give it a copy.
 *
 * Beside it the least that all this can cost is measured, in thread CPU time: the signatures, the keys, and for each file that is
 * published to read as many bytes, to hash, write and flush them, and to compress them, with nothing else. What is compared is CPU ÷
 * that. Keys come from pairs of primes (prime_keys.h): what they cost here is taken out, and KEY_MS for each, as measured for real ones, put
 * in on both sides; the strict figure is without keys on both sides.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "api/server/config.h"
#include "api/server/engine.h"
#include "api/server/self_check.h"
#include "ca/base/log.h"
#include "ca/base/memory.h"
#include "ca/base/metrics.h"
#include "ca/jobs/cut.h"
#include "ca/jobs/scheduler.h"
#include "ca/keys/key_pool.h"
#include "ca/keys/master_key.h"
#include "ca/keys/software_signer.h"
#include "db/data_lock.h"
#include "db/epoch.h"
#include "publish/publisher.h"
#include "tests/support/measures.h"
#include "tests/support/prime_keys.h"
#include "tests/support/published_cost.h"

#define HOURS 24
#define PRIMES 100
#define MINUTE_S 60
#define LEFT_OVER_TURNS 1000

/* What the one thread does by turns; all else, on other threads too, is issuing. */
enum part { PART_PUBLISH, PART_COMPRESS, PART_RSYNC, PART_VERIFY, PART_CHECK, PARTS };
static const char *const part_names[PARTS] = { "publishing", "compressing", "rsync", "verifying", "checking" };

struct day {
	struct config config;
	int directory;
	struct data_lock *lock;
	struct clock clock;
	struct db *db;
	struct epoch *epoch;
	struct signer *signer;
	struct key_pool *pool;
	struct workers *signers;
	struct reconcile reconcile;
	struct scheduler *scheduler;
	struct publisher *publisher;
	struct self_check *check;
	struct published_cost *cost;
	int64_t parts_ns[PARTS];
	int64_t serials, verified_at, checked_at;
};

/* Keys that were made, and what that took: none of it belongs to a day with real ones. */
static atomic_int_fast64_t keys_made, keys_ns;

static enum fault_code
make_counted(void *self, struct secret **ret_private_key, struct fault *fault)
{
	struct key_source source = prime_keys_source();
	int64_t began_ns = clock_thread_cpu_ns();
	(void)self;
	enum fault_code code = source.make(source.self, ret_private_key, fault);
	atomic_fetch_add(&keys_ns, clock_thread_cpu_ns() - began_ns);
	atomic_fetch_add(&keys_made, 1);
	return code;
}

/* ---- a data directory at work, as api/server/engine.c does it, without its threads ---- */

static enum fault_code
open_data(struct day *day, const char *path, struct fault *fault)
{
	AUTO(char, free) file = NULL;
	AUTO(char, free) database = NULL;
	TRY(memory_printf(&file, fault, "%s/%s", path, CONFIG_FILE));
	TRY(config_load(file, &day->config, fault));
	day->directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (day->directory < 0)
		return fault_set_errno(fault, errno, "opening %s", path);
	TRY(data_lock_take(day->directory, &day->lock, fault));
	TRY(memory_printf(&database, fault, "%s/%s", path, ENGINE_DATABASE));
	TRY(db_open(database, false, &day->db, fault));
	return epoch_open(day->db, day->directory, "", &day->epoch, fault);
}

static size_t
cores_count(void)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	return cores > 0 ? (size_t)cores : 1;
}

static enum fault_code
open_keys(struct day *day, struct fault *fault)
{
	AUTO(struct secret, secret_free) master_key = NULL;
	struct key_source source = { .make = make_counted };
	prime_keys_prepare(PRIMES);
	TRY(master_key_load(day->directory, day->config.master_key, &master_key, fault));
	TRY(software_signer_new(MOVE(master_key), source, &day->signer, fault));
	return key_pool_new(source, (size_t)day->config.key_pool, cores_count(), &day->pool, fault);
}

static void
ignore_cut(void *argument)
{
	(void)argument;
}

static enum fault_code
open_jobs(struct day *day, struct fault *fault)
{
	const struct config *config = &day->config;
	TRY(workers_new("signer", cores_count(), 1, &day->signers, fault));
	day->reconcile = (struct reconcile){
		.db = day->db, .clock = &day->clock, .signers = day->signers,
		.issue = { .signer = day->signer, .pool = day->pool },
		.settings = { .timing = timing_default, .layout = roa_layout_default },
	};
	day->reconcile.issue.settings = &day->reconcile.settings;
	struct scheduler_settings settings = {
		.batch_window_s = config->batch_window_s,
		.cut_objects_max = config->cut_objects_max, .renewal_window_s = config->renewal_window_s,
		.renewals_per_cut = config->renewals_per_cut,
		.guard = { .share_percent = config->guard_share, .payloads_min = config->guard_from },
	};
	return scheduler_new(&day->reconcile, &settings, ignore_cut, NULL, &day->scheduler, fault);
}

static enum fault_code
open_publication(struct day *day, struct fault *fault)
{
	const struct config *config = &day->config;
	struct publisher_settings files = {
		.deltas_max = config->deltas_max,
		.delta_age_max_s = config->delta_age_max_s, .file_grace_s = config->file_grace_s, .file_budget = config->file_budget,
		.tree_grace_s = config->tree_grace_s, .tree_links_max = config->tree_links_max,
	};
	TRY(publisher_new(day->db, day->directory, &day->clock, &files, &day->publisher, fault));
	TRY(self_check_new(day->db, day->directory, &day->clock, config, &day->check, fault));
	return published_cost_new(day->db, day->directory, &day->cost, fault);
}

static void
close_day(struct day *day)
{
	published_cost_free(day->cost);
	scheduler_free(day->scheduler);
	self_check_free(day->check);
	publisher_free(day->publisher);
	workers_free(day->signers);
	key_pool_free(day->pool);
	signer_free(day->signer);
	epoch_close(day->epoch);
	db_close(day->db);
	data_lock_free(day->lock);
	if (day->directory >= 0)
		(void)close(day->directory);
	config_clear(&day->config);
}

/* ---- its turns ---- */

static enum fault_code
timed(struct day *day, enum part part, enum fault_code (*turn)(struct day *day, struct fault *fault), struct fault *fault)
{
	int64_t began_ns = clock_thread_cpu_ns();
	enum fault_code code = turn(day, fault);
	day->parts_ns[part] += clock_thread_cpu_ns() - began_ns;
	return code;
}

static enum fault_code
publish(struct day *day, struct fault *fault)
{
	int64_t serial;
	TRY(epoch_record(day->epoch, fault));
	return publisher_publish(day->publisher, &serial, fault);
}

static enum fault_code
compress(struct day *day, struct fault *fault)
{
	atomic_bool stop = false;
	return publisher_compress(day->publisher, &stop, fault);
}

/* BUSY: all trees are in their grace time. */
static enum fault_code
turn_rsync(struct day *day, struct fault *fault)
{
	struct fault trouble = FAULT_INIT;
	int64_t serial;
	enum fault_code code = publisher_rsync(day->publisher, &serial, &trouble);
	return code == FAULT_NONE || code == FAULT_BUSY ? FAULT_NONE : fault_set(fault, code, "%s", trouble.message);
}

static enum fault_code
verify(struct day *day, struct fault *fault)
{
	int64_t repaired;
	TRY(publisher_verify(day->publisher, &repaired, fault));
	return repaired == 0 ? FAULT_NONE : fault_set(fault, FAULT_IO, "%" PRId64 " files were not as they should be", repaired);
}

static enum fault_code
retire(struct day *day, struct fault *fault)
{
	return publisher_retire(day->publisher, fault);
}

static enum fault_code
check_changes(struct day *day, struct fault *fault)
{
	return self_check_once(day->check, false, fault);
}

static enum fault_code
check_everything(struct day *day, struct fault *fault)
{
	return self_check_once(day->check, true, fault);
}

/* A cut is brought to disk, packed and looked at; then the same bytes once more, for what they cost alone. */
static enum fault_code
publish_if_cut(struct day *day, struct cut_position *position, struct fault *fault)
{
	TRY(cut_look(day->db, position, fault));
	if (position->serial == position->notified_serial)
		return FAULT_NONE;
	TRY(timed(day, PART_PUBLISH, publish, fault));
	TRY(timed(day, PART_COMPRESS, compress, fault));
	TRY(timed(day, PART_CHECK, check_changes, fault));
	TRY(published_cost_serial(day->cost, fault));
	day->serials++;
	return cut_look(day->db, position, fault);
}

static enum fault_code
keep_house(struct day *day, const struct cut_position *position, struct fault *fault)
{
	int64_t now_at = clock_now(&day->clock);
	if (position->rsync_serial < position->notified_serial && now_at >= position->rsync_at + day->config.rsync_interval_s) {
		TRY(timed(day, PART_RSYNC, turn_rsync, fault));
		TRY(published_cost_tree(day->cost, fault));
	}
	if (now_at >= day->verified_at + day->config.verify_interval_s) {
		TRY(timed(day, PART_VERIFY, verify, fault));
		day->verified_at = now_at;
	}
	if (now_at >= day->checked_at + day->config.check_interval_s) {
		TRY(timed(day, PART_CHECK, check_everything, fault));
		day->checked_at = now_at;
	}
	return timed(day, PART_VERIFY, retire, fault);
}

/* Returns in *ret_next_at when the next turn is: in a minute at most, as all threads look then. */
static enum fault_code
take_turn(struct day *day, int64_t *ret_next_at, struct fault *fault)
{
	struct fault trouble = FAULT_INIT;
	struct cut_position position;
	int64_t again_ms = 0, now_at = clock_now(&day->clock);
	enum fault_code code = scheduler_step(day->scheduler, &again_ms, &trouble);
	/* A cut that has to wait for the next second is no trouble. */
	if (code != FAULT_NONE && code != FAULT_CLOCK && code != FAULT_BUSY)
		return fault_set(fault, code, "%s", trouble.message);
	TRY(publish_if_cut(day, &position, fault));
	TRY(keep_house(day, &position, fault));
	int64_t wait_s = code != FAULT_NONE ? 1 : (again_ms + 999) / 1000;
	*ret_next_at = now_at + (wait_s < 1 ? 1 : wait_s > MINUTE_S ? MINUTE_S : wait_s);
	return FAULT_NONE;
}

/* What is left over from before is done first, second by second; then the self-check sees everything. */
static enum fault_code
find_morning(struct day *day, int64_t *ret_begin_at, struct fault *fault)
{
	struct cut_position position;
	int64_t changed, renewal_at, next_at = 0;
	day->verified_at = day->checked_at = clock_now(&day->clock);
	TRY(reconcile_due(&day->reconcile, &changed, &renewal_at, fault));
	TRY(cut_look(day->db, &position, fault));
	for (int turns = 0; changed > 0 || position.waiting || position.serial != position.notified_serial; turns++) {
		if (turns == LEFT_OVER_TURNS)
			return fault_set(fault, FAULT_BUSY, "this data directory comes to no rest: %" PRId64 " CAs wait", changed);
		TRY(take_turn(day, &next_at, fault));
		clock_hand_set(&day->clock, next_at);
		TRY(reconcile_due(&day->reconcile, &changed, &renewal_at, fault));
		TRY(cut_look(day->db, &position, fault));
	}
	if (renewal_at == 0)
		return fault_set(fault, FAULT_NOT_FOUND, "there is nothing to renew in this data directory");
	int64_t now_at = clock_now(&day->clock) + MINUTE_S;
	*ret_begin_at = renewal_at > now_at ? renewal_at : now_at;
	clock_hand_set(&day->clock, *ret_begin_at);
	TRY(self_check_once(day->check, true, fault));
	/* As often as a server does it in the long run: the first comes after half of its interval. */
	day->verified_at = *ret_begin_at - day->config.verify_interval_s / 2;
	day->checked_at = *ret_begin_at - day->config.check_interval_s / 2;
	return FAULT_NONE;
}

static int64_t
process_cpu_ns(void)
{
	struct timespec used;
	INVARIANT(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used) == 0);
	return (int64_t)used.tv_sec * 1000000000 + used.tv_nsec;
}

static void
print_s(const char *name, int64_t ns)
{
	char full[100];
	(void)snprintf(full, sizeof full, "day_%s_cpu_s", name);
	measures_print(full, (double)ns / 1e9, "s");
}

/* cpu_ns: of the day, without what keys took and without the repetition for the floor. */
static void
print_figures(const struct day *day, int64_t cpu_ns, int64_t signing_ns, int64_t keys, double key_ms)
{
	int64_t published_ns = published_cost_ns(day->cost), issuing_ns = cpu_ns, floor_ns = signing_ns + published_ns;
	double keys_ns_real = (double)keys * key_ms * 1e6;
	for (enum part part = 0; part < PARTS; part++)
		issuing_ns -= day->parts_ns[part];
	measures_print("day_serials", (double)day->serials, "-");
	measures_print("day_keys", (double)keys, "keys");
	print_s("issuing", issuing_ns);
	for (enum part part = 0; part < PARTS; part++)
		print_s(part_names[part], day->parts_ns[part]);
	print_s("signing", signing_ns);
	print_s("published_floor", published_ns);
	measures_print("day_cpu_over_floor", ((double)cpu_ns + keys_ns_real) / ((double)floor_ns + keys_ns_real), "ratio");
	measures_print("day_cpu_over_floor_without_keys", (double)cpu_ns / (double)floor_ns, "ratio");
}

static enum fault_code
measure(struct day *day, double key_ms, int64_t hours, struct fault *fault)
{
	int64_t begin_at = 0, next_at = 0;
	TRY(find_morning(day, &begin_at, fault));
	int64_t signing_ns = metrics_get(METRIC_SIGNATURE_NS), cpu_ns = process_cpu_ns();
	int64_t made = atomic_load(&keys_made), made_ns = atomic_load(&keys_ns), renewed = metrics_get(METRIC_RENEWED);
	memset(day->parts_ns, 0, sizeof day->parts_ns);
	day->serials = 0;
	published_cost_reset(day->cost);
	for (int64_t end_at = begin_at + hours * 3600; clock_now(&day->clock) < end_at; clock_hand_set(&day->clock, next_at))
		TRY(take_turn(day, &next_at, fault));
	cpu_ns = process_cpu_ns() - cpu_ns - (atomic_load(&keys_ns) - made_ns) - published_cost_spent_ns(day->cost);
	measures_print("day_cas_renewed", (double)(metrics_get(METRIC_RENEWED) - renewed), "CAs");
	print_figures(day, cpu_ns, metrics_get(METRIC_SIGNATURE_NS) - signing_ns, atomic_load(&keys_made) - made, key_ms);
	return FAULT_NONE;
}

int
main(int argc, char **argv)
{
	struct fault fault = FAULT_INIT;
	struct day day = { .config = CONFIG_INIT, .directory = -1 };
	double key_ms = argc > 2 ? strtod(argv[2], NULL) : 0;
	if (argc < 3 || key_ms <= 0) {
		fprintf(stderr, "usage: virtual_day DATA KEY_MS [HOURS]\n");
		return 2;
	}
	log_set_level(LOG_WARNING);
	clock_init_hand(&day.clock, time(NULL));
	enum fault_code code = open_data(&day, argv[1], &fault);
	if (code == FAULT_NONE)
		code = open_keys(&day, &fault);
	if (code == FAULT_NONE)
		code = open_jobs(&day, &fault);
	if (code == FAULT_NONE)
		code = open_publication(&day, &fault);
	if (code == FAULT_NONE)
		code = measure(&day, key_ms, argc > 3 ? (int64_t)measures_argument(argv[3], 24 * 366) : HOURS, &fault);
	close_day(&day);
	return code == FAULT_NONE ? EXIT_SUCCESS : measures_fail(&fault);
}
