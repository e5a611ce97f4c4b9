/*
 * trust_anchor: the trust anchor's certificate at DIR/ta/ta.cer, which TALs point at (RFC 8630 §2). Threads: the publisher's.
 */
#ifndef PUBLISH_TRUST_ANCHOR_H
#define PUBLISH_TRUST_ANCHOR_H

#include "publish/site.h"

/*
 * Makes the file equal to the certificate in the state of this serial, if it isn't; then *written rises by one. Nothing is
 * done for a repository that holds no trust anchor. Faults: DISK, IO, MEMORY, DATABASE.
 */
CHECKED enum fault_code trust_anchor_put(const struct site *site, int64_t serial, int64_t *written, struct fault *fault);

#endif
