/* The CRL that a manifest lists, RFC 6487 §5 and RFC 9829. */
#include <stdlib.h>
#include <string.h>

#include "ca/base/memory.h"
#include "ca/lint/lint_look.h"
#include "publish/check/check_internal.h"

/* Serial numbers as their INTEGER's octets, which are the shortest: longer means larger. */
static int
compare(const void *a, const void *b)
{
	const struct span *x = a, *y = b;
	if (x->length != y->length)
		return x->length < y->length ? -1 : 1;
	return memcmp(x->data, y->data, x->length);
}

bool
check_authority_revoked(const struct check_authority *authority, struct span serial)
{
	return authority->revoked_count > 0 &&
		bsearch(&serial, authority->revoked, authority->revoked_count, sizeof serial, compare) != NULL;
}

static enum fault_code
read_revocations(struct check_authority *authority, const struct lint_look_crl *look, struct fault *fault)
{
	struct der_reader entries = look->entries;
	int64_t revoked_at;
	free(authority->revoked);
	authority->revoked = NULL;
	authority->revoked_count = 0;
	TRY(memory_new(look->revocations, sizeof *authority->revoked, &authority->revoked, fault));
	for (; der_reader_more(&entries); authority->revoked_count++)
		TRY(lint_look_revocation(&entries, &authority->revoked[authority->revoked_count], &revoked_at, fault));
	qsort(authority->revoked, authority->revoked_count, sizeof *authority->revoked, compare);
	return FAULT_NONE;
}

static enum fault_code
diagnose(struct check *check, const struct check_authority *authority, const struct lint_look_crl *look, const struct fault *refusal,
	struct fault *fault)
{
	const char *uri = authority->crl_uri;
	struct span key = SPAN(authority->key_identifier, sizeof authority->key_identifier);
	bool verified;
	TRY(lint_look_verify(bytes_span(&authority->spki), look->tbs, look->signature, &verified, fault));
	if (!verified)
		return FOUND(check, CRL_SIGNATURE, uri, fault, "the signature doesn't verify under the CA's key");
	if (!check_span_is(look->issuer, authority->name) || (look->authority_key.data != NULL && !span_equal(look->authority_key, key)))
		return FOUND(check, CRL_ISSUER, uri, fault, "issuer or AuthorityKeyIdentifier isn't the CA's");
	if (look->next_update_at <= check->now_at)
		return FOUND(check, CRL_STALE, uri, fault, "nextUpdate has passed");
	if (look->this_update_at > check->now_at)
		return FOUND(check, CRL_FUTURE, uri, fault, "thisUpdate lies ahead");
	return FOUND(check, OBJECT_PROFILE, uri, fault, "%s", refusal->message);
}

enum fault_code
check_crl(struct check *check, struct check_authority *authority, bool *ret_right, struct fault *fault)
{
	struct span der = bytes_span(&authority->crl);
	struct lint_issuer lint = check_authority_issuer(authority);
	struct lint_look_crl look;
	struct fault refusal = FAULT_INIT;
	*ret_right = false;
	enum fault_code code = lint_look_crl(der, &look, &refusal);
	if (code == FAULT_LINT)
		return FOUND(check, OBJECT_MALFORMED, authority->crl_uri, fault, "%s", refusal.message);
	if (code != FAULT_NONE)
		return fault_set(fault, code, "%s", refusal.message);
	TRY(read_revocations(authority, &look, fault));
	TRY(check_note(check, CHECK_CRL, authority->crl_uri, look.next_update_at, fault));
	authority->crl_this_update_at = look.this_update_at;
	authority->crl_next_update_at = look.next_update_at;
	struct lint_crl_wanted wanted = {
		.number = look.number, .this_update_at = look.this_update_at, .next_update_at = look.next_update_at,
		.now_at = check->now_at, .revocations = look.revocations,
	};
	code = lint_crl_tbs(look.tbs, &lint, &wanted, &refusal);
	if (code == FAULT_NONE)
		code = lint_signed_crl(der, look.tbs, &lint, &refusal);
	if (code != FAULT_NONE && code != FAULT_LINT)
		return fault_set(fault, code, "%s", refusal.message);
	*ret_right = code == FAULT_NONE;
	return *ret_right ? FAULT_NONE : diagnose(check, authority, &look, &refusal, fault);
}
