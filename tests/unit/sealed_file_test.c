#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "ca/base/memory.h"
#include "ca/keys/sealed_file.h"
#include "tests/unit/scratch.h"

#define CASE(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)
#define CHUNK 65536
#define TAG 16
#define COST SEALED_FILE_COST_MIN /* the tests' time is dear */

static struct secret *
secret_of(const char *text)
{
	struct secret *secret;
	assert_int_equal(secret_new(strlen(text), &secret, NULL), FAULT_NONE);
	memcpy(secret->data, text, strlen(text));
	return secret;
}

/* A pattern that no two chunks share. */
static uint8_t
octet_at(size_t i)
{
	return (uint8_t)(i * 31 + (i >> 16) * 7 + (i >> 8));
}

static void
seal(const char *path, enum sealed_method method, const char *words, size_t length)
{
	AUTO_CLEAR(struct atomic_file, atomic_file_clear) file = ATOMIC_FILE_INIT;
	AUTO(struct sealed_writer, sealed_writer_free) writer = NULL;
	AUTO(struct secret, secret_free) secret = secret_of(words);
	AUTO(uint8_t, free) plain = NULL;
	struct sealed_secret sealed = { .method = method, .secret = secret, .cost = COST };
	assert_int_equal(memory_new(length + 1, 1, &plain, NULL), FAULT_NONE);
	for (size_t i = 0; i < length; i++)
		plain[i] = octet_at(i);
	assert_int_equal(atomic_file_open(&file, AT_FDCWD, path, 0600, NULL), FAULT_NONE);
	assert_int_equal(sealed_writer_new(&file, &sealed, &writer, NULL), FAULT_NONE);
	/* In uneven parts. */
	for (size_t done = 0; done < length;) {
		size_t part = length - done < 9973 ? length - done : 9973;
		assert_int_equal(sealed_writer_write(writer, plain + done, part, NULL), FAULT_NONE);
		done += part;
	}
	assert_int_equal(sealed_writer_finish(writer, NULL), FAULT_NONE);
	assert_int_equal(atomic_file_commit(&file, ATOMIC_FILE_KEEP_TIME, NULL), FAULT_NONE);
}

/* What reading all of it ends with; every byte that is given out before must be the right one. */
static enum fault_code
unseal(const char *path, enum sealed_method method, const char *words, size_t *ret_length, struct fault *fault)
{
	AUTO_CLEAR(int, descriptor_close) fd = open(path, O_RDONLY | O_CLOEXEC);
	AUTO(struct sealed_reader, sealed_reader_free) reader = NULL;
	AUTO(struct secret, secret_free) secret = secret_of(words);
	struct sealed_secret sealed = { .method = method, .secret = secret };
	size_t length = 0;
	assert_true(fd >= 0);
	enum fault_code code = sealed_reader_new(fd, &sealed, &reader, fault);
	for (size_t n = 1; code == FAULT_NONE && n > 0;) {
		uint8_t buffer[4099];
		code = sealed_reader_read(reader, buffer, sizeof buffer, &n, fault);
		for (size_t i = 0; code == FAULT_NONE && i < n; i++)
			assert_int_equal(buffer[i], octet_at(length + i));
		length += code == FAULT_NONE ? n : 0;
	}
	*ret_length = length;
	return code;
}

static enum fault_code
fault_of(const char *path, const char *expected)
{
	struct fault fault = FAULT_INIT;
	size_t length;
	enum fault_code code = unseal(path, SEALED_PASSPHRASE, "correct horse", &length, &fault);
	if (expected != NULL && strstr(fault.message, expected) == NULL)
		fail_msg("\"%s\" doesn't say \"%s\"", fault.message, expected);
	return code;
}

static size_t
sealed_size(size_t length)
{
	return SEALED_FILE_HEADER + length + (length / CHUNK + 1) * TAG;
}

static void
sealed_file__gives_back_what_was_put_in(void **state)
{
	static const size_t lengths[] = { 0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK, 3 * CHUNK + 17 };
	const char *path = scratch_path(state, "sealed");
	for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
		enum sealed_method method = i % 2 == 0 ? SEALED_PASSPHRASE : SEALED_KEY_FILE;
		size_t length;
		seal(path, method, "correct horse battery staple, long enough", lengths[i]);
		AUTO_CLEAR(int, descriptor_close) fd = open(path, O_RDONLY | O_CLOEXEC);
		assert_int_equal(lseek(fd, 0, SEEK_END), sealed_size(lengths[i]));
		assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
		enum sealed_method found;
		assert_int_equal(sealed_reader_method(fd, &found, NULL), FAULT_NONE);
		assert_int_equal(found, method);
		assert_int_equal(lseek(fd, 0, SEEK_CUR), 0);
		assert_int_equal(unseal(path, method, "correct horse battery staple, long enough", &length, NULL), FAULT_NONE);
		assert_int_equal(length, lengths[i]);
	}
}

static void
sealed_file__tells_a_wrong_secret(void **state)
{
	const char *path = scratch_path(state, "sealed");
	struct fault fault = FAULT_INIT;
	size_t length;
	seal(path, SEALED_PASSPHRASE, "correct horse", 100);
	assert_int_equal(unseal(path, SEALED_PASSPHRASE, "correct horsf", &length, &fault), FAULT_KEY);
	assert_non_null(strstr(fault.message, "not the passphrase"));
	assert_int_equal(unseal(path, SEALED_PASSPHRASE, "correct horse ", &length, NULL), FAULT_KEY);
	assert_int_equal(unseal(path, SEALED_KEY_FILE, "correct horse", &length, &fault), FAULT_KEY);
	assert_non_null(strstr(fault.message, "--passphrase-file"));
	seal(path, SEALED_KEY_FILE, "a key of thirty-two octets or more", 100);
	assert_int_equal(unseal(path, SEALED_KEY_FILE, "a key of thirty-two octets or mor", &length, &fault), FAULT_KEY);
	assert_non_null(strstr(fault.message, "not the key file"));
	assert_int_equal(unseal(path, SEALED_PASSPHRASE, "a key of thirty-two octets or more", &length, &fault), FAULT_KEY);
	assert_non_null(strstr(fault.message, "--key-file"));
}

/* The same content twice looks different: salt and key are the file's own. */
static void
sealed_file__is_never_the_same_twice(void **state)
{
	AUTO_CLEAR(struct bytes, bytes_clear) first = BYTES_INIT;
	AUTO_CLEAR(struct bytes, bytes_clear) second = BYTES_INIT;
	seal(scratch_path(state, "first"), SEALED_PASSPHRASE, "correct horse", 1000);
	seal(scratch_path(state, "second"), SEALED_PASSPHRASE, "correct horse", 1000);
	assert_int_equal(atomic_file_read(AT_FDCWD, scratch_path(state, "first"), 10000, &first, NULL), FAULT_NONE);
	assert_int_equal(atomic_file_read(AT_FDCWD, scratch_path(state, "second"), 10000, &second, NULL), FAULT_NONE);
	assert_memory_not_equal(first.data + 52, second.data + 52, 32);
	assert_memory_not_equal(first.data + SEALED_FILE_HEADER, second.data + SEALED_FILE_HEADER, 1000);
}

static void
flip(const char *path, off_t at)
{
	AUTO_CLEAR(int, descriptor_close) fd = open(path, O_RDWR | O_CLOEXEC);
	uint8_t octet;
	assert_int_equal(pread(fd, &octet, 1, at), 1);
	octet ^= 1;
	assert_int_equal(pwrite(fd, &octet, 1, at), 1);
}

/* Each byte of the header, and bytes of each part behind it. */
static void
sealed_file__notices_every_flipped_bit(void **state)
{
	const char *path = scratch_path(state, "sealed");
	size_t length = 2 * CHUNK + 100;
	seal(path, SEALED_PASSPHRASE, "correct horse", length);
	for (off_t at = 0; at < SEALED_FILE_HEADER; at++) {
		flip(path, at);
		enum fault_code code = fault_of(path, NULL);
		if (code != FAULT_MALFORMED && code != FAULT_KEY && code != FAULT_SCHEMA)
			fail_msg("octet %d of the header: %s", (int)at, fault_type(code));
		flip(path, at);
	}
	for (off_t at = SEALED_FILE_HEADER; at < (off_t)sealed_size(length); at += at < 200 ? 7 : 5003) {
		flip(path, at);
		assert_int_equal(fault_of(path, "altered"), FAULT_MALFORMED);
		flip(path, at);
	}
	assert_int_equal(fault_of(path, NULL), FAULT_NONE);
}

static void
sealed_file__notices_what_is_cut_off(void **state)
{
	const char *path = scratch_path(state, "sealed");
	size_t length = 2 * CHUNK + 100, whole = CHUNK + TAG;
	const off_t ends[] = { 0, 1, 15, 16, SEALED_FILE_HEADER - 1, SEALED_FILE_HEADER, SEALED_FILE_HEADER + 1, SEALED_FILE_HEADER + 15,
		SEALED_FILE_HEADER + 1000, (off_t)(SEALED_FILE_HEADER + whole - 1), (off_t)(SEALED_FILE_HEADER + whole),
		(off_t)(SEALED_FILE_HEADER + whole + 1), (off_t)(SEALED_FILE_HEADER + 2 * whole), (off_t)sealed_size(length) - 1 };
	for (size_t i = sizeof ends / sizeof *ends; i-- > 0;) {
		seal(path, SEALED_PASSPHRASE, "correct horse", length);
		assert_int_equal(truncate(path, ends[i]), 0);
		if (fault_of(path, NULL) != FAULT_MALFORMED)
			fail_msg("cut off at %d", (int)ends[i]);
	}
	/* Between two chunks nothing is damaged, and only the end is missing. */
	seal(path, SEALED_PASSPHRASE, "correct horse", length);
	assert_int_equal(truncate(path, (off_t)(SEALED_FILE_HEADER + 2 * whole)), 0);
	assert_int_equal(fault_of(path, "cut off"), FAULT_MALFORMED);
}

static void
sealed_file__notices_what_is_added_swapped_or_left_out(void **state)
{
	const char *path = scratch_path(state, "sealed");
	AUTO_CLEAR(struct bytes, bytes_clear) content = BYTES_INIT;
	AUTO(uint8_t, free) kept = NULL;
	size_t whole = CHUNK + TAG;
	seal(path, SEALED_PASSPHRASE, "correct horse", 3 * CHUNK + 5);
	assert_int_equal(atomic_file_read(AT_FDCWD, path, 1 << 20, &content, NULL), FAULT_NONE);
	uint8_t *chunks = content.data + SEALED_FILE_HEADER;
	struct span added = { content.data, content.length + 1 }; /* its NUL */
	assert_int_equal(atomic_file_put(AT_FDCWD, path, added, 0600, ATOMIC_FILE_KEEP_TIME, NULL), FAULT_NONE);
	assert_int_equal(fault_of(path, "altered"), FAULT_MALFORMED);
	/* The second for the first. */
	assert_int_equal(memory_copy(chunks, whole, &kept, NULL), FAULT_NONE);
	memcpy(chunks, chunks + whole, whole);
	assert_int_equal(atomic_file_put(AT_FDCWD, path, bytes_span(&content), 0600, ATOMIC_FILE_KEEP_TIME, NULL), FAULT_NONE);
	assert_int_equal(fault_of(path, "altered"), FAULT_MALFORMED);
	/* The two swapped, then the second left out. */
	memcpy(chunks + whole, kept, whole);
	assert_int_equal(atomic_file_put(AT_FDCWD, path, bytes_span(&content), 0600, ATOMIC_FILE_KEEP_TIME, NULL), FAULT_NONE);
	assert_int_equal(fault_of(path, "altered"), FAULT_MALFORMED);
	memcpy(chunks, kept, whole);
	memmove(chunks + whole, chunks + 2 * whole, content.length - SEALED_FILE_HEADER - 2 * whole);
	struct span shorter = { content.data, content.length - whole };
	assert_int_equal(atomic_file_put(AT_FDCWD, path, shorter, 0600, ATOMIC_FILE_KEEP_TIME, NULL), FAULT_NONE);
	assert_int_equal(fault_of(path, "altered"), FAULT_MALFORMED);
}

static void
sealed_file__refuses_what_is_none(void **state)
{
	static const char *const texts[] = { "", "x", "SQLite format 3", "CADASTREBACKUP\n\n and more of it, long enough to be a header of a file" };
	const char *path = scratch_path(state, "sealed");
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		assert_int_equal(atomic_file_put(AT_FDCWD, path, SPAN(texts[i], strlen(texts[i])), 0600, ATOMIC_FILE_KEEP_TIME, NULL), FAULT_NONE);
		assert_int_equal(fault_of(path, "no backup"), FAULT_MALFORMED);
	}
	seal(path, SEALED_PASSPHRASE, "correct horse", 10);
	AUTO_CLEAR(int, descriptor_close) fd = open(path, O_RDWR | O_CLOEXEC);
	assert_int_equal(pwrite(fd, "\2", 1, 16), 1);
	assert_int_equal(fault_of(path, "version 2"), FAULT_SCHEMA);
	/* A cost that would take all memory is never tried. */
	assert_int_equal(pwrite(fd, "\1\1\77", 3, 16), 3);
	assert_int_equal(fault_of(path, "damaged"), FAULT_MALFORMED);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(sealed_file__gives_back_what_was_put_in),
		CASE(sealed_file__tells_a_wrong_secret),
		CASE(sealed_file__is_never_the_same_twice),
		CASE(sealed_file__notices_every_flipped_bit),
		CASE(sealed_file__notices_what_is_cut_off),
		CASE(sealed_file__notices_what_is_added_swapped_or_left_out),
		CASE(sealed_file__refuses_what_is_none),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
