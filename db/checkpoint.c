#include "db/checkpoint.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <time.h>

#include "ca/base/clock.h"
#include "ca/base/log.h"
#include "ca/base/memory.h"

#define LOG_HEADER 32       /* bytes before the first page of a log */
#define LOG_PAGE_HEADER 24  /* bytes before each */
#define FOLDS_MAX 3         /* before the log is started over, so that little is left to do while the writer waits */
#define FOLD_REST_PAGES 256 /* little */
#define PATIENCE_MS 10      /* for readers that still need the log, doubled with each CHECKPOINT_RESTART_AT more in it */
#define PATIENCE_MAX_MS 1000
#define RETRY_MS 200        /* after readers, or a fault, left the log too long */
#define REST 10             /* after a vain try the writer has so many times as long as that took from it */

struct checkpoint {
	struct db_connection *connection;
	int64_t page_size;
	pthread_t thread;
	bool started;
	_Atomic int64_t log_size;
	int64_t restart_from_ms;   /* the thread's: the log isn't started over before */
	pthread_mutex_t mutex;     /* over what follows */
	pthread_cond_t changed;    /* for the thread */
	pthread_cond_t opened;     /* for the writer */
	int64_t committed;         /* bytes, since the log was last folded in */
	bool writing;              /* the writer is in a transaction */
	bool shut;                 /* it may not begin another: the log is being started over */
	bool stopping;
};

static int64_t
log_bytes(const struct checkpoint *checkpoint, int pages)
{
	return pages > 0 ? LOG_HEADER + pages * (LOG_PAGE_HEADER + checkpoint->page_size) : 0;
}

/* Pages that are in the log and not in the file yet; whatever stopped it (a full disk) is met by the next commit as well. */
static int
fold(struct checkpoint *checkpoint, int mode, int *ret_result)
{
	int pages = -1, folded = -1;
	*ret_result = sqlite3_wal_checkpoint_v2(checkpoint->connection->sqlite, "main", mode, &pages, &folded);
	if (*ret_result != SQLITE_OK && *ret_result != SQLITE_BUSY)
		log_write(LOG_DEBUG, "checkpoint: %s", sqlite3_errstr(*ret_result));
	if (pages < 0)
		return 0;
	atomic_store(&checkpoint->log_size, log_bytes(checkpoint, pages));
	return pages - folded;
}

/* Waits for the end of the writer's transaction; it begins no other before let_in(). A lock alone a busy writer would take again. */
static void
shut_out(struct checkpoint *checkpoint)
{
	pthread_mutex_lock(&checkpoint->mutex);
	checkpoint->shut = true;
	while (checkpoint->writing)
		pthread_cond_wait(&checkpoint->changed, &checkpoint->mutex);
	pthread_mutex_unlock(&checkpoint->mutex);
}

static void
let_in(struct checkpoint *checkpoint)
{
	pthread_mutex_lock(&checkpoint->mutex);
	checkpoint->shut = false;
	pthread_cond_signal(&checkpoint->opened);
	pthread_mutex_unlock(&checkpoint->mutex);
}

int
checkpoint_patience_ms(int64_t log_size)
{
	int patience_ms = PATIENCE_MS;
	for (int64_t times = log_size / CHECKPOINT_RESTART_AT; times > 1 && patience_ms < PATIENCE_MAX_MS; times--)
		patience_ms *= 2;
	return patience_ms < PATIENCE_MAX_MS ? patience_ms : PATIENCE_MAX_MS;
}

int64_t
checkpoint_rest_ms(int patience_ms)
{
	return REST * (int64_t)patience_ms;
}

/* The writer stands still in here: see the header for why that is short. A reader that stays, as a backup does, is not to keep it out. */
static bool
start_over(struct checkpoint *checkpoint)
{
	if (clock_monotonic_ms() < checkpoint->restart_from_ms)
		return false;
	int patience_ms = checkpoint_patience_ms(atomic_load(&checkpoint->log_size));
	shut_out(checkpoint);
	int result;
	(void)sqlite3_busy_timeout(checkpoint->connection->sqlite, patience_ms);
	(void)fold(checkpoint, SQLITE_CHECKPOINT_RESTART, &result);
	(void)sqlite3_busy_timeout(checkpoint->connection->sqlite, 0);
	if (result == SQLITE_OK)
		atomic_store(&checkpoint->log_size, 0);
	let_in(checkpoint);
	checkpoint->restart_from_ms = result == SQLITE_OK ? 0 : clock_monotonic_ms() + checkpoint_rest_ms(patience_ms);
	return result == SQLITE_OK;
}

/* False when the log is too long still. */
static bool
shorten(struct checkpoint *checkpoint)
{
	int result = SQLITE_OK;
	int rest = fold(checkpoint, SQLITE_CHECKPOINT_PASSIVE, &result);
	if (atomic_load(&checkpoint->log_size) < CHECKPOINT_RESTART_AT)
		return true;
	for (int folds = 1; folds < FOLDS_MAX && rest > FOLD_REST_PAGES; folds++)
		rest = fold(checkpoint, SQLITE_CHECKPOINT_PASSIVE, &result);
	return result == SQLITE_OK && start_over(checkpoint);
}

static struct timespec
after_ms(int64_t delay_ms)
{
	int64_t at_ms = clock_monotonic_ms() + delay_ms;
	return (struct timespec){ .tv_sec = at_ms / 1000, .tv_nsec = at_ms % 1000 * 1000000 };
}

/* With the mutex held. Until there is enough to fold in; not long if it was not possible to shorten the log. */
static void
wait_for_work(struct checkpoint *checkpoint, bool shortened)
{
	struct timespec retry_at = after_ms(RETRY_MS);
	int result = 0;
	while (!checkpoint->stopping && checkpoint->committed < CHECKPOINT_FOLD_AT && result == 0)
		result = shortened ? pthread_cond_wait(&checkpoint->changed, &checkpoint->mutex)
			: pthread_cond_timedwait(&checkpoint->changed, &checkpoint->mutex, &retry_at);
}

static void *
run(void *argument)
{
	struct checkpoint *checkpoint = argument;
	bool shortened = true;
	pthread_mutex_lock(&checkpoint->mutex);
	for (;;) {
		wait_for_work(checkpoint, shortened);
		if (checkpoint->stopping)
			break;
		checkpoint->committed = 0;
		pthread_mutex_unlock(&checkpoint->mutex);
		shortened = shorten(checkpoint);
		pthread_mutex_lock(&checkpoint->mutex);
	}
	pthread_mutex_unlock(&checkpoint->mutex);
	return NULL;
}

static void
set_up_locks(struct checkpoint *checkpoint)
{
	pthread_condattr_t monotonic;
	INVARIANT(pthread_condattr_init(&monotonic) == 0);
	INVARIANT(pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC) == 0);
	INVARIANT(pthread_cond_init(&checkpoint->changed, &monotonic) == 0);
	(void)pthread_condattr_destroy(&monotonic);
	INVARIANT(pthread_cond_init(&checkpoint->opened, NULL) == 0);
	INVARIANT(pthread_mutex_init(&checkpoint->mutex, NULL) == 0);
}

enum fault_code
checkpoint_start(const char *path, struct checkpoint **ret_checkpoint, struct fault *fault)
{
	AUTO(struct checkpoint, checkpoint_stop) checkpoint = NULL;
	TRY(memory_new(1, sizeof *checkpoint, &checkpoint, fault));
	set_up_locks(checkpoint);
	TRY(connection_open(path, &checkpoint->connection, fault));
	TRY(connection_configure(checkpoint->connection, CONNECTION_CHECKPOINTER, fault));
	TRY(connection_number(checkpoint->connection, "page_size", &checkpoint->page_size, fault));
	checkpoint->committed = CHECKPOINT_FOLD_AT; /* what an earlier process left may be as much as that */
	if (pthread_create(&checkpoint->thread, NULL, run, checkpoint) != 0)
		return fault_set(fault, FAULT_MEMORY, "no thread for checkpoints can be started");
	checkpoint->started = true;
	(void)pthread_setname_np(checkpoint->thread, "db-checkpoint");
	*ret_checkpoint = MOVE(checkpoint);
	return FAULT_NONE;
}

void
checkpoint_stop(struct checkpoint *checkpoint)
{
	if (checkpoint == NULL)
		return;
	if (checkpoint->started) {
		pthread_mutex_lock(&checkpoint->mutex);
		checkpoint->stopping = true;
		pthread_cond_signal(&checkpoint->changed);
		pthread_mutex_unlock(&checkpoint->mutex);
		INVARIANT(pthread_join(checkpoint->thread, NULL) == 0);
	}
	connection_close(checkpoint->connection);
	(void)pthread_cond_destroy(&checkpoint->changed);
	(void)pthread_cond_destroy(&checkpoint->opened);
	(void)pthread_mutex_destroy(&checkpoint->mutex);
	free(checkpoint);
}

void
checkpoint_hold(struct checkpoint *checkpoint)
{
	pthread_mutex_lock(&checkpoint->mutex);
	while (checkpoint->shut)
		pthread_cond_wait(&checkpoint->opened, &checkpoint->mutex);
	checkpoint->writing = true;
	pthread_mutex_unlock(&checkpoint->mutex);
}

void
checkpoint_release(struct checkpoint *checkpoint, int log_pages)
{
	pthread_mutex_lock(&checkpoint->mutex);
	checkpoint->writing = false;
	if (log_pages > 0) {
		int64_t now = log_bytes(checkpoint, log_pages);
		int64_t before = atomic_exchange(&checkpoint->log_size, now);
		checkpoint->committed += now > before ? now - before : now; /* a shorter one was started over */
	}
	if (checkpoint->shut || checkpoint->committed >= CHECKPOINT_FOLD_AT)
		pthread_cond_signal(&checkpoint->changed);
	pthread_mutex_unlock(&checkpoint->mutex);
}

int64_t
checkpoint_log_size(const struct checkpoint *checkpoint)
{
	return atomic_load(&checkpoint->log_size);
}
