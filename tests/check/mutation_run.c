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

/* What a look at what changed leaves to a check of everything: rsync, and what was read before of files that no longer change. */
static bool
left_alone(const char *kind)
{
	return strncmp(kind, "rsync_", 6) == 0 || strncmp(kind, "gzip_", 5) == 0 || strncmp(kind, "delta_", 6) == 0;
}

/* Prints the line; what was found follows where it isn't what was expected. */
static bool
judge(const struct check_report *report, const char *name, const char *kinds, bool look)
{
	bool right = true;
	for (enum check_kind kind = 0; kind < CHECK_KINDS; kind++) {
		bool found = report->counts[kind] > 0, wanted = expected(kinds, check_kind_name(kind));
		right = right && (found == wanted || (look && wanted && left_alone(check_kind_name(kind))));
	}
	const char *how = look ? ", as a change" : "";
	if (right)
		printf("ok mutation: %s%s\n", name, how);
	else
		printf("not ok mutation: %s%s: expected \"%s\"\n", name, how, kinds);
	for (size_t i = 0; !right && i < report->findings_count; i++)
		printf("    | %s %s: %s\n", check_kind_name(report->findings[i].kind), report->findings[i].place, report->findings[i].words);
	return right;
}

/* What is served was right before the damage, and known to be: then it is found as a change, too. */
static void
look(struct served *served, const struct check_request *damaged, struct check_report *report)
{
	AUTO_CLEAR(struct check_report, check_report_clear) before = CHECK_REPORT_INIT;
	AUTO(struct check_known, check_known_free) known = NULL;
	struct check_request request = served_request(served);
	WORLD_OK(check_known_new(-1, &known, fault));
	request.known = known;
	served_check(&request, &before);
	assert_int_equal(before.findings_total, 0);
	request = *damaged;
	request.known = known;
	request.changed_only = request.without_rsync = true;
	served_check(&request, report);
}

static bool
attempt(struct served *served, const struct mutation *mutation, bool objects)
{
	AUTO_CLEAR(struct check_report, check_report_clear) report = CHECK_REPORT_INIT;
	AUTO_CLEAR(struct check_report, check_report_clear) looked = CHECK_REPORT_INIT;
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
	look(served, &request, &looked);
	forge_close(&forge);
	bool right = judge(&report, mutation->name, mutation->kinds, false);
	return judge(&looked, mutation->name, mutation->kinds, true) && right;
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
