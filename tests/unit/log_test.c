#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <locale.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <wchar.h>

#include "ca/base/instant.h"
#include "ca/base/log.h"

#define THREADS 4
#define LINES_EACH 500
#define HEAD_LENGTH 25 /* "2026-11-23T23:16:00.123Z " */

/* stderr goes to a file in memory between start and stop. */
static int stderr_before, captured;
static char text[1 << 20];

static void
capture_start(void)
{
	captured = memfd_create("log", MFD_CLOEXEC);
	stderr_before = dup(STDERR_FILENO);
	assert_true(captured >= 0 && stderr_before >= 0);
	assert_int_equal(fcntl(captured, F_SETFL, O_APPEND), 0); /* such files don't guard their position otherwise */
	assert_int_equal(dup2(captured, STDERR_FILENO), STDERR_FILENO);
}

static size_t
capture_stop(void)
{
	assert_int_equal(dup2(stderr_before, STDERR_FILENO), STDERR_FILENO);
	ssize_t length = pread(captured, text, sizeof text - 1, 0);
	assert_true(length >= 0);
	text[length] = '\0';
	(void)close(captured);
	(void)close(stderr_before);
	return (size_t)length;
}

static void
log__a_line_is_time_level_and_words(void **state)
{
	(void)state;
	capture_start();
	log_write(LOG_WARNING, "%s has %d", "it", 3);
	capture_stop();
	assert_string_equal(text + HEAD_LENGTH, "warning: it has 3\n");
	assert_int_equal(text[19], '.');
	assert_int_equal(strspn(text + 20, "0123456789"), 3);
	memcpy(text + 19, "Z", 2);
	int64_t at;
	assert_true(instant_parse_rfc3339(text, &at));
}

static void
log__less_urgent_levels_are_not_printed(void **state)
{
	(void)state;
	capture_start();
	log_write(LOG_DEBUG, "hidden");
	log_set_level(LOG_DEBUG);
	log_write(LOG_DEBUG, "shown");
	log_set_level(LOG_ERROR);
	log_write(LOG_WARNING, "hidden too");
	log_write(LOG_ERROR, "shown too");
	log_set_level(LOG_INFO);
	capture_stop();
	assert_null(strstr(text, "hidden"));
	assert_non_null(strstr(text, " debug: shown\n"));
	assert_non_null(strstr(text, " error: shown too\n"));
}

static void
log__control_characters_are_escaped(void **state)
{
	(void)state;
	static const struct {
		const char *words, *printed;
	} cases[] = {
		{ "a\nb", "a\\x0ab" }, { "\r\t\x1b[2J", "\\x0d\\x09\\x1b[2J" }, { "\x7f", "\\x7f" },
		{ "\xc2\x9bK", "\\xc2\\x9bK" }, { "Zürich 日本", "Zürich 日本" }, { "\xc2\xa0\xc2", "\xc2\xa0\xc2" },
		{ "\xc2\x80\xc2\x85\xc2\x9f", "\\xc2\\x80\\xc2\\x85\\xc2\\x9f" }, { "", "" },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		capture_start();
		log_write(LOG_INFO, "%s", cases[i].words);
		size_t length = capture_stop();
		assert_int_equal(length, HEAD_LENGTH + strlen("info: \n") + strlen(cases[i].printed));
		assert_memory_equal(text + HEAD_LENGTH + 6, cases[i].printed, strlen(cases[i].printed));
		assert_int_equal(text[length - 1], '\n');
	}
}

static bool
is_whole_utf8(const char *words)
{
	mbstate_t between = { 0 };
	(void)setlocale(LC_CTYPE, "C.UTF-8");
	return mbsrtowcs(NULL, &words, 0, &between) != (size_t)-1;
}

static void
log__long_lines_are_cut_and_stay_one(void **state)
{
	(void)state;
	static const char *const fillers[] = { "x", "\n", "\x01", "\xc2\x9b", "\xe6\x97\xa5", "\xf0\x9f\x8c\x8d", "\x80" };
	for (size_t i = 0; i < sizeof fillers / sizeof *fillers; i++) {
		char words[20000] = "";
		while (strlen(words) + strlen(fillers[i]) < sizeof words)
			(void)strcat(words, fillers[i]);
		capture_start();
		log_write(LOG_INFO, "%s", words);
		size_t length = capture_stop();
		assert_in_range(length, 3000, 4096);
		assert_ptr_equal(strchr(text, '\n'), text + length - 1);
		char *cut = strstr(text, " [cut]\n");
		assert_non_null(cut);
		*cut = '\0';
		assert_true(is_whole_utf8(text) || fillers[i][0] == '\x80');
	}
}

static void
log__a_fault_is_told_whole(void **state)
{
	(void)state;
	struct fault fault = FAULT_INIT;
	char expected[200];
	assert_int_equal(fault_set(&fault, FAULT_DISK, "no room"), FAULT_DISK);
	(void)snprintf(expected, sizeof expected, " error: publishing: no room (disk, %s:%d)\n", __FILE__, fault.line);
	capture_start();
	log_fault(LOG_ERROR, &fault, "publishing");
	capture_stop();
	assert_non_null(strstr(text, expected));
	fault_clear(&fault);
	capture_start();
	log_fault(LOG_ERROR, &fault, "nothing");
	capture_stop();
	assert_non_null(strstr(text, "nothing:  (none, ?:0)\n"));
}

static void *
write_lines(void *argument)
{
	for (int i = 0; i < LINES_EACH; i++)
		log_write(LOG_INFO, "thread %d line %d of it and that is all", *(const int *)argument, i);
	return NULL;
}

static void
log__lines_of_many_threads_are_whole(void **state)
{
	(void)state;
	pthread_t threads[THREADS];
	int numbers[THREADS];
	bool seen[THREADS][LINES_EACH] = { { false } };
	capture_start();
	for (int i = 0; i < THREADS; i++) {
		numbers[i] = i;
		assert_int_equal(pthread_create(&threads[i], NULL, write_lines, &numbers[i]), 0);
	}
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	capture_stop();
	size_t lines = 0;
	for (char *line = text, *end; (end = strchr(line, '\n')) != NULL; line = end + 1, lines++) {
		int thread = -1, number = -1, used = 0;
		*end = '\0';
		line += HEAD_LENGTH;
		assert_int_equal(sscanf(line, "info: thread %d line %d of it and that is all%n", &thread, &number, &used), 2);
		assert_int_equal(used, strlen(line));
		assert_in_range(thread, 0, THREADS - 1);
		assert_in_range(number, 0, LINES_EACH - 1);
		assert_false(seen[thread][number]);
		seen[thread][number] = true;
	}
	assert_int_equal(lines, THREADS * LINES_EACH);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(log__a_line_is_time_level_and_words),
		cmocka_unit_test(log__less_urgent_levels_are_not_printed),
		cmocka_unit_test(log__control_characters_are_escaped),
		cmocka_unit_test(log__long_lines_are_cut_and_stay_one),
		cmocka_unit_test(log__a_fault_is_told_whole),
		cmocka_unit_test(log__lines_of_many_threads_are_whole),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
