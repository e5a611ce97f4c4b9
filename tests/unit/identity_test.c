#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "ca/issue/identity.h"

/* Of the CA's own key and of its parent's. */
#define OWN_HEX "000102030405060708090a0b0c0d0e0f10111213"
#define OWN_STEM "000102030405060708090a0b0c"
#define PARENT_HEX "a0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3"
#define PARENT_STEM "a0a1a2a3a4a5a6a7a8a9aaabac"

static void
fill_key(struct key_state *key, uint8_t first)
{
	for (size_t i = 0; i < sizeof key->identifier; i++)
		key->identifier[i] = (uint8_t)(first + i);
	assert_int_equal(bytes_append_text(&key->handle, first != 0 ? "parent's handle" : "own handle", NULL), FAULT_NONE);
	assert_int_equal(bytes_append_text(&key->spki, first != 0 ? "parent's spki" : "own spki", NULL), FAULT_NONE);
}

static struct ca_state *
make_state(enum ca_kind kind)
{
	struct ca_state *state;
	assert_int_equal(ca_state_new(&state, NULL), FAULT_NONE);
	state->kind = kind;
	strcpy(state->rsync_uri, "rsync://rpki.example.net/repo/");
	strcpy(state->directory, "ab/cdef/");
	state->current.certificate.not_after_at = 1000;
	fill_key(&state->current.key, 0);
	if (kind == CA_TA)
		return state;
	strcpy(state->parent.repository_uri, "rsync://rpki.example.net/repo/01/2345/");
	strcpy(state->parent.certificate_uri, "rsync://rpki.example.net/repo/ta/ta.cer");
	state->parent.not_after_at = 2000;
	fill_key(&state->parent.key, 0xa0);
	return state;
}

static void
identity__of_a_member_is_made_of_its_key_and_place(void **state)
{
	AUTO(struct ca_state, ca_state_free) member = make_state(CA_MEMBER);
	struct identity identity;
	(void)state;
	identity_of_ca(member, &member->current, &member->current.key, &identity);
	assert_string_equal(identity.name, OWN_HEX);
	assert_string_equal(identity.key_name, OWN_STEM);
	assert_memory_equal(identity.key_identifier, member->current.key.identifier, 20);
	assert_string_equal(identity.repository_uri, "rsync://rpki.example.net/repo/ab/cdef/");
	assert_string_equal(identity.crl_uri, "rsync://rpki.example.net/repo/ab/cdef/" OWN_STEM ".crl");
	assert_string_equal(identity.manifest_uri, "rsync://rpki.example.net/repo/ab/cdef/" OWN_STEM ".mft");
	/* The certificate stands at the publication point of who issued it. */
	assert_string_equal(identity.certificate_uri, "rsync://rpki.example.net/repo/01/2345/" OWN_STEM ".cer");
	assert_ptr_equal(identity.resources, &member->resources);
	assert_int_equal(identity.not_after_at, 1000);
}

static void
identity__of_its_issuer_is_the_parents(void **state)
{
	AUTO(struct ca_state, ca_state_free) member = make_state(CA_MEMBER);
	struct identity identity;
	(void)state;
	identity_of_issuer(member, &member->current, &member->current.key, &identity);
	assert_string_equal(identity.name, PARENT_HEX);
	assert_string_equal(identity.repository_uri, "rsync://rpki.example.net/repo/01/2345/");
	assert_string_equal(identity.certificate_uri, "rsync://rpki.example.net/repo/ta/ta.cer");
	assert_string_equal(identity.crl_uri, "rsync://rpki.example.net/repo/01/2345/" PARENT_STEM ".crl");
	assert_true(span_equal(identity.key_handle, bytes_span(&member->parent.key.handle)));
	assert_true(span_equal(identity.spki, bytes_span(&member->parent.key.spki)));
	assert_ptr_equal(identity.resources, &member->parent.resources);
	assert_int_equal(identity.not_after_at, 2000);
}

static void
identity__of_a_trust_anchor_is_its_own_issuer(void **state)
{
	AUTO(struct ca_state, ca_state_free) anchor = make_state(CA_TA);
	struct identity own, issuer;
	(void)state;
	identity_of_ca(anchor, &anchor->current, &anchor->current.key, &own);
	identity_of_issuer(anchor, &anchor->current, &anchor->current.key, &issuer);
	assert_string_equal(own.certificate_uri, "rsync://rpki.example.net/repo/ta/ta.cer");
	assert_string_equal(issuer.certificate_uri, own.certificate_uri);
	assert_string_equal(issuer.name, OWN_HEX);
	assert_string_equal(issuer.crl_uri, own.crl_uri);
}

static void
identity__takes_a_key_that_was_just_made(void **state)
{
	AUTO(struct ca_state, ca_state_free) member = make_state(CA_MEMBER);
	struct identity identity;
	(void)state;
	identity_of_ca(member, &member->current, &member->parent.key, &identity);
	assert_string_equal(identity.name, PARENT_HEX);
	assert_string_equal(identity.certificate_uri, "rsync://rpki.example.net/repo/01/2345/" PARENT_STEM ".cer");
	assert_true(span_equal(identity.key_handle, bytes_span(&member->parent.key.handle)));
}

/* Names at their limit are not cut off. */
static void
identity__has_room_for_the_longest_uris(void **state)
{
	AUTO(struct ca_state, ca_state_free) member = make_state(CA_MEMBER);
	struct identity identity;
	(void)state;
	memset(member->rsync_uri, 'r', STATE_URI_MAX - 1);
	memset(member->directory, 'd', STATE_URI_MAX - 1);
	memset(member->parent.repository_uri, 'p', STATE_URI_MAX - 1);
	identity_of_ca(member, &member->current, &member->current.key, &identity);
	assert_int_equal(strlen(identity.repository_uri), 2 * (STATE_URI_MAX - 1));
	assert_string_equal(identity.manifest_uri + strlen(identity.repository_uri), OWN_STEM ".mft");
	assert_string_equal(identity.crl_uri + strlen(identity.repository_uri), OWN_STEM ".crl");
	assert_string_equal(identity.certificate_uri + STATE_URI_MAX - 1, OWN_STEM ".cer");
}

static void
identity__tells_the_lint_no_issuer_of_a_self_signed_one(void **state)
{
	AUTO(struct ca_state, ca_state_free) anchor = make_state(CA_TA);
	struct identity identity;
	(void)state;
	identity_of_ca(anchor, &anchor->current, &anchor->current.key, &identity);
	struct lint_issuer self = identity_for_lint(&identity, true), other = identity_for_lint(&identity, false);
	assert_null(self.certificate_uri);
	assert_null(self.crl_uri);
	assert_ptr_equal(other.certificate_uri, identity.certificate_uri);
	assert_ptr_equal(other.crl_uri, identity.crl_uri);
	assert_memory_equal(other.key_identifier, identity.key_identifier, 20);
	assert_string_equal(other.name, OWN_HEX);
	assert_int_equal(other.not_after_at, 1000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(identity__of_a_member_is_made_of_its_key_and_place),
		cmocka_unit_test(identity__of_its_issuer_is_the_parents),
		cmocka_unit_test(identity__of_a_trust_anchor_is_its_own_issuer),
		cmocka_unit_test(identity__takes_a_key_that_was_just_made),
		cmocka_unit_test(identity__has_room_for_the_longest_uris),
		cmocka_unit_test(identity__tells_the_lint_no_issuer_of_a_self_signed_one),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
