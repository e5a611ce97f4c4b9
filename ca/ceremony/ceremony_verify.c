#include "ca/ceremony/ceremony_verify.h"

#include <stdio.h>
#include <string.h>

#include "ca/base/instant.h"
#include "ca/ceremony/ceremony_state.h"
#include "ca/der/crl.h"
#include "ca/der/manifest.h"
#include "ca/der/signed_object.h"
#include "ca/issue/identity.h"
#include "ca/lint/der_reader.h"
#include "ca/lint/lint.h"

struct verification {
	const struct ceremony_request *request;
	const struct ceremony_response *response;
	int64_t now_at;
	const struct identity *ta;
	struct object_set *objects;
};

/* ---- which request it answers ---- */

static enum fault_code
check_binding(const struct verification *verification, struct fault *fault)
{
	const struct ceremony_request *request = verification->request;
	const struct ceremony_response *response = verification->response;
	char at[INSTANT_TEXT];
	if (strcmp(response->instance, request->instance) != 0)
		return fault_set(fault, FAULT_CONFLICT, "the response is for another server: instance %s", response->instance);
	if (memcmp(response->ta_key, request->ta_key, sizeof response->ta_key) != 0)
		return fault_set(fault, FAULT_CONFLICT, "the response is another trust anchor's");
	if (response->number != request->number)
		return fault_set(fault, FAULT_CONFLICT, "the response is stale: it answers request %lld, and the one that waits is %lld",
			(long long)response->number, (long long)request->number);
	if (memcmp(response->request, request->digest, sizeof response->request) != 0)
		return fault_set(fault, FAULT_CONFLICT, "the response answers another request with the number %lld than the one that waits",
			(long long)response->number);
	instant_rfc3339(response->signed_at, at);
	if (response->signed_at > verification->now_at)
		return fault_set(fault, FAULT_CLOCK, "the response is from %s, which this server's clock has not reached: wait, or set the clock",
			at);
	if (response->crl_number < request->crl_number || response->manifest_number < request->manifest_number)
		return fault_set(fault, FAULT_INVALID, "the numbers of CRL and manifest would fall: %llu and %llu",
			(unsigned long long)response->crl_number, (unsigned long long)response->manifest_number);
	return FAULT_NONE;
}

/* ---- what it holds ---- */

/* Takes the only object of that kind and name. */
static enum fault_code
take(struct verification *verification, enum object_kind kind, const char *name, struct new_object **ret_object, struct fault *fault)
{
	for (size_t i = 0; i < verification->response->objects_count; i++) {
		const struct ceremony_object *given = &verification->response->objects[i];
		if (given->kind != kind || strcmp(given->name, name) != 0)
			continue;
		struct new_object *object;
		TRY(object_set_add(verification->objects, kind, &object, fault));
		(void)snprintf(object->name, sizeof object->name, "%s", name);
		TRY(bytes_append(&object->der, given->der.data, given->der.length, fault));
		*ret_object = object;
		return digest_sha256(bytes_span(&object->der), object->hash, fault);
	}
	return fault_set(fault, FAULT_INVALID, "the response lacks %s", name);
}

/* The first element of the outer SEQUENCE: what was signed of a certificate or CRL. */
static enum fault_code
signed_part(struct span der, struct span *ret_part, struct fault *fault)
{
	struct der_reader outer, inner;
	struct der_element part;
	TRY(der_reader_open(der, "the object", &outer, fault));
	TRY(der_reader_enter(&outer, DER_SEQUENCE, "the object", &inner, fault));
	TRY(der_reader_take(&inner, DER_SEQUENCE, "its signed part", &part, fault));
	*ret_part = part.whole;
	return FAULT_NONE;
}

static enum fault_code
check_certificate(struct span der, const struct lint_issuer *issuer, const struct lint_certificate_wanted *wanted, struct fault *fault)
{
	struct span tbs;
	TRY(signed_part(der, &tbs, fault));
	TRY(lint_certificate_tbs(tbs, issuer, wanted, fault));
	return lint_signed_certificate(der, tbs, issuer, fault);
}

static enum fault_code
set_times(struct new_object *object, struct fault *fault)
{
	AUTO_CLEAR(struct certificate, certificate_clear) certificate = CERTIFICATE_INIT;
	TRY(certificate_decode(bytes_span(&object->der), &certificate, fault));
	object->serial = certificate.serial;
	object->not_before_at = object->modified_at = certificate.not_before_at;
	object->not_after_at = certificate.not_after_at;
	return FAULT_NONE;
}

/* The trust anchor's own, or one of a CA below it. */
static enum fault_code
verify_certificate(struct verification *verification, const struct ca_state *state, int64_t valid_s, struct fault *fault)
{
	const struct ceremony_request *request = verification->request;
	bool ta = state->kind == CA_TA;
	struct identity subject;
	char name[STATE_NAME_MAX];
	struct new_object *object;
	identity_of_ca(state, &state->current, &state->current.key, &subject);
	(void)snprintf(name, sizeof name, ta ? "ta.cer" : "%.26s.cer", subject.key_name);
	struct lint_issuer issuer = identity_for_lint(verification->ta, ta);
	struct lint_certificate_wanted wanted = {
		.ta = ta, .ca = true, .spki = subject.spki, .now_at = verification->now_at, .resources = &state->resources,
		.repository_uri = subject.repository_uri, .manifest_uri = subject.manifest_uri,
		.notification_uri = state->notification_uri, .not_after_at = verification->response->signed_at + valid_s,
		.renewal = ta && request->not_before_at != 0, .previous_not_before_at = request->not_before_at,
	};
	TRY(take(verification, ta ? OBJECT_TA : OBJECT_CER, name, &object, fault));
	TRY(check_certificate(bytes_span(&object->der), &issuer, &wanted, fault));
	return set_times(object, fault);
}

static bool
listed(const struct crl *crl, const struct serial_number *serial)
{
	for (size_t i = 0; i < crl->revocations_count; i++)
		if (crl->revocations[i].serial.length == serial->length &&
			memcmp(crl->revocations[i].serial.octets, serial->octets, serial->length) == 0)
			return true;
	return false;
}

/* All that was to be revoked is on it, and nothing that the response brings. */
static enum fault_code
check_revocations(const struct verification *verification, const struct crl *crl, struct fault *fault)
{
	const struct ceremony_request *request = verification->request;
	for (size_t i = 0; i < request->revocations_count; i++)
		if (request->revocations[i].not_after_at > verification->response->signed_at &&
			!listed(crl, &request->revocations[i].serial))
			return fault_set(fault, FAULT_INVALID, "the CRL lacks a certificate that was to be revoked");
	for (size_t i = 0; i < verification->objects->count; i++)
		if (listed(crl, &verification->objects->items[i].serial))
			return fault_set(fault, FAULT_INVALID, "the CRL revokes %s, which comes with it", verification->objects->items[i].name);
	return FAULT_NONE;
}

static enum fault_code
verify_crl(struct verification *verification, struct crl *crl, struct fault *fault)
{
	const struct ceremony_response *response = verification->response;
	char name[STATE_NAME_MAX];
	struct new_object *object;
	struct span tbs;
	(void)snprintf(name, sizeof name, "%.26s.crl", verification->ta->key_name);
	TRY(take(verification, OBJECT_CRL, name, &object, fault));
	TRY(crl_decode(bytes_span(&object->der), crl, fault));
	struct lint_issuer issuer = identity_for_lint(verification->ta, false);
	struct lint_crl_wanted wanted = {
		.number = response->crl_number, .this_update_at = response->signed_at,
		.next_update_at = response->signed_at + verification->request->valid_s, .now_at = verification->now_at,
		.revocations = crl->revocations_count,
	};
	TRY(signed_part(bytes_span(&object->der), &tbs, fault));
	TRY(lint_crl_tbs(tbs, &issuer, &wanted, fault));
	TRY(lint_signed_crl(bytes_span(&object->der), tbs, &issuer, fault));
	object->not_before_at = object->modified_at = wanted.this_update_at;
	object->not_after_at = wanted.next_update_at;
	return check_revocations(verification, crl, fault);
}

/* Each certificate of the response and its CRL, with their hashes: what stands at the publication point, and nothing else. */
static enum fault_code
check_entries(const struct verification *verification, const struct manifest *manifest, struct fault *fault)
{
	size_t wanted = 0;
	for (size_t i = 0; i < verification->objects->count; i++) {
		const struct new_object *object = &verification->objects->items[i];
		bool found = false;
		if (object->kind != OBJECT_CER && object->kind != OBJECT_CRL)
			continue;
		wanted++;
		for (size_t k = 0; k < manifest->entries_count; k++)
			found |= strcmp(manifest->entries[k].name, object->name) == 0 &&
				memcmp(manifest->entries[k].hash, object->hash, SHA256_SIZE) == 0;
		if (!found)
			return fault_set(fault, FAULT_INVALID, "the manifest doesn't list %s as it is in the response", object->name);
	}
	return manifest->entries_count == wanted ? FAULT_NONE :
		fault_set(fault, FAULT_INVALID, "the manifest lists %zu files, and the response brings %zu", manifest->entries_count, wanted);
}

/* A manifest taken apart. */
struct manifest_parts {
	struct bytes content, ee;
	struct manifest manifest;
	struct certificate certificate;
	int64_t signing_time_at;
};

static void
manifest_parts_clear(struct manifest_parts *parts)
{
	bytes_clear(&parts->content);
	bytes_clear(&parts->ee);
	manifest_clear(&parts->manifest);
	certificate_clear(&parts->certificate);
}

static enum fault_code
take_apart(struct span der, struct manifest_parts *parts, struct fault *fault)
{
	enum content_type type;
	TRY(signed_object_decode(der, &type, &parts->content, &parts->ee, &parts->signing_time_at, fault));
	if (type != CONTENT_MANIFEST)
		return fault_set(fault, FAULT_INVALID, "the response's manifest is none");
	TRY(manifest_decode(bytes_span(&parts->content), &parts->manifest, fault));
	return certificate_decode(bytes_span(&parts->ee), &parts->certificate, fault);
}

static enum fault_code
lint_manifest(const struct verification *verification, const struct new_object *object, const struct new_object *crl,
	const struct manifest_parts *parts, struct fault *fault)
{
	const struct ceremony_response *response = verification->response;
	int64_t next_update_at = response->signed_at + verification->request->valid_s;
	struct lint_issuer issuer = identity_for_lint(verification->ta, false);
	struct lint_manifest_wanted content = {
		.number = response->manifest_number, .this_update_at = response->signed_at, .next_update_at = next_update_at,
		.now_at = verification->now_at, .entries = parts->manifest.entries_count, .crl_name = crl->name, .crl_hash = crl->hash,
	};
	struct lint_certificate_wanted ee = {
		.spki = bytes_span(&parts->certificate.spki), .now_at = verification->now_at, .object_uri = verification->ta->manifest_uri,
		.not_before_at = response->signed_at, .not_after_at = next_update_at,
	};
	struct lint_signed_wanted whole = {
		.manifest = true, .content = bytes_span(&parts->content), .signing_time_at = response->signed_at,
	};
	TRY(signed_part(bytes_span(&parts->ee), &whole.ee_tbs, fault));
	TRY(lint_manifest_content(bytes_span(&parts->content), &content, fault));
	TRY(check_certificate(bytes_span(&parts->ee), &issuer, &ee, fault));
	return lint_signed_object(bytes_span(&object->der), &issuer, &whole, fault);
}

static enum fault_code
verify_manifest(struct verification *verification, const struct crl *crl, struct fault *fault)
{
	AUTO_CLEAR(struct manifest_parts, manifest_parts_clear) parts = { .manifest = MANIFEST_INIT, .certificate = CERTIFICATE_INIT };
	char name[STATE_NAME_MAX];
	struct new_object *object;
	(void)snprintf(name, sizeof name, "%.26s.mft", verification->ta->key_name);
	TRY(take(verification, OBJECT_MFT, name, &object, fault));
	const struct new_object *listed_crl = &verification->objects->items[verification->objects->count - 2];
	TRY(take_apart(bytes_span(&object->der), &parts, fault));
	TRY(check_entries(verification, &parts.manifest, fault));
	TRY(lint_manifest(verification, object, listed_crl, &parts, fault));
	if (listed(crl, &parts.certificate.serial))
		return fault_set(fault, FAULT_INVALID, "the CRL revokes the manifest that comes with it");
	object->serial = parts.certificate.serial;
	object->not_before_at = parts.certificate.not_before_at;
	object->not_after_at = parts.certificate.not_after_at;
	object->modified_at = parts.signing_time_at;
	return FAULT_NONE;
}

static enum fault_code
verify_all(struct verification *verification, const struct ca_state *ta, const struct ceremony_key *key, struct fault *fault)
{
	const struct ceremony_request *request = verification->request;
	AUTO_CLEAR(struct crl, crl_clear) crl = CRL_INIT;
	int64_t ends_at = verification->response->signed_at + request->valid_s;
	TRY(check_binding(verification, fault));
	TRY(verify_certificate(verification, ta, request->valid_s, fault));
	for (size_t i = 0; i < request->children_count; i++) {
		AUTO(struct ca_state, ca_state_free) child = NULL;
		TRY(ceremony_state_child(request, &request->children[i], key, ends_at, &child, fault));
		TRY(verify_certificate(verification, child, request->children[i].valid_s, fault));
	}
	TRY(verify_crl(verification, &crl, fault));
	TRY(verify_manifest(verification, &crl, fault));
	return verification->objects->count == verification->response->objects_count ? FAULT_NONE :
		fault_set(fault, FAULT_INVALID, "the response brings objects that nobody asked for");
}

enum fault_code
ceremony_verify(const struct ceremony_request *request, const struct ceremony_response *response, struct span spki, int64_t now_at,
	struct object_set **ret_objects, struct fault *fault)
{
	AUTO(struct ca_state, ca_state_free) ta = NULL;
	AUTO(struct object_set, object_set_free) objects = NULL;
	struct ceremony_key key = { .spki = spki };
	struct identity identity;
	TRY(ceremony_state_anchor(request, &key, &ta, fault));
	TRY(object_set_new(&objects, fault));
	identity_of_ca(ta, &ta->current, &ta->current.key, &identity);
	struct verification verification = {
		.request = request, .response = response, .now_at = now_at, .ta = &identity, .objects = objects,
	};
	TRY(verify_all(&verification, ta, &key, fault));
	*ret_objects = MOVE(objects);
	return FAULT_NONE;
}
