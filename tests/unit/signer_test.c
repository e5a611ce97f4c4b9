#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "ca/keys/signer.h"

/* A door with nobody behind it but a book of who knocked. */
struct book {
	int generated, imported, signed_, destroyed, freed;
	struct span handle, argument;
	enum fault_code answer;
};

static enum fault_code
book_generate(void *self, struct bytes *ret_handle, struct bytes *ret_spki, struct fault *fault)
{
	struct book *book = self;
	book->generated++;
	if (book->answer != FAULT_NONE)
		return fault_set(fault, book->answer, "as told");
	TRY(bytes_append_text(ret_handle, "handle", fault));
	return bytes_append_text(ret_spki, "spki", fault);
}

static enum fault_code
book_import(void *self, struct span private_key, struct bytes *ret_handle, struct bytes *ret_spki, struct fault *fault)
{
	struct book *book = self;
	book->imported++;
	book->argument = private_key;
	if (book->answer != FAULT_NONE)
		return fault_set(fault, book->answer, "as told");
	TRY(bytes_append_text(ret_handle, "imported", fault));
	return bytes_append_text(ret_spki, "spki", fault);
}

static enum fault_code
book_sign(void *self, struct span handle, struct span message, uint8_t ret_signature[RSA_SIGNATURE_SIZE], struct fault *fault)
{
	struct book *book = self;
	book->signed_++;
	book->handle = handle;
	book->argument = message;
	if (book->answer != FAULT_NONE)
		return fault_set(fault, book->answer, "as told");
	memset(ret_signature, 0x55, RSA_SIGNATURE_SIZE);
	return FAULT_NONE;
}

static enum fault_code
book_destroy(void *self, struct span handle, struct fault *fault)
{
	struct book *book = self;
	book->destroyed++;
	book->handle = handle;
	return book->answer == FAULT_NONE ? FAULT_NONE : fault_set(fault, book->answer, "as told");
}

static void
book_free(void *self)
{
	struct book *book = self;
	book->freed++;
}

static const struct signer_operations operations = { book_generate, book_import, book_sign, book_destroy, book_free };

static void
signer__hands_every_call_through(void **state)
{
	(void)state;
	struct book book = { .answer = FAULT_NONE };
	struct signer *signer = NULL;
	AUTO_CLEAR(struct bytes, bytes_clear) handle = BYTES_INIT;
	AUTO_CLEAR(struct bytes, bytes_clear) spki = BYTES_INIT;
	uint8_t signature[RSA_SIGNATURE_SIZE];
	assert_int_equal(signer_new(&operations, &book, &signer, NULL), FAULT_NONE);
	assert_int_equal(signer_generate(signer, &handle, &spki, NULL), FAULT_NONE);
	assert_string_equal(bytes_text(&handle), "handle");
	assert_string_equal(bytes_text(&spki), "spki");
	bytes_reset(&handle);
	assert_int_equal(signer_import(signer, SPAN("pem", 3), &handle, &spki, NULL), FAULT_NONE);
	assert_string_equal(bytes_text(&handle), "imported");
	assert_memory_equal(book.argument.data, "pem", 3);
	assert_int_equal(signer_sign(signer, SPAN("h", 1), SPAN("message", 7), signature, NULL), FAULT_NONE);
	assert_memory_equal(book.handle.data, "h", 1);
	assert_memory_equal(book.argument.data, "message", 7);
	assert_int_equal(signature[255], 0x55);
	assert_int_equal(signer_destroy(signer, SPAN("gone", 4), NULL), FAULT_NONE);
	assert_memory_equal(book.handle.data, "gone", 4);
	assert_int_equal(book.freed, 0);
	signer_free(signer);
	assert_int_equal(book.freed, 1);
	assert_int_equal(book.generated + book.imported + book.signed_ + book.destroyed, 4);
}

static void
signer__faults_come_through_unchanged(void **state)
{
	(void)state;
	struct book book = { .answer = FAULT_KEY };
	struct signer *signer = NULL;
	struct bytes handle = BYTES_INIT, spki = BYTES_INIT;
	struct fault fault = FAULT_INIT;
	uint8_t signature[RSA_SIGNATURE_SIZE];
	assert_int_equal(signer_new(&operations, &book, &signer, NULL), FAULT_NONE);
	assert_int_equal(signer_generate(signer, &handle, &spki, &fault), FAULT_KEY);
	assert_string_equal(fault.message, "as told");
	assert_int_equal(signer_import(signer, SPAN("pem", 3), &handle, &spki, NULL), FAULT_KEY);
	assert_int_equal(signer_sign(signer, SPAN("h", 1), SPAN("message", 7), signature, NULL), FAULT_KEY);
	assert_int_equal(signer_destroy(signer, SPAN("h", 1), NULL), FAULT_KEY);
	assert_null(handle.data);
	signer_free(signer);
	signer_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(signer__hands_every_call_through),
		cmocka_unit_test(signer__faults_come_through_unchanged),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
