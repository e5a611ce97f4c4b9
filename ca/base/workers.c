#include "ca/base/workers.h"

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>

#include "ca/base/memory.h"

struct queued_job {
	void (*run)(void *argument);
	void *argument;
};

struct worker {
	struct workers *workers;
	size_t number;
	pthread_t thread;
};

/* The loop that workers_each() runs: indexes below `next` are taken, of which `running` are still at work. */
struct loop {
	void (*run)(void *argument, size_t index, size_t worker);
	void *argument;
	size_t count, next, running;
};

struct workers {
	pthread_mutex_t lock;           /* guards all below but the list of threads, which never changes */
	pthread_cond_t work;            /* there is a job, a loop, or the end */
	pthread_cond_t loop_over;       /* the loop's last index is done, and another loop may start */
	struct queued_job *queue;       /* a ring */
	size_t queue_limit, queue_first, queue_count;
	struct loop *loop;              /* NULL when there is none */
	bool stopping;
	size_t count;
	struct worker *threads;
};

static bool
loop_has_work(const struct workers *workers)
{
	return workers->loop != NULL && workers->loop->next < workers->loop->count;
}

/* Runs one index of the loop. Called with the lock held, which it gives up while the job runs. */
static void
run_loop_index(struct workers *workers, size_t worker)
{
	struct loop *loop = workers->loop;
	size_t index = loop->next++;
	loop->running++;
	(void)pthread_mutex_unlock(&workers->lock);
	loop->run(loop->argument, index, worker);
	(void)pthread_mutex_lock(&workers->lock);
	if (--loop->running == 0 && loop->next == loop->count)
		(void)pthread_cond_broadcast(&workers->loop_over);
}

/* Likewise for the first job of the queue. */
static void
run_queued_job(struct workers *workers)
{
	struct queued_job job = workers->queue[workers->queue_first];
	workers->queue_first = (workers->queue_first + 1) % workers->queue_limit;
	workers->queue_count--;
	(void)pthread_mutex_unlock(&workers->lock);
	job.run(job.argument);
	(void)pthread_mutex_lock(&workers->lock);
}

/* A thread's life. Somebody waits for a loop, so its indexes go before queued jobs. */
static void *
work(void *argument)
{
	struct worker *worker = argument;
	struct workers *workers = worker->workers;
	(void)pthread_mutex_lock(&workers->lock);
	for (;;) {
		if (loop_has_work(workers))
			run_loop_index(workers, worker->number);
		else if (workers->queue_count > 0)
			run_queued_job(workers);
		else if (workers->stopping)
			break;
		else
			(void)pthread_cond_wait(&workers->work, &workers->lock);
	}
	(void)pthread_mutex_unlock(&workers->lock);
	return NULL;
}

/* Signals are the main thread's to take: the threads start with all of them blocked. */
static enum fault_code
start_threads(struct workers *workers, const char *name, size_t count, struct fault *fault)
{
	sigset_t all, before;
	int error = 0;
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_BLOCK, &all, &before);
	while (error == 0 && workers->count < count) {
		struct worker *worker = &workers->threads[workers->count];
		*worker = (struct worker){ .workers = workers, .number = workers->count };
		error = pthread_create(&worker->thread, NULL, work, worker);
		if (error == 0) {
			(void)pthread_setname_np(worker->thread, name);
			workers->count++;
		}
	}
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (error != 0)
		return fault_set(fault, FAULT_MEMORY, "can't start thread %zu of %zu: %s", workers->count + 1, count,
			strerror(error));
	return FAULT_NONE;
}

enum fault_code
workers_new(const char *name, size_t count, size_t queue_limit, struct workers **ret_workers, struct fault *fault)
{
	INVARIANT(count > 0 && queue_limit > 0 && strlen(name) <= 15);
	AUTO(struct workers, workers_free) workers = NULL;
	TRY(memory_new(1, sizeof *workers, &workers, fault));
	INVARIANT(pthread_mutex_init(&workers->lock, NULL) == 0);
	INVARIANT(pthread_cond_init(&workers->work, NULL) == 0);
	INVARIANT(pthread_cond_init(&workers->loop_over, NULL) == 0);
	workers->queue_limit = queue_limit;
	TRY(memory_new(queue_limit, sizeof *workers->queue, &workers->queue, fault));
	TRY(memory_new(count, sizeof *workers->threads, &workers->threads, fault));
	TRY(start_threads(workers, name, count, fault));
	*ret_workers = MOVE(workers);
	return FAULT_NONE;
}

static enum fault_code
enqueue(struct workers *workers, struct queued_job job, struct fault *fault)
{
	if (workers->stopping)
		return fault_set(fault, FAULT_BUSY, "the server is stopping");
	if (workers->queue_count == workers->queue_limit)
		return fault_set(fault, FAULT_BUSY, "%zu jobs wait already", workers->queue_count);
	workers->queue[(workers->queue_first + workers->queue_count++) % workers->queue_limit] = job;
	(void)pthread_cond_signal(&workers->work);
	return FAULT_NONE;
}

enum fault_code
workers_submit(struct workers *workers, void (*job)(void *argument), void *argument, struct fault *fault)
{
	(void)pthread_mutex_lock(&workers->lock);
	enum fault_code code = enqueue(workers, (struct queued_job){ job, argument }, fault);
	(void)pthread_mutex_unlock(&workers->lock);
	return code;
}

static bool
called_from_own_thread(const struct workers *workers)
{
	for (size_t i = 0; i < workers->count; i++)
		if (pthread_equal(pthread_self(), workers->threads[i].thread))
			return true;
	return false;
}

void
workers_each(struct workers *workers, size_t count, void (*job)(void *argument, size_t index, size_t worker), void *argument)
{
	INVARIANT(!called_from_own_thread(workers)); /* it would wait for itself */
	if (count == 0)
		return;
	struct loop loop = { .run = job, .argument = argument, .count = count };
	(void)pthread_mutex_lock(&workers->lock);
	while (workers->loop != NULL)
		(void)pthread_cond_wait(&workers->loop_over, &workers->lock);
	workers->loop = &loop;
	(void)pthread_cond_broadcast(&workers->work);
	while (loop.next < loop.count || loop.running > 0)
		(void)pthread_cond_wait(&workers->loop_over, &workers->lock);
	workers->loop = NULL;
	(void)pthread_cond_broadcast(&workers->loop_over); /* a caller may be waiting for its turn */
	(void)pthread_mutex_unlock(&workers->lock);
}

size_t
workers_count(const struct workers *workers)
{
	return workers->count;
}

void
workers_free(struct workers *workers)
{
	if (workers == NULL)
		return;
	(void)pthread_mutex_lock(&workers->lock);
	workers->stopping = true;
	(void)pthread_cond_broadcast(&workers->work);
	(void)pthread_mutex_unlock(&workers->lock);
	for (size_t i = 0; i < workers->count; i++)
		(void)pthread_join(workers->threads[i].thread, NULL);
	(void)pthread_cond_destroy(&workers->loop_over);
	(void)pthread_cond_destroy(&workers->work);
	(void)pthread_mutex_destroy(&workers->lock);
	free(workers->threads);
	free(workers->queue);
	free(workers);
}
