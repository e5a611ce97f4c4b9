/*
 * offline_anchor: the directory of a trust anchor on a machine of its own. All there is:
 *
 *   ta.key      the private key, wrapped under a key that scrypt makes of a passphrase
 *   ta.public   its public half, for the server
 *   ledger      what was signed (ceremony_ledger.h)
 *
 * No database, no network. The passphrase and what comes of it are in locked memory, wiped after use; the key itself never leaves ca/keys.
 *
 * Threads: one.
 */
#ifndef CA_CEREMONY_OFFLINE_ANCHOR_H
#define CA_CEREMONY_OFFLINE_ANCHOR_H

#include "ca/base/secret.h"
#include "ca/ceremony/ceremony_sign.h"
#include "ca/keys/rsa_key.h"

#define OFFLINE_ANCHOR_KEY "ta.key"
#define OFFLINE_ANCHOR_PUBLIC "ta.public"
#define OFFLINE_ANCHOR_LEDGER "ledger"

struct offline_anchor;

struct offline_anchor_request {
	const char *path;                        /* the directory: absent or empty */
	const struct secret *passphrase;
	int cost;                                /* of scrypt: PASSPHRASE_COST */
	struct key_source source;                /* where a new key comes from … */
	struct span existing;                    /* … unless it is this one (PEM or DER) */
	int64_t now_at;
};

/* Makes the directory with a key and an empty ledger. Faults: CONFLICT (it holds something), INVALID (the passphrase), KEY, IO, DISK. */
CHECKED enum fault_code offline_anchor_create(const struct offline_anchor_request *request, struct fault *fault);

/* Opens it, without the private key, and keeps others out. Faults: NOT_FOUND, LOCKED, MALFORMED or INVALID (a damaged file), IO. */
CHECKED enum fault_code offline_anchor_open(const char *path, struct offline_anchor **ret_anchor, struct fault *fault);
void offline_anchor_free(struct offline_anchor *anchor);
SCOPED(struct offline_anchor, offline_anchor_free)
const struct ceremony_ledger *offline_anchor_ledger(const struct offline_anchor *anchor);

/*
 * Answers a request that ceremony_check() let through. The ledger is on disk before this returns. source: of the manifest's one-time
 * key. Faults: KEY (a wrong passphrase), those of ceremony_sign(), IO, DISK.
 */
CHECKED enum fault_code offline_anchor_sign(struct offline_anchor *anchor, const struct secret *passphrase, struct key_source source,
	const struct ceremony_request *request, int64_t now_at, struct bytes *ret_response, struct fault *fault);

/* The public file: the trust anchor's SubjectPublicKeyInfo. Faults: MALFORMED, INVALID (altered), MEMORY. */
CHECKED enum fault_code offline_anchor_public_parse(struct span file, struct bytes *ret_spki, struct fault *fault);

#endif
