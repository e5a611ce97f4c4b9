#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* after what it needs */
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "ca/base/atomic_file.h"
#include "tests/unit/printed.h"
#include "tests/unit/scratch.h"

const char *
printed(void **state, void (*function)(const json_t *value), const char *json)
{
	static char text[4000];
	AUTO_CLEAR(struct bytes, bytes_clear) file = BYTES_INIT;
	const char *path = scratch_path(state, "output");
	json_t *value = json_loads(json, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
	assert_non_null(value);
	int kept = dup(STDOUT_FILENO), to = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(kept >= 0 && to >= 0);
	(void)fflush(stdout);
	assert_int_equal(dup2(to, STDOUT_FILENO), STDOUT_FILENO);
	function(value);
	(void)fflush(stdout);
	assert_int_equal(dup2(kept, STDOUT_FILENO), STDOUT_FILENO);
	(void)close(kept);
	(void)close(to);
	json_decref(value);
	assert_int_equal(atomic_file_read(AT_FDCWD, path, sizeof text - 1, &file, NULL), FAULT_NONE);
	(void)snprintf(text, sizeof text, "%s", bytes_text(&file));
	return text;
}
