#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <fcntl.h>
#include <unistd.h>

#include "ca/base/atomic_file.h"
#include "db/migrate.h"
#include "tests/unit/rows.h"
#include "tests/unit/scratch.h"

#define FIXTURE_MAX (1 << 20)
#define FIXTURES "tests/vectors/schema/"

/* Everything that defines a database, and what SQLite finds wrong with it. */
#define DEFINITION "SELECT type || ' ' || name || ' ' || coalesce(sql, '') AS line FROM sqlite_schema ORDER BY type, name"
#define INTEGRITY "SELECT integrity_check AS line FROM pragma_integrity_check"
#define REFERENCES "SELECT \"table\" || ' ' || rowid AS line FROM pragma_foreign_key_check"

/* Steps of a small schema: each is what one of the cases below needs. */
static const struct schema_step steps[] = {
	{ 1, "CREATE TABLE parents (id INTEGER PRIMARY KEY, name TEXT) STRICT;"
	     "CREATE TABLE children (id INTEGER PRIMARY KEY, parent_id INTEGER NOT NULL REFERENCES parents (id)) STRICT;"
	     "INSERT INTO parents VALUES (1, 'one'), (2, 'two'); INSERT INTO children VALUES (10, 1), (20, 2);" },
	{ 2, "ALTER TABLE parents ADD COLUMN age INTEGER NOT NULL DEFAULT 7;" },
	/* A table built anew, as SQLite's ALTER TABLE can't do it, while others refer to it. */
	{ 3, "CREATE TABLE elders (id INTEGER PRIMARY KEY, name TEXT NOT NULL, age INTEGER NOT NULL CHECK (age > 0)) STRICT;"
	     "INSERT INTO elders SELECT id, name, age FROM parents; DROP TABLE parents; ALTER TABLE elders RENAME TO parents;" },
};
/* What they leave. */
#define ALL_STEPS_ROWS \
	"SELECT p.id || name || age || c.id AS line FROM parents p JOIN children c ON c.parent_id = p.id ORDER BY p.id"

static const struct schema_step bad_word = { 3, "CREATE TABLE more (id INTEGER) STRICT; CREATE TABEL wrong (id INTEGER);" };
static const struct schema_step bad_row = { 3, "CREATE TABLE more (id INTEGER) STRICT; DELETE FROM parents WHERE id = 2;" };
static const struct schema_step own_commit = { 3, "CREATE TABLE more (id INTEGER) STRICT; COMMIT;" };

static struct db_connection *
open_empty(void **state, const char *name)
{
	const char *path = scratch_path(state, name);
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	(void)close(fd);
	struct db_connection *connection = NULL;
	assert_int_equal(connection_open(path, &connection, NULL), FAULT_NONE);
	assert_int_equal(connection_configure(connection, CONNECTION_WRITER, NULL), FAULT_NONE);
	return connection;
}

static void
assert_lines(struct db_connection *connection, const char *sql, const char *expected)
{
	AUTO(char, free) lines = rows_print(connection, sql);
	assert_non_null(lines);
	assert_string_equal(lines, expected);
}

static void
assert_version(struct db_connection *connection, int64_t expected)
{
	int64_t version = -1;
	assert_int_equal(connection_number(connection, "user_version", &version, NULL), FAULT_NONE);
	assert_int_equal(version, expected);
}

static void
migrate__runs_what_is_missing(void **state)
{
	for (size_t first = 0; first <= 3; first++) {
		char name[32];
		(void)snprintf(name, sizeof name, "from-%zu.db", first);
		AUTO(struct db_connection, connection_close) connection = open_empty(state, name);
		struct fault fault = FAULT_INIT;
		assert_int_equal(migrate_forward(connection, steps, first, &fault), FAULT_NONE);
		assert_version(connection, (int64_t)first);
		if (migrate_forward(connection, steps, 3, &fault) != FAULT_NONE)
			fail_msg("%s", fault.message);
		assert_version(connection, 3);
		assert_int_equal(migrate_check(connection, name, 3, &fault), FAULT_NONE);
		assert_lines(connection, ALL_STEPS_ROWS, "1one710\n2two720\n");
		assert_int_equal(connection_set(connection, "foreign_keys", NULL, "1", NULL), FAULT_NONE);
	}
}

static void
assert_step_refused(void **state, const char *name, const struct schema_step *step, const char *words)
{
	AUTO(struct db_connection, connection_close) connection = open_empty(state, name);
	struct schema_step all[3] = { steps[0], steps[1], *step };
	struct fault fault = FAULT_INIT;
	assert_int_equal(migrate_forward(connection, all, 3, &fault), FAULT_DATABASE);
	if (strstr(fault.message, "schema step 3: ") == NULL || strstr(fault.message, words) == NULL)
		fail_msg("%s", fault.message);
	/* What went before it stays, of the step itself nothing does, and the right step may follow. */
	assert_version(connection, 2);
	assert_lines(connection, "SELECT name AS line FROM sqlite_schema ORDER BY name", "children\nparents\n");
	assert_lines(connection, "SELECT count(*) AS line FROM parents", "2\n");
	assert_int_equal(migrate_forward(connection, steps, 3, NULL), FAULT_NONE);
}

static void
migrate__wrong_step_leaves_nothing(void **state)
{
	assert_step_refused(state, "word.db", &bad_word, "syntax error");
	assert_step_refused(state, "row.db", &bad_row, "a row of children would refer to nothing in parents");
}

static void
run_own_commit(void *state)
{
	struct db_connection *connection = open_empty(state, "commit.db");
	struct schema_step all[3] = { steps[0], steps[1], own_commit };
	(void)!migrate_forward(connection, all, 3, NULL);
}

static void
migrate__step_with_its_own_commit_is_noticed(void **state)
{
	assert_true(scratch_dies(run_own_commit, state));
}

static void
migrate__newer_version_is_refused(void **state)
{
	AUTO(struct db_connection, connection_close) connection = open_empty(state, "newer.db");
	struct fault fault = FAULT_INIT;
	assert_int_equal(migrate_forward(connection, steps, 3, NULL), FAULT_NONE);
	assert_int_equal(migrate_check(connection, "newer.db", 2, &fault), FAULT_SCHEMA);
	assert_non_null(strstr(fault.message, "newer.db has schema version 3; this release knows none after version 2"));
}

static void
migrate__others_are_refused(void **state)
{
	static const char *const wrong[] = {
		"", "PRAGMA user_version = 1", "PRAGMA application_id = 1; PRAGMA user_version = 1", "CREATE TABLE t (a)",
		"PRAGMA application_id = 1128350803", "PRAGMA application_id = 1128350803; PRAGMA user_version = -1",
	};
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		char name[32];
		(void)snprintf(name, sizeof name, "wrong-%zu.db", i);
		AUTO(struct db_connection, connection_close) connection = open_empty(state, name);
		struct fault fault = FAULT_INIT;
		assert_int_equal(connection_run(connection, "setting it up", wrong[i], NULL), FAULT_NONE);
		assert_int_equal(migrate_check(connection, name, 3, &fault), FAULT_SCHEMA);
		assert_non_null(strstr(fault.message, "is not a database of Cadastre's"));
	}
}

/*
 * Fixtures: tests/vectors/schema/NNN.sql makes a database as a release with schema version NNN left it, with rows in every table.
 * Each is brought forward and must end with the schema that a fresh one has.
 */

static bool
load_fixture(void **state, size_t version)
{
	char name[64];
	AUTO_CLEAR(struct bytes, bytes_clear) sql = BYTES_INIT;
	struct fault fault = FAULT_INIT;
	(void)snprintf(name, sizeof name, FIXTURES "%03zu.sql", version);
	if (atomic_file_read(AT_FDCWD, name, FIXTURE_MAX, &sql, &fault) != FAULT_NONE)
		fail_msg("%s", fault.message);
	AUTO(struct db_connection, connection_close) connection = open_empty(state, "fixture.db");
	if (connection_run(connection, name, bytes_text(&sql), &fault) != FAULT_NONE)
		fail_msg("%s", fault.message);
	assert_version(connection, (int64_t)version);
	assert_lines(connection, REFERENCES, "");
	return true;
}

static char *
print_definition(void **state, const char *name)
{
	AUTO(struct db_connection, connection_close) connection = NULL;
	assert_int_equal(connection_open(scratch_path(state, name), &connection, NULL), FAULT_NONE);
	assert_lines(connection, INTEGRITY, "ok\n");
	assert_lines(connection, REFERENCES, "");
	assert_version(connection, (int64_t)schema_steps_count);
	char *definition = rows_print(connection, DEFINITION);
	assert_non_null(definition);
	return definition;
}

static void
open_and_close(void **state, const char *name, bool create)
{
	struct db *db = NULL;
	struct fault fault = FAULT_INIT;
	if (db_open(scratch_path(state, name), create, &db, &fault) != FAULT_NONE)
		fail_msg("%s", fault.message);
	db_close(db);
}

static void
migrate__older_releases_are_brought_forward(void **state)
{
	open_and_close(state, "fresh.db", true);
	AUTO(char, free) fresh = print_definition(state, "fresh.db");
	for (size_t version = 1; version <= schema_steps_count; version++) {
		load_fixture(state, version);
		open_and_close(state, "fixture.db", false);
		AUTO(char, free) brought = print_definition(state, "fixture.db");
		if (strcmp(brought, fresh) != 0)
			fail_msg(FIXTURES "%03zu.sql ends with another schema than a fresh database has (see README.md there)", version);
		assert_int_equal(unlink(scratch_path(state, "fixture.db")), 0);
	}
}

/* The fixture's member has none: one that names its issuer's certificate, one the trust anchor's. */
static void
migrate__certificate_without_its_issuer_is_made_anew(void **state)
{
	load_fixture(state, 1);
	{
		AUTO(struct db_connection, connection_close) connection = NULL;
		assert_int_equal(connection_open(scratch_path(state, "fixture.db"), &connection, NULL), FAULT_NONE);
		assert_int_equal(connection_run(connection, "adding certificates",
			"INSERT INTO objects (object_id, repository_id, ca_id, key_id, kind, subject_ca_id, path, serial, hash, size, not_before_at,"
			" not_after_at, modified_at, published_serial, withdrawing)"
			" VALUES (11, 1, 2, 1, 'cer', 3, 'online/3.cer', x'0105', x'D6', 9, 100, 900, 100, 1, 0),"
			" (12, 1, 3, 1, 'cer', 4, 'issuing-1/4.cer', x'0106', x'D7', 9, 100, 900, 100, 1, 0),"
			" (13, 1, 1, 1, 'cer', 2, 'ta/2.cer', x'0107', x'D8', 9, 100, 900, 100, 1, 0);"
			"INSERT INTO object_bytes (object_id, der) VALUES"
			" (11, CAST('..rsync://rpki.example/repo/ta/ta.cer..' AS BLOB)),"
			" (12, CAST('..rsync://rpki.example/repo/online/3.cer..' AS BLOB)),"
			" (13, CAST('..rsync://rpki.example/repo/ta/ta.cer..' AS BLOB))", NULL), FAULT_NONE);
	}
	open_and_close(state, "fixture.db", false);
	AUTO(struct db_connection, connection_close) connection = NULL;
	assert_int_equal(connection_open(scratch_path(state, "fixture.db"), &connection, NULL), FAULT_NONE);
	assert_lines(connection, "SELECT object_id || ' ' || not_before_at || ' ' || not_after_at AS line FROM objects WHERE object_id > 10"
		" ORDER BY object_id", "11 900 900\n12 100 900\n13 100 900\n");
}

/* Version 3 gave trees a serial of each repository: those of the one that there was stay, and no name comes twice. */
static void
migrate__rsync_trees_keep_serials_and_ids(void **state)
{
	load_fixture(state, 2);
	{
		AUTO(struct db_connection, connection_close) connection = NULL;
		assert_int_equal(connection_open(scratch_path(state, "fixture.db"), &connection, NULL), FAULT_NONE);
		assert_int_equal(connection_run(connection, "changing trees", "INSERT INTO rsync_trees (tree_id, repository_id, name, serial)"
			" VALUES (8, 1, '8', 2), (9, 1, '9', 1); DELETE FROM rsync_trees WHERE tree_id = 9;"
			" UPDATE rsync_trees SET target_serial = 3, retired_at = 77 WHERE tree_id = 8", NULL), FAULT_NONE);
	}
	open_and_close(state, "fixture.db", false);
	AUTO(struct db_connection, connection_close) connection = NULL;
	assert_int_equal(connection_open(scratch_path(state, "fixture.db"), &connection, NULL), FAULT_NONE);
	assert_lines(connection, "SELECT t.tree_id || ' ' || t.name || ' ' || p.repository_id || ' ' || p.serial || ' ' || p.target_serial || ' ' ||"
		" t.retired_at AS line FROM rsync_trees t JOIN rsync_tree_parts p USING (tree_id) WHERE t.tree_id = 8", "8 8 1 2 3 77\n");
	assert_lines(connection, "SELECT seq AS line FROM sqlite_sequence WHERE name = 'rsync_trees'", "9\n");
	assert_lines(connection, "SELECT count(*) AS line FROM rsync_trees t LEFT JOIN rsync_tree_parts p USING (tree_id) WHERE p.tree_id IS NULL",
		"0\n");
}

/* The cuts that the API and a start ask for; older ones stay uncounted. */
static void
migrate__last_cuts_are_counted(void **state)
{
	load_fixture(state, 2);
	open_and_close(state, "fixture.db", false);
	AUTO(struct db_connection, connection_close) connection = NULL;
	assert_int_equal(connection_open(scratch_path(state, "fixture.db"), &connection, NULL), FAULT_NONE);
	assert_lines(connection, "SELECT serial || ' ' || coalesce(objects, '-') || ' ' || coalesce(objects_size, '-') AS line FROM cuts"
		" ORDER BY serial", "1 - -\n2 2 3010\n");
}

/* Else a later step would be tried on an empty table, which proves nothing. */
static void
migrate__fixtures_have_rows_in_every_table(void **state)
{
	for (size_t version = 1; version <= schema_steps_count; version++) {
		load_fixture(state, version);
		AUTO(struct db_connection, connection_close) connection = NULL;
		assert_int_equal(connection_open(scratch_path(state, "fixture.db"), &connection, NULL), FAULT_NONE);
		AUTO(char, free) tables = rows_print(connection,
			"SELECT name AS line FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%'");
		assert_non_null(tables);
		char *rest = NULL;
		for (char *table = strtok_r(tables, "\n", &rest); table != NULL; table = strtok_r(NULL, "\n", &rest)) {
			char sql[128];
			(void)snprintf(sql, sizeof sql, "SELECT count(*) > 0 AS line FROM %s", table);
			AUTO(char, free) filled = rows_print(connection, sql);
			if (filled == NULL || strcmp(filled, "1\n") != 0)
				fail_msg(FIXTURES "%03zu.sql has no row in %s", version, table);
		}
		assert_int_equal(unlink(scratch_path(state, "fixture.db")), 0);
	}
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(migrate__step_with_its_own_commit_is_noticed), /* first: it forks */
		CASE(migrate__runs_what_is_missing),
		CASE(migrate__wrong_step_leaves_nothing),
		CASE(migrate__newer_version_is_refused),
		CASE(migrate__others_are_refused),
		CASE(migrate__older_releases_are_brought_forward),
		CASE(migrate__certificate_without_its_issuer_is_made_anew),
		CASE(migrate__rsync_trees_keep_serials_and_ids),
		CASE(migrate__last_cuts_are_counted),
		CASE(migrate__fixtures_have_rows_in_every_table),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
