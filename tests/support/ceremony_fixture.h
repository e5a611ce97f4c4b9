/*
 * ceremony_fixture: both sides of a ceremony without files: a trust anchor's key and ledger, a server's request key, an online CA's key.
 * Whatever fails in it ends the program. Threads: one.
 */
#ifndef TESTS_SUPPORT_CEREMONY_FIXTURE_H
#define TESTS_SUPPORT_CEREMONY_FIXTURE_H

#include "ca/ceremony/ceremony_sign.h"
#include "tests/support/sample_ca.h"

#define CEREMONY_FIXTURE_INSTANCE "0b5c9d1e-2f3a-4b6c-8d7e-9f0a1b2c3d4e"

struct ceremony_fixture {
	struct sample_ca ca;                     /* the trust anchor, and the signer of all keys */
	struct bytes request_handle, request_spki;
	struct bytes child_handle, child_spki;
};

void ceremony_fixture_init(struct ceremony_fixture *fixture);
void ceremony_fixture_clear(struct ceremony_fixture *fixture);

struct ceremony_anchor ceremony_fixture_anchor(const struct ceremony_fixture *fixture);
/* A right request of that number and time, sealed; *ret_file (may be NULL) is its file. The caller frees both. */
struct ceremony_request *ceremony_fixture_request(const struct ceremony_fixture *fixture, int64_t number, int64_t created_at,
	struct bytes *ret_file);
/* Seals it again, after something in it was changed. */
void ceremony_fixture_seal(const struct ceremony_fixture *fixture, struct ceremony_request *request, struct bytes *ret_file);
struct ceremony_ledger *ceremony_fixture_ledger(const struct ceremony_fixture *fixture);
/* The response to a request. */
struct ceremony_response *ceremony_fixture_sign(const struct ceremony_fixture *fixture, const struct ceremony_request *request,
	struct ceremony_ledger *ledger, int64_t now_at, struct bytes *ret_file);

#endif
