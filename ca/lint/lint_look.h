/*
 * lint_look: what an object says, read without holding it against anything. For the self-check, which has to tell which rule is
 * broken, and first needs what the object claims: then it can ask lint's other functions whether that is how it should be said.
 *
 * What is read is strict DER; beyond that only as much form is demanded as reading takes. Spans are the caller's bytes.
 *
 * Faults: LINT ("<section>: <what can't be read>"), MEMORY, CRYPTO. Pure. Threads: safe.
 */
#ifndef CA_LINT_LINT_LOOK_H
#define CA_LINT_LINT_LOOK_H

#include <stdbool.h>
#include <stdint.h>

#include "ca/lint/der_reader.h"
#include "ca/resources/payload.h"
#include "ca/resources/resource_set.h"

#define LINT_LOOK_IDENTIFIER 20

struct lint_look_certificate {
	struct span tbs, signature;
	struct span serial;                     /* INTEGER's octets */
	struct span issuer, subject;            /* CommonNames */
	struct span spki;
	int64_t not_before_at, not_after_at;
	uint8_t key_identifier[LINT_LOOK_IDENTIFIER]; /* computed from the key */
	/* What extensions say; data NULL where there is none. */
	struct span authority_key;
	struct span crl_uri, issuer_uri;
	struct span repository_uri, manifest_uri, notification_uri, object_uri;
	struct resource_set resources;          /* listed ones */
	bool inherits_ipv4, inherits_ipv6, inherits_asns;
};
#define LINT_LOOK_CERTIFICATE_INIT ((struct lint_look_certificate){ .resources = RESOURCE_SET_INIT })
/* *ret_look must be LINT_LOOK_CERTIFICATE_INIT; to be cleared, also on failure. */
CHECKED enum fault_code lint_look_certificate(struct span der, struct lint_look_certificate *ret_look, struct fault *fault);
void lint_look_certificate_clear(struct lint_look_certificate *look);

struct lint_look_crl {
	struct span tbs, signature, issuer;
	uint64_t number;                        /* 0 where there is none */
	int64_t this_update_at, next_update_at;
	struct span authority_key;              /* data NULL: none */
	struct der_reader entries;              /* for lint_look_revocation() */
	size_t revocations;
};
CHECKED enum fault_code lint_look_crl(struct span der, struct lint_look_crl *ret_look, struct fault *fault);
/* The next entry; call while der_reader_more(entries). */
CHECKED enum fault_code lint_look_revocation(struct der_reader *entries, struct span *ret_serial, int64_t *ret_revoked_at,
	struct fault *fault);

struct lint_look_signed {
	bool manifest, roa;                     /* neither: another eContentType */
	struct span content;
	struct span certificate;                /* the EE's */
	struct span attributes;                 /* signedAttrs, whole; data NULL: none */
	struct span digest;                     /* message-digest; data NULL: none */
	int64_t signing_time_at;                /* 0: none */
	struct span signature;
};
CHECKED enum fault_code lint_look_signed(struct span der, struct lint_look_signed *ret_look, struct fault *fault);

struct lint_look_manifest {
	uint64_t number;
	int64_t this_update_at, next_update_at;
	struct der_reader entries;              /* for lint_look_entry() */
};
CHECKED enum fault_code lint_look_manifest(struct span content, struct lint_look_manifest *ret_look, struct fault *fault);
/* The next entry, whatever its name; *ret_hash has 32 octets. Call while der_reader_more(entries). */
CHECKED enum fault_code lint_look_entry(struct der_reader *entries, struct span *ret_name, const uint8_t **ret_hash,
	struct fault *fault);

/* Payloads of a ROA's eContent in its order, whatever that is; *ret_payloads is the caller's, to be freed. */
CHECKED enum fault_code lint_look_roa(struct span content, struct payload **ret_payloads, size_t *ret_count, struct fault *fault);

/* Does the signature of a message verify under this key? */
CHECKED enum fault_code lint_look_verify(struct span spki, struct span message, struct span signature, bool *ret_verified,
	struct fault *fault);
/* The same for a signed object under its EE's key, over its attributes (RFC 5652 §5.4). */
CHECKED enum fault_code lint_look_verify_signed(const struct lint_look_signed *look, struct span spki, bool *ret_verified,
	struct fault *fault);

#endif
