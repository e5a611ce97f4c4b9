#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ca/base/clock.h"
#include "db/checkpoint.h"
#include "db/stmt.h"
#include "tests/unit/rows.h"
#include "tests/unit/scratch.h"

#define READER_THREADS 3
#define BIG_BYTES (1 << 20)
#define PATIENCE_MS 60000 /* far more than it takes, for a machine that has much else to do */

static struct db *
open_db(void **state, bool create)
{
	struct db *db = NULL;
	struct fault fault = FAULT_INIT;
	if (db_open(scratch_path(state, "cadastre.db"), create, &db, &fault) != FAULT_NONE)
		fail_msg("%s", fault.message);
	return db;
}

/* Writes the row "big" anew, with other bytes: the log grows by that much, the file doesn't. */
static enum fault_code
write_big(struct db_connection *connection, void *unused, struct fault *fault)
{
	(void)unused;
	AUTO(struct stmt, stmt_done) stmt = NULL;
	static uint8_t big[BIG_BYTES], fill;
	memset(big, ++fill, sizeof big); /* SQLite doesn't write what is there already */
	TRY(stmt_prepare(connection, "write_big", "UPDATE tokens SET hash = :big WHERE token_id = 'big'", &stmt, fault));
	stmt_bind_blob(stmt, ":big", SPAN(big, sizeof big));
	return stmt_run(stmt, fault);
}

static enum fault_code
insert_big(struct db_connection *connection, void *unused, struct fault *fault)
{
	(void)unused;
	return connection_run(connection, "insert_big",
		"INSERT INTO tokens (token_id, name, role, hash, created_at) VALUES ('big', 'big', 'admin', x'', 1)", fault);
}

static int64_t
file_size(void **state, const char *name)
{
	struct stat file;
	return stat(scratch_path(state, name), &file) == 0 ? (int64_t)file.st_size : -1;
}

struct steady {
	struct db *db;
	_Atomic bool stop;
};

/* Readers one after the other without a pause: with several such threads there is always one, yet none stays. */
static void *
read_steadily(void *argument)
{
	struct steady *steady = argument;
	while (!atomic_load(&steady->stop))
		(void)rows_count_in(steady->db);
	return NULL;
}

static void
checkpoint__bounds_the_log_under_steady_readers(void **state)
{
	AUTO(struct db, db_close) db = open_db(state, true);
	struct steady steady = { .db = db };
	pthread_t readers[READER_THREADS];
	for (size_t i = 0; i < READER_THREADS; i++)
		assert_int_equal(pthread_create(&readers[i], NULL, read_steadily, &steady), 0);
	assert_int_equal(db_write(db, insert_big, NULL, NULL), FAULT_NONE);
	int64_t written = 0;
	int64_t until_ms = clock_monotonic_ms() + PATIENCE_MS;
	bool bounded = false;
	/* More than would fit without being started over, then until it was. */
	while (!bounded && clock_monotonic_ms() < until_ms) {
		assert_int_equal(db_write(db, write_big, NULL, NULL), FAULT_NONE);
		written += BIG_BYTES;
		bounded = written > 2 * CHECKPOINT_RESTART_AT && db_log_size(db) < CHECKPOINT_RESTART_AT;
	}
	atomic_store(&steady.stop, true);
	for (size_t i = 0; i < READER_THREADS; i++)
		assert_int_equal(pthread_join(readers[i], NULL), 0);
	assert_true(bounded);
	assert_in_range(file_size(state, "cadastre.db"), BIG_BYTES, 8 * BIG_BYTES);
}

/* A reader that stays holds the log, which waits for it, and the writer for neither. */
static void
checkpoint__waits_for_a_reader_that_stays(void **state)
{
	AUTO(struct db, db_close) db = open_db(state, true);
	AUTO(struct db_connection, db_reader_release) reader = NULL;
	assert_int_equal(db_write(db, insert_big, NULL, NULL), FAULT_NONE);
	assert_int_equal(db_reader_acquire(db, &reader, NULL), FAULT_NONE);
	AUTO(char, free) before = rows_print(reader, "SELECT length(hash) AS line FROM tokens");
	assert_string_equal(before, "0\n");
	for (int64_t written = 0; written < CHECKPOINT_RESTART_AT + 2 * CHECKPOINT_FOLD_AT; written += BIG_BYTES)
		assert_int_equal(db_write(db, write_big, NULL, NULL), FAULT_NONE);
	assert_true(db_log_size(db) > CHECKPOINT_RESTART_AT + CHECKPOINT_FOLD_AT);
	AUTO(char, free) still = rows_print(reader, "SELECT length(hash) AS line FROM tokens");
	assert_string_equal(still, "0\n");
	db_reader_release(MOVE(reader));
	int64_t until_ms = clock_monotonic_ms() + PATIENCE_MS;
	while (db_log_size(db) > 0 && clock_monotonic_ms() < until_ms)
		(void)usleep(1000); /* nothing is written: the thread comes back to it by itself */
	assert_int_equal(db_log_size(db), 0);
}

static void
checkpoint__folds_in_what_was_left(void **state)
{
	int ready[2];
	char byte;
	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	pid_t child = fork();
	if (child == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		struct db *db = open_db(state, true);
		if (db_write(db, insert_big, NULL, NULL) == FAULT_NONE && db_write(db, write_big, NULL, NULL) == FAULT_NONE &&
			write(ready[1], "", 1) == 1)
			for (;;)
				(void)pause();
		_exit(1);
	}
	(void)close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	(void)close(ready[0]);
	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(waitpid(child, NULL, 0), child);
	assert_true(file_size(state, "cadastre.db-wal") > BIG_BYTES);
	assert_in_range(file_size(state, "cadastre.db"), 1, BIG_BYTES);
	AUTO(struct db, db_close) db = open_db(state, false);
	int64_t until_ms = clock_monotonic_ms() + PATIENCE_MS;
	while (db_log_size(db) < BIG_BYTES && clock_monotonic_ms() < until_ms)
		(void)usleep(1000);
	assert_true(db_log_size(db) > BIG_BYTES);
	assert_true(file_size(state, "cadastre.db") > BIG_BYTES);
}

/* Longer as the log grows, a second at most; and a backup, which reads for minutes, costs the writer a tenth of its time at most. */
static void
checkpoint__has_bounded_patience(void **state)
{
	(void)state;
	assert_int_equal(checkpoint_patience_ms(0), 10);
	assert_int_equal(checkpoint_patience_ms(2 * CHECKPOINT_RESTART_AT - 1), 10);
	assert_int_equal(checkpoint_patience_ms(2 * CHECKPOINT_RESTART_AT), 20);
	assert_int_equal(checkpoint_patience_ms(7 * CHECKPOINT_RESTART_AT), 640);
	for (int64_t times = 8; times < 1000; times++)
		assert_int_equal(checkpoint_patience_ms(times * CHECKPOINT_RESTART_AT), 1000);
	assert_int_equal(checkpoint_rest_ms(1000), 10000);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(checkpoint__folds_in_what_was_left), /* first: it forks */
		CASE(checkpoint__has_bounded_patience),
		CASE(checkpoint__bounds_the_log_under_steady_readers),
		CASE(checkpoint__waits_for_a_reader_that_stays),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
