/* Runs all mutations; each prints a line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/check/mutation.h"

static bool
expected(const char *kinds, const char *kind)
{
	size_t length = strlen(kind);
	for (const char *at = strstr(kinds, kind); at != NULL; at = strstr(at + 1, kind))
		if ((at == kinds || at[-1] == ' ') && (at[length] == ' ' || at[length] == '\0'))
			return true;
	return false;
}

/* Prints the line; what was found follows where it isn't what was expected. */
static bool
judge(const struct check_report *report, const char *name, const char *kinds)
{
	bool right = true;
	for (enum check_kind kind = 0; kind < CHECK_KINDS; kind++)
		right = right && (report->counts[kind] > 0) == expected(kinds, check_kind_name(kind));
	if (right)
		printf("ok mutation: %s\n", name);
	else
		printf("not ok mutation: %s: expected \"%s\"\n", name, kinds);
	for (size_t i = 0; !right && i < report->findings_count; i++)
		printf("    | %s %s: %s\n", check_kind_name(report->findings[i].kind), report->findings[i].place, report->findings[i].words);
	return right;
}

static bool
attempt(struct served *served, const struct mutation *mutation, bool objects)
{
	AUTO_CLEAR(struct check_report, check_report_clear) report = CHECK_REPORT_INIT;
	struct forge forge;
	forge_open(&forge, served);
	mutation->damage(&forge);
	if (objects)
		forge_write(&forge);
	struct check_request request = served_request(served);
	request.directory = forge.directory;
	if (objects) {
		request.db = NULL;
		request.without_rsync = true;
	}
	served_check(&request, &report);
	forge_close(&forge);
	return judge(&report, mutation->name, mutation->kinds);
}

static void
nothing(struct forge *forge)
{
	(void)forge;
}

static void
mutations(void **state)
{
	static const struct mutation none = { "none at all", nothing, "" }, rewritten = { "none, written anew", nothing, "" };
	size_t count, failed = 0;
	failed += !attempt(*state, &none, false);
	failed += !attempt(*state, &rewritten, true);
	const struct mutation *table = mutation_objects(&count);
	for (size_t i = 0; i < count; i++)
		failed += !attempt(*state, &table[i], true);
	table = mutation_files(&count);
	for (size_t i = 0; i < count; i++)
		failed += !attempt(*state, &table[i], false);
	mutation_clear();
	assert_int_equal(failed, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test_setup_teardown(mutations, served_open, served_close) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
