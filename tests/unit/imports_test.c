#include "api/server/imports.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/feed_file.h"
#include "tests/unit/registry.h"

static void
imports__tries_again_later_and_later(void **state)
{
	static const int64_t waits_ms[] = { 1000, 2000, 4000, 8000, 16000, 30000, 30000 };
	struct imports_tries tries = { .wait_ms = 0 };
	(void)state;
	assert_false(imports_tried(&tries, FAULT_NONE));
	assert_int_equal(tries.wait_ms, 60000);
	for (size_t i = 0; i < sizeof waits_ms / sizeof *waits_ms; i++) {
		assert_int_equal(imports_tried(&tries, FAULT_IO), i == 0);
		assert_int_equal(tries.wait_ms, waits_ms[i]);
	}
	/* Another trouble is told, and that it is over; then it begins anew. */
	assert_true(imports_tried(&tries, FAULT_DISK));
	assert_int_equal(tries.wait_ms, 30000);
	assert_true(imports_tried(&tries, FAULT_NONE));
	assert_int_equal(tries.wait_ms, 60000);
	assert_true(imports_tried(&tries, FAULT_DISK));
	assert_int_equal(tries.wait_ms, 1000);
}

static void
imports__files_of_ended_ones_go(void **state)
{
	struct registry *registry = *state;
	static const char *const names[] = {
		"imports/00000000-0000-4000-8000-000000000000", "imports/00000000-0000-4000-8000-000000000000.tmp-77", "imports/notes",
		"imports/1.part",
	};
	static const bool stays[] = { false, false, true, true };
	char id[IMPORT_ID_SIZE], name[100], root[300];
	(void)snprintf(root, sizeof root, "%s", registry_path(registry, "."));
	assert_int_equal(imports_clean(&registry->context, root, NULL), FAULT_NONE); /* there is no such directory */
	assert_int_equal(mkdir(registry_path(registry, "imports"), 0700), 0);
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		feed_file_write(registry_path(registry, names[i]), "x");
	assert_int_equal(import_start(&registry->context, &registry_operator, IMPORT_STATS, id, NULL), FAULT_NONE);
	(void)snprintf(name, sizeof name, "imports/%s", id);
	feed_file_write(registry_path(registry, name), "x");
	assert_int_equal(imports_clean(&registry->context, root, NULL), FAULT_NONE);
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		assert_int_equal(access(registry_path(registry, names[i]), F_OK) == 0, stays[i]);
	assert_int_equal(access(registry_path(registry, name), F_OK), 0);
	registry_sql(registry, "UPDATE imports SET state = 'issuing'");
	assert_int_equal(imports_clean(&registry->context, root, NULL), FAULT_NONE);
	assert_int_equal(access(registry_path(registry, name), F_OK), -1);
	assert_int_equal(unlink(registry_path(registry, names[2])) + unlink(registry_path(registry, names[3])), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(imports__tries_again_later_and_later),
		cmocka_unit_test_setup_teardown(imports__files_of_ended_ones_go, registry_setup, registry_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
