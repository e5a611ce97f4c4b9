/* Signed objects: CMS around a content, with the certificate of a one-time key. ROAs; a manifest's own content is check_manifest's. */
#include <stdlib.h>
#include <string.h>

#include "ca/base/memory.h"
#include "ca/lint/lint_look.h"
#include "publish/check/check_internal.h"

struct pieces {
	const struct check_authority *issuer;
	const char *uri;
	struct lint_look_signed look;
	struct lint_look_certificate ee;
};

static void
pieces_clear(struct pieces *pieces)
{
	lint_look_certificate_clear(&pieces->ee);
}

void
check_signed_clear(struct check_signed *object)
{
	bytes_clear(&object->content);
	resource_set_clear(&object->resources);
}

/* Something that lint says of an object, or a fault that says nothing of it. */
static enum fault_code
is_refusal(enum fault_code code, const struct fault *refusal, bool *ret_refused, struct fault *fault)
{
	*ret_refused = code == FAULT_LINT;
	return code == FAULT_NONE || code == FAULT_LINT ? FAULT_NONE : fault_set(fault, code, "%s", refusal->message);
}

static enum fault_code
diagnose(struct check *check, const struct pieces *pieces, const struct fault *refusal, struct fault *fault)
{
	uint8_t hash[SHA256_SIZE];
	bool verified;
	TRY(lint_look_verify(bytes_span(&pieces->issuer->spki), pieces->ee.tbs, pieces->ee.signature, &verified, fault));
	if (!verified)
		return FOUND(check, CERTIFICATE_SIGNATURE, pieces->uri, fault, "the EE certificate's signature doesn't verify");
	TRY(digest_sha256(pieces->look.content, hash, fault));
	if (pieces->look.digest.data != NULL && !span_equal(pieces->look.digest, SPAN(hash, SHA256_SIZE)))
		return FOUND(check, OBJECT_DIGEST, pieces->uri, fault, "RFC 6488 §2.1.6.4.2: message-digest isn't the content's");
	TRY(lint_look_verify_signed(&pieces->look, pieces->ee.spki, &verified, fault));
	if (!verified)
		return FOUND(check, OBJECT_SIGNATURE, pieces->uri, fault, "the signature doesn't verify under the EE's key");
	return FOUND(check, OBJECT_PROFILE, pieces->uri, fault, "%s", refusal->message);
}

static enum fault_code
judge(struct check *check, struct pieces *pieces, struct span der, bool manifest, struct check_signed *object, struct fault *fault)
{
	const struct lint_look_certificate *ee = &pieces->ee;
	struct lint_issuer lint = check_authority_issuer(pieces->issuer);
	struct fault refusal = FAULT_INIT;
	bool inherits = ee->inherits_ipv4 || ee->inherits_ipv6 || ee->inherits_asns, refused;
	struct lint_certificate_wanted wanted = {
		.spki = ee->spki, .now_at = check->now_at, .resources = inherits ? NULL : &ee->resources,
		.object_uri = pieces->uri,
	};
	struct lint_signed_wanted signed_wanted = {
		.manifest = manifest, .content = pieces->look.content, .ee_tbs = ee->tbs, .signing_time_at = pieces->look.signing_time_at,
	};
	TRY(check_certificate_judge(check, pieces->issuer, ee, &wanted, pieces->uri, &object->right, fault));
	if (!object->right)
		return FAULT_NONE;
	TRY(is_refusal(lint_signed_object(der, &lint, &signed_wanted, &refusal), &refusal, &refused, fault));
	object->right = !refused;
	return refused ? diagnose(check, pieces, &refusal, fault) : FAULT_NONE;
}

enum fault_code
check_signed(struct check *check, const struct check_authority *issuer, const char *uri, struct span der, bool manifest,
	struct check_signed *ret_object, struct fault *fault)
{
	AUTO_CLEAR(struct pieces, pieces_clear) pieces = { .issuer = issuer, .uri = uri, .ee = LINT_LOOK_CERTIFICATE_INIT };
	struct fault refusal = FAULT_INIT;
	bool refused;
	TRY(is_refusal(lint_look_signed(der, &pieces.look, &refusal), &refusal, &refused, fault));
	if (!refused && (manifest ? !pieces.look.manifest : !pieces.look.roa))
		return FOUND(check, OBJECT_MALFORMED, uri, fault, "RFC 6488 §2.1.3.1: eContentType isn't that of %s",
			manifest ? "a manifest" : "a ROA");
	if (!refused)
		TRY(is_refusal(lint_look_certificate(pieces.look.certificate, &pieces.ee, &refusal), &refusal, &refused, fault));
	if (refused)
		return FOUND(check, OBJECT_MALFORMED, uri, fault, "%s", refusal.message);
	TRY(bytes_append(&ret_object->content, pieces.look.content.data, pieces.look.content.length, fault));
	ret_object->readable = true;
	ret_object->not_after_at = pieces.ee.not_after_at;
	TRY(check_note(check, manifest ? CHECK_MFT : CHECK_ROA, uri, pieces.ee.not_after_at, fault));
	TRY(judge(check, &pieces, der, manifest, ret_object, fault));
	return manifest ? FAULT_NONE : resource_set_copy(&pieces.ee.resources, &ret_object->resources, fault);
}

/* Which rule it is that the prefixes break. */
static enum fault_code
diagnose_payloads(struct check *check, const struct check_signed *object, const char *uri, const struct payload *payloads,
	size_t count, const struct fault *refusal, struct fault *fault)
{
	for (size_t i = 0; i < count; i++)
		if (!resource_set_holds_prefix(&object->resources, &payloads[i].prefix))
			return FOUND(check, ROA_OUTSIDE, uri, fault, "RFC 9582 §5: a prefix isn't in its certificate");
	for (size_t i = 1; i < count; i++)
		if (payload_compare(&payloads[i - 1], &payloads[i]) >= 0)
			return FOUND(check, ROA_ORDER, uri, fault, "RFC 9582 §4.3.3: prefixes aren't each once in canonical order");
	return FOUND(check, OBJECT_PROFILE, uri, fault, "%s", refusal->message);
}

static enum fault_code
keep_payloads(struct check *check, struct check_authority *issuer, const struct payload *payloads, size_t count,
	struct fault *fault)
{
	const struct check_request *request = check->request;
	TRY(memory_reserve(&issuer->payloads, &issuer->payloads_capacity, issuer->payloads_count + count, sizeof *payloads, fault));
	for (size_t i = 0; i < count; i++) {
		issuer->payloads[issuer->payloads_count++] = payloads[i];
		if (request->payload != NULL)
			TRY(request->payload(request->argument, &payloads[i], fault));
	}
	check->report->payloads += (int64_t)count;
	return FAULT_NONE;
}

enum fault_code
check_roa(struct check *check, struct check_authority *issuer, const char *uri, struct span der, struct fault *fault)
{
	AUTO_CLEAR(struct check_signed, check_signed_clear) object = CHECK_SIGNED_INIT;
	AUTO(struct payload, free) payloads = NULL;
	struct fault refusal = FAULT_INIT;
	size_t count = 0;
	bool refused;
	TRY(check_signed(check, issuer, uri, der, false, &object, fault));
	if (!object.readable)
		return FAULT_NONE;
	issuer->roas++;
	if (issuer->roas_expire_at == 0 || object.not_after_at < issuer->roas_expire_at)
		issuer->roas_expire_at = object.not_after_at;
	TRY(is_refusal(lint_look_roa(bytes_span(&object.content), &payloads, &count, &refusal), &refusal, &refused, fault));
	if (refused)
		return FOUND(check, OBJECT_MALFORMED, uri, fault, "%s", refusal.message);
	/* A validator has stopped there. */
	if (!object.right)
		return FAULT_NONE;
	TRY(is_refusal(lint_roa_content(bytes_span(&object.content), payloads, count, &object.resources, &refusal), &refusal, &refused,
		fault));
	if (refused)
		return diagnose_payloads(check, &object, uri, payloads, count, &refusal, fault);
	return issuer->valid ? keep_payloads(check, issuer, payloads, count, fault) : FAULT_NONE;
}
