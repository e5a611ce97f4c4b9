#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "publish/layout.h"

#define SESSION "0d1c2b3a-4f5e-4d7c-8b9a-a0b1c2d3e4f5"
#define RANDOM "00112233445566778899aabbccddeeff"

static void
layout__names_files(void **state)
{
	const struct publication_cut cut = { .serial = INT64_MAX, .random = RANDOM };
	char path[LAYOUT_PATH];
	(void)state;
	layout_rrdp(path, SESSION, &cut, layout_file_name(LAYOUT_SNAPSHOT));
	assert_string_equal(path, "rrdp/" SESSION "/9223372036854775807/" RANDOM "/snapshot.xml");
	layout_rrdp(path, SESSION, &cut, layout_file_name(LAYOUT_DELTA));
	assert_string_equal(path, "rrdp/" SESSION "/9223372036854775807/" RANDOM "/delta.xml");
	layout_rrdp(path, SESSION, &cut, NULL);
	assert_string_equal(path, "rrdp/" SESSION "/9223372036854775807/" RANDOM);
	layout_tree(path, "12");
	assert_string_equal(path, "rsync/12");
}

static void
layout__checks_names(void **state)
{
	static const char *const sessions[] = { "", "..", SESSION "0", "0d1c2b3a-4f5e-4d7c-8b9a-a0b1c2d3e4f",
		"0d1c2b3a/4f5e-4d7c-8b9a-a0b1c2d3e4f5",
		"0D1C2B3A-4F5E-4D7C-8B9A-A0B1C2D3E4F5" };
	static const char *const randoms[] = { "", "..", "0011223344556677889900aabbccdde", "00112233445566778899AABBCCDDEEFF",
		"../2233445566778899aabbccddeeff0", "0011223344556677889900aabbccddeg" };
	struct publication_cut cut = { .serial = 1, .random = RANDOM };
	(void)state;
	assert_int_equal(layout_check_names(SESSION, &cut, NULL), FAULT_NONE);
	for (size_t i = 0; i < sizeof sessions / sizeof *sessions; i++)
		assert_int_equal(layout_check_names(sessions[i], &cut, NULL), FAULT_DATABASE);
	for (size_t i = 0; i < sizeof randoms / sizeof *randoms; i++) {
		(void)snprintf(cut.random, sizeof cut.random, "%s", randoms[i]);
		assert_int_equal(layout_check_names(SESSION, &cut, NULL), FAULT_DATABASE);
	}
}

static void
layout__checks_object_paths(void **state)
{
	static const char *const good[] = { "a", "a.roa", "ta/ta.cer", "m-1/x_y/Z.mft", "a..b/c" };
	static const char *const bad[] = { "", "/", "/a", "a/", "a//b", ".", "..", "../a", "a/../b", "a/.", "a/.b", ".a", "a b",
		"a\\b", "a%2fb", "a&b",
		"a\n", "\xc3\xa4" };
	char longest[LAYOUT_OBJECT_PATH + 1];
	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof *good; i++)
		assert_int_equal(layout_check_object_path(good[i], NULL), FAULT_NONE);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (layout_check_object_path(bad[i], NULL) != FAULT_DATABASE)
			fail_msg("\"%s\" passes", bad[i]);
	assert_int_equal(layout_check_object_path(NULL, NULL), FAULT_DATABASE);
	memset(longest, 'a', sizeof longest);
	longest[LAYOUT_OBJECT_PATH - 1] = '\0';
	assert_int_equal(layout_check_object_path(longest, NULL), FAULT_NONE);
	longest[LAYOUT_OBJECT_PATH - 1] = 'a';
	longest[LAYOUT_OBJECT_PATH] = '\0';
	assert_int_equal(layout_check_object_path(longest, NULL), FAULT_DATABASE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(layout__names_files),
		cmocka_unit_test(layout__checks_names),
		cmocka_unit_test(layout__checks_object_paths),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
