/* Certificates of CAs and of EEs: whether a validator takes them, and if not, which rule it is that they break. */
#include <stdlib.h>
#include <string.h>

#include "ca/base/memory.h"
#include "ca/lint/lint_look.h"
#include "publish/check/check_internal.h"

void
check_authority_free(struct check_authority *authority)
{
	if (authority == NULL)
		return;
	bytes_clear(&authority->spki);
	bytes_clear(&authority->crl);
	bytes_clear(&authority->manifest);
	resource_set_clear(&authority->resources);
	free(authority->revoked);
	free(authority->payloads);
	free(authority);
}

struct lint_issuer
check_authority_issuer(const struct check_authority *authority)
{
	struct lint_issuer issuer = {
		.name = authority->name, .spki = bytes_span(&authority->spki), .resources = &authority->resources,
		.certificate_uri = authority->certificate_uri, .crl_uri = authority->crl_uri,
		.repository_uri = authority->repository_uri,
	};
	memcpy(issuer.key_identifier, authority->key_identifier, sizeof issuer.key_identifier);
	return issuer;
}

static bool
uris_right(const struct check_authority *issuer, const struct lint_look_certificate *look)
{
	return check_span_is(look->crl_uri, issuer->crl_uri) && check_span_is(look->issuer_uri, issuer->certificate_uri);
}

static bool
names_issuer(const struct check_authority *issuer, const struct lint_look_certificate *look)
{
	return check_span_is(look->issuer, issuer->name) &&
		span_equal(look->authority_key, SPAN(issuer->key_identifier, sizeof issuer->key_identifier));
}

/* Which rule it is; the first that a validator would stumble over. refusal: what lint says. */
static enum fault_code
diagnose(struct check *check, const struct check_authority *issuer, const struct lint_look_certificate *look,
	const struct lint_certificate_wanted *wanted, const char *uri, const struct fault *refusal, struct fault *fault)
{
	bool verified;
	TRY(lint_look_verify(bytes_span(&issuer->spki), look->tbs, look->signature, &verified, fault));
	if (!verified)
		return FOUND(check, CERTIFICATE_SIGNATURE, uri, fault, "the signature doesn't verify under the issuer's key");
	if (look->not_after_at <= wanted->now_at)
		return FOUND(check, CERTIFICATE_EXPIRED, uri, fault, "notAfter has passed");
	if (look->not_before_at > wanted->now_at)
		return FOUND(check, CERTIFICATE_FUTURE, uri, fault, "notBefore lies ahead");
	if (!names_issuer(issuer, look))
		return FOUND(check, CERTIFICATE_ISSUER, uri, fault, "issuer or AuthorityKeyIdentifier isn't the CA's above");
	if (wanted->object_uri != NULL && !check_span_is(look->object_uri, wanted->object_uri))
		return FOUND(check, OBJECT_LOCATION, uri, fault, "signedObject isn't where the object is");
	if (!uris_right(issuer, look))
		return FOUND(check, CERTIFICATE_URI, uri, fault, "CRLDistributionPoints or caIssuers isn't %.200s or %.200s", issuer->crl_uri,
			issuer->certificate_uri);
	if (!resource_set_contains(&issuer->resources, &look->resources))
		return FOUND(check, CERTIFICATE_OVERCLAIMS, uri, fault, "RFC 6487 §7.2: it has resources that its issuer hasn't");
	return FOUND(check, OBJECT_PROFILE, uri, fault, "%s", refusal->message);
}

enum fault_code
check_certificate_judge(struct check *check, const struct check_authority *issuer, const struct lint_look_certificate *look,
	const struct lint_certificate_wanted *wanted, const char *uri, bool *ret_right, struct fault *fault)
{
	struct lint_issuer lint = check_authority_issuer(issuer);
	struct fault refusal = FAULT_INIT;
	*ret_right = false;
	if (check_authority_revoked(issuer, look->serial))
		return FOUND(check, CERTIFICATE_REVOKED, uri, fault, "its serial number is on its issuer's CRL");
	enum fault_code code = lint_certificate_tbs(look->tbs, &lint, wanted, &refusal);
	if (code != FAULT_NONE && code != FAULT_LINT)
		return fault_set(fault, code, "%s", refusal.message);
	*ret_right = code == FAULT_NONE;
	return *ret_right ? FAULT_NONE : diagnose(check, issuer, look, wanted, uri, &refusal, fault);
}

static bool
copy_uri(struct span from, char to[CHECK_URI])
{
	if (from.data == NULL || from.length >= CHECK_URI || memchr(from.data, '\0', from.length) != NULL)
		return false;
	memcpy(to, from.data, from.length);
	to[from.length] = '\0';
	return true;
}

/* RFC 3779 §2.2.3.5: what is inherited is what the issuer has of that family. */
static enum fault_code
inherit(const struct check_authority *issuer, const struct lint_look_certificate *look, struct resource_set *ret_set,
	struct fault *fault)
{
	const struct resource_set *above = &issuer->resources;
	TRY(resource_set_copy(&look->resources, ret_set, fault));
	for (size_t i = 0; look->inherits_ipv4 && i < above->ipv4.count; i++)
		TRY(resource_set_add_addresses(ret_set, FAMILY_IPV4, &above->ipv4.items[i].min, &above->ipv4.items[i].max, fault));
	for (size_t i = 0; look->inherits_ipv6 && i < above->ipv6.count; i++)
		TRY(resource_set_add_addresses(ret_set, FAMILY_IPV6, &above->ipv6.items[i].min, &above->ipv6.items[i].max, fault));
	for (size_t i = 0; look->inherits_asns && i < above->asns_count; i++)
		TRY(resource_set_add_asns(ret_set, above->asns[i].min, above->asns[i].max, fault));
	return resource_set_normalise(ret_set, fault);
}

/* What the certificate makes of its subject; false where it says too little to go on from. */
static enum fault_code
authority_of(const struct check_authority *issuer, const struct lint_look_certificate *look, const char *uri,
	struct check_authority *authority, bool *ret_made, struct fault *fault)
{
	*ret_made = copy_uri(look->repository_uri, authority->repository_uri) && copy_uri(look->manifest_uri, authority->manifest_uri) &&
		look->subject.length < sizeof authority->name && strlen(uri) < CHECK_URI;
	if (!*ret_made)
		return FAULT_NONE;
	memcpy(authority->name, look->subject.data, look->subject.length);
	memcpy(authority->certificate_uri, uri, strlen(uri) + 1);
	memcpy(authority->key_identifier, look->key_identifier, sizeof authority->key_identifier);
	authority->depth = issuer->depth + 1;
	TRY(bytes_append(&authority->spki, look->spki.data, look->spki.length, fault));
	return inherit(issuer, look, &authority->resources, fault);
}

/* Signature, profile, and that it leads into a repository of ours. */
static enum fault_code
judge(struct check *check, const struct check_authority *issuer, const struct lint_look_certificate *look, const char *uri,
	struct span der, struct check_authority *authority, struct fault *fault)
{
	struct lint_issuer lint = check_authority_issuer(issuer);
	struct fault refusal = FAULT_INIT;
	bool inherits = look->inherits_ipv4 || look->inherits_ipv6 || look->inherits_asns;
	bool notifies = look->notification_uri.data != NULL;
	struct check_point *point = NULL;
	if (notifies)
		TRY(check_point_find(check, look->notification_uri, &point, fault));
	authority->point = point != NULL ? point : issuer->point;
	struct lint_certificate_wanted wanted = {
		.ca = true, .spki = look->spki, .now_at = check->now_at, .resources = inherits ? NULL : &look->resources,
		.repository_uri = authority->repository_uri, .manifest_uri = authority->manifest_uri,
		.notification_uri = notifies ? authority->point->notification_uri : NULL,
	};
	if (notifies && point == NULL) {
		authority->valid = false;
		return FOUND(check, CERTIFICATE_URI, uri, fault, "rpkiNotify isn't %s", check->notification_uri);
	}
	TRY(check_certificate_judge(check, issuer, look, &wanted, uri, &authority->valid, fault));
	/* It names the issuer's key, and under that it verified before. */
	bool verified = authority->valid && check_recall_ca(check, authority) != NULL;
	if (verified)
		authority->valid = issuer->valid;
	if (!authority->valid || verified)
		return FAULT_NONE;
	enum fault_code code = lint_signed_certificate(der, look->tbs, &lint, &refusal);
	if (code != FAULT_NONE && code != FAULT_LINT)
		return fault_set(fault, code, "%s", refusal.message);
	authority->valid = code == FAULT_NONE && issuer->valid;
	return code == FAULT_NONE ? FAULT_NONE : diagnose(check, issuer, look, &wanted, uri, &refusal, fault);
}

enum fault_code
check_certificate_ca(struct check *check, const struct check_authority *issuer, const char *uri, struct span der,
	struct check_authority **ret_authority, struct fault *fault)
{
	AUTO_CLEAR(struct lint_look_certificate, lint_look_certificate_clear) look = LINT_LOOK_CERTIFICATE_INIT;
	AUTO(struct check_authority, check_authority_free) authority = NULL;
	struct fault refusal = FAULT_INIT;
	bool made = false;
	*ret_authority = NULL;
	enum fault_code code = lint_look_certificate(der, &look, &refusal);
	if (code == FAULT_LINT || code == FAULT_TOO_LARGE)
		return FOUND(check, OBJECT_MALFORMED, uri, fault, "%s", refusal.message);
	if (code != FAULT_NONE)
		return fault_set(fault, code, "%s", refusal.message);
	TRY(memory_new(1, sizeof *authority, &authority, fault));
	TRY(authority_of(issuer, &look, uri, authority, &made, fault));
	if (!made)
		return FOUND(check, OBJECT_PROFILE, uri, fault, "RFC 6487 §4.8.8.1: caRepository or rpkiManifest is missing");
	TRY(check_note(check, CHECK_CER, uri, look.not_after_at, fault));
	TRY(judge(check, issuer, &look, uri, der, authority, fault));
	*ret_authority = MOVE(authority);
	return FAULT_NONE;
}
