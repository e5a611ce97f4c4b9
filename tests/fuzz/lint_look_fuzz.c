/*
 * The first octet chooses what the rest is read as. What is taken lies within what was given; a refusal is told with its section.
 */
#include <stdlib.h>
#include <string.h>

#include "ca/lint/lint_look.h"
#include "tests/fuzz/fuzz.h"

enum { LOOK_CERTIFICATE, LOOK_CRL, LOOK_SIGNED, LOOK_MANIFEST, LOOK_ROA, LOOKS };

static void
inside(struct span part, struct span whole)
{
	INVARIANT(part.data == NULL || (part.data >= whole.data && part.data + part.length <= whole.data + whole.length));
}

static enum fault_code
look_at_certificate(struct span der, struct fault *fault)
{
	AUTO_CLEAR(struct lint_look_certificate, lint_look_certificate_clear) look = LINT_LOOK_CERTIFICATE_INIT;
	bool verified;
	TRY(lint_look_certificate(der, &look, fault));
	inside(look.tbs, der);
	inside(look.signature, der);
	inside(look.crl_uri, der);
	inside(look.issuer_uri, der);
	inside(look.repository_uri, der);
	inside(look.manifest_uri, der);
	inside(look.object_uri, der);
	inside(look.authority_key, der);
	return lint_look_verify(look.spki, look.tbs, look.signature, &verified, fault);
}

static enum fault_code
look_at_crl(struct span der, struct fault *fault)
{
	struct lint_look_crl look;
	struct span serial;
	int64_t at;
	size_t count = 0;
	TRY(lint_look_crl(der, &look, fault));
	for (; der_reader_more(&look.entries); count++) {
		TRY(lint_look_revocation(&look.entries, &serial, &at, fault));
		inside(serial, der);
	}
	INVARIANT(count == look.revocations);
	return FAULT_NONE;
}

static enum fault_code
look_at_manifest(struct span content, struct fault *fault)
{
	struct lint_look_manifest look;
	struct span name;
	const uint8_t *hash;
	TRY(lint_look_manifest(content, &look, fault));
	while (der_reader_more(&look.entries)) {
		TRY(lint_look_entry(&look.entries, &name, &hash, fault));
		inside(name, content);
		inside(SPAN(hash, 32), content);
	}
	return FAULT_NONE;
}

static enum fault_code
look_at_roa(struct span content, struct fault *fault)
{
	AUTO(struct payload, free) payloads = NULL;
	size_t count = 0;
	TRY(lint_look_roa(content, &payloads, &count, fault));
	for (size_t i = 0; i < count; i++)
		INVARIANT(payloads[i].prefix.length <= family_bits(payloads[i].prefix.family));
	return FAULT_NONE;
}

static enum fault_code
look_at_signed(struct span der, struct fault *fault)
{
	struct lint_look_signed look;
	TRY(lint_look_signed(der, &look, fault));
	inside(look.content, der);
	inside(look.certificate, der);
	inside(look.attributes, der);
	inside(look.signature, der);
	if (look.manifest)
		TRY(look_at_manifest(look.content, fault));
	if (look.roa)
		TRY(look_at_roa(look.content, fault));
	return look_at_certificate(look.certificate, fault);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static enum fault_code (*const looks[LOOKS])(struct span der, struct fault *fault) = {
		[LOOK_CERTIFICATE] = look_at_certificate, [LOOK_CRL] = look_at_crl, [LOOK_SIGNED] = look_at_signed,
		[LOOK_MANIFEST] = look_at_manifest, [LOOK_ROA] = look_at_roa,
	};
	struct fault fault = FAULT_INIT;
	if (size == 0)
		return 0;
	enum fault_code code = looks[data[0] % LOOKS](SPAN(data + 1, size - 1), &fault);
	INVARIANT(code == FAULT_NONE || (code == FAULT_LINT && strlen(fault.message) > 10));
	return 0;
}
