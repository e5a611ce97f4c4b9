#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "ca/lint/lint.h"

static void
lint_name__takes_names_of_files_on_manifests(void **state)
{
	(void)state;
	static const char *const names[] = {
		"a.cer", "a.crl", "a.roa", "a.asa", "a.gbr", "a.tak", "0123456789abcdefABCDEF.roa", "_.cer", "-.cer",
		"Az09_-.crl",
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.roa",
	};
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		if (!lint_object_name(names[i]))
			fail_msg("%s is refused", names[i]);
	}
	assert_int_equal(strlen(names[10]), 63);
}

static void
lint_name__refuses_other_names(void **state)
{
	(void)state;
	static const char *const names[] = {
		"", ".", "..", ".roa", "roa", "a", "a.", "a.r", "a.ro", "a.roaa", "aroa", "a..roa", "a.b.roa", "a/b.roa",
		"../a.roa", "/a.roa",
		"a b.roa", " a.roa", "a.roa ", "a.roa\n", "a\t.roa", "a.ROA", "a.Roa", "a.mft", "a.txt", "a.sig", "a.tal",
		"a.xml", "a+.roa",
		"a~.roa", "a%20.roa", "a:b.roa", "a\\b.roa", "\xc3\xa4.roa", "a\x7f.roa", "a.roa.cer", "a.cer.roa",
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.roa",
	};
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		if (lint_object_name(names[i]))
			fail_msg("%s is taken", names[i]);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lint_name__takes_names_of_files_on_manifests),
		cmocka_unit_test(lint_name__refuses_other_names),
	};
	return cmocka_run_group_tests_name("lint_name", tests, NULL, NULL);
}
