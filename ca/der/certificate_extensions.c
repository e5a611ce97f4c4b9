#include "ca/der/certificate_extensions.h"

#include <openssl/x509v3.h>
#include <string.h>

#include "ca/base/memory.h"
#include "ca/der/public_key.h"
#include "ca/der/resource_extensions.h"
#include "ca/keys/openssl_fault.h"

SCOPED(AUTHORITY_INFO_ACCESS, AUTHORITY_INFO_ACCESS_free)
SCOPED(CRL_DIST_POINTS, CRL_DIST_POINTS_free)
SCOPED(CERTIFICATEPOLICIES, CERTIFICATEPOLICIES_free)

/* Sets of kinds. */
enum {
	TA = 1 << CERTIFICATE_TA,
	CA = 1 << CERTIFICATE_CA,
	EE = 1 << CERTIFICATE_EE,
	ALL = TA | CA | EE,
};

static bool
of_ca(enum certificate_kind kind)
{
	return ((1U << kind) & (TA | CA)) != 0;
}

/* URIs. */

static enum fault_code
check_uri(const char *uri, const char *scheme, const char *what, enum fault_code code, struct fault *fault)
{
	size_t length = uri == NULL ? 0 : strnlen(uri, URI_MAX + 1);
	size_t scheme_length = strlen(scheme);
	if (length <= scheme_length || length > URI_MAX || strncmp(uri, scheme, scheme_length) != 0)
		return fault_set(fault, code, "%s has to be a URI that starts with %s and has at most %d characters", what,
			scheme, URI_MAX);
	for (size_t i = 0; i < length; i++)
		if (uri[i] <= ' ' || uri[i] > '~')
			return fault_set(fault, code, "%s has a character that a URI can't have", what);
	return FAULT_NONE;
}

static enum fault_code
set_uri(GENERAL_NAME *name, const char *uri, const char *scheme, const char *what, struct fault *fault)
{
	ASN1_IA5STRING *text = NULL;
	TRY(check_uri(uri, scheme, what, FAULT_INVALID, fault));
	TRY(template_new(ASN1_ITEM_rptr(ASN1_IA5STRING), &text, fault));
	GENERAL_NAME_set0_value(name, GEN_URI, text);
	return template_set_octets(text, uri, strlen(uri), fault);
}

static enum fault_code
get_uri(const GENERAL_NAME *name, const char *scheme, const char *what, char **ret_uri, struct fault *fault)
{
	if (name->type != GEN_URI)
		return fault_set(fault, FAULT_MALFORMED, "%s is not a URI", what);
	AUTO(char, free) uri = NULL;
	TRY(template_text(name->d.uniformResourceIdentifier, what, &uri, fault));
	TRY(check_uri(uri, scheme, what, FAULT_MALFORMED, fault));
	*ret_uri = MOVE(uri);
	return FAULT_NONE;
}

/* BasicConstraints and KeyUsage: values that never vary, so they stand here as DER. */

static const uint8_t constraints_of_ca[] = { 0x30, 0x03, 0x01, 0x01, 0xff }; /* cA TRUE, no pathLenConstraint */
static const uint8_t usage_of_ca[] = { 0x03, 0x02, 0x01, 0x06 };             /* keyCertSign, cRLSign */
static const uint8_t usage_of_ee[] = { 0x03, 0x02, 0x07, 0x80 };             /* digitalSignature */

static enum fault_code
write_basic_constraints(const struct certificate_fields *fields, struct bytes *ret_value, struct fault *fault)
{
	(void)fields;
	return bytes_append(ret_value, constraints_of_ca, sizeof constraints_of_ca, fault);
}

static enum fault_code
read_basic_constraints(struct span value, struct certificate *certificate, struct fault *fault)
{
	(void)certificate;
	/* RFC 6487 §4.8.1 */
	if (!span_equal(value, SPAN(constraints_of_ca, sizeof constraints_of_ca)))
		return fault_set(fault, FAULT_MALFORMED, "BasicConstraints is not cA alone (RFC 6487 §4.8.1)");
	return FAULT_NONE;
}

static struct span
usage_of(enum certificate_kind kind)
{
	return of_ca(kind) ? SPAN(usage_of_ca, sizeof usage_of_ca) : SPAN(usage_of_ee, sizeof usage_of_ee);
}

static enum fault_code
write_key_usage(const struct certificate_fields *fields, struct bytes *ret_value, struct fault *fault)
{
	struct span usage = usage_of(fields->kind);
	return bytes_append(ret_value, usage.data, usage.length, fault);
}

static enum fault_code
read_key_usage(struct span value, struct certificate *certificate, struct fault *fault)
{
	/* RFC 6487 §4.8.4 */
	if (!span_equal(value, usage_of(certificate->kind)))
		return fault_set(fault, FAULT_MALFORMED, "KeyUsage is not that of its kind of certificate (RFC 6487 §4.8.4)");
	return FAULT_NONE;
}

/* Key identifiers. */

static enum fault_code
write_subject_key(const struct certificate_fields *fields, struct bytes *ret_value, struct fault *fault)
{
	uint8_t identifier[KEY_IDENTIFIER_SIZE];
	TRY(certificate_key_identifier(fields->spki, identifier, fault));
	return extension_encode_subject_key(identifier, ret_value, fault);
}

static enum fault_code
read_subject_key(struct span value, struct certificate *certificate, struct fault *fault)
{
	uint8_t identifier[KEY_IDENTIFIER_SIZE];
	TRY(extension_decode_subject_key(value, identifier, fault));
	/* RFC 6487 §4.8.2; the decoder has computed subject_key from the key. */
	if (memcmp(identifier, certificate->subject_key, sizeof identifier) != 0)
		return fault_set(fault, FAULT_MALFORMED, "SubjectKeyIdentifier is not the hash of the key (RFC 6487 §4.8.2)");
	return FAULT_NONE;
}

static enum fault_code
write_authority_key(const struct certificate_fields *fields, struct bytes *ret_value, struct fault *fault)
{
	return extension_encode_authority_key(fields->authority_key, ret_value, fault);
}

static enum fault_code
read_authority_key(struct span value, struct certificate *certificate, struct fault *fault)
{
	TRY(extension_decode_authority_key(value, certificate->authority_key, fault));
	/* RFC 6487 §4.8.3: a self-signed certificate may leave it out, or name itself. */
	if (certificate->kind == CERTIFICATE_TA &&
		memcmp(certificate->authority_key, certificate->subject_key, KEY_IDENTIFIER_SIZE) != 0)
		return fault_set(fault, FAULT_MALFORMED, "AuthorityKeyIdentifier of a self-signed certificate names another key");
	return FAULT_NONE;
}

/* CRLDistributionPoints (RFC 6487 §4.8.6): one point, its full name one rsync URI. */

static enum fault_code
write_crl_points(const struct certificate_fields *fields, struct bytes *ret_value, struct fault *fault)
{
	AUTO(CRL_DIST_POINTS, CRL_DIST_POINTS_free) points = NULL;
	DIST_POINT *point = NULL;
	GENERAL_NAME *name = NULL;
	TRY(template_new(ASN1_ITEM_rptr(CRL_DIST_POINTS), &points, fault));
	TRY(template_append(points, ASN1_ITEM_rptr(DIST_POINT), &point, fault));
	TRY(template_new(ASN1_ITEM_rptr(DIST_POINT_NAME), &point->distpoint, fault));
	point->distpoint->name.fullname = GENERAL_NAMES_new();
	point->distpoint->type = 0;
	if (point->distpoint->name.fullname == NULL)
		return openssl_fault_set(fault, FAULT_MEMORY, "building CRLDistributionPoints");
	TRY(template_append(point->distpoint->name.fullname, ASN1_ITEM_rptr(GENERAL_NAME), &name, fault));
	TRY(set_uri(name, fields->crl_uri, "rsync://", "the URI of the CRL", fault));
	return template_encode(points, ASN1_ITEM_rptr(CRL_DIST_POINTS), ret_value, fault);
}

static enum fault_code
read_crl_points(struct span value, struct certificate *certificate, struct fault *fault)
{
	AUTO(CRL_DIST_POINTS, CRL_DIST_POINTS_free) points = NULL;
	TRY(template_decode(value, ASN1_ITEM_rptr(CRL_DIST_POINTS), "CRLDistributionPoints", &points, fault));
	const DIST_POINT *point = sk_DIST_POINT_num(points) == 1 ? sk_DIST_POINT_value(points, 0) : NULL;
	if (point == NULL || point->distpoint == NULL || point->distpoint->type != 0 || point->reasons != NULL ||
		point->CRLissuer != NULL || sk_GENERAL_NAME_num(point->distpoint->name.fullname) != 1)
		return fault_set(fault, FAULT_MALFORMED, "CRLDistributionPoints is not one full name (RFC 6487 §4.8.6)");
	return get_uri(sk_GENERAL_NAME_value(point->distpoint->name.fullname, 0), "rsync://", "the URI of the CRL",
		&certificate->crl_uri, fault);
}

/* AuthorityInfoAccess and SubjectInfoAccess: the same type, so one table says what each holds, in the order of writing. */

static const struct access {
	int extension, method;
	unsigned required, allowed;
	const char *scheme, *what;
	size_t in_fields, in_certificate;
} accesses[] = {
#define URI_AT(member) offsetof(struct certificate_fields, member), offsetof(struct certificate, member)
	/* RFC 6487 §4.8.7 */
	{ NID_info_access, NID_ad_ca_issuers, CA | EE, CA | EE, "rsync://", "caIssuers", URI_AT(issuer_uri) },
	/* RFC 6487 §4.8.8.1 and RFC 8182 §3.2 */
	{ NID_sinfo_access, NID_caRepository, TA | CA, TA | CA, "rsync://", "caRepository", URI_AT(repository_uri) },
	{ NID_sinfo_access, NID_rpkiManifest, TA | CA, TA | CA, "rsync://", "rpkiManifest", URI_AT(manifest_uri) },
	{ NID_sinfo_access, NID_rpkiNotify, 0, TA | CA, "https://", "rpkiNotify", URI_AT(notification_uri) },
	/* RFC 6487 §4.8.8.2 */
	{ NID_sinfo_access, NID_signedObject, EE, EE, "rsync://", "signedObject", URI_AT(object_uri) },
#undef URI_AT
};
#define ACCESSES (sizeof accesses / sizeof accesses[0])

static const char *
uri_in_fields(const struct certificate_fields *fields, const struct access *access)
{
	const char *uri;
	memcpy(&uri, (const char *)fields + access->in_fields, sizeof uri);
	return uri;
}

static char **
uri_in_certificate(struct certificate *certificate, const struct access *access)
{
	return (char **)(void *)((char *)certificate + access->in_certificate);
}

static enum fault_code
write_access(int extension_nid, const struct certificate_fields *fields, struct bytes *ret_value, struct fault *fault)
{
	AUTO(AUTHORITY_INFO_ACCESS, AUTHORITY_INFO_ACCESS_free) descriptions = NULL;
	TRY(template_new(ASN1_ITEM_rptr(AUTHORITY_INFO_ACCESS), &descriptions, fault));
	for (const struct access *access = accesses; access < accesses + ACCESSES; access++) {
		const char *uri = uri_in_fields(fields, access);
		if (access->extension != extension_nid || (uri == NULL && (access->required & (1U << fields->kind)) == 0))
			continue;
		ACCESS_DESCRIPTION *description = NULL;
		TRY(template_append(descriptions, ASN1_ITEM_rptr(ACCESS_DESCRIPTION), &description, fault));
		template_set_object(&description->method, access->method);
		TRY(set_uri(description->location, uri, access->scheme, access->what, fault));
	}
	return template_encode(descriptions, ASN1_ITEM_rptr(AUTHORITY_INFO_ACCESS), ret_value, fault);
}

static enum fault_code
read_description(int extension_nid, const ACCESS_DESCRIPTION *description, struct certificate *certificate, struct fault *fault)
{
	int method = OBJ_obj2nid(description->method);
	for (const struct access *access = accesses; access < accesses + ACCESSES; access++) {
		char **uri = uri_in_certificate(certificate, access);
		if (access->extension != extension_nid || access->method != method ||
			(access->allowed & (1U << certificate->kind)) == 0)
			continue;
		if (*uri != NULL)
			return fault_set(fault, FAULT_MALFORMED, "%s is there twice", access->what);
		return get_uri(description->location, access->scheme, access->what, uri, fault);
	}
	return fault_set(fault, FAULT_MALFORMED,
		"%s has a method that this kind of certificate can't have (RFC 6487 §4.8.7, §4.8.8)", OBJ_nid2ln(extension_nid));
}

static enum fault_code
read_access(int extension_nid, struct span value, struct certificate *certificate, struct fault *fault)
{
	AUTO(AUTHORITY_INFO_ACCESS, AUTHORITY_INFO_ACCESS_free) descriptions = NULL;
	TRY(template_decode(value, ASN1_ITEM_rptr(AUTHORITY_INFO_ACCESS), OBJ_nid2ln(extension_nid), &descriptions, fault));
	for (int i = 0; i < sk_ACCESS_DESCRIPTION_num(descriptions); i++)
		TRY(read_description(extension_nid, sk_ACCESS_DESCRIPTION_value(descriptions, i), certificate, fault));
	for (const struct access *access = accesses; access < accesses + ACCESSES; access++)
		if (access->extension == extension_nid && (access->required & (1U << certificate->kind)) != 0 &&
			*uri_in_certificate(certificate, access) == NULL)
			return fault_set(fault, FAULT_MALFORMED, "%s is missing (RFC 6487 §4.8.7, §4.8.8)", access->what);
	return FAULT_NONE;
}

static enum fault_code
write_authority_access(const struct certificate_fields *fields, struct bytes *ret_value, struct fault *fault)
{
	return write_access(NID_info_access, fields, ret_value, fault);
}

static enum fault_code
read_authority_access(struct span value, struct certificate *certificate, struct fault *fault)
{
	return read_access(NID_info_access, value, certificate, fault);
}

static enum fault_code
write_subject_access(const struct certificate_fields *fields, struct bytes *ret_value, struct fault *fault)
{
	return write_access(NID_sinfo_access, fields, ret_value, fault);
}

static enum fault_code
read_subject_access(struct span value, struct certificate *certificate, struct fault *fault)
{
	return read_access(NID_sinfo_access, value, certificate, fault);
}

/* CertificatePolicies (RFC 6487 §4.8.9): the policy of RFC 6484 and no other. */

static enum fault_code
write_policies(const struct certificate_fields *fields, struct bytes *ret_value, struct fault *fault)
{
	(void)fields;
	AUTO(CERTIFICATEPOLICIES, CERTIFICATEPOLICIES_free) policies = NULL;
	POLICYINFO *policy = NULL;
	TRY(template_new(ASN1_ITEM_rptr(CERTIFICATEPOLICIES), &policies, fault));
	TRY(template_append(policies, ASN1_ITEM_rptr(POLICYINFO), &policy, fault));
	template_set_object(&policy->policyid, NID_ipAddr_asNumber);
	return template_encode(policies, ASN1_ITEM_rptr(CERTIFICATEPOLICIES), ret_value, fault);
}

static enum fault_code
read_policies(struct span value, struct certificate *certificate, struct fault *fault)
{
	(void)certificate;
	AUTO(CERTIFICATEPOLICIES, CERTIFICATEPOLICIES_free) policies = NULL;
	TRY(template_decode(value, ASN1_ITEM_rptr(CERTIFICATEPOLICIES), "CertificatePolicies", &policies, fault));
	const POLICYINFO *policy = sk_POLICYINFO_num(policies) == 1 ? sk_POLICYINFO_value(policies, 0) : NULL;
	if (policy == NULL || OBJ_obj2nid(policy->policyid) != NID_ipAddr_asNumber)
		return fault_set(fault, FAULT_MALFORMED,
			"CertificatePolicies is not id-cp-ipAddr-asNumber alone (RFC 6487 §4.8.9)");
	/* RFC 7318 §2: at most one qualifier, a pointer to the CPS. */
	if (policy->qualifiers != NULL && (sk_POLICYQUALINFO_num(policy->qualifiers) != 1 ||
		OBJ_obj2nid(sk_POLICYQUALINFO_value(policy->qualifiers, 0)->pqualid) != NID_id_qt_cps))
		return fault_set(fault, FAULT_MALFORMED, "CertificatePolicies has a qualifier that is not one CPS (RFC 7318 §2)");
	return FAULT_NONE;
}

/* Resources (RFC 6487 §4.8.10, §4.8.11). */

static const struct resource_set *
resources_of(const struct certificate_fields *fields)
{
	static const struct resource_set none;
	return fields->resources != NULL ? fields->resources : &none;
}

static enum fault_code
write_addresses(const struct certificate_fields *fields, struct bytes *ret_value, struct fault *fault)
{
	const struct resource_inheritance inherits = { .ipv4 = fields->inherit_ipv4, .ipv6 = fields->inherit_ipv6 };
	return resource_extensions_encode_addresses(resources_of(fields), &inherits, ret_value, fault);
}

static enum fault_code
write_asns(const struct certificate_fields *fields, struct bytes *ret_value, struct fault *fault)
{
	const struct resource_inheritance inherits = { .asns = fields->inherit_asns };
	return resource_extensions_encode_asns(resources_of(fields), &inherits, ret_value, fault);
}

static enum fault_code
read_addresses(struct span value, struct certificate *certificate, struct fault *fault)
{
	struct resource_inheritance inherits = { .asns = false };
	TRY(resource_extensions_decode_addresses(value, &certificate->resources, &inherits, fault));
	certificate->inherit_ipv4 = inherits.ipv4;
	certificate->inherit_ipv6 = inherits.ipv6;
	return FAULT_NONE;
}

static enum fault_code
read_asns(struct span value, struct certificate *certificate, struct fault *fault)
{
	struct resource_inheritance inherits = { .asns = false };
	TRY(resource_extensions_decode_asns(value, &certificate->resources, &inherits, fault));
	certificate->inherit_asns = inherits.asns;
	return FAULT_NONE;
}

/* The table. A writer that leaves its value empty has no extension to write. */
static const struct rule {
	int nid;
	bool critical;
	unsigned written, required, allowed; /* in which kinds of certificate */
	enum fault_code (*write)(const struct certificate_fields *fields, struct bytes *ret_value, struct fault *fault);
	enum fault_code (*read)(struct span value, struct certificate *certificate, struct fault *fault);
} rules[] = {
	{ NID_basic_constraints, true, TA | CA, TA | CA, TA | CA, write_basic_constraints, read_basic_constraints },
	{ NID_subject_key_identifier, false, ALL, ALL, ALL, write_subject_key, read_subject_key },
	{ NID_authority_key_identifier, false, CA | EE, CA | EE, ALL, write_authority_key, read_authority_key },
	{ NID_key_usage, true, ALL, ALL, ALL, write_key_usage, read_key_usage },
	{ NID_crl_distribution_points, false, CA | EE, CA | EE, CA | EE, write_crl_points, read_crl_points },
	{ NID_info_access, false, CA | EE, CA | EE, CA | EE, write_authority_access, read_authority_access },
	{ NID_sinfo_access, false, ALL, ALL, ALL, write_subject_access, read_subject_access },
	{ NID_certificate_policies, true, ALL, ALL, ALL, write_policies, read_policies },
	{ NID_sbgp_ipAddrBlock, true, ALL, 0, ALL, write_addresses, read_addresses },
	{ NID_sbgp_autonomousSysNum, true, ALL, 0, ALL, write_asns, read_asns },
};
#define RULES (sizeof rules / sizeof rules[0])

/* A URI that this kind of certificate has no place for is the caller's mistake, not to be passed over in silence. */
static enum fault_code
refuse_other_uris(const struct certificate_fields *fields, struct fault *fault)
{
	if (fields->kind == CERTIFICATE_TA && fields->crl_uri != NULL)
		return fault_set(fault, FAULT_INVALID, "a TA certificate has no CRLDistributionPoints (RFC 6487 §4.8.6)");
	for (const struct access *access = accesses; access < accesses + ACCESSES; access++)
		if (uri_in_fields(fields, access) != NULL && (access->allowed & (1U << fields->kind)) == 0)
			return fault_set(fault, FAULT_INVALID,
				"%s has no place in this kind of certificate (RFC 6487 §4.8.7, §4.8.8)", access->what);
	return FAULT_NONE;
}

enum fault_code
certificate_extensions_write(const struct certificate_fields *fields, STACK_OF(extension) *extensions, struct fault *fault)
{
	TRY(refuse_other_uris(fields, fault));
	for (const struct rule *rule = rules; rule < rules + RULES; rule++) {
		AUTO_CLEAR(struct bytes, bytes_clear) value = BYTES_INIT;
		if ((rule->written & (1U << fields->kind)) == 0)
			continue;
		TRY(rule->write(fields, &value, fault));
		if (value.length > 0)
			TRY(extension_append(extensions, rule->nid, rule->critical, bytes_span(&value), fault));
	}
	return FAULT_NONE;
}

bool
certificate_extensions_of_ca(const STACK_OF(extension) *extensions)
{
	for (int i = 0; i < sk_extension_num(extensions); i++)
		if (OBJ_obj2nid(sk_extension_value(extensions, i)->id) == NID_basic_constraints)
			return true;
	return false;
}

static enum fault_code
read_one(const extension *found, unsigned *seen, struct certificate *certificate, struct fault *fault)
{
	int nid = OBJ_obj2nid(found->id);
	size_t i = 0;
	while (i < RULES && rules[i].nid != nid)
		i++;
	/* RFC 6487 §4.8: no others, each once. */
	if (i == RULES || (rules[i].allowed & (1U << certificate->kind)) == 0)
		return fault_set(fault, FAULT_MALFORMED,
			"the extension %s has no place in this kind of certificate (RFC 6487 §4.8)", OBJ_nid2ln(nid));
	if ((*seen & (1U << i)) != 0)
		return fault_set(fault, FAULT_MALFORMED, "the extension %s is there twice", OBJ_nid2ln(nid));
	/* DER's TRUE is ff alone, but OpenSSL keeps any other value as it came. */
	if (found->critical != (rules[i].critical ? 0xff : 0))
		return fault_set(fault, FAULT_MALFORMED, "the extension %s has to be %scritical (RFC 6487 §4.8)", OBJ_nid2ln(nid),
			rules[i].critical ? "" : "non-");
	*seen |= 1U << i;
	return rules[i].read(template_octets(found->value), certificate, fault);
}

enum fault_code
certificate_extensions_read(const STACK_OF(extension) *extensions, struct certificate *certificate, struct fault *fault)
{
	unsigned seen = 0;
	for (int i = 0; i < sk_extension_num(extensions); i++)
		TRY(read_one(sk_extension_value(extensions, i), &seen, certificate, fault));
	for (size_t i = 0; i < RULES; i++)
		if ((rules[i].required & (1U << certificate->kind)) != 0 && (seen & (1U << i)) == 0)
			return fault_set(fault, FAULT_MALFORMED, "the extension %s is missing (RFC 6487 §4.8)",
				OBJ_nid2ln(rules[i].nid));
	return FAULT_NONE;
}
