#include "ca/ceremony/offline_anchor.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* after what it needs */
#include <cmocka.h>

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ca/base/atomic_file.h"
#include "ca/keys/passphrase.h"
#include "tests/support/ceremony_fixture.h"
#include "tests/support/fixed_keys.h"
#include "tests/unit/scratch.h"

static struct ceremony_fixture fixture;

static int
setup(void **state)
{
	(void)state;
	ceremony_fixture_init(&fixture);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	ceremony_fixture_clear(&fixture);
	return 0;
}

static struct secret *
words(const char *text)
{
	struct secret *secret;
	assert_int_equal(secret_new(strlen(text), &secret, NULL), FAULT_NONE);
	memcpy(secret->data, text, strlen(text));
	return secret;
}

static enum fault_code
create(const char *path, const char *passphrase, struct span existing)
{
	AUTO(struct secret, secret_free) secret = words(passphrase);
	struct offline_anchor_request request = {
		.path = path, .passphrase = secret, .cost = PASSPHRASE_COST_MIN, .source = fixed_keys_source(), .existing = existing,
		.now_at = SAMPLE_NOW,
	};
	return offline_anchor_create(&request, NULL);
}

static enum fault_code
open_it(const char *path, struct fault *fault)
{
	AUTO(struct offline_anchor, offline_anchor_free) anchor = NULL;
	return offline_anchor_open(path, &anchor, fault);
}

static struct bytes
read_file(const char *path)
{
	struct bytes content = BYTES_INIT;
	assert_int_equal(atomic_file_read(AT_FDCWD, path, SEALED_TEXT_MAX, &content, NULL), FAULT_NONE);
	return content;
}

static void
write_file(const char *path, const struct bytes *content)
{
	assert_int_equal(atomic_file_put(AT_FDCWD, path, bytes_span(content), 0600, ATOMIC_FILE_KEEP_TIME, NULL), FAULT_NONE);
}

/* A request to the trust anchor in that directory. */
static struct ceremony_request *
request_to(const char *public_path, int64_t number)
{
	AUTO_CLEAR(struct bytes, bytes_clear) file = read_file(public_path);
	AUTO_CLEAR(struct bytes, bytes_clear) spki = BYTES_INIT;
	struct ceremony_request *request = ceremony_fixture_request(&fixture, number, SAMPLE_NOW, NULL);
	assert_int_equal(offline_anchor_public_parse(bytes_span(&file), &spki, NULL), FAULT_NONE);
	assert_int_equal(certificate_key_identifier(bytes_span(&spki), request->ta_key, NULL), FAULT_NONE);
	ceremony_fixture_seal(&fixture, request, NULL);
	return request;
}

static void
offline_anchor__keeps_its_key_and_its_memory(void **state)
{
	const char *path = scratch_path(state, "ta");
	AUTO(struct secret, secret_free) right = words("correct horse battery");
	AUTO(struct secret, secret_free) wrong = words("correct horse batterz");
	AUTO_CLEAR(struct bytes, bytes_clear) response = BYTES_INIT;
	struct stat status;
	assert_int_equal(create(path, "correct horse battery", SPAN(NULL, 0)), FAULT_NONE);
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0700);
	assert_int_equal(stat(scratch_path(state, "ta/ta.key"), &status), 0);
	assert_int_equal(status.st_mode & 07777, 0600);
	AUTO(struct ceremony_request, ceremony_request_free) request = request_to(scratch_path(state, "ta/ta.public"), 3);
	AUTO(struct offline_anchor, offline_anchor_free) anchor = NULL;
	assert_int_equal(offline_anchor_open(path, &anchor, NULL), FAULT_NONE);
	assert_int_equal(open_it(path, NULL), FAULT_LOCKED);
	assert_int_equal(ceremony_check(request, offline_anchor_ledger(anchor), NULL, SAMPLE_NOW, NULL), FAULT_NONE);
	assert_int_equal(offline_anchor_sign(anchor, wrong, fixed_keys_source(), request, SAMPLE_NOW, &response, NULL), FAULT_KEY);
	assert_int_equal(offline_anchor_sign(anchor, right, fixed_keys_source(), request, SAMPLE_NOW, &response, NULL), FAULT_NONE);
	offline_anchor_free(anchor);
	anchor = NULL;
	/* Another day, another process. */
	assert_int_equal(offline_anchor_open(path, &anchor, NULL), FAULT_NONE);
	assert_int_equal(offline_anchor_ledger(anchor)->number, 3);
	assert_int_equal(ceremony_check(request, offline_anchor_ledger(anchor), NULL, SAMPLE_NOW + 1, NULL), FAULT_CONFLICT);
}

static void
offline_anchor__is_laid_in_an_empty_directory_alone(void **state)
{
	const char *path = scratch_path(state, "ta");
	assert_int_equal(create(path, "too short", SPAN(NULL, 0)), FAULT_INVALID);
	assert_int_not_equal(access(path, F_OK), 0);
	assert_int_equal(create(path, "correct horse battery", SPAN("no key", 6)), FAULT_KEY);
	assert_int_not_equal(access(path, F_OK), 0);
	assert_int_equal(mkdir(path, 0755), 0);
	assert_int_equal(create(path, "correct horse battery", SPAN(NULL, 0)), FAULT_NONE);
	assert_int_equal(create(path, "correct horse battery", SPAN(NULL, 0)), FAULT_CONFLICT);
}

static void
offline_anchor__damaged_files_are_refused(void **state)
{
	static const char *const names[] = { "ta/ta.key", "ta/ledger" };
	assert_int_equal(open_it(scratch_path(state, "ta"), NULL), FAULT_NOT_FOUND);
	assert_int_equal(create(scratch_path(state, "ta"), "correct horse battery", SPAN(NULL, 0)), FAULT_NONE);
	for (size_t i = 0; i < 2; i++) {
		AUTO_CLEAR(struct bytes, bytes_clear) good = read_file(scratch_path(state, names[i]));
		for (size_t at = 0; at < good.length; at += 97) {
			uint8_t before = good.data[at];
			good.data[at] = before == '1' ? '2' : '1';
			write_file(scratch_path(state, names[i]), &good);
			enum fault_code code = open_it(scratch_path(state, "ta"), NULL);
			assert_true(code == FAULT_MALFORMED || code == FAULT_INVALID);
			good.data[at] = before;
		}
		assert_int_equal(unlink(scratch_path(state, names[i])), 0);
		struct fault fault = FAULT_INIT;
		assert_int_equal(open_it(scratch_path(state, "ta"), &fault), FAULT_NOT_FOUND);
		assert_non_null(strstr(fault.message, i == 0 ? "no trust anchor's key" : "has lost its ledger"));
		write_file(scratch_path(state, names[i]), &good);
		assert_int_equal(open_it(scratch_path(state, "ta"), NULL), FAULT_NONE);
	}
}

/* Another trust anchor's ledger would let everything be signed again. */
static void
offline_anchor__a_ledger_belongs_to_its_key(void **state)
{
	assert_int_equal(create(scratch_path(state, "ta"), "correct horse battery", SPAN(NULL, 0)), FAULT_NONE);
	assert_int_equal(create(scratch_path(state, "other"), "correct horse battery", SPAN(NULL, 0)), FAULT_NONE);
	AUTO_CLEAR(struct bytes, bytes_clear) ledger = read_file(scratch_path(state, "other/ledger"));
	write_file(scratch_path(state, "ta/ledger"), &ledger);
	assert_int_equal(open_it(scratch_path(state, "ta"), NULL), FAULT_INVALID);
}

static void
offline_anchor__public_files_are_whole_or_refused(void **state)
{
	AUTO_CLEAR(struct bytes, bytes_clear) spki = BYTES_INIT;
	assert_int_equal(create(scratch_path(state, "ta"), "correct horse battery", SPAN(NULL, 0)), FAULT_NONE);
	AUTO_CLEAR(struct bytes, bytes_clear) file = read_file(scratch_path(state, "ta/ta.public"));
	for (size_t i = 0; i < file.length; i++) {
		uint8_t before = file.data[i];
		file.data[i] = before == '1' ? '2' : '1';
		enum fault_code code = offline_anchor_public_parse(bytes_span(&file), &spki, NULL);
		assert_true(code == FAULT_MALFORMED || code == FAULT_INVALID);
		assert_int_equal(spki.length, 0);
		file.data[i] = before;
	}
	assert_int_equal(offline_anchor_public_parse(bytes_span(&file), &spki, NULL), FAULT_NONE);
}

int
main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)
	const struct CMUnitTest tests[] = {
		CASE(offline_anchor__keeps_its_key_and_its_memory),
		CASE(offline_anchor__is_laid_in_an_empty_directory_alone),
		CASE(offline_anchor__damaged_files_are_refused),
		CASE(offline_anchor__a_ledger_belongs_to_its_key),
		CASE(offline_anchor__public_files_are_whole_or_refused),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
