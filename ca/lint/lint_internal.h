/*
 * lint_internal: what the files of ca/lint share with each other and nobody else. Each function stands in the file of its stem.
 *
 * `what` is the section and the name of the field that is looked at, as der_reader wants it: "RFC 6487 §4.2: serialNumber".
 * Unless said otherwise a function sets FAULT_LINT alone; those that allocate MEMORY too, those that hash or verify CRYPTO too.
 */
#ifndef CA_LINT_LINT_INTERNAL_H
#define CA_LINT_LINT_INTERNAL_H

#include "ca/base/digest.h"
#include "ca/lint/der_reader.h"
#include "ca/lint/lint.h"

#define LINT_OBJECT_SIZE_MIN 100        /* rpki-client takes no smaller object */
#define LINT_OBJECT_SIZE_MAX DER_READER_SIZE_MAX
#define LINT_SERIAL_OCTETS_MAX 20       /* RFC 5280 §4.1.2.2 */
#define LINT_COMMON_NAME_MAX 64         /* RFC 5280 appendix A.1, ub-common-name */
#define LINT_NAME_MAX 63                /* of a file */
#define LINT_URI_MAX 2048
#define LINT_MANIFEST_ENTRIES_MAX 70000
#define LINT_ROA_PREFIXES_MAX 1000
#define LINT_RSA_BITS 2048
#define LINT_RSA_OCTETS (LINT_RSA_BITS / 8)

/* A rule: FAULT_NONE while it holds, else FAULT_LINT with the sentence that says which section it breaks and how. For TRY(). */
#define LINT_RULE(holds, fault, ...) ((holds) ? FAULT_NONE : fault_set((fault), FAULT_LINT, __VA_ARGS__))

/* lint_oid */
enum lint_oid {
#define LINT_OID(name, text, ...) LINT_OID_##name,
#include "ca/lint/lint_oid.def"
#undef LINT_OID
	LINT_OIDS
};
bool lint_oid_is(struct span contents, enum lint_oid oid);
/* Takes an OBJECT IDENTIFIER, which must be this one. */
CHECKED enum fault_code lint_oid_read(struct der_reader *reader, enum lint_oid oid, const char *what, struct fault *fault);

/* lint_algorithm: an AlgorithmIdentifier, exactly this one. */
CHECKED enum fault_code lint_algorithm_read(struct der_reader *reader, enum lint_oid oid, bool null_parameters, const char *what,
	struct fault *fault);

/* lint_key: public keys of RFC 7935 §3. */
struct lint_key {
	struct span bits;               /* contents of subjectPublicKey without its count of unused bits */
	struct span modulus;            /* LINT_RSA_OCTETS */
};
CHECKED enum fault_code lint_key_read(struct span spki, const char *what, struct lint_key *ret_key, struct fault *fault);
CHECKED enum fault_code lint_key_identifier(struct span spki, const char *what, uint8_t ret_identifier[SHA1_SIZE],
	struct fault *fault);
/* Is this the RSA PKCS #1 v1.5 signature, with SHA-256, of message under spki? */
CHECKED enum fault_code lint_key_verify(struct span spki, struct span message, struct span signature, const char *what,
	struct fault *fault);

/* lint_name: names of files, and X.501 names. */
enum lint_name_kind {
	LINT_NAME_LISTED,               /* on a manifest: cer crl roa asa gbr tak */
	LINT_NAME_SIGNED,               /* a signed object: mft roa asa gbr tak */
	LINT_NAME_MANIFEST,
	LINT_NAME_CRL,
	LINT_NAME_ROA,
	LINT_NAME_KINDS
};
bool lint_name_is(struct span name, enum lint_name_kind kind);
/* A Name of one CommonName, a PrintableString (RFC 6487 §4.4). */
CHECKED enum fault_code lint_name_read(struct der_reader *reader, const char *what, struct span *ret_common_name,
	struct fault *fault);
bool lint_name_is_text(struct span common_name, const char *text);
/* 40 hex digits, all letters of one case. */
bool lint_name_is_identifier(struct span common_name, const uint8_t identifier[SHA1_SIZE]);

/* lint_uri */
/* Takes a GeneralName [6] that says exactly this; a NULL wanted equals nothing. */
CHECKED enum fault_code lint_uri_read(struct der_reader *reader, const char *wanted, const char *scheme, const char *what,
	struct fault *fault);
bool lint_uri_is_directory(const char *uri);    /* a correct rsync URI that ends with '/' */
/* Is it `directory` followed by one file name of this kind? */
bool lint_uri_is_in(const char *uri, const char *directory, enum lint_name_kind kind);

/* lint_resources: RFC 3779. */
struct lint_resources {
	struct resource_set set;        /* what stands there explicitly */
	bool has_addresses, has_asns;   /* was there such an extension? */
	bool inherits_ipv4, inherits_ipv6, inherits_asns;
	size_t ranges;
};
#define LINT_RESOURCES_INIT ((struct lint_resources){ .set = RESOURCE_SET_INIT })
void lint_resources_clear(struct lint_resources *resources);
CHECKED enum fault_code lint_resources_read_addresses(struct der_reader *reader, struct lint_resources *resources,
	struct fault *fault);
CHECKED enum fault_code lint_resources_read_asns(struct der_reader *reader, struct lint_resources *resources,
	struct fault *fault);
/* Are they what is wanted, and the issuer's to give? After both extensions were read, if they are there. */
CHECKED enum fault_code lint_resources_demand(struct lint_resources *resources, const struct lint_issuer *issuer,
	const struct lint_certificate_wanted *wanted, struct fault *fault);
/* addressFamily: two octets, IPv4 or IPv6. */
CHECKED enum fault_code lint_resources_family(struct der_reader *reader, const char *what, enum address_family *ret_family,
	struct fault *fault);
/* The address that begins with these bits, all further ones zero. */
CHECKED enum fault_code lint_resources_prefix(struct der_reader *reader, enum address_family family, const char *what,
	struct prefix *ret_prefix, struct fault *fault);

/* lint_extensions: one table of what may stand where. */
enum lint_kind { LINT_TA, LINT_CA, LINT_EE, LINT_CRL, LINT_KINDS };
struct lint_subject {
	enum lint_kind kind;
	const struct lint_issuer *issuer;
	const struct lint_certificate_wanted *wanted;   /* of a certificate */
	uint8_t key_identifier[SHA1_SIZE];              /* of a certificate: of the key that is certified */
	uint64_t crl_number;                            /* of a CRL */
	struct lint_resources *resources;               /* of a certificate: where to put what its extensions say */
};
/* Takes [explicit] Extensions ::= SEQUENCE OF Extension, each as the table has it. Faults: LINT, MEMORY. */
CHECKED enum fault_code lint_extensions_read(struct der_reader *reader, struct lint_subject *subject, struct fault *fault);

/* lint_certificate: the fields of a TBSCertificate up to its extensions, where `rest` stands. */
struct lint_certificate {
	struct span serial, issuer, subject, spki;
	int64_t not_before_at, not_after_at;
	struct der_reader rest;
};
CHECKED enum fault_code lint_certificate_read(struct span tbs, struct lint_certificate *ret_certificate, struct fault *fault);
/* CertificateSerialNumber: 1 to 20 octets, positive. */
CHECKED enum fault_code lint_certificate_serial(struct der_reader *reader, const char *what, struct span *ret_serial,
	struct fault *fault);
/* Does the issuer's key identifier belong to its key? Faults: LINT, CRYPTO. */
CHECKED enum fault_code lint_certificate_issuer(const struct lint_issuer *issuer, struct fault *fault);

/* lint_manifest: the fields in front of the list. */
struct lint_manifest {
	uint64_t number;
	int64_t this_update_at, next_update_at;
	struct der_reader rest;         /* fileList */
};
CHECKED enum fault_code lint_manifest_read(struct span content, struct lint_manifest *ret_manifest, struct fault *fault);

/* lint_signed: SEQUENCE { tbs, sha256WithRSAEncryption, BIT STRING } that holds exactly tbs; the signature isn't verified yet. */
CHECKED enum fault_code lint_signed_read(struct span der, struct span tbs, const char *what, struct span *ret_signature,
	struct fault *fault);
CHECKED enum fault_code lint_signed_size(struct span der, const char *what, struct fault *fault);

#endif
