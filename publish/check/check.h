/*
 * check: reads what is served and says what a validator would refuse, what isn't as the database has it, what expires soon.
 *
 * Shares no code with what issues and publishes: files are read anew, RRDP by expat, objects by ca/lint's parsers and rules. It
 * changes nothing. What is wrong with what is served is a finding, never a fault: faults mean that nothing was found out.
 *
 * From the top: locator and certificate of the trust anchor; notification, snapshot and each listed delta of each repository that
 * certificates lead to, or that the database has; then, from the trust
 * anchor down, certificates, CRLs, manifests and ROAs as a strict validator judges them at `now_at`; then the rsync tree at its
 * own serials, and the database.
 *
 * Memory: 12 bytes an object of the repository (check_index.h), and for each CA between the trust anchor and the one that is looked
 * at its manifest and CRL (4 MB at most each, usually a few kB). Disk: 250 bytes an object while it runs, in the data directory or
 * where temporary files go. Time: about 0.2 ms an object.
 *
 * Threads: one a call; different calls may run at the same time.
 */
#ifndef PUBLISH_CHECK_CHECK_H
#define PUBLISH_CHECK_CHECK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "ca/base/clock.h"
#include "ca/base/fault.h"
#include "ca/resources/payload.h"
#include "ca/views/check_view.h"
#include "publish/check/check_known.h"
#include "publish/check/check_report.h"

/* Where files come from that are not in a data directory. Each call opens one for reading, as a descriptor the caller closes. */
struct check_source {
	/* NOT_FOUND when it isn't there; NETWORK, TOO_LARGE, IO. limit: bytes. */
	enum fault_code (*open)(void *self, const char *uri, int64_t limit, int *ret_fd, struct fault *fault);
	/* The directory with what is below an rsync URI; NOT_FOUND: rsync isn't to be looked at. */
	enum fault_code (*open_tree)(void *self, const char *rsync_uri, int *ret_directory, struct fault *fault);
	void *self;
};

struct check_request {
	int directory;                          /* descriptor of a data directory; -1: source */
	const struct check_source *source;      /* borrowed; NULL with a data directory */
	const char *tal;                        /* path of the locator; NULL: ta/ta.tal of the data directory */
	const char *notification_uri;           /* with a source: fetched in place of the one that the trust anchor names; NULL: that */
	struct db *db;                          /* NULL: only what needs none is checked */
	int64_t now_at;                         /* what is served is judged at this time */
	const struct clock *clock;              /* borrowed; NULL, or: at the time at which it was all there, which may be long after */
	int64_t horizon_s[CHECK_OBJECTS];       /* what expires sooner is a finding; 0: only what has expired */
	bool without_rsync;
	struct check_known *known;              /* NULL, or: what was right before, and now becomes what is */
	bool changed_only;                      /* what is known is not looked at again: see check_known.h */
	const atomic_bool *stop;              /* NULL, or: give up with BUSY once it is true */
	/* Told of each payload that a validator would take; may be NULL. */
	enum fault_code (*payload)(void *argument, const struct payload *payload, struct fault *fault);
	void *argument;
};

/*
 * Everything. *report must be CHECK_REPORT_INIT; to be cleared, also on failure. Faults: MEMORY, IO, CRYPTO, DATABASE, BUSY
 * (stopped), NETWORK.
 */
CHECKED enum fault_code check_run(const struct check_request *request, struct check_report *report, struct fault *fault);

#endif
