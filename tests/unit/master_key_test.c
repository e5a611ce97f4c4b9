#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ca/base/atomic_file.h"
#include "ca/keys/master_key.h"
#include "tests/unit/scratch.h"

#define GOOD "00112233445566778899aabbccddeeff00112233445566778899AABBCCDDEEFF"

static void
put(const char *path, const void *data, size_t length, mode_t mode)
{
	assert_int_equal(atomic_file_put(AT_FDCWD, path, SPAN(data, length), mode, ATOMIC_FILE_KEEP_TIME, NULL), FAULT_NONE);
}

static int
setup(void **state)
{
	assert_int_equal(unsetenv("CREDENTIALS_DIRECTORY"), 0);
	return scratch_setup(state);
}

static void
master_key__created_is_loaded(void **state)
{
	const char *path = scratch_path(state, "master.key");
	AUTO(struct secret, secret_free) key = NULL;
	AUTO(struct secret, secret_free) again = NULL;
	AUTO_CLEAR(struct bytes, bytes_clear) text = BYTES_INIT;
	struct stat status;
	assert_int_equal(master_key_create(AT_FDCWD, path, NULL), FAULT_NONE);
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0600);
	assert_int_equal(status.st_nlink, 1);
	assert_int_equal(atomic_file_read(AT_FDCWD, path, 1000, &text, NULL), FAULT_NONE);
	assert_int_equal(text.length, 65);
	assert_int_equal(text.data[64], '\n');
	assert_int_equal(master_key_load(AT_FDCWD, path, &key, NULL), FAULT_NONE);
	assert_int_equal(master_key_load(AT_FDCWD, path, &again, NULL), FAULT_NONE);
	assert_int_equal(key->length, MASTER_KEY_SIZE);
	assert_memory_equal(key->data, again->data, MASTER_KEY_SIZE);
}

static void
master_key__relative_to_a_directory(void **state)
{
	AUTO(struct secret, secret_free) key = NULL;
	AUTO_CLEAR(int, descriptor_close) directory = open(*state, O_RDONLY | O_DIRECTORY);
	assert_int_equal(master_key_create(directory, "master.key", NULL), FAULT_NONE);
	assert_int_equal(master_key_load(directory, "master.key", &key, NULL), FAULT_NONE);
}

/* A key that is there is never replaced, and no copy of the one that was not needed stays. */
static void
master_key__create_never_replaces(void **state)
{
	const char *path = scratch_path(state, "master.key");
	AUTO_CLEAR(struct bytes, bytes_clear) text = BYTES_INIT;
	put(path, "precious", 8, 0644);
	assert_int_equal(master_key_create(AT_FDCWD, path, NULL), FAULT_CONFLICT);
	assert_int_equal(atomic_file_read(AT_FDCWD, path, 1000, &text, NULL), FAULT_NONE);
	assert_string_equal(bytes_text(&text), "precious");
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink("nowhere", path), 0);
	assert_int_equal(master_key_create(AT_FDCWD, path, NULL), FAULT_CONFLICT);
	DIR *listing = opendir(*state);
	int files = 0;
	for (struct dirent *entry; (entry = readdir(listing)) != NULL;)
		files += entry->d_name[0] != '.';
	closedir(listing);
	assert_int_equal(files, 1);
	assert_int_equal(master_key_create(AT_FDCWD, scratch_path(state, "no/such/place"), NULL), FAULT_IO);
}

static void
master_key__load_says_what_is_wrong(void **state)
{
	static const struct {
		const char *text;
		size_t length;
		mode_t mode;
		const char *says;
	} bad[] = {
		{ GOOD "\n", 65, 0640, "chmod" },
		{ GOOD "\n", 65, 0604, "chmod" },
		{ GOOD "\n", 65, 0620, "chmod" },
		{ "", 0, 0600, "hexadecimal" },
		{ GOOD, 63, 0600, "hexadecimal" },
		{ GOOD "\n\n", 66, 0600, "hexadecimal" },
		{ GOOD " ", 65, 0600, "hexadecimal" },
		{ GOOD "\0", 65, 0600, "hexadecimal" },
		{ GOOD GOOD GOOD, 192, 0600, "hexadecimal" },
		{ "g0112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n", 65, 0600, "hexadecimal" },
		{ "00112233445566778899aabbccddeeff0011223344556677\0" "8899aabbccddeef\n", 65, 0600, "hexadecimal" },
	};
	const char *path = scratch_path(state, "master.key");
	struct secret *key = NULL;
	struct fault fault = FAULT_INIT;
	assert_int_equal(master_key_load(AT_FDCWD, path, &key, &fault), FAULT_KEY);
	assert_non_null(strstr(fault.message, "backup"));
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		put(path, bad[i].text, bad[i].length, bad[i].mode);
		assert_int_equal(master_key_load(AT_FDCWD, path, &key, &fault), FAULT_KEY);
		if (strstr(fault.message, bad[i].says) == NULL)
			fail_msg("row %zu: %s", i, fault.message);
		assert_null(strstr(fault.message, "00112233")); /* never a part of a key in a message */
	}
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(master_key_load(AT_FDCWD, path, &key, &fault), FAULT_KEY);
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(mkfifo(path, 0600), 0); /* must not wait for a writer */
	assert_int_equal(master_key_load(AT_FDCWD, path, &key, &fault), FAULT_KEY);
	assert_null(key);
}

static void
master_key__credential_goes_first(void **state)
{
	const char *path = scratch_path(state, "master.key");
	AUTO(struct secret, secret_free) key = NULL;
	AUTO(struct secret, secret_free) other = NULL;
	put(path, "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff\n", 65, 0600);
	assert_int_equal(setenv("CREDENTIALS_DIRECTORY", *state, 1), 0);
	/* The directory is there and not the credential: the file is read. */
	assert_int_equal(master_key_load(AT_FDCWD, path, &key, NULL), FAULT_NONE);
	assert_int_equal(key->data[0], 0xff);
	/* systemd's ACL shows as the group's bit */
	put(scratch_path(state, MASTER_KEY_CREDENTIAL), GOOD, 64, 0440);
	assert_int_equal(master_key_load(AT_FDCWD, path, &other, NULL), FAULT_NONE);
	assert_memory_equal(other->data, "\x00\x11\x22\x33", 4);
	/* A credential that is there and bad is no reason to take the file. */
	struct secret *none = NULL;
	put(scratch_path(state, MASTER_KEY_CREDENTIAL), "bad", 3, 0400);
	assert_int_equal(master_key_load(AT_FDCWD, path, &none, NULL), FAULT_KEY);
	put(scratch_path(state, MASTER_KEY_CREDENTIAL), GOOD, 64, 0444);
	assert_int_equal(master_key_load(AT_FDCWD, path, &none, NULL), FAULT_KEY);
	assert_int_equal(unsetenv("CREDENTIALS_DIRECTORY"), 0);
}

static struct secret *
key_of(uint8_t octet)
{
	struct secret *key = NULL;
	assert_int_equal(secret_new(MASTER_KEY_SIZE, &key, NULL), FAULT_NONE);
	memset(key->data, octet, key->length);
	return key;
}

static void
master_key__wraps_and_unwraps(void **state)
{
	(void)state;
	AUTO(struct secret, secret_free) key = key_of(1);
	uint8_t plain[3000];
	memset(plain, 0x42, sizeof plain);
	for (size_t length = 0; length <= sizeof plain; length += length < 40 ? 1 : 740) {
		AUTO_CLEAR(struct bytes, bytes_clear) wrapped = BYTES_INIT;
		AUTO_CLEAR(struct bytes, bytes_clear) again = BYTES_INIT;
		AUTO(struct secret, secret_free) unwrapped = NULL;
		assert_int_equal(master_key_wrap(key, "test", SPAN(plain, length), &wrapped, NULL), FAULT_NONE);
		assert_int_equal(wrapped.length, length + 28);
		assert_int_equal(master_key_unwrap(key, "test", bytes_span(&wrapped), &unwrapped, NULL), FAULT_NONE);
		assert_int_equal(unwrapped->length, length);
		assert_memory_equal(unwrapped->data, plain, length);
		/* A nonce never comes twice. */
		assert_int_equal(master_key_wrap(key, "test", SPAN(plain, length), &again, NULL), FAULT_NONE);
		assert_memory_not_equal(wrapped.data, again.data, 12);
	}
}

static void
master_key__unwrap_refuses_all_else(void **state)
{
	(void)state;
	AUTO(struct secret, secret_free) key = key_of(1);
	AUTO(struct secret, secret_free) wrong = key_of(2);
	AUTO_CLEAR(struct bytes, bytes_clear) wrapped = BYTES_INIT;
	struct secret *plain = NULL;
	assert_int_equal(master_key_wrap(key, "test", SPAN("private", 7), &wrapped, NULL), FAULT_NONE);
	assert_int_equal(master_key_unwrap(wrong, "test", bytes_span(&wrapped), &plain, NULL), FAULT_KEY);
	assert_int_equal(master_key_unwrap(key, "tesu", bytes_span(&wrapped), &plain, NULL), FAULT_KEY);
	assert_int_equal(master_key_unwrap(key, "", bytes_span(&wrapped), &plain, NULL), FAULT_KEY);
	for (size_t i = 0; i < 8 * wrapped.length; i++) {
		wrapped.data[i / 8] ^= (uint8_t)(1U << i % 8);
		assert_int_equal(master_key_unwrap(key, "test", bytes_span(&wrapped), &plain, NULL), FAULT_KEY);
		wrapped.data[i / 8] ^= (uint8_t)(1U << i % 8);
	}
	for (size_t length = 0; length < wrapped.length; length++)
		assert_int_equal(master_key_unwrap(key, "test", SPAN(wrapped.data, length), &plain, NULL), FAULT_KEY);
	AUTO(uint8_t, free) huge = calloc(1, 1 << 20);
	assert_int_equal(master_key_unwrap(key, "test", SPAN(huge, 1 << 20), &plain, NULL), FAULT_KEY);
	assert_null(plain);
}

/* Test case 15 of the GCM specification, joined to our form: so decrypting is not only the inverse of our encrypting. */
static void
master_key__is_aes_256_gcm(void **state)
{
	(void)state;
	static const char key_hex[] = "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308";
	static const char wrapped_hex[] = "cafebabefacedbaddecaf888"
		"522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
		"8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662898015ad"
		"b094dac5d93471bdec1a502270e3cc6c";
	static const char plain_hex[] = "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
		"1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b391aafd255";
	AUTO(struct secret, secret_free) key = key_of(0);
	AUTO(struct secret, secret_free) plain = NULL;
	uint8_t wrapped[92], expected[64];
	for (size_t i = 0; i < MASTER_KEY_SIZE; i++)
		assert_int_equal(sscanf(key_hex + 2 * i, "%2hhx", &key->data[i]), 1);
	for (size_t i = 0; i < sizeof wrapped; i++)
		assert_int_equal(sscanf(wrapped_hex + 2 * i, "%2hhx", &wrapped[i]), 1);
	for (size_t i = 0; i < sizeof expected; i++)
		assert_int_equal(sscanf(plain_hex + 2 * i, "%2hhx", &expected[i]), 1);
	assert_int_equal(master_key_unwrap(key, "", SPAN(wrapped, sizeof wrapped), &plain, NULL), FAULT_NONE);
	assert_int_equal(plain->length, sizeof expected);
	assert_memory_equal(plain->data, expected, sizeof expected);
}

static void
master_key__fingerprint_tells_keys_apart(void **state)
{
	(void)state;
	AUTO(struct secret, secret_free) key = key_of(1);
	AUTO(struct secret, secret_free) other = key_of(2);
	uint8_t a[32], b[32], c[32];
	assert_int_equal(master_key_fingerprint(key, a, NULL), FAULT_NONE);
	assert_int_equal(master_key_fingerprint(key, b, NULL), FAULT_NONE);
	assert_int_equal(master_key_fingerprint(other, c, NULL), FAULT_NONE);
	assert_memory_equal(a, b, sizeof a);
	assert_memory_not_equal(a, c, sizeof a);
	assert_memory_not_equal(a, key->data, sizeof a);
	/* Stored in databases: must stay the same for ever. */
	static const uint8_t known[] = { 0x75, 0x40, 0x3d, 0x26, 0x93, 0x63, 0x8b, 0x90, 0x11, 0x64, 0x02, 0x23, 0x1f, 0x95, 0xe7,
		0x9f, 0xd7, 0x1c, 0x7e, 0x3b, 0x42, 0x7c, 0x04, 0x0e, 0x2a, 0x28, 0x6b, 0xea, 0xb1, 0x41, 0xf4, 0x23 };
	assert_memory_equal(a, known, sizeof known);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(master_key__created_is_loaded, setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(master_key__relative_to_a_directory, setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(master_key__create_never_replaces, setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(master_key__load_says_what_is_wrong, setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(master_key__credential_goes_first, setup, scratch_teardown),
		cmocka_unit_test(master_key__wraps_and_unwraps),
		cmocka_unit_test(master_key__unwrap_refuses_all_else),
		cmocka_unit_test(master_key__is_aes_256_gcm),
		cmocka_unit_test(master_key__fingerprint_tells_keys_apart),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
