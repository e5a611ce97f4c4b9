#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "db/connection.h"
#include "tests/unit/rows.h"
#include "tests/unit/scratch.h"

static struct db *
fresh(void **state)
{
	struct db *db = NULL;
	struct fault fault = FAULT_INIT;
	if (db_open(scratch_path(state, "cadastre.db"), true, &db, &fault) != FAULT_NONE)
		fail_msg("%s", fault.message);
	return db;
}

/* One row of every kind of value, without a table. */
static struct stmt *
start_values(struct db_connection *connection, int64_t number, const char *text, struct span blob)
{
	struct stmt *stmt = NULL;
	static const char sql[] = "SELECT :number AS number, :text AS text, :blob AS blob";
	assert_int_equal(stmt_prepare(connection, "values", sql, &stmt, NULL), FAULT_NONE);
	stmt_bind_int(stmt, ":number", number);
	stmt_bind_text(stmt, ":text", text);
	stmt_bind_blob(stmt, ":blob", blob);
	bool row = false;
	assert_int_equal(stmt_step(stmt, &row, NULL), FAULT_NONE);
	assert_true(row);
	return stmt;
}

static void
stmt__values_come_back(void **state)
{
	AUTO(struct db, db_close) db = fresh(state);
	AUTO(struct db_connection, db_reader_release) reader = NULL;
	assert_int_equal(db_reader_acquire(db, &reader, NULL), FAULT_NONE);
	static const int64_t numbers[] = { 0, -1, 4294967295, INT64_MIN, INT64_MAX };
	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
		AUTO(struct stmt, stmt_done) stmt = start_values(reader, numbers[i], "größer", SPAN("a\0b", 3));
		assert_true(stmt_int(stmt, "number") == numbers[i]);
		assert_string_equal(stmt_text(stmt, "text"), "größer");
		assert_int_equal(stmt_blob(stmt, "blob").length, 3);
		assert_memory_equal(stmt_blob(stmt, "blob").data, "a\0b", 3);
		assert_false(stmt_null(stmt, "number") || stmt_null(stmt, "text") || stmt_null(stmt, "blob"));
	}
}

static void
stmt__null_is_not_empty(void **state)
{
	AUTO(struct db, db_close) db = fresh(state);
	AUTO(struct db_connection, db_reader_release) reader = NULL;
	assert_int_equal(db_reader_acquire(db, &reader, NULL), FAULT_NONE);
	AUTO(struct stmt, stmt_done) empty = start_values(reader, 0, "", SPAN("", 0));
	assert_string_equal(stmt_text(empty, "text"), "");
	assert_false(stmt_null(empty, "text") || stmt_null(empty, "blob"));
	assert_non_null(stmt_blob(empty, "blob").data);
	assert_int_equal(stmt_blob(empty, "blob").length, 0);
	AUTO(struct stmt, stmt_done) null = start_values(reader, 0, NULL, SPAN(NULL, 0));
	assert_true(stmt_null(null, "text") && stmt_null(null, "blob"));
	assert_null(stmt_text(null, "text"));
	assert_null(stmt_blob(null, "blob").data);
	assert_int_equal(stmt_blob(null, "blob").length, 0);
	assert_int_equal(stmt_int(null, "text"), 0);
}

static void
stmt__columns_in_any_order(void **state)
{
	AUTO(struct db, db_close) db = fresh(state);
	AUTO(struct db_connection, db_reader_release) reader = NULL;
	assert_int_equal(db_reader_acquire(db, &reader, NULL), FAULT_NONE);
	AUTO(struct stmt, stmt_done) stmt = start_values(reader, 7, "text", SPAN("blob", 4));
	for (int i = 0; i < 2; i++) {
		assert_int_equal(stmt_blob(stmt, "blob").length, 4);
		assert_int_equal(stmt_int(stmt, "number"), 7);
		assert_int_equal(stmt_int(stmt, "number"), 7);
		assert_string_equal(stmt_text(stmt, "text"), "text");
		assert_int_equal(stmt_int(stmt, "number"), 7);
	}
}

static void
stmt__bind_null_replaces_a_value(void **state)
{
	AUTO(struct db, db_close) db = fresh(state);
	AUTO(struct db_connection, db_reader_release) reader = NULL;
	assert_int_equal(db_reader_acquire(db, &reader, NULL), FAULT_NONE);
	AUTO(struct stmt, stmt_done) stmt = start_values(reader, 7, "text", SPAN("blob", 4));
	stmt_again(stmt);
	stmt_bind_null(stmt, ":text");
	bool row = false;
	assert_int_equal(stmt_step(stmt, &row, NULL), FAULT_NONE);
	assert_true(row);
	assert_int_equal(stmt_int(stmt, "number"), 7);
	assert_true(stmt_null(stmt, "text"));
}

static void
stmt__ends_and_starts_again(void **state)
{
	AUTO(struct db, db_close) db = fresh(state);
	AUTO(struct db_connection, db_reader_release) reader = NULL;
	assert_int_equal(rows_write(db, "a", NULL), FAULT_NONE);
	assert_int_equal(db_reader_acquire(db, &reader, NULL), FAULT_NONE);
	AUTO(struct stmt, stmt_done) stmt = NULL;
	static const char sql[] = "SELECT actor FROM imports WHERE import_id = :id";
	assert_int_equal(stmt_prepare(reader, "by_id", sql, &stmt, NULL), FAULT_NONE);
	stmt_bind_text(stmt, ":id", "a");
	bool row = false;
	for (int i = 0; i < 2; i++) {
		assert_int_equal(stmt_step(stmt, &row, NULL), FAULT_NONE);
		assert_true(row);
		for (int past = 0; past < 3; past++) {
			assert_int_equal(stmt_step(stmt, &row, NULL), FAULT_NONE);
			assert_false(row);
		}
		stmt_again(stmt);
	}
	assert_int_equal(stmt_step(stmt, &row, NULL), FAULT_NONE);
	assert_int_equal(stmt_step(stmt, &row, NULL), FAULT_NONE);
	stmt_bind_text(stmt, ":id", "b"); /* after its end it may be bound at once */
	assert_int_equal(stmt_step(stmt, &row, NULL), FAULT_NONE);
	assert_false(row);
}

static void
stmt__named_statements_are_kept(void **state)
{
	AUTO(struct db, db_close) db = fresh(state);
	AUTO(struct db_connection, db_reader_release) reader = NULL;
	assert_int_equal(db_reader_acquire(db, &reader, NULL), FAULT_NONE);
	for (int i = 0; i < QUERIES; i++) {
		enum query query = (enum query)i;
		struct stmt *first = NULL, *second = NULL, *again = NULL;
		assert_int_equal(stmt_start(reader, query, &first, NULL), FAULT_NONE);
		assert_int_equal(stmt_start(reader, query, &second, NULL), FAULT_NONE);
		assert_ptr_not_equal(first, second);
		stmt_done(second);
		stmt_done(first);
		assert_int_equal(stmt_start(reader, query, &again, NULL), FAULT_NONE);
		assert_ptr_equal(again, first);
		stmt_done(again);
	}
	stmt_done(NULL);
}

static const struct {
	const char *sql;
	const char *words;
} wrong_statements[] = {
	{ "", "is empty" },
	{ "  -- nothing\n", "is empty" },
	{ "SELECT 1; SELECT 2", "more than one" },
	{ "SELECT 1; nonsense", "more than one" },
	{ "SELECT wrong FROM imports", "no such column" },
	{ "SELECT \"wrong\" FROM imports", "no such column" },
	{ "SELECT 1 FROM nowhere", "no such table" },
	{ "SELEC 1", "syntax error" },
	{ "SELECT ? AS n", "parameter 1" },
	{ "SELECT :a AS n, ?2 AS m", "parameter 2" },
	{ "SELECT @a AS n", "parameter 1" },
	{ "SELECT $a AS n", "parameter 1" },
	{ "SELECT 1 AS a, 2 AS b, 3 AS a", "two columns are named \"a\"" },
};

static void
stmt__wrong_statements_are_refused(void **state)
{
	AUTO(struct db, db_close) db = fresh(state);
	AUTO(struct db_connection, db_reader_release) reader = NULL;
	assert_int_equal(db_reader_acquire(db, &reader, NULL), FAULT_NONE);
	for (size_t i = 0; i < sizeof wrong_statements / sizeof *wrong_statements; i++) {
		struct stmt *stmt = NULL;
		struct fault fault = FAULT_INIT;
		assert_int_equal(stmt_prepare(reader, "wrong_one", wrong_statements[i].sql, &stmt, &fault), FAULT_DATABASE);
		assert_null(stmt);
		assert_non_null(strstr(fault.message, "statement wrong_one"));
		if (strstr(fault.message, wrong_statements[i].words) == NULL)
			fail_msg("%s: %s", wrong_statements[i].sql, fault.message);
	}
	AUTO(struct stmt, stmt_done) right = NULL;
	assert_int_equal(stmt_prepare(reader, "right_one", "SELECT 1 AS a; -- the end\n ", &right, NULL), FAULT_NONE);
}

struct attempt {
	const char *sql;
	enum fault_code code;
	const char *words;
};

static enum fault_code
try_statement(struct db_connection *connection, void *argument, struct fault *fault)
{
	const struct attempt *attempt = argument;
	AUTO(struct stmt, stmt_done) stmt = NULL;
	TRY(stmt_prepare(connection, "attempt", attempt->sql, &stmt, fault));
	return stmt_run(stmt, fault);
}

static struct attempt attempts[] = {
	{ "INSERT INTO imports (import_id, kind, state, actor, started_at) VALUES ('a', 'roas', 'done', 'x', 1)", FAULT_CONFLICT,
		"UNIQUE constraint failed: imports.import_id" },
	{ "INSERT INTO import_remarks VALUES ('a', 1, 'k', 't'), ('a', 1, 'k', 't')", FAULT_CONFLICT, "UNIQUE" },
	{ "INSERT INTO instance VALUES (1, 'u', x'00', 1, 1), (1, 'u', x'00', 1, 1)", FAULT_CONFLICT, "UNIQUE" },
	{ "INSERT INTO imports (import_id, kind, state, actor, started_at) VALUES ('b', 'x', 'done', 'x', 1)", FAULT_DATABASE,
		"CHECK" },
	{ "INSERT INTO imports (import_id, kind, state, started_at) VALUES ('b', 'roas', 'done', 1)", FAULT_DATABASE,
		"NOT NULL" },
	{ "INSERT INTO imports (import_id, kind, state, actor, started_at) VALUES ('b', 'roas', 'done', 'x', 'y')", FAULT_DATABASE,
		"cannot store TEXT" },
	{ "INSERT INTO import_remarks VALUES ('nobody', 1, 'k', 't')", FAULT_DATABASE, "FOREIGN KEY" },
};

static void
stmt__constraints_become_faults(void **state)
{
	AUTO(struct db, db_close) db = fresh(state);
	assert_int_equal(rows_write(db, "a", NULL), FAULT_NONE);
	for (size_t i = 0; i < sizeof attempts / sizeof *attempts; i++) {
		struct fault fault = FAULT_INIT;
		assert_int_equal(db_write(db, try_statement, &attempts[i], &fault), attempts[i].code);
		assert_int_equal(fault.code, attempts[i].code);
		assert_non_null(strstr(fault.message, "statement attempt: "));
		if (strstr(fault.message, attempts[i].words) == NULL)
			fail_msg("%s: %s", attempts[i].sql, fault.message);
	}
	assert_int_equal(rows_count_in(db), 1);
}

static enum fault_code
count_rows_changed(struct db_connection *connection, void *argument, struct fault *fault)
{
	int64_t *ids = argument;
	AUTO(struct stmt, stmt_done) insert = NULL;
	TRY(stmt_prepare(connection, "insert", "INSERT INTO audit (at, actor, action, outcome) VALUES (:at, 'a', 'b', 'done')",
		&insert, fault));
	for (int i = 0; i < 3; i++) { /* bound and run again, without more */
		stmt_bind_int(insert, ":at", 100 + i);
		TRY(stmt_run(insert, fault));
		ids[i] = stmt_inserted_id(connection);
	}
	AUTO(struct stmt, stmt_done) update = NULL;
	TRY(stmt_prepare(connection, "update", "UPDATE audit SET actor = 'c' WHERE at > 100", &update, fault));
	TRY(stmt_run(update, fault));
	ids[3] = stmt_changed_rows(connection);
	return FAULT_NONE;
}

static void
stmt__tells_ids_and_counts(void **state)
{
	AUTO(struct db, db_close) db = fresh(state);
	int64_t ids[4] = { 0 };
	assert_int_equal(db_write(db, count_rows_changed, ids, NULL), FAULT_NONE);
	assert_int_equal(ids[0], 1);
	assert_int_equal(ids[1], 2);
	assert_int_equal(ids[2], 3);
	assert_int_equal(ids[3], 2);
}

static enum fault_code
bind_too_much(struct db_connection *connection, void *argument, struct fault *fault)
{
	AUTO(struct stmt, stmt_done) stmt = NULL;
	TRY(stmt_prepare(connection, "insert_much", "INSERT INTO object_bytes VALUES (1, :der)", &stmt, fault));
	/* Longer than SQLite's limit of 10^9: refused before a byte of it is read. */
	stmt_bind_blob(stmt, ":der", SPAN(argument, 2000000000));
	return stmt_run(stmt, fault);
}

static void
stmt__failed_bind_is_told_by_the_step(void **state)
{
	AUTO(struct db, db_close) db = fresh(state);
	struct fault fault = FAULT_INIT;
	uint8_t byte = 0;
	assert_int_equal(db_write(db, bind_too_much, &byte, &fault), FAULT_DATABASE);
	assert_non_null(strstr(fault.message, "statement insert_much: binding"));
	assert_int_equal(rows_write(db, "after", &fault), FAULT_NONE);
}

/* What only a programmer gets wrong. */

enum mistake { COLUMN, PARAMETER, NO_ROW, ROW_OF_RUN, BIND_ON_ROW, DONE_TWICE, RELEASED_WITH_STMT, MISTAKES };

struct mistaken {
	void **state;
	enum mistake mistake;
};

static void
make_mistake(void *argument)
{
	struct mistaken *mistaken = argument;
	char name[32];
	(void)snprintf(name, sizeof name, "mistake-%d.db", mistaken->mistake);
	struct db *db = NULL;
	struct db_connection *reader = NULL;
	if (db_open(scratch_path(mistaken->state, name), true, &db, NULL) != FAULT_NONE)
		return;
	if (db_reader_acquire(db, &reader, NULL) != FAULT_NONE)
		return;
	struct stmt *stmt = start_values(reader, 1, "text", SPAN("blob", 4));
	switch (mistaken->mistake) {
	case COLUMN:
		(void)stmt_int(stmt, "numbers");
		break;
	case PARAMETER:
		stmt_again(stmt);
		stmt_bind_int(stmt, "number", 1);
		break;
	case NO_ROW:
		stmt_again(stmt);
		(void)stmt_int(stmt, "number");
		break;
	case ROW_OF_RUN:
		stmt_again(stmt);
		(void)!stmt_run(stmt, NULL);
		break;
	case BIND_ON_ROW:
		stmt_bind_int(stmt, ":number", 1);
		break;
	case DONE_TWICE: {
		struct stmt *kept = NULL;
		assert_int_equal(stmt_start(reader, (enum query)0, &kept, NULL), FAULT_NONE);
		stmt_done(kept);
		stmt_done(kept);
		break;
	}
	case RELEASED_WITH_STMT:
		db_reader_release(reader);
		break;
	case MISTAKES:
		break;
	}
}

static void
stmt__mistakes_are_noticed(void **state)
{
	for (enum mistake mistake = 0; mistake < MISTAKES; mistake++) {
		struct mistaken mistaken = { state, mistake };
		if (!scratch_dies(make_mistake, &mistaken))
			fail_msg("mistake %d was not noticed", mistake);
	}
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(stmt__mistakes_are_noticed), /* first: it forks */
		CASE(stmt__values_come_back),
		CASE(stmt__null_is_not_empty),
		CASE(stmt__columns_in_any_order),
		CASE(stmt__bind_null_replaces_a_value),
		CASE(stmt__ends_and_starts_again),
		CASE(stmt__named_statements_are_kept),
		CASE(stmt__wrong_statements_are_refused),
		CASE(stmt__constraints_become_faults),
		CASE(stmt__tells_ids_and_counts),
		CASE(stmt__failed_bind_is_told_by_the_step),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
