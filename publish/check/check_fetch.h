/*
 * check_fetch: what a publisher serves, fetched as validators do: HTTPS by libcurl, an rsync tree by the rsync client. For checks of
 * a repository that isn't in a data directory here.
 *
 * HTTPS alone, no redirects to another origin, bounded in size and time. What is fetched lies in a directory of its own under
 * $TMPDIR that goes with it. Threads: one.
 */
#ifndef PUBLISH_CHECK_CHECK_FETCH_H
#define PUBLISH_CHECK_CHECK_FETCH_H

#include "ca/base/scope.h"
#include "publish/check/check.h"

struct check_fetch;

/* ca_file: certificates to trust, PEM; NULL: the system's. rsync: the tree may be asked for. Faults: MEMORY, IO, DISK. */
CHECKED enum fault_code check_fetch_new(const char *ca_file, bool rsync, struct check_fetch **ret_fetch, struct fault *fault);
void check_fetch_free(struct check_fetch *fetch);
SCOPED(struct check_fetch, check_fetch_free)
/* Borrowed. */
const struct check_source *check_fetch_source(const struct check_fetch *fetch);

#endif
