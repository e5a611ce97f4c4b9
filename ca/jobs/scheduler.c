#include "ca/jobs/scheduler.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "ca/base/log.h"
#include "ca/base/memory.h"
#include "ca/base/metrics.h"
#include "ca/base/alarm.h"
#include "ca/jobs/cut.h"

/* More CAs waiting than this are worked on before the window's end. */
#define BACKLOG 200
/* The longest that a round goes on taking members when the window is shorter. */
#define ROUND_MIN_S 5
/* Look again at least so often: clocks are set, operators repair. */
#define LOOK_MS (60 * 1000)
#define RETRY_MS 1000
#define RETRY_MAX_MS (30 * 1000)

/* Cuts that only imports wait for: so many times as far apart as publishing one takes, but not further than this. */
#define IMPORT_PACE 20
#define IMPORT_WAIT_MAX_S 600

/* After a restore: so many rounds that bring nothing more, and the first serial is cut without what they can't do. */
#define ANEW_TRIES 3

#define NEVER INT64_MAX
/* After a vain try at what is urgent (the CA above is set aside), so long until the next. */
#define URGENT_RETRY_S 30

struct scheduler {
	struct reconcile *reconcile;
	struct scheduler_settings settings;
	void (*cut_made)(void *argument);
	void *argument;
	struct alarm alarm;
	pthread_t thread;
	bool started;
	pthread_mutex_t mutex;           /* guards trouble */
	struct fault trouble;

	_Atomic int64_t publishing_ms;   /* what the last publication took; 0: none since the start */
	bool own_staged;                 /* what is staged may be more than imports brought */
	int64_t changes_cut_at;          /* when changes were last cut; 0: not since the start */
	int64_t wave_at;                 /* when renewals were last begun; 0: not since the start */
	int64_t wave_left;               /* objects that this wave may still bring: it made way for changes, or for time */
	int64_t urgent_from_at;          /* what is urgent is not tried again before */
	int64_t round_s;                 /* a round goes on for so long at least, if there is that much to do */
	int64_t vain_ms;                 /* how long it waits after a round that could do nothing; 0: the last one did */
	int64_t outdated;                /* manifests that were left to be made anew after a restore; NEVER: not looked yet */
	int anew_vain;                   /* rounds in a row that made none of them */
	struct latency latency;
};

/* What a step sees, and what it makes of it. */
struct outlook {
	struct cut_position position;
	int64_t now_at;
	int64_t changed, renewal_at;     /* as reconcile_due() tells */
	bool imports_alone;              /* nobody but imports waits for a cut */
	bool own_first;                  /* others do, and imports have a backlog beside */
	int64_t window_at;               /* when the batch window ends */
	int64_t changes_from_at;         /* when changes may be cut; NEVER: there are none */
	int64_t wave_from_at;            /* when renewals may be cut; NEVER: there are none */
	int64_t urgent_from_at;          /* when those that are urgent by then may be cut, whatever the window; likewise */
	bool urgent;                     /* there are such now */
};

static int64_t
window_s(const struct scheduler *scheduler)
{
	return scheduler->settings.batch_window_s > 0 ? scheduler->settings.batch_window_s : 1;
}

static int64_t
late_s(const struct scheduler *scheduler)
{
	return timing_late_s(&scheduler->reconcile->settings.timing);
}

static int64_t
larger(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static int64_t
smaller(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int64_t
ms_until(const struct scheduler *scheduler, int64_t at)
{
	int64_t wait_ms = at * 1000 - clock_wall_ms(scheduler->reconcile->clock);
	return wait_ms < 1 ? 1 : wait_ms < LOOK_MS ? wait_ms : LOOK_MS;
}

/* A window that began at begun_at ends then. What a wrong clock recorded holds up nobody. */
static int64_t
window_end(int64_t begun_at, int64_t length_s, int64_t now_at)
{
	return begun_at == 0 || timing_never_was(begun_at, now_at) ? 0 : begun_at + length_s;
}

/* Renewals gather for their window; when that is open, they go as soon as they are due. What is urgent waits for a cut alone. */
static void
look_at_renewals(const struct scheduler *scheduler, struct outlook *outlook)
{
	int64_t cut_from_at = window_end(outlook->position.cut_at, window_s(scheduler), outlook->now_at);
	int64_t open_at = scheduler->wave_left > 0 ? 0 :
		window_end(scheduler->wave_at, scheduler->settings.renewal_window_s, outlook->now_at);
	outlook->wave_from_at = outlook->urgent_from_at = NEVER;
	if (outlook->renewal_at == 0)
		return;
	int64_t urgent_at = larger(outlook->renewal_at + late_s(scheduler), scheduler->urgent_from_at);
	outlook->wave_from_at = larger(larger(outlook->renewal_at, open_at), cut_from_at);
	outlook->urgent_from_at = larger(urgent_at, cut_from_at);
	outlook->urgent = outlook->now_at >= urgent_at;
}

/*
 * An import of a whole registry goes on for hours and needs no cut in between: a snapshot of hundreds of megabytes each minute would take
 * its share of CPU and disk from it.
 */
static int64_t
import_pace_s(const struct scheduler *scheduler)
{
	return smaller(atomic_load(&scheduler->publishing_ms) * IMPORT_PACE / 1000, IMPORT_WAIT_MAX_S);
}

/* The batch window is one between cuts that bring changes: a cut for renewals makes no change wait longer than until the next second. */
static void
look_at_changes(const struct scheduler *scheduler, struct outlook *outlook)
{
	int64_t cut_at = scheduler->changes_cut_at != 0 ? scheduler->changes_cut_at : outlook->position.cut_at;
	int64_t window_at = window_end(cut_at, window_s(scheduler), outlook->now_at);
	int64_t pace_at = outlook->imports_alone ? window_end(cut_at, import_pace_s(scheduler), outlook->now_at) : 0;
	outlook->window_at = larger(window_at, window_end(outlook->position.cut_at, 1, outlook->now_at));
	bool any = outlook->changed > 0 || outlook->position.waiting;
	outlook->changes_from_at = any ? larger(outlook->window_at, pace_at) : NEVER;
}

static enum fault_code
look(struct scheduler *scheduler, struct outlook *ret_outlook, struct fault *fault)
{
	struct reconcile *reconcile = scheduler->reconcile;
	struct outlook outlook = { .now_at = clock_now(reconcile->clock) };
	int64_t own = 0;
	TRY(cut_look(reconcile->db, &outlook.position, fault));
	TRY(reconcile_due(reconcile, &outlook.changed, &outlook.renewal_at, fault));
	if (outlook.changed > 0)
		TRY(reconcile_due_own(reconcile, &own, fault));
	/* What an import brought last waits for nothing more. */
	if (outlook.changed > 0 && own == 0 && !scheduler->own_staged)
		TRY(reconcile_due_imports(reconcile, &outlook.imports_alone, fault));
	outlook.own_first = (own > 0 || (scheduler->own_staged && outlook.position.waiting)) && outlook.changed - own > BACKLOG;
	look_at_changes(scheduler, &outlook);
	look_at_renewals(scheduler, &outlook);
	latency_notified(&scheduler->latency, outlook.position.notified_serial, outlook.position.notified_at);
	*ret_outlook = outlook;
	return FAULT_NONE;
}

static struct reconcile_limits
limits_of(const struct scheduler *scheduler, enum reconcile_pass pass, int64_t objects, int64_t length_ms)
{
	return (struct reconcile_limits){
		.pass = pass, .objects = objects, .until_ms = clock_monotonic_ms() + length_ms, .stop = &scheduler->alarm.stop,
	};
}

static int64_t
round_ms(const struct scheduler *scheduler)
{
	return larger(window_s(scheduler), scheduler->round_s) * 1000;
}

/* What is late beyond its measure: no window, no cap but that of a whole cut, and never crowded out by changes. */
static enum fault_code
renew_urgent(struct scheduler *scheduler, const struct outlook *outlook, int64_t length_ms, struct reconcile_result *result,
	struct fault *fault)
{
	const struct scheduler_settings *settings = &scheduler->settings;
	int64_t cas = result->cas, objects = larger(settings->cut_objects_max, result->objects + settings->renewals_per_cut);
	bool more = result->more;
	struct reconcile_limits limits = limits_of(scheduler, RECONCILE_RENEWALS, objects, length_ms);
	limits.due_by_at = outlook->now_at - late_s(scheduler);
	TRY(reconcile_members(scheduler->reconcile, &limits, result, fault));
	if (result->cas == cas && !result->more)
		scheduler->urgent_from_at = outlook->now_at + URGENT_RETRY_S;
	result->more = more;
	return FAULT_NONE;
}

/* A wave of renewals, or the rest of one that made way; changes that come meanwhile go into the same cut. */
static enum fault_code
renew_wave(struct scheduler *scheduler, const struct outlook *outlook, struct reconcile_result *result, struct fault *fault)
{
	const struct scheduler_settings *settings = &scheduler->settings;
	int64_t before = result->objects, left = scheduler->wave_left > 0 ? scheduler->wave_left : settings->renewals_per_cut;
	int64_t room = settings->cut_objects_max - before;
	if (scheduler->wave_left == 0)
		scheduler->wave_at = outlook->now_at;
	struct reconcile_limits limits = limits_of(scheduler, RECONCILE_RENEWALS, before + smaller(left, room), round_ms(scheduler));
	limits.yield = true;
	TRY(reconcile_members(scheduler->reconcile, &limits, result, fault));
	left -= result->objects - before;
	scheduler->wave_left = (result->more || result->yielded) && left > 0 ? left : 0;
	if (!result->yielded)
		return FAULT_NONE;
	limits = limits_of(scheduler, RECONCILE_CHANGES, settings->cut_objects_max, round_ms(scheduler));
	return reconcile_members(scheduler->reconcile, &limits, result, fault);
}

/*
 * What goes into a cut. Where an import has a backlog, what members changed themselves doesn't wait until a cut is full of that: it is
 * worked on ahead of later ones. But if nothing else can be done (those wait for others), it has its turn.
 */
static enum fault_code
take_changes(struct scheduler *scheduler, const struct outlook *outlook, struct reconcile_result *result, struct fault *fault)
{
	struct reconcile_limits limits = limits_of(scheduler, RECONCILE_CHANGES, scheduler->settings.cut_objects_max, round_ms(scheduler));
	limits.own_alone = outlook->own_first;
	limits.yield = outlook->imports_alone;
	TRY(reconcile_members(scheduler->reconcile, &limits, result, fault));
	bool vain = outlook->own_first && result->cas == 0 && !outlook->position.waiting;
	if (!result->yielded && !vain)
		return FAULT_NONE;
	limits.own_alone = result->yielded;
	limits.yield = false;
	return reconcile_members(scheduler->reconcile, &limits, result, fault);
}

static enum fault_code
reconcile_and_cut(struct scheduler *scheduler, const struct outlook *outlook, struct reconcile_result *result, int64_t *ret_serial,
	struct fault *fault)
{
	struct reconcile *reconcile = scheduler->reconcile;
	TRY(take_changes(scheduler, outlook, result, fault));
	int64_t changed_cas = result->cas;
	if (outlook->urgent)
		TRY(renew_urgent(scheduler, outlook, round_ms(scheduler), result, fault));
	if (outlook->now_at >= outlook->wave_from_at && !result->more && result->objects < scheduler->settings.cut_objects_max)
		TRY(renew_wave(scheduler, outlook, result, fault));
	TRY(reconcile_parents(reconcile, result, fault));
	TRY(guard_check(reconcile->db, &scheduler->settings.guard, reconcile->clock, fault));
	TRY(cut_make(reconcile->db, reconcile->clock, ret_serial, fault));
	if (*ret_serial == 0)
		return FAULT_NONE;
	if (outlook->changed > 0 || outlook->position.waiting || changed_cas > 0)
		scheduler->changes_cut_at = clock_now(reconcile->clock);
	latency_cut(&scheduler->latency, *ret_serial);
	log_write(LOG_INFO, "serial %lld: %lld objects of %lld CAs", (long long)*ret_serial, (long long)result->objects,
		(long long)result->cas);
	scheduler->cut_made(scheduler->argument);
	return FAULT_NONE;
}

/*
 * Members until it is time to cut, no parents: their manifests follow right before the cut. Where only imports wait, past the window's end,
 * who changes something himself waits for nothing: it is looked again each second, and sooner when that happens.
 */
static enum fault_code
work_ahead(struct scheduler *scheduler, const struct outlook *outlook, int64_t length_ms, struct reconcile_result *result,
	struct fault *fault)
{
	if (outlook->imports_alone)
		length_ms = smaller(length_ms, larger(ms_until(scheduler, outlook->window_at), RETRY_MS));
	struct reconcile_limits limits = limits_of(scheduler, RECONCILE_CHANGES, INT64_MAX, length_ms);
	limits.yield = outlook->imports_alone;
	if (outlook->changed > BACKLOG)
		TRY(reconcile_members(scheduler->reconcile, &limits, result, fault));
	return outlook->urgent ? renew_urgent(scheduler, outlook, length_ms, result, fault) : FAULT_NONE;
}

/* A round that could do nothing (the clock has to tick, the CA above is set aside) is tried again later and later. */
static int64_t
vain_ms(struct scheduler *scheduler, bool vain)
{
	scheduler->vain_ms = !vain ? 0 : scheduler->vain_ms == 0 ? RETRY_MS : smaller(2 * scheduler->vain_ms, RETRY_MAX_MS);
	return scheduler->vain_ms;
}

/*
 * After a restore the first serial has to wait until everything is made anew: it would publish the backup's manifests of those that aren't
 * done yet, with numbers below what validators have seen. They have the session before meanwhile. What can't be done is not waited for.
 */
static enum fault_code
begin_anew(struct scheduler *scheduler, bool *ret_ready, int64_t *ret_again_ms, struct fault *fault)
{
	struct reconcile_result result = { 0 };
	struct reconcile_limits limits = limits_of(scheduler, RECONCILE_ALL, INT64_MAX, round_ms(scheduler));
	int64_t left, too_early;
	TRY(reconcile_members(scheduler->reconcile, &limits, &result, fault));
	if (!result.more)
		TRY(reconcile_parents(scheduler->reconcile, &result, fault));
	TRY(reconcile_outdated(scheduler->reconcile, &left, &too_early, fault));
	scheduler->anew_vain = left < scheduler->outdated ? 0 : scheduler->anew_vain + 1;
	scheduler->outdated = left;
	*ret_ready = !scheduler->alarm.stop && too_early == 0 && (left == 0 || scheduler->anew_vain >= ANEW_TRIES);
	if (*ret_ready)
		return FAULT_NONE;
	log_write(LOG_INFO, "after the restore %lld manifests are to be made anew before the first serial", (long long)left);
	*ret_again_ms = vain_ms(scheduler, result.cas == 0);
	return FAULT_NONE;
}

enum fault_code
scheduler_step(struct scheduler *scheduler, int64_t *ret_again_ms, struct fault *fault)
{
	struct outlook outlook;
	struct reconcile_result result = { 0 };
	int64_t serial = 0;

	TRY(clock_check(scheduler->reconcile->clock, fault));
	TRY(look(scheduler, &outlook, fault));
	bool ready = true;
	if (outlook.position.anew)
		TRY(begin_anew(scheduler, &ready, ret_again_ms, fault));
	if (!ready)
		return FAULT_NONE;
	int64_t from_at = smaller(outlook.changes_from_at, smaller(outlook.wave_from_at, outlook.urgent_from_at));
	bool published = outlook.position.notified_serial == outlook.position.serial;
	if (published && outlook.now_at >= from_at) {
		enum fault_code code = reconcile_and_cut(scheduler, &outlook, &result, &serial, fault);
		/* Also where it fails: the next cut brings what was staged before that. */
		scheduler->own_staged = serial == 0 && (scheduler->own_staged || result.own > 0);
		TRY(code);
		*ret_again_ms = vain_ms(scheduler, result.cas == 0 && serial == 0);
		return FAULT_NONE;
	}
	*ret_again_ms = from_at != NEVER && outlook.now_at < from_at ? ms_until(scheduler, from_at) : LOOK_MS;
	if (outlook.changed > BACKLOG || outlook.urgent) {
		/* Where the last serial alone isn't on disk yet, that may be any moment: the cut is not to wait for the end of a long round. */
		int64_t cut_ms = *ret_again_ms, length_ms = outlook.now_at < from_at ? cut_ms : RETRY_MS;
		enum fault_code code = work_ahead(scheduler, &outlook, length_ms, &result, fault);
		scheduler->own_staged = scheduler->own_staged || result.own > 0;
		TRY(code);
		int64_t pause_ms = vain_ms(scheduler, result.cas == 0);
		*ret_again_ms = result.more && result.cas > 0 ? 0 : smaller(cut_ms, larger(RETRY_MS, pause_ms));
	}
	return FAULT_NONE;
}

static void
remember(struct scheduler *scheduler, const struct fault *trouble)
{
	pthread_mutex_lock(&scheduler->mutex);
	bool new_trouble = trouble->code != FAULT_NONE && trouble->code != scheduler->trouble.code;
	bool over = trouble->code == FAULT_NONE && scheduler->trouble.code != FAULT_NONE;
	scheduler->trouble = *trouble;
	pthread_mutex_unlock(&scheduler->mutex);
	metrics_set(METRIC_CLOCK_SUSPECT, clock_check(scheduler->reconcile->clock, NULL) != FAULT_NONE);
	if (new_trouble)
		log_fault(LOG_ERROR, trouble, "issuing");
	if (over)
		log_write(LOG_INFO, "issuing goes on");
}

static void *
run(void *argument)
{
	struct scheduler *scheduler = argument;
	int64_t again_ms = 0, retry_ms = RETRY_MS;
	while (again_ms == 0 ? !scheduler->alarm.stop : alarm_wait(&scheduler->alarm, again_ms)) {
		struct fault fault = FAULT_INIT;
		enum fault_code code = scheduler_step(scheduler, &again_ms, &fault);
		/* A cut or a manifest that has to wait for the next second is no trouble. */
		bool next_second = code == FAULT_CLOCK && clock_check(scheduler->reconcile->clock, NULL) == FAULT_NONE;
		if (next_second || code == FAULT_BUSY) {
			again_ms = RETRY_MS / 4;
			continue;
		}
		remember(scheduler, &fault);
		retry_ms = code == FAULT_NONE ? RETRY_MS : retry_ms * 2 < RETRY_MAX_MS ? retry_ms * 2 : RETRY_MAX_MS;
		if (code != FAULT_NONE)
			again_ms = code == FAULT_CLOCK ? RETRY_MS : retry_ms;
	}
	return NULL;
}

enum fault_code
scheduler_new(struct reconcile *reconcile, const struct scheduler_settings *settings, void (*cut_made)(void *argument), void *argument,
	struct scheduler **ret_scheduler, struct fault *fault)
{
	struct scheduler *scheduler;
	TRY(memory_new(1, sizeof *scheduler, &scheduler, fault));
	scheduler->reconcile = reconcile;
	scheduler->settings = *settings;
	if (settings->renewals_per_cut == 0)
		scheduler->settings.renewals_per_cut = settings->cut_objects_max;
	scheduler->own_staged = true; /* what an earlier process staged may be anybody's */
	scheduler->round_s = ROUND_MIN_S;
	scheduler->outdated = NEVER;
	scheduler->cut_made = cut_made;
	scheduler->argument = argument;
	reconcile->latency = &scheduler->latency;
	alarm_init(&scheduler->alarm);
	pthread_mutex_init(&scheduler->mutex, NULL);
	*ret_scheduler = scheduler;
	return FAULT_NONE;
}

enum fault_code
scheduler_start(struct scheduler *scheduler, struct fault *fault)
{
	int error = pthread_create(&scheduler->thread, NULL, run, scheduler);
	if (error != 0)
		return fault_set_errno(fault, error, "starting the scheduler's thread");
	scheduler->started = true;
	(void)pthread_setname_np(scheduler->thread, "scheduler");
	return FAULT_NONE;
}

void
scheduler_take_time(struct scheduler *scheduler, int64_t round_s)
{
	scheduler->round_s = round_s;
}

void
scheduler_wake(void *scheduler)
{
	alarm_wake(&((struct scheduler *)scheduler)->alarm);
}

void
scheduler_published(struct scheduler *scheduler, int64_t took_ms)
{
	atomic_store(&scheduler->publishing_ms, took_ms);
	alarm_wake(&scheduler->alarm);
}

enum fault_code
scheduler_trouble(struct scheduler *scheduler, struct fault *ret_fault)
{
	pthread_mutex_lock(&scheduler->mutex);
	*ret_fault = scheduler->trouble;
	pthread_mutex_unlock(&scheduler->mutex);
	return ret_fault->code;
}

void
scheduler_free(struct scheduler *scheduler)
{
	if (scheduler == NULL)
		return;
	alarm_stop(&scheduler->alarm);
	if (scheduler->started)
		pthread_join(scheduler->thread, NULL);
	alarm_clear(&scheduler->alarm);
	pthread_mutex_destroy(&scheduler->mutex);
	scheduler->reconcile->latency = NULL;
	free(scheduler);
}
