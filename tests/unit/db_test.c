#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ca/base/atomic_file.h"
#include "db/connection.h"
#include "db/readers.h"
#include "generated/schema.h"
#include "tests/unit/rows.h"
#include "tests/unit/scratch.h"

#define NAME "cadastre.db"

static struct db *
open_db(void **state, bool create)
{
	struct db *db = NULL;
	struct fault fault = FAULT_INIT;
	if (db_open(scratch_path(state, NAME), create, &db, &fault) != FAULT_NONE)
		fail_msg("%s", fault.message);
	return db;
}

static void
assert_refused(void **state, const char *name, bool create, enum fault_code code, const char *words)
{
	struct db *db = NULL;
	struct fault fault = FAULT_INIT;
	assert_int_equal(db_open(scratch_path(state, name), create, &db, &fault), code);
	assert_null(db);
	assert_int_equal(fault.code, code);
	if (strstr(fault.message, words) == NULL)
		fail_msg("\"%s\" is not in: %s", words, fault.message);
}

static bool
exists(void **state, const char *name)
{
	return access(scratch_path(state, name), F_OK) == 0;
}

static void
put(void **state, const char *name, const char *content, size_t length)
{
	struct span bytes = SPAN(content, length);
	assert_int_equal(atomic_file_put(AT_FDCWD, scratch_path(state, name), bytes, 0600, ATOMIC_FILE_KEEP_TIME, NULL), FAULT_NONE);
}

static void
get(void **state, const char *name, struct bytes *ret_content)
{
	assert_int_equal(atomic_file_read(AT_FDCWD, scratch_path(state, name), 1 << 24, ret_content, NULL), FAULT_NONE);
}

static void
db__files_are_their_owners(void **state)
{
	static const char *const names[] = { NAME, NAME "-wal", NAME "-shm" };
	mode_t before = umask(0);
	AUTO(struct db, db_close) db = open_db(state, true);
	assert_int_equal(rows_write(db, "a", NULL), FAULT_NONE);
	(void)umask(before);
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		struct stat file;
		assert_int_equal(stat(scratch_path(state, names[i]), &file), 0);
		assert_int_equal(file.st_mode & 07777, 0600);
	}
}

static void
db__keeps_what_was_written(void **state)
{
	struct db *db = open_db(state, true);
	assert_int_equal(rows_write(db, "a", NULL), FAULT_NONE);
	assert_int_equal(rows_write(db, "a", NULL), FAULT_CONFLICT);
	assert_true(db_log_size(db) > 0);
	db_close(db);
	assert_false(exists(state, NAME "-wal") || exists(state, NAME "-shm")); /* folded into the file */
	db = open_db(state, false);
	assert_true(rows_have(db, "a"));
	assert_int_equal(rows_count_in(db), 1);
	db_close(db);
	db_close(NULL);
	db_reader_release(NULL);
}

static void
db__creates_nothing_over_a_file(void **state)
{
	AUTO_CLEAR(struct bytes, bytes_clear) content = BYTES_INIT;
	put(state, NAME, "something", 9);
	assert_refused(state, NAME, true, FAULT_CONFLICT, "exists already");
	get(state, NAME, &content);
	assert_string_equal(bytes_text(&content), "something");
	assert_int_equal(symlink("nowhere", scratch_path(state, "link")), 0);
	assert_refused(state, "link", true, FAULT_CONFLICT, "exists already");
	assert_false(exists(state, "nowhere"));
}

/* Beside the one that changes it: sees what was committed, changes nothing, leaves everything as it is. */
static void
db__opened_to_read(void **state)
{
	AUTO(struct db, db_close) db = open_db(state, true);
	AUTO(struct db, db_close) reader = NULL;
	AUTO(struct db_connection, db_reader_release) connection = NULL;
	struct fault fault = FAULT_INIT;
	assert_non_null(db);
	assert_int_equal(db_open_to_read(scratch_path(state, NAME), &reader, NULL), FAULT_NONE);
	assert_int_equal(db_reader_acquire(reader, &connection, NULL), FAULT_NONE);
	assert_int_equal(db_write(reader, NULL, NULL, &fault), FAULT_BUSY);
	assert_int_equal(db_open_to_read(scratch_path(state, "none"), &reader, NULL), FAULT_NOT_FOUND);
}

/* No step is taken, and no statement tried, on another schema than this release's. */
static void
db__opened_to_read_only_with_this_schema(void **state)
{
	struct db *db = open_db(state, true), *reader = NULL;
	struct db_connection *connection = NULL;
	struct fault fault = FAULT_INIT;
	db_close(db);
	assert_int_equal(connection_open(scratch_path(state, NAME), &connection, NULL), FAULT_NONE);
	assert_int_equal(connection_run(connection, "a test", "PRAGMA user_version = 1", NULL), FAULT_NONE);
	connection_close(connection);
	assert_int_equal(db_open_to_read(scratch_path(state, NAME), &reader, &fault), FAULT_SCHEMA);
	assert_non_null(strstr(fault.message, "schema version 1"));
	assert_null(reader);
}

static void
db__missing_files(void **state)
{
	assert_refused(state, NAME, false, FAULT_NOT_FOUND, "there is no database");
	assert_refused(state, "no/such/" NAME, false, FAULT_NOT_FOUND, "there is no database");
	assert_refused(state, "no/such/" NAME, true, FAULT_IO, "No such file or directory");
	assert_false(exists(state, NAME));
}

/* Is refused, and is afterwards as it was, with nothing beside it. */
static void
assert_foreign(void **state, const char *name, const char *words)
{
	AUTO_CLEAR(struct bytes, bytes_clear) before = BYTES_INIT;
	AUTO_CLEAR(struct bytes, bytes_clear) after = BYTES_INIT;
	char beside[64];
	get(state, name, &before);
	assert_refused(state, name, false, FAULT_SCHEMA, words);
	get(state, name, &after);
	assert_true(span_equal(bytes_span(&before), bytes_span(&after)));
	(void)snprintf(beside, sizeof beside, "%s-wal", name);
	assert_false(exists(state, beside));
}

static void
db__foreign_files_are_refused(void **state)
{
	static const char page[4096] = "SQLite format 3";
	static const char text[] = "A text that is longer than the words by which SQLite knows its files, and then some more of it.\n";
	put(state, "empty", "", 0);
	put(state, "short", "x", 1);
	put(state, "text", text, strlen(text));
	put(state, "zeroes", page, sizeof page);
	assert_foreign(state, "empty", "is not a database of Cadastre's");
	assert_foreign(state, "short", "not a database");
	assert_foreign(state, "text", "not a database");
	assert_foreign(state, "zeroes", "not a database");
	assert_refused(state, ".", false, FAULT_IO, "unable to open");

	put(state, "other", "", 0);
	AUTO(struct db_connection, connection_close) other = NULL;
	assert_int_equal(connection_open(scratch_path(state, "other"), &other, NULL), FAULT_NONE);
	assert_int_equal(connection_run(other, "other", "CREATE TABLE cas (id INTEGER); PRAGMA user_version = 1", NULL), FAULT_NONE);
	connection_close(MOVE(other));
	assert_foreign(state, "other", "is not a database of Cadastre's");
}

static void
db__newer_version_is_refused(void **state)
{
	char sql[64], words[64];
	db_close(open_db(state, true));
	AUTO(struct db_connection, connection_close) connection = NULL;
	assert_int_equal(connection_open(scratch_path(state, NAME), &connection, NULL), FAULT_NONE);
	(void)snprintf(sql, sizeof sql, "PRAGMA user_version = %zu", schema_steps_count + 1);
	(void)snprintf(words, sizeof words, "has schema version %zu; this release knows none after version %zu",
		schema_steps_count + 1, schema_steps_count);
	assert_int_equal(connection_run(connection, "newer", sql, NULL), FAULT_NONE);
	connection_close(MOVE(connection));
	assert_refused(state, NAME, false, FAULT_SCHEMA, words);
}

/* SQLite would take such a path for a URI. */
static void
db__path_is_only_a_path(void **state)
{
	AUTO_CLEAR(int, descriptor_close) before = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(chdir(*state), 0);
	struct db *db = NULL;
	enum fault_code code = db_open("file:x?mode=memory", true, &db, NULL);
	if (code == FAULT_NONE)
		db_close(db);
	bool made = exists(state, "file:x?mode=memory");
	assert_int_equal(fchdir(before), 0);
	assert_int_equal(code, FAULT_NONE);
	assert_true(made);
}

static void
db__reader_keeps_its_view(void **state)
{
	AUTO(struct db, db_close) db = open_db(state, true);
	AUTO(struct db_connection, db_reader_release) before = NULL;
	AUTO(struct db_connection, db_reader_release) after = NULL;
	assert_int_equal(rows_write(db, "a", NULL), FAULT_NONE);
	assert_int_equal(db_reader_acquire(db, &before, NULL), FAULT_NONE);
	assert_int_equal(rows_write(db, "b", NULL), FAULT_NONE); /* before the reader has read anything */
	assert_int_equal(rows_count(before), 1);
	assert_int_equal(db_reader_acquire(db, &after, NULL), FAULT_NONE);
	assert_int_equal(rows_write(db, "c", NULL), FAULT_NONE);
	assert_int_equal(rows_count(before), 1);
	assert_int_equal(rows_count(after), 2);
	db_reader_release(MOVE(before));
	assert_int_equal(rows_count_in(db), 3); /* by the same connection: its view is new */
}

static void
db__reader_writes_nothing(void **state)
{
	AUTO(struct db, db_close) db = open_db(state, true);
	AUTO(struct db_connection, db_reader_release) reader = NULL;
	assert_int_equal(db_reader_acquire(db, &reader, NULL), FAULT_NONE);
	char id[] = "a";
	assert_int_not_equal(rows_insert(reader, id, NULL), FAULT_NONE);
	db_reader_release(MOVE(reader));
	assert_int_equal(rows_count_in(db), 0);
}

struct late {
	struct db *db;
	enum fault_code code;
	int64_t count;
	sem_t has_it;
};

static void *
read_late(void *argument)
{
	struct late *late = argument;
	AUTO(struct db_connection, db_reader_release) reader = NULL;
	late->code = db_reader_acquire(late->db, &reader, NULL);
	(void)sem_post(&late->has_it);
	late->count = reader != NULL ? rows_count(reader) : -1;
	return NULL;
}

static void
db__reader_waits_for_another(void **state)
{
	AUTO(struct db, db_close) db = open_db(state, true);
	struct db_connection *readers[READERS_MAX];
	struct late late = { .db = db };
	pthread_t thread;
	for (size_t i = 0; i < READERS_MAX; i++)
		assert_int_equal(db_reader_acquire(db, &readers[i], NULL), FAULT_NONE);
	(void)sem_init(&late.has_it, 0, 0);
	assert_int_equal(pthread_create(&thread, NULL, read_late, &late), 0);
	assert_int_equal(rows_write(db, "a", NULL), FAULT_NONE); /* the writer waits for no reader */
	assert_int_equal(sem_trywait(&late.has_it), -1);
	db_reader_release(readers[7]);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(late.code, FAULT_NONE);
	assert_int_equal(late.count, 1);
	for (size_t i = 0; i < READERS_MAX; i++)
		if (i != 7)
			db_reader_release(readers[i]);
	(void)sem_destroy(&late.has_it);
}

/* Disks that are full or can only be read. */

static void
fill_disk(void **state, int spare_pages)
{
	static const char block[4096];
	int fd = open(scratch_path(state, "filler"), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	while (write(fd, block, sizeof block) > 0)
		continue;
	struct stat file;
	assert_int_equal(fstat(fd, &file), 0);
	assert_int_equal(ftruncate(fd, file.st_size - spare_pages * 4096), 0);
	(void)close(fd);
}

static void
db__full_disk_at_each_write(void **state)
{
	char id[32];
	int64_t kept = 0;
	int refused = 0;
	if (!scratch_mount(state, 8 << 20))
		skip();
	AUTO(struct db, db_close) db = open_db(state, true);
	for (int spare = 0; spare < 12; spare++) {
		fill_disk(state, spare);
		enum fault_code code = FAULT_NONE;
		for (int i = 0; i < 20 && code == FAULT_NONE; i++) {
			struct fault fault = FAULT_INIT;
			(void)snprintf(id, sizeof id, "row-%d-%d", spare, i);
			code = rows_write(db, id, &fault);
			if (code != FAULT_NONE && code != FAULT_DISK)
				fail_msg("%s", fault.message);
			assert_true(rows_have(db, id) == (code == FAULT_NONE));
			kept += code == FAULT_NONE;
			refused += code != FAULT_NONE;
		}
		assert_int_equal(unlink(scratch_path(state, "filler")), 0);
		(void)snprintf(id, sizeof id, "after-%d", spare);
		assert_int_equal(rows_write(db, id, NULL), FAULT_NONE);
		assert_int_equal(rows_count_in(db), ++kept);
	}
	assert_true(refused > 0);
}

static void
db__creating_on_a_full_disk_leaves_nothing(void **state)
{
	if (!scratch_mount(state, 1 << 20))
		skip();
	struct db *db = NULL;
	struct fault fault = FAULT_INIT;
	bool made = false;
	for (int spare = 0; spare < 120 && !made; spare++) {
		fill_disk(state, spare);
		made = db_open(scratch_path(state, NAME), true, &db, &fault) == FAULT_NONE;
		if (!made && fault.code != FAULT_DISK)
			fail_msg("%d: %s", spare, fault.message);
		assert_true(made || !(exists(state, NAME) || exists(state, NAME "-wal") || exists(state, NAME "-shm")));
		assert_int_equal(unlink(scratch_path(state, "filler")), 0);
	}
	assert_true(made);
	db_close(db);
}

static void
db__closing_on_a_full_disk_loses_nothing(void **state)
{
	if (!scratch_mount(state, 2 << 20))
		skip();
	struct db *db = open_db(state, true);
	char id[32];
	for (int i = 0; i < 50; i++) {
		(void)snprintf(id, sizeof id, "row-%d", i);
		assert_int_equal(rows_write(db, id, NULL), FAULT_NONE);
	}
	fill_disk(state, 0);
	db_close(db);
	assert_int_equal(unlink(scratch_path(state, "filler")), 0);
	db = open_db(state, false);
	assert_int_equal(rows_count_in(db), 50);
	db_close(db);
}

static void
db__read_only_disk(void **state)
{
	if (!scratch_mount(state, 4 << 20))
		skip();
	db_close(open_db(state, true));
	scratch_mount_read_only(state, true);
	assert_refused(state, NAME, false, FAULT_DISK, "can only be read");
	assert_refused(state, "other.db", true, FAULT_DISK, "Read-only file system");
	scratch_mount_read_only(state, false);
	db_close(open_db(state, false));
}

/* As a user who may change the file but not its directory: the log can't be made. */
static void
try_read_only_directory(void **state)
{
	struct db *db = NULL;
	struct fault fault = FAULT_INIT;
	enum fault_code code = db_open(scratch_path(state, NAME), false, &db, &fault);
	if (code == FAULT_DISK)
		abort(); /* which is what scratch_dies() looks for */
}

static void
run_as_nobody(void *argument)
{
	if (setgid(65534) == 0 && setuid(65534) == 0)
		try_read_only_directory(argument);
}

static void
db__read_only_directory(void **state)
{
	if (geteuid() != 0)
		skip();
	db_close(open_db(state, true));
	assert_int_equal(chmod(*state, 0755), 0);
	assert_int_equal(chmod(scratch_path(state, NAME), 0666), 0);
	assert_true(scratch_dies(run_as_nobody, state));
	assert_int_equal(chmod(scratch_path(state, NAME), 0444), 0);
	assert_true(scratch_dies(run_as_nobody, state));
}

/* kill -9 in the middle of writing: every change that was acknowledged is there. */

#define KILL_THREADS 4
#define KILL_ACKNOWLEDGED 300
#define KILL_TEXT 16

struct killed {
	struct db *db;
	int acknowledge;
	int number;
};

static void *
write_until_killed(void *argument)
{
	struct killed *killed = argument;
	for (int i = 0;; i++) {
		char id[KILL_TEXT] = "";
		(void)snprintf(id, sizeof id, "%d-%d", killed->number, i);
		if (rows_write(killed->db, id, NULL) != FAULT_NONE || write(killed->acknowledge, id, sizeof id) != sizeof id)
			_exit(1);
	}
}

static void
run_killed_child(void **state, int acknowledge)
{
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	static struct killed threads[KILL_THREADS];
	struct db *db = NULL;
	if (db_open(scratch_path(state, NAME), true, &db, NULL) != FAULT_NONE)
		_exit(1);
	for (int i = 0; i < KILL_THREADS; i++) {
		pthread_t thread;
		threads[i] = (struct killed){ db, acknowledge, i };
		if (pthread_create(&thread, NULL, write_until_killed, &threads[i]) != 0)
			_exit(1);
	}
	for (;;)
		(void)pause();
}

static void
assert_all_there(void **state, int acknowledged, int *ret_count)
{
	AUTO(struct db, db_close) db = open_db(state, false);
	char id[KILL_TEXT];
	while (read(acknowledged, id, sizeof id) == sizeof id) {
		if (!rows_have(db, id))
			fail_msg("%s was acknowledged and is gone", id);
		(*ret_count)++;
	}
	AUTO(struct db_connection, db_reader_release) reader = NULL;
	assert_int_equal(db_reader_acquire(db, &reader, NULL), FAULT_NONE);
	AUTO(char, free) integrity = rows_print(reader, "SELECT integrity_check AS line FROM pragma_integrity_check");
	assert_string_equal(integrity, "ok\n");
}

static void
db__killed_process_loses_nothing_acknowledged(void **state)
{
	int acknowledged[2];
	char ids[KILL_ACKNOWLEDGED][KILL_TEXT];
	assert_int_equal(pipe2(acknowledged, O_CLOEXEC), 0);
	pid_t child = fork();
	if (child == 0)
		run_killed_child(state, acknowledged[1]);
	(void)close(acknowledged[1]);
	for (int i = 0; i < KILL_ACKNOWLEDGED; i++)
		assert_int_equal(read(acknowledged[0], ids[i], KILL_TEXT), KILL_TEXT);
	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(waitpid(child, NULL, 0), child);
	int more = 0;
	assert_all_there(state, acknowledged[0], &more);
	(void)close(acknowledged[0]);
	AUTO(struct db, db_close) db = open_db(state, false);
	for (int i = 0; i < KILL_ACKNOWLEDGED; i++)
		if (!rows_have(db, ids[i]))
			fail_msg("%s was acknowledged and is gone", ids[i]);
	/* What was under way may be there or not, one change for each thread. */
	assert_in_range(rows_count_in(db), KILL_ACKNOWLEDGED + more, KILL_ACKNOWLEDGED + more + KILL_THREADS);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(db__killed_process_loses_nothing_acknowledged), /* first: these fork */
		CASE(db__read_only_directory),
		CASE(db__files_are_their_owners),
		CASE(db__keeps_what_was_written),
		CASE(db__creates_nothing_over_a_file),
		CASE(db__opened_to_read),
		CASE(db__opened_to_read_only_with_this_schema),
		CASE(db__missing_files),
		CASE(db__foreign_files_are_refused),
		CASE(db__newer_version_is_refused),
		CASE(db__path_is_only_a_path),
		CASE(db__reader_keeps_its_view),
		CASE(db__reader_writes_nothing),
		CASE(db__reader_waits_for_another),
		CASE(db__full_disk_at_each_write),
		CASE(db__creating_on_a_full_disk_leaves_nothing),
		CASE(db__closing_on_a_full_disk_loses_nothing),
		CASE(db__read_only_disk),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
