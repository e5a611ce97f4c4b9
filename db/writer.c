#include "db/writer.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>

#include "ca/base/clock.h"
#include "ca/base/memory.h"
#include "ca/base/metrics.h"

/* A change that waits, on its caller's stack. */
struct waiting {
	db_change change;
	void *argument;
	struct fault *fault;
	enum fault_code code;
	bool answered;
	pthread_cond_t answer;
	struct waiting *next;
};

struct queue {
	struct waiting *first, **last;
};

struct writer {
	struct db_connection *connection;
	struct checkpoint *checkpoint;
	pthread_t thread;
	int log_pages;            /* in the write-ahead log, as of the last commit */
	_Atomic int64_t commit_us;
	pthread_mutex_t mutex;    /* over what follows */
	pthread_cond_t arrived;
	pthread_cond_t left;
	struct queue queues[WRITER_KINDS];
	int passed_over;          /* so many groups went before bulk that waits */
	size_t callers;           /* inside writer_write() */
	bool stopping;
};

struct group {
	enum writer_kind kind;
	struct waiting *changes[WRITER_GROUP_MAX];
	size_t count;
	size_t run;               /* how many of them had their turn; the others go into the next group */
	size_t kept;              /* how many of these succeeded */
};

static int
note_log(void *argument, struct sqlite3 *sqlite, const char *schema, int pages)
{
	struct writer *writer = argument;
	(void)sqlite;
	(void)schema;
	writer->log_pages = pages;
	return SQLITE_OK;
}

/* A failed change is undone alone. FAULT_NONE unless the transaction is lost with all that is in it. */
static enum fault_code
run_change(struct writer *writer, struct waiting *waiting, struct fault *fault)
{
	struct db_connection *connection = writer->connection;
	struct fault own = FAULT_INIT;
	TRY(connection_order(connection, ORDER_SAVE, fault));
	waiting->code = waiting->change(connection, waiting->argument, &own);
	INVARIANT(connection->stmts_in_use == 0); /* a change gives back its statements */
	if (waiting->code != FAULT_NONE && waiting->fault != NULL)
		*waiting->fault = own;
	/* A full disk or want of memory in the middle of a statement ends the whole transaction. */
	if (!connection_in_transaction(connection))
		return fault_set(fault, waiting->code != FAULT_NONE ? waiting->code : FAULT_DATABASE,
			"the transaction was given up: %.400s", own.message);
	if (waiting->code != FAULT_NONE)
		TRY(connection_order(connection, ORDER_UNDO, fault));
	return connection_order(connection, ORDER_KEEP, fault);
}

/* Those who had their turn are not kept waiting for their answer by many more: after a while the others make up the next group. */
static enum fault_code
run_changes(struct writer *writer, struct group *group, struct fault *fault)
{
	int64_t until_us = clock_monotonic_us() + WRITER_GROUP_US;
	TRY(connection_order(writer->connection, ORDER_BEGIN_WRITE, fault));
	while (group->run < group->count && (group->run == 0 || clock_monotonic_us() < until_us)) {
		struct waiting *waiting = group->changes[group->run++];
		TRY(run_change(writer, waiting, fault));
		group->kept += waiting->code == FAULT_NONE;
	}
	return FAULT_NONE;
}

static enum fault_code
commit(struct writer *writer, const struct group *group, struct fault *fault)
{
	if (group->kept == 0)
		return FAULT_NONE; /* nothing to keep: the caller abandons the transaction */
	int64_t begun_us = clock_monotonic_us();
	TRY(connection_order(writer->connection, ORDER_COMMIT, fault));
	atomic_store(&writer->commit_us, clock_monotonic_us() - begun_us);
	metrics_add(METRIC_TRANSACTIONS, 1);
	metrics_add(METRIC_CHANGES, (int64_t)group->kept);
	return FAULT_NONE;
}

/* What the transaction failed with becomes the fault of every change in it that had none of its own. */
static void
fail_group(struct group *group, const struct fault *fault)
{
	if (group->run == 0)
		group->run = group->count;
	for (size_t i = 0; i < group->run; i++) {
		struct waiting *waiting = group->changes[i];
		if (waiting->code != FAULT_NONE)
			continue;
		waiting->code = fault->code;
		if (waiting->fault != NULL)
			*waiting->fault = *fault;
	}
}

static void
run_group(struct writer *writer, struct group *group)
{
	struct fault fault = FAULT_INIT;
	writer->log_pages = 0;
	checkpoint_hold(writer->checkpoint);
	enum fault_code code = run_changes(writer, group, &fault);
	if (code == FAULT_NONE)
		code = commit(writer, group, &fault);
	connection_abandon(writer->connection);
	checkpoint_release(writer->checkpoint, writer->log_pages);
	if (code != FAULT_NONE)
		fail_group(group, &fault);
}

static bool
queue_is_empty(const struct queue *queue)
{
	return queue->first == NULL;
}

static void
queue_append(struct queue *queue, struct waiting *waiting)
{
	*queue->last = waiting;
	queue->last = &waiting->next;
}

static void
queue_prepend(struct queue *queue, struct waiting *waiting)
{
	waiting->next = queue->first;
	if (queue->first == NULL)
		queue->last = &waiting->next;
	queue->first = waiting;
}

/* Not from an empty one. */
static struct waiting *
queue_take(struct queue *queue)
{
	struct waiting *waiting = queue->first;
	queue->first = waiting->next;
	if (queue->first == NULL)
		queue->last = &queue->first;
	return waiting;
}

/* With the mutex held. */
static bool
nothing_waits(const struct writer *writer)
{
	return queue_is_empty(&writer->queues[WRITER_CHANGE]) && queue_is_empty(&writer->queues[WRITER_BULK]);
}

/* With the mutex held. Bulk goes when nothing else waits, or when others have gone before it often enough. */
static enum writer_kind
whose_turn(struct writer *writer)
{
	bool bulk_waits = !queue_is_empty(&writer->queues[WRITER_BULK]);
	bool bulk = bulk_waits && (queue_is_empty(&writer->queues[WRITER_CHANGE]) || writer->passed_over >= WRITER_PATIENCE);
	writer->passed_over = bulk_waits && !bulk ? writer->passed_over + 1 : 0;
	return bulk ? WRITER_BULK : WRITER_CHANGE;
}

/* With the mutex held. */
static void
take_group(struct writer *writer, struct group *group)
{
	*group = (struct group){ .kind = whose_turn(writer) };
	struct queue *queue = &writer->queues[group->kind];
	size_t most = group->kind == WRITER_BULK ? 1 : WRITER_GROUP_MAX;
	while (!queue_is_empty(queue) && group->count < most)
		group->changes[group->count++] = queue_take(queue);
}

/* With the mutex held. What had no turn goes back to the head of the queue. */
static void
answer_group(struct writer *writer, struct group *group)
{
	for (size_t i = group->count; i-- > group->run;)
		queue_prepend(&writer->queues[group->kind], group->changes[i]);
	for (size_t i = 0; i < group->run; i++) {
		group->changes[i]->answered = true;
		pthread_cond_signal(&group->changes[i]->answer);
	}
}

static void *
run(void *argument)
{
	struct writer *writer = argument;
	struct group group;
	pthread_mutex_lock(&writer->mutex);
	for (;;) {
		while (nothing_waits(writer) && !writer->stopping)
			pthread_cond_wait(&writer->arrived, &writer->mutex);
		if (nothing_waits(writer))
			break;
		take_group(writer, &group);
		pthread_mutex_unlock(&writer->mutex);
		run_group(writer, &group);
		pthread_mutex_lock(&writer->mutex);
		answer_group(writer, &group);
	}
	pthread_mutex_unlock(&writer->mutex);
	return NULL;
}

enum fault_code
writer_start(struct db_connection *connection, struct checkpoint *checkpoint, struct writer **ret_writer, struct fault *fault)
{
	AUTO(struct writer, free) writer = NULL;
	TRY(memory_new(1, sizeof *writer, &writer, fault));
	writer->connection = connection;
	writer->checkpoint = checkpoint;
	for (size_t kind = 0; kind < WRITER_KINDS; kind++)
		writer->queues[kind].last = &writer->queues[kind].first;
	INVARIANT(pthread_mutex_init(&writer->mutex, NULL) == 0);
	INVARIANT(pthread_cond_init(&writer->arrived, NULL) == 0);
	INVARIANT(pthread_cond_init(&writer->left, NULL) == 0);
	(void)sqlite3_wal_hook(connection->sqlite, note_log, writer);
	if (pthread_create(&writer->thread, NULL, run, writer) != 0)
		return fault_set(fault, FAULT_MEMORY, "no thread for writing to the database can be started");
	(void)pthread_setname_np(writer->thread, "db-writer");
	*ret_writer = MOVE(writer);
	return FAULT_NONE;
}

void
writer_stop(struct writer *writer)
{
	if (writer == NULL)
		return;
	pthread_mutex_lock(&writer->mutex);
	writer->stopping = true;
	pthread_cond_signal(&writer->arrived);
	while (writer->callers > 0)
		pthread_cond_wait(&writer->left, &writer->mutex);
	pthread_mutex_unlock(&writer->mutex);
	INVARIANT(pthread_join(writer->thread, NULL) == 0);
	(void)sqlite3_wal_hook(writer->connection->sqlite, NULL, NULL);
	(void)pthread_cond_destroy(&writer->left);
	(void)pthread_cond_destroy(&writer->arrived);
	(void)pthread_mutex_destroy(&writer->mutex);
	free(writer);
}

/* With the mutex held: puts a change into the queue and waits for its answer. */
static void
wait_for_answer(struct writer *writer, enum writer_kind kind, struct waiting *waiting)
{
	writer->callers++;
	queue_append(&writer->queues[kind], waiting);
	pthread_cond_signal(&writer->arrived);
	while (!waiting->answered)
		pthread_cond_wait(&waiting->answer, &writer->mutex);
	writer->callers--;
	if (writer->callers == 0 && writer->stopping)
		pthread_cond_signal(&writer->left);
}

enum fault_code
writer_write(struct writer *writer, enum writer_kind kind, db_change change, void *argument, struct fault *fault)
{
	INVARIANT(!pthread_equal(pthread_self(), writer->thread)); /* it would wait for itself */
	struct waiting waiting = { .change = change, .argument = argument, .fault = fault };
	INVARIANT(pthread_cond_init(&waiting.answer, NULL) == 0);
	pthread_mutex_lock(&writer->mutex);
	if (writer->stopping)
		waiting.code = fault_set(fault, FAULT_BUSY, "the database is being closed");
	else
		wait_for_answer(writer, kind, &waiting);
	pthread_mutex_unlock(&writer->mutex);
	(void)pthread_cond_destroy(&waiting.answer);
	return waiting.code;
}

int64_t
writer_commit_us(const struct writer *writer)
{
	return atomic_load(&writer->commit_us);
}
