#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "ca/base/base64.h"
#include "ca/base/digest.h"

static void
assert_hash(const uint8_t *hash, size_t length, const char *expected)
{
	char text[2 * SHA256_SIZE + 1];
	hex_encode(SPAN(hash, length), text);
	assert_string_equal(text, expected);
}

/* FIPS 180-4 examples. */
static void
digest__known_hashes(void **state)
{
	(void)state;
	uint8_t hash[SHA256_SIZE];
	assert_int_equal(digest_sha256(SPAN(NULL, 0), hash, NULL), FAULT_NONE);
	assert_hash(hash, SHA256_SIZE, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	assert_int_equal(digest_sha256(SPAN("abc", 3), hash, NULL), FAULT_NONE);
	assert_hash(hash, SHA256_SIZE, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	assert_int_equal(digest_sha1(SPAN(NULL, 0), hash, NULL), FAULT_NONE);
	assert_hash(hash, SHA1_SIZE, "da39a3ee5e6b4b0d3255bfef95601890afd80709");
	assert_int_equal(digest_sha1(SPAN("abc", 3), hash, NULL), FAULT_NONE);
	assert_hash(hash, SHA1_SIZE, "a9993e364706816aba3e25717850c26c9cd0d89d");
}

static void
digest__pieces_make_the_same_hash(void **state)
{
	(void)state;
	AUTO(struct digest, digest_free) digest = NULL;
	uint8_t piece[997], hash[SHA256_SIZE];
	memset(piece, 'a', sizeof piece);
	assert_int_equal(digest_new(&digest, NULL), FAULT_NONE);
	for (size_t left = 1000000; left > 0;) {
		size_t length = left < sizeof piece ? left : sizeof piece;
		assert_int_equal(digest_update(digest, piece, length, NULL), FAULT_NONE);
		assert_int_equal(digest_update(digest, piece, 0, NULL), FAULT_NONE);
		left -= length;
	}
	assert_int_equal(digest_finish(digest, hash, NULL), FAULT_NONE);
	assert_hash(hash, SHA256_SIZE, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

static void
digest__no_pieces_are_the_empty_hash(void **state)
{
	(void)state;
	AUTO(struct digest, digest_free) digest = NULL;
	uint8_t hash[SHA256_SIZE];
	assert_int_equal(digest_new(&digest, NULL), FAULT_NONE);
	assert_int_equal(digest_finish(digest, hash, NULL), FAULT_NONE);
	assert_hash(hash, SHA256_SIZE, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	digest_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(digest__known_hashes),
		cmocka_unit_test(digest__pieces_make_the_same_hash),
		cmocka_unit_test(digest__no_pieces_are_the_empty_hash),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
