#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <wchar.h>

#include "ca/base/fault.h"

static enum fault_code
conflict(struct fault *fault)
{
	return fault_set(fault, FAULT_CONFLICT, "%s is taken by %d", "that", 7);
}

static enum fault_code
conflict_below(struct fault *fault, int *reached)
{
	TRY(FAULT_NONE);
	++*reached;
	TRY(conflict(fault));
	++*reached;
	return FAULT_NONE;
}

static void
fault__set_records_code_words_and_place(void **state)
{
	(void)state;
	struct fault fault = FAULT_INIT;
	assert_int_equal(conflict(&fault), FAULT_CONFLICT);
	assert_int_equal(fault.code, FAULT_CONFLICT);
	assert_string_equal(fault.message, "that is taken by 7");
	assert_string_equal(fault.file, __FILE__);
	assert_true(fault.line > 0 && fault.line < __LINE__);
}

static void
fault__null_tells_only_the_code(void **state)
{
	(void)state;
	assert_int_equal(conflict(NULL), FAULT_CONFLICT);
	assert_int_equal(fault_set_errno(NULL, ENOSPC, "can't write"), FAULT_DISK);
	fault_clear(NULL);
}

static void
fault__try_returns_at_the_first_failure(void **state)
{
	(void)state;
	struct fault fault = FAULT_INIT;
	int reached = 0;
	assert_int_equal(conflict_below(&fault, &reached), FAULT_CONFLICT);
	assert_int_equal(reached, 1);
}

static void
fault__long_messages_are_cut(void **state)
{
	(void)state;
	struct fault fault = FAULT_INIT;
	char words[2000];
	memset(words, 'x', sizeof words - 1);
	words[sizeof words - 1] = '\0';
	assert_int_equal(fault_set(&fault, FAULT_IO, "%s", words), FAULT_IO);
	assert_int_equal(strlen(fault.message), sizeof fault.message - 1);
	assert_int_equal(fault_prefix(&fault, "line %d: ", 12), FAULT_IO);
	assert_int_equal(strlen(fault.message), sizeof fault.message - 1);
	assert_memory_equal(fault.message, "line 12: xxx", 12);
	assert_int_equal(fault_prefix(&fault, "%s", words), FAULT_IO);
	assert_int_equal(strlen(fault.message), sizeof fault.message - 1);
}

static bool
ends_with_whole_character(const char *text)
{
	mbstate_t between = { 0 };
	return mbsrtowcs(NULL, &text, 0, &between) != (size_t)-1;
}

/* Replies are JSON, which takes nothing but whole UTF-8 characters. */
static void
fault__long_messages_are_cut_between_characters(void **state)
{
	(void)state;
	assert_non_null(setlocale(LC_CTYPE, "C.UTF-8"));
	static const char *const characters[] = { "é", "日", "🌍" };
	for (size_t i = 0; i < sizeof characters / sizeof *characters; i++)
		for (size_t shift = 0; shift < 4; shift++) {
			struct fault fault = FAULT_INIT;
			char words[2000] = "";
			for (size_t length = 0; length + 5 < sizeof words; length = strlen(words))
				(void)strcat(words, length < shift ? "x" : characters[i]);
			assert_int_equal(fault_set(&fault, FAULT_IO, "%s", words), FAULT_IO);
			assert_true(ends_with_whole_character(fault.message));
			assert_in_range(strlen(fault.message), 500, 511);
			assert_int_equal(fault_prefix(&fault, "line %d: ", 12), FAULT_IO);
			assert_true(ends_with_whole_character(fault.message));
			assert_int_equal(fault_set_errno(&fault, EIO, "%s", words), FAULT_IO);
			assert_true(ends_with_whole_character(fault.message));
			assert_non_null(strstr(fault.message, strerror(EIO)));
		}
}

static void
fault__prefix_keeps_code_and_place(void **state)
{
	(void)state;
	struct fault fault = FAULT_INIT;
	assert_int_equal(conflict(&fault), FAULT_CONFLICT);
	int line = fault.line;
	assert_int_equal(fault_prefix(&fault, "line %d: ", 3), FAULT_CONFLICT);
	assert_string_equal(fault.message, "line 3: that is taken by 7");
	assert_int_equal(fault.line, line);
}

static void
fault__errno_of_a_disk_is_told_apart(void **state)
{
	(void)state;
	static const struct {
		int error;
		enum fault_code code;
	} cases[] = {
		{ ENOSPC, FAULT_DISK }, { EDQUOT, FAULT_DISK }, { EROFS, FAULT_DISK }, { EFBIG, FAULT_DISK },
		{ EIO, FAULT_IO }, { EACCES, FAULT_IO }, { ENOENT, FAULT_IO },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct fault fault = FAULT_INIT;
		char expected[200];
		assert_int_equal(fault_set_errno(&fault, cases[i].error, "can't write %s", "a"), cases[i].code);
		(void)snprintf(expected, sizeof expected, "can't write a: %s", strerror(cases[i].error));
		assert_string_equal(fault.message, expected);
	}
}

static void
fault__clear_forgets(void **state)
{
	(void)state;
	struct fault fault = FAULT_INIT;
	assert_int_equal(conflict(&fault), FAULT_CONFLICT);
	fault_clear(&fault);
	assert_int_equal(fault.code, FAULT_NONE);
	assert_string_equal(fault.message, "");
}

/* Clients rely on the types; HTTP replies and problem documents on status and hint. */
static void
fault__every_code_has_type_status_and_hint(void **state)
{
	(void)state;
	assert_string_equal(fault_type(FAULT_NONE), "none");
	assert_int_equal(fault_http_status(FAULT_NONE), 200);
	for (enum fault_code code = FAULT_NONE + 1; code < FAULT_CODES; code++) {
		const char *type = fault_type(code);
		assert_int_equal(strspn(type, "abcdefghijklmnopqrstuvwxyz-"), strlen(type));
		assert_in_range(fault_http_status(code), 400, 599);
		assert_true(strlen(fault_hint(code)) > 0);
		for (enum fault_code other = FAULT_NONE; other < code; other++)
			assert_string_not_equal(type, fault_type(other));
	}
	assert_string_equal(fault_type(FAULT_PRECONDITION), "precondition-failed");
	assert_int_equal(fault_http_status(FAULT_PRECONDITION), 412);
	assert_true(fault_may_retry(FAULT_BUSY));
	assert_false(fault_may_retry(FAULT_INVALID));
}

static void
break_invariant(void)
{
	const struct rlimit no_core = { 0, 0 };
	int null = open("/dev/null", O_WRONLY);
	(void)setrlimit(RLIMIT_CORE, &no_core);
	(void)signal(SIGABRT, SIG_DFL);
	(void)dup2(null, STDERR_FILENO);
	INVARIANT(1 + 1 == 3);
	_exit(0);
}

static void
fault__a_broken_invariant_aborts(void **state)
{
	(void)state;
	INVARIANT(1 + 1 == 2);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0)
		break_invariant();
	int status;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGABRT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fault__set_records_code_words_and_place),
		cmocka_unit_test(fault__null_tells_only_the_code),
		cmocka_unit_test(fault__try_returns_at_the_first_failure),
		cmocka_unit_test(fault__long_messages_are_cut),
		cmocka_unit_test(fault__long_messages_are_cut_between_characters),
		cmocka_unit_test(fault__prefix_keeps_code_and_place),
		cmocka_unit_test(fault__errno_of_a_disk_is_told_apart),
		cmocka_unit_test(fault__clear_forgets),
		cmocka_unit_test(fault__every_code_has_type_status_and_hint),
		cmocka_unit_test(fault__a_broken_invariant_aborts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
