/*
 * lint: a second look at every object, with parsing of its own, before a CA key signs it and after. It shares no code with
 * ca/der, so that one mistake would have to be made twice, and it is stricter than validators are: canonical DER only, our own
 * profile only.
 *
 * Every check that fails sets FAULT_LINT with the rule's section: "RFC 6487 §4.8.1: BasicConstraints has a pathLen". MEMORY and
 * CRYPTO say that nothing was found out. README.md lists all rules. Pure. Threads: safe.
 */
#ifndef CA_LINT_LINT_H
#define CA_LINT_LINT_H

#include <stdbool.h>
#include <stdint.h>

#include "ca/base/bytes.h"
#include "ca/base/fault.h"
#include "ca/resources/payload.h"
#include "ca/resources/resource_set.h"

/* What the issuing CA is known to be. Borrowed. For a TA's own certificate it describes the TA itself. */
struct lint_issuer {
	const char *name;                       /* its CommonName */
	uint8_t key_identifier[20];
	struct span spki;                       /* DER SubjectPublicKeyInfo: signatures are verified with it */
	const struct resource_set *resources;   /* what it may give, after inheritance */
	int64_t not_after_at;                   /* its certificate's end */
	const char *certificate_uri;            /* AIA of what it issues; NULL for a TA's own certificate */
	const char *crl_uri;
	const char *repository_uri;             /* its caRepository, ends with '/' */
};

/* What the object is meant to be. */
struct lint_certificate_wanted {
	bool ta, ca;                            /* ta implies ca; neither: an EE */
	struct span spki;                       /* the key that is certified */
	int64_t now_at;
	const struct resource_set *resources;   /* exactly these; NULL: a CA inherits what its issuer holds, an EE all families */
	const char *repository_uri, *manifest_uri, *notification_uri; /* TA and CA */
	const char *object_uri;                 /* EE: where the object will be published */
	bool renewal;                           /* not_before must rise above the one before */
	int64_t previous_not_before_at;
	int64_t not_before_at, not_after_at;    /* exactly these where not 0; a manifest's EE: its thisUpdate and nextUpdate */
};

/* Profile, times, names, URIs, containment, canonical encodings of a TBSCertificate. */
CHECKED enum fault_code lint_certificate_tbs(struct span tbs, const struct lint_issuer *issuer,
	const struct lint_certificate_wanted *wanted, struct fault *fault);

struct lint_crl_wanted {
	uint64_t number;
	int64_t this_update_at, next_update_at, now_at;
	size_t revocations;                     /* how many entries */
};
CHECKED enum fault_code lint_crl_tbs(struct span tbs, const struct lint_issuer *issuer, const struct lint_crl_wanted *wanted,
	struct fault *fault);

struct lint_manifest_wanted {
	uint64_t number;
	int64_t this_update_at, next_update_at, now_at;
	size_t entries;
	const char *crl_name;                   /* exactly one CRL, this one, with this hash */
	const uint8_t *crl_hash;
};
CHECKED enum fault_code lint_manifest_content(struct span content, const struct lint_manifest_wanted *wanted,
	struct fault *fault);

/* The payloads, in any order, are exactly what the eContent says, canonical, within `resources`. */
CHECKED enum fault_code lint_roa_content(struct span content, const struct payload *payloads, size_t count,
	const struct resource_set *resources, struct fault *fault);

/*
 * After signing. The object must be DER throughout, hold exactly the TBS (or the content and the EE's TBS) that was linted
 * before, and its signatures must verify: certificate and CRL under the issuer's key, signed object under its EE's key. Size
 * within limits. A manifest's EE must be valid exactly from its thisUpdate to its nextUpdate (RFC 9286 §5.1).
 */
CHECKED enum fault_code lint_signed_certificate(struct span der, struct span tbs, const struct lint_issuer *issuer,
	struct fault *fault);
CHECKED enum fault_code lint_signed_crl(struct span der, struct span tbs, const struct lint_issuer *issuer, struct fault *fault);

struct lint_signed_wanted {
	bool manifest;                          /* else a ROA */
	struct span content;                    /* the eContent that was linted */
	struct span ee_tbs;                     /* the EE's TBSCertificate that was linted */
	int64_t signing_time_at;
};
CHECKED enum fault_code lint_signed_object(struct span der, const struct lint_issuer *issuer,
	const struct lint_signed_wanted *wanted, struct fault *fault);

/* A file name on a manifest (RFC 9286 §4.2.2): [A-Za-z0-9_-]+\.(cer|crl|roa|asa|gbr|tak), at most 63 characters. */
bool lint_object_name(const char *name);
/* rsync: or https: URI in the character set that all validators take, at most 2048, no dot segments. */
bool lint_uri(const char *uri, const char *scheme);

#endif
