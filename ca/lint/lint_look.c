/* Certificates and CRLs: what they say. */
#include "ca/lint/lint_look.h"

#include <string.h>

#include "ca/lint/lint_internal.h"

#define EXTENSION "RFC 5280 §4.1.2.9: Extension"

void
lint_look_certificate_clear(struct lint_look_certificate *look)
{
	resource_set_clear(&look->resources);
}

/* SEQUENCE { tbs, algorithm, BIT STRING }: whatever the algorithm. */
static enum fault_code
envelope_read(struct span der, const char *what, struct span *ret_tbs, struct span *ret_signature, struct fault *fault)
{
	struct der_reader reader, fields;
	struct der_element tbs, algorithm;
	struct der_bits signature;
	TRY(der_reader_walk(der, what, fault));
	TRY(der_reader_open(der, what, &reader, fault));
	TRY(der_reader_enter(&reader, DER_SEQUENCE, what, &fields, fault));
	TRY(der_reader_end(&reader, what, fault));
	TRY(der_reader_take(&fields, DER_SEQUENCE, what, &tbs, fault));
	TRY(der_reader_take(&fields, DER_SEQUENCE, what, &algorithm, fault));
	TRY(der_reader_bits(&fields, what, &signature, fault));
	TRY(der_reader_end(&fields, what, fault));
	*ret_tbs = tbs.whole;
	*ret_signature = signature.octets;
	return FAULT_NONE;
}

/* The next Extension: its OID and a reader on what its OCTET STRING holds. */
static enum fault_code
extension_take(struct der_reader *extensions, struct span *ret_oid, struct der_reader *ret_value, struct fault *fault)
{
	struct der_reader extension;
	struct der_element oid, octets;
	bool critical;
	TRY(der_reader_enter(extensions, DER_SEQUENCE, EXTENSION, &extension, fault));
	TRY(der_reader_take(&extension, DER_OBJECT_IDENTIFIER, EXTENSION, &oid, fault));
	if (der_reader_next_is(&extension, DER_BOOLEAN))
		TRY(der_reader_boolean(&extension, EXTENSION, &critical, fault));
	TRY(der_reader_take(&extension, DER_OCTET_STRING, EXTENSION, &octets, fault));
	TRY(der_reader_end(&extension, EXTENSION, fault));
	*ret_oid = oid.contents;
	return der_reader_open(octets.contents, EXTENSION, ret_value, fault);
}

static enum fault_code
authority_key_read(struct der_reader *value, struct span *ret_identifier, struct fault *fault)
{
	static const char what[] = "RFC 6487 §4.8.3: AuthorityKeyIdentifier";
	struct der_reader authority;
	struct der_element identifier;
	TRY(der_reader_enter(value, DER_SEQUENCE, what, &authority, fault));
	TRY(der_reader_take(&authority, DER_CONTEXT(0), what, &identifier, fault));
	*ret_identifier = identifier.contents;
	return FAULT_NONE;
}

/* The first URI of the first DistributionPoint. */
static enum fault_code
crl_uri_read(struct der_reader *value, struct span *ret_uri, struct fault *fault)
{
	static const char what[] = "RFC 6487 §4.8.6: CRLDistributionPoints";
	struct der_reader points, point, name, full_name;
	struct der_element uri;
	TRY(der_reader_enter(value, DER_SEQUENCE, what, &points, fault));
	TRY(der_reader_enter(&points, DER_SEQUENCE, what, &point, fault));
	TRY(der_reader_enter(&point, DER_CONTEXT_CONSTRUCTED(0), what, &name, fault));
	TRY(der_reader_enter(&name, DER_CONTEXT_CONSTRUCTED(0), what, &full_name, fault));
	TRY(der_reader_take(&full_name, DER_CONTEXT(6), what, &uri, fault));
	*ret_uri = uri.contents;
	return FAULT_NONE;
}

static struct span *
access_place(struct lint_look_certificate *look, struct span method)
{
	const struct {
		enum lint_oid oid;
		struct span *uri;
	} places[] = {
		{ LINT_OID_CA_ISSUERS, &look->issuer_uri }, { LINT_OID_CA_REPOSITORY, &look->repository_uri },
		{ LINT_OID_RPKI_MANIFEST, &look->manifest_uri }, { LINT_OID_RPKI_NOTIFY, &look->notification_uri },
		{ LINT_OID_SIGNED_OBJECT, &look->object_uri },
	};
	for (size_t i = 0; i < sizeof places / sizeof places[0]; i++)
		if (lint_oid_is(method, places[i].oid))
			return places[i].uri;
	return NULL;
}

/* AuthorityInfoAccess and SubjectInfoAccess: the first URI of each method that is known. */
static enum fault_code
access_read(struct der_reader *value, struct lint_look_certificate *look, struct fault *fault)
{
	static const char what[] = "RFC 6487 §4.8.7, §4.8.8: AuthorityInfoAccess, SubjectInfoAccess";
	struct der_reader descriptions, description;
	struct der_element method, uri;
	TRY(der_reader_enter(value, DER_SEQUENCE, what, &descriptions, fault));
	while (der_reader_more(&descriptions)) {
		TRY(der_reader_enter(&descriptions, DER_SEQUENCE, what, &description, fault));
		TRY(der_reader_take(&description, DER_OBJECT_IDENTIFIER, what, &method, fault));
		struct span *place = access_place(look, method.contents);
		if (place == NULL || place->data != NULL || !der_reader_next_is(&description, DER_CONTEXT(6)))
			continue;
		TRY(der_reader_take(&description, DER_CONTEXT(6), what, &uri, fault));
		*place = uri.contents;
	}
	return FAULT_NONE;
}

static enum fault_code
extension_look(struct span oid, struct der_reader *value, struct lint_look_certificate *look, struct lint_resources *resources,
	struct fault *fault)
{
	if (lint_oid_is(oid, LINT_OID_AUTHORITY_KEY_IDENTIFIER))
		return authority_key_read(value, &look->authority_key, fault);
	if (lint_oid_is(oid, LINT_OID_CRL_DISTRIBUTION_POINTS))
		return crl_uri_read(value, &look->crl_uri, fault);
	if (lint_oid_is(oid, LINT_OID_AUTHORITY_INFO_ACCESS) || lint_oid_is(oid, LINT_OID_SUBJECT_INFO_ACCESS))
		return access_read(value, look, fault);
	if (lint_oid_is(oid, LINT_OID_IP_ADDR_BLOCKS))
		return lint_resources_read_addresses(value, resources, fault);
	if (lint_oid_is(oid, LINT_OID_AUTONOMOUS_SYS_IDS))
		return lint_resources_read_asns(value, resources, fault);
	return FAULT_NONE;
}

static enum fault_code
extensions_look(struct der_reader *rest, struct lint_look_certificate *look, struct fault *fault)
{
	AUTO_CLEAR(struct lint_resources, lint_resources_clear) resources = LINT_RESOURCES_INIT;
	struct der_reader explicit, extensions, value;
	struct span oid;
	TRY(der_reader_enter(rest, DER_CONTEXT_CONSTRUCTED(3), EXTENSION, &explicit, fault));
	TRY(der_reader_enter(&explicit, DER_SEQUENCE, EXTENSION, &extensions, fault));
	while (der_reader_more(&extensions)) {
		TRY(extension_take(&extensions, &oid, &value, fault));
		TRY(extension_look(oid, &value, look, &resources, fault));
	}
	TRY(resource_set_normalise(&resources.set, fault));
	look->inherits_ipv4 = resources.inherits_ipv4;
	look->inherits_ipv6 = resources.inherits_ipv6;
	look->inherits_asns = resources.inherits_asns;
	return resource_set_copy(&resources.set, &look->resources, fault);
}

enum fault_code
lint_look_certificate(struct span der, struct lint_look_certificate *ret_look, struct fault *fault)
{
	struct lint_certificate certificate;
	TRY(envelope_read(der, "RFC 6487 §4: Certificate", &ret_look->tbs, &ret_look->signature, fault));
	TRY(lint_certificate_read(ret_look->tbs, &certificate, fault));
	ret_look->serial = certificate.serial;
	ret_look->issuer = certificate.issuer;
	ret_look->subject = certificate.subject;
	ret_look->spki = certificate.spki;
	ret_look->not_before_at = certificate.not_before_at;
	ret_look->not_after_at = certificate.not_after_at;
	TRY(lint_key_identifier(certificate.spki, "RFC 6487 §4.7: subjectPublicKeyInfo", ret_look->key_identifier, fault));
	return extensions_look(&certificate.rest, ret_look, fault);
}

static enum fault_code
crl_extensions_look(struct der_reader *fields, struct lint_look_crl *look, struct fault *fault)
{
	struct der_reader explicit, extensions, value;
	struct span oid;
	TRY(der_reader_enter(fields, DER_CONTEXT_CONSTRUCTED(0), EXTENSION, &explicit, fault));
	TRY(der_reader_enter(&explicit, DER_SEQUENCE, EXTENSION, &extensions, fault));
	while (der_reader_more(&extensions)) {
		TRY(extension_take(&extensions, &oid, &value, fault));
		if (lint_oid_is(oid, LINT_OID_AUTHORITY_KEY_IDENTIFIER))
			TRY(authority_key_read(&value, &look->authority_key, fault));
		if (lint_oid_is(oid, LINT_OID_CRL_NUMBER))
			TRY(der_reader_unsigned(&value, "RFC 6487 §5: CRLNumber", UINT64_MAX, &look->number, fault));
	}
	return FAULT_NONE;
}

static enum fault_code
revocations_count(struct lint_look_crl *look, struct fault *fault)
{
	struct der_reader entries = look->entries;
	struct span serial;
	int64_t revoked_at;
	for (; der_reader_more(&entries); look->revocations++)
		TRY(lint_look_revocation(&entries, &serial, &revoked_at, fault));
	return FAULT_NONE;
}

enum fault_code
lint_look_crl(struct span der, struct lint_look_crl *ret_look, struct fault *fault)
{
	static const char what[] = "RFC 6487 §5: TBSCertList";
	struct lint_look_crl look = { .number = 0 };
	struct der_reader reader, fields;
	struct der_element algorithm;
	uint64_t version;
	TRY(envelope_read(der, "RFC 6487 §5: CertificateList", &look.tbs, &look.signature, fault));
	TRY(der_reader_open(look.tbs, what, &reader, fault));
	TRY(der_reader_enter(&reader, DER_SEQUENCE, what, &fields, fault));
	TRY(der_reader_unsigned(&fields, "RFC 6487 §5: version", UINT64_MAX, &version, fault));
	TRY(der_reader_take(&fields, DER_SEQUENCE, what, &algorithm, fault));
	TRY(lint_name_read(&fields, "RFC 6487 §5: issuer", &look.issuer, fault));
	TRY(der_reader_time(&fields, "RFC 6487 §5: thisUpdate", &look.this_update_at, fault));
	TRY(der_reader_time(&fields, "RFC 6487 §5: nextUpdate", &look.next_update_at, fault));
	look.entries = (struct der_reader){ .at = fields.at, .end = fields.at, .depth = fields.depth };
	if (der_reader_next_is(&fields, DER_SEQUENCE))
		TRY(der_reader_enter(&fields, DER_SEQUENCE, "RFC 6487 §5: revokedCertificates", &look.entries, fault));
	TRY(revocations_count(&look, fault));
	TRY(crl_extensions_look(&fields, &look, fault));
	*ret_look = look;
	return FAULT_NONE;
}

enum fault_code
lint_look_revocation(struct der_reader *entries, struct span *ret_serial, int64_t *ret_revoked_at, struct fault *fault)
{
	struct der_reader entry;
	TRY(der_reader_enter(entries, DER_SEQUENCE, "RFC 6487 §5: revokedCertificates", &entry, fault));
	TRY(lint_certificate_serial(&entry, "RFC 6487 §5: userCertificate", ret_serial, fault));
	return der_reader_time(&entry, "RFC 6487 §5: revocationDate", ret_revoked_at, fault);
}

enum fault_code
lint_look_verify(struct span spki, struct span message, struct span signature, bool *ret_verified, struct fault *fault)
{
	struct fault refusal = FAULT_INIT;
	enum fault_code code = lint_key_verify(spki, message, signature, "signature", &refusal);
	if (code != FAULT_NONE && code != FAULT_LINT)
		return fault_set(fault, code, "%s", refusal.message);
	*ret_verified = code == FAULT_NONE;
	return FAULT_NONE;
}
