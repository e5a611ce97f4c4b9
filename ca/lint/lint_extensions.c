/* What may stand in the extensions of a certificate or CRL, must stand there, and how: one table. */
#include <string.h>

#include "ca/lint/lint_internal.h"

static enum fault_code
access_method(struct der_reader *descriptions, enum lint_oid method, const char *uri, const char *scheme, const char *what,
	struct fault *fault)
{
	struct der_reader description;
	TRY(der_reader_enter(descriptions, DER_SEQUENCE, what, &description, fault));
	TRY(lint_oid_read(&description, method, what, fault));
	TRY(lint_uri_read(&description, uri, scheme, what, fault));
	return der_reader_end(&description, what, fault);
}

/* RFC 6487 §4.8.1: SEQUENCE { cA TRUE }, no pathLenConstraint. */
static enum fault_code
basic_constraints(struct der_reader *value, struct lint_subject *subject, const char *what, struct fault *fault)
{
	struct der_reader constraints;
	bool ca = false;
	(void)subject;
	TRY(der_reader_enter(value, DER_SEQUENCE, what, &constraints, fault));
	if (der_reader_next_is(&constraints, DER_BOOLEAN))
		TRY(der_reader_boolean(&constraints, what, &ca, fault));
	TRY(LINT_RULE(ca, fault, "%s: cA isn't TRUE", what));
	return LINT_RULE(!der_reader_more(&constraints), fault, "%s has a pathLen", what);
}

/* RFC 6487 §4.8.2: the SHA-1 of the key that is certified. */
static enum fault_code
subject_key_identifier(struct der_reader *value, struct lint_subject *subject, const char *what, struct fault *fault)
{
	struct der_element identifier;
	TRY(der_reader_take(value, DER_OCTET_STRING, what, &identifier, fault));
	return LINT_RULE(span_equal(identifier.contents, SPAN(subject->key_identifier, SHA1_SIZE)), fault,
		"%s isn't the key's SHA-1", what);
}

/* RFC 6487 §4.8.3: keyIdentifier alone; for a trust anchor, which may have it, the issuer is itself. */
static enum fault_code
authority_key_identifier(struct der_reader *value, struct lint_subject *subject, const char *what, struct fault *fault)
{
	struct der_reader authority;
	struct der_element identifier;
	TRY(der_reader_enter(value, DER_SEQUENCE, what, &authority, fault));
	TRY(der_reader_take(&authority, DER_CONTEXT(0), what, &identifier, fault));
	TRY(LINT_RULE(span_equal(identifier.contents, SPAN(subject->issuer->key_identifier, SHA1_SIZE)), fault,
		"%s isn't the issuer's", what));
	return LINT_RULE(!der_reader_more(&authority), fault, "%s has more than keyIdentifier", what);
}

/* RFC 6487 §4.8.4. */
static enum fault_code
key_usage(struct der_reader *value, struct lint_subject *subject, const char *what, struct fault *fault)
{
	unsigned usage;
	const unsigned digital_signature = 1U << 0, key_cert_sign = 1U << 5, crl_sign = 1U << 6;
	TRY(der_reader_flags(value, what, &usage, fault));
	if (subject->kind == LINT_EE)
		return LINT_RULE(usage == digital_signature, fault, "%s of an EE isn't digitalSignature alone", what);
	return LINT_RULE(usage == (key_cert_sign | crl_sign), fault, "%s of a CA isn't keyCertSign and cRLSign alone", what);
}

/* RFC 6487 §4.8.6: one DistributionPoint { [0] { [0] fullName { [6] URI } } }, no reasons, no cRLIssuer; we give one URI. */
static enum fault_code
crl_distribution_points(struct der_reader *value, struct lint_subject *subject, const char *what, struct fault *fault)
{
	struct der_reader points, point, name, full_name;
	const struct lint_issuer *issuer = subject->issuer;
	TRY(der_reader_enter(value, DER_SEQUENCE, what, &points, fault));
	TRY(der_reader_enter(&points, DER_SEQUENCE, what, &point, fault));
	TRY(LINT_RULE(!der_reader_more(&points), fault, "%s has more than one DistributionPoint", what));
	TRY(der_reader_enter(&point, DER_CONTEXT_CONSTRUCTED(0), what, &name, fault));
	TRY(LINT_RULE(!der_reader_more(&point), fault, "%s has reasons or a cRLIssuer", what));
	TRY(der_reader_enter(&name, DER_CONTEXT_CONSTRUCTED(0), what, &full_name, fault));
	TRY(der_reader_end(&name, what, fault));
	TRY(lint_uri_read(&full_name, issuer->crl_uri, "rsync", what, fault));
	TRY(LINT_RULE(!der_reader_more(&full_name), fault, "%s has more than one URI", what));
	/* RFC 6481 §2.2: a CA's CRL lies in its publication point; RFC 9286 §6.3 looks for it among the manifest's files. */
	return LINT_RULE(lint_uri_is_in(issuer->crl_uri, issuer->repository_uri, LINT_NAME_CRL), fault,
		"RFC 6481 §2.2: the CRL isn't a .crl file in the issuer's caRepository");
}

/* RFC 6487 §4.8.7: caIssuers alone, once. */
static enum fault_code
authority_info_access(struct der_reader *value, struct lint_subject *subject, const char *what, struct fault *fault)
{
	struct der_reader descriptions;
	TRY(der_reader_enter(value, DER_SEQUENCE, what, &descriptions, fault));
	TRY(access_method(&descriptions, LINT_OID_CA_ISSUERS, subject->issuer->certificate_uri, "rsync", what, fault));
	return LINT_RULE(!der_reader_more(&descriptions), fault, "%s has more than one accessMethod", what);
}

/* RFC 6487 §4.8.8.1, RFC 8182 §3.2: caRepository, rpkiManifest, then rpkiNotify where there is RRDP. */
static enum fault_code
subject_info_access_ca(struct der_reader *descriptions, const struct lint_certificate_wanted *wanted, const char *what,
	struct fault *fault)
{
	TRY(access_method(descriptions, LINT_OID_CA_REPOSITORY, wanted->repository_uri, "rsync", what, fault));
	TRY(LINT_RULE(lint_uri_is_directory(wanted->repository_uri), fault, "%s: caRepository doesn't end with a slash", what));
	TRY(access_method(descriptions, LINT_OID_RPKI_MANIFEST, wanted->manifest_uri, "rsync", what, fault));
	TRY(LINT_RULE(lint_uri_is_in(wanted->manifest_uri, wanted->repository_uri, LINT_NAME_MANIFEST), fault,
		"%s: rpkiManifest isn't a .mft file in caRepository", what));
	if (wanted->notification_uri != NULL)
		TRY(access_method(descriptions, LINT_OID_RPKI_NOTIFY, wanted->notification_uri, "https", what, fault));
	return FAULT_NONE;
}

/* RFC 6487 §4.8.8.2, RFC 9981 §4: signedObject alone, the very place of the object. */
static enum fault_code
subject_info_access_ee(struct der_reader *descriptions, const struct lint_subject *subject, const char *what, struct fault *fault)
{
	const char *uri = subject->wanted->object_uri;
	TRY(access_method(descriptions, LINT_OID_SIGNED_OBJECT, uri, "rsync", what, fault));
	return LINT_RULE(lint_uri_is_in(uri, subject->issuer->repository_uri, LINT_NAME_SIGNED), fault,
		"%s: signedObject isn't a signed object's file in the issuer's caRepository", what);
}

static enum fault_code
subject_info_access(struct der_reader *value, struct lint_subject *subject, const char *what, struct fault *fault)
{
	struct der_reader descriptions;
	TRY(der_reader_enter(value, DER_SEQUENCE, what, &descriptions, fault));
	if (subject->kind == LINT_EE)
		TRY(subject_info_access_ee(&descriptions, subject, what, fault));
	else
		TRY(subject_info_access_ca(&descriptions, subject->wanted, what, fault));
	return LINT_RULE(!der_reader_more(&descriptions), fault, "%s has an accessMethod too many", what);
}

/* RFC 6487 §4.8.9: exactly one policy; RFC 7318 allows a CPS qualifier, our profile has none. */
static enum fault_code
certificate_policies(struct der_reader *value, struct lint_subject *subject, const char *what, struct fault *fault)
{
	struct der_reader policies, policy;
	(void)subject;
	TRY(der_reader_enter(value, DER_SEQUENCE, what, &policies, fault));
	TRY(der_reader_enter(&policies, DER_SEQUENCE, what, &policy, fault));
	TRY(lint_oid_read(&policy, LINT_OID_CP_IP_ADDR_AS_NUMBER, what, fault));
	TRY(LINT_RULE(!der_reader_more(&policy), fault, "%s has a qualifier", what));
	return LINT_RULE(!der_reader_more(&policies), fault, "%s has more than one policy", what);
}

static enum fault_code
ip_addr_blocks(struct der_reader *value, struct lint_subject *subject, const char *what, struct fault *fault)
{
	(void)what;
	return lint_resources_read_addresses(value, subject->resources, fault);
}

static enum fault_code
autonomous_sys_ids(struct der_reader *value, struct lint_subject *subject, const char *what, struct fault *fault)
{
	(void)what;
	return lint_resources_read_asns(value, subject->resources, fault);
}

static enum fault_code
crl_number(struct der_reader *value, struct lint_subject *subject, const char *what, struct fault *fault)
{
	uint64_t number;
	TRY(der_reader_unsigned(value, what, UINT64_MAX, &number, fault));
	return LINT_RULE(number == subject->crl_number, fault, "%s isn't the one meant", what);
}

enum presence { NEVER, MAYBE, ALWAYS };

/*
 * RFC 6487 §4.8 and §5. The columns: is it critical; is it in the certificate of a TA, a CA, an EE, in a CRL; what checks its
 * value. RFC 8360's extensions are here because rpki-client refuses them.
 */
static const struct extension_rule {
	const char *what;
	enum lint_oid oid;
	bool critical;
	enum presence presence[LINT_KINDS];
	enum fault_code (*check)(struct der_reader *value, struct lint_subject *subject, const char *what, struct fault *fault);
} rules[] = {
	/* clang-format off */
	{ "RFC 6487 §4.8.1: BasicConstraints",
		LINT_OID_BASIC_CONSTRAINTS,         true,  { ALWAYS, ALWAYS, NEVER,  NEVER  }, basic_constraints },
	{ "RFC 6487 §4.8.2: SubjectKeyIdentifier",
		LINT_OID_SUBJECT_KEY_IDENTIFIER,    false, { ALWAYS, ALWAYS, ALWAYS, NEVER  }, subject_key_identifier },
	{ "RFC 6487 §4.8.3: AuthorityKeyIdentifier",
		LINT_OID_AUTHORITY_KEY_IDENTIFIER,  false, { MAYBE,  ALWAYS, ALWAYS, ALWAYS }, authority_key_identifier },
	{ "RFC 6487 §4.8.4: KeyUsage",
		LINT_OID_KEY_USAGE,                 true,  { ALWAYS, ALWAYS, ALWAYS, NEVER  }, key_usage },
	{ "RFC 6487 §4.8.5: ExtendedKeyUsage",
		LINT_OID_EXTENDED_KEY_USAGE,        false, { NEVER,  NEVER,  NEVER,  NEVER  }, NULL },
	{ "RFC 6487 §4.8.6: CRLDistributionPoints",
		LINT_OID_CRL_DISTRIBUTION_POINTS,   false, { NEVER,  ALWAYS, ALWAYS, NEVER  }, crl_distribution_points },
	{ "RFC 6487 §4.8.7: AuthorityInfoAccess",
		LINT_OID_AUTHORITY_INFO_ACCESS,     false, { NEVER,  ALWAYS, ALWAYS, NEVER  }, authority_info_access },
	{ "RFC 6487 §4.8.8: SubjectInfoAccess",
		LINT_OID_SUBJECT_INFO_ACCESS,       false, { ALWAYS, ALWAYS, ALWAYS, NEVER  }, subject_info_access },
	{ "RFC 6487 §4.8.9: CertificatePolicies",
		LINT_OID_CERTIFICATE_POLICIES,      true,  { ALWAYS, ALWAYS, ALWAYS, NEVER  }, certificate_policies },
	{ "RFC 6487 §4.8.10: IP resources",
		LINT_OID_IP_ADDR_BLOCKS,            true,  { MAYBE,  MAYBE,  MAYBE,  NEVER  }, ip_addr_blocks },
	{ "RFC 6487 §4.8.11: AS resources",
		LINT_OID_AUTONOMOUS_SYS_IDS,        true,  { MAYBE,  MAYBE,  MAYBE,  NEVER  }, autonomous_sys_ids },
	{ "RFC 8360 §4.2.2: IP resources, version 2",
		LINT_OID_IP_ADDR_BLOCKS_V2,         true,  { NEVER,  NEVER,  NEVER,  NEVER  }, NULL },
	{ "RFC 8360 §4.2.2: AS resources, version 2",
		LINT_OID_AUTONOMOUS_SYS_IDS_V2,     true,  { NEVER,  NEVER,  NEVER,  NEVER  }, NULL },
	{ "RFC 6487 §5: CRLNumber",
		LINT_OID_CRL_NUMBER,                false, { NEVER,  NEVER,  NEVER,  ALWAYS }, crl_number },
	/* clang-format on */
};

#define RULES (sizeof rules / sizeof rules[0])

static const char *const kinds[LINT_KINDS] = {
	[LINT_TA] = "a trust anchor's certificate",
	[LINT_CA] = "a CA's certificate",
	[LINT_EE] = "an EE's certificate",
	[LINT_CRL] = "a CRL",
};

/* NULL for what isn't in the table. */
static const struct extension_rule *
rule_find(struct span oid)
{
	for (size_t i = 0; i < RULES; i++) {
		if (lint_oid_is(oid, rules[i].oid))
			return &rules[i];
	}
	return NULL;
}

/* Extension ::= SEQUENCE { extnID, critical DEFAULT FALSE, extnValue OCTET STRING } */
static enum fault_code
extension_read(struct der_reader *extensions, struct lint_subject *subject, unsigned *seen, struct fault *fault)
{
	struct der_reader extension, value;
	struct der_element oid, octets;
	bool critical = false;
	TRY(der_reader_enter(extensions, DER_SEQUENCE, "RFC 5280 §4.1.2.9: Extension", &extension, fault));
	TRY(der_reader_take(&extension, DER_OBJECT_IDENTIFIER, "RFC 5280 §4.1.2.9: extnID", &oid, fault));
	const struct extension_rule *rule = rule_find(oid.contents);
	if (rule == NULL)
		return fault_set(fault, FAULT_LINT, "RFC 6487 §4.8: an extension that the profile doesn't have must not be used");
	TRY(LINT_RULE(rule->presence[subject->kind] != NEVER, fault, "%s must not be in %s", rule->what, kinds[subject->kind]));
	unsigned bit = 1U << (rule - rules);
	TRY(LINT_RULE((*seen & bit) == 0, fault, "%s is there twice (RFC 5280 §4.2)", rule->what));
	*seen |= bit;
	if (der_reader_next_is(&extension, DER_BOOLEAN)) {
		TRY(der_reader_boolean(&extension, rule->what, &critical, fault));
		TRY(LINT_RULE(critical, fault,
			"%s: critical is FALSE, its default, and must be left out (X.690 §11.5)", rule->what));
	}
	TRY(LINT_RULE(critical == rule->critical, fault, "%s must %sbe critical", rule->what, rule->critical ? "" : "not "));
	TRY(der_reader_take(&extension, DER_OCTET_STRING, rule->what, &octets, fault));
	TRY(der_reader_end(&extension, rule->what, fault));
	TRY(der_reader_open(octets.contents, rule->what, &value, fault));
	TRY(rule->check(&value, subject, rule->what, fault));
	return der_reader_end(&value, rule->what, fault);
}

enum fault_code
lint_extensions_read(struct der_reader *reader, struct lint_subject *subject, struct fault *fault)
{
	struct der_reader extensions;
	unsigned seen = 0;
	TRY(der_reader_enter(reader, DER_SEQUENCE, "RFC 5280 §4.1.2.9: Extensions", &extensions, fault));
	while (der_reader_more(&extensions))
		TRY(extension_read(&extensions, subject, &seen, fault));
	for (size_t i = 0; i < RULES; i++) {
		bool missing = rules[i].presence[subject->kind] == ALWAYS && (seen & 1U << i) == 0;
		TRY(LINT_RULE(!missing, fault, "%s is missing in %s", rules[i].what, kinds[subject->kind]));
	}
	return FAULT_NONE;
}
