#include "tests/support/lint_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ca/base/digest.h"
#include "tests/support/der_builder.h"

#define SURE(call) INVARIANT((call) == FAULT_NONE)
#define SAY(text, ...) SURE(bytes_printf((text), NULL, __VA_ARGS__))

#define REPOSITORY "rsync://rpki.example/repo/issuer/"
#define SHA256_WITH_RSA "SEQUENCE { OID 1.2.840.113549.1.1.11 NULL } "

static const char built_in_moduli[2][513] = {
	"82d38106185565407376512d3abd328d7e5f58ada247730225a0a4952668f748b9bb5f89ff04aefae500f0fbf1e76ee66e6d1b39"
	"9d7833707e0c4be45b339a77182101cf7c45c33634d4ad5def3df70117333f2238afcbee2889dc5a5860dd290ccdb60e48d399bf"
	"bc2b9d9f7c8959173356bc3946ef798964856eebd19247dd3c33a07b7bf525caa7238e84701a0d79d7a8037db0666f263eeb3133"
	"65bc0066c624889416fa85f5b5d6d324c68afdfe57c0716c5207e6d4675c17ea3eb6a777e9128961d81d6d99d21ae2580bb3630c"
	"7c1d7bef8ebae512bf204e480099112c10350614b1ab4ee5bddd407fa5f318613863bc2c0c3e670b0fb0fe7555a9e921",
	"a4c696133a85872fa6e64ec3b1b88ba84355348885f1e07ab41010a6aa9945547e401e663b168447f8b96b54167ae6f2aaf10bc3"
	"cd2144a27701b2c2aa12a9f82c076131ce56b2362beb9085c605a2f817aafc9749d4156e4adde88aa9189864857fde5b2312c5f5"
	"3ca0ce436398efddc8fdf9a7fb2f7af3e27b713620c6b6bc472cbaad9cacb573ec58a2c83dca2579c4dffdeefe55af29b658512b"
	"dd8c17969d6eab7cb0835f3c1a6617d8c491685e96ed55f1b8610a95b5dfd46fa203acc9b20f1a9cf54a386e958b79805a822ea0"
	"2a62923571c766f2076641af8bcd570882e0a5ab4f40774fea183d50722228afc5ed89deb65246b9efe7a3ee4ff2ece9",
};

/* What differs between the kinds: the text of the resources, and the resources that it says. */
static const struct certificate_kind {
	bool ta, ca, inherits;
	const char *object;                     /* where an EE's object lies */
	const char *ipv4[3], *ipv6[2], *asns[3];
	const char *addresses_text, *asns_text; /* NULL: no such extension */
} certificate_kinds[LINT_FIXTURE_KINDS] = {
	[LINT_FIXTURE_TA] = {
		.ta = true, .ca = true, .ipv4 = { "0.0.0.0/0" }, .ipv6 = { "::/0" }, .asns = { "0-4294967295" },
		.addresses_text = "SEQUENCE { OCTETS 0001 SEQUENCE { BITS /0 } }\n SEQUENCE { OCTETS 0002 SEQUENCE { BITS /0 } }",
		.asns_text = "SEQUENCE { SEQUENCE { INTEGER 0 INTEGER 4294967295 } }",
	},
	[LINT_FIXTURE_CA] = {
		.ca = true, .ipv4 = { "10.0.0.0/16", "192.0.2.0-192.0.2.130" }, .ipv6 = { "2001:db8::/48" },
		.asns = { "64496", "64500-64505" },
		.addresses_text =
			"SEQUENCE { OCTETS 0001 SEQUENCE { BITS 0a00/0 SEQUENCE { BITS c00002/1 BITS c0000282/0 } } }\n"
			" SEQUENCE { OCTETS 0002 SEQUENCE { BITS 20010db80000/0 } }",
		.asns_text = "SEQUENCE { INTEGER 64496 SEQUENCE { INTEGER 64500 INTEGER 64505 } }",
	},
	[LINT_FIXTURE_INHERITING_CA] = {
		.ca = true, .inherits = true,
		.addresses_text = "SEQUENCE { OCTETS 0001 NULL }\n SEQUENCE { OCTETS 0002 NULL }",
		.asns_text = "NULL",
	},
	[LINT_FIXTURE_MANIFEST] = {
		.inherits = true, .object = REPOSITORY "issuer.mft",
		.addresses_text = "SEQUENCE { OCTETS 0001 NULL }\n SEQUENCE { OCTETS 0002 NULL }",
		.asns_text = "NULL",
	},
	[LINT_FIXTURE_ROA] = {
		.object = REPOSITORY "0123456789abcdef.roa", .ipv4 = { "192.0.2.0/24" }, .ipv6 = { "2001:db8::/48" },
		.addresses_text = "SEQUENCE { OCTETS 0001 SEQUENCE { BITS c00002/0 } }\n"
			" SEQUENCE { OCTETS 0002 SEQUENCE { BITS 20010db80000/0 } }",
	},
};

static const char *const issuer_ipv4[] = { "10.0.0.0/8", "192.0.2.0/24", NULL };
static const char *const issuer_ipv6[] = { "2001:db8::/32", NULL };
static const char *const issuer_asns[] = { "64496-64511", "65536", NULL };

const struct payload lint_fixture_payloads[LINT_FIXTURE_PAYLOADS] = {
	{ 64496, { FAMILY_IPV6, 48, { { 0x20, 0x01, 0x0d, 0xb8 } } }, 48 },
	{ 64496, { FAMILY_IPV4, 24, { { 192, 0, 2 } } }, 26 },
	{ 64496, { FAMILY_IPV4, 24, { { 192, 0, 2 } } }, 24 },
	{ 64496, { FAMILY_IPV4, 28, { { 192, 0, 2, 16 } } }, 28 },
	{ 64496, { FAMILY_IPV4, 25, { { 192, 0, 2 } } }, 25 },
};

static void
spki_text(struct bytes *text, const char *modulus)
{
	SAY(text, "SEQUENCE { SEQUENCE { OID 1.2.840.113549.1.1.1 NULL } "
		"BITS { SEQUENCE { INTEGER 0x00%s INTEGER 65537 } } }\n", modulus);
}

static void
key_init(const char *modulus, struct bytes *spki, uint8_t identifier[LINT_FIXTURE_IDENTIFIER], char *name)
{
	AUTO_CLEAR(struct bytes, bytes_clear) text = BYTES_INIT;
	AUTO_CLEAR(struct bytes, bytes_clear) bits = BYTES_INIT;
	spki_text(&text, modulus);
	der_builder_encode(bytes_text(&text), spki);
	bytes_reset(&text);
	SAY(&text, "SEQUENCE { INTEGER 0x00%s INTEGER 65537 }", modulus);
	der_builder_encode(bytes_text(&text), &bits);
	SURE(digest_sha1(bytes_span(&bits), identifier, NULL));
	for (size_t i = 0; i < LINT_FIXTURE_IDENTIFIER; i++)
		(void)snprintf(name + 2 * i, 3, "%02X", identifier[i]);
}

static void
resources_init(struct resource_set *set, const char *const *ipv4, const char *const *ipv6, const char *const *asns)
{
	for (; *ipv4 != NULL; ipv4++)
		SURE(resource_set_parse_addresses(set, FAMILY_IPV4, *ipv4, NULL));
	for (; *ipv6 != NULL; ipv6++)
		SURE(resource_set_parse_addresses(set, FAMILY_IPV6, *ipv6, NULL));
	for (; *asns != NULL; asns++)
		SURE(resource_set_parse_asns(set, *asns, NULL));
	SURE(resource_set_normalise(set, NULL));
}

void
lint_fixture_init(struct lint_fixture *fixture, enum lint_fixture_kind kind, const char *issuer_modulus,
	const char *subject_modulus)
{
	const struct certificate_kind *of = &certificate_kinds[kind];
	*fixture = (struct lint_fixture){ .kind = kind };
	if (issuer_modulus == NULL)
		issuer_modulus = built_in_moduli[0];
	if (subject_modulus == NULL)
		subject_modulus = built_in_moduli[1];
	key_init(issuer_modulus, &fixture->issuer_spki, fixture->issuer.key_identifier, fixture->issuer_name);
	key_init(subject_modulus, &fixture->subject_spki, fixture->subject_identifier, fixture->subject_name);
	resources_init(&fixture->resources, of->ipv4, of->ipv6, of->asns);
	if (of->ta)
		SURE(resource_set_copy(&fixture->resources, &fixture->issuer_resources, NULL));
	else
		resources_init(&fixture->issuer_resources, issuer_ipv4, issuer_ipv6, issuer_asns);
	fixture->issuer.name = of->ta ? "Example TA" : fixture->issuer_name;
	fixture->issuer.spki = bytes_span(&fixture->issuer_spki);
	fixture->issuer.resources = &fixture->issuer_resources;
	fixture->issuer.not_after_at = LINT_FIXTURE_NOW + 365 * 86400;
	fixture->issuer.certificate_uri = of->ta ? NULL : "rsync://rpki.example/repo/parent/issuer.cer";
	fixture->issuer.crl_uri = REPOSITORY "issuer.crl";
	fixture->issuer.repository_uri = REPOSITORY;
	fixture->wanted = (struct lint_certificate_wanted){
		.ta = of->ta,
		.ca = of->ca,
		.spki = of->ta ? fixture->issuer.spki : bytes_span(&fixture->subject_spki),
		.now_at = LINT_FIXTURE_NOW,
		.resources = of->inherits ? NULL : &fixture->resources,
		.repository_uri = of->ca ? "rsync://rpki.example/repo/subject/" : NULL,
		.manifest_uri = of->ca ? "rsync://rpki.example/repo/subject/subject.mft" : NULL,
		.notification_uri = of->ca ? "https://rrdp.example:8443/rrdp/notification.xml" : NULL,
		.object_uri = of->object,
	};
	if (kind == LINT_FIXTURE_MANIFEST) {
		fixture->wanted.not_before_at = LINT_FIXTURE_BEFORE;
		fixture->wanted.not_after_at = LINT_FIXTURE_AFTER;
	}
}

void
lint_fixture_clear(struct lint_fixture *fixture)
{
	resource_set_clear(&fixture->issuer_resources);
	resource_set_clear(&fixture->resources);
	bytes_clear(&fixture->issuer_spki);
	bytes_clear(&fixture->subject_spki);
}

/* A copy to be freed. */
static char *
finished(const struct bytes *text)
{
	char *copy = strdup(bytes_text(text));
	INVARIANT(copy != NULL);
	return copy;
}

static void
hex_text(struct bytes *text, const char *before, const uint8_t *octets, size_t count, const char *after)
{
	SURE(bytes_append_text(text, before, NULL));
	for (size_t i = 0; i < count; i++)
		SAY(text, "%02x", octets[i]);
	SURE(bytes_append_text(text, after, NULL));
}

static void
name_text(struct bytes *text, const char *common_name)
{
	SAY(text, "SEQUENCE { SET { SEQUENCE { OID 2.5.4.3 PRINTABLE \"%s\" } } }\n", common_name);
}

static void
authority_key_text(struct bytes *text, const struct lint_issuer *issuer)
{
	SAY(text, "SEQUENCE { OID 2.5.29.35 OCTETS { SEQUENCE { ");
	hex_text(text, "[0] ", issuer->key_identifier, LINT_FIXTURE_IDENTIFIER, " } } }\n");
}

static void
authority_text(struct bytes *text, const struct lint_fixture *fixture)
{
	const struct lint_issuer *issuer = &fixture->issuer;
	authority_key_text(text, issuer);
	SAY(text, "SEQUENCE { OID 2.5.29.31 OCTETS { SEQUENCE { SEQUENCE { [0] { [0] { [6] \"%s\" } } } } } }\n",
		issuer->crl_uri);
	SAY(text, "SEQUENCE { OID 1.3.6.1.5.5.7.1.1 OCTETS { SEQUENCE { SEQUENCE { OID 1.3.6.1.5.5.7.48.2 "
		"[6] \"%s\" } } } }\n", issuer->certificate_uri);
}

static void
access_text(struct bytes *text, const struct lint_certificate_wanted *wanted)
{
	static const char method[] = " SEQUENCE { OID 1.3.6.1.5.5.7.48.%u [6] \"%s\" }\n";
	SAY(text, "SEQUENCE { OID 1.3.6.1.5.5.7.1.11 OCTETS { SEQUENCE {\n");
	if (wanted->object_uri != NULL)
		SAY(text, method, 11U, wanted->object_uri);
	if (wanted->repository_uri != NULL)
		SAY(text, method, 5U, wanted->repository_uri);
	if (wanted->manifest_uri != NULL)
		SAY(text, method, 10U, wanted->manifest_uri);
	if (wanted->notification_uri != NULL)
		SAY(text, method, 13U, wanted->notification_uri);
	SAY(text, "} } }\n");
}

static void
extensions_text(struct bytes *text, const struct lint_fixture *fixture)
{
	const struct certificate_kind *of = &certificate_kinds[fixture->kind];
	const uint8_t *identifier = of->ta ? fixture->issuer.key_identifier : fixture->subject_identifier;
	if (of->ca)
		SAY(text, "SEQUENCE { OID 2.5.29.19 BOOLEAN ff OCTETS { SEQUENCE { BOOLEAN ff } } }\n");
	hex_text(text, "SEQUENCE { OID 2.5.29.14 OCTETS { OCTETS ", identifier, LINT_FIXTURE_IDENTIFIER, " } }\n");
	SAY(text, "SEQUENCE { OID 2.5.29.15 BOOLEAN ff OCTETS { BITS %s } }\n", of->ca ? "06/1" : "80/7");
	if (!of->ta)
		authority_text(text, fixture);
	access_text(text, &fixture->wanted);
	SAY(text, "SEQUENCE { OID 2.5.29.32 BOOLEAN ff OCTETS { SEQUENCE { SEQUENCE { OID 1.3.6.1.5.5.7.14.2 } } } }\n");
	if (of->addresses_text != NULL)
		SAY(text, "SEQUENCE { OID 1.3.6.1.5.5.7.1.7 BOOLEAN ff OCTETS { SEQUENCE { %s } } }\n", of->addresses_text);
	if (of->asns_text != NULL)
		SAY(text, "SEQUENCE { OID 1.3.6.1.5.5.7.1.8 BOOLEAN ff OCTETS { SEQUENCE { [0] { %s } } } }\n", of->asns_text);
}

char *
lint_fixture_certificate(const struct lint_fixture *fixture)
{
	AUTO_CLEAR(struct bytes, bytes_clear) text = BYTES_INIT;
	const struct certificate_kind *of = &certificate_kinds[fixture->kind];
	SAY(&text, "SEQUENCE { [0] { INTEGER 2 }\n INTEGER 0x5a0102030405060708090a0b0c0d0e0f\n" SHA256_WITH_RSA "\n");
	name_text(&text, fixture->issuer.name);
	SAY(&text, "SEQUENCE { UTC \"261123000000Z\" UTC \"%s\" }\n", of->ca ? "271123000000Z" : "261125000000Z");
	name_text(&text, of->ta ? fixture->issuer.name : fixture->subject_name);
	der_builder_append_raw(&text, fixture->wanted.spki);
	SAY(&text, "\n[3] { SEQUENCE {\n");
	extensions_text(&text, fixture);
	SAY(&text, "} } }");
	return finished(&text);
}

char *
lint_fixture_crl(const struct lint_fixture *fixture)
{
	AUTO_CLEAR(struct bytes, bytes_clear) text = BYTES_INIT;
	SAY(&text, "SEQUENCE { INTEGER 1\n" SHA256_WITH_RSA "\n");
	name_text(&text, fixture->issuer.name);
	SAY(&text, "UTC \"261123000000Z\" UTC \"261125000000Z\"\n"
		"SEQUENCE { SEQUENCE { INTEGER 0x7f01 UTC \"261122000000Z\" }\n"
		" SEQUENCE { INTEGER 0x00ff01 UTC \"261123000000Z\" } }\n"
		"[0] { SEQUENCE {\n");
	authority_key_text(&text, &fixture->issuer);
	SAY(&text, "SEQUENCE { OID 2.5.29.20 OCTETS { INTEGER 5 } }\n} } }");
	return finished(&text);
}

struct lint_crl_wanted
lint_fixture_crl_wanted(void)
{
	return (struct lint_crl_wanted){
		.number = 5,
		.this_update_at = LINT_FIXTURE_BEFORE,
		.next_update_at = LINT_FIXTURE_AFTER,
		.now_at = LINT_FIXTURE_NOW,
		.revocations = 2,
	};
}

static const uint8_t crl_hash[SHA256_SIZE] = { 0xc5, [31] = 0x5c };

char *
lint_fixture_manifest(void)
{
	AUTO_CLEAR(struct bytes, bytes_clear) text = BYTES_INIT;
	static const char zeros[] = "00000000000000000000000000000000000000000000000000000000000";
	SAY(&text, "SEQUENCE { INTEGER 7\n GENERALIZED \"20261123000000Z\" GENERALIZED \"20261125000000Z\"\n"
		" OID 2.16.840.1.101.3.4.2.1\n SEQUENCE {\n"
		"SEQUENCE { IA5 \"0123456789abcdef.roa\" BITS 0f0%s5a/0 }\n"
		"SEQUENCE { IA5 \"Child-1_x.cer\" BITS 0e0%s5a/0 }\n"
		"SEQUENCE { IA5 \"issuer.crl\" BITS c50%s5c/0 }\n} }", zeros, zeros, zeros);
	return finished(&text);
}

struct lint_manifest_wanted
lint_fixture_manifest_wanted(void)
{
	return (struct lint_manifest_wanted){
		.number = 7,
		.this_update_at = LINT_FIXTURE_BEFORE,
		.next_update_at = LINT_FIXTURE_AFTER,
		.now_at = LINT_FIXTURE_NOW,
		.entries = 3,
		.crl_name = "issuer.crl",
		.crl_hash = crl_hash,
	};
}

char *
lint_fixture_roa(void)
{
	char *text = strdup("SEQUENCE { INTEGER 64496\n SEQUENCE {\n"
		"SEQUENCE { OCTETS 0001 SEQUENCE {\n"
		" SEQUENCE { BITS c00002/0 }\n SEQUENCE { BITS c00002/0 INTEGER 26 }\n SEQUENCE { BITS c0000200/7 }\n"
		" SEQUENCE { BITS c0000210/4 } } }\n"
		"SEQUENCE { OCTETS 0002 SEQUENCE { SEQUENCE { BITS 20010db80000/0 } } }\n} }");
	INVARIANT(text != NULL);
	return text;
}

char *
lint_fixture_attributes(const char *content_type, struct span content)
{
	AUTO_CLEAR(struct bytes, bytes_clear) text = BYTES_INIT;
	uint8_t hash[SHA256_SIZE];
	SURE(digest_sha256(content, hash, NULL));
	SAY(&text, "SEQUENCE { OID 1.2.840.113549.1.9.3 SET { OID %s } }\n"
		"SEQUENCE { OID 1.2.840.113549.1.9.5 SET { UTC \"261123000000Z\" } }\n", content_type);
	hex_text(&text, "SEQUENCE { OID 1.2.840.113549.1.9.4 SET { OCTETS ", hash, sizeof hash, " } }\n");
	return finished(&text);
}

char *
lint_fixture_signed_object(const char *content_type, struct span content, struct span certificate,
	const uint8_t identifier[LINT_FIXTURE_IDENTIFIER], const char *attributes, struct span signature)
{
	AUTO_CLEAR(struct bytes, bytes_clear) text = BYTES_INIT;
	SAY(&text, "SEQUENCE { OID 1.2.840.113549.1.7.2 [0] { SEQUENCE { INTEGER 3\n"
		"SET { SEQUENCE { OID 2.16.840.1.101.3.4.2.1 } }\nSEQUENCE { OID %s [0] { OCTETS { ", content_type);
	der_builder_append_raw(&text, content);
	SAY(&text, "} } }\n[0] { ");
	der_builder_append_raw(&text, certificate);
	SAY(&text, "}\nSET { SEQUENCE { INTEGER 3 ");
	hex_text(&text, "[0] ", identifier, LINT_FIXTURE_IDENTIFIER, " SEQUENCE { OID 2.16.840.1.101.3.4.2.1 }\n");
	SAY(&text, "[0] { %s }\n", attributes);
	hex_text(&text, "SEQUENCE { OID 1.2.840.113549.1.1.1 NULL }\nOCTETS ", signature.data, signature.length, " } } } } }");
	return finished(&text);
}

char *
lint_fixture_envelope(struct span tbs, struct span signature)
{
	AUTO_CLEAR(struct bytes, bytes_clear) text = BYTES_INIT;
	SAY(&text, "SEQUENCE { ");
	der_builder_append_raw(&text, tbs);
	SAY(&text, "\n" SHA256_WITH_RSA "\nBITS ");
	hex_text(&text, "", signature.data, signature.length, "/0 }");
	return finished(&text);
}

bool
lint_fixture_refused(const char *label, enum fault_code code, const struct fault *fault, const char *rule)
{
	if (code == FAULT_LINT && strncmp(fault->message, "RFC ", 4) == 0 && strstr(fault->message, "§") != NULL &&
		strstr(fault->message, rule) != NULL)
		return true;
	fprintf(stderr, "%s: %s instead of: %s\n", label, code == FAULT_NONE ? "taken" : fault->message, rule);
	return false;
}

size_t
lint_fixture_failures(const char *text, const struct lint_fixture_row *rows, size_t count, lint_fixture_look look,
	const struct lint_fixture *fixture)
{
	size_t failures = 0;
	for (size_t i = 0; i < count; i++) {
		AUTO_CLEAR(struct bytes, bytes_clear) der = BYTES_INIT;
		AUTO(char, free) edited = der_builder_edit(text, rows[i].from, rows[i].to);
		struct fault fault = FAULT_INIT;
		der_builder_encode(edited, &der);
		/* Memory of exactly the object's size, so that a sanitiser sees each octet read behind its end. */
		AUTO(uint8_t, free) exact = malloc(der.length);
		INVARIANT(exact != NULL);
		memcpy(exact, der.data, der.length);
		enum fault_code code = look(SPAN(exact, der.length), fixture, &fault);
		failures += !lint_fixture_refused(rows[i].label, code, &fault, rows[i].rule);
	}
	return failures;
}
