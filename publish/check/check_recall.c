/*
 * What was found right before, and needs no second look while its octets are the same: see check_known.h.
 */
#include <string.h>

#include "publish/check/check_internal.h"

/* A CA is known with its certificate's file and its manifest's. The trust anchor has none of these. */
static bool
entries_of(struct check *check, const struct check_authority *authority, const struct check_entry **ret_certificate,
	const struct check_entry **ret_manifest)
{
	*ret_certificate = check_index_find(&check->index, authority->certificate_uri, strlen(authority->certificate_uri));
	*ret_manifest = check_point_published(check, authority, authority->manifest_uri);
	return *ret_certificate != NULL && *ret_manifest != NULL;
}

const struct check_known_ca *
check_recall_ca(struct check *check, const struct check_authority *authority)
{
	const struct check_request *request = check->request;
	const struct check_entry *certificate, *manifest;
	if (request->known == NULL || !request->changed_only || !entries_of(check, authority, &certificate, &manifest))
		return NULL;
	return check_known_find(request->known, certificate->hash, manifest->hash);
}

/* What is about to expire is looked at as if it were new. */
bool
check_recall_lasts(const struct check *check, const struct check_known_ca *ca)
{
	const int64_t *horizon_s = check->request->horizon_s;
	return !ca->parent && (ca->roas == 0 || ca->expires_at - check->now_at > horizon_s[CHECK_ROA]) &&
		ca->crl_next_update_at - check->now_at > horizon_s[CHECK_CRL] && ca->manifest_expires_at - check->now_at > horizon_s[CHECK_MFT];
}

static void
recall_roas(struct check *check, const struct check_known_ca *ca, struct check_authority *authority)
{
	authority->known = true;
	authority->roas = ca->roas;
	authority->roas_expire_at = ca->expires_at;
	authority->payloads_before = ca->payloads;
	check->report->objects[CHECK_ROA] += ca->roas;
	check->report->payloads += ca->payloads;
	int64_t *first_at = &check->report->expires_at[CHECK_ROA];
	if (ca->roas > 0 && (*first_at == 0 || ca->expires_at < *first_at))
		*first_at = ca->expires_at;
}

enum fault_code
check_recall_products(struct check *check, const struct check_known_ca *ca, struct check_authority *authority, struct fault *fault)
{
	authority->crl_next_update_at = ca->crl_next_update_at;
	authority->manifest_expires_at = ca->manifest_expires_at;
	TRY(check_note(check, CHECK_CRL, authority->crl_uri, ca->crl_next_update_at, fault));
	TRY(check_note(check, CHECK_MFT, authority->manifest_uri, ca->manifest_expires_at, fault));
	recall_roas(check, ca, authority);
	return FAULT_NONE;
}

enum fault_code
check_recall_learn(struct check *check, const struct check_authority *authority, struct fault *fault)
{
	const struct check_entry *certificate, *manifest;
	struct check_known_ca ca = {
		.roas = authority->roas, .expires_at = authority->roas_expire_at, .crl_next_update_at = authority->crl_next_update_at,
		.manifest_expires_at = authority->manifest_expires_at, .parent = authority->parent,
	};
	if (check->request->known == NULL || !entries_of(check, authority, &certificate, &manifest))
		return FAULT_NONE;
	ca.payloads = authority->known ? authority->payloads_before : (int64_t)authority->payloads_count;
	memcpy(ca.certificate, certificate->hash, SHA256_SIZE);
	memcpy(ca.manifest, manifest->hash, SHA256_SIZE);
	return check_known_add(check->request->known, &ca, fault);
}
