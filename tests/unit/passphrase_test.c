#include "ca/keys/passphrase.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* after what it needs */
#include <cmocka.h>

#include <string.h>

#include "ca/keys/master_key.h"

static struct secret *
words(const char *text)
{
	struct secret *secret;
	assert_int_equal(secret_new(strlen(text), &secret, NULL), FAULT_NONE);
	memcpy(secret->data, text, strlen(text));
	return secret;
}

static enum fault_code
derive(const char *text, uint8_t salt_octet, int cost, uint8_t ret_key[MASTER_KEY_SIZE])
{
	uint8_t salt[PASSPHRASE_SALT_SIZE] = { salt_octet };
	AUTO(struct secret, secret_free) passphrase = words(text);
	AUTO(struct secret, secret_free) key = NULL;
	TRY(passphrase_derive(passphrase, salt, cost, &key, NULL));
	assert_int_equal(key->length, MASTER_KEY_SIZE);
	memcpy(ret_key, key->data, key->length);
	return FAULT_NONE;
}

static void
passphrase__words_salt_and_cost_all_count(void **state)
{
	uint8_t key[MASTER_KEY_SIZE], other[MASTER_KEY_SIZE];
	(void)state;
	assert_int_equal(derive("correct horse battery", 1, 10, key), FAULT_NONE);
	assert_int_equal(derive("correct horse battery", 1, 10, other), FAULT_NONE);
	assert_memory_equal(key, other, sizeof key);
	assert_int_equal(derive("correct horse batterz", 1, 10, other), FAULT_NONE);
	assert_memory_not_equal(key, other, sizeof key);
	assert_int_equal(derive("correct horse battery", 2, 10, other), FAULT_NONE);
	assert_memory_not_equal(key, other, sizeof key);
	assert_int_equal(derive("correct horse battery", 1, 11, other), FAULT_NONE);
	assert_memory_not_equal(key, other, sizeof key);
}

/* `openssl kdf -keylen 32 -kdfopt pass:'correct horse battery' -kdfopt hexsalt:01000000000000000000000000000000 -kdfopt n:1024 … SCRYPT` */
static void
passphrase__is_scrypt(void **state)
{
	static const uint8_t expected[4] = { 0x70, 0x43, 0x63, 0xa8 };
	uint8_t key[MASTER_KEY_SIZE];
	(void)state;
	assert_int_equal(derive("correct horse battery", 1, 10, key), FAULT_NONE);
	assert_memory_equal(key, expected, sizeof expected);
}

static void
passphrase__has_bounds(void **state)
{
	uint8_t key[MASTER_KEY_SIZE];
	char longest[PASSPHRASE_MAX + 2];
	(void)state;
	memset(longest, 'x', sizeof longest - 1);
	longest[sizeof longest - 1] = '\0';
	assert_int_equal(derive("", 1, 10, key), FAULT_INVALID);
	assert_int_equal(derive("eleven byte", 1, 10, key), FAULT_INVALID);
	assert_int_equal(derive("twelve bytes", 1, 10, key), FAULT_NONE);
	assert_int_equal(derive(longest, 1, 10, key), FAULT_INVALID);
	assert_int_equal(derive("correct horse battery", 1, PASSPHRASE_COST_MIN - 1, key), FAULT_INVALID);
	assert_int_equal(derive("correct horse battery", 1, PASSPHRASE_COST_MAX + 1, key), FAULT_INVALID);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(passphrase__words_salt_and_cost_all_count),
		cmocka_unit_test(passphrase__is_scrypt),
		cmocka_unit_test(passphrase__has_bounds),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
