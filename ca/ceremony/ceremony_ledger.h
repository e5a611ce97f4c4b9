/*
 * ceremony_ledger: what the trust anchor's machine remembers: whom it serves, the last request, the last numbers, every certificate that
 * it issued. So nothing is signed twice, numbers only rise, and what was replaced gets revoked, whatever the server remembers. As a file:
 * a sealed text, signed by the trust anchor's key; written before a response is let out.
 *
 * Pure. Threads: a ledger belongs to one thread.
 */
#ifndef CA_CEREMONY_CEREMONY_LEDGER_H
#define CA_CEREMONY_CEREMONY_LEDGER_H

#include "ca/ceremony/ceremony_request.h"

#define CEREMONY_LEDGER_TITLE "cadastre-ta-ledger 1"

struct ledger_entry {
	enum object_kind kind;                   /* TA, CER, MFT: its EE certificate */
	struct serial_number serial;
	int64_t not_after_at;
	int64_t revoked_at;                      /* 0: it stands */
};

struct ceremony_ledger {
	struct bytes ta_key;                     /* SubjectPublicKeyInfo */
	char instance[CEREMONY_INSTANCE_SIZE];   /* "": no ceremony yet, and nobody known */
	struct bytes request_key;
	int64_t number;                          /* of the last request; 0: none */
	uint8_t request[SHA256_SIZE];
	int64_t signed_at, not_before_at;        /* of the last ceremony, and of the trust anchor's certificate then */
	uint64_t crl_number, manifest_number;
	struct ledger_entry *entries;
	size_t entries_count, entries_capacity;
};

CHECKED enum fault_code ceremony_ledger_new(struct ceremony_ledger **ret_ledger, struct fault *fault);
void ceremony_ledger_free(struct ceremony_ledger *ledger);
SCOPED(struct ceremony_ledger, ceremony_ledger_free)

CHECKED enum fault_code ceremony_ledger_add(struct ceremony_ledger *ledger, const struct ledger_entry *entry, struct fault *fault);
/* Faults: TOO_LARGE, KEY, CRYPTO, MEMORY. */
CHECKED enum fault_code ceremony_ledger_seal(const struct ceremony_ledger *ledger, struct signer *signer, struct span handle,
	struct bytes *ret_file, struct fault *fault);
/* Faults: MALFORMED, INVALID (altered, or another trust anchor's than `spki`), MEMORY. */
CHECKED enum fault_code ceremony_ledger_parse(struct span file, struct span spki, struct ceremony_ledger **ret_ledger, struct fault *fault);

#endif
