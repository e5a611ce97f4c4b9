/*
 * The first octet chooses what the rest is for lint. An object that isn't signed yet is the rest as it stands; what is wanted of it
 * is what lint_fixture's good one is. A signed object has in front of it the lengths, two octets each, of the TBS and the content
 * that are said to have been linted, and then these two.
 */
#include <stdlib.h>
#include <string.h>

#include "ca/lint/der_reader.h"
#include "ca/lint/lint.h"
#include "tests/fuzz/fuzz.h"
#include "tests/support/lint_fixture.h"

enum entry {
	ENTRY_CERTIFICATE,                                          /* one for each kind of certificate */
	ENTRY_CRL = ENTRY_CERTIFICATE + LINT_FIXTURE_KINDS,
	ENTRY_MANIFEST,
	ENTRY_ROA,
	ENTRY_SIGNED_CERTIFICATE,
	ENTRY_SIGNED_CRL,
	ENTRY_SIGNED_ROA,
	ENTRY_SIGNED_MANIFEST,
	ENTRY_NAME,
	ENTRY_WALK,
	ENTRIES
};

static const struct lint_fixture *
fixture_of(enum lint_fixture_kind kind)
{
	static struct lint_fixture fixtures[LINT_FIXTURE_KINDS];
	static bool made[LINT_FIXTURE_KINDS];
	if (!made[kind])
		lint_fixture_init(&fixtures[kind], kind, NULL, NULL);
	made[kind] = true;
	return &fixtures[kind];
}

static void
manifest_look(struct span content)
{
	struct lint_manifest_wanted wanted = lint_fixture_manifest_wanted();
	/* A mutation that adds entries shall not end at their count. */
	for (wanted.entries = 2; wanted.entries < 6; wanted.entries++)
		(void)!lint_manifest_content(content, &wanted, NULL);
}

static void
crl_look(struct span tbs)
{
	struct lint_crl_wanted wanted = lint_fixture_crl_wanted();
	for (wanted.revocations = 0; wanted.revocations < 4; wanted.revocations++)
		(void)!lint_crl_tbs(tbs, &fixture_of(LINT_FIXTURE_CA)->issuer, &wanted, NULL);
}

/* Takes two octets of length and that many octets off the front; what isn't there is empty. */
static struct span
part_take(struct span *rest, size_t length)
{
	if (length > rest->length)
		length = rest->length;
	struct span part = SPAN(rest->data, length);
	rest->data += length;
	rest->length -= length;
	return part;
}

static size_t
length_take(struct span *rest)
{
	struct span octets = part_take(rest, 2);
	return octets.length < 2 ? 0 : (size_t)(octets.data[0] << 8 | octets.data[1]);
}

static void
signed_look(enum entry entry, struct span rest)
{
	size_t tbs_length = length_take(&rest), content_length = length_take(&rest);
	struct span tbs = part_take(&rest, tbs_length), content = part_take(&rest, content_length);
	const struct lint_issuer *issuer = &fixture_of(LINT_FIXTURE_CA)->issuer;
	struct lint_signed_wanted wanted = {
		.manifest = entry == ENTRY_SIGNED_MANIFEST,
		.content = content,
		.ee_tbs = tbs,
		.signing_time_at = LINT_FIXTURE_BEFORE,
	};
	if (entry == ENTRY_SIGNED_CERTIFICATE)
		(void)!lint_signed_certificate(rest, tbs, issuer, NULL);
	else if (entry == ENTRY_SIGNED_CRL)
		(void)!lint_signed_crl(rest, tbs, issuer, NULL);
	else
		(void)!lint_signed_object(rest, issuer, &wanted, NULL);
}

static void
text_look(struct span text)
{
	AUTO(char, free) copy = strndup((const char *)text.data, text.length);
	if (copy == NULL)
		return;
	(void)lint_object_name(copy);
	(void)lint_uri(copy, "rsync");
	(void)lint_uri(copy, "https");
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	enum entry entry = data[0] % ENTRIES;
	struct span rest = SPAN(data + 1, size - 1);
	const struct lint_fixture *fixture = fixture_of(entry < ENTRY_CRL ? (enum lint_fixture_kind)entry : LINT_FIXTURE_ROA);
	if (entry < ENTRY_CRL)
		(void)!lint_certificate_tbs(rest, &fixture->issuer, &fixture->wanted, NULL);
	else if (entry == ENTRY_CRL)
		crl_look(rest);
	else if (entry == ENTRY_MANIFEST)
		manifest_look(rest);
	else if (entry == ENTRY_ROA)
		(void)!lint_roa_content(rest, lint_fixture_payloads, LINT_FIXTURE_PAYLOADS, fixture->wanted.resources, NULL);
	else if (entry == ENTRY_NAME)
		text_look(rest);
	else if (entry == ENTRY_WALK)
		(void)!der_reader_walk(rest, "RFC 0 §0: anything", NULL);
	else
		signed_look(entry, rest);
	return 0;
}
