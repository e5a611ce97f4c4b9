#include "tests/support/ceremony_fixture.h"

#include <stdio.h>
#include <string.h>

#define SURE(call) INVARIANT((call) == FAULT_NONE)

void
ceremony_fixture_init(struct ceremony_fixture *fixture)
{
	*fixture = (struct ceremony_fixture){ .request_handle = BYTES_INIT };
	sample_ca_init(&fixture->ca);
	SURE(signer_generate(fixture->ca.signer, &fixture->request_handle, &fixture->request_spki, NULL));
	SURE(signer_generate(fixture->ca.signer, &fixture->child_handle, &fixture->child_spki, NULL));
}

void
ceremony_fixture_clear(struct ceremony_fixture *fixture)
{
	bytes_clear(&fixture->request_handle);
	bytes_clear(&fixture->request_spki);
	bytes_clear(&fixture->child_handle);
	bytes_clear(&fixture->child_spki);
	sample_ca_clear(&fixture->ca);
}

struct ceremony_anchor
ceremony_fixture_anchor(const struct ceremony_fixture *fixture)
{
	return (struct ceremony_anchor){
		.signer = fixture->ca.signer, .pool = fixture->ca.pool, .handle = bytes_span(&fixture->ca.handle),
		.spki = bytes_span(&fixture->ca.spki),
	};
}

void
ceremony_fixture_seal(const struct ceremony_fixture *fixture, struct ceremony_request *request, struct bytes *ret_file)
{
	AUTO_CLEAR(struct bytes, bytes_clear) file = BYTES_INIT;
	SURE(ceremony_request_seal(request, fixture->ca.signer, bytes_span(&fixture->request_handle), &file, NULL));
	if (ret_file != NULL)
		bytes_swap(ret_file, &file);
}

struct ceremony_request *
ceremony_fixture_request(const struct ceremony_fixture *fixture, int64_t number, int64_t created_at, struct bytes *ret_file)
{
	struct ceremony_request *request;
	SURE(ceremony_request_new(&request, NULL));
	request->number = number;
	request->created_at = created_at;
	(void)snprintf(request->instance, sizeof request->instance, "%s", CEREMONY_FIXTURE_INSTANCE);
	SURE(bytes_append(&request->request_key, fixture->request_spki.data, fixture->request_spki.length, NULL));
	memcpy(request->ta_key, fixture->ca.identifier, sizeof request->ta_key);
	(void)snprintf(request->rsync_uri, sizeof request->rsync_uri, "%s", SAMPLE_BASE);
	(void)snprintf(request->directory, sizeof request->directory, "0a/1b2c/");
	(void)snprintf(request->notification_uri, sizeof request->notification_uri, "https://rpki.example/rrdp/notification.xml");
	SURE(resource_set_copy(&fixture->ca.resources, &request->resources, NULL));
	request->valid_s = 90 * SAMPLE_DAY;
	request->crl_number = 5;
	request->manifest_number = 6;
	struct ceremony_child *child = &request->children[request->children_count++];
	SURE(bytes_append(&child->spki, fixture->child_spki.data, fixture->child_spki.length, NULL));
	(void)snprintf(child->directory, sizeof child->directory, "3d/4e5f/");
	child->valid_s = 365 * SAMPLE_DAY;
	SURE(resource_set_copy(&fixture->ca.resources, &child->resources, NULL));
	ceremony_fixture_seal(fixture, request, ret_file);
	return request;
}

struct ceremony_ledger *
ceremony_fixture_ledger(const struct ceremony_fixture *fixture)
{
	struct ceremony_ledger *ledger;
	SURE(ceremony_ledger_new(&ledger, NULL));
	SURE(bytes_append(&ledger->ta_key, fixture->ca.spki.data, fixture->ca.spki.length, NULL));
	return ledger;
}

struct ceremony_response *
ceremony_fixture_sign(const struct ceremony_fixture *fixture, const struct ceremony_request *request, struct ceremony_ledger *ledger,
	int64_t now_at, struct bytes *ret_file)
{
	AUTO_CLEAR(struct bytes, bytes_clear) file = BYTES_INIT;
	struct ceremony_anchor anchor = ceremony_fixture_anchor(fixture);
	struct ceremony_response *response;
	SURE(ceremony_sign(&anchor, request, ledger, now_at, &file, NULL));
	SURE(ceremony_response_parse(bytes_span(&file), anchor.spki, &response, NULL));
	if (ret_file != NULL)
		bytes_swap(ret_file, &file);
	return response;
}
