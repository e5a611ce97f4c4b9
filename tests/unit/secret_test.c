#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ca/base/metrics.h"
#include "ca/base/secret.h"

#define NOBODY 65534

static void
secret__is_zeroed_and_writable_to_the_end(void **state)
{
	(void)state;
	static const size_t lengths[] = { 0, 1, 32, 4095, 4096, 4097, 100000 };
	for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
		AUTO(struct secret, secret_free) secret = NULL;
		assert_int_equal(secret_new(lengths[i], &secret, NULL), FAULT_NONE);
		assert_int_equal(secret->length, lengths[i]);
		for (size_t j = 0; j < lengths[i]; j++)
			assert_int_equal(secret->data[j], 0);
		memset(secret->data, 0xaa, lengths[i]);
	}
	secret_free(NULL);
}

static void
secret__absurd_sizes_are_faults(void **state)
{
	(void)state;
	struct secret *secret = NULL;
	assert_int_equal(secret_new(SIZE_MAX, &secret, NULL), FAULT_MEMORY);
	assert_int_equal(secret_new(SIZE_MAX / 2, &secret, NULL), FAULT_MEMORY);
	assert_null(secret);
}

/* The kernel says for each mapping what it was asked for: "dd" is left out of core dumps. (A sandbox may tell nothing.) */
static void
secret__is_left_out_of_core_dumps(void **state)
{
	(void)state;
	AUTO(struct secret, secret_free) secret = NULL;
	assert_int_equal(secret_new(32, &secret, NULL), FAULT_NONE);
	FILE *maps = fopen("/proc/self/smaps", "re");
	if (maps == NULL)
		return;
	char line[512];
	bool inside = false;
	while (fgets(line, sizeof line, maps) != NULL) {
		unsigned long start, end;
		if (sscanf(line, "%lx-%lx ", &start, &end) == 2)
			inside = (uintptr_t)secret->data >= start && (uintptr_t)secret->data < end;
		if (inside && strncmp(line, "VmFlags:", 8) == 0)
			assert_non_null(strstr(line, " dd"));
	}
	(void)fclose(maps);
}

/* As a process that may lock nothing: what it says on standard error goes to fd. Its exit code is 0 if all is as it should be. */
static int
take_unlockable_secrets(int fd)
{
	static char probe[4096];
	const struct rlimit none = { 0, 0 };
	struct secret *secrets[3] = { NULL };
	if (dup2(fd, STDERR_FILENO) < 0 || setrlimit(RLIMIT_MEMLOCK, &none) != 0 || (geteuid() == 0 && setuid(NOBODY) != 0))
		return 2;
	if (mlock(probe, sizeof probe) == 0)
		return 2;
	for (int i = 0; i < 3; i++) {
		if (secret_new(1200, &secrets[i], NULL) != FAULT_NONE)
			return 1;
		memset(secrets[i]->data, i, secrets[i]->length);
	}
	for (int i = 0; i < 3; i++)
		secret_free(secrets[i]);
	return metrics_get(METRIC_SECRETS_UNLOCKED) == 3 ? 0 : 1;
}

static void
secret__is_there_where_nothing_may_be_locked(void **state)
{
	(void)state;
	int pipe_ends[2], status = 0;
	char words[1000];
	size_t length = 0;
	assert_int_equal(pipe(pipe_ends), 0);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0)
		_exit(take_unlockable_secrets(pipe_ends[1]));
	(void)close(pipe_ends[1]);
	for (ssize_t n = 1; n > 0 && length < sizeof words - 1; length += (size_t)(n > 0 ? n : 0))
		n = read(pipe_ends[0], words + length, sizeof words - 1 - length);
	words[length] = '\0';
	(void)close(pipe_ends[0]);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 2)
		return; /* a sandbox that lets nobody become another user; a sanitiser, whose mlock() does nothing */
	assert_int_equal(WEXITSTATUS(status), 0);
	/* told once, not for each key */
	const char *first = strstr(words, "could not be locked");
	assert_non_null(first);
	assert_null(strstr(first + 1, "could not be locked"));
}

static void
secret__wipe_leaves_zeros(void **state)
{
	(void)state;
	uint8_t key[32];
	memset(key, 0x55, sizeof key);
	secret_wipe(key, sizeof key);
	for (size_t i = 0; i < sizeof key; i++)
		assert_int_equal(key[i], 0);
	secret_wipe(NULL, 0);
}

static void
secret__equal_looks_at_every_byte(void **state)
{
	(void)state;
	uint8_t a[32] = { 1, 2, 3 }, b[32] = { 1, 2, 3 };
	assert_true(secret_equal(a, b, sizeof a));
	assert_true(secret_equal(a, "", 0));
	for (size_t i = 0; i < sizeof b; i++) {
		b[i] ^= 0x80;
		assert_false(secret_equal(a, b, sizeof a));
		b[i] ^= 0x80;
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(secret__is_zeroed_and_writable_to_the_end),
		cmocka_unit_test(secret__absurd_sizes_are_faults),
		cmocka_unit_test(secret__is_left_out_of_core_dumps),
		cmocka_unit_test(secret__is_there_where_nothing_may_be_locked),
		cmocka_unit_test(secret__wipe_leaves_zeros),
		cmocka_unit_test(secret__equal_looks_at_every_byte),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
