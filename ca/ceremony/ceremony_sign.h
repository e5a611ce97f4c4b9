/*
 * ceremony_sign: the trust anchor's side of a ceremony: whether a request may be answered, what it means in plain words, and the answer.
 *
 * Everything is issued anew each time, and all that was issued before and has not expired is revoked: so a manifest lists exactly what
 * its response holds, and nothing depends on what became of the responses before. Objects are made by ca/issue, linted as all are.
 *
 * No file, no clock, no network. Threads: one at a time for one ledger.
 */
#ifndef CA_CEREMONY_CEREMONY_SIGN_H
#define CA_CEREMONY_CEREMONY_SIGN_H

#include "ca/ceremony/ceremony_ledger.h"
#include "ca/ceremony/ceremony_response.h"
#include "ca/keys/key_pool.h"
#include "ca/keys/signer.h"

/* The trust anchor's key; borrowed. */
struct ceremony_anchor {
	struct signer *signer;
	struct key_pool *pool;                   /* of one-time keys, for the manifest */
	struct span handle, spki;
};

/* A request may lie on its way for so long, before the clocks of both machines are thought to differ. */
#define CEREMONY_REQUEST_AGE_MAX_S (30 * INT64_C(86400))
#define CEREMONY_CLOCK_TOLERANCE_S 300

/*
 * May this request be answered now? new_server: a fingerprint, given by the person, of a request key that takes the place of the one
 * known (a server that was laid anew); NULL: none. Faults: CONFLICT (another trust anchor's; another server's; answered already; older
 * than the last), CLOCK (this machine's clock can't be right).
 */
CHECKED enum fault_code ceremony_check(const struct ceremony_request *request, const struct ceremony_ledger *ledger, const char *new_server,
	int64_t now_at, struct fault *fault);

/* What will be signed, for a person to read. Faults: MEMORY, CRYPTO. */
CHECKED enum fault_code ceremony_describe(const struct ceremony_request *request, const struct ceremony_ledger *ledger, int64_t now_at,
	struct bytes *ret_text, struct fault *fault);

/*
 * Signs: fills the ledger with what was issued, and gives the response's file. The caller stores the ledger before it lets the response
 * out. Faults: LINT, KEY, CRYPTO, TOO_LARGE, MEMORY; the ledger is then of no use any more.
 */
CHECKED enum fault_code ceremony_sign(const struct ceremony_anchor *anchor, const struct ceremony_request *request,
	struct ceremony_ledger *ledger, int64_t now_at, struct bytes *ret_file, struct fault *fault);

#endif
