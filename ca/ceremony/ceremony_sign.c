#include "ca/ceremony/ceremony_sign.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ca/base/instant.h"
#include "ca/base/memory.h"
#include "ca/ceremony/ceremony_state.h"
#include "ca/issue/issue.h"

/* ---- may it be answered? ---- */

/* People may leave out the spaces of a fingerprint. */
static bool
same_fingerprint(const char *a, const char *b)
{
	for (;;) {
		a += strspn(a, " ");
		b += strspn(b, " ");
		if (*a != *b)
			return false;
		if (*a == '\0')
			return true;
		a++;
		b++;
	}
}

static enum fault_code
check_server(const struct ceremony_request *request, const struct ceremony_ledger *ledger, const char *new_server, struct fault *fault)
{
	char known[CEREMONY_FINGERPRINT_SIZE], asks[CEREMONY_FINGERPRINT_SIZE];
	bool same = strcmp(request->instance, ledger->instance) == 0 &&
		span_equal(bytes_span(&request->request_key), bytes_span(&ledger->request_key));
	TRY(ceremony_fingerprint(bytes_span(&request->request_key), asks, fault));
	if (new_server != NULL && !same_fingerprint(new_server, asks))
		return fault_set(fault, FAULT_CONFLICT, "the request is signed by the key %s, not by the one that was named", asks);
	if (ledger->number == 0 || same || new_server != NULL)
		return FAULT_NONE;
	TRY(ceremony_fingerprint(bytes_span(&ledger->request_key), known, fault));
	return fault_set(fault, FAULT_CONFLICT,
		"the request comes from another server: instance %s with the key %s, but this trust anchor serves instance %s with the key %s",
		request->instance, asks, ledger->instance, known);
}

static enum fault_code
check_number(const struct ceremony_request *request, const struct ceremony_ledger *ledger, struct fault *fault)
{
	char at[INSTANT_TEXT];
	instant_rfc3339(ledger->signed_at, at);
	if (memcmp(request->digest, ledger->request, sizeof request->digest) == 0 && ledger->number != 0)
		return fault_set(fault, FAULT_CONFLICT, "request %lld was answered already, at %s", (long long)request->number, at);
	/* A server laid anew begins at 1 again. */
	if (strcmp(request->instance, ledger->instance) == 0 && request->number <= ledger->number)
		return fault_set(fault, FAULT_CONFLICT, "request %lld is stale: request %lld was answered at %s; where the server was restored, "
			"make a new one with --after %lld", (long long)request->number, (long long)ledger->number, at,
			(long long)ledger->number);
	return FAULT_NONE;
}

static enum fault_code
check_clock(const struct ceremony_request *request, const struct ceremony_ledger *ledger, int64_t now_at, struct fault *fault)
{
	char now[INSTANT_TEXT], created[INSTANT_TEXT], last[INSTANT_TEXT];
	instant_rfc3339(now_at, now);
	instant_rfc3339(request->created_at, created);
	instant_rfc3339(ledger->signed_at, last);
	if (now_at <= ledger->signed_at)
		return fault_set(fault, FAULT_CLOCK, "this machine's clock says %s, but the last ceremony was at %s: set the clock", now, last);
	if (now_at < request->created_at - CEREMONY_CLOCK_TOLERANCE_S)
		return fault_set(fault, FAULT_CLOCK, "this machine's clock says %s, but the request is from %s: set the clock", now, created);
	if (now_at > request->created_at + CEREMONY_REQUEST_AGE_MAX_S)
		return fault_set(fault, FAULT_CLOCK, "the request is from %s and this machine's clock says %s, more than %d days later: set the "
			"clock, or make a new request", created, now, (int)(CEREMONY_REQUEST_AGE_MAX_S / 86400));
	if (now_at <= request->not_before_at)
		return fault_set(fault, FAULT_CLOCK, "this machine's clock says %s: what is in use is not older: set the clock", now);
	return FAULT_NONE;
}

enum fault_code
ceremony_check(const struct ceremony_request *request, const struct ceremony_ledger *ledger, const char *new_server, int64_t now_at,
	struct fault *fault)
{
	uint8_t identifier[KEY_IDENTIFIER_SIZE];
	TRY(certificate_key_identifier(bytes_span(&ledger->ta_key), identifier, fault));
	if (memcmp(identifier, request->ta_key, sizeof identifier) != 0)
		return fault_set(fault, FAULT_CONFLICT, "the request is for another trust anchor's key");
	if (request->children_count == 0)
		return fault_set(fault, FAULT_INVALID, "the request asks for no CA's certificate");
	TRY(check_server(request, ledger, new_server, fault));
	TRY(check_number(request, ledger, fault));
	return check_clock(request, ledger, now_at, fault);
}

/* ---- the ledger's part ---- */

static const struct ledger_entry *
find_entry(const struct ceremony_ledger *ledger, const struct serial_number *serial)
{
	for (size_t i = 0; i < ledger->entries_count; i++) {
		const struct serial_number *known = &ledger->entries[i].serial;
		if (known->length == serial->length && memcmp(known->octets, serial->octets, serial->length) == 0)
			return &ledger->entries[i];
	}
	return NULL;
}

static int64_t
earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* Takes over what the server has to revoke and this machine never knew: issued while the key was online. */
static enum fault_code
learn_revocations(const struct ceremony_request *request, struct ceremony_ledger *ledger, int64_t now_at, struct fault *fault)
{
	for (size_t i = 0; i < request->revocations_count; i++) {
		const struct ceremony_revocation *revocation = &request->revocations[i];
		if (find_entry(ledger, &revocation->serial) != NULL || revocation->not_after_at <= now_at)
			continue;
		struct ledger_entry entry = {
			.kind = OBJECT_CER, .serial = revocation->serial, .not_after_at = revocation->not_after_at,
			.revoked_at = earlier(revocation->revoked_at, now_at),
		};
		TRY(ceremony_ledger_add(ledger, &entry, fault));
	}
	return FAULT_NONE;
}

/* All that stands is replaced now. What a CRL can't name is a trust anchor's own certificate. */
static void
revoke_all(struct ceremony_ledger *ledger, int64_t now_at)
{
	for (size_t i = 0; i < ledger->entries_count; i++)
		if (ledger->entries[i].revoked_at == 0 && ledger->entries[i].kind != OBJECT_TA)
			ledger->entries[i].revoked_at = now_at;
}

static bool
on_crl(const struct ledger_entry *entry, int64_t now_at)
{
	return entry->kind != OBJECT_TA && entry->revoked_at != 0 && entry->not_after_at > now_at;
}

static enum fault_code
list_revoked(const struct ceremony_ledger *ledger, int64_t now_at, struct ca_state *state, struct fault *fault)
{
	struct ca_instance *instance = &state->current;
	TRY(memory_reserve(&instance->revoked, &instance->revoked_capacity, ledger->entries_count, sizeof *instance->revoked, fault));
	for (size_t i = 0; i < ledger->entries_count; i++) {
		const struct ledger_entry *entry = &ledger->entries[i];
		if (!on_crl(entry, now_at))
			continue;
		struct revoked_serial *revoked = &instance->revoked[instance->revoked_count++];
		*revoked = (struct revoked_serial){ .length = entry->serial.length, .revoked_at = entry->revoked_at };
		memcpy(revoked->octets, entry->serial.octets, entry->serial.length);
	}
	return FAULT_NONE;
}

/* ---- signing ---- */

struct ceremony {
	const struct ceremony_anchor *anchor;
	const struct ceremony_request *request;
	struct ceremony_ledger *ledger;
	struct ceremony_response *response;
	int64_t now_at;
	int64_t not_before_at, not_after_at;     /* of the trust anchor's certificate */
};

/* Moves what was issued into the response and the ledger. */
static enum fault_code
keep(struct ceremony *ceremony, struct object_set *set, struct fault *fault)
{
	for (size_t i = 0; i < set->count; i++) {
		struct new_object *made = &set->items[i];
		INVARIANT(ceremony->response->objects_count < CEREMONY_OBJECTS_MAX);
		struct ceremony_object *object = &ceremony->response->objects[ceremony->response->objects_count++];
		object->kind = made->kind;
		(void)snprintf(object->name, sizeof object->name, "%s", made->name);
		bytes_swap(&object->der, &made->der);
		struct ledger_entry entry = { .kind = made->kind, .serial = made->serial, .not_after_at = made->not_after_at };
		if (made->serial.length > 0)
			TRY(ceremony_ledger_add(ceremony->ledger, &entry, fault));
	}
	return FAULT_NONE;
}

/* A child's certificate, and its entry among the objects of the trust anchor's publication point. */
static enum fault_code
certify_child(struct ceremony *ceremony, const struct issue_context *context, const struct ceremony_child *child, struct ca_state *ta,
	struct fault *fault)
{
	AUTO(struct ca_state, ca_state_free) state = NULL;
	AUTO(struct object_set, object_set_free) set = NULL;
	struct ceremony_key key = { .handle = ceremony->anchor->handle, .spki = ceremony->anchor->spki };
	TRY(ceremony_state_child(ceremony->request, child, &key, ceremony->not_after_at, &state, fault));
	struct ca_plan plan = {
		.now_at = ceremony->now_at,
		.active = {
			.instance = &state->current, .issue_certificate = true,
			.certificate_not_before_at = ceremony->now_at - TIMING_BACKDATE_S,
			.certificate_not_after_at = ceremony->now_at + child->valid_s,
		},
	};
	TRY(issue_plan(context, state, &plan, &set, fault));
	INVARIANT(set->count == 1);
	TRY(memory_reserve(&ta->objects, &ta->objects_capacity, ta->objects_count + 1, sizeof *ta->objects, fault));
	struct issued_object *object = &ta->objects[ta->objects_count++];
	*object = (struct issued_object){ .object_id = (int64_t)ta->objects_count, .kind = OBJECT_CER, .key_id = ta->current.key.key_id };
	memcpy(object->name, set->items[0].name, sizeof object->name);
	memcpy(object->hash, set->items[0].hash, sizeof object->hash);
	return keep(ceremony, set, fault);
}

/* Its own certificate, CRL and manifest. */
static enum fault_code
sign_anchor(struct ceremony *ceremony, const struct issue_context *context, struct ca_state *ta, struct fault *fault)
{
	AUTO(struct object_set, object_set_free) set = NULL;
	struct ca_plan plan = {
		.now_at = ceremony->now_at,
		.active = {
			.instance = &ta->current, .issue_certificate = true, .certificate_not_before_at = ceremony->not_before_at,
			.certificate_not_after_at = ceremony->not_after_at, .issue_manifest = true,
			.next_update_at = ceremony->not_after_at, .crl_number = ceremony->ledger->crl_number,
			.manifest_number = ceremony->ledger->manifest_number,
		},
	};
	TRY(issue_plan(context, ta, &plan, &set, fault));
	return keep(ceremony, set, fault);
}

static uint64_t
larger(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* Whom it serves and what was asked last; numbers rise above both memories. */
static enum fault_code
enter_request(struct ceremony *ceremony, struct fault *fault)
{
	const struct ceremony_request *request = ceremony->request;
	struct ceremony_ledger *ledger = ceremony->ledger;
	memcpy(ledger->instance, request->instance, sizeof ledger->instance);
	bytes_reset(&ledger->request_key);
	TRY(bytes_append(&ledger->request_key, request->request_key.data, request->request_key.length, fault));
	/* draft-ta-tiebreaker: of two certificates of one key the later notBefore wins: it rises above all that there were. */
	int64_t before_at = request->not_before_at > ledger->not_before_at ? request->not_before_at : ledger->not_before_at;
	ceremony->not_before_at = ceremony->now_at - TIMING_BACKDATE_S > before_at ? ceremony->now_at - TIMING_BACKDATE_S : before_at + 1;
	ceremony->not_after_at = ceremony->now_at + request->valid_s;
	ledger->number = request->number;
	memcpy(ledger->request, request->digest, sizeof ledger->request);
	ledger->signed_at = ceremony->now_at;
	ledger->not_before_at = ceremony->not_before_at;
	ledger->crl_number = larger(request->crl_number, ledger->crl_number + 1);
	ledger->manifest_number = larger(request->manifest_number, ledger->manifest_number + 1);
	return FAULT_NONE;
}

static void
fill_response(const struct ceremony *ceremony)
{
	const struct ceremony_request *request = ceremony->request;
	struct ceremony_response *response = ceremony->response;
	response->number = request->number;
	memcpy(response->request, request->digest, sizeof response->request);
	memcpy(response->instance, request->instance, sizeof response->instance);
	memcpy(response->ta_key, request->ta_key, sizeof response->ta_key);
	response->signed_at = ceremony->now_at;
	response->crl_number = ceremony->ledger->crl_number;
	response->manifest_number = ceremony->ledger->manifest_number;
}

enum fault_code
ceremony_sign(const struct ceremony_anchor *anchor, const struct ceremony_request *request, struct ceremony_ledger *ledger, int64_t now_at,
	struct bytes *ret_file, struct fault *fault)
{
	AUTO(struct ceremony_response, ceremony_response_free) response = NULL;
	AUTO(struct ca_state, ca_state_free) ta = NULL;
	struct plan_settings settings = { .timing = timing_default, .layout = roa_layout_default };
	struct issue_context context = { .signer = anchor->signer, .pool = anchor->pool, .settings = &settings };
	TRY(ceremony_response_new(&response, fault));
	struct ceremony ceremony = { .anchor = anchor, .request = request, .ledger = ledger, .response = response, .now_at = now_at };
	TRY(learn_revocations(request, ledger, now_at, fault));
	revoke_all(ledger, now_at);
	TRY(enter_request(&ceremony, fault));
	fill_response(&ceremony);
	struct ceremony_key key = { .handle = anchor->handle, .spki = anchor->spki };
	TRY(ceremony_state_anchor(request, &key, &ta, fault));
	TRY(list_revoked(ledger, now_at, ta, fault));
	for (size_t i = 0; i < request->children_count; i++)
		TRY(certify_child(&ceremony, &context, &request->children[i], ta, fault));
	TRY(sign_anchor(&ceremony, &context, ta, fault));
	return ceremony_response_seal(response, anchor->signer, anchor->handle, ret_file, fault);
}
