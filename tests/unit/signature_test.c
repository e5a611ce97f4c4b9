#include "ca/keys/signature.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* after what it needs */
#include <cmocka.h>

#include "tests/support/sample_ca.h"

static void
signature__only_its_key_and_message_fit(void **state)
{
	struct sample_ca ca, other;
	uint8_t signature[RSA_SIGNATURE_SIZE];
	(void)state;
	sample_ca_init(&ca);
	sample_ca_init(&other);
	assert_int_equal(signer_sign(ca.signer, bytes_span(&ca.handle), SPAN("words", 5), signature, NULL), FAULT_NONE);
	assert_int_equal(signature_check(bytes_span(&ca.spki), SPAN("words", 5), signature, NULL), FAULT_NONE);
	assert_int_equal(signature_check(bytes_span(&ca.spki), SPAN("word", 4), signature, NULL), FAULT_INVALID);
	assert_int_equal(signature_check(bytes_span(&ca.spki), SPAN("", 0), signature, NULL), FAULT_INVALID);
	assert_int_equal(signature_check(bytes_span(&other.spki), SPAN("words", 5), signature, NULL), FAULT_INVALID);
	signature[17] ^= 1;
	assert_int_equal(signature_check(bytes_span(&ca.spki), SPAN("words", 5), signature, NULL), FAULT_INVALID);
	sample_ca_clear(&ca);
	sample_ca_clear(&other);
}

static void
signature__takes_no_other_keys(void **state)
{
	static const uint8_t signature[RSA_SIGNATURE_SIZE];
	struct sample_ca ca;
	(void)state;
	sample_ca_init(&ca);
	for (size_t length = 0; length < ca.spki.length; length++)
		assert_int_equal(signature_check(SPAN(ca.spki.data, length), SPAN("words", 5), signature, NULL), FAULT_MALFORMED);
	assert_int_equal(bytes_append(&ca.spki, "\0", 1, NULL), FAULT_NONE);
	assert_int_equal(signature_check(bytes_span(&ca.spki), SPAN("words", 5), signature, NULL), FAULT_MALFORMED);
	assert_int_equal(signature_check(SPAN(NULL, 0), SPAN("words", 5), signature, NULL), FAULT_MALFORMED);
	sample_ca_clear(&ca);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(signature__only_its_key_and_message_fit),
		cmocka_unit_test(signature__takes_no_other_keys),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
