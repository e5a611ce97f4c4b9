#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ca/base/workers.h"

#define INDEXES 5000

struct loop_record {
	size_t workers;
	unsigned char seen[INDEXES]; /* each element is written by one thread alone */
	int bad;
};

static void
record_index(void *argument, size_t index, size_t worker)
{
	struct loop_record *record = argument;
	if (index >= INDEXES || worker >= record->workers)
		__atomic_store_n(&record->bad, 1, __ATOMIC_RELAXED);
	else
		record->seen[index]++;
}

static void
count(void *argument)
{
	(void)__atomic_add_fetch((int *)argument, 1, __ATOMIC_RELAXED);
}

static void
wait_for(void *argument)
{
	while (sem_wait(argument) != 0)
		continue;
}

static void
workers__each_calls_every_index_once(void **state)
{
	(void)state;
	static const size_t counts[] = { 1, 2, 5 };
	for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
		AUTO(struct workers, workers_free) workers = NULL;
		assert_int_equal(workers_new("test", counts[i], 1, &workers, NULL), FAULT_NONE);
		assert_int_equal(workers_count(workers), counts[i]);
		static const size_t lengths[] = { 0, 1, 2, 7, INDEXES };
		for (size_t j = 0; j < sizeof lengths / sizeof *lengths; j++) {
			struct loop_record record = { .workers = counts[i] };
			workers_each(workers, lengths[j], record_index, &record);
			assert_int_equal(record.bad, 0);
			for (size_t index = 0; index < INDEXES; index++)
				assert_int_equal(record.seen[index], index < lengths[j]);
		}
	}
}

static void
workers__free_lets_queued_jobs_end(void **state)
{
	(void)state;
	struct workers *workers = NULL;
	int done = 0;
	assert_int_equal(workers_new("test", 3, 1000, &workers, NULL), FAULT_NONE);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(workers_submit(workers, count, &done, NULL), FAULT_NONE);
	workers_free(workers);
	assert_int_equal(done, 1000);
	workers_free(NULL);
}

static void
workers__a_full_queue_is_busy(void **state)
{
	(void)state;
	AUTO(struct workers, workers_free) workers = NULL;
	struct fault fault = FAULT_INIT;
	sem_t gate;
	int done = 0, taken = 0;
	assert_int_equal(sem_init(&gate, 0, 0), 0);
	assert_int_equal(workers_new("test", 1, 3, &workers, NULL), FAULT_NONE);
	assert_int_equal(workers_submit(workers, wait_for, &gate, NULL), FAULT_NONE);
	/* Three wait, or four when the thread has taken the first already. */
	while (workers_submit(workers, count, &done, &fault) == FAULT_NONE)
		taken++;
	assert_int_equal(fault.code, FAULT_BUSY);
	assert_in_range(taken, 2, 3);
	assert_int_equal(sem_post(&gate), 0);
	workers_free(MOVE(workers));
	assert_int_equal(done, taken);
	(void)sem_destroy(&gate);
}

struct gate_opener {
	sem_t gate;
	int done;
};

static void
open_gate(void *argument, size_t index, size_t worker)
{
	struct gate_opener *opener = argument;
	(void)worker;
	if (index == 9)
		(void)sem_post(&opener->gate);
	(void)__atomic_add_fetch(&opener->done, 1, __ATOMIC_RELAXED);
}

/* One of two threads is held by a job that only the loop's last index lets go: the loop must not wait for it. */
static void
workers__each_does_not_need_every_thread(void **state)
{
	(void)state;
	AUTO(struct workers, workers_free) workers = NULL;
	struct gate_opener opener = { .done = 0 };
	assert_int_equal(sem_init(&opener.gate, 0, 0), 0);
	assert_int_equal(workers_new("test", 2, 10, &workers, NULL), FAULT_NONE);
	assert_int_equal(workers_submit(workers, wait_for, &opener.gate, NULL), FAULT_NONE);
	workers_each(workers, 10, open_gate, &opener);
	assert_int_equal(opener.done, 10);
	workers_free(MOVE(workers));
	(void)sem_destroy(&opener.gate);
}

struct order {
	struct workers *workers;
	size_t indexes_done, done_before_job;
	enum fault_code submitted;
};

static void
note_order(void *argument)
{
	struct order *order = argument;
	order->done_before_job = order->indexes_done;
}

static void
submit_from_first_index(void *argument, size_t index, size_t worker)
{
	struct order *order = argument;
	(void)worker;
	if (index == 0)
		order->submitted = workers_submit(order->workers, note_order, order, NULL);
	order->indexes_done++;
}

/* The only thread finds a job in the queue when it has done the first index. */
static void
workers__each_goes_before_queued_jobs(void **state)
{
	(void)state;
	struct workers *workers = NULL;
	assert_int_equal(workers_new("test", 1, 1, &workers, NULL), FAULT_NONE);
	struct order order = { .workers = workers };
	workers_each(workers, 100, submit_from_first_index, &order);
	workers_free(workers);
	assert_int_equal(order.submitted, FAULT_NONE);
	assert_int_equal(order.done_before_job, 100);
}

static void
workers__each_and_queued_jobs_share_the_threads(void **state)
{
	(void)state;
	AUTO(struct workers, workers_free) workers = NULL;
	struct loop_record record = { .workers = 2 };
	int done = 0;
	assert_int_equal(workers_new("test", 2, 500, &workers, NULL), FAULT_NONE);
	for (int i = 0; i < 500; i++)
		assert_int_equal(workers_submit(workers, count, &done, NULL), FAULT_NONE);
	workers_each(workers, INDEXES, record_index, &record);
	assert_int_equal(record.bad, 0);
	for (size_t index = 0; index < INDEXES; index++)
		assert_int_equal(record.seen[index], 1);
	workers_free(MOVE(workers));
	assert_int_equal(done, 500);
}

static void *
loop_often(void *argument)
{
	struct workers *workers = argument;
	for (int i = 0; i < 50; i++) {
		struct loop_record record = { .workers = workers_count(workers) };
		workers_each(workers, 100, record_index, &record);
		for (size_t index = 0; index < 100; index++)
			if (record.seen[index] != 1 || record.bad != 0)
				return argument;
	}
	return NULL;
}

static void
workers__loops_of_several_threads_take_turns(void **state)
{
	(void)state;
	AUTO(struct workers, workers_free) workers = NULL;
	pthread_t threads[3];
	assert_int_equal(workers_new("test", 2, 1, &workers, NULL), FAULT_NONE);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, loop_often, workers), 0);
	for (size_t i = 0; i < 3; i++) {
		void *bad = workers;
		assert_int_equal(pthread_join(threads[i], &bad), 0);
		assert_null(bad);
	}
}

struct chain {
	struct workers *workers;
	int left, refused;
};

/* Hands the next link over from within a job. */
static void
run_link(void *argument)
{
	struct chain *chain = argument;
	if (--chain->left > 0 && workers_submit(chain->workers, run_link, chain, NULL) != FAULT_NONE)
		chain->refused++;
}

static void
workers__jobs_may_submit_jobs(void **state)
{
	(void)state;
	AUTO(struct workers, workers_free) workers = NULL;
	sem_t gate;
	assert_int_equal(sem_init(&gate, 0, 0), 0);
	assert_int_equal(workers_new("test", 1, 2, &workers, NULL), FAULT_NONE);
	struct chain chain = { .workers = workers, .left = 1 };
	assert_int_equal(workers_submit(workers, wait_for, &gate, NULL), FAULT_NONE);
	assert_int_equal(workers_submit(workers, run_link, &chain, NULL), FAULT_NONE);
	assert_int_equal(sem_post(&gate), 0);
	workers_free(MOVE(workers));
	assert_int_equal(chain.left, 0);
	assert_int_equal(chain.refused, 0);
	(void)sem_destroy(&gate);
}

struct eager {
	struct workers *workers;
	int accepted, done;
};

static void
submit_until_stopping(void *argument)
{
	struct eager *eager = argument;
	struct fault fault = FAULT_INIT;
	do {
		fault_clear(&fault);
		eager->accepted += workers_submit(eager->workers, count, &eager->done, &fault) == FAULT_NONE;
		(void)sched_yield();
	} while (strstr(fault.message, "stopping") == NULL);
}

static void
workers__stopping_workers_refuse_jobs(void **state)
{
	(void)state;
	struct workers *workers = NULL;
	assert_int_equal(workers_new("test", 1, 1, &workers, NULL), FAULT_NONE);
	struct eager eager = { .workers = workers };
	assert_int_equal(workers_submit(workers, submit_until_stopping, &eager, NULL), FAULT_NONE);
	workers_free(workers);
	assert_in_range(eager.accepted, 0, 1);
	assert_int_equal(eager.done, eager.accepted);
}

struct thread_facts {
	char name[16];
	int term_blocked;
};

static void
note_thread(void *argument)
{
	struct thread_facts *facts = argument;
	sigset_t blocked;
	(void)pthread_getname_np(pthread_self(), facts->name, sizeof facts->name);
	(void)pthread_sigmask(SIG_BLOCK, NULL, &blocked);
	facts->term_blocked = sigismember(&blocked, SIGTERM);
}

static void
workers__threads_are_named_and_take_no_signals(void **state)
{
	(void)state;
	struct workers *workers = NULL;
	struct thread_facts facts = { .name = "" };
	sigset_t blocked;
	assert_int_equal(workers_new("fifteen-letters", 1, 1, &workers, NULL), FAULT_NONE);
	assert_int_equal(workers_submit(workers, note_thread, &facts, NULL), FAULT_NONE);
	workers_free(workers);
	assert_string_equal(facts.name, "fifteen-letters");
	assert_int_equal(facts.term_blocked, 1);
	(void)pthread_sigmask(SIG_BLOCK, NULL, &blocked);
	assert_int_equal(sigismember(&blocked, SIGTERM), 0);
}

static void
loop_from_within(void *argument)
{
	workers_each(argument, 1, NULL, NULL);
}

static void
deadlock_on_purpose(void)
{
	const struct rlimit no_core = { 0, 0 };
	struct workers *workers = NULL;
	(void)setrlimit(RLIMIT_CORE, &no_core);
	(void)signal(SIGABRT, SIG_DFL);
	(void)dup2(open("/dev/null", O_WRONLY), STDERR_FILENO);
	if (workers_new("test", 1, 1, &workers, NULL) == FAULT_NONE &&
		workers_submit(workers, loop_from_within, workers, NULL) == FAULT_NONE)
		workers_free(workers);
	_exit(0);
}

static void
workers__each_from_an_own_job_aborts(void **state)
{
	(void)state;
	int status;
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0)
		deadlock_on_purpose();
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGABRT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(workers__each_calls_every_index_once),
		cmocka_unit_test(workers__free_lets_queued_jobs_end),
		cmocka_unit_test(workers__a_full_queue_is_busy),
		cmocka_unit_test(workers__each_does_not_need_every_thread),
		cmocka_unit_test(workers__each_goes_before_queued_jobs),
		cmocka_unit_test(workers__each_and_queued_jobs_share_the_threads),
		cmocka_unit_test(workers__loops_of_several_threads_take_turns),
		cmocka_unit_test(workers__jobs_may_submit_jobs),
		cmocka_unit_test(workers__stopping_workers_refuse_jobs),
		cmocka_unit_test(workers__threads_are_named_and_take_no_signals),
		cmocka_unit_test(workers__each_from_an_own_job_aborts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
