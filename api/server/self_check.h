/*
 * self_check: the check of what is served, in the background: after each publication CAs with a new manifest and the chain of
 * deltas, now and then everything. In a thread that gets what processor time nobody else wants, and takes a tenth of it at most.
 *
 * What is severe counts once a second check right after has found it too: what a first one saw may have been in motion.
 *
 * Threads: its own. Everything else from any.
 */
#ifndef API_SERVER_SELF_CHECK_H
#define API_SERVER_SELF_CHECK_H

#include <jansson.h>

#include "api/server/config.h"
#include "api/server/health.h"
#include "ca/base/clock.h"
#include "db/db.h"
#include "publish/check/check.h"

struct self_check;

/* directory: of data, borrowed, as all else. */
CHECKED enum fault_code self_check_new(struct db *db, int directory, const struct clock *clock, const struct config *config,
	struct self_check **ret_check, struct fault *fault);
CHECKED enum fault_code self_check_start(struct self_check *check, struct fault *fault);
void self_check_wake(struct self_check *check);        /* something was published */
void self_check_free(struct self_check *check);        /* NULL is harmless */
SCOPED(struct self_check, self_check_free)

/* One check, as the thread makes it; for tests. everything: also what was right before. */
CHECKED enum fault_code self_check_once(struct self_check *check, bool everything, struct fault *fault);

/* The section of /health/ready (health_tell_fn): a failure for what is severe, a warning for the rest. */
enum fault_code self_check_tell(void *check, struct health_report *report, struct fault *fault);
/* The last check as GET /api/v1/check gives it. Faults: NOT_FOUND (none was made yet), MEMORY. */
CHECKED enum fault_code self_check_json(struct self_check *check, json_t **ret_json, struct fault *fault);

/* What expires sooner than this should have been renewed: half of the margin with which it is. */
void self_check_horizons(const struct config *config, int64_t ret_horizon_s[CHECK_OBJECTS]);

#endif
