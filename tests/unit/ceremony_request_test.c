#include "ca/ceremony/ceremony_request.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* after what it needs */
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ca/base/base64.h"
#include "tests/support/ceremony_fixture.h"

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

static enum fault_code
parse(struct span file, struct fault *fault)
{
	AUTO(struct ceremony_request, ceremony_request_free) request = NULL;
	return ceremony_request_parse(file, &request, fault);
}

static void
ceremony_request__is_read_as_it_was_written(void **state)
{
	AUTO_CLEAR(struct bytes, bytes_clear) file = BYTES_INIT;
	AUTO_CLEAR(struct bytes, bytes_clear) again = BYTES_INIT;
	AUTO(struct ceremony_request, ceremony_request_free) request = ceremony_fixture_request(&fixture, 7, SAMPLE_NOW, NULL);
	AUTO(struct ceremony_request, ceremony_request_free) read = NULL;
	struct ceremony_revocation revocation = {
		.serial = { .length = 2, .octets = { 0x7f, 1 } }, .revoked_at = SAMPLE_NOW - 1, .not_after_at = SAMPLE_NOW + 1,
	};
	(void)state;
	request->revocations = calloc(1, sizeof *request->revocations);
	assert_non_null(request->revocations);
	request->revocations[0] = revocation;
	request->revocations_count = 1;
	ceremony_fixture_seal(&fixture, request, &file);
	assert_int_equal(ceremony_request_parse(bytes_span(&file), &read, NULL), FAULT_NONE);
	assert_int_equal(read->number, 7);
	assert_string_equal(read->directory, "0a/1b2c/");
	assert_int_equal(read->children_count, 1);
	assert_int_equal(read->revocations_count, 1);
	assert_int_equal(read->revocations[0].serial.length, 2);
	assert_true(resource_set_equal(&read->resources, &request->resources));
	assert_memory_equal(read->digest, request->digest, SHA256_SIZE);
	ceremony_fixture_seal(&fixture, read, &again);
	assert_true(span_equal(bytes_span(&file), bytes_span(&again)));
}

static void
ceremony_request__no_byte_may_be_another(void **state)
{
	AUTO_CLEAR(struct bytes, bytes_clear) file = BYTES_INIT;
	ceremony_request_free(ceremony_fixture_request(&fixture, 7, SAMPLE_NOW, &file));
	(void)state;
	for (size_t i = 0; i < file.length; i++) {
		uint8_t before = file.data[i];
		struct fault fault = FAULT_INIT;
		file.data[i] = before == '1' ? '2' : before == 'a' ? 'b' : '1';
		if (file.data[i] == before)
			continue;
		enum fault_code code = parse(bytes_span(&file), &fault);
		if (code != FAULT_MALFORMED && code != FAULT_INVALID)
			fail_msg("byte %zu: %d %s", i, (int)code, fault.message);
		assert_true(fault.message[0] != '\0');
		file.data[i] = before;
	}
	assert_int_equal(parse(bytes_span(&file), NULL), FAULT_NONE);
}

static void
ceremony_request__every_part_of_it_is_too_little(void **state)
{
	AUTO_CLEAR(struct bytes, bytes_clear) file = BYTES_INIT;
	ceremony_request_free(ceremony_fixture_request(&fixture, 7, SAMPLE_NOW, &file));
	(void)state;
	for (size_t length = 0; length < file.length; length++) {
		AUTO_CLEAR(struct bytes, bytes_clear) part = BYTES_INIT;
		assert_int_equal(bytes_append(&part, file.data, length, NULL), FAULT_NONE);
		assert_int_equal(parse(bytes_span(&part), NULL), FAULT_MALFORMED);
	}
	assert_int_equal(bytes_append_text(&file, "\n", NULL), FAULT_NONE);
	assert_int_equal(parse(bytes_span(&file), NULL), FAULT_MALFORMED);
}

/* A file whose line `from` is `to`, signed as the real ones are: only what it says is wrong. */
static void
resign(const struct bytes *file, const char *from, const char *to, struct bytes *ret_file)
{
	AUTO_CLEAR(struct bytes, bytes_clear) changed = BYTES_INIT;
	const char *text = bytes_text(file), *at = strstr(text, from), *end = strstr(text, "signature: ");
	assert_non_null(at);
	const char *rest = strchr(at, '\n') + 1;
	assert_int_equal(bytes_append(&changed, text, (size_t)(at - text), NULL), FAULT_NONE);
	assert_int_equal(bytes_append_text(&changed, to, NULL), FAULT_NONE);
	assert_int_equal(bytes_append(&changed, rest, (size_t)(end - rest), NULL), FAULT_NONE);
	assert_int_equal(sealed_text_seal(&changed, fixture.ca.signer, bytes_span(&fixture.request_handle), NULL), FAULT_NONE);
	bytes_swap(ret_file, &changed);
}

static void
ceremony_request__what_it_says_must_make_sense(void **state)
{
	static const struct { const char *from, *to; } wrong[] = {
		{ "number: ", "number: 0\n" }, { "number: ", "number: -1\n" }, { "number: ", "number: 07\n" },
		{ "number: ", "number: 9999999999999999999999\n" }, { "number: ", "" }, { "number: ", "number: 7\nnumber: 7\n" },
		{ "created: ", "created: yesterday\n" }, { "created: ", "created: 2026-11-24T00:00:00+00:00\n" },
		{ "instance: ", "instance: me\n" }, { "instance: ", "instance: 0B5C9D1E-2f3a-4b6c-8d7e-9f0a1b2c3d4e\n" },
		{ "request-key: ", "request-key: AAAA\n" }, { "request-key: ", "request-key: ?\n" },
		{ "ta-key: ", "ta-key: 00\n" }, { "rsync-uri: ", "rsync-uri: https://rpki.example/repo/\n" },
		{ "rsync-uri: ", "rsync-uri: rsync://rpki.example/repo\n" }, { "directory: ", "directory: ../up/\n" },
		{ "directory: ", "directory: /a/\n" }, { "directory: ", "directory: a\n" },
		{ "notification-uri: ", "notification-uri: http://rpki.example/n.xml\n" }, { "resources: ", "resources: none\n" },
		{ "resources: ", "resources: 10.0.0.1/8\n" }, { "resources: ", "resources: 192.0.2.0/24, 10.0.0.0/8\n" },
		{ "valid-seconds: ", "valid-seconds: 1\n" }, { "later-than: ", "later-than: 0\n" },
		{ "crl-number: ", "crl-number: 0\n" }, { "manifest-number: ", "manifest-number: 1.5\n" },
		{ "child-key: ", "child-key: AAAA\n" }, { "child-directory: ", "child-directory: a/../b/\n" },
		{ "child-valid-seconds: ", "child-valid-seconds: forever\n" }, { "child-resources: ", "child-resources: \n" },
		{ "child-resources: ", "child-resources: none\nrevoke: 01\n" }, { "child-resources: ", "child-resources: none\nrevoke: zz 1 2\n" },
		{ "child-resources: ", "child-resources: none\nmore: 1\n" },
		{ "child-resources: ", "child-resources: none \n" },
	};
	AUTO_CLEAR(struct bytes, bytes_clear) file = BYTES_INIT;
	ceremony_request_free(ceremony_fixture_request(&fixture, 7, SAMPLE_NOW, &file));
	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		AUTO_CLEAR(struct bytes, bytes_clear) changed = BYTES_INIT;
		struct fault fault = FAULT_INIT;
		resign(&file, wrong[i].from, wrong[i].to, &changed);
		if (parse(bytes_span(&changed), &fault) != FAULT_MALFORMED)
			fail_msg("taken or refused wrongly: %s (%s)", wrong[i].to, fault.message);
	}
}

static void
ceremony_request__has_bounds(void **state)
{
	AUTO_CLEAR(struct bytes, bytes_clear) file = BYTES_INIT;
	AUTO_CLEAR(struct bytes, bytes_clear) changed = BYTES_INIT;
	AUTO_CLEAR(struct bytes, bytes_clear) lines = BYTES_INIT;
	ceremony_request_free(ceremony_fixture_request(&fixture, 7, SAMPLE_NOW, &file));
	(void)state;
	assert_int_equal(bytes_append_text(&lines, "child-resources: none\n", NULL), FAULT_NONE);
	for (int i = 0; i < CEREMONY_REVOCATIONS_MAX + 1; i++)
		assert_int_equal(bytes_append_text(&lines, "revoke: 01 2026-01-01T00:00:00Z 2027-01-01T00:00:00Z\n", NULL), FAULT_NONE);
	resign(&file, "child-resources: ", bytes_text(&lines), &changed);
	assert_int_equal(parse(bytes_span(&changed), NULL), FAULT_MALFORMED);
	while (lines.length <= SEALED_TEXT_MAX)
		assert_int_equal(bytes_append_text(&lines, "revoke: 01 2026-01-01T00:00:00Z 2027-01-01T00:00:00Z\n", NULL), FAULT_NONE);
	resign(&file, "child-resources: ", bytes_text(&lines), &changed);
	assert_int_equal(parse(bytes_span(&changed), NULL), FAULT_TOO_LARGE);
}

static void
ceremony_request__fingerprints_tell_keys_apart(void **state)
{
	char a[CEREMONY_FINGERPRINT_SIZE], b[CEREMONY_FINGERPRINT_SIZE];
	(void)state;
	assert_int_equal(ceremony_fingerprint(bytes_span(&fixture.request_spki), a, NULL), FAULT_NONE);
	assert_int_equal(ceremony_fingerprint(bytes_span(&fixture.child_spki), b, NULL), FAULT_NONE);
	assert_int_equal(strlen(a), CEREMONY_FINGERPRINT_SIZE - 1);
	assert_string_not_equal(a, b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ceremony_request__is_read_as_it_was_written),
		cmocka_unit_test(ceremony_request__no_byte_may_be_another),
		cmocka_unit_test(ceremony_request__every_part_of_it_is_too_little),
		cmocka_unit_test(ceremony_request__what_it_says_must_make_sense),
		cmocka_unit_test(ceremony_request__has_bounds),
		cmocka_unit_test(ceremony_request__fingerprints_tell_keys_apart),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
