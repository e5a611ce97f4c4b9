/*
 * lint_fixture: one good object of each kind as text for der_builder, with all that lint has to be told about it. Tests break one
 * thing at a time, in the text or in what is wanted, and demand the refusal that belongs to it.
 */
#ifndef TESTS_SUPPORT_LINT_FIXTURE_H
#define TESTS_SUPPORT_LINT_FIXTURE_H

#include "ca/lint/lint.h"

#define LINT_FIXTURE_NOW INT64_C(1795478400)        /* 2026-11-24T00:00:00Z */
#define LINT_FIXTURE_BEFORE (LINT_FIXTURE_NOW - 86400)
#define LINT_FIXTURE_AFTER (LINT_FIXTURE_NOW + 86400)
#define LINT_FIXTURE_IDENTIFIER 20                  /* octets of a key identifier */

enum lint_fixture_kind {
	LINT_FIXTURE_TA,                /* all resources there are */
	LINT_FIXTURE_CA,                /* some of its issuer's, ranges and prefixes */
	LINT_FIXTURE_INHERITING_CA,
	LINT_FIXTURE_MANIFEST,          /* EE of a manifest: inherits */
	LINT_FIXTURE_ROA,               /* EE of a ROA: two prefixes */
	LINT_FIXTURE_KINDS
};

struct lint_fixture {
	enum lint_fixture_kind kind;
	struct lint_issuer issuer;
	struct lint_certificate_wanted wanted;
	/* What those two point to. */
	struct resource_set issuer_resources, resources;
	struct bytes issuer_spki, subject_spki;
	uint8_t subject_identifier[LINT_FIXTURE_IDENTIFIER];
	char issuer_name[2 * LINT_FIXTURE_IDENTIFIER + 1], subject_name[2 * LINT_FIXTURE_IDENTIFIER + 1];
};

/* Moduli in hex: NULL for keys that are built in, whose private halves nobody has. Ends the program if memory is short. */
void lint_fixture_init(struct lint_fixture *fixture, enum lint_fixture_kind kind, const char *issuer_modulus,
	const char *subject_modulus);
void lint_fixture_clear(struct lint_fixture *fixture);

/* Texts of good objects, to be freed. */
char *lint_fixture_certificate(const struct lint_fixture *fixture);    /* its TBSCertificate */
char *lint_fixture_crl(const struct lint_fixture *fixture);            /* TBSCertList of its issuer, number 5, two entries */
char *lint_fixture_manifest(void);                                     /* eContent, number 7, of three files */
char *lint_fixture_roa(void);                                          /* eContent, of lint_fixture_payloads */
/* SignedData around an eContent and an EE certificate; attributes and signature as given, in hex after "=" or as text. */
char *lint_fixture_signed_object(const char *content_type, struct span content, struct span certificate,
	const uint8_t identifier[LINT_FIXTURE_IDENTIFIER], const char *attributes, struct span signature);
char *lint_fixture_attributes(const char *content_type, struct span content); /* contents of signedAttrs, signed at thisUpdate */
/* SEQUENCE { tbs, algorithm, signature } */
char *lint_fixture_envelope(struct span tbs, struct span signature);

struct lint_crl_wanted lint_fixture_crl_wanted(void);
struct lint_manifest_wanted lint_fixture_manifest_wanted(void);
#define LINT_FIXTURE_PAYLOADS 5
extern const struct payload lint_fixture_payloads[LINT_FIXTURE_PAYLOADS]; /* not in canonical order */
#define LINT_FIXTURE_ROA_OID "1.2.840.113549.1.9.16.1.24"
#define LINT_FIXTURE_MANIFEST_OID "1.2.840.113549.1.9.16.1.26"

/* One broken thing: where `from` stands in a good object's text, `to` stands now, and lint's message holds `rule`. */
struct lint_fixture_row {
	const char *label, *from, *to, *rule;
};

typedef enum fault_code (*lint_fixture_look)(struct span der, const struct lint_fixture *fixture, struct fault *fault);

/* How many rows are not refused as they should be; prints each of those. `fixture` is handed on to look. */
size_t lint_fixture_failures(const char *text, const struct lint_fixture_row *rows, size_t count, lint_fixture_look look,
	const struct lint_fixture *fixture);
/* Is this FAULT_LINT, with a section and this rule? Prints what it is if not. */
bool lint_fixture_refused(const char *label, enum fault_code code, const struct fault *fault, const char *rule);

#endif
