/*
 * tick DATA [N]: one look of the scheduler at a data directory where nothing is due, in thread CPU time, the mean of N. The server must
 * not run: the directory's lock is taken. Fails when a change waits, and changes nothing. Where renewals are due, as in a directory that
 * was kept for a day, it looks at the time before the first of them.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "api/server/engine.h"
#include "ca/base/memory.h"
#include "ca/commands/tree_commands.h"
#include "ca/jobs/cut.h"
#include "ca/jobs/scheduler.h"
#include "db/data_lock.h"
#include "tests/support/measures.h"

#define TICKS 1000

static void
ignore_cut(void *argument)
{
	(void)argument;
}

static enum fault_code
find_nothing_due(struct reconcile *reconcile, struct clock *clock, struct fault *fault)
{
	struct cut_position position;
	int64_t changed, renewal_at;
	TRY(cut_look(reconcile->db, &position, fault));
	TRY(reconcile_due(reconcile, &changed, &renewal_at, fault));
	if (changed > 0 || position.waiting)
		return fault_set(fault, FAULT_BUSY, "changes wait in this data directory: let its server run until they are published");
	if (renewal_at != 0 && renewal_at <= clock_now(clock) + 60)
		clock_hand_set(clock, renewal_at - 120);
	return FAULT_NONE;
}

static enum fault_code
measure(const char *data, size_t ticks, double *ret_ms, struct fault *fault)
{
	AUTO(char, free) path = NULL;
	AUTO(struct data_lock, data_lock_free) lock = NULL;
	AUTO(struct db, db_close) db = NULL;
	AUTO(struct scheduler, scheduler_free) scheduler = NULL;
	struct tree_instance instance;
	struct clock clock;
	int64_t again_ms;
	clock_init_hand(&clock, time(NULL));
	int directory = open(data, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (directory < 0)
		return fault_set(fault, FAULT_NOT_FOUND, "there is no directory %s", data);
	TRY(data_lock_take(directory, &lock, fault));
	TRY(memory_printf(&path, fault, "%s/%s", data, ENGINE_DATABASE));
	TRY(db_open(path, false, &db, fault));
	TRY(tree_instance_get(db, &instance, fault));
	struct reconcile reconcile = { .db = db, .clock = &clock };
	struct scheduler_settings settings = { .batch_window_s = 60, .cut_objects_max = 20000 };
	TRY(scheduler_new(&reconcile, &settings, ignore_cut, NULL, &scheduler, fault));
	TRY(find_nothing_due(&reconcile, &clock, fault));
	int64_t started_ns = clock_thread_cpu_ns();
	for (size_t i = 0; i < ticks; i++)
		TRY(scheduler_step(scheduler, &again_ms, fault));
	*ret_ms = (double)(clock_thread_cpu_ns() - started_ns) / 1e6 / (double)ticks;
	(void)close(directory);
	return FAULT_NONE;
}

int
main(int argc, char **argv)
{
	struct fault fault = FAULT_INIT;
	double ms = 0;
	if (argc < 2) {
		fprintf(stderr, "usage: tick DATA [N]\n");
		return 2;
	}
	if (measure(argv[1], argc > 2 ? measures_argument(argv[2], 1000000) : TICKS, &ms, &fault) != FAULT_NONE)
		return measures_fail(&fault);
	measures_print("tick_ms", ms, "ms");
	return EXIT_SUCCESS;
}
