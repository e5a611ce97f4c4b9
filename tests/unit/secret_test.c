#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "ca/base/secret.h"

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
		cmocka_unit_test(secret__wipe_leaves_zeros),
		cmocka_unit_test(secret__equal_looks_at_every_byte),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
