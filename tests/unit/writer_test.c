#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <unistd.h>

#include "ca/base/metrics.h"
#include "db/connection.h"
#include "db/writer.h"
#include "tests/unit/rows.h"
#include "tests/unit/scratch.h"

#define THREADS 100
#define ID_TEXT 32

static struct db *
fresh(void **state)
{
	struct db *db = NULL;
	struct fault fault = FAULT_INIT;
	if (db_open(scratch_path(state, "cadastre.db"), true, &db, &fault) != FAULT_NONE)
		fail_msg("%s", fault.message);
	return db;
}

/* A change that keeps the writer busy until it is let go: what comes meanwhile has to wait, and then goes in groups. */

struct gate {
	struct db *db;
	pthread_t thread;
	sem_t entered, open;
};

static enum fault_code
pass_gate(struct db_connection *connection, void *argument, struct fault *fault)
{
	struct gate *gate = argument;
	(void)connection;
	(void)fault;
	(void)sem_post(&gate->entered);
	while (sem_wait(&gate->open) != 0)
		continue;
	return FAULT_NONE;
}

static void *
run_gate(void *argument)
{
	struct gate *gate = argument;
	(void)!db_write(gate->db, pass_gate, gate, NULL);
	return NULL;
}

static void
gate_shut(struct gate *gate, struct db *db)
{
	gate->db = db;
	(void)sem_init(&gate->entered, 0, 0);
	(void)sem_init(&gate->open, 0, 0);
	assert_int_equal(pthread_create(&gate->thread, NULL, run_gate, gate), 0);
	(void)sem_wait(&gate->entered);
}

static void
gate_open(struct gate *gate)
{
	(void)sem_post(&gate->open);
	assert_int_equal(pthread_join(gate->thread, NULL), 0);
	(void)sem_destroy(&gate->entered);
	(void)sem_destroy(&gate->open);
}

/* Callers, each with one change and a thread of its own. */

struct caller {
	struct db *db;
	db_change change;
	bool bulk;
	char id[ID_TEXT];
	pthread_t thread;
	_Atomic int *calling;
	enum fault_code code;
	struct fault fault;
};

static void *
call(void *argument)
{
	struct caller *caller = argument;
	atomic_fetch_add(caller->calling, 1);
	caller->code = (caller->bulk ? db_write_bulk : db_write)(caller->db, caller->change, caller->id, &caller->fault);
	return NULL;
}

static void
start_callers(struct caller *callers, int count, _Atomic int *calling)
{
	for (int i = 0; i < count; i++) {
		callers[i].calling = calling;
		assert_int_equal(pthread_create(&callers[i].thread, NULL, call, &callers[i]), 0);
	}
	while (atomic_load(calling) < count)
		(void)usleep(1000);
	(void)usleep(50000); /* nothing tells that a caller waits; the cases below hold, less sharply, if one does not yet */
}

static void
join_callers(struct caller *callers, int count)
{
	for (int i = 0; i < count; i++)
		assert_int_equal(pthread_join(callers[i].thread, NULL), 0);
}

static void
writer__waiting_changes_share_a_commit(void **state)
{
	AUTO(struct db, db_close) db = fresh(state);
	static struct caller callers[THREADS];
	struct gate gate;
	_Atomic int calling = 0;
	for (int i = 0; i < THREADS; i++) {
		callers[i] = (struct caller){ .db = db, .change = rows_insert };
		(void)snprintf(callers[i].id, ID_TEXT, "row-%d", i);
	}
	gate_shut(&gate, db);
	int64_t transactions = metrics_get(METRIC_TRANSACTIONS), changes = metrics_get(METRIC_CHANGES);
	start_callers(callers, THREADS, &calling);
	gate_open(&gate);
	join_callers(callers, THREADS);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(callers[i].code, FAULT_NONE);
	assert_int_equal(rows_count_in(db), THREADS);
	assert_int_equal(metrics_get(METRIC_CHANGES) - changes, THREADS + 1);
	transactions = metrics_get(METRIC_TRANSACTIONS) - transactions;
	assert_in_range(transactions, 1 + (THREADS + WRITER_GROUP_MAX - 1) / WRITER_GROUP_MAX, THREADS / 2);
	assert_true(db_commit_us(db) > 0);
}

/* How many changes had their turn, and which of them the one named "bulk" was. The writer's thread alone writes here. */
static int turns, bulk_turn;

static enum fault_code
note_turn(struct db_connection *connection, void *id, struct fault *fault)
{
	turns++;
	if (strcmp(id, "bulk") == 0)
		bulk_turn = turns;
	return rows_insert(connection, id, fault);
}

static enum fault_code
note_slow_turn(struct db_connection *connection, void *id, struct fault *fault)
{
	(void)usleep(2 * WRITER_GROUP_US);
	return note_turn(connection, id, fault);
}

/* Bulk that was there first, then as many changes; all of them done. Returns how many transactions that took. */
static int64_t
run_beside_bulk(struct db *db, db_change change, int count)
{
	static struct caller callers[THREADS];
	struct gate gate;
	_Atomic int calling = 0;
	turns = bulk_turn = 0;
	callers[0] = (struct caller){ .db = db, .change = note_turn, .bulk = true, .id = "bulk" };
	for (int i = 1; i < count; i++) {
		callers[i] = (struct caller){ .db = db, .change = change };
		(void)snprintf(callers[i].id, ID_TEXT, "row-%d", i);
	}
	gate_shut(&gate, db);
	int64_t transactions = metrics_get(METRIC_TRANSACTIONS);
	start_callers(callers, 1, &calling);
	atomic_store(&calling, 0);
	start_callers(callers + 1, count - 1, &calling);
	gate_open(&gate);
	join_callers(callers, count);
	for (int i = 0; i < count; i++)
		assert_int_equal(callers[i].code, FAULT_NONE);
	assert_int_equal(turns, count);
	return metrics_get(METRIC_TRANSACTIONS) - transactions - 1; /* without the gate's */
}

static void
writer__bulk_lets_what_waits_go_first(void **state)
{
	AUTO(struct db, db_close) db = fresh(state);
	int64_t transactions = run_beside_bulk(db, note_turn, THREADS);
	assert_true(bulk_turn > WRITER_PATIENCE);
	assert_true(transactions >= 3); /* two groups, and bulk alone */
	assert_int_equal(rows_count_in(db), THREADS);
}

/* Each change takes longer than a group may, so each is a group, and bulk has its turn after four of them, not at the end. */
static void
writer__long_groups_are_cut_and_bulk_has_its_turn(void **state)
{
	AUTO(struct db, db_close) db = fresh(state);
	int64_t transactions = run_beside_bulk(db, note_slow_turn, 20);
	assert_int_equal(transactions, 20);
	assert_int_equal(bulk_turn, WRITER_PATIENCE + 1);
	assert_int_equal(rows_count_in(db), 20);
}

/* Writes a row, then fails over another. */
static enum fault_code
insert_then_fail(struct db_connection *connection, void *id, struct fault *fault)
{
	char other[ID_TEXT + 8];
	(void)snprintf(other, sizeof other, "%s-half", (const char *)id);
	TRY(rows_insert(connection, other, fault));
	if (strstr(id, "constraint") != NULL)
		return rows_insert(connection, other, fault);
	return fault_set(fault, FAULT_PRECONDITION, "refused for %s", (const char *)id);
}

static void
writer__failed_change_goes_alone(void **state)
{
	AUTO(struct db, db_close) db = fresh(state);
	static struct caller callers[THREADS];
	struct gate gate;
	_Atomic int calling = 0;
	for (int i = 0; i < THREADS; i++) {
		static const char *const kinds[] = { "good", "own", "good", "constraint" };
		callers[i] = (struct caller){ .db = db, .change = i % 2 == 0 ? rows_insert : insert_then_fail };
		(void)snprintf(callers[i].id, ID_TEXT, "%s-%d", kinds[i % 4], i);
	}
	gate_shut(&gate, db);
	int64_t changes = metrics_get(METRIC_CHANGES);
	start_callers(callers, THREADS, &calling);
	gate_open(&gate);
	join_callers(callers, THREADS);
	for (int i = 0; i < THREADS; i++) {
		static const enum fault_code codes[] = { FAULT_NONE, FAULT_PRECONDITION, FAULT_NONE, FAULT_CONFLICT };
		assert_int_equal(callers[i].code, codes[i % 4]);
		assert_int_equal(callers[i].fault.code, codes[i % 4]);
		assert_true(rows_have(db, callers[i].id) == (i % 2 == 0));
		if (i % 4 == 1)
			assert_non_null(strstr(callers[i].fault.message, callers[i].id));
	}
	assert_int_equal(rows_count_in(db), THREADS / 2);
	assert_int_equal(metrics_get(METRIC_CHANGES) - changes, THREADS / 2 + 1);
}

static void
writer__nothing_kept_is_no_transaction(void **state)
{
	AUTO(struct db, db_close) db = fresh(state);
	int64_t transactions = metrics_get(METRIC_TRANSACTIONS);
	char id[] = "one";
	/* No fault is asked for: only the code is told. */
	assert_int_equal(db_write(db, insert_then_fail, id, NULL), FAULT_PRECONDITION);
	assert_int_equal(metrics_get(METRIC_TRANSACTIONS), transactions);
	assert_int_equal(rows_count_in(db), 0);
}

/*
 * A change that the database has no room for. SQLite gives the whole transaction up over it: what ran before it in the group fails
 * as well, what had no turn yet is not harmed, and the writer goes on.
 */
static enum fault_code
insert_too_much(struct db_connection *connection, void *unused, struct fault *fault)
{
	(void)unused;
	TRY(connection_run(connection, "limit", "PRAGMA max_page_count = 100", fault));
	return connection_run(connection, "row", "INSERT INTO import_remarks VALUES ('row-0', 1, 'k', hex(zeroblob(1000000)))",
		fault);
}

static void
writer__full_database_in_the_middle_of_a_group(void **state)
{
	AUTO(struct db, db_close) db = fresh(state);
	static struct caller callers[THREADS];
	struct gate gate;
	_Atomic int calling = 0;
	assert_int_equal(rows_write(db, "row-0", NULL), FAULT_NONE);
	for (int i = 0; i < THREADS; i++) {
		callers[i] = (struct caller){ .db = db, .change = i == THREADS / 3 ? insert_too_much : rows_insert };
		(void)snprintf(callers[i].id, ID_TEXT, "row-%d", i + 1);
	}
	gate_shut(&gate, db);
	start_callers(callers, THREADS, &calling);
	gate_open(&gate);
	join_callers(callers, THREADS);
	assert_int_equal(callers[THREADS / 3].code, FAULT_DISK);
	int kept = 0;
	for (int i = 0; i < THREADS; i++) {
		bool disk = callers[i].code == FAULT_DISK;
		if (callers[i].code != FAULT_NONE && !disk)
			fail_msg("%d: %s", i, callers[i].fault.message);
		assert_true(rows_have(db, callers[i].id) == !disk);
		kept += !disk;
	}
	assert_in_range(kept, THREADS - WRITER_GROUP_MAX, THREADS - 1); /* only its own group was harmed */
	assert_int_equal(rows_write(db, "after", NULL), FAULT_NONE);
}

/* A change that succeeds and makes the commit fail: a reference to nobody, which is looked at only then. */
static enum fault_code
break_commit(struct db_connection *connection, void *id, struct fault *fault)
{
	TRY(rows_insert(connection, id, fault));
	return connection_run(connection, "breaking",
		"PRAGMA defer_foreign_keys = ON; INSERT INTO import_remarks VALUES ('nobody', 1, 'k', 't')", fault);
}

static void
writer__failed_commit_keeps_nothing_of_the_group(void **state)
{
	AUTO(struct db, db_close) db = fresh(state);
	static struct caller callers[20];
	struct gate gate;
	_Atomic int calling = 0;
	for (int i = 0; i < 20; i++) {
		db_change change = i == 10 ? break_commit : i == 11 ? insert_then_fail : rows_insert;
		callers[i] = (struct caller){ .db = db, .change = change };
		(void)snprintf(callers[i].id, ID_TEXT, "row-%d", i);
	}
	int64_t changes = metrics_get(METRIC_CHANGES);
	gate_shut(&gate, db);
	start_callers(callers, 20, &calling);
	gate_open(&gate);
	join_callers(callers, 20);
	int kept = 0;
	for (int i = 0; i < 20; i++) {
		bool whole = callers[i].code == FAULT_NONE;
		if (i == 11)
			assert_int_equal(callers[i].code, FAULT_PRECONDITION); /* it failed with what was its own */
		else if (!whole) {
			assert_int_equal(callers[i].code, FAULT_DATABASE);
			assert_non_null(strstr(callers[i].fault.message, "COMMIT: FOREIGN KEY"));
		}
		assert_true(rows_have(db, callers[i].id) == whole);
		kept += whole;
	}
	assert_int_equal(callers[10].code, FAULT_DATABASE);
	assert_int_equal(metrics_get(METRIC_CHANGES) - changes, kept + 1);
	assert_int_equal(rows_write(db, "after", NULL), FAULT_NONE);
}

static void *
close_database(void *argument)
{
	db_close(argument);
	return NULL;
}

static void
writer__closing_answers_what_waits(void **state)
{
	struct db *db = fresh(state);
	static struct caller callers[THREADS];
	struct gate gate;
	pthread_t closer;
	_Atomic int calling = 0;
	for (int i = 0; i < THREADS; i++) {
		callers[i] = (struct caller){ .db = db, .change = rows_insert };
		(void)snprintf(callers[i].id, ID_TEXT, "row-%d", i);
	}
	gate_shut(&gate, db);
	start_callers(callers, THREADS, &calling);
	assert_int_equal(pthread_create(&closer, NULL, close_database, db), 0);
	gate_open(&gate);
	join_callers(callers, THREADS);
	assert_int_equal(pthread_join(closer, NULL), 0);
	AUTO(struct db, db_close) again = NULL;
	assert_int_equal(db_open(scratch_path(state, "cadastre.db"), false, &again, NULL), FAULT_NONE);
	for (int i = 0; i < THREADS; i++) {
		assert_true(callers[i].code == FAULT_NONE || callers[i].code == FAULT_BUSY);
		assert_true(rows_have(again, callers[i].id) == (callers[i].code == FAULT_NONE));
	}
}

/* What only a programmer gets wrong. */

static enum fault_code
write_within(struct db_connection *connection, void *db, struct fault *fault)
{
	(void)connection;
	return rows_write(db, "within", fault);
}

static enum fault_code
leave_statement(struct db_connection *connection, void *unused, struct fault *fault)
{
	(void)unused;
	struct stmt *stmt = NULL;
	return stmt_prepare(connection, "left", "SELECT 1 AS n", &stmt, fault);
}

static void
run_write_within(void *state)
{
	struct db *db = NULL;
	if (db_open(scratch_path(state, "within.db"), true, &db, NULL) == FAULT_NONE)
		(void)!db_write(db, write_within, db, NULL);
}

static void
run_leave_statement(void *state)
{
	struct db *db = NULL;
	if (db_open(scratch_path(state, "left.db"), true, &db, NULL) == FAULT_NONE)
		(void)!db_write(db, leave_statement, NULL, NULL);
}

static void
writer__mistakes_are_noticed(void **state)
{
	assert_true(scratch_dies(run_write_within, state));
	assert_true(scratch_dies(run_leave_statement, state));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(writer__mistakes_are_noticed), /* first: it forks */
		CASE(writer__waiting_changes_share_a_commit),
		CASE(writer__bulk_lets_what_waits_go_first),
		CASE(writer__long_groups_are_cut_and_bulk_has_its_turn),
		CASE(writer__failed_change_goes_alone),
		CASE(writer__nothing_kept_is_no_transaction),
		CASE(writer__full_database_in_the_middle_of_a_group),
		CASE(writer__failed_commit_keeps_nothing_of_the_group),
		CASE(writer__closing_answers_what_waits),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
