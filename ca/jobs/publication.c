#include "ca/jobs/publication.h"

#include <pthread.h>
#include <stdlib.h>

#include "ca/base/log.h"
#include "ca/base/memory.h"
#include "ca/base/metrics.h"
#include "ca/base/alarm.h"
#include "ca/base/priority.h"
#include "ca/jobs/cut.h"
#include "ca/plan/timing.h"

#define RETRY_MS 1000
#define RETIRE_EVERY_S 60
#define LOOK_MS (60 * 1000)

struct publication {
	struct db *db;
	const struct clock *clock;
	struct publication_settings settings;
	struct publication_operations operations;
	struct alarm alarm, compress_alarm;
	pthread_t thread, compress_thread;
	bool started, compress_started;
	int64_t verified_ms, retired_ms;     /* monotonic; 0: not yet */
	int64_t rsync_busy_ms;               /* monotonic: when no tree was free; 0: one was */
	pthread_mutex_t mutex;               /* guards trouble */
	struct fault trouble;
};

/* Until the next tree; 0 or less: now. A last one that lies ahead is of a clock that was wrong. */
static int64_t
rsync_due_s(const struct publication *publication, const struct cut_position *position)
{
	int64_t now_at = clock_now(publication->clock);
	return timing_never_was(position->rsync_at, now_at) ? 0 : position->rsync_at + publication->settings.rsync_interval_s - now_at;
}

/* Trees become free in minutes or hours, and to see whether a new one may be made costs something too. */
static int64_t
rsync_busy_left_ms(const struct publication *publication)
{
	if (publication->rsync_busy_ms == 0)
		return 0;
	return publication->rsync_busy_ms + LOOK_MS - clock_monotonic_ms();
}

static bool
rsync_due(const struct publication *publication, const struct cut_position *position)
{
	return position->rsync_serial < position->notified_serial && rsync_due_s(publication, position) <= 0 &&
		rsync_busy_left_ms(publication) <= 0;
}

static enum fault_code
publish(struct publication *publication, struct fault *fault)
{
	struct cut_position position;
	int64_t serial;
	TRY(cut_look(publication->db, &position, fault));
	if (position.serial == position.notified_serial)
		return FAULT_NONE;
	int64_t began_ms = clock_monotonic_ms();
	TRY(publication->operations.publish(publication->operations.self, &serial, fault));
	publication->operations.published(publication->operations.self, clock_monotonic_ms() - began_ms);
	alarm_wake(&publication->compress_alarm);
	return FAULT_NONE;
}

/* No tree may be free yet (all are in their grace time): then it waits. */
static enum fault_code
rsync(struct publication *publication, struct fault *fault)
{
	struct cut_position position;
	int64_t serial;
	TRY(cut_look(publication->db, &position, fault));
	if (!rsync_due(publication, &position))
		return FAULT_NONE;
	enum fault_code code = publication->operations.rsync(publication->operations.self, &serial, fault);
	publication->rsync_busy_ms = code == FAULT_BUSY ? clock_monotonic_ms() : 0;
	if (code != FAULT_BUSY)
		return code;
	fault_clear(fault);
	return FAULT_NONE;
}

static bool
time_has_come(int64_t *last_ms, int64_t interval_s)
{
	int64_t now_ms = clock_monotonic_ms();
	if (*last_ms != 0 && now_ms < *last_ms + interval_s * 1000)
		return false;
	*last_ms = now_ms;
	return true;
}

static enum fault_code
verify(struct publication *publication, struct fault *fault)
{
	int64_t repaired;
	if (!time_has_come(&publication->verified_ms, publication->settings.verify_interval_s))
		return FAULT_NONE;
	TRY(publication->operations.verify(publication->operations.self, &repaired, fault));
	if (repaired > 0)
		log_write(LOG_WARNING, "%lld published files were missing or damaged and were written again", (long long)repaired);
	alarm_wake(&publication->compress_alarm);
	return FAULT_NONE;
}

static enum fault_code
retire(struct publication *publication, struct fault *fault)
{
	if (!time_has_come(&publication->retired_ms, RETIRE_EVERY_S))
		return FAULT_NONE;
	return publication->operations.retire(publication->operations.self, fault);
}

/* What one part fails with keeps no other from its work. The first fault is the one that is told. */
static void
attempt(struct publication *publication, enum fault_code (*part)(struct publication *publication, struct fault *fault), struct fault *first)
{
	struct fault own = FAULT_INIT;
	if (publication->alarm.stop)
		return;
	if (part(publication, &own) != FAULT_NONE && first->code == FAULT_NONE)
		*first = own;
}

static void
step(struct publication *publication, struct fault *first)
{
	attempt(publication, publish, first);
	bool published = first->code == FAULT_NONE;
	attempt(publication, rsync, first);
	/* A check of all files may take a while: a cut that waits comes first, and one that comes meanwhile passes it. */
	if (published)
		attempt(publication, verify, first);
	/* Where a disk is full this is what makes room, so it waits for nothing. */
	attempt(publication, retire, first);
}

static void
remember(struct publication *publication, const struct fault *trouble)
{
	pthread_mutex_lock(&publication->mutex);
	bool new_trouble = trouble->code != FAULT_NONE && trouble->code != publication->trouble.code;
	bool over = trouble->code == FAULT_NONE && publication->trouble.code != FAULT_NONE;
	publication->trouble = *trouble;
	pthread_mutex_unlock(&publication->mutex);
	if (trouble->code != FAULT_NONE)
		metrics_add(METRIC_PUBLICATION_FAILURES, 1);
	if (new_trouble)
		log_fault(LOG_ERROR, trouble, "publishing");
	if (over)
		log_write(LOG_INFO, "publishing goes on");
}

enum fault_code
publication_pass(void *self, struct fault *fault)
{
	struct publication *publication = self;
	struct fault own = FAULT_INIT;
	if (publication->alarm.stop)
		return fault_set(fault, FAULT_BUSY, "the publication is to stop");
	if (publish(publication, &own) != FAULT_NONE)
		remember(publication, &own);
	return FAULT_NONE;
}

static int64_t
wait_ms(struct publication *publication, bool trouble)
{
	struct cut_position position;
	if (trouble || cut_look(publication->db, &position, NULL) != FAULT_NONE)
		return RETRY_MS;
	if (position.rsync_serial >= position.notified_serial)
		return LOOK_MS;
	int64_t due_ms = rsync_due_s(publication, &position) * 1000, busy_ms = rsync_busy_left_ms(publication);
	int64_t left_ms = due_ms > busy_ms ? due_ms : busy_ms;
	return left_ms <= 0 ? RETRY_MS : left_ms < LOOK_MS ? left_ms : LOOK_MS;
}

static void *
run(void *argument)
{
	struct publication *publication = argument;
	int64_t next_ms = 1;
	while (alarm_wait(&publication->alarm, next_ms)) {
		struct fault fault = FAULT_INIT;
		step(publication, &fault);
		if (publication->alarm.stop)
			break;
		remember(publication, &fault);
		next_ms = wait_ms(publication, fault.code != FAULT_NONE);
	}
	return NULL;
}

static void *
run_compress(void *argument)
{
	struct publication *publication = argument;
	priority_step_back();
	while (alarm_wait(&publication->compress_alarm, LOOK_MS)) {
		struct fault fault = FAULT_INIT;
		struct publication_operations *operations = &publication->operations;
		if (operations->compress(operations->self, &publication->compress_alarm.stop, &fault) != FAULT_NONE)
			log_fault(LOG_WARNING, &fault, "compressing");
	}
	return NULL;
}

enum fault_code
publication_new(struct db *db, const struct clock *clock, const struct publication_settings *settings,
	const struct publication_operations *operations, struct publication **ret_publication, struct fault *fault)
{
	struct publication *publication;
	TRY(memory_new(1, sizeof *publication, &publication, fault));
	publication->db = db;
	publication->clock = clock;
	publication->settings = *settings;
	publication->operations = *operations;
	alarm_init(&publication->alarm);
	alarm_init(&publication->compress_alarm);
	pthread_mutex_init(&publication->mutex, NULL);
	*ret_publication = publication;
	return FAULT_NONE;
}

enum fault_code
publication_start(struct publication *publication, struct fault *fault)
{
	int error = pthread_create(&publication->thread, NULL, run, publication);
	publication->started = error == 0;
	if (error == 0)
		error = pthread_create(&publication->compress_thread, NULL, run_compress, publication);
	publication->compress_started = error == 0;
	if (error != 0)
		return fault_set_errno(fault, error, "starting the publication's threads");
	(void)pthread_setname_np(publication->thread, "publication");
	(void)pthread_setname_np(publication->compress_thread, "compress");
	return FAULT_NONE;
}

void
publication_wake(void *publication)
{
	alarm_wake(&((struct publication *)publication)->alarm);
}

enum fault_code
publication_trouble(struct publication *publication, struct fault *ret_fault)
{
	pthread_mutex_lock(&publication->mutex);
	*ret_fault = publication->trouble;
	pthread_mutex_unlock(&publication->mutex);
	return ret_fault->code;
}

void
publication_stop(struct publication *publication)
{
	if (publication == NULL)
		return;
	alarm_stop(&publication->alarm);
	alarm_stop(&publication->compress_alarm);
	if (publication->started)
		pthread_join(publication->thread, NULL);
	if (publication->compress_started)
		pthread_join(publication->compress_thread, NULL);
	publication->started = publication->compress_started = false;
}

void
publication_free(struct publication *publication)
{
	if (publication == NULL)
		return;
	publication_stop(publication);
	alarm_clear(&publication->alarm);
	alarm_clear(&publication->compress_alarm);
	pthread_mutex_destroy(&publication->mutex);
	free(publication);
}
