/*
 * The mutation run of the self-check: one published tree, damaged in one way at a time. Each damage must be found and named: the
 * kinds that the check tells must be exactly those that stand in the table. Prints "ok …" or "not ok …" for each.
 *
 * Objects are made anew with the real keys wherever that is needed for all other rules to hold. Those damages are looked at without
 * a database, as a validator would; the damages of files with one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "ca/base/atomic_file.h"
#include "ca/der/manifest.h"
#include "ca/der/roa.h"
#include "ca/der/signed_object.h"
#include "tests/check/mutation.h"
#include "tests/support/der_builder.h"

#define DAY INT64_C(86400)

static struct forge_object *
roa_of(struct forge *forge)
{
	return forge_find(forge, forge->alpha, ".roa");
}

/* Flips a bit of the octet so many before the end. */
static void
flip(struct bytes *der, size_t from_end)
{
	der->data[der->length - from_end] ^= 1;
}

/* Flips a bit of the last octet of a part. */
static void
flip_part(struct bytes *der, struct span part)
{
	uint8_t *at = memmem(der->data, der->length, part.data, part.length);
	assert_non_null(at);
	at[part.length - 1] ^= 1;
}

/* Octets. */

static void
roa_signature(struct forge *forge)
{
	flip(&roa_of(forge)->der, 1);
	forge_manifest(forge, forge->alpha, NULL);
}

static void
roa_content(struct forge *forge)
{
	AUTO_CLEAR(struct bytes, bytes_clear) content = BYTES_INIT;
	AUTO_CLEAR(struct bytes, bytes_clear) ee = BYTES_INIT;
	struct forge_object *roa = roa_of(forge);
	enum content_type type;
	int64_t at;
	WORLD_OK(signed_object_decode(bytes_span(&roa->der), &type, &content, &ee, &at, fault));
	/* The AS number: SEQUENCE, INTEGER. */
	uint8_t *found = memmem(roa->der.data, roa->der.length, content.data, content.length);
	found[6] ^= 1;
	forge_manifest(forge, forge->alpha, NULL);
}

static void
ee_signature(struct forge *forge)
{
	AUTO_CLEAR(struct bytes, bytes_clear) content = BYTES_INIT;
	AUTO_CLEAR(struct bytes, bytes_clear) ee = BYTES_INIT;
	struct forge_object *roa = roa_of(forge);
	enum content_type type;
	int64_t at;
	WORLD_OK(signed_object_decode(bytes_span(&roa->der), &type, &content, &ee, &at, fault));
	flip_part(&roa->der, bytes_span(&ee));
	forge_manifest(forge, forge->alpha, NULL);
}

static void
manifest_signature(struct forge *forge)
{
	flip(&forge_find(forge, forge->alpha, ".mft")->der, 1);
}

static void
crl_signature(struct forge *forge)
{
	flip(&forge_find(forge, forge->alpha, ".crl")->der, 1);
	forge_manifest(forge, forge->alpha, NULL);
}

static void
certificate_signature(struct forge *forge)
{
	flip(&forge_certificate_of(forge, forge->issuing, forge->alpha)->der, 1);
	forge_manifest(forge, forge->issuing, NULL);
}

static void
certificate_garbage(struct forge *forge)
{
	struct bytes *der = &forge_certificate_of(forge, forge->issuing, forge->alpha)->der;
	flip(der, der->length);
	forge_manifest(forge, forge->issuing, NULL);
}

static void
crl_garbage(struct forge *forge)
{
	struct bytes *der = &forge_find(forge, forge->alpha, ".crl")->der;
	flip(der, der->length);
	forge_manifest(forge, forge->alpha, NULL);
}

static void
manifest_garbage(struct forge *forge)
{
	struct bytes *der = &forge_find(forge, forge->alpha, ".mft")->der;
	flip(der, der->length);
}

static void
roa_trailing(struct forge *forge)
{
	WORLD_OK(bytes_append(&roa_of(forge)->der, "", 1, fault));
	forge_manifest(forge, forge->alpha, NULL);
}

static void
roa_short(struct forge *forge)
{
	roa_of(forge)->der.length = 50;
	forge_manifest(forge, forge->alpha, NULL);
}

static void
roa_is_a_manifest(struct forge *forge)
{
	struct bytes *der = &roa_of(forge)->der;
	bytes_reset(der);
	struct bytes *manifest = &forge_find(forge, forge->beta, ".mft")->der;
	WORLD_OK(bytes_append(der, manifest->data, manifest->length, fault));
	forge_manifest(forge, forge->alpha, NULL);
}

/* Files that are missing, too many, another. */

static void
roa_missing(struct forge *forge)
{
	forge_remove(forge, roa_of(forge));
}

static void
crl_missing(struct forge *forge)
{
	forge_remove(forge, forge_find(forge, forge->alpha, ".crl"));
}

static void
manifest_missing(struct forge *forge)
{
	forge_remove(forge, forge_find(forge, forge->alpha, ".mft"));
}

static void
child_left_out(struct forge *forge)
{
	const char *path = forge_certificate_of(forge, forge->issuing, forge->alpha)->path;
	struct forge_list list = { .drop = strrchr(path, '/') + 1 };
	forge_manifest(forge, forge->issuing, &list);
}

static void
file_unlisted(struct forge *forge)
{
	struct forge_list list = { .drop = ".roa" };
	forge_manifest(forge, forge->beta, &list);
}

static void
hash_wrong(struct forge *forge)
{
	struct forge_list list = { .wrong = ".roa" };
	forge_manifest(forge, forge->beta, &list);
}

static void
crl_hash_wrong(struct forge *forge)
{
	struct forge_list list = { .wrong = ".crl" };
	forge_manifest(forge, forge->alpha, &list);
}

static void
roa_flipped_alone(struct forge *forge)
{
	flip(&roa_of(forge)->der, 1);
}

/* Manifests. */

static void
no_crl_listed(struct forge *forge)
{
	struct forge_list list = { .drop = ".crl" };
	forge_manifest(forge, forge->alpha, &list);
}

static void
edit_crl_number(struct forge *forge, struct crl_fields *fields)
{
	(void)forge;
	fields->number++;
}

static void
two_crls(struct forge *forge)
{
	char path[160];
	struct forge_object *crl = forge_find(forge, forge->alpha, ".crl");
	(void)snprintf(path, sizeof path, "%szzzz.crl", forge->alpha);
	forge_crl(forge, &forge_add(forge, path, bytes_span(&crl->der))->der, edit_crl_number);
	forge_manifest(forge, forge->alpha, NULL);
}

static const char some_hash[] = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

static void
list_extra(struct forge *forge, const char *name)
{
	char text[200];
	struct forge_list list = { .extra = text };
	(void)snprintf(text, sizeof text, "SEQUENCE { IA5 \"%s\" BITS %s/0 } ", name, some_hash);
	forge_manifest(forge, forge->alpha, &list);
}

static void
two_dots(struct forge *forge)
{
	list_extra(forge, "z.b.roa");
}

static void
unknown_extension(struct forge *forge)
{
	list_extra(forge, "zzzz.txt");
}

static void
path_in_name(struct forge *forge)
{
	list_extra(forge, "../zzzz.roa");
}

static void
listed_twice(struct forge *forge)
{
	struct forge_list list = { .twice = true };
	forge_manifest(forge, forge->beta, &list);
}

static void
one_content_twice(struct forge *forge)
{
	char path[160];
	(void)snprintf(path, sizeof path, "%szzzz.roa", forge->alpha);
	(void)forge_add(forge, path, bytes_span(&roa_of(forge)->der));
	forge_manifest(forge, forge->alpha, NULL);
}

static void
not_in_order(struct forge *forge)
{
	struct forge_list list = { .reversed = true };
	forge_manifest(forge, forge->alpha, &list);
}

static int64_t this_update_s, next_update_s;

static void
edit_crl_times(struct forge *forge, struct crl_fields *fields)
{
	fields->this_update_at = forge->now_at + this_update_s;
	fields->next_update_at = forge->now_at + next_update_s;
	fields->revocations_count = 0;
}

static void
set_times(struct forge *forge, int64_t from_s, int64_t to_s, bool crl, bool manifest)
{
	struct forge_list list = { .this_update_s = from_s, .next_update_s = to_s };
	this_update_s = from_s;
	next_update_s = to_s;
	if (crl)
		forge_crl(forge, &forge_find(forge, forge->alpha, ".crl")->der, edit_crl_times);
	forge_manifest(forge, forge->alpha, manifest ? &list : NULL);
}

static void
both_stale(struct forge *forge)
{
	set_times(forge, -2 * DAY, -DAY, true, true);
}

static void
both_future(struct forge *forge)
{
	set_times(forge, DAY, 2 * DAY, true, true);
}

static void
crl_stale(struct forge *forge)
{
	set_times(forge, -2 * DAY, -DAY, true, false);
}

static void
crl_future(struct forge *forge)
{
	set_times(forge, DAY, 2 * DAY, true, false);
}

static void
crl_other_times(struct forge *forge)
{
	set_times(forge, -DAY, 3 * DAY, true, false);
}

static void
edit_longer(struct forge *forge, struct certificate_fields *fields)
{
	(void)forge;
	fields->not_after_at += DAY;
}

static void
manifest_ee_longer(struct forge *forge)
{
	struct forge_list list = { .edit = edit_longer };
	forge_manifest(forge, forge->alpha, &list);
}

static void
edit_location(struct forge *forge, struct certificate_fields *fields)
{
	static char uri[300];
	(void)snprintf(uri, sizeof uri, "%.*s%s", (int)(strrchr(fields->object_uri, '/') + 1 - fields->object_uri), fields->object_uri,
		strstr(fields->object_uri, ".mft") != NULL ? "zzzz.mft" : "zzzz.roa");
	(void)forge;
	fields->object_uri = uri;
}

static void
manifest_elsewhere(struct forge *forge)
{
	struct forge_list list = { .edit = edit_location };
	forge_manifest(forge, forge->alpha, &list);
}

/* CRLs. */

static struct revocation revoked;

static void
edit_revoked(struct forge *forge, struct crl_fields *fields)
{
	(void)forge;
	revoked.revoked_at = fields->this_update_at;
	fields->revocations = &revoked;
	fields->revocations_count = 1;
}

static void
roa_revoked(struct forge *forge)
{
	revoked.serial = forge_serial(roa_of(forge));
	forge_crl(forge, &forge_find(forge, forge->alpha, ".crl")->der, edit_revoked);
	forge_manifest(forge, forge->alpha, NULL);
}

static void
edit_serial(struct forge *forge, struct certificate_fields *fields)
{
	(void)forge;
	fields->serial = revoked.serial;
}

static void
manifest_revoked(struct forge *forge)
{
	struct forge_list list = { .edit = edit_serial };
	revoked.serial = forge_serial(forge_find(forge, forge->alpha, ".mft"));
	forge_crl(forge, &forge_find(forge, forge->alpha, ".crl")->der, edit_revoked);
	forge_manifest(forge, forge->alpha, &list);
}

static void
child_revoked(struct forge *forge)
{
	revoked.serial = forge_serial(forge_certificate_of(forge, forge->issuing, forge->alpha));
	forge_crl(forge, &forge_find(forge, forge->issuing, ".crl")->der, edit_revoked);
	forge_manifest(forge, forge->issuing, NULL);
}

static void
edit_authority(struct forge *forge, struct crl_fields *fields)
{
	(void)forge;
	fields->authority_key[0] ^= 1;
}

static void
crl_authority(struct forge *forge)
{
	forge_crl(forge, &forge_find(forge, forge->alpha, ".crl")->der, edit_authority);
	forge_manifest(forge, forge->alpha, NULL);
}

static void
edit_issuer(struct forge *forge, struct crl_fields *fields)
{
	(void)forge;
	fields->issuer = "somebody else";
}

static void
crl_issuer(struct forge *forge)
{
	forge_crl(forge, &forge_find(forge, forge->alpha, ".crl")->der, edit_issuer);
	forge_manifest(forge, forge->alpha, NULL);
}

/* The CRL of beta in alpha's place: right in itself. */
static void
crl_of_another(struct forge *forge)
{
	struct bytes *der = &forge_find(forge, forge->alpha, ".crl")->der, *other = &forge_find(forge, forge->beta, ".crl")->der;
	bytes_reset(der);
	WORLD_OK(bytes_append(der, other->data, other->length, fault));
	forge_manifest(forge, forge->alpha, NULL);
}

/* A TBSCertList is [whole] … [0] { SEQUENCE { AKI, CRLNumber } }: cuts AuthorityKeyIdentifier, 33 octets, out and signs it again. */
static void
crl_without_authority(struct forge *forge)
{
	AUTO_CLEAR(struct crl, crl_clear) crl = CRL_INIT;
	AUTO_CLEAR(struct bytes, bytes_clear) text = BYTES_INIT;
	AUTO_CLEAR(struct bytes, bytes_clear) tbs = BYTES_INIT;
	struct forge_object *object = forge_find(forge, forge->alpha, ".crl");
	WORLD_OK(crl_decode(bytes_span(&object->der), &crl, fault));
	struct crl_fields fields = { .issuer = crl.issuer, .number = crl.number, .this_update_at = crl.this_update_at,
		.next_update_at = crl.next_update_at };
	memcpy(fields.authority_key, crl.authority_key, sizeof fields.authority_key);
	WORLD_OK(crl_encode_tbs(&fields, &text, fault));
	/* Without entries: 04 … up to the extensions is the head; [0] holds AKI (33 octets) and CRLNumber. */
	uint8_t *extensions = memmem(text.data, text.length, "\xa0\x2f\x30\x2d", 4);
	assert_non_null(extensions);
	size_t head = (size_t)(extensions - text.data) - 2 - (text.data[1] == 0x81);
	const uint8_t *from = text.data + 2 + (text.data[1] == 0x81), *number = extensions + 4 + 33;
	size_t left = (size_t)(text.data + text.length - number), whole = head + 4 + left;
	uint8_t opening[] = { 0x30, 0x81, (uint8_t)whole }, wrapping[] = { 0xa0, (uint8_t)(left + 2), 0x30, (uint8_t)left };
	WORLD_OK(bytes_append(&tbs, opening, whole < 128 ? 1 : 2, fault));
	WORLD_OK(bytes_append(&tbs, &opening[2], 1, fault));
	WORLD_OK(bytes_append(&tbs, from, head, fault));
	WORLD_OK(bytes_append(&tbs, wrapping, sizeof wrapping, fault));
	WORLD_OK(bytes_append(&tbs, number, left, fault));
	forge_sign(forge, forge->alpha, bytes_span(&tbs), &object->der);
	forge_manifest(forge, forge->alpha, NULL);
}

/* Certificates of CAs. */

static void
remake_child(struct forge *forge, forge_edit edit)
{
	forge_certificate(forge, &forge_certificate_of(forge, forge->issuing, forge->alpha)->der, edit);
	forge_manifest(forge, forge->issuing, NULL);
}

static void
edit_expired(struct forge *forge, struct certificate_fields *fields)
{
	fields->not_before_at = forge->now_at - 10 * DAY;
	fields->not_after_at = forge->now_at - DAY;
}

static void
edit_early(struct forge *forge, struct certificate_fields *fields)
{
	fields->not_before_at = forge->now_at + DAY;
}

static void
edit_names(struct forge *forge, struct certificate_fields *fields)
{
	(void)forge;
	fields->issuer = "somebody else";
}

static void
edit_authority_key(struct forge *forge, struct certificate_fields *fields)
{
	(void)forge;
	fields->authority_key[3] ^= 1;
}

static void
edit_crl_uri(struct forge *forge, struct certificate_fields *fields)
{
	(void)forge;
	fields->crl_uri = "rsync://rsync.example.net/repo/elsewhere/zzzz.crl";
}

static void
edit_issuer_uri(struct forge *forge, struct certificate_fields *fields)
{
	(void)forge;
	fields->issuer_uri = "rsync://rsync.example.net/repo/ta/ta.cer";
}

static void
edit_manifest_uri(struct forge *forge, struct certificate_fields *fields)
{
	static char uri[300];
	(void)forge;
	(void)snprintf(uri, sizeof uri, "%szzzz.mft", fields->repository_uri);
	fields->manifest_uri = uri;
}

static void
edit_notification(struct forge *forge, struct certificate_fields *fields)
{
	(void)forge;
	fields->notification_uri = "https://elsewhere.example.net/rrdp/notification.xml";
}

static void
edit_subject(struct forge *forge, struct certificate_fields *fields)
{
	(void)forge;
	fields->subject = "alpha";
}

static void
child_expired(struct forge *forge)
{
	remake_child(forge, edit_expired);
}

static void
child_early(struct forge *forge)
{
	remake_child(forge, edit_early);
}

static void
child_of_another(struct forge *forge)
{
	remake_child(forge, edit_names);
}

static void
child_of_another_key(struct forge *forge)
{
	remake_child(forge, edit_authority_key);
}

static void
child_crl_uri(struct forge *forge)
{
	remake_child(forge, edit_crl_uri);
}

static void
child_issuer_uri(struct forge *forge)
{
	remake_child(forge, edit_issuer_uri);
}

static void
child_manifest_uri(struct forge *forge)
{
	remake_child(forge, edit_manifest_uri);
}

static void
child_notification(struct forge *forge)
{
	remake_child(forge, edit_notification);
}

static void
child_subject(struct forge *forge)
{
	remake_child(forge, edit_subject);
}

static struct resource_set narrow;

static void
edit_narrow(struct forge *forge, struct certificate_fields *fields)
{
	(void)forge;
	fields->resources = &narrow;
}

static void
read_narrow(const char *ipv4, const char *ipv6, const char *asns)
{
	resource_set_clear(&narrow);
	WORLD_OK(resource_set_parse_addresses(&narrow, FAMILY_IPV4, ipv4, fault));
	if (ipv6 != NULL)
		WORLD_OK(resource_set_parse_addresses(&narrow, FAMILY_IPV6, ipv6, fault));
	if (asns != NULL)
		WORLD_OK(resource_set_parse_asns(&narrow, asns, fault));
	WORLD_OK(resource_set_normalise(&narrow, fault));
}

/* The certificate above shrinks and alpha's stays: 203.0.113.0/24 and above is not the parent's any more. */
static void
child_overclaims(struct forge *forge)
{
	read_narrow("0.0.0.0-203.0.112.255", "::/0", "AS0-AS4294967295");
	forge_certificate(forge, &forge_certificate_of(forge, forge->ta, forge->online)->der, edit_narrow);
	forge_manifest(forge, forge->ta, NULL);
}

/* A certificate of the issuing CA's that leads back to its own manifest. */
static void
going_in_circles(struct forge *forge)
{
	char path[160];
	struct forge_object *own = forge_certificate_of(forge, forge->online, forge->issuing);
	(void)snprintf(path, sizeof path, "%szzzz.cer", forge->online);
	struct bytes *der = &forge_add(forge, path, bytes_span(&own->der))->der;
	forge_certificate(forge, der, edit_longer);
	forge_manifest(forge, forge->online, NULL);
}

/* ROAs. */

static void
remake_roa(struct forge *forge, const char *content, forge_edit edit)
{
	AUTO_CLEAR(struct bytes, bytes_clear) der = BYTES_INIT;
	if (content != NULL)
		der_builder_encode(content, &der);
	forge_signed(forge, &roa_of(forge)->der, content != NULL ? bytes_span(&der) : SPAN(NULL, 0), edit);
	forge_manifest(forge, forge->alpha, NULL);
}

static void
roa_expired(struct forge *forge)
{
	remake_roa(forge, NULL, edit_expired);
}

static void
roa_early(struct forge *forge)
{
	remake_roa(forge, NULL, edit_early);
}

static void
roa_elsewhere(struct forge *forge)
{
	remake_roa(forge, NULL, edit_location);
}

static void
roa_crl_uri(struct forge *forge)
{
	remake_roa(forge, NULL, edit_crl_uri);
}

static void
roa_overclaims(struct forge *forge)
{
	read_narrow("198.51.100.0/24", NULL, NULL);
	remake_roa(forge, "SEQUENCE { INTEGER 64496 SEQUENCE { SEQUENCE { OCTETS 0001 SEQUENCE { SEQUENCE { BITS c63364/0 } } } } }",
		edit_narrow);
}

static void
edit_alpha(struct forge *forge, struct certificate_fields *fields)
{
	(void)forge;
	read_narrow("192.0.2.0/24", NULL, NULL);
	fields->resources = &narrow;
}

static void
roa_outside(struct forge *forge)
{
	remake_roa(forge, "SEQUENCE { INTEGER 64496 SEQUENCE { SEQUENCE { OCTETS 0001 SEQUENCE { SEQUENCE { BITS cb0071/0 } } } } }",
		edit_alpha);
}

static void
roa_unsorted(struct forge *forge)
{
	remake_roa(forge, "SEQUENCE { INTEGER 64496 SEQUENCE { SEQUENCE { OCTETS 0001 SEQUENCE { SEQUENCE { BITS c0000280/7 } "
		"SEQUENCE { BITS c0000200/7 } } } } }", edit_alpha);
}

static void
roa_prefix_twice(struct forge *forge)
{
	remake_roa(forge, "SEQUENCE { INTEGER 64496 SEQUENCE { SEQUENCE { OCTETS 0001 SEQUENCE { SEQUENCE { BITS c00002/0 } "
		"SEQUENCE { BITS c00002/0 } } } } }", edit_alpha);
}

static void
roa_max_length_told(struct forge *forge)
{
	remake_roa(forge, "SEQUENCE { INTEGER 64496 SEQUENCE { SEQUENCE { OCTETS 0001 SEQUENCE { SEQUENCE { BITS c00002/0 INTEGER 24 } "
		"} } } }", edit_alpha);
}

static void
roa_max_length_short(struct forge *forge)
{
	remake_roa(forge, "SEQUENCE { INTEGER 64496 SEQUENCE { SEQUENCE { OCTETS 0001 SEQUENCE { SEQUENCE { BITS c00002/0 INTEGER 23 } "
		"} } } }", edit_alpha);
}

static void
roa_without_prefix(struct forge *forge)
{
	remake_roa(forge, "SEQUENCE { INTEGER 64496 SEQUENCE { } }", edit_alpha);
}

static void
roa_version_told(struct forge *forge)
{
	remake_roa(forge, "SEQUENCE { [0] { INTEGER 0 } INTEGER 64496 SEQUENCE { SEQUENCE { OCTETS 0001 SEQUENCE { SEQUENCE { "
		"BITS c00002/0 } } } } }", edit_alpha);
}

static void
edit_inherits(struct forge *forge, struct certificate_fields *fields)
{
	(void)forge;
	fields->resources = NULL;
	fields->inherit_ipv4 = fields->inherit_ipv6 = fields->inherit_asns = true;
}

static void
roa_inherits(struct forge *forge)
{
	remake_roa(forge, NULL, edit_inherits);
}

static const struct mutation mutations[] = {
	{ "a ROA's signature", roa_signature, "object_signature" },
	{ "a ROA's content", roa_content, "object_digest" },
	{ "the signature of a ROA's certificate", ee_signature, "certificate_signature" },
	{ "a manifest's signature", manifest_signature, "object_signature" },
	{ "a CRL's signature", crl_signature, "crl_signature" },
	{ "a CA certificate's signature", certificate_signature, "certificate_signature" },
	{ "a certificate that is none", certificate_garbage, "object_malformed object_unlisted" },
	{ "a CRL that is none", crl_garbage, "object_malformed" },
	{ "a manifest that is none", manifest_garbage, "object_malformed object_unlisted" },
	{ "an octet behind a ROA", roa_trailing, "object_malformed" },
	{ "a ROA cut off", roa_short, "object_malformed object_size" },
	{ "a manifest under a ROA's name", roa_is_a_manifest, "object_malformed" },
	{ "a byte flipped, the manifest as it was", roa_flipped_alone, "manifest_hash object_signature" },
	{ "a ROA missing", roa_missing, "manifest_file" },
	{ "a CRL missing", crl_missing, "crl_missing" },
	{ "a manifest missing", manifest_missing, "manifest_missing object_unlisted" },
	{ "a child left off its parent's manifest", child_left_out, "object_unlisted" },
	{ "a ROA on no manifest", file_unlisted, "object_unlisted" },
	{ "another hash of a ROA", hash_wrong, "manifest_hash" },
	{ "another hash of the CRL", crl_hash_wrong, "manifest_hash" },
	{ "a manifest without CRL", no_crl_listed, "crl_missing object_unlisted" },
	{ "two CRLs", two_crls, "crl_twice" },
	{ "a name with two dots", two_dots, "manifest_name manifest_file" },
	{ "a name of no known kind", unknown_extension, "manifest_name manifest_file" },
	{ "a name with a slash", path_in_name, "manifest_name manifest_file" },
	{ "a file listed twice", listed_twice, "manifest_twice" },
	{ "one content under two names", one_content_twice, "manifest_twice object_location" },
	{ "names in the wrong order", not_in_order, "manifest_order" },
	{ "manifest and CRL stale", both_stale, "manifest_stale crl_stale" },
	{ "manifest and CRL of tomorrow", both_future, "manifest_future crl_future" },
	{ "a CRL stale", crl_stale, "crl_stale" },
	{ "a CRL of tomorrow", crl_future, "crl_future" },
	{ "a CRL with other times than its manifest", crl_other_times, "crl_times" },
	{ "a manifest's certificate valid longer", manifest_ee_longer, "object_profile" },
	{ "a manifest that should be elsewhere", manifest_elsewhere, "object_location" },
	{ "a ROA's certificate revoked", roa_revoked, "certificate_revoked" },
	{ "a manifest's certificate revoked", manifest_revoked, "certificate_revoked" },
	{ "a CA's certificate revoked", child_revoked, "certificate_revoked" },
	{ "a CRL with another AuthorityKeyIdentifier", crl_authority, "crl_issuer" },
	{ "a CRL with another issuer", crl_issuer, "crl_issuer" },
	{ "a CRL of another CA", crl_of_another, "crl_signature" },
	{ "a CRL without AuthorityKeyIdentifier", crl_without_authority, "object_profile" },
	{ "a CA's certificate expired", child_expired, "certificate_expired" },
	{ "a CA's certificate of tomorrow", child_early, "certificate_future" },
	{ "a CA's certificate with another issuer", child_of_another, "certificate_issuer" },
	{ "a CA's certificate with another AuthorityKeyIdentifier", child_of_another_key, "certificate_issuer" },
	{ "a CA's certificate with another CRL", child_crl_uri, "certificate_uri" },
	{ "a CA's certificate with another caIssuers", child_issuer_uri, "certificate_uri" },
	{ "a CA's certificate with another manifest", child_manifest_uri, "manifest_missing object_unlisted" },
	{ "a CA's certificate with another notification", child_notification, "certificate_uri" },
	{ "a CA's certificate with a name of its own", child_subject, "object_profile certificate_issuer crl_issuer" },
	{ "a CA that over-claims", child_overclaims, "certificate_overclaims" },
	{ "a certificate that leads to a manifest for the second time", going_in_circles, "object_twice" },
	{ "a ROA's certificate expired", roa_expired, "certificate_expired" },
	{ "a ROA's certificate of tomorrow", roa_early, "certificate_future" },
	{ "a ROA that should be elsewhere", roa_elsewhere, "object_location" },
	{ "a ROA's certificate with another CRL", roa_crl_uri, "certificate_uri" },
	{ "a ROA's certificate that over-claims", roa_overclaims, "certificate_overclaims" },
	{ "a ROA outside of its certificate", roa_outside, "roa_outside" },
	{ "a ROA with prefixes in the wrong order", roa_unsorted, "roa_order" },
	{ "a ROA with a prefix twice", roa_prefix_twice, "roa_order" },
	{ "a ROA that tells a superfluous maxLength", roa_max_length_told, "object_profile" },
	{ "a ROA with a maxLength below the prefix", roa_max_length_short, "object_profile" },
	{ "a ROA without a prefix", roa_without_prefix, "object_profile" },
	{ "a ROA that tells its version", roa_version_told, "object_malformed" },
	{ "a ROA's certificate that inherits", roa_inherits, "object_profile" },
};

const struct mutation *
mutation_objects(size_t *ret_count)
{
	*ret_count = sizeof mutations / sizeof *mutations;
	return mutations;
}

void
mutation_clear(void)
{
	resource_set_clear(&narrow);
}
