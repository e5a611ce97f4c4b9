/*
 * The plan of every named statement: none reads a whole table or index, or builds an index for itself, unless its text says why in
 * a line "-- scan: <why>". The plans are those of an empty database: nothing ever runs ANALYZE, so SQLite has no others.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "ca/base/memory.h"
#include "db/connection.h"
#include "tests/unit/rows.h"
#include "tests/unit/scratch.h"

#define ALLOWANCE "-- scan: "
#define FINDINGS_MAX 4000

static bool
starts_with(const char *text, const char *start)
{
	return strncmp(text, start, strlen(start)) == 0;
}

/* Whether the statement calls `table` by the name `alias`: "table alias" or "table AS alias". */
static bool
calls(const char *sql, const char *table, const char *alias)
{
	for (const char *at = strstr(sql, table); at != NULL; at = strstr(at + 1, table)) {
		const char *next = at + strlen(table);
		next += strspn(next, " \n\t");
		if (starts_with(next, "AS "))
			next += strlen("AS ");
		if (starts_with(next, alias) && strchr(" \n\t,);", next[strlen(alias)]) != NULL)
			return true;
	}
	return false;
}

/* Whether the plan makes this table by itself, of a subquery or a WITH: reading that whole is no matter. */
static bool
makes(const char *sql, const char *plan, const char *name)
{
	static const char *const words[] = { "CO-ROUTINE %127s", "MATERIALIZE %127s" };
	for (const char *line = plan; *line != '\0'; line += strcspn(line, "\n") + 1)
		for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
			char made[128];
			if (sscanf(line, words[i], made) == 1 && (strcmp(made, name) == 0 || calls(sql, made, name)))
				return true;
		}
	return false;
}

/*
 * A line of EXPLAIN QUERY PLAN; plan: all of them. A search names what it searches by in brackets: without them it is the reading
 * from one end that min() and max() do, which ends at the first row that fits, or at the last.
 */
static bool
reads_all(const char *sql, const char *plan, const char *line)
{
	char text[256], name[128] = "";
	(void)snprintf(text, sizeof text, "%.*s", (int)strcspn(line, "\n"), line);
	if (strstr(text, " AUTOMATIC ") != NULL)
		return true;
	if (starts_with(text, "SEARCH "))
		return strchr(text, '(') == NULL;
	if (sscanf(text, "SCAN %127s", name) != 1)
		return false;
	return strstr(text, "CONSTANT ROW") == NULL && !starts_with(name, "(subquery-") && !makes(sql, plan, name);
}

static char *
explain(struct db_connection *connection, const char *name, const char *sql)
{
	AUTO(char, free) text = NULL;
	AUTO(struct stmt, stmt_done) stmt = NULL;
	AUTO_CLEAR(struct bytes, bytes_clear) plan = BYTES_INIT;
	struct fault fault = FAULT_INIT;
	assert_int_equal(memory_printf(&text, NULL, "EXPLAIN QUERY PLAN %s", sql), FAULT_NONE);
	if (stmt_prepare(connection, name, text, &stmt, &fault) != FAULT_NONE)
		fail_msg("%s", fault.message);
	for (;;) {
		bool row;
		assert_int_equal(stmt_step(stmt, &row, NULL), FAULT_NONE);
		if (!row)
			return strdup(bytes_text(&plan));
		assert_int_equal(bytes_printf(&plan, NULL, "%s\n", stmt_text(stmt, "detail")), FAULT_NONE);
	}
}

/* NULL, or what is wrong with a statement: the line of its plan, or an allowance that it doesn't need. */
static const char *
judge(const char *sql, const char *plan, char ret_line[256])
{
	bool allowed = strstr(sql, ALLOWANCE) != NULL, needed = false;
	for (const char *line = plan; *line != '\0'; line += strcspn(line, "\n") + 1) {
		if (!reads_all(sql, plan, line))
			continue;
		needed = true;
		(void)snprintf(ret_line, 256, "%.*s", (int)strcspn(line, "\n"), line);
		if (!allowed)
			return ret_line;
	}
	return allowed && !needed ? "says \"" ALLOWANCE "\" and scans nothing" : NULL;
}

/*
 * Plans show the look-ups of foreign keys too, which may find a DELETE that reads a child table whole. Those of an INSERT are only
 * carried out while a deferred reference waits, which none of ours does: it is explained without them.
 */

struct planner {
	struct db_connection *with_references, *without;
};

static void
planner_open(void **state, struct planner *planner)
{
	struct db *db = NULL;
	struct fault fault = FAULT_INIT;
	const char *path = scratch_path(state, "cadastre.db");
	if (db_open(path, true, &db, &fault) != FAULT_NONE)
		fail_msg("%s", fault.message);
	db_close(db);
	assert_int_equal(connection_open(path, &planner->with_references, NULL), FAULT_NONE);
	assert_int_equal(connection_configure(planner->with_references, CONNECTION_READER, NULL), FAULT_NONE);
	assert_int_equal(connection_open(path, &planner->without, NULL), FAULT_NONE);
}

static void
planner_close(struct planner *planner)
{
	connection_close(planner->with_references);
	connection_close(planner->without);
}

static char *
plan_of(const struct planner *planner, const char *name, const char *sql)
{
	const char *start = sql;
	while (starts_with(start, "--"))
		start += strcspn(start, "\n") + 1;
	return explain(starts_with(start, "INSERT INTO ") ? planner->without : planner->with_references, name, sql);
}

static void
query_plans__no_unexplained_scan(void **state)
{
	AUTO_CLEAR(struct planner, planner_close) planner = { NULL, NULL };
	planner_open(state, &planner);
	char findings[FINDINGS_MAX] = "";
	for (int query = 0; query < QUERIES; query++) {
		const struct query_text *text = &query_texts[query];
		AUTO(char, free) plan = plan_of(&planner, text->name, text->sql);
		char line[256];
		const char *finding = judge(text->sql, plan, line);
		size_t used = strlen(findings);
		if (finding != NULL)
			(void)snprintf(findings + used, sizeof findings - used, "\n  %s: %s", text->name, finding);
	}
	if (findings[0] != '\0')
		fail_msg("explain with a line \"" ALLOWANCE "<why>\", or give it an index:%s", findings);
}

/* The judge itself. */
static const struct {
	const char *sql;
	bool good;
} judged[] = {
	{ "SELECT handle FROM cas WHERE ca_id = :ca_id", true },
	{ "SELECT handle FROM cas", false },
	{ "SELECT ca_id FROM cas WHERE directory > '' OR resources IS NULL", false },
	{ "SELECT count(*) AS n FROM cas WHERE set_aside_at IS NOT NULL", false }, /* a small index, but whole */
	{ "-- scan: few are\nSELECT count(*) AS n FROM cas WHERE set_aside_at IS NOT NULL", true },
	{ "-- scan: not so\nSELECT handle FROM cas WHERE ca_id = :ca_id", false },
	{ "SELECT version FROM cas WHERE ca_id = :ca_id AND EXISTS (SELECT 1 FROM audit a WHERE a.at > 0)", false },
	{ "SELECT 1 AS one", true },
	{ "INSERT INTO import_remarks VALUES ('a', 1, 'b', 'c'), ('a', 2, 'b', 'c')", true },
	{ "INSERT INTO import_remarks SELECT import_id, 1, 'a', 'b' FROM imports", false },
	{ "UPDATE cas SET version = version + 1", false },
	{ "UPDATE cas SET version = version + 1 WHERE ca_id = :ca_id", true },
	{ "DELETE FROM tokens WHERE name = :name", false },
	{ "WITH few AS MATERIALIZED (SELECT ca_id FROM holdings WHERE ca_id = :ca_id) SELECT * FROM few", true },
	{ "WITH RECURSIVE up (id) AS (SELECT :id UNION ALL SELECT parent_id FROM cas JOIN up ON ca_id = id) SELECT id FROM up", true },
	{ "SELECT n FROM (SELECT count(*) AS n FROM holdings WHERE ca_id = :ca_id LIMIT 5) WHERE n > 1", true },
	{ "SELECT c.id FROM (SELECT max(ca_id) AS id FROM holdings WHERE ca_id = :ca_id GROUP BY family) c", true },
	{ "WITH few AS MATERIALIZED (SELECT ca_id FROM holdings WHERE ca_id = :ca_id) SELECT f.ca_id FROM few f", true },
	{ "WITH few AS MATERIALIZED (SELECT ca_id FROM holdings WHERE ca_id = :ca_id) SELECT version FROM few JOIN cas c", false },
	{ "SELECT max(audit_id) AS n FROM audit", false },
	{ "-- scan: its last row only\nSELECT max(audit_id) AS n FROM audit", true },
	{ "SELECT min(audit_id) AS n FROM audit WHERE actor = :actor", false },
	{ "SELECT min(serial) AS n FROM cuts WHERE repository_id = :id", true },
	{ "INSERT INTO cas (handle, kind, repository_id, directory, created_at) VALUES ('a', 'ta', 1, 'a/', 1) RETURNING ca_id", true },
	{ "-- scan: none\nINSERT INTO keys (ca_id, spki, key_identifier, created_at) VALUES (1, x'00', x'00', 1)", false },
	{ "DELETE FROM cas WHERE ca_id = :ca_id", false }, /* objects that refer to it are looked for, one by one */
	{ "DELETE FROM objects WHERE object_id = :object_id", true },
	/* An automatic index. */
	{ "SELECT i.error FROM import_remarks r JOIN imports i ON i.error = r.text WHERE r.import_id = :id", false },
};

static void
query_plans__scans_are_found(void **state)
{
	AUTO_CLEAR(struct planner, planner_close) planner = { NULL, NULL };
	planner_open(state, &planner);
	for (size_t i = 0; i < sizeof judged / sizeof *judged; i++) {
		AUTO(char, free) plan = plan_of(&planner, "judged", judged[i].sql);
		char line[256];
		if ((judge(judged[i].sql, plan, line) == NULL) != judged[i].good)
			fail_msg("%s\n%s", judged[i].sql, plan);
	}
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(query_plans__no_unexplained_scan),
		CASE(query_plans__scans_are_found),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
