#include "ca/issue/identity.h"

#include <stdio.h>
#include <string.h>

#include "ca/base/base64.h"

static void
set_key(struct identity *identity, const struct key_state *key)
{
	memcpy(identity->key_identifier, key->identifier, sizeof identity->key_identifier);
	hex_encode(SPAN(key->identifier, sizeof key->identifier), identity->name);
	ca_state_key_name(key->identifier, identity->key_name);
	identity->key_handle = bytes_span(&key->handle);
	identity->spki = bytes_span(&key->spki);
}

static void
set_uris(struct identity *identity)
{
	(void)snprintf(identity->crl_uri, sizeof identity->crl_uri, "%s%s.crl", identity->repository_uri, identity->key_name);
	(void)snprintf(identity->manifest_uri, sizeof identity->manifest_uri, "%s%s.mft", identity->repository_uri, identity->key_name);
}

void
identity_of_ca(const struct ca_state *state, const struct ca_instance *instance, const struct key_state *key,
	struct identity *ret_identity)
{
	*ret_identity = (struct identity){ .resources = &state->resources, .not_after_at = instance->certificate.not_after_at };
	set_key(ret_identity, key);
	(void)snprintf(ret_identity->repository_uri, sizeof ret_identity->repository_uri, "%s%s", state->rsync_uri, state->directory);
	if (state->kind == CA_TA)
		(void)snprintf(ret_identity->certificate_uri, sizeof ret_identity->certificate_uri, "%s%s", state->rsync_uri,
			TA_CERTIFICATE_PATH);
	else
		(void)snprintf(ret_identity->certificate_uri, sizeof ret_identity->certificate_uri, "%s%s.cer",
			state->parent.repository_uri, ret_identity->key_name);
	set_uris(ret_identity);
}

void
identity_of_issuer(const struct ca_state *state, const struct ca_instance *instance, const struct key_state *key,
	struct identity *ret_identity)
{
	if (state->kind == CA_TA) {
		identity_of_ca(state, instance, key, ret_identity);
		return;
	}
	const struct parent_state *parent = &state->parent;
	*ret_identity = (struct identity){ .resources = &parent->resources, .not_after_at = parent->not_after_at };
	set_key(ret_identity, &parent->key);
	(void)snprintf(ret_identity->repository_uri, sizeof ret_identity->repository_uri, "%s", parent->repository_uri);
	(void)snprintf(ret_identity->certificate_uri, sizeof ret_identity->certificate_uri, "%s", parent->certificate_uri);
	set_uris(ret_identity);
}

struct lint_issuer
identity_for_lint(const struct identity *identity, bool self_signed)
{
	struct lint_issuer issuer = {
		.name = identity->name, .spki = identity->spki, .resources = identity->resources,
		.not_after_at = identity->not_after_at, .repository_uri = identity->repository_uri,
		.certificate_uri = self_signed ? NULL : identity->certificate_uri,
		.crl_uri = self_signed ? NULL : identity->crl_uri,
	};
	memcpy(issuer.key_identifier, identity->key_identifier, sizeof issuer.key_identifier);
	return issuer;
}
