#include "ca/ceremony/ceremony_sign.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* after what it needs */
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ca/ceremony/ceremony_verify.h"
#include "ca/der/crl.h"
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

#define REQUEST AUTO(struct ceremony_request, ceremony_request_free)
#define RESPONSE AUTO(struct ceremony_response, ceremony_response_free)
#define LEDGER AUTO(struct ceremony_ledger, ceremony_ledger_free)

static void
must_verify(const struct ceremony_request *request, const struct ceremony_response *response, int64_t now_at)
{
	AUTO(struct object_set, object_set_free) objects = NULL;
	struct fault fault = FAULT_INIT;
	if (ceremony_verify(request, response, bytes_span(&fixture.ca.spki), now_at, &objects, &fault) != FAULT_NONE)
		fail_msg("%s (%s:%d)", fault.message, fault.file, fault.line);
	assert_int_equal(objects->count, request->children_count + 3);
}

static void
must_refuse(const struct ceremony_request *request, const struct ceremony_response *response, int64_t now_at, enum fault_code expected,
	const char *words)
{
	AUTO(struct object_set, object_set_free) objects = NULL;
	struct fault fault = FAULT_INIT;
	enum fault_code code = ceremony_verify(request, response, bytes_span(&fixture.ca.spki), now_at, &objects, &fault);
	if (code != expected || strstr(fault.message, words) == NULL)
		fail_msg("fault %d, \"%s\", instead of %d, \"%s\"", (int)code, fault.message, (int)expected, words);
}

static void
must_not_sign(const struct ceremony_request *request, const struct ceremony_ledger *ledger, int64_t now_at, enum fault_code expected,
	const char *words)
{
	struct fault fault = FAULT_INIT;
	enum fault_code code = ceremony_check(request, ledger, NULL, now_at, &fault);
	if (code != expected || strstr(fault.message, words) == NULL)
		fail_msg("fault %d, \"%s\", instead of %d, \"%s\"", (int)code, fault.message, (int)expected, words);
}

static const struct ceremony_object *
object_of(const struct ceremony_response *response, enum object_kind kind)
{
	for (size_t i = 0; i < response->objects_count; i++)
		if (response->objects[i].kind == kind)
			return &response->objects[i];
	fail_msg("no object of kind %d", (int)kind);
	return NULL;
}

static size_t
revocations_in(const struct ceremony_response *response)
{
	AUTO_CLEAR(struct crl, crl_clear) crl = CRL_INIT;
	assert_int_equal(crl_decode(bytes_span(&object_of(response, OBJECT_CRL)->der), &crl, NULL), FAULT_NONE);
	return crl.revocations_count;
}

/* ---- what is signed ---- */

static void
ceremony_sign__answers_what_was_asked(void **state)
{
	REQUEST request = ceremony_fixture_request(&fixture, 1, SAMPLE_NOW, NULL);
	LEDGER ledger = ceremony_fixture_ledger(&fixture);
	(void)state;
	assert_int_equal(ceremony_check(request, ledger, NULL, SAMPLE_NOW + 60, NULL), FAULT_NONE);
	RESPONSE response = ceremony_fixture_sign(&fixture, request, ledger, SAMPLE_NOW + 60, NULL);
	must_verify(request, response, SAMPLE_NOW + 120);
	assert_int_equal(response->crl_number, 5);
	assert_int_equal(response->manifest_number, 6);
	assert_int_equal(ledger->number, 1);
	/* Certificates of the trust anchor and of the online CA, and the manifest's. */
	assert_int_equal(ledger->entries_count, 3);
	assert_int_equal(revocations_in(response), 0);
}

static void
ceremony_sign__the_second_revokes_the_first_and_numbers_rise(void **state)
{
	REQUEST first = ceremony_fixture_request(&fixture, 1, SAMPLE_NOW, NULL);
	REQUEST second = ceremony_fixture_request(&fixture, 2, SAMPLE_NOW + 60 * SAMPLE_DAY, NULL);
	LEDGER ledger = ceremony_fixture_ledger(&fixture);
	(void)state;
	RESPONSE old = ceremony_fixture_sign(&fixture, first, ledger, SAMPLE_NOW, NULL);
	/* The server was restored: it asks for numbers that it has given already. */
	RESPONSE new = ceremony_fixture_sign(&fixture, second, ledger, SAMPLE_NOW + 60 * SAMPLE_DAY, NULL);
	must_verify(second, new, SAMPLE_NOW + 60 * SAMPLE_DAY);
	assert_int_equal(new->crl_number, old->crl_number + 1);
	assert_int_equal(new->manifest_number, old->manifest_number + 1);
	assert_int_equal(revocations_in(new), 2);
	/* A year later the online CA's old certificate has ended by itself, and leaves the CRL. */
	REQUEST third = ceremony_fixture_request(&fixture, 3, SAMPLE_NOW + 400 * SAMPLE_DAY, NULL);
	RESPONSE last = ceremony_fixture_sign(&fixture, third, ledger, SAMPLE_NOW + 400 * SAMPLE_DAY, NULL);
	assert_int_equal(revocations_in(last), 1);
}

static void
ceremony_sign__not_before_rises_also_where_the_clock_barely_moved(void **state)
{
	AUTO_CLEAR(struct certificate, certificate_clear) old = CERTIFICATE_INIT;
	AUTO_CLEAR(struct certificate, certificate_clear) new = CERTIFICATE_INIT;
	REQUEST first = ceremony_fixture_request(&fixture, 1, SAMPLE_NOW, NULL);
	REQUEST second = ceremony_fixture_request(&fixture, 2, SAMPLE_NOW, NULL);
	LEDGER ledger = ceremony_fixture_ledger(&fixture);
	(void)state;
	first->not_before_at = SAMPLE_NOW - 10;
	ceremony_fixture_seal(&fixture, first, NULL);
	RESPONSE one = ceremony_fixture_sign(&fixture, first, ledger, SAMPLE_NOW, NULL);
	RESPONSE two = ceremony_fixture_sign(&fixture, second, ledger, SAMPLE_NOW + 1, NULL);
	assert_int_equal(certificate_decode(bytes_span(&object_of(one, OBJECT_TA)->der), &old, NULL), FAULT_NONE);
	assert_int_equal(certificate_decode(bytes_span(&object_of(two, OBJECT_TA)->der), &new, NULL), FAULT_NONE);
	assert_int_equal(old.not_before_at, SAMPLE_NOW - 9);
	assert_int_equal(new.not_before_at, SAMPLE_NOW - 8);
}

static void
ceremony_sign__two_keys_of_a_roll_are_both_certified(void **state)
{
	REQUEST request = ceremony_fixture_request(&fixture, 1, SAMPLE_NOW, NULL);
	LEDGER ledger = ceremony_fixture_ledger(&fixture);
	struct ceremony_child *child = &request->children[request->children_count++];
	(void)state;
	assert_int_equal(bytes_append(&child->spki, fixture.request_spki.data, fixture.request_spki.length, NULL), FAULT_NONE);
	(void)snprintf(child->directory, sizeof child->directory, "3d/4e5f/");
	child->valid_s = SAMPLE_DAY;
	assert_int_equal(resource_set_copy(&fixture.ca.resources, &child->resources, NULL), FAULT_NONE);
	ceremony_fixture_seal(&fixture, request, NULL);
	RESPONSE response = ceremony_fixture_sign(&fixture, request, ledger, SAMPLE_NOW, NULL);
	must_verify(request, response, SAMPLE_NOW);
}

static void
ceremony_sign__takes_over_what_the_server_has_to_revoke(void **state)
{
	REQUEST request = ceremony_fixture_request(&fixture, 1, SAMPLE_NOW, NULL);
	LEDGER ledger = ceremony_fixture_ledger(&fixture);
	AUTO_CLEAR(struct bytes, bytes_clear) text = BYTES_INIT;
	(void)state;
	request->revocations = calloc(2, sizeof *request->revocations);
	assert_non_null(request->revocations);
	request->revocations[0] = (struct ceremony_revocation){
		.serial = { .length = 2, .octets = { 0x7e, 1 } }, .revoked_at = SAMPLE_NOW + 900, .not_after_at = SAMPLE_NOW + SAMPLE_DAY,
	};
	/* This one has ended. */
	request->revocations[1] = (struct ceremony_revocation){
		.serial = { .length = 2, .octets = { 0x7e, 2 } }, .revoked_at = SAMPLE_NOW - 9, .not_after_at = SAMPLE_NOW - 1,
	};
	request->revocations_count = 2;
	ceremony_fixture_seal(&fixture, request, NULL);
	assert_int_equal(ceremony_describe(request, ledger, SAMPLE_NOW, &text, NULL), FAULT_NONE);
	assert_non_null(strstr(bytes_text(&text), "7e01"));
	assert_null(strstr(bytes_text(&text), "7e02"));
	RESPONSE response = ceremony_fixture_sign(&fixture, request, ledger, SAMPLE_NOW, NULL);
	must_verify(request, response, SAMPLE_NOW);
	assert_int_equal(revocations_in(response), 1);
}

static void
ceremony_sign__refuses_to_give_more_than_it_holds(void **state)
{
	REQUEST request = ceremony_fixture_request(&fixture, 1, SAMPLE_NOW, NULL);
	LEDGER ledger = ceremony_fixture_ledger(&fixture);
	AUTO_CLEAR(struct bytes, bytes_clear) file = BYTES_INIT;
	struct ceremony_anchor anchor = ceremony_fixture_anchor(&fixture);
	(void)state;
	resource_set_clear(&request->children[0].resources);
	assert_int_equal(resource_set_all(&request->children[0].resources, NULL), FAULT_NONE);
	assert_int_equal(ceremony_sign(&anchor, request, ledger, SAMPLE_NOW, &file, NULL), FAULT_LINT);
	assert_int_equal(file.length, 0);
}

/* ---- what is not ---- */

static void
ceremony_check__each_refusal_has_its_reason(void **state)
{
	REQUEST first = ceremony_fixture_request(&fixture, 4, SAMPLE_NOW, NULL);
	REQUEST older = ceremony_fixture_request(&fixture, 3, SAMPLE_NOW, NULL);
	REQUEST same_number = ceremony_fixture_request(&fixture, 4, SAMPLE_NOW + 1, NULL);
	REQUEST foreign = ceremony_fixture_request(&fixture, 9, SAMPLE_NOW, NULL);
	REQUEST other_anchor = ceremony_fixture_request(&fixture, 9, SAMPLE_NOW, NULL);
	REQUEST empty = ceremony_fixture_request(&fixture, 9, SAMPLE_NOW, NULL);
	REQUEST next = ceremony_fixture_request(&fixture, 5, SAMPLE_NOW + 60 * SAMPLE_DAY, NULL);
	LEDGER ledger = ceremony_fixture_ledger(&fixture);
	char fingerprint[CEREMONY_FINGERPRINT_SIZE];
	int64_t now_at = SAMPLE_NOW + 3600;
	(void)state;
	ceremony_response_free(ceremony_fixture_sign(&fixture, first, ledger, SAMPLE_NOW + 60, NULL));
	must_not_sign(first, ledger, now_at, FAULT_CONFLICT, "request 4 was answered already");
	must_not_sign(older, ledger, now_at, FAULT_CONFLICT, "request 3 is stale");
	must_not_sign(same_number, ledger, now_at, FAULT_CONFLICT, "request 4 is stale");
	foreign->instance[0] = 'f';
	must_not_sign(foreign, ledger, now_at, FAULT_CONFLICT, "another server");
	assert_int_equal(ceremony_fingerprint(bytes_span(&fixture.request_spki), fingerprint, NULL), FAULT_NONE);
	assert_int_equal(ceremony_check(foreign, ledger, fingerprint, now_at, NULL), FAULT_NONE);
	assert_int_equal(ceremony_check(foreign, ledger, "0000", now_at, NULL), FAULT_CONFLICT);
	other_anchor->ta_key[3] ^= 1;
	must_not_sign(other_anchor, ledger, now_at, FAULT_CONFLICT, "another trust anchor");
	empty->children_count = 0;
	must_not_sign(empty, ledger, now_at, FAULT_INVALID, "no CA's certificate");
	must_not_sign(next, ledger, SAMPLE_NOW + 60, FAULT_CLOCK, "the last ceremony was");
	must_not_sign(next, ledger, SAMPLE_NOW + 50 * SAMPLE_DAY, FAULT_CLOCK, "the request is from");
	must_not_sign(next, ledger, SAMPLE_NOW + 91 * SAMPLE_DAY, FAULT_CLOCK, "30 days later");
	next->not_before_at = SAMPLE_NOW + 61 * SAMPLE_DAY;
	must_not_sign(next, ledger, SAMPLE_NOW + 61 * SAMPLE_DAY, FAULT_CLOCK, "not older");
	assert_int_equal(ceremony_check(next, ledger, NULL, SAMPLE_NOW + 61 * SAMPLE_DAY + 1, NULL), FAULT_NONE);
}

static void
ceremony_verify__each_refusal_has_its_reason(void **state)
{
	REQUEST request = ceremony_fixture_request(&fixture, 2, SAMPLE_NOW, NULL);
	REQUEST other = ceremony_fixture_request(&fixture, 2, SAMPLE_NOW + 1, NULL);
	LEDGER ledger = ceremony_fixture_ledger(&fixture);
	(void)state;
	RESPONSE response = ceremony_fixture_sign(&fixture, request, ledger, SAMPLE_NOW, NULL);
	must_refuse(other, response, SAMPLE_NOW, FAULT_CONFLICT, "answers another request");
	must_refuse(request, response, SAMPLE_NOW - 1, FAULT_CLOCK, "has not reached");
	must_refuse(request, response, SAMPLE_NOW + 90 * SAMPLE_DAY, FAULT_LINT, "has passed");
	response->number = 1;
	must_refuse(request, response, SAMPLE_NOW, FAULT_CONFLICT, "stale");
	response->number = 2;
	response->instance[0] = 'f';
	must_refuse(request, response, SAMPLE_NOW, FAULT_CONFLICT, "another server");
	response->instance[0] = request->instance[0];
	response->ta_key[0] ^= 1;
	must_refuse(request, response, SAMPLE_NOW, FAULT_CONFLICT, "another trust anchor");
	response->ta_key[0] ^= 1;
	response->crl_number--;
	must_refuse(request, response, SAMPLE_NOW, FAULT_INVALID, "would fall");
	response->crl_number += 2;
	must_refuse(request, response, SAMPLE_NOW, FAULT_LINT, "");
	response->crl_number--;
	request->valid_s++;
	must_refuse(request, response, SAMPLE_NOW, FAULT_LINT, "notAfter");
	request->valid_s--;
	request->not_before_at = SAMPLE_NOW;
	must_refuse(request, response, SAMPLE_NOW, FAULT_LINT, "doesn't rise");
	request->not_before_at = 0;
	must_verify(request, response, SAMPLE_NOW);
}

/* Objects of another ceremony, or too few, or too many, in the place of the right ones. */
static void
ceremony_verify__objects_belong_together(void **state)
{
	REQUEST request = ceremony_fixture_request(&fixture, 1, SAMPLE_NOW, NULL);
	LEDGER ledger = ceremony_fixture_ledger(&fixture);
	LEDGER other_ledger = ceremony_fixture_ledger(&fixture);
	(void)state;
	RESPONSE response = ceremony_fixture_sign(&fixture, request, ledger, SAMPLE_NOW, NULL);
	RESPONSE other = ceremony_fixture_sign(&fixture, request, other_ledger, SAMPLE_NOW, NULL);
	for (size_t i = 0; i < response->objects_count; i++) {
		bool stands_alone = response->objects[i].kind == OBJECT_TA || response->objects[i].kind == OBJECT_MFT ||
			span_equal(bytes_span(&response->objects[i].der), bytes_span(&other->objects[i].der));
		bytes_swap(&response->objects[i].der, &other->objects[i].der);
		if (!stands_alone)
			must_refuse(request, response, SAMPLE_NOW, FAULT_INVALID, "the manifest doesn't list");
		bytes_swap(&response->objects[i].der, &other->objects[i].der);
	}
	response->objects_count--;
	must_refuse(request, response, SAMPLE_NOW, FAULT_INVALID, "lacks");
	response->objects_count++;
	response->objects[response->objects_count++] = (struct ceremony_object){ .kind = OBJECT_CER, .name = "more.cer" };
	must_refuse(request, response, SAMPLE_NOW, FAULT_INVALID, "nobody asked for");
	response->objects_count--;
	for (size_t i = 0; i < response->objects_count; i++) {
		response->objects[i].der.data[response->objects[i].der.length - 1] ^= 1;
		AUTO(struct object_set, object_set_free) objects = NULL;
		assert_int_not_equal(ceremony_verify(request, response, bytes_span(&fixture.ca.spki), SAMPLE_NOW, &objects, NULL), FAULT_NONE);
		response->objects[i].der.data[response->objects[i].der.length - 1] ^= 1;
	}
	must_verify(request, response, SAMPLE_NOW);
}

/* ---- files ---- */

static void
ceremony_response__no_byte_may_be_another(void **state)
{
	AUTO_CLEAR(struct bytes, bytes_clear) file = BYTES_INIT;
	REQUEST request = ceremony_fixture_request(&fixture, 1, SAMPLE_NOW, NULL);
	LEDGER ledger = ceremony_fixture_ledger(&fixture);
	(void)state;
	ceremony_response_free(ceremony_fixture_sign(&fixture, request, ledger, SAMPLE_NOW, &file));
	for (size_t i = 0; i < file.length; i += i < 400 ? 1 : 7) {
		uint8_t before = file.data[i];
		struct ceremony_response *response = NULL;
		file.data[i] = before == '1' ? '2' : '1';
		enum fault_code code = ceremony_response_parse(bytes_span(&file), bytes_span(&fixture.ca.spki), &response, NULL);
		if (code != FAULT_MALFORMED && code != FAULT_INVALID)
			fail_msg("byte %zu: %d", i, (int)code);
		assert_null(response);
		file.data[i] = before;
	}
	struct ceremony_response *response = NULL;
	/* Signed, but by somebody else. */
	assert_int_equal(ceremony_response_parse(bytes_span(&file), bytes_span(&fixture.child_spki), &response, NULL), FAULT_INVALID);
}

static void
ceremony_ledger__is_read_as_it_was_written(void **state)
{
	AUTO_CLEAR(struct bytes, bytes_clear) file = BYTES_INIT;
	AUTO_CLEAR(struct bytes, bytes_clear) again = BYTES_INIT;
	REQUEST request = ceremony_fixture_request(&fixture, 1, SAMPLE_NOW, NULL);
	REQUEST second = ceremony_fixture_request(&fixture, 2, SAMPLE_NOW, NULL);
	LEDGER ledger = ceremony_fixture_ledger(&fixture);
	LEDGER read = NULL;
	LEDGER none = NULL;
	struct span handle = bytes_span(&fixture.ca.handle), spki = bytes_span(&fixture.ca.spki);
	(void)state;
	/* An empty one too. */
	assert_int_equal(ceremony_ledger_seal(ledger, fixture.ca.signer, handle, &file, NULL), FAULT_NONE);
	assert_int_equal(ceremony_ledger_parse(bytes_span(&file), spki, &none, NULL), FAULT_NONE);
	assert_int_equal(none->number, 0);
	ceremony_response_free(ceremony_fixture_sign(&fixture, request, ledger, SAMPLE_NOW, NULL));
	ceremony_response_free(ceremony_fixture_sign(&fixture, second, ledger, SAMPLE_NOW + 1, NULL));
	assert_int_equal(ceremony_ledger_seal(ledger, fixture.ca.signer, handle, &file, NULL), FAULT_NONE);
	assert_int_equal(ceremony_ledger_parse(bytes_span(&file), spki, &read, NULL), FAULT_NONE);
	assert_int_equal(read->entries_count, 6);
	assert_int_equal(read->number, 2);
	assert_int_equal(ceremony_ledger_seal(read, fixture.ca.signer, handle, &again, NULL), FAULT_NONE);
	assert_true(span_equal(bytes_span(&file), bytes_span(&again)));
	/* Another's, and one in which a number was turned back. */
	LEDGER refused = NULL;
	assert_int_equal(ceremony_ledger_parse(bytes_span(&file), bytes_span(&fixture.child_spki), &refused, NULL), FAULT_INVALID);
	char *number = strstr((char *)file.data, "\nnumber: 2");
	assert_non_null(number);
	number[9] = '1';
	assert_int_equal(ceremony_ledger_parse(bytes_span(&file), spki, &refused, NULL), FAULT_INVALID);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ceremony_sign__answers_what_was_asked),
		cmocka_unit_test(ceremony_sign__the_second_revokes_the_first_and_numbers_rise),
		cmocka_unit_test(ceremony_sign__not_before_rises_also_where_the_clock_barely_moved),
		cmocka_unit_test(ceremony_sign__two_keys_of_a_roll_are_both_certified),
		cmocka_unit_test(ceremony_sign__takes_over_what_the_server_has_to_revoke),
		cmocka_unit_test(ceremony_sign__refuses_to_give_more_than_it_holds),
		cmocka_unit_test(ceremony_check__each_refusal_has_its_reason),
		cmocka_unit_test(ceremony_verify__each_refusal_has_its_reason),
		cmocka_unit_test(ceremony_verify__objects_belong_together),
		cmocka_unit_test(ceremony_response__no_byte_may_be_another),
		cmocka_unit_test(ceremony_ledger__is_read_as_it_was_written),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
