#include "ca/jobs/scheduler.h"

#include <pthread.h>
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
};

static int64_t
window_s(const struct scheduler *scheduler)
{
	return scheduler->settings.batch_window_s > 0 ? scheduler->settings.batch_window_s : 1;
}

static int64_t
ms_until(const struct scheduler *scheduler, int64_t at)
{
	int64_t wait_ms = at * 1000 - clock_wall_ms(scheduler->reconcile->clock);
	return wait_ms < 1 ? 1 : wait_ms < LOOK_MS ? wait_ms : LOOK_MS;
}

/* Members until it is time to cut, no parents: their manifests follow right before the cut. */
static enum fault_code
work_ahead(struct scheduler *scheduler, int64_t until_ms, struct fault *fault)
{
	struct reconcile_result result = { 0 };
	struct reconcile_limits limits = { .objects = INT64_MAX, .until_ms = until_ms, .stop = &scheduler->alarm.stop };
	return reconcile_members(scheduler->reconcile, &limits, &result, fault);
}

static enum fault_code
reconcile_and_cut(struct scheduler *scheduler, struct reconcile_result *result, int64_t *ret_serial, struct fault *fault)
{
	int64_t round_s = window_s(scheduler) > ROUND_MIN_S ? window_s(scheduler) : ROUND_MIN_S;
	struct reconcile_limits limits = {
		.objects = scheduler->settings.cut_objects_max,
		.until_ms = clock_monotonic_ms() + round_s * 1000,
		.stop = &scheduler->alarm.stop,
	};
	TRY(reconcile_members(scheduler->reconcile, &limits, result, fault));
	TRY(reconcile_parents(scheduler->reconcile, result, fault));
	TRY(cut_make(scheduler->reconcile->db, scheduler->settings.repository_id, scheduler->reconcile->clock, ret_serial, fault));
	if (*ret_serial == 0)
		return FAULT_NONE;
	log_write(LOG_INFO, "serial %lld: %lld objects of %lld CAs", (long long)*ret_serial, (long long)result->objects,
		(long long)result->cas);
	scheduler->cut_made(scheduler->argument);
	return FAULT_NONE;
}

enum fault_code
scheduler_step(struct scheduler *scheduler, int64_t *ret_again_ms, struct fault *fault)
{
	struct reconcile *reconcile = scheduler->reconcile;
	struct cut_position position;
	struct reconcile_result result = { 0 };
	int64_t changed, renewal_at, serial;

	TRY(clock_check(reconcile->clock, fault));
	TRY(cut_look(reconcile->db, scheduler->settings.repository_id, &position, fault));
	TRY(reconcile_due(reconcile, &changed, &renewal_at, fault));
	int64_t now_at = clock_now(reconcile->clock);
	bool due = changed > 0 || position.waiting || (renewal_at != 0 && renewal_at <= now_at);
	if (!due) {
		*ret_again_ms = renewal_at != 0 ? ms_until(scheduler, renewal_at) : LOOK_MS;
		return FAULT_NONE;
	}
	int64_t cut_from_at = timing_never_was(position.cut_at, now_at) ? now_at : position.cut_at + window_s(scheduler);
	bool published = position.notified_serial == position.serial;
	if (published && now_at >= cut_from_at) {
		TRY(reconcile_and_cut(scheduler, &result, &serial, fault));
		*ret_again_ms = result.cas > 0 || serial != 0 ? 0 : RETRY_MS;
		return FAULT_NONE;
	}
	*ret_again_ms = now_at < cut_from_at ? ms_until(scheduler, cut_from_at) : LOOK_MS;
	if (changed > BACKLOG) {
		TRY(work_ahead(scheduler, clock_monotonic_ms() + *ret_again_ms, fault));
		*ret_again_ms = RETRY_MS;
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
	scheduler->cut_made = cut_made;
	scheduler->argument = argument;
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
	return FAULT_NONE;
}

void
scheduler_wake(void *scheduler)
{
	alarm_wake(&((struct scheduler *)scheduler)->alarm);
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
	free(scheduler);
}
