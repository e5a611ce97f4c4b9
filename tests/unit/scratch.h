/* scratch: a directory for one test case, gone afterwards with all that is in it. Made under $TMPDIR, or /tmp. */
#ifndef TESTS_UNIT_SCRATCH_H
#define TESTS_UNIT_SCRATCH_H

#include <stdbool.h>
#include <stddef.h>

/* For cmocka_unit_test_setup_teardown(case, scratch_setup, scratch_teardown): *state is its path. */
int scratch_setup(void **state);
int scratch_teardown(void **state);

/* A path in it: valid until the fourth next call. */
const char *scratch_path(void **state, const char *name);

/* Mounts a file system of so many bytes on it, seen by this process alone. False where that is not allowed: skip() then. */
bool scratch_mount(void **state, size_t size);
void scratch_mount_read_only(void **state, bool read_only);

/* Whether a function dies of a broken INVARIANT, tried in a child process. Nothing may have started a thread before. */
bool scratch_dies(void (*function)(void *argument), void *argument);

#endif
